//! What the shop knows beside its products: passages of its Markdown files, found by question.

use crate::Language;

/// Passages with an index over them.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    passages: Vec<Passage>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// `knowledge:delivery.zh.md#how-long`.
    pub id: String,
    pub language: Language,
    pub title: String,
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
        let _ = files;
        Self::default()
    }

    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    pub fn len(&self) -> usize {
        self.passages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// Passages that answer, best first; weak evidence returns nothing.
    pub fn search(&self, text: &str, language: Language) -> Vec<Passage> {
        let _ = (text, language);
        Vec::new()
    }
}

impl Passage {
    /// The one to three sentences that answer best, literally.
    pub fn answer(&self, question: &str) -> String {
        let _ = question;
        self.text.clone()
    }
}
