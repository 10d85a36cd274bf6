//! Many visitors at once, from the first word until each is answered.

use super::people::Left;
use super::visitor::{Doors, Pace, Visitor};
use super::{Books, Dice, Told, check_told};
use bot::config::records::Records as RecordsSettings;
use bot::config::state::State as StateSettings;
use bot::store::records::Records;
use bot::store::redis::State;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub struct Crowd {
    living: Vec<tokio::task::JoinHandle<Visitor>>,
    over: Arc<AtomicBool>,
}

/// Sums and extremes over all visitors.
#[derive(Debug, Default)]
pub struct Sums {
    /// Answers 503 and 429, and those without `Retry-After`.
    pub refused: usize,
    pub without_wait: usize,
    /// Requests that got no answer, and streams that broke.
    pub failed: usize,
    pub broken: usize,
    /// Replies that were read twice, and acknowledged messages without a receipt.
    pub doubled: usize,
    pub unread: usize,
    pub sessions_lost: usize,
    /// From a message's acknowledgement to its receipt.
    pub silences: Vec<Duration>,
}

impl Sums {
    pub fn silence(&self, share: f64) -> Duration {
        let at = (self.silences.len().max(1) - 1) as f64 * share;
        self.silences.get(at as usize).copied().unwrap_or_default()
    }
}

impl Crowd {
    pub fn enters(count: usize, doors: &Arc<Doors>, pace: Pace, dice: &mut Dice) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let living = (0..count)
            .map(|n| {
                let (doors, over) = (Arc::clone(doors), Arc::clone(&over));
                tokio::spawn(Visitor::live(n, doors, pace, Dice(dice.roll()), over))
            })
            .collect();
        Self { living, over }
    }

    /// Says nothing more, and waits until each is answered or out of patience.
    pub async fn leaves(self) -> Vec<Visitor> {
        self.over.store(true, Ordering::Relaxed);
        let mut visitors = Vec::new();
        for visitor in self.living {
            visitors.push(visitor.await.unwrap());
        }
        visitors
    }
}

pub fn sums(visitors: &[Visitor]) -> Sums {
    let mut sums = Sums::default();
    for visitor in visitors {
        sums.unread += visitor.unread().len();
        let seen = visitor.seen();
        sums.refused += seen.refused;
        sums.without_wait += seen.without_wait;
        sums.failed += seen.failed;
        sums.broken += seen.broken;
        sums.doubled += seen.doubled;
        sums.sessions_lost += usize::from(seen.forgotten);
        let silence = |(id, at): (&String, &Instant)| {
            Some(seen.read_at.get(id)?.saturating_duration_since(*at))
        };
        sums.silences
            .extend(seen.acknowledged_at.iter().filter_map(silence));
    }
    sums.silences.sort_unstable();
    sums
}

/// What a replica that was stopped left in the journal is archived, then the books are checked.
pub async fn books(visitors: &[Visitor], redis_url: &str, records_url: &str) -> Books {
    books_of(visitors, &[], redis_url, records_url).await
}

/// The same with those who wrote on platforms.
pub async fn books_of(
    visitors: &[Visitor],
    platforms: &[Left],
    redis_url: &str,
    records_url: &str,
) -> Books {
    let settings = StateSettings::of_url(redis_url).unwrap();
    let records = || Records::on_server(&RecordsSettings::of_url(records_url).unwrap());
    let archiver = bot::mailbox::Archiver {
        state: Arc::new(State::open(&settings)),
        records: Arc::new(records()),
        project: bot::project::rows,
        clock: Arc::new(|| 0),
    };
    let stop = bot::http::CancellationToken::new();
    stop.cancel();
    archiver.run(stop).await;
    let mut told: Vec<Told<'_>> = visitors
        .iter()
        .map(|visitor| Told {
            conversation: &visitor.conversation,
            acknowledged: &visitor.acknowledged,
            unsure: &[],
            sent_again: visitor.sent_again,
            sent: None,
        })
        .collect();
    told.extend(platforms.iter().flat_map(Left::told));
    // Whoever was quiet may have left Redis, and is brought back to be looked at.
    let state = State::open_with(&settings, Some(Arc::new(records())));
    check_told(&told, &state, &records()).await
}
