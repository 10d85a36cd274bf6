//! How fast messages leave a channel: counted in this process and over all replicas, and no sooner than a platform asked for.

use crate::channels::Channels;
use crate::store::{Rate, Spent, StateStore};
use adapters::{Address, Channel, Pace};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Idle lanes are dropped after this many messages.
const MESSAGES_PER_SWEEP: usize = 1024;

/// The paces of all channels that have one.
pub(super) struct Paces {
    channels: BTreeMap<&'static str, Here>,
    clock: DefaultClock,
    messages: AtomicUsize,
}

/// What this process has sent.
struct Here {
    pace: Pace,
    lanes: DefaultKeyedRateLimiter<String>,
    all: DefaultKeyedRateLimiter<()>,
}

impl Paces {
    pub(super) fn of(channels: &Channels) -> Self {
        let here = |pace: Pace| {
            Some(Here {
                pace,
                lanes: RateLimiter::keyed(quota(pace.lane_every_ms, pace.lane_burst)?),
                all: RateLimiter::keyed(quota(pace.all_every_ms, pace.all_burst)?),
            })
        };
        Self {
            channels: channels
                .values()
                .filter_map(|channel| Some((channel.name(), here(channel.capabilities().pace?)?)))
                .collect(),
            clock: DefaultClock::default(),
            messages: AtomicUsize::new(0),
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
        if let Some(wait_ms) = self.spend_here(here, lane) {
            return Some(wait_ms);
        }
        let rates = [
            (
                format!("send:{}:{lane}", channel.name()),
                here.pace.lane_every_ms,
                here.pace.lane_burst,
            ),
            (
                format!("send:{}", channel.name()),
                here.pace.all_every_ms,
                here.pace.all_burst,
            ),
        ];
        for (key, every_ms, burst) in rates {
            let rate = Rate { every_ms, burst };
            if let Ok(Spent::Wait { ms }) = state.spend(&key, rate, now_ms).await {
                return Some(ms);
            }
        }
        None
    }

    fn spend_here(&self, here: &Here, lane: &str) -> Option<u64> {
        if self.messages.fetch_add(1, Ordering::Relaxed) % MESSAGES_PER_SWEEP
            == MESSAGES_PER_SWEEP - 1
        {
            here.lanes.retain_recent();
            here.lanes.shrink_to_fit();
        }
        let wait = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let now = self.clock.now();
        if let Err(early) = here.lanes.check_key(&lane.to_owned()) {
            return Some(wait(early.wait_time_from(now)).max(1));
        }
        let early = here.all.check_key(&()).err()?;
        Some(wait(early.wait_time_from(now)).max(1))
    }
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

fn quota(every_ms: f64, burst: u32) -> Option<Quota> {
    let burst = NonZeroU32::new(burst)?;
    Some(Quota::with_period(Duration::from_secs_f64(every_ms / 1000.0))?.allow_burst(burst))
}
