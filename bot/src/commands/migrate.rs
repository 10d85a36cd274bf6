//! `tiansheng migrate`: a shop moves from the files of one machine to Redis and PostgreSQL.

use super::{Ended, FOUND_WRONG, Stop, runtime, settings};
use crate::config::{Overrides, Settings};
use crate::migrate::{Moved, Progress, Report, Sides, records_file, run as moved, state_file};
use crate::store::records::Compared;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) const EXAMPLES: &str = "\
Examples:
  tiansheng migrate                          from ./data to state.url and records.url of tiansheng.toml
  tiansheng migrate --from /var/lib/tiansheng --config new.toml --json

Stop the server on the files first, and start none on the target before it is done.
With one of the two URLs only that part moves. Cut off at any moment, it goes on when it is run again.
Exit status: 0 both sides are the same, 1 something differs or is in the way, 2 nothing to move, or nowhere to move it";

#[derive(Args)]
pub(super) struct MigrateArgs {
    /// Folder of the files (default: the setting data.dir)
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Settings file that names the target (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: MigrateArgs) -> Ended {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            data_dir: args.from.clone(),
            ..Overrides::default()
        },
    )?;
    let from = settings.data.dir.clone();
    if settings.state.is_none() && settings.records.is_none() {
        return Err(Stop::Usage(
            "nowhere to move it: set state.url to a Redis, records.url to a PostgreSQL, or both"
                .to_owned(),
        ));
    }
    let (state, records) = (state_file(&from).exists(), records_file(&from).exists());
    if !state && !records {
        return Err(Stop::Usage(format!(
            "{}: neither state.redb nor records.sqlite is here; name the folder with --from",
            from.display()
        )));
    }
    if !state && settings.records.is_none() {
        return Err(Stop::Usage(format!(
            "{}: no state.redb is here, and records.url names no place for the records",
            from.display()
        )));
    }
    let bar = Bar::default();
    let report = runtime()?.block_on(moved(&from, &settings, &mut |progress| bar.seen(progress)));
    bar.bar.finish_and_clear();
    let report = report.map_err(|error| Stop::Failed(error.to_string()))?;
    if args.json {
        println!("{}", document(&from, &settings, &report));
    } else {
        tell(&from, &settings, &report);
    }
    Ok(match report.same() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FOUND_WRONG),
    })
}

/// Standard error stays empty where it is no terminal.
struct Bar {
    bar: ProgressBar,
}

impl Default for Bar {
    fn default() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let form = "{percent:>3}% [{bar:30}] {pos} of {len}, {per_sec}, {msg}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar }
    }
}

impl Bar {
    fn seen(&self, progress: Progress) {
        match progress {
            Progress::Begun { what, total } => {
                self.bar.reset();
                self.bar.set_length(total);
                self.bar.set_message(what);
            }
            Progress::Done(more) => self.bar.inc(more),
        }
    }
}

fn parts(moved: &Moved) -> [(&'static str, &Sides); 3] {
    [
        ("conversations", &moved.conversations),
        ("facts", &moved.facts),
        ("pointers", &moved.pointers),
    ]
}

fn document(from: &Path, settings: &Settings, report: &Report) -> Value {
    let tables = report.records.as_ref().map(|tables| {
        let list: Vec<Value> = tables
            .iter()
            .map(|table| {
                json!({
                    "table": table.table, "same": table.same(),
                    "rows": table.rows, "rows_there": table.rows_there,
                    "hash": table.hash, "hash_there": table.hash_there,
                    "differs": table.differs,
                })
            })
            .collect();
        json!({"to": settings.records.as_ref().map(ToString::to_string), "tables": list})
    });
    let side = |sides: &Sides| {
        json!({
            "same": sides.same(),
            "count": sides.count, "count_there": sides.count_there,
            "hash": sides.hash, "hash_there": sides.hash_there,
            "differs": sides.differs,
        })
    };
    let state = report.state.as_ref().map(|moved| {
        let to = settings.state.as_ref().map(ToString::to_string);
        let mut document = serde_json::Map::from_iter([("to".to_owned(), json!(to))]);
        for (name, sides) in parts(moved) {
            document.insert(name.to_owned(), side(sides));
        }
        document
    });
    json!({
        "same": report.same(),
        "from": from.display().to_string(),
        "archived": report.archived,
        "records": tables,
        "state": state,
        "next": next(from, report),
    })
}

fn tell(from: &Path, settings: &Settings, report: &Report) {
    if report.archived > 0 {
        println!(
            "{} steps of the journal went into the records first",
            report.archived
        );
    }
    match (&report.records, &settings.records) {
        (Some(tables), Some(to)) => {
            println!("records → {to}");
            for table in tables {
                let Compared {
                    table: name,
                    rows,
                    rows_there,
                    hash,
                    hash_there,
                    ..
                } = table;
                line(
                    name,
                    (*rows, hash),
                    (*rows_there, hash_there),
                    table.same(),
                    table.differs.as_deref(),
                );
            }
        }
        _ => println!(
            "records: left as they are in {}; records.url is not set",
            records_file(from).display()
        ),
    }
    match (&report.state, &settings.state) {
        (Some(moved), Some(to)) => {
            println!("live state → {to}");
            for (name, sides) in parts(moved) {
                line(
                    name,
                    (sides.count, &sides.hash),
                    (sides.count_there, &sides.hash_there),
                    sides.same(),
                    sides.differs.as_deref(),
                );
            }
        }
        (None, Some(_)) => println!(
            "live state: no state.redb is in {}; nothing to move",
            from.display()
        ),
        _ => println!(
            "live state: left as it is in {}; state.url is not set",
            state_file(from).display()
        ),
    }
    for line in next(from, report) {
        println!("{line}");
    }
}

/// Letters of a hash that are shown to people; the document has it whole.
const HASH_SHOWN: usize = 16;

fn line(
    name: &str,
    (here, hash): (u64, &str),
    (there, hash_there): (u64, &str),
    same: bool,
    differs: Option<&str>,
) {
    let mark = if same { "ok   " } else { "WRONG" };
    let short = |hash: &str| hash.chars().take(HASH_SHOWN).collect::<String>();
    println!(
        "  {mark} {name:13} {here:>9} here  {}   {there:>9} there {}",
        short(hash),
        short(hash_there)
    );
    if let Some(differs) = differs {
        println!("        {name:13} the first that differs: {differs}");
    }
}

fn next(from: &Path, report: &Report) -> Vec<String> {
    if !report.same() {
        return vec![
            "the two sides are not the same: keep serving from the files; see whether a server runs on either side, and begin again with an empty target".to_owned(),
        ];
    }
    let set = match (&report.state, &report.records) {
        (Some(_), Some(_)) => "state.url and records.url",
        (Some(_), None) => "state.url",
        _ => "records.url",
    };
    let old = from.display();
    let files = match (&report.state, &report.records) {
        (Some(_), Some(_)) => format!("nothing reads {old} any more: archive it"),
        (Some(_), None) => format!(
            "{} is read no more and may be archived; the records stay in {old}, which every replica needs as its data.dir",
            state_file(from).display()
        ),
        _ => format!(
            "{} is read no more and may be archived",
            records_file(from).display()
        ),
    };
    vec![
        format!("both sides are the same; set {set} as here for every replica, then start them"),
        files,
    ]
}
