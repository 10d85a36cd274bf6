//! What comes in and what goes out, in a form that no platform owns.

use crate::Address;
use serde::{Deserialize, Serialize};

/// One thing a customer did on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    pub address: Address,
    /// The platform's id of this event, unique within the address; repeats carry the same id.
    pub event_id: String,
    /// When the platform says it was sent, milliseconds since 1970.
    pub sent_at_ms: i64,
    pub body: InboundBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundBody {
    Text(String),
    /// A quick reply was pressed; the id is one that [`Choice::id`] offered, or one that every channel may send: `start:LANGUAGE`, `help:LANGUAGE`.
    Choice(String),
    File(File),
    /// The customer came in at a door of the shop's; what that means is as if it had been said alone.
    Came {
        door: Door,
        /// The shop's own name for where the door stands: a code's scene, a menu's key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<String>,
        means: Box<InboundBody>,
    },
}

/// Longest campaign that is kept, in characters: a scene of WeChat's has at most 64.
pub const CAMPAIGN_CHARS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Followed the shop's account.
    Follow,
    /// Scanned one of the shop's codes.
    Scan,
    /// Touched a line of the account's menu.
    Menu,
    /// Opened a link into the conversation.
    Link,
}

impl InboundBody {
    /// Words or a file of the customer's own, also of one who came by a link and then wrote.
    pub fn is_typed(&self) -> bool {
        match self {
            InboundBody::Text(_) | InboundBody::File(_) => true,
            InboundBody::Came { door, means, .. } => *door == Door::Link && means.is_typed(),
            InboundBody::Choice(_) => false,
        }
    }

    /// What was said, at whichever door.
    pub fn said(&self) -> &InboundBody {
        match self {
            InboundBody::Came { means, .. } => means,
            said => said,
        }
    }
}

/// A picture, a voice message or another file that a customer sent; its content stays at the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub kind: FileKind,
    /// The words beside it; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How the platform names it for who wants to fetch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Photo,
    Voice,
    Video,
    Document,
    /// A place on the map.
    Place,
    Other,
}

/// One message on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbound {
    /// Unique for ever; a repeated delivery carries the same id.
    pub id: String,
    pub address: Address,
    pub turn: u64,
    /// The take-over epoch this was decided in; the bot's own messages of an older epoch are dropped.
    pub epoch: u64,
    pub from: Speaker,
    pub body: OutboundBody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    Bot,
    Rep,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboundBody {
    Reply(Body),
    /// The conversation is now with the bot, waiting for a person, or with a person.
    Mode {
        mode: String,
    },
    /// These events of the customer's have been read, in this turn.
    Read {
        event_ids: Vec<String>,
    },
}

/// A reply: parts in reading order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Markdown: paragraphs, emphasis, lists and links only.
    Text {
        text: String,
    },
    Products {
        products: Vec<Card>,
    },
    Choices {
        choices: Vec<Choice>,
        /// A number that is typed would mean something else, such as a product; so none stands before them where they are written out.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        uncounted: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub id: String,
    pub title: String,
    pub price: Price,
    /// The price before a sale, where one is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `in_stock`, `out_of_stock`, `preorder` or `backorder`, as in the feed.
    pub availability: String,
    /// True reasons that refer to what the customer said.
    pub why: Vec<String>,
}

/// An amount as a decimal string in the currency's own digits, `2680.00`, and its ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub amount: String,
    pub currency: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub id: String,
    pub label: String,
}
