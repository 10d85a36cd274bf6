//! Two replicas of the program on one Redis: customers are served by both at once, and one that is killed in the middle of a turn loses nothing and doubles nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bot::config::state::State as Settings;
use bot::store::redis::State;
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::load::Customer;
use tests::postgres_server::Postgres;
use tests::redis_server::{Cluster, Redis};
use tests::storm::{Books, Plan, check_on, run};

async fn storm(plan: Plan, url: &str) -> Books {
    let data = tempfile::tempdir().unwrap();
    let customers = run(&plan, data.path()).await;
    let state = State::open(&Settings::of_url(url).unwrap());
    let books = check_on(&customers, &state, data.path()).await;
    println!("storm seed={} kills={} {books:#?}", plan.seed, plan.kills);
    books
}

fn plan(program: &'static str, url: &str, seed: u64, kills: usize) -> Plan {
    Plan {
        seed,
        conversations: 40,
        kills,
        replicas: 2,
        program,
        // The plan lives as long as the test.
        environment: vec![("TIANSHENG_STATE__URL", url.to_owned().leak())],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariants_4_5_and_11_replicas_on_one_redis_survive_kills() {
    let redis = Redis::start();
    let plan = plan("tiansheng", &redis.url(), 20_261_126, 4);
    let books = storm(plan, &redis.url()).await;
    assert!(books.clean() && books.messages >= 120, "{books:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_that_outlive_their_lease_change_nothing_on_redis() {
    let redis = Redis::start();
    let plan = plan("storm_server", &redis.url(), 20_261_127, 4);
    let books = storm(plan, &redis.url()).await;
    assert!(books.clean(), "{books:#?}");
}

/// With `appendfsync always`, what was acknowledged is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_redis_itself_is_killed_under_load() {
    let mut redis = Redis::start();
    let url = redis.url();
    let killing = tokio::task::spawn_blocking(move || {
        // The replicas need some seconds to start; the first kill may find them starting.
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(1_500));
            redis.kill();
            std::thread::sleep(Duration::from_millis(400));
            redis.up();
        }
        redis
    });
    let books = storm(plan("tiansheng", &url, 20_261_130, 3), &url).await;
    drop(killing.await.unwrap());
    assert!(books.clean() && books.messages >= 120, "{books:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_on_a_cluster_survive_kills() {
    let cluster = Cluster::start();
    let plan = plan("tiansheng", &cluster.url(), 20_261_128, 2);
    let books = storm(plan, &cluster.url()).await;
    assert!(books.clean(), "{books:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waits_for_its_redis_and_says_so() {
    let mut redis = Redis::start();
    let url = redis.url().replace("redis://", "redis://:not-to-be-shown@");
    redis.kill();
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), free_port(), &[("TIANSHENG_STATE__URL", &url)]);
    let ready = async || {
        let answer = get(&format!("{}/readyz", server.url)).await;
        (
            answer.0,
            answer.1["dependencies"]["state"]["detail"].to_string(),
        )
    };
    let (status, detail) = ready().await;
    assert_eq!(status, 503);
    assert!(
        detail.contains("refused") && detail.contains("127.0.0.1"),
        "{detail}"
    );
    redis.up();
    // A server without a password refuses one, which is told as such.
    let begun = Instant::now();
    while !ready().await.1.contains("password") {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            ready().await
        );
    }
    redis.ask(&["CONFIG", "SET", "requirepass", "not-to-be-shown"]);
    while ready().await.0 != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}",
            ready().await
        );
    }
    let mut customer = Customer::new(&server.url).await;
    customer.say("你好").await;
    let log = std::fs::read_to_string(data.path().join(tests::binary::LOG)).unwrap();
    assert!(!log.contains("not-to-be-shown"));
}

/// A firewall that drops packets is like a Redis that never says a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_silent_does_not_keep_a_server_from_starting() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), free_port(), &[("TIANSHENG_STATE__URL", &url)]);
    let (status, told) = get(&format!("{}/readyz", server.url)).await;
    assert_eq!(status, 503);
    let detail = |name: &str| told["dependencies"][name]["detail"].to_string();
    assert!(detail("state").contains("no answer"), "{told}");
    assert_eq!(told["dependencies"]["records"]["ok"], true, "{told}");
    let log = std::fs::read_to_string(data.path().join(tests::binary::LOG)).unwrap();
    assert!(!log.contains("the records are away"), "{log}");
}

async fn get(url: &str) -> (u16, serde_json::Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The feed of a page is served by any replica, whichever ran the turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_one_replica_is_told_of_a_turn_on_another() {
    let redis = Redis::start();
    let data = tempfile::tempdir().unwrap();
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
    ];
    let start = || Server::start(data.path(), free_port(), &settings);
    let (reads, writes) = (start(), start());
    let mut customer = Customer::new(&reads.url).await;
    let mut all = Vec::new();
    for _ in 0..12 {
        all.push(customer.say_to(&writes.url, "你好").await);
    }
    all.sort();
    // Hints carry it; without them each would wait until the page looks, three seconds after what was told last. A machine that is busy delays one or another.
    assert!(all[8] < Duration::from_millis(2_500), "{all:?}");
}

/// Limits count what all replicas took together.
#[tokio::test(flavor = "multi_thread")]
async fn limits_are_shared_by_the_replicas() {
    let redis = Redis::start();
    let data = tempfile::tempdir().unwrap();
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", "3"),
        ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "4"),
    ];
    let servers = [(); 2].map(|()| Server::start(data.path(), free_port(), &settings));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let mut statuses = Vec::new();
    let mut token = String::new();
    for n in 0..4 {
        let url = &servers[n % 2].url;
        let answer = http.post(format!("{url}/v1/web/sessions")).send().await;
        let answer = answer.unwrap();
        statuses.push(answer.status().as_u16());
        let body: serde_json::Value = answer.json().await.unwrap();
        if let Some(opened) = body["token"].as_str() {
            token = opened.to_owned();
        }
    }
    assert_eq!(statuses, [201, 201, 201, 429]);
    let mut statuses = Vec::new();
    for n in 0..5 {
        let answer = http
            .post(format!("{}/v1/web/messages", servers[n % 2].url))
            .bearer_auth(&token)
            .json(&serde_json::json!({"id": format!("m{n}"), "text": "你好"}))
            .send()
            .await
            .unwrap();
        statuses.push(answer.status().as_u16());
        assert_eq!(answer.headers().contains_key("retry-after"), n == 4);
    }
    assert_eq!(statuses, [202, 202, 202, 202, 429]);
}

/// Of two replicas one archives; when it is gone the other does.
#[tokio::test(flavor = "multi_thread")]
async fn the_archive_passes_to_another_replica_when_its_holder_is_killed() {
    let redis = Redis::start();
    let data = tempfile::tempdir().unwrap();
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
    ];
    let first = Server::start(data.path(), free_port(), &settings);
    let second = Server::start(data.path(), free_port(), &settings);
    let mut customer = Customer::new(&second.url).await;
    customer.say("你好").await;
    let took = || {
        let log = std::fs::read_to_string(data.path().join(tests::binary::LOG)).unwrap();
        log.matches("took a job").count()
    };
    assert_eq!(took(), 1, "the first that came has it");
    drop(first);
    let begun = Instant::now();
    while took() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody archives");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    customer.say("谢谢").await;
    let records = bot::store::records::Records::in_folder(data.path());
    let records = records.await.unwrap();
    use bot::store::RecordStore as _;
    let begun = Instant::now();
    loop {
        let kept = records.conversations("", 10).await.unwrap();
        if kept.iter().any(|kept| kept.rev == 2) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{kept:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Who comes back after their conversation left Redis is served by any replica as if it had not.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_comes_back_after_long_is_remembered() {
    let redis = Redis::start();
    let postgres = Postgres::start();
    let data = tempfile::tempdir().unwrap();
    let (state, records) = (redis.url(), postgres.url(&postgres.fresh()));
    let settings = [
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_STATE__IDLE_SECONDS", "1"),
        ("TIANSHENG_RECORDS__URL", records.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
    ];
    let start = || Server::start(data.path(), free_port(), &settings);
    let (first, second) = (start(), start());
    let mut customer = Customer::new(&first.url).await;
    customer.say("预算三千以内的意式咖啡机有推荐吗？").await;
    let begun = Instant::now();
    while !redis
        .ask(&["--scan", "--pattern", "conv:*"])
        .trim()
        .is_empty()
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never leaves");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        redis
            .ask(&["--scan", "--pattern", "feed:*"])
            .trim()
            .is_empty()
    );
    // The page reads what was said, and the agent knows what “the first” is.
    let feed = customer.read_to(&second.url, "\"turn\":1").await;
    assert!(feed.contains("咖啡机"), "{feed}");
    customer.say_to(&second.url, "第一个有货吗").await;
    let answer = customer.read_to(&second.url, "\"turn\":2").await;
    assert!(answer.contains("有现货"), "{answer}");
}
