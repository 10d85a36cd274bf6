//! One token for all who wait, in one process and in many, whatever fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::{Asking, Unkept};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

/// What replicas share, as one of them sees it; the clock stands still until it is set forward.
#[derive(Default)]
struct Store {
    now_ms: AtomicI64,
    is_away: AtomicBool,
    facts: std::sync::Mutex<BTreeMap<String, (String, i64)>>,
    jobs: std::sync::Mutex<BTreeMap<String, (usize, i64)>>,
}

struct Replica(Arc<Store>, usize);

impl Replica {
    fn reached(&self) -> Result<(), Unkept> {
        match self.0.is_away.load(Ordering::Relaxed) {
            true => Err(Unkept),
            false => Ok(()),
        }
    }
}

impl Keep for Replica {
    fn now_ms(&self) -> i64 {
        self.0.now_ms.load(Ordering::Relaxed)
    }

    fn remember<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<(), Unkept>> {
        Box::pin(async move {
            self.reached()?;
            let fact = (value.to_owned(), until_ms);
            self.0.facts.lock().unwrap().insert(key.to_owned(), fact);
            Ok(())
        })
    }

    fn recall<'a>(&'a self, key: &'a str) -> Asking<'a, Result<Option<String>, Unkept>> {
        Box::pin(async move {
            self.reached()?;
            let facts = self.0.facts.lock().unwrap();
            let fact = facts.get(key).filter(|fact| fact.1 > self.now_ms());
            Ok(fact.map(|fact| fact.0.clone()))
        })
    }

    fn keep_first<'a>(
        &'a self,
        _key: &'a str,
        _value: &'a str,
        _until_ms: i64,
    ) -> Asking<'a, Result<bool, Unkept>> {
        // No token is kept like this.
        Box::pin(std::future::ready(Err(Unkept)))
    }

    fn hold<'a>(&'a self, job: &'a str, for_ms: u64) -> Asking<'a, Result<bool, Unkept>> {
        Box::pin(async move {
            self.reached()?;
            let mut jobs = self.0.jobs.lock().unwrap();
            let now_ms = self.now_ms();
            if jobs
                .get(job)
                .is_some_and(|job| job.0 != self.1 && job.1 > now_ms)
            {
                return Ok(false);
            }
            let until_ms = now_ms.saturating_add_unsigned(for_ms);
            jobs.insert(job.to_owned(), (self.1, until_ms));
            Ok(true)
        })
    }

    fn release<'a>(&'a self, job: &'a str) -> Asking<'a, ()> {
        Box::pin(async move {
            let mut jobs = self.0.jobs.lock().unwrap();
            if jobs.get(job).is_some_and(|job| job.0 == self.1) {
                jobs.remove(job);
            }
        })
    }
}

/// A platform that gives the same token until it is forced or the token is spoilt there.
#[derive(Default)]
struct Platform {
    asked: AtomicUsize,
    forced: AtomicUsize,
    version: AtomicUsize,
    is_broken: AtomicBool,
}

impl Platform {
    async fn token(&self, force: bool) -> Result<Granted, &'static str> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(30)).await;
        if self.is_broken.load(Ordering::Relaxed) {
            return Err("broken");
        }
        if force {
            self.forced.fetch_add(1, Ordering::Relaxed);
            self.version.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Granted {
            token: format!("T{}", self.version.load(Ordering::Relaxed)),
            lasts: Duration::from_secs(7_200),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn replicas(store: &Arc<Store>, count: usize) -> Vec<Access<&'static str>> {
    let access = |number| {
        let keep = Arc::new(Replica(Arc::clone(store), number));
        Access::new(keep, "shop:token:1", "late")
    };
    (0..count).map(access).collect()
}

async fn all(
    replicas: &[Access<&'static str>],
    platform: &Platform,
) -> Vec<Result<String, &'static str>> {
    let twenty = replicas
        .iter()
        .flat_map(|access| (0..20).map(move |_| access.token(|force| platform.token(force))));
    join_all(twenty).await
}

#[tokio::test]
async fn all_who_wait_in_all_replicas_get_one_token_and_its_one_successor() {
    let (store, platform) = (Arc::new(Store::default()), Platform::default());
    let replicas = replicas(&store, 3);
    let got = all(&replicas, &platform).await;
    assert!(got.iter().all(|got| *got == Ok("T0".to_owned())), "{got:?}");
    assert_eq!(platform.asked(), 1);
    // It ends: all are refused, and one asks.
    platform.version.store(1, Ordering::Relaxed);
    for access in &replicas {
        for _ in 0..20 {
            assert!(access.refused("T0").await, "another may be had");
        }
    }
    let got = all(&replicas, &platform).await;
    assert!(got.iter().all(|got| *got == Ok("T1".to_owned())), "{got:?}");
    assert_eq!(platform.asked(), 2);
    // Who was refused late does not spoil the new one.
    assert!(replicas.first().unwrap().refused("T0").await);
    all(&replicas, &platform).await;
    assert_eq!(platform.asked(), 2);
}

#[tokio::test]
async fn a_token_is_replaced_before_its_end() {
    let (store, platform) = (Arc::new(Store::default()), Platform::default());
    let replicas = replicas(&store, 2);
    all(&replicas, &platform).await;
    store.now_ms.store(6_899_000, Ordering::Relaxed);
    all(&replicas, &platform).await;
    assert_eq!(platform.asked(), 1);
    store.now_ms.store(6_901_000, Ordering::Relaxed);
    all(&replicas, &platform).await;
    assert_eq!(platform.asked(), 2);
}

#[tokio::test]
async fn a_new_token_is_forced_once_where_the_refused_one_comes_again_and_then_only_time_helps() {
    let (store, platform) = (Arc::new(Store::default()), Platform::default());
    let replicas = replicas(&store, 2);
    let [one, two] = replicas.as_slice() else {
        panic!("there are two");
    };
    let token = async |access: &Access<_>| access.token(|force| platform.token(force)).await;
    assert_eq!(token(one).await, Ok("T0".to_owned()));
    assert!(one.refused("T0").await);
    assert_eq!(token(one).await, Ok("T1".to_owned()));
    assert_eq!(platform.forced.load(Ordering::Relaxed), 1);
    // Spoilt again at once: neither replica forces, and who is refused is told to wait.
    assert!(one.refused("T1").await);
    assert_eq!(token(one).await, Ok("T1".to_owned()));
    assert!(!one.refused("T1").await);
    assert_eq!(token(two).await, Ok("T1".to_owned()));
    assert!(two.refused("T1").await);
    assert_eq!(token(two).await, Ok("T1".to_owned()));
    assert_eq!(platform.forced.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_failure_is_told_to_all_and_not_asked_for_again_at_once() {
    let (store, platform) = (Arc::new(Store::default()), Platform::default());
    platform.is_broken.store(true, Ordering::Relaxed);
    let replicas = replicas(&store, 1);
    for _ in 0..3 {
        let got = all(&replicas, &platform).await;
        assert!(got.iter().all(|got| *got == Err("broken")), "{got:?}");
    }
    assert_eq!(platform.asked(), 1);
    store.now_ms.store(1_000, Ordering::Relaxed);
    platform.is_broken.store(false, Ordering::Relaxed);
    all(&replicas, &platform).await;
    assert_eq!(platform.asked(), 2);
}

#[tokio::test]
async fn without_the_store_each_process_goes_on_with_its_own() {
    let (store, platform) = (Arc::new(Store::default()), Platform::default());
    let replicas = replicas(&store, 2);
    store.is_away.store(true, Ordering::Relaxed);
    for _ in 0..2 {
        let got = all(&replicas, &platform).await;
        assert!(got.iter().all(|got| *got == Ok("T0".to_owned())), "{got:?}");
    }
    assert_eq!(platform.asked(), 2, "once each");
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_replica_that_asks() {
    let (store, platform) = (Arc::new(Store::default()), Platform::default());
    let mut replicas = replicas(&store, 2);
    for access in &mut replicas {
        access.wait = Duration::from_millis(4 * LOOK_MS);
    }
    let job = ("shop:token:1".to_owned(), (9, i64::MAX));
    store.jobs.lock().unwrap().extend([job]);
    let got = all(&replicas, &platform).await;
    assert!(got.iter().all(|got| *got == Err("late")), "{got:?}");
    assert_eq!(platform.asked(), 0);
}
