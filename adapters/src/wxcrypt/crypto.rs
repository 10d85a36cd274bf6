//! What WeChat signs and encrypts: SHA-1 over sorted words, and AES-256-CBC with the account's id inside.
//!
//! Defined at developers.weixin.qq.com, 消息加解密说明, and tried on the samples that Tencent published with it.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

/// Characters of an EncodingAESKey; 32 bytes without their padding.
pub(crate) const KEY_CHARS: usize = 43;
const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 16;
/// Random bytes before the length.
pub(crate) const SALT_BYTES: usize = 16;
const LENGTH_BYTES: usize = 4;
/// Texts are padded to this, not to the cipher's own 16.
const PADDED_BYTES: usize = 32;

/// Keys are random letters, so their last one may have bits that mean nothing; a strict decoder refuses most keys.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A signature over words in any order, in hexadecimal.
pub(crate) fn signature(words: &[&str]) -> String {
    let mut sorted = words.to_vec();
    sorted.sort_unstable();
    let mut hasher = Sha1::new();
    for word in sorted {
        hasher.update(word.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Whether a signature is right; how long this takes tells nothing about the right one.
pub(crate) fn is_signed(words: &[&str], given: &str) -> bool {
    signature(words).as_bytes().ct_eq(given.as_bytes()).into()
}

/// A key of one account.
pub(crate) struct Key {
    bytes: [u8; KEY_BYTES],
    receiver: String,
}

impl Key {
    /// `None` where the text is no EncodingAESKey.
    pub(crate) fn new(text: &str, receiver: &str) -> Option<Self> {
        if text.len() != KEY_CHARS {
            return None;
        }
        let bytes = KEY_BASE64.decode(text).ok()?;
        Some(Self {
            bytes: bytes.try_into().ok()?,
            receiver: receiver.to_owned(),
        })
    }

    fn iv(&self) -> &[u8] {
        self.bytes.get(..IV_BYTES).unwrap_or_default()
    }

    /// The words inside, as they are. `None` where they were not written with this key for this account.
    pub(crate) fn decrypt(&self, cipher: &str) -> Option<String> {
        let mut buffer = STANDARD.decode(cipher.trim()).ok()?;
        let decryptor = cbc::Decryptor::<Aes256>::new_from_slices(&self.bytes, self.iv()).ok()?;
        let padded = decryptor.decrypt_padded::<NoPadding>(&mut buffer).ok()?;
        let plain = unpadded(padded)?;
        let rest = plain.get(SALT_BYTES..)?;
        let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (text, receiver) = rest.split_at_checked(length)?;
        let is_ours: bool = receiver.ct_eq(self.receiver.as_bytes()).into();
        if !is_ours {
            return None;
        }
        String::from_utf8(text.to_vec()).ok()
    }

    /// `None` for a text longer than any that WeChat takes.
    pub(crate) fn encrypt(&self, text: &str, salt: [u8; SALT_BYTES]) -> Option<String> {
        let length = u32::try_from(text.len()).ok()?;
        let mut buffer = salt.to_vec();
        buffer.extend(length.to_be_bytes());
        buffer.extend(text.as_bytes());
        buffer.extend(self.receiver.as_bytes());
        let missing = PADDED_BYTES - buffer.len() % PADDED_BYTES;
        let padding = u8::try_from(missing).ok()?;
        buffer.extend(std::iter::repeat_n(padding, missing));
        let bytes = buffer.len();
        let encryptor = cbc::Encryptor::<Aes256>::new_from_slices(&self.bytes, self.iv()).ok()?;
        let encrypted = encryptor
            .encrypt_padded::<NoPadding>(&mut buffer, bytes)
            .ok()?;
        Some(STANDARD.encode(encrypted))
    }
}

fn unpadded(padded: &[u8]) -> Option<&[u8]> {
    let last = *padded.last()?;
    let count = usize::from(last);
    if !(1..=PADDED_BYTES).contains(&count) {
        return None;
    }
    let (plain, padding) = padded.split_at_checked(padded.len().checked_sub(count)?)?;
    padding.iter().all(|byte| *byte == last).then_some(plain)
}

#[cfg(test)]
#[path = "crypto_tests.rs"]
mod tests;
