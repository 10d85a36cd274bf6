//! All replicas are replaced under load, one after the other, behind a proxy that asks `/readyz`: no request of the web channel fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::front::Front;
use tests::postgres_server::Postgres;
use tests::redis_server::Redis;
use tests::storm::Dice;
use tests::storm::crowd::{Crowd, books, sums};
use tests::storm::fleet::Replica;
use tests::storm::report::publish;
use tests::storm::visitor::{Doors, Pace};

const SEED: u64 = 20_261_202;

/// What a proxy sends within the drain is answered, and no connection is kept open to be closed later in the middle of a request.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_leaves_says_so_first_and_answers_on() {
    let redis = Redis::start();
    let data = tempfile::tempdir().unwrap();
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_WEB__DRAIN_MS", "10000"),
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
        assert!(begun.elapsed() < Duration::from_secs(10), "still ready");
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
    /// Several times as long as the proxy takes at most to learn that a replica leaves.
    const DRAIN_MS: &str = "8000";
    let redis = Redis::start();
    let postgres = Postgres::start();
    let mut replicas = Vec::new();
    for _ in 0..3 {
        // A Redis that is slow on a busy machine is no failure of a restart.
        let drain = [
            ("TIANSHENG_WEB__DRAIN_MS", DRAIN_MS),
            ("TIANSHENG_STATE__TIMEOUT_MS", "10000"),
        ];
        replicas.push(Replica::new(redis.port, &postgres, None, &drain).await);
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
    let crowd = Crowd::enters(VISITORS, &doors, pace, &mut Dice(SEED));
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
    std::thread::scope(|all| {
        for replica in &replicas {
            all.spawn(|| replica.stop());
        }
    });
    let books = books(&visitors, &redis.url(), &postgres.url("records")).await;
    let sums = sums(&visitors);
    publish(
        env!("CARGO_TARGET_TMPDIR"),
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
    // What a service manager or a container waits before it kills.
    assert!(stops.iter().all(|stop| *stop < Duration::from_secs(30)));
    // Nobody even met a closed door: the proxy knew before.
    assert_eq!((failed, retried), (0, 0));
    assert_eq!((sums.failed, sums.refused, sums.broken), (0, 0, 0));
    assert_eq!((sums.unread, sums.doubled), (0, 0));
    assert!(books.messages > 5 * VISITORS);
}
