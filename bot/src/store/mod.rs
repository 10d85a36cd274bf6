//! Where conversations live and what the business keeps: two promises, and the stores that keep them.

pub mod embedded;
mod engine;
mod record;
pub mod records;
pub mod redis;
mod state;
pub mod whole;

pub use engine::{Engine, TurnResult};
pub use record::{
    Kept, KeptAudit, KeptGrade, KeptHandoff, KeptIdentity, KeptLead, Record, RecordStore, Row,
};
pub use state::{
    Accepted, Claimed, Commit, Committed, Depth, FeedItem, Hint, JournalEntry, LETTERS_MAX, Letter,
    LogEntry, NewFeedItem, NewMail, NewOut, Outgoing, Pointer, Queue, Rate, SendClaim, Settle,
    Settled, Snapshot, Spent, StateStore, TurnClaim,
};

use std::future::Future;
use std::pin::Pin;

/// One step of a store on its way.
pub type Step<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Shaped by what the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds a newer token: drop the result, do nothing more.
    #[error("another worker has taken this conversation over")]
    Fenced,
    /// Try again after the wait; nothing was taken.
    #[error("the store is full for now; try again in {retry_after_ms} ms")]
    Full { retry_after_ms: u64 },
    /// The mailbox of this one conversation is full; others take letters. Nothing was taken.
    #[error("the mailbox of a conversation is full; try again in {retry_after_ms} ms")]
    Crowded { retry_after_ms: u64 },
    /// A person has to look.
    #[error("{what}")]
    Corrupt { what: String },
    /// Try again with back-off.
    #[error("the store does not answer: {what}")]
    Unavailable { what: String },
}
