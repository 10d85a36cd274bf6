//! The stages of a turn, and what measures one.

use super::{metrics, spans};
use std::future::Future;
use std::time::{Duration, Instant};
use tracing::Instrument as _;

/// A stage of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Hear,
    Understand,
    Track,
    Decide,
    Find,
    Compose,
    Judge,
    Commit,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Part::Hear => "hear",
            Part::Understand => "understand",
            Part::Track => "track",
            Part::Decide => "decide",
            Part::Find => "find",
            Part::Compose => "compose",
            Part::Judge => "judge",
            Part::Commit => "commit",
        }
    }

    fn took(self, time: Duration) {
        ::metrics::histogram!(metrics::TURN_STAGE, "stage" => self.word())
            .record(time.as_secs_f64());
    }
}

/// Does a stage's work, and tells its time and its span.
pub fn measured<T>(part: Part, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = spans::stage(part.word()).in_scope(work);
    part.took(begun.elapsed());
    done
}

/// The same for a stage that waits.
pub async fn measured_wait<T>(part: Part, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = work.instrument(spans::stage(part.word())).await;
    part.took(begun.elapsed());
    done
}
