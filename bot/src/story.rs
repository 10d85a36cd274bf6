//! Conversation tests that a salesperson can read and write: `stories/*.yaml`.

use crate::shop::Shop;
use crate::talk::{Talk, Word, slots};
use crate::turn::Outcome;
use adapters::Part;
use dialogs::Problem;
use dialogs::event::Event;
use dialogs::shop::Files;
use dialogs::yaml::{File, Node};
use std::sync::Arc;

/// The clock of a story that names none: a Tuesday morning in the shop's opening hours.
const STORY_CLOCK: &str = "2026-11-24T10:00:00+08:00";
/// Between one turn and the next.
const TURN_GAP_MS: i64 = 20_000;

pub struct Story {
    pub file: String,
    pub line: u32,
    pub name: String,
    at_ms: i64,
    turns: Vec<Step>,
}

struct Step {
    line: u32,
    word: Word,
    after_ms: i64,
    expects: Vec<Expect>,
}

struct Expect {
    line: u32,
    what: Check,
}

enum Check {
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

/// One expectation that did not come true.
#[derive(Debug)]
pub struct Failure {
    pub file: String,
    pub line: u32,
    pub story: String,
    pub expected: String,
    pub found: String,
}

const CHECKS: [&str; 18] = [
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

pub fn read(files: &Files) -> (Vec<Story>, Vec<Problem>) {
    let mut stories = Vec::new();
    let mut problems = Vec::new();
    for (path, bytes) in files {
        if !path.starts_with("stories/") || !path.ends_with(".yaml") {
            continue;
        }
        let source = String::from_utf8_lossy(bytes);
        let mut file = File::new(path);
        if let Some(root) = file.parse(&source) {
            let fields = file.fields(&root, &["stories"]);
            if let Some(list) = fields.need(&mut file, "stories") {
                for node in file.list(list) {
                    stories.extend(Story::read(&mut file, path, node));
                }
            }
        }
        problems.extend(file.problems);
    }
    (stories, problems)
}

impl Story {
    fn read(file: &mut File<'_>, path: &str, node: &Node) -> Option<Story> {
        let fields = file.fields(node, &["story", "at", "turns"]);
        let name = fields.need(file, "story")?;
        let name = file.text(name)?;
        let at = match fields.get("at") {
            Some(node) => file.text(node).map(|text| (node, text)),
            None => None,
        };
        let at_ms = match at {
            Some((node, text)) => instant(&text).or_else(|| {
                file.wrong(
                    node,
                    format!("`{text}` is not a time"),
                    format!("write {STORY_CLOCK}"),
                );
                None
            })?,
            None => instant(STORY_CLOCK)?,
        };
        let turns = fields.need(file, "turns")?;
        let turns = file
            .list(turns)
            .iter()
            .filter_map(|node| Step::read(file, node))
            .collect();
        Some(Story {
            file: path.to_owned(),
            line: node.line,
            name,
            at_ms,
            turns,
        })
    }

    /// Every expectation that fails; one that fails does not end the story.
    pub async fn run(&self, shop: &Arc<Shop>) -> anyhow::Result<Vec<Failure>> {
        let mut talk = Talk::new(Arc::clone(shop), None);
        let mut failures = Vec::new();
        let mut at_ms = self.at_ms;
        for step in &self.turns {
            at_ms += step.after_ms;
            let outcome = talk.turn("story", step.word.clone(), at_ms).await?;
            for expect in &step.expects {
                if let Some((expected, found)) = expect.what.failure(&outcome, shop) {
                    failures.push(Failure {
                        file: self.file.clone(),
                        line: expect.line,
                        story: self.name.clone(),
                        expected,
                        found,
                    });
                }
            }
            at_ms += TURN_GAP_MS;
        }
        Ok(failures)
    }

    /// The customer's side, for tests that vary it.
    pub fn words(&self) -> impl Iterator<Item = (u32, &Word)> {
        self.turns.iter().map(|step| (step.line, &step.word))
    }
}

impl Step {
    fn read(file: &mut File<'_>, node: &Node) -> Option<Step> {
        let fields = file.fields(node, &["customer", "choice", "rep", "after", "expect"]);
        let word = if let Some(node) = fields.get("customer") {
            Word::Text(file.text(node)?)
        } else if let Some(node) = fields.get("choice") {
            Word::Choice(file.text(node)?)
        } else if let Some(node) = fields.get("rep") {
            rep_word(&file.text(node)?)
        } else {
            file.wrong(
                node,
                "nobody speaks",
                "write `customer: …`, `choice: …` or `rep: …`",
            );
            return None;
        };
        let after_ms = match fields.get("after") {
            Some(node) => {
                let text = file.text(node)?;
                span_ms(&text).or_else(|| {
                    file.wrong(
                        node,
                        format!("`{text}` is not a span"),
                        "write 5 minutes, 3 hours or 2 days",
                    );
                    None
                })?
            }
            None => 0,
        };
        let mut expects = Vec::new();
        if let Some(map) = fields.get("expect") {
            file.fields(map, &CHECKS);
            for (key, node) in file.map(map) {
                for what in Check::read(file, &key.text, node) {
                    expects.push(Expect {
                        line: key.line,
                        what,
                    });
                }
            }
        }
        Some(Step {
            line: node.line,
            word,
            after_ms,
            expects,
        })
    }
}

/// `take`, `hand back`, or what the rep says.
fn rep_word(text: &str) -> Word {
    use crate::mail::RepAction;
    let action = match text {
        "take" => RepAction::Take,
        "hand back" => RepAction::HandBack,
        said => RepAction::Say {
            text: said.to_owned(),
        },
    };
    Word::Rep {
        rep: "rep".to_owned(),
        action,
    }
}

fn instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(|at| at.as_millisecond())
}

fn span_ms(text: &str) -> Option<i64> {
    let (count, unit) = text.trim().split_once(' ')?;
    let count: i64 = count.parse().ok()?;
    let unit = match unit.trim_end_matches('s') {
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        _ => return None,
    };
    Some(count * unit)
}

impl Check {
    fn read(file: &mut File<'_>, key: &str, node: &Node) -> Vec<Check> {
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
    fn failure(&self, outcome: &Outcome, shop: &Shop) -> Option<(String, String)> {
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
