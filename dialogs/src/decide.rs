//! What to do next: the acts of a turn, each from what the customer meant and what is known.

use crate::Language;
use crate::catalogue::{Order, Query};
use crate::conversation::{Conversation, Mode};
use crate::event::{Exclusion, SlotValue};
use crate::flow::{Flow, Then, known};
use crate::handoff::Reason;
use crate::measure::MeasureBound;
use crate::money::Money;
use crate::nlu::{Superlative, Understanding, Value};
use crate::shop::Shop;
use crate::track::mentioned;
use serde::{Deserialize, Serialize};

/// Acts of one turn: more would bury the answer.
pub const ACTS_MAX: usize = 4;
/// Products on one reply.
pub const RECOMMENDED_MAX: usize = 3;
/// BM25 above which words name something of the catalogue.
const WORDS_SCORE_MIN: f32 = 4.0;
/// What questions of a kind are about, for one that says little by itself (“where are you?”).
const TOPICS: [(&str, &str, &str); 8] = [
    (
        "ask_delivery",
        "多久能发货、几天到",
        "how long does delivery take",
    ),
    ("ask_warranty", "保修多久", "how long is the warranty"),
    ("ask_return", "可以退货吗", "can I return it"),
    ("ask_payment", "支持哪些付款方式", "how can I pay"),
    ("ask_invoice", "能开发票吗", "can I get an invoice"),
    ("ask_usage", "怎么用，怎么清洗", "how do I use and clean it"),
    ("ask_opening_hours", "营业时间", "opening hours"),
    (
        "ask_location",
        "店在哪里，地址",
        "where is the shop, address",
    ),
];
/// The words of a question for a number of products.
const HOW_MANY: [&str; 6] = ["几款", "多少款", "几种", "多少种", "几个", "how many"];
/// Characters of a question that is looked up.
pub const QUESTION_CHARS_MAX: usize = 300;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub acts: Vec<Act>,
    /// One line an act: what led to it.
    pub why: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    Disclose,
    WelcomeBack,
    Greet,
    Thank,
    Bye,
    SmallTalk,
    Insulted,
    Robot,
    Acknowledge,
    ContactThanks,
    Recommend {
        wanted: Wanted,
    },
    Extreme {
        of: Superlative,
        wanted: Wanted,
    },
    /// How many there are, and from which price to which.
    Count {
        wanted: Wanted,
    },
    Price {
        id: String,
    },
    Stock {
        id: String,
    },
    Details {
        id: String,
    },
    Reasons {
        id: String,
    },
    Compare {
        first: String,
        second: String,
    },
    Cheaper {
        than: String,
    },
    Better {
        than: String,
    },
    Alternatives {
        to: String,
    },
    Accessories {
        of: String,
    },
    Discount {
        id: Option<String>,
    },
    EasePrice {
        id: Option<String>,
    },
    Reassure,
    MatchPrice,
    OtherCurrency,
    Know {
        question: String,
    },
    Hours,
    Buy {
        id: String,
    },
    AskWhich,
    Ask {
        slot: String,
    },
    Deny,
    HandOff {
        reason: Reason,
    },
    HandedOffAlready,
    OptOut,
    Privacy,
    Clarify,
    ExpiredChoice,
    /// The shop's own answer to an intent of its own.
    Own {
        intent: String,
    },
}

/// What the customer wants, as constraints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    pub words: String,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub attributes: Vec<(String, String)>,
    pub excluded: Vec<Exclusion>,
    pub price_min: Option<Money>,
    pub price_max: Option<Money>,
    #[serde(default)]
    pub measures: Vec<MeasureBound>,
}

/// What a decision may look at.
pub struct Scene<'a> {
    pub conversation: &'a Conversation,
    pub understanding: &'a Understanding,
    pub shop: &'a Shop,
    pub at_ms: i64,
    /// When the turn before began, if there was one.
    pub before_ms: Option<i64>,
    /// A quick reply that nobody offers any more was pressed.
    pub expired_choice: bool,
}

/// Silence after which a customer is welcomed back.
const AWAY_MS: i64 = 12 * 60 * 60 * 1000;

pub fn decide(scene: &Scene<'_>) -> Decision {
    let mut decider = Decider {
        scene,
        mentioned: mentioned(
            scene.conversation,
            scene.understanding,
            &scene.shop.catalogue,
            scene.at_ms,
        ),
        acts: Vec::new(),
        why: Vec::new(),
    };
    decider.all();
    Decision {
        acts: decider.acts,
        why: decider.why,
    }
}

impl Wanted {
    pub fn of(conversation: &Conversation) -> Self {
        let key = |slot: &str| match conversation.slot(slot) {
            Some(SlotValue::Key(key)) => Some(key.clone()),
            _ => None,
        };
        let money = |slot: &str| match conversation.slot(slot) {
            Some(SlotValue::Money(money)) => Some(*money),
            _ => None,
        };
        Self {
            words: conversation
                .newest_words()
                .chars()
                .take(QUESTION_CHARS_MAX)
                .collect(),
            category: key("category"),
            brand: key("brand"),
            attributes: conversation
                .slots
                .iter()
                .filter_map(
                    |(slot, filled)| match (slot.strip_prefix("attr:"), &filled.value) {
                        (Some(name), SlotValue::Key(key)) => Some((name.to_owned(), key.clone())),
                        _ => None,
                    },
                )
                .collect(),
            excluded: conversation.excluded.clone(),
            price_min: money("budget_min"),
            price_max: money("budget_max"),
            measures: conversation
                .slots
                .values()
                .filter_map(|filled| match &filled.value {
                    SlotValue::Measure(bound) => Some(bound.clone()),
                    _ => None,
                })
                .collect(),
        }
    }

    /// There is something to search by other than words.
    pub fn is_concrete(&self) -> bool {
        self.category.is_some()
            || self.brand.is_some()
            || !self.attributes.is_empty()
            || !self.measures.is_empty()
    }

    pub fn query(&self, at_ms: i64, limit: usize) -> Query {
        let mut query = Query {
            words: self.words.clone(),
            types: self.category.iter().cloned().collect(),
            brands: self.brand.iter().cloned().collect(),
            attributes: self.attributes.clone(),
            measures: self.measures.clone(),
            price_min: self.price_min,
            price_max: self.price_max,
            in_stock: true,
            order: Order::Relevance,
            limit,
            now_ms: at_ms,
            ..Query::default()
        };
        for exclusion in &self.excluded {
            match exclusion {
                Exclusion::Type(key) => query.not_types.push(key.clone()),
                Exclusion::Brand(key) => query.not_brands.push(key.clone()),
                Exclusion::Attribute { name, key } => {
                    query.not_attributes.push((name.clone(), key.clone()));
                }
            }
        }
        query
    }
}

struct Decider<'a> {
    scene: &'a Scene<'a>,
    mentioned: Vec<String>,
    acts: Vec<Act>,
    why: Vec<String>,
}

impl Decider<'_> {
    fn act(&mut self, act: Act, why: impl Into<String>) {
        if !self.acts.contains(&act) && self.acts.len() < ACTS_MAX {
            self.acts.push(act);
            self.why.push(why.into());
        }
    }

    fn all(&mut self) {
        let conversation = self.scene.conversation;
        if conversation.turn == 1 {
            self.act(Act::Disclose, "the first reply says who is speaking");
        } else if self
            .scene
            .before_ms
            .is_some_and(|before| self.scene.at_ms - before > AWAY_MS)
        {
            self.act(Act::WelcomeBack, "the customer was away for long");
        }
        if self.scene.expired_choice {
            self.act(
                Act::ExpiredChoice,
                "the quick reply is not offered any more",
            );
            return;
        }
        let intents: Vec<String> = self
            .scene
            .understanding
            .intents
            .iter()
            .map(|intent| intent.name.clone())
            .collect();
        if intents.iter().any(|i| i == "opt_out") {
            self.act(Act::OptOut, "intent opt_out");
            return;
        }
        if self.foreign_currency() {
            self.act(Act::OtherCurrency, "the budget is in another currency");
        }
        let before = self.acts.len();
        for intent in &intents {
            self.intent(intent);
        }
        if self.new_contact() {
            self.act(Act::ContactThanks, "contact details were given");
        }
        let answered = self.acts.iter().skip(before).any(|act| !is_courtesy(act));
        let lost = intents.iter().all(|i| i == "out_of_scope") && !self.told_something();
        let courteous = self.acts.len() > before && !answered;
        if self.told_something() || !(answered || lost || courteous) {
            self.go_on(answered);
        }
        self.hand_off_if_due(&intents);
        if self.acts.iter().all(is_opening) {
            self.act(Act::Clarify, "nothing else applied");
        }
    }

    fn intent(&mut self, intent: &str) {
        let why = format!("intent {intent}");
        let target = self.target();
        let alone = self.scene.understanding.intents.len() == 1;
        match intent {
            "greet" => {
                if alone && !self.told_something() {
                    self.act(Act::Greet, why);
                }
            }
            "goodbye" => self.act(Act::Bye, why),
            "thank" => self.act(Act::Thank, why),
            "small_talk" => self.act(Act::SmallTalk, why),
            "insult" => self.act(Act::Insulted, why),
            "ask_robot" => self.act(Act::Robot, why),
            "ask_human" => self.hand_off(Reason::CustomerRequest, &why),
            "order_status" => self.hand_off(Reason::UnsupportedRequest, &why),
            "complain" => self.hand_off(Reason::Complaint, &why),
            "privacy_request" => {
                self.act(Act::Privacy, why.clone());
                self.hand_off(Reason::UnsupportedRequest, &why);
            }
            "ask_recommendation" | "inform" | "correct" => {}
            "bulk_purchase" | "request_quote" | "request_appointment" => {}
            "give_contact" => {}
            "ask_price" => self.about(target, why, |id| Act::Price { id }),
            "ask_stock" => self.about(target, why, |id| Act::Stock { id }),
            "ask_details" => self.about(target, why, |id| Act::Details { id }),
            "ask_reason" => self.about(target, why, |id| Act::Reasons { id }),
            "buy" => self.about(target, why, |id| Act::Buy { id }),
            "ask_accessories" => self.about(target, why, |of| Act::Accessories { of }),
            "ask_alternatives" => self.about(target, why, |to| Act::Alternatives { to }),
            "ask_discount" => self.act(Act::Discount { id: target }, why),
            "object_price" => self.act(Act::EasePrice { id: target }, why),
            "seen_cheaper" => self.act(Act::MatchPrice, why),
            "hesitate" => self.act(Act::Reassure, why),
            "compare" => self.compare(why),
            "ask_cheaper" => match self.end_of_list(false) {
                Some(than) => self.act(Act::Cheaper { than }, why),
                None => self.extreme(Superlative::Cheapest, why),
            },
            "ask_better" => match self.end_of_list(true) {
                Some(than) => self.act(Act::Better { than }, why),
                None => self.extreme(Superlative::MostExpensive, why),
            },
            "ask_most" => {
                let of = self
                    .scene
                    .understanding
                    .entities
                    .iter()
                    .find_map(|e| match &e.value {
                        Value::Superlative { of } => Some(*of),
                        _ => None,
                    });
                match of {
                    Some(of) => self.extreme(of, why),
                    None if self.asks_how_many() => {
                        let wanted = Wanted::of(self.scene.conversation);
                        self.act(Act::Count { wanted }, why);
                    }
                    None => {}
                }
            }
            "ask_opening_hours" if !self.scene.shop.profile.hours.is_empty() => {
                self.act(Act::Hours, why);
            }
            "ask_delivery" | "ask_warranty" | "ask_return" | "ask_payment" | "ask_invoice"
            | "ask_usage" | "ask_opening_hours" | "ask_location" => self.know_about(intent, why),
            "affirm" => self.affirmed(why),
            "deny" => {
                if !self.told_something() {
                    self.act(Act::Deny, why);
                }
            }
            "out_of_scope" => {
                let told = self.told_something();
                if !told && self.is_in_the_knowledge() {
                    self.know(why);
                } else if !told && self.is_in_the_catalogue() {
                    let wanted = Wanted::of(self.scene.conversation);
                    self.act(Act::Recommend { wanted }, "words of the catalogue");
                }
            }
            own => {
                if self.scene.shop.wordings.has(&format!("intent.{own}")) {
                    self.act(
                        Act::Own {
                            intent: own.to_owned(),
                        },
                        why,
                    );
                }
            }
        }
    }

    /// An act on one product, or the way to find out which.
    fn about(&mut self, target: Option<String>, why: String, act: impl Fn(String) -> Act) {
        match target {
            Some(id) => self.act(act(id), why),
            None if self.told_something() => {}
            None if !self.scene.conversation.listed.is_empty() => self.act(Act::AskWhich, why),
            None => {
                let wanted = Wanted::of(self.scene.conversation);
                if wanted.is_concrete() {
                    self.act(Act::Recommend { wanted }, why);
                } else {
                    self.ask("category", why);
                }
            }
        }
    }

    fn compare(&mut self, why: String) {
        let mut pair = self.mentioned.clone();
        for id in &self.scene.conversation.listed {
            if pair.len() < 2 && !pair.contains(id) {
                pair.push(id.clone());
            }
        }
        match pair.as_slice() {
            [first, second, ..] => self.act(
                Act::Compare {
                    first: first.clone(),
                    second: second.clone(),
                },
                why,
            ),
            _ if self.scene.conversation.listed.is_empty() => self.recommend_or_ask(),
            _ => self.act(Act::AskWhich, why),
        }
    }

    fn extreme(&mut self, of: Superlative, why: String) {
        let mut wanted = Wanted::of(self.scene.conversation);
        if wanted.is_concrete() || known(self.scene.conversation, "category") {
            wanted.words.clear();
            self.act(Act::Extreme { of, wanted }, why);
        } else {
            self.ask("category", why);
        }
    }

    fn asks_how_many(&self) -> bool {
        let words = crate::text::fold(&self.scene.conversation.newest_words());
        HOW_MANY.iter().any(|word| words.contains(word))
    }

    fn affirmed(&mut self, why: String) {
        let focus = self.scene.conversation.focus.clone();
        match (self.scene.conversation.asked.as_deref(), focus) {
            (Some("offer:person"), _) => self.hand_off(Reason::CustomerRequest, &why),
            (Some("offer:cheaper"), focus) => match focus.or_else(|| self.end_of_list(false)) {
                Some(than) => self.act(Act::Cheaper { than }, why),
                None => self.act(Act::Acknowledge, why),
            },
            (Some("offer:similar"), Some(to)) => self.act(Act::Alternatives { to }, why),
            _ => self.act(Act::Acknowledge, why),
        }
    }

    fn know(&mut self, why: String) {
        let question: String = self
            .scene
            .conversation
            .newest_words()
            .chars()
            .take(QUESTION_CHARS_MAX)
            .collect();
        self.act(Act::Know { question }, why);
    }

    /// A question by the customer's words, else by what questions of that kind are about.
    fn know_about(&mut self, intent: &str, why: String) {
        let language = self.scene.conversation.language;
        let topic = TOPICS
            .iter()
            .find(|(name, ..)| *name == intent)
            .map(|(_, zh, en)| match language {
                Language::Zh => *zh,
                Language::En => *en,
            });
        match topic {
            Some(topic) if !self.is_in_the_knowledge() => self.act(
                Act::Know {
                    question: topic.to_owned(),
                },
                why,
            ),
            _ => self.know(why),
        }
    }

    /// The kind is known and the words name something of it.
    fn is_in_the_catalogue(&self) -> bool {
        let wanted = Wanted::of(self.scene.conversation);
        wanted.is_concrete()
            && self
                .scene
                .shop
                .catalogue
                .search(&wanted.query(self.scene.at_ms, 1))
                .first()
                .is_some_and(|hit| hit.score >= WORDS_SCORE_MIN)
    }

    fn is_in_the_knowledge(&self) -> bool {
        let conversation = self.scene.conversation;
        let words = conversation.newest_words();
        !self
            .scene
            .shop
            .knowledge
            .search(&words, conversation.language)
            .is_empty()
    }

    fn hand_off(&mut self, reason: Reason, why: &str) {
        match &self.scene.conversation.mode {
            Mode::Waiting { .. } => self.act(Act::HandedOffAlready, why),
            Mode::Bot | Mode::Human { .. } => {
                if !self
                    .acts
                    .iter()
                    .any(|act| matches!(act, Act::HandOff { .. }))
                {
                    self.act(Act::HandOff { reason }, why);
                }
            }
        }
    }

    fn hand_off_if_due(&mut self, intents: &[String]) {
        let conversation = self.scene.conversation;
        if conversation.mode != Mode::Bot {
            return;
        }
        let intents: Vec<&str> = intents.iter().map(String::as_str).collect();
        let shop = self.scene.shop;
        if let Some(reason) = shop.handoff.due(conversation, &intents, &shop.scorecard) {
            // A qualified lead is asked for contact details first, once.
            let open = reason == Reason::QualifiedLead
                && !known(conversation, "contact")
                && !conversation.asks.contains_key("contact");
            if open {
                self.drop_questions();
                self.ask("contact", "a qualified lead without contact details");
            } else {
                self.hand_off(reason, "a handoff rule applies");
            }
        }
    }

    /// On with the flow on top: show what fits and ask what is worth asking.
    fn go_on(&mut self, answered: bool) {
        let conversation = self.scene.conversation;
        let shop = self.scene.shop;
        let Some(flow) = conversation
            .flows
            .last()
            .and_then(|frame| shop.flows.iter().find(|flow| flow.id == frame.flow))
        else {
            if self.told_something() && !answered {
                self.recommend_or_ask();
            }
            return;
        };
        let wanted = Wanted::of(conversation);
        let mut narrowing = true;
        if wanted.is_concrete() {
            let fits = shop
                .catalogue
                .search(&wanted.query(self.scene.at_ms, RECOMMENDED_MAX + 1))
                .len();
            narrowing = fits > RECOMMENDED_MAX;
            if self.worth_showing() && !answered {
                self.act(Act::Recommend { wanted }, format!("flow {}", flow.id));
            }
        } else if flow.then == Then::Recommend
            && conversation.asks.contains_key("category")
            && !answered
        {
            self.act(Act::Recommend { wanted }, "the kind was asked for already");
        }
        self.next_step(flow, narrowing);
    }

    fn next_step(&mut self, flow: &Flow, narrowing: bool) {
        let conversation = self.scene.conversation;
        match (flow.next_need(conversation, narrowing), flow.then) {
            (Some(need), _) => self.ask(&need.slot.clone(), format!("flow {} needs it", flow.id)),
            (None, Then::HandOff(reason)) => {
                let done = conversation.handed_off.iter().any(|r| r == reason.word());
                if !done && conversation.mode == Mode::Bot {
                    self.hand_off(reason, "the flow has all it can get");
                }
            }
            (None, Then::Recommend) => {}
        }
    }

    fn recommend_or_ask(&mut self) {
        let wanted = Wanted::of(self.scene.conversation);
        if wanted.is_concrete() {
            self.act(Act::Recommend { wanted }, "facts were told");
        } else {
            self.ask("category", "facts were told, the kind is open");
        }
    }

    fn ask(&mut self, slot: &str, why: impl Into<String>) {
        let asked_before = self.scene.conversation.asks.contains_key(slot);
        let asking = self.acts.iter().any(|act| matches!(act, Act::Ask { .. }));
        if !asked_before && !asking {
            self.act(
                Act::Ask {
                    slot: slot.to_owned(),
                },
                why,
            );
        }
    }

    fn drop_questions(&mut self) {
        let kept: Vec<(Act, String)> = std::mem::take(&mut self.acts)
            .into_iter()
            .zip(std::mem::take(&mut self.why))
            .filter(|(act, _)| !matches!(act, Act::Ask { .. }))
            .collect();
        (self.acts, self.why) = kept.into_iter().unzip();
    }

    /// The product under discussion.
    fn target(&self) -> Option<String> {
        self.mentioned
            .first()
            .cloned()
            .or_else(|| self.scene.conversation.focus.clone())
            .filter(|id| self.scene.shop.catalogue.get(id).is_some())
    }

    /// The cheapest or the dearest of what is under discussion.
    fn end_of_list(&self, dearest: bool) -> Option<String> {
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

    /// This turn filled or ruled out something that products are chosen by.
    fn told_something(&self) -> bool {
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
            )
        }) || self.answered_question()
    }

    /// A slot that the reply before asked for is known now.
    fn answered_question(&self) -> bool {
        let conversation = self.scene.conversation;
        conversation.asked.as_deref().is_some_and(|slot| {
            known(conversation, slot)
                || self
                    .scene
                    .understanding
                    .intents
                    .iter()
                    .any(|i| i.name == "deny" && !slot.starts_with("offer:"))
        })
    }

    fn new_contact(&self) -> bool {
        self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::Phone { .. } | Value::Email { .. } | Value::Wechat { .. }
            )
        })
    }

    /// The constraints changed in this turn, or nothing was shown yet.
    fn worth_showing(&self) -> bool {
        let conversation = self.scene.conversation;
        conversation.listed.is_empty()
            || conversation.slots.iter().any(|(slot, filled)| {
                filled.turn == conversation.turn
                    && (matches!(
                        slot.as_str(),
                        "category" | "brand" | "budget_max" | "budget_min"
                    ) || slot.starts_with("attr:"))
            })
            || self.scene.understanding.entities.iter().any(|e| e.negated)
            || self
                .scene
                .understanding
                .intents
                .iter()
                .any(|i| i.name == "ask_recommendation")
    }

    fn foreign_currency(&self) -> bool {
        let ours = self.scene.shop.profile.currency;
        self.scene.understanding.entities.iter().any(|entity| {
            matches!(&entity.value, Value::Budget { min, max }
                if [min, max].into_iter().flatten().any(|money| money.currency != ours))
        })
    }
}

/// Said beside an answer, never instead of one.
fn is_courtesy(act: &Act) -> bool {
    matches!(
        act,
        Act::Greet
            | Act::Thank
            | Act::SmallTalk
            | Act::Insulted
            | Act::Robot
            | Act::Deny
            | Act::Acknowledge
            | Act::ContactThanks
    )
}

fn is_opening(act: &Act) -> bool {
    matches!(act, Act::Disclose | Act::WelcomeBack | Act::OtherCurrency)
}
