//! A message or an event of an official account, read into what happened. Only what is needed is read.

use super::NAME;
use crate::emoticon::shown;
use crate::render::TOKEN_MARK;
use crate::wxcrypt::xml::Document;
use crate::{
    Address, Arrival, CAMPAIGN_CHARS_MAX, Door, File, FileKind, Inbound, InboundBody, Report,
};

/// Characters of an event's key that tell it from others of the same second.
const KEY_CHARS: usize = 64;
/// Characters of a kind that nobody knows, for the log.
const KIND_CHARS: usize = 24;
/// Before the scene of a code that somebody followed by.
const SCENE_MARK: &str = "qrscene_";
/// Events that are known and need no answer (接收事件推送, 自定义菜单事件推送, and the notices of mass sending, publishing and the customer-service desk).
const SILENT: [&str; 20] = [
    "unsubscribe",
    "VIEW",
    "LOCATION",
    "view_miniprogram",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
    "MASSSENDJOBFINISH",
    "PUBLISHJOBFINISH",
    "kf_create_session",
    "kf_close_session",
    "kf_switch_session",
    "subscribe_msg_popup_event",
    "subscribe_msg_change_event",
    "subscribe_msg_sent_event",
    "user_info_modified",
    "user_authorization_revoke",
];
/// What stands for a sticker that WeChat does not pass on.
const UNSHOWN: &str = "【收到不支持的消息类型，暂无法显示】";

/// Who wrote to whom, and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The customer, as this account knows them.
    pub customer: String,
    /// The account's own id.
    pub account: String,
    /// `None` where nobody has to answer.
    pub arrival: Option<Arrival>,
    /// What was not understood.
    pub unread: Option<String>,
}

/// The error says what is missing, without the customer's words.
pub(super) fn read(document: &Document) -> Result<Read, String> {
    let field = |name: &str| {
        document
            .get(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("there is no `{name}`"))
    };
    let (customer, account) = (field("FromUserName")?, field("ToUserName")?);
    let (kind, created) = (field("MsgType")?, field("CreateTime")?);
    let created_s: i64 = created
        .parse()
        .map_err(|_| "`CreateTime` is no number".to_owned())?;
    let address = Address::new(NAME, customer)
        .map_err(|_| "`FromUserName` cannot be an address".to_owned())?;
    let mut read = Read {
        customer: customer.to_owned(),
        account: account.to_owned(),
        arrival: None,
        unread: None,
    };
    let happened = match kind {
        "event" => happened(document),
        kind => said(document, kind),
    };
    let body = match happened {
        Happened::Body(body) => body,
        Happened::Report { id, report } => {
            read.arrival = Some(Arrival::Reported {
                provider_id: id,
                report,
            });
            return Ok(read);
        }
        Happened::Nothing => return Ok(read),
        Happened::Unknown(what) => {
            let what: String = what.chars().take(KIND_CHARS).collect();
            read.unread = Some(format!("{what:?} is no kind of message or event known"));
            return Ok(read);
        }
    };
    let is_token = matches!(&body, InboundBody::Choice(id) if id.starts_with(TOKEN_MARK));
    let inbound = Inbound {
        address,
        event_id: event_id(document, created),
        sent_at_ms: created_s.saturating_mul(1000),
        body,
    };
    read.arrival = Some(match is_token {
        true => Arrival::Pressed(inbound),
        false => Arrival::Said(inbound),
    });
    Ok(read)
}

/// Messages have an id; an event is known by its second, its kind and its key.
fn event_id(document: &Document, created: &str) -> String {
    let field = |name: &str| document.get(name).unwrap_or_default().trim();
    match field("MsgId") {
        "" => {
            let key: String = field("EventKey").chars().take(KEY_CHARS).collect();
            format!("{created}.{}.{key}", field("Event"))
        }
        id => id.to_owned(),
    }
}

enum Happened {
    Body(InboundBody),
    Report { id: String, report: Report },
    Nothing,
    Unknown(String),
}

fn said(document: &Document, kind: &str) -> Happened {
    let field = |name: &str| document.get(name).unwrap_or_default().trim();
    let text = |text: &str| match text {
        "" => Happened::Nothing,
        text => Happened::Body(InboundBody::Text(text.to_owned())),
    };
    let file = |kind: FileKind, caption: &str| {
        Happened::Body(InboundBody::File(File {
            kind,
            caption: caption.to_owned(),
            name: None,
            provider_id: Some(field("MediaId").to_owned()).filter(|id| !id.is_empty()),
        }))
    };
    match kind {
        "text" if !field("bizmsgmenuid").is_empty() => {
            Happened::Body(InboundBody::Choice(field("bizmsgmenuid").to_owned()))
        }
        "text" if field("Content") == UNSHOWN => file(FileKind::Other, ""),
        "text" => text(&shown(field("Content"))),
        "image" => file(FileKind::Photo, ""),
        // WeChat has heard it for us, where the account asks for that.
        "voice" if !field("Recognition").is_empty() => text(field("Recognition")),
        "voice" => file(FileKind::Voice, ""),
        "video" | "shortvideo" => file(FileKind::Video, ""),
        "location" => file(FileKind::Place, field("Label")),
        "link" => text(format!("{}\n{}", field("Title"), field("Url")).trim()),
        other => Happened::Unknown(other.to_owned()),
    }
}

fn greeting() -> InboundBody {
    InboundBody::Choice("start:zh".to_owned())
}

fn came(door: Door, campaign: &str, means: InboundBody) -> Happened {
    let campaign: String = campaign.chars().take(CAMPAIGN_CHARS_MAX).collect();
    Happened::Body(InboundBody::Came {
        door,
        campaign: Some(campaign).filter(|campaign| !campaign.is_empty()),
        means: Box::new(means),
    })
}

fn happened(document: &Document) -> Happened {
    let field = |name: &str| document.get(name).unwrap_or_default().trim();
    match field("Event") {
        // Who follows or scans has come in at the door, whichever door it was.
        "subscribe" => match field("EventKey").strip_prefix(SCENE_MARK) {
            Some(scene) => came(Door::Scan, scene, greeting()),
            None => came(Door::Follow, "", greeting()),
        },
        "SCAN" => came(Door::Scan, field("EventKey"), greeting()),
        "CLICK" => match field("EventKey") {
            "" => Happened::Nothing,
            key if key.starts_with("start:") || key.starts_with("help:") => {
                came(Door::Menu, key, InboundBody::Choice(key.to_owned()))
            }
            // A menu's key is what the customer would have to say.
            key => came(Door::Menu, key, InboundBody::Text(key.to_owned())),
        },
        "TEMPLATESENDJOBFINISH" => Happened::Report {
            id: field("MsgID").to_owned(),
            report: match field("Status") {
                "success" => Report::Delivered,
                other => Report::Failed {
                    reason: other.chars().take(KIND_CHARS).collect(),
                },
            },
        },
        // What they lead to comes as a message of its own, or nobody has to answer it.
        silent if SILENT.contains(&silent) => Happened::Nothing,
        other => Happened::Unknown(other.to_owned()),
    }
}
