//! One version of the shop for all replicas: published by one, served by all, and gone back to in the same way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::store::RecordStore as _;
use bot::store::records::Records;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::load::Customer;
use tests::redis_server::Redis;

/// Longest wait for a version to be served.
const PATIENCE: Duration = Duration::from_secs(30);

/// A copy of the demo shop with a greeting of its own.
fn shop(dir: &Path, greeting: &str) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bot/demo");
    copy(&demo, dir);
    let path = dir.join("shop.yaml");
    let mut text = String::new();
    let mut in_greeting = false;
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        in_greeting = line.starts_with("greeting:") || (in_greeting && line.starts_with(' '));
        if !in_greeting {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.push_str(&format!("greeting:\n  zh: {greeting}\n  en: {greeting}\n"));
    std::fs::write(path, text).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

async fn greeting(server: &Server) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(format!("{}/v1/web/config", server.url)).await;
    let config: serde_json::Value = answer.unwrap().json().await.unwrap();
    config["greeting"]["zh"].as_str().unwrap().to_owned()
}

/// The version that `/readyz` names.
async fn ready(server: &Server) -> String {
    let answer = reqwest::get(format!("{}/readyz", server.url)).await;
    let told: serde_json::Value = answer.unwrap().json().await.unwrap();
    told["dependencies"]["shop"]["detail"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn greets(servers: &[&Server], wanted: &str) {
    let begun = Instant::now();
    for server in servers {
        while greeting(server).await != wanted {
            assert!(begun.elapsed() < PATIENCE, "{}", greeting(server).await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_publishes_all_serve() {
    let redis = Redis::start();
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let (one, two) = (place.path().join("one"), place.path().join("two"));
    shop(&one, "first");
    shop(&two, "first");
    let url = redis.url();
    let start = |shop: &Path| {
        let settings = [
            ("TIANSHENG_STATE__URL", url.as_str()),
            ("TIANSHENG_SHOP__DIR", shop.to_str().unwrap()),
            ("TIANSHENG_WEB__DRAIN_MS", "0"),
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
        ];
        Server::start(&data, free_port(), &settings)
    };
    let publisher = start(&one);
    let follower = start(&two);
    greets(&[&publisher, &follower], "first").await;
    let first = ready(&publisher).await;

    // Nothing is served of what is only saved.
    shop(&one, "second");
    tokio::time::sleep(Duration::from_secs(3)).await;
    greets(&[&publisher, &follower], "first").await;
    publisher.signal("-HUP");
    greets(&[&publisher, &follower], "second").await;
    let told = [ready(&publisher).await, ready(&follower).await];
    assert_eq!(told[0], told[1], "both say which version they serve");
    assert_ne!(told[0], first);

    // A replica that comes back with files that were replaced meanwhile serves what is published.
    drop(follower);
    let follower = start(&two);
    greets(&[&follower, &publisher], "second").await;
    let mut customer = Customer::new(&follower.url).await;
    customer.say("你好").await;

    // Rules that cannot be read are never published.
    let pack = one.join("policies/broken.yaml");
    std::fs::create_dir_all(one.join("policies")).unwrap();
    std::fs::write(&pack, "rules: [").unwrap();
    shop(&one, "third");
    publisher.signal("-HUP");
    let begun = Instant::now();
    let log = || std::fs::read_to_string(data.join(tests::binary::LOG)).unwrap();
    while !log().contains("not loaded again") {
        assert!(begun.elapsed() < PATIENCE, "{}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    greets(&[&publisher, &follower], "second").await;

    // New files that a replica starts with are published; going back is publishing the old ones again.
    std::fs::remove_file(&pack).unwrap();
    drop(publisher);
    let publisher = start(&one);
    greets(&[&publisher, &follower], "third").await;
    shop(&one, "first");
    publisher.signal("-HUP");
    greets(&[&publisher, &follower], "first").await;
    let records = Records::in_folder(&data).await.unwrap();
    let audited = records.audited(0, 100).await.unwrap();
    let published: Vec<&str> = audited.iter().map(|line| line.on.as_str()).collect();
    assert_eq!(published.len(), 4, "{published:?}");
    assert!(audited.iter().all(|line| line.what == "publish"));
    assert_eq!(published.first(), published.last());
    for version in published {
        let policy = version.split(' ').next().unwrap();
        let kept = records.version(bot::shop::POLICY, policy).await.unwrap();
        assert!(kept.is_some(), "{policy} is not kept");
    }
}

/// New files are not taken for old ones because the first try to publish them failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_publishing_failed_is_published_later() {
    let redis = Redis::start();
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let folder = place.path().join("shop");
    shop(&folder, "first");
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_SHOP__DIR", folder.to_str().unwrap()),
        ("TIANSHENG_WEB__DRAIN_MS", "0"),
    ];
    let start = || Server::start(&data, free_port(), &settings);
    let server = start();
    let records = Records::in_folder(&data).await.unwrap();
    let published = async |wanted: usize| {
        let begun = Instant::now();
        loop {
            let audited = records.audited(0, 100).await.unwrap();
            if audited.len() == wanted {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{audited:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    published(1).await;
    drop(server);
    shop(&folder, "second");
    let rights = ["ACL", "SETUSER", "default", "resetkeys"];
    let all_but_pointers = [
        "~agenda*",
        "~away*",
        "~box*",
        "~conv*",
        "~fact*",
        "~feed*",
        "~job*",
        "~journal*",
        "~layout",
        "~out*",
        "~quiet*",
        "~rate*",
        "%R~pointer*",
    ];
    let prefixed: Vec<String> = all_but_pointers
        .iter()
        .map(|pattern| pattern.replace('~', "~*"))
        .collect();
    let patterns = prefixed.iter().map(String::as_str);
    redis.ask(&rights.into_iter().chain(patterns).collect::<Vec<_>>());
    let server = start();
    let log = || std::fs::read_to_string(data.join(tests::binary::LOG)).unwrap();
    let begun = Instant::now();
    while !log().contains("cannot be served yet") {
        assert!(begun.elapsed() < PATIENCE, "{}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    redis.ask(&["ACL", "SETUSER", "default", "allkeys"]);
    published(2).await;
    greets(&[&server], "second").await;
}

/// A service manager's reload may come while the store is away.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_comes_before_the_store_answers_is_done_when_it_does() {
    let mut redis = Redis::start();
    redis.kill();
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let folder = place.path().join("shop");
    shop(&folder, "first");
    let url = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", url.as_str()),
        ("TIANSHENG_SHOP__DIR", folder.to_str().unwrap()),
    ];
    let server = Server::start(&data, free_port(), &settings);
    assert_eq!(greeting(&server).await, "first");
    shop(&folder, "second");
    server.signal("-HUP");
    redis.up();
    greets(&[&server], "second").await;
}

/// A process of which a file has the number; it ends with the test, however that ends.
struct Ended(std::path::PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        let id = std::fs::read_to_string(&self.0).unwrap_or_default();
        let _ = std::process::Command::new("kill")
            .args(["-KILL", id.trim()])
            .stderr(std::process::Stdio::null())
            .status();
    }
}

/// Started at a terminal, a server goes with it.
#[tokio::test]
async fn a_server_whose_terminal_closes_ends() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let program = tests::binary::path();
    let command = format!("echo $$ > id; exec {} serve", program.display());
    let mut terminal = std::process::Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("TIANSHENG_LISTEN", format!("127.0.0.1:{port}"))
        .env("TIANSHENG_DATA__DIR", data.path())
        .current_dir(data.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}/healthz");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let begun = Instant::now();
    while reqwest::get(&url).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the server does not answer");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _server = Ended(data.path().join("id"));
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    // It lets go of its files at the end.
    let begun = Instant::now();
    while let Err(error) = bot::store::embedded::State::open(data.path()) {
        assert!(begun.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
