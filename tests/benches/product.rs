//! `cargo bench`: what a turn costs, what the whole way of a message carries beside its floor, how fast it starts and what it weighs at rest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::shop::Shop;
use bot::talk::{Talk, Word};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::load::{SAYINGS, SETTINGS, round, told};
use tests::talk::TUESDAY_MS;

const PRODUCTS: usize = 10_000;
const TURNS: usize = 6_000;
/// Sayings whose median is told, the dearest first.
const DEAREST: usize = 8;
const CLIENTS: usize = 48;
const ROUND: Duration = Duration::from_secs(6);

fn main() {
    // `cargo test --benches` asks every bench target for a quick look.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let asked: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench --bench product -- turn` runs one part.
    let wants = |part: &str| {
        let named = asked
            .iter()
            .any(|arg| ["turn", "start", "http"].contains(&arg.as_str()));
        !named || asked.iter().any(|arg| arg == part)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if wants("turn") {
            turn().await;
        }
        if wants("start") {
            start();
        }
        if wants("http") {
            through_http().await;
        }
    });
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
    let mut by_saying: Vec<Vec<Duration>> = vec![Vec::new(); SAYINGS.len()];
    for n in 0..TURNS {
        let name = format!("c{}", n / SAYINGS.len());
        let word = Word::Text(SAYINGS[n % SAYINGS.len()].to_owned());
        let begun = Instant::now();
        talk.turn(&name, word, TUESDAY_MS + n as i64 * 1_000)
            .await
            .unwrap();
        times.push(begun.elapsed());
        by_saying[n % SAYINGS.len()].push(begun.elapsed());
    }
    told(
        "turn over 10,000 products",
        &mut times.split_off(TURNS / 10),
    );
    let mut medians: Vec<(Duration, &str)> = by_saying
        .iter_mut()
        .zip(SAYINGS)
        .map(|(times, saying)| {
            times.sort();
            (times[times.len() / 2], saying)
        })
        .collect();
    medians.sort();
    for (median, saying) in medians.iter().rev().take(DEAREST) {
        println!("  {median:>10.1?}  {saying}");
    }
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
    told("start to ready", &mut times);
    println!("memory at rest: {:.1} MB", rest_kb as f64 / 1024.0);
}

/// Messages from customers who each wait for their answer on their event stream, over the product and over the same steps without an engine, in turn.
async fn through_http() {
    let mut floor = Vec::new();
    let mut product = Vec::new();
    for _ in 0..3 {
        floor.push(one_round("storm_server", &[("STORM_ENGINE", "floor")]).await);
        product.push(one_round("tiansheng", &[]).await);
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

async fn one_round(program: &str, environment: &[(&str, &str)]) -> f64 {
    let data = tempfile::tempdir().unwrap();
    let mut settings = SETTINGS.to_vec();
    settings.extend_from_slice(environment);
    let server = Server::start_program(program, data.path(), free_port(), &settings);
    let (per_second, mut times) = round(std::slice::from_ref(&server.url), CLIENTS, ROUND).await;
    told(&format!("message to answer, {program}"), &mut times);
    per_second
}
