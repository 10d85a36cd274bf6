//! A conversation as one document: how it is put away in the records, brought back, and moved to another store.

use super::StoreError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The form of the document; a reader refuses another.
pub const VERSION: u32 = 1;
/// Of a hashed event id, bytes: within one conversation, two equal ones do not happen.
pub const MARK_BYTES: usize = 8;

/// Everything that a state store holds of a conversation, apart from its entries in the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    pub version: u32,
    pub conversation: String,
    pub counters: Counters,
    /// The snapshot's JSON; `None` before the first commit.
    pub state: Option<String>,
    /// When its first unread letter came.
    pub unread_since_ms: Option<i64>,
    /// When it wants to be looked at although nobody writes.
    pub wake_at_ms: Option<i64>,
    /// Unread letters in order; the first is number `read_to + 1`.
    pub letters: Vec<WholeLetter>,
    /// Messages that have not left yet, in order.
    pub out: Vec<WholeOut>,
    /// What its page may still read, in order and without gaps; the last is number `last_feed`.
    pub feed: Vec<WholeItem>,
    /// Marks of the event ids that were accepted, the oldest first.
    pub seen: Vec<String>,
}

/// Counters and fences; none of them ever falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub rev: u64,
    pub epoch: u64,
    pub turn_token: u64,
    pub send_token: u64,
    pub last_letter: u64,
    pub read_to: u64,
    pub last_out: u64,
    pub last_feed: u64,
}

impl Counters {
    /// Rises with every step that changes the conversation, so that of two documents the newer is known.
    pub fn age(&self) -> u64 {
        self.rev
            + self.epoch
            + self.turn_token
            + self.send_token
            + self.last_letter
            + self.read_to
            + self.last_out
            + self.last_feed
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeLetter {
    pub event_id: String,
    pub at_ms: i64,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeOut {
    pub seq: u64,
    pub id: String,
    pub epoch: u64,
    pub bot: bool,
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WholeItem {
    pub event: String,
    pub data: String,
}

/// What a conversation remembers of an event id.
pub fn mark_of(event_id: &str) -> [u8; MARK_BYTES] {
    let hash = Sha256::digest(event_id.as_bytes());
    hash.first_chunk::<MARK_BYTES>()
        .copied()
        .unwrap_or_default()
}

pub fn mark_text(mark: &[u8]) -> String {
    hex::encode(mark)
}

/// `None` for what is not a mark.
pub fn mark_bytes(text: &str) -> Option<[u8; MARK_BYTES]> {
    (text.len() == 2 * MARK_BYTES)
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
        .map(u64::to_be_bytes)
}

impl Whole {
    pub fn to_json(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|error| StoreError::Corrupt {
            what: format!("a conversation has no JSON form: {error}"),
        })
    }

    pub fn from_json(text: &str) -> Result<Self, StoreError> {
        let whole: Self = serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
            what: format!("a conversation that was put away cannot be read: {error}"),
        })?;
        if whole.version != VERSION {
            return Err(StoreError::Corrupt {
                what: format!(
                    "a conversation was put away in form {}, this version reads form {VERSION}; run the version that wrote it",
                    whole.version
                ),
            });
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_from_their_text() {
        for id in ["", "e1", "二"] {
            let mark = mark_of(id);
            assert_eq!(mark_bytes(&mark_text(&mark)), Some(mark));
        }
        assert_eq!(mark_bytes("0g00000000000000"), None);
        assert_eq!(mark_bytes("é000000000000000"), None);
    }

    #[test]
    fn another_form_is_named() {
        let text = r#"{"version":9,"conversation":"web:1","counters":{"rev":0,"epoch":0,"turn_token":0,"send_token":0,"last_letter":0,"read_to":0,"last_out":0,"last_feed":0},"state":null,"unread_since_ms":null,"wake_at_ms":null,"letters":[],"out":[],"feed":[],"seen":[]}"#;
        let told = Whole::from_json(text).err().map(|error| error.to_string());
        assert!(told.is_some_and(|told| told.contains("form 9")));
    }
}
