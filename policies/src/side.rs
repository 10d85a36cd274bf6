//! One pass of a text along one rail.

use crate::compiled::{Compiled, Probe, Role, Span, finding};
use crate::fold::Folded;
use crate::pack::Does;
use crate::{Rail, Segment, Verdict, claim, commitment, injection, link, number};
use aho_corasick::AhoCorasick;
use std::collections::BTreeMap;

/// Findings of one rule in one text; more tell an admin nothing new.
const FINDINGS_MAX: usize = 32;

/// One rail: its rules, and one automaton over the phrases of all of them.
#[derive(Debug)]
pub struct Side {
    pub rules: Vec<Compiled>,
    automaton: AhoCorasick,
    /// For each phrase of the automaton, the rules that wait for it.
    waiting: Vec<Vec<(usize, Role)>>,
    reads_bound: bool,
}

/// One folded text with what the automaton saw in it.
struct Sheet {
    folded: Folded,
    seen: Vec<(usize, Role, Span)>,
}

impl Side {
    pub fn of(rules: Vec<Compiled>) -> Result<Side, String> {
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

    pub fn run(&self, rail: Rail, segments: &[Segment<'_>], language: &str) -> Verdict {
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
        // What is taken out has to be taken out everywhere.
        if !matches!(rule.does, Does::Redact { .. } | Does::Amend { .. }) {
            spans.truncate(FINDINGS_MAX);
        }
        spans
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
