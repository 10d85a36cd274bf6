//! A pack of rules as an admin writes it, read so that every problem names its place.

use crate::claim::Claim;
use crate::yaml::{Fields, File, Node, Place, near};
use crate::{Problem, Rail};

/// Rules in one pack.
pub const RULES_MAX: usize = 500;
/// Phrases in one list of one rule.
pub const PHRASES_MAX: usize = 20_000;
/// Characters of one phrase or pattern.
pub const PHRASE_CHARS_MAX: usize = 500;

/// A pack that was read without problems; `Rails::compile` turns packs into rails.
#[derive(Clone, Debug)]
pub struct Pack {
    pub name: String,
    pub file: String,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub at: Place,
    pub rail: Rail,
    pub kind: Kind,
    pub does: Does,
    /// False for `mode: observe`.
    pub enforced: bool,
    pub reason: String,
    /// Language tags the rule is for; empty for all.
    pub languages: Vec<String>,
    /// A match that overlaps one of these is none.
    pub unless: Vec<String>,
    /// A match in whose sentence one of these stands is none.
    pub unless_nearby: Vec<String>,
    /// Also reads what is bound to evidence.
    pub bound: bool,
}

/// What a rule looks for.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Commercial claims that no evidence carries; empty means every sort of claim.
    Claim {
        claims: Vec<Claim>,
    },
    Phrases {
        phrases: Vec<String>,
    },
    Pattern {
        pattern: String,
        at: Place,
    },
    Length {
        chars_max: usize,
    },
    Link {
        hosts: Vec<String>,
    },
    CardNumber,
    IdNumber,
    Injection {
        phrases: Vec<String>,
    },
    Commitment {
        phrases: Vec<String>,
    },
}

/// What a rule does where it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Does {
    /// Without a text, every digit but the last four becomes a dot, or the match three dots.
    Redact {
        replace: Option<String>,
    },
    Refuse {
        fallback: String,
    },
    Amend {
        replace: String,
    },
    Revise,
    Block {
        fallback: String,
    },
    Escalate,
}

impl Does {
    pub fn word(&self) -> &'static str {
        match self {
            Does::Redact { .. } => "redact",
            Does::Refuse { .. } => "refuse",
            Does::Amend { .. } => "amend",
            Does::Revise => "revise",
            Does::Block { .. } => "block",
            Does::Escalate => "escalate",
        }
    }

    /// The reply key that has to exist for this action.
    pub fn fallback(&self) -> Option<&str> {
        match self {
            Does::Refuse { fallback } | Does::Block { fallback } => Some(fallback),
            Does::Redact { .. } | Does::Amend { .. } | Does::Revise | Does::Escalate => None,
        }
    }
}

const RAILS: [(&str, Rail); 2] = [("input", Rail::Input), ("output", Rail::Output)];

#[derive(Clone, Copy, PartialEq)]
enum Word {
    Claim,
    Phrases,
    Pattern,
    Length,
    Link,
    CardNumber,
    IdNumber,
    Injection,
    Commitment,
}

const KINDS: [(&str, Word); 9] = [
    ("claim", Word::Claim),
    ("phrases", Word::Phrases),
    ("pattern", Word::Pattern),
    ("length", Word::Length),
    ("link", Word::Link),
    ("card_number", Word::CardNumber),
    ("id_number", Word::IdNumber),
    ("injection", Word::Injection),
    ("commitment", Word::Commitment),
];

const RULE_KEYS: [&str; 17] = [
    "id",
    "rail",
    "kind",
    "action",
    "mode",
    "reason",
    "languages",
    "unless",
    "unless_nearby",
    "bound",
    "phrases",
    "pattern",
    "chars_max",
    "hosts",
    "claims",
    "replace",
    "fallback",
];

impl Pack {
    /// Reads one pack file; `file` is only the name that problems carry.
    pub fn parse(file: &str, source: &str) -> Result<Pack, Vec<Problem>> {
        let mut reader = File::new(file);
        let pack = reader
            .parse(source)
            .and_then(|node| read_pack(&mut reader, &node, file));
        match pack {
            Some(pack) if reader.problems.is_empty() => Ok(pack),
            _ => {
                if reader.problems.is_empty() {
                    reader.problem(
                        Place::default(),
                        "holds no pack",
                        Some("write `pack: name` and `rules: […]`".to_owned()),
                    );
                }
                reader.problems.sort();
                Err(reader.problems)
            }
        }
    }
}

fn read_pack(file: &mut File<'_>, node: &Node, name_of_file: &str) -> Option<Pack> {
    let fields = file.fields(node, &["pack", "rules"]);
    let name = fields
        .need(file, "pack")
        .and_then(|node| identifier(file, node));
    let mut rules: Vec<Rule> = Vec::new();
    if let Some(list) = fields.need(file, "rules") {
        let nodes = file.list(list);
        if nodes.len() > RULES_MAX {
            let message = format!("{} rules; at most {RULES_MAX}", nodes.len());
            file.wrong(list, message, "split the pack into several files");
        }
        for node in nodes.iter().take(RULES_MAX) {
            if let Some(rule) = read_rule(file, node) {
                if let Some(first) = rules.iter().find(|other| other.id == rule.id) {
                    let message = format!("rule id \"{}\" is taken", rule.id);
                    let help = format!("line {} has it; choose another", first.at.line);
                    file.problem(rule.at, message, Some(help));
                }
                rules.push(rule);
            }
        }
    }
    Some(Pack {
        name: name?,
        file: name_of_file.to_owned(),
        rules,
    })
}

fn read_rule(file: &mut File<'_>, node: &Node) -> Option<Rule> {
    let fields = file.fields(node, &RULE_KEYS);
    let id_node = fields.need(file, "id");
    let id = id_node.and_then(|node| identifier(file, node));
    let rail = fields
        .need(file, "rail")
        .and_then(|node| file.word(node, &RAILS));
    let word = fields
        .need(file, "kind")
        .and_then(|node| file.word(node, &KINDS));
    let does = read_action(file, &fields, rail);
    let enforced = fields
        .find("mode")
        .and_then(|node| file.word(node, &[("enforce", true), ("observe", false)]))
        .unwrap_or(true);
    let bound = fields
        .find("bound")
        .and_then(|node| file.word(node, &[("skip", false), ("read", true)]))
        .unwrap_or(false);
    let reason = fields.need(file, "reason").and_then(|node| file.text(node));
    let languages = match fields.find("languages") {
        Some(node) => {
            let known = [("zh", "zh"), ("en", "en")];
            let nodes = file.list(node);
            nodes
                .iter()
                .filter_map(|node| file.word(node, &known).map(str::to_owned))
                .collect()
        }
        None => Vec::new(),
    };
    let unless = phrases(file, &fields, "unless");
    let unless_nearby = phrases(file, &fields, "unless_nearby");
    let word = word?;
    out_of_place(file, &fields, word);
    let kind = read_kind(file, &fields, word);
    Some(Rule {
        id: id?,
        at: id_node.map_or(fields.at, |node| node.at),
        rail: rail?,
        kind: kind?,
        does: does?,
        enforced,
        reason: reason?,
        languages,
        unless,
        unless_nearby,
        bound,
    })
}

fn read_kind(file: &mut File<'_>, fields: &Fields<'_>, word: Word) -> Option<Kind> {
    Some(match word {
        Word::Claim => {
            let known: Vec<(&str, Claim)> = Claim::ALL.iter().map(|c| (c.word(), *c)).collect();
            let claims = match fields.find("claims") {
                Some(node) => {
                    let nodes = file.list(node);
                    nodes
                        .iter()
                        .filter_map(|node| file.word(node, &known))
                        .collect()
                }
                None => Vec::new(),
            };
            Kind::Claim { claims }
        }
        Word::Phrases => {
            let node = fields.need(file, "phrases")?;
            let phrases = phrases(file, fields, "phrases");
            if phrases.is_empty() {
                file.wrong(
                    node,
                    "no phrases",
                    "list at least one phrase, or leave the rule out",
                );
                return None;
            }
            Kind::Phrases { phrases }
        }
        Word::Pattern => {
            let node = fields.need(file, "pattern")?;
            Kind::Pattern {
                pattern: file.text(node)?,
                at: node.at,
            }
        }
        Word::Length => {
            let node = fields.need(file, "chars_max")?;
            Kind::Length {
                chars_max: file.count(node)?,
            }
        }
        Word::Link => Kind::Link {
            hosts: phrases(file, fields, "hosts"),
        },
        Word::CardNumber => Kind::CardNumber,
        Word::IdNumber => Kind::IdNumber,
        Word::Injection => Kind::Injection {
            phrases: phrases(file, fields, "phrases"),
        },
        Word::Commitment => Kind::Commitment {
            phrases: phrases(file, fields, "phrases"),
        },
    })
}

/// Reports the keys that mean nothing for this kind or this action.
fn out_of_place(file: &mut File<'_>, fields: &Fields<'_>, word: Word) {
    for (key, _) in fields.keys() {
        let kinds: &[Word] = match key.text.as_str() {
            "phrases" => &[Word::Phrases, Word::Injection, Word::Commitment],
            "pattern" => &[Word::Pattern],
            "chars_max" => &[Word::Length],
            "hosts" => &[Word::Link],
            "claims" => &[Word::Claim],
            _ => continue,
        };
        if !kinds.contains(&word) {
            let of: Vec<&str> = KINDS
                .iter()
                .filter(|(_, kind)| kinds.contains(kind))
                .map(|(word, _)| *word)
                .collect();
            let help = format!("it belongs to the kind {}", of.join(" or "));
            let message = format!("key \"{}\" means nothing for this kind", key.text);
            file.problem(key.at, message, Some(help));
        }
    }
}

fn read_action(file: &mut File<'_>, fields: &Fields<'_>, rail: Option<Rail>) -> Option<Does> {
    let node = fields.need(file, "action")?;
    let word = file.text(node)?;
    let replace = fields.find("replace");
    let fallback = fields.find("fallback");
    let allowed: &[&str] = match rail {
        Some(Rail::Input) => &["redact", "refuse", "escalate"],
        Some(Rail::Output) => &["amend", "revise", "block", "escalate"],
        None => &["redact", "refuse", "amend", "revise", "block", "escalate"],
    };
    if !allowed.contains(&word.as_str()) {
        let help = near(&word, allowed.iter().copied()).map_or_else(
            || format!("one of: {}", allowed.join(", ")),
            |right| format!("did you mean \"{right}\"?"),
        );
        let rail = rail.map_or("any", Rail::word);
        file.wrong(
            node,
            format!("action \"{word}\" is not for the {rail} rail"),
            help,
        );
        return None;
    }
    if let Some(node) = replace.filter(|_| !matches!(word.as_str(), "redact" | "amend")) {
        file.wrong(
            node,
            format!("\"replace\" means nothing for {word}"),
            "leave it out",
        );
    }
    if let Some(node) = fallback.filter(|_| !matches!(word.as_str(), "refuse" | "block")) {
        file.wrong(
            node,
            format!("\"fallback\" means nothing for {word}"),
            "leave it out",
        );
    }
    Some(match word.as_str() {
        "redact" => Does::Redact {
            replace: match replace {
                Some(node) => Some(replacement(file, node)?),
                None => None,
            },
        },
        "amend" => {
            let node = fields.need(file, "replace")?;
            Does::Amend {
                replace: replacement(file, node)?,
            }
        }
        "refuse" | "block" => {
            let node = fields.need(file, "fallback")?;
            let fallback = file.text(node)?;
            if word == "refuse" {
                Does::Refuse { fallback }
            } else {
                Does::Block { fallback }
            }
        }
        "revise" => Does::Revise,
        _ => Does::Escalate,
    })
}

/// A text that may be empty: the match is then taken out.
fn replacement(file: &mut File<'_>, node: &Node) -> Option<String> {
    match &node.value {
        crate::yaml::Value::Text(text) => Some(text.clone()),
        _ => file.text(node),
    }
}

fn phrases(file: &mut File<'_>, fields: &Fields<'_>, key: &str) -> Vec<String> {
    let Some(node) = fields.find(key) else {
        return Vec::new();
    };
    let texts = file.texts(node);
    if texts.len() > PHRASES_MAX {
        let message = format!("{} phrases; at most {PHRASES_MAX}", texts.len());
        file.wrong(node, message, "split the rule into several");
    }
    let mut phrases = Vec::new();
    for (at, text) in texts {
        if text.chars().count() > PHRASE_CHARS_MAX {
            let message = format!("phrase is longer than {PHRASE_CHARS_MAX} characters");
            file.problem(at, message, Some("give the part that matters".to_owned()));
        } else if crate::fold::phrase(&text).is_empty() {
            let help = "write at least one visible character".to_owned();
            file.problem(at, "phrase is empty", Some(help));
        } else {
            phrases.push(text);
        }
    }
    phrases
}

/// A name of lower-case letters, digits, `-`, `_` and `.`.
fn identifier(file: &mut File<'_>, node: &Node) -> Option<String> {
    let text = file.text(node)?;
    let fits = text
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    if !fits {
        file.wrong(
            node,
            format!("\"{text}\" is not a name"),
            "use lower-case letters, digits and hyphens, such as absolute-terms",
        );
        return None;
    }
    Some(text)
}
