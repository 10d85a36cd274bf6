//! A conversation's state, changed by exactly one function: [`Conversation::apply`].

use crate::Language;
use crate::decide::Act;
use crate::event::{Door, Event, Exclusion, Filled, Said, SlotValue};
use crate::lead::Lead;
use crate::nlu::Sentiment;
use crate::reply::{Choice, ReplyPart};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Utterances kept for the model's prompt and the brief.
pub const RECENT_MAX: usize = 12;
/// Frames on the flow stack.
pub const FLOWS_MAX: usize = 8;
/// Products remembered as shown, newest last.
pub const SHOWN_MAX: usize = 60;
/// Exclusions kept, newest last.
pub const EXCLUDED_MAX: usize = 20;
/// Characters kept of each remembered utterance.
pub const UTTERANCE_CHARS_MAX: usize = 400;

/// The stored form's version.
pub const FORM: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    pub form: u32,
    pub turn: u64,
    /// When the newest turn began, milliseconds since 1970.
    pub at_ms: i64,
    pub language: Language,
    pub mode: Mode,
    /// Rises with each take-over and hand-back; what was decided in an older epoch must not leave.
    pub epoch: u64,
    pub opted_out: bool,
    /// The newest frame last.
    pub flows: Vec<Frame>,
    pub slots: BTreeMap<String, Filled>,
    pub excluded: Vec<Exclusion>,
    /// Intents the customer has shown, with the first words for each.
    pub intents: BTreeMap<String, Quote>,
    pub shown: Vec<String>,
    /// What the newest list showed, in its order: "the second one" means this.
    pub listed: Vec<String>,
    /// The newest reply shows products.
    #[serde(default)]
    pub lists: bool,
    /// What the list before that showed.
    #[serde(default)]
    pub listed_before: Vec<String>,
    /// The product under discussion.
    pub focus: Option<String>,
    pub choices: Vec<Choice>,
    /// The slot or offer the newest reply asked about.
    pub asked: Option<String>,
    /// How often each slot was asked.
    pub asks: BTreeMap<String, u32>,
    /// The wording last used for each reply.
    pub wordings: BTreeMap<String, usize>,
    pub objections: u32,
    pub misses: u32,
    pub angry: u32,
    pub lead: Lead,
    /// Reasons already handed off for, in this episode.
    pub handed_off: Vec<String>,
    pub recent: Vec<Utterance>,
    /// A person had the conversation, and the agent has not spoken since.
    #[serde(default)]
    pub back_from_person: bool,
    /// Which door brought the customer here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Came>,
    /// The words of this turn as they were meant, where slips in them were mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Bot,
    Waiting { since_ms: i64 },
    Human { rep: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    pub turn: u64,
    pub door: Door,
    pub campaign: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    pub flow: String,
    pub since_turn: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub turn: u64,
    pub quote: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utterance {
    pub by: By,
    pub turn: u64,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Customer,
    Bot,
    Rep,
}

impl Mode {
    /// The word on the wire.
    pub fn word(&self) -> &'static str {
        match self {
            Mode::Bot => "bot",
            Mode::Waiting { .. } => "waiting",
            Mode::Human { .. } => "human",
        }
    }

    /// This person has the conversation.
    pub fn is_with(&self, person: &str) -> bool {
        matches!(self, Mode::Human { rep } if rep == person)
    }
}

impl Conversation {
    pub fn new(language: Language) -> Self {
        Self {
            form: FORM,
            turn: 0,
            at_ms: 0,
            language,
            mode: Mode::Bot,
            epoch: 0,
            opted_out: false,
            flows: Vec::new(),
            slots: BTreeMap::new(),
            excluded: Vec::new(),
            intents: BTreeMap::new(),
            shown: Vec::new(),
            listed: Vec::new(),
            lists: false,
            listed_before: Vec::new(),
            focus: None,
            choices: Vec::new(),
            asked: None,
            asks: BTreeMap::new(),
            wordings: BTreeMap::new(),
            objections: 0,
            misses: 0,
            angry: 0,
            lead: Lead::default(),
            handed_off: Vec::new(),
            recent: Vec::new(),
            back_from_person: false,
            came: None,
            meant: None,
        }
    }

    /// The state after a whole log.
    pub fn fold<'e>(language: Language, events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut conversation = Self::new(language);
        for event in events {
            conversation.apply(event);
        }
        conversation
    }

    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::TurnStarted { turn, at_ms, .. } => {
                self.turn = *turn;
                self.at_ms = *at_ms;
                self.meant = None;
            }
            Event::Heard { said, .. } => match said {
                Said::Text(text) => self.remember(By::Customer, text),
                // A command is not something that was said.
                Said::Choice(id) if crate::choice::command(id).is_some() => {}
                Said::Choice(id) => {
                    let label = self
                        .choices
                        .iter()
                        .find(|choice| choice.id == *id)
                        .map_or_else(|| id.clone(), |choice| choice.label.clone());
                    self.remember(By::Customer, &label);
                }
                Said::File { caption, .. } if !caption.is_empty() => {
                    self.remember(By::Customer, caption);
                }
                Said::File { .. } | Said::Rep(_) => {}
            },
            Event::Came { door, campaign } => {
                // A newer campaign counts more than an older one; a menu is touched by who is here already, so it tells only what no way in told.
                let named = self
                    .came
                    .as_ref()
                    .is_some_and(|came| came.campaign.is_some());
                let tells = campaign.is_some() && (*door != Door::Menu || !named);
                if tells || self.came.is_none() {
                    self.came = Some(Came {
                        turn: self.turn,
                        door: *door,
                        campaign: campaign.clone(),
                    });
                }
            }
            Event::Judged { .. } | Event::Completed { .. } | Event::FellBack { .. } => {}
            Event::Understood { understanding } => {
                self.language = understanding.language;
                if understanding.sentiment == Sentiment::Negative {
                    self.angry += 1;
                }
                let quote = self.typed_words();
                self.meant = understanding
                    .mended
                    .as_ref()
                    .map(|mended| shortened(mended));
                for intent in &understanding.intents {
                    let turn = self.turn;
                    self.intents
                        .entry(intent.name.clone())
                        .or_insert_with(|| Quote {
                            turn,
                            quote: quote.clone(),
                        });
                }
            }
            Event::SlotFilled { slot, filled } => {
                if let ("product", SlotValue::Key(id)) = (slot.as_str(), &filled.value) {
                    self.focus = Some(id.clone());
                }
                self.slots.insert(slot.clone(), filled.clone());
            }
            Event::SlotCleared { slot } => {
                self.slots.remove(slot);
            }
            Event::Excluded { exclusion } => {
                if !self.excluded.contains(exclusion) {
                    self.excluded.push(exclusion.clone());
                    keep_newest(&mut self.excluded, EXCLUDED_MAX);
                }
            }
            Event::Allowed { exclusion } => self.excluded.retain(|other| other != exclusion),
            Event::FlowStarted { flow } => {
                self.flows.retain(|frame| frame.flow != *flow);
                self.flows.push(Frame {
                    flow: flow.clone(),
                    since_turn: self.turn,
                });
                keep_newest(&mut self.flows, FLOWS_MAX);
            }
            Event::FlowEnded { flow } => self.flows.retain(|frame| frame.flow != *flow),
            Event::Decided { decision } => {
                self.misses = if decision.acts.iter().any(|act| matches!(act, Act::Clarify)) {
                    self.misses
                } else {
                    0
                };
                if decision
                    .acts
                    .iter()
                    .any(|act| matches!(act, Act::EasePrice { .. } | Act::Reassure))
                {
                    self.objections += 1;
                }
            }
            Event::Replied { reply, .. } => self.said(reply),
            Event::Missed => self.misses += 1,
            Event::Graded { lead } => self.lead = lead.clone(),
            Event::HandedOff { reason, at_ms, .. } => {
                if self.mode == Mode::Bot {
                    self.mode = Mode::Waiting { since_ms: *at_ms };
                }
                self.handed_off.push(reason.word().to_owned());
            }
            Event::OptedOut => self.opted_out = true,
            Event::Taken { rep, .. } => {
                self.mode = Mode::Human { rep: rep.clone() };
                self.epoch += 1;
                self.asked = None;
            }
            Event::RepSaid { text, .. } => self.remember(By::Rep, text),
            Event::HandedBack { .. } => {
                self.back_from_person = matches!(self.mode, Mode::Human { .. });
                self.mode = Mode::Bot;
                self.epoch += 1;
                self.handed_off.clear();
                self.misses = 0;
            }
        }
    }

    /// The customer's words of this turn so far, as they were meant.
    pub fn newest_words(&self) -> String {
        self.meant.clone().unwrap_or_else(|| self.typed_words())
    }

    /// The customer's words of this turn so far, letter by letter.
    fn typed_words(&self) -> String {
        let words: Vec<&str> = self
            .recent
            .iter()
            .filter(|u| u.by == By::Customer && u.turn == self.turn)
            .map(|u| u.text.as_str())
            .collect();
        words.join("\n")
    }

    pub fn slot(&self, name: &str) -> Option<&SlotValue> {
        self.slots.get(name).map(|filled| &filled.value)
    }

    pub fn count(&self, name: &str) -> Option<u32> {
        match self.slot(name) {
            Some(SlotValue::Count(count)) => Some(*count),
            _ => None,
        }
    }

    fn said(&mut self, reply: &crate::reply::Reply) {
        let mut texts = Vec::new();
        self.choices.clear();
        self.back_from_person = false;
        self.lists = false;
        for part in &reply.parts {
            match part {
                ReplyPart::Text { text } => texts.push(text.as_str()),
                ReplyPart::Products { goods } => {
                    self.lists = true;
                    let shown = goods.iter().map(|good| good.id.clone()).collect();
                    let before = std::mem::replace(&mut self.listed, shown);
                    // Some of them once more, as when they are compared, are no new list.
                    let is_new = self
                        .listed
                        .iter()
                        .any(|id| !self.listed_before.contains(id));
                    if before.len() > 1 && (is_new || before.len() > self.listed.len()) {
                        self.listed_before = before;
                    }
                    for id in &self.listed {
                        self.shown.retain(|shown| shown != id);
                        self.shown.push(id.clone());
                    }
                    keep_newest(&mut self.shown, SHOWN_MAX);
                    self.focus = match self.listed.as_slice() {
                        [only] => Some(only.clone()),
                        _ => None,
                    };
                }
                ReplyPart::Choices { choices } => self.choices.clone_from(choices),
            }
        }
        if let Some(focus) = &reply.focus {
            self.focus = Some(focus.clone());
        }
        self.asked.clone_from(&reply.asked);
        if let Some(asked) = &reply.asked {
            *self.asks.entry(asked.clone()).or_default() += 1;
        }
        for (key, wording) in &reply.wordings {
            self.wordings.insert(key.clone(), *wording);
        }
        let text = texts.join("\n");
        self.remember(By::Bot, &text);
    }

    fn remember(&mut self, by: By, text: &str) {
        self.recent.push(Utterance {
            by,
            turn: self.turn,
            text: shortened(text),
        });
        keep_newest(&mut self.recent, RECENT_MAX);
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(UTTERANCE_CHARS_MAX).collect()
}

fn keep_newest<T>(list: &mut Vec<T>, max: usize) {
    let surplus = list.len().saturating_sub(max);
    list.drain(..surplus);
}
