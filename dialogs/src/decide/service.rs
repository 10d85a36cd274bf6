//! Questions about the deal and what follows it: parcels, warranty, faults, and who may use the goods.

use super::{Act, Decider, QUESTION_CHARS_MAX};
use crate::catalogue::Availability;
use crate::conversation::{By, Mode};
use crate::cue::{self, Cue};
use crate::nlu::Value;

/// Letters of an English word for a fault that its other forms share: leaks, leaking.
const FAULT_STEM_LETTERS: usize = 4;
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

/// Intents of somebody who looks for what an ill person may have.
const OF_THE_ILL: [&str; 9] = [
    "ask_details",
    "ask_most",
    "ask_recommendation",
    "ask_usage",
    "correct",
    "greet",
    "inform",
    "out_of_scope",
    "small_talk",
];
/// Intents that impatience is taken for.
const OF_WAITING: [&str; 13] = [
    "ask_delivery",
    "ask_human",
    "ask_next",
    "ask_opening_hours",
    "ask_robot",
    "complain",
    "correct",
    "greet",
    "hesitate",
    "inform",
    "order_status",
    "out_of_scope",
    "small_talk",
];

impl Decider<'_> {
    /// What is broken is mended or replaced; no other one is sold for it. True where the intent is answered by that.
    pub(super) fn on_a_fault(&mut self, intents: &[String]) -> bool {
        let open = intents.iter().any(|i| self.is_of_a_fault(i));
        let complains = intents.iter().any(|i| i == "complain");
        if !cue::says_fault(&self.words) || !(open || complains || intents.is_empty()) {
            return false;
        }
        let why = "something is broken";
        let returns = intents.iter().any(|i| i == "ask_return");
        // Whether it is covered was asked: how long the product is, and what the pages leave out.
        if self.is_sure_of("ask_warranty") && self.is_a_question() {
            match self.target() {
                Some(id) => self.warranty(Some(id), why.to_owned()),
                // Which part it is decides; that it broke is on another page.
                None => {
                    let part = Cue::Faulty.cut_from(&self.words);
                    self.know_if_told(part, why);
                }
            }
            self.know_topic("faulty_repair", why);
            self.act(Act::OfferPerson, why);
            return true;
        }
        if !returns && !complains && self.know_of_this_fault(why) {
            self.know_topic("faulty_repair", why);
            self.act(Act::OfferPerson, why);
            return true;
        }
        // What just arrived is replaced, what broke later is repaired; which it is, the customer knows.
        let topics = match returns || complains {
            true => ["faulty_return", "faulty_repair"],
            false => ["faulty_repair", "faulty_return"],
        };
        // What arrived broken is told within days.
        let is_old = Cue::LongAgo.is_in(&self.words);
        for topic in topics {
            if !(is_old && topic == "faulty_return") {
                self.know_topic(topic, why);
            }
        }
        if !complains {
            self.act(Act::OfferPerson, why);
        }
        true
    }

    /// “How long will that take?”, of the colleague who was asked, not of a parcel.
    pub(super) fn asks_when_answered(&mut self, intents: &[String]) -> bool {
        let waits = matches!(self.scene.conversation.mode, Mode::Waiting { .. })
            && Cue::AnsweredWhen.is_in(&self.words)
            && intents.iter().all(|i| OF_WAITING.contains(&i.as_str()));
        let of_goods = self.told_something()
            || !self.mentioned.is_empty()
            || Cue::Ordered.is_in(&self.words)
            || Cue::Sending.is_in(&self.words)
            || Cue::Arriving.is_in(&self.words)
            || Cue::Place.is_in(&self.words);
        if !waits || of_goods {
            return false;
        }
        let why = "a colleague is waited for";
        self.act(Act::HandedOffAlready, why);
        if !self.scene.shop.profile.hours.is_empty() {
            self.act(Act::Hours, why);
        }
        true
    }

    /// Answered by what is said of a fault.
    pub(super) fn is_of_a_fault(&self, intent: &str) -> bool {
        // “Bought three months ago and broken” buys nothing; a product that is named may be bought.
        OF_FAULTS.contains(&intent) || (intent == "buy" && self.mentioned.is_empty())
    }

    /// A page on this very fault, told by the word for it: “it leaks”.
    fn know_of_this_fault(&mut self, why: &str) -> bool {
        let conversation = self.scene.conversation;
        let words = conversation.newest_words();
        let found = self
            .scene
            .shop
            .knowledge
            .search(&words, conversation.language);
        let Some(page) = found.first() else {
            return false;
        };
        let text = crate::text::fold(&format!("{} {}", page.title, page.text));
        let named = Cue::Faulty.words(&self.words).any(|(_, fault)| {
            let stem: String = match fault.is_ascii() {
                true => fault.chars().take(FAULT_STEM_LETTERS).collect(),
                // 不出水 is on a page that says 出水变慢.
                false => fault.trim_start_matches('不').to_owned(),
            };
            !Cue::FaultInGeneral.is_in(fault) && text.contains(&stem)
        });
        if named {
            self.know(why.to_owned());
        }
        named
    }

    /// Whether and for how much something can be rented stands on the pages; a price tag is for buying.
    pub(super) fn asks_to_rent(&mut self) -> bool {
        let rents = |folded: &str| Cue::Renting.is_in(&Cue::OtherWords.cut_from(folded));
        // “And how much is that a month?” goes on about it.
        let went_on = Cue::Monthly.is_in(&self.words) && {
            let said = self.scene.conversation.recent.iter().rev();
            let own = said.filter(|u| u.by == By::Customer).nth(1);
            own.is_some_and(|before| rents(&crate::text::fold(&before.text)))
        };
        if !went_on && !rents(&self.words) {
            return false;
        }
        let language = self.scene.conversation.language;
        let topic = cue::topic("renting", language).unwrap_or_default();
        let own = self.scene.conversation.newest_words();
        let told = [own, topic.to_owned()].into_iter().any(|question| {
            let found = self.scene.shop.knowledge.search(&question, language);
            let told = found.first().is_some_and(|page| {
                rents(&crate::text::fold(&format!("{} {}", page.title, page.text)))
            });
            told && self.know_if_told(question, "something is to be rented")
        });
        // What the rent is, a colleague has to say.
        if told && Cue::Monthly.is_in(&self.words) {
            self.act(Act::OfferPerson, "something is to be rented");
        }
        told
    }

    /// “How do I clean it?”, of the product under discussion: a page about its kind comes first.
    pub(super) fn usage(&mut self, target: Option<String>, why: String) {
        let language = self.scene.conversation.language;
        let catalogue = &self.scene.shop.catalogue;
        let kind = target
            .filter(|_| !self.names_a_kind())
            .and_then(|id| catalogue.get(&id)?.type_keys.first().cloned())
            .and_then(|key| catalogue.type_noun(&key, language));
        let words = self.scene.conversation.newest_words();
        // One of them, as headings and customers name it.
        let with_kind =
            kind.map(|kind| format!("{words} {}", kind.strip_suffix('s').unwrap_or(&kind)));
        if !with_kind.is_some_and(|question| self.know_if_told(question, &why)) {
            self.know_about("ask_usage", why);
        }
    }

    pub(super) fn names_a_kind(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        entities
            .iter()
            .any(|entity| matches!(entity.value, Value::ProductType { .. }))
    }

    /// Somebody who was here before says that they are back.
    pub(super) fn comes_back(&self) -> bool {
        self.scene.conversation.turn > 1 && Cue::Back.is_in(&self.words)
    }

    /// What a page says under the usual question of a kind, where one answers it.
    pub(super) fn know_topic(&mut self, topic: &str, why: &str) {
        let language = self.scene.conversation.language;
        let Some(topic) = cue::topic(topic, language) else {
            return;
        };
        self.know_if_told(topic.to_owned(), why);
    }

    /// The answer of the pages, if they have one.
    fn know_if_told(&mut self, question: String, why: &str) -> bool {
        let question: String = question.chars().take(QUESTION_CHARS_MAX).collect();
        let language = self.scene.conversation.language;
        let found = self.scene.shop.knowledge.search(&question, language);
        if !found.is_empty() {
            let topic = None;
            self.act(Act::Know { question, topic }, why);
        }
        !found.is_empty()
    }

    /// Whether a child or a pregnant woman may take it is a question for the pages, never one for goods.
    pub(super) fn asks_for_the_frail(&mut self, intents: &[String]) -> bool {
        let asks = Cue::Frail.is_in(&self.words)
            && Cue::Harmless.is_in(&self.words)
            && (self.is_a_question() || Cue::OpensQuestion.starts(&self.words));
        if asks {
            let language = self.scene.conversation.language;
            let why = "whether it does harm";
            let frail = Cue::Frail.words(&self.words).map(|(_, word)| word);
            let frail = frail.collect::<Vec<&str>>().join(" ");
            let doctor = cue::topic("health", language).unwrap_or_default();
            // The page that names these people is asked before one that merely has the other words.
            if !self.know_if_told(format!("{frail} {doctor}"), why) {
                self.know(why.to_owned());
            }
        }
        asks || self.seeks_for_the_ill(intents)
    }

    /// “Which coffee for my mother, who has a bad heart?”: what the pages tell such people to ask first, before any goods.
    fn seeks_for_the_ill(&mut self, intents: &[String]) -> bool {
        let seeks = Cue::Illness.is_in(&self.words)
            && intents.iter().all(|i| OF_THE_ILL.contains(&i.as_str()))
            && self.mentioned.is_empty()
            && !self.says_value()
            && !self.says_budget();
        if !seeks {
            return false;
        }
        let language = self.scene.conversation.language;
        let ills = Cue::Illness.words(&self.words).map(|(_, word)| word);
        let ills = ills.collect::<Vec<&str>>().join(" ");
        let doctor = cue::topic("health", language).unwrap_or_default();
        let told = self.know_if_told(format!("{ills} {doctor}"), "what is good for the ill");
        if told {
            self.act(Act::OfferPerson, "what is good for the ill");
        }
        told
    }

    /// How long a parcel takes and what it costs: whichever is asked, and both where only a place is named.
    pub(super) fn delivery(&mut self, why: String) {
        let late = self.target().filter(|id| {
            let product = self.scene.shop.catalogue.get(id);
            product.is_some_and(|product| product.availability != Availability::InStock)
        });
        if let Some(id) = late {
            self.act(Act::Stock { id }, "what is not in stock leaves later");
        }
        let long = Cue::HowLong.is_in(&self.words);
        let cost = Cue::Carriage.is_in(&self.words);
        let names_place = self.sends_somewhere();
        if (names_place || (long && cost)) && !self.asks_past_the_parcels() {
            let places = self.places();
            let before = self.acts.len();
            if long || !cost {
                self.know_parcel("delivery_time", &places, &why);
            }
            if cost || !long {
                self.know_parcel("delivery_cost", &places, &why);
            }
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
        let words: Vec<&str> = Cue::Place
            .words(&self.words)
            .map(|(_, word)| word)
            .collect();
        words.join(" ")
    }

    fn know_parcel(&mut self, topic: &str, places: &str, why: &str) {
        let language = self.scene.conversation.language;
        let Some(topic) = cue::topic(topic, language) else {
            return;
        };
        if !self.know_if_told(format!("{topic} {places}"), why) {
            self.know_if_told(topic.to_owned(), why);
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
        // “Which of the two is covered longer?”: each says its own.
        if let [_, _, ..] = self.mentioned.as_slice() {
            for id in self
                .mentioned
                .clone()
                .into_iter()
                .filter(|id| told(id))
                .take(2)
            {
                let attributes = attributes.clone();
                self.act(Act::Aspect { id, attributes }, why.clone());
            }
            return;
        }
        match target.filter(|_| !names_kind || !self.mentioned.is_empty()) {
            Some(id) if told(&id) => {
                self.act(Act::Aspect { id, attributes }, why.clone());
                // How long was asked, or nothing more; what it covers, and how, is on the pages.
                if !Cue::HowLong.is_in(&self.words) && self.is_a_question() {
                    self.know_about("ask_warranty", why);
                }
            }
            target => {
                let attribute = attributes.into_iter().next();
                if let Some(attribute) = attribute.filter(|_| target.is_none() && names_kind) {
                    let wanted = self.wanted().without_words();
                    self.act(Act::Values { attribute, wanted }, why.clone());
                }
                self.know_about("ask_warranty", why);
            }
        }
    }
}
