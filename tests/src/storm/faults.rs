//! The plan of a fault storm: what breaks, when and for how long; the same seed, the same plan.

use super::Dice;
use std::fmt;

/// Replicas in the storm.
pub const REPLICAS: usize = 3;
/// How long the storm lasts, milliseconds; every fault is over then.
pub const STORM_MS: u64 = 96_000;
/// PostgreSQL is gone for so long, milliseconds.
const POSTGRES_GONE_MS: u64 = 60_000;
/// A replica that is cut off is not killed this long before and after, so that its answers can be looked at.
const LOOKED_AT_MS: u64 = 8_000;
/// Between two kills of one replica.
const KILLS_APART_MS: u64 = 6_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; started again afterwards.
    Killed(usize),
    /// SIGSTOP, then SIGCONT.
    Stopped(usize),
    /// The replica's way to Redis is cut; its customers still reach it.
    CutOff(usize),
    /// The replica's way to PostgreSQL is cut.
    PostgresCut(usize),
    PostgresGone,
    RedisKilled,
    /// Answers come so many milliseconds later.
    RedisSlow(u64),
    /// `CLIENT PAUSE`.
    RedisPaused,
    /// `DEBUG SLEEP`: one command that takes long.
    RedisBusy,
    /// `maxmemory` is reached.
    RedisFull,
    /// `REPLICAOF`: READONLY.
    RedisReadOnly,
    /// `min-replicas-to-write` without a replica: NOREPLICAS.
    RedisAlone,
    /// `CLIENT KILL`.
    ConnectionsKilled,
    /// Every way to Redis breaks at once.
    ConnectionsCut,
    /// Deliveries that no platform made, to every replica.
    Forged,
    /// Each platform breaks off and forgets how far it had told.
    PlatformsForget,
    /// Each platform refuses so many sends with its word for "later".
    PlatformsBusy(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Killed(replica) => write!(f, "replica {replica}: SIGKILL"),
            Fault::Stopped(replica) => write!(f, "replica {replica}: SIGSTOP … SIGCONT"),
            Fault::CutOff(replica) => write!(f, "replica {replica}: cut off from Redis"),
            Fault::PostgresCut(replica) => write!(f, "replica {replica}: cut off from PostgreSQL"),
            Fault::PostgresGone => f.write_str("PostgreSQL gone"),
            Fault::RedisKilled => f.write_str("Redis: SIGKILL"),
            Fault::RedisSlow(ms) => write!(f, "Redis: answers {ms} ms late"),
            Fault::RedisPaused => f.write_str("Redis: CLIENT PAUSE"),
            Fault::RedisBusy => f.write_str("Redis: DEBUG SLEEP"),
            Fault::RedisFull => f.write_str("Redis: maxmemory reached"),
            Fault::RedisReadOnly => f.write_str("Redis: REPLICAOF (READONLY)"),
            Fault::RedisAlone => f.write_str("Redis: min-replicas-to-write (NOREPLICAS)"),
            Fault::ConnectionsKilled => f.write_str("Redis: CLIENT KILL TYPE normal"),
            Fault::ConnectionsCut => f.write_str("Redis: all connections cut"),
            Fault::Forged => f.write_str("forged deliveries to every replica"),
            Fault::PlatformsForget => f.write_str("platforms: sessions cut and forgotten"),
            Fault::PlatformsBusy(sends) => write!(f, "platforms: {sends} sends refused each"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub at_ms: u64,
    pub lasting_ms: u64,
    pub fault: Fault,
}

impl Planned {
    fn end_ms(&self) -> u64 {
        self.at_ms + self.lasting_ms
    }
}

/// Every kind of fault, overlapping, in the order of their beginning.
pub fn plan(dice: &mut Dice) -> Vec<Planned> {
    let mut between = |from: u64, to: u64| from + dice.below(to - from + 1);
    // The one that is cut off is looked at, so the two others are stopped.
    let watched = between(0, REPLICAS as u64 - 1) as usize;
    let others = [(watched + 1) % REPLICAS, (watched + 2) % REPLICAS];
    let mut faults = Vec::new();
    let mut add = |at_ms, lasting_ms, fault| {
        faults.push(Planned {
            at_ms,
            lasting_ms,
            fault,
        });
    };
    add(
        between(9_000, 12_000),
        POSTGRES_GONE_MS,
        Fault::PostgresGone,
    );
    // Beyond a turn's lease, and beyond a send's.
    let stopped = [between(14_000, 22_000), between(46_000, 54_000)];
    let lasting = [between(17_000, 20_000), between(32_000, 35_000)];
    for at in 0..2 {
        add(stopped[at], lasting[at], Fault::Stopped(others[at]));
    }
    let cut_off = between(26_000, 36_000);
    add(cut_off, 10_000, Fault::CutOff(watched));
    // Who is watched, or is to wake up with old leases, is not killed then.
    let spared = [
        (
            watched,
            cut_off - LOOKED_AT_MS..cut_off + 10_000 + LOOKED_AT_MS,
        ),
        (others[0], stopped[0]..stopped[0] + lasting[0]),
        (others[1], stopped[1]..stopped[1] + lasting[1]),
    ];
    add(
        between(78_000, 84_000),
        between(4_000, 7_000),
        Fault::PostgresCut(watched),
    );
    for third in 0..3 {
        // One ends before the next begins.
        let at = 16_000 + third * 25_000;
        add(
            between(at, at + 21_000),
            between(300, 2_500),
            Fault::RedisKilled,
        );
        add(between(6_000, 90_000), 0, Fault::ConnectionsKilled);
    }
    for _ in 0..2 {
        let late = between(100, 400);
        add(
            between(12_000, 84_000),
            between(5_000, 8_000),
            Fault::RedisSlow(late),
        );
        add(between(6_000, 90_000), 0, Fault::ConnectionsCut);
    }
    for _ in 0..6 {
        let sends = between(2, 5) as usize;
        add(between(5_000, 90_000), 0, Fault::PlatformsBusy(sends));
    }
    for third in 0..3 {
        let at = 10_000 + third * 26_000;
        add(between(at, at + 24_000), 0, Fault::Forged);
    }
    // Whoever writes has written before by then.
    add(between(50_000, 85_000), 0, Fault::PlatformsForget);
    add(between(6_000, 90_000), 1_500, Fault::RedisPaused);
    add(between(6_000, 90_000), 1_300, Fault::RedisBusy);
    add(between(6_000, 88_000), 4_000, Fault::RedisFull);
    add(between(6_000, 88_000), 2_500, Fault::RedisReadOnly);
    add(between(6_000, 88_000), 3_000, Fault::RedisAlone);
    let mut killed: Vec<(usize, u64)> = Vec::new();
    while killed.len() < 8 {
        let (replica, at) = (
            between(0, REPLICAS as u64 - 1) as usize,
            between(5_000, 90_000),
        );
        let again =
            |(other, then): &(usize, u64)| *other == replica && then.abs_diff(at) < KILLS_APART_MS;
        let is_spared = |(other, times): &(usize, std::ops::Range<u64>)| {
            *other == replica && times.contains(&at)
        };
        if killed.iter().any(again) || spared.iter().any(is_spared) {
            continue;
        }
        killed.push((replica, at));
        add(at, between(300, 3_000), Fault::Killed(replica));
    }
    faults.sort_by_key(|planned| planned.at_ms);
    assert!(faults.iter().all(|planned| planned.end_ms() <= STORM_MS));
    faults
}
