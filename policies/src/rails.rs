//! All packs as the two rails that every message and every draft runs along.

use crate::compiled::Compiled;
use crate::pack::Pack;
use crate::side::Side;
use crate::{Action, Candidate, Problem, Rail, Segment, Verdict, own};
use std::collections::{BTreeMap, BTreeSet};

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
    ///
    /// An amended draft is judged once more, so that no amendment can put a claim together.
    pub fn output(&self, candidate: &Candidate<'_>) -> Verdict {
        let segments = candidate.segments;
        let verdict = self.output.run(Rail::Output, segments, candidate.language);
        if !matches!(verdict.action, Action::Amend { .. }) {
            return verdict;
        }
        let texts = verdict.amended(segments);
        let amended: Vec<Segment<'_>> = texts
            .iter()
            .zip(segments)
            .map(|(text, segment)| Segment {
                text,
                bound: segment.bound,
            })
            .collect();
        let mut again = self.output.run(Rail::Output, &amended, candidate.language);
        if matches!(again.action, Action::Pass | Action::Amend { .. }) {
            return verdict;
        }
        again.findings.retain(|finding| finding.edits.is_empty());
        for finding in &mut again.findings {
            // The place is one of the amended text, which nobody sees.
            finding.span = (0, 0);
        }
        verdict.join(again)
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
