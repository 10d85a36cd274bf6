//! What each intent is answered with.

use super::{Act, Decider};
use crate::choice;
use crate::conversation::Mode;
use crate::cue::Cue;
use crate::flow::known;
use crate::handoff::Reason;
use crate::nlu::{Superlative, Value};

/// Confidence from which somebody buys who asks for the price as well.
const CERTAIN_MIN: f64 = 0.85;
/// Products of one message that are each answered.
const TOGETHER_MAX: usize = 3;

/// What is short enough to be said of several products.
fn is_of_each(act: &Act) -> bool {
    matches!(act, Act::Price { .. } | Act::Stock { .. } | Act::Buy { .. })
}

impl Decider<'_> {
    pub(super) fn intent(&mut self, intent: &str) {
        let why = format!("intent {intent}");
        let target = self.target();
        let alone = self.scene.understanding.intents.len() == 1;
        match intent {
            "greet" if self.scene.conversation.mode != Mode::Bot => {
                self.act(Act::HandedOffAlready, why);
            }
            "greet" if self.comes_back() => {
                self.act(Act::WelcomeBack, why.clone());
                if alone && self.scene.conversation.listed.len() > 1 {
                    self.act(Act::Repeat, why);
                }
            }
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
            // Who has ordered nothing that is known of asks how long it would take.
            "order_status" if !self.is_sure_of(intent) && !Cue::Ordered.is_in(&self.words) => {
                self.know_about("ask_delivery", why);
            }
            "order_status" => self.hand_off(Reason::UnsupportedRequest, &why),
            "complain" => self.hand_off(Reason::Complaint, &why),
            "privacy_request" if self.is_a_guess(intent) => self.know(why),
            "privacy_request" => {
                self.act(Act::Privacy, why.clone());
                self.hand_off(Reason::UnsupportedRequest, &why);
            }
            "ask_others_data" => self.act(Act::OthersData, why),
            "ask_recommendation" | "inform" | "correct" => {
                if self.asks_which_of_those() {
                    self.which_of_those(why);
                } else if self.asks_what_kinds() {
                    self.kinds(why);
                } else if self.names_a_variant() {
                    self.about(target, why, |id| Act::Details { id });
                } else if let Some(of) = self.superlative() {
                    self.extreme(of, why);
                } else if self.names_only_a_product() && Cue::HowTo.is_in(&self.words) {
                    self.usage(target, why);
                } else if self.names_only_a_product()
                    && (intent == "inform" || !self.is_sure_of(intent))
                {
                    self.about(target, why, |id| Act::Details { id });
                }
            }
            "bulk_purchase" | "request_quote" | "request_appointment" => {}
            // Who only says that they would leave a number is asked for it.
            "give_contact" if !self.new_contact() && !known(self.scene.conversation, "contact") => {
                self.ask("contact", why);
            }
            "give_contact" => {}
            // Who left contact details waits for a colleague.
            "ask_next" if known(self.scene.conversation, "contact") => {
                self.hand_off(Reason::CustomerRequest, &why);
            }
            "ask_next" => self.act(Act::WhatNext, why),
            "ask_notify" => {
                if let Some(id) = target {
                    self.act(Act::Stock { id }, why.clone());
                }
                self.act(Act::CannotNotify, why);
            }
            "ask_stock" | "ask_details" | "ask_price" | "buy"
                if self.recalls_what_is_unknown(&target) =>
            {
                let wanted = String::new();
                self.act(Act::AskWhich { wanted }, why);
            }
            "ask_price" if self.asks_of_a_colleague() => self.colleague_said(why),
            "ask_price" => {
                self.about(target, why.clone(), |id| Act::Price { id });
                if let [_, _, ..] = self.mentioned.as_slice()
                    && Cue::Together.is_in(&self.words)
                {
                    let ids = self.mentioned.iter().take(TOGETHER_MAX).cloned().collect();
                    self.act(Act::Together { ids }, why.clone());
                }
                if Cue::Currencies.is_in(&self.words) && !self.says_budget() {
                    self.act(Act::OwnCurrency, why);
                }
            }
            "ask_stock" if self.asks_what_kinds() => self.kinds(why),
            // “Do you have it in black” is no question whether the red one is in stock.
            "ask_stock" if self.says_value() => self.in_another_value(target, why),
            // “Anything like it that you have?” asks past the one that is sold out.
            "ask_stock" if self.mentioned.is_empty() && Cue::Similar.is_in(&self.words) => {
                self.about(target, why, |to| Act::Alternatives { to });
            }
            "ask_stock" => match self.sold_out_by_name() {
                Some(id) => self.act(Act::Stock { id }, why),
                None => self.about(target, why, |id| Act::Stock { id }),
            },
            // Nothing is under discussion that this could be a question about.
            "ask_details" if self.is_about_nothing_here(&target) => self.know(why),
            // “Does it come in green?”
            "ask_details" if self.says_value() && target.is_some() && !self.names_goods() => {
                self.value_of(target, why);
            }
            "ask_details" => self.about(target, why, |id| Act::Details { id }),
            "ask_reason" => self.about(target, why, |id| Act::Reasons { id }),
            // “I wanted to ask about the Uno” names it and buys nothing yet.
            "buy" if self.names_only_a_product() && !self.is_sure_of(intent) => {
                self.about(target, why, |id| Act::Details { id });
            }
            // “I'd take two, what's the total?” asks before it buys.
            "buy" if !self.has_at_least(intent, CERTAIN_MIN) && self.asks("ask_price") => {}
            "buy" => {
                // What a colleague offered counts more than the page, and is theirs to confirm.
                if self.colleague_named_a_figure() {
                    self.colleague_said("a colleague spoke of a figure".to_owned());
                }
                self.about(target, why, |id| Act::Buy { id });
            }
            // Goods of another kind, where none say that they fit: what there is of them follows.
            "ask_accessories" if self.names_goods() => {}
            "ask_accessories" => self.about(target, why, |of| Act::Accessories { of, kind: None }),
            // “Any others?”, of a list in which none was picked.
            "ask_alternatives" if self.mentioned.is_empty() && self.lists_what_is_wanted() => {
                let wanted = self.wanted().without_words();
                let conversation = self.scene.conversation;
                let shown = conversation.listed.iter().chain(&conversation.shown);
                let shown = shown.cloned().collect();
                self.act(Act::Others { wanted, shown }, why);
            }
            "ask_alternatives" => self.about(target, why, |to| Act::Alternatives { to }),
            "ask_discount" => self.discount(target, why),
            "object_price" => self.too_dear(why),
            // “Isn't it on sale? I saw 129” may mean this shop's own offer.
            "seen_cheaper" if self.asks("ask_discount") => {}
            "seen_cheaper" if !self.is_sure_of(intent) && !self.mentioned.is_empty() => {
                self.discount(target, why);
            }
            "seen_cheaper" => self.act(Act::MatchPrice, why),
            // 看下 Duo looks at it, and does not think it over.
            "hesitate" if self.names_only_a_product() && self.names_a_product() => {
                self.about(target, why, |id| Act::Details { id });
            }
            "hesitate" if self.told_something() && !self.is_sure_of(intent) => {}
            "hesitate" => self.act(Act::Reassure, why),
            // “Is the first one comfy” sets nothing beside it.
            "compare" if !self.is_sure_of(intent) && self.mentioned.len() == 1 => {
                self.about(target, why, |id| Act::Details { id });
            }
            "compare" if self.is_a_guess(intent) && self.told_something() => {}
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
                None if self.asks_how_many() && self.mentioned.is_empty() => {
                    let wanted = self.wanted();
                    self.act(Act::Count { wanted }, why);
                }
                None if self.asks_which_of_those() => self.which_of_those(why),
                None => {}
            },
            "ask_opening_hours" if !self.scene.shop.profile.hours.is_empty() => {
                match self.asked_day() {
                    Some(day) => self.act(Act::HoursOn { day }, why),
                    None => self.act(Act::Hours, why),
                }
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
            | "ask_trade_in" | "ask_size_advice" => {
                // Who names a budget or a product wants goods, whatever else the words resemble.
                if !self.told_something() || self.is_in_the_knowledge() && !self.says_budget() {
                    self.know(why);
                }
            }
            // “Which dark roasts have you?” wants goods, though it resembles a question of use.
            "ask_usage" | "ask_compatibility" if self.rather_wants_goods(intent) => {}
            // A guess at a question where none was put.
            "ask_delivery" | "ask_warranty" | "ask_return" | "ask_payment" | "ask_invoice"
            | "ask_usage" | "ask_location"
                if (self.is_a_guess(intent)
                    || (self.told_something() && !self.is_sure_of(intent)))
                    && (!self.is_a_question()
                        || (Cue::HasGoods.is_in(&self.words)
                            && self.is_named_in_the_catalogue())) => {}
            "ask_compatibility" if self.is_in_the_knowledge() => self.know(why),
            // “Does the aluminium pot work on induction?”, of a kind: what the nearest says of itself.
            "ask_compatibility" if self.asks_of_a_kind() => self.nearest_of_kind(why),
            // “Does it work on induction?”, of the product under discussion: what it says, not what goes with it.
            "ask_compatibility"
                if !self.names_goods()
                    && !Cue::Accessories.is_in(&self.words)
                    && target.is_some() =>
            {
                match target.filter(|id| self.tells_of_the_question(id)) {
                    Some(id) => self.act(Act::Details { id }, why),
                    None => self.know(why),
                }
            }
            "ask_compatibility" => {
                self.about(target, why, |of| Act::Accessories { of, kind: None })
            }
            "ask_delivery" => self.delivery(why),
            "ask_warranty" => self.warranty(target, why),
            "ask_return" => {
                self.know_about(intent, why.clone());
                // Who wants the money back and says no reason may have one.
                if Cue::MoneyBack.is_in(&self.words) && !self.is_a_question() {
                    self.know_topic("faulty_return", &why);
                }
            }
            "ask_usage" => self.usage(target, why),
            "ask_payment" | "ask_invoice" | "ask_opening_hours" | "ask_location" => {
                self.know_about(intent, why)
            }
            "affirm" => self.affirmed(why),
            "deny" => {
                if !self.told_something() && (self.is_sure_of(intent) || alone) {
                    self.act(Act::Deny, why);
                }
            }
            "out_of_scope" => self.beyond(why),
            own => {
                // Who says what goods they want is shown goods, unless their words are clearly of this.
                let wants_goods = self.told_something() && !self.is_sure_of(own);
                if !wants_goods
                    && !self.is_a_guess(own)
                    && self.scene.shop.wordings.has(&format!("intent.{own}"))
                {
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

    /// The first of those shown, with its reasons; a comparison that nothing here tells is said to be unknown.
    fn which_of_those(&mut self, why: String) {
        let first = self.scene.conversation.listed.first().cloned();
        match first.filter(|_| Cue::Pick.is_in(&self.words)) {
            Some(id) => self.act(Act::Reasons { id }, why),
            None => self.act(Act::NotCompared, why),
        }
    }

    /// The product of the kind whose words come nearest, else that nothing is written.
    fn nearest_of_kind(&mut self, why: String) {
        let query = self.wanted().query(self.scene.at_ms, 1);
        let hits = self.scene.shop.catalogue.search(&query);
        let first = hits.into_iter().next();
        match first.filter(|hit| self.tells_of_the_question(&hit.id)) {
            Some(hit) => self.act(Act::Details { id: hit.id }, why),
            None => self.know(why),
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
            // “The Uno and an E2”: of each what is asked of both.
            Some(_) if self.mentioned.len() > 1 && is_of_each(&act(String::new())) => {
                let ids = self.mentioned.iter().take(TOGETHER_MAX).cloned();
                for id in ids.collect::<Vec<String>>() {
                    self.act(act(id), why.clone());
                }
            }
            Some(id) => self.act(act(id), why),
            None if self.told_something() && self.worth_showing() => {}
            None if !self.scene.conversation.listed.is_empty() => {
                let wanted = match act(String::new()) {
                    Act::Stock { .. } => "stock",
                    Act::Price { .. } => "price",
                    Act::Buy { .. } => "buy",
                    _ => "",
                };
                let wanted = wanted.to_owned();
                self.act(Act::AskWhich { wanted }, why);
            }
            None => {
                let wanted = self.wanted();
                if wanted.is_concrete() {
                    self.act(Act::Recommend { wanted }, why);
                } else {
                    self.ask("category", why);
                }
            }
        }
    }

    /// What a product says of the property whose value was named.
    fn value_of(&mut self, target: Option<String>, why: String) {
        let entities = &self.scene.understanding.entities;
        let named = entities.iter().find_map(|entity| match &entity.value {
            Value::Attribute { name, .. } => Some(name.clone()),
            _ => None,
        });
        let attributes: Vec<String> = named.into_iter().collect();
        self.about(target, why, |id| Act::Aspect {
            id,
            attributes: attributes.clone(),
        });
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

    pub(super) fn kinds(&mut self, why: String) {
        let wanted = self.wanted().without_words();
        self.act(Act::Kinds { wanted }, why);
    }

    fn affirmed(&mut self, why: String) {
        // “Fine, the second one.”
        if let Some(id) = self.mentioned.first().cloned() {
            self.act(Act::Details { id }, why);
            return;
        }
        let focus = self.scene.conversation.focus.clone();
        match (self.scene.conversation.asked.as_deref(), focus) {
            (Some("offer:person"), _) => self.hand_off(Reason::CustomerRequest, &why),
            (Some("offer:cheaper"), focus) => match focus.or_else(|| self.end_of_list(false)) {
                Some(than) => self.act(Act::Cheaper { than }, why),
                None => self.act(Act::Acknowledge, why),
            },
            (Some("offer:similar"), Some(to)) => self.act(Act::Alternatives { to }, why),
            // What was told of it a moment ago is not told again.
            (None, Some(id)) if self.scene.conversation.listed.len() == 1 => {
                let buys = choice::buy(&id);
                let conversation = self.scene.conversation;
                let told = conversation.choices.iter().any(|choice| choice.id == buys);
                if told || !conversation.lists {
                    self.act(Act::AtYourService, why);
                } else {
                    self.act(Act::Details { id }, why);
                }
            }
            _ => self.act(Act::Acknowledge, why),
        }
    }
}
