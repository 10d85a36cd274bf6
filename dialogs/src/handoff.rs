//! Handing a conversation to a person: when, to whom, and with which brief.

use crate::calendar::{Hours, Moment};
use crate::conversation::{By, Conversation};
use crate::lead::Scorecard;
use crate::profile::Texts;
use crate::yaml::{File, Node};
use crate::{Language, Problem};
use serde::{Deserialize, Serialize};

/// Lines of a brief.
pub const BRIEF_LINES_MAX: usize = 30;

/// Why a person is needed: a closed set, the same words in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    CustomerRequest,
    QualifiedLead,
    MissingKnowledge,
    UnsupportedRequest,
    PolicyRestriction,
    Complaint,
    LowConfidence,
    ToolFailure,
}

const REASONS: [(&str, Reason); 8] = [
    ("customer_request", Reason::CustomerRequest),
    ("qualified_lead", Reason::QualifiedLead),
    ("missing_knowledge", Reason::MissingKnowledge),
    ("unsupported_request", Reason::UnsupportedRequest),
    ("policy_restriction", Reason::PolicyRestriction),
    ("complaint", Reason::Complaint),
    ("low_confidence", Reason::LowConfidence),
    ("tool_failure", Reason::ToolFailure),
];

impl Reason {
    pub fn words() -> [&'static str; REASONS.len()] {
        REASONS.map(|(word, _)| word)
    }

    pub fn word(self) -> &'static str {
        REASONS
            .iter()
            .find(|(_, reason)| *reason == self)
            .map_or("", |(word, _)| word)
    }
}

/// What a rep reads before taking over; every line has the customer's words for it, and where they came from the campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    pub language: Language,
    pub grade: String,
    pub score: i64,
    pub lines: Vec<BriefLine>,
    /// Products shown, newest last.
    pub shown: Vec<String>,
    /// The customer's newest words.
    pub last_words: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BriefLine {
    pub what: String,
    pub value: String,
    pub turn: u64,
    pub quote: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rep {
    pub id: String,
    pub name: Texts,
    pub languages: Vec<Language>,
    pub skills: Vec<String>,
    pub hours: Hours,
    pub capacity: u32,
    /// Kind and value, such as an e-mail address; never logged.
    pub reach: Vec<(String, String)>,
}

/// When to hand off without being asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    reason: Reason,
    when: When,
}

#[derive(Clone, Debug, PartialEq)]
enum When {
    Grade(String),
    /// That many turns in a row were not understood.
    Misses(u32),
    /// That many messages were angry.
    Angry(u32),
    Intent(Vec<String>),
}

impl Rules {
    /// The first rule that applies and has not yet led to a handoff in this episode.
    pub fn due(
        &self,
        conversation: &Conversation,
        now_intents: &[&str],
        card: &Scorecard,
    ) -> Option<Reason> {
        self.rules
            .iter()
            .filter(|rule| {
                !conversation
                    .handed_off
                    .iter()
                    .any(|done| done == rule.reason.word())
            })
            .find(|rule| match &rule.when {
                When::Grade(least) => {
                    let lead = card.grade(conversation, conversation.language);
                    card.reaches(&lead.grade, least)
                }
                When::Misses(count) => conversation.misses >= *count,
                When::Angry(count) => conversation.angry >= *count,
                When::Intent(any) => any.iter().any(|i| now_intents.contains(&i.as_str())),
            })
            .map(|rule| rule.reason)
    }

    pub fn parse(name: &str, source: &str) -> (Option<Self>, Vec<Problem>) {
        let mut file = File::new(name);
        let rules = file
            .parse(source)
            .and_then(|root| Self::read(&mut file, &root));
        (rules, file.problems)
    }

    fn read(file: &mut File<'_>, root: &Node) -> Option<Self> {
        let fields = file.fields(root, &["handoff"]);
        let list = fields.need(file, "handoff")?;
        let mut rules = Vec::new();
        for node in file.list(list) {
            let fields = file.fields(node, &["reason", "when"]);
            let reason = fields
                .need(file, "reason")
                .and_then(|node| file.word(node, &REASONS));
            let when = fields
                .need(file, "when")
                .and_then(|node| When::read(file, node));
            if let (Some(reason), Some(when)) = (reason, when) {
                rules.push(Rule { reason, when });
            }
        }
        Some(Self { rules })
    }
}

impl When {
    fn read(file: &mut File<'_>, node: &Node) -> Option<Self> {
        let fields = file.fields(node, &["grade", "misses", "angry", "intent"]);
        let count = |node: &Node, file: &mut File<'_>| {
            file.integer(node)
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| *n > 0)
        };
        if let Some(node) = fields.get("grade") {
            return file.text(node).map(When::Grade);
        }
        if let Some(node) = fields.get("misses") {
            return count(node, file).map(When::Misses);
        }
        if let Some(node) = fields.get("angry") {
            return count(node, file).map(When::Angry);
        }
        if let Some(node) = fields.get("intent") {
            return Some(When::Intent(file.texts(node)));
        }
        file.wrong(
            node,
            "no condition",
            "write {grade: A}, {misses: 2}, {angry: 2} or {intent: complain}",
        );
        None
    }
}

/// Where the customer came from, everything that was said of what is wanted, in a fixed order, then what was shown.
pub fn brief(conversation: &Conversation) -> Brief {
    let came = conversation.came.iter().map(|came| BriefLine {
        what: "source".to_owned(),
        value: came.door.word().to_owned(),
        turn: came.turn,
        quote: came.campaign.clone().unwrap_or_default(),
    });
    let wanted = conversation.slots.iter().map(|(slot, filled)| BriefLine {
        what: slot.clone(),
        value: filled.value.plain(),
        turn: filled.turn,
        quote: filled.quote.clone(),
    });
    let mut lines: Vec<BriefLine> = came.chain(wanted).collect();
    for intent in ["object_price", "hesitate", "seen_cheaper", "complain"] {
        if let Some(seen) = conversation.intents.get(intent) {
            lines.push(BriefLine {
                what: "objection".to_owned(),
                value: intent.to_owned(),
                turn: seen.turn,
                quote: seen.quote.clone(),
            });
        }
    }
    lines.truncate(BRIEF_LINES_MAX);
    Brief {
        language: conversation.language,
        grade: conversation.lead.grade.clone(),
        score: conversation.lead.score,
        lines,
        shown: conversation.shown.clone(),
        last_words: conversation
            .recent
            .iter()
            .rev()
            .find(|u| u.by == By::Customer)
            .map(|u| u.text.clone())
            .unwrap_or_default(),
    }
}

/// A rep on duty who speaks the language: one with a skill named in the wish first, then by id.
pub fn choose<'r>(
    reps: &'r [Rep],
    language: Language,
    wish: &str,
    moment: &Moment,
) -> Option<&'r Rep> {
    reps.iter()
        .filter(|rep| rep.languages.contains(&language) && rep.hours.open_at(moment))
        .min_by_key(|rep| {
            let skilled = rep.skills.iter().any(|skill| wish.contains(skill.as_str()));
            (!skilled, rep.id.clone())
        })
}

/// `reps.yaml`.
pub fn read_reps(name: &str, source: &str) -> (Vec<Rep>, Vec<Problem>) {
    let mut file = File::new(name);
    let mut reps: Vec<Rep> = Vec::new();
    if let Some(root) = file.parse(source) {
        let fields = file.fields(&root, &["reps"]);
        if let Some(list) = fields.need(&mut file, "reps") {
            for node in file.list(list) {
                if let Some(rep) = Rep::read(&mut file, node) {
                    if reps.iter().any(|other| other.id == rep.id) {
                        file.wrong(
                            node,
                            format!("rep `{}` stands twice", rep.id),
                            "give each rep an id of their own",
                        );
                    }
                    reps.push(rep);
                }
            }
        }
    }
    (reps, file.problems)
}

impl Rep {
    fn read(file: &mut File<'_>, node: &Node) -> Option<Self> {
        let fields = file.fields(
            node,
            &[
                "id",
                "name",
                "languages",
                "skills",
                "hours",
                "capacity",
                "reach",
            ],
        );
        let id = fields.need(file, "id")?;
        let id = file.text(id)?;
        let known = Language::ALL.map(|l| (l.tag(), l));
        let languages = match fields.get("languages") {
            Some(node) => file
                .list(node)
                .iter()
                .filter_map(|n| file.word(n, &known))
                .collect(),
            None => Language::ALL.to_vec(),
        };
        let reach = match fields.get("reach") {
            Some(node) => file
                .map(node)
                .iter()
                .filter_map(|(key, value)| Some((key.text.clone(), file.text(value)?)))
                .collect(),
            None => Vec::new(),
        };
        Some(Self {
            name: fields
                .get("name")
                .map(|node| Texts::read(file, node))
                .unwrap_or_default(),
            languages,
            skills: fields
                .get("skills")
                .map(|n| file.texts(n))
                .unwrap_or_default(),
            hours: fields
                .get("hours")
                .map(|n| Hours::read(file, n))
                .unwrap_or_default(),
            capacity: fields
                .get("capacity")
                .and_then(|n| file.integer(n))
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(1),
            reach,
            id,
        })
    }
}
