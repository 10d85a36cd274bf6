//! The archiver: the journal becomes records, in order and once, and is trimmed behind.

use super::{Clock, Job, rest, seconds};
use crate::store::{Hint, JournalEntry, Record, RecordStore, Row, StateStore, StoreError};
use crate::telemetry::metrics::{AGENDA, ARCHIVED, ARCHIVER_LAG, JOURNAL, Tried, store_failed};
use crate::telemetry::spans;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// Journal entries of one transaction.
const BATCH: usize = 500;
/// The journal is looked at this often even if no hint comes.
const POLL: Duration = Duration::from_millis(1_000);
/// Hints of one moment are gathered, so that a busy shop does not pay for a transaction each turn.
const GATHER: Duration = Duration::from_millis(40);
/// The job of one replica: two would write the same entries, which is right and dear.
const JOB: &str = "archive";
/// Wait after a failure.
const RETRY: Duration = Duration::from_millis(500);
/// Failures in a row after which another replica may try, which perhaps reaches the records.
const FAILURES_MAX: u32 = 3;
/// Wait until this one tries for the job again: longer than the others wait between two looks.
const ASIDE: Duration = Duration::from_millis(2_500);

/// What a step's events mean for the business: conversation, time, events.
pub type Project = fn(&str, i64, &[String]) -> Vec<Row>;

pub struct Archiver {
    pub state: Arc<dyn StateStore>,
    pub records: Arc<dyn RecordStore>,
    pub project: Project,
    /// The time of the journal's entries.
    pub clock: Clock,
}

/// How far the records are behind the journals.
#[derive(Default)]
struct Lag {
    /// Newest entry that is known to be in the records, by journal.
    written: BTreeMap<u32, u64>,
    /// When the oldest entry was committed that this round found waiting, in milliseconds.
    oldest_ms: Option<i64>,
}

impl Lag {
    /// A store may keep its newest entry, so what is there need not be waiting.
    fn found(&mut self, journal: u32, entries: &[JournalEntry]) {
        let written = self.written.get(&journal).copied().unwrap_or(0);
        let waiting = entries.iter().find(|entry| entry.seq > written);
        if let Some(entry) = waiting {
            let oldest = self.oldest_ms.unwrap_or(entry.at_ms);
            self.oldest_ms = Some(oldest.min(entry.at_ms));
        }
    }

    fn told(&mut self, now_ms: i64) {
        metrics::gauge!(ARCHIVER_LAG).set(seconds(self.oldest_ms.take(), now_ms));
    }
}

impl Archiver {
    /// Runs until `stop`, then once more to the end of the journal. Of several replicas one archives at a time.
    pub async fn run(self, stop: CancellationToken) {
        let mut job = Job::new(Arc::clone(&self.state), JOB, Arc::clone(&self.clock));
        let mut hints = self.state.hints();
        let mut measured_at: Option<Instant> = None;
        let mut lag = Lag::default();
        let mut failures = 0;
        loop {
            let stopping = stop.is_cancelled();
            // What this one committed last is archived even if it has not got the job.
            let drained = match job.held().await || stopping {
                true => self.drain(&mut lag, &mut job).await,
                false => Ok(()),
            };
            lag.told((self.clock)());
            if measured_at.is_none_or(|at| at.elapsed() >= POLL) {
                measured_at = Some(Instant::now());
                self.measure().await;
            }
            match drained {
                Ok(()) if stopping => return job.release().await,
                Ok(()) => {
                    failures = 0;
                    rest(&mut hints, |hint| *hint == Hint::Journal, POLL, &stop).await;
                    tokio::select! {
                        () = tokio::time::sleep(GATHER) => {}
                        () = stop.cancelled() => {}
                    }
                }
                Err(error) => {
                    store_failed(Tried::Archive, &error);
                    tracing::warn!(%error, "the journal cannot be archived yet");
                    if stopping {
                        return job.release().await;
                    }
                    // What is broken is so for every replica.
                    failures += u32::from(!matches!(error, StoreError::Corrupt { .. }));
                    let mut wait = RETRY;
                    if failures >= FAILURES_MAX {
                        failures = 0;
                        job.release().await;
                        wait = ASIDE;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Writes all that is in the journals now, for whoever moves or reads the records while no server runs.
    pub async fn drained(&self) -> Result<(), StoreError> {
        let mut lag = Lag::default();
        for journal in 0..self.state.journals() {
            self.drain_one(journal, &mut lag).await?;
        }
        Ok(())
    }

    async fn measure(&self) {
        // A store that does not answer is told where it is needed.
        if let Ok(depth) = self.state.depth().await {
            metrics::gauge!(JOURNAL).set(depth.journal as f64);
            metrics::gauge!(AGENDA, "agenda" => "turn").set(depth.turns as f64);
            metrics::gauge!(AGENDA, "agenda" => "send").set(depth.sends as f64);
        }
    }

    /// Writes all that is in the journals now, and keeps the job meanwhile.
    async fn drain(&self, lag: &mut Lag, job: &mut Job) -> Result<(), StoreError> {
        let mut broken = None;
        for journal in 0..self.state.journals() {
            match self.drain_one(journal, lag).await {
                Ok(()) => {}
                // What cannot be read or written in one journal is told, and keeps no other from the records.
                Err(error @ StoreError::Corrupt { .. }) => {
                    broken.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
            job.held().await;
        }
        broken.map_or(Ok(()), Err)
    }

    async fn drain_one(&self, journal: u32, lag: &mut Lag) -> Result<(), StoreError> {
        loop {
            let entries = self.state.journal(journal, BATCH).await?;
            let Some(last) = entries.last().map(|entry| entry.seq) else {
                return Ok(());
            };
            lag.found(journal, &entries);
            let position = self.records.position(journal).await?;
            let count = entries.len();
            let records: Vec<Record> = entries
                .into_iter()
                .filter(|entry| entry.seq > position)
                .map(|entry| Record {
                    rows: (self.project)(&entry.conversation, entry.at_ms, &entry.events),
                    seq: entry.seq,
                    conversation: entry.conversation,
                    rev: entry.rev,
                    at_ms: entry.at_ms,
                    events: entry.events,
                })
                .collect();
            let written = records.len();
            if written > 0 {
                let span = spans::archive(journal, written);
                self.records
                    .apply(journal, records)
                    .instrument(span)
                    .await?;
                metrics::counter!(ARCHIVED).increment(written as u64);
            }
            lag.written.insert(journal, last.max(position));
            // Also what a crash brought back after it was archived; a store may keep its newest entry.
            if written > 0 || count > 1 {
                self.state.trim_journal(journal, last).await?;
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }
}
