//! The next best question, and where a flow leads when nothing is left to ask.

use super::{Act, Decider, RECOMMENDED_MAX, Wanted};
use crate::catalogue::Spread;
use crate::conversation::Mode;
use crate::cue::Cue;
use crate::flow::{Flow, OnlyWhen, Then, known};

/// Questions about properties in one conversation; more would be a form.
const PROPERTY_QUESTIONS_MAX: usize = 2;
/// Bits below which a question settles too little to be worth the customer's time.
const BITS_MIN: f64 = 0.5;
/// Points of the scorecard that count as much as one bit.
const POINTS_A_BIT: f64 = 20.0;

impl Decider<'_> {
    /// On with the flow on top: show what fits and ask what is worth asking.
    pub(super) fn go_on(&mut self, answered: bool) {
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
        let wanted = self.wanted();
        let spread = shop.catalogue.spread(&wanted.query(self.scene.at_ms, 1));
        if wanted.is_concrete() {
            if self.worth_showing() && !answered {
                self.act(
                    Act::Recommend {
                        wanted: wanted.clone(),
                    },
                    format!("flow {}", flow.id),
                );
            }
        } else if !answered && Cue::HasGoods.is_in(&self.words) && self.is_named_in_the_catalogue()
        {
            self.act(Act::Recommend { wanted }, "words of the catalogue");
            return;
        } else if conversation.asks.contains_key("category")
            && !answered
            && (flow.then == Then::Recommend || self.says_budget())
        {
            self.act(
                Act::Recommend {
                    wanted: wanted.clone(),
                },
                "the kind was asked for already",
            );
        }
        // Who was just answered is not asked something for it, but where a purchase waits for an answer.
        if !answered || self.digressed(answered) || flow.then != Then::Recommend {
            self.next_step(flow, &wanted, &spread, answered);
        }
    }

    fn next_step(&mut self, flow: &Flow, wanted: &Wanted, spread: &Spread, answered: bool) {
        let conversation = self.scene.conversation;
        match (self.next_question(flow, wanted, spread), flow.then) {
            (Some((slot, offered)), _) => {
                let why = format!("flow {}: it settles most", flow.id);
                self.ask_offering(&slot, offered, why);
            }
            (None, Then::HandOff(reason)) => {
                let done = conversation.handed_off.iter().any(|r| r == reason.word());
                let waits_for_contact = !known(conversation, "contact")
                    && conversation.asked.as_deref() == Some("contact")
                    && !self.has_intent("deny")
                    && (answered
                        || self
                            .acts
                            .iter()
                            .any(|act| matches!(act, Act::Recommend { .. })));
                if !done && conversation.mode == Mode::Bot && !waits_for_contact {
                    self.hand_off(reason, "the flow has all it can get");
                }
            }
            (None, Then::Recommend) => {}
        }
    }

    /// The open question that changes what can be recommended, or the grade, most; none where enough is known.
    fn next_question(
        &self,
        flow: &Flow,
        wanted: &Wanted,
        spread: &Spread,
    ) -> Option<(String, Vec<String>)> {
        let conversation = self.scene.conversation;
        let narrowing = !wanted.is_concrete() || spread.count > RECOMMENDED_MAX;
        let mut best: Option<(String, &[String], f64)> = None;
        let mut offer = |slot: String, keys, worth: f64| {
            if best.as_ref().is_none_or(|(.., other)| worth > *other) {
                best = Some((slot, keys, worth));
            }
        };
        for need in &flow.needs {
            let open =
                !known(conversation, &need.slot) && !conversation.asks.contains_key(&need.slot);
            if !open || (need.only_when == OnlyWhen::Narrowing && !narrowing) {
                continue;
            }
            let points = self.scene.shop.scorecard.worth_of(&need.slot) as f64 / POINTS_A_BIT;
            let worth = match need.slot.as_str() {
                // Nothing can be recommended before the kind is known, and contact details are asked for last.
                "category" if wanted.is_concrete() => continue,
                "category" => f64::MAX,
                "contact" => BITS_MIN,
                "budget_max" | "budget_min" => spread.price_bits + points,
                _ => BITS_MIN + points,
            };
            if worth >= BITS_MIN {
                offer(need.slot.clone(), &[][..], worth);
            }
        }
        if flow.then == Then::Recommend && wanted.is_concrete() && narrowing {
            if let Some((keys, bits)) = &spread.kinds
                && wanted.category.is_some()
                && !conversation.asks.contains_key("kind")
            {
                offer("kind".to_owned(), keys, *bits);
            }
            let asked = conversation.asks.keys();
            if asked.filter(|slot| slot.starts_with("attr:")).count() < PROPERTY_QUESTIONS_MAX {
                for (name, keys, bits) in &spread.attributes {
                    let slot = format!("attr:{name}");
                    if !known(conversation, &slot)
                        && !conversation.asks.contains_key(&slot)
                        && *bits >= BITS_MIN
                    {
                        offer(slot, keys, *bits);
                    }
                }
            }
        }
        best.map(|(slot, keys, _)| (slot, keys.to_vec()))
    }

    pub(super) fn recommend_or_ask(&mut self) {
        let wanted = self.wanted();
        if wanted.is_concrete() {
            self.act(Act::Recommend { wanted }, "facts were told");
        } else {
            self.ask("category", "facts were told, the kind is open");
        }
    }

    pub(super) fn ask(&mut self, slot: &str, why: impl Into<String>) {
        self.ask_offering(slot, Vec::new(), why);
    }

    fn ask_offering(&mut self, slot: &str, offered: Vec<String>, why: impl Into<String>) {
        let asked_before = self.scene.conversation.asks.contains_key(slot);
        let asking = self.acts.iter().any(|act| matches!(act, Act::Ask { .. }));
        if !asked_before && !asking {
            self.act(
                Act::Ask {
                    slot: slot.to_owned(),
                    offered,
                },
                why,
            );
        }
    }
}
