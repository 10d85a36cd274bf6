//! How fast messages leave a channel: counted in this process and over all replicas, and no sooner than a platform asked for.

use crate::channels::Channels;
use crate::store::{Rate, Spent, StateStore};
use adapters::{Address, Channel, Pace};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Idle lanes are dropped after this many messages.
const MESSAGES_PER_SWEEP: usize = 1024;

/// The paces of all channels that have one.
pub(super) struct Paces {
    channels: BTreeMap<&'static str, Here>,
    begun: Instant,
}

/// What this process has sent.
struct Here {
    pace: Pace,
    uses: Mutex<Uses>,
}

/// One rate, and under which name it is counted.
struct Counted {
    key: String,
    rate: Rate,
}

/// By name: until when a rate is used up, milliseconds since the process began (the generic cell rate algorithm, as the store counts).
#[derive(Default)]
struct Uses {
    free_at: BTreeMap<String, f64>,
    messages: usize,
}

impl Paces {
    pub(super) fn of(channels: &Channels) -> Self {
        let here = |pace: Pace| Here {
            pace,
            uses: Mutex::default(),
        };
        Self {
            channels: channels
                .values()
                .filter_map(|channel| Some((channel.name(), here(channel.capabilities().pace?))))
                .collect(),
            begun: Instant::now(),
        }
    }

    /// Counts one message to an address, or says how long to wait. A store that does not answer holds nothing back: this process's own count does.
    pub(super) async fn spend(
        &self,
        channel: &dyn Channel,
        address: &Address,
        state: &dyn StateStore,
        now_ms: i64,
    ) -> Option<u64> {
        let here = self.channels.get(channel.name())?;
        let lane = channel.lane(address);
        if let Ok(Some(until)) = state.recall(&pause_key(channel, lane), now_ms).await
            && let Ok(until_ms) = until.parse::<i64>()
            && until_ms > now_ms
        {
            return u64::try_from(until_ms - now_ms).ok();
        }
        let rates = rates(here.pace, channel, lane);
        if let Some(wait_ms) = here.with(|uses| uses.spend(&rates, self.elapsed_ms())) {
            return Some(wait_ms);
        }
        for counted in &rates {
            let spent = state.spend(&counted.key, counted.rate, now_ms).await;
            if let Ok(Spent::Wait { ms }) = spent {
                here.with(|uses| uses.give_back(&rates, counted, ms, self.elapsed_ms()));
                return Some(ms);
            }
        }
        None
    }

    fn elapsed_ms(&self) -> f64 {
        self.begun.elapsed().as_secs_f64() * 1000.0
    }
}

impl Here {
    fn with<T>(&self, what: impl FnOnce(&mut Uses) -> T) -> T {
        what(&mut self.uses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What one message uses, in the order in which the store is asked: what is used in vain, where a later one says wait, is used of the rate that is soonest free again.
fn rates(pace: Pace, channel: &dyn Channel, lane: &str) -> Vec<Counted> {
    let name = channel.name();
    let counted = |key: String, every_ms: f64, burst: u32| Counted {
        key,
        rate: Rate { every_ms, burst },
    };
    let mut rates = vec![
        counted(format!("send:{name}"), pace.all_every_ms, pace.all_burst),
        counted(
            format!("send:{name}:{lane}"),
            pace.lane_every_ms,
            pace.lane_burst,
        ),
    ];
    if let Some(shared) = pace.shared_lane.filter(|_| channel.is_shared(lane)) {
        let key = format!("send:{name}:{lane}:shared");
        rates.push(counted(key, shared.every_ms, shared.burst));
    }
    rates
}

impl Uses {
    /// One use of each rate, or of none where one says wait: a busy channel must not use up its lanes.
    fn spend(&mut self, rates: &[Counted], now_ms: f64) -> Option<u64> {
        let wait_ms = rates
            .iter()
            .map(|Counted { key, rate }| {
                let free_at = self.free_at(key).max(now_ms);
                free_at + rate.every_ms - now_ms - rate.every_ms * f64::from(rate.burst)
            })
            .fold(0.0, f64::max);
        if wait_ms > 0.0 {
            return Some(whole(wait_ms));
        }
        self.messages += 1;
        if self.messages.is_multiple_of(MESSAGES_PER_SWEEP) {
            self.free_at.retain(|_, free_at| *free_at > now_ms);
        }
        for Counted { key, rate } in rates {
            let free_at = self.free_at(key).max(now_ms) + rate.every_ms;
            self.free_at.insert(key.clone(), free_at);
        }
        None
    }

    /// Nothing is sent, since the replicas together have used up one of the rates: it is not asked for again before its wait is over.
    fn give_back(&mut self, rates: &[Counted], used_up: &Counted, wait_ms: u64, now_ms: f64) {
        for Counted { key, rate } in rates {
            let free_at = self.free_at(key) - rate.every_ms;
            self.free_at.insert(key.clone(), free_at);
        }
        let Counted { key, rate } = used_up;
        let waits = now_ms + wait_ms as f64 + rate.every_ms * (f64::from(rate.burst) - 1.0);
        let free_at = self.free_at(key).max(waits);
        self.free_at.insert(key.clone(), free_at);
    }

    fn free_at(&self, key: &str) -> f64 {
        self.free_at.get(key).copied().unwrap_or_default()
    }
}

/// In whole milliseconds, upwards.
fn whole(wait_ms: f64) -> u64 {
    // A float that is too large for it becomes the largest.
    wait_ms.ceil() as u64
}

/// Keeps all replicas from writing to a lane until the platform allows it; the sender that was told waits in any case.
pub(super) async fn pause(
    channel: &dyn Channel,
    address: &Address,
    state: &dyn StateStore,
    until_ms: i64,
) {
    let key = pause_key(channel, channel.lane(address));
    let _ = state.remember(&key, &until_ms.to_string(), until_ms).await;
}

fn pause_key(channel: &dyn Channel, lane: &str) -> String {
    format!("pause:{}:{lane}", channel.name())
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
