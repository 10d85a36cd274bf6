//! What the customer wants, as constraints on the catalogue.

use crate::catalogue::{Order, Query};
use crate::conversation::Conversation;
use crate::cue::Cue;
use crate::event::{Exclusion, SlotValue};
use crate::measure::MeasureBound;
use crate::money::Money;
use crate::text;
use crate::vocabulary::is_common_word;
use serde::{Deserialize, Serialize};

/// Characters of a question that is looked up.
pub const QUESTION_CHARS_MAX: usize = 300;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    pub words: String,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub attributes: Vec<(String, String)>,
    pub excluded: Vec<Exclusion>,
    pub price_min: Option<Money>,
    pub price_max: Option<Money>,
    #[serde(default)]
    pub measures: Vec<MeasureBound>,
    /// How many people it is for; what is made for so many comes first.
    #[serde(default)]
    pub people: Option<u32>,
}

/// The customer's words of this turn without what is a constraint already and without the words of asking.
fn telling_words(conversation: &Conversation) -> String {
    let mut words = text::fold(&conversation.newest_words());
    for filled in conversation.slots.values() {
        let quote = text::fold(&filled.quote);
        if !quote.is_empty() && !matches!(filled.value, SlotValue::Key(_)) {
            words = words.replacen(&quote, " ", 1);
        }
    }
    Cue::Asking
        .cut_from(&words)
        .split_whitespace()
        .filter(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            !bare.is_empty() && !is_common_word(bare)
        })
        .collect::<Vec<&str>>()
        .join(" ")
        .chars()
        .take(QUESTION_CHARS_MAX)
        .collect()
}

impl Wanted {
    pub fn of(conversation: &Conversation) -> Self {
        let key = |slot: &str| match conversation.slot(slot) {
            Some(SlotValue::Key(key)) => Some(key.clone()),
            _ => None,
        };
        let money = |slot: &str| match conversation.slot(slot) {
            Some(SlotValue::Money(money)) => Some(*money),
            _ => None,
        };
        Self {
            words: telling_words(conversation),
            category: key("category"),
            brand: key("brand"),
            attributes: conversation
                .slots
                .iter()
                .filter_map(
                    |(slot, filled)| match (slot.strip_prefix("attr:"), &filled.value) {
                        (Some(name), SlotValue::Key(key)) => Some((name.to_owned(), key.clone())),
                        _ => None,
                    },
                )
                .collect(),
            excluded: conversation.excluded.clone(),
            people: match conversation.slot("people") {
                Some(SlotValue::Count(count)) => Some(*count),
                _ => None,
            },
            price_min: money("budget_min"),
            price_max: money("budget_max"),
            measures: conversation
                .slots
                .values()
                .filter_map(|filled| match &filled.value {
                    SlotValue::Measure(bound) => Some(bound.clone()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// There is something to search by other than words.
    pub fn is_concrete(&self) -> bool {
        self.category.is_some()
            || self.brand.is_some()
            || !self.attributes.is_empty()
            || !self.measures.is_empty()
    }

    /// The same without the words of the message: a question about what there is.
    pub fn without_words(mut self) -> Self {
        self.words.clear();
        self
    }

    pub fn query(&self, at_ms: i64, limit: usize) -> Query {
        let mut query = Query {
            words: self.words.clone(),
            types: self.category.iter().cloned().collect(),
            brands: self.brand.iter().cloned().collect(),
            attributes: self.attributes.clone(),
            measures: self.measures.clone(),
            price_min: self.price_min,
            price_max: self.price_max,
            in_stock: true,
            order: Order::Relevance,
            limit,
            now_ms: at_ms,
            ..Query::default()
        };
        for exclusion in &self.excluded {
            match exclusion {
                Exclusion::Type(key) => query.not_types.push(key.clone()),
                Exclusion::Brand(key) => query.not_brands.push(key.clone()),
                Exclusion::Attribute { name, key } => {
                    query.not_attributes.push((name.clone(), key.clone()));
                }
            }
        }
        query
    }
}
