//! Deliveries that show what the shop says in time; what comes later goes over the platform's API.

use super::{Shared, bounded};
use crate::mailbox::offer::{self, Taken};
use crate::mailbox::rest;
use crate::store::Hint;
use adapters::{Answer, Channel, Place, Waiting};
use std::time::Duration;
use tokio::time::Instant;

/// Offers are looked for this often even if no hint comes, milliseconds.
const POLL_MS: u64 = 500;

/// The answer to a delivery that was accepted and waits since `since_ms`, within its time.
pub(super) async fn within(
    shared: &Shared,
    channel: &dyn Channel,
    waiting: Waiting,
    since_ms: i64,
) -> Answer {
    let until = Instant::now() + Duration::from_millis(waiting.within_ms);
    let Ok(_place) = shared.answers.places.try_acquire() else {
        offer::done(shared.state.as_ref(), &waiting, false, since_ms).await;
        return waiting.nothing;
    };
    // Before the first look, so that no hint falls in between.
    let mut hints = shared.state.hints();
    let conversation = waiting.address.as_str();
    let wanted = |hint: &Hint| matches!(hint, Hint::Feed(id) if id == conversation);
    let mut took = None;
    loop {
        let now_ms = (shared.now_ms)();
        let look = offer::take(shared.state.as_ref(), &waiting, since_ms, now_ms);
        match bounded(look).await {
            Ok(Taken::Held(held)) => {
                let answered = channel.answer(&waiting.form, &[held], Place::default(), now_ms);
                took = answered.and_then(|answered| answered.answer);
                break;
            }
            Ok(Taken::Elsewhere) => break,
            Ok(Taken::Nothing) | Err(_) => {}
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || shared.stop.is_cancelled() {
            break;
        }
        let wait = left.min(Duration::from_millis(POLL_MS));
        rest(&mut hints, wanted, wait, &shared.stop).await;
    }
    let now_ms = (shared.now_ms)();
    offer::done(shared.state.as_ref(), &waiting, took.is_some(), now_ms).await;
    took.unwrap_or(waiting.nothing)
}
