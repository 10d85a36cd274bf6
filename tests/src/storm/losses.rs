//! Faults that lose by their nature, measured: a Redis that forces its file to disk each second, and a replica of it that becomes the master.

use super::crowd::{Crowd, Sums, books, sums};
use super::fleet::Replica;
use super::visitor::{Doors, Pace, Visitor};
use super::{Books, Dice};
use crate::faulty::{Way, Wire};
use crate::postgres_server::Postgres;
use crate::redis_server::Redis;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Replicas of the program.
const REPLICAS: usize = 2;
const CONVERSATIONS: usize = 40;
/// The longest pause between two bursts, milliseconds.
const REST_MS: u64 = 900;
/// What was not answered by then is lost, where something is lost by its nature.
const LAST: Duration = Duration::from_secs(16);
/// Where nothing is, also the leases of claims that met the failover are waited for.
const LAST_WAITED: Duration = Duration::from_secs(60);
/// How long the visitors talk before the fault, and after it.
const BEFORE: Duration = Duration::from_secs(4);
const AFTER: Duration = Duration::from_secs(3);
/// What `appendfsync everysec` may have kept back from the disk.
const KEPT_BACK: Duration = Duration::from_secs(1);
const SAMPLES_EVERY: Duration = Duration::from_millis(20);
/// Longest wait for a replica to follow its master.
const FOLLOWS_MAX: Duration = Duration::from_secs(20);

/// What was lost.
#[derive(Debug)]
pub struct Loss {
    pub what: String,
    /// Acknowledged messages that are nowhere.
    pub messages: usize,
    /// How long before the fault the first of them was acknowledged.
    pub age: Duration,
    /// Acknowledged messages of which the page never read a receipt, though they were read.
    pub unseen: usize,
    /// What the replica had not yet, bytes of the replication stream.
    pub lag_bytes: u64,
    pub books: Books,
    pub sums: Sums,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} of {} | {:.2} s | {} | {} | {} | {} |",
            self.what,
            self.messages,
            self.books.messages,
            self.age.as_secs_f64(),
            self.lag_bytes,
            self.unseen,
            self.books.records_differ,
            self.books.run_twice + self.books.answered_twice + self.sums.doubled,
        )
    }
}

/// The columns of a [`Loss`].
pub const COLUMNS: &str = "| fault | messages lost, of those acknowledged | acknowledged before the fault, at most | lag, bytes | answers that no page read | conversations whose records differ | doubled |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |";

/// Replicas, visitors and records around a Redis of choice.
struct Scene {
    replicas: Vec<Replica>,
    postgres: Postgres,
    crowd: Crowd,
}

impl Scene {
    async fn begin(redis_port: u16, settings: &[(&str, &str)], last: Duration, seed: u64) -> Self {
        let postgres = Postgres::start();
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            replicas.push(Replica::new(redis_port, &postgres, None, settings).await);
        }
        let pace = Pace {
            rest_ms: REST_MS,
            last,
        };
        let doors = Doors::new(replicas.iter().map(|replica| replica.url.clone()).collect());
        let crowd = Crowd::enters(CONVERSATIONS, &doors, pace, &mut Dice(seed));
        tokio::time::sleep(BEFORE).await;
        Self {
            replicas,
            postgres,
            crowd,
        }
    }

    async fn end(self, what: &str, fault_at: Instant, lag_bytes: u64, redis_url: &str) -> Loss {
        tokio::time::sleep(AFTER).await;
        let visitors = self.crowd.leaves().await;
        for replica in &self.replicas {
            replica.stop();
        }
        let books = books(&visitors, redis_url, &self.postgres.url("records")).await;
        let sums = sums(&visitors);
        Loss {
            what: what.to_owned(),
            messages: books.lost,
            age: age(&visitors, &books.lost_messages, fault_at),
            unseen: sums.unread.saturating_sub(books.lost),
            lag_bytes,
            books,
            sums,
        }
    }
}

/// How long before the fault the first of these messages was acknowledged.
fn age(visitors: &[Visitor], messages: &[String], fault_at: Instant) -> Duration {
    let ages = visitors.iter().flat_map(|visitor| {
        let seen = visitor.seen();
        messages
            .iter()
            .filter_map(|id| seen.acknowledged_at.get(id).copied())
            .map(|at| fault_at.saturating_duration_since(at))
            .collect::<Vec<_>>()
    });
    ages.max().unwrap_or_default()
}

/// `appendfsync everysec`: the process is killed, or its machine with what was not forced to disk.
pub async fn every_second(with_its_machine: bool, seed: u64) -> Loss {
    let mut redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let (file, sizes) = (redis.append_only_file(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&sizes);
    let watching = tokio::spawn(async move {
        loop {
            let bytes = std::fs::metadata(&file).map_or(0, |file| file.len());
            noted.lock().unwrap().push((Instant::now(), bytes));
            tokio::time::sleep(SAMPLES_EVERY).await;
        }
    });
    let scene = Scene::begin(redis.port, &[], LAST, seed).await;
    watching.abort();
    let fault_at = Instant::now();
    tokio::task::block_in_place(|| {
        if with_its_machine {
            let sizes = sizes.lock().unwrap();
            let forced = |(at, _): &&(Instant, u64)| fault_at.duration_since(*at) >= KEPT_BACK;
            redis.kill_with_its_machine(sizes.iter().rev().find(forced).unwrap().1);
        } else {
            redis.kill();
        }
        redis.up();
    });
    let what = match with_its_machine {
        true => "`everysec`, killed with its machine",
        false => "`everysec`, killed",
    };
    scene.end(what, fault_at, 0, &redis.url()).await
}

/// The master is killed and its replica, which is `late` behind, takes its place.
pub async fn failover(late: Duration, waiting: bool, seed: u64) -> Loss {
    let (mut master, heir, third) = (Redis::start(), Redis::start(), Redis::start());
    let stream = Wire::to(master.port).await;
    follow(&heir, stream.port).await;
    stream.set(Way::Slow(late));
    let last = if waiting { LAST_WAITED } else { LAST };
    let settings: &[(&str, &str)] = if waiting {
        let least = master.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
        assert_eq!(least.trim(), "OK");
        &[
            ("TIANSHENG_STATE__WAIT_REPLICAS", "1"),
            ("TIANSHENG_STATE__WAIT_MS", "900"),
        ]
    } else {
        &[]
    };
    let scene = Scene::begin(master.port, settings, last, seed).await;
    let begun = Instant::now();
    // At a moment when the replica is behind, so that something can be lost.
    let lag_bytes = loop {
        let have = offset(&heir, "slave_repl_offset");
        let lag = offset(&master, "master_repl_offset").saturating_sub(have);
        if lag > 0 || begun.elapsed() > FOLLOWS_MAX {
            break lag;
        }
    };
    let fault_at = Instant::now();
    stream.set(Way::Cut);
    master.kill();
    heir.ask(&["REPLICAOF", "NO", "ONE"]);
    // Where a replica must have every step, the new master needs one as well.
    follow(&third, heir.port).await;
    for replica in &scene.replicas {
        replica.to_redis.lead_to(heir.port);
    }
    let late = late.as_millis();
    let what = match waiting {
        true => format!("failover, {late} ms behind, `state.wait_replicas = 1`"),
        false => format!("failover, {late} ms behind"),
    };
    scene.end(&what, fault_at, lag_bytes, &heir.url()).await
}

/// Makes a Redis the replica of another, and waits until it has what the other has.
async fn follow(replica: &Redis, master_port: u16) {
    replica.ask(&["REPLICAOF", "127.0.0.1", &master_port.to_string()]);
    let begun = Instant::now();
    let follows = || {
        replica
            .ask(&["INFO", "replication"])
            .contains("master_link_status:up")
    };
    while !follows() {
        assert!(begun.elapsed() < FOLLOWS_MAX, "the replica does not follow");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn offset(redis: &Redis, field: &str) -> u64 {
    let told = redis.ask(&["INFO", "replication"]);
    let line = |line: &str| {
        line.trim()
            .strip_prefix(field)?
            .strip_prefix(':')?
            .parse()
            .ok()
    };
    told.lines().find_map(line).unwrap()
}
