//! The conversation: what was meant, what to do, what to say.
//!
//! Pure: no I/O, no clock, no random number. Whoever calls hands in the time.

pub mod catalogue;
pub mod knowledge;
mod language;
pub mod money;
pub mod nlu;
mod problem;
pub mod text;
pub mod vocabulary;

pub use language::Language;
pub use problem::Problem;
