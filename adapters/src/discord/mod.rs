//! Discord: the gateway or signed deliveries in, its REST API out, with serenity's types for both.
//!
//! Limits and behaviour are those of docs.discord.com/developers (Gateway, Rate Limits, Message, Interactions, Opcodes and Status Codes).
//!
//! A direct channel is one conversation. In a server a customer who mentions the bot or uses its command is answered in a private thread, and the conversation goes on there.

mod api;
mod check;
mod cursor;
mod gateway;
mod hint;
mod history;
mod interaction;
mod line;
mod markdown;
mod message;
mod place;
mod proof;
mod render;
mod send;
mod source;

use crate::{
    Acknowledgement, Address, Answer, Asking, Capabilities, Cards, CatchUp, Channel, Check,
    Choices, Delivered, Delivery, Handoff, Idempotency, Keep, Length, Outbound, OutboundBody, Pace,
    Receipt, Receipts, Received, Refused, Sending, Source, SyncReply, Typing, Unit, Unkept,
};
use api::Api;
use cursor::Known;
use ed25519_dalek::VerifyingKey;
use place::{Place, Places};
use render::Piece;
use secrecy::SecretString;
use serde_json::Value;
use serenity::model::gateway::GatewayIntents;
use serenity::model::id::UserId;
use std::future::ready;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// The channel's name in an address.
pub const NAME: &str = "discord";
/// The vendor's own API.
pub const API_URL: &str = "https://discord.com/";

/// Longest content of a message.
const TEXT: Length = Length {
    max: 2000,
    unit: Unit::Characters,
};
/// Embeds of one message, characters of all of them together, and of the parts of one.
const EMBEDS_MAX: usize = 10;
const EMBED_CHARS_MAX: usize = 6000;
const TITLE_CHARS_MAX: usize = 256;
const DESCRIPTION_CHARS_MAX: usize = 4096;
/// Characters of an embed's link and picture, as they are sent: written in percents, one Han character is nine.
const URL_CHARS_MAX: usize = 2048;
/// Bytes of a button's id; Discord counts a hundred characters.
const ID_BYTES_MAX: usize = 100;
/// Choices shown as buttons, and in a row of five; more are a menu, and still more are written out.
const BUTTONS_MAX: usize = 10;
const BUTTONS_PER_ROW: usize = 5;
const CHOICES_MAX: usize = 25;
/// Characters of a button's label, and of a menu's line.
const LABEL_CHARS_MAX: usize = 80;
const OPTION_CHARS_MAX: usize = 100;
/// Five messages in five seconds to a channel, fifty requests a second in all; what its answers say of it comes on top.
const PACE: Pace = Pace {
    lane_every_ms: 1_000.0,
    lane_burst: 4,
    shared_lane: None,
    all_every_ms: 25.0,
    all_burst: 40,
};
/// How long Discord knows a nonce again, milliseconds: it says "a few minutes".
const NONCE_MS: u64 = 2 * 60 * 1000;
/// How long Discord shows that somebody is typing, milliseconds.
const TYPING_MS: u64 = 9_000;

/// What an operator gives.
#[derive(Clone, Debug)]
pub struct Bot {
    pub token: SecretString,
    /// Takes signed interactions; one that [`is_public_key`] takes.
    pub public_key: Option<String>,
    /// Asks for the privileged intent to read what is said in threads without a mention.
    pub message_content: bool,
    pub api_url: Url,
}

pub struct Discord {
    token: SecretString,
    key: Option<VerifyingKey>,
    message_content: bool,
    api: Arc<Api>,
    hints: hint::Hints,
    keep: Arc<dyn Keep>,
    places: Places,
    /// Threads are opened one at a time under each name.
    openings: Vec<Mutex<()>>,
    /// Places are added one at a time.
    adding: Mutex<()>,
    state: Mutex<line::State>,
}

/// An application's public key: 64 hexadecimal digits.
pub fn is_public_key(text: &str) -> bool {
    proof::key(text).is_some()
}

/// Three parts of letters, digits, `_` and `-`, with dots between.
pub fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'=')
        })
}

impl Discord {
    /// `http` gives up after a time and follows no redirect. Fails where the token is none.
    pub fn new(bot: &Bot, http: reqwest::Client, keep: Arc<dyn Keep>) -> Result<Self, String> {
        let api = Api::new(http, bot.api_url.clone(), &bot.token, Arc::clone(&keep))?;
        let api = Arc::new(api);
        Ok(Self {
            token: bot.token.clone(),
            key: bot.public_key.as_deref().and_then(proof::key),
            message_content: bot.message_content,
            hints: hint::Hints::new(Arc::clone(&api), Arc::clone(&keep)),
            api,
            places: Places::new(Arc::clone(&keep)),
            adding: Mutex::default(),
            openings: (0..send::OPENINGS).map(|_| Mutex::default()).collect(),
            keep,
            state: Mutex::default(),
        })
    }

    /// Direct messages, mentions and the bot's own threads; with the privileged one also what is said in threads without a mention.
    fn intents(&self) -> GatewayIntents {
        let intents = GatewayIntents::GUILDS
            | GatewayIntents::GUILD_MESSAGES
            | GatewayIntents::DIRECT_MESSAGES;
        match self.message_content {
            true => intents | GatewayIntents::MESSAGE_CONTENT,
            false => intents,
        }
    }

    /// An interaction belongs to whoever is answered in its channel, and where it was made is asked for what was missed, as if the gateway had told it.
    async fn located(
        &self,
        request: Delivered<'_>,
        mut received: Received,
    ) -> Result<Received, Unkept> {
        let payload: Value = serde_json::from_slice(request.body).unwrap_or_default();
        let Some(channel) = interaction::channel(&payload) else {
            return Ok(received);
        };
        let whose = self.places.in_channel(channel).await?;
        if let Ok(read) = interaction::read(&payload, whose) {
            if let Some(place) = read.place() {
                Known::add_delivered(self.keep.as_ref(), &self.adding, place).await?;
                self.met(place, read.customer).await;
            }
            received.arrivals = read.arrival.into_iter().collect();
        }
        Ok(received)
    }

    /// A customer was there.
    async fn met(&self, place: Place, customer: Option<UserId>) {
        if let (None, Some(customer)) = (place.customer, customer) {
            self.places.keep_direct(place.channel, customer).await;
        }
    }

    fn pieces(&self, message: &Outbound) -> Vec<Piece> {
        match &message.body {
            OutboundBody::Reply(body) => render::pieces(body),
            OutboundBody::Mode { .. } | OutboundBody::Read { .. } => Vec::new(),
        }
    }
}

impl Channel for Discord {
    fn name(&self) -> &'static str {
        NAME
    }

    fn proved_by(&self) -> &'static str {
        "channels.discord.public_key"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            caption: None,
            cards: Cards::Native,
            choices: Choices::Buttons {
                max: CHOICES_MAX,
                id_bytes_max: ID_BYTES_MAX,
            },
            pace: Some(PACE),
            window: None,
            idempotency: Idempotency::Key { for_ms: NONCE_MS },
            typing: Typing::Action {
                lasts_ms: TYPING_MS,
            },
            editing: true,
            receipts: Receipts::None,
            upload_first: false,
            handoff: Handoff::Ours,
            catch_up: CatchUp::History,
            sync_reply: SyncReply::None,
        }
    }

    /// Registers the command; once more changes nothing.
    fn meet(&self) -> Asking<'_, Result<(), String>> {
        Box::pin(async { self.registered().await.map_err(|failed| failed.told()) })
    }

    fn receive(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        let (Some(key), "POST") = (&self.key, request.method) else {
            return Err(Refused::NotTaken);
        };
        proof::is_proved(key, request)?;
        let payload: Value =
            serde_json::from_slice(request.body).map_err(|_| Refused::Malformed {
                what: "the body is not JSON".to_owned(),
            })?;
        let answer = |body: &Value| {
            Acknowledgement::AtOnce(Answer {
                body: body.to_string().into_bytes(),
                ..Answer::empty()
            })
        };
        if interaction::is_ping(&payload) {
            return Ok(Received {
                arrivals: Vec::new(),
                unread: None,
                acknowledgement: answer(&interaction::pong()),
            });
        }
        let read = interaction::read(&payload, None).map_err(|what| Refused::Malformed { what })?;
        Ok(Received {
            arrivals: read.arrival.into_iter().collect(),
            unread: None,
            acknowledgement: answer(&read.callback.response),
        })
    }

    fn recognized<'a>(
        &'a self,
        request: Delivered<'a>,
        received: Received,
    ) -> Asking<'a, Result<Result<Received, Refused>, Unkept>> {
        Box::pin(async move { Ok(Ok(self.located(request, received).await?)) })
    }

    fn source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn deliver(&self, message: &Outbound) -> Delivery {
        let body = match &message.body {
            OutboundBody::Reply(body) => body,
            OutboundBody::Mode { .. } => return Delivery::Act,
            OutboundBody::Read { .. } => return Delivery::Nothing,
        };
        match self.pieces(message).len() {
            0 => Delivery::Nothing,
            pieces => Delivery::Push {
                pieces,
                tokens: crate::render::tokens(body, ID_BYTES_MAX),
            },
        }
    }

    fn send<'a>(&'a self, message: &'a Outbound, piece: usize) -> Sending<'a> {
        match (message.address.place().parse(), &message.body) {
            (Ok(place), OutboundBody::Mode { mode }) => Box::pin(async move {
                match self.hints.keep_mode(place, mode).await {
                    Ok(()) => Receipt::Sent {
                        provider_id: String::new(),
                    },
                    Err(_) => Receipt::TryAgain,
                }
            }),
            (Ok(place), _) => Box::pin(self.sent(message, place, piece)),
            (Err(()), _) => Box::pin(ready(Receipt::Permanent {
                reason: "the address names no channel".to_owned(),
            })),
        }
    }

    fn typing<'a>(&'a self, address: &'a Address) -> Asking<'a, ()> {
        Box::pin(async move {
            if let Ok(place) = address.place().parse::<Place>() {
                self.typed(place).await;
            }
        })
    }

    fn check(&self) -> Asking<'_, Vec<Check>> {
        Box::pin(self.checked())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
