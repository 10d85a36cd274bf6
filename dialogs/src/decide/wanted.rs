//! What the customer wants, as constraints on the catalogue.

use crate::aspect::Toward;
use crate::catalogue::{Order, Query};
use crate::conversation::Conversation;
use crate::cue::Cue;
use crate::event::{Exclusion, SlotValue};
use crate::measure::MeasureBound;
use crate::money::Money;
use crate::nlu::numbers_in;
use crate::text;
use crate::track::TASTE_LESS;
use crate::vocabulary::is_common_word;
use serde::{Deserialize, Serialize};

/// How the slots of tastes begin.
const TASTE: &str = "taste:";
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
    /// About how much it may cost, where that was said: what costs less does as well, and what comes near is shown first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_near: Option<Money>,
    #[serde(default)]
    pub measures: Vec<MeasureBound>,
    /// Attributes that must be told, and not as missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Little or much of a taste.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tastes: Vec<(String, Toward)>,
    /// How many people it is for; what is made for so many comes first.
    #[serde(default)]
    pub people: Option<u32>,
}

/// The customer's words of this turn without what is a constraint already and without the words of asking.
fn telling_words(conversation: &Conversation) -> String {
    let mut words = text::fold(&conversation.newest_words());
    let has_taste = conversation
        .slots
        .keys()
        .any(|slot| slot.starts_with(TASTE));
    for (slot, filled) in &conversation.slots {
        let quote = text::fold(&filled.quote);
        // Where a taste is wished for, the kind's own name would put what is called like it first.
        let is_told = slot.starts_with(TASTE) || (slot == "category" && has_taste);
        let is_searched = matches!(filled.value, SlotValue::Key(_)) && !is_told;
        if !quote.is_empty() && !is_searched {
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

/// The middle of a budget whose two ends were told with one figure: 三千左右.
fn price_near(conversation: &Conversation) -> Option<Money> {
    let (min, max) = (
        conversation.slots.get("budget_min")?,
        conversation.slots.get("budget_max")?,
    );
    let (SlotValue::Money(low), SlotValue::Money(high)) = (&min.value, &max.value) else {
        return None;
    };
    let is_one = min.quote == max.quote && numbers_in(&min.quote).len() == 1;
    (is_one && low.currency == high.currency).then(|| Money {
        minor: low.minor.saturating_add(high.minor) / 2,
        currency: low.currency,
    })
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
            price_near: price_near(conversation),
            features: conversation
                .slots
                .keys()
                .filter_map(|slot| slot.strip_prefix("has:").map(str::to_owned))
                .collect(),
            tastes: conversation
                .slots
                .iter()
                .filter_map(|(slot, filled)| {
                    let taste = slot.strip_prefix(TASTE)?;
                    let toward = match &filled.value {
                        SlotValue::Key(key) if key == TASTE_LESS => Toward::Less,
                        _ => Toward::More,
                    };
                    Some((taste.to_owned(), toward))
                })
                .collect(),
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
            || !self.tastes.is_empty()
            || !self.features.is_empty()
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
            features: self.features.clone(),
            tastes: self.tastes.clone(),
            // “Around 3,000” refuses nothing that costs less.
            price_min: self.price_min.filter(|_| self.price_near.is_none()),
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
