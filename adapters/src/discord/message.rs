//! A message as Discord writes it, read into what a customer said. Only what is needed is read, so that one of a newer API is taken too.

use super::place::{Place, Whose};
use crate::{Arrival, File, FileKind, Inbound, InboundBody};
use serde::Deserialize;
use serde_json::Value;
use serenity::model::Timestamp;
use serenity::model::id::{ChannelId, GuildId, MessageId, UserId};

/// Words, and words in answer to a message; all other types are written by Discord itself.
const TYPES_OF_PEOPLE: [u8; 2] = [0, 19];
/// Files of one message that are taken; Discord allows as many.
const FILES_MAX: usize = 10;
/// Set where a file was spoken into the phone.
const VOICE_FLAG: u64 = 1 << 13;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    pub id: MessageId,
    pub channel_id: ChannelId,
    pub guild_id: Option<GuildId>,
    pub author: User,
    #[serde(default)]
    pub content: String,
    pub edited_timestamp: Option<Timestamp>,
    #[serde(default)]
    pub r#type: u8,
    #[serde(default)]
    pub mentions: Vec<User>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    sticker_items: Vec<Sticker>,
    poll: Option<serde::de::IgnoredAny>,
    webhook_id: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    flags: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub id: UserId,
    #[serde(default)]
    pub bot: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Attachment {
    id: serenity::model::id::AttachmentId,
    filename: Option<String>,
    content_type: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Sticker {
    name: Option<String>,
}

/// Where a message was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Direct,
    /// A channel in which a customer of a server is answered.
    Theirs(Whose),
    Server,
}

/// What a message comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub arrivals: Vec<Arrival>,
    /// Somebody writes to us, and Discord does not show us what.
    pub is_hidden: bool,
}

/// The error says where the message is not as it should be, without its words.
pub(super) fn parse(payload: &Value) -> Result<Message, String> {
    Message::deserialize(payload).map_err(|_| match payload.get("id").and_then(Value::as_str) {
        Some(id) if id.len() <= 20 => format!("message {id} is not as the API describes it"),
        _ => "a message has no `id`".to_owned(),
    })
}

/// An edited message is said again; one that only got a preview is not edited.
pub(super) fn read(message: &Message, is_update: bool, here: Here, own: UserId) -> Read {
    let nothing = Read::default();
    let is_of_a_person = TYPES_OF_PEOPLE.contains(&message.r#type)
        && !message.author.bot
        && message.webhook_id.is_none()
        && message.author.id != own;
    let edited = message.edited_timestamp.filter(|_| is_update);
    if !is_of_a_person || (is_update && edited.is_none()) {
        return nothing;
    }
    let is_mentioned = message.mentions.iter().any(|user| user.id == own);
    let place = match here {
        Here::Direct => Place::direct(message.channel_id),
        Here::Theirs(whose) if whose.customer == Some(message.author.id) => whose.place,
        Here::Server if is_mentioned => Place::of(message.channel_id, message.author.id),
        Here::Theirs(_) | Here::Server => return nothing,
    };
    let text = unaddressed(&message.content, own);
    let files = files(message);
    let is_hidden = text.is_empty() && files.is_empty() && !is_mentioned;
    let mut bodies: Vec<InboundBody> = Vec::new();
    if files.is_empty() && !text.is_empty() {
        bodies.push(InboundBody::Text(text));
    } else if files.is_empty() && is_mentioned && !is_update {
        // Called without a word.
        bodies.push(InboundBody::Choice("start:".to_owned()));
    } else {
        let mut caption = Some(text);
        bodies.extend(files.into_iter().map(|file| {
            InboundBody::File(File {
                caption: caption.take().unwrap_or_default(),
                ..file
            })
        }));
    }
    let (event_id, sent_at) = match edited {
        None => (message.id.to_string(), message.id.created_at()),
        Some(edited) => {
            let at_ms = milliseconds(edited);
            (format!("{}.{at_ms}", message.id), edited)
        }
    };
    let arrivals = bodies.into_iter().enumerate().filter_map(|(at, body)| {
        Some(Arrival::Said(Inbound {
            address: place.address()?,
            event_id: match at {
                0 => event_id.clone(),
                at => format!("{event_id}/{at}"),
            },
            sent_at_ms: milliseconds(sent_at),
            body,
        }))
    });
    Read {
        arrivals: arrivals.collect(),
        is_hidden,
    }
}

/// Since 1970.
pub(super) fn milliseconds(at: Timestamp) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// The first id that a message of a time may have: the milliseconds since the beginning of 2015, above 22 bits.
pub(super) fn at(now_ms: i64) -> Option<MessageId> {
    let since = u64::try_from(now_ms.saturating_sub(1_420_070_400_000)).ok()?;
    Some(MessageId::new((since << 22).max(1)))
}

/// The words without our own name, which only says whom they are for.
fn unaddressed(text: &str, own: UserId) -> String {
    let mut text = text.to_owned();
    for form in [format!("<@{own}>"), format!("<@!{own}>")] {
        text = text.replace(&form, " ");
    }
    let text = text.trim().trim_start_matches([',', '，', ':', '：']);
    text.trim().to_owned()
}

fn files(message: &Message) -> Vec<File> {
    let attached = message.attachments.iter().map(|attachment| {
        let kind = attachment.content_type.as_deref().unwrap_or_default();
        File {
            kind: match kind.split('/').next().unwrap_or_default() {
                _ if message.flags & VOICE_FLAG != 0 => FileKind::Voice,
                "image" => FileKind::Photo,
                "audio" => FileKind::Voice,
                "video" => FileKind::Video,
                _ => FileKind::Document,
            },
            caption: String::new(),
            name: attachment.filename.clone(),
            // An attachment's address ends after a day; these three find it again.
            provider_id: Some(format!(
                "{}/{}/{}",
                message.channel_id, message.id, attachment.id
            )),
        }
    });
    let other = |name: Option<String>| File {
        kind: FileKind::Other,
        caption: String::new(),
        name,
        provider_id: None,
    };
    let stickers = message
        .sticker_items
        .iter()
        .map(|sticker| other(sticker.name.clone()));
    let polls = message.poll.iter().map(|_| other(None));
    attached
        .chain(stickers)
        .chain(polls)
        .take(FILES_MAX)
        .collect()
}
