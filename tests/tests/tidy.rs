//! What must be absent: edges between floors, effects in pure crates, panics, texts in logs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every Rust source below a folder with its text before the first `#[cfg(test)]`.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path
                .file_stem()
                .is_some_and(|stem| stem.to_string_lossy().contains("tests"));
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_test {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found.sort();
    found
}

fn dependencies(member: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap();
    section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#') && line.contains('='))
        .map(|line| line.split([' ', '=']).next().unwrap().to_owned())
        .collect()
}

fn lines_with<'a>(code: &'a str, words: &[&str]) -> Vec<(usize, &'a str)> {
    code.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(at, line)| (at + 1, line))
        .collect()
}

fn absent(folder: &str, words: &[&str], why: &str) {
    let mut found = Vec::new();
    for (path, code) in sources(folder) {
        for (line, text) in lines_with(&code, words) {
            found.push(format!("{}:{line}: {}", path.display(), text.trim()));
        }
    }
    assert!(found.is_empty(), "{why}:\n{}", found.join("\n"));
}

#[test]
fn invariant_1_no_leaf_knows_another_and_only_convert_joins_two() {
    for leaf in ["adapters", "dialogs", "policies"] {
        for other in ["adapters", "dialogs", "policies", "bot"] {
            assert!(
                leaf == other || !dependencies(leaf).contains(&other.to_owned()),
                "{leaf} depends on {other}"
            );
        }
    }
    // A conversion is an `impl From` of one leaf's type for another's, or a function that takes one and gives the other.
    absent(
        "bot/src",
        &[
            "impl From<policies::",
            "impl From<dialogs::",
            "impl From<adapters::",
        ],
        "conversions are written by hand in convert.rs",
    );
}

#[test]
fn invariant_2_dialogs_and_policies_have_no_effects() {
    let banned = [
        "tokio",
        "axum",
        "redis",
        "redb",
        "sqlx",
        "reqwest",
        "async-openai",
        "rand",
        "getrandom",
        "uuid",
        "jiff",
        "chrono",
    ];
    for member in ["dialogs", "policies"] {
        let has = dependencies(member);
        for name in banned {
            assert!(
                !has.contains(&name.to_owned()),
                "{member} depends on {name}"
            );
        }
        absent(
            &format!("{member}/src"),
            &[
                "std::env",
                "std::net",
                "std::fs",
                "std::process",
                "std::thread",
                "SystemTime",
                "Instant::now",
                "async fn",
                "println!",
                "eprintln!",
                "HashMap",
                "HashSet",
                "RandomState",
            ],
            "a pure crate does no I/O, reads no clock, draws no random number, and has no order of chance",
        );
    }
}

#[test]
fn invariant_8_every_loop_without_an_end_is_in_a_place_that_names_its_limit() {
    for folder in ["dialogs/src", "policies/src"] {
        absent(
            folder,
            &["loop {"],
            "pure code loops over something, with an end",
        );
    }
}

#[test]
fn invariant_9_no_log_line_carries_what_somebody_said() {
    let mut found = Vec::new();
    for (path, code) in sources("bot/src") {
        for (line, text) in lines_with(
            &code,
            &["error!(", "warn!(", "info!(", "debug!(", "trace!("],
        ) {
            let says = [
                "text", "body", "token =", "token,", "quote", "phone", "email", "prompt", "answer",
            ]
            .iter()
            .any(|word| {
                text.contains(&format!("%{word}"))
                    || text.contains(&format!("?{word}"))
                    || text.contains(&format!("{word} = "))
                    || text.contains(&format!("{{{word}"))
            });
            if says {
                found.push(format!("{}:{line}: {}", path.display(), text.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "a log line may carry a text:\n{}",
        found.join("\n")
    );
}

#[test]
fn figures_are_named_in_one_place() {
    absent(
        "bot/src",
        &["counter!(\"", "gauge!(\"", "histogram!(\""],
        "a figure's name is a constant of telemetry/metrics.rs",
    );
}

#[test]
fn invariant_10_no_channel_is_chosen_by_its_name_outside_adapters() {
    for folder in ["bot/src", "dialogs/src", "policies/src"] {
        absent(
            folder,
            &[
                "\"web\" =>",
                "\"terminal\" =>",
                "\"telegram\" =>",
                "\"discord\" =>",
                "\"wechat\" =>",
                "\"wecom\" =>",
            ],
            "a channel is found by the name in an address",
        );
    }
}

#[test]
fn nothing_outside_tests_may_panic() {
    for folder in ["adapters/src", "dialogs/src", "policies/src", "bot/src"] {
        absent(
            folder,
            &[
                ".unwrap()",
                ".expect(",
                "panic!(",
                "todo!(",
                "unimplemented!(",
                "unreachable!(",
            ],
            "outside tests nothing panics",
        );
    }
}

#[test]
fn the_top_level_is_the_owner_s() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "adapters",
        "bot",
        "dialogs",
        "policies",
        "tests",
    ];
    let tracked = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output()
        .unwrap();
    let tracked = String::from_utf8(tracked.stdout).unwrap();
    for path in tracked.lines() {
        let top = path.split('/').next().unwrap();
        assert!(
            top.starts_with('.') || allowed.contains(&top),
            "{top} is not on the design card"
        );
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for folder in [
        "adapters/src",
        "dialogs/src",
        "policies/src",
        "bot/src",
        "tests/src",
    ] {
        for (path, code) in sources(folder) {
            let first = code.lines().next().unwrap_or_default();
            assert!(
                first.starts_with("//! ") && first.len() > 12,
                "{} does not open with what it is for",
                path.display()
            );
        }
    }
}
