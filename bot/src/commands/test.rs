//! `tiansheng test`: the shop's own conversation tests, and how well they bear other words.

use super::{Ended, FOUND_WRONG, Stop, load, runtime, settings};
use crate::config::Overrides;
use crate::story::vary::{Aspect, Difference, Score, Tally, Variation, score};
use crate::story::{self, Failure, Story};
use clap::Args;
use dialogs::Problem;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

pub(super) const EXAMPLES: &str = "\
Examples:
  tiansheng test --shop my-shop
  tiansheng test --only discount          the stories with that in their name or file
  tiansheng test --vary                   every story again in traditional characters, with typing slips, emoji, …
  tiansheng test --vary --at-least 95 --errors differs.jsonl
Exit status: 0 all as expected, 1 something differs, 2 no such shop or story";

#[derive(Args)]
pub(super) struct TestArgs {
    /// Shop folder (default: the demo shop)
    #[arg(long, value_name = "DIR")]
    shop: Option<PathBuf>,
    /// Only stories with this text in their name or file
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Runs every story again with its words changed, and tells how many turns come out the same
    #[arg(long)]
    vary: bool,
    /// Least share of turns that come out the same, in percent
    #[arg(long, value_name = "PERCENT", requires = "vary")]
    at_least: Option<f64>,
    /// Writes the turns that come out otherwise, one JSON object a line
    #[arg(long, value_name = "FILE", requires = "vary")]
    errors: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Differences printed in full; `--errors` writes all of them.
const DIFFERENCES_PRINTED_MAX: usize = 40;

pub(super) fn run(args: TestArgs) -> Ended {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            shop_dir: args.shop.clone(),
            ..Overrides::default()
        },
    )?;
    let (_, checked) = load(&settings)?;
    let shop = Arc::new(checked.shop);
    let (stories, problems) = story::read(&shop.files);
    let chosen: Vec<&Story> = stories
        .iter()
        .filter(|story| {
            args.only
                .as_ref()
                .is_none_or(|text| story.name.contains(text) || story.file.contains(text))
        })
        .collect();
    if let Some(text) = args.only.as_ref().filter(|_| chosen.is_empty()) {
        return Err(Stop::Usage(format!(
            "none of the {} stories has `{text}` in its name or file",
            stories.len()
        )));
    }
    let runtime = runtime()?;
    let good = if args.vary {
        let score = runtime.block_on(score(&chosen, &shop))?;
        varied(&args, &score, &problems)?
    } else {
        let mut failures = Vec::new();
        let mut failed = 0;
        for story in &chosen {
            let found = runtime.block_on(story.run(&shop))?.failures;
            failed += usize::from(!found.is_empty());
            failures.extend(found);
        }
        tell(&args, chosen.len() - failed, failed, &failures, &problems);
        failures.is_empty()
    };
    Ok(if good && problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_WRONG)
    })
}

fn tell(args: &TestArgs, passed: usize, failed: usize, failures: &[Failure], problems: &[Problem]) {
    if args.json {
        let list: Vec<_> = failures
            .iter()
            .map(|f| {
                json!({"file": f.file, "line": f.line, "story": f.story, "turn": f.turn, "said": f.said, "expected": f.expected, "found": f.found})
            })
            .collect();
        println!(
            "{}",
            json!({"passed": passed, "failed": failed, "failures": list, "problems": listed(problems)})
        );
        return;
    }
    for problem in problems {
        println!("{problem}");
    }
    let mut place = None;
    for failure in failures {
        let here = (&failure.file, &failure.story, failure.turn);
        if place != Some(here) {
            println!("{}:{}: {}", failure.file, failure.line, failure.story);
            println!("    turn {}   {}", failure.turn, indented(&failure.said));
            place = Some(here);
        }
        println!("    expected {}  (line {})", failure.expected, failure.line);
        println!("    found    {}", indented(&failure.found));
    }
    println!("{passed} passed, {failed} failed");
}

/// Prints the score; `false` where it is below what is asked for.
fn varied(args: &TestArgs, score: &Score, problems: &[Problem]) -> Result<bool, Stop> {
    if let Some(path) = &args.errors {
        let lines: String = score
            .differences
            .iter()
            .map(|difference| format!("{}\n", difference_json(difference)))
            .collect();
        std::fs::write(path, lines)
            .map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))?;
    }
    let enough = args
        .at_least
        .is_none_or(|least| percent(score.total) >= least);
    if args.json {
        println!("{}", score_json(score, problems));
        return Ok(enough);
    }
    for problem in problems {
        println!("{problem}");
    }
    for difference in score.differences.iter().take(DIFFERENCES_PRINTED_MAX) {
        print_difference(difference);
    }
    let more = score
        .differences
        .len()
        .saturating_sub(DIFFERENCES_PRINTED_MAX);
    if more > 0 {
        println!("… and {more} more; --errors FILE writes all of them\n");
    }
    let row = |name: &str, tally: &Tally| {
        println!(
            "{name:<22} {:>6.2} %   {:>5} of {}",
            percent(*tally),
            tally.same,
            tally.of
        );
    };
    for (variation, tally) in &score.by_variation {
        row(variation.name(), tally);
    }
    println!();
    for (aspect, tally) in &score.by_aspect {
        row(aspect.name(), tally);
    }
    println!();
    row("all", &score.total);
    // A pipe that is closed early is no failure of the test.
    let _ = std::io::stdout().flush();
    Ok(enough)
}

fn print_difference(difference: &Difference) {
    println!(
        "{}:{}: {} [{}]",
        difference.file,
        difference.line,
        difference.story,
        difference.variation.name()
    );
    println!("    said     {}", indented(&difference.original));
    println!("    changed  {}", indented(&difference.changed));
    for (aspect, was, is) in &difference.aspects {
        println!("    {:<8} {was}  →  {is}", aspect.name());
    }
    println!();
}

fn score_json(score: &Score, problems: &[Problem]) -> Value {
    let shares = |tallies: Vec<(&'static str, Tally)>| -> Value {
        tallies
            .into_iter()
            .map(|(name, tally)| (name.to_owned(), tally_json(tally)))
            .collect::<serde_json::Map<String, Value>>()
            .into()
    };
    let of_variation = |v: &Variation| (v.name(), score.by_variation.get(v).copied());
    let of_aspect = |a: &Aspect| (a.name(), score.by_aspect.get(a).copied());
    let present = |(name, tally): (&'static str, Option<Tally>)| Some((name, tally?));
    let by_variation = Variation::ALL
        .iter()
        .map(of_variation)
        .filter_map(present)
        .collect();
    let by_aspect = Aspect::ALL
        .iter()
        .map(of_aspect)
        .filter_map(present)
        .collect();
    json!({
        "stories": score.stories,
        "score": score.total.share(),
        "same": score.total.same,
        "compared": score.total.of,
        "by_variation": shares(by_variation),
        "by_aspect": shares(by_aspect),
        "differences": score.differences.iter().map(difference_json).collect::<Vec<_>>(),
        "problems": listed(problems),
    })
}

fn tally_json(tally: Tally) -> Value {
    json!({"score": tally.share(), "same": tally.same, "compared": tally.of})
}

fn difference_json(difference: &Difference) -> Value {
    let differs: serde_json::Map<String, Value> = difference
        .aspects
        .iter()
        .map(|(aspect, was, is)| (aspect.name().to_owned(), json!({"was": was, "is": is})))
        .collect();
    json!({
        "file": difference.file,
        "line": difference.line,
        "story": difference.story,
        "variation": difference.variation.name(),
        "original": difference.original,
        "changed": difference.changed,
        "differs": differs,
    })
}

fn listed(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn percent(tally: Tally) -> f64 {
    tally.share() * 100.0
}

/// Further lines of a text start where its first one does.
fn indented(text: &str) -> String {
    text.trim().replace('\n', "\n             ")
}
