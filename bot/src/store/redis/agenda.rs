//! What this replica knows of when the shards of a queue are due: hints make it quick, looking at every shard now and then makes it true.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A shard of which nothing was heard is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);
/// Without a single answer for so long, the whole store counts as away.
const AWAY_AFTER: Duration = Duration::from_millis(2_000);

pub(super) struct Agenda {
    known: Mutex<Known>,
}

struct Known {
    shards: Vec<Look>,
    /// Where the next round begins, so that no shard is always served first.
    cursor: usize,
    answered_at: Option<Instant>,
}

#[derive(Clone, Copy, Default)]
struct Look {
    looked_at: Option<Instant>,
    /// As of the last look.
    due_ms: Option<i64>,
    /// Heard since the last look was begun.
    heard_ms: Option<i64>,
}

impl Look {
    fn due(&self) -> Option<i64> {
        match (self.due_ms, self.heard_ms) {
            (Some(due), Some(heard)) => Some(due.min(heard)),
            (due, heard) => due.or(heard),
        }
    }
}

impl Agenda {
    /// Each replica begins its rounds at another shard.
    pub(super) fn new(shards: u32, begin: u32) -> Self {
        let shards = usize::try_from(shards.max(1)).unwrap_or(1);
        Self {
            known: Mutex::new(Known {
                shards: vec![Look::default(); shards],
                cursor: usize::try_from(begin).unwrap_or(0) % shards,
                answered_at: None,
            }),
        }
    }

    /// The shards to look at now, in turn.
    pub(super) fn to_look_at(&self, now_ms: i64, now: Instant) -> Vec<u32> {
        let mut known = self.lock();
        let count = known.shards.len();
        let begin = known.cursor;
        known.cursor = (begin + 1) % count;
        (0..count)
            .map(|step| (begin + step) % count)
            .filter(|shard| {
                known.shards.get(*shard).is_some_and(|look| {
                    look.due().is_some_and(|due| due <= now_ms)
                        || look
                            .looked_at
                            .is_none_or(|at| now.duration_since(at) >= LOOK_EVERY)
                })
            })
            .filter_map(|shard| u32::try_from(shard).ok())
            .collect()
    }

    /// A look begins: what is heard from now on is newer than its answer.
    pub(super) fn begin(&self, shard: u32, now: Instant) {
        self.change(shard, |look| {
            look.looked_at = Some(now);
            look.heard_ms = None;
        });
    }

    /// The answer of a look: when the shard's first entry is due.
    pub(super) fn found(&self, shard: u32, due_ms: Option<i64>, now: Instant) {
        self.change(shard, |look| look.due_ms = due_ms);
        self.lock().answered_at = Some(now);
    }

    /// No answer: the shard is looked at again after the usual time.
    pub(super) fn failed(&self, shard: u32) {
        self.change(shard, |look| {
            look.due_ms = None;
            look.heard_ms = None;
        });
    }

    pub(super) fn hear(&self, shard: u32, due_ms: i64) {
        self.change(shard, |look| {
            look.heard_ms = Some(look.heard_ms.map_or(due_ms, |heard| heard.min(due_ms)));
        });
    }

    /// Hints may have been lost: every shard is looked at.
    pub(super) fn forget(&self) {
        for look in &mut self.lock().shards {
            look.looked_at = None;
        }
    }

    pub(super) fn next_due(&self) -> Option<i64> {
        self.lock().shards.iter().filter_map(Look::due).min()
    }

    /// Some shard has answered lately.
    pub(super) fn answers(&self, now: Instant) -> bool {
        self.lock()
            .answered_at
            .is_some_and(|at| now.duration_since(at) < AWAY_AFTER)
    }

    fn change(&self, shard: u32, change: impl FnOnce(&mut Look)) {
        let shard = usize::try_from(shard).unwrap_or(usize::MAX);
        if let Some(look) = self.lock().shards.get_mut(shard) {
            change(look);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_due_or_long_unseen_is_looked_at() {
        let agenda = Agenda::new(4, 1);
        let begun = Instant::now();
        assert_eq!(
            agenda.to_look_at(100, begun),
            [1, 2, 3, 0],
            "nothing is known yet"
        );
        for shard in 0..4 {
            agenda.begin(shard, begun);
            agenda.found(shard, None, begun);
        }
        assert!(agenda.to_look_at(100, begun).is_empty());
        agenda.hear(2, 90);
        agenda.hear(3, 120);
        assert_eq!(agenda.to_look_at(100, begun), [2]);
        assert_eq!(agenda.next_due(), Some(90));
        // What is heard while a look is under way is not covered by its answer.
        agenda.begin(2, begun);
        agenda.hear(2, 95);
        agenda.found(2, Some(500), begun);
        assert_eq!(agenda.to_look_at(100, begun), [2]);
        agenda.begin(2, begun);
        agenda.found(2, Some(500), begun);
        assert!(agenda.to_look_at(100, begun).is_empty());
        assert_eq!(agenda.to_look_at(100, begun + LOOK_EVERY).len(), 4);
        agenda.forget();
        assert_eq!(agenda.to_look_at(100, begun).len(), 4);
    }

    #[test]
    fn rounds_begin_at_every_shard_in_turn() {
        let agenda = Agenda::new(3, 0);
        let now = Instant::now();
        let firsts: Vec<_> = (0..4)
            .map(|_| agenda.to_look_at(0, now).first().copied())
            .collect();
        assert_eq!(firsts, [Some(0), Some(1), Some(2), Some(0)]);
    }
}
