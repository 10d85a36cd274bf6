//! Asks a channel for what came in, one replica at a time; what was taken is durable before the cursor moves.

use super::{Burst, Clock, Job, take};
use crate::store::{StateStore, StoreError};
use crate::telemetry::metrics::CHANNEL_UNREAD;
use adapters::{Channel, PullError, Pulled, Source};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the job is looked at while a pull waits, and while another replica has it.
const LOOK: Duration = Duration::from_millis(500);
/// Wait after the store did not take what was pulled.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// Wait where a person has to do something first.
const STOPPED_RETRY: Duration = Duration::from_secs(30);
/// Longest wait that a platform is believed, milliseconds.
const LATER_MS_MAX: u64 = 10 * 60 * 1000;
/// How long a cursor is kept after the last arrival, milliseconds; platforms keep nothing for so long.
const CURSOR_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;

pub struct Puller {
    pub state: Arc<dyn StateStore>,
    pub channel: Arc<dyn Channel>,
    pub burst: Burst,
    pub clock: Clock,
}

impl Puller {
    /// Runs until `stop`; at once done for a channel that is not pulled.
    pub async fn run(self, stop: CancellationToken) {
        let Some(source) = self.channel.source() else {
            return;
        };
        let name = self.channel.name();
        let mut job = Job::new(Arc::clone(&self.state), name, Arc::clone(&self.clock));
        while !stop.is_cancelled() {
            let wait = if job.held().await {
                self.round(source, &mut job, &stop).await
            } else {
                LOOK
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => {}
            }
        }
        job.release().await;
    }

    /// One pull, and how long to rest after it.
    async fn round(
        &self,
        source: &dyn Source,
        job: &mut Job,
        stop: &CancellationToken,
    ) -> Duration {
        let name = self.channel.name();
        let key = format!("cursor:{name}");
        let cursor = match self.state.recall(&key, (self.clock)()).await {
            Ok(cursor) => cursor,
            Err(error) => return not_taken(name, &error),
        };
        let pulled = {
            let pull = source.pull(cursor.as_deref(), (self.clock)());
            tokio::pin!(pull);
            loop {
                tokio::select! {
                    pulled = &mut pull => break pulled,
                    () = tokio::time::sleep(LOOK) => if !job.held().await {
                        return LOOK;
                    },
                    () = stop.cancelled() => return Duration::ZERO,
                }
            }
        };
        let pulled = match pulled {
            Ok(pulled) => pulled,
            Err(PullError::Later { wait_ms, why }) => {
                tracing::warn!(channel = name, why, "nothing can be pulled now");
                return Duration::from_millis(wait_ms.clamp(1, LATER_MS_MAX));
            }
            Err(PullError::Stopped { why }) => {
                tracing::error!(channel = name, why, "nothing is pulled");
                return STOPPED_RETRY;
            }
        };
        match self.keep(&key, &pulled).await {
            Ok(()) => {
                source.confirm(&pulled).await;
                Duration::ZERO
            }
            Err(error) => not_taken(name, &error),
        }
    }

    async fn keep(&self, key: &str, pulled: &Pulled) -> Result<(), StoreError> {
        let (state, channel) = (self.state.as_ref(), self.channel.as_ref());
        for what in &pulled.unread {
            metrics::counter!(CHANNEL_UNREAD, "channel" => channel.name()).increment(1);
            tracing::error!(channel = channel.name(), what, "passed over");
        }
        for arrival in &pulled.arrivals {
            take(state, channel, arrival.clone(), self.burst, (self.clock)()).await?;
        }
        if let Some(cursor) = &pulled.cursor {
            let until_ms = (self.clock)().saturating_add_unsigned(CURSOR_KEPT_MS);
            state.remember(key, cursor, until_ms).await?;
        }
        Ok(())
    }
}

/// The same is pulled again, and what was taken of it is known by its event id.
fn not_taken(channel: &str, error: &StoreError) -> Duration {
    tracing::warn!(channel, %error, "what came in cannot be kept yet");
    STORE_RETRY
}
