//! What every channel is: what it can do, what comes in on it, and how messages leave.

use crate::{
    Address, Answered, Arrival, Capabilities, Delivered, Held, Outbound, Place, Received, Refused,
    Unkept,
};
use std::future::{Future, ready};
use std::pin::Pin;

/// Something asked of a platform.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A send in flight.
pub type Sending<'a> = Asking<'a, Receipt>;

/// How a message leaves on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Into the conversation's durable feed, in the same step that settles the message.
    /// The text is one wire event, read later by the customer's own connection.
    Feed { event: &'static str, data: String },
    /// Over the platform's API as so many messages of its own, each by [`Channel::send`], in order.
    Push { pieces: usize, tokens: Vec<Token> },
    /// Something is asked of the platform, by [`Channel::send`] as the first piece, that is no message to the customer.
    Act,
    /// The channel has no form for this; settled as done.
    Nothing,
}

/// What a button carries where its choice's id is too long; to be kept before the message leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub token: String,
    pub choice: String,
}

/// What the sender does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    Sent {
        provider_id: String,
    },
    /// Surely not taken; the platform says when to come back.
    RetryAfter {
        wait_ms: u64,
    },
    /// Surely not taken, and nobody says when to come back.
    TryAgain,
    /// The access token is over; the channel has asked for another.
    RefreshToken,
    /// Not before the customer writes again.
    WindowClosed,
    /// The customer has blocked the shop or left.
    Blocked,
    /// A person at the platform's own desk has the conversation: this is not said any more.
    TakenOver,
    /// The conversation lives elsewhere now; to be sent there.
    Moved {
        to: Address,
    },
    /// Sending this again can never work.
    Permanent {
        reason: String,
    },
    /// It may or may not have arrived; sending it again might say it twice.
    Unknown,
}

pub trait Channel: Send + Sync {
    /// The part of an address before the colon.
    fn name(&self) -> &'static str;

    fn capabilities(&self) -> Capabilities;

    /// Learns from the platform what the channel has to know of itself; asked again until it succeeds. The error is for the log.
    fn meet(&self) -> Asking<'_, Result<(), String>> {
        Box::pin(ready(Ok(())))
    }

    /// A request of the platform: who sent it is proved on the raw bytes first, then it is read.
    fn receive(&self, _request: &Delivered<'_>) -> Result<Received, Refused> {
        Err(Refused::NotTaken)
    }

    /// The settings that a delivery is proved by, for an operator whose platform sends what is not taken.
    fn proved_by(&self) -> &'static str {
        ""
    }

    /// The same at the conversation that it belongs to, where only what the replicas share says which one that is. Asked before an arrival is taken; after an error it has to be told again.
    fn placed(&self, arrival: Arrival) -> Asking<'_, Result<Arrival, Unkept>> {
        Box::pin(ready(Ok(arrival)))
    }

    /// What came with a request, with what only the replicas together know of it, such as whose channel it came from, or that it is refused for what another has seen. Asked of everything that was received, before it is taken.
    fn recognized<'a>(
        &'a self,
        _request: Delivered<'a>,
        received: Received,
    ) -> Asking<'a, Result<Result<Received, Refused>, Unkept>> {
        Box::pin(ready(Ok(Ok(received))))
    }

    /// Where this channel has to be asked for what came in.
    fn source(&self) -> Option<&dyn Source> {
        None
    }

    fn deliver(&self, message: &Outbound) -> Delivery;

    /// Sends one piece of what [`Channel::deliver`] counted; the same message and number are the same piece, always.
    fn send<'a>(&'a self, _message: &'a Outbound, _piece: usize) -> Sending<'a> {
        Box::pin(ready(Receipt::Permanent {
            reason: "the channel sends nothing".to_owned(),
        }))
    }

    /// The message as an answer to a delivery carries it whole; `None` where it has to be sent.
    ///
    /// Only asked of a channel whose answers carry what is in time ([`crate::SyncReply::InTime`]).
    fn within_answer(&self, _message: &Outbound) -> Option<Held> {
        None
    }

    /// What waits in the feed from a place on, as the answer to a delivery: as much of it as fits. `None` where no answer can be written.
    ///
    /// Only of a channel that returns [`crate::Acknowledgement::WithReply`]; the form is the one that came with it.
    fn answer(&self, _form: &str, _held: &[Held], _from: Place, _now_ms: i64) -> Option<Answered> {
        None
    }

    /// Shows that an answer is being written; whether it worked matters to nobody.
    fn typing<'a>(&'a self, _address: &'a Address) -> Asking<'a, ()> {
        Box::pin(ready(()))
    }

    /// What the platform counts messages by: addresses of one lane share their pace and their waits.
    fn lane<'a>(&self, address: &'a Address) -> &'a str {
        address.place()
    }

    /// Whether many people read a lane, so that [`crate::Pace::shared_lane`] holds for it besides.
    fn is_shared(&self, _lane: &str) -> bool {
        false
    }

    /// What an operator should know of the connection.
    fn check(&self) -> Asking<'_, Vec<Check>> {
        Box::pin(ready(Vec::new()))
    }
}

/// One thing that was looked at, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub ok: bool,
    pub detail: String,
    /// What to do, where something is wrong.
    pub advice: Option<String>,
}

impl Check {
    pub fn fine(detail: impl Into<String>) -> Self {
        Self {
            ok: true,
            detail: detail.into(),
            advice: None,
        }
    }

    pub fn wrong(detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            ok: false,
            detail: detail.into(),
            advice: Some(advice.into()),
        }
    }
}

/// A channel that is asked for what came in; one replica at a time asks.
pub trait Source: Send + Sync {
    /// What came after the cursor; without one, everything that is still there. Waits for it where the platform can wait.
    ///
    /// Nothing is forgotten by the platform before a later call names a cursor after it.
    fn pull<'a>(
        &'a self,
        cursor: Option<&'a str>,
        now_ms: i64,
    ) -> Asking<'a, Result<Pulled, PullError>>;

    /// How long to rest after a pull that gave no cursor, milliseconds; an [`crate::Arrival::Waiting`] ends the rest. 0 where a pull waits by itself.
    fn rest_ms(&self) -> u64 {
        0
    }

    /// Everything that was pulled is durable.
    fn confirm<'a>(&'a self, _pulled: &'a Pulled) -> Asking<'a, ()> {
        Box::pin(ready(()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    pub arrivals: Vec<Arrival>,
    /// What was not understood, for the log; none of the customers' words.
    pub unread: Vec<String>,
    /// To be named at the next call, once all arrivals are durable; `None` where nothing came.
    pub cursor: Option<String>,
    /// What the channel itself wants to hear again in [`Source::confirm`].
    pub to_confirm: Vec<String>,
}

/// Why nothing could be pulled; the texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    #[error("{why}")]
    Later { wait_ms: u64, why: String },
    /// A person has to do something.
    #[error("{why}")]
    Stopped { why: String },
}
