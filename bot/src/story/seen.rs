//! What one turn shows to somebody who watches it: the words, the products, the questions, the state after it.

use crate::shop::Shop;
use crate::talk::slots;
use crate::turn::Outcome;
use dialogs::Language;
use dialogs::event::{Event, Exclusion, SlotValue};
use dialogs::lead::Lead;
use dialogs::money::Money;
use dialogs::reply::{Choice, Good, ReplyPart};
use serde_json::Value;
use std::collections::BTreeMap;

/// Depth of a decision's JSON that is searched for product ids.
const DECISION_DEPTH_MAX: usize = 6;

/// A turn in the terms of the checks.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Best first.
    pub intents: Vec<String>,
    pub language: Language,
    pub slots: BTreeMap<String, Value>,
    pub shown: Vec<String>,
    pub goods: Vec<Good>,
    pub text: String,
    pub choices: Vec<Choice>,
    /// The slot or offer that this turn's reply asks about.
    pub asked: Option<String>,
    pub sources: Vec<String>,
    pub handoff: Option<String>,
    pub rules: Vec<String>,
    pub lead: Lead,
    pub mode: String,
    pub opted_out: bool,
    /// The most and the least the customer wants to pay.
    pub budget: (Option<Money>, Option<Money>),
    pub excluded: Vec<Exclusion>,
    /// Products that the turn is about because the customer pointed at them.
    pub pointed_at: Vec<String>,
}

impl Seen {
    pub fn of(outcome: &Outcome, shop: &Shop) -> Self {
        let conversation = &outcome.conversation;
        let money = |slot: &str| match conversation.slot(slot) {
            Some(SlotValue::Money(money)) => Some(*money),
            _ => None,
        };
        let mut seen = Self {
            intents: Vec::new(),
            language: conversation.language,
            slots: slots(conversation, shop),
            shown: Vec::new(),
            goods: Vec::new(),
            text: String::new(),
            choices: Vec::new(),
            asked: None,
            sources: Vec::new(),
            handoff: None,
            rules: Vec::new(),
            lead: conversation.lead.clone(),
            mode: conversation.mode.word().to_owned(),
            opted_out: conversation.opted_out,
            budget: (money("budget_min"), money("budget_max")),
            excluded: conversation.excluded.clone(),
            pointed_at: Vec::new(),
        };
        for event in &outcome.events {
            seen.take(event);
        }
        seen
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Understood { understanding } => {
                self.intents = understanding
                    .intents
                    .iter()
                    .map(|intent| intent.name.clone())
                    .collect();
            }
            Event::Decided { decision } => {
                let value = serde_json::to_value(decision).unwrap_or_default();
                texts(&value, DECISION_DEPTH_MAX, &mut self.pointed_at);
            }
            Event::HandedOff { reason, .. } => self.handoff = Some(reason.word().to_owned()),
            Event::Judged { rule, .. } => self.rules.push(rule.clone()),
            Event::Replied { reply, .. } => {
                self.asked.clone_from(&reply.asked);
                self.sources
                    .extend(reply.evidence.iter().map(|e| e.source.clone()));
                for part in &reply.parts {
                    match part {
                        ReplyPart::Text { text } => {
                            self.text.push_str(text);
                            self.text.push('\n');
                        }
                        ReplyPart::Products { goods } => {
                            self.shown.extend(goods.iter().map(|good| good.id.clone()));
                            self.goods.extend(goods.iter().cloned());
                        }
                        ReplyPart::Choices { choices } => {
                            self.choices.extend(choices.iter().cloned());
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// A slot as a story writes it: `3000.00 CNY`, `40`, `黑色`; several values one by one.
    pub fn slot(&self, name: &str) -> Vec<String> {
        match self.slots.get(name) {
            Some(Value::Array(values)) => values.iter().map(written).collect(),
            Some(value) => vec![written(value)],
            None => Vec::new(),
        }
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Object(money) => {
            let text = |key: &str| money.get(key).and_then(Value::as_str).unwrap_or("");
            format!("{} {}", text("amount"), text("currency"))
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Every text below a value: whatever the acts are called, the ids they carry are among these.
fn texts(value: &Value, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|v| texts(v, depth - 1, found)),
        Value::Object(map) => map.values().for_each(|v| texts(v, depth - 1, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
