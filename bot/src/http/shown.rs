//! How far a customer has seen the feed inside answers to deliveries, and what the last few deliveries got.

use adapters::{Place, Waiting};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Deliveries of which it is known what they got: the platform repeats one for some fifteen seconds, and a customer writes few messages in that time.
const ANSWERED_MAX: usize = 4;
/// Feed items that lie between the first that is looked at and what is shown next; what reaches back further is forgotten.
pub(super) const BEHIND_MAX: u64 = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Up to here the customer has seen the feed.
    pub to: Place,
    /// The newest is the last.
    #[serde(default)]
    answered: VecDeque<Shown>,
}

/// What the answer to one delivery shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    event_id: String,
    pub from: Place,
    pub to: Place,
}

impl Note {
    /// What a delivery got that comes again.
    pub fn of(&self, waiting: &Waiting) -> Option<&Shown> {
        self.answered
            .iter()
            .find(|shown| shown.event_id == waiting.event_id)
    }

    /// Where looking begins: before the answers that are known, since what was read with them is still to be seen by the others of a burst.
    pub fn after(&self) -> u64 {
        let from = self.answered.iter().map(|shown| shown.from.seq);
        from.fold(self.to.seq, u64::min).saturating_sub(1)
    }

    /// Nothing of this was for the customer.
    pub fn passed(to: Place) -> Self {
        Self {
            to,
            answered: VecDeque::new(),
        }
    }

    pub fn showed(mut self, waiting: &Waiting, from: Place, to: Place) -> Self {
        self.to = to;
        self.answered.retain(|shown| {
            let behind = to.seq.saturating_sub(shown.from.seq);
            shown.event_id != waiting.event_id && behind <= BEHIND_MAX
        });
        self.answered.push_back(Shown {
            event_id: waiting.event_id.clone(),
            from,
            to,
        });
        if self.answered.len() > ANSWERED_MAX {
            self.answered.pop_front();
        }
        self
    }
}
