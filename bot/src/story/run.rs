//! A story, run: what each turn showed, and which expectations did not come true.

use super::always::{Occasion, Watch};
use super::check::Check;
use super::seen::Seen;
use super::{Step, Story};
use crate::shop::Shop;
use crate::talk::{Talk, Word};
use std::sync::Arc;

/// Between one turn and the next.
const TURN_GAP_MS: i64 = 20_000;

/// One expectation that did not come true.
#[derive(Clone, Debug)]
pub struct Failure {
    pub file: String,
    pub line: u32,
    pub story: String,
    /// From 1, as the story lists them.
    pub turn: usize,
    /// What was said in that turn, for a reader who looks for it.
    pub said: String,
    pub expected: String,
    pub found: String,
}

/// What a story's turns showed.
pub struct Run {
    pub turns: Vec<Seen>,
    pub failures: Vec<Failure>,
}

impl Story {
    /// Every expectation that fails; one that fails does not end the story.
    pub async fn run(&self, shop: &Arc<Shop>) -> anyhow::Result<Run> {
        self.run_with(shop, |_, _| None).await
    }

    /// The same with other words for some of the customer's turns.
    pub async fn run_with(
        &self,
        shop: &Arc<Shop>,
        words: impl Fn(usize, &str) -> Option<String>,
    ) -> anyhow::Result<Run> {
        let mut talk = Talk::new(Arc::clone(shop), None);
        let mut run = Run {
            turns: Vec::new(),
            failures: Vec::new(),
        };
        let mut watch = Watch::default();
        let mut before = ("bot".to_owned(), false);
        let mut at_ms = self.at_ms;
        for (place, step) in self.turns.iter().enumerate() {
            at_ms = at_ms.saturating_add(step.after_ms);
            let word = match &step.word {
                Word::Text(text) => Word::Text(words(place, text).unwrap_or_else(|| text.clone())),
                other => other.clone(),
            };
            let outcome = talk.turn("story", word, at_ms).await?;
            let seen = Seen::of(&outcome, shop);
            let has = |wanted: fn(&Check) -> bool| step.expects.iter().any(|e| wanted(&e.what));
            let occasion = Occasion {
                customer_speaks: !matches!(step.word, Word::Rep { .. }),
                mode_before: before.0,
                opted_out_before: before.1,
                repeat_ok: has(|what| matches!(what, Check::RepeatOk)),
                silence_expected: has(|what| matches!(what, Check::Silent)),
            };
            let mut fail = |line, (expected, found)| {
                run.failures.push(Failure {
                    file: self.file.clone(),
                    line,
                    story: self.name.clone(),
                    turn: place + 1,
                    said: step.said(),
                    expected,
                    found,
                });
            };
            for expect in &step.expects {
                if let Some(differs) = expect.what.failure(&seen, shop) {
                    fail(expect.line, differs);
                }
            }
            for wrong in watch.look(&seen, &occasion, shop) {
                fail(step.line, wrong);
            }
            before = (seen.mode.clone(), seen.opted_out);
            run.turns.push(seen);
            at_ms = at_ms.saturating_add(TURN_GAP_MS);
        }
        Ok(run)
    }
}

impl Step {
    pub(super) fn said(&self) -> String {
        use crate::mail::RepAction;
        match &self.word {
            Word::Text(text) => text.clone(),
            Word::Choice(choice) => format!("[{choice}]"),
            Word::Rep { action, .. } => match action {
                RepAction::Take => "[rep takes over]".to_owned(),
                RepAction::HandBack | RepAction::LetGo => "[rep hands back]".to_owned(),
                RepAction::Say { text } | RepAction::Wrote { text } => format!("[rep] {text}"),
            },
        }
    }

    /// Intents that the story expects of this turn.
    pub(super) fn intents(&self) -> impl Iterator<Item = &str> {
        self.expects.iter().filter_map(|expect| match &expect.what {
            Check::Intent(name) => Some(name.as_str()),
            _ => None,
        })
    }
}
