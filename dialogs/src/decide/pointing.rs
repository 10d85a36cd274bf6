//! Which product is meant, and whether a message told anything that products are chosen by.

use super::{Decider, Wanted};
use crate::aspect::Toward;
use crate::choice::is_which;
use crate::cue::Cue;
use crate::flow::{Then, known};
use crate::nlu::{Value, says_nothing_beside};

impl Decider<'_> {
    /// What the customer wants; who narrows down a list of one kind means that kind, though nobody named it.
    pub(super) fn wanted(&self) -> Wanted {
        let conversation = self.scene.conversation;
        let mut wanted = Wanted::of(conversation);
        let narrows = self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::Attribute { .. }
                    | Value::Measure { .. }
                    | Value::Taste { .. }
                    | Value::Feature { .. }
                    | Value::Superlative { .. }
            )
        });
        let lists = conversation.listed.len() > 1 && conversation.focus.is_none();
        if narrows && lists && wanted.category.is_none() && wanted.brand.is_none() {
            wanted.category = self.common_kind(&conversation.listed);
        }
        wanted
    }

    /// The deepest kind that all of some products are of.
    fn common_kind(&self, ids: &[String]) -> Option<String> {
        let catalogue = &self.scene.shop.catalogue;
        let mut lists = ids.iter().map(|id| catalogue.get(id).map(|p| &p.type_keys));
        let first = lists.next()??;
        let rest: Vec<_> = lists.collect();
        first
            .iter()
            .rev()
            .find(|key| {
                rest.iter()
                    .all(|keys| keys.is_some_and(|keys| keys.contains(key)))
            })
            .cloned()
    }

    /// Whether two products are of one kind, however wide.
    pub(super) fn is_of_kind(&self, id: &str, other: &str) -> bool {
        let catalogue = &self.scene.shop.catalogue;
        match (catalogue.get(id), catalogue.get(other)) {
            (Some(one), Some(other)) => {
                let kinds = &other.type_keys;
                one.type_keys.iter().any(|key| kinds.contains(key))
            }
            _ => false,
        }
    }

    /// “Quiet”, where that is a product, asks for nothing quieter.
    pub(super) fn says_only_a_name(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        let [only] = entities.as_slice() else {
            return false;
        };
        let quote = crate::text::fold(&only.quote);
        matches!(only.value, Value::Product { .. }) && says_nothing_beside(&self.words, &quote)
    }

    /// The product under discussion.
    pub(super) fn target(&self) -> Option<String> {
        self.mentioned
            .first()
            .cloned()
            .or_else(|| self.scene.conversation.focus.clone())
            .filter(|id| self.scene.shop.catalogue.get(id).is_some())
    }

    /// The cheapest or the dearest of what is under discussion.
    pub(super) fn end_of_list(&self, dearest: bool) -> Option<String> {
        if let Some(target) = self.target() {
            return Some(target);
        }
        let price = |id: &&String| {
            self.scene
                .shop
                .catalogue
                .get(id)
                .map(|product| product.price_at(self.scene.at_ms).minor)
        };
        let listed = self
            .scene
            .conversation
            .listed
            .iter()
            .filter(|id| price(id).is_some());
        if dearest {
            listed.max_by_key(price).cloned()
        } else {
            listed.min_by_key(price).cloned()
        }
    }

    /// Of what is under discussion, the one that has least (or most) of an attribute already.
    pub(super) fn end_in(&self, attribute: &str, toward: Toward) -> Option<String> {
        let catalogue = &self.scene.shop.catalogue;
        let figure = |id: &String| {
            let span = catalogue.measure_of(id, attribute)?;
            Some(match toward {
                Toward::Less => span.low,
                Toward::More => span.high.saturating_neg(),
            })
        };
        if let Some(id) = self.target().filter(|id| figure(id).is_some()) {
            return Some(id);
        }
        self.scene
            .conversation
            .listed
            .iter()
            .filter_map(|id| Some((figure(id)?, id)))
            .min()
            .map(|(_, id)| id.clone())
    }

    /// This turn filled or ruled out something that products are chosen by.
    pub(super) fn told_something(&self) -> bool {
        if self.scene.understanding.is_beyond() {
            return false;
        }
        self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::Budget { .. }
                    | Value::ProductType { .. }
                    | Value::Brand { .. }
                    | Value::Attribute { .. }
                    | Value::People { .. }
                    | Value::Quantity { .. }
                    | Value::Horizon { .. }
                    | Value::Measure { .. }
                    | Value::Taste { .. }
                    | Value::Feature { .. }
                    | Value::Corrected { .. }
            )
        }) || self.answered_question()
    }

    /// A slot that the reply before asked for is known now, or is told not to matter.
    pub(super) fn answered_question(&self) -> bool {
        let conversation = self.scene.conversation;
        conversation.asked.as_deref().is_some_and(|slot| {
            !slot.starts_with("offer:")
                && (known(conversation, slot)
                    || self.best_intent() == "deny"
                    || Cue::NoPreference.is_in(&self.words))
        })
    }

    /// The constraints changed in this turn, or nothing was shown yet.
    pub(super) fn worth_showing(&self) -> bool {
        let conversation = self.scene.conversation;
        conversation.listed.is_empty()
            || conversation.slots.iter().any(|(slot, filled)| {
                let chosen_by = matches!(
                    slot.as_str(),
                    "category" | "brand" | "budget_max" | "budget_min"
                ) || ["attr:", "measure:", "taste:", "has:"]
                    .iter()
                    .any(|of| slot.starts_with(of));
                chosen_by && filled.turn == conversation.turn
            })
            || self.scene.understanding.entities.iter().any(|e| e.negated)
            || self.has_intent("ask_recommendation")
            || self.answered_question()
    }

    /// The reply before asked something of a flow, and this message asked something else instead.
    pub(super) fn digressed(&self, answered: bool) -> bool {
        let conversation = self.scene.conversation;
        let asked = conversation.asked.as_deref();
        let flow = conversation
            .flows
            .last()
            .and_then(|frame| self.scene.shop.flows.iter().find(|f| f.id == frame.flow));
        // Who only looks for something is not pressed: the question was for their sake.
        let waits =
            flow.is_some_and(|flow| flow.then != Then::Recommend) || asked == Some("category");
        answered
            && waits
            && asked.is_some_and(|slot| !slot.starts_with("offer:") && !is_which(slot))
    }

    fn best_intent(&self) -> &str {
        let intents = &self.scene.understanding.intents;
        intents.first().map_or("", |intent| intent.name.as_str())
    }
}
