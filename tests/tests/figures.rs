//! The figures of a running server are those of the document, whatever customers do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::telemetry::metrics::{ALL, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::watched::{Shop, converse, series, useless_model, value};

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bot/deploy/monitoring.md");
    std::fs::read_to_string(path).unwrap()
}

/// Name, type and labels of the document's tables.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let words = |cell: &str| -> Vec<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    document()
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').collect();
            let kind = cells.get(2)?.trim();
            ["counter", "gauge", "histogram"].contains(&kind).then(|| {
                let labels = words(cells[3]).into_iter().collect();
                (words(cells[1])[0].clone(), (kind.to_owned(), labels))
            })
        })
        .collect()
}

#[test]
fn the_document_and_the_program_name_the_same_figures() {
    let documented: BTreeMap<String, String> = documented()
        .into_iter()
        .map(|(name, (kind, _))| (name, kind))
        .collect();
    let reported: BTreeMap<String, String> = ALL
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            (metric.name.to_owned(), kind.to_owned())
        })
        .collect();
    assert_eq!(documented, reported);
    for metric in ALL {
        assert_eq!(
            metric.kind == Kind::Counter,
            metric.name.ends_with("_total"),
            "{}",
            metric.name
        );
        assert!(metric.help.ends_with('.'), "{}", metric.name);
        // A unit, or what is counted.
        let last = metric.name.trim_end_matches("_total").rsplit('_').next();
        assert!(!["ms", "millis", "kb", "minutes"].contains(&last.unwrap()));
    }
    // The alerts are about figures that there are.
    for query in document()
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
    {
        assert!(
            ALL.iter().any(|metric| query.contains(metric.name)),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_figure_is_there_after_a_conversation_and_customers_add_no_series() {
    let model = useless_model().await;
    let shop = Shop::start(&[
        ("TIANSHENG_MODEL__URL", &model),
        ("TIANSHENG_MODEL__NAME", "useless"),
    ]);
    converse(&shop).await;
    // What is settled and archived is told a moment after the customer has it.
    shop.reaches("archived_total", 4.0).await;
    shop.reaches("delivery_seconds_count{channel=\"web\"}", 4.0)
        .await;
    shop.figures().await;
    let figures = shop.figures().await;
    for (name, (kind, labels)) in documented() {
        assert!(
            figures.contains(&format!("# HELP {name} ")),
            "{name}:\n{figures}"
        );
        assert!(
            figures.contains(&format!("# TYPE {name} {kind}\n")),
            "{name}"
        );
        let of_name: Vec<&str> = figures
            .lines()
            .filter(|line| {
                let rest = line.strip_prefix(name.as_str()).unwrap_or_default();
                let rest = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|suffix| rest.strip_prefix(suffix))
                    .unwrap_or(rest);
                rest.starts_with(['{', ' '])
            })
            .collect();
        assert!(!of_name.is_empty(), "{name} has no series:\n{figures}");
        for line in of_name {
            let written = line.split_once('{').map_or("", |(_, rest)| rest);
            let keys: BTreeSet<String> = written
                .split("=\"")
                .filter_map(|part| part.rsplit([',', '"', '{']).next())
                .filter(|key| !key.is_empty() && !key.starts_with('}') && *key != "le")
                .map(str::to_owned)
                .collect();
            assert_eq!(keys, labels, "{line}");
        }
    }
    let expect = |series: &str, least: f64| {
        let got = value(&figures, series);
        assert!(got >= Some(least), "{series} is {got:?}:\n{figures}");
    };
    expect("turns_total{outcome=\"committed\"}", 4.0);
    expect("turn_seconds_count", 4.0);
    for stage in ["hear", "commit"] {
        expect(
            &format!("turn_stage_seconds_count{{stage=\"{stage}\"}}"),
            4.0,
        );
    }
    for stage in ["understand", "track", "decide", "find", "compose", "judge"] {
        expect(
            &format!("turn_stage_seconds_count{{stage=\"{stage}\"}}"),
            3.0,
        );
    }
    expect("handoffs_total{reason=\"customer_request\"}", 1.0);
    expect("refusals_total{kind=\"invalid\"}", 1.0);
    expect("accept_seconds_count", 4.0);
    expect("mail_wait_seconds_count", 4.0);
    expect("fallbacks_total{step=\"understand\"}", 3.0);
    expect(
        "completions_total{step=\"understand\",outcome=\"answered\"}",
        3.0,
    );
    expect(
        "verdicts_total{rail=\"input\",rule=\"injection\",action=\"refuse\",enforced=\"true\"}",
        1.0,
    );
    expect("process_resident_memory_bytes", 1_000_000.0);
    expect("process_open_fds", 5.0);
    expect("process_start_time_seconds", 1.7e9);

    let before = series(&figures);
    for _ in 0..10 {
        let ten = (0..10).map(|_| converse(&shop));
        futures_util::future::join_all(ten).await;
    }
    shop.reaches("turns_total{outcome=\"committed\"}", 404.0)
        .await;
    let after = series(&shop.figures().await);
    let new: Vec<&String> = after.difference(&before).collect();
    assert!(new.is_empty(), "100 conversations added {new:?}");
    assert!(!after.iter().any(|line| line.contains("web:")));
}
