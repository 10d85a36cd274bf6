//! An import killed at any moment leaves the whole catalogue before it or the whole one after it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tests::binary;

const ROWS: usize = 6_000;
/// Imports killed after a span of time, from at once to the time a whole one takes.
const KILLED_BY_TIME: u32 = 12;
/// Imports killed as soon as anything in the shop's folder changes.
const KILLED_BY_CHANGE: u32 = 12;
/// As many more are killed until one was in the middle of writing.
const KILLED_MAX: u32 = 60;
/// Longest wait for an import.
const IMPORT_MAX: Duration = Duration::from_secs(120);

/// A feed of which every row differs from the same row of another version.
fn feed(version: u32) -> String {
    let mut text = "id\ttitle\tdescription\tprice\tavailability\n".to_owned();
    let description = "A long text, so that the catalogue is written in many pieces. ".repeat(8);
    for row in 0..ROWS {
        let _ = writeln!(
            text,
            "P{row:05}\tLamp {row} of {version}\t{description}\t{}.00 EUR\tin_stock",
            row + 1
        );
    }
    text
}

fn import(feed: &Path, shop: &Path) -> std::process::Child {
    Command::new(binary::path())
        .args(["import", "products"])
        .arg(feed)
        .arg("--shop")
        .arg(shop)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Names and sizes of what is in the folder.
fn listed(shop: &Path) -> Vec<(String, u64)> {
    let mut files: Vec<(String, u64)> = std::fs::read_dir(shop)
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            // A file may go while it is listed.
            let size = entry.metadata().ok()?.len();
            Some((entry.file_name().into_string().unwrap(), size))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn an_import_killed_at_any_moment_leaves_a_whole_catalogue() {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    let own = shop.join("products.jsonl");
    let feeds = [1, 2].map(|version| {
        let path = dir.path().join(format!("{version}.tsv"));
        std::fs::write(&path, feed(version)).unwrap();
        path
    });
    let mut whole_ms = 0;
    let catalogues = [1, 0].map(|which: usize| {
        let begun = Instant::now();
        assert!(import(&feeds[which], &shop).wait().unwrap().success());
        whole_ms = begun.elapsed().as_millis() as u64;
        std::fs::read(&own).unwrap()
    });
    let [second, first] = catalogues;
    assert!(first != second && first.len() > ROWS * 400);
    let catalogues = [first, second];

    let mut now = 0;
    let mut kept_before = 0;
    let mut left_something = 0;
    for number in 0..KILLED_MAX {
        let is_enough = number >= KILLED_BY_TIME + KILLED_BY_CHANGE;
        if is_enough && kept_before > 0 && left_something > 0 {
            break;
        }
        let before = listed(&shop);
        let mut child = import(&feeds[1 - now], &shop);
        let begun = Instant::now();
        match number.checked_sub(KILLED_BY_TIME) {
            None => std::thread::sleep(Duration::from_millis(
                whole_ms * u64::from(number) / u64::from(KILLED_BY_TIME),
            )),
            Some(later) => {
                while listed(&shop) == before && begun.elapsed() < IMPORT_MAX {
                    std::hint::spin_loop();
                }
                // From the first byte that is written, at once, to past the last.
                std::thread::sleep(Duration::from_micros(
                    u64::from(later % KILLED_BY_CHANGE) * 400,
                ));
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let after = std::fs::read(&own).unwrap();
        assert!(
            catalogues.contains(&after),
            "import {number} left {} bytes that are neither catalogue",
            after.len()
        );
        kept_before += u32::from(after == catalogues[now]);
        left_something += u32::from(listed(&shop).len() > 1);

        // The next import succeeds and leaves nothing but the catalogue.
        now = 1 - now;
        assert!(import(&feeds[now], &shop).wait().unwrap().success());
        assert!(std::fs::read(&own).unwrap() == catalogues[now]);
        let names: Vec<String> = listed(&shop).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["products.jsonl"], "after import {number}");
    }
    assert!(
        kept_before > 0 && left_something > 0,
        "no import was killed in the middle: {kept_before}, {left_something}"
    );
}
