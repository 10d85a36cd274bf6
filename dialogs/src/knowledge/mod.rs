//! What the shop knows beside its products: passages of its Markdown files, found by question.

mod passages;
mod sentences;
mod weigh;

pub use passages::{PASSAGE_CHARS_MAX, PASSAGES_MAX};
pub use weigh::COVERAGE_MIN;

use crate::Language;
use std::collections::BTreeMap;
use weigh::Weights;

/// Passages given for one question.
pub const FOUND_MAX: usize = 5;
/// What a passage gains by answering the usual question of the kind, as a share of its score for that.
const TOPIC_TIMES: f32 = 0.4;
/// Of the best passage's score, the share that a further one must have.
const SHARE_MIN: f32 = 0.5;

/// Passages with an index over them; nothing in it ever changes.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    passages: Vec<Passage>,
    weights: Weights,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// `knowledge:delivery.zh.md#how-long`.
    pub id: String,
    pub language: Language,
    /// The heading.
    pub title: String,
    /// The headings above it, general first, with ` > ` between.
    pub above: String,
    /// Plain text, at most `PASSAGE_CHARS_MAX` characters.
    pub text: String,
    /// 0 outside a search.
    pub score: f32,
    /// Twelve hex digits of the hash of title and text.
    pub revision: String,
}

impl Knowledge {
    /// Files as path and Markdown; language by `name.zh.md` or `name.en.md`, else by script.
    pub fn build(files: &[(String, String)]) -> Self {
        let mut sorted: Vec<&(String, String)> = files.iter().collect();
        sorted.sort();
        let mut passages = Vec::new();
        for (path, markdown) in sorted {
            passages.extend(passages::of_file(path, markdown));
        }
        passages.truncate(PASSAGES_MAX);
        Self {
            weights: Weights::of(&passages),
            passages,
        }
    }

    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    pub fn get(&self, id: &str) -> Option<&Passage> {
        self.passages.iter().find(|passage| passage.id == id)
    }

    pub fn len(&self) -> usize {
        self.passages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Passages that answer, best first; weak evidence returns nothing.
    /// Those in the other language are only asked where the language has none.
    pub fn search(&self, text: &str, language: Language) -> Vec<Passage> {
        self.search_on(text, None, language)
    }

    /// The same, where those that also answer what questions of the kind are about come first.
    pub fn search_on(&self, text: &str, topic: Option<&str>, language: Language) -> Vec<Passage> {
        let mut scores: BTreeMap<usize, f32> = self.weights.scores(text).into_iter().collect();
        let of_topic = topic.map_or_else(Vec::new, |topic| self.weights.scores(topic));
        for (place, more) in of_topic {
            if let Some(score) = scores.get_mut(&place) {
                *score += TOPIC_TIMES * more;
            }
        }
        let spoken = self.passages.iter().any(|p| p.language == language);
        let mut found: Vec<(f32, &Passage)> = scores
            .into_iter()
            .filter_map(|(place, score)| Some((score, self.passages.get(place)?)))
            .filter(|(_, passage)| !spoken || passage.language == language)
            .collect();
        found.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.id.cmp(&y.id)));
        let least = found.first().map_or(0.0, |(best, _)| best * SHARE_MIN);
        found
            .into_iter()
            .take(FOUND_MAX)
            .filter(|(score, _)| *score >= least)
            .map(|(score, passage)| Passage {
                score,
                ..passage.clone()
            })
            .collect()
    }
}

impl Passage {
    /// The one to three sentences that answer best, literally and in their order.
    pub fn answer(&self, question: &str) -> String {
        sentences::answer(self, question)
    }
}

#[cfg(test)]
mod tests;
