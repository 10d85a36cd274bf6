//! What a platform delivers: the request as it came, and what it is found to hold.

use crate::{Address, Inbound, Speaker};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

/// A request of a platform, not yet trusted.
#[derive(Clone, Copy, Debug)]
pub struct Delivered<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    pub headers: &'a HeaderMap,
    /// The raw query without its question mark.
    pub query: &'a str,
    pub body: &'a [u8],
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

/// What a request held. It is answered only when every arrival is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub arrivals: Vec<Arrival>,
    /// What of it was not understood, for the log; none of the customer's words.
    pub unread: Option<String>,
    pub acknowledgement: Acknowledgement,
}

/// One thing that happened on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    Said(Inbound),
    /// A button whose choice is a [`crate::Token`]: what stands for the id was kept when it left.
    Pressed(Inbound),
    /// What became of a message that left, by the platform's id.
    Reported {
        provider_id: String,
        report: Report,
    },
    /// A message that had left came too late or was one too many: what the customer had opened by then takes nothing more.
    Closed {
        address: Address,
        at_ms: i64,
    },
    /// Something waits at the channel's source, which finds what it needs to fetch it under a key of [`crate::Keep`], for so long.
    Waiting {
        key: String,
        note: String,
        for_ms: u64,
    },
    /// Facts that the channel finds again in [`crate::Keep`], for so long: each its key and what is kept.
    Noted {
        facts: Vec<(String, String)>,
        for_ms: u64,
    },
    /// At the platform's own desk a person did something with the conversation.
    Desk {
        address: Address,
        event_id: String,
        /// Who, by the platform's name for them.
        person: String,
        act: DeskAct,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskAct {
    /// It is theirs: the shop is silent.
    Took,
    /// What they wrote; the customer has it.
    Wrote(String),
    /// It is over: the shop answers what comes next.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    Delivered,
    Read,
    Failed { reason: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    AtOnce(Answer),
    /// The customer sees what the answer carries: the turn's reply, if there is one in time.
    WithReply(Waiting),
}

/// A delivery whose answer waits for what the shop says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub address: Address,
    /// What the delivery told; a repetition of it gets the same answer.
    pub event_id: String,
    /// A reply that is ready in this time after the delivery came is the answer, milliseconds.
    pub within_ms: u64,
    /// Unanswered, the platform turns away after so long and delivers the same again, milliseconds.
    pub turns_away_ms: u64,
    /// How often it delivers the same in all.
    pub deliveries: u64,
    /// At least the how many-th this is, from 1 on, as far as the delivery itself tells.
    pub delivery: u64,
    /// What [`crate::Channel::answer`] needs to write the answer.
    pub form: String,
    /// Where nothing was said in time and the platform delivers it no more.
    pub otherwise: Answer,
    /// Where nothing is to be said: it is with a person, or another delivery got the reply.
    pub nothing: Answer,
}

/// Under this name a channel that answers deliveries puts into the feed which events a turn has read, as a JSON list of their ids.
pub const READ_EVENT: &str = "read";

/// Under this name it puts there what the shop said, as JSON of [`Words`].
pub const WORDS_EVENT: &str = "message";

/// What the shop said: who of it, in which take-over epoch, and the texts in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub from: Speaker,
    pub epoch: u64,
    pub texts: Vec<String>,
}

impl Words {
    /// The bot's words of before a take-over are not shown after it.
    pub fn is_over(&self, epoch: u64) -> bool {
        self.from == Speaker::Bot && self.epoch < epoch
    }
}

/// Something that waits to be seen inside an answer: an item of a conversation's feed, or a message that is offered, which has no place in a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub seq: u64,
    pub event: String,
    pub data: String,
}

/// How far a customer has seen the feed: all before this item, and so many pieces of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub seq: u64,
    pub pieces: usize,
}

/// An answer, and up to where the customer has seen the feed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// `None` where nothing there is for the customer.
    pub answer: Option<Answer>,
    pub to: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Answer {
    /// 200 with nothing in it.
    pub fn empty() -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            body: Vec::new(),
        }
    }
}

/// Why a request is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("nothing is delivered to this channel here")]
    NotTaken,
    #[error("the request does not prove that the platform sent it")]
    Forged,
    /// Its signature is right, so the platform has another key than we.
    #[error("the request is signed, and none of the keys that are set opens it")]
    Sealed,
    #[error("the request cannot be read: {what}")]
    Malformed { what: String },
    /// Whether it is for us cannot be told before the channel has met its platform; it is delivered again.
    #[error("the channel does not know itself yet")]
    NotYet,
}
