//! An update as Telegram writes it, read into what happened. Only what is needed is read, so that an update of a newer Bot API is taken too.

use super::place::{MOVED_KEPT_MS, Whereabouts, move_facts};
use crate::digest::short_digest;
use crate::render::TOKEN_MARK;
use crate::{Address, Arrival, CAMPAIGN_CHARS_MAX, Door, File, FileKind, Inbound, InboundBody};
use serde::Deserialize;

/// Bytes of the digest of its words by which an edit is known, in hexadecimal.
const EDIT_HASH_BYTES: usize = 8;

/// Whose updates these are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub id: i64,
    /// `None` until Telegram has told it.
    pub username: Option<&'a str>,
}

/// What an update comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub arrival: Option<Arrival>,
    /// The pressed button that waits for an answer.
    pub callback: Option<String>,
    /// In a group somebody is named, and whether it is us nobody can tell yet.
    pub is_unsure: bool,
}

#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Option<Message>,
    edited_message: Option<Message>,
    callback_query: Option<Callback>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    message_id: i64,
    #[serde(default)]
    date: i64,
    edit_date: Option<i64>,
    chat: Chat,
    migrate_to_chat_id: Option<i64>,
    migrate_from_chat_id: Option<i64>,
    message_thread_id: Option<i32>,
    #[serde(default)]
    is_topic_message: bool,
    from: Option<User>,
    text: Option<String>,
    caption: Option<String>,
    #[serde(default)]
    entities: Vec<Entity>,
    #[serde(default)]
    caption_entities: Vec<Entity>,
    reply_to_message: Option<Box<Replied>>,
    #[serde(default)]
    photo: Vec<Content>,
    voice: Option<Content>,
    audio: Option<Content>,
    video: Option<Content>,
    video_note: Option<Content>,
    animation: Option<Content>,
    document: Option<Content>,
    sticker: Option<Sticker>,
    contact: Option<Contact>,
    location: Option<serde::de::IgnoredAny>,
    poll: Option<serde::de::IgnoredAny>,
    story: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Replied {
    from: Option<User>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
    r#type: String,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    is_bot: bool,
    language_code: Option<String>,
}

#[derive(Deserialize)]
struct Entity {
    r#type: String,
    offset: usize,
    length: usize,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Content {
    file_id: String,
    file_name: Option<String>,
}

#[derive(Deserialize)]
struct Sticker {
    emoji: Option<String>,
    file_id: String,
}

#[derive(Deserialize)]
struct Contact {
    phone_number: String,
}

#[derive(Deserialize)]
struct Callback {
    id: String,
    from: User,
    message: Option<Pressed>,
    data: Option<String>,
}

#[derive(Deserialize)]
struct Pressed {
    chat: Chat,
    message_thread_id: Option<i32>,
    #[serde(default)]
    is_topic_message: bool,
}

/// The error says where the update is not as it should be, without its words.
pub(super) fn read(update: &serde_json::Value, own: Own<'_>, now_ms: i64) -> Result<Read, String> {
    let update = Update::deserialize(update).map_err(|_| match update.get("update_id") {
        Some(id) => format!("update {id} is not as the Bot API describes it"),
        None => "there is no `update_id`".to_owned(),
    })?;
    let mut read = Read::default();
    let event_id = update.update_id.to_string();
    if let Some(callback) = update.callback_query {
        read.arrival = pressed(&callback, event_id, now_ms);
        read.callback = Some(callback.id);
    } else if let Some(moved) = update.message.as_ref().and_then(moved) {
        read.arrival = Some(moved);
    } else if let Some(message) = update.message {
        read.is_unsure = is_unsure(&message, own);
        read.arrival = said(message, event_id, own);
    } else if let Some(message) = update.edited_message {
        read.is_unsure = is_unsure(&message, own);
        read.arrival = edited(message, own);
    }
    Ok(read)
}

/// A group became another chat: the old chat is told, and the new one before anything else is said there.
fn moved(message: &Message) -> Option<Arrival> {
    let here = message.chat.id;
    let (from, to) = match (message.migrate_to_chat_id, message.migrate_from_chat_id) {
        (Some(to), _) => (here, to),
        (None, Some(from)) => (from, here),
        (None, None) => return None,
    };
    Some(Arrival::Noted {
        facts: move_facts(from, to).into(),
        for_ms: MOVED_KEPT_MS,
    })
}

fn pressed(callback: &Callback, event_id: String, now_ms: i64) -> Option<Arrival> {
    let message = callback.message.as_ref()?;
    let topic = message
        .message_thread_id
        .filter(|_| message.is_topic_message);
    let data = callback.data.clone()?;
    let is_token = data.starts_with(TOKEN_MARK);
    let inbound = Inbound {
        address: address(&message.chat, &callback.from, topic)?,
        event_id,
        // A press carries no time of its own.
        sent_at_ms: now_ms,
        body: InboundBody::Choice(data),
    };
    Some(match is_token {
        true => Arrival::Pressed(inbound),
        false => Arrival::Said(inbound),
    })
}

fn said(message: Message, event_id: String, own: Own<'_>) -> Option<Arrival> {
    let from = message.from.as_ref().filter(|from| !from.is_bot)?;
    let topic = message
        .message_thread_id
        .filter(|_| message.is_topic_message);
    let address = address(&message.chat, from, topic)?;
    if message.chat.r#type != "private" && !is_for_us(&message, own) {
        return None;
    }
    let sent_at_ms = message
        .edit_date
        .unwrap_or(message.date)
        .saturating_mul(1000);
    Some(Arrival::Said(Inbound {
        address,
        event_id,
        sent_at_ms,
        body: body(&message, from, own)?,
    }))
}

/// Of an edit the words count, and each only once: it is known by them, so an edit that leaves them as they are is a repetition.
///
/// Passed over is what has no words (a live location says at each move that it was edited, a file that was replaced is as unseen as the first one), and a change that nobody sees, which carries no date (`hide_edit_date` in github.com/tdlib/td).
fn edited(mut message: Message, own: Own<'_>) -> Option<Arrival> {
    message.edit_date.filter(|date| *date > 0)?;
    if message.text.is_none() {
        message.text = Some(message.caption.take()?);
        message.entities = std::mem::take(&mut message.caption_entities);
    }
    let text = message.text.as_deref().unwrap_or_default();
    let words = short_digest(text.as_bytes(), EDIT_HASH_BYTES);
    let event_id = format!("edit.{}.{}.{words}", message.chat.id, message.message_id);
    said(message, event_id, own)
}

/// A private chat is one conversation; in a group each customer has one of their own, in each topic.
fn address(chat: &Chat, from: &User, topic: Option<i32>) -> Option<Address> {
    let (customer, topic) = match chat.r#type.as_str() {
        "private" => (None, None),
        "group" | "supergroup" => (Some(from.id), topic),
        _ => return None,
    };
    let chat = chat.id;
    Whereabouts {
        chat,
        customer,
        topic,
    }
    .address()
}

/// In a group: mentioned, replied to, or commanded.
fn is_for_us(message: &Message, own: Own<'_>) -> bool {
    let reply = message
        .reply_to_message
        .as_ref()
        .and_then(|replied| replied.from.as_ref());
    if reply.is_some_and(|from| from.id == own.id) {
        return true;
    }
    let (text, entities) = words(message);
    entities.iter().any(|entity| match entity.r#type.as_str() {
        "text_mention" => entity.user.as_ref().is_some_and(|user| user.id == own.id),
        "mention" => {
            let name = covered(text, entity);
            names_us(name.trim_start_matches('@'), own)
        }
        "bot_command" => match covered(text, entity).split_once('@') {
            Some((_, name)) => names_us(name, own),
            None => entity.offset == 0,
        },
        _ => false,
    })
}

/// Nobody's name is ours while we do not know it: a stranger's talk with somebody else must not be answered.
fn names_us(name: &str, own: Own<'_>) -> bool {
    own.username
        .is_some_and(|username| username.eq_ignore_ascii_case(name))
}

/// A group that names somebody while our own name is not known.
fn is_unsure(message: &Message, own: Own<'_>) -> bool {
    if own.username.is_some() || message.chat.r#type == "private" || is_for_us(message, own) {
        return false;
    }
    let (text, entities) = words(message);
    entities.iter().any(|entity| match entity.r#type.as_str() {
        "mention" => true,
        "bot_command" => covered(text, entity).contains('@'),
        _ => false,
    })
}

fn words(message: &Message) -> (&str, &[Entity]) {
    match (&message.text, &message.caption) {
        (Some(text), _) => (text, &message.entities),
        (None, Some(caption)) => (caption, &message.caption_entities),
        (None, None) => ("", &[]),
    }
}

/// What an entity stands on; offsets count UTF-16 units.
fn covered(text: &str, entity: &Entity) -> String {
    let units: Vec<u16> = text
        .encode_utf16()
        .skip(entity.offset)
        .take(entity.length)
        .collect();
    String::from_utf16_lossy(&units)
}

fn body(message: &Message, from: &User, own: Own<'_>) -> Option<InboundBody> {
    if let Some(text) = &message.text {
        let command = message
            .entities
            .first()
            .filter(|entity| entity.r#type == "bot_command" && entity.offset == 0)
            .map(|entity| covered(text, entity));
        if let Some(command) = command {
            return Some(commanded(text, &command, from));
        }
        let text = unaddressed(text, own);
        return (!text.is_empty()).then_some(InboundBody::Text(text));
    }
    if let Some(contact) = &message.contact {
        return Some(InboundBody::Text(contact.phone_number.clone()));
    }
    if let Some(emoji) = message.sticker.as_ref().and_then(|s| s.emoji.clone()) {
        return Some(InboundBody::Text(emoji));
    }
    let (kind, content) = file(message)?;
    Some(InboundBody::File(File {
        kind,
        caption: unaddressed(message.caption.as_deref().unwrap_or_default(), own),
        name: content.and_then(|content| content.file_name.clone()),
        provider_id: content.map(|content| content.file_id.clone()).or_else(|| {
            let sticker = message.sticker.as_ref();
            sticker.map(|sticker| sticker.file_id.clone())
        }),
    }))
}

/// `/start` greets and `/help` explains, in the language of the customer's Telegram; of any other command the words count.
fn commanded(text: &str, command: &str, from: &User) -> InboundBody {
    let name = command.split('@').next().unwrap_or_default();
    let language = match from.language_code.as_deref() {
        Some(code) if code.starts_with("zh") => "zh",
        Some(_) => "en",
        None => "",
    };
    match name {
        "/start" => {
            let greeting = InboundBody::Choice(format!("start:{language}"));
            let link = text.get(command.len()..).unwrap_or_default().trim();
            came(link, greeting)
        }
        "/help" => InboundBody::Choice(format!("help:{language}")),
        _ => {
            let rest = text.get(command.len()..).unwrap_or_default();
            InboundBody::Text(format!("{}{rest}", name.trim_start_matches('/')))
        }
    }
}

/// `t.me/BOT?start=CAMPAIGN` arrives as `/start CAMPAIGN`; what somebody typed behind it is no campaign.
fn came(link: &str, greeting: InboundBody) -> InboundBody {
    let is_campaign = (1..=CAMPAIGN_CHARS_MAX).contains(&link.len())
        && link
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !is_campaign {
        return greeting;
    }
    InboundBody::Came {
        door: Door::Link,
        campaign: Some(link.to_owned()),
        means: Box::new(greeting),
    }
}

/// The words without our own name, which only says whom they are for.
fn unaddressed(text: &str, own: Own<'_>) -> String {
    let Some(username) = own.username else {
        return text.trim().to_owned();
    };
    let kept: Vec<&str> = text
        .split(' ')
        .filter(|word| {
            let name = word.trim().trim_end_matches([',', '，', ':', '：']);
            !name
                .strip_prefix('@')
                .is_some_and(|name| name.eq_ignore_ascii_case(username))
        })
        .collect();
    kept.join(" ").trim().to_owned()
}

fn file(message: &Message) -> Option<(FileKind, Option<&Content>)> {
    let first = |kind, content: &'_ Option<Content>| content.is_some().then_some(kind);
    // The last photo is the largest; an animation comes as a document too.
    if let Some(photo) = message.photo.last() {
        return Some((FileKind::Photo, Some(photo)));
    }
    for (content, kind) in [
        (&message.voice, FileKind::Voice),
        (&message.audio, FileKind::Voice),
        (&message.video, FileKind::Video),
        (&message.video_note, FileKind::Video),
        (&message.animation, FileKind::Video),
        (&message.document, FileKind::Document),
    ] {
        if let Some(kind) = first(kind, content) {
            return Some((kind, content.as_ref()));
        }
    }
    if message.location.is_some() {
        return Some((FileKind::Place, None));
    }
    let other = message.sticker.is_some() || message.poll.is_some() || message.story.is_some();
    other.then_some((FileKind::Other, None))
}
