//! One turn: from the mail of a conversation to its events and messages, in one straight line.
//!
//! Pure but for the model's completions, which are logged, so that the same mail, state, versions and completions give the same bytes again.

mod judge;
mod outcome;
mod reading;

pub use outcome::{Outcome, engine::Dialogue};

use crate::convert;
use crate::mail::{Mail, RepAction};
use crate::model::LanguageModel;
use crate::shop::Shop;
use crate::telemetry::{Part, measured, measured_wait};
use adapters::{Address, InboundBody};
use dialogs::compose::{self, Stage};
use dialogs::conversation::{Conversation, Mode};
use dialogs::decide::{Act, Scene, decide};
use dialogs::event::{Event, FileKind, Said};
use dialogs::find::find;
use dialogs::handoff::{self, Reason};
use dialogs::nlu::Understanding;
use dialogs::purpose;
use dialogs::track::{Known, track};
use judge::Judged;

/// One letter of the mailbox, parsed.
#[derive(Clone, Debug)]
pub struct Letter {
    pub event_id: String,
    pub mail: Mail,
}

/// A conversation opened for one turn.
pub struct Turn<'a> {
    pub id: &'a str,
    pub conversation: Conversation,
    pub letters: Vec<Letter>,
    pub at_ms: i64,
    pub shop: &'a Shop,
    pub model: Option<&'a dyn LanguageModel>,
}

/// The state and what happened to it, always together.
struct Log {
    conversation: Conversation,
    events: Vec<Event>,
}

impl Log {
    fn push(&mut self, event: Event) {
        self.conversation.apply(&event);
        self.events.push(event);
    }
}

/// What the customer's letters of a burst come to.
#[derive(Default)]
struct Utterance {
    text: String,
    choice: Option<String>,
    files: Vec<FileKind>,
    refused: Option<String>,
    escalated: bool,
    heard: bool,
    /// Came in at a door of a platform, which takes a welcome for some seconds only.
    at_door: bool,
}

impl Utterance {
    /// Takes words as the input rail lets them through, into the log first.
    fn words(
        &mut self,
        log: &mut Log,
        letter: &Letter,
        text: &str,
        shop: &Shop,
        at_ms: i64,
        said: impl FnOnce(String) -> Said,
    ) {
        let screened = judge::input(text, log.conversation.language, shop);
        log.push(heard(letter, at_ms, said(screened.text.clone())));
        for event in screened.events {
            log.push(event);
        }
        if !self.text.is_empty() && !screened.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&screened.text);
        self.refused = self.refused.take().or(screened.refused);
        self.escalated |= screened.escalated;
    }
}

pub async fn run(turn: Turn<'_>) -> Outcome {
    let Turn {
        id,
        conversation,
        letters,
        at_ms,
        shop,
        model,
    } = turn;
    let before_ms = (conversation.turn > 0).then_some(conversation.at_ms);
    let mode_before = conversation.mode.word();
    let mut log = Log {
        conversation,
        events: Vec::new(),
    };
    log.push(Event::TurnStarted {
        turn: log.conversation.turn + 1,
        at_ms,
        policy: shop.policy.clone(),
        shop: shop.goods.clone(),
    });

    let utterance = measured(Part::Hear, || hear(&mut log, id, &letters, shop, at_ms));
    let silent = matches!(log.conversation.mode, Mode::Human { .. });
    if utterance.heard && !silent {
        let moment = shop.moment(at_ms);
        match &utterance.refused {
            Some(reply) => {
                let language = dialogs::text::language(&utterance.text, log.conversation.language);
                log.push(Event::Understood {
                    understanding: Understanding::nothing(language),
                });
                say_fallback(&mut log, id, shop, &moment, reply);
            }
            None => {
                answer(&mut log, id, &utterance, before_ms, shop, &moment, model).await;
            }
        }
    }
    Outcome::new(id, log.conversation, log.events, mode_before)
}

/// Screens each letter and takes it into the log; a rep's letters act at once.
fn hear(log: &mut Log, id: &str, letters: &[Letter], shop: &Shop, at_ms: i64) -> Utterance {
    let mut utterance = Utterance::default();
    // A person whom a platform's desk does not name goes by the channel's name.
    let desk = id.split(':').next().unwrap_or_default();
    for letter in letters {
        match &letter.mail {
            Mail::Customer { inbound } => {
                utterance.heard = true;
                if let InboundBody::Came { door, campaign, .. } = &inbound.body {
                    log.push(Event::Came {
                        door: convert::door(*door),
                        campaign: campaign.clone(),
                    });
                }
                match inbound.body.said() {
                    InboundBody::Choice(id) => {
                        utterance.at_door = matches!(inbound.body, InboundBody::Came { .. });
                        utterance.choice = Some(id.clone());
                        log.push(heard(letter, at_ms, Said::Choice(id.clone())));
                    }
                    InboundBody::Text(text) => {
                        utterance.words(log, letter, text, shop, at_ms, Said::Text);
                    }
                    // Doors lead to no other doors.
                    InboundBody::Came { .. } => {}
                    InboundBody::File(file) => {
                        let said = |caption| convert::file(file, caption);
                        utterance.files.push(convert::file_kind(file.kind));
                        utterance.words(log, letter, &file.caption, shop, at_ms, said);
                    }
                }
            }
            Mail::Rep {
                rep,
                action: RepAction::LetGo,
            } if !is_at_desk(&log.conversation.mode, rep, desk) => {}
            Mail::Rep { rep, action } => {
                log.push(heard(letter, at_ms, Said::Rep(rep.clone())));
                rep_acts(log, letter, rep, action, at_ms);
                // What was said before a person dealt with it is theirs to answer.
                utterance = Utterance::default();
            }
        }
    }
    utterance
}

/// A platform's own desk may have the conversation: this person of it, one it did not name, or whoever is to take it next.
fn is_at_desk(mode: &Mode, person: &str, desk: &str) -> bool {
    match mode {
        Mode::Bot => false,
        Mode::Waiting { .. } => true,
        Mode::Human { .. } => mode.is_with(person) || mode.is_with(desk),
    }
}

fn rep_acts(log: &mut Log, letter: &Letter, rep: &str, action: &RepAction, at_ms: i64) {
    let taken = || Event::Taken {
        rep: rep.to_owned(),
        at_ms,
    };
    let said = |text: &str, elsewhere| Event::RepSaid {
        id: letter.event_id.clone(),
        rep: rep.to_owned(),
        text: text.to_owned(),
        elsewhere,
    };
    match action {
        // A platform may tell the same more than once.
        RepAction::Take if log.conversation.mode.is_with(rep) => {}
        RepAction::Take => log.push(taken()),
        RepAction::Say { text } => log.push(said(text, false)),
        RepAction::Wrote { text } => {
            // Whoever writes there has it, even if nobody told of the taking.
            if !log.conversation.mode.is_with(rep) {
                log.push(taken());
            }
            log.push(said(text, true));
        }
        RepAction::HandBack | RepAction::LetGo => log.push(Event::HandedBack {
            rep: rep.to_owned(),
        }),
    }
}

fn heard(letter: &Letter, at_ms: i64, said: Said) -> Event {
    Event::Heard {
        event_id: letter.event_id.clone(),
        at_ms,
        said,
    }
}

/// Understand, track, decide, find, compose, judge, settle.
async fn answer(
    log: &mut Log,
    id: &str,
    utterance: &Utterance,
    before_ms: Option<i64>,
    shop: &Shop,
    moment: &dialogs::calendar::Moment,
    model: Option<&dyn LanguageModel>,
) {
    let understood = reading::understand(log, utterance, shop, moment, model);
    let (understanding, expired_choice) = measured_wait(Part::Understand, understood).await;
    let understanding = purpose::settled(understanding, &log.conversation, &shop.dialog);
    log.push(Event::Understood {
        understanding: understanding.clone(),
    });
    measured(Part::Track, || follow(log, &understanding, shop));

    let scene = Scene {
        conversation: &log.conversation,
        understanding: &understanding,
        shop: &shop.dialog,
        at_ms: moment.at_ms,
        before_ms,
        expired_choice,
        files: &utterance.files,
        wordless: utterance.text.is_empty() && utterance.choice.is_none(),
    };
    let decision = measured(Part::Decide, || decide(&scene));
    log.push(Event::Decided {
        decision: decision.clone(),
    });
    let language = log.conversation.language;
    let findings = measured(Part::Find, || {
        find(&decision, &shop.dialog, language, moment.at_ms)
    });
    let state = log.conversation.clone();
    let stage = Stage {
        conversation: &state,
        shop: &shop.dialog,
        moment,
        language,
        talks_on: talks_on(id),
        seed: seed(id, state.turn),
    };
    // A greeting is the shop's own words; a slow model would keep it until nobody takes it.
    let model = model.filter(|_| !utterance.at_door || !utterance.text.is_empty());
    let draft = measured_wait(Part::Compose, async {
        let draft = compose::compose(&decision, &findings, &stage);
        reading::word(log, draft, &utterance.text, shop, model).await
    })
    .await;
    let Judged {
        reply,
        events,
        escalated,
    } = measured(Part::Judge, || judge::output(draft, &stage, shop));
    for event in events {
        log.push(event);
    }

    for act in &decision.acts {
        match act {
            Act::HandOff { reason } => hand_off(log, *reason, utterance, shop, moment),
            Act::OptOut => log.push(Event::OptedOut),
            Act::Clarify => log.push(Event::Missed),
            _ => {}
        }
    }
    if (escalated || utterance.escalated) && log.conversation.mode == Mode::Bot {
        hand_off(log, Reason::PolicyRestriction, utterance, shop, moment);
    }
    log.push(Event::Replied {
        id: message_id(id, log.conversation.turn),
        reply,
    });
}

/// Tracks what was understood and grades the lead again.
fn follow(log: &mut Log, understanding: &Understanding, shop: &Shop) {
    let events = track(
        &log.conversation,
        understanding,
        &Known {
            catalogue: &shop.dialog.catalogue,
            flows: &shop.dialog.flows,
            currency: shop.dialog.profile.currency,
        },
    );
    for event in events {
        log.push(event);
    }
    let lead = shop
        .dialog
        .scorecard
        .grade(&log.conversation, log.conversation.language);
    if lead != log.conversation.lead {
        log.push(Event::Graded { lead });
    }
}

/// Whether the agent goes on once a conversation was handed to a person.
fn talks_on(id: &str) -> bool {
    !id.parse::<Address>()
        .is_ok_and(|address| address.has_own_desk())
}

/// State, brief and rep in one step; the notice is part of the reply.
fn hand_off(
    log: &mut Log,
    reason: Reason,
    utterance: &Utterance,
    shop: &Shop,
    moment: &dialogs::calendar::Moment,
) {
    let rep = handoff::choose(
        &shop.dialog.reps,
        log.conversation.language,
        &utterance.text,
        moment,
    );
    log.push(Event::HandedOff {
        reason,
        brief: handoff::brief(&log.conversation),
        rep: rep.map(|rep| rep.id.clone()),
        at_ms: moment.at_ms,
    });
    let ended: Vec<String> = log
        .conversation
        .flows
        .iter()
        .filter(|frame| {
            shop.dialog.flows.iter().any(|flow| {
                flow.id == frame.flow && matches!(flow.then, dialogs::flow::Then::HandOff(_))
            })
        })
        .map(|frame| frame.flow.clone())
        .collect();
    for flow in ended {
        log.push(Event::FlowEnded { flow });
    }
}

fn say_fallback(
    log: &mut Log,
    id: &str,
    shop: &Shop,
    moment: &dialogs::calendar::Moment,
    key: &str,
) {
    let state = log.conversation.clone();
    let stage = Stage {
        conversation: &state,
        shop: &shop.dialog,
        moment,
        language: state.language,
        talks_on: talks_on(id),
        seed: seed(id, state.turn),
    };
    let judged = judge::output(compose::fallback(key, &stage), &stage, shop);
    for event in judged.events {
        log.push(event);
    }
    log.push(Event::Replied {
        id: message_id(id, log.conversation.turn),
        reply: judged.reply,
    });
}

/// The same message never has two ids: it is named by its place in the conversation.
fn message_id(conversation: &str, turn: u64) -> String {
    format!("{conversation}/{turn}")
}

fn seed(conversation: &str, turn: u64) -> u64 {
    compose::hash(conversation).wrapping_add(turn.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
