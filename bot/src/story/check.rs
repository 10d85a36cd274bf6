//! What a story may expect of a turn, and what differs.

use crate::shop::Shop;
use crate::talk::slots;
use crate::turn::Outcome;
use adapters::Part;
use dialogs::event::Event;
use dialogs::yaml::{File, Node};

/// The keys under `expect`.
pub(super) const CHECKS: [&str; 18] = [
    "intent",
    "language",
    "slots",
    "no_slot",
    "shows",
    "shows_any",
    "not_shows",
    "price_max",
    "says",
    "not_says",
    "asks",
    "grade",
    "handoff",
    "no_handoff",
    "mode",
    "guardrail",
    "silent",
    "shows_none",
];

pub(super) enum Check {
    Intent(String),
    Language(String),
    Slot(String, String),
    NoSlot(String),
    Shows(Vec<String>),
    ShowsAny,
    ShowsNone,
    NotShows(Vec<String>),
    PriceMax(i64),
    Says(String),
    NotSays(String),
    Asks(String),
    Grade(String),
    Handoff(String),
    NoHandoff,
    Mode(String),
    Guardrail(String),
    Silent,
}

impl Check {
    pub(super) fn read(file: &mut File<'_>, key: &str, node: &Node) -> Vec<Check> {
        let one = |make: fn(String) -> Check, file: &mut File<'_>| {
            file.text(node).map(make).into_iter().collect()
        };
        let each = |make: fn(String) -> Check, file: &mut File<'_>| {
            file.texts(node).into_iter().map(make).collect()
        };
        match key {
            "intent" => each(Check::Intent, file),
            "language" => one(Check::Language, file),
            "slots" => file
                .map(node)
                .iter()
                .filter_map(|(slot, value)| Some(Check::Slot(slot.text.clone(), file.text(value)?)))
                .collect(),
            "no_slot" => each(Check::NoSlot, file),
            "shows" => vec![Check::Shows(file.texts(node))],
            "shows_any" => vec![Check::ShowsAny],
            "shows_none" => vec![Check::ShowsNone],
            "not_shows" => vec![Check::NotShows(file.texts(node))],
            "price_max" => file
                .integer(node)
                .map(Check::PriceMax)
                .into_iter()
                .collect(),
            "says" => each(Check::Says, file),
            "not_says" => each(Check::NotSays, file),
            "asks" => one(Check::Asks, file),
            "grade" => one(Check::Grade, file),
            "handoff" => one(Check::Handoff, file),
            "no_handoff" => vec![Check::NoHandoff],
            "mode" => one(Check::Mode, file),
            "guardrail" => each(Check::Guardrail, file),
            "silent" => vec![Check::Silent],
            // `fields` has already named an unknown key.
            _ => Vec::new(),
        }
    }

    /// What was expected and what was found, where they differ.
    pub(super) fn failure(&self, outcome: &Outcome, shop: &Shop) -> Option<(String, String)> {
        let seen = Seen::of(outcome);
        let differs =
            |ok: bool, expected: String, found: String| (!ok).then_some((expected, found));
        match self {
            Check::Intent(name) => differs(
                seen.intents.contains(name),
                format!("intent {name}"),
                seen.intents.join(", "),
            ),
            Check::Language(tag) => {
                let found = outcome.conversation.language.tag();
                differs(found == tag, format!("language {tag}"), found.to_owned())
            }
            Check::Slot(slot, value) => {
                let held = slots(&outcome.conversation, shop);
                let found = match held.get(slot) {
                    Some(serde_json::Value::Object(money)) => {
                        let text =
                            |key: &str| money.get(key).and_then(|v| v.as_str()).unwrap_or("");
                        format!("{} {}", text("amount"), text("currency"))
                    }
                    Some(serde_json::Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => "nothing".to_owned(),
                };
                differs(found == *value, format!("slot {slot} = {value}"), found)
            }
            Check::NoSlot(slot) => differs(
                !outcome.conversation.slots.contains_key(slot),
                format!("slot {slot} empty"),
                "filled".to_owned(),
            ),
            Check::Shows(ids) => differs(
                ids.iter().all(|id| seen.shown.contains(id)),
                format!("shows {}", ids.join(", ")),
                seen.shown.join(", "),
            ),
            Check::ShowsAny => differs(
                !seen.shown.is_empty(),
                "shows products".to_owned(),
                "none".to_owned(),
            ),
            Check::ShowsNone => differs(
                seen.shown.is_empty(),
                "shows no products".to_owned(),
                seen.shown.join(", "),
            ),
            Check::NotShows(ids) => differs(
                !ids.iter().any(|id| seen.shown.contains(id)),
                format!("does not show {}", ids.join(", ")),
                seen.shown.join(", "),
            ),
            Check::PriceMax(most) => {
                let dear: Vec<&String> = seen
                    .prices
                    .iter()
                    .filter(|(_, minor)| *minor > most * 100)
                    .map(|(id, _)| id)
                    .collect();
                differs(
                    dear.is_empty() && !seen.prices.is_empty(),
                    format!("products, all at most {most}"),
                    format!("{dear:?} of {:?}", seen.shown),
                )
            }
            Check::Says(text) => differs(
                seen.text.contains(text.as_str()),
                format!("says “{text}”"),
                seen.text.clone(),
            ),
            Check::NotSays(text) => differs(
                !seen.text.contains(text.as_str()),
                format!("does not say “{text}”"),
                seen.text.clone(),
            ),
            Check::Asks(slot) => {
                let asked = outcome.conversation.asked.clone().unwrap_or_default();
                differs(asked == *slot, format!("asks {slot}"), asked)
            }
            Check::Grade(grade) => {
                let lead = &outcome.conversation.lead;
                differs(
                    lead.grade == *grade,
                    format!("grade {grade}"),
                    format!("{} ({} points)", lead.grade, lead.score),
                )
            }
            Check::Handoff(reason) => differs(
                seen.handoff.as_deref() == Some(reason.as_str()),
                format!("handoff {reason}"),
                seen.handoff.unwrap_or_else(|| "none".to_owned()),
            ),
            Check::NoHandoff => differs(
                seen.handoff.is_none(),
                "no handoff".to_owned(),
                seen.handoff.unwrap_or_default(),
            ),
            Check::Mode(mode) => {
                let found = outcome.conversation.mode.word();
                differs(found == mode, format!("mode {mode}"), found.to_owned())
            }
            Check::Guardrail(rule) => differs(
                seen.rules.contains(rule),
                format!("guardrail {rule}"),
                seen.rules.join(", "),
            ),
            Check::Silent => differs(
                seen.text.is_empty() && seen.shown.is_empty(),
                "the bot is silent".to_owned(),
                seen.text.clone(),
            ),
        }
    }
}

/// What a turn's events say, in the terms of the checks.
#[derive(Default)]
struct Seen {
    intents: Vec<String>,
    shown: Vec<String>,
    prices: Vec<(String, i64)>,
    text: String,
    handoff: Option<String>,
    rules: Vec<String>,
}

impl Seen {
    fn of(outcome: &Outcome) -> Self {
        let mut seen = Self::default();
        for event in &outcome.events {
            match event {
                Event::Understood { understanding } => {
                    seen.intents = understanding
                        .intents
                        .iter()
                        .map(|i| i.name.clone())
                        .collect();
                }
                Event::HandedOff { reason, .. } => seen.handoff = Some(reason.word().to_owned()),
                Event::Judged { rule, .. } => seen.rules.push(rule.clone()),
                Event::Replied { reply, .. } => {
                    for part in crate::convert::body(reply).parts {
                        match part {
                            Part::Text { text } => {
                                seen.text.push_str(&text);
                                seen.text.push('\n');
                            }
                            Part::Products { products } => {
                                seen.shown.extend(products.into_iter().map(|card| card.id));
                            }
                            Part::Choices { .. } => {}
                        }
                    }
                    for part in &reply.parts {
                        if let dialogs::reply::ReplyPart::Products { goods } = part {
                            seen.prices
                                .extend(goods.iter().map(|g| (g.id.clone(), g.price.minor)));
                        }
                    }
                }
                _ => {}
            }
        }
        seen
    }
}
