//! Conversation tests that a salesperson can read and write: `stories/*.yaml`.

mod check;

use crate::shop::Shop;
use crate::talk::{Talk, Word};
use check::{CHECKS, Check};
use dialogs::Problem;
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

/// One expectation that did not come true.
#[derive(Debug)]
pub struct Failure {
    pub file: String,
    pub line: u32,
    pub story: String,
    pub expected: String,
    pub found: String,
}

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
