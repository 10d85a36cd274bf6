//! Claiming: the due shards in turn, a few conversations of each.

use super::link::Again;
use super::pack::unpack;
use super::steps::{Answer, SENDS_MAX, SENDS_WINDOW, word};
use super::wire::{Head, read_letter, read_outgoing};
use super::{Agenda, Inner};
use crate::store::{Claimed, LETTERS_MAX, Queue, SendClaim, StoreError, TurnClaim};
use futures_util::future::join_all;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

/// Shards asked at once.
const VISITS_AT_ONCE: usize = 16;
/// Conversations claimed in one call.
const CLAIMS_MAX: usize = 256;
/// Ends of feeds kept between claiming and settling; one that is gone is read again.
const TAILS_MAX: usize = 512;

/// The end of a conversation's feed, as it was when its messages were claimed.
pub(super) struct Tail {
    pub epoch: u64,
    pub last_feed: u64,
    pub block: Option<Vec<u8>>,
}

#[derive(Default)]
pub(super) struct Tails(BTreeMap<String, (u64, Tail)>);

impl Tails {
    fn put(&mut self, id: &str, token: u64, tail: Tail) {
        if self.0.len() >= TAILS_MAX {
            self.0.pop_first();
        }
        self.0.insert(id.to_owned(), (token, tail));
    }

    pub(super) fn take(&mut self, id: &str, token: u64) -> Option<Tail> {
        let (own, tail) = self.0.remove(id)?;
        (own == token).then_some(tail)
    }
}

/// What a claim of either queue is made of.
struct Raw {
    id: String,
    head: Head,
    second: Vec<u8>,
    items: Vec<Vec<u8>>,
}

impl Inner {
    pub(super) fn tails(&self) -> MutexGuard<'_, Tails> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn claim_turns(
        &self,
        now_ms: i64,
        lease_ms: u64,
        max: usize,
    ) -> Result<Claimed<TurnClaim>, StoreError> {
        let found = self.claim(Queue::Turn, now_ms, lease_ms, max).await?;
        let claims = readable(found, turn_of);
        Ok(Claimed {
            claims,
            next_due_ms: self.turns.next_due(),
        })
    }

    pub(super) async fn claim_sends(
        &self,
        now_ms: i64,
        lease_ms: u64,
        max: usize,
    ) -> Result<Claimed<SendClaim>, StoreError> {
        let found = self.claim(Queue::Send, now_ms, lease_ms, max).await?;
        let claims = readable(found, |raw| self.send_of(raw));
        Ok(Claimed {
            claims,
            next_due_ms: self.sends.next_due(),
        })
    }

    /// A share of the free places for each due shard, until the places or the shards are used up.
    async fn claim(
        &self,
        queue: Queue,
        now_ms: i64,
        lease_ms: u64,
        max: usize,
    ) -> Result<Vec<Raw>, StoreError> {
        self.meet().await?;
        let max = max.min(CLAIMS_MAX);
        let agenda = match queue {
            Queue::Turn => &self.turns,
            Queue::Send => &self.sends,
        };
        let mut left = VecDeque::from(agenda.to_look_at(now_ms, Instant::now()));
        let mut claims = Vec::new();
        let mut failure = None;
        // Each round claims something or takes shards out, so it ends.
        while claims.len() < max && !left.is_empty() {
            let free = max - claims.len();
            let group: Vec<u32> = left
                .drain(..left.len().min(free).min(VISITS_AT_ONCE))
                .collect();
            let share = (free / group.len().max(1)).max(1);
            let visits = group
                .iter()
                .map(|shard| self.visit(agenda, queue, *shard, now_ms, lease_ms, share));
            for (shard, visited) in group.iter().zip(join_all(visits).await) {
                match visited {
                    Ok((found, more)) => {
                        if more && !found.is_empty() {
                            left.push_back(*shard);
                        }
                        claims.extend(found);
                    }
                    Err(error) => failure = Some(error),
                }
            }
        }
        match failure {
            // A part of a cluster that is away does not keep the rest from being served.
            Some(error) if claims.is_empty() && !agenda.answers(Instant::now()) => Err(error),
            Some(error) => {
                tracing::debug!(%error, "a shard does not answer");
                Ok(claims)
            }
            None => Ok(claims),
        }
    }

    /// What was claimed of a shard, and whether more of it is due.
    async fn visit(
        &self,
        agenda: &Agenda,
        queue: Queue,
        shard: u32,
        now_ms: i64,
        lease_ms: u64,
        share: usize,
    ) -> Result<(Vec<Raw>, bool), StoreError> {
        agenda.begin(shard, Instant::now());
        let mut first = redis::cmd("ZRANGE");
        first
            .arg(self.keys.agenda(queue, shard))
            .arg(0)
            .arg(share)
            .arg("WITHSCORES");
        let entries: Vec<(String, f64)> = match self.link.ask(&first).await {
            Ok(entries) => entries,
            Err(error) => {
                agenda.failed(shard);
                return Err(error);
            }
        };
        // Milliseconds are whole and far below what a double holds exactly.
        let is_due = |at: &f64| *at as i64 <= now_ms;
        let due: Vec<&String> = entries
            .iter()
            .take(share)
            .take_while(|(_, at)| is_due(at))
            .map(|(id, _)| id)
            .collect();
        let next = entries.get(due.len()).map(|(_, at)| *at as i64);
        let more = next.is_some_and(|at| at <= now_ms);
        let tried = due.len();
        let claims = join_all(
            due.into_iter()
                .map(|id| self.one(queue, shard, id, now_ms, lease_ms)),
        );
        let mut claimed = Vec::new();
        let mut failure = None;
        for claim in claims.await {
            match claim {
                Ok(Some(raw)) => claimed.push(raw),
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        let lease_end = (!claimed.is_empty()).then(|| now_ms.saturating_add_unsigned(lease_ms));
        // Where another replica was quicker, only another look tells what is due next.
        let again = (claimed.len() < tried).then_some(now_ms);
        let due_ms = [next, lease_end, again].into_iter().flatten().min();
        agenda.found(shard, due_ms, Instant::now());
        match failure {
            Some(error) if claimed.is_empty() => {
                agenda.failed(shard);
                Err(error)
            }
            _ => Ok((claimed, more)),
        }
    }

    /// None: another replica was quicker, or nothing was left to do.
    async fn one(
        &self,
        queue: Queue,
        shard: u32,
        id: &str,
        now_ms: i64,
        lease_ms: u64,
    ) -> Result<Option<Raw>, StoreError> {
        let key = self.keys.conversation(id);
        let (list, max, window) = match queue {
            Queue::Turn => (self.keys.letters(id), LETTERS_MAX, LETTERS_MAX),
            Queue::Send => (self.keys.outgoing(id), SENDS_MAX, SENDS_WINDOW),
        };
        // What is claimed for sending is about to leave, so it is on the replicas first.
        let replicas = match queue {
            Queue::Turn => 0,
            Queue::Send => self.wait_replicas,
        };
        // Not sent again: the first may have got through, and its lease runs.
        let answer = self
            .link
            .run(
                &self.scripts.claim,
                &key,
                replicas,
                Again::Never,
                |command| {
                    command
                        .arg(4)
                        .arg(self.keys.agenda(queue, shard))
                        .arg(&key)
                        .arg(&list)
                        .arg(self.keys.feed(id))
                        .arg(word(queue))
                        .arg(id)
                        .arg(now_ms)
                        .arg(lease_ms)
                        .arg(max)
                        .arg(window);
                },
            )
            .await?;
        if matches!(&answer, redis::Value::Array(values) if values.is_empty()) {
            return Ok(None);
        }
        let mut answer = Answer::of(answer)?;
        Ok(Some(Raw {
            id: id.to_owned(),
            head: Head::read(&answer.next::<Vec<u8>>()?)?,
            second: answer.next()?,
            items: answer.next()?,
        }))
    }

    fn send_of(&self, raw: Raw) -> Result<SendClaim, StoreError> {
        let outbounds = raw
            .items
            .into_iter()
            .map(read_outgoing)
            .collect::<Result<Vec<_>, _>>()?;
        let tail = Tail {
            epoch: raw.head.counters.epoch,
            last_feed: raw.head.counters.last_feed,
            block: (!raw.second.is_empty()).then_some(raw.second),
        };
        self.tails()
            .put(&raw.id, raw.head.counters.send_token, tail);
        Ok(SendClaim {
            conversation: raw.id,
            token: raw.head.counters.send_token,
            epoch: raw.head.counters.epoch,
            attempts: raw.head.send_attempts,
            outbounds,
            newest: raw.head.counters.last_out,
        })
    }
}

fn turn_of(raw: Raw) -> Result<TurnClaim, StoreError> {
    let letters = (raw.head.counters.read_to + 1..)
        .zip(raw.items)
        .map(|(seq, bytes)| read_letter(seq, bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let state = match raw.second.is_empty() {
        true => None,
        false => Some(unpack(&raw.second)?),
    };
    Ok(TurnClaim {
        conversation: raw.id,
        token: raw.head.counters.turn_token,
        rev: raw.head.counters.rev,
        epoch: raw.head.counters.epoch,
        state,
        letters,
    })
}

/// One conversation that cannot be read keeps no other from being served; it is tried again when its lease is over.
fn readable<T>(raw: Vec<Raw>, read: impl Fn(Raw) -> Result<T, StoreError>) -> Vec<T> {
    raw.into_iter()
        .filter_map(|raw| {
            let conversation = raw.id.clone();
            read(raw)
                .inspect_err(
                    |error| tracing::error!(conversation, %error, "a conversation cannot be read"),
                )
                .ok()
        })
        .collect()
}
