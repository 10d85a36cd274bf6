//! The records keep their promises on both engines, begin together on an empty database, and say in words what is wrong with a connection.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::records::{Records as Settings, Tls};
use bot::store::records::{Records, findings, sql};
use bot::store::{Record, RecordStore, Row, StoreError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::conformance::records;
use tests::postgres_server::Postgres;

/// Longer than any limit that is set here, however busy the machine is; far less than for ever.
const LIMIT_MAX: Duration = Duration::from_secs(20);

fn on(url: &str) -> Settings {
    Settings::of_url(url).unwrap()
}

fn store(postgres: &Postgres, database: &str) -> Records {
    Records::on_server(&on(&postgres.url(database)))
}

fn record(seq: u64, conversation: &str, rev: u64) -> Record {
    Record {
        seq,
        conversation: conversation.to_owned(),
        rev,
        at_ms: 1,
        events: vec![format!("\"{seq}\"")],
        rows: vec![],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_keep_the_promises_of_the_records() {
    let postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    records(&Records::in_folder(dir.path()).await.unwrap()).await;
    records(&store(&postgres, "records")).await;
    // What was written is there for the next process.
    let again = store(&postgres, "records");
    assert_eq!(again.position(0).await, Ok(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_on_both_engines() {
    let postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    let file = Records::in_folder(dir.path()).await.unwrap();
    let server = store(&postgres, "records");
    for statement in sql::ALL {
        assert_eq!(file.prepare(statement).await, Ok(()), "{statement}");
        assert_eq!(server.prepare(statement).await, Ok(()), "{statement}");
    }
    for statement in sql::SERVER_ALL {
        assert_eq!(server.prepare(statement).await, Ok(()), "{statement}");
    }
    assert!(server.prepare("SELECT nothing FROM nowhere").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_start_together_on_an_empty_database_all_serve() {
    const TOGETHER: usize = 6;
    let postgres = Postgres::start();
    for _ in 0..5 {
        let database = postgres.fresh();
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let tasks: Vec<_> = (0..TOGETHER)
            .map(|_| {
                let server = store(&postgres, &database);
                let dir = Arc::clone(&dir);
                tokio::spawn(async move {
                    assert_eq!(server.meet().await, Ok(()));
                    let file = Records::in_folder(dir.path()).await;
                    assert_eq!(file.unwrap().meet().await, Ok(()));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let applied = postgres.ask(&database, "SELECT count(*) FROM _sqlx_migrations");
        assert_eq!(applied, "3", "each form is applied once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_archivers_of_one_journal_write_each_entry_once_and_in_order() {
    const ENTRIES: u64 = 200;
    let postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    for server in [true, false] {
        let mut tasks = Vec::new();
        for from in [0, 1, 2] {
            let store = if server {
                store(&postgres, "records")
            } else {
                Records::in_folder(dir.path()).await.unwrap()
            };
            tasks.push(tokio::spawn(async move {
                // Each sees other pieces of the same journal, old ones too.
                let mut at = from;
                while at < ENTRIES {
                    let begin = at.saturating_sub(3);
                    let piece = (begin + 1..=at + 5)
                        .filter(|seq| *seq <= ENTRIES)
                        .map(|seq| record(seq, "a:1", seq))
                        .collect();
                    store.apply(0, piece).await.unwrap();
                    at = store.position(0).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let store = if server {
            store(&postgres, "records")
        } else {
            Records::in_folder(dir.path()).await.unwrap()
        };
        let kept = store.events("a:1", 0, 1_000).await.unwrap();
        let revs: Vec<u64> = kept.iter().map(|entry| entry.rev).collect();
        assert_eq!(revs, (1..=ENTRIES).collect::<Vec<_>>());
        assert_eq!(store.conversations("", 9).await.unwrap()[0].rev, ENTRIES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_any_kind_are_kept_alike_and_ordered_by_their_bytes() {
    let postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    let stores = [
        Records::in_folder(dir.path()).await.unwrap(),
        store(&postgres, "records"),
    ];
    let ids = ["Z:1", "a:1", "a:10", "a:\u{0}x", "é:1", "天:1", "😀:1"];
    let mut kept = Vec::new();
    for store in &stores {
        let batch = ids
            .iter()
            .enumerate()
            .map(|(at, id)| Record {
                rows: vec![Row::Handoff {
                    conversation: (*id).to_owned(),
                    reason: "a\u{0}b'; DROP TABLE events; --".to_owned(),
                    brief_json: "{}".to_owned(),
                    rep: None,
                    at_ms: 1,
                }],
                ..record(at as u64 + 1, id, 1)
            })
            .collect();
        store.apply(0, batch).await.unwrap();
        let mut ids = Vec::new();
        let mut after = String::new();
        while let Some(next) = store.conversations(&after, 1).await.unwrap().pop() {
            after = next.id.clone();
            ids.push((next, store.handoffs(&after).await.unwrap()));
        }
        kept.push(ids);
    }
    assert_eq!(kept[0].len(), ids.len());
    assert_eq!(kept[0], kept[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_connection_is_told_with_what_would_be_right_and_no_secret() {
    let postgres = Postgres::start();
    let right = postgres.url("records");
    let port = postgres.port;
    let cases: [(&str, &[&str]); 6] = [
        (
            &right.replace("pass%3Aw%40rd", "wr0ng"),
            &["password is refused", "records.password"],
        ),
        (
            &right.replace("/records", "/nothing"),
            &["no such database"],
        ),
        (
            &right.replace(&port.to_string(), "1"),
            &["refused", "records.url", "127.0.0.1:1"],
        ),
        (
            &right.replace("127.0.0.1", "no-such-host.invalid"),
            &["host name is not known"],
        ),
        (
            &format!("{right}?sslmode=verify-full"),
            &["unknown authority", "records.ca_file"],
        ),
        (
            &right.replace(":pass%3Aw%40rd", ""),
            &["password", "records.password"],
        ),
    ];
    for (url, named) in cases {
        let begun = Instant::now();
        let told = Records::on_server(&on(url)).meet().await.unwrap_err();
        assert!(matches!(told, StoreError::Unavailable { .. }), "{told:?}");
        let told = told.to_string();
        for word in named {
            assert!(told.contains(word), "{word} is not in: {told}");
        }
        assert!(!told.contains("w@rd") && !told.contains("wr0ng"), "{told}");
        assert!(begun.elapsed() < LIMIT_MAX, "{told}");
        let found = findings(&on(url)).await;
        assert!(!found[0].ok && found[0].detail == told);
    }
    postgres.ask("postgres", "CREATE ROLE guest LOGIN PASSWORD 'pass:w@rd'");
    let guest = right.replace("shop:", "guest:");
    let told = Records::on_server(&on(&guest)).meet().await.unwrap_err();
    assert!(told.to_string().contains("lacks a right"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_verified_against_the_named_authority() {
    let postgres = Postgres::start();
    let mut settings = on(&postgres.url("records"));
    settings.tls = Tls::VerifyFull;
    settings.authorities = Some(std::fs::read(&postgres.authority).unwrap());
    assert_eq!(Records::on_server(&settings).meet().await, Ok(()));
    let found = findings(&settings).await;
    let text = |ok: bool| {
        let of = found.iter().filter(|finding| finding.ok == ok);
        of.map(|finding| finding.detail.as_str())
            .collect::<Vec<_>>()
    };
    assert!(text(false).is_empty(), "{:?}", text(false));
    assert!(
        text(true).contains(&"the connection is encrypted"),
        "{:?}",
        text(true)
    );
    // The certificate is for the address 127.0.0.1 only.
    settings.host = "localhost".to_owned();
    let told = Records::on_server(&settings)
        .meet()
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("another host name"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_or_is_killed_costs_no_more_than_the_limit_and_is_used_again() {
    let mut postgres = Postgres::start();
    let mut settings = on(&postgres.url("records"));
    settings.timeout_ms = 2_000;
    let store = Records::on_server(&settings);
    store.apply(0, vec![record(1, "a:1", 1)]).await.unwrap();
    postgres.signal("-STOP");
    for _ in 0..2 {
        let begun = Instant::now();
        let told = store.position(0).await.unwrap_err().to_string();
        assert!(told.contains("no answer within"), "{told}");
        assert!(begun.elapsed() < LIMIT_MAX, "{told}");
    }
    postgres.signal("-CONT");
    at_last(&store, 1).await;
    postgres.kill();
    let begun = Instant::now();
    let told = store.apply(0, vec![record(2, "a:1", 2)]).await.unwrap_err();
    assert!(told.to_string().contains("refused"), "{told}");
    assert!(begun.elapsed() < LIMIT_MAX);
    postgres.up();
    store.apply(0, vec![record(2, "a:1", 2)]).await.unwrap();
    at_last(&store, 2).await;
    // A lock that somebody else holds ends by the limit, too.
    let postgres = Arc::new(postgres);
    let held = std::thread::spawn({
        let sql = "BEGIN; LOCK TABLE position; SELECT pg_sleep(8)";
        let postgres = Arc::clone(&postgres);
        move || postgres.ask("records", sql)
    });
    let locks = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'position'::regclass";
    let begun = Instant::now();
    while postgres.ask("records", locks).trim() != "1" {
        assert!(begun.elapsed() < LIMIT_MAX, "nobody holds the lock");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = store.apply(0, vec![record(3, "a:1", 3)]).await.unwrap_err();
    assert!(
        told.to_string().contains("records.timeout_ms") || told.to_string().contains("no answer"),
        "{told}"
    );
    held.join().unwrap();
    store.apply(0, vec![record(3, "a:1", 3)]).await.unwrap();
    at_last(&store, 3).await;
}

async fn at_last(store: &Records, position: u64) {
    let begun = Instant::now();
    while store.position(0).await != Ok(position) {
        assert!(begun.elapsed() < LIMIT_MAX);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_newer_program_are_left_alone() {
    let postgres = Postgres::start();
    assert_eq!(store(&postgres, "records").meet().await, Ok(()));
    postgres.ask(
        "records",
        "INSERT INTO _sqlx_migrations SELECT 99, 'newer', now(), true, ''::bytea, 0",
    );
    let told = store(&postgres, "records").meet().await.unwrap_err();
    assert!(
        matches!(&told, StoreError::Corrupt { what } if what.contains("form 99") && what.contains("newer")),
        "{told:?}"
    );
}
