//! A send of which nobody can tell: again, while its platform would know the repetition by our key.

use super::push::{Next, PROGRESS_KEPT_MS, Push, SEND_MAX};
use crate::store::StoreError;
use adapters::Idempotency;

/// Wait before the first repetition and the longest one, milliseconds.
const AGAIN_MS: u64 = 1_000;
const AGAIN_MS_MAX: u64 = 20_000;

impl Push<'_> {
    /// A platform that knows a repetition is asked again while it does.
    pub(super) async fn again_or_not(&self, piece: usize, count: &impl Fn(&'static str)) -> Next {
        let Some(for_ms) = self.known_for_ms() else {
            return self.unknown(count);
        };
        let now_ms = self.now();
        let Ok(first) = self.first_unknown(piece).await else {
            return self.unknown(count);
        };
        let first_ms = match first {
            Some(first_ms) => first_ms,
            None => {
                let note = format!("{now_ms} {piece} {}", self.outgoing.id);
                let until_ms = self.in_ms(PROGRESS_KEPT_MS);
                let kept = self.state.remember(&self.unknown_key(), &note, until_ms);
                if kept.await.is_err() {
                    return self.unknown(count);
                }
                now_ms
            }
        };
        let doubled = AGAIN_MS.saturating_mul(1 << self.claim.attempts.min(20));
        let wait_ms = doubled.min(AGAIN_MS_MAX);
        match self.in_ms(wait_ms) < end_ms(first_ms, for_ms) {
            true => self.gives_up_or(wait_ms, count),
            false => self.unknown(count),
        }
    }

    /// Its platform may have forgotten a first try that nobody can tell of.
    pub(super) async fn is_too_late(&self, piece: usize) -> bool {
        let Some(for_ms) = self.known_for_ms().filter(|_| self.claim.attempts > 0) else {
            return false;
        };
        match self.first_unknown(piece).await {
            Ok(Some(first_ms)) => self.now() >= end_ms(first_ms, for_ms),
            Ok(None) | Err(_) => false,
        }
    }

    /// How long the platform knows a message by our key.
    pub(super) fn known_for_ms(&self) -> Option<u64> {
        match self.channel.capabilities().idempotency {
            Idempotency::Key { for_ms } => Some(for_ms),
            Idempotency::None | Idempotency::Own => None,
        }
    }

    /// When it was first not known whether this piece had arrived.
    async fn first_unknown(&self, piece: usize) -> Result<Option<i64>, StoreError> {
        let kept = self.state.recall(&self.unknown_key(), self.now()).await?;
        let of_this = format!(" {piece} {}", self.outgoing.id);
        let first = kept.as_deref().and_then(|kept| kept.strip_suffix(&of_this));
        Ok(first.and_then(|first| first.parse().ok()))
    }

    fn unknown_key(&self) -> String {
        format!("unknown:{}", self.claim.conversation)
    }
}

/// Before the platform forgets: the first try had begun up to a send's time before it was noted, and the last one may take as long.
fn end_ms(first_ms: i64, for_ms: u64) -> i64 {
    let sends_ms = u64::try_from((SEND_MAX * 2).as_millis()).unwrap_or(u64::MAX);
    first_ms.saturating_add_unsigned(for_ms.saturating_sub(sends_ms))
}
