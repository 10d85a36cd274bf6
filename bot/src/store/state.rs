//! The live state of conversations: mailbox, agenda, snapshot, log, outgoing box, feed, journal.

use super::Step;
use tokio::sync::broadcast;

/// Letters of one turn: a longer burst becomes several turns.
pub const LETTERS_MAX: usize = 16;

/// A conversation's id is its address (`web:3f0c…`); all payloads are JSON that the store does not look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMail {
    pub conversation: String,
    /// Unique within the conversation; a repetition is accepted once.
    pub event_id: String,
    /// Now, milliseconds since 1970.
    pub at_ms: i64,
    /// How long the conversation must stay quiet before its turn; each arrival starts it anew.
    pub quiet_ms: u64,
    /// The longest a burst may put its turn off, counted from the first unread letter.
    pub quiet_max_ms: u64,
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    New { seq: u64 },
    Repeated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed<T> {
    pub claims: Vec<T>,
    /// When the next conversation becomes due, if any is on the agenda.
    pub next_due_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnClaim {
    pub conversation: String,
    pub token: u64,
    pub rev: u64,
    pub epoch: u64,
    /// `None` before the first commit.
    pub state: Option<String>,
    /// In the order of acceptance; empty when only the wake time came.
    pub letters: Vec<Letter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub seq: u64,
    pub event_id: String,
    pub at_ms: i64,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub conversation: String,
    pub token: u64,
    /// Letters up to this one are done with.
    pub read_to: u64,
    pub state: String,
    /// Raising it drops the bot's unsent messages of older epochs in the same step.
    pub epoch: u64,
    pub events: Vec<String>,
    pub out: Vec<NewOut>,
    pub wake_at_ms: Option<i64>,
    pub now_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOut {
    pub id: String,
    pub epoch: u64,
    /// Said by the bot: not to leave once a newer epoch holds.
    pub bot: bool,
    pub body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    pub rev: u64,
    /// Letters are left; the conversation is due again.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendClaim {
    pub conversation: String,
    pub token: u64,
    pub epoch: u64,
    /// Settlements in a row after which a platform had refused the first message.
    pub attempts: u32,
    pub outbounds: Vec<Outgoing>,
    /// The number of the newest message, which may stand behind those that were claimed.
    pub newest: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub seq: u64,
    pub id: String,
    pub epoch: u64,
    pub bot: bool,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    pub conversation: String,
    pub token: u64,
    /// Messages up to this one are done with.
    pub done_to: u64,
    /// The newest message at the claim: where another was committed since, what is left is due now, as it would be had nobody been sending.
    pub newest: u64,
    /// What of them goes into the conversation's feed.
    pub feed: Vec<NewFeedItem>,
    /// When to try what is left, `None` for at once.
    pub retry_at_ms: Option<i64>,
    /// A platform was asked and refused; a round that only waited is no attempt.
    pub refused: bool,
    pub now_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFeedItem {
    pub epoch: u64,
    pub bot: bool,
    pub event: String,
    pub data: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Messages are left.
    pub more: bool,
    /// The bot's feed items that were dropped because their epoch is over.
    pub dropped: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    Turn,
    Send,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub rev: u64,
    pub epoch: u64,
    pub state: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub rev: u64,
    pub events: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedItem {
    pub seq: u64,
    pub event: String,
    pub data: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    pub seq: u64,
    pub conversation: String,
    pub rev: u64,
    pub at_ms: i64,
    pub events: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub journal: u64,
    /// Conversations on the agendas, due or not.
    pub turns: u64,
    pub sends: u64,
}

/// Something may have changed. Hints may be lost; whoever listens polls as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    Turns,
    Sends,
    Journal,
    Feed(String),
    /// A reply is being written; over when it comes.
    Typing(String),
    Pointer,
    /// Something waits at the source of this channel.
    Waiting(String),
}

/// How often something may happen: once each `every_ms` in the long run, `burst` times at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub every_ms: f64,
    pub burst: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    Allowed,
    /// Nothing was counted; allowed again after the wait.
    Wait {
        ms: u64,
    },
}

/// A name for what all replicas are to use now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Rises with each move; 0 is never one.
    pub number: u64,
    pub to: String,
}

/// The live state. Every method is one atomic step: all of it happens or nothing, and what it acknowledged survives a crash.
///
/// Tokens of a conversation and queue only rise; a step with a token that is not the newest is refused with `Fenced` and changes nothing.
/// An answer may be lost on its way, so `commit` and `settle` with a token that was used up already change nothing and answer as the first did.
pub trait StateStore: Send + Sync + 'static {
    /// Takes a letter: dedupe mark, letter and agenda entry together. Repeating it changes nothing.
    ///
    /// The conversation becomes due after its quiet time; while a turn is leased its agenda entry is left alone.
    fn accept(&self, mail: NewMail) -> Step<'_, Accepted>;

    /// Leases up to `max` conversations that are due for a turn: raises each token, pushes it back by the lease.
    fn claim_turns(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<TurnClaim>>;

    /// Ends a turn: trims the letters read, raises the revision, writes snapshot, events, journal, outgoing messages and the next due time.
    fn commit(&self, commit: Commit) -> Step<'_, Committed>;

    /// Leases up to `max` conversations that have messages to send.
    fn claim_sends(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<SendClaim>>;

    /// Ends a round of sending: trims what was sent and appends to the feed in the same step.
    fn settle(&self, settle: Settle) -> Step<'_, Settled>;

    /// Renews the lease of work that is still running.
    fn extend(&self, queue: Queue, conversation: &str, token: u64, until_ms: i64) -> Step<'_, ()>;

    /// What waits to leave is due now, unless it is being sent or nothing waits.
    fn hasten(&self, conversation: &str, now_ms: i64) -> Step<'_, ()>;

    /// The take-over epoch; 0 for an unknown conversation.
    fn epoch(&self, conversation: &str) -> Step<'_, u64>;

    /// What has yet to leave, in order; asked within a turn, of the conversation that was claimed.
    fn outgoing(&self, conversation: &str, max: usize) -> Step<'_, Vec<Outgoing>>;

    fn snapshot(&self, conversation: &str) -> Step<'_, Option<Snapshot>>;

    /// The recent log in order, after a revision: at least what the records do not have yet.
    fn log(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>>;

    /// The recent feed in order, after a sequence number.
    fn feed(&self, conversation: &str, after_seq: u64, max: usize) -> Step<'_, Vec<FeedItem>>;

    /// How many journals are kept side by side, each in its own order; a conversation's entries are all in one.
    fn journals(&self) -> u32;

    /// The oldest entries of a journal that the records do not have yet.
    fn journal(&self, journal: u32, max: usize) -> Step<'_, Vec<JournalEntry>>;

    /// Forgets a journal's entries up to this one; only after the records have them.
    fn trim_journal(&self, journal: u32, to_seq: u64) -> Step<'_, ()>;

    fn depth(&self) -> Step<'_, Depth>;

    /// Keeps a small fact until a time; a repetition replaces it.
    fn remember(&self, key: &str, value: &str, until_ms: i64) -> Step<'_, ()>;

    fn recall(&self, key: &str, now_ms: i64) -> Step<'_, Option<String>>;

    /// Keeps a small fact where what is kept under its key is still what the caller saw there, `None` for nothing: true where this is the one that is kept, then and whenever it is asked again.
    fn replace(
        &self,
        key: &str,
        seen: Option<&str>,
        value: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Step<'_, bool>;

    /// Keeps a small fact unless another is kept under its key, as [`Self::replace`] does.
    fn keep_first(&self, key: &str, value: &str, now_ms: i64, until_ms: i64) -> Step<'_, bool> {
        self.replace(key, None, value, now_ms, until_ms)
    }

    /// Takes a job that one process at a time may have, or keeps it, until a time: its fencing token, which rises with each new holder, or `None` while another has it.
    fn hold(&self, job: &str, holder: &str, now_ms: i64, until_ms: i64) -> Step<'_, Option<u64>>;

    /// Lets a job go before its time; of a job that another has, nothing.
    fn release(&self, job: &str, holder: &str) -> Step<'_, ()>;

    /// Counts one use of a key against a rate that all who share the store share.
    ///
    /// A store of one process need not count: the process counts for itself.
    fn spend(&self, _key: &str, _rate: Rate, _now_ms: i64) -> Step<'_, Spent> {
        Box::pin(std::future::ready(Ok(Spent::Allowed)))
    }

    /// Where a pointer is; `None` before its first move.
    fn pointer(&self, name: &str) -> Step<'_, Option<Pointer>>;

    /// Moves a pointer that is still at number `from` (0: nowhere): its new number, or `None` if another was quicker.
    fn point(&self, name: &str, from: u64, to: &str) -> Step<'_, Option<u64>>;

    fn hints(&self) -> broadcast::Receiver<Hint>;

    /// Tells listeners something that is not stored.
    fn hint(&self, hint: Hint);

    /// How far the store's clock is ahead of this machine's, milliseconds. Whoever shares the store adds it to their own, so that all count in one time.
    fn ahead_ms(&self) -> i64 {
        0
    }
}
