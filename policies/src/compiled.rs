//! One rule ready to run: its probe, and what it answers where the probe holds.

use crate::claim::Claim;
use crate::fold::{Folded, phrase};
use crate::pack::{Does, Kind, Pack, Rule};
use crate::{Action, Edit, Finding, Problem, Rail, Segment, Verdict, number};
use regex::{Regex, RegexBuilder};

/// Bytes of one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Bytes of a folded text, from and to.
pub type Span = (usize, usize);

#[derive(Debug)]
pub struct Compiled {
    pub id: String,
    pub pack: String,
    pub does: Does,
    pub enforced: bool,
    pub reason: String,
    pub languages: Vec<String>,
    pub bound: bool,
    pub probe: Probe,
    pub phrases: Vec<(Role, String)>,
}

/// How a rule finds its matches beside its phrases.
#[derive(Debug)]
pub enum Probe {
    Phrases,
    Claim(Vec<Claim>),
    Pattern(Regex),
    Length(usize),
    Link(Vec<String>),
    CardNumber,
    IdNumber,
    Injection,
    Commitment,
}

/// What a phrase is to the rule that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Match,
    Unless,
    Nearby,
}

impl Compiled {
    pub fn of(pack: &Pack, rule: &Rule) -> Result<Compiled, Problem> {
        let mut phrases: Vec<(Role, String)> = Vec::new();
        let mut add = |role, list: &[String]| {
            phrases.extend(list.iter().map(|text| (role, phrase(text))));
        };
        add(Role::Unless, &rule.unless);
        add(Role::Nearby, &rule.unless_nearby);
        let probe = match &rule.kind {
            Kind::Phrases { phrases } => {
                add(Role::Match, phrases);
                Probe::Phrases
            }
            Kind::Injection { phrases } => {
                add(Role::Match, phrases);
                Probe::Injection
            }
            Kind::Commitment { phrases } => {
                add(Role::Match, phrases);
                Probe::Commitment
            }
            Kind::Claim { claims } if claims.is_empty() => Probe::Claim(Claim::ALL.to_vec()),
            Kind::Claim { claims } => Probe::Claim(claims.clone()),
            Kind::Pattern { pattern, at } => {
                Probe::Pattern(regex(pattern).map_err(|(offset, message)| Problem {
                    file: pack.file.clone(),
                    line: at.line,
                    column: at.column,
                    message: format!("pattern of rule \"{}\" {message}", rule.id),
                    help: offset.map(|offset| format!("look at character {offset} of the pattern")),
                })?)
            }
            Kind::Length { chars_max } => Probe::Length(*chars_max),
            Kind::Link { hosts } => Probe::Link(hosts.iter().map(|h| phrase(h)).collect()),
            Kind::CardNumber => Probe::CardNumber,
            Kind::IdNumber => Probe::IdNumber,
        };
        Ok(Compiled {
            id: rule.id.clone(),
            pack: pack.name.clone(),
            does: rule.does.clone(),
            enforced: rule.enforced,
            reason: rule.reason.clone(),
            languages: rule.languages.clone(),
            bound: rule.bound,
            probe,
            phrases,
        })
    }

    /// Whether the rule is for a language; of `zh-CN` only `zh` counts.
    pub fn applies(&self, language: &str) -> bool {
        let tag = language.split('-').next().unwrap_or(language);
        self.languages.is_empty() || self.languages.iter().any(|own| own == tag)
    }
}

/// On failure the character of the pattern, where known, and what is wrong with it.
fn regex(pattern: &str) -> Result<Regex, (Option<usize>, String)> {
    let regex = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|error| match &error {
            regex::Error::CompiledTooBig(_) => (
                None,
                format!("compiles to more than {PATTERN_BYTES_MAX} bytes"),
            ),
            other => {
                let told = other.to_string();
                // The library marks the place with a caret under the pattern, indented by four.
                let offset = told
                    .lines()
                    .find_map(|line| line.trim_end().ends_with('^').then(|| line.find('^')))
                    .flatten()
                    .map(|at| at.saturating_sub(4) + 1);
                let what = told
                    .lines()
                    .find_map(|line| line.strip_prefix("error: "))
                    .unwrap_or("not readable");
                (offset, format!("is no regular expression: {what}"))
            }
        })?;
    if regex.is_match("") {
        return Err((None, "matches the empty text, so everything".to_owned()));
    }
    Ok(regex)
}

/// The verdict of one rule on one match.
pub fn finding(
    rule: &Compiled,
    rail: Rail,
    folded: &Folded,
    span: Span,
    segments: &[Segment<'_>],
) -> Verdict {
    let pieces = folded.pieces(span.0, span.1);
    let first = pieces.first().copied();
    let own = pieces.iter().filter(|piece| {
        segments
            .get(piece.segment)
            .is_some_and(|segment| segment.bound.is_none())
    });
    let edits: Vec<Edit> = match &rule.does {
        // A reply that is too long has no one place to mend.
        Does::Redact { .. } | Does::Amend { .. } if matches!(rule.probe, Probe::Length(_)) => {
            Vec::new()
        }
        Does::Redact { replace: None } if is_number(rule) => own
            .filter_map(|piece| {
                let text = segments
                    .get(piece.segment)?
                    .text
                    .get(piece.start..piece.end)?;
                Some(Edit {
                    segment: piece.segment,
                    start: piece.start,
                    end: piece.end,
                    replace: number::dotted(text),
                })
            })
            .collect(),
        Does::Redact { .. } | Does::Amend { .. } => own
            .enumerate()
            .map(|(at, piece)| Edit {
                segment: piece.segment,
                start: piece.start,
                end: piece.end,
                // What runs over several segments is written once.
                replace: if at == 0 {
                    replace_of(&rule.does).to_owned()
                } else {
                    String::new()
                },
            })
            .collect(),
        Does::Refuse { .. } | Does::Revise | Does::Block { .. } | Does::Escalate => Vec::new(),
    };
    let action = match &rule.does {
        _ if !rule.enforced => Action::Pass,
        Does::Redact { .. } | Does::Amend { .. } => Action::Amend {
            edits: edits.clone(),
        },
        Does::Refuse { fallback } | Does::Block { fallback } => Action::Block {
            fallback: fallback.clone(),
        },
        Does::Revise => Action::Revise {
            reasons: vec![rule.reason.clone()],
        },
        Does::Escalate => Action::Escalate {
            reason: rule.reason.clone(),
        },
    };
    Verdict {
        action,
        findings: vec![Finding {
            rule: rule.id.clone(),
            pack: rule.pack.clone(),
            rail,
            action: rule.does.word().to_owned(),
            enforced: rule.enforced,
            reason: rule.reason.clone(),
            segment: first.map_or(0, |piece| piece.segment),
            span: first.map_or((0, 0), |piece| (piece.start, piece.end)),
            edits,
        }],
    }
}

fn is_number(rule: &Compiled) -> bool {
    matches!(rule.probe, Probe::CardNumber | Probe::IdNumber)
}

/// What a match is replaced by.
fn replace_of(does: &Does) -> &str {
    match does {
        Does::Amend { replace } => replace,
        Does::Redact { replace } => replace.as_deref().unwrap_or("•••"),
        Does::Refuse { .. } | Does::Revise | Does::Block { .. } | Does::Escalate => "",
    }
}
