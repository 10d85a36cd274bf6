//! What the replicas of a shop know of a channel together: small facts, and which of them does something.
//!
//! A channel is given one when it is made. Access tokens, cursors and what was met lie there, so that a platform is asked once, not once by each replica.

use crate::Asking;
use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Times are milliseconds since 1970, by the clock that all replicas share.
pub trait Keep: Send + Sync {
    fn now_ms(&self) -> i64;

    /// Keeps a fact until a time; a repetition replaces it. The key begins with the channel's name.
    fn remember<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<(), Unkept>>;

    fn recall<'a>(&'a self, key: &'a str) -> Asking<'a, Result<Option<String>, Unkept>>;

    /// Keeps a fact unless another is kept under its key: true where this is the one that is kept, then and whenever it is asked again.
    fn keep_first<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<bool, Unkept>>;

    /// True for one replica at a time, which has the job for so long; asked again, it keeps it.
    fn hold<'a>(&'a self, job: &'a str, for_ms: u64) -> Asking<'a, Result<bool, Unkept>>;

    /// Lets a job go before its time; of a job that another has, nothing.
    fn release<'a>(&'a self, job: &'a str) -> Asking<'a, ()>;
}

/// The store does not answer; what was asked may or may not have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the replicas share cannot be reached")]
pub struct Unkept;

/// Kept in this process alone: for one that looks at a channel without serving it.
#[derive(Debug, Default)]
pub struct KeptHere {
    facts: Mutex<BTreeMap<String, (String, i64)>>,
}

impl KeptHere {
    fn facts(&self) -> MutexGuard<'_, BTreeMap<String, (String, i64)>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keep for KeptHere {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    fn remember<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<(), Unkept>> {
        let fact = (value.to_owned(), until_ms);
        self.facts().insert(key.to_owned(), fact);
        Box::pin(ready(Ok(())))
    }

    fn recall<'a>(&'a self, key: &'a str) -> Asking<'a, Result<Option<String>, Unkept>> {
        let now_ms = self.now_ms();
        let found = self
            .facts()
            .get(key)
            .filter(|(_, until_ms)| *until_ms > now_ms)
            .map(|(value, _)| value.clone());
        Box::pin(ready(Ok(found)))
    }

    fn keep_first<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<bool, Unkept>> {
        let now_ms = self.now_ms();
        let mut facts = self.facts();
        let kept = facts.get(key).filter(|(_, until_ms)| *until_ms > now_ms);
        let is_first = kept.is_none_or(|(kept, _)| kept == value);
        if kept.is_none() {
            facts.insert(key.to_owned(), (value.to_owned(), until_ms));
        }
        Box::pin(ready(Ok(is_first)))
    }

    fn hold<'a>(&'a self, _job: &'a str, _for_ms: u64) -> Asking<'a, Result<bool, Unkept>> {
        Box::pin(ready(Ok(true)))
    }

    fn release<'a>(&'a self, _job: &'a str) -> Asking<'a, ()> {
        Box::pin(ready(()))
    }
}
