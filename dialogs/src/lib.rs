//! The conversation: what was meant, what to do, what to say.
//!
//! Pure: no I/O, no clock, no random number. Whoever calls hands in the time.
//!
//! A turn runs `nlu::understand` → `purpose::settled` → `track` → `decide` → `find` → `compose`; `event` and `conversation` hold what is remembered of it, and everything a shop may change is compiled by `shop`.

pub mod aspect;
pub mod calendar;
pub mod catalogue;
pub mod choice;
pub mod compose;
pub mod conversation;
pub mod cue;
pub mod decide;
pub mod event;
pub mod find;
pub mod flow;
pub mod handoff;
pub mod knowledge;
mod language;
pub mod lead;
pub mod measure;
pub mod model;
pub mod money;
pub mod nlu;
mod problem;
pub mod profile;
pub mod purpose;
pub mod reply;
pub mod shop;
pub mod taste;
pub mod text;
pub mod track;
pub mod vocabulary;
pub mod wording;
pub mod yaml;

pub use language::Language;
pub use problem::Problem;
