//! What came in on all accounts, page by page: one replica asks, and a callback to any of them says where something waits.
//!
//! The cursor names for each account how far it was read. A callback's note counts until its account was read to the end, so a kill between the two costs a page read twice and nothing else.

use super::client::Page;
use super::outcome::{Failed, code, told, wait_ms};
use super::page::{Then, nothing, read_page};
use super::session::State;
use super::{WeCom, waiting_key};
use crate::{Asking, PullError, Pulled, Source, Unkept};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Accounts that are read; a shop has a few.
const ACCOUNTS_MAX: usize = 100;
/// How often the accounts are listed anew, milliseconds, and at least between two lists.
const LIST_EVERY_MS: i64 = 300_000;
const LIST_AGAIN_MS: i64 = 10_000;
/// How often an account is read though no callback came, milliseconds: one may have been lost.
const POLL_MS: i64 = 30_000;
/// Rest after a pull that gave nothing, milliseconds.
const REST_MS: u64 = 500;
/// Wait after a pull that failed in a way that time helps, milliseconds.
const RETRY_MS: u64 = 1_000;
/// New conversations that are taken for the agent after one page, and how long that may take; the rest are taken when they are answered.
const TAKEN_MAX: usize = 16;
const TAKING: Duration = Duration::from_secs(5);
/// What customers said so long before the shop was first connected is not answered any more, milliseconds: others have answered it, or nobody waits for it.
const ANSWERED_MS: i64 = 5 * 60 * 1000;
/// How long the time of the first connection is known, milliseconds: longer than WeCom keeps messages, which is three days.
const FIRST_KEPT_MS: u64 = 4 * 24 * 60 * 60 * 1000;
/// How long it is known that a callback's note was followed, milliseconds: longer than the note is kept.
const FOLLOWED_KEPT_MS: u64 = 20 * 60 * 1000;

/// What the replica that reads knows of the accounts.
#[derive(Default)]
pub(super) struct Reading {
    accounts: BTreeSet<String>,
    listed_at_ms: Option<i64>,
    polled_at_ms: BTreeMap<String, i64>,
    /// Accounts with something to read, and the note that said so; empty where a poll found more.
    waiting: BTreeMap<String, String>,
    /// The newest callback that was looked at.
    newest: Option<String>,
    /// Whose turn it was.
    last: String,
}

impl Source for WeCom {
    fn pull<'a>(
        &'a self,
        cursor: Option<&'a str>,
        now_ms: i64,
    ) -> Asking<'a, Result<Pulled, PullError>> {
        Box::pin(self.pulled(cursor, now_ms))
    }

    fn rest_ms(&self) -> u64 {
        REST_MS
    }

    fn confirm<'a>(&'a self, pulled: &'a Pulled) -> Asking<'a, ()> {
        Box::pin(async move {
            let mut to_take = Vec::new();
            for then in &pulled.to_confirm {
                match serde_json::from_str(then) {
                    Ok(Then::Read { account, note }) => self.read_to_the_end(account, note).await,
                    Ok(Then::Told { place }) => self.is_told(&place).await,
                    Ok(Then::Take { place }) => to_take.push(place),
                    Ok(Then::CameBack { place }) => self.sessions.forget_came_back(&place).await,
                    // Only this module writes them.
                    Err(_) => {}
                }
            }
            let taking = async {
                for place in to_take.iter().take(TAKEN_MAX) {
                    // What does not work now is done again before the first send.
                    let _ = self.sessions.open(place).await;
                }
            };
            let _ = tokio::time::timeout(TAKING, taking).await;
        })
    }
}

impl WeCom {
    async fn pulled(&self, cursor: Option<&str>, now_ms: i64) -> Result<Pulled, PullError> {
        // What cannot be read is of another version: everything that is still there is read again, and known by its ids.
        let mut cursors: BTreeMap<String, String> = cursor
            .and_then(|cursor| serde_json::from_str(cursor).ok())
            .unwrap_or_default();
        let mut reading = self.reading.lock().await;
        reading.accounts.extend(cursors.keys().cloned());
        self.look_for_callbacks(&mut reading, now_ms)
            .await
            .map_err(unkept)?;
        self.list_accounts(&mut reading, now_ms).await?;
        let Some(account) = reading.next(now_ms) else {
            return Ok(nothing());
        };
        // Who receives may have come; what does not work now is done at the next look.
        let waiting = self.sessions.hand_off_waiting(&account);
        let _ = tokio::time::timeout(TAKING, waiting).await;
        // Whatever becomes of it, the next turn is another's.
        reading.last.clone_from(&account);
        let note = reading.waiting.get(&account).cloned().unwrap_or_default();
        let before = cursors.get(&account).map(String::as_str);
        let from_ms = self.answered_from_ms(&account, before.is_none(), now_ms);
        let from_ms = from_ms.await.map_err(unkept)?;
        let page = match self.page(&account, before, &note).await {
            Ok(page) => page,
            Err(Failed::Refused { code, reason }) if code == code::NO_SUCH_ACCOUNT => {
                reading.accounts.remove(&account);
                reading.waiting.remove(&account);
                cursors.remove(&account);
                return Ok(Pulled {
                    unread: vec![format!("an account is not there any more: {code} {reason}")],
                    cursor: serde_json::to_string(&cursors).ok(),
                    ..nothing()
                });
            }
            // That one account: the others are read all the same, and it again after a while or a callback, with whose token more may be asked.
            Err(failed @ (Failed::Refused { .. } | Failed::TooLong)) => {
                reading.waiting.remove(&account);
                let wait_ms = wait_ms(&failed).unwrap_or_default();
                let polled_at_ms = now_ms.saturating_add_unsigned(wait_ms);
                reading.polled_at_ms.insert(account, polled_at_ms);
                let (why, advice) = told(&failed);
                return Ok(Pulled {
                    unread: vec![format!("{why}; {advice}")],
                    ..nothing()
                });
            }
            Err(failed) => return Err(failed_to_pull(&failed)),
        };
        let moved = !page.next_cursor.is_empty() && before != Some(&page.next_cursor);
        let mut pulled = read_page(&self.sessions, &account, &page, from_ms)
            .await
            .map_err(unkept)?;
        match page.has_more {
            true if !moved => {
                return Err(PullError::Later {
                    wait_ms: RETRY_MS,
                    why: "WeCom says that there is more, and does not give it".to_owned(),
                });
            }
            true => {
                reading.waiting.entry(account.clone()).or_default();
            }
            false => pulled.then(&Then::Read {
                account: account.clone(),
                note,
            }),
        }
        if moved {
            cursors.insert(account.clone(), page.next_cursor);
        }
        let others = reading.waiting.keys().any(|other| *other != account);
        if moved || others || !pulled.arrivals.is_empty() {
            // Names and cursors always have a JSON form.
            pulled.cursor = serde_json::to_string(&cursors).ok();
        }
        Ok(pulled)
    }

    /// Looks for what callbacks to any replica have left.
    async fn look_for_callbacks(&self, reading: &mut Reading, now_ms: i64) -> Result<(), Unkept> {
        let newest = self.keep.recall(&waiting_key("")).await?;
        if newest == reading.newest {
            return Ok(());
        }
        if let Some(account) = newest.as_deref().and_then(|note| note.split(' ').next())
            && !reading.accounts.contains(account)
        {
            reading.accounts.insert(account.to_owned());
            // A new one: there may be others.
            reading.listed_at_ms = reading
                .listed_at_ms
                .map(|at_ms| at_ms.min(now_ms - LIST_EVERY_MS + LIST_AGAIN_MS));
        }
        for account in reading.accounts.clone() {
            if let Some(note) = self.keep.recall(&waiting_key(&account)).await? {
                let followed = self.keep.recall(&followed_key(&account)).await?;
                if followed.as_ref() != Some(&note) {
                    reading.waiting.insert(account, note);
                }
            }
        }
        reading.newest = newest;
        Ok(())
    }

    async fn list_accounts(&self, reading: &mut Reading, now_ms: i64) -> Result<(), PullError> {
        let is_fresh = |at_ms: i64| now_ms.saturating_sub(at_ms) < LIST_EVERY_MS;
        if reading.listed_at_ms.is_some_and(is_fresh) {
            return Ok(());
        }
        match self.sessions.api.accounts().await {
            Ok(listed) => {
                let ids = listed.into_iter().map(|account| account.open_kfid);
                reading.accounts.extend(ids.take(ACCOUNTS_MAX));
                reading.listed_at_ms = Some(now_ms);
                Ok(())
            }
            Err(failed) if reading.accounts.is_empty() => Err(failed_to_pull(&failed)),
            // Those that are known can be read all the same.
            Err(_) => {
                reading.listed_at_ms = Some(now_ms - LIST_EVERY_MS + LIST_AGAIN_MS);
                Ok(())
            }
        }
    }

    async fn page(&self, account: &str, cursor: Option<&str>, note: &str) -> Result<Page, Failed> {
        let api = &self.sessions.api;
        let token = note.split(' ').nth(1);
        match api.page(account, cursor, token).await {
            // Its ten minutes are over; what it told of is still there.
            Err(Failed::Refused { code, .. }) if code == code::BAD_PULL_TOKEN => {
                api.page(account, cursor, None).await
            }
            page => page,
        }
    }

    /// From when on what customers say on an account is answered: known over kills, until what was there at the first connection is gone from WeCom.
    async fn answered_from_ms(
        &self,
        account: &str,
        is_first: bool,
        now_ms: i64,
    ) -> Result<i64, Unkept> {
        let key = format!("wecom:first:{account}");
        let kept = self.keep.recall(&key).await?;
        let kept = kept.and_then(|kept| kept.parse::<i64>().ok());
        match kept {
            Some(first_ms) => Ok(first_ms.saturating_sub(ANSWERED_MS)),
            None if is_first => {
                let until_ms = now_ms.saturating_add_unsigned(FIRST_KEPT_MS);
                self.keep
                    .remember(&key, &now_ms.to_string(), until_ms)
                    .await?;
                Ok(now_ms.saturating_sub(ANSWERED_MS))
            }
            None => Ok(i64::MIN),
        }
    }

    async fn read_to_the_end(&self, account: String, note: String) {
        let mut reading = self.reading.lock().await;
        let now_ms = self.keep.now_ms();
        reading.polled_at_ms.insert(account.clone(), now_ms);
        if reading
            .waiting
            .get(&account)
            .is_some_and(|now| *now == note)
        {
            reading.waiting.remove(&account);
        }
        if !note.is_empty() {
            let until_ms = now_ms.saturating_add_unsigned(FOLLOWED_KEPT_MS);
            // Unkept, whoever reads next finds nothing new.
            let key = followed_key(&account);
            let _ = self.keep.remember(&key, &note, until_ms).await;
        }
    }

    async fn is_told(&self, place: &str) {
        if let Ok(Some(state)) = self.sessions.state(place).await {
            let state = State {
                told: true,
                ..state
            };
            // Unkept, it is told once more, which changes nothing.
            let _ = self.sessions.keep_state(place, &state).await;
        }
    }
}

impl Reading {
    /// The account to read: the next one behind the last with something waiting, else one that was not read for long.
    fn next(&self, now_ms: i64) -> Option<String> {
        let is_due = |account: &&String| {
            let polled = self.polled_at_ms.get(*account);
            polled.is_none_or(|at_ms| now_ms.saturating_sub(*at_ms) >= POLL_MS)
        };
        let waiting: Vec<&String> = self.waiting.keys().collect();
        let due: Vec<&String> = self.accounts.iter().filter(is_due).collect();
        let behind = |found: Vec<&String>| {
            let next = found.iter().find(|account| ***account > self.last);
            next.or(found.first()).map(|account| (*account).clone())
        };
        behind(waiting).or_else(|| behind(due))
    }
}

fn unkept(error: Unkept) -> PullError {
    PullError::Later {
        wait_ms: RETRY_MS,
        why: error.to_string(),
    }
}

fn failed_to_pull(failed: &Failed) -> PullError {
    let (why, advice) = told(failed);
    match wait_ms(failed) {
        Some(wait_ms) => PullError::Later { wait_ms, why },
        None => PullError::Stopped {
            why: format!("{why}; {advice}"),
        },
    }
}

fn followed_key(account: &str) -> String {
    format!("wecom:followed:{account}")
}
