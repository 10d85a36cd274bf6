//! Text as customers type it, brought to one form: folding, tokens, language.

use crate::Language;
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// Characters kept of one message.
pub const MESSAGE_CHARS_MAX: usize = 4_000;

/// A token of folded text with its byte offsets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// Folded text and, for each of its bytes, the byte of the original it came from.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    pub text: String,
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Folded {
    pub fn of(original: &str) -> Self {
        let mut folded = Self::default();
        for (at, c) in original.char_indices() {
            let end = at + c.len_utf8();
            if invisible(c) {
                continue;
            }
            let push = |folded: &mut Self, c: char| {
                let before = folded.text.len();
                push_spaced(&mut folded.text, c);
                for _ in before..folded.text.len() {
                    folded.starts.push(at);
                    folded.ends.push(end);
                }
            };
            each_folded(c, |c| push(&mut folded, c));
        }
        if folded.text.ends_with(' ') {
            folded.text.pop();
            folded.starts.pop();
            folded.ends.pop();
        }
        folded
    }

    /// The same with some pieces written otherwise, each edit a range of the folded text and what stands there instead; in order, none over another.
    pub fn rewritten(&self, edits: &[(usize, usize, String)]) -> Self {
        let mut other = Self::default();
        let mut from = 0;
        for (start, end, text) in edits {
            other.copy(self, from, *start);
            let first = self.starts.get(*start).copied();
            let last = end.checked_sub(1).and_then(|at| self.ends.get(at)).copied();
            let before = other.ends.last().copied().unwrap_or(0);
            other.text.push_str(text);
            for _ in 0..text.len() {
                other.starts.push(first.unwrap_or(before));
                other.ends.push(last.or(first).unwrap_or(before));
            }
            from = *end;
        }
        other.copy(self, from, self.text.len());
        other
    }

    fn copy(&mut self, from: &Self, start: usize, end: usize) {
        self.text
            .push_str(from.text.get(start..end).unwrap_or_default());
        self.starts
            .extend_from_slice(from.starts.get(start..end).unwrap_or_default());
        self.ends
            .extend_from_slice(from.ends.get(start..end).unwrap_or_default());
    }

    /// The piece of the original that a range of the folded text came from.
    pub fn quote<'t>(&self, original: &'t str, start: usize, end: usize) -> &'t str {
        let from = self.starts.get(start).copied().unwrap_or(0);
        let to = end
            .checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .copied()
            .unwrap_or(from);
        original.get(from..to).unwrap_or_default()
    }
}

/// One form for what means the same: NFKC, lower case, simplified, no invisible characters, single spaces.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !invisible(*c)) {
        each_folded(c, |c| push_spaced(&mut folded, c));
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// What a character becomes. A catalogue is folded many times over, and most of it is ASCII, which has only its case to lose.
fn each_folded(c: char, mut take: impl FnMut(char)) {
    if c.is_ascii() {
        take(c.to_ascii_lowercase());
        return;
    }
    for c in std::iter::once(c).nfkc() {
        c.to_lowercase().map(traditional).for_each(&mut take);
    }
}

/// Spaces of any kind become one, and none stands first.
fn push_spaced(folded: &mut String, c: char) {
    if !(c.is_whitespace() || c.is_control()) {
        folded.push(c);
    } else if !(folded.is_empty() || folded.ends_with(' ')) {
        folded.push(' ');
    }
}

/// What a customer's message is reduced to before anything else sees it.
pub fn clean(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !invisible(*c) && (!c.is_control() || matches!(c, '\n' | '\t')))
        .take(MESSAGE_CHARS_MAX)
        .collect();
    kept.trim().to_owned()
}

/// Words of Latin letters and digits, lightly stemmed; Han as single characters and pairs.
pub fn tokens(folded: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<usize> = None;
    let mut before: Option<(usize, char)> = None;
    for (at, c) in folded.char_indices() {
        let end = at + c.len_utf8();
        if c.is_ascii_alphanumeric() || (c.is_alphanumeric() && !han(c)) {
            word.get_or_insert(at);
            before = None;
            continue;
        }
        if let Some(start) = word.take() {
            push_word(&mut tokens, folded, start, at);
        }
        if han(c) {
            if let Some((start, _)) = before {
                tokens.push(Token {
                    text: folded.get(start..end).unwrap_or_default().to_owned(),
                    start,
                    end,
                });
            }
            tokens.push(Token {
                text: c.to_string(),
                start: at,
                end,
            });
            before = Some((at, c));
        } else {
            before = None;
        }
    }
    if let Some(start) = word {
        push_word(&mut tokens, folded, start, folded.len());
    }
    tokens
}

fn push_word(tokens: &mut Vec<Token>, folded: &str, start: usize, end: usize) {
    let word = folded.get(start..end).unwrap_or_default();
    tokens.push(Token {
        text: stem(word).to_owned(),
        start,
        end,
    });
}

fn stem(word: &str) -> &str {
    if word.len() > 4 && !word.ends_with("ss") {
        for ending in ["ies", "ing", "es", "ed", "s"] {
            if let Some(stem) = word.strip_suffix(ending)
                && stem.len() >= 3
            {
                return stem;
            }
        }
    } else if word.len() == 4 && word.ends_with('s') && !word.ends_with("ss") {
        return word.strip_suffix('s').unwrap_or(word);
    }
    word
}

/// Words that are typed in every language.
const EVERYWHERE: [&str; 12] = [
    "ok", "okay", "okok", "kk", "lol", "haha", "hahaha", "hmm", "emm", "emmm", "wow", "bye",
];

/// Chinese where Han characters carry the sentence, English where Latin words do, else as before.
pub fn language(text: &str, fallback: Language) -> Language {
    let han_count = text.chars().filter(|c| han(*c)).count();
    let everywhere = |word: &str| {
        EVERYWHERE
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    };
    // A command of a platform is typed in every language: /start.
    let spoken = text
        .split_whitespace()
        .filter(|word| !word.starts_with('/'));
    let words = spoken
        .flat_map(|word| word.split(|c: char| !c.is_ascii_alphabetic()))
        .filter(|w| w.len() > 1 && !everywhere(w))
        .count();
    match (han_count, words) {
        (0, 0) => fallback,
        (0, _) => Language::En,
        (han_count, words) if han_count >= words => Language::Zh,
        _ => Language::En,
    }
}

pub fn han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Emoji and their kin, which neither name nor ask anything beside words.
pub(crate) fn is_picture(c: char) -> bool {
    matches!(u32::from(c), 0x2600..=0x27bf | 0x2b50 | 0x1f000..=0x1faff)
}

/// Default-ignorable and bidirectional controls.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
}

/// The simplified form of a traditional character; any other as it is.
fn traditional(c: char) -> char {
    match u32::from(c).checked_sub(HAN_FIRST) {
        Some(at) => SIMPLIFIED.get(at as usize).copied().unwrap_or(c),
        None => c,
    }
}

/// The first Han character of the table.
const HAN_FIRST: u32 = 0x3400;
/// One past the last one.
const HAN_END: u32 = 0xa000;

/// For each Han character its simplified form.
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = (HAN_FIRST..HAN_END).filter_map(char::from_u32).collect();
    let pairs = include_str!("../defaults/simplified.txt");
    for line in pairs.lines().filter(|line| !line.starts_with('#')) {
        let mut chars = line.chars();
        while let (Some(from), Some(to)) = (chars.next(), chars.next()) {
            let at = u32::from(from).wrapping_sub(HAN_FIRST) as usize;
            if let Some(place) = table.get_mut(at) {
                *place = to;
            }
        }
    }
    table
});

/// A name as it stands within an English sentence; an abbreviation keeps its capitals.
pub fn within_sentence(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn one_form_for_what_means_the_same() {
        for (written, folded) in [
            ("３０００元", "3000元"),
            ("ＡＢＣ Ｄ", "abc d"),
            ("預算三千以內的咖啡機", "预算三千以内的咖啡机"),
            ("書本品質學習圖", "书本品质学习图"),
            ("a\u{200b}b\u{202e}c", "abc"),
            ("  Hello   World ", "hello world"),
        ] {
            assert_eq!(fold(written), folded);
        }
    }

    #[test]
    fn languages_are_told_apart() {
        for (text, expected) in [
            ("你好", Language::Zh),
            ("how much is it", Language::En),
            ("Duo 多少钱", Language::Zh),
            ("123", Language::En),
            ("OK", Language::En),
            ("ok, show me the second", Language::En),
        ] {
            assert_eq!(language(text, Language::En), expected, "{text}");
        }
        for text in ["ok", "[OK]", "👌", "Okay!", "haha", "10"] {
            assert_eq!(language(text, Language::Zh), Language::Zh, "{text}");
        }
    }

    proptest! {
        #[test]
        fn quotes_are_pieces_of_the_original(text in any::<String>(), from in 0_usize..50, length in 0_usize..50) {
            let folded = Folded::of(&text);
            assert!(text.contains(folded.quote(&text, from, from + length)));
            assert_eq!(fold(&folded.text), folded.text);
            assert!(clean(&text).chars().count() <= MESSAGE_CHARS_MAX);
            for token in tokens(&folded.text) {
                assert!(folded.text.get(token.start..token.end).is_some());
            }
        }
    }
}
