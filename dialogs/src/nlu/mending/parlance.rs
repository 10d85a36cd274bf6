//! How people speak: the words and the Chinese characters beside each other in the examples of the intents.

use crate::nlu::TrainingSet;
use crate::text::{fold, han};
use crate::vocabulary::{common_words, letters, shortenings, stands_alone, with_hash};
use std::collections::BTreeMap;

/// Letters of the shortest word that a slip is looked for.
pub(super) const LETTERS_MIN: usize = 4;
/// Stands for all that is no Chinese character.
pub(super) const EDGE: char = ' ';

/// Learned once for each set of examples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parlance {
    /// Latin words with how often they stand in the examples, sorted.
    words: Vec<(String, u32)>,
    /// Hash of a word without one letter, or whole; place in `words`.
    shortened: Vec<(u64, u32)>,
    /// Two or three neighbouring characters with how often they stand in the examples, sorted.
    runs: Vec<(u64, u32)>,
}

impl Parlance {
    pub(crate) fn of(examples: &TrainingSet) -> Self {
        let mut words: BTreeMap<String, u32> = BTreeMap::new();
        let mut runs: BTreeMap<u64, u32> = BTreeMap::new();
        for example in examples.intents.values().flatten() {
            let folded = fold(example);
            // A piece of a contraction is no word.
            let whole =
                letters(&folded).filter(|(start, word)| stands_alone(&folded, *start, word.len()));
            for (_, word) in whole {
                *words.entry(word.to_owned()).or_default() += 1;
            }
            if folded.contains(han) {
                for run in char_runs(&folded) {
                    *runs.entry(run).or_default() += 1;
                }
            }
        }
        if !words.is_empty() {
            for word in common_words() {
                words.entry((*word).to_owned()).or_default();
            }
        }
        let words: Vec<(String, u32)> = words.into_iter().collect();
        let mut shortened: Vec<(u64, u32)> = Vec::new();
        for (place, (word, _)) in words.iter().enumerate() {
            if let Ok(place) = u32::try_from(place)
                && word.len() >= LETTERS_MIN
            {
                shortened.extend(shortenings(word).map(|hash| (hash, place)));
            }
        }
        shortened.sort_unstable();
        Self {
            words,
            shortened,
            runs: runs.into_iter().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.runs.is_empty()
    }

    /// How often a word stands in the examples; a frequent word of the language that does not counts nought.
    pub(super) fn count(&self, word: &str) -> Option<u32> {
        self.words
            .binary_search_by(|(known, _)| known.as_str().cmp(word))
            .ok()
            .and_then(|at| self.words.get(at))
            .map(|(_, count)| *count)
    }

    /// Words that share all letters but one with this one, with how often they stand in the examples.
    pub(super) fn near(&self, word: &str) -> Vec<(&str, u32)> {
        let mut places: Vec<usize> = shortenings(word)
            .flat_map(|hash| with_hash(&self.shortened, hash))
            .collect();
        places.sort_unstable();
        places.dedup();
        places
            .into_iter()
            .filter_map(|place| self.words.get(place))
            .map(|(word, count)| (word.as_str(), *count))
            .collect()
    }

    /// How often characters stand beside each other in the examples.
    pub(super) fn together(&self, run: &[char]) -> u32 {
        let key = key(run);
        self.runs
            .binary_search_by_key(&key, |(run, _)| *run)
            .ok()
            .and_then(|at| self.runs.get(at))
            .map_or(0, |(_, count)| *count)
    }
}

/// Pairs and triples of a text; whatever is no Chinese character is the same edge.
fn char_runs(folded: &str) -> Vec<u64> {
    let line = line(folded);
    let mut runs = Vec::new();
    for length in 2..=3 {
        runs.extend(line.windows(length).map(key));
    }
    runs
}

/// A text as Chinese characters and edges.
fn line(folded: &str) -> Vec<char> {
    let inner = folded.chars().map(|c| if han(c) { c } else { EDGE });
    [EDGE].into_iter().chain(inner).chain([EDGE]).collect()
}

/// Three characters of 21 bits.
fn key(run: &[char]) -> u64 {
    run.iter().fold(1, |key, c| (key << 21) | u64::from(*c))
}
