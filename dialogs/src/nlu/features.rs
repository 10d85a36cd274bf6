//! What a text is described by to the classifier: words, pairs of words, and runs of characters.

use crate::text::han;

/// Longest run of characters.
const RUN_CHARS_MAX: usize = 4;
/// Characters of one text that are looked at.
const TEXT_CHARS_MAX: usize = 600;

/// Features of one block share a weight, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Block {
    Words,
    Characters,
}

pub(super) const BLOCKS: usize = 2;

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
    for three in line.windows(3) {
        if let [first, _, last] = three {
            found.push((hash(b's', &[first, last]), Block::Words));
        }
    }
    let mut letters = [0_u8; 4];
    let mut runs = |chars: &[char], kind: u8, found: &mut Vec<(u64, Block)>| {
        for length in 2..=RUN_CHARS_MAX {
            for run in chars.windows(length) {
                let mut state = seed(kind);
                for c in run {
                    state = mix(state, c.encode_utf8(&mut letters).as_bytes());
                }
                found.push((state, Block::Characters));
            }
        }
    };
    // Latin letters run within a word, Han characters over the whole text.
    for word in words.iter().filter(|word| !word.chars().all(han)) {
        let chars: Vec<char> = [' '].into_iter().chain(word.chars()).chain([' ']).collect();
        runs(&chars, b'c', &mut found);
    }
    if words.iter().any(|word| word.chars().all(han)) {
        let chars: Vec<char> = ['^']
            .into_iter()
            .chain(words.iter().flat_map(|word| word.chars()))
            .chain(['$'])
            .collect();
        runs(&chars, b'x', &mut found);
    }
    found
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
