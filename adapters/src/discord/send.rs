//! Out: the channel that a customer is answered in, opened where there is none yet, and what each answer of Discord means for the sender.

use super::Discord;
use super::api::Failed;
use super::place::Place;
use super::render::{self, Piece};
use crate::{Outbound, Receipt};
use serde_json::{Value, json};
use serenity::builder::{CreateAllowedMentions, CreateMessage, CreateThread};
use serenity::model::channel::{AutoArchiveDuration, ChannelType};
use serenity::model::id::{ChannelId, UserId};
use std::time::Duration;

/// While one replica opens a thread no other does, milliseconds.
const OPENING_MS: u64 = 15_000;
/// Wait for the replica that opens it, milliseconds.
const OPENED_MS: u64 = 500;
/// Names under which threads are opened: a store remembers every name, so there is not one for each customer.
pub(super) const OPENINGS: u64 = 64;
/// Tries to add the customer to a thread, and the wait between: without them it would be opened for nobody.
const ADDED_TRIES: usize = 3;
const ADDED_RETRY: Duration = Duration::from_millis(300);
/// How long nobody is told again how to be read in a thread, milliseconds.
const TOLD_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Last digits of a customer's id that tell the threads apart for the shop's staff.
const SHOWN_DIGITS: usize = 4;

/// Codes of Discord's list of errors (docs/topics/opcodes-and-status-codes).
const UNKNOWN_CHANNEL: i64 = 10_003;
const UNKNOWN_GUILD: i64 = 10_004;
const UNKNOWN_USER: i64 = 10_013;
const MISSING_ACCESS: i64 = 50_001;
const CANNOT_WRITE_TO_USER: i64 = 50_007;
const MISSING_PERMISSIONS: i64 = 50_013;
const INVALID_FORM: i64 = 50_035;
const ARCHIVED: i64 = 50_083;
const LOCKED: i64 = 160_005;

impl Discord {
    pub(super) async fn sent(&self, message: &Outbound, place: Place, at: usize) -> Receipt {
        let Some(piece) = self.pieces(message).into_iter().nth(at) else {
            return Receipt::Permanent {
                reason: "it has no such piece".to_owned(),
            };
        };
        let channel = match self.channel(place, piece.is_zh).await {
            Ok(channel) => channel,
            Err(receipt) => return receipt,
        };
        let nonce = render::nonce(message, at);
        let mut sent = self.write(channel, &piece, &nonce, true).await;
        // Also a picture that Discord cannot use is a form that it refuses.
        if let Err(Failed::Refused {
            code: INVALID_FORM, ..
        }) = &sent
            && piece.embeds.iter().any(|embed| embed.image.is_some())
        {
            sent = self.write(channel, &piece, &nonce, false).await;
        }
        let failed = match sent {
            Ok(sent) => {
                let id = sent.get("id").and_then(Value::as_str);
                return Receipt::Sent {
                    provider_id: id.unwrap_or_default().to_owned(),
                };
            }
            Err(failed) => failed,
        };
        match &failed {
            // Somebody has removed or shut the thread; the next try opens another.
            Failed::Refused {
                code: UNKNOWN_CHANNEL | ARCHIVED | LOCKED,
                ..
            } if place.customer.is_some() => {
                self.places.forget(place).await;
                Receipt::TryAgain
            }
            Failed::Refused {
                code: CANNOT_WRITE_TO_USER,
                ..
            } if place.customer.is_none() => match self.places.elsewhere(place.channel).await {
                Some(server) => match server.address() {
                    Some(to) => Receipt::Moved { to },
                    None => Receipt::Blocked,
                },
                None => Receipt::Blocked,
            },
            failed => receipt(failed),
        }
    }

    async fn write(
        &self,
        channel: ChannelId,
        piece: &Piece,
        nonce: &str,
        with_pictures: bool,
    ) -> Result<Value, Failed> {
        let request = render::request(piece, nonce.to_owned(), with_pictures);
        self.api.write(&channel.to_string(), &json!(request)).await
    }

    /// Where the customer is answered; the receipt says what the sender does where there is no such place.
    async fn channel(&self, place: Place, is_zh: bool) -> Result<ChannelId, Receipt> {
        let Some(customer) = place.customer else {
            return Ok(place.channel);
        };
        match self.places.channel_of(place).await {
            Ok(Some(channel)) => return Ok(channel),
            Ok(None) => {}
            Err(_) => return Err(Receipt::TryAgain),
        }
        let at = opening(place);
        let Some(turn) = self.openings.get(at) else {
            return Err(Receipt::TryAgain);
        };
        // A job that this process has is given to it again, so within it one customer waits for the other.
        let _turn = turn.lock().await;
        let job = format!("discord:opening:{at}");
        match self.keep.hold(&job, OPENING_MS).await {
            Ok(true) => {}
            Ok(false) => return Err(Receipt::RetryAfter { wait_ms: OPENED_MS }),
            Err(_) => return Err(Receipt::TryAgain),
        }
        // Another may have opened it meanwhile.
        if let Ok(Some(channel)) = self.places.channel_of(place).await {
            self.keep.release(&job).await;
            return Ok(channel);
        }
        let opened = self.opened(place.channel, customer, is_zh).await;
        let kept = match opened {
            Ok(channel) => match self.places.keep(place, channel).await {
                Ok(()) => Ok(channel),
                // Another thread is better than one that nobody listens to.
                Err(_) => Err(Receipt::TryAgain),
            },
            // Nothing has been said yet, and an empty thread is seen by nobody.
            Err(Failed::NoAnswer) => Err(Receipt::TryAgain),
            Err(failed) => Err(receipt(&failed)),
        };
        self.keep.release(&job).await;
        kept
    }

    /// A private thread with the customer in it; where the server allows none, the customer's direct channel.
    async fn opened(
        &self,
        channel: ChannelId,
        customer: UserId,
        is_zh: bool,
    ) -> Result<ChannelId, Failed> {
        let id = customer.to_string();
        let shown = id.get(id.len().saturating_sub(SHOWN_DIGITS)..);
        let name = if is_zh { "咨询" } else { "Chat" };
        let thread = CreateThread::new(format!("{name} {}", shown.unwrap_or_default()))
            .kind(ChannelType::PrivateThread)
            .invitable(false)
            .auto_archive_duration(AutoArchiveDuration::OneWeek);
        let path = format!("channels/{channel}/threads");
        let opened = async {
            let thread = channel_id(&self.api.post(&path, &json!(thread)).await?)?;
            let path = format!("channels/{thread}/thread-members/{customer}");
            let mut added = self.api.put(&path).await;
            for _ in 1..ADDED_TRIES {
                match added {
                    Ok(_) | Err(Failed::Refused { .. }) => break,
                    Err(_) => tokio::time::sleep(ADDED_RETRY).await,
                }
                added = self.api.put(&path).await;
            }
            added.map(|_| thread)
        };
        match opened.await {
            Err(Failed::Refused { .. }) => {
                let wanted = json!({"recipient_id": customer});
                let direct = self.api.post("users/@me/channels", &wanted).await?;
                channel_id(&direct)
            }
            opened => opened,
        }
    }

    /// Without the Message Content intent, what is said in a thread is shown to us only where we are mentioned. Said once.
    pub(super) async fn tell_how_to_be_read(&self, message: &super::message::Message, own: UserId) {
        let channel = message.channel_id;
        let key = format!("discord:told:{channel}");
        if !matches!(self.keep.recall(&key).await, Ok(None)) {
            return;
        }
        let until_ms = self.keep.now_ms().saturating_add_unsigned(TOLD_MS);
        if self.keep.remember(&key, "1", until_ms).await.is_err() {
            return;
        }
        let command = super::interaction::COMMAND;
        let content = format!(
            "在这里我只能看到提到我的消息：请以 <@{own}> 开头，或使用 /{command}，或直接私信我。\nI can only read messages here that mention me: begin with <@{own}>, use /{command}, or send me a direct message."
        );
        let told = CreateMessage::new()
            .content(content)
            .allowed_mentions(CreateAllowedMentions::new())
            .nonce(serenity::model::channel::Nonce::String(
                message.id.to_string(),
            ))
            .enforce_nonce(true);
        let _ = self.api.write(&channel.to_string(), &json!(told)).await;
    }

    pub(super) async fn typed(&self, place: Place) {
        let channel = match place.customer {
            None => Some(place.channel),
            Some(_) => self.places.channel_of(place).await.ok().flatten(),
        };
        if let Some(channel) = channel {
            // Nobody waits for it, and the message itself says whether the customer can be reached.
            let path = format!("channels/{channel}/typing");
            let _ = self.api.post(&path, &json!({})).await;
        }
    }
}

/// Under which name a place's thread is opened.
fn opening(place: Place) -> usize {
    let customer = place.customer.map_or(0, UserId::get);
    let mixed = (place.channel.get() ^ customer.rotate_left(32)).wrapping_mul(SPREAD);
    usize::try_from((mixed >> 32) % OPENINGS).unwrap_or_default()
}

/// An id's low bits are a counter that seldom counts; a multiplication by an odd number spreads the others (Knuth, 2^64 by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

fn channel_id(answer: &Value) -> Result<ChannelId, Failed> {
    let id = answer.get("id").and_then(Value::as_str);
    id.and_then(|id| id.parse().ok()).ok_or(Failed::NoAnswer)
}

/// What the sender does next. A repetition is known by its nonce, so what nobody can tell may be sent again for a time.
pub(super) fn receipt(failed: &Failed) -> Receipt {
    match failed {
        // A person has to give the right token; until then the message waits.
        Failed::NoConnection | Failed::Token => Receipt::TryAgain,
        Failed::NoAnswer => Receipt::Unknown,
        Failed::Wait { wait_ms } => Receipt::RetryAfter { wait_ms: *wait_ms },
        Failed::Refused {
            code:
                UNKNOWN_CHANNEL | UNKNOWN_GUILD | UNKNOWN_USER | MISSING_ACCESS | CANNOT_WRITE_TO_USER,
            ..
        } => Receipt::Blocked,
        Failed::Refused {
            code: MISSING_PERMISSIONS,
            ..
        } => Receipt::Permanent {
            reason: "50013: the bot may not write there; give its role Send Messages in Threads and Create Private Threads".to_owned(),
        },
        Failed::Refused {
            status: 404 | 410, ..
        } => Receipt::Blocked,
        Failed::Refused { code, reason, .. } => Receipt::Permanent {
            reason: format!("{code} {reason}"),
        },
    }
}
