//! Faults of choice: around a real state store (lost lease renewals, a missing token check, a missing dedupe), and on the way to a server (`Wire`).

mod wire;

pub use wire::{Way, Wire};

use bot::store::{
    Accepted, Claimed, Commit, Committed, Depth, FeedItem, Hint, JournalEntry, LogEntry, NewMail,
    Outgoing, Pointer, Queue, Rate, SendClaim, Settle, Settled, Snapshot, Spent, StateStore, Step,
    StoreError, TurnClaim,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    Nothing,
    /// A commit with an old token is done all the same, as soon as somebody holds the conversation.
    Token,
    /// Every letter gets an id of its own, so a repetition is never noticed.
    Dedupe,
    /// The first try to settle what was sent does not reach the store.
    Settle,
}

pub struct Faulty<S: ?Sized> {
    pub store: Arc<S>,
    pub broken: Break,
    tokens: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Commits whose token was old.
    late: Mutex<BTreeMap<String, Commit>>,
    repeated: AtomicU64,
    /// What was tried to be settled once.
    tried: Mutex<BTreeSet<(String, u64)>>,
}

impl<S: ?Sized> Faulty<S> {
    pub fn new(store: Arc<S>, broken: Break) -> Self {
        Self {
            store,
            broken,
            tokens: Arc::default(),
            late: Mutex::default(),
            repeated: AtomicU64::new(0),
            tried: Mutex::default(),
        }
    }
}

impl<S: StateStore + ?Sized> StateStore for Faulty<S> {
    fn accept(&self, mut mail: NewMail) -> Step<'_, Accepted> {
        if self.broken == Break::Dedupe {
            let n = self.repeated.fetch_add(1, Ordering::Relaxed);
            mail.event_id = format!("{}#{}-{n}", mail.event_id, std::process::id());
        }
        self.store.accept(mail)
    }

    fn claim_turns(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<TurnClaim>> {
        Box::pin(async move {
            let claimed = self.store.claim_turns(now_ms, lease_ms, max).await?;
            for claim in &claimed.claims {
                let id = claim.conversation.clone();
                self.tokens.lock().unwrap().insert(id, claim.token);
                let late = self.late.lock().unwrap().remove(&claim.conversation);
                if let Some(mut late) = late {
                    late.token = claim.token;
                    self.store.commit(late).await?;
                }
            }
            Ok(claimed)
        })
    }

    fn commit(&self, commit: Commit) -> Step<'_, Committed> {
        let newest = {
            let tokens = self.tokens.lock().unwrap();
            tokens.get(&commit.conversation).copied()
        };
        if self.broken == Break::Token && newest.is_some_and(|newest| commit.token < newest) {
            let id = commit.conversation.clone();
            self.late.lock().unwrap().insert(id, commit);
            let done = Committed {
                rev: 0,
                more: false,
            };
            return Box::pin(std::future::ready(Ok(done)));
        }
        self.store.commit(commit)
    }

    fn claim_sends(&self, now_ms: i64, lease_ms: u64, max: usize) -> Step<'_, Claimed<SendClaim>> {
        self.store.claim_sends(now_ms, lease_ms, max)
    }

    fn settle(&self, settle: Settle) -> Step<'_, Settled> {
        let this = (settle.conversation.clone(), settle.token);
        if self.broken == Break::Settle && self.tried.lock().unwrap().insert(this) {
            let what = "the connection broke".to_owned();
            return Box::pin(std::future::ready(Err(StoreError::Unavailable { what })));
        }
        self.store.settle(settle)
    }

    /// Renewals of turns are lost, so that a slow turn outlives its lease.
    fn extend(&self, queue: Queue, conversation: &str, token: u64, until_ms: i64) -> Step<'_, ()> {
        match queue {
            Queue::Turn => Box::pin(std::future::ready(Ok(()))),
            Queue::Send => self.store.extend(queue, conversation, token, until_ms),
        }
    }

    fn hasten(&self, conversation: &str, now_ms: i64) -> Step<'_, ()> {
        self.store.hasten(conversation, now_ms)
    }

    fn epoch(&self, conversation: &str) -> Step<'_, u64> {
        self.store.epoch(conversation)
    }

    fn outgoing(&self, conversation: &str, max: usize) -> Step<'_, Vec<Outgoing>> {
        self.store.outgoing(conversation, max)
    }

    fn snapshot(&self, conversation: &str) -> Step<'_, Option<Snapshot>> {
        self.store.snapshot(conversation)
    }

    fn log(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>> {
        self.store.log(conversation, after_rev, max)
    }

    fn feed(&self, conversation: &str, after_seq: u64, max: usize) -> Step<'_, Vec<FeedItem>> {
        self.store.feed(conversation, after_seq, max)
    }

    fn journals(&self) -> u32 {
        self.store.journals()
    }

    fn journal(&self, journal: u32, max: usize) -> Step<'_, Vec<JournalEntry>> {
        self.store.journal(journal, max)
    }

    fn trim_journal(&self, journal: u32, to_seq: u64) -> Step<'_, ()> {
        self.store.trim_journal(journal, to_seq)
    }

    fn depth(&self) -> Step<'_, Depth> {
        self.store.depth()
    }

    fn remember(&self, key: &str, value: &str, until_ms: i64) -> Step<'_, ()> {
        self.store.remember(key, value, until_ms)
    }

    fn replace(
        &self,
        key: &str,
        seen: Option<&str>,
        value: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Step<'_, bool> {
        self.store.replace(key, seen, value, now_ms, until_ms)
    }

    fn recall(&self, key: &str, now_ms: i64) -> Step<'_, Option<String>> {
        self.store.recall(key, now_ms)
    }

    fn hold(&self, job: &str, holder: &str, now_ms: i64, until_ms: i64) -> Step<'_, Option<u64>> {
        self.store.hold(job, holder, now_ms, until_ms)
    }

    fn release(&self, job: &str, holder: &str) -> Step<'_, ()> {
        self.store.release(job, holder)
    }

    fn spend(&self, key: &str, rate: Rate, now_ms: i64) -> Step<'_, Spent> {
        self.store.spend(key, rate, now_ms)
    }

    fn pointer(&self, name: &str) -> Step<'_, Option<Pointer>> {
        self.store.pointer(name)
    }

    fn point(&self, name: &str, from: u64, to: &str) -> Step<'_, Option<u64>> {
        self.store.point(name, from, to)
    }

    fn hints(&self) -> tokio::sync::broadcast::Receiver<Hint> {
        self.store.hints()
    }

    fn hint(&self, hint: Hint) {
        self.store.hint(hint);
    }

    fn ahead_ms(&self) -> i64 {
        self.store.ahead_ms()
    }
}
