//! Brings the planned faults over running replicas, and notes what each of them did.

use super::faults::{Fault, Planned};
use super::fleet::Replica;
use crate::faulty::Way;
use crate::platform::Platform;
use crate::postgres_server::Postgres;
use crate::redis_server::Redis;
use bot::mailbox::LEASE_MS;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long messages are leased to a sender.
const SEND_LEASE_MS: u64 = 2 * LEASE_MS;
/// Leases of the living are over by then; those of the dead are not.
const ORPHANS_AFTER: Duration = Duration::from_millis(1_500);
/// What is due later than this has no part in a storm, milliseconds.
const SOON_MS: u64 = 15 * 60 * 1000;
/// Longest wait for a replica that was cut off to serve again.
const BACK_MAX: Duration = Duration::from_secs(40);
/// Longest wait for the answer to one forged delivery.
const FORGED_MAX: Duration = Duration::from_secs(2);
/// The person in whose name deliveries are forged.
pub const NOBODY: usize = 900_000;
const LEASES: &str = "local found = {} \
    for shard = 0, 15 do \
      for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'agenda:{' .. shard .. '}:' .. ARGV[1], ARGV[2], ARGV[3])) do \
        found[#found + 1] = id \
      end \
    end \
    return found";

/// All that can break.
pub struct Grounds {
    pub replicas: Vec<Replica>,
    pub redis: Mutex<Redis>,
    pub postgres: Mutex<Postgres>,
    pub platforms: Vec<Arc<dyn Platform>>,
    pub http: reqwest::Client,
}

/// What was seen of one fault.
pub enum Mark {
    Nothing,
    /// When, and the conversations whose turn or send was leased to the one that was killed or stopped.
    Orphans {
        at: Instant,
        turns: Vec<String>,
        sends: Vec<String>,
    },
    /// How many forged deliveries were answered, and how many of them were taken.
    Forged {
        answered: usize,
        taken: usize,
    },
    Refusals {
        asked: usize,
        /// 503 with `Retry-After`.
        refused: usize,
        unready: bool,
        /// None: it never came back.
        back: Option<Duration>,
    },
}

pub struct Brought {
    pub planned: Planned,
    pub mark: Mark,
}

/// All faults, each at its time; ends when the last one is over.
pub async fn bring(grounds: &Arc<Grounds>, plan: &[Planned], begun: Instant) -> Vec<Brought> {
    let brought: Vec<_> = plan
        .iter()
        .map(|planned| {
            let (grounds, planned) = (Arc::clone(grounds), *planned);
            tokio::spawn(async move {
                let at = begun + Duration::from_millis(planned.at_ms);
                tokio::time::sleep_until(at.into()).await;
                let mark = grounds.one(planned).await;
                Brought { planned, mark }
            })
        })
        .collect();
    let mut all = Vec::new();
    for one in brought {
        all.push(one.await.unwrap());
    }
    all
}

impl Grounds {
    async fn one(&self, planned: Planned) -> Mark {
        let lasting = tokio::time::sleep(Duration::from_millis(planned.lasting_ms));
        match planned.fault {
            Fault::Killed(replica) => {
                let (at, at_ms) = (Instant::now(), now_ms());
                let replica = &self.replicas[replica];
                replica.kill();
                tokio::join!(lasting, tokio::time::sleep(ORPHANS_AFTER));
                let turns = self.leased("turn", at_ms, LEASE_MS);
                let sends = self.leased("send", at_ms, SEND_LEASE_MS);
                replica.start();
                return Mark::Orphans { at, turns, sends };
            }
            Fault::Stopped(replica) => {
                let (at, at_ms) = (Instant::now(), now_ms());
                self.replicas[replica].signal("-STOP");
                let leased = async {
                    tokio::time::sleep(ORPHANS_AFTER).await;
                    let turns = self.leased("turn", at_ms, LEASE_MS);
                    (turns, self.leased("send", at_ms, SEND_LEASE_MS))
                };
                let ((), (turns, sends)) = tokio::join!(lasting, leased);
                self.replicas[replica].signal("-CONT");
                return Mark::Orphans { at, turns, sends };
            }
            Fault::CutOff(replica) => return self.cut_off(&self.replicas[replica], lasting).await,
            Fault::PostgresCut(replica) => {
                self.replicas[replica].to_postgres.set(Way::Cut);
                lasting.await;
                self.replicas[replica].to_postgres.set(Way::Open);
            }
            Fault::PostgresGone => {
                tokio::task::block_in_place(|| self.postgres.lock().unwrap().kill());
                lasting.await;
                tokio::task::block_in_place(|| self.postgres.lock().unwrap().up());
            }
            Fault::RedisKilled => {
                self.redis.lock().unwrap().kill();
                lasting.await;
                tokio::task::block_in_place(|| self.redis.lock().unwrap().up());
            }
            Fault::RedisSlow(late_ms) => {
                self.ways(Way::Slow(Duration::from_millis(late_ms)));
                lasting.await;
                self.ways(Way::Open);
            }
            Fault::RedisPaused => {
                let ms = planned.lasting_ms.to_string();
                self.ask(&["CLIENT", "PAUSE", &ms, "ALL"]);
            }
            Fault::RedisBusy => {
                let seconds = (planned.lasting_ms as f64 / 1_000.0).to_string();
                self.ask(&["DEBUG", "SLEEP", &seconds]);
            }
            Fault::RedisFull => {
                self.ask(&["CONFIG", "SET", "maxmemory", "1"]);
                lasting.await;
                self.ask(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            Fault::RedisReadOnly => {
                // Nobody is there to be copied from, so the data stay.
                self.ask(&["REPLICAOF", "127.0.0.1", "1"]);
                lasting.await;
                self.ask(&["REPLICAOF", "NO", "ONE"]);
            }
            Fault::RedisAlone => {
                self.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
                lasting.await;
                self.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
            }
            Fault::ConnectionsKilled => {
                self.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
                self.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
            }
            Fault::Forged => return self.forge().await,
            Fault::PlatformsForget => {
                for platform in &self.platforms {
                    platform.forget().await;
                }
            }
            Fault::PlatformsBusy(sends) => {
                for platform in &self.platforms {
                    platform.refuse(sends).await;
                }
            }
            Fault::ConnectionsCut => {
                for replica in &self.replicas {
                    replica.to_redis.drop_all();
                }
            }
        }
        Mark::Nothing
    }

    /// In the name of somebody who never writes.
    async fn forge(&self) -> Mark {
        let (mut answered, mut taken) = (0, 0);
        for replica in &self.replicas {
            for platform in &self.platforms {
                let Some(forgery) = platform.forgery(NOBODY) else {
                    continue;
                };
                let (name, value) = forgery.header;
                let asked = self
                    .http
                    .post(format!("{}{}", replica.url, forgery.path))
                    .timeout(FORGED_MAX)
                    .header(name, value)
                    .body(forgery.body);
                // One that is killed or stopped answers nothing.
                if let Ok(answer) = asked.send().await {
                    answered += 1;
                    taken += usize::from(answer.status().is_success());
                }
            }
        }
        Mark::Forged { answered, taken }
    }

    /// The replicas' ways to Redis; the one that is cut off stays so.
    fn ways(&self, way: Way) {
        for replica in &self.replicas {
            if replica.to_redis.way() != Way::Cut {
                replica.to_redis.set(way);
            }
        }
    }

    fn ask(&self, command: &[&str]) -> String {
        tokio::task::block_in_place(|| self.redis.lock().unwrap().ask(command))
    }

    /// Groups of conversations that left Redis for the records.
    pub fn away(&self) -> usize {
        let found = self.ask(&["--scan", "--pattern", "away:*"]);
        found
            .lines()
            .filter(|line| line.starts_with("away"))
            .count()
    }

    /// Conversations that have something to do before long; what waits for a customer to write again waits for days.
    pub fn under_way(&self) -> Vec<String> {
        let (now, soon) = ("0".to_owned(), (now_ms() + SOON_MS).to_string());
        let mut found = Vec::new();
        for queue in ["turn", "send"] {
            let listed = self.ask(&["EVAL", LEASES, "0", queue, &now, &soon]);
            found.extend(
                listed
                    .lines()
                    .filter(|line| line.contains(':'))
                    .map(str::to_owned),
            );
        }
        found
    }

    /// Conversations with messages that wait until the customer writes again, since their platform takes no more before.
    pub fn waiting(&self) -> Vec<String> {
        let found = self.ask(&["--scan", "--pattern", "out:*"]);
        let id = |line: &str| line.split_once("}:").map(|(_, id)| id.trim().to_owned());
        found.lines().filter_map(id).collect()
    }

    /// Conversations of a queue whose lease began before `at_ms` and has not ended.
    fn leased(&self, queue: &str, at_ms: u64, lease_ms: u64) -> Vec<String> {
        let (now, last) = (now_ms().to_string(), (at_ms + lease_ms).to_string());
        let found = self.ask(&["EVAL", LEASES, "0", queue, &now, &last]);
        let ids = found.lines().filter(|line| line.contains(':'));
        ids.map(str::to_owned).collect()
    }

    /// Customers of a replica that has lost its Redis are told to come again, and it comes back by itself.
    async fn cut_off(&self, replica: &Replica, lasting: impl Future<Output = ()>) -> Mark {
        replica.to_redis.set(Way::Cut);
        let (mut asked, mut refused, mut unready) = (0, 0, false);
        let asking = async {
            loop {
                tokio::time::sleep(Duration::from_millis(250)).await;
                let ready = self.http.get(format!("{}/readyz", replica.url)).send();
                unready |= ready.await.is_ok_and(|answer| answer.status() == 503);
                let answer = self.session(replica).await;
                asked += 1;
                refused += usize::from(answer == Some((503, true)));
            }
        };
        tokio::select! {
            () = asking => {}
            () = lasting => {}
        }
        replica.to_redis.set(Way::Open);
        let begun = Instant::now();
        let mut back = None;
        while back.is_none() && begun.elapsed() < BACK_MAX {
            if self.session(replica).await == Some((201, false)) {
                back = Some(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Mark::Refusals {
            asked,
            refused,
            unready,
            back,
        }
    }

    /// Status of a new session, and whether a wait is named.
    async fn session(&self, replica: &Replica) -> Option<(u16, bool)> {
        let asked = self
            .http
            .post(format!("{}/v1/web/sessions", replica.url))
            .timeout(Duration::from_secs(12))
            .send();
        let answer = asked.await.ok()?;
        let wait = answer.headers().contains_key("retry-after");
        Some((answer.status().as_u16(), wait))
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
