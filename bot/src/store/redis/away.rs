//! Conversations that nobody has written in for long: each leaves Redis as one document in the records, and comes back when somebody asks for it.
//!
//! In Redis stays a mark of it with the age of its document (some ten bytes), so that nobody who was here before begins anew, and nobody new needs the records.

use super::feed::{Block, split};
use super::keys::away_of;
use super::link::Again;
use super::pack::{pack, unpack};
use super::steps::Answer;
use super::wire::{self, Head, broken};
use super::{Inner, faults::unavailable};
use crate::store::whole::{
    self, MARK_BYTES, Whole, WholeItem, WholeLetter, WholeOut, mark_bytes, mark_text,
};
use crate::store::{NewOut, Queue, RecordStore, StoreError};
use crate::telemetry::metrics::{CONVERSATIONS_PUT_AWAY, CONVERSATIONS_RETURNED};
use futures_util::future::join_all;
use std::sync::Weak;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The job of one replica, and how long it keeps it without a look, milliseconds.
const JOB: &str = "put-away";
const JOB_MS: u64 = 15_000;
/// How often quiet conversations are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Quiet conversations of a shard that leave in one look.
const LEAVING_MAX: usize = 64;
/// Conversations on their way at once.
const LEAVING_AT_ONCE: usize = 8;
/// Times that a document is read again because the conversation moved meanwhile.
const RETURN_TRIES: usize = 4;

/// What became of a quiet conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Left,
    /// Something is due, or it changed while its document was written.
    Stays,
}

impl Inner {
    /// Everything of a conversation, in one look; `None` if it is not in Redis.
    pub(super) async fn whole(&self, id: &str) -> Result<Option<Whole>, StoreError> {
        self.meet().await?;
        Ok(self.look(id).await?.map(|(whole, _)| whole))
    }

    /// The document and the head's line that it was made from.
    async fn look(&self, id: &str) -> Result<Option<(Whole, Vec<u8>)>, StoreError> {
        let key = self.keys.conversation(id);
        let answer = self
            .link
            .run(&self.scripts.whole, &key, 0, Again::Once, |command| {
                command
                    .arg(4)
                    .arg(&key)
                    .arg(self.keys.letters(id))
                    .arg(self.keys.outgoing(id))
                    .arg(self.keys.feed(id));
            })
            .await?;
        if matches!(&answer, redis::Value::Array(values) if values.is_empty()) {
            return Ok(None);
        }
        let mut answer = Answer::of(answer)?;
        let line: Vec<u8> = answer.next()?;
        let head = Head::read(&line)?;
        let state: Vec<u8> = answer.next()?;
        let marks: Vec<u8> = answer.next()?;
        let feed: Vec<u8> = answer.next()?;
        let letters: Vec<Vec<u8>> = answer.next()?;
        let out: Vec<Vec<u8>> = answer.next()?;
        let state = match state.is_empty() {
            true => None,
            false => Some(unpack(&state)?),
        };
        let letters = letters
            .into_iter()
            .map(|bytes| {
                let letter = wire::read_letter(0, bytes)?;
                Ok(WholeLetter {
                    event_id: letter.event_id,
                    at_ms: letter.at_ms,
                    body: letter.body,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        let out = out
            .into_iter()
            .map(|bytes| {
                let out = wire::read_outgoing(bytes)?;
                Ok(WholeOut {
                    seq: out.seq,
                    id: out.id,
                    epoch: out.epoch,
                    bot: out.bot,
                    body: out.body,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        let mut items = Vec::new();
        for block in split(&feed)? {
            let block = Block::read(block)?.items.into_iter();
            items.extend(block.map(|(event, data)| WholeItem { event, data }));
        }
        let whole = Whole {
            version: whole::VERSION,
            conversation: id.to_owned(),
            counters: head.counters,
            state,
            unread_since_ms: head.unread_since_ms,
            wake_at_ms: head.wake_at_ms,
            letters,
            out,
            feed: items,
            seen: marks.chunks_exact(MARK_BYTES).map(mark_text).collect(),
        };
        Ok(Some((whole, line)))
    }

    /// Puts a conversation there, unless it is there already or put away. What has an age comes back from being put away.
    pub(super) async fn put_back(
        &self,
        whole: &Whole,
        age: Option<u64>,
        now_ms: i64,
    ) -> Result<String, StoreError> {
        self.meet().await?;
        let id = whole.conversation.as_str();
        let shard = self.keys.shard(id);
        let key = self.keys.conversation(id);
        let counters = &whole.counters;
        let state = match &whole.state {
            Some(state) => pack(state.as_bytes())?,
            None => Vec::new(),
        };
        let mut string = Head::of(whole, state.len())
            .line()
            .ok_or_else(|| broken("head"))?;
        string.extend(state);
        for mark in &whole.seen {
            string.extend(mark_bytes(mark).ok_or_else(|| broken("mark"))?);
        }
        let letters = whole
            .letters
            .iter()
            .map(|letter| wire::letter(&letter.event_id, letter.at_ms, &letter.body));
        let letters: Vec<Vec<u8>> = letters.collect();
        let out = whole.out.iter().map(|out| {
            let text = wire::outgoing(&NewOut {
                id: out.id.clone(),
                epoch: out.epoch,
                bot: out.bot,
                body: out.body.clone(),
            });
            [format!("{} ", out.seq).into_bytes(), text].concat()
        });
        let out: Vec<Vec<u8>> = out.collect();
        let items: Vec<(String, String)> = whole
            .feed
            .iter()
            .map(|item| (item.event.clone(), item.data.clone()))
            .collect();
        let feed = Block::all(counters.last_feed, items)?;
        let turn_due = match whole.letters.is_empty() {
            true => whole.wake_at_ms.unwrap_or(0),
            false => now_ms,
        };
        let send_due = if whole.out.is_empty() { 0 } else { now_ms };
        let (mark, _) = away_of(id);
        let answer = self
            .link
            .run(
                &self.scripts.return_,
                &key,
                self.wait_replicas,
                Again::Once,
                |command| {
                    self.keys_of(command, id);
                    command
                        .arg(id)
                        .arg(&mark)
                        .arg(age.map_or(String::new(), |age| age.to_string()))
                        .arg(&string)
                        .arg(&feed)
                        .arg(now_ms)
                        .arg(turn_due)
                        .arg(send_due);
                    self.told_by(command, shard);
                    command.arg(letters.len());
                    for item in letters.iter().chain(&out) {
                        command.arg(item.as_slice());
                    }
                },
            )
            .await?;
        let word: String = Answer::of(answer)?.next()?;
        if word == "back" {
            self.hear_due(Queue::Turn, shard, turn_due);
            self.hear_due(Queue::Send, shard, send_due);
        }
        Ok(word)
    }

    /// What leaving and returning touch, in the scripts' order.
    fn keys_of(&self, command: &mut redis::Cmd, id: &str) {
        let shard = self.keys.shard(id);
        command
            .arg(8)
            .arg(self.keys.agenda(Queue::Turn, shard))
            .arg(self.keys.agenda(Queue::Send, shard))
            .arg(self.keys.conversation(id))
            .arg(self.keys.letters(id))
            .arg(self.keys.outgoing(id))
            .arg(self.keys.feed(id))
            .arg(self.keys.quiet(shard))
            .arg(self.keys.away(id));
    }

    /// Brings a conversation back that is put away; nothing for any other.
    pub(super) async fn bring_back(&self, id: &str) -> Result<(), StoreError> {
        let (mark, _) = away_of(id);
        for _ in 0..RETURN_TRIES {
            let mut get = redis::cmd("HGET");
            get.arg(self.keys.away(id)).arg(&mark);
            let Some(age) = self.link.ask::<Option<u64>>(&get).await? else {
                return Ok(());
            };
            let Some(records) = &self.records else {
                return Err(StoreError::Corrupt {
                    what: format!(
                        "{}: a conversation is put away in the records of another configuration; set records.url to the PostgreSQL that has it",
                        self.link.at()
                    ),
                });
            };
            let found = records.put_away_of(id).await?;
            // A newer document than the mark says is of what a failover took back in Redis; the step below looks at the mark again.
            let Some((_, body)) = found.filter(|(own, _)| *own >= age) else {
                // A backup of the records is older than Redis.
                continue;
            };
            let now_ms = self.now_ms();
            match self
                .put_back(&Whole::from_json(&body)?, Some(age), now_ms)
                .await?
                .as_str()
            {
                "back" => {
                    metrics::counter!(CONVERSATIONS_RETURNED).increment(1);
                    return Ok(());
                }
                "here" => return Ok(()),
                _ => {}
            }
        }
        Err(unavailable(format!(
            "{}: a conversation is put away and the records do not have it as it left; if they were restored from a backup, restore a newer one",
            self.link.at()
        )))
    }

    /// Puts away what was quiet since a time: how many left.
    pub(super) async fn put_away(&self, quiet_since_ms: i64) -> Result<usize, StoreError> {
        self.meet().await?;
        let mut left = 0;
        for shard in 0..self.keys.shards {
            let mut range = redis::cmd("ZRANGE");
            range
                .arg(self.keys.quiet(shard))
                .arg("-inf")
                .arg(quiet_since_ms)
                .arg("BYSCORE")
                .arg("LIMIT")
                .arg(0)
                .arg(LEAVING_MAX);
            let quiet: Vec<String> = self.link.ask(&range).await?;
            for some in quiet.chunks(LEAVING_AT_ONCE) {
                for leaving in join_all(some.iter().map(|id| self.leave(id))).await {
                    match leaving {
                        Ok(leaving) => left += usize::from(leaving == Leaving::Left),
                        // One that is broken keeps no other from leaving.
                        Err(error @ StoreError::Corrupt { .. }) => {
                            tracing::error!(%error, "a quiet conversation stays in Redis");
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(left)
    }

    async fn leave(&self, id: &str) -> Result<Leaving, StoreError> {
        let Some(records) = &self.records else {
            return Ok(Leaving::Stays);
        };
        let now_ms = self.now_ms();
        let (age, line) = match self.keep_document(records.as_ref(), id, now_ms).await {
            Ok(kept) => kept.unwrap_or_default(),
            // It stays, and is looked at again when it has been quiet for as long once more.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(conversation = id, %error, "a quiet conversation cannot be put away");
                Default::default()
            }
            Err(error) => return Err(error),
        };
        let key = self.keys.conversation(id);
        let (mark, _) = away_of(id);
        let answer = self
            .link
            .run(
                &self.scripts.leave,
                &key,
                self.wait_replicas,
                Again::Once,
                |command| {
                    self.keys_of(command, id);
                    command.arg(id).arg(&mark).arg(age).arg(&line).arg(now_ms);
                },
            )
            .await?;
        let word: String = Answer::of(answer)?.next()?;
        Ok(if word == "left" {
            metrics::counter!(CONVERSATIONS_PUT_AWAY).increment(1);
            Leaving::Left
        } else {
            Leaving::Stays
        })
    }

    /// Its document's age and the head's line that it was made from, if the records have it now.
    async fn keep_document(
        &self,
        records: &dyn RecordStore,
        id: &str,
        now_ms: i64,
    ) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let Some((whole, line)) = self.look(id).await? else {
            return Ok(None);
        };
        if !whole.letters.is_empty() || !whole.out.is_empty() {
            return Ok(None);
        }
        let age = whole.counters.age();
        if records.put_away(id, age, &whole.to_json()?, now_ms).await? {
            return Ok(Some((age, line)));
        }
        // Redis was set back to an older state; what the records have is newer and stays.
        tracing::warn!(
            conversation = id,
            "it stays in Redis: the records have a newer document of it"
        );
        Ok(None)
    }
}

/// Puts away what is quiet for so long, until the store is gone. One replica does it at a time, to write each document once; two at once are right as well.
pub(super) async fn run(inner: Weak<Inner>, after_ms: i64, stop: CancellationToken) {
    let mut wait = LOOK_EVERY;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = LOOK_EVERY;
        let Some(inner) = inner.upgrade() else { return };
        let now_ms = inner.now_ms();
        let until_ms = now_ms.saturating_add_unsigned(JOB_MS);
        let held = inner.hold(JOB, &inner.origin, now_ms, until_ms).await;
        if !matches!(held, Ok(Some(_))) {
            continue;
        }
        match inner.put_away(now_ms.saturating_sub(after_ms)).await {
            Ok(0) => {}
            Ok(left) => tracing::debug!(left, "quiet conversations were put away in the records"),
            Err(error) => {
                tracing::warn!(%error, "quiet conversations stay in Redis for now");
                // Another replica may reach the records where this one does not.
                let _ = inner.release(JOB, &inner.origin).await;
                wait = LOOK_EVERY * 3;
            }
        }
    }
}
