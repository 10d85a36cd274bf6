//! Two replicas of the program on one Redis: customers are served by both at once, and one that is killed in the middle of a turn loses nothing and doubles nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bot::config::state::State as Settings;
use bot::store::redis::State;
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

#[tokio::test(flavor = "multi_thread")]
async fn replicas_on_a_cluster_survive_kills() {
    let cluster = Cluster::start();
    let plan = plan("tiansheng", &cluster.url(), 20_261_128, 2);
    let books = storm(plan, &cluster.url()).await;
    assert!(books.clean(), "{books:#?}");
}
