//! Intents that do harm where they are mistaken, and what a message must say before they count.

use super::Decider;
use crate::cue::Cue;
use crate::nlu::{Entity, Sentiment, Value};

/// What a message about a parcel to a place is taken for.
const OF_PARCELS: [&str; 7] = [
    "ask_price",
    "ask_stock",
    "ask_details",
    "ask_location",
    "ask_opening_hours",
    "inform",
    "out_of_scope",
];

impl Decider<'_> {
    /// The intents without those that are too much of a guess for what they would do.
    pub(super) fn without_harmful_guesses(&self, intents: Vec<String>) -> Vec<String> {
        intents
            .into_iter()
            .filter(|intent| self.may_count(intent))
            .collect()
    }

    fn may_count(&self, intent: &str) -> bool {
        match intent {
            // Nobody complains who asks what there is.
            "complain" => {
                let speaks_hard = self.scene.understanding.sentiment == Sentiment::Negative;
                let asks_of_goods = self.asks_what_kinds()
                    || (self.is_a_question() && (self.says_value() || self.names_aspect()));
                speaks_hard || (self.is_sure_of(intent) && !asks_of_goods)
            }
            "opt_out" => self.is_sure_of(intent),
            _ => true,
        }
    }

    /// Colour, size, weight: a property of the goods is named.
    fn names_aspect(&self) -> bool {
        !self.scene.shop.aspects.find(&self.words).is_empty()
    }

    /// “How do I clean it?” buys nothing.
    fn as_meant(&self, intent: String, to_a_place: bool) -> String {
        let how = Cue::HowTo.is_in(&self.words) && !Cue::Buying.is_in(&self.words);
        match intent.as_str() {
            // “The budget doesn't matter” asks for nothing cheaper.
            "object_price" | "ask_cheaper" | "deny" | "hesitate"
                if Cue::NoPreference.is_in(&self.words) && Cue::Budget.is_in(&self.words) =>
            {
                "inform".to_owned()
            }
            "buy" if how => "ask_usage".to_owned(),
            guess if self.is_a_guess(guess) && self.orders_by_name() => "buy".to_owned(),
            // “When do you have the decaf again?” asks for no opening hours.
            "ask_opening_hours" if self.names_kind() && Cue::BackIn.is_in(&self.words) => {
                "ask_stock".to_owned()
            }
            of if to_a_place && OF_PARCELS.contains(&of) => "ask_delivery".to_owned(),
            _ => intent,
        }
    }

    /// “One Uno and one E2, please”: pieces of products that are named, and no question.
    fn orders_by_name(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        let counts = |entity: &Entity| matches!(entity.value, Value::Quantity { .. });
        !self.mentioned.is_empty()
            && entities.iter().any(counts)
            && Cue::Buying.is_in(&self.words)
            && !self.is_a_question()
    }

    /// The intents as the words around them say; “how much is it to Berlin?” asks for the carriage, not for the price of goods.
    pub(super) fn all_as_meant(&self, intents: Vec<String>) -> Vec<String> {
        let to_a_place = self.sends_somewhere();
        let asks_delivery = intents.iter().any(|intent| intent == "ask_delivery");
        let mut read: Vec<String> = Vec::with_capacity(intents.len());
        for intent in intents {
            // “Is the Uno in stock, and how long to Berlin?” are two questions.
            let is_apart = asks_delivery && self.asks_apart_of_goods(&intent);
            let intent = self.as_meant(intent, to_a_place && !is_apart);
            if !read.contains(&intent) {
                read.push(intent);
            }
        }
        read
    }

    /// A part of the message that names no place asks it of a product.
    fn asks_apart_of_goods(&self, intent: &str) -> bool {
        let words = self.words_of(intent);
        let all = self.scene.conversation.newest_words();
        !self.mentioned.is_empty() && words != all && !Cue::Place.is_in(&words)
    }

    /// A place is named as one that something is sent to.
    pub(super) fn sends_somewhere(&self) -> bool {
        Cue::Place.words(&self.words).any(|(at, _)| {
            let head = self.words.get(..at).unwrap_or_default();
            Cue::SendingTo.ends(head) && (Cue::HowLong.is_in(head) || !head.is_ascii())
        }) || (Cue::Place.is_in(&self.words) && Cue::Sending.is_in(&self.words))
    }
}
