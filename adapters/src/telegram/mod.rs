//! Telegram: a webhook of our own or long polling in, teloxide's typed client out.
//!
//! Limits and behaviour are those of the Bot API (core.telegram.org/bots/api, /bots/faq) and of its server (github.com/tdlib/telegram-bot-api).

mod ask;
mod check;
mod client;
mod place;
mod render;
mod source;
mod update;

use crate::{
    Acknowledgement, Address, Answer, Arrival, Asking, Capabilities, Cards, CatchUp, Channel,
    Check, Choices, Delivered, Delivery, Handoff, Idempotency, Keep, LanePace, Length, Outbound,
    OutboundBody, Pace, Receipt, Receipts, Received, Refused, Sending, Source, SyncReply, Typing,
    Unit, Unkept,
};
use ask::Failed;
use place::{Moves, Whereabouts};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::future::ready;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use teloxide_core::{Bot, RequestError};
use update::Own;
use url::Url;

/// The channel's name in an address.
pub const NAME: &str = "telegram";

/// The header that proves a delivery.
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// Longest text and caption, counted after the entities are read.
const TEXT: Length = Length {
    max: 4096,
    unit: Unit::Utf16,
};
const CAPTION: Length = Length {
    max: 1024,
    unit: Unit::Utf16,
};
/// Longest data of a button, in bytes.
const BUTTON_BYTES_MAX: usize = 64;
/// Buttons under one message; with more, choices are written out.
const BUTTONS_MAX: usize = 24;
/// Characters of a button's label. Telegram names no limit: each client shows what its screen has room for, a computer's the most.
const LABEL_CHARS_MAX: usize = 80;
/// A message a second to one chat, a few at once; thirty a second in all; twenty a minute to a group, which eight at once and twelve after them are.
const PACE: Pace = Pace {
    lane_every_ms: 1_000.0,
    lane_burst: 3,
    shared_lane: Some(LanePace {
        every_ms: 5_000.0,
        burst: 8,
    }),
    all_every_ms: 34.0,
    all_burst: 30,
};
/// How long Telegram shows that somebody is typing, milliseconds.
const TYPING_MS: u64 = 5_000;
/// How long Telegram delivers a message again, milliseconds.
const REDELIVERED_MS: u64 = 24 * 60 * 60 * 1000;
/// A connection that rested longer is not used again: one that Telegram closes meanwhile leaves nobody knowing what arrived.
const IDLE_MAX: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Webhook,
    Polling,
}

pub struct Telegram {
    bot: Bot,
    /// The bot's own user, which its token begins with.
    id: i64,
    mode: Mode,
    secret: Option<SecretString>,
    username: OnceLock<String>,
    moves: Moves,
}

/// The longest secret that Telegram sends, in characters of `A-Za-z0-9_-`.
pub const SECRET_CHARS_MAX: usize = 256;

/// `123456:ABC…`: the bot's id, a colon, and letters, digits, `_` and `-`.
pub fn is_token(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(id, rest)| id.parse::<i64>().is_ok_and(|id| id > 0) && is_secret(rest))
}

/// What Telegram takes as `secret_token`.
pub fn is_secret(text: &str) -> bool {
    (1..=SECRET_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Telegram {
    /// `token` is one that [`is_token`] takes; `keep` is what the replicas share. Fails where no HTTP client can be made.
    pub fn new(
        token: &SecretString,
        api_url: Option<Url>,
        mode: Mode,
        secret: Option<SecretString>,
        keep: Arc<dyn Keep>,
    ) -> Result<Self, String> {
        let token = token.expose_secret();
        let client = teloxide_core::net::default_reqwest_settings()
            .pool_idle_timeout(IDLE_MAX)
            .build()
            .map_err(|_| "no HTTP client can be made for Telegram".to_owned())?;
        let mut bot = Bot::with_client(token, client);
        if let Some(url) = api_url {
            bot = bot.set_api_url(url);
        }
        let id = token.split(':').next().and_then(|id| id.parse().ok());
        Ok(Self {
            bot,
            id: id.unwrap_or_default(),
            mode,
            secret,
            username: OnceLock::new(),
            moves: Moves::new(keep),
        })
    }

    fn own(&self) -> Own<'_> {
        Own {
            id: self.id,
            username: self.username.get().map(String::as_str),
        }
    }

    fn is_proved(&self, request: &Delivered<'_>) -> bool {
        let Some(secret) = &self.secret else {
            return false;
        };
        let given = request.headers.get(SECRET_HEADER);
        let given = given.map(|value| value.as_bytes()).unwrap_or_default();
        secret.expose_secret().as_bytes().ct_eq(given).into()
    }

    async fn met(&self) -> Result<(), RequestError> {
        let me = client::me(&self.bot).await?;
        let _ = self.username.set(me.user.username.unwrap_or_default());
        Ok(())
    }
}

impl Channel for Telegram {
    fn name(&self) -> &'static str {
        NAME
    }

    fn proved_by(&self) -> &'static str {
        "channels.telegram.secret"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            caption: Some(CAPTION),
            cards: Cards::Photos,
            choices: Choices::Buttons {
                max: BUTTONS_MAX,
                id_bytes_max: BUTTON_BYTES_MAX,
            },
            pace: Some(PACE),
            window: None,
            idempotency: Idempotency::None,
            typing: Typing::Action {
                lasts_ms: TYPING_MS,
            },
            editing: true,
            receipts: Receipts::None,
            upload_first: false,
            handoff: Handoff::Ours,
            sync_reply: SyncReply::None,
            catch_up: CatchUp::Redelivered {
                for_ms: REDELIVERED_MS,
            },
        }
    }

    /// Its own name, by which groups address it.
    fn meet(&self) -> Asking<'_, Result<(), String>> {
        Box::pin(async { self.met().await.map_err(|error| client::told(&error)) })
    }

    fn receive(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        if self.mode != Mode::Webhook || request.method != "POST" {
            return Err(Refused::NotTaken);
        }
        if !self.is_proved(request) {
            return Err(Refused::Forged);
        }
        let malformed = |what: &str| Refused::Malformed {
            what: what.to_owned(),
        };
        let update: serde_json::Value =
            serde_json::from_slice(request.body).map_err(|_| malformed("the body is not JSON"))?;
        if !update.get("update_id").is_some_and(|id| id.is_i64()) {
            return Err(malformed("there is no `update_id`"));
        }
        // Refusing what cannot be read would have Telegram deliver it for a day, before all else of its chat.
        let (read, unread) = match update::read(&update, self.own(), request.now_ms) {
            Ok(read) => (read, None),
            Err(what) => (update::Read::default(), Some(what)),
        };
        if read.is_unsure {
            return Err(Refused::NotYet);
        }
        // Answering the press inside the acknowledgement saves a request, and the button stops waiting at once.
        let answer = match read.callback {
            None => Answer::empty(),
            Some(id) => Answer {
                body: json!({"method": "answerCallbackQuery", "callback_query_id": id})
                    .to_string()
                    .into_bytes(),
                ..Answer::empty()
            },
        };
        Ok(Received {
            arrivals: read.arrival.into_iter().collect(),
            unread,
            acknowledgement: Acknowledgement::AtOnce(answer),
        })
    }

    fn placed(&self, arrival: Arrival) -> Asking<'_, Result<Arrival, Unkept>> {
        Box::pin(async move {
            Ok(match arrival {
                Arrival::Said(inbound) => Arrival::Said(self.moves.home(inbound).await?),
                Arrival::Pressed(inbound) => Arrival::Pressed(self.moves.home(inbound).await?),
                told @ (Arrival::Reported { .. }
                | Arrival::Closed { .. }
                | Arrival::Waiting { .. }
                | Arrival::Noted { .. }
                | Arrival::Desk { .. }) => told,
            })
        })
    }

    fn source(&self) -> Option<&dyn Source> {
        (self.mode == Mode::Polling).then_some(self as &dyn Source)
    }

    fn deliver(&self, message: &Outbound) -> Delivery {
        match &message.body {
            OutboundBody::Reply(body) => match render::pieces(body).len() {
                0 => Delivery::Nothing,
                pieces => Delivery::Push {
                    pieces,
                    tokens: render::tokens(body),
                },
            },
            OutboundBody::Mode { .. } | OutboundBody::Read { .. } => Delivery::Nothing,
        }
    }

    fn send<'a>(&'a self, message: &'a Outbound, piece: usize) -> Sending<'a> {
        let permanent = |reason: &str| Receipt::Permanent {
            reason: reason.to_owned(),
        };
        let OutboundBody::Reply(body) = &message.body else {
            return Box::pin(ready(permanent("it is no reply")));
        };
        let Some(at) = Whereabouts::of(&message.address) else {
            return Box::pin(ready(permanent("the address names no chat")));
        };
        let Some(piece) = render::pieces(body).into_iter().nth(piece) else {
            return Box::pin(ready(permanent("it has no such piece")));
        };
        Box::pin(async move {
            let at = self.moves.now(at).await;
            let sent = client::send(&self.bot, at, piece).await;
            if let Err(Failed::Told(RequestError::MigrateToChatId(chat))) = &sent {
                self.moves.note(at.chat, chat.0).await;
            }
            client::receipt(sent, |chat| at.in_chat(chat).address())
        })
    }

    fn typing<'a>(&'a self, address: &'a Address) -> Asking<'a, ()> {
        Box::pin(async move {
            if let Some(at) = Whereabouts::of(address) {
                let at = self.moves.now(at).await;
                client::typing(&self.bot, at).await;
            }
        })
    }

    /// A chat, with all its customers and topics.
    fn lane<'a>(&self, address: &'a Address) -> &'a str {
        let place = address.place();
        place.split('.').next().unwrap_or(place)
    }

    /// The ids of groups are below zero.
    fn is_shared(&self, lane: &str) -> bool {
        lane.starts_with('-')
    }

    fn check(&self) -> Asking<'_, Vec<Check>> {
        Box::pin(self.checked())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
