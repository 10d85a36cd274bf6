//! Whether a shop's own wordings keep the brand's rules, before a customer sees them.

use crate::convert;
use crate::shop::Shop;
use dialogs::Problem;
use dialogs::compose::Segment;
use dialogs::wording::{Piece, pieces};

/// One problem for each wording that the output rail would not let through.
pub fn problems(shop: &Shop) -> Vec<Problem> {
    let slot = dialogs::compose::Fact {
        text: "…".to_owned(),
        source: "check".to_owned(),
        revision: String::new(),
    };
    let mut problems = Vec::new();
    for (language, key, wordings) in shop.dialog.wordings.iter() {
        for wording in wordings {
            let Some(cut) = pieces(wording) else { continue };
            let cut: Vec<Segment<'_>> = cut
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Segment::Plain(text),
                    Piece::Slot(_) => Segment::Bound(&slot),
                })
                .collect();
            let segments = convert::segments(&cut);
            let verdict = shop.rails.output(&policies::Candidate {
                language: language.tag(),
                segments: &segments,
            });
            for finding in verdict.findings.iter().filter(|f| f.enforced) {
                problems.push(Problem {
                    file: format!("replies/{}.yaml", language.tag()),
                    line: line_of(shop, language.tag(), wording),
                    column: 1,
                    message: format!(
                        "reply `{key}` would not leave: rule `{}` says {}",
                        finding.rule, finding.reason
                    ),
                    help: Some(
                        "put the fact into a slot such as {price}, or leave it out".to_owned(),
                    ),
                });
            }
        }
    }
    problems
}

/// The line of the shop's file that a wording stands on; 0 where it is a default.
fn line_of(shop: &Shop, tag: &str, wording: &str) -> u32 {
    let first = wording.lines().next().unwrap_or(wording);
    shop.files
        .get(&format!("replies/{tag}.yaml"))
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|text| text.lines().position(|line| line.contains(first)))
        .and_then(|at| u32::try_from(at + 1).ok())
        .unwrap_or(0)
}
