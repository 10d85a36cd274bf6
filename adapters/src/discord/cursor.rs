//! What is kept of the gateway between two pulls and two replicas: which session, up to which event, and where to ask for what was missed.

use super::place::Place;
use crate::keep::alone;
use crate::{Keep, Unkept};
use serde::{Deserialize, Serialize};
use serenity::model::id::{MessageId, UserId};
use tokio::sync::Mutex;

/// Places that are asked for what was missed, the last used first.
const PLACES_MAX: usize = 200;
/// The order of the places is kept anew this often, milliseconds.
const ORDER_MS: i64 = 10 * 60 * 1000;
/// How long the places are kept after the last change, milliseconds.
const PLACES_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;
const PLACES_KEY: &str = "discord:places";
/// Those of signed deliveries, which come to any replica.
const DELIVERED_KEY: &str = "discord:places:delivered";
/// Whoever adds to those has this job.
const ADDING: &str = "discord:places:adding";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub session: String,
    /// Where the session goes on.
    pub url: String,
    pub seq: u64,
    /// The bot's own user.
    pub own: UserId,
    /// The newest message that was seen.
    pub seen: Option<MessageId>,
}

impl Cursor {
    /// One that cannot be read is none: a session begins anew.
    pub(super) fn read(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }

    pub(super) fn written(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

/// Where customers write, the last used last.
#[derive(Debug)]
pub(super) struct Known {
    key: &'static str,
    places: Vec<String>,
    kept_at_ms: i64,
    is_new: bool,
}

impl Known {
    /// All that anybody knows, for whoever listens. A store that does not answer is not one that knows no places.
    pub(super) async fn load(keep: &dyn Keep) -> Result<Self, Unkept> {
        let mut known = Self::kept(keep, PLACES_KEY).await?;
        for place in Self::delivered(keep).await?.places {
            if !known.places.contains(&place) {
                known.places.push(place);
                known.is_new = true;
            }
        }
        let over = known.places.len().saturating_sub(PLACES_MAX);
        known.places.drain(..over);
        Ok(known)
    }

    async fn delivered(keep: &dyn Keep) -> Result<Self, Unkept> {
        Self::kept(keep, DELIVERED_KEY).await
    }

    /// A signed delivery came from there. Others add their own at the same time, so it is one after the other; `turn` is this process's.
    pub(super) async fn add_delivered(
        keep: &dyn Keep,
        turn: &Mutex<()>,
        place: Place,
    ) -> Result<(), Unkept> {
        if Self::delivered(keep).await?.has(place) {
            return Ok(());
        }
        let added = async {
            let mut known = Self::delivered(keep).await?;
            known.note(place);
            known.save(keep).await;
            Ok(())
        };
        alone(keep, turn, ADDING, added).await
    }

    fn has(&self, place: Place) -> bool {
        let place = place.to_string();
        self.places.contains(&place)
    }

    async fn kept(keep: &dyn Keep, key: &'static str) -> Result<Self, Unkept> {
        let kept = keep.recall(key).await?;
        let places = kept.and_then(|kept| serde_json::from_str(&kept).ok());
        Ok(Self {
            key,
            places: places.unwrap_or_default(),
            kept_at_ms: keep.now_ms(),
            is_new: false,
        })
    }

    /// True where nobody has written there before, as far as is remembered.
    pub(super) fn note(&mut self, place: Place) -> bool {
        let place = place.to_string();
        let before = self.places.len();
        if self.places.last() == Some(&place) {
            return false;
        }
        self.places.retain(|known| *known != place);
        let is_new = self.places.len() == before;
        self.places.push(place);
        let over = self.places.len().saturating_sub(PLACES_MAX);
        self.places.drain(..over);
        self.is_new |= is_new;
        is_new
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.places.iter().filter_map(|place| place.parse().ok())
    }

    /// Before the cursor moves, so that no place is behind it and unknown.
    pub(super) async fn save(&mut self, keep: &dyn Keep) {
        let now_ms = keep.now_ms();
        let is_due = self.is_new || now_ms.saturating_sub(self.kept_at_ms) > ORDER_MS;
        let Ok(text) = serde_json::to_string(&self.places) else {
            return;
        };
        let until_ms = now_ms.saturating_add_unsigned(PLACES_KEPT_MS);
        if is_due && keep.remember(self.key, &text, until_ms).await.is_ok() {
            self.is_new = false;
            self.kept_at_ms = now_ms;
        }
    }
}
