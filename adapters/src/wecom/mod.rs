//! WeCom customer service (微信客服): callbacks that say where something waits, messages that are pulled, and a desk of WeCom's own.
//!
//! Behaviour and limits are those of developer.work.weixin.qq.com (微信客服: 接收消息和事件, 发送消息, 分配客服会话, 发送欢迎语等事件响应消息).

mod client;
mod media;
mod message;
mod outcome;
mod page;
mod render;
mod send;
mod session;
mod source;

use crate::render::tokens;
use crate::tencent::{MENU_ID_BYTES_MAX, MENU_ITEMS_MAX, PACE, TEXT};
use crate::wxcrypt::crypto::Key;
use crate::wxcrypt::proof::Shared;
use crate::{
    Acknowledgement, Answer, Arrival, Asking, Brief, Capabilities, Cards, CatchUp, Channel, Check,
    Choices, Delivered, Delivery, Handoff, Idempotency, Keep, Outbound, OutboundBody, Receipt,
    Receipts, Received, Refused, Sending, Source, SyncReply, Typing, Window,
};
use client::{Account, Api};
use outcome::Failed;
use secrecy::{ExposeSecret as _, SecretString};
use session::Sessions;
use source::Reading;
use std::future::ready;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// The channel's name in an address.
pub const NAME: &str = "wecom";
/// The vendor's own API.
pub const API_URL: &str = "https://qyapi.weixin.qq.com/";

/// After a customer's message the shop may send so many in so long; who opens the chat may be welcomed once within 20 s (发送欢迎语等事件响应消息). A menu's line arrives as a message.
const WINDOW: Window = Window {
    open_ms: 48 * 60 * 60 * 1000,
    messages_max: Some(5),
    after_touch: None,
    after_coming: Some(Brief {
        open_ms: 20 * 1000,
        messages_max: 1,
    }),
};
/// How long a callback's token may be used to pull, milliseconds.
const WAITING_MS: u64 = 10 * 60 * 1000;
/// Names of accounts that an operator is shown.
const ACCOUNTS_SHOWN: usize = 5;
/// The mode in which a conversation waits for a person.
const WAITING_MODE: &str = "waiting";

/// What an operator gives.
pub struct Corp {
    pub corp_id: String,
    /// The secret of 微信客服, not that of another app.
    pub secret: SecretString,
    /// Prove and open a callback.
    pub token: SecretString,
    pub aes_keys: Vec<SecretString>,
    pub api_url: Url,
}

pub struct WeCom {
    shared: Shared,
    sessions: Sessions,
    keep: Arc<dyn Keep>,
    reading: Mutex<Reading>,
}

impl WeCom {
    /// `corp` holds keys that [`crate::wechat::is_aes_key`] takes; others are left out. `http` gives up after a time and follows no redirect.
    pub fn new(corp: &Corp, http: reqwest::Client, keep: Arc<dyn Keep>) -> Self {
        let keys = corp.aes_keys.iter();
        let api = Api::new(
            http,
            corp.api_url.clone(),
            &corp.corp_id,
            corp.secret.clone(),
            Arc::clone(&keep),
        );
        Self {
            shared: Shared {
                token: corp.token.clone(),
                keys: keys
                    .filter_map(|key| Key::new(key.expose_secret(), &corp.corp_id))
                    .collect(),
            },
            sessions: Sessions {
                api: Arc::new(api),
                keep: Arc::clone(&keep),
                changing: Mutex::default(),
            },
            keep,
            reading: Mutex::default(),
        }
    }

    /// WeCom tells that something happened and where, never what.
    fn called_back(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        let document = self.shared.sealed(request)?;
        let field = |name: &str| document.get(name).unwrap_or_default().trim();
        let (account, token) = (field("OpenKfId"), field("Token"));
        let mut arrivals = Vec::new();
        if field("Event") == "kf_msg_or_event" && !account.is_empty() {
            // A callback that comes again is another note: one page read too often is no harm, one too few is.
            let note = format!("{account} {token} {}", request.now_ms);
            // The second says to look, so it comes last.
            for key in [waiting_key(account), waiting_key("")] {
                let note = note.clone();
                arrivals.push(Arrival::Waiting {
                    key,
                    note,
                    for_ms: WAITING_MS,
                });
            }
        }
        Ok(received(arrivals, "success"))
    }

    async fn checked(&self) -> Vec<Check> {
        let wrong = |failed: &Failed| {
            let (detail, advice) = outcome::told(failed);
            Check::wrong(detail, advice)
        };
        let mut found = Vec::new();
        match self.sessions.api.token().await {
            Ok(_) => found.push(Check::fine(
                "WeCom gives a token for the corp id and secret",
            )),
            Err(failed) => return vec![wrong(&failed)],
        }
        let listed = match self.sessions.api.accounts().await {
            Ok(accounts) if accounts.is_empty() => Check::wrong(
                "there is no customer-service account",
                "make one in 微信客服, and let the API manage it",
            ),
            Ok(accounts) => {
                let unmanaged = accounts.iter().filter(|account| !account.manage_privilege);
                let unmanaged: Vec<&Account> = unmanaged.collect();
                if !unmanaged.is_empty() {
                    found.push(Check::wrong(
                        format!("the app may not write for {}", names(&unmanaged)),
                        outcome::MANAGED,
                    ));
                }
                let all: Vec<&Account> = accounts.iter().collect();
                Check::fine(format!(
                    "{} customer-service accounts: {}",
                    all.len(),
                    names(&all)
                ))
            }
            Err(failed) => wrong(&failed),
        };
        found.push(listed);
        found.push(Check::fine(
            "callbacks are taken at /webhooks/wecom with this token and key; without any, messages are fetched every 30 s",
        ));
        found
    }
}

impl Channel for WeCom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn proved_by(&self) -> &'static str {
        "channels.wecom.token and channels.wecom.aes_key"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            caption: None,
            cards: Cards::Native,
            choices: Choices::Buttons {
                max: MENU_ITEMS_MAX,
                id_bytes_max: MENU_ID_BYTES_MAX,
            },
            pace: Some(PACE),
            window: Some(WINDOW),
            idempotency: Idempotency::None,
            sync_reply: SyncReply::None,
            typing: Typing::None,
            editing: false,
            receipts: Receipts::Failures,
            upload_first: true,
            handoff: Handoff::Native,
            catch_up: CatchUp::History,
        }
    }

    fn receive(&self, request: &Delivered<'_>) -> Result<Received, Refused> {
        match request.method {
            "GET" => Ok(received(Vec::new(), &self.shared.echo(request)?)),
            "POST" => self.called_back(request),
            _ => Err(Refused::NotTaken),
        }
    }

    fn source(&self) -> Option<&dyn Source> {
        Some(self)
    }

    fn deliver(&self, message: &Outbound) -> Delivery {
        match &message.body {
            OutboundBody::Reply(body) => match render::pieces(body).len() {
                0 => Delivery::Nothing,
                pieces => Delivery::Push {
                    pieces,
                    tokens: tokens(body, MENU_ID_BYTES_MAX),
                },
            },
            OutboundBody::Mode { .. } => Delivery::Act,
            OutboundBody::Read { .. } => Delivery::Nothing,
        }
    }

    fn send<'a>(&'a self, message: &'a Outbound, piece: usize) -> Sending<'a> {
        match message.address.channel() == NAME {
            true => Box::pin(self.sent(message, piece)),
            false => Box::pin(ready(permanent("it is of another channel"))),
        }
    }

    fn check(&self) -> Asking<'_, Vec<Check>> {
        Box::pin(self.checked())
    }
}

/// Where a callback's note lies: of an account, or with "" the newest of all.
fn waiting_key(account: &str) -> String {
    format!("wecom:waiting:{account}")
}

fn received(arrivals: Vec<Arrival>, answer: &str) -> Received {
    Received {
        arrivals,
        unread: None,
        acknowledgement: Acknowledgement::AtOnce(Answer {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body: answer.as_bytes().to_vec(),
        }),
    }
}

fn names(accounts: &[&Account]) -> String {
    let names = accounts.iter().map(|account| match account.name.as_str() {
        "" => account.open_kfid.as_str(),
        name => name,
    });
    let names: Vec<&str> = names.take(ACCOUNTS_SHOWN).collect();
    names.join(", ")
}

fn permanent(reason: &str) -> Receipt {
    Receipt::Permanent {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod render_tests;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
