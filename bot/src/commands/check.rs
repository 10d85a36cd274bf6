//! `tiansheng check`: every problem in a shop's files.

use super::{Ended, FOUND_WRONG, ReportArgs, load, settings};
use crate::config::Overrides;
use crate::story;
use serde_json::json;
use std::process::ExitCode;

pub(super) fn run(args: ReportArgs) -> Ended {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            shop_dir: args.shop,
            ..Overrides::default()
        },
    )?;
    let (_, checked) = load(&settings)?;
    let (stories, story_problems) = story::read(&checked.shop.files);
    let mut problems = checked.problems;
    problems.extend(story_problems);
    problems.sort();
    let dialog = &checked.shop.dialog;
    if args.json {
        let list: Vec<_> = problems
            .iter()
            .map(|p| {
                json!({"file": p.file, "line": p.line, "column": p.column, "message": p.message, "help": p.help})
            })
            .collect();
        println!(
            "{}",
            json!({
                "problems": list,
                "products": dialog.catalogue.products().len(),
                "passages": dialog.knowledge.len(),
                "stories": stories.len(),
                "policy": checked.shop.policy,
            })
        );
    } else {
        for problem in &problems {
            println!("{problem}");
        }
        eprintln!(
            "{} products, {} passages of knowledge, {} intents, {} stories; {}",
            dialog.catalogue.products().len(),
            dialog.knowledge.len(),
            dialog.intents.len(),
            stories.len(),
            match problems.len() {
                0 => "nothing is wrong".to_owned(),
                1 => "1 problem".to_owned(),
                n => format!("{n} problems"),
            }
        );
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_WRONG)
    })
}
