//! `cargo bench --bench redis` (`-- weight`, `-- steps`, `-- http` or one of its rounds, such as `-- http-2-everysec`): turns a second on one Redis with 1, 2 and 3 replicas beside the floor, the time to an acknowledgement under half of that load, what a step costs, and what a live conversation weighs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as Settings;
use bot::store::redis::State;
use bot::store::{Commit, NewMail, NewOut, Settle, StateStore};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::load::{Customer, SAYINGS, SETTINGS, acknowledged, round, told};
use tests::redis_server::Redis;

const CLIENTS: usize = 48;
/// Sessions that share the half load.
const SESSIONS: usize = 200;
const ROUND: Duration = Duration::from_secs(5);
const STEP_CLIENTS: usize = 32;
const STEPS_EACH: usize = 150;
const T0: i64 = 1_800_000_000_000;

fn main() {
    // `cargo test --benches` asks every bench target for a quick look.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let parts: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|named| named == part);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if wanted("weight") {
            weight().await;
        }
        for fsync in ["always", "everysec"] {
            if wanted("steps") {
                steps(fsync).await;
            }
            for replicas in 1..=3 {
                if wanted("http") || wanted(&format!("http-{replicas}-{fsync}")) {
                    through_http(replicas, fsync).await;
                }
            }
        }
    });
}

fn redis(fsync: &str) -> Redis {
    Redis::start_with(&["--appendonly", "yes", "--appendfsync", fsync])
}

fn replicas(
    program: &str,
    count: usize,
    url: &str,
    floor: bool,
) -> (tempfile::TempDir, Vec<Server>) {
    let data = tempfile::tempdir().unwrap();
    let mut settings = SETTINGS.to_vec();
    settings.push(("TIANSHENG_STATE__URL", url));
    if floor {
        settings.push(("STORM_ENGINE", "floor"));
    }
    let servers = (0..count)
        .map(|_| Server::start_program(program, data.path(), free_port(), &settings))
        .collect();
    (data, servers)
}

/// All the keys of a conversation after so many turns.
async fn weight() {
    let redis = redis("everysec");
    let (_data, servers) = replicas("tiansheng", 1, &redis.url(), false);
    for turns in [10, 20] {
        let mut customer = Customer::new(&servers[0].url).await;
        for turn in 0..turns {
            customer.say(SAYINGS[turn % SAYINGS.len()]).await;
        }
        let pattern = format!("*{}", customer.conversation);
        let mut all = 0_u64;
        let mut parts = Vec::new();
        let found = redis.ask(&["--scan", "--pattern", &pattern]);
        // What limits count is gone after a minute.
        for key in found.lines().filter(|key| !key.starts_with("rate:")) {
            let bytes: u64 = redis
                .ask(&["MEMORY", "USAGE", key, "SAMPLES", "0"])
                .trim()
                .parse()
                .unwrap();
            all += bytes;
            parts.push(format!("{} {bytes}", key.split(':').next().unwrap()));
        }
        println!(
            "a live conversation of {turns} messages and their answers: {all} bytes in Redis ({})",
            parts.join(", ")
        );
    }
}

/// The steps of a turn with nothing in between, straight on the store.
async fn steps(fsync: &str) {
    let redis = redis(fsync);
    let state = Arc::new(State::open(&Settings::of_url(&redis.url()).unwrap()));
    state.meet().await.unwrap();
    let begun = Instant::now();
    let clients: Vec<_> = (0..STEP_CLIENTS)
        .map(|n| {
            let state = Arc::clone(&state);
            tokio::spawn(async move {
                let mut accepting = Vec::new();
                let mut committing = Vec::new();
                for step in 0..STEPS_EACH {
                    accepting.push(accept(&state, &format!("a:{n}"), &format!("e{step}")).await);
                    committing.extend(work(&state).await);
                }
                (accepting, committing)
            })
        })
        .collect();
    let (mut accepting, mut committing) = (Vec::new(), Vec::new());
    for client in clients {
        let (accepted, committed) = client.await.unwrap();
        accepting.extend(accepted);
        committing.extend(committed);
    }
    let turns = committing.len();
    println!(
        "steps of a turn on Redis, appendfsync {fsync}, {STEP_CLIENTS} at once: {:.0} turns a second",
        turns as f64 / begun.elapsed().as_secs_f64()
    );
    told("  accept", &mut accepting);
    told("  commit", &mut committing);
}

async fn accept(state: &State, conversation: &str, event_id: &str) -> Duration {
    let begun = Instant::now();
    let accepted = state.accept(NewMail {
        conversation: conversation.to_owned(),
        event_id: event_id.to_owned(),
        at_ms: T0,
        quiet_ms: 0,
        quiet_max_ms: 0,
        body: "x".repeat(300),
    });
    accepted.await.unwrap();
    begun.elapsed()
}

/// Whatever is due: a turn committed, its message settled.
async fn work(state: &State) -> Vec<Duration> {
    let mut times = Vec::new();
    for claim in state.claim_turns(T0, 60_000, 1).await.unwrap().claims {
        let commit = Commit {
            conversation: claim.conversation.clone(),
            token: claim.token,
            read_to: claim.letters.last().map_or(0, |letter| letter.seq),
            state: "{\"turn\":1,\"quote\":\"\"}".repeat(100),
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
        let begun = Instant::now();
        state.commit(commit).await.unwrap();
        times.push(begun.elapsed());
    }
    for claim in state.claim_sends(T0, 60_000, 1).await.unwrap().claims {
        let settle = Settle {
            conversation: claim.conversation.clone(),
            token: claim.token,
            done_to: claim.outbounds.last().map_or(0, |out| out.seq),
            newest: claim.newest,
            feed: Vec::new(),
            retry_at_ms: None,
            refused: false,
            now_ms: T0,
        };
        state.settle(settle).await.unwrap();
    }
    times
}

/// The product and its floor (the same steps and wire with no engine) on as many replicas, in turn.
async fn through_http(count: usize, fsync: &str) {
    let mut rates = Vec::new();
    for (program, floor) in [("storm_server", true), ("tiansheng", false)] {
        let redis = redis(fsync);
        let (_data, servers) = replicas(program, count, &redis.url(), floor);
        let urls: Vec<String> = servers.iter().map(|server| server.url.clone()).collect();
        let (rate, mut times) = round(&urls, CLIENTS, ROUND).await;
        told(
            &format!("message to answer, {count} replicas, {program}"),
            &mut times,
        );
        rates.push(rate);
        if !floor {
            let mut times = acknowledged(&urls, SESSIONS, rate / 2.0, ROUND).await;
            told(
                &format!("message to 202 at half of that load, {count} replicas"),
                &mut times,
            );
        }
    }
    println!(
        "turns a second over HTTP on one Redis, appendfsync {fsync}, {count} replicas, {CLIENTS} customers: floor {:.0}, product {:.0}, share {:.0} %",
        rates[0],
        rates[1],
        100.0 * rates[1] / rates[0]
    );
}
