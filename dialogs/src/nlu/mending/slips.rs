//! Latin words as hurried fingers type them: a letter swapped with the next, left out, typed twice or missed.

use super::Edit;
use super::parlance::{LETTERS_MIN, Parlance};
use crate::text::Folded;
use crate::vocabulary::{Vocabulary, is_common_word, is_word_of_its_own, letters, stands_alone};

/// Letters of the longest word that is looked at.
const LETTERS_MAX: usize = 24;
/// Words of one message that are looked at.
const WORDS_MAX: usize = 60;
/// Words of one message that are mended: where most are unknown, it is another language.
const MENDED_MAX: usize = 4;
/// Letters of the shortest word of which another letter may be wrong; shorter ones have too many neighbours.
const CHANGED_LETTERS_MIN: usize = 6;
/// What a word of the catalogue counts beside how often people say others.
const CATALOGUE_WORD: u32 = 6;
/// How much more likely a letter swapped, missed or added is than another one.
const CHANGED_LESS_LIKELY: u32 = 8;
/// Endings that make another word of the same stem.
const ENDINGS: [&str; 8] = ["nt", "s", "es", "ed", "d", "ing", "er", "ly"];

/// The words that are slips, and what was meant.
pub(super) fn edits(
    message: &str,
    folded: &Folded,
    parlance: &Parlance,
    vocabulary: &Vocabulary,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let has_small = message.chars().any(char::is_lowercase);
    for (start, word) in letters(&folded.text).take(WORDS_MAX) {
        let end = start + word.len();
        if !(LETTERS_MIN..=LETTERS_MAX).contains(&word.len())
            || is_known(word, parlance, vocabulary)
            || !stands_alone(&folded.text, start, word.len())
        {
            continue;
        }
        // A capital inside the sentence is a name.
        let before = folded.text.get(..start).unwrap_or_default().trim_end();
        let opens = before.is_empty() || before.ends_with(['.', '!', '?', '。', '！', '？']);
        let quote = folded.quote(message, start, end);
        if has_small && !opens && quote.starts_with(char::is_uppercase) && !is_title(message) {
            continue;
        }
        if let Some(meant) = meant(word, parlance, vocabulary) {
            edits.push((start, end, meant));
        }
        if edits.len() > MENDED_MAX {
            return Vec::new();
        }
    }
    edits
}

fn is_known(word: &str, parlance: &Parlance, vocabulary: &Vocabulary) -> bool {
    let whole = |word: &str| {
        parlance.count(word).is_some() || vocabulary.knows_word(word) || is_common_word(word)
    };
    whole(word)
        || is_word_of_its_own(word)
        || ENDINGS.iter().any(|ending| {
            word.strip_suffix(ending)
                .is_some_and(|stem| stem.len() + 1 >= LETTERS_MIN && whole(stem))
        })
}

/// The word one slip away that is said most.
fn meant(word: &str, parlance: &Parlance, vocabulary: &Vocabulary) -> Option<String> {
    let general = parlance.near(word).into_iter().map(|(near, count)| {
        let own = if vocabulary.knows_word(near) {
            CATALOGUE_WORD
        } else {
            0
        };
        (near, 1 + count + own)
    });
    let catalogue = vocabulary.words_near(word).into_iter();
    let catalogue = catalogue.map(|near| (near, 1 + CATALOGUE_WORD));
    let mut likely: Vec<(u32, &str)> = general
        .chain(catalogue)
        .filter_map(|(near, count)| {
            let weight = match slip(word, near)? {
                Slip::Fingers => count * CHANGED_LESS_LIKELY,
                Slip::Changed => count,
            };
            Some((weight, near))
        })
        .collect();
    likely.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    likely.dedup_by_key(|(_, near)| *near);
    match likely.as_slice() {
        [(first, near), rest @ ..] => {
            let is_alone = rest.first().is_none_or(|(second, _)| second < first);
            is_alone.then(|| (*near).to_owned())
        }
        [] => None,
    }
}

enum Slip {
    /// Swapped, missed or added.
    Fingers,
    /// Another letter.
    Changed,
}

/// How `typed` may have come of `meant`. The first letter is seldom wrong, and another ending makes another word.
fn slip(typed: &str, meant: &str) -> Option<Slip> {
    let swapped_start =
        typed.len() == meant.len() && typed.bytes().take(2).rev().eq(meant.bytes().take(2));
    if typed.as_bytes().first() != meant.as_bytes().first() && !swapped_start
        || strsim::osa_distance(typed, meant) != 1
    {
        return None;
    }
    let ending = |longer: &str, shorter: &str| {
        longer
            .strip_prefix(shorter)
            .is_some_and(|end| matches!(end, "d" | "r" | "y" | "n" | "s"))
    };
    if ending(typed, meant) || ending(meant, typed) {
        return None;
    }
    if typed.len() != meant.len() || strsim::hamming(typed, meant) == Ok(2) {
        return Some(Slip::Fingers);
    }
    let stem = |word: &str| word.get(..word.len().saturating_sub(1)).map(str::to_owned);
    (typed.len() >= CHANGED_LETTERS_MIN && stem(typed) != stem(meant)).then_some(Slip::Changed)
}

/// Every Word Begins With A Capital, so that none of them means a name.
fn is_title(message: &str) -> bool {
    message
        .split_whitespace()
        .all(|word| !word.starts_with(char::is_lowercase))
}
