//! What a message means: its intents, the facts in it, its mood.

use super::OUT_OF_SCOPE;
use crate::Language;
use crate::aspect::Toward;
use crate::measure::{Dimension, Quality};
use crate::money::Money;
use serde::{Deserialize, Serialize};

/// Confidence from which a message is surely not for this shop.
const BEYOND_MIN: f64 = 0.85;

/// Confidence from which somebody complains in calm words.
const COMPLAINS_MIN: f64 = 0.8;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    pub language: Language,
    /// Best first; never empty.
    pub intents: Vec<Intent>,
    pub entities: Vec<Entity>,
    pub sentiment: Sentiment,
    pub read_by: ReadBy,
    /// The folded message as it was read, where slips, sounds or another language were mended in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
}

impl Understanding {
    /// Surely about something else than this shop: a colour in it is no wish.
    pub fn is_beyond(&self) -> bool {
        let names_goods = self.entities.iter().any(|e| {
            matches!(
                e.value,
                Value::ProductType { .. }
                    | Value::Brand { .. }
                    | Value::Product { .. }
                    | Value::Budget { .. }
            )
        });
        let best = self.intents.first();
        !names_goods && best.is_some_and(|i| i.name == OUT_OF_SCOPE && i.confidence >= BEYOND_MIN)
    }

    /// What is asked of somebody else: a number or an address in it is not the customer's own.
    pub fn asks_of_others(&self) -> bool {
        let best = self.intents.first();
        best.is_some_and(|intent| intent.name == "ask_others_data")
    }

    /// Angry, or surely complaining.
    pub fn complains(&self) -> bool {
        let is_angry = self.sentiment == Sentiment::Negative;
        let best = self.intents.first();
        best.is_some_and(|intent| {
            matches!(intent.name.as_str(), "complain" | "insult")
                && (is_angry || intent.confidence >= COMPLAINS_MIN)
        })
    }

    /// What was refused before it was read.
    pub fn nothing(language: Language) -> Self {
        Self {
            language,
            intents: vec![Intent {
                name: OUT_OF_SCOPE.to_owned(),
                confidence: 0.0,
                said: String::new(),
            }],
            entities: Vec::new(),
            sentiment: Sentiment::Neutral,
            read_by: ReadBy::Plain,
            mended: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub name: String,
    /// 0 to 1, two decimals.
    pub confidence: f64,
    /// The folded part of the message that says it; empty where that is the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    pub value: Value,
    /// A piece of the customer's own text.
    pub quote: String,
    /// The customer does not want it.
    pub negated: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Value {
    Budget {
        min: Option<Money>,
        max: Option<Money>,
    },
    /// An amount not said as a budget.
    Price {
        amount: Money,
    },
    /// The one that costs so much: “the 1899 machine”.
    PricedAt {
        amount: Money,
    },
    Number {
        count: u32,
    },
    /// A number that takes the place of one said before.
    Corrected {
        count: u32,
        /// Said with a currency.
        money: bool,
    },
    /// What a product must measure, in base units of the dimension.
    Measure {
        quality: Option<Quality>,
        dimension: Dimension,
        min: Option<i64>,
        max: Option<i64>,
    },
    Quantity {
        count: u32,
        unit: Option<String>,
    },
    People {
        count: u32,
    },
    /// Days from today until the need.
    Horizon {
        days: u32,
    },
    Phone {
        text: String,
    },
    Email {
        text: String,
    },
    Wechat {
        text: String,
    },
    Company {
        text: String,
    },
    PersonName {
        text: String,
    },
    /// What the customer does where they work.
    Role {
        text: String,
    },
    ProductType {
        key: String,
    },
    Brand {
        key: String,
    },
    Attribute {
        name: String,
        key: String,
    },
    /// What an attribute of the catalogue tells must be there.
    Feature {
        attribute: String,
    },
    /// Little or much of a taste is wished for.
    Taste {
        taste: String,
        toward: Toward,
    },
    Product {
        id: String,
    },
    /// Counted from 1.
    Ordinal {
        index: u32,
    },
    LastShown,
    Cheaper,
    Better,
    Superlative {
        of: Superlative,
    },
    Yes,
    No,
    /// Products among those shown.
    OfShown {
        which: Which,
    },
}

/// Which of the products shown before is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Cheaper,
    Dearer,
    Last,
    LastButOne,
    LastTwo,
    Middle,
    /// Of two, the one that is not under discussion.
    Other,
    Both,
    /// The one under discussion before this one.
    Before,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Superlative {
    Cheapest,
    MostExpensive,
    Lightest,
    Heaviest,
    Smallest,
    Largest,
    Quietest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sentiment {
    Negative,
    Neutral,
    Positive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    Plain,
    Model,
}
