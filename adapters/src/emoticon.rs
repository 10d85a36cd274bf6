//! WeChat's emoticons, which come as codes in a text, as the emoji they show: read as words, they would name things and choose the language.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Longest code, in bytes; what stands in brackets for longer is the customer's own.
const CODE_BYTES_MAX: usize = 24;

/// Each code with its emoji.
static EMOJI: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("emoticons.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(emoji, codes)| codes.split(' ').map(move |code| (code, emoji)))
        .collect()
});

/// A customer's words with the codes that are known as emoji; any other stays as it is.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '/']) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let (put, after) = match code(from) {
            Some((emoji, length)) => (emoji, length),
            // Both signs are one byte.
            None => (from.get(..1).unwrap_or_default(), 1),
        };
        shown.push_str(put);
        rest = from.get(after..).unwrap_or_default();
    }
    shown.push_str(rest);
    shown
}

/// The emoji of the code that a text begins with, and the code's length.
fn code(from: &str) -> Option<(&'static str, usize)> {
    if from.starts_with('[') {
        let mut bytes = from.bytes().take(CODE_BYTES_MAX);
        let length = bytes.position(|byte| byte == b']')? + 1;
        return Some((EMOJI.get(from.get(..length)?)?, length));
    }
    // An old code has no end, and some begin like others.
    let lengths = (2..=CODE_BYTES_MAX.min(from.len())).rev();
    lengths
        .filter(|_| from.starts_with("/:"))
        .find_map(|length| Some((*EMOJI.get(from.get(..length)?)?, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_the_emoji_they_show_and_others_stay() {
        for (text, expected) in [
            ("[微笑]", "🙂"),
            ("[玫瑰][玫瑰] [OK]", "🌹🌹 👌"),
            ("好的[抱拳]谢谢", "好的🙏谢谢"),
            ("thanks[ThumbsUp]", "thanks👍"),
            ("[再見][Facepalm][笑哭]", "👋🤦😂"),
            ("/::)/::'(/::'|你好/:rosethanks/:@)", "🙂😭😢你好🌹thanks🙏"),
            ("/:share/:strong/:,@-D/:,@P", "🤝👍😊🤭"),
            ("[甲] [a [OK] [", "[甲] [a 👌 ["),
            (
                "[ok] OK] /: 1/2 https://a.example/b",
                "[ok] OK] /: 1/2 https://a.example/b",
            ),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn each_code_is_well_formed_and_means_one_emoji() {
        let lines = include_str!("emoticons.txt").lines();
        let lines: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
        let codes: Vec<&str> = lines
            .iter()
            .flat_map(|line| line.split(' ').skip(1))
            .collect();
        assert!(lines.len() > 60 && codes.len() == EMOJI.len());
        for code in codes {
            let is_bracketed = code.starts_with('[') && code.ends_with(']');
            assert!(is_bracketed || code.starts_with("/:"), "{code}");
            assert!(code.len() <= CODE_BYTES_MAX, "{code}");
        }
    }
}
