//! What the page posts, read into neutral mail or a typed refusal.

use crate::{Address, Inbound, InboundBody};
use serde_json::{Map, Value};

/// Longest text of one message, in characters, counted after [`clean`].
pub const TEXT_CHARS_MAX: usize = 4000;
/// Longest id of a message, in characters.
pub const EVENT_ID_CHARS_MAX: usize = 64;
/// Longest id of a quick reply, in characters.
pub const CHOICE_CHARS_MAX: usize = 200;

/// How much of an unknown field's name an error repeats, in characters.
const NAME_CHARS_SHOWN: usize = 40;

/// Why a body is no message; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    #[error("the body is not UTF-8: byte {at} does not belong there")]
    NotUtf8 { at: usize },
    #[error("the body is not JSON: line {line}, column {column}: {message}")]
    NotJson {
        line: usize,
        column: usize,
        message: String,
    },
    #[error(
        "the body is a JSON object such as {{\"id\": \"…\", \"text\": \"…\"}}, this is {found}"
    )]
    NotObject { found: &'static str },
    #[error("`{field}` {message}")]
    Field { field: String, message: String },
}

impl PostError {
    /// The field that is at fault, where it is one field.
    pub fn field(&self) -> Option<&str> {
        match self {
            PostError::Field { field, .. } => Some(field),
            PostError::NotUtf8 { .. } | PostError::NotJson { .. } | PostError::NotObject { .. } => {
                None
            }
        }
    }
}

/// Reads `{"id": …, "text": …}` or `{"id": …, "choice": …}` as mail for `address`.
pub fn read_message(body: &[u8], address: &Address, now_ms: i64) -> Result<Inbound, PostError> {
    let fields = read_object(body)?;
    let mut id = None;
    let mut text = None;
    let mut choice = None;
    for (name, value) in &fields {
        match name.as_str() {
            "id" => id = Some(string("id", value)?),
            "text" => text = Some(string("text", value)?),
            "choice" => choice = Some(string("choice", value)?),
            other => {
                return Err(PostError::Field {
                    field: clean(other).chars().take(NAME_CHARS_SHOWN).collect(),
                    message: "is not known here; a message has `id` and `text` or `choice`"
                        .to_owned(),
                });
            }
        }
    }
    let event_id = event_id(id)?;
    let body = match (text, choice) {
        (Some(_), Some(_)) => {
            return Err(refuse(
                "choice",
                "cannot stand beside `text`; send one of them",
            ));
        }
        (None, None) => {
            return Err(refuse(
                "text",
                "is missing; a message has `text` or `choice`",
            ));
        }
        (Some(text), None) => {
            let text = within("text", clean(text).trim(), TEXT_CHARS_MAX)?;
            InboundBody::Text(text)
        }
        (None, Some(choice)) => {
            let choice = within("choice", clean(choice).trim(), CHOICE_CHARS_MAX)?;
            InboundBody::Choice(choice)
        }
    };
    Ok(Inbound {
        address: address.clone(),
        event_id,
        sent_at_ms: now_ms,
        body,
    })
}

/// A text without what cannot be seen and changes how the rest reads: control characters
/// except line feed and tab, direction overrides, zero-width spaces, tag characters.
///
/// Joiners stay, emoji and several scripts are written with them.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                if characters.peek() != Some(&'\n') {
                    cleaned.push('\n');
                }
            }
            '\n' | '\t' => cleaned.push(character),
            '\u{2028}' | '\u{2029}' => cleaned.push('\n'),
            '\u{061C}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}' => {}
            other if other.is_control() => {}
            other => cleaned.push(other),
        }
    }
    cleaned
}

fn read_object(body: &[u8]) -> Result<Map<String, Value>, PostError> {
    let text = std::str::from_utf8(body).map_err(|error| PostError::NotUtf8 {
        at: error.valid_up_to() + 1,
    })?;
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let written = error.to_string();
        PostError::NotJson {
            line: error.line(),
            column: error.column(),
            message: written
                .split_once(" at line ")
                .map_or(written.as_str(), |(message, _)| message)
                .to_owned(),
        }
    })?;
    let found = match value {
        Value::Object(fields) => return Ok(fields),
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
    };
    Err(PostError::NotObject { found })
}

fn event_id(id: Option<&str>) -> Result<String, PostError> {
    let id = id.ok_or_else(|| refuse("id", "is missing; it is a UUID that the page makes"))?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if id.is_empty() || id.len() > EVENT_ID_CHARS_MAX || !id.bytes().all(allowed) {
        return Err(refuse(
            "id",
            &format!("is a UUID, or 1 to {EVENT_ID_CHARS_MAX} of A-Z a-z 0-9 _ -"),
        ));
    }
    Ok(id.to_owned())
}

fn string<'a>(field: &str, value: &'a Value) -> Result<&'a str, PostError> {
    value
        .as_str()
        .ok_or_else(|| refuse(field, "must be a string"))
}

fn within(field: &str, text: &str, chars_max: usize) -> Result<String, PostError> {
    if text.is_empty() {
        return Err(refuse(field, "is empty, or has no visible character"));
    }
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(refuse(
            field,
            &format!("has {chars} characters; at most {chars_max} are taken"),
        ));
    }
    Ok(text.to_owned())
}

fn refuse(field: &str, message: &str) -> PostError {
    PostError::Field {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}
