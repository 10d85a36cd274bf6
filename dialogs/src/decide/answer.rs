//! What each intent is answered with.

use super::{Act, Decider, QUESTION_CHARS_MAX, Wanted};
use crate::Language;
use crate::aspect::Says;
use crate::flow::known;
use crate::handoff::Reason;
use crate::nlu::{Superlative, Value};

/// Nearness (0 to 1) above which words name something of the catalogue.
const WORDS_SCORE_MIN: f32 = 0.5;
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
/// What is counted besides products.
const OTHERS_COUNTED: [&str; 14] = [
    "how many days",
    "how many weeks",
    "how many hours",
    "how many times",
    "how many people",
    "how many minutes",
    "how many months",
    "how many years",
    "几个月",
    "几个小时",
    "几个工作日",
    "几个人",
    "几个星期",
    "几个地方",
];
/// The words of a question for what there is at all.
const WHAT_KINDS: [&str; 18] = [
    "你们卖什么",
    "卖什么的",
    "卖些什么",
    "卖啥",
    "有什么产品",
    "有哪些产品",
    "有些什么",
    "都有什么",
    "都有啥",
    "都有哪些",
    "哪些种类",
    "什么种类",
    "哪几类",
    "what do you sell",
    "what do you have",
    "what kinds",
    "what products",
    "what types",
];
/// How one asks for goods.
const ASKS_FOR: [&str; 26] = [
    "有",
    "卖",
    "买",
    "要",
    "找",
    "推荐",
    "来个",
    "多少钱",
    "sell",
    "have",
    "carry",
    "stock",
    "looking for",
    "want",
    "need",
    "buy",
    "get",
    "any",
    "show",
    "recommend",
    "price",
    "how much",
    "offer",
    "shop for",
    "interested in",
    "do you do",
];
/// How one asks whether there are goods of a kind.
const HAS_GOODS: [&str; 10] = [
    "有",
    "卖",
    "推荐",
    "来个",
    "have any",
    "do you have",
    "sell",
    "carry",
    "any ",
    "show",
];
/// How one asks what is or how it is done, rather than for goods.
const ASKS_HOW: [&str; 44] = [
    "吗",
    "怎么",
    "如何",
    "多少",
    "多久",
    "能不能",
    "可不可以",
    "可以",
    "为什么",
    "为啥",
    "要不要",
    "是不是",
    "会不会",
    "该不该",
    "几天",
    "几年",
    "几次",
    "比例",
    "区别",
    "how ",
    "can i",
    "can you",
    "could you",
    "do you",
    "does it",
    "does the",
    "do i",
    "should i",
    "is it",
    "is there",
    "are there",
    "why ",
    "what if",
    "what's the",
    "what is",
    "when ",
    "how's",
    "will it",
    "will the",
    "may i",
    "is the",
    "are the",
    "呢",
    "能",
];
/// The words of a question for the values of a property.
const WHICH: [&str; 12] = [
    "哪些",
    "什么",
    "几种",
    "几个",
    "还有",
    "有没有别的",
    "which",
    "what",
    "other",
    "how many",
    "any other",
    "choices",
];
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
/// Intents that a question about a property is taken for.
const OF_PROPERTIES: [&str; 14] = [
    "ask_details",
    "ask_most",
    "ask_stock",
    "ask_cheaper",
    "ask_better",
    "ask_alternatives",
    "ask_recommendation",
    "ask_reason",
    "ask_usage",
    "ask_price",
    "compare",
    "inform",
    "correct",
    "out_of_scope",
];

impl Decider<'_> {
    /// A question about properties: what one product has, what there is, or what has less or more of it.
    pub(super) fn ask_of_properties(&mut self, intents: &[String]) -> bool {
        if !intents.iter().all(|i| OF_PROPERTIES.contains(&i.as_str())) || self.names_extreme() {
            return false;
        }
        let aspects = self.scene.shop.aspects.find(&self.words);
        let Some(first) = aspects.first() else {
            return false;
        };
        let catalogue = &self.scene.shop.catalogue;
        let mut wanted = Wanted::of(self.scene.conversation).without_words();
        if let Says::Wish(toward) = first.says {
            let attribute = first
                .attributes
                .iter()
                .find(|name| catalogue.tells_figures(name, wanted.category.as_deref()));
            let Some(attribute) = attribute.cloned() else {
                return false;
            };
            match self.end_in(&attribute, toward) {
                Some(than) => self.act(
                    Act::MoreOf {
                        attribute,
                        toward,
                        than,
                        wanted,
                    },
                    "less or more of a property is wanted",
                ),
                None if wanted.is_concrete() => self.act(
                    Act::Rank {
                        attribute,
                        toward,
                        wanted,
                    },
                    "less or more of a property is wanted",
                ),
                None => return false,
            }
            return true;
        }
        let asks_which = WHICH.iter().any(|word| self.words.contains(word));
        let pointed_at = !self.mentioned.is_empty();
        match self.target().filter(|_| pointed_at || !self.says_value()) {
            Some(id) if pointed_at || !asks_which => {
                let attributes: Vec<String> = aspects
                    .iter()
                    .filter(|aspect| aspect.says == Says::Name)
                    .flat_map(|aspect| aspect.attributes.iter().cloned())
                    .collect();
                self.act(Act::Aspect { id, attributes }, "a property of one product");
                true
            }
            target if asks_which && !self.says_value() => {
                // What colours are there: of the kind under discussion.
                if !wanted.is_concrete()
                    && let Some(product) = target.as_deref().and_then(|id| catalogue.get(id))
                {
                    wanted.category = product.type_keys.last().cloned();
                }
                let Some(attribute) = first.attributes.first().cloned() else {
                    return false;
                };
                wanted.attributes.retain(|(name, _)| *name != attribute);
                self.act(
                    Act::Values { attribute, wanted },
                    "what there is of a property",
                );
                true
            }
            _ => false,
        }
    }

    /// A product is named and nothing is told that others could be chosen by.
    fn names_only_a_product(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        !self.mentioned.is_empty()
            && entities.iter().all(|entity| {
                matches!(
                    entity.value,
                    Value::Product { .. } | Value::ProductType { .. } | Value::Brand { .. }
                ) && !entity.negated
            })
    }

    fn says_budget(&self) -> bool {
        let entities = &self.scene.understanding.entities;
        entities
            .iter()
            .any(|entity| matches!(entity.value, Value::Budget { .. }))
    }

    fn says_value(&self) -> bool {
        self.scene
            .understanding
            .entities
            .iter()
            .any(|entity| matches!(entity.value, Value::Attribute { .. }))
    }

    fn names_extreme(&self) -> bool {
        self.superlative().is_some()
    }

    fn superlative(&self) -> Option<Superlative> {
        self.scene
            .understanding
            .entities
            .iter()
            .find_map(|entity| match &entity.value {
                Value::Superlative { of } => Some(*of),
                _ => None,
            })
    }

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
        let asks = intents.iter().any(|i| FOR_GOODS.contains(&i.as_str()))
            && ASKS_FOR.iter().any(|word| self.words.contains(word));
        if known || !asks || self.is_in_the_knowledge() {
            return false;
        }
        let Some(what) = self.scene.shop.catalogue.lacks(&self.words) else {
            return false;
        };
        let what = what.to_owned();
        self.act(Act::NotCarried { what }, "a kind of goods that is not here");
        true
    }

    /// A question that the shop's pages answer, though it names a kind of goods.
    pub(super) fn asks_the_pages(&mut self, intents: &[String]) -> bool {
        let open = intents.iter().all(|i| match i.as_str() {
            "inform" | "out_of_scope" | "ask_details" | "ask_usage" | "correct" => true,
            // “How many days” counts no products.
            "ask_most" => !self.asks_how_many() && !self.names_extreme(),
            _ => false,
        });
        let chooses = self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::Budget { .. } | Value::Product { .. } | Value::Ordinal { .. }
            )
        }) || !self.mentioned.is_empty();
        // “Do you have hand grinders?” asks for goods, whatever the pages say of them.
        let names_kind = self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::ProductType { .. } | Value::Brand { .. } | Value::Attribute { .. }
            )
        });
        if names_kind && HAS_GOODS.iter().any(|word| self.words.contains(word)) {
            return false;
        }
        let asks =
            self.words.ends_with('?') || ASKS_HOW.iter().any(|word| self.words.contains(word));
        if open && asks && !chooses && self.is_in_the_knowledge() {
            self.know("the pages answer it".to_owned());
            return true;
        }
        false
    }

    pub(super) fn intent(&mut self, intent: &str) {
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
            "ask_recommendation" | "inform" | "correct" => {
                if self.asks_what_kinds() {
                    self.kinds(why);
                } else if let Some(of) = self.superlative() {
                    self.extreme(of, why);
                } else if intent == "inform" && self.names_only_a_product() {
                    self.about(target, why, |id| Act::Details { id });
                }
            }
            "bulk_purchase" | "request_quote" | "request_appointment" => {}
            "give_contact" => {}
            "ask_price" => self.about(target, why, |id| Act::Price { id }),
            "ask_stock" if self.asks_what_kinds() => self.kinds(why),
            // “Do you have it in black” is no question whether the red one is in stock.
            "ask_stock" if self.says_value() => self.in_another_value(target, why),
            "ask_stock" => self.about(target, why, |id| Act::Stock { id }),
            "ask_details" => self.about(target, why, |id| Act::Details { id }),
            "ask_reason" => self.about(target, why, |id| Act::Reasons { id }),
            "buy" => self.about(target, why, |id| Act::Buy { id }),
            "ask_accessories" => self.about(target, why, |of| Act::Accessories { of }),
            "ask_alternatives" => self.about(target, why, |to| Act::Alternatives { to }),
            "ask_discount" => self.act(Act::Discount { id: target }, why),
            "object_price" => self.too_dear(why),
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
            "ask_most" => match self.superlative() {
                Some(of) => self.extreme(of, why),
                None if self.asks_what_kinds() => self.kinds(why),
                None if self.asks_how_many() => {
                    let wanted = Wanted::of(self.scene.conversation);
                    self.act(Act::Count { wanted }, why);
                }
                None => {}
            },
            "ask_opening_hours" if !self.scene.shop.profile.hours.is_empty() => {
                self.act(Act::Hours, why);
            }
            "ask_memory" => self.act(Act::Recall, why),
            "ask_repeat" => {
                if alone && !self.scene.conversation.listed.is_empty() {
                    self.act(Act::Repeat, why);
                }
            }
            "ask_abilities" => self.act(Act::Abilities, why),
            "ask_language" => self.act(Act::Languages, why),
            "ask_authenticity" | "ask_reviews" | "ask_gift_wrap" | "ask_customization"
            | "ask_trade_in" | "ask_notify" | "ask_size_advice" => {
                // Who names a budget or a product wants goods, whatever else the words resemble.
                if !self.told_something() || self.is_in_the_knowledge() && !self.says_budget() {
                    self.know(why);
                }
            }
            "ask_compatibility" if self.is_in_the_knowledge() => self.know(why),
            "ask_compatibility" => self.about(target, why, |of| Act::Accessories { of }),
            "ask_delivery" | "ask_warranty" | "ask_return" | "ask_payment" | "ask_invoice"
            | "ask_usage" | "ask_opening_hours" | "ask_location" => self.know_about(intent, why),
            "affirm" => self.affirmed(why),
            "deny" => {
                if !self.told_something() {
                    self.act(Act::Deny, why);
                }
            }
            "out_of_scope" => self.beyond(why),
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

    /// What no intent fits may still be something of the shop's pages or products.
    fn beyond(&mut self, why: String) {
        if self.told_something() {
            return;
        }
        if self.asks_what_kinds() {
            self.kinds(why);
        } else if self.is_in_the_knowledge() {
            self.know(why);
        } else if self.is_in_the_catalogue() {
            let wanted = Wanted::of(self.scene.conversation);
            self.act(Act::Recommend { wanted }, "words of the catalogue");
        }
    }

    /// An act on one product, or the way to find out which.
    fn about(&mut self, target: Option<String>, why: String, act: impl Fn(String) -> Act) {
        // Who names a kind asks for the kind, whatever was looked at before.
        let names_kind = self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::ProductType { .. } | Value::Brand { .. }
            )
        });
        match target.filter(|_| !names_kind || !self.mentioned.is_empty()) {
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

    /// A product asked for in some colour or size: in stock if it is that, else what it is.
    fn in_another_value(&mut self, target: Option<String>, why: String) {
        let catalogue = &self.scene.shop.catalogue;
        let other = target.as_deref().and_then(|id| {
            let own = catalogue.values_of(id);
            self.scene
                .understanding
                .entities
                .iter()
                .find_map(|e| match &e.value {
                    Value::Attribute { name, key }
                        if !own.contains(&(name.clone(), key.clone())) =>
                    {
                        Some((id.to_owned(), name.clone()))
                    }
                    _ => None,
                })
        });
        match other {
            Some((id, name)) => self.act(
                Act::Aspect {
                    id,
                    attributes: vec![name],
                },
                why,
            ),
            None => self.about(target, why, |id| Act::Stock { id }),
        }
    }

    /// Too dear: said of what was shown it is an objection, before anything was shown a wish.
    fn too_dear(&mut self, why: String) {
        let conversation = self.scene.conversation;
        if conversation.listed.is_empty() && conversation.focus.is_none() {
            let wanted = Wanted::of(conversation);
            if wanted.is_concrete() {
                self.extreme(Superlative::Cheapest, why);
            } else {
                self.ask("category", why);
            }
        } else {
            let id = self.end_of_list(false);
            self.act(Act::EasePrice { id }, why);
        }
    }

    fn compare(&mut self, why: String) {
        let mut pair = self.mentioned.clone();
        for id in &self.scene.conversation.listed {
            if pair.len() < 2 && !pair.contains(id) {
                pair.push(id.clone());
            }
        }
        // One card alone is compared with what was shown before it.
        for id in &self.scene.conversation.listed_before {
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

    fn kinds(&mut self, why: String) {
        let wanted = Wanted::of(self.scene.conversation).without_words();
        self.act(Act::Kinds { wanted }, why);
    }

    /// How many products, not how many days.
    fn asks_how_many(&self) -> bool {
        HOW_MANY.iter().any(|word| self.words.contains(word))
            && !OTHERS_COUNTED.iter().any(|word| self.words.contains(word))
    }

    fn asks_what_kinds(&self) -> bool {
        WHAT_KINDS.iter().any(|words| self.words.contains(words)) && !self.says_value()
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
            (None, Some(id)) if self.scene.conversation.listed.len() == 1 => {
                self.act(Act::Details { id }, why);
            }
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
}
