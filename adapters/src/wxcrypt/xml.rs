//! The XML that WeChat writes, and what we write back; entities are never expanded and a document type is refused.

use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeMap;

/// Largest document, in bytes: the longest message many times over.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Elements of a message; those known have a third of it.
const FIELDS_MAX: usize = 64;
/// Elements within elements; a list of pictures needs five.
const DEPTH_MAX: usize = 8;
/// Events of the parser that one document may cost.
const EVENTS_MAX: usize = 4_096;

/// The elements right below `<xml>`, each with its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    fields: BTreeMap<String, String>,
}

impl Document {
    /// The error holds nothing of the text.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(format!("the XML has more than {DOCUMENT_BYTES_MAX} bytes"));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        let mut reading = Reading::default();
        for _ in 0..EVENTS_MAX {
            match reader.read_event() {
                Err(_) => return Err("the body is not XML".to_owned()),
                Ok(Event::Eof) => return reading.whole(),
                Ok(Event::Start(start)) => reading.starts(start.name().as_ref())?,
                Ok(Event::End(_)) => reading.ends()?,
                Ok(Event::Text(text)) => reading.value.push_str(&text),
                Ok(Event::CData(data)) => reading.value.push_str(&data),
                Ok(Event::GeneralRef(name)) => match character(&name) {
                    Some(character) => reading.value.push(character),
                    None => return Err("the XML names an entity of its own".to_owned()),
                },
                Ok(Event::DocType(_)) => return Err("the XML has a document type".to_owned()),
                Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_)) => {}
            }
        }
        Err(format!("the XML has more than {EVENTS_MAX} parts"))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

#[derive(Default)]
struct Reading {
    fields: BTreeMap<String, String>,
    open: Vec<String>,
    value: String,
    is_begun: bool,
}

impl Reading {
    fn starts(&mut self, name: &str) -> Result<(), String> {
        if self.open.is_empty() && (self.is_begun || name != "xml") {
            return Err("the body is not one <xml> element".to_owned());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("the XML has more than {DEPTH_MAX} levels"));
        }
        self.is_begun = true;
        self.open.push(name.to_owned());
        self.value.clear();
        Ok(())
    }

    fn ends(&mut self) -> Result<(), String> {
        let name = self.open.pop().unwrap_or_default();
        let value = std::mem::take(&mut self.value);
        if self.open.len() == 1 {
            if self.fields.len() >= FIELDS_MAX {
                return Err(format!("the XML has more than {FIELDS_MAX} elements"));
            }
            self.fields.entry(name).or_insert(value);
        }
        Ok(())
    }

    fn whole(self) -> Result<Document, String> {
        if !self.is_begun || !self.open.is_empty() {
            return Err("the body is not one <xml> element".to_owned());
        }
        Ok(Document {
            fields: self.fields,
        })
    }
}

/// What XML itself defines; a document's own entities could grow without end.
fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// A passive reply: a text to the customer.
pub(crate) fn reply(to: &str, from: &str, created_s: i64, content: &str) -> String {
    format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{created_s}</CreateTime><MsgType>{}</MsgType><Content>{}</Content></xml>",
        data(to),
        data(from),
        data("text"),
        data(content)
    )
}

/// The same, encrypted and signed.
pub(crate) fn envelope(cipher: &str, signature: &str, timestamp: &str, nonce: &str) -> String {
    format!(
        "<xml><Encrypt>{}</Encrypt><MsgSignature>{}</MsgSignature><TimeStamp>{}</TimeStamp><Nonce>{}</Nonce></xml>",
        data(cipher),
        data(signature),
        data(timestamp),
        data(nonce)
    )
}

/// Any text as character data: its end mark is cut in two, and what no XML may hold is left out.
fn data(text: &str) -> String {
    let allowed = |c: &char| {
        matches!(c, '\t' | '\n') || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    let text: String = text.chars().filter(allowed).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_message_is_read_with_its_character_data_and_its_references() {
        let text = "<?xml version=\"1.0\"?><xml>\n <A><![CDATA[ <b>&amp;]]></A>\n<B>1&lt;2 &#x597d;&#22909;</B><C/><D><A>deeper</A></D><A>again</A></xml>\n";
        let document = Document::read(text).unwrap();
        assert_eq!(document.get("A"), Some(" <b>&amp;"));
        assert_eq!(document.get("B"), Some("1<2 好好"));
        assert_eq!(document.get("C"), Some(""));
        assert_eq!(document.get("E"), None);
    }

    #[test]
    fn bombs_and_what_is_not_one_element_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><xml><A>&b;</A></xml>";
        let file = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><xml><A>&a;</A></xml>";
        let deep = format!("<xml>{}", "<a>".repeat(2_000));
        let wide = format!("<xml>{}</xml>", "<!-- -->".repeat(EVENTS_MAX));
        let fields: String = (0..100).map(|n| format!("<a{n}>1</a{n}>")).collect();
        let many = format!("<xml>{fields}</xml>");
        let large = format!("<xml><A>{}</A></xml>", "x".repeat(DOCUMENT_BYTES_MAX));
        for wrong in [
            bomb,
            file,
            "<xml><A>&own;</A></xml>",
            "",
            "{\"a\":1}",
            "<xml>",
            "<xml><A></xml>",
            "<html></html>",
            "<xml></xml><xml></xml>",
            "<xml><A>&#xD800;</A></xml>",
            &deep,
            &wide,
            &many,
            &large,
        ] {
            assert!(Document::read(wrong).is_err(), "{wrong:.60}");
        }
    }

    #[test]
    fn a_reply_reads_back_as_it_was_whatever_its_words() {
        for words in [
            "好的",
            "]]>",
            "a]]>b]]]]>c",
            "<![CDATA[x]]>",
            "<a href=\"https://shop.example/?a=1&b=2\">甲</a>\n& ]]",
        ] {
            let document = Document::read(&reply("oA]]>", "gh_1", 7, words)).unwrap();
            assert_eq!(document.get("Content"), Some(words));
            assert_eq!(document.get("ToUserName"), Some("oA]]>"));
            assert_eq!(document.get("CreateTime"), Some("7"));
        }
        let document = Document::read(&reply("o", "g", 1, "a\u{0}\u{8}\u{ffff}b")).unwrap();
        assert_eq!(document.get("Content"), Some("ab"));
    }
}
