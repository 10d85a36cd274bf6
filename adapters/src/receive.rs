//! What a platform delivers: the request as it came, and what it is found to hold.

use crate::{Address, Inbound};
use http::HeaderMap;

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
    /// Something waits at the channel's source.
    Waiting,
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
    WithReply {
        address: Address,
        within_ms: u64,
        otherwise: Answer,
    },
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
    #[error("the request cannot be read: {what}")]
    Malformed { what: String },
}
