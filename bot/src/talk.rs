//! A conversation in memory: the whole turn without stores, for the terminal and the shop's own tests.

use crate::mail::{Mail, RepAction};
use crate::model::LanguageModel;
use crate::shop::Shop;
use crate::turn::{Letter, Outcome, Turn, run};
use adapters::{Address, Inbound, InboundBody};
use dialogs::Language;
use dialogs::conversation::Conversation;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Conversations held at once; the one longest silent is dropped.
pub const CONVERSATIONS_MAX: usize = 10_000;

pub struct Talk {
    shop: Arc<Shop>,
    model: Option<Arc<dyn LanguageModel>>,
    conversations: BTreeMap<String, Conversation>,
    letters: u64,
}

#[derive(Clone, Debug)]
pub enum Word {
    Text(String),
    Choice(String),
    Rep { rep: String, action: RepAction },
}

impl Talk {
    pub fn new(shop: Arc<Shop>, model: Option<Arc<dyn LanguageModel>>) -> Self {
        Self {
            shop,
            model,
            conversations: BTreeMap::new(),
            letters: 0,
        }
    }

    /// Runs one turn; an error only where the name cannot be an address.
    pub async fn turn(&mut self, name: &str, word: Word, at_ms: i64) -> anyhow::Result<Outcome> {
        let address = Address::new("terminal", name)?;
        let id = address.as_str().to_owned();
        self.letters += 1;
        let event_id = format!("{}", self.letters);
        let mail = match word {
            Word::Text(text) => Mail::Customer {
                inbound: Inbound {
                    address,
                    event_id: event_id.clone(),
                    sent_at_ms: at_ms,
                    body: InboundBody::Text(text),
                },
            },
            Word::Choice(choice) => Mail::Customer {
                inbound: Inbound {
                    address,
                    event_id: event_id.clone(),
                    sent_at_ms: at_ms,
                    body: InboundBody::Choice(choice),
                },
            },
            Word::Rep { rep, action } => Mail::Rep { rep, action },
        };
        let conversation = self.conversations.remove(&id).unwrap_or_else(|| {
            let languages = &self.shop.dialog.profile.languages;
            Conversation::new(languages.first().copied().unwrap_or(Language::Zh))
        });
        let outcome = run(Turn {
            id: &id,
            conversation,
            letters: vec![Letter { event_id, mail }],
            at_ms,
            shop: &self.shop,
            model: self.model.as_deref(),
        })
        .await;
        if self.conversations.len() >= CONVERSATIONS_MAX {
            let oldest = self
                .conversations
                .iter()
                .min_by_key(|(_, c)| c.at_ms)
                .map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                self.conversations.remove(&oldest);
            }
        }
        self.conversations.insert(id, outcome.conversation.clone());
        Ok(outcome)
    }

    pub fn shop(&self) -> &Arc<Shop> {
        &self.shop
    }
}

/// One line of `chat --json`.
pub fn line(name: &str, outcome: &Outcome, shop: &Shop) -> Value {
    use dialogs::event::Event;
    let conversation = &outcome.conversation;
    let mut intent = Value::Null;
    let mut intents = Vec::new();
    let mut evidence = Vec::new();
    let mut guardrails = Vec::new();
    let mut handoff = Value::Null;
    let mut reply = Vec::new();
    for event in &outcome.events {
        match event {
            Event::Understood { understanding } => {
                intents = understanding.intents.clone();
                if let Some(best) = understanding.intents.first() {
                    intent = json!({"name": best.name, "confidence": best.confidence});
                }
            }
            Event::Replied { reply: said, .. } => {
                reply.extend(crate::convert::body(said, conversation).parts);
                evidence.extend(said.evidence.clone());
            }
            Event::Judged {
                rail,
                rule,
                action,
                enforced,
                reason,
            } => guardrails.push(json!({
                "rail": rail, "rule": rule, "action": action, "enforced": enforced, "reason": reason,
            })),
            Event::HandedOff {
                reason, brief, rep, ..
            } => handoff = json!({"reason": reason, "brief": brief, "rep": rep}),
            Event::RepSaid { text, .. } => reply.push(adapters::Part::Text { text: text.clone() }),
            _ => {}
        }
    }
    json!({
        "conversation": name,
        "turn": conversation.turn,
        "language": conversation.language,
        "intent": intent,
        "intents": intents,
        "slots": slots(conversation, shop),
        "reply": reply,
        "evidence": evidence,
        "lead": conversation.lead,
        "handoff": handoff,
        "guardrails": guardrails,
        "mode": conversation.mode.word(),
        "policy": shop.policy,
    })
}

/// Slots in the form of the API: the category by its English name where it has one.
pub fn slots(conversation: &Conversation, shop: &Shop) -> BTreeMap<String, Value> {
    use dialogs::event::SlotValue;
    conversation
        .slots
        .iter()
        .map(|(slot, filled)| {
            let value = match &filled.value {
                SlotValue::Money(money) => {
                    json!({"amount": money.amount(), "currency": money.currency.code()})
                }
                SlotValue::Count(count) => json!(count),
                SlotValue::Key(key) if slot == "category" => {
                    let name = shop.dialog.catalogue.type_name(key, Language::En);
                    json!(name.unwrap_or(key))
                }
                SlotValue::Key(text) | SlotValue::Text(text) => json!(text),
                SlotValue::Measure(bound) => json!(bound.plain()),
            };
            (slot.clone(), value)
        })
        .collect()
}
