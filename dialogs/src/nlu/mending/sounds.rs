//! Chinese characters as an input method gets them wrong: another one of the same sound.

use super::Edit;
use super::parlance::{EDGE, Parlance};
use crate::text::{Folded, han};
use crate::vocabulary::Vocabulary;
use std::sync::LazyLock;

/// Characters of one message that are looked at.
const CHARS_MAX: usize = 120;
/// Characters of one message that are mended.
const MENDED_MAX: usize = 3;
/// Where the typed character fits nowhere: how well another one must fit.
const FIT_MIN: u32 = 5;
/// Where the typed one fits somewhat: how much better another one must fit.
const FIT_MORE: u32 = 9;
/// Occurrences of neighbours above which more say nothing more.
const COUNT_MAX: u32 = 3;
/// What a run of three counts, of one of two.
const TRIPLE: u32 = 2;

/// Characters that are typed for each other.
static SETS: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
    let text = include_str!("../../../defaults/confused.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.chars().collect()).collect()
});

/// The characters that fit less than one of the same sound.
pub(super) fn edits(folded: &Folded, parlance: &Parlance, vocabulary: &Vocabulary) -> Vec<Edit> {
    let text = folded.text.as_str();
    if !text.contains(han) {
        return Vec::new();
    }
    let mut named: Option<Vec<(usize, usize)>> = None;
    let mut edits: Vec<Edit> = Vec::new();
    let line: Vec<(usize, char)> = text.char_indices().take(CHARS_MAX).collect();
    let at = |place: Option<usize>| {
        let c = place.and_then(|place| line.get(place)).map(|(_, c)| *c);
        c.filter(|c| han(*c)).unwrap_or(EDGE)
    };
    for (place, (start, typed)) in line.iter().enumerate() {
        if !han(*typed) {
            continue;
        }
        let around = Around {
            second_before: at(place.checked_sub(2)),
            before: at(place.checked_sub(1)),
            after: at(Some(place + 1)),
            second_after: at(Some(place + 2)),
        };
        let Some(set) = SETS.iter().find(|set| set.contains(typed)) else {
            continue;
        };
        let own = around.fit(*typed, parlance);
        if around.triple(*typed, parlance) > 0 || own >= FIT_MORE {
            continue;
        }
        let needed = if own == 0 { FIT_MIN } else { own + FIT_MORE };
        let others = set.iter().filter(|c| *c != typed);
        let best = others
            .map(|c| (around.fit(*c, parlance), *c))
            .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
            .filter(|(fit, _)| *fit >= needed);
        let Some((_, meant)) = best else { continue };
        let end = start + typed.len_utf8();
        let named = named.get_or_insert_with(|| {
            let found = vocabulary.find(text).into_iter();
            found.map(|found| (found.start, found.end)).collect()
        });
        if named.iter().any(|(from, to)| from < &end && start < to) {
            continue;
        }
        edits.push((*start, end, meant.to_string()));
        if edits.len() > MENDED_MAX {
            return Vec::new();
        }
    }
    edits
}

/// What stands beside a character.
struct Around {
    second_before: char,
    before: char,
    after: char,
    second_after: char,
}

impl Around {
    /// How well a character fits between its neighbours.
    fn fit(&self, c: char, parlance: &Parlance) -> u32 {
        let count = |run: &[char]| parlance.together(run).min(COUNT_MAX);
        count(&[self.before, c])
            + count(&[c, self.after])
            + TRIPLE
                * (count(&[self.before, c, self.after])
                    + count(&[self.second_before, self.before, c])
                    + count(&[c, self.after, self.second_after]))
    }

    fn triple(&self, c: char, parlance: &Parlance) -> u32 {
        parlance.together(&[self.before, c, self.after])
    }
}
