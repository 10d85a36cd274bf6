//! The terms that mistyped words were meant to be: Latin words a letter off, Han words with a homophone or two characters swapped.

use super::homophones::sound_alike;
use super::{Term, TermKind, is_common_word, rank};
use crate::text;
use std::collections::BTreeSet;

/// Letters of the shortest word that is taken for mistyped.
const LETTERS_MIN: usize = 5;
/// Letters of the longest one.
const LETTERS_MAX: usize = 30;
/// Words of one message that are looked at.
const WORDS_MAX: usize = 200;
/// Words of one message that are compared with the terms.
const COMPARED_MAX: usize = 24;
/// Characters of the Han terms that are recognised mistyped.
const HAN_CHARS: std::ops::RangeInclusive<usize> = 3..=8;
/// Han characters of one message that are compared with the terms.
const HAN_COMPARED_MAX: usize = 80;
/// Bits of the filter that most comparisons end at.
const FILTER_BITS: u64 = 1 << 16;

/// An index of terms by what is left of them without one letter or character.
#[derive(Clone, Debug, Default)]
pub(super) struct Typos {
    /// Every Latin word of any term, sorted.
    known: Vec<String>,
    /// Words of short terms, sorted.
    words: Vec<String>,
    /// Hash of a word without one letter, or whole; place in `words`.
    shortened: Vec<(u64, u32)>,
    /// Hash of a term of two words written as one; place in the terms.
    joined: Vec<(u64, u32)>,
    /// Hash of a Han term with one character open, or whole; place in the terms.
    open: Vec<(u64, u32)>,
    /// Bits of the hashes in `open`.
    filter: Vec<u64>,
}

/// A mistyped word's bytes in the folded text, and the term it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meant {
    pub start: usize,
    pub end: usize,
    pub term: usize,
}

/// A Latin word of a message.
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    /// What it may stand for; itself where it is not mistyped.
    readings: Vec<&'t str>,
    is_mistyped: bool,
}

impl Typos {
    pub(super) fn of(terms: &[Term]) -> Self {
        let mut known = BTreeSet::new();
        let mut words = BTreeSet::new();
        let mut typos = Self::default();
        for (place, term) in terms.iter().enumerate() {
            let Ok(place) = u32::try_from(place) else {
                break;
            };
            let parts: Vec<&str> = letters(&term.surface).map(|(_, word)| word).collect();
            known.extend(parts.iter().copied());
            let is_words = term
                .surface
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b == b' ');
            if is_words && parts.len() <= 2 && term.kind != TermKind::Model {
                words.extend(parts.iter().copied().filter(|word| is_long(word)));
                if parts.len() == 2 {
                    typos
                        .joined
                        .push((hash(parts.concat().bytes().map(u32::from)), place));
                }
            }
            typos.open_han(term, place);
        }
        typos.known = known.into_iter().map(str::to_owned).collect();
        typos.words = words.into_iter().map(str::to_owned).collect();
        for (place, word) in typos.words.iter().enumerate() {
            let Ok(place) = u32::try_from(place) else {
                break;
            };
            typos
                .shortened
                .extend(shortenings(word).map(|hash| (hash, place)));
        }
        typos.shortened.sort_unstable();
        typos.joined.sort_unstable();
        typos.open.sort_unstable();
        typos.filter = vec![0; (FILTER_BITS / 64) as usize];
        for (hash, _) in &typos.open {
            if let Some(bits) = typos.filter.get_mut(filter_place(*hash)) {
                *bits |= 1 << (hash % 64);
            }
        }
        typos
    }

    fn open_han(&mut self, term: &Term, place: u32) {
        let chars: Vec<char> = term.surface.chars().collect();
        let is_name = matches!(
            term.kind,
            TermKind::ProductType | TermKind::Brand | TermKind::Attribute { .. }
        );
        if is_name && HAN_CHARS.contains(&chars.len()) && chars.iter().all(|c| text::han(*c)) {
            self.open.push((whole(&chars), place));
            for at in 0..chars.len() {
                self.open.push((opened(&chars, at), place));
            }
        }
    }

    /// Mistyped words, in the order of the text.
    pub(super) fn find(&self, folded: &str, terms: &[Term]) -> Vec<Meant> {
        let mut found = self.latin(folded, terms);
        found.extend(self.han(folded, terms));
        found.sort_by_key(|meant| meant.start);
        found
    }

    fn latin(&self, folded: &str, terms: &[Term]) -> Vec<Meant> {
        let mut compared = 0;
        let words: Vec<Word<'_>> = letters(folded)
            .filter(|(at, word)| stands_alone(folded, *at, word.len()))
            .take(WORDS_MAX)
            .map(|(start, word)| {
                let is_mistyped = is_long(word)
                    && compared < COMPARED_MAX
                    && !is_common_word(word)
                    && !self.knows(word);
                compared += usize::from(is_mistyped);
                Word {
                    text: word,
                    start,
                    end: start + word.len(),
                    readings: if is_mistyped {
                        self.near(word)
                    } else {
                        vec![word]
                    },
                    is_mistyped,
                }
            })
            .collect();
        let mut found = Vec::new();
        let mut free_from = 0;
        for (at, word) in words.iter().enumerate() {
            if word.start < free_from {
                continue;
            }
            let next = words
                .get(at + 1)
                .filter(|next| matches!(folded.get(word.end..next.start), Some(" " | "-")));
            let pair = next.and_then(|next| {
                self.pair(word, next, terms).map(|term| Meant {
                    start: word.start,
                    end: next.end,
                    term,
                })
            });
            let meant = pair.or_else(|| {
                self.single(word, terms).map(|term| Meant {
                    start: word.start,
                    end: word.end,
                    term,
                })
            });
            if let Some(meant) = meant {
                free_from = meant.end;
                found.push(meant);
            }
        }
        found
    }

    fn pair(&self, one: &Word<'_>, two: &Word<'_>, terms: &[Term]) -> Option<usize> {
        let mut places = Vec::new();
        if one.is_mistyped || two.is_mistyped {
            for first in &one.readings {
                for second in &two.readings {
                    places.extend(exact(terms, &format!("{first} {second}")));
                }
            }
        }
        // "dish washer"; the words as they stand are no term, for those were found before.
        let together = format!("{}{}", one.text, two.text);
        if places.is_empty() && together.len() > LETTERS_MIN {
            places.extend(exact(terms, &together));
        }
        only(places, terms)
    }

    fn single(&self, word: &Word<'_>, terms: &[Term]) -> Option<usize> {
        if !word.is_mistyped {
            return None;
        }
        let mut places: Vec<usize> = word
            .readings
            .iter()
            .filter_map(|reading| exact(terms, reading))
            .collect();
        if places.is_empty() {
            let hash = hash(word.text.bytes().map(u32::from));
            let is_joined = |place: &usize| {
                let surface = terms.get(*place).map(|term| term.surface.as_str());
                surface.is_some_and(|surface| {
                    surface.bytes().filter(|b| *b != b' ').eq(word.text.bytes())
                })
            };
            places.extend(with_hash(&self.joined, hash).filter(is_joined));
        }
        only(places, terms)
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.known
            .binary_search_by(|known| known.as_str().cmp(word))
            .is_ok()
    }

    /// The words one letter away.
    pub(super) fn near(&self, word: &str) -> Vec<&str> {
        let places: BTreeSet<usize> = shortenings(word)
            .flat_map(|hash| with_hash(&self.shortened, hash))
            .collect();
        places
            .into_iter()
            .filter_map(|place| self.words.get(place).map(String::as_str))
            .filter(|known| is_slip(word, known))
            .collect()
    }

    fn han(&self, folded: &str, terms: &[Term]) -> Vec<Meant> {
        let mut found = Vec::new();
        if self.open.is_empty() {
            return found;
        }
        let chars: Vec<(usize, char)> = folded
            .char_indices()
            .filter(|(_, c)| text::han(*c))
            .take(HAN_COMPARED_MAX)
            .collect();
        let mut at = 0;
        while at < chars.len() {
            let hit = HAN_CHARS.rev().find_map(|length| {
                let window = chars.get(at..at + length)?;
                let (start, _) = window.first()?;
                let (last, c) = window.last()?;
                let end = last + c.len_utf8();
                let typed: Vec<char> = folded.get(*start..end)?.chars().collect();
                if typed.len() != length {
                    return None;
                }
                let term = self.han_term(&typed, terms)?;
                Some((
                    length,
                    Meant {
                        start: *start,
                        end,
                        term,
                    },
                ))
            });
            match hit {
                Some((length, meant)) => {
                    found.push(meant);
                    at += length;
                }
                None => at += 1,
            }
        }
        found
    }

    fn han_term(&self, typed: &[char], terms: &[Term]) -> Option<usize> {
        let mut places = Vec::new();
        let mut swapped: Vec<char> = typed.to_vec();
        for at in 0..typed.len() {
            let hash = opened(typed, at);
            if self.may_hold(hash) {
                places.extend(with_hash(&self.open, hash).filter(|place| {
                    let term = terms.get(*place).map(|term| term.surface.chars());
                    term.is_some_and(|term| is_homophone_at(typed, term, at))
                }));
            }
            if at + 1 < typed.len() && typed.get(at) != typed.get(at + 1) {
                swapped.swap(at, at + 1);
                let hash = whole(&swapped);
                if self.may_hold(hash) {
                    places.extend(with_hash(&self.open, hash).filter(|place| {
                        let term = terms.get(*place).map(|term| term.surface.chars());
                        term.is_some_and(|term| term.eq(swapped.iter().copied()))
                    }));
                }
                swapped.swap(at, at + 1);
            }
        }
        only(places, terms)
    }

    fn may_hold(&self, hash: u64) -> bool {
        self.filter
            .get(filter_place(hash))
            .is_some_and(|bits| bits & (1 << (hash % 64)) != 0)
    }
}

/// The one thing that the terms stand for; of several kinds the first, none where it is not one alone.
fn only(places: Vec<usize>, terms: &[Term]) -> Option<usize> {
    let meant = places
        .into_iter()
        .filter_map(|place| Some((place, terms.get(place)?)))
        .filter(|(_, term)| term.kind != TermKind::Model);
    let mut ranked: Vec<(u8, &TermKind, &str, usize)> = meant
        .map(|(place, term)| (rank(&term.kind), &term.kind, term.key.as_str(), place))
        .collect();
    ranked.sort_unstable();
    ranked.dedup_by_key(|(rank, kind, key, _)| (*rank, *kind, *key));
    match ranked.as_slice() {
        [(_, _, _, place)] => Some(*place),
        [(first, _, _, place), (second, ..), ..] if first < second => Some(*place),
        _ => None,
    }
}

fn exact(terms: &[Term], surface: &str) -> Option<usize> {
    terms
        .binary_search_by(|term| term.surface.as_str().cmp(surface))
        .ok()
}

pub(crate) fn with_hash(sorted: &[(u64, u32)], hash: u64) -> impl Iterator<Item = usize> + '_ {
    let from = sorted.partition_point(|(other, _)| *other < hash);
    sorted
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(move |(other, _)| *other == hash)
        .map(|(_, place)| *place as usize)
}

/// Runs of lower-case letters with their places.
pub(crate) fn letters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|c: char| !c.is_ascii_lowercase())
        .map(move |word| {
            let start = at;
            let after = text.get(start + word.len()..).unwrap_or_default();
            at = start + word.len() + after.chars().next().map_or(0, char::len_utf8);
            (start, word)
        })
        .filter(|(_, word)| !word.is_empty())
}

/// No part of an address, a contraction, a number or a word with accents.
pub(crate) fn stands_alone(text: &str, start: usize, length: usize) -> bool {
    let runs_on = |c: char| {
        (c.is_alphanumeric() && !text::han(c)) || matches!(c, '\'' | '’' | '@' | '/' | '_' | '#')
    };
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(start + length..).unwrap_or_default();
    let dotted = after
        .strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(runs_on));
    !before.ends_with(runs_on) && !before.ends_with('.') && !after.starts_with(runs_on) && !dotted
}

fn is_long(word: &str) -> bool {
    (LETTERS_MIN..=LETTERS_MAX).contains(&word.len())
}

/// One letter added, dropped, changed or swapped, as fingers slip. The first letter is seldom wrong, and another ending makes another word: `printed` is no `printer`.
fn is_slip(typed: &str, meant: &str) -> bool {
    let first = |word: &str| word.bytes().next();
    let stem = |word: &str| word.get(..word.len().saturating_sub(1)).map(str::to_owned);
    let is_swapped_start =
        typed.len() == meant.len() && typed.bytes().take(2).rev().eq(meant.bytes().take(2));
    let other_ending = typed.len() == meant.len() && stem(typed) == stem(meant);
    let longer = typed
        .strip_prefix(meant)
        .is_some_and(|end| matches!(end, "d" | "r" | "y" | "n" | "s"));
    // In five letters a changed one makes too many words of their own: `blind`, `blend`.
    let is_swap = typed.len() == meant.len() && strsim::hamming(typed, meant) == Ok(2);
    let changed = typed.len() == meant.len() && !is_swap && typed.len() <= LETTERS_MIN;
    (first(typed) == first(meant) || is_swapped_start)
        && !other_ending
        && !changed
        && !longer
        && strsim::osa_distance(typed, meant) == 1
}

/// The term has another character of the same sound at this place, and the same ones elsewhere.
fn is_homophone_at(typed: &[char], term: std::str::Chars<'_>, place: usize) -> bool {
    let mut length = 0;
    let alike = term.enumerate().all(|(at, c)| {
        length = at + 1;
        match typed.get(at) {
            Some(other) if at == place => *other != c && sound_alike(*other, c),
            Some(other) => *other == c,
            None => false,
        }
    });
    alike && length == typed.len()
}

/// Hashes of the word, and of it without each of its letters.
pub(crate) fn shortenings(word: &str) -> impl Iterator<Item = u64> + '_ {
    let without = |left_out: usize| {
        let kept = word
            .bytes()
            .enumerate()
            .filter(move |(at, _)| *at != left_out);
        hash(kept.map(|(_, byte)| u32::from(byte)))
    };
    (0..=word.len()).map(without)
}

fn whole(chars: &[char]) -> u64 {
    hash(chars.iter().map(|c| u32::from(*c)))
}

/// The hash of the characters with one of them left open.
fn opened(chars: &[char], open: usize) -> u64 {
    let letter = |(at, c): (usize, &char)| if at == open { 0 } else { u32::from(*c) };
    hash(chars.iter().enumerate().map(letter))
}

/// FNV-1a over whole characters: the same on every machine.
fn hash(letters: impl Iterator<Item = u32>) -> u64 {
    let mixed = letters.fold(0xcbf2_9ce4_8422_2325_u64, |hash, letter| {
        (hash ^ u64::from(letter)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mixed ^ (mixed >> 29)
}

fn filter_place(hash: u64) -> usize {
    ((hash / 64) % (FILTER_BITS / 64)) as usize
}
