//! What to do next: the acts of a turn, each from what the customer meant and what is known.
//!
//! `answer` gives each intent its act, `property` answers questions about properties, `outside` those that lead past the goods, `bargain` those that want a lower price, `service` those about the deal and what follows it; `days` which day is asked about; `doubt` keeps harmful intents from counting where they are guesses, `pointing` tells which product is meant, `question` picks what to ask next and where a flow leads.

mod act;
mod answer;
mod bargain;
mod comparing;
mod days;
mod doubt;
mod heard;
mod outside;
mod pointing;
mod property;
mod question;
mod service;
mod wanted;

pub use act::{Act, Bargain};
pub use days::AskedDay;
pub use wanted::{QUESTION_CHARS_MAX, Wanted};

use crate::conversation::{Conversation, Mode};
use crate::cue::Cue;
use crate::event::FileKind;
use crate::flow::known;
use crate::handoff::Reason;
use crate::nlu::{Understanding, Value};
use crate::shop::Shop;
use crate::track::mentioned;
use serde::{Deserialize, Serialize};

/// Acts of one turn: more would bury the answer.
pub const ACTS_MAX: usize = 4;
/// Products on one reply.
pub const RECOMMENDED_MAX: usize = 3;
/// Confidence from which an intent counts beside a better one.
const BESIDE_MIN: f64 = 0.25;
/// The share of the best intent's confidence that one beside it must have.
const BESIDE_SHARE_MIN: f64 = 0.45;
/// Characters beside the name of a place that add nothing to it: 我在, “in”.
const BESIDE_PLACE_CHARS_MAX: usize = 4;
/// Silence after which a customer is welcomed back.
const AWAY_MS: i64 = 12 * 60 * 60 * 1000;

/// Intents that want goods, whatever else is said.
const WISHES: [&str; 8] = [
    "ask_recommendation",
    "ask_alternatives",
    "ask_cheaper",
    "ask_better",
    "ask_price",
    "ask_stock",
    "compare",
    "buy",
];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub acts: Vec<Act>,
    /// One line an act: what led to it.
    pub why: Vec<String>,
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
    /// What came with the words, or without any.
    pub files: &'a [FileKind],
    /// Nothing was said or pressed.
    pub wordless: bool,
}

pub fn decide(scene: &Scene<'_>) -> Decision {
    let mut decider = Decider {
        scene,
        mentioned: mentioned(
            scene.conversation,
            scene.understanding,
            &scene.shop.catalogue,
            scene.at_ms,
        ),
        words: crate::text::fold(&scene.conversation.newest_words()),
        acts: Vec::new(),
        why: Vec::new(),
    };
    decider.all();
    Decision {
        acts: decider.acts,
        why: decider.why,
    }
}

struct Decider<'a> {
    scene: &'a Scene<'a>,
    mentioned: Vec<String>,
    /// The customer's words of this turn, folded.
    words: String,
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
        let away = self
            .scene
            .before_ms
            .is_some_and(|before| self.scene.at_ms - before > AWAY_MS);
        if conversation.turn == 1 {
            self.act(Act::Disclose, "the first reply says who is speaking");
        } else if conversation.back_from_person {
            self.act(Act::DiscloseBack, "a person spoke before");
        } else if away {
            self.act(Act::DiscloseAgain, "the customer was away for long");
            self.act(Act::WelcomeBack, "the customer was away for long");
        }
        if self.scene.expired_choice {
            self.act(
                Act::ExpiredChoice,
                "the quick reply is not offered any more",
            );
            return;
        }
        if let Some(kind) = self.scene.files.first() {
            self.act(Act::CannotOpen { kind: *kind }, "a file came");
            if self.scene.wordless {
                return;
            }
        }
        let intents = self.all_as_meant(self.without_harmful_guesses(self.likely_intents()));
        if intents.iter().any(|i| i == "opt_out") {
            self.act(Act::OptOut, "intent opt_out");
            return;
        }
        if self.foreign_currency() {
            self.act(Act::OtherCurrency, "the budget is in another currency");
        }
        let before = self.acts.len();
        let faulty = self.on_a_fault(&intents);
        let hurt = self.scene.understanding.complains() && !self.wishes_for_goods(&intents);
        let settled = faulty
            || hurt
            || self.asks_when_answered(&intents)
            || self.asks_to_rent()
            || self.asks_for_the_frail(&intents)
            || self.brand_not_carried()
            || self.outfit()
            || self.goods_that_fit(&intents)
            || (!self.says_only_a_name() && self.ask_of_properties(&intents))
            || self.not_carried(&intents)
            || self.asks_the_pages(&intents);
        if !settled || faulty || hurt {
            for intent in &intents {
                if !(faulty && self.is_of_a_fault(intent)) {
                    self.intent(intent);
                }
            }
        }
        if self.new_contact() {
            self.act(Act::ContactThanks, "contact details were given");
        }
        self.keep_one_courtesy();
        let answered = self
            .acts
            .iter()
            .skip(before)
            .any(|act| !act.is_courtesy() && !act.is_opening());
        let lost = intents.iter().all(|i| i == "out_of_scope") && !self.told_something();
        let advises = intents.iter().any(|i| i == "ask_recommendation");
        let courteous = self.acts.len() > before && !answered && !advises;
        if settled && !self.digressed(answered) {
            // The question was answered; nothing was told that leads on.
        } else if self.told_something()
            || self.digressed(answered)
            || !(answered || lost || courteous)
        {
            self.go_on(answered);
        }
        self.hand_off_if_due(&intents);
        if self.acts.iter().all(Act::is_opening) && !self.comes_back() {
            self.nothing_applied(&intents);
            self.give_up_if_due(&intents);
        }
    }

    /// Who says goodbye is not also invited to chat, “all right” beside an answer needs none, and what costs less is told once.
    fn keep_one_courtesy(&mut self) {
        let says_bye = self.acts.contains(&Act::Bye);
        let answers = self
            .acts
            .iter()
            .any(|act| !act.is_courtesy() && !act.is_opening());
        let eases = self
            .acts
            .iter()
            .any(|act| matches!(act, Act::EasePrice { .. }));
        let bought: Vec<String> = self
            .acts
            .iter()
            .filter_map(|act| match act {
                Act::Buy { id } => Some(id.clone()),
                _ => None,
            })
            .collect();
        let is_idle = |act: &Act| match act {
            // What is bought is praised no more.
            Act::Details { id } | Act::Reasons { id } => bought.contains(id),
            Act::Bye => answers,
            Act::SmallTalk | Act::Thank | Act::Greet => says_bye,
            Act::Acknowledge => answers,
            Act::Cheaper { .. } => eases,
            _ => false,
        };
        let kept: Vec<(Act, String)> = std::mem::take(&mut self.acts)
            .into_iter()
            .zip(std::mem::take(&mut self.why))
            .filter(|(act, _)| !is_idle(act))
            .collect();
        (self.acts, self.why) = kept.into_iter().unzip();
    }

    /// The intents to act on: the best one, and those beside it that are no mere guesses.
    pub(super) fn likely_intents(&self) -> Vec<String> {
        let intents = &self.scene.understanding.intents;
        let best = intents.first().map_or(0.0, |intent| intent.confidence);
        let least = BESIDE_MIN.max(best * BESIDE_SHARE_MIN);
        intents
            .iter()
            .enumerate()
            .filter(|(place, intent)| *place == 0 || intent.confidence >= least)
            .map(|(_, intent)| intent.name.clone())
            .collect()
    }

    /// What to do where neither an intent nor a flow led anywhere.
    fn nothing_applied(&mut self, intents: &[String]) {
        let conversation = self.scene.conversation;
        let wants_a_person = ["bulk_purchase", "request_quote", "request_appointment"];
        if conversation.mode != Mode::Bot
            && intents.iter().any(|i| wants_a_person.contains(&i.as_str()))
        {
            self.act(Act::HandedOffAlready, "a colleague has it already");
            return;
        }
        let tells = intents
            .iter()
            .any(|i| matches!(i.as_str(), "inform" | "correct" | "deny" | "hesitate"));
        let wanted = self.wanted();
        let tells_more = tells && (self.worth_showing() || !self.told_something());
        if tells_more && wanted.is_concrete() {
            self.act(Act::Recommend { wanted }, "more was told of what is wanted");
        } else if tells && wanted.is_concrete() && self.names_a_kind() {
            self.act(Act::Recommend { wanted }, "the kind is named again");
        } else if tells && (conversation.asked.is_some() || self.told_something()) {
            self.act(Act::Acknowledge, "an answer that fills nothing");
        } else if Cue::HasGoods.is_in(&self.words) && self.is_named_in_the_catalogue() {
            self.act(Act::Recommend { wanted }, "words of the catalogue");
        } else if self.names_only_a_place() {
            self.act(Act::Acknowledge, "where the customer is");
        } else {
            self.act(Act::Clarify, "nothing else applied");
        }
    }

    /// “Shanghai”: told, not asked.
    fn names_only_a_place(&self) -> bool {
        let rest = Cue::Place.cut_from(&self.words);
        Cue::Place.is_in(&self.words)
            && rest.chars().filter(|c| c.is_alphanumeric()).count() <= BESIDE_PLACE_CHARS_MAX
    }

    /// This turn too was not understood: where that makes it too many, a person takes over in place of another excuse.
    fn give_up_if_due(&mut self, intents: &[String]) {
        let lost = self.acts.iter().position(|act| matches!(act, Act::Clarify));
        let Some(at) = lost.filter(|_| self.scene.conversation.mode == Mode::Bot) else {
            return;
        };
        let mut counted = self.scene.conversation.clone();
        counted.misses += 1;
        let intents: Vec<&str> = intents.iter().map(String::as_str).collect();
        let shop = self.scene.shop;
        let due = shop.handoff.due(&counted, &intents, &shop.scorecard);
        if due == Some(Reason::LowConfidence) {
            self.acts.remove(at);
            self.why.remove(at);
            self.hand_off(Reason::LowConfidence, "a handoff rule applies");
        }
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
                    // However much else is answered, a person is never left out for it.
                    self.acts.push(Act::HandOff { reason });
                    self.why.push(why.to_owned());
                    if reason == Reason::Complaint {
                        self.apologize(why);
                    }
                }
            }
        }
    }

    /// Before anything else is said.
    fn apologize(&mut self, why: &str) {
        let at = self.acts.iter().take_while(|act| act.is_opening()).count();
        self.acts.insert(at, Act::Apologize);
        self.why.insert(at, why.to_owned());
    }

    fn hand_off_if_due(&mut self, intents: &[String]) {
        let conversation = self.scene.conversation;
        if conversation.mode != Mode::Bot {
            return;
        }
        let intents: Vec<&str> = intents.iter().map(String::as_str).collect();
        let shop = self.scene.shop;
        let Some(reason) = shop.handoff.due(conversation, &intents, &shop.scorecard) else {
            return;
        };
        // A qualified lead is asked for contact details first, once, and has a turn to give them.
        let qualified = reason == Reason::QualifiedLead && !known(conversation, "contact");
        if qualified && !conversation.asks.contains_key("contact") {
            self.drop_questions();
            self.ask("contact", "a qualified lead without contact details");
        } else if qualified && self.speaks_of_something_else() {
            // The question stands; what was asked meanwhile is answered first.
        } else {
            self.hand_off(reason, "a handoff rule applies");
        }
    }

    /// The reply before asked for contact details and this message says neither yes nor no to that.
    fn speaks_of_something_else(&self) -> bool {
        let refused = self.has_intent("deny");
        let answers = self
            .acts
            .iter()
            .any(|act| !act.is_courtesy() && !act.is_opening());
        self.scene.conversation.asked.as_deref() == Some("contact") && answers && !refused
    }

    fn has_intent(&self, name: &str) -> bool {
        self.scene
            .understanding
            .intents
            .iter()
            .any(|intent| intent.name == name)
    }

    fn drop_questions(&mut self) {
        let kept: Vec<(Act, String)> = std::mem::take(&mut self.acts)
            .into_iter()
            .zip(std::mem::take(&mut self.why))
            .filter(|(act, _)| !matches!(act, Act::Ask { .. }))
            .collect();
        (self.acts, self.why) = kept.into_iter().unzip();
    }

    fn new_contact(&self) -> bool {
        !self.scene.understanding.asks_of_others() && self.names_contact()
    }

    fn names_contact(&self) -> bool {
        self.scene.understanding.entities.iter().any(|entity| {
            matches!(
                entity.value,
                Value::Phone { .. } | Value::Email { .. } | Value::Wechat { .. }
            )
        })
    }

    /// Beside whatever is said in anger, goods are asked for.
    fn wishes_for_goods(&self, intents: &[String]) -> bool {
        intents.iter().any(|i| WISHES.contains(&i.as_str()))
    }

    fn foreign_currency(&self) -> bool {
        let ours = self.scene.shop.profile.currency;
        self.scene.understanding.entities.iter().any(|entity| {
            matches!(&entity.value, Value::Budget { min, max }
                if [min, max].into_iter().flatten().any(|money| money.currency != ours))
        })
    }
}
