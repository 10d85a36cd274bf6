//! When Redis breaks: every failure is told in time and in words, nothing acknowledged is lost, and work goes on by itself afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as Settings;
use bot::store::redis::{State, findings};
use bot::store::{
    Accepted, Claimed, Commit, Hint, NewFeedItem, NewMail, NewOut, Settle, StateStore, StoreError,
    TurnClaim,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::faulty::{Way, Wire};
use tests::redis_server::{Cluster, Redis};

const T0: i64 = 1_800_000_000_000;
const LEASE_MS: u64 = 15_000;
/// Longest wait for a store to find its way back.
const BACK_MAX: Duration = Duration::from_secs(15);
/// Longer than any limit that is set here, however busy the machine is; far less than for ever.
const LIMIT_MAX: Duration = Duration::from_secs(20);

fn on(redis: &Redis) -> (Settings, State) {
    let mut settings = Settings::of_url(&redis.url()).unwrap();
    // What is to be answered is, however busy the machine is.
    settings.timeout_ms = 5_000;
    let state = State::open(&settings);
    (settings, state)
}

fn mail(conversation: &str, event_id: &str) -> NewMail {
    NewMail {
        conversation: conversation.to_owned(),
        event_id: event_id.to_owned(),
        at_ms: T0,
        quiet_ms: 0,
        quiet_max_ms: 0,
        body: "{}".to_owned(),
    }
}

async fn claim(state: &State) -> Result<Claimed<TurnClaim>, StoreError> {
    state.claim_turns(T0, LEASE_MS, 100).await
}

fn commit(claim: &TurnClaim) -> Commit {
    Commit {
        conversation: claim.conversation.clone(),
        token: claim.token,
        read_to: claim.letters.last().map_or(0, |letter| letter.seq),
        state: "{}".to_owned(),
        epoch: 0,
        events: vec!["{}".to_owned()],
        out: vec![NewOut {
            id: "m".to_owned(),
            epoch: 0,
            bot: true,
            body: "{}".to_owned(),
        }],
        wake_at_ms: None,
        now_ms: T0,
    }
}

/// The step again and again until it is done.
async fn at_last<T>(mut step: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    let begun = Instant::now();
    loop {
        match step().await {
            Ok(done) => return done,
            Err(error) => assert!(begun.elapsed() < BACK_MAX, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn told<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result.unwrap_err() {
        StoreError::Unavailable { what } => what,
        other => panic!("{other:?} instead of Unavailable"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_told_at_once_and_keeps_what_was_acknowledged() {
    let mut redis = Redis::start();
    let (_, state) = on(&redis);
    state.accept(mail("a:1", "e1")).await.unwrap();
    let claimed = claim(&state).await.unwrap().claims.remove(0);
    redis.kill();
    let begun = Instant::now();
    let what = told(state.accept(mail("a:1", "e2")).await);
    assert!(begun.elapsed() < LIMIT_MAX, "{:?}", begun.elapsed());
    assert!(what.contains("refused") || what.contains("broke"), "{what}");
    redis.up();
    let again = at_last(async || state.accept(mail("a:1", "e1")).await).await;
    assert_eq!(again, Accepted::Repeated);
    assert_eq!(state.commit(commit(&claimed)).await.unwrap().rev, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_costs_no_more_than_the_limit() {
    let redis = Redis::start();
    let mut settings = Settings::of_url(&redis.url()).unwrap();
    settings.timeout_ms = 2_000;
    let state = State::open(&settings);
    state.accept(mail("a:1", "e1")).await.unwrap();
    redis.signal("-STOP");
    for _ in 0..3 {
        let begun = Instant::now();
        let what = told(state.accept(mail("a:1", "e2")).await);
        assert!(begun.elapsed() < LIMIT_MAX, "{what}");
    }
    redis.signal("-CONT");
    // What was sent before may have been done meanwhile; either way there is one letter of it.
    at_last(async || state.accept(mail("a:1", "e2")).await).await;
    let letters = claim(&state).await.unwrap().claims.remove(0).letters;
    let ids: Vec<&str> = letters.iter().map(|l| l.event_id.as_str()).collect();
    assert_eq!(ids, ["e1", "e2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let redis = Redis::start();
    let (_, state) = on(&redis);
    for n in 0..3 {
        redis.ask(&["SCRIPT", "FLUSH"]);
        state.accept(mail("a:1", &format!("e{n}"))).await.unwrap();
        redis.ask(&["SCRIPT", "FLUSH"]);
        let claimed = claim(&state).await.unwrap().claims.remove(0);
        redis.ask(&["SCRIPT", "FLUSH"]);
        state.commit(commit(&claimed)).await.unwrap();
    }
    let known = redis.ask(&["INFO", "memory"]);
    assert!(known.contains("number_of_cached_scripts:1"), "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_nothing_new_is_taken_and_what_was_taken_goes_on() {
    let redis = Redis::start();
    let (_, state) = on(&redis);
    state.accept(mail("a:1", "e1")).await.unwrap();
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = state.accept(mail("a:1", "e2")).await;
    assert!(
        matches!(refused, Err(StoreError::Full { .. })),
        "{refused:?}"
    );
    let claimed = claim(&state).await.unwrap().claims.remove(0);
    assert_eq!(claimed.letters.len(), 1, "the refused letter left no trace");
    state.commit(commit(&claimed)).await.unwrap();
    let sends = state.claim_sends(T0, LEASE_MS, 9).await.unwrap().claims;
    assert_eq!(sends[0].outbounds.len(), 1);
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(
        state.accept(mail("a:1", "e2")).await,
        Ok(Accepted::New { seq: 2 })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_named_as_one_and_served_again_when_it_is_master() {
    let (master, replica) = (Redis::start(), Redis::start());
    let (_, state) = on(&replica);
    state.accept(mail("a:1", "e1")).await.unwrap();
    replica.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    let what = told(state.accept(mail("a:1", "e2")).await);
    assert!(
        what.contains("READONLY") && what.contains("state.url"),
        "{what}"
    );
    replica.ask(&["REPLICAOF", "NO", "ONE"]);
    at_last(async || state.accept(mail("a:1", "e3")).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_replicas_must_have_is_not_acknowledged_before_they_have_it() {
    let (master, replica) = (Redis::start(), Redis::start());
    let mut settings = Settings::of_url(&master.url()).unwrap();
    settings.wait_replicas = 1;
    settings.wait_ms = 100;
    let state = State::open(&settings);
    let what = told(state.accept(mail("a:1", "e1")).await);
    assert!(
        what.contains("0 of 1 replicas") && what.contains("state.wait_replicas"),
        "{what}"
    );
    replica.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    at_last(async || state.accept(mail("a:1", "e1")).await).await;
    let claimed = claim(&state).await.unwrap().claims.remove(0);
    assert_eq!(claimed.letters.len(), 1, "once, although it was sent often");
    at_last(async || state.commit(commit(&claimed)).await).await;
    let journal = replica.ask(&["--scan", "--pattern", "journal:*"]);
    let entries = replica.ask(&["XLEN", journal.trim()]);
    assert_eq!(entries.trim(), "1", "the replica has the commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_works_on_a_cluster_as_well() {
    let cluster = Cluster::start();
    let mut settings = Settings::of_url(&cluster.url()).unwrap();
    settings.wait_replicas = 1;
    settings.wait_ms = 50;
    let what = told(State::open(&settings).accept(mail("a:1", "e1")).await);
    assert!(what.contains("0 of 1 replicas"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_lost_a_master_serves_the_rest() {
    let mut cluster = Cluster::start();
    for node in &cluster.nodes {
        node.ask(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let settings = Settings::of_url(&cluster.url()).unwrap();
    let state = State::open(&settings);
    state.meet().await.unwrap();
    cluster.nodes[2].kill();
    let mut taken = Vec::new();
    for n in 0..24 {
        let id = format!("a:{n}");
        if state.accept(mail(&id, "e1")).await.is_ok() {
            taken.push(id);
        }
    }
    assert!(taken.len() > 8 && taken.len() < 24, "{} taken", taken.len());
    let mut claimed = BTreeSet::new();
    let begun = Instant::now();
    while claimed.len() < taken.len() {
        assert!(
            begun.elapsed() < BACK_MAX,
            "{} of {}",
            claimed.len(),
            taken.len()
        );
        for claim in claim(&state).await.unwrap().claims {
            state.commit(commit(&claim)).await.unwrap();
            claimed.insert(claim.conversation);
        }
    }
    cluster.nodes[2].up();
    for n in 0..24 {
        at_last(async || state.accept(mail(&format!("a:{n}"), "e1")).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_the_program_hear_of_one_another() {
    let redis = Redis::start();
    let (_, one) = on(&redis);
    let (_, other) = on(&redis);
    let mut hints = other.hints();
    let listening = Instant::now();
    let listeners = || redis.ask(&["PUBSUB", "NUMSUB", "hints"]);
    while !listeners().trim().ends_with('2') {
        assert!(listening.elapsed() < BACK_MAX);
    }
    while hints.try_recv().is_ok() {}
    let mut heard = async |wanted: Hint| {
        let hearing = async { while hints.recv().await.unwrap() != wanted {} };
        tokio::time::timeout(LIMIT_MAX, hearing)
            .await
            .unwrap_or_else(|_| panic!("{wanted:?} is not heard"));
    };
    one.accept(mail("a:1", "e1")).await.unwrap();
    heard(Hint::Turns).await;
    let claimed = claim(&other).await.unwrap().claims.remove(0);
    one.hint(Hint::Typing("a:1".to_owned()));
    heard(Hint::Typing("a:1".to_owned())).await;
    // A turn's outcome may be committed by whoever holds its token.
    one.commit(commit(&claimed)).await.unwrap();
    heard(Hint::Sends).await;
    let sending = other
        .claim_sends(T0, LEASE_MS, 9)
        .await
        .unwrap()
        .claims
        .remove(0);
    one.settle(Settle {
        conversation: "a:1".to_owned(),
        token: sending.token,
        done_to: sending.outbounds[0].seq,
        newest: sending.newest,
        feed: vec![NewFeedItem {
            epoch: 0,
            bot: true,
            event: "message".to_owned(),
            data: "said".to_owned(),
        }],
        retry_at_ms: None,
        refused: false,
        now_ms: T0,
    })
    .await
    .unwrap();
    heard(Hint::Feed("a:1".to_owned())).await;
    assert_eq!(other.feed("a:1", 0, 9).await.unwrap()[0].data, "said");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_never_hold_one_conversation_at_once() {
    const MANY: usize = 200;
    let redis = Redis::start();
    let stores = [Arc::new(on(&redis).1), Arc::new(on(&redis).1)];
    for n in 0..MANY {
        stores[n % 2]
            .accept(mail(&format!("a:{n}"), "e1"))
            .await
            .unwrap();
    }
    let workers: Vec<_> = (0..6)
        .map(|n| {
            let store = Arc::clone(&stores[n % 2]);
            tokio::spawn(async move {
                let mut own = Vec::new();
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(3) {
                    let claims = store.claim_turns(T0, LEASE_MS, 4).await.unwrap().claims;
                    for claim in claims {
                        store.commit(commit(&claim)).await.unwrap();
                        own.push(claim.conversation);
                    }
                    tokio::task::yield_now().await;
                }
                own
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    assert_eq!(all.len(), MANY);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_disagree_on_the_shards_are_not_let_in() {
    let redis = Redis::start();
    let (mut settings, state) = on(&redis);
    state.meet().await.unwrap();
    settings.shards = 4;
    let error = State::open(&settings).meet().await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }));
    assert!(
        error.to_string().contains("set state.shards = 16"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_mailbox_refuses_more_with_a_wait() {
    let redis = Redis::start();
    let (_, state) = on(&redis);
    for n in 0..1_000 {
        state.accept(mail("a:1", &format!("e{n}"))).await.unwrap();
    }
    let refused = state.accept(mail("a:1", "one more")).await;
    assert!(
        matches!(refused, Err(StoreError::Crowded { .. })),
        "{refused:?}"
    );
    state.accept(mail("a:2", "e")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_channel_loses_hints_and_nothing_else() {
    let redis = Redis::start_with(&["--maxmemory", "100mb", "--appendonly", "yes"]);
    let rights = ["on", ">pw", "~*", "resetchannels", "+@all"];
    redis.ask(&[&["ACL", "SETUSER", "shop"], &rights[..]].concat());
    let url = redis.url().replace("redis://", "redis://shop:pw@");
    let settings = Settings::of_url(&url).unwrap();
    let state = State::open(&settings);
    state.accept(mail("a:1", "e1")).await.unwrap();
    let claimed = claim(&state).await.unwrap().claims.remove(0);
    assert_eq!(state.commit(commit(&claimed)).await.unwrap().rev, 1);
    let wrong: Vec<String> = findings(&settings)
        .await
        .into_iter()
        .filter(|finding| !finding.ok)
        .map(|finding| finding.detail)
        .collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("NOPERM"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_what_can_go_wrong_later() {
    let redis = Redis::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let (settings, _) = on(&redis);
    let wrong: Vec<String> = findings(&settings)
        .await
        .into_iter()
        .filter(|finding| !finding.ok)
        .map(|finding| finding.detail)
        .collect();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[0].contains("allkeys-lru") && wrong[1].contains("append-only"));
    let well = Redis::start_with(&["--maxmemory", "100mb", "--appendonly", "yes"]);
    let findings = findings(&on(&well).0).await;
    assert!(
        findings
            .iter()
            .all(|finding| finding.ok && finding.advice.is_none()),
        "{:?}",
        findings
            .iter()
            .map(|found| &found.detail)
            .collect::<Vec<_>>()
    );
}

/// Whoever connects may be put aside by who waits for something else meanwhile; the store serves the others all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_nobody_goes_on_with_keeps_no_other_waiting() {
    let redis = Redis::start();
    let wire = Wire::to(redis.port).await;
    let url = format!("redis://127.0.0.1:{}", wire.port);
    let state = State::open(&Settings::of_url(&url).unwrap());
    assert_eq!(state.recall("k", T0).await.unwrap(), None);
    wire.set(Way::Slow(Duration::from_millis(400)));
    wire.drop_all();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // It goes as far as connecting, which is slow, and is then left alone.
    let mut left = state.recall("k", T0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        assert!(futures_util::poll!(left.as_mut()).is_pending());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let other = tokio::time::timeout(Duration::from_secs(20), state.recall("k", T0));
    assert_eq!(
        other.await.expect("the store answers nobody").unwrap(),
        None
    );
    assert_eq!(left.await.unwrap(), None);
}
