//! The state on Redis keeps every promise of the store trait: on one server, on a cluster, over TLS with a user, and when things break.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as Settings;
use bot::store::StateStore;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_is_told_with_what_would_be_right() {
    let redis = Redis::start();
    let cluster = Cluster::start();
    let of = |url: &str| Settings::of_url(url).unwrap();
    let port = redis.port;
    refused(
        &of(&format!("rediss://127.0.0.1:{port}")),
        &["write redis://"],
    )
    .await;
    refused(&of("redis://127.0.0.1:1"), &["refused", "state.url"]).await;
    let nobody = "redis+cluster://127.0.0.1:1,127.0.0.1:2";
    refused(&of(nobody), &["refused", "state.url"]).await;
    let no_cluster = format!("redis+cluster://127.0.0.1:{port}");
    refused(&of(&no_cluster), &["no cluster", "write redis://"]).await;
    let nowhere = "redis://no-such-host.invalid";
    refused(&of(nowhere), &["host name is not known"]).await;
    // Some key of ours lies on another node, which the plain form does not follow.
    let one_node = State::open(&of(&cluster.nodes[0].url()));
    let mut told = String::new();
    for shard in 0..16 {
        if let Err(error) = one_node.journal(shard, 1).await {
            told = error.to_string();
        }
    }
    assert!(told.contains("+cluster"), "{told}");
}
