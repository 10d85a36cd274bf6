//! Marks that were left out, signs that say nothing, and a one that is written as a digit.

use super::Edit;
use crate::text::{Folded, han, is_picture};
use crate::vocabulary::Vocabulary;

/// Characters of the shortest piece behind a space that is a clause of its own.
const CLAUSE_CHARS_MIN: usize = 4;
/// Words that count things; a `1` before one of them is the 一 of 一个.
const COUNTERS: [char; 12] = [
    '个', '款', '台', '件', '把', '张', '只', '套', '条', '本', '部', '种',
];

pub(super) fn edits(folded: &Folded, vocabulary: &Vocabulary) -> Vec<Edit> {
    let text = folded.text.as_str();
    let is_address = text.contains("://") || text.contains("www.");
    let says_something = text.chars().any(char::is_alphanumeric);
    let mut named: Option<Vec<(usize, usize)>> = None;
    let mut edits = Vec::new();
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|(_, c)| *c);
        let end = at + c.len_utf8();
        if c == ' ' && before.is_some_and(han) && after.is_some_and(han) {
            let clause = text.get(end..).unwrap_or_default();
            let clause = clause.split([' ', ',', '，']).next().unwrap_or_default();
            let named = named.get_or_insert_with(|| {
                let found = vocabulary.find(text).into_iter();
                found.map(|found| (found.start, found.end)).collect()
            });
            let inside = named.iter().any(|(from, to)| *from < at && end < *to);
            let between =
                named.iter().any(|(_, to)| *to == at) && named.iter().any(|(from, _)| *from == end);
            if clause.chars().count() >= CLAUSE_CHARS_MIN && !inside && !between {
                edits.push((at, end, ",".to_owned()));
            }
        } else if says_something && is_picture(c) {
            let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let gap = if joins(before) && joins(after) {
                " "
            } else {
                ""
            };
            edits.push((at, end, gap.to_owned()));
        } else if matches!(c, ',' | '?' | '!' | ';')
            && !is_address
            && before.is_some_and(|b: char| b.is_ascii_alphanumeric())
            && after.is_some_and(|a| a.is_ascii_lowercase())
        {
            edits.push((at, end, format!("{c} ")));
        } else if c == '1'
            && !before.is_some_and(|b: char| b.is_ascii_alphanumeric() || ".,-~到至".contains(b))
            && after.is_some_and(|c| COUNTERS.contains(&c))
        {
            edits.push((at, end, "一".to_owned()));
        }
        before = Some(c);
    }
    edits
}
