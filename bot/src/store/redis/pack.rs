//! Texts in a compact, versioned form: one byte says how the rest is to be read.

use crate::store::StoreError;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::cell::RefCell;
use std::fmt::Write as _;

/// Stored as it is.
const PLAIN: u8 = 0;
/// Deflated over the first dictionary, after the length of the text.
const DEFLATED_1: u8 = 1;
/// What our texts have in common: the default wordings, then the shapes of our JSON. A dictionary never changes, another one gets another number.
const DICTIONARY_1: &[u8] = include_bytes!("dictionary-1.txt");
/// Shorter texts gain nothing.
const PLAIN_BYTES_MAX: usize = 24;
/// The largest text that is stored or read, bytes.
pub(super) const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

pub(super) fn pack(text: &[u8]) -> Result<Vec<u8>, StoreError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(StoreError::Corrupt {
            what: format!(
                "a text of {} bytes is too large for the store; at most {TEXT_BYTES_MAX} are kept",
                text.len()
            ),
        });
    }
    let plain = || [&[PLAIN], text].concat();
    if text.len() <= PLAIN_BYTES_MAX {
        return Ok(plain());
    }
    Ok(deflated(text)
        .filter(|packed| packed.len() <= text.len())
        .unwrap_or_else(plain))
}

/// Several texts as one: their lengths stand before them, so that nothing in them needs escaping.
pub(super) fn pack_all<'a>(
    texts: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<u8>, StoreError> {
    let mut all = String::new();
    for text in texts.clone() {
        // Writing to a string cannot fail.
        let _ = write!(all, "{} ", text.len());
    }
    all.push('\n');
    texts.for_each(|text| all.push_str(text));
    pack(all.as_bytes())
}

pub(super) fn unpack_all(packed: &[u8]) -> Result<Vec<String>, StoreError> {
    let all = unpack(packed)?;
    let read = || {
        let (lengths, mut rest) = all.split_once('\n')?;
        let mut texts = Vec::new();
        for length in lengths.split_terminator(' ') {
            let (text, after) = rest.split_at_checked(length.parse().ok()?)?;
            texts.push(text.to_owned());
            rest = after;
        }
        rest.is_empty().then_some(texts)
    };
    read().ok_or_else(|| StoreError::Corrupt {
        what: "packed texts are broken; restore Redis from a backup".to_owned(),
    })
}

fn deflated(text: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(text.len() / 2 + 64);
    packed.push(DEFLATED_1);
    packed.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        deflate.set_dictionary(DICTIONARY_1).ok()?;
        loop {
            let read = usize::try_from(deflate.total_in()).ok()?;
            let status = deflate
                .compress_vec(text.get(read..)?, &mut packed, FlushCompress::Finish)
                .ok()?;
            match status {
                Status::StreamEnd => return Some(packed),
                // Larger than the text already: it is kept plain.
                Status::Ok | Status::BufError if packed.len() > text.len() => return None,
                Status::Ok | Status::BufError => packed.reserve(text.len() / 2 + 64),
            }
        }
    })
}

// A quarter of a megabyte each, which would be taken from the system and given back with every text.
thread_local! {
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::default(), false));
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

pub(super) fn unpack(packed: &[u8]) -> Result<String, StoreError> {
    let broken = || StoreError::Corrupt {
        what: "a packed text is broken; restore Redis from a backup".to_owned(),
    };
    let bytes = match packed.split_first() {
        Some((&PLAIN, text)) => text.to_vec(),
        Some((&DEFLATED_1, rest)) => inflated(rest).ok_or_else(broken)?,
        Some((form, _)) => {
            return Err(StoreError::Corrupt {
                what: format!(
                    "a text is packed in form {form}, which this version cannot read; run the version that wrote it"
                ),
            });
        }
        None => return Err(broken()),
    };
    String::from_utf8(bytes).map_err(|_| broken())
}

fn inflated(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, deflated) = packed.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if length > TEXT_BYTES_MAX {
        return None;
    }
    // A little more than the text, so that the end of the stream is read in the same call.
    let mut text = Vec::with_capacity(length + 16);
    let status = INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(false);
        inflate.set_dictionary(DICTIONARY_1).ok()?;
        inflate
            .decompress_vec(deflated, &mut text, FlushDecompress::Finish)
            .ok()
    })?;
    (status == Status::StreamEnd && text.len() == length).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_come_back_and_cut_ones_are_told() {
        for length in 0..600_u32 {
            let text: String = (0..length)
                .map(|n| char::from_u32(0x20 + n.wrapping_mul(length) % 0x5000).unwrap_or('\n'))
                .collect();
            let packed = pack(text.as_bytes()).unwrap();
            assert_eq!(unpack(&packed).unwrap(), text);
            if length > PLAIN_BYTES_MAX as u32 {
                assert_ne!(unpack(&packed[..packed.len() - 1]), Ok(text));
            }
        }
        assert!(unpack(&[]).is_err());
        assert!(unpack(&[DEFLATED_1, 255, 255, 255, 255, 0]).is_err());
    }

    #[test]
    fn long_texts_of_our_kind_shrink_and_noise_does_not_grow() {
        let ours = r#"{"event":"understood","understanding":{"language":"zh","intents":[{"name":"ask_price","confidence":0.98}],"entities":[],"sentiment":"neutral"}}"#;
        let packed = pack(ours.as_bytes()).unwrap();
        assert!(packed.len() * 2 < ours.len(), "{}", packed.len());
        let large = ours.repeat(10_000);
        assert_eq!(unpack(&pack(large.as_bytes()).unwrap()).unwrap(), large);
        let noise: String = (0..400_u32)
            .map(|n| char::from_u32(0x4e00 + n.wrapping_mul(2_654_435_761) % 20_000).unwrap())
            .collect();
        assert!(pack(noise.as_bytes()).unwrap().len() <= noise.len() + 1);
    }

    #[test]
    fn several_texts_come_back_as_they_were() {
        for texts in [vec![], vec![""], vec!["a", "", "\n 2 \n", "二"]] {
            let packed = pack_all(texts.iter().copied()).unwrap();
            assert_eq!(unpack_all(&packed).unwrap(), texts);
        }
        assert!(unpack_all(&pack(b"3 \nab").unwrap()).is_err());
    }

    #[test]
    fn a_form_of_another_version_is_named() {
        let told = unpack(&[9, 1, 2]).unwrap_err().to_string();
        assert!(told.contains("form 9"), "{told}");
    }
}
