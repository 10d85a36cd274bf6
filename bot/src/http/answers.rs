//! Answers that carry what the shop says: a delivery waits for the turn that reads it, and its answer shows what the customer has not seen.
//!
//! A platform that gets no answer delivers the same again: until its last delivery it is let go unanswered, so that a reply has the time of all of them.
//!
//! What is said lies in the conversation's feed, so it is there whichever replica ran the turn. A note says how far the customer has seen it, and what the last few deliveries got: the same delivery again gets the same again, since its answer did not arrive.

use super::shown::{BEHIND_MAX, Note};
use super::{Shared, bounded};
use crate::mailbox::rest;
use crate::store::{FeedItem, Hint, Rate, Spent};
use adapters::{Answer, Channel, Held, Place, READ_EVENT, WORDS_EVENT, Waiting, Words};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

/// Deliveries that wait at once; one more is answered without waiting.
const WAITING_MAX: usize = 2_048;
/// The feed is looked at this often even if no hint comes, in milliseconds.
const POLL_MS: u64 = 500;
/// Feed items read at once.
const PAGE_ITEMS: usize = 64;
/// How long a note is kept after the last answer, milliseconds: as long as what it counts.
const NOTE_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// What one delivery has begun to answer no other answers for this long, milliseconds.
const BEGUN_MS: f64 = 6_000.0;
/// How long it is known which deliveries of a message came, milliseconds: longer than a platform repeats one.
const DELIVERED_KEPT_MS: u64 = 60_000;
/// A platform that has not turned away so long after its time is answered, milliseconds.
const STAYED_MS: u64 = 1_500;
/// Conversations are answered one delivery at a time, each by its lock of so many.
const LOCKS: usize = 64;

pub(super) struct Answers {
    pub(super) places: Semaphore,
    locks: [Mutex<()>; LOCKS],
}

/// What one look comes to.
enum Found {
    Answer(Answer),
    /// The turn is over, and this delivery has nothing to carry.
    Nothing,
    Wait,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            places: Semaphore::new(WAITING_MAX),
            locks: std::array::from_fn(|_| Mutex::new(())),
        }
    }
}

/// The answer to a delivery that was accepted, within its time, which began when it came.
pub(super) async fn within(
    shared: &Shared,
    channel: &dyn Channel,
    waiting: Waiting,
    came: Instant,
) -> Answer {
    let until = came + Duration::from_millis(waiting.within_ms);
    let Ok(_place) = shared.answers.places.try_acquire() else {
        return waiting.otherwise;
    };
    let comes_again = shared.comes_again(&waiting).await;
    // Before the first look, so that no hint falls in between.
    let mut hints = shared.state.hints();
    let conversation = waiting.address.as_str();
    let wanted = |hint: &Hint| matches!(hint, Hint::Feed(id) if id == conversation);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let is_last = left.is_zero() || shared.stop.is_cancelled();
        match shared.look(channel, &waiting, is_last).await {
            Found::Answer(answer) => return answer,
            Found::Nothing => return waiting.nothing,
            Found::Wait if is_last => break,
            Found::Wait => {}
        }
        let wait = left.min(Duration::from_millis(POLL_MS));
        rest(&mut hints, wanted, wait, &shared.stop).await;
    }
    if comes_again {
        let turned_away = came + Duration::from_millis(waiting.turns_away_ms + STAYED_MS);
        tokio::select! {
            () = tokio::time::sleep_until(turned_away) => {}
            () = shared.stop.cancelled() => {}
        }
    }
    waiting.otherwise
}

impl Shared {
    /// True where the platform delivers the same once more if this delivery gets no answer. Each delivery takes the first number that none of the message's others has, whichever replica had them.
    async fn comes_again(&self, waiting: &Waiting) -> bool {
        let (conversation, event_id) = (waiting.address.as_str(), &waiting.event_id);
        let this = uuid::Uuid::new_v4().simple().to_string();
        let now_ms = (self.now_ms)();
        let until_ms = now_ms.saturating_add_unsigned(DELIVERED_KEPT_MS);
        for number in waiting.delivery..waiting.deliveries {
            let key = format!("delivery:{conversation}:{event_id}:{number}");
            let first = self.state.keep_first(&key, &this, now_ms, until_ms);
            match bounded(first).await {
                Ok(true) => return true,
                Ok(false) => {}
                // Where nobody can tell, this may be the last.
                Err(_) => return false,
            }
        }
        false
    }

    /// Serves what waits once the turn has read the delivery, or when it is the last look.
    async fn look(&self, channel: &dyn Channel, waiting: &Waiting, is_last: bool) -> Found {
        let conversation = waiting.address.as_str();
        let lock = dialogs::compose::hash(conversation) as usize % LOCKS;
        let Some(lock) = self.answers.locks.get(lock) else {
            return Found::Wait;
        };
        let turn = tokio::time::timeout(Duration::from_millis(POLL_MS), lock.lock());
        let Ok(_turn) = turn.await else {
            return Found::Wait;
        };
        let Ok(note) = self.note(conversation).await else {
            return Found::Wait;
        };
        let feed = self.state.feed(conversation, note.after(), PAGE_ITEMS);
        let Ok(items) = bounded(feed).await else {
            return Found::Wait;
        };
        // After the feed, so that nothing is found which a take-over before has ended.
        let Ok(epoch) = bounded(self.state.epoch(conversation)).await else {
            return Found::Wait;
        };
        let is_read = items.iter().any(|item| {
            let read: Option<Vec<String>> = (item.event == READ_EVENT)
                .then(|| serde_json::from_str(&item.data).ok())
                .flatten();
            read.is_some_and(|ids| ids.contains(&waiting.event_id))
        });
        let again = note.of(waiting).cloned();
        let is_again = again.is_some();
        if !(is_read || is_last || is_again) {
            return Found::Wait;
        }
        let from = again.as_ref().map_or(note.to, |shown| shown.from);
        // One that is not the newest gets no more than it got: the rest others have.
        let until = again.map(|shown| shown.to).filter(|to| *to != note.to);
        let is_within =
            |seq: u64| until.is_none_or(|to| seq < to.seq || (seq == to.seq && to.pieces > 0));
        let held: Vec<Held> = items
            .into_iter()
            .filter(|item| is_within(item.seq) && !is_over(item, epoch))
            .map(|item| Held {
                seq: item.seq,
                event: item.event,
                data: item.data,
            })
            .collect();
        let answered = channel.answer(&waiting.form, &held, from, (self.now_ms)());
        let Some(answered) = answered else {
            return Found::Wait;
        };
        match answered.answer {
            Some(answer) if until.is_some() => Found::Answer(answer),
            Some(answer) => {
                if !is_again && !self.begins(conversation, from).await {
                    // Another replica answers a delivery of the same burst with it.
                    return Found::Wait;
                }
                // Unkept, the next delivery would show the same once more, which is better than never.
                let next = note.showed(waiting, from, answered.to);
                let _ = self.keep(conversation, &next).await;
                Found::Answer(answer)
            }
            None if is_read => {
                if !is_again && answered.to.seq.saturating_sub(note.after()) > BEHIND_MAX {
                    let _ = self.keep(conversation, &Note::passed(answered.to)).await;
                }
                Found::Nothing
            }
            None => Found::Wait,
        }
    }

    async fn note(&self, conversation: &str) -> Result<Note, super::Problem> {
        let kept = self.state.recall(&key(conversation), (self.now_ms)());
        let kept = bounded(kept).await?;
        Ok(kept
            .and_then(|kept| serde_json::from_str(&kept).ok())
            .unwrap_or_default())
    }

    async fn keep(&self, conversation: &str, note: &Note) -> Result<(), super::Problem> {
        // Numbers and texts always have a JSON form.
        let text = serde_json::to_string(note).unwrap_or_default();
        let until_ms = (self.now_ms)().saturating_add_unsigned(NOTE_KEPT_MS);
        bounded(self.state.remember(&key(conversation), &text, until_ms)).await
    }

    /// True for the first of all replicas that answers with what begins here.
    async fn begins(&self, conversation: &str, from: Place) -> bool {
        let key = format!("answer:{conversation}:{}.{}", from.seq, from.pieces);
        let once = Rate {
            every_ms: BEGUN_MS,
            burst: 1,
        };
        let spent = self.state.spend(&key, once, (self.now_ms)()).await;
        // Where nobody can tell, twice is better than never.
        !matches!(spent, Ok(Spent::Wait { .. }))
    }
}

/// Said by the bot before somebody took over.
fn is_over(item: &FeedItem, epoch: u64) -> bool {
    let words: Option<Words> = (item.event == WORDS_EVENT)
        .then(|| serde_json::from_str(&item.data).ok())
        .flatten();
    words.is_some_and(|words| words.is_over(epoch))
}

fn key(conversation: &str) -> String {
    format!("answered:{conversation}")
}
