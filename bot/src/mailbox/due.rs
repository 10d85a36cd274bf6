//! What is due, claimed and done: so much at a time as there are places, until the stop.

use super::{Clock, rest, seconds, until};
use crate::store::{Claimed, Hint, StateStore, Step};
use crate::telemetry::metrics::{Tried, store_failed};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The agenda is looked at this often even if no hint comes, milliseconds.
const POLL_MS: u64 = 1_000;
/// How long a stop waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// What is claimed in turn and done side by side.
pub(super) trait Jobs: Send + Sync + 'static {
    type Claim: Send + 'static;

    /// For the log.
    const WHAT: &'static str;
    /// Says that something may be due.
    const HINT: Hint;

    fn state(&self) -> &dyn StateStore;

    fn clock(&self) -> &Clock;

    /// Leases at most as many as there are free places.
    fn claim(&self, now_ms: i64, free: usize) -> Step<'_, Claimed<Self::Claim>>;

    /// How late a look found something, in seconds; 0 where nothing was due.
    fn found_after(&self, _seconds: f64) {}

    fn work(self: Arc<Self>, claim: Self::Claim) -> impl Future<Output = ()> + Send;
}

/// Runs until `stop`; then no new claims, and what runs may end.
pub(super) async fn run<J: Jobs>(jobs: J, places: usize, stop: CancellationToken) {
    let jobs = Arc::new(jobs);
    let places = Arc::new(Semaphore::new(places));
    let under_way = TaskTracker::new();
    let mut hints = jobs.state().hints();
    // When the first that was left at the last look is due.
    let mut due_ms = None;
    while !stop.is_cancelled() {
        let free = places.available_permits();
        if free == 0 {
            // A place comes free when one ends.
            tokio::select! {
                place = places.acquire() => drop(place),
                () = stop.cancelled() => {}
            }
            continue;
        }
        let now_ms = (jobs.clock())();
        match jobs.claim(now_ms, free).await {
            Ok(claimed) if claimed.claims.is_empty() => {
                jobs.found_after(0.0);
                due_ms = claimed.next_due_ms;
                let wait = until(claimed.next_due_ms, now_ms, POLL_MS);
                rest(&mut hints, |hint| *hint == J::HINT, wait, &stop).await;
            }
            Ok(claimed) => {
                jobs.found_after(seconds(due_ms, now_ms));
                due_ms = claimed.next_due_ms;
                for claim in claimed.claims {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                        break;
                    };
                    let jobs = Arc::clone(&jobs);
                    under_way.spawn(async move {
                        jobs.work(claim).await;
                        drop(place);
                    });
                }
            }
            Err(error) => {
                store_failed(Tried::Claim, &error);
                tracing::warn!(what = J::WHAT, %error, "nothing can be claimed");
                let wait = Duration::from_millis(POLL_MS);
                rest(&mut hints, |_| false, wait, &stop).await;
            }
        }
    }
    under_way.close();
    if tokio::time::timeout(GRACE, under_way.wait()).await.is_err() {
        tracing::warn!(
            what = J::WHAT,
            "stopped with some still under way; they are done again"
        );
    }
}
