//! The demo shop's own conversation tests, as they are and in other words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::shop::{Folder, Shop};
use bot::story::vary::score;
use bot::story::{self, Story};
use serde_json::Value;
use std::sync::Arc;
use tests::binary::run;

/// Share of turns, in percent, that come out the same in other words; raised whenever more is reached.
const SAME_PERCENT_MIN: f64 = 97.5;
/// Stories of the demo shop; half of them or nearly in each language.
const STORIES_MIN: usize = 90;

fn demo() -> (Arc<Shop>, Vec<Story>) {
    let files = Folder::Demo.read().unwrap();
    let shop = Shop::compile(files).unwrap().shop;
    let (stories, problems) = story::read(&shop.files);
    assert!(problems.is_empty(), "{problems:?}");
    (Arc::new(shop), stories)
}

#[tokio::test]
async fn every_story_of_the_demo_shop_comes_true() {
    let (shop, stories) = demo();
    assert!(stories.len() >= STORIES_MIN, "{} stories", stories.len());
    let mut failed = Vec::new();
    for story in &stories {
        for failure in story.run(&shop).await.unwrap().failures {
            failed.push(format!(
                "{}:{}: {}: expected {}, found {}",
                failure.file, failure.line, failure.story, failure.expected, failure.found
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn other_words_for_the_same_come_out_the_same() {
    let (shop, stories) = demo();
    let stories: Vec<&Story> = stories.iter().collect();
    let score = score(&stories, &shop).await.unwrap();
    let percent = score.total.share() * 100.0;
    let table: Vec<String> = score
        .by_variation
        .iter()
        .map(|(variation, tally)| format!("{} {}/{}", variation.name(), tally.same, tally.of))
        .collect();
    assert!(
        percent >= SAME_PERCENT_MIN,
        "{percent:.2} %: {}",
        table.join(", ")
    );
    assert_eq!(
        score.total.of - score.total.same,
        score.differences.len(),
        "each turn that differs is listed"
    );
}

fn shop_with(stories: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("stories")).unwrap();
    std::fs::write(
        dir.path().join("products.tsv"),
        "id\ttitle\tprice\tavailability\tproduct_type\nlamp-1\tDesk lamp\t99.00 CNY\tin_stock\tLamps\n",
    )
    .unwrap();
    std::fs::write(dir.path().join("shop.yaml"), "languages: [en]\n").unwrap();
    std::fs::write(dir.path().join("stories/a.yaml"), stories).unwrap();
    dir
}

fn test(dir: &tempfile::TempDir, more: &[&str]) -> (i32, String, String) {
    let shop = dir.path().to_str().unwrap();
    let mut args = vec!["test", "--shop", shop];
    args.extend(more);
    run(&args, b"")
}

#[test]
fn a_story_that_fails_is_shown_with_its_line_and_the_customer_s_words() {
    let dir = shop_with(
        "stories:\n  - story: A lamp\n    turns:\n      - customer: show me lamps\n        expect:\n          not_says: lamp-less\n          price_max: 50\n",
    );
    let (code, output, _) = test(&dir, &[]);
    assert_eq!(code, 1, "{output}");
    for part in [
        "stories/a.yaml:7: A lamp",
        "turn 1   show me lamps",
        "expected products, all at most 50  (line 7)",
        "0 passed, 1 failed",
    ] {
        assert!(output.contains(part), "{part} in:\n{output}");
    }
    let (code, output, _) = test(&dir, &["--json"]);
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, report["failed"].as_u64()), (1, Some(1)));
    assert_eq!(report["failures"][0]["said"], "show me lamps");
}

#[test]
fn a_slip_in_a_story_is_named_and_an_unknown_story_is_bad_usage() {
    let dir = shop_with(
        "stories:\n  - story: A lamp\n    turns:\n      - customer: hello\n        expect: {say_any: [a]}\n",
    );
    let (code, output, _) = test(&dir, &[]);
    assert_eq!(code, 1);
    assert!(output.contains("did you mean `says_any`?"), "{output}");
    let (code, _, told) = test(&dir, &["--only", "sofa"]);
    assert_eq!(code, 2);
    assert!(told.contains("`sofa`"), "{told}");
    let (code, _, _) = test(&dir, &["--errors", "x"]);
    assert_eq!(code, 2);
}

#[test]
fn the_score_is_told_by_variation_and_held_to_the_share_asked_for() {
    let dir = shop_with(
        "stories:\n  - story: A lamp\n    turns:\n      - customer: Show me lamps under 120 yuan, please.\n",
    );
    let errors = dir.path().join("errors.jsonl");
    let errors = errors.to_str().unwrap();
    let (code, output, _) = test(
        &dir,
        &[
            "--vary",
            "--json",
            "--errors",
            errors,
            "--at-least",
            "100.1",
        ],
    );
    assert_eq!(code, 1, "no share is above all: {output}");
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["stories"], 1);
    assert!(report["by_variation"]["upper_case"]["compared"] == 1);
    assert!(report["by_variation"]["traditional"].is_null());
    let listed = report["differences"].as_array().unwrap().len();
    let written = std::fs::read_to_string(errors).unwrap();
    assert_eq!(written.lines().count(), listed);
    assert_eq!(
        report["compared"].as_u64().unwrap() - report["same"].as_u64().unwrap(),
        listed as u64
    );
}
