//! One access token for any number of waiting sends, shared by all replicas.
//!
//! The token and its end lie in [`Keep`]; one replica asks while others wait for what it gets. Where the store is away, each process goes on with what it has and asks for itself, since sending must not stop for it.

use crate::Keep;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A token is used up to this long before its end, milliseconds; both it and its successor hold then.
const SPARE_MS: u64 = 300_000;
/// A token that ends sooner than the spare is used for this long all the same, milliseconds.
const USED_MS_MIN: u64 = 30_000;
/// Longest that a token is believed to last, milliseconds.
const USED_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// A fresh token is forced at most this often, milliseconds: WeChat takes twenty a day.
const FORCE_EVERY_MS: u64 = 90 * 60 * 1000;
/// After a failure nobody asks this long, milliseconds: those who waited for the first would all ask.
const FAILED_MS: u64 = 1_000;
/// How long a replica has the job of asking, milliseconds: longer than it may take.
const ASKING_MS: u64 = 10_000;
/// How long a caller waits for a token in all, milliseconds; the message that it is for has its own time after that.
const WAIT_MS: u64 = 8_000;
/// Between two looks at what another replica gets, milliseconds.
const LOOK_MS: u64 = 100;

/// A token as the platform gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    pub token: String,
    pub lasts: Duration,
}

/// What is known of one token. `E` says why there is none.
pub struct Access<E> {
    keep: Arc<dyn Keep>,
    name: String,
    late: E,
    wait: Duration,
    here: Mutex<Here<E>>,
}

/// What this process knows.
struct Here<E> {
    token: Option<Shared>,
    /// What the platform would not take.
    refused: Option<String>,
    forced_at_ms: Option<i64>,
    failed: Option<(E, i64)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shared {
    token: String,
    until_ms: i64,
}

impl<E: Clone + Send> Access<E> {
    /// `name` is that of the token among all that replicas share, and begins with the channel's; `late` is told where none came in time.
    pub fn new(keep: Arc<dyn Keep>, name: impl Into<String>, late: E) -> Self {
        Self {
            keep,
            name: name.into(),
            late,
            wait: Duration::from_millis(WAIT_MS),
            here: Mutex::new(Here {
                token: None,
                refused: None,
                forced_at_ms: None,
                failed: None,
            }),
        }
    }

    /// The token that holds; whoever comes while it is asked for gets the same.
    ///
    /// `ask` is given whether the platform is to make a new one though the old one holds; a platform that knows no such thing leaves it aside.
    pub async fn token<F>(&self, ask: impl Fn(bool) -> F + Send + Sync) -> Result<String, E>
    where
        F: Future<Output = Result<Granted, E>> + Send,
    {
        let found = async {
            let mut here = self.here.lock().await;
            self.found(&mut here, ask).await
        };
        tokio::time::timeout(self.wait, found)
            .await
            .unwrap_or_else(|_| Err(self.late.clone()))
    }

    /// The platform would not take this token. True where another may be had at once; false where the same one came again, so that only time helps.
    pub async fn refused(&self, token: &str) -> bool {
        let mut here = self.here.lock().await;
        if here.token.as_ref().is_none_or(|kept| kept.token != token) {
            return true;
        }
        here.token = None;
        here.refused.replace(token.to_owned()).as_deref() != Some(token)
    }

    async fn found<F>(
        &self,
        here: &mut Here<E>,
        ask: impl Fn(bool) -> F + Send + Sync,
    ) -> Result<String, E>
    where
        F: Future<Output = Result<Granted, E>> + Send,
    {
        loop {
            let now_ms = self.keep.now_ms();
            if let Some(kept) = here.token.as_ref().filter(|kept| now_ms < kept.until_ms) {
                return Ok(kept.token.clone());
            }
            if let Some((failed, at_ms)) = &here.failed
                && now_ms.abs_diff(*at_ms) < FAILED_MS
            {
                return Err(failed.clone());
            }
            here.token = self.recalled(here.refused.as_deref()).await;
            if here.token.is_some() {
                continue;
            }
            if let Ok(false) = self.keep.hold(&self.name, ASKING_MS).await {
                tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
                continue;
            }
            // Whoever had the job before may have kept one since the last look.
            here.token = self.recalled(here.refused.as_deref()).await;
            if here.token.is_some() {
                self.keep.release(&self.name).await;
                continue;
            }
            return self.asked(here, ask).await;
        }
    }

    async fn asked<F>(
        &self,
        here: &mut Here<E>,
        ask: impl Fn(bool) -> F + Send + Sync,
    ) -> Result<String, E>
    where
        F: Future<Output = Result<Granted, E>> + Send,
    {
        let mut granted = ask(false).await;
        // The same again, though it was refused: another system of the shop may have spoilt it.
        let is_spoilt = granted
            .as_ref()
            .is_ok_and(|granted| here.refused.as_ref() == Some(&granted.token));
        if is_spoilt && self.may_force(here).await {
            granted = ask(true).await;
        }
        match granted {
            Ok(granted) => {
                here.failed = None;
                let kept = self.kept(granted).await;
                self.keep.release(&self.name).await;
                let token = kept.token.clone();
                here.token = Some(kept);
                Ok(token)
            }
            Err(failed) => {
                // The job is kept for as long, so that no other replica asks either.
                let _ = self.keep.hold(&self.name, FAILED_MS).await;
                here.failed = Some((failed.clone(), self.keep.now_ms()));
                Err(failed)
            }
        }
    }

    /// Another replica's token, unless it is the one that was refused.
    async fn recalled(&self, refused: Option<&str>) -> Option<Shared> {
        let kept = self.keep.recall(&self.name).await.ok()??;
        // What cannot be read is of another version.
        let kept: Shared = serde_json::from_str(&kept).ok()?;
        let is_good = kept.until_ms > self.keep.now_ms() && refused != Some(&kept.token);
        is_good.then_some(kept)
    }

    async fn kept(&self, granted: Granted) -> Shared {
        let lasts_ms = u64::try_from(granted.lasts.as_millis()).unwrap_or(USED_MS_MAX);
        let used_ms = lasts_ms
            .saturating_sub(SPARE_MS)
            .clamp(USED_MS_MIN, USED_MS_MAX);
        let kept = Shared {
            token: granted.token,
            until_ms: self.in_ms(used_ms),
        };
        if let Ok(text) = serde_json::to_string(&kept) {
            // Unkept, the other replicas ask for themselves.
            let _ = self.keep.remember(&self.name, &text, kept.until_ms).await;
        }
        kept
    }

    /// Counted over all replicas, and in this process where the store is away.
    async fn may_force(&self, here: &mut Here<E>) -> bool {
        let now_ms = self.keep.now_ms();
        let recently = |at_ms: i64| now_ms.abs_diff(at_ms) < FORCE_EVERY_MS;
        if here.forced_at_ms.is_some_and(recently) {
            return false;
        }
        let key = format!("{}:forced", self.name);
        if let Ok(Some(_)) = self.keep.recall(&key).await {
            return false;
        }
        here.forced_at_ms = Some(now_ms);
        let until_ms = self.in_ms(FORCE_EVERY_MS);
        let _ = self
            .keep
            .remember(&key, &now_ms.to_string(), until_ms)
            .await;
        true
    }

    fn in_ms(&self, ms: u64) -> i64 {
        self.keep.now_ms().saturating_add_unsigned(ms)
    }
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
