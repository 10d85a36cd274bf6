//! Workers: claim what is due, run its turn, commit.

use super::due::{self, Jobs};
use super::{Clock, seconds};
use crate::store::{Claimed, Commit, Engine, Hint, Queue, StateStore, Step, StoreError, TurnClaim};
use crate::telemetry::metrics::{AGENDA_LAG, MAIL_WAIT, TURN, TURNS, Tried, store_failed};
use crate::telemetry::{Part, measured_wait, spans};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

/// How long a claimed conversation is kept from other workers, milliseconds.
pub const LEASE_MS: u64 = 15_000;
/// A turn that takes longer shows the customer that an answer is being written.
const TYPING_AFTER: Duration = Duration::from_millis(150);
/// How often it is shown anew: a platform stops showing it after some five seconds.
const TYPING_EVERY: Duration = Duration::from_secs(4);
/// Commits tried again where the store does not answer, and the wait before the first.
const COMMIT_TRIES: u32 = 5;
const COMMIT_RETRY_MS: u64 = 100;

pub struct Workers {
    pub state: Arc<dyn StateStore>,
    pub engine: Arc<dyn Engine>,
    pub clock: Clock,
    /// Turns at once.
    pub count: usize,
    pub lease_ms: u64,
}

impl Jobs for Workers {
    type Claim = TurnClaim;

    const WHAT: &'static str = "turns";
    const HINT: Hint = Hint::Turns;

    fn state(&self) -> &dyn StateStore {
        self.state.as_ref()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn claim(&self, now_ms: i64, free: usize) -> Step<'_, Claimed<TurnClaim>> {
        self.state.claim_turns(now_ms, self.lease_ms, free)
    }

    fn found_after(&self, seconds: f64) {
        metrics::gauge!(AGENDA_LAG).set(seconds);
    }

    async fn work(self: Arc<Self>, claim: TurnClaim) {
        let conversation = claim.conversation.clone();
        let letters = claim.letters.iter().map(|l| l.body.as_str());
        let span = spans::turn(&conversation, letters);
        let turn = async move { self.turn(claim).await };
        let turn = tokio::spawn(turn.instrument(span));
        if let Err(error) = turn.await {
            // The lease runs out and the letters are read again then.
            tracing::error!(
                conversation,
                panicked = error.is_panic(),
                "a turn ended without a result"
            );
            metrics::counter!(TURNS, "outcome" => "lost").increment(1);
        }
    }
}

impl Workers {
    /// Runs until `stop`; then no new claims, and what runs may end.
    pub async fn run(self, stop: CancellationToken) {
        let places = self.count.max(1);
        due::run(self, places, stop).await;
    }

    async fn turn(&self, claim: TurnClaim) {
        let begun = Instant::now();
        let now_ms = (self.clock)();
        // Side by side: one that rests while the other waits for the store could keep it from it for ever.
        let result = tokio::select! {
            result = self.engine.run(&claim, now_ms) => result,
            never = self.renewed(&claim) => match never {},
            never = self.shown(&claim, begun) => match never {},
        };
        let commit = Commit {
            conversation: claim.conversation.clone(),
            token: claim.token,
            read_to: claim.letters.last().map_or(0, |letter| letter.seq),
            state: result.state,
            epoch: result.epoch,
            events: result.events,
            out: result.out,
            wake_at_ms: result.wake_at_ms,
            now_ms,
        };
        let span = Span::current();
        result.told.on(&span);
        let outcome = measured_wait(Part::Commit, self.commit(commit)).await;
        let word = match outcome {
            Ended::Committed { rev } => {
                span.record("turn.rev", i64::try_from(rev).unwrap_or(i64::MAX));
                result.told.count();
                for letter in &claim.letters {
                    let waited = seconds(Some(letter.at_ms), (self.clock)());
                    metrics::histogram!(MAIL_WAIT).record(waited);
                }
                "committed"
            }
            Ended::Fenced => "fenced",
            Ended::Uncommitted => {
                spans::failed(&span);
                "uncommitted"
            }
        };
        span.record("turn.outcome", word);
        metrics::counter!(TURNS, "outcome" => word).increment(1);
        metrics::histogram!(TURN).record(begun.elapsed().as_secs_f64());
    }

    /// Keeps the turn from other workers as long as it takes.
    async fn renewed(&self, claim: &TurnClaim) -> Infallible {
        let third = Duration::from_millis(self.lease_ms / 3);
        loop {
            tokio::time::sleep(third).await;
            let until_ms = (self.clock)().saturating_add_unsigned(self.lease_ms);
            let (id, token) = (&claim.conversation, claim.token);
            // A renewal that fails is found out at the commit, which is fenced.
            let _ = self.state.extend(Queue::Turn, id, token, until_ms).await;
        }
    }

    /// Shows that an answer is being written, where somebody waits for one.
    async fn shown(&self, claim: &TurnClaim, begun: Instant) -> Infallible {
        if claim.letters.is_empty() {
            return std::future::pending().await;
        }
        let mut at = begun + TYPING_AFTER;
        loop {
            tokio::time::sleep_until(at.into()).await;
            self.state.hint(Hint::Typing(claim.conversation.clone()));
            at += TYPING_EVERY;
        }
    }

    async fn commit(&self, commit: Commit) -> Ended {
        let mut wait = COMMIT_RETRY_MS;
        for _ in 0..COMMIT_TRIES {
            match self.state.commit(commit.clone()).await {
                Ok(committed) => return Ended::Committed { rev: committed.rev },
                Err(StoreError::Fenced) => {
                    tracing::info!(
                        conversation = commit.conversation,
                        "another worker was quicker; this result is dropped"
                    );
                    return Ended::Fenced;
                }
                Err(error) => {
                    store_failed(Tried::Commit, &error);
                    tracing::warn!(conversation = commit.conversation, %error, "a turn cannot be committed yet");
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    wait *= 2;
                }
            }
        }
        tracing::error!(
            conversation = commit.conversation,
            "a turn could not be committed; its letters are read again"
        );
        Ended::Uncommitted
    }
}

/// How a turn ended.
enum Ended {
    Committed { rev: u64 },
    Fenced,
    Uncommitted,
}
