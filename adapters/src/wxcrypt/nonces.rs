//! What a plain delivery's signature has been used for: it covers a time and a number but not the words, so each may carry one body alone.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Signatures that are remembered: the deliveries of ten minutes, at thirty a second.
const SIGNATURES_MAX: usize = 20_000;

/// By time first, so that the oldest are forgotten first; those are refused for their age soon.
#[derive(Default)]
pub(crate) struct Nonces(Mutex<BTreeMap<(i64, String), [u8; 32]>>);

impl Nonces {
    /// True for the first body that comes with this signature, and for the same again: WeChat repeats what it got no answer for.
    pub(crate) fn carries(&self, timestamp_s: i64, nonce: &str, body: &[u8]) -> bool {
        let body: [u8; 32] = Sha256::digest(body).into();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (timestamp_s, nonce.to_owned());
        if let Some(first) = seen.get(&key) {
            return *first == body;
        }
        if seen.len() >= SIGNATURES_MAX {
            seen.pop_first();
        }
        seen.insert(key, body);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_carries_one_body_and_the_oldest_is_forgotten() {
        let nonces = Nonces::default();
        assert!(nonces.carries(7, "1", b"a"));
        assert!(nonces.carries(7, "1", b"a"));
        assert!(!nonces.carries(7, "1", b"b"));
        assert!(nonces.carries(7, "2", b"b") && nonces.carries(8, "1", b"b"));
        for at in 0..SIGNATURES_MAX {
            assert!(nonces.carries(100, &at.to_string(), b"c"));
        }
        assert!(nonces.carries(7, "1", b"b"), "it was forgotten");
    }
}
