//! A reply that an answer to a delivery may carry: offered to the delivery that waits, sent over the platform's API where none takes it.
//!
//! Three facts a conversation: who waits, what is offered, what was shown. Of the delivery and the sender the first to take an offer has it, so that it is said once; what a delivery showed is kept before it is shown, so that the sender knows, and the same delivery again shows the same.

use crate::store::{Hint, Outgoing, StateStore, StoreError};
use adapters::{Channel, Held, Outbound, OutboundBody, SyncReply, Waiting};
use serde::{Deserialize, Serialize};

/// After a delivery's end the sender looks whether it took the offer, milliseconds: what it keeps is kept by then.
const AFTER_MS: u64 = 1_200;
/// How long it is known what was offered, who took it and what was shown, milliseconds: a platform repeats a delivery for some fifteen seconds, and whoever was killed may be back after minutes.
const KNOWN_MS: u64 = 10 * 60 * 1000;
/// Who takes an offer back that no delivery took.
const SENDER: &str = "";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waits {
    event_id: String,
    until_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Offer {
    message: String,
    bot: bool,
    epoch: u64,
    at_ms: i64,
    /// `None` for one that goes over the API.
    held: Option<Held>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    message: String,
    bot: bool,
    epoch: u64,
    held: Held,
}

/// What the sender does with a message.
pub(super) enum Offered {
    /// A delivery showed it.
    Shown,
    /// A delivery may still take it.
    Waits { wait_ms: u64 },
    /// It goes over the API.
    Untaken,
}

/// What a delivery finds.
pub enum Taken {
    /// This, now or before; it is kept that it was shown.
    Held(Held),
    /// What is said goes another way.
    Elsewhere,
    Nothing,
}

/// Who sends: a message, its place among take-overs, and the time.
pub(super) struct Message<'a> {
    pub outbound: &'a Outbound,
    pub bot: bool,
    pub epoch: u64,
    pub now_ms: i64,
}

impl Message<'_> {
    fn offer(&self, held: Option<Held>) -> Offer {
        Offer {
            message: self.outbound.id.clone(),
            bot: self.bot,
            epoch: self.epoch,
            at_ms: self.now_ms,
            held,
        }
    }
}

fn is_offered(channel: &dyn Channel) -> bool {
    matches!(channel.capabilities().sync_reply, SyncReply::InTime { .. })
}

fn waits_key(conversation: &str) -> String {
    format!("waits:{conversation}")
}

fn offer_key(conversation: &str) -> String {
    format!("offer:{conversation}")
}

/// One a delivery: each shows again what it showed.
fn shown_key(conversation: &str, event_id: &str) -> String {
    format!("shown:{conversation}:{event_id}")
}

fn taken_key(message: &str) -> String {
    format!("take:{message}")
}

async fn fact<T: for<'a> Deserialize<'a>>(
    state: &dyn StateStore,
    key: &str,
    now_ms: i64,
) -> Result<Option<T>, StoreError> {
    let kept = state.recall(key, now_ms).await?;
    // What cannot be read is of another version.
    Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()))
}

async fn keep<T: Serialize>(
    state: &dyn StateStore,
    key: &str,
    fact: &T,
    until_ms: i64,
) -> Result<(), StoreError> {
    // Texts and numbers always have a JSON form.
    let text = serde_json::to_string(fact).unwrap_or_default();
    state.remember(key, &text, until_ms).await
}

/// True for the first, whenever it asks; repetitions of one delivery are one.
async fn takes(
    state: &dyn StateStore,
    message: &str,
    who: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let until_ms = now_ms.saturating_add_unsigned(KNOWN_MS);
    let key = taken_key(message);
    state.keep_first(&key, who, now_ms, until_ms).await
}

/// A person may have taken over since.
async fn is_silenced(
    state: &dyn StateStore,
    conversation: &str,
    bot: bool,
    epoch: u64,
) -> Result<bool, StoreError> {
    Ok(bot && epoch < state.epoch(conversation).await?)
}

/// A delivery is about to wait; told before its message is accepted, so that the reply finds it.
pub async fn wait(
    state: &dyn StateStore,
    waiting: &Waiting,
    now_ms: i64,
) -> Result<(), StoreError> {
    let until_ms = now_ms.saturating_add_unsigned(waiting.within_ms);
    let waits = Waits {
        event_id: waiting.event_id.clone(),
        until_ms,
    };
    let key = waits_key(waiting.address.as_str());
    keep(state, &key, &waits, until_ms).await
}

/// What there is for a delivery that waits since `since_ms`.
pub async fn take(
    state: &dyn StateStore,
    waiting: &Waiting,
    since_ms: i64,
    now_ms: i64,
) -> Result<Taken, StoreError> {
    let conversation = waiting.address.as_str();
    let key = shown_key(conversation, &waiting.event_id);
    let shown: Option<Shown> = fact(state, &key, now_ms).await?;
    if let Some(shown) = shown {
        return Ok(
            match is_silenced(state, conversation, shown.bot, shown.epoch).await? {
                true => Taken::Elsewhere,
                false => Taken::Held(shown.held),
            },
        );
    }
    let offer: Option<Offer> = fact(state, &offer_key(conversation), now_ms).await?;
    let Some(offer) = offer else {
        return Ok(Taken::Nothing);
    };
    let Some(held) = offer.held else {
        // One from before says nothing of the message that this delivery brought.
        return Ok(match offer.at_ms >= since_ms {
            true => Taken::Elsewhere,
            false => Taken::Nothing,
        });
    };
    if is_silenced(state, conversation, offer.bot, offer.epoch).await? {
        return Ok(Taken::Nothing);
    }
    if !takes(state, &offer.message, &waiting.event_id, now_ms).await? {
        return Ok(Taken::Nothing);
    }
    let shown = Shown {
        message: offer.message,
        bot: offer.bot,
        epoch: offer.epoch,
        held: held.clone(),
    };
    let until_ms = now_ms.saturating_add_unsigned(KNOWN_MS);
    // Unkept, the sender finds that nobody showed it.
    keep(state, &key, &shown, until_ms).await?;
    Ok(Taken::Held(held))
}

/// The delivery waits no more; where it took something, the sender goes on with what follows.
pub async fn done(state: &dyn StateStore, waiting: &Waiting, took: bool, now_ms: i64) {
    let conversation = waiting.address.as_str();
    let key = waits_key(conversation);
    let waits: Result<Option<Waits>, _> = fact(state, &key, now_ms).await;
    // Another delivery of the burst may wait by now.
    if let Ok(Some(mut waits)) = waits
        && waits.event_id == waiting.event_id
    {
        waits.until_ms = now_ms;
        // Where this fails, it is found out when its time is over.
        let _ = keep(state, &key, &waits, now_ms).await;
    }
    if took {
        let _ = state.hasten(conversation, now_ms).await;
    }
}

/// Offers a message to the delivery that waits, or says what became of the offer.
pub(super) async fn offer(
    state: &dyn StateStore,
    channel: &dyn Channel,
    message: &Message<'_>,
) -> Result<Offered, StoreError> {
    if !is_offered(channel) {
        return Ok(Offered::Untaken);
    }
    let (conversation, now_ms) = (message.outbound.address.as_str(), message.now_ms);
    let id = &message.outbound.id;
    let held = channel.within_answer(message.outbound);
    let waits: Option<Waits> = fact(state, &waits_key(conversation), now_ms).await?;
    let waits = waits.filter(|waits| waits.until_ms > now_ms);
    let before: Option<Offer> = fact(state, &offer_key(conversation), now_ms).await?;
    let was_offered = before.is_some_and(|before| before.message == *id && before.held.is_some());
    if was_offered && shown(state, conversation, id, now_ms).await? {
        return Ok(Offered::Shown);
    }
    let Some(waits) = waits else {
        if was_offered && !takes(state, id, SENDER, now_ms).await? {
            // Whoever took it has shown it, or has ended before it could.
            if shown(state, conversation, id, now_ms).await? {
                return Ok(Offered::Shown);
            }
            // Said over the API, it is not to be shown to a repetition of that delivery.
            let sent = message.offer(None);
            let until_ms = now_ms.saturating_add_unsigned(KNOWN_MS);
            keep(state, &offer_key(conversation), &sent, until_ms).await?;
        }
        return Ok(Offered::Untaken);
    };
    let is_untaken = held.is_none();
    if !was_offered {
        let offer = message.offer(held);
        let until_ms = now_ms.saturating_add_unsigned(KNOWN_MS);
        keep(state, &offer_key(conversation), &offer, until_ms).await?;
        state.hint(Hint::Feed(conversation.to_owned()));
    }
    if is_untaken {
        return Ok(Offered::Untaken);
    }
    let left_ms = waits.until_ms.saturating_sub(now_ms).unsigned_abs();
    Ok(Offered::Waits {
        wait_ms: left_ms + AFTER_MS,
    })
}

/// Whether the delivery that took a message has shown it.
async fn shown(
    state: &dyn StateStore,
    conversation: &str,
    message: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let Some(event_id) = state.recall(&taken_key(message), now_ms).await? else {
        return Ok(false);
    };
    let key = shown_key(conversation, &event_id);
    let shown: Option<Shown> = fact(state, &key, now_ms).await?;
    Ok(shown.is_some_and(|shown| shown.message == message))
}

/// What was read gets no reply: a delivery need not wait for one. `others` is all that leaves with it.
pub(super) async fn nothing(
    state: &dyn StateStore,
    channel: &dyn Channel,
    message: &Message<'_>,
    others: &[Outgoing],
) {
    let is_reply = |outgoing: &Outgoing| {
        let outbound: Result<Outbound, _> = serde_json::from_str(&outgoing.body);
        outbound.is_ok_and(|outbound| matches!(outbound.body, OutboundBody::Reply(_)))
    };
    let is_read = matches!(message.outbound.body, OutboundBody::Read { .. });
    if !is_read || !is_offered(channel) || others.iter().any(is_reply) {
        return;
    }
    let (conversation, now_ms) = (message.outbound.address.as_str(), message.now_ms);
    let waits: Result<Option<Waits>, _> = fact(state, &waits_key(conversation), now_ms).await;
    let Ok(Some(_)) = waits else {
        return;
    };
    let none = message.offer(None);
    let until_ms = now_ms.saturating_add_unsigned(KNOWN_MS);
    // Where this fails, the delivery waits for its time.
    let _ = keep(state, &offer_key(conversation), &none, until_ms).await;
    state.hint(Hint::Feed(conversation.to_owned()));
}
