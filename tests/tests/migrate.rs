//! A shop moves from the files of one machine to Redis and PostgreSQL: whole, once, however often the move is cut off, and never over what is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::store::embedded::State;
use bot::store::records::{Kind, Records, TABLES};
use bot::store::redis;
use bot::store::whole::Whole;
use bot::store::{Commit, Engine, NewMail, StateStore, TurnClaim};
use bot::turn::Dialogue;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tests::binary::{self, Server, free_port};
use tests::postgres_server::Postgres;
use tests::redis_server::Redis;
use tests::talk::demo;
use tests::visitor::{Told, Visitor};

/// Conversations beside those of real visitors, so that a move takes long enough to be cut off in its middle.
const CROWD: usize = 1_000;
/// Moves that are killed, from at once to the time that a whole one takes.
const KILLED: u32 = 10;
/// So many of them must be in their middle then; as many are started as it takes, up to a limit.
const CUT_OFF_MIN: u32 = 3;
const STARTED_MAX: u32 = 60;
/// Turns that wait for more than the test lasts.
const QUIET: &str = "60000";

#[tokio::test]
async fn the_list_of_tables_is_what_the_migrations_make() {
    let dir = tempfile::tempdir().unwrap();
    drop(Records::in_folder(dir.path()).await.unwrap());
    let file =
        sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("records.sqlite"));
    let mut file = sqlx::ConnectOptions::connect(&file).await.unwrap();
    let made: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlx%' ORDER BY name",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    let listed: BTreeSet<&str> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(made, Vec::from_iter(listed), "tables.rs lists other tables");
    for table in TABLES {
        let made: Vec<(String, String, i64, i64)> =
            sqlx::query_as("SELECT name, type, \"notnull\", pk FROM pragma_table_info($1)")
                .bind(table.name)
                .fetch_all(&mut file)
                .await
                .unwrap();
        let mut own: Vec<(String, Kind)> = table
            .columns
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), *kind))
            .collect();
        let mut key: Vec<(i64, &str)> = made
            .iter()
            .filter(|column| column.3 > 0)
            .map(|column| (column.3, column.0.as_str()))
            .collect();
        key.sort_unstable();
        let key: Vec<&str> = key.into_iter().map(|(_, name)| name).collect();
        let listed: Vec<&str> = own[..table.key]
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(key, listed, "the key of {}", table.name);
        if table.key == 0 {
            assert!(made.iter().all(|column| column.2 == 1), "{}", table.name);
        }
        let mut made: Vec<(String, Kind)> = made
            .into_iter()
            .map(|(name, kind, _, _)| match kind.as_str() {
                "TEXT" => (name, Kind::Text),
                "BIGINT" => (name, Kind::Number),
                other => panic!("{}.{name} is of the kind {other}", table.name),
            })
            .collect();
        made.sort_by(|a, b| a.0.cmp(&b.0));
        own.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(made, own, "the columns of {}", table.name);
    }
}

/// `tiansheng migrate` with settings in the environment.
fn migrate(from: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary::path());
    command
        .args(["migrate", "--json", "--from"])
        .arg(from)
        .envs(settings.iter().copied())
        .current_dir(from)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The exit status, the document, and what was told on standard error.
fn ended(child: Child) -> (i32, Value, String) {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap_or(-1), document, told)
}

fn moved(from: &Path, settings: &[(&str, &str)]) -> Value {
    let (status, document, told) = ended(migrate(from, settings).spawn().unwrap());
    assert_eq!((status, told.as_str()), (0, ""), "{document:#}");
    assert_eq!(document["same"], true);
    document
}

/// What is refused is told in words, and with nothing on standard output.
fn refused(from: &Path, settings: &[(&str, &str)], words: &[&str]) {
    let (status, document, told) = ended(migrate(from, settings).spawn().unwrap());
    assert!(status == 1 || status == 2, "{status} {told}");
    assert_eq!(document, Value::Null);
    for word in words {
        assert!(told.contains(word), "`{word}` is not told: {told}");
    }
}

fn on(url: &str) -> bot::config::records::Records {
    bot::config::records::Records::of_url(url).unwrap()
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

/// Three visitors of a server on files that was killed: one at rest, one with an unread letter, one whose answer has not left.
struct Killed {
    dir: tempfile::TempDir,
    rested: Visitor,
    unread: Visitor,
    unsent: Visitor,
    /// The event id of the last letter of the first, and its feed.
    said: String,
    feed: Vec<Told>,
}

async fn killed() -> Killed {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(
        dir.path(),
        free_port(),
        &[("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0")],
    );
    let mut visitors = Vec::new();
    for texts in [
        ["你好", "预算三千以内的意式咖啡机有推荐吗？", "第一个有货吗"],
        [
            "hello",
            "which grinder under ¥2000?",
            "compare the first two",
        ],
        ["你好", "we are 40 people, within two weeks", "我要找人工"],
    ] {
        let visitor = Visitor::new(&server.url).await;
        let mut last = String::new();
        for text in texts {
            last = visitor.say(&server.url, text).await;
        }
        visitors.push((visitor, last));
    }
    let (rested, said) = &visitors[0];
    let (feed, said) = (rested.feed(&server.url, 0, said).await, said.clone());
    server.kill();
    let server = Server::start(
        dir.path(),
        free_port(),
        &[
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", QUIET),
            ("TIANSHENG_MAILBOX__BURST_MAX_MS", QUIET),
        ],
    );
    let mut visitors = visitors.into_iter().map(|(visitor, _)| visitor);
    let rested = visitors.next().unwrap();
    let unread = visitors.next().unwrap();
    let unsent = visitors.next().unwrap();
    assert_eq!(
        unread.post(&server.url, "unread", "is it in stock?").await,
        202
    );
    assert_eq!(unsent.post(&server.url, "unsent", "多久能发货").await, 202);
    server.kill();
    Killed {
        dir,
        rested,
        unread,
        unsent,
        said,
        feed,
    }
}

/// A turn as a worker runs it, up to its commit: nobody sends what it wants sent.
async fn committed(state: &State, claim: &TurnClaim, result: &bot::store::TurnResult) {
    let done = state.commit(Commit {
        conversation: claim.conversation.clone(),
        token: claim.token,
        read_to: claim.letters.last().unwrap().seq,
        state: result.state.clone(),
        epoch: result.epoch,
        events: result.events.clone(),
        out: result.out.clone(),
        wake_at_ms: result.wake_at_ms,
        now_ms: now_ms(),
    });
    done.await.unwrap();
}

/// Ends the turn of `unsent`, and leaves that of `unread` leased, as a worker does that is killed; then many conversations in the middle of a turn, read and unread.
async fn crowded(killed: &Killed) {
    let state = State::open(killed.dir.path()).unwrap();
    let engine = Dialogue {
        served: bot::publishing::Served::new(demo(), true),
        model: None,
    };
    let later = now_ms() + 120_000;
    let claimed = state.claim_turns(later, 60_000, 10).await.unwrap().claims;
    let of = |visitor: &Visitor| {
        let mut claims = claimed.iter();
        claims
            .find(|claim| claim.conversation.ends_with(&visitor.conversation))
            .unwrap()
    };
    assert_eq!(of(&killed.unread).letters.len(), 1);
    let claim = of(&killed.unsent);
    let result = engine.run(claim, now_ms()).await;
    assert!(!result.out.is_empty());
    committed(&state, claim, &result).await;
    let mail = |number: usize, event_id: &str| NewMail {
        conversation: format!("web:crowd-{number:05}"),
        event_id: event_id.to_owned(),
        at_ms: now_ms(),
        quiet_ms: 600_000,
        quiet_max_ms: 600_000,
        body: claim.letters[0].body.clone(),
    };
    accepted(&state, (0..CROWD).map(|number| mail(number, "first"))).await;
    let due = now_ms() + 700_000;
    loop {
        let claims = state.claim_turns(due, 900_000, 100).await.unwrap().claims;
        if claims.is_empty() {
            break;
        }
        let crowd = claims
            .iter()
            .filter(|claim| claim.conversation.contains("crowd"));
        let commits = crowd.map(|claim| committed(&state, claim, &result));
        futures_util::future::join_all(commits).await;
    }
    let seconds = (0..CROWD).step_by(50);
    accepted(&state, seconds.map(|number| mail(number, "second"))).await;
    closed(state, killed.dir.path());
}

/// All together, so that the file makes one commit of many.
async fn accepted(state: &State, mails: impl Iterator<Item = NewMail>) {
    let accepting = mails.map(|mail| state.accept(mail));
    for accepted in futures_util::future::join_all(accepting).await {
        accepted.unwrap();
    }
}

/// Kills moves from at once to the time that a whole one takes.
fn cut_off(from: &Path, settings: &[(&str, &str)], whole: Duration) -> u32 {
    let mut cut = 0;
    for number in 0..STARTED_MAX {
        // A whole one may have taken long because the machine was busy then.
        if number >= KILLED && cut >= CUT_OFF_MIN {
            break;
        }
        let mut child = migrate(from, settings).spawn().unwrap();
        std::thread::sleep(whole * (number % KILLED) / KILLED);
        cut += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    cut
}

fn count(document: &Value, table: &str) -> u64 {
    let tables = document["records"]["tables"].as_array().unwrap();
    let found = tables.iter().find(|found| found["table"] == table);
    found.unwrap()["rows"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_moved_by_many_cut_off_moves_are_the_same_on_both_sides() {
    let postgres = Postgres::start();
    let killed = killed().await;
    crowded(&killed).await;
    let from = killed.dir.path();
    let first = postgres.url(&postgres.fresh());
    let begun = Instant::now();
    let whole = moved(from, &[("TIANSHENG_RECORDS__URL", &first)]);
    let took = begun.elapsed();
    assert_eq!(whole["state"], Value::Null);
    assert!(whole["archived"].as_u64().unwrap() >= CROWD as u64);
    let database = postgres.fresh();
    let second = postgres.url(&database);
    let settings = [("TIANSHENG_RECORDS__URL", second.as_str())];
    let cut = cut_off(from, &settings, took);
    println!("a whole move took {took:?}; {cut} were cut off");
    assert!(cut >= CUT_OFF_MIN, "{cut} moves were cut off");
    let again = moved(from, &settings);
    assert_eq!(again["records"]["tables"], whole["records"]["tables"]);
    for table in TABLES {
        let rows = postgres.ask(&database, &format!("SELECT count(*) FROM {}", table.name));
        assert_eq!(
            rows,
            count(&again, table.name).to_string(),
            "{}",
            table.name
        );
    }
    let conversations = postgres.ask(&database, "SELECT count(*) FROM conversations");
    assert_eq!(conversations, (CROWD + 3).to_string());
    // A row that another hand changes is found by its key.
    postgres.ask(
        &database,
        "UPDATE events SET events = '[]' WHERE conversation = 'web:crowd-00007'",
    );
    let (status, document, _) = ended(migrate(from, &settings).spawn().unwrap());
    assert_eq!((status, &document["same"]), (1, &Value::Bool(false)));
    let differs = document["records"]["tables"].to_string();
    assert!(differs.contains("a row of web:crowd-00007"), "{differs}");
}

/// Lets go of the file, which its writer holds until it has ended.
fn closed(state: State, from: &Path) {
    drop(state);
    let file = std::fs::File::open(from.join("state.redb")).unwrap();
    let begun = Instant::now();
    while file.try_lock().is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the file stays open"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The conversations of the three as the files have them.
fn wholes(killed: &Killed) -> Vec<Whole> {
    let state = State::open(killed.dir.path()).unwrap();
    let wholes = [&killed.rested, &killed.unread, &killed.unsent]
        .map(|visitor| state.whole(&visitor.conversation).unwrap().unwrap());
    closed(state, killed.dir.path());
    wholes.into()
}

/// Times that the feed says of an event id that it was read.
fn receipts(feed: &[Told], event_id: &str) -> usize {
    let quoted = format!("\"{event_id}\"");
    feed.iter()
        .filter(|told| told.data.contains(&quoted))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_goes_on_on_redis_and_postgresql_where_its_files_ended() {
    let postgres = Postgres::start();
    let (first, second) = (Redis::start(), Redis::start());
    let killed = killed().await;
    crowded(&killed).await;
    let from = killed.dir.path();
    let before = wholes(&killed);
    let [rested, unread, unsent] = &before[..] else {
        panic!("three were killed")
    };
    assert_eq!((unread.letters.len(), unsent.letters.len()), (1, 0));
    assert!(!unsent.out.is_empty() && rested.out.is_empty());

    let targets = [(&first, postgres.fresh()), (&second, postgres.fresh())]
        .map(|(redis, database)| (redis.url(), postgres.url(&database), database));
    let settings = |target: usize| {
        [
            ("TIANSHENG_STATE__URL", targets[target].0.as_str()),
            ("TIANSHENG_RECORDS__URL", targets[target].1.as_str()),
        ]
    };
    let begun = Instant::now();
    let whole = moved(from, &settings(0));
    let took = begun.elapsed();
    let cut = cut_off(from, &settings(1), took);
    println!("a whole move took {took:?}; {cut} were cut off");
    assert!(cut >= CUT_OFF_MIN, "{cut} moves were cut off");
    let again = moved(from, &settings(1));
    assert_eq!(again["records"]["tables"], whole["records"]["tables"]);
    for part in ["conversations", "facts", "pointers"] {
        assert_eq!(again["state"][part], whole["state"][part]);
    }
    assert_eq!(again["state"]["conversations"]["count"], CROWD + 3);
    // A session of each visitor, the versions that are kept, and which of them is published.
    assert!(again["state"]["facts"]["count"].as_u64().unwrap() > 3);
    assert_eq!(again["state"]["pointers"]["count"], 1);
    assert!(again["next"].to_string().contains("archive it"));
    assert_eq!(wholes(&killed), before, "the files are as they were");

    // The next turn waits until the one that was left is over, so that it is read alone.
    let data = tempfile::tempdir().unwrap();
    let mut environment = settings(1).to_vec();
    environment.push(("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"));
    let server = Server::start(data.path(), free_port(), &environment);
    let url = server.url.as_str();
    assert_eq!(killed.rested.feed(url, 0, &killed.said).await, killed.feed);
    let feed = killed.unread.feed(url, 0, "unread").await;
    assert_eq!(receipts(&feed, "unread"), 1);
    killed.unsent.feed(url, 0, "unsent").await;

    // What was accepted on the files is not accepted again.
    for (visitor, id) in [
        (&killed.rested, killed.said.as_str()),
        (&killed.unread, "unread"),
        (&killed.unsent, "unsent"),
    ] {
        assert_eq!(visitor.post(url, id, "again").await, 202);
        let last = visitor.say(url, "谢谢").await;
        let feed = visitor.feed(url, 0, &last).await;
        assert_eq!(receipts(&feed, id), 1, "{id} was taken twice");
    }
    let state = redis::State::open(&bot::config::state::State::of_url(&targets[1].0).unwrap());
    for old in &before {
        let now = state.whole(&old.conversation).await.unwrap().unwrap();
        assert_eq!(now.counters.last_letter, old.counters.last_letter + 1);
        assert!(now.counters.rev > old.counters.rev);
        // The archiver does not pass over what the new journals have.
        let steps = || {
            postgres.ask(
                &targets[1].2,
                &format!(
                    "SELECT count(*), max(rev) FROM events WHERE conversation = '{}'",
                    old.conversation
                ),
            )
        };
        let rev = now.counters.rev;
        let begun = Instant::now();
        while steps() != format!("{rev}|{rev}") {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{} {rev}",
                steps()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let replayed = Command::new(binary::path())
            .args(["replay", &old.conversation])
            .envs(settings(1))
            .current_dir(data.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&replayed.stdout);
        assert!(replayed.status.success(), "{told}");
        assert!(
            told.contains(&format!("{rev} turns replayed, 0 differences")),
            "{told}"
        );
    }
    assert!(server.stop().success());

    // Moved once more, what went on is named and stays.
    let (status, _, told) = ended(migrate(from, &settings(1)).spawn().unwrap());
    assert_eq!(status, 1);
    assert!(
        told.contains("differs") && told.contains("records"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_serves_others_or_went_on_is_left_as_it_is() {
    let killed = killed().await;
    let from = killed.dir.path();
    let (redis, busy) = (Redis::start(), Redis::start());
    let at = |redis: &Redis| {
        redis::State::open(&bot::config::state::State::of_url(&redis.url()).unwrap())
    };
    let letter = |conversation: &str| NewMail {
        conversation: conversation.to_owned(),
        event_id: "other".to_owned(),
        at_ms: now_ms(),
        quiet_ms: 600_000,
        quiet_max_ms: 600_000,
        body: "{}".to_owned(),
    };
    let state = at(&busy);
    state.accept(letter("web:other")).await.unwrap();
    let to_busy = busy.url();
    refused(
        from,
        &[("TIANSHENG_STATE__URL", &to_busy)],
        &["serves other conversations already", "state.prefix"],
    );
    assert_eq!(
        state.whole(&killed.rested.conversation).await.unwrap(),
        None
    );

    let url = redis.url();
    let settings = [("TIANSHENG_STATE__URL", url.as_str())];
    let document = moved(from, &settings);
    assert_eq!(document["records"], Value::Null);
    assert_eq!(document["state"]["conversations"]["count"], 3);
    assert!(document["next"].to_string().contains("the records stay"));
    moved(from, &settings);
    let state = at(&redis);
    let id = killed.rested.conversation.as_str();
    state.accept(letter(id)).await.unwrap();
    let went_on = state.whole(id).await.unwrap();
    refused(from, &settings, &[id, "differs", "not overwritten"]);
    assert_eq!(state.whole(id).await.unwrap(), went_on);

    let other = tempfile::tempdir().unwrap();
    closed(State::open(other.path()).unwrap(), other.path());
    refused(other.path(), &settings, &["filled from another folder"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_of_a_move_is_named() {
    let postgres = Postgres::start();
    let redis = Redis::start();
    let (records, state) = (postgres.url("records"), redis.url());
    let empty = tempfile::tempdir().unwrap();
    let both = [
        ("TIANSHENG_RECORDS__URL", records.as_str()),
        ("TIANSHENG_STATE__URL", state.as_str()),
    ];
    refused(
        empty.path(),
        &both,
        &["neither state.redb nor records.sqlite", "--from"],
    );
    refused(empty.path(), &[], &["state.url", "records.url"]);
    let killed = killed().await;
    let from = killed.dir.path();
    refused(from, &[], &["nowhere to move it"]);
    refused(
        from,
        &[("TIANSHENG_RECORDS__URL", "mysql://u:hidden@127.0.0.1/x")],
        &["TIANSHENG_RECORDS__URL", "postgres://host:port/database"],
    );
    let away = format!("postgres://shop@127.0.0.1:{}/records", free_port());
    refused(
        from,
        &[("TIANSHENG_RECORDS__URL", &away)],
        &["refused", "127.0.0.1"],
    );
    let away = format!("redis://127.0.0.1:{}", free_port());
    refused(
        from,
        &[("TIANSHENG_STATE__URL", &away)],
        &["refused", "127.0.0.1"],
    );
    let nowhere = postgres.url("nowhere");
    refused(
        from,
        &[("TIANSHENG_RECORDS__URL", &nowhere)],
        &["no such database"],
    );

    let serving = Server::start(from, free_port(), &[]);
    refused(from, &both, &["state.redb", "stop it"]);
    serving.kill();

    // Another shop's conversation on the target, or one of ours that went on there.
    assert_eq!(Records::on_server(&on(&records)).meet().await, Ok(()));
    postgres.ask(
        "records",
        "INSERT INTO conversations VALUES ('web:other', 1, 1, 1, 'bot')",
    );
    refused(from, &both, &["web:other", "not in this folder"]);
    postgres.ask("records", "DELETE FROM conversations");
    moved(from, &both[..1]);
    postgres.ask(
        "records",
        "UPDATE conversations SET rev = 99 WHERE id = (SELECT min(id) FROM conversations)",
    );
    refused(from, &both, &["differs", "step 99 there"]);
    let rows = postgres.ask(
        "records",
        "SELECT count(*) FROM conversations WHERE rev = 99",
    );
    assert_eq!(rows, "1", "what was there was overwritten");
}
