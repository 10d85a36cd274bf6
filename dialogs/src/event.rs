//! What can happen in a conversation; its log is a list of these and its state is their fold.

use crate::decide::Decision;
use crate::handoff::{Brief, Reason};
use crate::lead::Lead;
use crate::measure::MeasureBound;
use crate::model::Completion;
use crate::money::Money;
use crate::nlu::Understanding;
use crate::reply::Reply;
use serde::{Deserialize, Serialize};

/// One thing that happened. The stored form is JSON tagged by `event`; fields are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A turn began; all that follows until the next one was decided under these versions.
    TurnStarted {
        turn: u64,
        at_ms: i64,
        policy: String,
        shop: String,
    },
    /// One letter, as the input rail let it through.
    Heard {
        event_id: String,
        at_ms: i64,
        said: Said,
    },
    /// The letter that follows came in at one of the shop's doors.
    Came {
        door: Door,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        campaign: Option<String>,
    },
    /// A guardrail rule had something to say.
    Judged {
        rail: String,
        rule: String,
        action: String,
        enforced: bool,
        reason: String,
    },
    /// The tape: what the model answered in this step.
    Completed {
        step: String,
        completion: Completion,
    },
    /// A step fell back to its plain form, and why.
    FellBack {
        step: String,
        why: String,
    },
    Understood {
        understanding: Understanding,
    },
    SlotFilled {
        slot: String,
        filled: Filled,
    },
    SlotCleared {
        slot: String,
    },
    /// Something the customer does not want.
    Excluded {
        exclusion: Exclusion,
    },
    FlowStarted {
        flow: String,
    },
    FlowEnded {
        flow: String,
    },
    Decided {
        decision: Decision,
    },
    Replied {
        id: String,
        reply: Reply,
    },
    /// The turn understood nothing it could act on.
    Missed,
    Graded {
        lead: Lead,
    },
    HandedOff {
        reason: Reason,
        brief: Brief,
        rep: Option<String>,
        at_ms: i64,
    },
    OptedOut,
    Taken {
        rep: String,
        at_ms: i64,
    },
    RepSaid {
        id: String,
        rep: String,
        text: String,
        /// Said at the platform's own desk, so the customer has it.
        #[serde(default, skip_serializing_if = "is_false")]
        elsewhere: bool,
    },
    HandedBack {
        rep: String,
    },
    /// What was excluded is wanted after all.
    Allowed {
        exclusion: Exclusion,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Text(String),
    Choice(String),
    /// A picture, a voice message or another file, whose content nobody here looks at.
    File {
        kind: FileKind,
        /// The words beside it, as the input rail let them through.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        caption: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// How its channel names it for who wants to fetch it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_id: Option<String>,
    },
    /// A rep's action; its words follow as an event of their own.
    Rep(String),
}

/// Where a customer came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    Follow,
    Scan,
    Menu,
    Link,
}

impl Door {
    pub fn word(self) -> &'static str {
        match self {
            Door::Follow => "follow",
            Door::Scan => "scan",
            Door::Menu => "menu",
            Door::Link => "link",
        }
    }
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

/// A slot's value with the customer's own words for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    pub value: SlotValue,
    pub turn: u64,
    pub quote: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotValue {
    Money(Money),
    Count(u32),
    /// A canonical key: a product type, a brand, an attribute value, a product id.
    Key(String),
    Text(String),
    Measure(MeasureBound),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    Type(String),
    Brand(String),
    Attribute { name: String, key: String },
}

fn is_false(value: &bool) -> bool {
    !value
}

impl SlotValue {
    /// The language-neutral form that logs, prompts and briefs show.
    pub fn plain(&self) -> String {
        match self {
            SlotValue::Money(money) => format!("{} {}", money.amount(), money.currency.code()),
            SlotValue::Count(count) => count.to_string(),
            SlotValue::Key(text) | SlotValue::Text(text) => text.clone(),
            SlotValue::Measure(bound) => bound.plain(),
        }
    }
}
