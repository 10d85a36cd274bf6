//! `tiansheng replay`: logged turns run again from their tape, without network.

use super::{Ended, FOUND_WRONG, ReplayArgs, Stop, runtime, settings};
use crate::config::Overrides;
use crate::replay::{Report, conversation};
use crate::store::RecordStore;
use crate::store::records::Records;
use serde_json::json;
use std::process::ExitCode;

/// Conversations that `--all` reads in one page.
const PAGE: usize = 500;

pub(super) fn run(args: ReplayArgs) -> Ended {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            data_dir: args.data,
            ..Overrides::default()
        },
    )?;
    let dir = settings.data.dir.clone();
    if settings.records.is_none() && !dir.join("records.sqlite").exists() {
        return Err(Stop::Usage(format!(
            "{}: no records are here; name the folder with --data",
            dir.display()
        )));
    }
    runtime()?.block_on(async {
        let records = match &settings.records {
            Some(server) => Records::on_server(server),
            None => Records::in_folder(&dir)
                .await
                .map_err(|error| Stop::Failed(error.to_string()))?,
        };
        let mut reports = Vec::new();
        match &args.conversation {
            Some(id) => reports.push(conversation(&records, id, args.turn).await?),
            None => {
                let mut after = String::new();
                loop {
                    let page = records
                        .conversations(&after, PAGE)
                        .await
                        .map_err(|error| Stop::Failed(error.to_string()))?;
                    let Some(last) = page.last() else { break };
                    after.clone_from(&last.id);
                    for kept in &page {
                        reports.push(conversation(&records, &kept.id, None).await?);
                    }
                }
            }
        }
        if let (Some(id), true) = (&args.conversation, reports.iter().all(|r| r.turns == 0)) {
            return Err(Stop::Usage(format!("no turn of `{id}` is in the records")));
        }
        Ok(tell(&reports, args.json))
    })
}

fn tell(reports: &[Report], as_json: bool) -> ExitCode {
    let turns: usize = reports.iter().map(|report| report.turns).sum();
    let differing: usize = reports.iter().map(|report| report.differences.len()).sum();
    if as_json {
        let list: Vec<_> = reports
            .iter()
            .flat_map(|report| {
                report.differences.iter().map(|d| {
                    json!({"conversation": report.conversation, "turn": d.turn, "logged": d.logged, "replayed": d.replayed})
                })
            })
            .collect();
        println!(
            "{}",
            json!({"conversations": reports.len(), "turns": turns, "differences": list})
        );
    } else {
        for report in reports {
            for d in &report.differences {
                println!("{} turn {}", report.conversation, d.turn);
                println!("  logged   {}", d.logged);
                println!("  replayed {}", d.replayed);
            }
        }
        println!("{turns} turns replayed, {differing} differences");
    }
    if differing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_WRONG)
    }
}
