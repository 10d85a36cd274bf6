//! Dialogue state tracking: what an utterance changes in what is known.

mod kinds;
mod pointed;

use crate::aspect::Toward;
use crate::catalogue::Catalogue;
use crate::conversation::Conversation;
use crate::cue;
use crate::event::{Event, Exclusion, Filled, SlotValue};
use crate::flow::{Flow, Then};
use crate::measure::{Dimension, MeasureBound, Quality};
use crate::money::{Currency, Money};
use crate::nlu::{Entity, Understanding, Value};
use crate::text;
use kinds::{asked_type, asks_of_one, asks_of_service, asks_when_open, below, deepest_type};
pub(crate) use kinds::{can_it, related};

/// Confidence below which an intent starts nothing that leads to a person.
const GUESS_MAX: f64 = 0.4;

/// What a slot of a feature holds.
const YES: &str = "yes";
/// What a slot of a taste holds.
pub(crate) const TASTE_LESS: &str = "less";
pub(crate) const TASTE_MORE: &str = "more";
/// Slots that hold a number; a correction of one is told by its size.
const NUMBER_SLOTS: [&str; 5] = [
    "budget_min",
    "deadline_days",
    "people",
    "quantity",
    "budget_max",
];
/// How many times larger or smaller a corrected number may be.
const CORRECTION_FACTOR: f64 = 20.0;
/// What a figure is of where nobody says so.
const USUAL_QUALITIES: [Quality; 13] = [
    Quality::Weight,
    Quality::Capacity,
    Quality::Screen,
    Quality::Power,
    Quality::Noise,
    Quality::Storage,
    Quality::Area,
    Quality::Cups,
    Quality::Seats,
    Quality::Battery,
    Quality::Size,
    Quality::Width,
    Quality::Length,
];

/// What tracking may look at beside the conversation.
pub struct Known<'a> {
    pub catalogue: &'a Catalogue,
    pub flows: &'a [Flow],
    pub currency: Currency,
}

/// The events that an understanding leads to; the caller applies them one by one.
pub fn track(
    conversation: &Conversation,
    understanding: &Understanding,
    known: &Known<'_>,
) -> Vec<Event> {
    let mut tracker = Tracker {
        conversation,
        known,
        events: Vec::new(),
    };
    tracker.category(understanding);
    for entity in &understanding.entities {
        tracker.entity(entity, understanding);
    }
    tracker.flows(understanding);
    tracker.events
}

/// The products that the words point at, in the order in which they are named.
pub fn mentioned(
    conversation: &Conversation,
    understanding: &Understanding,
    catalogue: &Catalogue,
    now_ms: i64,
) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let highest = understanding
        .entities
        .iter()
        .filter_map(|e| match e.value {
            Value::Ordinal { index } => Some(index as usize),
            _ => None,
        })
        .max()
        .unwrap_or(0);
    // "The first and the second" after a single card means the list before it.
    let list = if highest > conversation.listed.len() {
        &conversation.listed_before
    } else {
        &conversation.listed
    };
    if let Some(id) = of_brand_listed(conversation, understanding, catalogue) {
        return vec![id];
    }
    let names_products = understanding
        .entities
        .iter()
        .any(|e| !e.negated && matches!(e.value, Value::Product { .. }));
    for entity in understanding.entities.iter().filter(|e| !e.negated) {
        let found = match &entity.value {
            Value::Product { id } => vec![id.clone()],
            Value::Ordinal { index } => nth(list, *index).into_iter().collect(),
            Value::LastShown => last_shown(conversation).into_iter().collect(),
            Value::PricedAt { amount } => {
                let kind = deepest_type(understanding).map(|(key, _)| key.as_str());
                pointed::priced_at(*amount, kind, catalogue, now_ms)
            }
            Value::Number { count }
                if only_a_number(understanding) && is_a_place(conversation, *count) =>
            {
                nth(&conversation.listed, *count).into_iter().collect()
            }
            // "The Uno and the Duo, both of them": they are named already.
            Value::OfShown { which } if !names_products => {
                pointed::of_shown(*which, conversation, catalogue, now_ms)
            }
            _ => Vec::new(),
        };
        for id in found {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    // “The white E2”; “and in black?” of the one under discussion.
    let names_kind = understanding
        .entities
        .iter()
        .any(|e| matches!(e.value, Value::ProductType { .. } | Value::Brand { .. }));
    let one = match ids.as_slice() {
        [] if !names_kind => conversation.focus.as_deref(),
        [one] => Some(one.as_str()),
        _ => None,
    };
    if let Some(variant) = one.and_then(|id| variant_told(id, understanding, catalogue)) {
        ids = vec![variant];
    }
    ids
}

/// “The Guyu one”, 谷雨那款: the one product of that brand in the list, where a brand and a pointing word are all that names it.
fn of_brand_listed(
    conversation: &Conversation,
    understanding: &Understanding,
    catalogue: &Catalogue,
) -> Option<String> {
    let lists = [&conversation.listed, &conversation.listed_before];
    let named = || understanding.entities.iter().filter(|e| !e.negated);
    let points = named().any(|e| matches!(e.value, Value::LastShown));
    let brand_of = |id: &str| catalogue.get(id)?.brand.clone();
    let brand = named().find_map(|e| match &e.value {
        Value::Brand { key } if points => Some(key.clone()),
        // A product may be called One, too.
        Value::Product { id } if text::fold(&e.quote).ends_with(" one") => {
            brand_of(id).filter(|_| !lists.iter().any(|list| list.contains(id)))
        }
        _ => None,
    })?;
    let is_of_brand = |id: &&String| brand_of(id).as_ref() == Some(&brand);
    let of_brand = lists
        .into_iter()
        .map(|list| list.iter().filter(is_of_brand).collect::<Vec<_>>())
        .find(|ids| !ids.is_empty())?;
    match of_brand.as_slice() {
        [id] => Some((*id).clone()),
        _ => None,
    }
}

/// The variant of a product that has the values told.
fn variant_told(id: &str, understanding: &Understanding, catalogue: &Catalogue) -> Option<String> {
    let values: Vec<(String, String)> = understanding
        .entities
        .iter()
        .filter(|entity| !entity.negated)
        .filter_map(|entity| match &entity.value {
            Value::Attribute { name, key } => Some((name.clone(), key.clone())),
            _ => None,
        })
        .collect();
    let variant = catalogue.variant(id, &values)?;
    Some(variant.id.clone())
}

/// The product under discussion; under a new list, the one that was before it.
fn last_shown(conversation: &Conversation) -> Option<String> {
    let spoken_of = match conversation.slot("product") {
        Some(SlotValue::Key(id)) => Some(id.clone()),
        _ => None,
    };
    conversation
        .focus
        .clone()
        .or(spoken_of)
        .or_else(|| conversation.listed.first().cloned())
}

fn nth(list: &[String], index: u32) -> Option<String> {
    let index = usize::try_from(index).ok()?.checked_sub(1)?;
    list.get(index).cloned()
}

fn only_a_number(understanding: &Understanding) -> bool {
    understanding.entities.len() == 1
}

/// Whether a bare number points into the list shown, and is no answer to the question asked.
fn is_a_place(conversation: &Conversation, count: u32) -> bool {
    match conversation.asked.as_deref() {
        Some("people" | "quantity" | "deadline_days") => false,
        // Nobody's budget is as small as a place in a list.
        Some("budget_max") => usize::try_from(count).is_ok_and(|n| n <= conversation.listed.len()),
        _ => true,
    }
}

struct Tracker<'a> {
    conversation: &'a Conversation,
    known: &'a Known<'a>,
    events: Vec<Event>,
}

impl Tracker<'_> {
    fn fill(&mut self, slot: &str, value: SlotValue, quote: &str) {
        // What this message said before counts more than what was known.
        let pending = self.events.iter().rev().find_map(|event| match event {
            Event::SlotFilled { slot: of, filled } if of == slot => Some(Some(&filled.value)),
            Event::SlotCleared { slot: of } if of == slot => Some(None),
            _ => None,
        });
        let held = pending.unwrap_or_else(|| self.conversation.slot(slot));
        // Who comes back to a product brings it into focus again.
        let refocused = matches!(&value, SlotValue::Key(id)
            if slot == "product" && self.conversation.focus.as_ref() != Some(id));
        let unchanged = held == Some(&value) && !refocused;
        if !unchanged {
            self.events.push(Event::SlotFilled {
                slot: slot.to_owned(),
                filled: Filled {
                    value,
                    turn: self.conversation.turn,
                    quote: quote.to_owned(),
                },
            });
        }
    }

    fn clear(&mut self, slot: &str) {
        let told_now = self
            .events
            .iter()
            .any(|event| matches!(event, Event::SlotFilled { slot: of, .. } if of == slot));
        if told_now || self.conversation.slots.contains_key(slot) {
            self.events.push(Event::SlotCleared {
                slot: slot.to_owned(),
            });
        }
    }

    /// The deepest type named; another kind of product takes nothing over from the one before.
    fn category(&mut self, understanding: &Understanding) {
        let words = text::fold(&self.conversation.newest_words());
        // What broke is no wish for another one.
        if cue::says_fault(&words) || understanding.complains() {
            return;
        }
        let asked = asked_type(understanding, &words);
        let Some((key, quote)) = asked.or_else(|| deepest_type(understanding)) else {
            return;
        };
        if let Some(SlotValue::Key(before)) = self.conversation.slot("category")
            && !related(before, key)
        {
            let stale: Vec<String> = self
                .conversation
                .slots
                .keys()
                .filter(|slot| {
                    matches!(
                        slot.as_str(),
                        "budget_min" | "budget_max" | "product" | "brand"
                    ) || ["attr:", "measure:", "taste:", "has:"]
                        .iter()
                        .any(|of| slot.starts_with(of))
                })
                .cloned()
                .collect();
            for slot in stale {
                self.clear(&slot);
            }
        }
        self.allow(|exclusion| matches!(exclusion, Exclusion::Type(other) if below(key, other)));
        self.fill("category", SlotValue::Key(key.clone()), quote);
    }

    /// What is wanted now is excluded no longer.
    fn allow(&mut self, wanted: impl Fn(&Exclusion) -> bool) {
        for exclusion in self.conversation.excluded.iter().filter(|e| wanted(e)) {
            self.events.push(Event::Allowed {
                exclusion: exclusion.clone(),
            });
        }
    }

    fn entity(&mut self, entity: &Entity, understanding: &Understanding) {
        let quote = entity.quote.as_str();
        if entity.negated {
            self.exclude(&entity.value);
            return;
        }
        match &entity.value {
            Value::Attribute { .. } | Value::Measure { .. }
                if self.speaks_of_one_product(understanding) => {}
            Value::Budget { min, max } => self.budget(*min, *max, quote),
            Value::Price { amount } => {
                if self.conversation.asked.as_deref() == Some("budget_max") {
                    self.budget(None, Some(*amount), quote);
                }
            }
            Value::Number { count } => match self.conversation.asked.as_deref() {
                Some("people") => self.fill("people", SlotValue::Count(*count), quote),
                Some("quantity") => self.fill("quantity", SlotValue::Count(*count), quote),
                Some("deadline_days") => {
                    self.fill("deadline_days", SlotValue::Count(*count), quote);
                }
                Some("budget_max") if !is_a_place(self.conversation, *count) => {
                    let amount = Money::from_major(i64::from(*count), self.known.currency);
                    self.budget(None, Some(amount), quote);
                }
                _ => self.point_at(entity, understanding),
            },
            Value::Corrected { count, money } => self.correct(*count, *money, quote),
            Value::Measure {
                quality,
                dimension,
                min,
                max,
            } => {
                if let Some(attribute) = self.measured(*quality, *dimension, understanding) {
                    let slot = format!("measure:{attribute}");
                    let bound = MeasureBound {
                        attribute: Some(attribute),
                        dimension: *dimension,
                        min: *min,
                        max: *max,
                    };
                    self.fill(&slot, SlotValue::Measure(bound), quote);
                }
            }
            Value::Quantity { count, .. } => {
                self.fill("quantity", SlotValue::Count(*count), quote);
            }
            Value::People { count } => self.fill("people", SlotValue::Count(*count), quote),
            // Whether anybody is there on a day says nothing of when something is needed.
            Value::Horizon { .. } if asks_when_open(understanding) => {}
            Value::Horizon { days } => {
                self.fill("deadline_days", SlotValue::Count(*days), quote);
            }
            // A stranger's number is not the customer's.
            Value::Phone { .. } | Value::Email { .. } | Value::Wechat { .. }
                if understanding.asks_of_others() => {}
            Value::Phone { text } => self.fill("phone", SlotValue::Text(text.clone()), quote),
            Value::Email { text } => self.fill("email", SlotValue::Text(text.clone()), quote),
            Value::Wechat { text } => self.fill("wechat", SlotValue::Text(text.clone()), quote),
            Value::Company { text } => self.fill("company", SlotValue::Text(text.clone()), quote),
            Value::PersonName { text } => self.fill("name", SlotValue::Text(text.clone()), quote),
            Value::Role { text } => self.fill("role", SlotValue::Text(text.clone()), quote),
            // It points at one of those listed and chooses among no others.
            Value::Brand { .. } if self.points_by_brand(understanding) => {}
            Value::Brand { key } => {
                self.allow(
                    |exclusion| matches!(exclusion, Exclusion::Brand(other) if other == key),
                );
                self.fill("brand", SlotValue::Key(key.clone()), quote);
            }
            Value::Attribute { .. }
                if asks_of_service(understanding)
                    || understanding.is_beyond()
                    || asks_of_one(
                        understanding,
                        &text::fold(&self.conversation.newest_words()),
                    ) => {}
            Value::Attribute { name, key } => {
                let wanted = Exclusion::Attribute {
                    name: name.clone(),
                    key: key.clone(),
                };
                self.allow(|exclusion| *exclusion == wanted);
                self.fill(&format!("attr:{name}"), SlotValue::Key(key.clone()), quote);
            }
            Value::Feature { attribute } => {
                self.fill(
                    &format!("has:{attribute}"),
                    SlotValue::Key(YES.to_owned()),
                    quote,
                );
            }
            Value::Taste { taste, toward } => {
                let key = match toward {
                    Toward::Less => TASTE_LESS,
                    Toward::More => TASTE_MORE,
                };
                self.fill(
                    &format!("taste:{taste}"),
                    SlotValue::Key(key.to_owned()),
                    quote,
                );
            }
            Value::Product { .. }
            | Value::PricedAt { .. }
            | Value::Ordinal { .. }
            | Value::LastShown
            | Value::OfShown { .. } => {
                self.point_at(entity, understanding);
            }
            Value::ProductType { .. }
            | Value::Cheaper
            | Value::Better
            | Value::Superlative { .. }
            | Value::Yes
            | Value::No => {}
        }
    }

    /// One product is under discussion and no kind of goods was ever named: its colour and size are asked about, no others wished for.
    fn speaks_of_one_product(&self, understanding: &Understanding) -> bool {
        let conversation = self.conversation;
        let names_kind = understanding
            .entities
            .iter()
            .any(|e| matches!(e.value, Value::ProductType { .. } | Value::Brand { .. }));
        conversation.focus.is_some() && conversation.slot("category").is_none() && !names_kind
    }

    fn points_by_brand(&self, understanding: &Understanding) -> bool {
        of_brand_listed(self.conversation, understanding, self.known.catalogue).is_some()
    }

    fn point_at(&mut self, entity: &Entity, understanding: &Understanding) {
        let now_ms = self.conversation.at_ms;
        let catalogue = self.known.catalogue;
        if let Some(id) = mentioned(self.conversation, understanding, catalogue, now_ms).first()
            && self.known.catalogue.get(id).is_some()
        {
            self.fill("product", SlotValue::Key(id.clone()), &entity.quote);
        }
    }

    /// A number in a correction refills what was asked for, or the last number told that is of its size.
    fn correct(&mut self, count: u32, money: bool, quote: &str) {
        let conversation = self.conversation;
        let size = |slot: &str| match conversation.slot(slot) {
            Some(SlotValue::Count(held)) => Some(f64::from(*held)),
            Some(SlotValue::Money(held)) => {
                let minor_per_major = 10_f64.powi(held.currency.digits() as i32);
                Some(held.minor as f64 / minor_per_major)
            }
            _ => None,
        };
        let alike = |slot: &str| {
            size(slot).is_some_and(|held| {
                let ratio = f64::from(count.max(1)) / held.max(1.0);
                (1.0 / CORRECTION_FACTOR..=CORRECTION_FACTOR).contains(&ratio)
            })
        };
        let is_money = |slot: &str| slot.starts_with("budget");
        let asked = conversation
            .asked
            .as_deref()
            .and_then(|asked| NUMBER_SLOTS.into_iter().find(|slot| *slot == asked))
            .filter(|slot| !money || is_money(slot));
        let latest = NUMBER_SLOTS
            .into_iter()
            .filter(|slot| {
                if money {
                    is_money(slot) && size(slot).is_some()
                } else {
                    alike(slot)
                }
            })
            .max_by_key(|slot| conversation.slots.get(*slot).map(|filled| filled.turn));
        let slot = asked.or(latest).or(money.then_some("budget_max"));
        let amount = Money::from_major(i64::from(count), self.known.currency);
        match slot {
            Some("budget_max") => self.budget(None, Some(amount), quote),
            Some("budget_min") => self.budget(Some(amount), None, quote),
            Some(slot) => self.fill(slot, SlotValue::Count(count), quote),
            None => {}
        }
    }

    /// The attribute that tells such a figure of the products wanted.
    fn measured(
        &self,
        quality: Option<Quality>,
        dimension: Dimension,
        understanding: &Understanding,
    ) -> Option<String> {
        let kind = deepest_type(understanding)
            .map(|(key, _)| key.as_str())
            .or_else(|| match self.conversation.slot("category") {
                Some(SlotValue::Key(key)) => Some(key.as_str()),
                _ => None,
            })
            .unwrap_or_default();
        let catalogue = self.known.catalogue;
        let told = |quality: Quality| {
            catalogue
                .attribute_for(quality, kind)
                .filter(|(_, of)| *of == dimension)
                .map(|(attribute, _)| attribute)
        };
        if let Some(quality) = quality {
            return told(quality);
        }
        USUAL_QUALITIES
            .into_iter()
            .filter(|quality| quality.can_be(dimension))
            .find_map(told)
            .or_else(|| {
                catalogue
                    .measured(kind)
                    .iter()
                    .filter(|m| m.dimension == dimension)
                    .max_by_key(|m| m.products)
                    .map(|m| m.attribute.clone())
            })
    }

    /// A new statement of the budget replaces the old one; another currency is not taken over.
    fn budget(&mut self, min: Option<Money>, max: Option<Money>, quote: &str) {
        let ours = |money: &Option<Money>| money.is_none_or(|m| m.currency == self.known.currency);
        if !ours(&min) || !ours(&max) {
            return;
        }
        for (slot, amount) in [("budget_min", min), ("budget_max", max)] {
            match amount {
                Some(amount) => self.fill(slot, SlotValue::Money(amount), quote),
                None => self.clear(slot),
            }
        }
    }

    fn exclude(&mut self, value: &Value) {
        // What need not be there is not kept out either.
        if let Value::Feature { attribute } = value {
            self.clear(&format!("has:{attribute}"));
            return;
        }
        let exclusion = match value {
            Value::ProductType { key } => Exclusion::Type(key.clone()),
            Value::Brand { key } => Exclusion::Brand(key.clone()),
            Value::Attribute { name, key } => Exclusion::Attribute {
                name: name.clone(),
                key: key.clone(),
            },
            _ => return,
        };
        let slot = match &exclusion {
            Exclusion::Type(_) => "category".to_owned(),
            Exclusion::Brand(_) => "brand".to_owned(),
            Exclusion::Attribute { name, .. } => format!("attr:{name}"),
        };
        let wanted_before = matches!(
            (self.conversation.slot(&slot), &exclusion),
            (Some(SlotValue::Key(held)), Exclusion::Type(key) | Exclusion::Brand(key) | Exclusion::Attribute { key, .. }) if held == key
        );
        // “No kettles, I want a dripper”: what was just asked for instead stays.
        let replaced = self
            .events
            .iter()
            .any(|event| matches!(event, Event::SlotFilled { slot: of, .. } if *of == slot));
        if wanted_before && !replaced {
            self.clear(&slot);
        }
        self.events.push(Event::Excluded { exclusion });
    }

    fn flows(&mut self, understanding: &Understanding) {
        for intent in understanding.intents.iter().rev() {
            let running = self
                .conversation
                .flows
                .last()
                .map(|frame| frame.flow.as_str());
            // A fact told inside a flow belongs to that flow.
            if intent.name == "inform" && running.is_some() {
                continue;
            }
            let Some(flow) = self
                .known
                .flows
                .iter()
                .find(|flow| flow.start.contains(&intent.name))
            else {
                continue;
            };
            // Nobody is asked for contact details on a guess.
            if flow.then != Then::Recommend && intent.confidence < GUESS_MAX {
                continue;
            }
            // Asking for advice inside a business purchase is part of it.
            let nested = running.is_some() && flow.start.iter().any(|start| start == "inform");
            if running != Some(flow.id.as_str()) && !nested {
                self.events.push(Event::FlowStarted {
                    flow: flow.id.clone(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
