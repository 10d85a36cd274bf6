//! The live state on Redis or Valkey, one server or a cluster, for any number of replicas of the program.
//!
//! Every step is one script on one slot. The steps count in the time that the caller hands them; [`StateStore::ahead_ms`] tells a process how to hand them the server's, so that replicas whose clocks differ agree on leases.

mod agenda;
mod away;
mod check;
mod claims;
mod endpoint;
mod faults;
mod feed;
mod hints;
mod keys;
mod link;
mod pack;
mod reads;
mod scripts;
mod shared;
mod steps;
mod wire;

pub use check::{Finding, findings};

use super::{
    Accepted, Claimed, Commit, Committed, Depth, FeedItem, Hint, JournalEntry, LogEntry, NewMail,
    Outgoing, Pointer, Queue, Rate, RecordStore, SendClaim, Settle, Settled, Snapshot, Spent,
    StateStore, Step, StoreError, TurnClaim, whole::Whole,
};
use crate::config::state::State as Settings;
use agenda::Agenda;
use claims::Tails;
use hints::Told;
use keys::{Keys, shard_of};
use link::Link;
use scripts::Scripts;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OnceCell, broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Hints that a slow listener may lag behind.
const HINTS_MAX: usize = 4_096;
/// Hints that wait to be published; more are dropped.
const PUBLISHED_MAX: usize = 256;
/// How often the server's clock is compared with this machine's.
const CLOCK_EVERY: Duration = Duration::from_secs(10);

/// The live state on a Redis. Cheap to make: it connects when it is first used, and again after a break.
pub struct State {
    inner: Arc<Inner>,
    /// Ends the tasks with the store.
    _stop: DropGuard,
}

struct Inner {
    link: Link,
    keys: Keys,
    scripts: Scripts,
    turns: Agenda,
    sends: Agenda,
    hints: broadcast::Sender<Hint>,
    publish: mpsc::Sender<Told>,
    /// This store's name among those that share the channel of hints.
    origin: String,
    /// The server was looked at and fits.
    met: OnceCell<()>,
    ahead_ms: AtomicI64,
    tails: Mutex<Tails>,
    wait_replicas: u32,
    journal_max: u64,
    /// Where quiet conversations are put away; `None`: they stay.
    records: Option<Arc<dyn RecordStore>>,
}

impl State {
    /// Needs a Tokio runtime for the tasks that listen.
    pub fn open(settings: &Settings) -> Self {
        Self::open_with(settings, None)
    }

    /// With records that all replicas share, where quiet conversations are put away.
    pub fn open_with(settings: &Settings, records: Option<Arc<dyn RecordStore>>) -> Self {
        let (hints, _) = broadcast::channel(HINTS_MAX);
        let (publish, waiting) = mpsc::channel(PUBLISHED_MAX);
        let origin = uuid::Uuid::new_v4().simple().to_string();
        let begin = shard_of(&origin, settings.shards);
        let inner = Arc::new(Inner {
            keys: Keys {
                prefix: settings.prefix.clone(),
                shards: settings.shards.max(1),
            },
            scripts: Scripts::default(),
            turns: Agenda::new(settings.shards, begin),
            sends: Agenda::new(settings.shards, begin),
            hints,
            publish,
            origin,
            met: OnceCell::new(),
            ahead_ms: AtomicI64::new(0),
            tails: Mutex::default(),
            wait_replicas: settings.wait_replicas,
            journal_max: settings.journal_max,
            records,
            link: Link::new(settings.clone()),
        });
        let stop = CancellationToken::new();
        tokio::spawn(hints::listen(Arc::downgrade(&inner), stop.clone()));
        tokio::spawn(hints::publish(Arc::downgrade(&inner), waiting));
        if inner.records.is_some() && settings.idle_ms > 0 {
            let idle = Arc::downgrade(&inner);
            tokio::spawn(away::run(idle, settings.idle_ms, stop.clone()));
        }
        let clock = Arc::downgrade(&inner);
        let stopped = stop.clone();
        tokio::spawn(async move {
            let mut often = tokio::time::interval(CLOCK_EVERY);
            // The first tick comes at once; meeting the server compares the clocks as well.
            often.tick().await;
            loop {
                tokio::select! {
                    _ = often.tick() => {}
                    () = stopped.cancelled() => return,
                }
                let Some(inner) = clock.upgrade() else { return };
                // The next comparison may succeed; until then the last one holds.
                let _ = inner.compare_clocks().await;
            }
        });
        Self {
            inner,
            _stop: stop.drop_guard(),
        }
    }

    /// Connects and looks whether the server fits: version, number of shards, clock.
    pub async fn meet(&self) -> Result<(), StoreError> {
        self.inner.meet().await
    }

    /// Everything of a conversation that is in Redis, but for its entries in the journal.
    pub async fn whole(&self, conversation: &str) -> Result<Option<Whole>, StoreError> {
        self.inner.whole(conversation).await
    }

    /// Puts a conversation of another store there; false if it is there already, or put away.
    pub async fn restore(&self, whole: &Whole, now_ms: i64) -> Result<bool, StoreError> {
        Ok(self.inner.put_back(whole, None, now_ms).await? == "back")
    }

    /// Puts away in the records what nobody has changed since a time: how many conversations left.
    pub async fn put_away(&self, quiet_since_ms: i64) -> Result<usize, StoreError> {
        self.inner.put_away(quiet_since_ms).await
    }
}

impl StateStore for State {
    fn accept(&self, mail: NewMail) -> Step<'_, Accepted> {
        Box::pin(self.inner.accept(mail))
    }

    fn claim_turns(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<TurnClaim>> {
        Box::pin(self.inner.claim_turns(now_ms, lease_ms, max))
    }

    fn commit(&self, commit: Commit) -> Step<'_, Committed> {
        Box::pin(self.inner.commit(commit))
    }

    fn claim_sends(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<SendClaim>> {
        Box::pin(self.inner.claim_sends(now_ms, lease_ms, max))
    }

    fn settle(&self, settle: Settle) -> Step<'_, Settled> {
        Box::pin(self.inner.settle(settle))
    }

    fn extend(&self, queue: Queue, conversation: &str, token: u64, until_ms: i64) -> Step<'_, ()> {
        let conversation = conversation.to_owned();
        Box::pin(async move {
            self.inner
                .extend(queue, &conversation, token, until_ms)
                .await
        })
    }

    fn hasten(&self, conversation: &str, now_ms: i64) -> Step<'_, ()> {
        let conversation = conversation.to_owned();
        Box::pin(async move { self.inner.hasten(&conversation, now_ms).await })
    }

    fn epoch(&self, conversation: &str) -> Step<'_, u64> {
        let conversation = conversation.to_owned();
        Box::pin(async move { self.inner.epoch(&conversation).await })
    }

    fn outgoing(&self, conversation: &str, max: usize) -> Step<'_, Vec<Outgoing>> {
        let conversation = conversation.to_owned();
        Box::pin(async move { self.inner.outgoing(&conversation, max).await })
    }

    fn snapshot(&self, conversation: &str) -> Step<'_, Option<Snapshot>> {
        let conversation = conversation.to_owned();
        Box::pin(async move { self.inner.snapshot(&conversation).await })
    }

    fn log(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>> {
        let conversation = conversation.to_owned();
        Box::pin(async move { self.inner.log(&conversation, after_rev, max).await })
    }

    fn feed(&self, conversation: &str, after_seq: u64, max: usize) -> Step<'_, Vec<FeedItem>> {
        let conversation = conversation.to_owned();
        Box::pin(async move { self.inner.feed(&conversation, after_seq, max).await })
    }

    fn journals(&self) -> u32 {
        self.inner.keys.shards
    }

    fn journal(&self, journal: u32, max: usize) -> Step<'_, Vec<JournalEntry>> {
        Box::pin(self.inner.journal(journal, max))
    }

    fn trim_journal(&self, journal: u32, to_seq: u64) -> Step<'_, ()> {
        Box::pin(self.inner.trim_journal(journal, to_seq))
    }

    fn depth(&self) -> Step<'_, Depth> {
        Box::pin(self.inner.depth())
    }

    fn remember(&self, key: &str, value: &str, until_ms: i64) -> Step<'_, ()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        Box::pin(async move { self.inner.remember(&key, &value, until_ms).await })
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
        Box::pin(async move {
            let seen = seen.as_deref();
            self.inner
                .replace(&key, seen, &value, now_ms, until_ms)
                .await
        })
    }

    fn recall(&self, key: &str, now_ms: i64) -> Step<'_, Option<String>> {
        let key = key.to_owned();
        Box::pin(async move { self.inner.recall(&key, now_ms).await })
    }

    fn hold(&self, job: &str, holder: &str, now_ms: i64, until_ms: i64) -> Step<'_, Option<u64>> {
        let (job, holder) = (job.to_owned(), holder.to_owned());
        Box::pin(async move { self.inner.hold(&job, &holder, now_ms, until_ms).await })
    }

    fn release(&self, job: &str, holder: &str) -> Step<'_, ()> {
        let (job, holder) = (job.to_owned(), holder.to_owned());
        Box::pin(async move { self.inner.release(&job, &holder).await })
    }

    fn spend(&self, key: &str, rate: Rate, now_ms: i64) -> Step<'_, Spent> {
        let key = key.to_owned();
        Box::pin(async move { self.inner.spend(&key, rate, now_ms).await })
    }

    fn pointer(&self, name: &str) -> Step<'_, Option<Pointer>> {
        let name = name.to_owned();
        Box::pin(async move { self.inner.pointer(&name).await })
    }

    fn point(&self, name: &str, from: u64, to: &str) -> Step<'_, Option<u64>> {
        let (name, to) = (name.to_owned(), to.to_owned());
        Box::pin(async move { self.inner.point(&name, from, &to).await })
    }

    fn hints(&self) -> broadcast::Receiver<Hint> {
        self.inner.hints.subscribe()
    }

    fn hint(&self, hint: Hint) {
        let told = match &hint {
            Hint::Feed(id) => Some(Told::Feed(id.clone())),
            Hint::Typing(id) => Some(Told::Typing(id.clone())),
            Hint::Journal => Some(Told::Journal),
            Hint::Pointer => Some(Told::Pointer),
            Hint::Waiting(channel) => Some(Told::Waiting(channel.clone())),
            // Of a queue other replicas hear with the shard and the time, from the scripts.
            Hint::Turns | Hint::Sends => None,
        };
        // Neither nobody listening nor a full queue is a fault: hints may be lost.
        let _ = self.inner.hints.send(hint);
        if let Some(told) = told {
            let _ = self.inner.publish.try_send(told);
        }
    }

    fn ahead_ms(&self) -> i64 {
        self.inner.ahead_ms.load(Ordering::Relaxed)
    }
}
