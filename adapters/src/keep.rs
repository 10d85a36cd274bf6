//! What the replicas of a shop know of a channel together: small facts, and which of them does something.
//!
//! A channel is given one when it is made. Access tokens, cursors and what was met lie there, so that a platform is asked once, not once by each replica.

use crate::Asking;
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;

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

/// How long a change of what replicas share may take, milliseconds; looks of another that wants to make one, and the wait before each: a delivery waits three seconds for its answer.
const CHANGING_MS: u64 = 1_000;
const CHANGE_LOOKS: usize = 30;
const CHANGE_LOOK: Duration = Duration::from_millis(50);

/// Reads, changes and writes a fact while nobody else does: `turn` keeps others of this process away, since a job that a process has is given to it again.
pub(crate) async fn alone<T>(
    keep: &dyn Keep,
    turn: &Mutex<()>,
    job: &str,
    change: impl Future<Output = Result<T, Unkept>> + Send,
) -> Result<T, Unkept> {
    let _turn = turn.lock().await;
    for _ in 0..CHANGE_LOOKS {
        if keep.hold(job, CHANGING_MS).await? {
            let changed = change.await;
            keep.release(job).await;
            return changed;
        }
        tokio::time::sleep(CHANGE_LOOK).await;
    }
    Err(Unkept)
}

/// The store does not answer; what was asked may or may not have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the replicas share cannot be reached")]
pub struct Unkept;

/// Kept in this process alone: for one that looks at a channel without serving it.
#[derive(Debug, Default)]
pub struct KeptHere {
    facts: std::sync::Mutex<BTreeMap<String, (String, i64)>>,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn changes_of_one_process_do_not_overwrite_each_other() {
        let (keep, turn) = (KeptHere::default(), Mutex::default());
        let until_ms = keep.now_ms() + 60_000;
        let add = async |letter: &str| {
            let added = async {
                let before = keep.recall("list").await?.unwrap_or_default();
                // Others get to run between the two.
                tokio::task::yield_now().await;
                let after = before + letter;
                keep.remember("list", &after, until_ms).await
            };
            alone(&keep, &turn, "adding", added).await.unwrap();
        };
        tokio::join!(add("a"), add("b"), add("c"));
        assert_eq!(keep.recall("list").await.unwrap().unwrap().len(), 3);
    }
}
