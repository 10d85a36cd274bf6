//! What a turn came to, as far as operators count it: names that the shop's files and this program give, never words of a customer.

use super::{metrics, spans};
use crate::shop::Shop;
use dialogs::decide::Act;
use dialogs::event::Event;
use dialogs::handoff::Reason;
use dialogs::model::Completion;
use tracing::Span;

/// Names of one kind that a span carries at most; a burst of sixteen letters may find more.
const NAMES_MAX: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub policy: String,
    pub intents: Vec<String>,
    pub acts: Vec<String>,
    pub verdicts: Vec<Verdict>,
    /// The lead's new grade.
    pub grades: Vec<String>,
    pub handoffs: Vec<Reason>,
    /// Steps that gave way to their plain form.
    pub fallbacks: Vec<String>,
    /// Answers of the model that were had.
    pub completions: usize,
}

/// One finding of a guardrail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub rail: String,
    pub rule: String,
    pub action: String,
    pub enforced: bool,
}

impl Told {
    pub fn of(events: &[Event], shop: &Shop) -> Self {
        let mut told = Self {
            policy: shop.policy.clone(),
            ..Self::default()
        };
        for event in events {
            match event {
                Event::Understood { understanding } => {
                    // A model may only name intents of the shop, so these are names of ours.
                    told.intents
                        .extend(understanding.intents.iter().map(|i| i.name.clone()));
                }
                Event::Decided { decision } => {
                    told.acts.extend(decision.acts.iter().filter_map(name_of));
                }
                Event::Judged {
                    rail,
                    rule,
                    action,
                    enforced,
                    ..
                } => told.verdicts.push(Verdict {
                    rail: rail.clone(),
                    rule: rule.clone(),
                    action: action.clone(),
                    enforced: *enforced,
                }),
                Event::Graded { lead } => told.grades.push(lead.grade.clone()),
                Event::HandedOff { reason, .. } => told.handoffs.push(*reason),
                Event::FellBack { step, .. } => told.fallbacks.push(step.clone()),
                Event::Completed {
                    completion: Completion::Answer { .. },
                    ..
                } => told.completions += 1,
                _ => {}
            }
        }
        told
    }

    /// Counts what was committed; a result that was dropped counts nowhere.
    pub fn count(&self) {
        for verdict in &self.verdicts {
            ::metrics::counter!(
                metrics::VERDICTS,
                "rail" => verdict.rail.clone(),
                "rule" => verdict.rule.clone(),
                "action" => verdict.action.clone(),
                "enforced" => if verdict.enforced { "true" } else { "false" },
            )
            .increment(1);
        }
        for grade in &self.grades {
            ::metrics::counter!(metrics::GRADES, "grade" => grade.clone()).increment(1);
        }
        for reason in &self.handoffs {
            ::metrics::counter!(metrics::HANDOFFS, "reason" => reason.word()).increment(1);
        }
        for step in &self.fallbacks {
            ::metrics::counter!(metrics::FALLBACKS, "step" => step.clone()).increment(1);
        }
    }

    /// Puts it on the turn's span.
    pub fn on(&self, span: &Span) {
        if !spans::exported(span) {
            return;
        }
        let names = |names: &mut dyn Iterator<Item = String>| names.take(NAMES_MAX).collect();
        spans::text(span, "policy.version", self.policy.clone());
        spans::list(
            span,
            "turn.intents",
            names(&mut self.intents.iter().cloned()),
        );
        spans::list(span, "turn.acts", names(&mut self.acts.iter().cloned()));
        let verdicts = &mut self
            .verdicts
            .iter()
            .map(|v| format!("{}:{}:{}", v.rail, v.rule, v.action));
        spans::list(span, "turn.verdicts", names(verdicts));
        let model = match (self.completions, self.fallbacks.is_empty()) {
            (_, false) => "fell_back",
            (0, true) => "none",
            (_, true) => "used",
        };
        spans::text(span, "turn.model", model.to_owned());
    }
}

/// An act's name; what it is about may be the customer's own word.
fn name_of(act: &Act) -> Option<String> {
    match serde_json::to_value(act).ok()?.get("act")? {
        serde_json::Value::String(name) => Some(name.clone()),
        _ => None,
    }
}
