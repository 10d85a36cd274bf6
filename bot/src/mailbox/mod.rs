//! The loops between the channels and the stores: letters in, turns, messages out, records.

mod again;
mod archiver;
mod arrivals;
mod due;
mod job;
pub mod offer;
mod pace;
mod puller;
mod push;
mod room;
mod sender;
mod typist;
mod window;
mod worker;

pub use archiver::Archiver;
pub use arrivals::take;
pub use job::Job;
pub use puller::Puller;
pub use push::ATTEMPTS_MAX;
pub use room::Folding;
pub use sender::Sender;
pub use typist::Typist;
pub use worker::{LEASE_MS, Workers};

use crate::mail::{Mail, Posted};
use crate::store::{Accepted, NewMail, StateStore, StoreError};
use crate::telemetry::spans;
use adapters::Inbound;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::store::Hint;

/// How a clock is read: milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How long a conversation must be quiet before its turn, and the longest a burst may put it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    pub quiet_ms: u64,
    pub quiet_max_ms: u64,
}

impl Burst {
    pub fn of(settings: &crate::config::Mailbox) -> Self {
        Self {
            quiet_ms: settings.burst_window_ms,
            quiet_max_ms: settings.burst_max_ms,
        }
    }
}

impl Default for Burst {
    fn default() -> Self {
        Self {
            quiet_ms: 700,
            quiet_max_ms: 2_800,
        }
    }
}

/// Takes a customer's message into the mailbox; durable when this returns.
///
/// What was touched waits for nothing, it is a whole utterance; words and files wait for the burst to end, also those of somebody who came by a link and then typed.
pub async fn accept(
    state: &dyn StateStore,
    inbound: Inbound,
    burst: Burst,
    now_ms: i64,
) -> Result<Accepted, StoreError> {
    let burst = match inbound.body.is_typed() {
        true => burst,
        false => Burst {
            quiet_ms: 0,
            quiet_max_ms: 0,
        },
    };
    let conversation = inbound.address.as_str().to_owned();
    let event_id = inbound.event_id.clone();
    post(
        state,
        conversation,
        event_id,
        &Mail::Customer { inbound },
        burst,
        now_ms,
    )
    .await
}

/// Posts mail of anybody; a rep's is looked at once.
pub async fn post(
    state: &dyn StateStore,
    conversation: String,
    event_id: String,
    mail: &Mail,
    burst: Burst,
    now_ms: i64,
) -> Result<Accepted, StoreError> {
    let span = spans::accept(&conversation);
    let trace = spans::traceparent(&span);
    let body =
        serde_json::to_string(&Posted { mail, trace }).map_err(|error| StoreError::Corrupt {
            what: format!("a letter has no JSON form: {error}"),
        })?;
    state
        .accept(NewMail {
            conversation,
            event_id,
            at_ms: now_ms,
            quiet_ms: burst.quiet_ms,
            quiet_max_ms: burst.quiet_max_ms,
            body,
        })
        .instrument(span)
        .await
}

/// Sleeps until something is due, a hint of interest comes, or the stop.
pub(crate) async fn rest(
    hints: &mut Receiver<Hint>,
    wanted: impl Fn(&Hint) -> bool,
    at_most: Duration,
    stop: &CancellationToken,
) {
    let hinted = async {
        loop {
            match hints.recv().await {
                Ok(hint) if wanted(&hint) => return,
                Ok(_) => {}
                // What was missed may have been of interest.
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending::<()>().await,
            }
        }
    };
    tokio::select! {
        () = hinted => {}
        () = tokio::time::sleep(at_most) => {}
        () = stop.cancelled() => {}
    }
}

/// Seconds since a time; 0 for one that is not known or still to come.
fn seconds(since_ms: Option<i64>, now_ms: i64) -> f64 {
    let passed = since_ms.map_or(0, |since| now_ms.saturating_sub(since));
    passed.max(0) as f64 / 1_000.0
}

/// How long to rest before the next due time, within bounds.
fn until(next_due_ms: Option<i64>, now_ms: i64, poll_ms: u64) -> Duration {
    let wait = next_due_ms.map_or(poll_ms, |due| {
        u64::try_from(due - now_ms).unwrap_or(0).clamp(1, poll_ms)
    });
    Duration::from_millis(wait)
}
