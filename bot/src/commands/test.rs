//! `tiansheng test`: the shop's own conversation tests.

use super::{Ended, FOUND_WRONG, ReportArgs, load, runtime, settings};
use crate::config::Overrides;
use crate::story;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;

pub(super) fn run(args: ReportArgs) -> Ended {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            shop_dir: args.shop,
            ..Overrides::default()
        },
    )?;
    let (_, checked) = load(&settings)?;
    let shop = Arc::new(checked.shop);
    let (stories, problems) = story::read(&shop.files);
    let mut failures = Vec::new();
    let mut failed = 0;
    let runtime = runtime()?;
    for story in &stories {
        let found = runtime.block_on(story.run(&shop))?;
        failed += usize::from(!found.is_empty());
        failures.extend(found);
    }
    let passed = stories.len() - failed;
    if args.json {
        let list: Vec<_> = failures
            .iter()
            .map(|f| {
                json!({"file": f.file, "line": f.line, "story": f.story, "expected": f.expected, "found": f.found})
            })
            .collect();
        println!(
            "{}",
            json!({"passed": passed, "failed": failed, "failures": list, "problems": problems.len()})
        );
    } else {
        for problem in &problems {
            println!("{problem}");
        }
        for failure in &failures {
            println!("{}:{}: {}", failure.file, failure.line, failure.story);
            println!("    expected {}", failure.expected);
            println!(
                "    found    {}",
                failure.found.trim().replace('\n', "\n             ")
            );
        }
        println!("{passed} passed, {failed} failed");
    }
    Ok(if failures.is_empty() && problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_WRONG)
    })
}
