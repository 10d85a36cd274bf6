//! The rails: what a customer's message is reduced to, and what of a draft may leave.

use crate::convert;
use crate::shop::Shop;
use dialogs::Language;
use dialogs::compose::{Block, Draft, Line, Stage, fallback};
use dialogs::event::Event;
use dialogs::reply::{Reply, ReplyPart};
use policies::{Action, Candidate, Verdict};

pub(super) struct Screened {
    pub text: String,
    pub events: Vec<Event>,
    /// The reply to give instead of an answer.
    pub refused: Option<String>,
    pub escalated: bool,
}

pub(super) fn input(text: &str, language: Language, shop: &Shop) -> Screened {
    let clean = dialogs::text::clean(text);
    let language = dialogs::text::language(&clean, language);
    let verdict = shop.rails.input(&clean, language.tag());
    let (refused, escalated) = match &verdict.action {
        Action::Block { fallback } => (Some(known_reply(shop, fallback, "refused")), false),
        Action::Escalate { .. } => (None, true),
        Action::Pass | Action::Amend { .. } | Action::Revise { .. } => (None, false),
    };
    Screened {
        text: verdict.redacted(&clean),
        events: judged(&verdict),
        refused,
        escalated,
    }
}

pub(super) struct Judged {
    pub reply: Reply,
    pub events: Vec<Event>,
    pub escalated: bool,
}

/// Judges line by line, so that one bad line does not silence the others.
pub(super) fn output(draft: Draft, stage: &Stage<'_>, shop: &Shop) -> Judged {
    let mut out = Judged {
        reply: Reply {
            asked: draft.asked.clone(),
            focus: draft.focus.clone(),
            ..Reply::default()
        },
        events: Vec::new(),
        escalated: false,
    };
    let mut blocked = None;
    for block in draft.blocks {
        match block {
            Block::Line(line) => match judge_line(&line, stage, shop, &mut out) {
                Ok(text) => out.say(&line, text),
                Err(key) => blocked = Some(key),
            },
            Block::Goods(goods) => out.reply.parts.push(ReplyPart::Products { goods }),
            Block::Choices(choices) => out.reply.parts.push(ReplyPart::Choices { choices }),
        }
    }
    let says_something = out
        .reply
        .parts
        .iter()
        .any(|part| !matches!(part, ReplyPart::Choices { .. }));
    if let Some(key) = blocked
        && !says_something
    {
        let key = known_reply(shop, &key, "fallback");
        for block in fallback(&key, stage).blocks {
            match block {
                Block::Line(line) => {
                    // The last resort is judged too; an empty reply is better than a false one.
                    if let Ok(text) = judge_line(&line, stage, shop, &mut out) {
                        out.say(&line, text);
                    }
                }
                Block::Goods(_) => {}
                Block::Choices(choices) => out.reply.parts.push(ReplyPart::Choices { choices }),
            }
        }
        out.reply.asked = Some("offer:person".to_owned());
    }
    out
}

impl Judged {
    fn say(&mut self, line: &Line, text: String) {
        for evidence in line.evidence() {
            if !self.reply.evidence.contains(&evidence) {
                self.reply.evidence.push(evidence);
            }
        }
        self.reply.wordings.push((line.key.clone(), line.wording));
        self.reply.parts.push(ReplyPart::Text { text });
    }
}

/// The line's text as it may leave, or the reply to fall back to.
fn judge_line(
    line: &Line,
    stage: &Stage<'_>,
    shop: &Shop,
    out: &mut Judged,
) -> Result<String, String> {
    let Some(parts) = line.segments() else {
        out.events.push(Event::FellBack {
            step: "compose".to_owned(),
            why: format!("reply {} names a slot that holds nothing", line.key),
        });
        return Err("fallback".to_owned());
    };
    let segments = convert::segments(&parts);
    let verdict = shop.rails.output(&Candidate {
        language: stage.language.tag(),
        segments: &segments,
    });
    out.events.extend(judged(&verdict));
    match &verdict.action {
        Action::Pass => Ok(line.text()),
        Action::Amend { .. } => Ok(verdict.amended(&segments).concat()),
        Action::Revise { .. } => Err("fallback".to_owned()),
        Action::Block { fallback } => Err(fallback.clone()),
        Action::Escalate { .. } => {
            out.escalated = true;
            Err("fallback".to_owned())
        }
    }
}

fn judged(verdict: &Verdict) -> Vec<Event> {
    verdict
        .findings
        .iter()
        .map(|finding| Event::Judged {
            rail: finding.rail.word().to_owned(),
            rule: finding.rule.clone(),
            action: finding.action.clone(),
            enforced: finding.enforced,
            reason: finding.reason.clone(),
        })
        .collect()
}

fn known_reply(shop: &Shop, key: &str, otherwise: &str) -> String {
    if shop.dialog.wordings.has(key) {
        key.to_owned()
    } else {
        otherwise.to_owned()
    }
}
