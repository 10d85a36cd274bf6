//! Where the words of a Chinese query end, told by which characters the catalogue's products have together.

use crate::text;
use std::collections::BTreeSet;

/// The pairs of characters that no word holds: those that hold together less than the pairs on both sides do, and those met together less often than by chance.
/// `share` says what share of the products has a character or a pair.
pub(super) fn loose_pairs(any_text: &str, share: impl Fn(&str) -> f32) -> BTreeSet<String> {
    let folded = text::fold(any_text);
    let mut loose = BTreeSet::new();
    for run in folded.split(|c: char| !text::han(c)) {
        let bonds = bonds(run, &share);
        for (at, (pair, bond)) in bonds.iter().enumerate() {
            let holds_more = |other: Option<&(&str, f32)>| other.is_some_and(|(_, b)| b > bond);
            let before = at.checked_sub(1).and_then(|before| bonds.get(before));
            let is_dip = holds_more(before) && holds_more(bonds.get(at + 1));
            if *bond < 1.0 || is_dip {
                loose.insert((*pair).to_owned());
            }
        }
    }
    loose
}

/// Each pair of a run with how many times as often it is met as two characters would be that have nothing to do with each other.
fn bonds<'r>(run: &'r str, share: &impl Fn(&str) -> f32) -> Vec<(&'r str, f32)> {
    let characters: Vec<(&str, f32)> = run
        .char_indices()
        .filter_map(|(at, c)| run.get(at..at + c.len_utf8()))
        .map(|character| (character, share(character)))
        .collect();
    let mut at = 0;
    characters
        .windows(2)
        .filter_map(|window| match window {
            [(one, first), (other, second)] => {
                let pair = run.get(at..at + one.len() + other.len())?;
                at += one.len();
                let by_chance = (first * second).max(f32::EPSILON);
                Some((pair, share(pair) / by_chance))
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each character is in half of the products, a pair of one word in four of ten.
    fn check(query: &str, together: &[&str], expected: &[&str]) {
        let share = |token: &str| match token.chars().count() {
            1 => 0.5,
            _ if together.contains(&token) => 0.4,
            _ => 0.1,
        };
        let loose: Vec<String> = loose_pairs(query, share).into_iter().collect();
        assert_eq!(loose, expected, "{query}");
    }

    #[test]
    fn the_pair_across_two_words_is_loose() {
        check("木质书架", &["木质", "书架"], &["质书"]);
        check("木质 书架", &["木质", "书架"], &[]);
        check("书架", &["书架"], &[]);
        check("书架", &[], &["书架"]);
        check("oak shelf", &[], &[]);
    }
}
