//! Out: the channel that a customer is answered in, opened where there is none yet, and what each answer of Discord means for the sender.

use super::Discord;
use super::api::Failed;
use super::place::{Place, Whose};
use super::render::{self, Piece};
use crate::{Outbound, Receipt};
use serde_json::{Value, json};
use serenity::builder::CreateThread;
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

/// What an operator does where the bot may not write.
const WANTED_IN_THREADS: &str = "give its role Send Messages in Threads and Create Private Threads";

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
            Ok(sent) => return arrived(&sent),
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
            // A direct channel that stands for a thread; one may be opened by now, or when an operator has given the permission.
            Failed::Refused {
                code: CANNOT_WRITE_TO_USER,
                ..
            } if place.customer.is_some() => {
                self.places.forget_fallback(place).await;
                Receipt::TryAgain
            }
            Failed::Refused {
                code: MISSING_ACCESS | MISSING_PERMISSIONS,
                ..
            } if let Some(customer) = place.customer => {
                self.beside(place, customer, channel, &piece, &nonce).await
            }
            Failed::Refused {
                code: CANNOT_WRITE_TO_USER,
                ..
            } => self.moved(place, piece.is_zh).await,
            failed => receipt(failed),
        }
    }

    /// The bot may not write into the thread, which its customer looks at: they are answered in their direct channel until an operator has given the permission.
    async fn beside(
        &self,
        place: Place,
        customer: UserId,
        thread: ChannelId,
        piece: &Piece,
        nonce: &str,
    ) -> Receipt {
        tracing::warn!("Discord lets the bot not write into a thread; {WANTED_IN_THREADS}");
        let direct = match self.direct(customer).await {
            Ok(direct) => direct,
            Err(_) => return Receipt::TryAgain,
        };
        if direct == thread {
            return Receipt::Blocked;
        }
        match self.write(direct, piece, nonce, true).await {
            Ok(sent) => {
                // Where it cannot be kept, the next message comes to the same end.
                let _ = self.places.leave(place, thread, direct).await;
                arrived(&sent)
            }
            // Nobody is reached in either, and one of both may be mended.
            Err(Failed::Refused { .. }) => Receipt::TryAgain,
            Err(failed) => receipt(&failed),
        }
    }

    async fn direct(&self, customer: UserId) -> Result<ChannelId, Failed> {
        let wanted = json!({"recipient_id": customer});
        let direct = self.api.post("users/@me/channels", &wanted).await?;
        channel_id(&direct)
    }

    /// The customer takes no direct messages: they are answered in their thread, and what they say there belongs to the same conversation.
    async fn moved(&self, place: Place, is_zh: bool) -> Receipt {
        let Some(server) = self.places.elsewhere(place.channel).await else {
            return Receipt::Blocked;
        };
        let thread = match self.channel(server.place, is_zh).await {
            Ok(thread) if thread != place.channel => thread,
            Ok(_) => return Receipt::Blocked,
            Err(receipt) => return receipt,
        };
        let whose = Whose {
            place,
            customer: server.customer,
        };
        if self.places.answer_in(thread, whose).await.is_err() {
            return Receipt::TryAgain;
        }
        match server.place.address() {
            Some(to) => Receipt::Moved { to },
            None => Receipt::Blocked,
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
        let opened = match self.places.channel_of(place).await {
            Ok(Some(channel)) => Ok(channel),
            Ok(None) => self.opened(place, customer, is_zh).await,
            Err(_) => Err(Receipt::TryAgain),
        };
        self.keep.release(&job).await;
        opened
    }

    /// A private thread with the customer in it; where the server allows none, the customer's direct channel.
    async fn opened(
        &self,
        place: Place,
        customer: UserId,
        is_zh: bool,
    ) -> Result<ChannelId, Receipt> {
        let refused = match self.thread(place, customer, is_zh).await {
            Err(Failed::Refused { code, reason, .. }) => {
                tracing::warn!(
                    code,
                    reason,
                    "Discord lets the bot open no thread for a customer; {WANTED_IN_THREADS}"
                );
                match self.direct(customer).await {
                    Ok(direct) => match self.places.keep_fallback(place, direct).await {
                        Ok(()) => return Ok(direct),
                        Err(_) => return Err(Receipt::TryAgain),
                    },
                    Err(failed) => failed,
                }
            }
            Ok(thread) => match self.places.keep(place, thread).await {
                Ok(()) => return Ok(thread),
                Err(_) => return Err(Receipt::TryAgain),
            },
            Err(failed) => failed,
        };
        match refused {
            // Nothing has been said yet, and an empty thread is seen by nobody.
            Failed::NoAnswer => Err(Receipt::TryAgain),
            failed => Err(receipt(&failed)),
        }
    }

    /// What an earlier try began is gone on with.
    async fn thread(
        &self,
        place: Place,
        customer: UserId,
        is_zh: bool,
    ) -> Result<ChannelId, Failed> {
        let begun = self.places.begun(place).await;
        let thread = match begun.map_err(|_| Failed::NoConnection)? {
            Some(thread) => thread,
            None => {
                let id = customer.to_string();
                let shown = id.get(id.len().saturating_sub(SHOWN_DIGITS)..);
                let name = if is_zh { "咨询" } else { "Chat" };
                let thread = CreateThread::new(format!("{name} {}", shown.unwrap_or_default()))
                    .kind(ChannelType::PrivateThread)
                    .invitable(false)
                    .auto_archive_duration(AutoArchiveDuration::OneWeek);
                let path = format!("channels/{}/threads", place.channel);
                let thread = channel_id(&self.api.post(&path, &json!(thread)).await?)?;
                // Where it cannot be kept, another thread is better than one that nobody listens to.
                let kept = self.places.begin(place, thread).await;
                kept.map_err(|_| Failed::NoConnection)?;
                thread
            }
        };
        let path = format!("channels/{thread}/thread-members/{customer}");
        let mut added = self.api.put(&path).await;
        for _ in 1..ADDED_TRIES {
            match added {
                Ok(_) | Err(Failed::Refused { .. }) => break,
                Err(_) => tokio::time::sleep(ADDED_RETRY).await,
            }
            added = self.api.put(&path).await;
        }
        if let Err(Failed::Refused {
            code: UNKNOWN_CHANNEL | ARCHIVED | LOCKED,
            ..
        }) = &added
        {
            // Somebody has removed it meanwhile; the next try opens another.
            self.places.forget(place).await;
            return Err(Failed::NoConnection);
        }
        added.map(|_| thread)
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

fn arrived(sent: &Value) -> Receipt {
    let id = sent.get("id").and_then(Value::as_str);
    Receipt::Sent {
        provider_id: id.unwrap_or_default().to_owned(),
    }
}

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
            reason: format!("50013: the bot may not write there; {WANTED_IN_THREADS}"),
        },
        Failed::Refused {
            status: 404 | 410, ..
        } => Receipt::Blocked,
        Failed::Refused { code, reason, .. } => Receipt::Permanent {
            reason: format!("{code} {reason}"),
        },
    }
}
