//! Shows on the platforms that an answer is being written, where a turn takes its time.

use super::Clock;
use crate::channels::Channels;
use crate::store::{Hint, Rate, Spent, StateStore};
use adapters::{Address, Channel, Typing};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Platforms asked at once; one more is not shown.
const ASKED_MAX: usize = 16;
/// Conversations in which it is shown at a time; in one more it is not.
const SHOWN_MAX: usize = 4_096;

/// Longest that showing it may take; after that the answer is likely there.
const SHOWING_MAX: Duration = Duration::from_secs(5);
/// Shown anew when so much of the time is over for which a platform shows it.
const ANEW_AFTER: f64 = 0.7;

pub struct Typist {
    pub state: Arc<dyn StateStore>,
    pub channels: Channels,
    pub clock: Clock,
}

impl Typist {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut hints = self.state.hints();
        let places = Arc::new(Semaphore::new(ASKED_MAX));
        let asked = TaskTracker::new();
        let mut shown = Shown::default();
        loop {
            let hint = tokio::select! {
                hint = hints.recv() => hint,
                () = stop.cancelled() => break,
            };
            match hint {
                Ok(Hint::Typing(conversation)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        continue;
                    };
                    if let Some((channel, address)) = self.wanted(&conversation, &mut shown).await {
                        asked.spawn(async move {
                            let shown = channel.typing(&address);
                            let _ = tokio::time::timeout(SHOWING_MAX, shown).await;
                            drop(place);
                        });
                    }
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
        asked.close();
        asked.wait().await;
    }

    /// Where it is to be shown; every replica hears the hint, and one shows it. This process counts by itself too, since its store need not count.
    async fn wanted(
        &self,
        conversation: &str,
        shown: &mut Shown,
    ) -> Option<(Arc<dyn Channel>, Address)> {
        let address: Address = conversation.parse().ok()?;
        let channel = self.channels.get(address.channel())?;
        let Typing::Action { lasts_ms } = channel.capabilities().typing else {
            return None;
        };
        let every_ms = lasts_ms as f64 * ANEW_AFTER;
        let now_ms = (self.clock)();
        if !shown.begins(conversation, every_ms as i64, now_ms) {
            return None;
        }
        let rate = Rate { every_ms, burst: 1 };
        let key = format!("typing:{conversation}");
        match self.state.spend(&key, rate, now_ms).await {
            Ok(Spent::Allowed) => Some((Arc::clone(channel), address)),
            Ok(Spent::Wait { .. }) | Err(_) => None,
        }
    }
}

/// By conversation: until when it need not be shown anew, as far as this process knows.
#[derive(Default)]
struct Shown(BTreeMap<String, i64>);

impl Shown {
    /// Counts it as shown from now on, unless it still is.
    fn begins(&mut self, conversation: &str, for_ms: i64, now_ms: i64) -> bool {
        let is_shown = |until_ms: &i64| *until_ms > now_ms;
        if self.0.get(conversation).is_some_and(is_shown) {
            return false;
        }
        if self.0.len() >= SHOWN_MAX {
            self.0.retain(|_, until_ms| is_shown(until_ms));
        }
        let has_place = self.0.len() < SHOWN_MAX;
        if has_place {
            let until_ms = now_ms.saturating_add(for_ms);
            self.0.insert(conversation.to_owned(), until_ms);
        }
        has_place
    }
}
