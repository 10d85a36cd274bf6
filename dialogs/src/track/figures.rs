//! Numbers that are told: budgets, what a product must measure, and corrections of either.

use super::Tracker;
use super::kinds::deepest_type;
use crate::cue::Cue;
use crate::event::SlotValue;
use crate::measure::{Dimension, Quality};
use crate::money::Money;
use crate::nlu::Understanding;

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

impl Tracker<'_> {
    /// A number in a correction refills what was asked for, or the last number told that is of its size.
    pub(super) fn correct(&mut self, count: u32, money: bool, quote: &str) {
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
    pub(super) fn measured(
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

    /// “The budget doesn't matter any more.”
    pub(super) fn budget_taken_back(&mut self) {
        let words = crate::text::fold(&self.conversation.newest_words());
        if Cue::NoPreference.is_in(&words) && Cue::Budget.is_in(&words) {
            self.clear("budget_min");
            self.clear("budget_max");
        }
    }

    /// A new statement of the budget replaces the old one; another currency is not taken over.
    pub(super) fn budget(&mut self, min: Option<Money>, max: Option<Money>, quote: &str) {
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
}
