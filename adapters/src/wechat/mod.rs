//! A WeChat official account (公众号): deliveries in, and out either its customer-service API or the answer to a delivery.
//!
//! Behaviour and limits are those of developers.weixin.qq.com (接收普通消息, 被动回复用户消息, 发送客服消息, 消息加解密说明).

mod answer;
mod client;
mod media;
mod message;
mod outcome;
mod render;

use crate::render::tokens;
use crate::tencent::{MENU_ID_BYTES_MAX, MENU_ITEMS_MAX, PACE, TEXT};
use crate::wxcrypt::crypto::Key;
use crate::wxcrypt::proof::{Shared, given};
use crate::{
    Acknowledgement, Address, Answered, Arrival, Asking, Brief, Capabilities, Cards, CatchUp,
    Channel, Check, Choices, Delivered, Delivery, Handoff, Held, Idempotency, Keep, Length,
    Outbound, OutboundBody, Place, READ_EVENT, Receipt, Receipts, Received, Refused, Sending,
    SyncReply, Typing, Unit, Unkept, WORDS_EVENT, Window,
};
use answer::Form;
use client::Api;
use render::Asked;
use secrecy::{ExposeSecret as _, SecretString};
use std::future::ready;
use std::sync::Arc;
use url::Url;

/// The channel's name in an address.
pub const NAME: &str = "wechat";
/// The vendor's own API.
pub const API_URL: &str = "https://api.weixin.qq.com/";

/// One of the shorter texts that a text is cut into which WeChat finds too long.
const SHORTER_TEXT: Length = Length {
    max: 1024,
    unit: Unit::Bytes,
};
/// The same as the longest with room for a word that there is more.
const ANSWER_TEXT: Length = Length {
    max: 1960,
    unit: Unit::Bytes,
};
/// How long it is known how many of the shorter texts have left, milliseconds: longer than a message is tried.
const SHORTER_KEPT_MS: u64 = WINDOW.open_ms;
/// After a customer's message the shop may send so many in so long; after a touch on a menu, a follow or a scan so many in a minute (发送客服消息, 消息条数限制).
const WINDOW: Window = Window {
    open_ms: 48 * 60 * 60 * 1000,
    messages_max: Some(5),
    after_touch: Some(BRIEF),
    after_coming: Some(BRIEF),
};
const BRIEF: Brief = Brief {
    open_ms: 60 * 1000,
    messages_max: 3,
};
/// WeChat waits five seconds for an answer and delivers three times in all, milliseconds (接收普通消息).
const DELIVERY_MS: u64 = 5_000;
const DELIVERIES: u64 = 3;
/// An answer is held back for at most this long, milliseconds: it must still get there.
const HELD_MS: u64 = 4_500;
/// Where what is late goes over the API, a reply is the answer if it is ready within this, milliseconds: that it was taken has to be kept before it is shown.
const READY_MS: u64 = 4_000;
/// The same over all deliveries of a message, of which only the last has to be answered.
const HELD_IN_ALL_MS: u64 = DELIVERY_MS * (DELIVERIES - 1) + HELD_MS;
/// How often it is told that somebody is typing, milliseconds: well within the 30 s that WeChat takes it after a customer's act (客服输入状态).
const TYPING_MS: u64 = 15_000;
/// Longest text that is given back to prove that the address is ours, in bytes.
const ECHO_BYTES_MAX: usize = 256;
/// Keys that are taken: the account's, and the one before while it is changed.
pub const KEYS_MAX: usize = 2;

/// What an operator gives.
pub struct Account {
    pub app_id: String,
    /// Proves a delivery.
    pub token: SecretString,
    /// Without one, deliveries are taken as plain text; else only encrypted ones are.
    pub aes_keys: Vec<SecretString>,
    /// For the customer-service API; without it the shop only answers deliveries.
    pub app_secret: Option<SecretString>,
    /// With the API too, a reply of one text that is ready in time is the answer to the delivery.
    pub answer_in_time: bool,
    pub api_url: Url,
}

pub struct WeChat {
    shared: Shared,
    api: Option<Api>,
    sync_reply: SyncReply,
    keep: Arc<dyn Keep>,
}

/// The EncodingAESKey of an account: 43 letters and digits.
pub fn is_aes_key(text: &str) -> bool {
    Key::new(text, "").is_some()
}

impl WeChat {
    /// `account` holds keys that [`is_aes_key`] takes; others are left out. `http` gives up after a time and follows no redirect.
    pub fn new(account: &Account, http: reqwest::Client, keep: Arc<dyn Keep>) -> Self {
        let keys = account.aes_keys.iter();
        let sync_reply = match (&account.app_secret, account.answer_in_time) {
            (None, _) => SyncReply::Only {
                within_ms: HELD_IN_ALL_MS,
            },
            (Some(_), true) => SyncReply::InTime {
                within_ms: READY_MS,
            },
            (Some(_), false) => SyncReply::None,
        };
        Self {
            shared: Shared {
                token: account.token.clone(),
                keys: keys
                    .filter_map(|key| Key::new(key.expose_secret(), &account.app_id))
                    .collect(),
            },
            api: account.app_secret.clone().map(|secret| {
                let (url, app_id) = (account.api_url.clone(), &account.app_id);
                Api::new(http, url, app_id, secret, Arc::clone(&keep))
            }),
            sync_reply,
            keep,
        }
    }

    /// WeChat asks once whether the address is ours.
    fn echoed(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        let query = self.shared.proved(request)?;
        let echo = given(&query, "echostr");
        if echo.is_empty() || echo.len() > ECHO_BYTES_MAX {
            return Err(Refused::Malformed {
                what: format!("`echostr` has 1 to {ECHO_BYTES_MAX} bytes"),
            });
        }
        Ok(Received {
            arrivals: Vec::new(),
            unread: None,
            acknowledgement: Acknowledgement::AtOnce(answer::plain(echo)),
        })
    }

    fn delivered(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        let opened = self.shared.opened(request)?;
        let success = answer::plain("success");
        let read = match message::read(&opened.document) {
            Ok(read) => read,
            // Refused, it would come twice more and be read no better.
            Err(what) => {
                return Ok(Received {
                    arrivals: Vec::new(),
                    unread: Some(what),
                    acknowledgement: Acknowledgement::AtOnce(success),
                });
            }
        };
        let form = Form {
            to: read.customer,
            from: read.account,
            key: opened.key,
            timestamp: given(&opened.query, "timestamp").to_owned(),
            nonce: given(&opened.query, "nonce").to_owned(),
        };
        let within_ms = match self.sync_reply {
            SyncReply::None => None,
            SyncReply::InTime { within_ms } => Some(within_ms),
            SyncReply::Only { .. } => Some(HELD_MS),
        };
        let acknowledgement = match (&read.arrival, within_ms) {
            (Some(Arrival::Said(said) | Arrival::Pressed(said)), Some(within_ms)) => {
                let now_ms = request.now_ms;
                let waiting = self.shared.waiting(&form, said, within_ms, now_ms, success);
                waiting.map_or_else(Acknowledgement::AtOnce, Acknowledgement::WithReply)
            }
            _ => Acknowledgement::AtOnce(success),
        };
        Ok(Received {
            arrivals: read.arrival.into_iter().collect(),
            unread: read.unread,
            acknowledgement,
        })
    }
}

impl Channel for WeChat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn proved_by(&self) -> &'static str {
        "channels.wechat.token and channels.wechat.aes_key"
    }

    fn capabilities(&self) -> Capabilities {
        let has_api = self.api.is_some();
        Capabilities {
            text: TEXT,
            caption: None,
            cards: if has_api { Cards::Native } else { Cards::Text },
            choices: if has_api {
                Choices::Buttons {
                    max: MENU_ITEMS_MAX,
                    id_bytes_max: MENU_ID_BYTES_MAX,
                }
            } else {
                Choices::Numbered
            },
            pace: has_api.then_some(PACE),
            // Inside answers nothing is too late: what was not seen is shown in the next one.
            window: has_api.then_some(WINDOW),
            idempotency: if has_api {
                Idempotency::None
            } else {
                Idempotency::Own
            },
            typing: if has_api {
                Typing::Action {
                    lasts_ms: TYPING_MS,
                }
            } else {
                Typing::None
            },
            editing: false,
            receipts: Receipts::None,
            // A picture without a page; a graphic names its picture by the address.
            upload_first: has_api,
            handoff: Handoff::Ours,
            sync_reply: self.sync_reply,
            catch_up: CatchUp::Redelivered {
                for_ms: DELIVERY_MS * DELIVERIES,
            },
        }
    }

    /// That there is a token; what keeps the account from one is told once it is asked, not only when a customer waits.
    fn meet(&self) -> Asking<'_, Result<(), String>> {
        Box::pin(async move {
            let Some(api) = &self.api else { return Ok(()) };
            let met = api.token().await;
            met.map(|_| ()).map_err(|failed| {
                let (detail, advice) = outcome::told(&failed);
                format!("{detail}; {advice}")
            })
        })
    }

    fn receive(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        match request.method {
            "GET" => self.echoed(request),
            "POST" => self.delivered(request),
            _ => Err(Refused::NotTaken),
        }
    }

    /// A plain delivery's words are not signed: only the first that come with a signature are believed.
    fn recognized<'a>(
        &'a self,
        request: Delivered<'a>,
        received: Received,
    ) -> Asking<'a, Result<Result<Received, Refused>, Unkept>> {
        Box::pin(async move {
            let is_plain = request.method == "POST" && self.shared.keys.is_empty();
            if is_plain && !self.shared.are_the_first(&request, &*self.keep).await? {
                return Ok(Err(Refused::Forged));
            }
            Ok(Ok(received))
        })
    }

    fn deliver(&self, message: &Outbound) -> Delivery {
        let feed = |event: &'static str, data: serde_json::Result<String>| match data {
            Ok(data) => Delivery::Feed { event, data },
            // Texts and numbers always have a JSON form.
            Err(_) => Delivery::Nothing,
        };
        match (&message.body, &self.api) {
            (OutboundBody::Reply(body), Some(_)) => match render::pieces(body).len() {
                0 => Delivery::Nothing,
                pieces => Delivery::Push {
                    pieces,
                    tokens: tokens(body, MENU_ID_BYTES_MAX),
                },
            },
            (OutboundBody::Reply(body), None) => {
                let words = answer::words(message, render::answers(body));
                feed(WORDS_EVENT, serde_json::to_string(&words))
            }
            (OutboundBody::Read { event_ids }, None) => {
                feed(READ_EVENT, serde_json::to_string(event_ids))
            }
            (OutboundBody::Read { .. }, Some(_)) | (OutboundBody::Mode { .. }, _) => {
                Delivery::Nothing
            }
        }
    }

    fn send<'a>(&'a self, message: &'a Outbound, at: usize) -> Sending<'a> {
        let permanent = |reason: &str| Receipt::Permanent {
            reason: reason.to_owned(),
        };
        let (OutboundBody::Reply(body), Some(api)) = (&message.body, &self.api) else {
            return Box::pin(ready(permanent("it is no reply, or there is no API")));
        };
        let Some(piece) = render::pieces(body).into_iter().nth(at) else {
            return Box::pin(ready(permanent("it has no such piece")));
        };
        let to = message.address.place();
        Box::pin(async move {
            match render::request(to, &piece) {
                Asked::Message(request) => {
                    let receipt = api.send(&request).await;
                    match &piece {
                        render::Piece::Text(text) if outcome::is_too_long(&receipt) => {
                            let key = format!("{NAME}:shorter:{}.{at}", message.id);
                            let sent = api.send_shorter(&*self.keep, to, text, &key).await;
                            sent.unwrap_or(receipt)
                        }
                        _ => receipt,
                    }
                }
                Asked::Picture(address) => api.send_picture(&*self.keep, to, address).await,
            }
        })
    }

    /// What has nothing to touch is one text; a menu and a picture need the API.
    fn within_answer(&self, message: &Outbound) -> Option<Held> {
        let OutboundBody::Reply(body) = &message.body else {
            return None;
        };
        match render::pieces(body).as_slice() {
            [render::Piece::Text(text)] => Some(Held {
                seq: 0,
                event: WORDS_EVENT.to_owned(),
                data: serde_json::to_string(&answer::words(message, vec![text.clone()])).ok()?,
            }),
            _ => None,
        }
    }

    fn answer(&self, form: &str, held: &[Held], from: Place, now_ms: i64) -> Option<Answered> {
        let form: Form = serde_json::from_str(form).ok()?;
        let (text, to) = answer::gathered(held, from);
        let answer = match text.as_str() {
            "" => None,
            text => Some(self.shared.written(&form, text, now_ms)?),
        };
        Some(Answered { answer, to })
    }

    fn typing<'a>(&'a self, address: &'a Address) -> Asking<'a, ()> {
        Box::pin(async move {
            if let Some(api) = &self.api {
                api.typing(address.place()).await;
            }
        })
    }

    fn check(&self) -> Asking<'_, Vec<Check>> {
        Box::pin(async move {
            let mut found = Vec::new();
            match &self.api {
                None => found.push(Check::fine(format!(
                    "the shop answers inside deliveries only, within {} s; with the customer-service API it could write later too",
                    HELD_IN_ALL_MS / 1000
                ))),
                Some(api) => match api.token().await {
                    Ok(_) => {
                        found.push(Check::fine("WeChat gives a token for the app id and secret"));
                        found.push(api.may_send().await);
                    }
                    Err(failed) => {
                        let (detail, advice) = outcome::told(&failed);
                        found.push(Check::wrong(detail, advice));
                    }
                },
            }
            found.push(Check::fine(
                "deliveries are taken at /webhooks/wechat: enter https://YOUR.SHOP/webhooks/wechat with this token under 设置与开发 - 基本配置 - 服务器配置",
            ));
            found.push(match self.shared.keys.len() {
                0 => Check {
                    ok: true,
                    detail: "deliveries are taken in plain text: their words are not signed"
                        .to_owned(),
                    advice: Some(
                        "choose 安全模式 (设置与开发 - 基本配置) and set channels.wechat.aes_key"
                            .to_owned(),
                    ),
                },
                1 => Check::fine("deliveries are encrypted"),
                _ => Check::fine("deliveries are encrypted; the key before is taken as well"),
            });
            found
        })
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod render_tests;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
