//! What a text is described by to the classifier: words, neighbours, words that stand together, and runs of characters.

use crate::text::han;

/// Shortest and longest run of Latin letters, within a word.
const LETTERS: (usize, usize) = (2, 4);
/// Shortest and longest run of Han characters, over the whole text.
const HAN_RUN: (usize, usize) = (1, 2);
/// Shortest and longest run of characters in which a number, or a mark, stands.
const MARKED_RUN: (usize, usize) = (1, 3);
/// Han characters that numbers are written with.
const NUMERALS: &str = "零〇一二两三四五六七八九十百千万亿";
/// What stands for any number.
const NUMBER: char = '0';
/// What stands before and after a text.
const START: char = '^';
const END: char = '$';
/// Words that two words of one text may be apart to count as standing together.
const TOGETHER_WORDS_MAX: usize = 20;
/// Characters of one text that are looked at.
const TEXT_CHARS_MAX: usize = 600;

/// Shortest stem that is left of a word.
const STEM_BYTES_MIN: usize = 3;

/// Features of one block share a weight, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Block {
    Words,
    Characters,
    Together,
}

pub(super) const BLOCKS: usize = 3;

/// The features of a folded text as hashes, with repeats.
pub(super) fn features(folded: &str) -> Vec<(u64, Block)> {
    let words = words(folded);
    let mut found = Vec::with_capacity(words.len() * 12);
    for word in &words {
        found.push((hash(b'w', &[word]), Block::Words));
    }
    let mut line: Vec<&str> = Vec::with_capacity(words.len() + 2);
    line.push("^");
    line.extend(words.iter().map(String::as_str));
    line.push("$");
    for pair in line.windows(2) {
        found.push((hash(b'p', pair), Block::Words));
    }
    let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
    for (at, one) in stems.iter().enumerate() {
        for other in stems.iter().skip(at + 1).take(TOGETHER_WORDS_MAX) {
            if one != other {
                let pair = [one.min(other).as_str(), one.max(other).as_str()];
                found.push((hash(b'u', &pair), Block::Together));
            }
        }
    }
    let mut runs = |kind: u8, chars: &[char], (least, most), counts: fn(&[char]) -> bool| {
        for length in least..=most {
            for run in chars.windows(length).filter(|run| counts(run)) {
                found.push((hash_of_run(kind, run), Block::Characters));
            }
        }
    };
    // Latin letters run within a word, Han characters over the whole text.
    for word in words.iter().filter(|word| !word.chars().all(han)) {
        let chars: Vec<char> = [' '].into_iter().chain(word.chars()).chain([' ']).collect();
        runs(b'c', &chars, LETTERS, |_| true);
    }
    if words.iter().any(|word| word.chars().all(han)) {
        let all = bounded(words.iter().flat_map(|word| word.chars()));
        runs(b'x', &all, HAN_RUN, |_| true);
        let mut numbers = all.clone();
        for c in &mut numbers {
            if c.is_numeric() || NUMERALS.contains(*c) {
                *c = NUMBER;
            }
        }
        numbers.dedup_by(|a, b| *a == NUMBER && *b == NUMBER);
        runs(b'n', &numbers, MARKED_RUN, |run| run.contains(&NUMBER));
        let marks = bounded(folded.chars().take(TEXT_CHARS_MAX).filter(|c| *c != ' '));
        runs(b'y', &marks, MARKED_RUN, |run| {
            run.iter()
                .any(|c| !c.is_alphanumeric() && *c != START && *c != END)
        });
    }
    found
}

fn bounded(chars: impl Iterator<Item = char>) -> Vec<char> {
    [START].into_iter().chain(chars).chain([END]).collect()
}

/// Latin words with their digits and apostrophes; each Han character by itself.
fn words(folded: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in folded.chars().take(TEXT_CHARS_MAX) {
        if !han(c) && (c.is_alphanumeric() || c == '\'') {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if han(c) {
            words.push(c.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A word without its apostrophes and its commonest English ending.
fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word).replace('\'', "");
    for ending in ["ing", "ies", "ed", "es", "s", "ly", "er"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= STEM_BYTES_MIN
            && !word.ends_with("ss")
        {
            return stem.to_owned();
        }
    }
    match word.strip_suffix('e') {
        Some(stem) if stem.len() > STEM_BYTES_MIN => stem.to_owned(),
        _ => word,
    }
}

fn hash_of_run(kind: u8, run: &[char]) -> u64 {
    let mut letters = [0_u8; 4];
    run.iter().fold(seed(kind), |state, c| {
        mix(state, c.encode_utf8(&mut letters).as_bytes())
    })
}

fn hash(kind: u8, parts: &[&str]) -> u64 {
    parts.iter().fold(seed(kind), |state, part| {
        mix(mix(state, part.as_bytes()), b" ")
    })
}

fn seed(kind: u8) -> u64 {
    mix(0xcbf2_9ce4_8422_2325, &[kind])
}

/// FNV-1a.
fn mix(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_scripts() {
        assert_eq!(
            words("有duo吗, it's 3kg"),
            ["有", "duo", "吗", "it's", "3kg"]
        );
        assert!(features("").len() <= 1);
    }
}
