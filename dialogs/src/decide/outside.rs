//! Questions that lead past the goods on show: to the shop's pages, or to what the shop does not have.

use super::{Act, Decider, QUESTION_CHARS_MAX};
use crate::cue::{self, Cue};
use crate::nlu::Value;

/// Nearness (0 to 1) above which words name something of the catalogue.
const WORDS_SCORE_MIN: f32 = 0.5;
/// Characters between the words that ask for goods and the goods: “do you sell any red shoes”.
const GAP_CHARS_MAX: usize = 16;
/// Confidence below which an intent is a guess, and the pages' own words count more.
const GUESS_MAX: f64 = 0.4;
/// Intents that a question for goods is taken for.
const FOR_GOODS: [&str; 14] = [
    "ask_stock",
    "ask_recommendation",
    "ask_accessories",
    "ask_price",
    "ask_details",
    "ask_most",
    "ask_alternatives",
    "ask_abilities",
    "inform",
    "buy",
    "bulk_purchase",
    "out_of_scope",
    "thank",
    "small_talk",
];
impl Decider<'_> {
    /// A kind of goods that the shop does not have is asked for.
    pub(super) fn not_carried(&mut self, intents: &[String]) -> bool {
        let known = self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::ProductType { .. }
                    | Value::Brand { .. }
                    | Value::Product { .. }
                    | Value::Phone { .. }
                    | Value::Email { .. }
                    | Value::Wechat { .. }
            )
        });
        let asks = intents.iter().any(|i| FOR_GOODS.contains(&i.as_str()));
        if known || !asks || self.is_in_the_knowledge() {
            return false;
        }
        let Some((start, end)) = self.scene.shop.catalogue.lacks(&self.words) else {
            return false;
        };
        let head = self.words.get(..start).unwrap_or_default();
        let rest = self.words.get(end..).unwrap_or_default();
        // “We have a water line” asks for no water.
        let says_only_that = !head.chars().chain(rest.chars()).any(char::is_alphanumeric);
        let asked = Cue::BeforeGoods.ends_within(head, GAP_CHARS_MAX) || Cue::ForGoods.starts(rest);
        if !(says_only_that || asked) {
            return false;
        }
        let what = self.words.get(start..end).unwrap_or_default().to_owned();
        self.act(Act::NotCarried { what }, "a kind of goods that is not here");
        true
    }

    /// A well-known brand that the shop does not have is asked for.
    pub(super) fn brand_not_carried(&mut self) -> bool {
        let Some((start, end)) = self.scene.shop.catalogue.lacks_brand(&self.words) else {
            return false;
        };
        let head = self.words.get(..start).unwrap_or_default();
        if !Cue::BeforeGoods.ends(head) {
            return false;
        }
        let folded = self.words.get(start..end).unwrap_or_default();
        let written = self.scene.conversation.newest_words();
        let at = written.to_lowercase().find(folded);
        let brand = at
            .and_then(|at| written.get(at..at + folded.len()))
            .unwrap_or(folded)
            .to_owned();
        let why = "a brand that is not here";
        if self.told_something() {
            self.act(Act::BrandNotCarried { brand }, why);
            return false;
        }
        self.act(Act::NotCarried { what: brand }, why);
        true
    }

    /// A question that the shop's pages answer, though it names a kind of goods.
    pub(super) fn asks_the_pages(&mut self, intents: &[String]) -> bool {
        let open = intents.iter().all(|i| match i.as_str() {
            guess if self.is_a_guess(guess) => true,
            "inform" | "out_of_scope" | "ask_details" | "ask_usage" | "correct" => true,
            "ask_recommendation" => !self.is_sure_of(i),
            // “How many days” counts no products.
            "ask_most" => !self.asks_how_many() && !self.names_extreme(),
            _ => false,
        });
        let chooses = self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::Budget { .. }
                    | Value::Product { .. }
                    | Value::Ordinal { .. }
                    | Value::Feature { .. }
            )
        }) || !self.mentioned.is_empty();
        // “Do you have hand grinders?” asks for goods, whatever the pages say of them.
        if self.names_kind() && Cue::HasGoods.is_in(&self.words) {
            return false;
        }
        let asks = self.is_a_question();
        if open && asks && !chooses && self.is_in_the_knowledge() {
            self.know("the pages answer it".to_owned());
            return true;
        }
        false
    }

    pub(super) fn is_a_question(&self) -> bool {
        self.words.ends_with('?') || Cue::How.is_in(&self.words)
    }

    pub(super) fn is_a_guess(&self, intent: &str) -> bool {
        let intents = &self.scene.understanding.intents;
        intents
            .iter()
            .any(|i| i.name == intent && i.confidence < GUESS_MAX)
    }

    /// What no intent fits may still be something of the shop's pages or products.
    pub(super) fn beyond(&mut self, why: String) {
        if self.told_something() {
            return;
        }
        if self.asks_what_kinds() {
            self.kinds(why);
        } else if Cue::TheyHave.is_in(&self.words) && !self.is_a_question() {
            // Told, not asked, whatever the pages say of such goods.
            self.act(Act::Acknowledge, why);
        } else if self.is_in_the_knowledge() {
            self.know(why);
        } else if self.is_a_question() {
            // No excuse for not having understood: the question was clear, the answer is not here.
            self.know(why);
        } else if self.is_in_the_catalogue() {
            let wanted = self.wanted();
            self.act(Act::Recommend { wanted }, "words of the catalogue");
        }
    }

    pub(super) fn know(&mut self, why: String) {
        self.know_on(self.scene.conversation.newest_words(), None, why);
    }

    fn know_on(&mut self, words: String, topic: Option<&str>, why: String) {
        let question: String = words.chars().take(QUESTION_CHARS_MAX).collect();
        let topic = topic.map(str::to_owned);
        self.act(Act::Know { question, topic }, why);
    }

    /// A question by the customer's words, else by what questions of that kind are about.
    ///
    /// Of several questions in one message each is asked by its own words. What is only guessed to be of the kind is not answered by what the kind is about.
    pub(super) fn know_about(&mut self, intent: &str, why: String) {
        let language = self.scene.conversation.language;
        let topic = cue::topic(intent, language).filter(|_| !self.is_a_guess(intent));
        let (whole, part) = (
            self.scene.conversation.newest_words(),
            self.words_of(intent),
        );
        let asked = self.likely_intents();
        let of_pages = asked
            .iter()
            .filter(|asked| cue::topic(asked, language).is_some());
        let only_the_part = !self.pages_answer(&whole) && self.pages_answer(&part);
        let words = match of_pages.count() > 1 || only_the_part {
            true => part,
            false => whole,
        };
        match topic {
            Some(topic) if !self.pages_answer(&words) => self.know_on(topic.to_owned(), None, why),
            topic => self.know_on(words, topic, why),
        }
    }

    /// The part of the message that says what an intent is read from.
    pub(super) fn words_of(&self, intent: &str) -> String {
        let intents = &self.scene.understanding.intents;
        let said = intents.iter().find(|i| i.name == intent);
        match said.filter(|i| !i.said.is_empty()) {
            Some(intent) => intent.said.clone(),
            None => self.scene.conversation.newest_words(),
        }
    }

    /// The kind is known and the words name something of it.
    pub(super) fn is_in_the_catalogue(&self) -> bool {
        let wanted = self.wanted();
        wanted.is_concrete()
            && self
                .scene
                .shop
                .catalogue
                .search(&wanted.query(self.scene.at_ms, 1))
                .first()
                .is_some_and(|hit| hit.score >= WORDS_SCORE_MIN)
    }

    /// What is left of the words beside those of asking is close to the name of something sold.
    pub(super) fn is_named_in_the_catalogue(&self) -> bool {
        let wanted = self.wanted();
        let hits = self
            .scene
            .shop
            .catalogue
            .search(&wanted.query(self.scene.at_ms, 1));
        !wanted.words.is_empty() && hits.first().is_some_and(|hit| hit.score >= WORDS_SCORE_MIN)
    }

    pub(super) fn is_in_the_knowledge(&self) -> bool {
        self.pages_answer(&self.scene.conversation.newest_words())
    }

    fn pages_answer(&self, question: &str) -> bool {
        let language = self.scene.conversation.language;
        let knowledge = &self.scene.shop.knowledge;
        !knowledge.search(question, language).is_empty()
    }
}
