//! Brings a feed's bytes to UTF-8: byte order marks, GB18030, and what an XML declaration names.

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Bytes looked at for an XML declaration.
const DECLARATION_BYTES_MAX: usize = 200;
/// Of a hundred pairs of bytes above ASCII, how many lie in the plane of common Chinese characters where a text is GB18030.
const GB_PAIRS_PERCENT: usize = 90;

pub(super) struct Decoded<'a> {
    /// UTF-8, but for bytes that no encoding explains; those cost the rows they stand in.
    pub bytes: Cow<'a, [u8]>,
    pub encoding: &'static str,
}

pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(length..).unwrap_or_default();
        return if encoding == UTF_16LE || encoding == UTF_16BE {
            decoded(encoding, rest)
        } else {
            plain(rest)
        };
    }
    if std::str::from_utf8(bytes).is_ok() {
        return plain(bytes);
    }
    match declared(bytes) {
        Some(encoding) => decoded(encoding, bytes),
        None if is_gb(bytes) => decoded(GB18030, bytes),
        None => plain(bytes),
    }
}

fn plain(bytes: &[u8]) -> Decoded<'_> {
    Decoded {
        bytes: Cow::Borrowed(bytes),
        encoding: "UTF-8",
    }
}

fn decoded<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Decoded<'a> {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Decoded {
        bytes: Cow::Owned(text.into_owned().into_bytes()),
        encoding: encoding.name(),
    }
}

/// `<?xml version="1.0" encoding="GBK"?>`
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(DECLARATION_BYTES_MAX))?;
    let head = String::from_utf8_lossy(head);
    let declaration = head.trim_start().strip_prefix("<?xml")?;
    let declaration = declaration.split("?>").next()?;
    let (_, named) = declaration.split_once("encoding=")?;
    let label = named.split(['"', '\'']).nth(1)?;
    let encoding = Encoding::for_label(label.as_bytes())?;
    (encoding != encoding_rs::UTF_8).then_some(if encoding == encoding_rs::GBK {
        GB18030
    } else {
        encoding
    })
}

/// In Chinese text both bytes of a character are high; a Western text has its accents one by one.
fn is_gb(bytes: &[u8]) -> bool {
    let mut pairs = 0_usize;
    let mut common = 0_usize;
    let mut rest = bytes.iter().copied();
    while let Some(first) = rest.next() {
        if !(0x81..=0xfe).contains(&first) {
            continue;
        }
        pairs += 1;
        match rest.next() {
            Some(0xa1..=0xfe) => common += 1,
            // Four bytes: a character outside the old sets.
            Some(b'0'..=b'9') => {
                rest.next();
                rest.next();
            }
            _ => {}
        }
    }
    pairs > 0 && common * 100 >= pairs * GB_PAIRS_PERCENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], encoding: &str, text: &str) {
        let read = decode(bytes);
        assert_eq!(
            (read.encoding, String::from_utf8_lossy(&read.bytes).as_ref()),
            (encoding, text)
        );
    }

    #[test]
    fn the_encoding_is_told_by_the_bytes() {
        check("编号,标题".as_bytes(), "UTF-8", "编号,标题");
        check(b"\xef\xbb\xbfid", "UTF-8", "id");
        check(b"\xff\xfei\0d\0", "UTF-16LE", "id");
        check(b"\xfe\xff\0i\0d", "UTF-16BE", "id");
        check(b"id,\xb5\xe7\xd7\xea", "gb18030", "id,电钻");
        check(
            b"<?xml version=\"1.0\" encoding=\"GBK\"?><a>\xb5\xe7</a>",
            "gb18030",
            "<?xml version=\"1.0\" encoding=\"GBK\"?><a>电</a>",
        );
        check(
            b"<?xml encoding='iso-8859-1'?><a>Caf\xe9</a>",
            "windows-1252",
            "<?xml encoding='iso-8859-1'?><a>Café</a>",
        );
        // Accents of a Western table are not taken for Chinese.
        assert_eq!(decode(b"id\ncaf\xe9s, cr\xe8me\n").encoding, "UTF-8");
    }
}
