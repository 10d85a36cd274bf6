//! Conversation tests that a salesperson can read and write: `stories/*.yaml`.

mod always;
mod check;
mod judge;
mod run;
mod seen;
pub mod vary;

pub use run::{Failure, Run};
pub use seen::Seen;

use crate::talk::Word;
use check::{CHECKS, Check};
use dialogs::Problem;
use dialogs::shop::Files;
use dialogs::yaml::{File, Node};

/// The clock of a story that names none: a Tuesday morning in the shop's opening hours.
const STORY_CLOCK: &str = "2026-11-24T10:00:00+08:00";
/// Stories in all files of one shop.
pub const STORIES_MAX: usize = 5_000;
/// Turns of one story.
pub const TURNS_MAX: usize = 100;

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
                    if stories.len() == STORIES_MAX {
                        let help = format!("at most {STORIES_MAX} in all files");
                        file.wrong(node, "too many stories", help);
                        break;
                    }
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
        let list = file.list(turns);
        if list.len() > TURNS_MAX {
            let help = format!("at most {TURNS_MAX} in one story");
            file.wrong(turns, "too many turns", help);
        }
        let turns = list
            .iter()
            .take(TURNS_MAX)
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
}

impl Step {
    fn read(file: &mut File<'_>, node: &Node) -> Option<Step> {
        let fields = file.fields(node, &["customer", "choice", "rep", "after", "expect"]);
        let word = if let Some(node) = fields.get("customer") {
            // Several texts are messages sent in one go.
            Word::Text(file.texts(node).join("\n"))
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
