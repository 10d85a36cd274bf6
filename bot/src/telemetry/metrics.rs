//! Every figure of `/metrics`, by name: what it counts, and in what unit.
//!
//! Names follow Prometheus' practice: base units, `_total` for what only rises, no label whose values customers or their number could grow.

use crate::store::StoreError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One figure, as `/metrics` explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

/// Each line gives a name its constant and its place in [`ALL`].
macro_rules! figures {
    ($($kind:ident $constant:ident = $name:literal: $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every figure that this program reports.
        pub const ALL: &[Metric] = &[
            $(Metric { name: $name, kind: Kind::$kind, help: $help }),*
        ];
    };
}

figures! {
    // The web channel.
    Counter HTTP_REQUESTS = "http_requests_total": "Requests answered, by method, route and status.";
    Histogram HTTP_ANSWER = "http_answer_seconds": "Time from a request's head to its answer's head, by route.";
    Counter WEB_SESSIONS_OPENED = "web_sessions_opened_total": "Sessions opened for the web widget.";
    Counter WEB_MESSAGES = "web_messages_total": "Messages acknowledged on the web channel; duplicate=true were had already.";
    Gauge WEB_STREAMS = "web_streams": "Event streams that are open now.";
    Counter REFUSALS = "refusals_total": "Requests refused, by kind; too-many is a rate limit (429), busy is back-pressure or a store that is away (503).";
    Histogram ACCEPT = "accept_seconds": "Time from a message's request to its acknowledgement, when it is durable.";
    // The platforms.
    Counter CHANNEL_MESSAGES = "channel_messages_total": "Messages that are durable in the mailbox, by channel; duplicate=true were had already.";
    Counter CHANNEL_UNREAD = "channel_unread_total": "Events of platforms that could not be read and were passed over, by channel.";
    // Conversations.
    Gauge AGENDA = "agenda_conversations": "Conversations on an agenda, due or not; agenda is turn or send.";
    Gauge AGENDA_LAG = "agenda_lag_seconds": "How long the oldest due conversation had waited for a free worker when this replica last claimed; 0 while none waits.";
    Histogram MAIL_WAIT = "mail_wait_seconds": "Time from a letter's acceptance to the commit of the turn that read it, the gathering of the burst included.";
    Counter TURNS = "turns_total": "Turns ended, by outcome: committed, fenced, uncommitted, lost.";
    Histogram TURN = "turn_seconds": "Time of a turn from its claim to the end of its commit.";
    Histogram TURN_STAGE = "turn_stage_seconds": "Time of one stage of a turn: hear, understand, track, decide, find, compose, judge, commit.";
    Counter VERDICTS = "verdicts_total": "Findings of guardrail rules in committed turns, by rail, rule, action and whether the rule is enforced.";
    Counter GRADES = "lead_grades_total": "Changes of a lead's grade in committed turns, by the new grade.";
    Counter HANDOFFS = "handoffs_total": "Conversations handed to a person in committed turns, by reason.";
    Counter FALLBACKS = "fallbacks_total": "Steps that fell back to their plain form in committed turns, by step.";
    // The model.
    Counter COMPLETIONS = "completions_total": "Questions to the language model, by step and outcome.";
    Histogram COMPLETION = "completion_seconds": "Time of a question to the language model, waiting for a free place included, by step.";
    // Sending.
    Counter SENDS = "sends_total": "What became of messages on their way out, by channel and outcome; retry may count a message often.";
    Histogram DELIVERY = "delivery_seconds": "Time from a message's decision, before its commit, to its settlement, whatever became of it, by channel.";
    // The stores.
    Gauge JOURNAL = "journal_entries": "Committed steps that the records do not have yet.";
    Gauge ARCHIVER_LAG = "archiver_lag_seconds": "Age of the oldest committed step that a round of the archiver found waiting.";
    Counter ARCHIVED = "archived_total": "Committed steps written to the records.";
    Counter CONVERSATIONS_PUT_AWAY = "conversations_put_away_total": "Idle conversations that left the live state for the records.";
    Counter CONVERSATIONS_RETURNED = "conversations_returned_total": "Conversations that came back from the records for a new message.";
    Counter STORE_ERRORS = "store_errors_total": "Steps of a store that failed, by what was tried and kind: full, unavailable, corrupt.";
    Gauge STORE_CLOCK_AHEAD = "store_clock_ahead_seconds": "How far the clock of a Redis is ahead of this machine's; 0 with the embedded store.";
    // Spans on their way to a collector.
    Counter SPANS_EXPORTED = "trace_spans_exported_total": "Spans that a collector has taken.";
    Counter SPANS_DROPPED = "trace_spans_dropped_total": "Spans given up, by why: queue_full, refused, unreachable.";
    // The process; read from the system at each look.
    Gauge BUILD = "tiansheng_build_info": "Always 1; version is this program's.";
    Counter CPU = "process_cpu_seconds_total": "CPU time of the process, user and system.";
    Gauge MEMORY = "process_resident_memory_bytes": "Memory of the process that is in RAM.";
    Gauge OPEN_FILES = "process_open_fds": "Files and sockets that are open now.";
    Gauge FILES_MAX = "process_max_fds": "Files and sockets that may be open at once.";
    Gauge THREADS = "process_threads": "Threads of the process.";
    Gauge STARTED = "process_start_time_seconds": "When the process began, seconds since 1970.";
}

/// Steps of a store that failed are counted where the failure is handled, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    Claim,
    Commit,
    Settle,
    Archive,
    Request,
}

impl Tried {
    pub(super) const ALL: [Tried; 5] = [
        Tried::Claim,
        Tried::Commit,
        Tried::Settle,
        Tried::Archive,
        Tried::Request,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Tried::Claim => "claim",
            Tried::Commit => "commit",
            Tried::Settle => "settle",
            Tried::Archive => "archive",
            Tried::Request => "request",
        }
    }
}

/// Counts a step that failed. A newer token is another worker's success, not a failure.
pub fn store_failed(tried: Tried, error: &StoreError) {
    let kind = match error {
        StoreError::Fenced => return,
        StoreError::Full { .. } => "full",
        StoreError::Crowded { .. } => "crowded",
        StoreError::Unavailable { .. } => "unavailable",
        StoreError::Corrupt { .. } => "corrupt",
    };
    metrics::counter!(STORE_ERRORS, "tried" => tried.word(), "kind" => kind).increment(1);
}
