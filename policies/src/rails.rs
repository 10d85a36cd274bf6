//! Packs compiled into the two rails, and one pass of a text along a rail.

use crate::claim::{self, Claim};
use crate::fold::{Folded, phrase};
use crate::pack::{Does, Kind, Pack, Rule};
use crate::{
    Action, Candidate, Edit, Finding, Problem, Rail, Segment, Verdict, commitment, injection, link,
    number, own,
};
use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Findings of one rule in one text; more tell an admin nothing new.
const FINDINGS_MAX: usize = 32;

/// All rules of all packs and the code-owned ones, ready to run.
#[derive(Debug)]
pub struct Rails {
    input: Side,
    output: Side,
}

impl Rails {
    /// The code-owned rules come first and no pack can delete or weaken them.
    ///
    /// Problems: a rule id that is taken, a pattern that is no regular expression or is too large, too many phrases.
    /// Whether a fallback key names a reply cannot be known here; see [`Rails::fallback_keys`].
    pub fn compile(packs: &[Pack]) -> Result<Rails, Vec<Problem>> {
        let own = own::pack();
        let mut problems = Vec::new();
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        let mut input = Vec::new();
        let mut output = Vec::new();
        for pack in std::iter::once(&own).chain(packs) {
            for rule in &pack.rules {
                if let Some(first) = taken.insert(&rule.id, &pack.file) {
                    problems.push(Problem {
                        file: pack.file.clone(),
                        line: rule.at.line,
                        column: rule.at.column,
                        message: format!("rule id \"{}\" is taken by {first}", rule.id),
                        help: Some("choose another id".to_owned()),
                    });
                }
                match Compiled::of(pack, rule) {
                    Ok(compiled) => match rule.rail {
                        Rail::Input => input.push(compiled),
                        Rail::Output => output.push(compiled),
                    },
                    Err(problem) => problems.push(problem),
                }
            }
        }
        let input = Side::of(input).map_err(|message| whole(&mut problems, message));
        let output = Side::of(output).map_err(|message| whole(&mut problems, message));
        match (input, output) {
            (Ok(input), Ok(output)) if problems.is_empty() => Ok(Rails { input, output }),
            _ => {
                problems.sort();
                Err(problems)
            }
        }
    }

    /// A customer's message, before anything stores or reads it.
    pub fn input(&self, text: &str, language: &str) -> Verdict {
        let segments = [Segment { text, bound: None }];
        self.input.run(Rail::Input, &segments, language)
    }

    /// A draft, before it leaves.
    pub fn output(&self, candidate: &Candidate<'_>) -> Verdict {
        self.output
            .run(Rail::Output, candidate.segments, candidate.language)
    }

    /// The reply keys that rules fall back to; each has to exist in the shop's wordings.
    pub fn fallback_keys(&self) -> BTreeSet<String> {
        self.input
            .rules
            .iter()
            .chain(&self.output.rules)
            .filter_map(|rule| rule.does.fallback().map(str::to_owned))
            .collect()
    }

    /// The ids of all rules with the pack and the rail they are of, code-owned ones first.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str, Rail)> {
        let input = self.input.rules.iter().map(|rule| (rule, Rail::Input));
        let output = self.output.rules.iter().map(|rule| (rule, Rail::Output));
        input
            .chain(output)
            .map(|(rule, rail)| (rule.id.as_str(), rule.pack.as_str(), rail))
    }
}

fn whole(problems: &mut Vec<Problem>, message: String) {
    problems.push(Problem {
        file: "policies".to_owned(),
        line: 0,
        column: 0,
        message,
        help: Some("shorten the lists of phrases".to_owned()),
    });
}

/// One rail: its rules, and one automaton over the phrases of all of them.
#[derive(Debug)]
struct Side {
    rules: Vec<Compiled>,
    automaton: AhoCorasick,
    /// For each phrase of the automaton, the rules that wait for it.
    waiting: Vec<Vec<(usize, Role)>>,
    reads_bound: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Match,
    Unless,
    Nearby,
}

#[derive(Debug)]
struct Compiled {
    id: String,
    pack: String,
    does: Does,
    enforced: bool,
    reason: String,
    languages: Vec<String>,
    bound: bool,
    probe: Probe,
    phrases: Vec<(Role, String)>,
}

/// How a rule finds its matches beside its phrases.
#[derive(Debug)]
enum Probe {
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

type Span = (usize, usize);

/// One folded text with what the automaton saw in it.
struct Sheet {
    folded: Folded,
    seen: Vec<(usize, Role, Span)>,
}

impl Compiled {
    fn of(pack: &Pack, rule: &Rule) -> Result<Compiled, Problem> {
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

    fn applies(&self, language: &str) -> bool {
        self.languages.is_empty() || self.languages.iter().any(|tag| tag == language)
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

impl Side {
    fn of(rules: Vec<Compiled>) -> Result<Side, String> {
        let mut waiting: BTreeMap<String, Vec<(usize, Role)>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for (role, phrase) in &rule.phrases {
                waiting
                    .entry(phrase.clone())
                    .or_default()
                    .push((index, *role));
            }
        }
        let automaton =
            AhoCorasick::new(waiting.keys()).map_err(|error| format!("phrases: {error}"))?;
        Ok(Side {
            reads_bound: rules.iter().any(|rule| rule.bound),
            rules,
            automaton,
            waiting: waiting.into_values().collect(),
        })
    }

    fn run(&self, rail: Rail, segments: &[Segment<'_>], language: &str) -> Verdict {
        let own = self.sheet(Folded::unbound(segments));
        let all = self.reads_bound.then(|| self.sheet(Folded::all(segments)));
        let mut verdict = Verdict::pass();
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.applies(language) {
                continue;
            }
            let sheet = match &all {
                Some(all) if rule.bound => all,
                _ => &own,
            };
            for (start, end) in self.matches(index, rule, sheet, segments) {
                let found = finding(rule, rail, &sheet.folded, (start, end), segments);
                verdict = verdict.join(found);
            }
        }
        verdict
    }

    fn sheet(&self, folded: Folded) -> Sheet {
        let mut seen = Vec::new();
        for found in self.automaton.find_overlapping_iter(&folded.text) {
            let span = (found.start(), found.end());
            if !at_word_borders(&folded.text, span) {
                continue;
            }
            let waiting = self.waiting.get(found.pattern().as_usize());
            for (rule, role) in waiting.into_iter().flatten() {
                seen.push((*rule, *role, span));
            }
        }
        Sheet { folded, seen }
    }

    fn matches(
        &self,
        index: usize,
        rule: &Compiled,
        sheet: &Sheet,
        segments: &[Segment<'_>],
    ) -> Vec<Span> {
        let text = sheet.folded.text.as_str();
        let of = |wanted: Role| {
            sheet
                .seen
                .iter()
                .filter(move |(rule, role, _)| *rule == index && *role == wanted)
                .map(|(_, _, span)| *span)
        };
        let mut spans: Vec<Span> = of(Role::Match).collect();
        match &rule.probe {
            Probe::Phrases => {}
            Probe::Claim(claims) => spans.extend(
                claim::find(text)
                    .into_iter()
                    .filter(|found| claims.contains(&found.claim))
                    .map(|found| (found.start, found.end)),
            ),
            Probe::Pattern(regex) => spans.extend(
                regex
                    .find_iter(text)
                    .filter(|found| !found.is_empty())
                    .map(|found| (found.start(), found.end())),
            ),
            Probe::Length(chars_max) => {
                let chars: usize = segments.iter().map(|s| s.text.chars().count()).sum();
                if chars > *chars_max {
                    spans.push((0, text.len()));
                }
            }
            Probe::Link(hosts) => spans.extend(link::strange(text, hosts)),
            Probe::CardNumber => spans.extend(number::cards(text)),
            Probe::IdNumber => spans.extend(number::resident_ids(text)),
            Probe::Injection => spans.extend(injection::find(text)),
            Probe::Commitment => spans.extend(commitment::find(text)),
        }
        spans.retain(|span| {
            of(Role::Unless).all(|pass| pass.1 <= span.0 || span.1 <= pass.0)
                && of(Role::Nearby).all(|near| {
                    let sentence = claim::sentence(text, span.0, span.1);
                    near.0 < sentence.0 || sentence.1 < near.1
                })
        });
        spans.sort_unstable();
        spans.dedup();
        spans.truncate(FINDINGS_MAX);
        spans
    }
}

fn finding(
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

/// A phrase that begins or ends with a Latin letter or digit counts only as whole words.
fn at_word_borders(text: &str, (start, end): Span) -> bool {
    let inside = text.get(start..end).unwrap_or_default();
    let before = text.get(..start).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    let joined = |a: Option<char>, b: Option<char>| {
        a.is_some_and(|c| c.is_ascii_alphanumeric()) && b.is_some_and(|c| c.is_ascii_alphanumeric())
    };
    !joined(before, inside.chars().next()) && !joined(inside.chars().next_back(), after)
}
