//! The facts in a message: money, counts, dates, contacts, and what the catalogue knows.

use super::naming;
use super::negation;
use super::references;
use super::{ENTITIES_MAX, Entity, Listening, Value};
use crate::money::Money;
use crate::text::Folded;
use crate::vocabulary::TermKind;
use regex::Regex;

/// Number words that stand before a piece.
const SMALL_NUMBERS: [&str; 14] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "twenty",
    "thirty", "fifty", "hundred",
];

/// “The 1899 machine”: what stands before a price that tells which one is meant.
const THAT_ONE: [&str; 7] = ["the", "that", "this", "那台", "那个", "这台", "这个"];
/// A smaller number before goods is one of pieces, or part of a name.
const PRICE_MIN: u32 = 100;

struct Finder<'a> {
    message: &'a str,
    folded: &'a Folded,
    listening: &'a Listening<'a>,
    taken: Vec<(usize, usize)>,
    found: Vec<Read>,
}

/// An entity and its bytes in the folded text.
pub(super) struct Read {
    pub start: usize,
    pub end: usize,
    pub entity: Entity,
}

/// A pattern of ours that does not compile finds nothing; a test compiles them all.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($text));)*
        #[cfg(test)]
        fn all_patterns() -> Vec<(&'static str, bool)> { vec![$((stringify!($name), $name.is_some())),*] }
    };
}

mod amounts;
mod contacts;
mod dates;
mod measures;
mod money;
mod phrases;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

pub(super) fn find(message: &str, folded: &Folded, listening: &Listening<'_>) -> Vec<Read> {
    let mut finder = Finder {
        message,
        folded,
        listening,
        taken: Vec::new(),
        found: Vec::new(),
    };
    finder.contacts();
    finder.catalogue();
    finder.ordinals();
    finder.dates();
    finder.numbers();
    finder.words();
    finder.found.sort_by_key(|read| read.start);
    finder.pieces_of_goods();
    finder.found.truncate(ENTITIES_MAX);
    finder.found
}

impl Finder<'_> {
    fn free(&self, start: usize, end: usize) -> bool {
        !self
            .taken
            .iter()
            .any(|(from, to)| start < *to && *from < end)
    }

    fn add(&mut self, start: usize, end: usize, value: Value) {
        self.add_negated(start, end, value, false);
    }

    fn add_negated(&mut self, start: usize, end: usize, value: Value, negated: bool) {
        if self.free(start, end) && start < end {
            let quote = self.folded.quote(self.message, start, end).to_owned();
            self.taken.push((start, end));
            let entity = Entity {
                value,
                quote,
                negated,
            };
            self.found.push(Read { start, end, entity });
        }
    }

    fn text(&self) -> &str {
        &self.folded.text
    }

    fn catalogue(&mut self) {
        let hits = naming::find(
            self.message,
            self.folded,
            self.listening.vocabulary,
            self.listening.language,
        );
        let starts: Vec<usize> = hits.iter().map(|hit| hit.start).collect();
        let had: Vec<bool> = hits
            .iter()
            .map(|hit| negation::had_before(self.text(), hit.start))
            .collect();
        // What was had before is wanted again only where nothing else is.
        let wants_another = hits
            .iter()
            .zip(&had)
            .any(|(hit, had)| !had && matches!(hit.kind, TermKind::ProductType));
        for ((at, hit), had) in hits.into_iter().enumerate().zip(had) {
            let owned = negation::has_already(self.text(), hit.start, hit.end)
                && !matches!(hit.kind, TermKind::Product | TermKind::Model);
            if self.counts(hit.start, hit.end) || owned || (had && wants_another) {
                continue;
            }
            let is_kind = matches!(hit.kind, TermKind::ProductType);
            let value = match hit.kind {
                TermKind::ProductType => Value::ProductType { key: hit.key },
                TermKind::Brand => Value::Brand { key: hit.key },
                TermKind::Attribute { name } => Value::Attribute { name, key: hit.key },
                TermKind::Product | TermKind::Model => Value::Product { id: hit.key },
            };
            let next = starts.get(at + 1).copied();
            let negated = negation::refused(self.text(), hit.start, hit.end, next, is_kind);
            self.add_negated(hit.start, hit.end, value, negated);
        }
    }

    /// “10 coffee machines”: a bare number right before goods counts them.
    fn pieces_of_goods(&mut self) {
        let goods: Vec<usize> = self
            .found
            .iter()
            .filter(|read| {
                matches!(
                    read.entity.value,
                    Value::ProductType { .. } | Value::Product { .. }
                )
            })
            .map(|read| read.start)
            .collect();
        let text = &self.folded.text;
        let currency = self.listening.currency;
        for read in &mut self.found {
            let head = text.get(..read.start).unwrap_or_default();
            let points = THAT_ONE.iter().any(|word| head.trim_end().ends_with(word));
            if let Value::Number { count } = read.entity.value
                && points
                && count >= PRICE_MIN
            {
                let amount = Money::from_major(i64::from(count), currency);
                read.entity.value = Value::PricedAt { amount };
            } else if let Value::Number { count } = read.entity.value
                && goods
                    .iter()
                    .any(|at| *at >= read.end && *at - read.end <= 1)
            {
                read.entity.value = Value::Quantity { count, unit: None };
            }
        }
    }

    /// “50 bags of”: what the pieces are of follows; nor does “per cup” ask for cups.
    fn counts(&self, start: usize, end: usize) -> bool {
        let text = self.text();
        let is_portion = text
            .get(..start)
            .is_some_and(|before| before.ends_with(" per ") || before.ends_with("每"));
        if is_portion {
            return true;
        }
        let numbered = text
            .get(..start)
            .and_then(|before| before.split_whitespace().next_back())
            .is_some_and(|word| {
                word.ends_with(|c: char| c.is_ascii_digit()) || SMALL_NUMBERS.contains(&word)
            });
        numbered
            && text
                .get(end..)
                .is_some_and(|after| after.starts_with(" of "))
    }

    fn ordinals(&mut self) {
        for pointed in references::find(self.text()) {
            if !self.free(pointed.start, pointed.end) {
                continue;
            }
            let quote = self
                .folded
                .quote(self.message, pointed.start, pointed.end)
                .to_owned();
            self.taken.push((pointed.start, pointed.end));
            for value in pointed.values {
                let entity = Entity {
                    value,
                    quote: quote.clone(),
                    negated: false,
                };
                self.found.push(Read {
                    start: pointed.start,
                    end: pointed.end,
                    entity,
                });
            }
        }
    }
}
