//! What a language model may be asked, and what of its answer is believed.
//!
//! Each step is a pair of pure functions around one effect, `ask(&state) -> Prompt` and `read(&str) -> T`; the effect is the caller's.

mod json;
pub mod understanding;
pub mod wording;

use serde::{Deserialize, Serialize};

/// Characters of one prompt, both parts together.
pub const PROMPT_CHARS_MAX: usize = 12_000;
/// Bytes of an answer that are read.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// One question to a model; the same state gives the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// `understand` or `word`.
    pub step: &'static str,
    pub system: String,
    pub user: String,
    /// JSON Schema of the answer.
    pub schema: serde_json::Value,
    pub answer_tokens_max: u32,
}

/// What came back: this is what the tape keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "completion", rename_all = "snake_case")]
pub enum Completion {
    Answer { text: String },
    Failed { reason: Failure },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "failure", rename_all = "snake_case")]
pub enum Failure {
    #[error("the model took too long")]
    TimedOut,
    #[error("the model cannot be reached")]
    Unreachable,
    #[error("the model's server answered {status}")]
    Refused { status: u16 },
    #[error("the model's server answered something unreadable")]
    Unreadable,
    #[error("the model's answer is too long")]
    TooLong,
    #[error("too many questions to the model at once, or it failed too often just now")]
    Resting,
}

/// Why an answer is not believed; its words are not repeated here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("no JSON object of the agreed form")]
    NotJson,
    #[error("nothing valid is left: {}", .0.join("; "))]
    NothingValid(Vec<String>),
    #[error("line {line}: {why}")]
    Line { line: usize, why: &'static str },
    #[error("{found} lines where {wanted} were asked for")]
    Lines { found: usize, wanted: usize },
}

fn bounded(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}
