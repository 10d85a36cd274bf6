//! A storm over real processes: many customers, repeated and late deliveries, SIGKILL at random points; then the books are checked.

mod books;
pub mod bringer;
mod client;
pub mod crowd;
pub mod faults;
pub mod fleet;
pub mod losses;
pub mod people;
pub mod report;
pub mod visitor;

pub use books::{Books, Told, check, check_on, check_told, check_with};
pub use client::Customer;

use crate::binary::{Server, free_port};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub struct Plan {
    pub seed: u64,
    pub conversations: usize,
    pub kills: usize,
    /// Servers at once; more than one need a shared state.
    pub replicas: usize,
    /// `tiansheng` with `serve`, or `storm_server`.
    pub program: &'static str,
    pub environment: Vec<(&'static str, &'static str)>,
}

/// SplitMix64: the same seed, the same storm.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
}

/// Runs the plan on a data folder and gives what the customers know.
pub async fn run(plan: &Plan, data: &Path) -> Vec<Customer> {
    let environment: Vec<(&str, &str)> = [
        ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "100000"),
        ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", "100000"),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "20"),
        ("TIANSHENG_WEB__DRAIN_MS", "0"),
    ]
    .into_iter()
    .chain(plan.environment.iter().copied())
    .collect();
    let ports: Vec<u16> = (0..plan.replicas).map(|_| free_port()).collect();
    let start = |at: usize| Server::start_program(plan.program, data, ports[at], &environment);
    let mut servers: Vec<Server> = (0..plan.replicas).map(start).collect();
    let urls: Vec<String> = servers.iter().map(|server| server.url.clone()).collect();
    let over = Arc::new(AtomicBool::new(false));
    let mut dice = Dice(plan.seed);
    let customers: Vec<_> = (0..plan.conversations)
        .map(|n| {
            let (urls, over) = (urls.clone(), Arc::clone(&over));
            let dice = Dice(dice.roll());
            tokio::spawn(async move { Customer::live(n, urls, dice, over).await })
        })
        .collect();
    for kill in 0..plan.kills {
        tokio::time::sleep(Duration::from_millis(120 + dice.below(500))).await;
        let at = kill % plan.replicas;
        servers.remove(at).kill();
        servers.insert(at, start(at));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    over.store(true, Ordering::Relaxed);
    let mut lived = Vec::new();
    for customer in customers {
        lived.push(customer.await.unwrap());
    }
    for customer in &mut lived {
        customer.wait_for_the_last_answer().await;
    }
    for server in servers {
        assert!(server.stop().success(), "a server does not stop well");
    }
    lived
}
