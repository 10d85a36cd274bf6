//! What every channel is: a name, what it can do, and one way out.

use crate::Outbound;
use std::future::Future;
use std::pin::Pin;

/// A send in flight.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Receipt> + Send + 'a>>;

/// How messages leave on a channel.
pub enum Delivery<'a> {
    /// Into the conversation's durable feed, in the same step that settles the message.
    /// The text is one wire event, read later by the customer's own connection.
    Feed { event: &'static str, data: String },
    /// Over the platform's API; at least once.
    Push(Sending<'a>),
    /// The channel has no form for this; settled as done.
    Nothing,
}

/// What the sender does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    Sent {
        provider_id: String,
    },
    RetryAfter {
        wait_ms: u64,
    },
    /// The customer has blocked the shop or left.
    Blocked,
    /// Sending this again can never work.
    Permanent {
        reason: String,
    },
    /// It may or may not have arrived.
    Unknown,
}

/// What a channel can do, as data, so that nothing outside asks for its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Longest text of one message, in characters.
    pub text_chars_max: usize,
    pub cards: bool,
    pub choices: bool,
}

pub trait Channel: Send + Sync {
    /// The part of an address before the colon.
    fn name(&self) -> &'static str;
    fn capabilities(&self) -> Capabilities;
    fn deliver<'a>(&'a self, message: &'a Outbound) -> Delivery<'a>;
}
