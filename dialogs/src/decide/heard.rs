//! What a message says and names, and how sure that is.

use super::Decider;
use crate::catalogue::Query;
use crate::cue::Cue;
use crate::nlu::{Superlative, Value};
use crate::text;

/// Confidence from which an intent stands beside facts that speak for another.
const SURE_MIN: f64 = 0.65;
/// Nearness (0 to 1) from which words name one product of a kind.
const NAMED_SCORE_MIN: f32 = 0.4;
/// How much nearer than what is in stock it must come.
const NEARER_MIN: f32 = 1.5;
/// Characters of most Chinese words.
const HAN_WORD_CHARS: usize = 2;
/// Characters of a question from which on it says what it is about.
const TELLING_CHARS_MIN: usize = 4;

impl Decider<'_> {
    /// A product is named and nothing is told that others could be chosen by.
    pub(super) fn names_only_a_product(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        !self.mentioned.is_empty()
            && entities.iter().all(|entity| {
                matches!(
                    entity.value,
                    Value::Product { .. }
                        | Value::PricedAt { .. }
                        | Value::ProductType { .. }
                        | Value::Brand { .. }
                        | Value::LastShown
                        | Value::Ordinal { .. }
                        | Value::OfShown { .. }
                ) && !entity.negated
            })
    }

    pub(super) fn names_a_product(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        entities
            .iter()
            .any(|entity| matches!(entity.value, Value::Product { .. }))
    }

    /// “And the black one?”, of the product under discussion.
    pub(super) fn names_a_variant(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        self.mentioned.len() == 1
            && !entities.is_empty()
            && entities
                .iter()
                .all(|entity| matches!(entity.value, Value::Attribute { .. }) && !entity.negated)
    }

    pub(super) fn says_budget(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        entities
            .iter()
            .any(|entity| matches!(entity.value, Value::Budget { .. }))
    }

    pub(super) fn says_value(&self) -> bool {
        self.scene
            .understanding
            .entities
            .iter()
            .any(|entity| matches!(entity.value, Value::Attribute { .. }))
    }

    pub(super) fn names_extreme(&self) -> bool {
        self.superlative().is_some()
    }

    pub(super) fn superlative(&self) -> Option<Superlative> {
        self.scene
            .understanding
            .entities
            .iter()
            .find_map(|entity| match &entity.value {
                Value::Superlative { of } => Some(*of),
                _ => None,
            })
    }

    /// Several of what is wanted lie on the table, and none is under discussion.
    pub(super) fn lists_what_is_wanted(&self) -> bool {
        let conversation = self.scene.conversation;
        conversation.listed.len() > 1 && conversation.focus.is_none() && self.wanted().is_concrete()
    }

    /// “Which one is easier to clean?”, of what was just shown.
    pub(super) fn asks_which_of_those(&self) -> bool {
        self.scene.conversation.listed.len() > 1
            && !self.told_something()
            && Cue::WhichOne.is_in(&self.words)
            && self.superlative().is_none()
    }

    /// Goods of a kind are named, not whatever goes with a product.
    pub(super) fn names_goods(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        !Cue::Accessories.is_in(&self.words)
            && entities
                .iter()
                .any(|entity| matches!(entity.value, Value::ProductType { .. }))
    }

    pub(super) fn is_sure_of(&self, intent: &str) -> bool {
        self.has_at_least(intent, SURE_MIN)
    }

    pub(super) fn has_at_least(&self, intent: &str, confidence: f64) -> bool {
        let intents = &self.scene.understanding.intents;
        intents
            .iter()
            .any(|i| i.name == intent && i.confidence >= confidence)
    }

    pub(super) fn asks(&self, intent: &str) -> bool {
        let mut intents = self.scene.understanding.intents.iter();
        intents.any(|i| i.name == intent)
    }

    /// Goods are to have something that others of their kind lack.
    pub(super) fn wishes_feature(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        entities
            .iter()
            .any(|entity| matches!(entity.value, Value::Feature { .. }) && !entity.negated)
    }

    /// Goods of a kind are asked for, and the intent is a guess; or a kind is named with what it should be, and nothing is asked.
    pub(super) fn rather_wants_goods(&self, intent: &str) -> bool {
        let entities = &self.scene.understanding.entities;
        let names =
            |wanted: fn(&Value) -> bool| entities.iter().any(|e| !e.negated && wanted(&e.value));
        let describes = names(|value| matches!(value, Value::ProductType { .. }))
            && names(|value| matches!(value, Value::Attribute { .. }));
        (describes && !self.is_a_question())
            || self.wishes_feature()
            || (self.says_budget() && !self.is_in_the_knowledge())
            || (!self.is_sure_of(intent) && self.names_kind() && Cue::HasGoods.is_in(&self.words))
    }

    /// A kind, a brand or a property of the catalogue is named.
    pub(super) fn names_kind(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::ProductType { .. } | Value::Brand { .. } | Value::Attribute { .. }
            )
        })
    }

    /// A question in words that the shop has nothing for, before any product was spoken of.
    pub(super) fn is_about_nothing_here(&self, target: &Option<String>) -> bool {
        let conversation = self.scene.conversation;
        let wanted = self.wanted();
        target.is_none()
            && conversation.listed.is_empty()
            && !wanted.is_concrete()
            && !self.told_something()
            && wanted.words.chars().filter(|c| c.is_alphanumeric()).count() >= TELLING_CHARS_MIN
    }

    /// A kind is named, no product of it, and the words say more: what fits or works is asked.
    pub(super) fn asks_of_a_kind(&self) -> bool {
        self.mentioned.is_empty() && self.names_goods() && self.is_a_question()
    }

    /// What a product says of itself has a word of the question beside the kinds that it names.
    pub(super) fn tells_of_the_question(&self, id: &str) -> bool {
        let Some(product) = self.scene.shop.catalogue.get(id) else {
            return false;
        };
        let mut words = self.wanted().words;
        for entity in &self.scene.understanding.entities {
            words = words.replacen(&text::fold(&entity.quote), " ", 1);
        }
        let told: Vec<String> = product
            .description
            .texts()
            .map(|(_, t)| text::fold(t))
            .collect();
        let is_told = |piece: &str| told.iter().any(|text| text.contains(piece));
        words.split(|c: char| !c.is_alphanumeric()).any(|word| {
            let letters: Vec<char> = word.chars().collect();
            match word.is_ascii() {
                true => word.len() >= TELLING_CHARS_MIN && is_told(word),
                false => letters
                    .windows(HAN_WORD_CHARS)
                    .any(|pair| is_told(&pair.iter().collect::<String>())),
            }
        })
    }

    /// Goods asked for by their words that cannot be bought now: the nearest of their kind, whatever else is in stock.
    pub(super) fn sold_out_by_name(&self) -> Option<String> {
        if !self.mentioned.is_empty() || !self.names_goods() {
            return None;
        }
        let wanted = self.wanted();
        let query = Query {
            in_stock: false,
            ..wanted.query(self.scene.at_ms, 1)
        };
        let catalogue = &self.scene.shop.catalogue;
        let hit = catalogue.search(&query).into_iter().next()?;
        let sold_out = !catalogue.get(&hit.id)?.in_stock();
        let instead = catalogue.search(&wanted.query(self.scene.at_ms, 1));
        let least = instead
            .first()
            .map_or(0.0, |other| other.score * NEARER_MIN)
            .max(NAMED_SCORE_MIN);
        (sold_out && hit.score >= least).then_some(hit.id)
    }

    /// “Is the one from yesterday still there?”, where nothing is known of yesterday.
    pub(super) fn recalls_what_is_unknown(&self, target: &Option<String>) -> bool {
        Cue::SeenBefore.is_in(&self.words)
            && target.is_none()
            && self.scene.conversation.listed.is_empty()
            && !self.says_value()
            && !self.says_budget()
    }

    /// How many products, not how many days.
    pub(super) fn asks_how_many(&self) -> bool {
        Cue::HowMany.is_in(&self.words) && !Cue::OtherCounts.is_in(&self.words)
    }

    pub(super) fn asks_what_kinds(&self) -> bool {
        Cue::WhatKinds.is_in(&self.words) && !self.says_value()
    }
}
