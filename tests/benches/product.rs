//! `cargo bench`: what a turn costs, what the whole way of a message carries beside its floor, how fast it starts and what it weighs at rest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::shop::Shop;
use bot::talk::{Talk, Word};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::talk::TUESDAY_MS;

const PRODUCTS: usize = 10_000;
const TURNS: usize = 6_000;
const CLIENTS: usize = 48;
const ROUND: Duration = Duration::from_secs(6);

const SAYINGS: [&str; 10] = [
    "你好",
    "预算三千以内的意式咖啡机有推荐吗？",
    "第一个有货吗",
    "which grinder under ¥2000?",
    "compare the first two",
    "太贵了",
    "多久能发货",
    "we are 40 people, within two weeks",
    "最便宜的是哪个",
    "有便宜点的吗",
];

fn main() {
    // `cargo test --benches` asks every bench target for a quick look.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        turn().await;
        start();
        through_http().await;
    });
}

fn told(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: n={} p50={:?} p99={:?} max={:?}",
        times.len(),
        at(0.50),
        at(0.99),
        at(1.0)
    );
}

/// The demo shop with its feed blown up to many products.
fn large_shop() -> Arc<Shop> {
    let mut files = bot::shop::Folder::Demo.read().unwrap();
    for path in ["products.tsv", "products.en.tsv"] {
        let feed = String::from_utf8(files[path].clone()).unwrap();
        let mut lines = feed.lines();
        let mut large = format!("{}\n", lines.next().unwrap());
        let rows: Vec<&str> = lines.collect();
        for n in 0..PRODUCTS {
            let row = rows[n % rows.len()];
            let (id, rest) = row.split_once('\t').unwrap();
            let (title, rest) = rest.split_once('\t').unwrap();
            writeln!(large, "{id}-{n}\t{title} {n}\t{rest}").unwrap();
        }
        files.insert(path.to_owned(), large.into_bytes());
    }
    let begun = Instant::now();
    let checked = Shop::compile(files).unwrap();
    assert_eq!(checked.shop.dialog.catalogue.products().len(), PRODUCTS);
    println!(
        "compile a shop of {PRODUCTS} products: {:?}",
        begun.elapsed()
    );
    Arc::new(checked.shop)
}

/// A whole turn without model and I/O, with a search over many products.
async fn turn() {
    let mut talk = Talk::new(large_shop(), None);
    let mut times = Vec::new();
    for n in 0..TURNS {
        let name = format!("c{}", n / SAYINGS.len());
        let word = Word::Text(SAYINGS[n % SAYINGS.len()].to_owned());
        let begun = Instant::now();
        talk.turn(&name, word, TUESDAY_MS + n as i64 * 1_000)
            .await
            .unwrap();
        times.push(begun.elapsed());
    }
    told("turn over 10,000 products", times.split_off(TURNS / 10));
}

/// From start to ready, and memory at rest.
fn start() {
    // Built before the first start is timed.
    tests::binary::path();
    let mut times = Vec::new();
    let mut rest_kb = 0;
    for _ in 0..5 {
        let data = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let server = Server::start(data.path(), free_port(), &[]);
        times.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(500));
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        let rss = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
        rest_kb = rss
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap();
    }
    told("start to ready", times);
    println!("memory at rest: {:.1} MB", rest_kb as f64 / 1024.0);
}

/// Messages from customers who each wait for their answer on their event stream, over the product and over the same steps without an engine, in turn.
async fn through_http() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut floor = Vec::new();
    let mut product = Vec::new();
    for _ in 0..3 {
        floor.push(round("storm_server", &[("STORM_ENGINE", "floor")]).await);
        product.push(round("tiansheng", &[]).await);
    }
    floor.sort_by(f64::total_cmp);
    product.sort_by(f64::total_cmp);
    println!(
        "turns a second over HTTP, {CLIENTS} customers: floor {:.0}, product {:.0}, share {:.0} % (medians of 3 rounds)",
        floor[1],
        product[1],
        100.0 * product[1] / floor[1]
    );
}

async fn round(program: &str, environment: &[(&str, &str)]) -> f64 {
    let data = tempfile::tempdir().unwrap();
    let mut settings = vec![
        ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "100000"),
        ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", "100000"),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
        ("TIANSHENG_MAILBOX__WORKERS", "16"),
    ];
    settings.extend_from_slice(environment);
    let server = Server::start_program(program, data.path(), free_port(), &settings);
    let over = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..CLIENTS)
        .map(|n| tokio::spawn(customer(n, server.url.clone(), Arc::clone(&over))))
        .collect();
    let begun = Instant::now();
    tokio::time::sleep(ROUND).await;
    over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for customer in customers {
        times.extend(customer.await.unwrap());
    }
    let per_second = times.len() as f64 / begun.elapsed().as_secs_f64();
    told(&format!("message to answer, {program}"), times);
    per_second
}

async fn customer(n: usize, url: String, over: Arc<AtomicBool>) -> Vec<Duration> {
    let http = reqwest::Client::new();
    let session: Value = http
        .post(format!("{url}/v1/web/sessions"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = session["token"].as_str().unwrap();
    let mut stream = http
        .get(format!("{url}/v1/web/events"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    let mut times = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let id = format!("c{n}-{}", times.len());
        let text = SAYINGS[(n + times.len()) % SAYINGS.len()];
        let begun = Instant::now();
        let answer = http
            .post(format!("{url}/v1/web/messages"))
            .bearer_auth(token)
            .json(&json!({"id": id, "text": text}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        // The turn's receipt and its message are fed in one step.
        let wanted = format!("\"{id}\"");
        let mut read = String::new();
        while !read.contains(&wanted) {
            read.push_str(&String::from_utf8_lossy(
                &stream.chunk().await.unwrap().unwrap(),
            ));
        }
        times.push(begun.elapsed());
    }
    times
}
