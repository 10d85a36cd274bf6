//! The draft of a reply: the shop's wordings with every fact bound to its evidence.

mod advice;
mod comparing;
mod criteria;
mod draft;
mod facts;
mod hours;
mod product;
mod talk;

pub use draft::{Block, Draft, Fact, Line, Segment};
pub use facts::FACT_CHARS_MAX;

use crate::Language;
use crate::calendar::Moment;
use crate::choice;
use crate::conversation::Conversation;
use crate::decide::{Act, Decision, Wanted};
use crate::find::{Findings, Found};
use crate::reply::{Choice, Good};
use crate::shop::Shop;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Quick replies under one reply.
pub const CHOICES_MAX: usize = 10;

/// What composing may look at.
pub struct Stage<'a> {
    pub conversation: &'a Conversation,
    pub shop: &'a Shop,
    pub moment: &'a Moment,
    pub language: Language,
    /// After a handoff the agent answers until a person comes; not where the platform's own desk has the conversation at once.
    pub talks_on: bool,
    /// Picks among wordings; the same seed gives the same reply.
    pub seed: u64,
}

pub fn compose(decision: &Decision, findings: &Findings, stage: &Stage<'_>) -> Draft {
    let mut composer = Composer {
        stage,
        draft: Draft::default(),
        choices: Vec::new(),
        revisions: RefCell::default(),
    };
    for (act, found) in decision.acts.iter().zip(&findings.found) {
        composer.act(act, found);
    }
    composer.finish()
}

/// The reply when nothing else may be said.
pub fn fallback(key: &str, stage: &Stage<'_>) -> Draft {
    let mut composer = Composer {
        stage,
        draft: Draft::default(),
        choices: Vec::new(),
        revisions: RefCell::default(),
    };
    if stage.conversation.turn == 1 {
        // Whatever the first reply is, it says who is speaking.
        composer.act(&Act::Disclose, &Found::Unneeded);
    }
    composer.say(key, &[]);
    composer.draft.asked = Some("offer:person".to_owned());
    composer.offer("talk-to-person", "choice.label.person");
    composer.finish()
}

struct Composer<'a> {
    stage: &'a Stage<'a>,
    draft: Draft,
    choices: Vec<Choice>,
    /// Of the products told of, by id.
    revisions: RefCell<BTreeMap<String, String>>,
}

impl<'a> Composer<'a> {
    fn finish(mut self) -> Draft {
        if !self.choices.is_empty() {
            self.choices.truncate(CHOICES_MAX);
            self.draft.blocks.push(Block::Choices(self.choices));
        }
        self.draft
    }

    fn say(&mut self, key: &str, bound: &[(&str, Fact)]) {
        let stage = self.stage;
        let last = stage.conversation.wordings.get(key).copied();
        let seed = stage.seed ^ hash(key);
        if let Some((wording, template)) =
            stage.shop.wordings.choose(stage.language, key, seed, last)
        {
            self.draft.blocks.push(Block::Line(Line {
                key: key.to_owned(),
                wording,
                template: template.to_owned(),
                bound: bound
                    .iter()
                    .map(|(name, fact)| ((*name).to_owned(), fact.clone()))
                    .collect(),
            }));
        }
    }

    /// A fact stands in the draft already.
    fn has_said(&self, fact: &Fact) -> bool {
        self.draft.blocks.iter().any(|block| match block {
            Block::Line(line) => line.bound.iter().any(|(_, other)| other == fact),
            _ => false,
        })
    }

    fn label(&self, key: &str) -> String {
        self.stage
            .shop
            .wordings
            .all(self.stage.language, key)
            .first()
            .cloned()
            .unwrap_or_default()
    }

    fn offer(&mut self, id: &str, label_key: &str) {
        let label = self.label(label_key);
        if !label.is_empty() && self.choices.iter().all(|choice| choice.id != id) {
            self.choices.push(Choice {
                id: id.to_owned(),
                label,
            });
        }
    }

    fn offer_yes_no(&mut self, asked: &str) {
        self.draft.asked = Some(asked.to_owned());
        self.offer("yes", "choice.label.yes");
        self.offer("no", "choice.label.no");
    }

    fn act(&mut self, act: &Act, found: &Found) {
        let shop_name = self.shop_fact(
            self.stage
                .shop
                .profile
                .name
                .in_language(self.stage.language),
            "name",
        );
        match act {
            Act::Disclose => self.say("disclose", &[("shop", shop_name)]),
            Act::DiscloseAgain => self.say("disclose.again", &[("shop", shop_name)]),
            Act::DiscloseBack => self.say("disclose.back", &[("shop", shop_name)]),
            Act::WelcomeBack => self.welcome_back(),
            Act::Greet => self.say("greet", &[("shop", shop_name)]),
            Act::Thank => self.say("thank", &[]),
            Act::Bye => self.say("bye", &[("shop", shop_name)]),
            Act::SmallTalk => self.say("small_talk", &[]),
            Act::Insulted => {
                self.say("insult", &[]);
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::Robot => {
                self.say("robot", &[("shop", shop_name)]);
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::Acknowledge => self.say("inform.thanks", &[]),
            Act::AtYourService => {
                self.say("at_your_service", &[]);
                if let Some(focus) = &self.stage.conversation.focus {
                    self.offer(&choice::buy(focus), "choice.label.buy");
                }
            }
            Act::ContactThanks => self.say("contact.thanks", &[]),
            Act::Recommend { wanted } => self.recommend(wanted, found),
            Act::Others { wanted, .. } => self.others(wanted, found),
            Act::Outfit { wanted } => self.outfit(wanted, found),
            Act::Extreme { of, wanted } => self.extreme(*of, wanted, found),
            Act::Rank {
                attribute,
                toward,
                wanted,
                several,
            } => self.rank(attribute, *toward, wanted, *several, found),
            Act::MoreOf {
                attribute,
                toward,
                than,
                ..
            } => self.more_of(attribute, *toward, than, found),
            Act::Count { wanted } => self.count(wanted, found),
            Act::Values { attribute, wanted } => self.values(attribute, wanted, found),
            Act::Kinds { .. } => self.kinds(found),
            Act::NotCarried { what } => self.not_carried(what, found),
            Act::BrandNotCarried { brand } => {
                let brand = self.said_fact(brand.clone());
                self.say("not_carried.brand", &[("brand", brand)]);
            }
            Act::Recall => self.recall(),
            Act::Repeat => self.repeat(),
            Act::Abilities => self.say("abilities", &[("shop", shop_name)]),
            Act::Languages => self.say("languages", &[]),
            Act::Aspect { id, attributes } => self.aspect(id, attributes),
            Act::Price { id } => self.price(id),
            Act::Together { ids } => self.together(ids),
            Act::Stock { id } => self.stock(id),
            Act::Details { id } => self.details(id),
            Act::Reasons { id } => self.reasons(id),
            Act::Compare { first, second } => self.compare(first, second),
            Act::Cheaper { than } => self.beside("cheaper", than, found),
            Act::Better { than } => self.beside("better", than, found),
            Act::Alternatives { to } => self.beside("alternatives", to, found),
            Act::Accessories { of, .. } => self.beside("accessories", of, found),
            Act::Discount { id, with } => self.discount(id.as_deref(), *with),
            Act::Offers { .. } => self.offers(found),
            Act::ColleagueSaid { words } => self.colleague_said(words),
            Act::ColleagueUnheard => self.say_and_offer_person("colleague.unheard"),
            Act::OwnCurrency => {
                let currency = self.stage.shop.profile.currency;
                let fact = self.shop_fact(currency.code(), "currency");
                self.say("currency.own", &[("currency", fact)]);
            }
            Act::CannotNotify => self.say_and_offer_person("notify.none"),
            Act::WhatNext => self.what_next(),
            Act::OfferPerson => self.say_and_offer_person("offer.person"),
            Act::EasePrice { id } => self.ease(id.as_deref(), found),
            Act::Reassure => {
                self.say("hesitate", &[]);
                let listed = &self.stage.conversation.listed;
                if listed.len() > 1 {
                    self.offer(&choice::compare(listed), "choice.label.compare");
                }
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::MatchPrice => {
                self.say("match_price", &[]);
                self.draft.asked = Some("offer:person".to_owned());
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::OtherCurrency => {
                let currency = self.stage.shop.profile.currency;
                let fact = self.shop_fact(currency.code(), "currency");
                self.say("currency.other", &[("currency", fact)]);
                self.draft.asked = Some("budget_max".to_owned());
            }
            Act::Know { question, .. } => self.know(question, found),
            Act::Hours => self.hours(),
            Act::HoursOn { day } => self.hours_on(*day),
            Act::Buy { id } => self.buy(id),
            Act::NotCompared => {
                self.say("compare.unknown", &[]);
                let listed = &self.stage.conversation.listed;
                self.offer(&choice::compare(listed), "choice.label.compare");
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::AskWhich { wanted } => self.ask_which(wanted),
            Act::Ask { slot, offered } => self.ask(slot, offered),
            Act::Deny => self.say("deny", &[]),
            Act::Apologize => self.say("apology", &[]),
            Act::HandOff { .. } => self.hand_off(),
            Act::HandedOffAlready => self.say("handoff.again", &[]),
            Act::OptOut => self.say("opt_out", &[]),
            Act::Privacy => self.say("privacy", &[]),
            Act::OthersData => self.say("others_data", &[]),
            Act::Clarify => self.clarify(),
            Act::ExpiredChoice => self.say("choice.expired", &[]),
            Act::CannotOpen { kind } => self.cannot_open(*kind),
            Act::Own { intent } => self.say(&format!("intent.{intent}"), &[("shop", shop_name)]),
        }
    }

    fn turn_to(&mut self, id: &str) {
        self.draft.focus = Some(id.to_owned());
    }

    fn show(&mut self, ids: &[String], wanted: Option<&Wanted>) {
        let goods = ids
            .iter()
            .filter_map(|id| self.product(id))
            .map(|product| self.good(product, wanted))
            .collect();
        self.put_out(goods);
    }

    /// Products, each with one reason.
    fn show_because(&mut self, reasons: &[(String, String)]) {
        let goods = reasons
            .iter()
            .filter_map(|(id, reason)| {
                let good = self.good(self.product(id)?, None);
                Some(Good {
                    why: vec![reason.clone()],
                    ..good
                })
            })
            .collect();
        self.put_out(goods);
    }

    fn put_out(&mut self, goods: Vec<Good>) {
        if let [only] = goods.as_slice() {
            self.draft.focus = Some(only.id.clone());
        }
        if !goods.is_empty() {
            self.draft.blocks.push(Block::Goods(goods));
        }
    }
}

/// FNV-1a: spreads reply keys over wordings, the same everywhere.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
