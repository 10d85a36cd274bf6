//! `cargo bench --bench growth`: the steps of a turn with 1,000 to 1,000,000 conversations of twenty messages in one Redis, and what each of them weighs. `-- 100000` stops at so many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as Settings;
use bot::store::redis::State;
use bot::store::whole::Whole;
use bot::store::{Commit, NewFeedItem, NewMail, NewOut, Settle, StateStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::load::{Customer, SAYINGS, SETTINGS, told};
use tests::redis_server::Redis;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Conversations that are written at once.
const WRITERS: usize = 16;
/// Turns measured at each size, after as many that are not.
const TURNS: usize = 4_000;
const WARMING: usize = 500;
const T0: i64 = 1_800_000_000_000;

fn main() {
    // `cargo test --benches` asks every bench target for a quick look.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let largest = std::env::args()
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(SIZES[SIZES.len() - 1]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(grow(largest));
}

async fn grow(largest: usize) {
    let sample = sample().await;
    let redis = Redis::start_with(&["--appendonly", "no"]);
    let state = Arc::new(State::open(&Settings::of_url(&redis.url()).unwrap()));
    state.meet().await.unwrap();
    let empty = memory(&redis);
    let mut filled = 0;
    let mut first = None;
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        fill(&state, &sample, filled, size).await;
        filled = size;
        let weight = (memory(&redis) - empty) / size as u64;
        let mut times = turns(&state, &sample, size).await;
        println!("{size} conversations, {weight} bytes of Redis each");
        told("  the steps of a turn", &mut times);
        let median = times[times.len() / 2].as_secs_f64();
        let before = *first.get_or_insert(median);
        println!(
            "  {:.0} % of the time with {}",
            100.0 * median / before,
            SIZES[0]
        );
    }
}

/// A real conversation of ten messages and their answers.
async fn sample() -> Whole {
    let redis = Redis::start();
    let data = tempfile::tempdir().unwrap();
    let url = redis.url();
    let mut settings = SETTINGS.to_vec();
    settings.push(("TIANSHENG_STATE__URL", &url));
    let server = Server::start(data.path(), free_port(), &settings);
    let mut customer = Customer::new(&server.url).await;
    for text in SAYINGS {
        customer.say(text).await;
    }
    let state = State::open(&Settings::of_url(&url).unwrap());
    state.whole(&customer.conversation).await.unwrap().unwrap()
}

fn id(n: usize) -> String {
    // Spread as random ids are.
    format!(
        "web:{:032x}",
        (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    )
}

async fn fill(state: &Arc<State>, sample: &Whole, from: usize, to: usize) {
    let next = Arc::new(AtomicUsize::new(from));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (state, next) = (Arc::clone(state), Arc::clone(&next));
            let mut whole = sample.clone();
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= to {
                        return;
                    }
                    whole.conversation = id(n);
                    assert_eq!(state.restore(&whole, T0).await, Ok(true));
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn memory(redis: &Redis) -> u64 {
    let info = redis.ask(&["INFO", "memory"]);
    let used = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    used.unwrap().trim().parse().unwrap()
}

/// Turns of conversations far apart, one after the other: accept, claim, commit, claim, settle.
async fn turns(state: &State, sample: &Whole, size: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for n in 0..WARMING + TURNS {
        let conversation = id(n.wrapping_mul(7_919) % size);
        let begun = Instant::now();
        let accepted = state.accept(NewMail {
            conversation,
            event_id: format!("{size}-{n}"),
            at_ms: T0,
            quiet_ms: 0,
            quiet_max_ms: 0,
            body: "x".repeat(300),
        });
        accepted.await.unwrap();
        let claimed = state.claim_turns(T0, 60_000, 1).await.unwrap();
        let claim = &claimed.claims[0];
        let commit = Commit {
            conversation: claim.conversation.clone(),
            token: claim.token,
            read_to: claim.letters.last().unwrap().seq,
            state: sample.state.clone().unwrap(),
            epoch: 0,
            events: vec!["{\"event\":\"heard\"}".repeat(20); 5],
            out: vec![NewOut {
                id: "m".to_owned(),
                epoch: 0,
                bot: true,
                body: "x".repeat(300),
            }],
            wake_at_ms: None,
            now_ms: T0,
        };
        state.commit(commit).await.unwrap();
        let claimed = state.claim_sends(T0, 60_000, 1).await.unwrap();
        let claim = &claimed.claims[0];
        let settle = Settle {
            conversation: claim.conversation.clone(),
            token: claim.token,
            done_to: claim.outbounds.last().unwrap().seq,
            newest: claim.newest,
            feed: vec![NewFeedItem {
                epoch: 0,
                bot: true,
                event: "message".to_owned(),
                data: "y".repeat(300),
            }],
            retry_at_ms: None,
            refused: false,
            now_ms: T0,
        };
        state.settle(settle).await.unwrap();
        if n >= WARMING {
            times.push(begun.elapsed());
        }
    }
    for journal in 0..state.journals() {
        state.trim_journal(journal, u64::MAX >> 1).await.unwrap();
    }
    times
}
