//! What the rails say of a text, and how verdicts join whatever order the rules ran in.

use crate::Segment;
use serde::{Deserialize, Serialize};

/// The joined answer of all rules of one rail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub action: Action,
    /// Sorted, without repetition; rules in `observe` are here and nowhere else.
    pub findings: Vec<Finding>,
}

/// What has to be done, by rising severity.
///
/// On the input rail `Amend` is a redaction and `Block` a refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    Pass,
    /// Sorted, without repetition.
    Amend {
        edits: Vec<Edit>,
    },
    /// The draft has to be written again; an already plain draft gives way to the fallback reply.
    Revise {
        reasons: Vec<String>,
    },
    /// The key of the reply to give instead.
    Block {
        fallback: String,
    },
    /// A person has to take over.
    Escalate {
        reason: String,
    },
}

/// Replaces bytes `start..end` of one segment's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    pub segment: usize,
    pub start: usize,
    pub end: usize,
    pub replace: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rail {
    Input,
    Output,
}

/// One place where one rule holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    pub rule: String,
    pub pack: String,
    pub rail: Rail,
    /// `redact`, `refuse`, `escalate`, `amend`, `revise` or `block`.
    pub action: String,
    /// False for a rule in `observe`, which does not influence the action.
    pub enforced: bool,
    /// What an admin reads.
    pub reason: String,
    /// The index of the segment that the finding starts in; 0 on the input rail.
    pub segment: usize,
    /// Bytes of that segment's text.
    pub span: (usize, usize),
    /// What a redaction or an amendment writes; empty for the others.
    pub edits: Vec<Edit>,
}

impl Rail {
    pub fn word(self) -> &'static str {
        match self {
            Rail::Input => "input",
            Rail::Output => "output",
        }
    }
}

impl Verdict {
    /// The neutral element of `join`.
    pub fn pass() -> Verdict {
        Verdict {
            action: Action::Pass,
            findings: Vec::new(),
        }
    }

    pub fn passes(&self) -> bool {
        self.action == Action::Pass
    }

    /// The least verdict that is at least as severe as both: commutative, associative, idempotent.
    #[must_use]
    pub fn join(self, other: Verdict) -> Verdict {
        let mut findings = self.findings;
        findings.extend(other.findings);
        findings.sort();
        findings.dedup();
        Verdict {
            action: self.action.join(other.action),
            findings,
        }
    }

    /// The customer's text with every enforced redaction applied, whatever the action is.
    pub fn redacted(&self, text: &str) -> String {
        let edits = self
            .findings
            .iter()
            .filter(|finding| finding.enforced && finding.rail == Rail::Input)
            .flat_map(|finding| finding.edits.iter().cloned())
            .collect();
        edited(text, 0, edits)
    }

    /// The segments' texts with the edits of `Amend` applied; unchanged for any other action.
    pub fn amended(&self, segments: &[Segment<'_>]) -> Vec<String> {
        match &self.action {
            Action::Amend { edits } => segments
                .iter()
                .enumerate()
                .map(|(at, segment)| match segment.bound {
                    Some(_) => segment.text.to_owned(),
                    None => edited(segment.text, at, edits.clone()),
                })
                .collect(),
            Action::Pass
            | Action::Revise { .. }
            | Action::Block { .. }
            | Action::Escalate { .. } => segments
                .iter()
                .map(|segment| segment.text.to_owned())
                .collect(),
        }
    }
}

impl Action {
    /// `pass`, `amend`, `revise`, `block` or `escalate`.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Pass => "pass",
            Action::Amend { .. } => "amend",
            Action::Revise { .. } => "revise",
            Action::Block { .. } => "block",
            Action::Escalate { .. } => "escalate",
        }
    }

    fn severity(&self) -> u8 {
        match self {
            Action::Pass => 0,
            Action::Amend { .. } => 1,
            Action::Revise { .. } => 2,
            Action::Block { .. } => 3,
            Action::Escalate { .. } => 4,
        }
    }

    /// The severer of both; of equal severity the union, or the first in alphabetical order.
    #[must_use]
    pub fn join(self, other: Action) -> Action {
        match (self, other) {
            (Action::Amend { edits: a }, Action::Amend { edits: b }) => {
                Action::Amend { edits: union(a, b) }
            }
            (Action::Revise { reasons: a }, Action::Revise { reasons: b }) => Action::Revise {
                reasons: union(a, b),
            },
            (a, b) => match a.severity().cmp(&b.severity()) {
                std::cmp::Ordering::Less => b,
                std::cmp::Ordering::Greater => a,
                std::cmp::Ordering::Equal => a.min(b),
            },
        }
    }
}

fn union<T: Ord>(mut a: Vec<T>, b: Vec<T>) -> Vec<T> {
    a.extend(b);
    a.sort();
    a.dedup();
    a
}

/// Applies the edits of one segment; where edits overlap, their union is replaced by the first of them.
fn edited(text: &str, segment: usize, mut edits: Vec<Edit>) -> String {
    edits.retain(|edit| edit.segment == segment && edit.start < edit.end);
    edits.sort();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut queue = edits.into_iter().peekable();
    while let Some(edit) = queue.next() {
        let mut end = edit.end;
        while let Some(next) = queue.next_if(|next| next.start < end) {
            end = end.max(next.end);
        }
        let Some(kept) = text.get(at..edit.start) else {
            continue;
        };
        out.push_str(kept);
        out.push_str(&edit.replace);
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
