//! What the business keeps: transcripts, leads, handoffs, versions, audit.

use super::{LogEntry, Step};

/// One committed step on its way into the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of its journal; rises without gaps being promised.
    pub seq: u64,
    pub conversation: String,
    pub rev: u64,
    pub at_ms: i64,
    pub events: Vec<String>,
    pub rows: Vec<Row>,
}

/// What events mean for the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Lead {
        conversation: String,
        grade: String,
        score: i64,
        reasons_json: String,
        at_ms: i64,
    },
    /// What a customer gave to be reached by: `phone`, `email`, `wechat`.
    Contact {
        conversation: String,
        kind: String,
        value: String,
        at_ms: i64,
    },
    Handoff {
        conversation: String,
        reason: String,
        brief_json: String,
        rep: Option<String>,
        at_ms: i64,
    },
    Mode {
        conversation: String,
        mode: String,
        rep: Option<String>,
        at_ms: i64,
    },
}

/// A conversation as the records know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: String,
    pub rev: u64,
    pub first_at_ms: i64,
    pub last_at_ms: i64,
    pub mode: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLead {
    pub conversation: String,
    pub grade: String,
    pub score: i64,
    pub reasons_json: String,
    pub at_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHandoff {
    pub conversation: String,
    pub reason: String,
    pub brief_json: String,
    pub rep: Option<String>,
    pub at_ms: i64,
}

/// One grade that a lead had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptGrade {
    pub rev: u64,
    pub grade: String,
    pub score: i64,
    pub at_ms: i64,
}

/// What a customer is known by: a channel and their place on it, or a contact they gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptIdentity {
    pub kind: String,
    pub value: String,
    /// Where it was first seen.
    pub conversation: String,
    pub at_ms: i64,
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAudit {
    pub at_ms: i64,
    pub who: String,
    pub what: String,
    pub on: String,
}

pub trait RecordStore: Send + Sync + 'static {
    /// Writes a batch of one journal in one transaction, in order. What is at or below the journal's position already is passed over, so repeating is safe.
    fn apply(&self, journal: u32, records: Vec<Record>) -> Step<'_, ()>;

    /// A journal's newest entry that is in the records; 0 before the first.
    fn position(&self, journal: u32) -> Step<'_, u64>;

    /// A conversation's steps in order, after a revision.
    fn events(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>>;

    /// Conversations by id, after one.
    fn conversations(&self, after: &str, max: usize) -> Step<'_, Vec<Kept>>;

    fn leads(&self, conversation: &str) -> Step<'_, Option<KeptLead>>;

    fn handoffs(&self, conversation: &str) -> Step<'_, Vec<KeptHandoff>>;

    /// Every grade that a lead had, in order.
    fn grades(&self, conversation: &str) -> Step<'_, Vec<KeptGrade>>;

    /// Whose conversation it is.
    fn customer_of(&self, conversation: &str) -> Step<'_, Option<String>>;

    fn identities(&self, customer: &str) -> Step<'_, Vec<KeptIdentity>>;

    /// All conversations of a customer, the oldest first.
    fn conversations_of(&self, customer: &str) -> Step<'_, Vec<Kept>>;

    /// Keeps a version under its content's name; keeping it again changes nothing.
    fn keep_version(&self, kind: &str, id: &str, body: &[u8], at_ms: i64) -> Step<'_, ()>;

    fn version(&self, kind: &str, id: &str) -> Step<'_, Option<Vec<u8>>>;

    /// Keeps a conversation that leaves the live state, as one document; false if a newer document of it is kept, by the age.
    fn put_away(&self, conversation: &str, age: u64, body: &str, at_ms: i64) -> Step<'_, bool>;

    /// The newest document of a conversation that was put away, with its age. It stays after the conversation has come back.
    fn put_away_of(&self, conversation: &str) -> Step<'_, Option<(u64, String)>>;

    /// One line of the audit trail: who did what to what.
    fn audit(&self, who: &str, what: &str, on: &str, at_ms: i64) -> Step<'_, ()>;

    /// The audit trail from a time on, in order.
    fn audited(&self, from_ms: i64, max: usize) -> Step<'_, Vec<KeptAudit>>;
}
