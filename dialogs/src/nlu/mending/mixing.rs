//! General words said in the other language in the middle of a sentence.

use super::Edit;
use crate::Language;
use crate::text::{self, Folded};
use crate::vocabulary::Vocabulary;
use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::LazyLock;

/// English words without which a message with Chinese in it is not carried by English.
const CARRYING_WORDS_MIN: usize = 2;

/// The words of both languages and what each is read as in the other.
struct Words {
    surfaces: Vec<&'static str>,
    readings: Vec<&'static str>,
    automaton: Option<AhoCorasick>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let table = include_str!("../../../defaults/mixed.tsv");
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (zh, en) in rows.filter_map(|row| row.split_once('\t')) {
        for (of, other) in [(zh, en), (en, zh)] {
            let reading = other.split('|').next().unwrap_or(other);
            pairs.extend(of.split('|').map(|word| (word, reading)));
        }
    }
    pairs.sort_by_key(|(surface, _)| *surface);
    // Of words that stand twice the first one's reading holds.
    pairs.dedup_by_key(|(surface, _)| *surface);
    let (surfaces, readings): (Vec<&str>, Vec<&str>) = pairs.into_iter().unzip();
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(&surfaces)
        .ok();
    Words {
        surfaces,
        readings,
        automaton,
    }
});

/// One general word in a message.
struct Hit {
    start: usize,
    end: usize,
    is_latin: bool,
    reading: &'static str,
}

/// The words of the other language, read in the one that carries the sentence; none where only one is spoken.
pub(super) fn edits(folded: &Folded, vocabulary: &Vocabulary) -> Vec<Edit> {
    let text = folded.text.as_str();
    if !text.contains(text::han) || !text.contains(|c: char| c.is_ascii_lowercase()) {
        return Vec::new();
    }
    let hits = hits(text);
    if hits.is_empty() {
        return Vec::new();
    }
    let named: Vec<(usize, usize)> = vocabulary
        .find(text)
        .into_iter()
        .filter(|found| found.kind != crate::vocabulary::TermKind::Model)
        .map(|found| (found.start, found.end))
        .collect();
    let free = |hit: &&Hit| {
        named
            .iter()
            .all(|(start, end)| hit.end <= *start || *end <= hit.start)
    };
    let hits: Vec<&Hit> = hits.iter().filter(free).collect();
    let Some(carrying) = carrying(text, &hits) else {
        return Vec::new();
    };
    hits.iter()
        .enumerate()
        .filter(|(_, hit)| hit.is_latin == (carrying == Language::Zh))
        .filter(|(at, hit)| {
            let neighbour = |other: Option<&&Hit>| other.map(|hit| (hit.start, hit.end));
            let before = at.checked_sub(1).and_then(|at| neighbour(hits.get(at)));
            let after = neighbour(hits.get(at + 1));
            !hit.is_latin || is_single(text, hit, before, after, &named)
        })
        .map(|(_, hit)| (hit.start, hit.end, written(text, hit)))
        .collect()
}

fn hits(text: &str) -> Vec<Hit> {
    let Some(automaton) = &WORDS.automaton else {
        return Vec::new();
    };
    automaton
        .find_iter(text)
        .filter(|hit| !runs_on(text, hit.start(), hit.end()))
        .filter_map(|hit| {
            let place = hit.pattern().as_usize();
            let surface = WORDS.surfaces.get(place)?;
            Some(Hit {
                start: hit.start(),
                end: hit.end(),
                is_latin: surface.is_ascii(),
                reading: WORDS.readings.get(place)?,
            })
        })
        .collect()
}

/// A Latin word runs on over an edge; a digit may touch it: `budget3000`.
fn runs_on(text: &str, start: usize, end: usize) -> bool {
    let letter = |c: char| c.is_alphabetic() && !text::han(c) || matches!(c, '@' | '_' | '-');
    let within = text.get(start..end).unwrap_or_default();
    within.is_ascii()
        && (text.get(..start).is_some_and(|head| head.ends_with(letter))
            || text.get(end..).is_some_and(|tail| tail.starts_with(letter)))
}

/// The language of what is no general word; none where hardly anything else is said, for an account's name is of no language.
fn carrying(text: &str, hits: &[&Hit]) -> Option<Language> {
    let mut rest = String::new();
    let mut from = 0;
    for hit in hits {
        rest.push_str(text.get(from..hit.start).unwrap_or_default());
        rest.push(' ');
        from = hit.end;
    }
    rest.push_str(text.get(from..).unwrap_or_default());
    let is_plain = |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
    let words = rest.split_whitespace().filter(is_plain).count();
    if rest.contains(text::han) || words >= CARRYING_WORDS_MIN {
        Some(text::language(&rest, Language::Zh))
    } else {
        None
    }
}

/// No other English word stands beside it: inside a phrase of English it keeps its language.
fn is_single(
    text: &str,
    hit: &Hit,
    before: Option<(usize, usize)>,
    after: Option<(usize, usize)>,
    named: &[(usize, usize)],
) -> bool {
    let letter = |c: char| c.is_ascii_lowercase();
    let head = text.get(..hit.start).unwrap_or_default().trim_end();
    let tail = text.get(hit.end..).unwrap_or_default();
    let next_at = text.len() - tail.trim_start().len();
    let joined_before = head.ends_with(letter)
        && before.is_none_or(|(_, end)| end != head.len())
        && named.iter().all(|(_, end)| *end != head.len());
    let joined_after = tail.trim_start().starts_with(letter)
        && after.is_none_or(|(start, _)| start != next_at)
        && named.iter().all(|(start, _)| *start != next_at);
    !joined_before && !joined_after
}

/// The reading, with spaces where Latin letters would touch.
fn written(text: &str, hit: &Hit) -> String {
    if hit.is_latin {
        return hit.reading.to_owned();
    }
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
    let before = text.get(..hit.start).unwrap_or_default();
    let after = text.get(hit.end..).unwrap_or_default();
    let space = |touches: bool| if touches { " " } else { "" };
    format!(
        "{}{}{}",
        space(touches(before.chars().next_back())),
        hit.reading,
        space(touches(after.chars().next()))
    )
}
