//! Kinds of goods and brands that people ask for and this shop does not have: what can be said of them is only that.

use super::Product;
use super::lexicon::lexicon;
use crate::Language;
use crate::text;
use crate::vocabulary::{TermKind, Vocabulary, at_borders};
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::BTreeSet;

/// Letters of the shortest Latin word that names a kind.
const LETTERS_MIN: usize = 3;

/// The words of the lexicon, and the brands known everywhere, that stand for nothing in the catalogue.
#[derive(Clone, Debug, Default)]
pub(super) struct Absent {
    kinds: Option<AhoCorasick>,
    brands: Option<AhoCorasick>,
}

impl Absent {
    /// What stands in a title is here, whatever kind the lexicon takes it for.
    pub(super) fn of(vocabulary: &Vocabulary, products: &[Product]) -> Self {
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
        let titled = in_titles(&words, products);
        words.retain(|word| !titled.contains(word));
        let mut brands: Vec<String> = Vec::new();
        for names in include_str!("../../defaults/brands.tsv").lines() {
            if names.starts_with('#') {
                continue;
            }
            let names: Vec<String> = names.split('|').map(text::fold).collect();
            if !names.iter().any(|name| carried(name)) {
                brands.extend(names);
            }
        }
        Self {
            kinds: automaton(&words),
            brands: automaton(&brands),
        }
    }

    /// The first such kind in a folded text, and where it stands.
    pub(super) fn kind(&self, folded: &str) -> Option<(usize, usize)> {
        first(&self.kinds, folded)
    }

    /// The first such brand in a folded text, and where it stands.
    pub(super) fn brand(&self, folded: &str) -> Option<(usize, usize)> {
        first(&self.brands, folded)
    }
}

/// Those of the words in Han characters that stand in a title.
fn in_titles(words: &[String], products: &[Product]) -> BTreeSet<String> {
    let han: Vec<String> = words.iter().filter(|w| !w.is_ascii()).cloned().collect();
    let Some(automaton) = automaton(&han) else {
        return BTreeSet::new();
    };
    let titles = products
        .iter()
        .filter_map(|product| product.title.own(Language::Zh));
    let mut found = BTreeSet::new();
    for title in titles {
        let folded = text::fold(title);
        let hits = automaton.find_iter(&folded);
        found.extend(hits.filter_map(|hit| folded.get(hit.start()..hit.end()).map(str::to_owned)));
    }
    found
}

fn automaton(words: &[String]) -> Option<AhoCorasick> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(words)
        .ok()
}

fn first(automaton: &Option<AhoCorasick>, folded: &str) -> Option<(usize, usize)> {
    automaton
        .as_ref()?
        .find_iter(folded)
        .map(|hit| (hit.start(), hit.end()))
        .find(|(start, end)| at_borders(folded, *start, *end))
}
