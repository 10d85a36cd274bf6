//! Kinds of goods that people ask for and this shop does not have: what can be said of them is only that.

use super::lexicon::lexicon;
use crate::Language;
use crate::text;
use crate::vocabulary::{TermKind, Vocabulary, at_borders};
use aho_corasick::{AhoCorasick, MatchKind};

/// Letters of the shortest Latin word that names a kind.
const LETTERS_MIN: usize = 3;

/// The words of the lexicon that stand for nothing in the catalogue.
#[derive(Clone, Debug, Default)]
pub(super) struct Absent {
    automaton: Option<AhoCorasick>,
}

impl Absent {
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        let carried = |word: &str| {
            vocabulary
                .find(word)
                .iter()
                .any(|found| !matches!(found.kind, TermKind::Attribute { .. }))
        };
        let mut words: Vec<String> = Vec::new();
        for entry in lexicon().types() {
            let both = [Language::Zh, Language::En].map(|language| entry.words(language));
            let folded: Vec<String> = both
                .into_iter()
                .flatten()
                .map(|word| text::fold(word))
                .flat_map(|word| [super::terms::other_number(&word), Some(word)])
                .flatten()
                .collect();
            if folded.iter().any(|word| carried(word)) {
                continue;
            }
            words.extend(folded.into_iter().filter(|word| {
                let length = word.chars().count();
                length > 1 && (!word.is_ascii() || length >= LETTERS_MIN)
            }));
        }
        Self {
            automaton: AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&words)
                .ok(),
        }
    }

    /// The first such word of a folded text.
    pub(super) fn find<'t>(&self, folded: &'t str) -> Option<&'t str> {
        self.automaton
            .as_ref()?
            .find_iter(folded)
            .find(|hit| at_borders(folded, hit.start(), hit.end()))
            .and_then(|hit| folded.get(hit.start()..hit.end()))
    }
}
