//! One message or event of `kf/sync_msg`, read into what happened. Only what is needed is read.

use super::NAME;
use super::session::State;
use crate::render::TOKEN_MARK;
use crate::{
    Address, Arrival, CAMPAIGN_CHARS_MAX, DeskAct, Door, File, FileKind, Inbound, InboundBody,
    Report,
};
use serde_json::Value;

/// Between the account's id and the customer's in an address; neither holds one.
const BETWEEN: char = '.';
/// Characters of a kind that nobody knows, for the log.
const KIND_CHARS: usize = 24;
/// After a customer came in, a welcome may be said for so long, milliseconds.
const WELCOME_MS: i64 = 20_000;

/// What one message comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub arrival: Option<Arrival>,
    /// Whom it is about.
    pub place: String,
    /// The state that the conversation is in from here on.
    pub state: Option<State>,
    /// The customer wrote, so a session is open.
    pub is_customer: bool,
    /// What this customer had opened by then takes nothing more.
    pub closed: Option<(Address, i64)>,
    /// The customer came back by a link of the shop's, which this names; what they say next was said there.
    pub came_back: Option<String>,
    /// A code to welcome the customer with, and until when it is good, milliseconds since 1970.
    pub welcome: Option<(String, i64)>,
    /// What was not understood.
    pub unread: Option<String>,
}

/// The place of a conversation: the account and the customer.
pub(super) fn place(account: &str, user: &str) -> String {
    format!("{account}{BETWEEN}{user}")
}

pub(super) fn account_and_user(place: &str) -> (&str, &str) {
    place.split_once(BETWEEN).unwrap_or((place, ""))
}

/// The error says what is missing, without the customer's words. `account` is the one that was asked.
pub(super) fn read(message: &Value, account: &str) -> Result<Read, String> {
    let id = text(message, "/msgid");
    if id.is_empty() {
        return Err("a message has no `msgid`".to_owned());
    }
    match message.get("origin").and_then(Value::as_i64) {
        Some(3) => said(message, account, id),
        Some(4) => happened(message, account, id),
        Some(5) => written(message, account, id),
        _ => Ok(Read {
            unread: Some("a message has an `origin` that is not known".to_owned()),
            ..Read::default()
        }),
    }
}

fn text<'m>(message: &'m Value, path: &str) -> &'m str {
    let found = message.pointer(path).and_then(Value::as_str);
    found.unwrap_or_default().trim()
}

/// An address, from wherever the message says who it is about.
fn address(message: &Value, account: &str, at: &str) -> Result<Address, String> {
    let user = text(message, &format!("{at}/external_userid"));
    if user.is_empty() {
        return Err("a message has no `external_userid`".to_owned());
    }
    let account = match text(message, &format!("{at}/open_kfid")) {
        "" => account,
        given => given,
    };
    Address::new(NAME, &place(account, user))
        .map_err(|_| "`external_userid` cannot be an address".to_owned())
}

fn sent_at_ms(message: &Value) -> i64 {
    let seconds = message.get("send_time").and_then(Value::as_i64);
    seconds.unwrap_or_default().saturating_mul(1000)
}

fn unknown(kind: &str) -> Option<String> {
    let kind: String = kind.chars().take(KIND_CHARS).collect();
    Some(format!("{kind:?} is no kind of message or event known"))
}

fn said(message: &Value, account: &str, id: &str) -> Result<Read, String> {
    let address = address(message, account, "")?;
    let mut read = Read {
        place: address.place().to_owned(),
        is_customer: true,
        ..Read::default()
    };
    let kind = text(message, "/msgtype");
    let file = |kind: FileKind, id: &str, caption: String| {
        InboundBody::File(File {
            kind,
            caption,
            name: None,
            provider_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
        })
    };
    let words = |parts: &[&str]| {
        let parts = parts.iter().filter(|part| !part.is_empty());
        parts.copied().collect::<Vec<&str>>().join("\n")
    };
    let body = match kind {
        "text" if !text(message, "/text/menu_id").is_empty() => {
            InboundBody::Choice(text(message, "/text/menu_id").to_owned())
        }
        "text" => InboundBody::Text(text(message, "/text/content").to_owned()),
        "image" => file(
            FileKind::Photo,
            text(message, "/image/media_id"),
            String::new(),
        ),
        "voice" => file(
            FileKind::Voice,
            text(message, "/voice/media_id"),
            String::new(),
        ),
        "video" => file(
            FileKind::Video,
            text(message, "/video/media_id"),
            String::new(),
        ),
        "file" => file(
            FileKind::Document,
            text(message, "/file/media_id"),
            String::new(),
        ),
        "location" => {
            let caption = words(&[
                text(message, "/location/name"),
                text(message, "/location/address"),
            ]);
            file(FileKind::Place, "", caption)
        }
        "link" => InboundBody::Text(words(&[
            text(message, "/link/title"),
            text(message, "/link/url"),
        ])),
        // What is shown of these to a person says nothing to the agent.
        "business_card"
        | "miniprogram"
        | "channels"
        | "channels_shop_product"
        | "channels_shop_order"
        | "merged_msg"
        | "meeting"
        | "schedule"
        | "note" => file(FileKind::Other, "", String::new()),
        other => {
            read.unread = unknown(other);
            file(FileKind::Other, "", String::new())
        }
    };
    if body == InboundBody::Text(String::new()) {
        return Ok(read);
    }
    let is_token = matches!(&body, InboundBody::Choice(id) if id.starts_with(TOKEN_MARK));
    let inbound = Inbound {
        address,
        event_id: id.to_owned(),
        sent_at_ms: sent_at_ms(message),
        body,
    };
    read.arrival = Some(match is_token {
        true => Arrival::Pressed(inbound),
        false => Arrival::Said(inbound),
    });
    Ok(read)
}

/// What a person at WeCom's own desk wrote.
fn written(message: &Value, account: &str, id: &str) -> Result<Read, String> {
    let address = address(message, account, "")?;
    let person = match text(message, "/servicer_userid") {
        "" => NAME,
        person => person,
    };
    let words = match text(message, "/msgtype") {
        "text" => text(message, "/text/content").to_owned(),
        kind => format!("[{kind}]"),
    };
    Ok(Read {
        place: address.place().to_owned(),
        state: Some(State::with(person, true)),
        arrival: Some(Arrival::Desk {
            address,
            event_id: id.to_owned(),
            person: person.to_owned(),
            act: DeskAct::Wrote(words),
        }),
        ..Read::default()
    })
}

fn happened(message: &Value, account: &str, id: &str) -> Result<Read, String> {
    match text(message, "/event/event_type") {
        "enter_session" => entered(message, account, id),
        "session_status_change" => changed(message, account, id),
        "msg_send_fail" => Ok(Read {
            closed: closed(message, account),
            arrival: Some(Arrival::Reported {
                provider_id: text(message, "/event/fail_msgid").to_owned(),
                report: Report::Failed {
                    reason: failure(message.pointer("/event/fail_type")),
                },
            }),
            ..Read::default()
        }),
        "servicer_status_change"
        | "user_recall_msg"
        | "recall_msg"
        | "reject_customer_msg_switch_change" => Ok(Read::default()),
        other => Ok(Read {
            unread: unknown(other),
            ..Read::default()
        }),
    }
}

/// Somebody opened the conversation; with a code where they are to be welcomed, and without one where they know us: then nobody answers before they say something.
fn entered(message: &Value, account: &str, id: &str) -> Result<Read, String> {
    let code = text(message, "/event/welcome_code");
    let campaign = campaign(message);
    if code.is_empty() && campaign.is_none() {
        return Ok(Read::default());
    }
    let address = address(message, account, "/event")?;
    if code.is_empty() {
        return Ok(Read {
            place: address.place().to_owned(),
            came_back: campaign,
            ..Read::default()
        });
    }
    let at_ms = sent_at_ms(message);
    Ok(Read {
        place: address.place().to_owned(),
        welcome: Some((code.to_owned(), at_ms.saturating_add(WELCOME_MS))),
        arrival: Some(Arrival::Said(Inbound {
            address,
            event_id: id.to_owned(),
            sent_at_ms: at_ms,
            body: InboundBody::Came {
                door: Door::Link,
                campaign,
                means: Box::new(InboundBody::Choice("start:zh".to_owned())),
            },
        })),
        ..Read::default()
    })
}

/// What the shop put into the link or code: its own parameter, else the scene.
fn campaign(message: &Value) -> Option<String> {
    let given = ["/event/scene_param", "/event/scene"];
    let mut given = given.iter().map(|path| text(message, path));
    let given = given.find(|given| !given.is_empty())?;
    Some(given.chars().take(CAMPAIGN_CHARS_MAX).collect())
}

/// A person took the conversation, gave it to another, or ended it.
fn changed(message: &Value, account: &str, id: &str) -> Result<Read, String> {
    let address = address(message, account, "/event")?;
    let (before, now) = (
        text(message, "/event/old_servicer_userid"),
        text(message, "/event/new_servicer_userid"),
    );
    let (person, act, state) = match message
        .pointer("/event/change_type")
        .and_then(Value::as_i64)
    {
        Some(1 | 2 | 4) => (now, DeskAct::Took, State::with(now, true)),
        Some(3) => (before, DeskAct::Ended, State::ended()),
        _ => {
            return Ok(Read {
                unread: Some("a session changed in a way that is not known".to_owned()),
                ..Read::default()
            });
        }
    };
    let person = if person.is_empty() { NAME } else { person };
    Ok(Read {
        place: address.place().to_owned(),
        state: Some(state),
        arrival: Some(Arrival::Desk {
            address,
            event_id: id.to_owned(),
            person: person.to_owned(),
            act,
        }),
        ..Read::default()
    })
}

/// The customer has to write first: too much time has passed, or too many messages were sent.
fn closed(message: &Value, account: &str) -> Option<(Address, i64)> {
    let kind = message.pointer("/event/fail_type").and_then(Value::as_i64);
    if !matches!(kind, Some(4 | 6)) {
        return None;
    }
    // Where it does not say whom it is about, the next send is refused.
    let address = address(message, account, "/event").ok()?;
    Some((address, sent_at_ms(message)))
}

/// Why a message that was taken did not arrive, by the manual's numbers.
fn failure(kind: Option<&Value>) -> String {
    let kind = kind.and_then(Value::as_i64);
    match kind {
        Some(1) => "the account was deleted",
        Some(2) => "the app is closed",
        Some(4) => "48 hours had passed since the customer wrote",
        Some(5) => "the session was closed",
        Some(6) => "five messages had been sent since the customer wrote",
        Some(8) => "the company is not verified",
        Some(10) => "the customer refuses messages",
        _ => return format!("for a reason that WeCom counts as {}", kind.unwrap_or(0)),
    }
    .to_owned()
}
