//! The catalogue's words in a message, also where they are shortened or mistyped.

use super::intents;
use crate::Language;
use crate::text::{self, Folded};
use crate::vocabulary::{Found, TermKind, Vocabulary, is_common_word};

/// Letters of a word that is as likely a model's name as an everyday word: one, pro, latte.
const SHORT_NAME_LETTERS: usize = 5;

/// What the message names, in its order.
pub(super) fn find(
    message: &str,
    folded: &Folded,
    vocabulary: &Vocabulary,
    language: Language,
) -> Vec<Found> {
    let is_chinese = folded.text.chars().any(text::han);
    // Whoever writes Chinese and then one word of Latin letters says a name.
    let is_alone = |hit: &Found| {
        let name = folded.text.get(hit.start..hit.end).unwrap_or_default();
        language == Language::Zh && intents::is_alone(&folded.text, name)
    };
    let mut found = vocabulary.find(&folded.text);
    found.retain(|hit| {
        hit.kind != TermKind::Model
            || is_alone(hit)
            || (is_chinese && !is_everyday(message, folded, hit))
            || is_name(message, folded, hit.start, hit.end)
    });
    for meant in vocabulary.mistyped(&folded.text) {
        let is_inside = |hit: &Found| meant.start <= hit.start && hit.end <= meant.end;
        let overlaps = |hit: &Found| meant.start < hit.end && hit.start < meant.end;
        // A shorter word inside the mistyped one was part of it.
        let is_whole = |hit: &Found| hit.start == meant.start && hit.end == meant.end;
        if found
            .iter()
            .all(|hit| !overlaps(hit) || (is_inside(hit) && !is_whole(hit)))
        {
            found.retain(|hit| !overlaps(hit));
            found.push(meant);
        }
    }
    found.sort_by_key(|hit| hit.start);
    found
}

/// A word of everyday English in small letters: `我们company` names no product.
fn is_everyday(message: &str, folded: &Folded, hit: &Found) -> bool {
    let quote = folded.quote(message, hit.start, hit.end);
    quote.len() > SHORT_NAME_LETTERS
        && quote.chars().all(|c| c.is_ascii_lowercase())
        && is_common_word(quote)
}

/// Every Word Begins With A Capital: then none of them means a name.
fn is_title_case(message: &str) -> bool {
    let words = message.split_whitespace();
    let (mut capital, mut small) = (0, 0);
    for word in words.filter(|word| word.starts_with(|c: char| c.is_alphabetic())) {
        if word.starts_with(char::is_uppercase) {
            capital += 1;
        } else {
            small += 1;
        }
    }
    capital > 2 && capital > small * 2
}

/// In English a name is written with a capital where no sentence begins.
fn is_name(message: &str, folded: &Folded, start: usize, end: usize) -> bool {
    let quote = folded.quote(message, start, end);
    let before = folded.text.get(..start).unwrap_or_default().trim_end();
    let is_lower_case_used = message.chars().any(char::is_lowercase);
    let opens = before.is_empty() || before.ends_with(['.', '!', '?', ':', ';']);
    quote.starts_with(char::is_uppercase) && is_lower_case_used && !opens && !is_title_case(message)
}
