//! Deliveries that show what the shop says in time; what comes later goes over the platform's API.

use super::{Shared, bounded};
use crate::mailbox::offer::{self, Taken};
use crate::mailbox::rest;
use crate::store::Hint;
use adapters::{Answer, Channel, Place, Waiting};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Offers are looked for this often even if no hint comes, milliseconds.
const POLL_MS: u64 = 500;
/// A platform that has not turned away so long after its time is answered, milliseconds.
const STAYED_MS: u64 = 1_500;

/// The answer to a delivery that was accepted and waits since `since_ms`, within its time.
pub(super) async fn within(
    shared: &Arc<Shared>,
    channel: &dyn Channel,
    waiting: Waiting,
    since_ms: i64,
) -> Answer {
    // What accepting it took is over already.
    let took_ms = (shared.now_ms)().saturating_sub(since_ms).unsigned_abs();
    let now = Instant::now();
    let at = |ms: u64| now + Duration::from_millis(ms.saturating_sub(took_ms));
    let until = at(waiting.within_ms);
    let turned_away = at(waiting.turns_away_ms + STAYED_MS);
    let Ok(_place) = shared.answers.places.try_acquire() else {
        return done(shared, waiting, None);
    };
    // Before the first look, so that no hint falls in between.
    let mut hints = shared.state.hints();
    let conversation = waiting.address.as_str();
    let wanted = |hint: &Hint| matches!(hint, Hint::Feed(id) if id == conversation);
    let mut took = None;
    let mut is_unsure;
    loop {
        is_unsure = false;
        let now_ms = (shared.now_ms)();
        let look = offer::take(shared.state.as_ref(), &waiting, since_ms, now_ms);
        match bounded(look).await {
            Ok(Taken::Held(held)) => {
                let answered = channel.answer(&waiting.form, &[held], Place::default(), now_ms);
                took = answered.and_then(|answered| answered.answer);
                break;
            }
            Ok(Taken::Elsewhere) => break,
            Ok(Taken::Nothing) => {}
            Err(_) => is_unsure = true,
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || shared.stop.is_cancelled() {
            break;
        }
        let wait = left.min(Duration::from_millis(POLL_MS));
        rest(&mut hints, wanted, wait, &shared.stop).await;
    }
    if is_unsure {
        // It may have been taken. Answered with nothing it would never be seen, also at a stop; without an answer the platform delivers again, and then it is known.
        tokio::time::sleep_until(turned_away).await;
    }
    done(shared, waiting, took)
}

/// The answer leaves at once; that it did is told to the sender behind it.
fn done(shared: &Arc<Shared>, waiting: Waiting, took: Option<Answer>) -> Answer {
    let (answer, took) = match took {
        Some(answer) => (answer, true),
        None => (waiting.nothing.clone(), false),
    };
    let this = Arc::clone(shared);
    shared.tasks.spawn(async move {
        let now_ms = (this.now_ms)();
        offer::done(this.state.as_ref(), &waiting, took, now_ms).await;
    });
    answer
}
