//! The facts in a message: money, counts, dates, contacts, and what the catalogue knows.

use super::numbers;
use super::{ENTITIES_MAX, Entity, Listening, Value};
use crate::text::Folded;
use crate::vocabulary::TermKind;
use regex::Regex;
use std::sync::LazyLock;

struct Finder<'a> {
    message: &'a str,
    folded: &'a Folded,
    listening: &'a Listening<'a>,
    taken: Vec<(usize, usize)>,
    found: Vec<(usize, Entity)>,
}

/// A pattern of ours that does not compile finds nothing; a test compiles them all.
fn pattern(text: &str) -> Option<Regex> {
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

patterns! {
    ORDINAL = r"第\s*([一二三四五六七八九十\d]+)\s*(?:个|款|种|件|台)?|\b(first|second|third|fourth|1st|2nd|3rd|4th)\b";
}

pub(super) fn find(message: &str, folded: &Folded, listening: &Listening<'_>) -> Vec<Entity> {
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
    finder.found.sort_by_key(|(at, _)| *at);
    finder
        .found
        .into_iter()
        .map(|(_, entity)| entity)
        .take(ENTITIES_MAX)
        .collect()
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
            self.found.push((
                start,
                Entity {
                    value,
                    quote,
                    negated,
                },
            ));
        }
    }

    fn text(&self) -> &str {
        &self.folded.text
    }

    fn catalogue(&mut self) {
        for hit in self.listening.vocabulary.find(self.text()) {
            let value = match hit.kind {
                TermKind::ProductType => Value::ProductType { key: hit.key },
                TermKind::Brand => Value::Brand { key: hit.key },
                TermKind::Attribute { name } => Value::Attribute { name, key: hit.key },
                TermKind::Product => Value::Product { id: hit.key },
            };
            let negated = self.negated(hit.start);
            self.add_negated(hit.start, hit.end, value, negated);
        }
    }

    /// The clause before says that this is not wanted.
    fn negated(&self, start: usize) -> bool {
        let before = self.text().get(..start).unwrap_or_default();
        let clause = before
            .rsplit(['，', ',', '。', '.', '；', ';', '！', '？', '?'])
            .next()
            .unwrap_or_default();
        let last: String = clause
            .chars()
            .rev()
            .take(24)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        [
            "不要",
            "不想要",
            "别要",
            "不是",
            "除了",
            "不喜欢",
            "不考虑",
            "别给我",
            "anything but ",
            "not a ",
            "not ",
            "no ",
            "without ",
            "don't want ",
            "except ",
        ]
        .iter()
        .any(|no| {
            last.rfind(no).is_some_and(|at| {
                last.get(at + no.len()..)
                    .is_some_and(|gap| gap.chars().count() <= 8)
            })
        })
    }

    fn ordinals(&mut self) {
        let text = self.folded.text.clone();
        for groups in ORDINAL.iter().flat_map(|p| p.captures_iter(&text)) {
            let Some(whole) = groups.get(0) else { continue };
            let index = match (groups.get(1), groups.get(2)) {
                (Some(han), _) => numbers::find(han.as_str()).first().map(|n| n.value as u32),
                (_, Some(word)) => match word.as_str() {
                    "first" | "1st" => Some(1),
                    "second" | "2nd" => Some(2),
                    "third" | "3rd" => Some(3),
                    _ => Some(4),
                },
                _ => None,
            };
            let next = text.get(whole.end()..).unwrap_or_default();
            let of_time = next.starts_with("次") || next.starts_with(" time");
            if let Some(index) = index.filter(|i| (1..=50).contains(i) && !of_time) {
                self.add(whole.start(), whole.end(), Value::Ordinal { index });
            }
        }
        // "compare the first two", 前两款
        for (words, count) in [
            ("前两", 2),
            ("前三", 3),
            ("first two", 2),
            ("first three", 3),
        ] {
            if text.contains(words) {
                for (at, entity) in (1..=count).enumerate() {
                    self.found.push((
                        at,
                        Entity {
                            value: Value::Ordinal { index: entity },
                            quote: words.to_owned(),
                            negated: false,
                        },
                    ));
                }
                self.found.retain(|(_, e)| {
                    !(matches!(e.value, Value::Ordinal { .. })
                        && e.quote == "first"
                        && words.starts_with("first"))
                });
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod pattern_tests {
    #[test]
    fn every_pattern_compiles() {
        for (name, compiles) in super::all_patterns() {
            assert!(compiles, "{name}");
        }
    }
}
