//! The lead: an additive scorecard with the customer's own words for each point.

use crate::conversation::Conversation;
use crate::event::SlotValue;
use crate::profile::Texts;
use crate::yaml::{File, Node};
use crate::{Language, Problem};
use serde::{Deserialize, Serialize};

/// Criteria a scorecard may have.
pub const CRITERIA_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    pub grade: String,
    pub score: i64,
    pub reasons: Vec<Point>,
    pub next: Option<Next>,
}

/// Points that one rule gave, and the words it gave them for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub rule: String,
    pub points: i64,
    pub turn: u64,
    pub quote: String,
}

/// What would raise the grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    pub grade: String,
    #[serde(rename = "if")]
    pub condition: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scorecard {
    criteria: Vec<Criterion>,
    /// Grade and the least score for it, best first; the last one has no least score.
    grades: Vec<(String, i64)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Criterion {
    id: String,
    points: i64,
    label: Texts,
    when: Condition,
}

/// What a criterion looks at: a closed set.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Slot {
        any: Vec<String>,
        at_least: Option<i64>,
        at_most: Option<i64>,
    },
    Intent(Vec<String>),
}

impl Default for Lead {
    fn default() -> Self {
        Self {
            grade: "D".to_owned(),
            score: 0,
            reasons: Vec::new(),
            next: None,
        }
    }
}

impl Scorecard {
    pub fn grade(&self, conversation: &Conversation, language: Language) -> Lead {
        let mut reasons = Vec::new();
        let mut unmet = Vec::new();
        for criterion in &self.criteria {
            match criterion.when.met(conversation) {
                Some((turn, quote)) => reasons.push(Point {
                    rule: criterion.id.clone(),
                    points: criterion.points,
                    turn,
                    quote,
                }),
                None => unmet.push(criterion),
            }
        }
        let score: i64 = reasons.iter().map(|point| point.points).sum::<i64>().max(0);
        let at = self
            .grades
            .iter()
            .position(|(_, least)| score >= *least)
            .unwrap_or(self.grades.len().saturating_sub(1));
        let next = at
            .checked_sub(1)
            .and_then(|better| self.grades.get(better))
            .and_then(|(grade, least)| raise(&unmet, least - score, language, grade));
        Lead {
            grade: self.grades.get(at).map_or("D", |(g, _)| g).to_owned(),
            score,
            reasons,
            next,
        }
    }

    /// Whether `grade` is at least as good as `least`.
    pub fn reaches(&self, grade: &str, least: &str) -> bool {
        let place = |g: &str| self.grades.iter().position(|(name, _)| name == g);
        matches!((place(grade), place(least)), (Some(g), Some(l)) if g <= l)
    }

    pub fn grades(&self) -> impl Iterator<Item = &str> {
        self.grades.iter().map(|(grade, _)| grade.as_str())
    }

    /// Points that a slot could still bring, the most any criterion on it gives.
    pub fn worth_of(&self, slot: &str) -> i64 {
        self.criteria
            .iter()
            .filter(
                |c| matches!(&c.when, Condition::Slot { any, .. } if any.iter().any(|s| s == slot)),
            )
            .map(|c| c.points)
            .max()
            .unwrap_or(0)
    }

    pub fn parse(name: &str, source: &str) -> (Option<Self>, Vec<Problem>) {
        let mut file = File::new(name);
        let card = file
            .parse(source)
            .and_then(|root| Self::read(&mut file, &root));
        (card, file.problems)
    }

    fn read(file: &mut File<'_>, root: &Node) -> Option<Self> {
        let fields = file.fields(root, &["scorecard"]);
        let card = fields.need(file, "scorecard")?;
        let fields = file.fields(card, &["criteria", "grades"]);
        let mut criteria: Vec<Criterion> = Vec::new();
        let written = fields.need(file, "criteria")?;
        for node in file.list(written).iter().take(CRITERIA_MAX) {
            if let Some(criterion) = Criterion::read(file, node) {
                if criteria.iter().any(|other| other.id == criterion.id) {
                    file.wrong(
                        node,
                        format!("`{}` stands twice", criterion.id),
                        "give each criterion its own id",
                    );
                }
                criteria.push(criterion);
            }
        }
        let mut grades = Vec::new();
        let written = fields.need(file, "grades")?;
        for (key, node) in file.map(written) {
            if let Some(least) = file.integer(node) {
                grades.push((key.text.clone(), least));
            }
        }
        grades.sort_by_key(|(_, least)| std::cmp::Reverse(*least));
        if grades.last().is_none_or(|(_, least)| *least > 0) {
            file.wrong(
                written,
                "no grade starts at 0",
                "give the last grade the least score 0",
            );
            return None;
        }
        Some(Self { criteria, grades })
    }
}

impl Criterion {
    fn read(file: &mut File<'_>, node: &Node) -> Option<Self> {
        let fields = file.fields(node, &["id", "points", "label", "when"]);
        let id = fields.need(file, "id")?;
        let id = file.text(id)?;
        let points = fields.need(file, "points")?;
        let points = file.integer(points)?;
        let label = match fields.get("label") {
            Some(node) => Texts::read(file, node),
            None => Texts(Language::ALL.into_iter().map(|l| (l, id.clone())).collect()),
        };
        let when = fields.need(file, "when")?;
        let when = Condition::read(file, when)?;
        Some(Self {
            id,
            points,
            label,
            when,
        })
    }
}

impl Condition {
    fn read(file: &mut File<'_>, node: &Node) -> Option<Self> {
        let fields = file.fields(node, &["slot", "at_least", "at_most", "intent"]);
        match (fields.get("slot"), fields.get("intent")) {
            (Some(slot), None) => {
                let bound = |key: &str, file: &mut File<'_>| {
                    fields.get(key).and_then(|node| file.integer(node))
                };
                Some(Condition::Slot {
                    any: file.texts(slot),
                    at_least: bound("at_least", file),
                    at_most: bound("at_most", file),
                })
            }
            (None, Some(intent)) => Some(Condition::Intent(file.texts(intent))),
            _ => {
                file.wrong(
                    node,
                    "a condition looks at one slot or one intent",
                    "write {slot: budget_max} or {intent: request_quote}",
                );
                None
            }
        }
    }

    fn met(&self, conversation: &Conversation) -> Option<(u64, String)> {
        match self {
            Condition::Slot {
                any,
                at_least,
                at_most,
            } => any.iter().find_map(|slot| {
                let filled = conversation.slots.get(slot)?;
                let number = match &filled.value {
                    SlotValue::Count(count) => Some(i64::from(*count)),
                    SlotValue::Money(money) => Some(money.minor / 100),
                    SlotValue::Key(_) | SlotValue::Text(_) | SlotValue::Measure(_) => None,
                };
                let enough = at_least.is_none_or(|least| number.is_some_and(|n| n >= least));
                let within = at_most.is_none_or(|most| number.is_some_and(|n| n <= most));
                (enough && within).then(|| (filled.turn, filled.quote.clone()))
            }),
            Condition::Intent(any) => any.iter().find_map(|intent| {
                conversation
                    .intents
                    .get(intent)
                    .map(|seen| (seen.turn, seen.quote.clone()))
            }),
        }
    }
}

/// The smallest set of open criteria, largest first, that closes the gap.
fn raise(unmet: &[&Criterion], gap: i64, language: Language, grade: &str) -> Option<Next> {
    let mut open: Vec<&&Criterion> = unmet.iter().filter(|c| c.points > 0).collect();
    open.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.id.cmp(&b.id)));
    let single = open.iter().rev().find(|c| c.points >= gap);
    let chosen: Vec<&&&Criterion> = match single {
        Some(one) => vec![one],
        None => {
            let mut sum = 0;
            open.iter()
                .take_while(|c| {
                    let needed = sum < gap;
                    sum += c.points;
                    needed
                })
                .collect()
        }
    };
    let reached: i64 = chosen.iter().map(|c| c.points).sum();
    if chosen.is_empty() || reached < gap {
        return None;
    }
    let joint = match language {
        Language::Zh => "，并且",
        Language::En => " and ",
    };
    let labels: Vec<&str> = chosen
        .iter()
        .map(|c| c.label.in_language(language))
        .collect();
    Some(Next {
        grade: grade.to_owned(),
        condition: labels.join(joint),
    })
}
