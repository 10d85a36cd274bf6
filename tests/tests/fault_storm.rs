//! Three replicas on one Redis and one PostgreSQL while everything breaks that can, and while they are replaced: nothing is lost, doubled or out of order, and a report says what was seen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as StateSettings;
use bot::store::redis::State;
use bot::store::{NewMail, StateStore as _};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tests::binary::{Server, free_port};
use tests::faulty::Way;
use tests::front::Front;
use tests::postgres_server::Postgres;
use tests::redis_server::Redis;
use tests::storm::Dice;
use tests::storm::bringer::{Grounds, Mark, bring};
use tests::storm::crowd::{Crowd, books, sums};
use tests::storm::faults::{STORM_MS, plan};
use tests::storm::fleet::Replica;
use tests::storm::report;
use tests::storm::visitor::{Doors, Pace};

const CONVERSATIONS: usize = 500;
/// What the replicas' clocks show besides the time.
const CLOCKS: [Option<&str>; 3] = [None, Some("-5m"), Some("+7m")];

/// `STORM_SEED` makes another storm.
fn seed() -> u64 {
    std::env::var("STORM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_201)
}

/// Prints a report, and leaves it beside the build.
fn publish(name: &str, report: &str) {
    println!("{report}");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.md"));
    std::fs::write(&path, report).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn invariants_4_5_and_11_three_replicas_survive_a_storm_of_every_fault() {
    let seed = seed();
    let mut dice = Dice(seed);
    let redis = Redis::start_with(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--enable-debug-command",
        "yes",
    ]);
    let postgres = Postgres::start();
    let (redis_url, records_url) = (redis.url(), postgres.url("records"));
    let mut replicas = Vec::new();
    for clock in CLOCKS {
        replicas.push(Replica::new(&redis, &postgres, clock, &[]).await);
    }
    let doors = Doors::new(replicas.iter().map(|replica| replica.url.clone()).collect());
    let grounds = Arc::new(Grounds {
        replicas,
        redis: Mutex::new(redis),
        postgres: Mutex::new(postgres),
        http: doors.http.clone(),
    });
    let plan = plan(&mut dice);
    let pace = Pace {
        rest_ms: 20_000,
        last: Duration::from_secs(120),
    };
    let begun = Instant::now();
    let crowd = Crowd::enters(CONVERSATIONS, &doors, pace, &mut dice);
    let brought = bring(&grounds, &plan, begun).await;
    tokio::time::sleep_until((begun + Duration::from_millis(STORM_MS)).into()).await;
    let visitors = crowd.leaves().await;
    println!(
        "quiet {:?} after the storm",
        begun.elapsed() - Duration::from_millis(STORM_MS)
    );
    for replica in &grounds.replicas {
        replica.stop();
    }
    let books = books(&visitors, &redis_url, &records_url).await;
    let sums = sums(&visitors);
    publish(
        "fault-storm",
        &report::told(seed, &brought, &visitors, &sums, &books),
    );
    for one in &brought {
        if let Mark::Refusals {
            asked,
            refused,
            unready,
            back,
        } = &one.mark
        {
            assert!(*asked > 0 && asked == refused && *unready && back.is_some());
        }
    }
    assert!(books.clean(), "{books:#?}");
    assert_eq!((sums.unread, sums.doubled, sums.without_wait), (0, 0, 0));
    assert!(books.conversations == CONVERSATIONS && books.messages > 4 * CONVERSATIONS);
}

/// A clock is compared when the state answers; what is claimed before would be leased, and taken from others, by a clock that may be wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_with_a_wrong_clock_that_waits_for_its_redis_takes_nothing_before_its_time() {
    let redis = Redis::start();
    let postgres = Postgres::start();
    let state = State::open(&StateSettings::of_url(&redis.url()).unwrap());
    let replica = Replica::new(&redis, &postgres, Some("+7m"), &[]).await;
    replica.kill();
    replica.to_redis.set(Way::Cut);
    replica.start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let due_in_a_minute = NewMail {
        conversation: "web:early".to_owned(),
        event_id: "e1".to_owned(),
        at_ms: i64::try_from(now.as_millis()).unwrap(),
        quiet_ms: 60_000,
        quiet_max_ms: 60_000,
        body: "{}".to_owned(),
    };
    state.accept(due_in_a_minute).await.unwrap();
    // Long enough for the replica to have found Redis away.
    tokio::time::sleep(Duration::from_secs(2)).await;
    // So slow that everything in it waits for the first comparison.
    replica.to_redis.set(Way::Slow(Duration::from_millis(500)));
    tokio::time::sleep(Duration::from_secs(4)).await;
    replica.to_redis.set(Way::Open);
    let doors = Doors::new(vec![replica.url.clone()]);
    let pace = Pace {
        rest_ms: 500,
        last: Duration::from_secs(30),
    };
    let crowd = Crowd::enters(4, &doors, pace, &mut Dice(seed()));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let visitors = crowd.leaves().await;
    assert_eq!(sums(&visitors).unread, 0);
    let snapshot = state.snapshot("web:early").await.unwrap();
    assert!(snapshot.is_none(), "a turn ran before its time");
}

/// What a proxy sends within the drain is answered, and no connection is kept open to be closed later in the middle of a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_leaves_says_so_first_and_answers_on() {
    let redis = Redis::start();
    let data = tempfile::tempdir().unwrap();
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_WEB__DRAIN_MS", "3000"),
    ];
    let port = free_port();
    let server = Server::start(data.path(), port, &settings);
    let mut kept_open = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let first = ask(&mut kept_open, "GET /readyz");
    assert!(
        first.starts_with("HTTP/1.1 200") && !first.contains("connection: close"),
        "{first}"
    );
    server.signal("-TERM");
    let mut other = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let begun = Instant::now();
    while !ask(&mut other, "GET /readyz").starts_with("HTTP/1.1 503") {
        assert!(begun.elapsed() < Duration::from_secs(3), "still ready");
        other = TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
    let last = ask(&mut kept_open, "POST /v1/web/sessions");
    assert!(
        last.starts_with("HTTP/1.1 201") && last.contains("connection: close"),
        "{last}"
    );
    let mut rest = Vec::new();
    kept_open.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty() && server.ended().success());
}

/// One request on a connection that stays open; the head of the answer and what came with it.
fn ask(connection: &mut TcpStream, request: &str) -> String {
    let request = format!("{request} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut read = String::new();
    let mut bytes = [0_u8; 4096];
    // Every answer that is asked for here ends its body with a brace.
    while !read.ends_with('}') {
        match connection.read(&mut bytes).unwrap() {
            0 => break,
            count => read.push_str(std::str::from_utf8(&bytes[..count]).unwrap()),
        }
    }
    read
}

/// Each replica is told to leave and followed by a new one, behind a proxy that asks `/readyz`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_while_all_replicas_are_replaced_one_after_the_other() {
    const VISITORS: usize = 100;
    let redis = Redis::start();
    let postgres = Postgres::start();
    let mut replicas = Vec::new();
    for _ in 0..3 {
        let drain = [("TIANSHENG_WEB__DRAIN_MS", "3000")];
        replicas.push(Replica::new(&redis, &postgres, None, &drain).await);
    }
    let front = Front::before(replicas.iter().map(|replica| replica.url.clone()).collect()).await;
    let trusted = async |at: usize| {
        let begun = Instant::now();
        while !front.trusts(at) {
            assert!(begun.elapsed() < Duration::from_secs(30), "not ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    for at in 0..3 {
        trusted(at).await;
    }
    let doors = Doors::new(vec![front.url.clone()]);
    let pace = Pace {
        rest_ms: 2_000,
        last: Duration::from_secs(60),
    };
    let crowd = Crowd::enters(VISITORS, &doors, pace, &mut Dice(seed() + 1));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut stops = Vec::new();
    for (at, replica) in replicas.iter().enumerate() {
        stops.push(replica.stop());
        replica.start();
        trusted(at).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let visitors = crowd.leaves().await;
    let (retried, failed) = front.counts();
    for replica in &replicas {
        replica.stop();
    }
    let books = books(&visitors, &redis.url(), &postgres.url("records")).await;
    let sums = sums(&visitors);
    publish(
        "rolling-restart",
        &format!(
            "rolling restart: {} conversations, {} messages, {} answers refused, {failed} requests failed at the proxy, {} at the visitors, {} streams broken, {retried} refused connections taken over; leaving took {stops:?}; longest silence {:?}",
            books.conversations,
            books.messages,
            sums.refused,
            sums.failed,
            sums.broken,
            sums.silence(1.0),
        ),
    );
    assert!(books.clean(), "{books:#?}");
    // Nobody even met a closed door: the proxy knew before.
    assert_eq!((failed, retried), (0, 0));
    assert_eq!((sums.failed, sums.refused, sums.broken), (0, 0, 0));
    assert_eq!((sums.unread, sums.doubled), (0, 0));
    assert!(books.messages > 5 * VISITORS);
}
