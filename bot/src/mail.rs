//! What anybody may post to a conversation's mailbox.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mail {
    Customer { inbound: adapters::Inbound },
    Rep { rep: String, action: RepAction },
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
}
