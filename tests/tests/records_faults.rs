//! Replicas on one Redis and one PostgreSQL: the records away, killed or locked in the middle of archiving lose nothing, and afterwards they equal the logs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::records::Records as RecordsSettings;
use bot::config::state::State as StateSettings;
use bot::store::records::Records;
use bot::store::redis::State;
use bot::store::{Commit, NewMail, RecordStore, StateStore};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::binary::{LOG, Server, free_port};
use tests::load::Customer;
use tests::postgres_server::{PASSWORD, Postgres};
use tests::redis_server::Redis;
use tests::storm::{Books, Plan, check_with, run};

/// Longest wait for replicas to find their way back.
const BACK_MAX: Duration = Duration::from_secs(20);

fn plan(redis: &Redis, postgres: &Postgres, seed: u64, kills: usize) -> Plan {
    // The plan lives as long as the test.
    let url = |url: String| -> &'static str { url.leak() };
    Plan {
        seed,
        conversations: 40,
        kills,
        replicas: 2,
        program: "tiansheng",
        environment: vec![
            ("TIANSHENG_STATE__URL", url(redis.url())),
            ("TIANSHENG_RECORDS__URL", url(postgres.url("records"))),
            ("TIANSHENG_RECORDS__TIMEOUT_MS", "1000"),
        ],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_equal_the_logs_after_postgresql_and_replicas_were_killed_under_load() {
    let redis = Redis::start();
    let mut postgres = Postgres::start();
    let records = RecordsSettings::of_url(&postgres.url("records")).unwrap();
    let plan = plan(&redis, &postgres, 20_261_131, 4);
    let breaking = tokio::task::spawn_blocking(move || {
        for round in 0..4 {
            std::thread::sleep(Duration::from_millis(1_300));
            if round % 2 == 0 {
                postgres.kill();
                std::thread::sleep(Duration::from_millis(500));
                postgres.up();
            } else {
                postgres.signal("-STOP");
                std::thread::sleep(Duration::from_millis(1_500));
                postgres.signal("-CONT");
            }
        }
        postgres
    });
    let data = tempfile::tempdir().unwrap();
    let customers = run(&plan, data.path()).await;
    let postgres = breaking.await.unwrap();
    let state = State::open(&StateSettings::of_url(&redis.url()).unwrap());
    drained(&redis, &records).await;
    let records = Records::on_server(&records);
    let books: Books = check_with(&customers, &state, &records).await;
    println!("storm seed={} kills={} {books:#?}", plan.seed, plan.kills);
    assert!(books.clean() && books.messages >= 120, "{books:#?}");
    drop(postgres);
}

/// A replica that was stopped while the records were away leaves its journal to the next.
async fn drained(redis: &Redis, records: &RecordsSettings) {
    let archiver = bot::mailbox::Archiver {
        state: std::sync::Arc::new(State::open(&StateSettings::of_url(&redis.url()).unwrap())),
        records: std::sync::Arc::new(Records::on_server(records)),
        project: bot::project::rows,
        clock: std::sync::Arc::new(|| 0),
    };
    let stop = bot::http::CancellationToken::new();
    stop.cancel();
    archiver.run(stop).await;
}

/// One replica may be cut off from the records while the others are not.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_cannot_reach_the_records_leaves_the_archive_to_another() {
    let data = tempfile::tempdir().unwrap();
    let state = Arc::new(bot::store::embedded::State::open(data.path()).unwrap());
    step(&*state, "web:1").await;
    let nowhere = RecordsSettings::of_url("postgres://shop@127.0.0.1:1/records").unwrap();
    let cut_off: Arc<dyn RecordStore> = Arc::new(Records::on_server(&nowhere));
    let records = Arc::new(Records::in_folder(data.path()).await.unwrap());
    let stop = bot::http::CancellationToken::new();
    let archive = |records: Arc<dyn RecordStore>| {
        let archiver = bot::mailbox::Archiver {
            state: state.clone(),
            records,
            project: bot::project::rows,
            clock: Arc::new(now_ms),
        };
        tokio::spawn(archiver.run(stop.clone()))
    };
    let first = archive(cut_off);
    let begun = Instant::now();
    // The first has the job when nobody else can take it.
    while state
        .hold("archive", "nobody", now_ms(), 0)
        .await
        .unwrap()
        .is_some()
    {
        assert!(begun.elapsed() < BACK_MAX, "nobody archives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let second = archive(records.clone());
    while records.conversations("", 1).await.unwrap().is_empty() {
        assert!(begun.elapsed() < BACK_MAX, "the journal is not archived");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    first.await.unwrap();
    second.await.unwrap();
}

/// One letter and its turn, which stands in the journal.
async fn step(state: &dyn StateStore, id: &str) {
    let mail = NewMail {
        conversation: id.to_owned(),
        event_id: "e1".to_owned(),
        at_ms: 1,
        quiet_ms: 0,
        quiet_max_ms: 0,
        body: "{}".to_owned(),
    };
    state.accept(mail).await.unwrap();
    let claimed = state.claim_turns(1, 1_000, 1).await.unwrap();
    let commit = Commit {
        conversation: id.to_owned(),
        token: claimed.claims[0].token,
        read_to: 1,
        state: "{}".to_owned(),
        epoch: 0,
        events: Vec::new(),
        out: Vec::new(),
        wake_at_ms: None,
        now_ms: 1,
    };
    state.commit(commit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_read_keeps_no_other_from_being_archived() {
    let redis = Redis::start();
    let settings = StateSettings::of_url(&redis.url()).unwrap();
    let state = Arc::new(State::open(&settings));
    state.meet().await.unwrap();
    let first = format!("{}journal:{{0}}", settings.prefix);
    redis.ask(&["XADD", &first, "*", "not", "ours"]);
    for n in 0..8 {
        step(&*state, &format!("web:{n}")).await;
    }
    let elsewhere = 9 - redis
        .ask(&["XLEN", &first])
        .trim()
        .parse::<usize>()
        .unwrap();
    assert!(elsewhere > 0);
    let data = tempfile::tempdir().unwrap();
    let records = Arc::new(Records::in_folder(data.path()).await.unwrap());
    let archiver = bot::mailbox::Archiver {
        state,
        records: records.clone(),
        project: bot::project::rows,
        clock: Arc::new(now_ms),
    };
    let stop = bot::http::CancellationToken::new();
    stop.cancel();
    archiver.run(stop).await;
    let kept = records.conversations("", 10).await.unwrap();
    assert_eq!(kept.len(), elsewhere);
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    since.as_millis() as i64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_records_takes_messages_says_so_and_catches_up() {
    let redis = Redis::start();
    let mut postgres = Postgres::start();
    let url = postgres.url("records");
    postgres.kill();
    let data = tempfile::tempdir().unwrap();
    let redis_url = redis.url();
    let server = Server::start(
        data.path(),
        free_port(),
        &[
            ("TIANSHENG_STATE__URL", &redis_url),
            ("TIANSHENG_RECORDS__URL", &url),
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
        ],
    );
    let (status, detail) = ready(&server).await;
    assert_eq!(status, 503);
    assert!(
        detail.contains("refused") && detail.contains("records.url"),
        "{detail}"
    );
    let mut customer = Customer::new(&server.url).await;
    let first = tokio::spawn(async move {
        customer.say("你好").await;
        customer
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(
        !first.is_finished(),
        "no turn runs before its version is kept"
    );
    postgres.up();
    let mut customer = first.await.unwrap();
    let begun = Instant::now();
    while ready(&server).await.0 != 200 {
        assert!(begun.elapsed() < BACK_MAX);
    }
    // Away again: turns go on, the lag is told, and grows.
    postgres.kill();
    for _ in 0..3 {
        customer.say("你好").await;
    }
    let begun = Instant::now();
    while lag(&server).await < 1.5 {
        assert!(begun.elapsed() < BACK_MAX, "{}", lag(&server).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ready(&server).await.0, 503);
    postgres.up();
    let begun = Instant::now();
    while lag(&server).await > 0.0 || ready(&server).await.0 != 200 {
        assert!(begun.elapsed() < BACK_MAX, "{}", lag(&server).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "caught up {:?} after PostgreSQL took connections",
        begun.elapsed()
    );
    let records = Records::on_server(&RecordsSettings::of_url(&url).unwrap());
    let kept = records.conversations("", 10).await.unwrap();
    assert_eq!((kept.len(), kept[0].rev), (1, 4));
    // Nothing was put into the folder, and no secret into the log.
    assert!(!data.path().join("records.sqlite").exists());
    let log = std::fs::read_to_string(data.path().join(LOG)).unwrap();
    assert!(!log.contains(PASSWORD) && !log.contains("pass%3A"), "{log}");
}

/// A replica that is replaced while the records are away must not be one less.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_without_the_records_answers_under_a_version_that_was_kept_before() {
    let redis = Redis::start();
    let mut postgres = Postgres::start();
    let (url, redis_url) = (postgres.url("records"), redis.url());
    let settings = [
        ("TIANSHENG_STATE__URL", redis_url.as_str()),
        ("TIANSHENG_RECORDS__URL", url.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
    ];
    let data = tempfile::tempdir().unwrap();
    let start = || Server::start(data.path(), free_port(), &settings);
    let first = start();
    Customer::new(&first.url).await.say("你好").await;
    first.kill();
    postgres.kill();
    let second = start();
    let mut customer = Customer::new(&second.url).await;
    let answered = tokio::time::timeout(BACK_MAX, customer.say("你好")).await;
    assert!(answered.is_ok(), "no turn runs");
    postgres.up();
    let begun = Instant::now();
    while ready(&second).await.0 != 200 {
        assert!(begun.elapsed() < BACK_MAX);
    }
    // The first one's hold on the archive may not have ended yet.
    let records = Records::on_server(&RecordsSettings::of_url(&url).unwrap());
    while records.conversations("", 10).await.unwrap().len() < 2 {
        assert!(begun.elapsed() < BACK_MAX, "a conversation is not kept");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_rest_the_records_are_less_than_a_second_behind() {
    let redis = Redis::start();
    let postgres = Postgres::start();
    let url = postgres.url("records");
    let redis_url = redis.url();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(
        data.path(),
        free_port(),
        &[
            ("TIANSHENG_STATE__URL", &redis_url),
            ("TIANSHENG_RECORDS__URL", &url),
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
        ],
    );
    let records = Records::on_server(&RecordsSettings::of_url(&url).unwrap());
    let mut customer = Customer::new(&server.url).await;
    let mut all = Vec::new();
    for turn in 1..=10 {
        customer.say("你好").await;
        let begun = Instant::now();
        while records
            .conversations("", 1)
            .await
            .unwrap()
            .first()
            .is_none_or(|kept| kept.rev < turn)
        {
            assert!(begun.elapsed() < BACK_MAX);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        all.push(begun.elapsed());
    }
    all.sort();
    println!("from the answer to the records: {all:?}");
    // A machine that is busy with something else delays one or another.
    assert!(all[7] < Duration::from_secs(1), "{all:?}");
}

async fn get(url: &str) -> (u16, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn ready(server: &Server) -> (u16, String) {
    let (status, text) = get(&format!("{}/readyz", server.url)).await;
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    (
        status,
        told["dependencies"]["records"]["detail"].to_string(),
    )
}

async fn lag(server: &Server) -> f64 {
    let (_, text) = get(&format!("{}/metrics", server.url)).await;
    text.lines()
        .find_map(|line| line.strip_prefix("archiver_lag_seconds "))
        .map_or(0.0, |value| value.parse().unwrap())
}
