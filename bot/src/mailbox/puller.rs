//! Asks a channel for what came in, one replica at a time; what was taken is durable before the cursor moves.

use super::{Burst, Clock, Job, rest, take};
use crate::store::{Hint, StateStore, StoreError};
use crate::telemetry::metrics::CHANNEL_UNREAD;
use adapters::{Channel, PullError, Pulled, Source};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the job is looked at while a pull waits, and while another replica has it.
const LOOK: Duration = Duration::from_millis(500);
/// Wait after the store did not take what was pulled.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// Wait where a person has to do something first.
const STOPPED_RETRY: Duration = Duration::from_secs(30);
/// How long a channel may take over what it does once all is durable; the next pull and a stop wait for it.
const CONFIRM_MAX: Duration = Duration::from_secs(4);
/// Longest wait that a platform is believed, milliseconds.
const LATER_MS_MAX: u64 = 10 * 60 * 1000;
/// A platform that is away is asked again no later than after so long of our own, milliseconds.
const LONGER_MS_MAX: u64 = 5_000;
/// Between two lines in the log on the same trouble.
const SAID_EVERY: Duration = Duration::from_secs(60);
/// How long a cursor is kept after the last arrival, milliseconds; platforms keep nothing for so long.
const CURSOR_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;

pub struct Puller {
    pub state: Arc<dyn StateStore>,
    pub channel: Arc<dyn Channel>,
    pub burst: Burst,
    pub clock: Clock,
}

/// What follows a pull.
enum Next {
    /// There may be more.
    Now,
    /// Nothing came.
    Waiting,
    Later(Duration),
}

/// A platform that is away: said once and then now and then, and asked less and less often.
#[derive(Default)]
struct Trouble {
    said: Option<(String, Instant)>,
    rounds: u32,
}

impl Trouble {
    fn is_news(&mut self, why: &str) -> bool {
        let known = self
            .said
            .as_ref()
            .is_some_and(|(said, at)| said == why && at.elapsed() < SAID_EVERY);
        if !known {
            self.said = Some((why.to_owned(), Instant::now()));
        }
        !known
    }

    /// What the platform asks for, longer each time up to a few seconds: who writes when it is back should not wait for us.
    fn rest(&mut self, wait_ms: u64) -> Duration {
        let longer_ms = wait_ms.saturating_mul(1 << self.rounds.min(10));
        self.rounds = self.rounds.saturating_add(1);
        let wait_ms = wait_ms.max(longer_ms.min(LONGER_MS_MAX));
        Duration::from_millis(wait_ms.clamp(1, LATER_MS_MAX))
    }

    fn is_over(&mut self) -> bool {
        self.rounds = 0;
        self.said.take().is_some()
    }
}

impl Puller {
    /// Runs until `stop`; at once done for a channel that is not pulled.
    pub async fn run(self, stop: CancellationToken) {
        let Some(source) = self.channel.source() else {
            return;
        };
        let name = self.channel.name();
        let mut job = Job::new(Arc::clone(&self.state), name, Arc::clone(&self.clock));
        // Whichever replica was told that something waits, the one that has the job fetches it.
        let mut hints = self.state.hints();
        let mut trouble = Trouble::default();
        let waits = |hint: &Hint| matches!(hint, Hint::Waiting(channel) if channel == name);
        while !stop.is_cancelled() {
            if !job.held().await {
                rest(&mut hints, |_| false, LOOK, &stop).await;
                continue;
            }
            match self.round(source, &mut job, &mut trouble, &stop).await {
                Next::Now => {}
                Next::Waiting => {
                    let most = Duration::from_millis(source.rest_ms()).min(LOOK);
                    rest(&mut hints, waits, most, &stop).await;
                }
                Next::Later(wait) => rest(&mut hints, waits, wait, &stop).await,
            }
        }
        job.release().await;
    }

    /// One pull, and what follows it.
    async fn round(
        &self,
        source: &dyn Source,
        job: &mut Job,
        trouble: &mut Trouble,
        stop: &CancellationToken,
    ) -> Next {
        let name = self.channel.name();
        let key = format!("cursor:{name}");
        let cursor = match self.state.recall(&key, (self.clock)()).await {
            Ok(cursor) => cursor,
            Err(error) => return not_taken(name, &error),
        };
        let pulled = {
            // Side by side: one that rests while the other waits for the store could keep it from it for ever.
            tokio::select! {
                pulled = source.pull(cursor.as_deref(), (self.clock)()) => pulled,
                () = lost(job) => return Next::Now,
                () = stop.cancelled() => return Next::Now,
            }
        };
        let pulled = match pulled {
            Ok(pulled) => pulled,
            Err(PullError::Later { wait_ms, why }) => {
                if trouble.is_news(&why) {
                    tracing::warn!(channel = name, why, "nothing can be pulled now");
                }
                return Next::Later(trouble.rest(wait_ms));
            }
            Err(PullError::Stopped { why }) => {
                tracing::error!(channel = name, why, "nothing is pulled");
                return Next::Later(STOPPED_RETRY);
            }
        };
        if trouble.is_over() {
            tracing::info!(channel = name, "pulled again");
        }
        match self.keep(&key, &pulled).await {
            Ok(()) => {
                self.confirm(source, &pulled, job).await;
                match pulled.cursor {
                    Some(_) => Next::Now,
                    None => Next::Waiting,
                }
            }
            Err(error) => not_taken(name, &error),
        }
    }

    /// The job is kept meanwhile: another replica that took it would pull beside this one.
    async fn confirm(&self, source: &dyn Source, pulled: &Pulled, job: &mut Job) {
        let kept = async {
            loop {
                lost(job).await;
            }
        };
        tokio::select! {
            _ = tokio::time::timeout(CONFIRM_MAX, source.confirm(pulled)) => {}
            () = kept => {}
        }
    }

    async fn keep(&self, key: &str, pulled: &Pulled) -> Result<(), StoreError> {
        let (state, channel) = (self.state.as_ref(), self.channel.as_ref());
        for what in &pulled.unread {
            metrics::counter!(CHANNEL_UNREAD, "channel" => channel.name()).increment(1);
            tracing::error!(channel = channel.name(), what, "passed over");
        }
        for arrival in &pulled.arrivals {
            let taken = take(state, channel, arrival.clone(), self.burst, (self.clock)()).await;
            match taken {
                // One who floods the shop must not keep everybody else waiting.
                Err(error @ StoreError::Crowded { .. }) => {
                    metrics::counter!(CHANNEL_UNREAD, "channel" => channel.name()).increment(1);
                    tracing::error!(channel = channel.name(), %error, "a message is passed over");
                }
                taken => taken?,
            }
        }
        if let Some(cursor) = &pulled.cursor {
            let until_ms = (self.clock)().saturating_add_unsigned(CURSOR_KEPT_MS);
            state.remember(key, cursor, until_ms).await?;
        }
        Ok(())
    }
}

/// Keeps the job, and ends when another has it.
async fn lost(job: &mut Job) {
    loop {
        tokio::time::sleep(LOOK).await;
        if !job.held().await {
            return;
        }
    }
}

/// The same is pulled again, and what was taken of it is known by its event id.
fn not_taken(channel: &str, error: &StoreError) -> Next {
    tracing::warn!(channel, %error, "what came in cannot be kept yet");
    Next::Later(STORE_RETRY)
}
