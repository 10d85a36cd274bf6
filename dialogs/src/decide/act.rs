//! The acts of a turn: everything that the agent can do, as data.

use super::{AskedDay, Wanted};
use crate::aspect::Toward;
use crate::event::FileKind;
use crate::handoff::Reason;
use crate::nlu::Superlative;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    Disclose,
    /// After a long time, who is speaking.
    DiscloseAgain,
    /// After a person spoke, that it is not a person any more.
    DiscloseBack,
    WelcomeBack,
    Greet,
    Thank,
    Bye,
    SmallTalk,
    Insulted,
    Robot,
    Acknowledge,
    /// For what went wrong.
    Apologize,
    ContactThanks,
    Recommend {
        wanted: Wanted,
    },
    /// What one needs for something: one product of each kind.
    Outfit {
        wanted: Wanted,
    },
    Extreme {
        of: Superlative,
        wanted: Wanted,
    },
    /// The products at one end of a measured attribute.
    Rank {
        attribute: String,
        toward: Toward,
        wanted: Wanted,
        /// Those that come next are shown as well.
        #[serde(default)]
        several: bool,
    },
    /// Products on one side of another one in a measured attribute: quieter, lighter, larger.
    MoreOf {
        attribute: String,
        toward: Toward,
        than: String,
        wanted: Wanted,
    },
    /// More of what is wanted, without those shown already.
    Others {
        wanted: Wanted,
        shown: Vec<String>,
    },
    /// What several products cost together.
    Together {
        ids: Vec<String>,
    },
    /// How many there are, and from which price to which.
    Count {
        wanted: Wanted,
    },
    /// Which values of an attribute there are: colours, sizes, materials.
    Values {
        attribute: String,
        wanted: Wanted,
    },
    /// Which kinds of products there are.
    Kinds {
        wanted: Wanted,
    },
    /// A kind of goods that the shop does not have, in the customer's word.
    NotCarried {
        what: String,
    },
    /// A brand that the shop does not have, as the customer writes it; what it has of the kind follows.
    BrandNotCarried {
        brand: String,
    },
    Price {
        id: String,
    },
    Stock {
        id: String,
    },
    Details {
        id: String,
    },
    /// What a product says of some of its attributes.
    Aspect {
        id: String,
        attributes: Vec<String>,
    },
    Reasons {
        id: String,
    },
    Compare {
        first: String,
        second: String,
    },
    Cheaper {
        than: String,
    },
    Better {
        than: String,
    },
    Alternatives {
        to: String,
    },
    Accessories {
        of: String,
        /// Only of this kind.
        #[serde(default)]
        kind: Option<String>,
    },
    Discount {
        id: Option<String>,
        /// What is bargained with; it picks the words.
        #[serde(default)]
        with: Option<Bargain>,
    },
    /// What is on sale now.
    Offers {
        wanted: Wanted,
    },
    /// What a colleague wrote here, in their words.
    ColleagueSaid {
        words: String,
    },
    /// What a colleague is said to have promised elsewhere.
    ColleagueUnheard,
    /// Prices are in the shop's currency only.
    OwnCurrency,
    /// Nobody is told by us when something happens; a colleague can.
    CannotNotify,
    /// What happens after this.
    WhatNext,
    /// A person, where the answer may not be all.
    OfferPerson,
    EasePrice {
        id: Option<String>,
    },
    /// Nothing more is asked; it is said what may come next.
    AtYourService,
    Reassure,
    MatchPrice,
    OtherCurrency,
    Know {
        question: String,
        /// What questions of the kind are about.
        #[serde(default)]
        topic: Option<String>,
    },
    Hours,
    /// Whether anybody is there on a day.
    HoursOn {
        day: AskedDay,
    },
    Buy {
        id: String,
    },
    AskWhich {
        /// What is wanted of it, as quick replies name it: `stock`, `price`, `buy`; empty where it is to be told of.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        wanted: String,
    },
    /// A comparison of those shown that nothing here tells.
    NotCompared,
    Ask {
        slot: String,
        /// Keys of the answers that are offered with the question.
        #[serde(default)]
        offered: Vec<String>,
    },
    Deny,
    HandOff {
        reason: Reason,
    },
    HandedOffAlready,
    OptOut,
    Privacy,
    /// Nobody is told about other customers.
    OthersData,
    /// What the customer said before.
    Recall,
    /// The newest reply's products again.
    Repeat,
    Abilities,
    Languages,
    Clarify,
    ExpiredChoice,
    /// A file came whose content the agent cannot look at or listen to.
    CannotOpen {
        kind: FileKind,
    },
    /// The shop's own answer to an intent of its own.
    Own {
        intent: String,
    },
}

/// What somebody bargains with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bargain {
    Lowest,
    Several,
    Group,
    Freebie,
    Later,
}

impl Bargain {
    /// The last part of the key of its words.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Bargain::Lowest => "lowest",
            Bargain::Several => "several",
            Bargain::Group => "group",
            Bargain::Freebie => "freebie",
            Bargain::Later => "later",
        }
    }
}

impl Act {
    /// Said beside an answer, never instead of one.
    pub(super) fn is_courtesy(&self) -> bool {
        matches!(
            self,
            Act::Greet
                | Act::Thank
                | Act::SmallTalk
                | Act::Insulted
                | Act::Robot
                | Act::Deny
                | Act::Acknowledge
                | Act::Apologize
                | Act::ContactThanks
                | Act::BrandNotCarried { .. }
        )
    }

    /// Opens a reply and answers nothing.
    pub(super) fn is_opening(&self) -> bool {
        matches!(
            self,
            Act::Disclose
                | Act::DiscloseAgain
                | Act::DiscloseBack
                | Act::WelcomeBack
                | Act::OtherCurrency
        )
    }
}
