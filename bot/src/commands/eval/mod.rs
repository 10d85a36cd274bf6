//! `tiansheng eval`: quality on the user's own labelled data.

mod intents;
mod rows;
mod search;

use super::{Ended, Stop};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Eval {
    /// How well intents are told apart
    #[command(after_help = INTENTS_EXAMPLES)]
    Intents(IntentsArgs),
    /// How well a search finds what belongs to a question
    #[command(after_help = SEARCH_EXAMPLES)]
    Search(SearchArgs),
}

const INTENTS_EXAMPLES: &str = "\
Rows are JSON Lines, also .gz: {\"text\": \"where is my parcel\", \"label\": \"order_status\"}; the label `oos` is out of scope.

Example:
  tiansheng eval intents --train train.jsonl --test test.jsonl.gz --errors wrong.jsonl";

const SEARCH_EXAMPLES: &str = "\
Documents are JSON Lines, also .gz: {\"id\": \"p1\", \"title\": \"…\", \"brand\": \"…\", …}.
Queries are {\"query\": \"text\" or {\"field\": \"value\"}, \"relevant\": [\"p1\"]} or graded {\"query\": …, \"relevance\": {\"p1\": 2}}.

Example:
  tiansheng eval search --docs docs.jsonl.gz --queries queries.jsonl";

#[derive(Args)]
pub(super) struct IntentsArgs {
    /// Labelled rows to learn from; may be given several times
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    train: Vec<PathBuf>,
    /// Labelled rows to measure on; may be given several times
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    test: Vec<PathBuf>,
    /// Writes the rows that were told wrongly
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct SearchArgs {
    /// The documents
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    docs: Vec<PathBuf>,
    /// Queries with what is relevant to them
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    queries: Vec<PathBuf>,
    /// Writes the queries whose best document is not among the first
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(eval: Eval) -> Ended {
    match eval {
        Eval::Intents(args) => intents::run(&args),
        Eval::Search(args) => search::run(&args),
    }
}

/// Prints a report as one JSON document, or a line a figure.
fn print(report: &serde_json::Value, json: bool) {
    if json {
        println!("{report}");
        return;
    }
    for (name, value) in report.as_object().into_iter().flatten() {
        match value.as_f64() {
            Some(figure) if !value.is_u64() => println!("{name:24} {figure:.4}"),
            _ => println!("{name:24} {value}"),
        }
    }
}

/// A share with four decimals; nothing where there is nothing to divide by.
fn share(part: usize, whole: usize) -> serde_json::Value {
    if whole == 0 {
        return serde_json::Value::Null;
    }
    decimals(part as f64 / whole as f64)
}

fn decimals(figure: f64) -> serde_json::Value {
    serde_json::json!((figure * 10_000.0).round() / 10_000.0)
}

fn usage(told: impl Into<String>) -> Stop {
    Stop::Usage(told.into())
}
