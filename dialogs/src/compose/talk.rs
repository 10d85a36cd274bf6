//! What is said around the products: questions, answers from the shop's pages, discounts, hours, handing over.

use super::facts::{MONTHS, clip, weekday_name};
use super::{Composer, Fact};
use crate::Language;
use crate::calendar::clock;
use crate::catalogue::{Product, revision_of};
use crate::choice;
use crate::conversation::Mode;
use crate::decide::{Bargain, Wanted};
use crate::event::FileKind;
use crate::find::Found;
use crate::reply::Choice;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Values offered with a question about a property.
const OFFERED_MAX: usize = 6;

impl Composer<'_> {
    /// A reply that a person may add to.
    pub(super) fn say_and_offer_person(&mut self, key: &str) {
        self.say(key, &[]);
        self.draft.asked = Some("offer:person".to_owned());
        self.offer("talk-to-person", "choice.label.person");
    }

    /// What is reduced now, or that nothing is.
    pub(super) fn offers(&mut self, found: &Found) {
        match found {
            Found::Goods { ids } if ids.iter().any(|id| self.is_on_sale(id)) => {
                let count = self.counted(ids.len());
                self.say("offers.found", &[("count", count)]);
                self.show(ids, None);
            }
            Found::Goods { ids } => {
                for id in ids {
                    self.offer_to_come(id);
                }
                self.show(ids, None);
            }
            _ => self.say("offers.none", &[]),
        }
    }

    /// A colleague's own words, told as theirs; what they hold is theirs to confirm.
    pub(super) fn colleague_said(&mut self, words: &str) {
        let words = Fact {
            text: words.to_owned(),
            source: "conversation:colleague".to_owned(),
            revision: revision_of(words.as_bytes()),
        };
        self.say("colleague.said", &[("words", words)]);
        self.draft.asked = Some("offer:person".to_owned());
        self.offer("talk-to-person", "choice.label.person");
    }

    /// The step after this one: a colleague's, or the way to order.
    pub(super) fn what_next(&mut self) {
        let conversation = self.stage.conversation;
        if conversation.mode != Mode::Bot {
            self.say("next.waiting", &[]);
        } else if let Some(id) = conversation.focus.clone() {
            self.buy(&id);
        } else {
            self.say_and_offer_person("next");
        }
    }

    /// Each kind of bargaining has its own answer; the price that counts follows where one product is meant.
    pub(super) fn discount(&mut self, id: Option<&str>, with: Option<Bargain>) {
        let Some(with) = with else {
            self.price_that_counts(id);
            return;
        };
        self.say(&format!("discount.{}", with.word()), &[]);
        if id.is_some_and(|id| {
            self.stage.conversation.focus.as_deref() != Some(id) || with == Bargain::Lowest
        }) {
            self.price_that_counts(id);
        }
        // A person is offered once; who bargains on knows of it.
        if !self.stage.conversation.asks.contains_key("offer:person") {
            self.draft.asked = Some("offer:person".to_owned());
            self.offer("talk-to-person", "choice.label.person");
        }
    }

    /// The sale that is on for a product, or that there is no other offer.
    fn price_that_counts(&mut self, id: Option<&str>) {
        let on_sale = id
            .and_then(|id| self.product(id))
            .and_then(|product| Some((product, self.was(product)?)));
        let Some((product, was)) = on_sale else {
            if !id.is_some_and(|id| self.offer_to_come(id)) {
                self.say("discount.none", &[]);
            }
            return;
        };
        let mut facts = vec![
            ("title", self.title(product)),
            ("price", self.price_fact(product)),
            ("was", was),
        ];
        match product.sale_until_ms {
            Some(until) => {
                facts.push(("until", self.sale_day(product, until - 1)));
                self.say("discount.on_until", &facts);
            }
            None => self.say("discount.on", &facts),
        }
    }

    fn is_on_sale(&self, id: &str) -> bool {
        self.product(id)
            .is_some_and(|product| self.was(product).is_some())
    }

    /// An offer that the feed announces and that has not begun; until then the price is the usual one.
    fn offer_to_come(&mut self, id: &str) -> bool {
        let now_ms = self.stage.moment.at_ms;
        let Some(product) = self.product(id) else {
            return false;
        };
        let (Some(sale), Some(from)) = (product.sale_price, product.sale_from_ms) else {
            return false;
        };
        if from <= now_ms || product.sale_until_ms.is_some_and(|until| until <= from) {
            return false;
        }
        let offer = self.fact_of(product, "sale_price", sale.to_string());
        let facts = [
            ("title", self.title(product)),
            ("price", self.price_fact(product)),
            ("offer", offer),
            ("from", self.sale_day(product, from)),
        ];
        match product.sale_until_ms {
            Some(until) => {
                let until = self.sale_day(product, until - 1);
                let facts: Vec<_> = facts.into_iter().chain([("until", until)]).collect();
                self.say("discount.from_until", &facts);
            }
            None => self.say("discount.from", &facts),
        }
        true
    }

    /// The day in the shop's calendar, as people say it.
    fn sale_day(&self, product: &Product, at_ms: i64) -> Fact {
        let moment = &self.stage.moment;
        let into_minute_ms = moment.at_ms.rem_euclid(MINUTE_MS);
        let midnight_ms = moment.at_ms - into_minute_ms - i64::from(moment.minute) * MINUTE_MS;
        let days = (at_ms - midnight_ms).div_euclid(DAY_MS);
        let (_, month, day) = crate::calendar::Day(moment.day.0 + days).civil();
        let text = match self.stage.language {
            Language::Zh => format!("{month} 月 {day} 日"),
            Language::En => format!("{} {day}", MONTHS.get(month as usize - 1).unwrap_or(&"")),
        };
        self.fact_of(product, "sale_price_effective_date", text)
    }

    pub(super) fn know(&mut self, question: &str, found: &Found) {
        if let Found::Passage { passage } = found {
            let answer = Fact {
                text: clip(&passage.answer(question)),
                source: passage.id.clone(),
                revision: passage.revision.clone(),
            };
            // Two questions with one answer are answered once.
            if self.has_said(&answer) {
                return;
            }
            self.say("knowledge.answer", &[("answer", answer)]);
        } else {
            self.say("knowledge.unknown", &[]);
            self.draft.asked = Some("offer:person".to_owned());
            self.offer("talk-to-person", "choice.label.person");
        }
    }

    /// Says what came and that it was not looked at; a person can.
    pub(super) fn cannot_open(&mut self, kind: FileKind) {
        let key = match kind {
            FileKind::Photo => "file.photo",
            FileKind::Voice => "file.voice",
            FileKind::Video => "file.video",
            FileKind::Place => "file.place",
            FileKind::Document | FileKind::Other => "file.other",
        };
        self.say(key, &[]);
        self.offer("talk-to-person", "choice.label.person");
    }

    /// Which of those shown; the answer gets what was wanted of it.
    pub(super) fn ask_which(&mut self, wanted: &str) {
        // With nothing to choose from, something is meant that was never seen here.
        let listed = &self.stage.conversation.listed;
        let key = if listed.is_empty() {
            "ask.which_before"
        } else {
            "ask.which"
        };
        self.say(key, &[]);
        let verb = if wanted.is_empty() { "details" } else { wanted };
        let listed = self.stage.conversation.listed.clone();
        for id in &listed {
            if let Some(product) = self.product(id) {
                let label = product.title.get(self.stage.language).to_owned();
                self.choices.push(Choice {
                    id: format!("{verb}:{id}"),
                    label,
                });
            }
        }
        self.draft.asked = Some(choice::which(wanted));
    }

    /// What was looked for before, where it is known.
    pub(super) fn welcome_back(&mut self) {
        let wanted = Wanted::of(self.stage.conversation).without_words();
        match self.criteria(&wanted).filter(|_| wanted.is_concrete()) {
            Some(criteria) => self.say("welcome_back.memory", &[("criteria", criteria)]),
            None => self.say("welcome_back", &[]),
        }
    }

    /// What is known of the customer's wishes, told back.
    pub(super) fn recall(&mut self) {
        let wanted = Wanted::of(self.stage.conversation).without_words();
        match self.criteria(&wanted) {
            Some(criteria) => self.say("recall", &[("criteria", criteria)]),
            None => self.say("recall.nothing", &[]),
        }
    }

    pub(super) fn repeat(&mut self) {
        let listed = self.stage.conversation.listed.clone();
        if listed.is_empty() {
            self.say("clarify", &[]);
        } else {
            self.say("repeat", &[]);
            self.show(&listed, None);
        }
    }

    pub(super) fn ask(&mut self, slot: &str, offered: &[String]) {
        if let Some(attribute) = slot.strip_prefix("attr:") {
            self.ask_attribute(slot, attribute, offered);
            return;
        }
        if slot == "kind" {
            self.ask_kind(offered);
            return;
        }
        self.say(&format!("ask.{slot}"), &[]);
        self.draft.asked = Some(slot.to_owned());
        if slot == "category" {
            self.choices.clear();
            let language = self.stage.language;
            for key in self.stage.shop.catalogue.top_types() {
                if let Some(name) = self.stage.shop.catalogue.type_name(&key, language) {
                    self.choices.push(Choice {
                        id: format!("type:{key}"),
                        label: name.to_owned(),
                    });
                }
            }
        }
    }

    pub(super) fn hand_off(&mut self) {
        self.passed_on();
        if self.stage.talks_on {
            self.say("handoff.meanwhile", &[]);
        }
    }

    /// That a person has it now, and when they answer.
    fn passed_on(&mut self) {
        let hours = &self.stage.shop.profile.hours;
        // Who sits at the platform's own desk keeps hours of their own.
        if hours.is_empty() || !self.stage.talks_on {
            self.say("handoff.closed_unknown", &[]);
        } else if hours.open_at(self.stage.moment) {
            self.say("handoff.open", &[]);
        } else if let Some(opening) = hours.next_opening(self.stage.moment) {
            let language = self.stage.language;
            let day = match (language, opening.days_ahead) {
                (Language::Zh, 0) => "今天".to_owned(),
                (Language::Zh, 1) => "明天".to_owned(),
                (Language::En, 0) => "today".to_owned(),
                (Language::En, 1) => "tomorrow".to_owned(),
                (Language::Zh, 2..=6) => weekday_name(opening.day.weekday(), language).to_owned(),
                (Language::En, 2..=6) => {
                    format!("on {}", weekday_name(opening.day.weekday(), language))
                }
                (Language::Zh, _) => {
                    let (_, month, day) = opening.day.civil();
                    format!("{month} 月 {day} 日")
                }
                (Language::En, _) => {
                    let (_, month, day) = opening.day.civil();
                    format!("on {} {day}", MONTHS.get(month as usize - 1).unwrap_or(&""))
                }
            };
            let at = match language {
                Language::Zh => format!("{day} {}", clock(opening.minute)),
                Language::En => format!("{day} at {}", clock(opening.minute)),
            };
            let opens = self.shop_fact(&at, "hours");
            self.say("handoff.closed", &[("opens", opens)]);
        } else {
            self.say("handoff.closed_unknown", &[]);
        }
    }

    pub(super) fn clarify(&mut self) {
        if self.stage.conversation.misses > 0 {
            self.say("clarify.again", &[]);
            self.draft.asked = Some("offer:person".to_owned());
        } else {
            self.say("clarify", &[]);
        }
        self.offer("talk-to-person", "choice.label.person");
    }

    fn ask_attribute(&mut self, slot: &str, attribute: &str, keys: &[String]) {
        let named: Vec<(String, String)> = keys
            .iter()
            .take(OFFERED_MAX)
            .map(|key| (self.value_name(attribute, key), key.clone()))
            .collect();
        let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        let values = self.catalogue_fact(names.join(self.comma()));
        let label = self.attribute_label(attribute);
        self.say("ask.attribute", &[("attribute", label), ("values", values)]);
        self.draft.asked = Some(slot.to_owned());
        self.choices.clear();
        for (label, key) in named {
            self.choices.push(Choice {
                id: format!("value:{attribute}={key}"),
                label,
            });
        }
    }

    fn ask_kind(&mut self, keys: &[String]) {
        let language = self.stage.language;
        let catalogue = &self.stage.shop.catalogue;
        let named: Vec<(String, String)> = keys
            .iter()
            .take(OFFERED_MAX)
            .filter_map(|key| Some((catalogue.type_name(key, language)?.to_owned(), key.clone())))
            .collect();
        let names: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
        let kinds = self.catalogue_fact(names.join(self.comma()));
        self.say("ask.kind", &[("kinds", kinds)]);
        self.draft.asked = Some("kind".to_owned());
        self.choices.clear();
        for (label, key) in named {
            self.choices.push(Choice {
                id: format!("type:{key}"),
                label,
            });
        }
    }
}
