//! Dialogue state tracking: what an utterance changes in what is known.

mod figures;
mod kinds;
mod mentioned;
mod pointed;

use crate::aspect::Toward;
use crate::catalogue::Catalogue;
use crate::conversation::Conversation;
use crate::cue;
use crate::event::{Event, Exclusion, Filled, SlotValue};
use crate::flow::{Flow, Then};
use crate::measure::MeasureBound;
use crate::money::{Currency, Money};
use crate::nlu::{Entity, Understanding, Value};
use crate::text;
use kinds::{asked_type, asks_of_one, asks_of_service, asks_when_open, below, deepest_type};
pub(crate) use kinds::{can_it, related};
pub use mentioned::mentioned;
use mentioned::{is_a_place, of_brand_listed};

/// Confidence below which an intent starts nothing that leads to a person.
const GUESS_MAX: f64 = 0.4;

/// What a slot of a feature holds.
const YES: &str = "yes";
/// What a slot of a taste holds.
pub(crate) const TASTE_LESS: &str = "less";
pub(crate) const TASTE_MORE: &str = "more";
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
    tracker.budget_taken_back();
    for entity in &understanding.entities {
        tracker.entity(entity, understanding);
    }
    tracker.flows(understanding);
    tracker.events
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
