//! Nothing accepted is lost, answered twice or out of order, however often the process is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;
use tests::binary::{Server, free_port};
use tests::load::Customer;
use tests::storm::{Books, Plan, check, run};

/// Storms in which a gap may be met.
const STORMS_MAX: u64 = 4;

/// `STORM_SEED` repeats a storm.
fn seed() -> u64 {
    std::env::var("STORM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_124)
}

async fn storm(plan: Plan) -> Books {
    let data = tempfile::tempdir().unwrap();
    let customers = run(&plan, data.path()).await;
    let books = check(&customers, data.path()).await;
    println!("storm seed={} kills={} {books:#?}", plan.seed, plan.kills);
    books
}

#[tokio::test(flavor = "multi_thread")]
async fn invariants_4_5_and_11_the_product_survives_a_storm_of_kills() {
    let books = storm(Plan {
        seed: seed(),
        conversations: 60,
        kills: 22,
        replicas: 1,
        program: "tiansheng",
        environment: Vec::new(),
    })
    .await;
    assert!(books.clean() && books.messages >= 180, "{books:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_that_outlive_their_lease_change_nothing() {
    let books = storm(Plan {
        seed: seed() + 1,
        conversations: 40,
        kills: 6,
        replicas: 1,
        program: "storm_server",
        environment: Vec::new(),
    })
    .await;
    assert!(books.clean(), "{books:#?}");
}

/// Whether a storm meets the gap hangs on when turns and kills fall; one that stands never shows.
async fn is_noticed(breaks: &'static str, conversations: usize, kills: usize) {
    let mut seen = Vec::new();
    for more in 0..STORMS_MAX {
        let books = storm(Plan {
            seed: seed() + more,
            conversations,
            kills,
            replicas: 1,
            program: "storm_server",
            environment: vec![("STORM_BREAK", breaks)],
        })
        .await;
        if books.run_twice > 0 {
            return;
        }
        seen.push(books);
    }
    panic!("{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_storm_notices_a_missing_token_check() {
    is_noticed("token", 40, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_storm_notices_a_missing_dedupe() {
    is_noticed("dedupe", 20, 2).await;
}

/// The lease of a send is half a minute; a store that was away for a moment must not cost so much.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_could_not_be_settled_at_once_does_not_wait_for_its_lease() {
    const LEASE: Duration = Duration::from_secs(30);
    let data = tempfile::tempdir().unwrap();
    let broken = [("STORM_BREAK", "settle")];
    let server = Server::start_program("storm_server", data.path(), free_port(), &broken);
    let mut customer = Customer::new(&server.url).await;
    let answered = tokio::time::timeout(LEASE * 2 / 3, customer.say("你好")).await;
    assert!(answered.is_ok(), "the answer waits for the end of a lease");
}
