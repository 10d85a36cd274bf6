//! Who listens to which conversation, so that one hint wakes only the pages that wait for it.

use crate::store::Hint;
use crate::telemetry::{self, metrics::WEB_STREAMS};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Open event streams of one conversation.
pub const STREAMS_PER_SESSION_MAX: usize = 6;
/// Open event streams of this server.
pub const STREAMS_MAX: usize = 4096;
/// Hints that a stream may be behind; what is lost costs a poll, not a message.
const HINTS_BEHIND_MAX: usize = 16;
/// How often the recorder's samples are folded into its histograms, in milliseconds.
const UPKEEP_MS: u64 = 20_000;

/// Something to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nudge {
    Feed,
    Typing,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Session,
    Server,
}

#[derive(Default)]
pub(super) struct Listeners {
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    by_conversation: BTreeMap<String, Place>,
    seats: usize,
}

struct Place {
    nudges: broadcast::Sender<Nudge>,
    seats: usize,
}

/// One open stream; giving it up frees its seat.
pub(super) struct Seat {
    listeners: Arc<Listeners>,
    conversation: String,
    pub(super) nudges: broadcast::Receiver<Nudge>,
}

impl Listeners {
    pub(super) fn sit(self: &Arc<Self>, conversation: &str) -> Result<Seat, Taken> {
        let mut places = self.lock();
        if places.seats >= STREAMS_MAX {
            return Err(Taken::Server);
        }
        let place = places
            .by_conversation
            .entry(conversation.to_owned())
            .or_insert_with(|| Place {
                nudges: broadcast::channel(HINTS_BEHIND_MAX).0,
                seats: 0,
            });
        if place.seats >= STREAMS_PER_SESSION_MAX {
            return Err(Taken::Session);
        }
        place.seats += 1;
        let nudges = place.nudges.subscribe();
        places.seats += 1;
        metrics::gauge!(WEB_STREAMS).increment(1.0);
        Ok(Seat {
            listeners: Arc::clone(self),
            conversation: conversation.to_owned(),
            nudges,
        })
    }

    /// Passes hints on until `stop`; when some were lost, everybody looks.
    pub(super) async fn follow(
        self: Arc<Self>,
        mut hints: broadcast::Receiver<Hint>,
        stop: CancellationToken,
    ) {
        let mut upkeep = tokio::time::interval(Duration::from_millis(UPKEEP_MS));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = upkeep.tick() => telemetry::upkeep(),
                hint = hints.recv() => match hint {
                    Ok(Hint::Feed(conversation)) => self.nudge(&conversation, Nudge::Feed),
                    Ok(Hint::Typing(conversation)) => self.nudge(&conversation, Nudge::Typing),
                    Ok(
                        Hint::Turns
                        | Hint::Sends
                        | Hint::Journal
                        | Hint::Pointer
                        | Hint::Waiting(_),
                    ) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => self.nudge_all(),
                    // The store is gone; streams go on polling until they are stopped.
                    Err(broadcast::error::RecvError::Closed) => {
                        stop.cancelled().await;
                        return;
                    }
                },
            }
        }
    }

    fn nudge(&self, conversation: &str, nudge: Nudge) {
        if let Some(place) = self.lock().by_conversation.get(conversation) {
            // Without a receiver there is nobody to wake.
            let _ = place.nudges.send(nudge);
        }
    }

    fn nudge_all(&self) {
        for place in self.lock().by_conversation.values() {
            let _ = place.nudges.send(Nudge::Feed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.listeners.lock();
        places.seats = places.seats.saturating_sub(1);
        metrics::gauge!(WEB_STREAMS).decrement(1.0);
        if let Some(place) = places.by_conversation.get_mut(&self.conversation) {
            place.seats = place.seats.saturating_sub(1);
            if place.seats == 0 {
                places.by_conversation.remove(&self.conversation);
            }
        }
    }
}
