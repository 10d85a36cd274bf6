//! Who sent an interaction: Discord signs the time and the raw body with the application's key.

use crate::{Delivered, Refused};
use ed25519_dalek::{Signature, VerifyingKey};

const SIGNATURE_HEADER: &str = "x-signature-ed25519";
const TIMESTAMP_HEADER: &str = "x-signature-timestamp";
/// A signature is taken for this long before and after its time, in milliseconds: Discord waits three seconds, clocks differ by more.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// The application's public key, 64 hexadecimal digits.
pub(super) fn key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&bytes(text)?).ok()
}

pub(super) fn is_proved(key: &VerifyingKey, request: &Delivered<'_>) -> Result<(), Refused> {
    let header = |name| {
        let value = request.headers.get(name).ok_or(Refused::Forged)?;
        value.to_str().map_err(|_| Refused::Forged)
    };
    let timestamp = header(TIMESTAMP_HEADER)?;
    let signature: [u8; 64] = bytes(header(SIGNATURE_HEADER)?).ok_or(Refused::Forged)?;
    let seconds: i64 = timestamp.parse().map_err(|_| Refused::Forged)?;
    let age_ms = request.now_ms.saturating_sub(seconds.saturating_mul(1000));
    if age_ms.saturating_abs() > SKEW_MS {
        return Err(Refused::Forged);
    }
    let mut signed = Vec::with_capacity(timestamp.len() + request.body.len());
    signed.extend_from_slice(timestamp.as_bytes());
    signed.extend_from_slice(request.body);
    key.verify_strict(&signed, &Signature::from_bytes(&signature))
        .map_err(|_| Refused::Forged)
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}
