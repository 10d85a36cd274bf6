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

/// Two intents and what is out of scope, with no word in common.
const LABELLED: &str = r#"{"text": "where is my parcel", "label": "parcel"}
{"text": "my parcel has not come", "label": "parcel"}
{"text": "when will the parcel be here", "label": "parcel"}
{"text": "track this parcel", "label": "parcel"}
{"text": "包裹到哪了", "label": "parcel"}
{"text": "包裹什么时候到", "label": "parcel"}
{"text": "i want a refund", "label": "refund"}
{"text": "refund me now", "label": "refund"}
{"text": "can you refund it", "label": "refund"}
{"text": "how do refunds go", "label": "refund"}
{"text": "退款给我", "label": "refund"}
{"text": "怎么退款", "label": "refund"}
{"text": "sing some song", "label": "oos"}
{"text": "sing about spring", "label": "oos"}
{"text": "dance and sing", "label": "oos"}
{"text": "唱歌跳舞", "label": "oos"}
"#;

fn intents(train: &[&Path], test: &Path, more: &[&str]) -> (i32, String, String) {
    let mut args = vec!["eval", "intents", "--train"];
    args.extend(train.iter().map(|file| file.to_str().unwrap()));
    args.extend(["--test", test.to_str().unwrap()]);
    args.extend(more);
    run(&args, b"")
}

#[test]
fn intent_figures_are_those_worked_out_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let (first, rest) = LABELLED.split_at(LABELLED.find(r#"{"text": "i want"#).unwrap());
    let first = written(dir.path(), "first.jsonl", first);
    let rest = written(dir.path(), "rest.jsonl", rest);
    let train = [first.as_path(), rest.as_path()];
    // The last row but one is labelled as what it is not.
    let test = written(
        dir.path(),
        "test.jsonl",
        r#"{"text": "Where is this parcel?", "label": "parcel", "split": "test"}

{"text": "请问包裹到哪了", "label": "parcel"}
{"text": "refund it to me", "label": "refund"}
{"text": "where has my parcel come", "label": "refund"}
{"text": "sing and dance", "label": "oos"}
"#,
    );
    let errors = dir.path().join("errors.jsonl");
    let more = ["--json", "--errors", errors.to_str().unwrap()];
    let (code, output, error) = intents(&train, &test, &more);
    assert_eq!(code, 0, "{error}");
    let told: Value = serde_json::from_str(&output).unwrap();
    for (figure, expected) in [
        ("rows", json!(5)),
        ("train_rows", json!(16)),
        ("intents", json!(3)),
        ("accuracy", json!(0.8)),
        // parcel 2·2/(2+3), refund 2·1/(2+1), out of scope 1
        ("macro_f1", json!(0.8222)),
        ("in_scope_accuracy", json!(0.75)),
        ("oos_recall", json!(1.0)),
        ("oos_precision", json!(1.0)),
    ] {
        assert_eq!(told[figure], expected, "{figure}: {told}");
    }
    for figure in ["train_seconds", "predictions_per_second", "seconds"] {
        assert!(told[figure].is_number(), "{figure}: {told}");
    }
    let wrong = std::fs::read_to_string(errors).unwrap();
    let wrong: Value = serde_json::from_str(&wrong).unwrap();
    assert_eq!(wrong["text"], "where has my parcel come");
    assert_eq!(
        (&wrong["label"], &wrong["told"]),
        (&json!("refund"), &json!("parcel"))
    );

    let (code, output, _) = intents(&train, &test, &[]);
    assert_eq!(code, 0);
    let line = output.lines().find(|line| line.starts_with("oos_recall"));
    assert!(
        line.is_some_and(|line| line.ends_with(" 1.0000")),
        "{output}"
    );
}

#[test]
fn a_labelled_row_that_cannot_be_read_is_named_by_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let good = written(dir.path(), "good.jsonl", LABELLED);
    let row = r#"{"text": "track it", "label": "parcel"}"#;
    for (text, told) in [
        (
            format!("{row}\n{{\"text\": \"track it\"}}\n"),
            "bad.jsonl:2",
        ),
        (format!("{row}\n\n{row}\n{{\"text\": "), "bad.jsonl:4"),
        (
            r#"{"text": 7, "label": "parcel"}"#.to_owned(),
            "bad.jsonl:1",
        ),
        ("\n\n".to_owned(), "no rows"),
    ] {
        let bad = written(dir.path(), "bad.jsonl", &text);
        for (train, test) in [(&good, &bad), (&bad, &good)] {
            let (code, output, error) = intents(&[train], test, &["--json"]);
            assert_eq!(code, 2, "{text}: {error}");
            assert_eq!(output, "", "{text}");
            assert!(error.contains(told), "{text}: {error}");
            assert!(error.contains(r#""label": "#), "{text}: {error}");
        }
    }
}
