//! What is named by its content: the SHA-256 of bytes, in hexadecimal.

use sha2::{Digest, Sha256};

/// All 64 digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The first bytes of it, two digits each, where a platform's id is short.
pub(crate) fn short_digest(bytes: &[u8], digest_bytes: usize) -> String {
    let mut digits = digest(bytes);
    digits.truncate(digest_bytes.saturating_mul(2));
    digits
}
