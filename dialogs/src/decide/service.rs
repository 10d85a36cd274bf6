//! Questions about the deal and what follows it: parcels, warranty, faults, and who may use the goods.

use super::{Act, Decider, QUESTION_CHARS_MAX};
use crate::catalogue::Availability;
use crate::cue::{self, Cue};
use crate::nlu::Value;

/// Intents that what went wrong is taken for, and that the pages on it answer.
const OF_FAULTS: [&str; 16] = [
    "ask_return",
    "ask_warranty",
    "ask_usage",
    "ask_details",
    "ask_robot",
    "ask_recommendation",
    "ask_stock",
    "ask_compatibility",
    "ask_alternatives",
    "ask_most",
    "ask_reason",
    "ask_delivery",
    "ask_trade_in",
    "inform",
    "correct",
    "out_of_scope",
];

impl Decider<'_> {
    /// Something does not do what it should, said as a fact: no “will it break?”
    pub(super) fn is_faulty(&self) -> bool {
        Cue::Faulty.words(&self.words).any(|(at, _)| {
            let head = self.words.get(..at).unwrap_or_default();
            !Cue::Unlikely.ends_within(head, 1)
        })
    }

    /// What is broken is mended or replaced; no other one is sold for it. True where the intent is answered by that.
    pub(super) fn on_a_fault(&mut self, intents: &[String]) -> bool {
        let open = intents.iter().any(|i| OF_FAULTS.contains(&i.as_str()));
        if !self.is_faulty() || !(open || intents.iter().any(|i| i == "complain")) {
            return false;
        }
        let why = "something is broken";
        let returns = intents.iter().any(|i| i == "ask_return");
        if !returns && !intents.iter().any(|i| i == "complain") && self.is_in_the_knowledge() {
            self.know(why.to_owned());
        }
        self.know_topic("faulty_return", why);
        self.know_topic("faulty_repair", why);
        true
    }

    /// Answered by what is said of a fault.
    pub(super) fn is_of_a_fault(intent: &str) -> bool {
        OF_FAULTS.contains(&intent)
    }

    /// What a page says under the usual question of a kind, where one answers it.
    fn know_topic(&mut self, topic: &str, why: &str) {
        let language = self.scene.conversation.language;
        let Some(topic) = cue::topic(topic, language) else {
            return;
        };
        let found = self.scene.shop.knowledge.search(topic, language);
        if !found.is_empty() {
            self.act(
                Act::Know {
                    question: topic.to_owned(),
                    topic: None,
                },
                why,
            );
        }
    }

    /// Whether a child or a pregnant woman may take it is a question for the pages, never one for goods.
    pub(super) fn asks_for_the_frail(&mut self) -> bool {
        let asks = Cue::Frail.is_in(&self.words)
            && Cue::Harmless.is_in(&self.words)
            && self.is_a_question();
        if asks {
            let topic = cue::topic("health", self.scene.conversation.language);
            self.know_on(topic, "whether it does harm".to_owned());
        }
        asks
    }

    /// How long a parcel takes and what it costs: whichever is asked, and both where only a place is named.
    pub(super) fn delivery(&mut self, why: String) {
        let late = self.mentioned.first().cloned().filter(|id| {
            let product = self.scene.shop.catalogue.get(id);
            product.is_some_and(|product| product.availability != Availability::InStock)
        });
        if let Some(id) = late {
            self.act(Act::Stock { id }, "what is not in stock leaves later");
        }
        let long = Cue::HowLong.is_in(&self.words);
        let cost = Cue::Carriage.is_in(&self.words);
        let both = (long && cost) || (!long && !cost && self.sends_somewhere());
        if both && !self.asks_past_the_parcels() {
            let places = self.places();
            let before = self.acts.len();
            self.know_parcel("delivery_time", &places, &why);
            self.know_parcel("delivery_cost", &places, &why);
            if self.acts.len() > before {
                return;
            }
        }
        self.know_about("ask_delivery", why);
    }

    /// Where the pages speak of the place by itself: “We do not ship abroad”.
    fn asks_past_the_parcels(&self) -> bool {
        Cue::Abroad.is_in(&self.words)
    }

    /// The places named, as they stand.
    fn places(&self) -> String {
        let words: Vec<&str> = Cue::Place.words(&self.words).map(|(_, word)| word).collect();
        words.join(" ")
    }

    fn know_parcel(&mut self, topic: &str, places: &str, why: &str) {
        let language = self.scene.conversation.language;
        let Some(topic) = cue::topic(topic, language) else {
            return;
        };
        let question = format!("{topic} {places}");
        let question: String = question.chars().take(QUESTION_CHARS_MAX).collect();
        let knowledge = &self.scene.shop.knowledge;
        if !knowledge.search(&question, language).is_empty() {
            self.act(
                Act::Know {
                    question,
                    topic: None,
                },
                why,
            );
        } else {
            self.know_topic(topic, why);
        }
    }

    /// How long a product is covered, as the product says it; the pages say what that covers.
    pub(super) fn warranty(&mut self, target: Option<String>, why: String) {
        let language = self.scene.conversation.language;
        let topic = cue::topic("ask_warranty", language).unwrap_or_default();
        let attributes: Vec<String> = self
            .scene
            .shop
            .aspects
            .find(&crate::text::fold(topic))
            .into_iter()
            .flat_map(|named| named.attributes.iter().cloned())
            .collect();
        let told = |id: &str| {
            let product = self.scene.shop.catalogue.get(id);
            product.is_some_and(|product| {
                let mut named = attributes.iter();
                named.any(|name| product.attributes.contains_key(name))
            })
        };
        let names_kind = self.scene.understanding.entities.iter().any(|entity| {
            matches!(entity.value, Value::ProductType { .. }) && self.mentioned.is_empty()
        });
        match target.filter(|_| !names_kind) {
            Some(id) if told(&id) => {
                self.act(Act::Aspect { id, attributes }, why.clone());
                // How long was asked, or nothing more; what it covers, and how, is on the pages.
                if !Cue::HowLong.is_in(&self.words) && self.is_a_question() {
                    self.know_about("ask_warranty", why);
                }
            }
            _ => self.know_about("ask_warranty", why),
        }
    }
}
