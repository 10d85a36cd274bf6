//! The state on Redis keeps every promise of the store trait: on one server, on a cluster, over TLS with a user, and when things break.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bot::config::state::State as Settings;
use bot::store::redis::State;
use std::sync::Arc;
use tests::conformance::{Opens, state};
use tests::redis_server::{Cluster, Redis};

struct On(Settings);

impl Opens for On {
    type Store = State;

    fn open(&self) -> Arc<State> {
        Arc::new(State::open(&self.0))
    }
}

/// A part of a Redis that nothing was written to.
fn fresh(url: &str) -> Settings {
    let mut settings = Settings::of_url(url).unwrap();
    settings.prefix = format!("{}:", uuid::Uuid::new_v4().simple());
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_promises_of_the_state() {
    let redis = Redis::start();
    state(|| On(fresh(&redis.url()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_three_masters_keeps_the_promises_of_the_state() {
    let cluster = Cluster::start();
    state(|| On(fresh(&cluster.url()))).await;
    for node in &cluster.nodes {
        let size: u64 = node.ask(&["DBSIZE"]).trim().parse().unwrap();
        assert!(size > 0, "each master has its part, this one {size} keys");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_and_a_user_with_a_password_keep_the_promises_of_the_state() {
    let (redis, authority) = Redis::start_with_tls("shop", "pass:w@rd", RIGHTS);
    let url = |login: &str| format!("rediss://{login}127.0.0.1:{}", redis.port);
    let right = |login: &str| {
        let mut settings = fresh(&url(login));
        settings.authorities = Some(std::fs::read(&authority).unwrap());
        settings
    };
    state(|| On(right("shop:pass%3Aw%40rd@"))).await;
    let unknown_authority = fresh(&url("shop:pass%3Aw%40rd@"));
    let plain = fresh(&format!("redis://127.0.0.1:{}", redis.port));
    refused(&unknown_authority, &["state.ca_file"]).await;
    refused(&plain, &["127.0.0.1"]).await;
    refused(&right("shop:wr0ng@"), &["password", "refused"]).await;
    refused(&right(""), &["password"]).await;
}

/// What the deployment notes give the user of the shop.
const RIGHTS: &str = "~* &* +@all -@admin -@dangerous +info";

/// The first step is refused, in words that name each of these and no secret.
async fn refused(settings: &Settings, named: &[&str]) {
    let told = State::open(settings).meet().await.unwrap_err().to_string();
    for word in named {
        assert!(told.contains(word), "{word} is not in: {told}");
    }
    assert!(!told.contains("w@rd") && !told.contains("wr0ng"), "{told}");
}
