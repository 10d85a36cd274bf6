//! What anybody may post to a conversation's mailbox.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    Customer { inbound: adapters::Inbound },
    Rep { rep: String, action: RepAction },
}

/// A letter as it is stored: the mail, and beside it what is for operators alone.
#[derive(Serialize)]
pub struct Posted<'a> {
    #[serde(flatten)]
    pub mail: &'a Mail,
    /// The span that accepted it, in W3C form; absent where nobody traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A message as it waits to leave: the message, and beside it what is for operators alone.
#[derive(Serialize)]
pub struct Leaving<'a> {
    #[serde(flatten)]
    pub outbound: &'a adapters::Outbound,
    #[serde(flatten)]
    pub mark: &'a Mark,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When it was decided, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at_ms: Option<i64>,
    /// The turn's span, in W3C form; absent where nobody traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// It may take the message of the customer's window that others leave to a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_all: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum RepAction {
    /// The bot is silent from the commit of this on.
    Take,
    Say {
        text: String,
    },
    HandBack,
    /// At the platform's own desk it is over: the bot has it again, unless nobody there had it.
    LetGo,
    /// Said at the platform's own desk: the customer has it.
    Wrote {
        text: String,
    },
}
