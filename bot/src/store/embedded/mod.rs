//! The live state in one redb file: a single writer makes one durable commit of all the steps that wait.

mod reads;
mod sends;
mod shared;
mod steps;
mod tables;
mod whole;

use super::{
    Accepted, Claimed, Commit, Committed, Depth, FeedItem, Hint, JournalEntry, LogEntry, NewMail,
    Outgoing, Pointer, Queue, SendClaim, Settle, Settled, Snapshot, StateStore, Step, StoreError,
    TurnClaim,
};
use redb::{Database, Durability};
use std::path::Path;
use std::sync::Arc;
use steps::Work;
use tables::Tables;
use tokio::sync::{broadcast, mpsc, oneshot};
pub use whole::Fact;

/// Steps that may wait for the writer; more are refused with a wait.
const WAITING_MAX: usize = 4_096;
/// Steps of one commit.
const BATCH_MAX: usize = 512;
/// Bytes of the file that are kept in memory.
const CACHE_BYTES: usize = 16 * 1024 * 1024;
/// What a caller waits when the writer's queue is full, milliseconds.
const BUSY_RETRY_MS: u64 = 200;
/// Hints that a slow listener may lag behind.
const HINTS_MAX: usize = 4_096;

/// The live state on one machine. One process owns the file.
pub struct State {
    database: Arc<Database>,
    work: mpsc::Sender<Work>,
    hints: broadcast::Sender<Hint>,
    jobs: shared::Jobs,
}

impl State {
    /// Opens or creates `state.redb` in a folder.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("state.redb");
        std::fs::create_dir_all(dir).map_err(|error| StoreError::Corrupt {
            what: format!("{}: {error}", dir.display()),
        })?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(&path)
            .map_err(|error| StoreError::Corrupt {
                what: format!(
                    "{}: {error}; if another tiansheng is running on this folder stop it, else restore the file from a backup",
                    path.display()
                ),
            })?;
        let database = Arc::new(database);
        tables::prepare(&database).map_err(|error| StoreError::Corrupt {
            what: format!(
                "{}: {error}; restore the file from a backup",
                path.display()
            ),
        })?;
        let journal = tables::journal_length(&database).map_err(unavailable)?;
        let (work, queue) = mpsc::channel(WAITING_MAX);
        let (hints, _) = broadcast::channel(HINTS_MAX);
        let writer = Writer {
            database: Arc::clone(&database),
            queue,
            hints: hints.clone(),
            journal,
            facts_from: String::new(),
        };
        std::thread::Builder::new()
            .name("state-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Unavailable {
                what: format!("the writer does not start: {error}"),
            })?;
        Ok(Self {
            database,
            work,
            hints,
            jobs: shared::Jobs::default(),
        })
    }

    fn write<T: Send + 'static>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Work,
    ) -> Step<'_, T> {
        let (answer, answered) = oneshot::channel();
        let sent = self.work.try_send(make(answer));
        Box::pin(async move {
            sent.map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Full {
                    retry_after_ms: BUSY_RETRY_MS,
                },
                mpsc::error::TrySendError::Closed(_) => stopped(),
            })?;
            answered.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    /// Asks the writer only where something is due: a shop at rest writes nothing.
    fn claim<C: Send + 'static>(
        &self,
        queue: Queue,
        now_ms: i64,
        make: impl FnOnce(oneshot::Sender<Result<Claimed<C>, StoreError>>) -> Work,
    ) -> Step<'_, Claimed<C>> {
        match reads::next_due(&self.database, queue) {
            Ok(Some(due)) if due <= now_ms => self.write(make),
            Ok(next_due_ms) => Box::pin(std::future::ready(Ok(Claimed {
                claims: Vec::new(),
                next_due_ms,
            }))),
            Err(error) => Box::pin(std::future::ready(Err(unavailable(error)))),
        }
    }

    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Step<'_, T> {
        // A read touches a few cached pages; handing it to another thread would cost more.
        let found = read(&self.database).map_err(unavailable);
        Box::pin(async move { found })
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable {
        what: "the writer has stopped".to_owned(),
    }
}

fn unavailable(error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(what) => StoreError::Corrupt { what },
        other => StoreError::Unavailable {
            what: other.to_string(),
        },
    }
}

impl StateStore for State {
    fn accept(&self, mail: NewMail) -> Step<'_, Accepted> {
        self.write(|answer| Work::Accept(mail, answer))
    }

    fn claim_turns(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<TurnClaim>> {
        self.claim(Queue::Turn, now_ms, |answer| {
            Work::ClaimTurns(now_ms, lease_ms, max, answer)
        })
    }

    fn commit(&self, commit: Commit) -> Step<'_, Committed> {
        self.write(|answer| Work::Commit(Box::new(commit), answer))
    }

    fn claim_sends(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<SendClaim>> {
        self.claim(Queue::Send, now_ms, |answer| {
            Work::ClaimSends(now_ms, lease_ms, max, answer)
        })
    }

    fn settle(&self, settle: Settle) -> Step<'_, Settled> {
        self.write(|answer| Work::Settle(settle, answer))
    }

    fn extend(&self, queue: Queue, conversation: &str, token: u64, until_ms: i64) -> Step<'_, ()> {
        let conversation = conversation.to_owned();
        self.write(move |answer| Work::Extend(queue, conversation, token, until_ms, answer))
    }

    fn hasten(&self, conversation: &str, now_ms: i64) -> Step<'_, ()> {
        let conversation = conversation.to_owned();
        self.write(move |answer| Work::Hasten(conversation, now_ms, answer))
    }

    fn epoch(&self, conversation: &str) -> Step<'_, u64> {
        self.read(|db| Ok(reads::head(db, conversation)?.map_or(0, |head| head.epoch)))
    }

    fn outgoing(&self, conversation: &str, max: usize) -> Step<'_, Vec<Outgoing>> {
        self.read(|db| reads::outgoing(db, conversation, max))
    }

    fn snapshot(&self, conversation: &str) -> Step<'_, Option<Snapshot>> {
        self.read(|db| reads::snapshot(db, conversation))
    }

    fn log(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>> {
        self.read(|db| reads::log(db, conversation, after_rev, max))
    }

    fn feed(&self, conversation: &str, after_seq: u64, max: usize) -> Step<'_, Vec<FeedItem>> {
        self.read(|db| reads::feed(db, conversation, after_seq, max))
    }

    fn journals(&self) -> u32 {
        1
    }

    fn journal(&self, _journal: u32, max: usize) -> Step<'_, Vec<JournalEntry>> {
        self.read(|db| reads::journal(db, max))
    }

    fn trim_journal(&self, _journal: u32, to_seq: u64) -> Step<'_, ()> {
        self.write(|answer| Work::TrimJournal(to_seq, answer))
    }

    fn depth(&self) -> Step<'_, Depth> {
        self.read(reads::depth)
    }

    fn remember(&self, key: &str, value: &str, until_ms: i64) -> Step<'_, ()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |answer| Work::Remember(key, value, until_ms, answer))
    }

    fn replace(
        &self,
        key: &str,
        seen: Option<&str>,
        value: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Step<'_, bool> {
        let (key, value) = (key.to_owned(), value.to_owned());
        let seen = seen.map(str::to_owned);
        self.write(move |answer| Work::Replace(key, seen, value, now_ms, until_ms, answer))
    }

    fn recall(&self, key: &str, now_ms: i64) -> Step<'_, Option<String>> {
        self.read(|db| reads::recall(db, key, now_ms))
    }

    fn hold(&self, job: &str, holder: &str, now_ms: i64, until_ms: i64) -> Step<'_, Option<u64>> {
        let held = self.jobs.hold(job, holder, now_ms, until_ms);
        Box::pin(std::future::ready(held))
    }

    fn release(&self, job: &str, holder: &str) -> Step<'_, ()> {
        self.jobs.release(job, holder);
        Box::pin(std::future::ready(Ok(())))
    }

    fn pointer(&self, name: &str) -> Step<'_, Option<Pointer>> {
        self.read(|db| shared::pointer(db, name))
    }

    fn point(&self, name: &str, from: u64, to: &str) -> Step<'_, Option<u64>> {
        let (name, to) = (name.to_owned(), to.to_owned());
        self.write(move |answer| Work::Point(name, from, to, answer))
    }

    fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }

    fn hint(&self, hint: Hint) {
        // Nobody listening is no fault.
        let _ = self.hints.send(hint);
    }
}

struct Writer {
    database: Arc<Database>,
    queue: mpsc::Receiver<Work>,
    hints: broadcast::Sender<Hint>,
    journal: u64,
    /// Where the next round looks for facts that are over.
    facts_from: String,
}

impl Writer {
    /// Ends when every handle of the store is gone.
    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX {
                match self.queue.try_recv() {
                    Ok(work) => batch.push(work),
                    Err(_) => break,
                }
            }
            self.write(batch);
        }
    }

    /// One transaction for all; whoever waits is answered after it is on disk.
    fn write(&mut self, batch: Vec<Work>) {
        let durable = batch.iter().any(Work::must_last);
        let mut answers = Vec::new();
        let mut hints = Vec::new();
        let mut journal = self.journal;
        let mut facts_from = self.facts_from.clone();
        let written = self.transaction(
            batch,
            durable,
            &mut answers,
            &mut hints,
            &mut journal,
            &mut facts_from,
        );
        match written {
            Ok(()) => {
                self.journal = journal;
                self.facts_from = facts_from;
                for answer in answers {
                    answer(None);
                }
                for hint in hints {
                    let _ = self.hints.send(hint);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the state file cannot be written");
                let error = unavailable(error);
                for answer in answers {
                    answer(Some(error.clone()));
                }
            }
        }
    }

    fn transaction(
        &self,
        batch: Vec<Work>,
        durable: bool,
        answers: &mut Vec<steps::Answer>,
        hints: &mut Vec<Hint>,
        journal: &mut u64,
        facts_from: &mut String,
    ) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        if !durable {
            // Leases guard against other workers of this process only: the file has one owner, so after a crash none of them lives and what was leased is due at once.
            transaction.set_durability(Durability::None)?;
        }
        {
            let mut tables = Tables::open(&transaction)?;
            if let Some(at_ms) = batch.iter().find_map(Work::accepted_at_ms) {
                steps::sweep_facts(&mut tables, facts_from, at_ms)?;
            }
            let mut batch = batch.into_iter();
            for work in batch.by_ref() {
                let (answer, failed) = work.apply(&mut tables, hints, journal);
                answers.push(answer);
                if let Some(error) = failed {
                    // The rest of the batch is told as well: nothing of it was written.
                    answers.extend(batch.map(Work::refuse));
                    return Err(error);
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
