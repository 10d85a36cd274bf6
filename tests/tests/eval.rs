//! The evaluation commands on small data whose figures were worked out by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::binary::run;

const DOCS: &str = r#"{"id": "p1", "title": "red kettle"}
{"id": "p2", "title": "blue kettle"}
{"id": "p3", "title": "green lamp"}
{"id": "p4", "title": "oak shelf"}
{"id": "p5", "title": "wool blanket"}
{"id": "p6", "title": "garden hose"}
"#;

/// Rows of the same form, told apart by number, name or price.
const RECORDS: &str = r#"{"id": "a", "name": "Cordless phone, black", "manufacturer": "Norvik", "modelno": "KX-TG1032S", "price": "61.00"}
{"id": "b", "name": "Cordless phone, black", "manufacturer": "Norvik", "modelno": "KX-TG9343T", "price": "99.00"}
{"id": "c", "name": "Cordless phone, black", "manufacturer": "Salmi", "modelno": "D-77", "price": "240.00"}
{"id": "d", "name": "Desk lamp", "manufacturer": "Salmi", "modelno": "L-4", "price": "20.00"}
{"id": "e", "name": "Desk lamp with clamp", "manufacturer": "Norvik", "modelno": "L-5", "price": "35.00"}
{"id": "f", "name": "Wall clock", "manufacturer": "Tessa", "modelno": "W-1", "price": "15.00"}
{"id": "g", "name": "Egg timer", "manufacturer": "Tessa", "modelno": "T-2", "price": "5.00"}
{"id": "h", "name": "Door mat", "manufacturer": "Tessa", "modelno": "M-3", "price": "9.00"}
"#;

fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn search(docs: &Path, queries: &Path, more: &[&str]) -> (i32, String, String) {
    let mut args = vec!["eval", "search", "--docs", docs.to_str().unwrap()];
    args.extend(["--queries", queries.to_str().unwrap()]);
    args.extend(more);
    run(&args, b"")
}

fn report(docs: &Path, queries: &Path, more: &[&str]) -> Value {
    let (code, output, error) = search(docs, queries, &[&["--json"], more].concat());
    assert_eq!(code, 0, "{error}");
    serde_json::from_str(&output).unwrap()
}

#[test]
fn search_figures_are_those_worked_out_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let docs = written(dir.path(), "docs.jsonl", DOCS);
    // The red kettle comes first for every question about it, the blue one second.
    let queries = written(
        dir.path(),
        "queries.jsonl",
        r#"{"query": "red kettle", "relevant": ["p1"]}
{"query": "kettle, red", "relevance": {"p1": 2, "p2": 1, "p3": 0}}
{"query": "green lamp", "relevant": ["p1"]}

{"query": "red kettle", "relevant": ["p2"]}
{"query": "red kettle", "relevance": {"p1": 1, "p2": 3}}
"#,
    );
    let errors = dir.path().join("errors.jsonl");
    let told = report(&docs, &queries, &["--errors", errors.to_str().unwrap()]);
    // 1, 1, 0, 1/log2(3), (1 + 3/log2(3)) / (3 + 1/log2(3))
    assert_eq!(told["ndcg_at_10"], json!(0.6855));
    // 1, 1, 0, 1/2, 1
    assert_eq!(told["mrr_at_10"], json!(0.7));
    // 1, 1/2, 0, 0, 1/2
    assert_eq!(told["recall_at_1"], json!(0.4));
    // 1, 1, 0, 1, 1
    assert_eq!(told["recall_at_10"], json!(0.8));
    assert_eq!((&told["rows"], &told["docs"]), (&json!(5), &json!(6)));
    for figure in ["index_seconds", "queries_per_second", "seconds"] {
        assert!(told[figure].is_number(), "{figure}: {told}");
    }
    let wrong = std::fs::read_to_string(errors).unwrap();
    let wrong: Vec<Value> = wrong
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert_eq!(wrong[0]["query"], "green lamp");
    assert_eq!(wrong[0]["relevant"], json!(["p1"]));
    assert_eq!(wrong[0]["found"], json!(["p3"]));
    assert_eq!(wrong[1]["found"], json!(["p1", "p2"]));

    let (code, output, _) = search(&docs, &queries, &[]);
    assert_eq!(code, 0);
    let line = output.lines().find(|line| line.starts_with("mrr_at_10"));
    assert!(
        line.is_some_and(|line| line.ends_with(" 0.7000")),
        "{output}"
    );
}

#[test]
fn packed_rows_are_read_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let docs = written(dir.path(), "docs.jsonl", DOCS);
    let row = r#"{"query": "wool", "relevant": ["p5"]}"#;
    let queries = written(dir.path(), "queries.jsonl", row);
    for path in [&docs, &queries] {
        let packed = std::process::Command::new("gzip").arg(path).status();
        assert!(packed.unwrap().success());
    }
    let gz = |path: &Path| PathBuf::from(format!("{}.gz", path.display()));
    assert_eq!(
        report(&gz(&docs), &gz(&queries), &[])["mrr_at_10"],
        json!(1.0)
    );
}

#[test]
fn fields_are_searched_for_as_fields() {
    let dir = tempfile::tempdir().unwrap();
    let docs = written(dir.path(), "docs.jsonl", RECORDS);
    for (query, expected) in [
        (json!({"title": "black phone", "mpn": "kxtg9343t"}), "b"),
        (
            json!({"title": "black phone", "modelno": "KX TG1032S"}),
            "a",
        ),
        (json!({"name": "phone (cordless)", "brand": "salmi"}), "c"),
        (json!({"title": "cordless phone", "price": "230"}), "c"),
        (json!({"title": "cordless phone", "price": 60.5}), "a"),
        (json!({"title": "desk lamp"}), "d"),
        (json!({"brand": "Tessa", "modelno": "T2"}), "g"),
        (json!("kx-tg-9343-t"), "b"),
    ] {
        let row = json!({"query": query, "relevant": [expected]}).to_string();
        let queries = written(dir.path(), "queries.jsonl", &row);
        let errors = dir.path().join("errors.jsonl");
        let told = report(&docs, &queries, &["--errors", errors.to_str().unwrap()]);
        let wrong = std::fs::read_to_string(errors).unwrap();
        assert_eq!(told["recall_at_1"], json!(1.0), "{query}: {wrong}");
    }
}

#[test]
fn what_cannot_be_measured_is_named_by_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let docs = written(dir.path(), "docs.jsonl", DOCS);
    let good = r#"{"query": "lamp", "relevant": ["p3"]}"#;
    for (text, told) in [
        (format!("{good}\n{{\"query\": \n"), "queries.jsonl:2"),
        (format!("{good}\n\n{{\"relevant\": []}}"), "queries.jsonl:3"),
        (String::new(), "no rows"),
        (r#"{"query": "lamp"}"#.to_owned(), "nothing is relevant"),
    ] {
        let queries = written(dir.path(), "queries.jsonl", &text);
        let (code, output, error) = search(&docs, &queries, &["--json"]);
        assert_eq!(code, 2, "{text}: {error}");
        assert_eq!(output, "", "{text}");
        assert!(error.contains(told), "{text}: {error}");
    }
    let queries = written(dir.path(), "queries.jsonl", good);
    let (code, _, error) = search(&dir.path().join("nowhere.jsonl"), &queries, &[]);
    assert_eq!(code, 2);
    assert!(error.contains("nowhere.jsonl"), "{error}");
}
