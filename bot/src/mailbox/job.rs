//! A job that one replica at a time does: whoever takes it first keeps it while alive, and another takes it soon after its holder is gone.
//!
//! A holder that was stopped for long may not know yet that another has it, so what is done under it must also be safe when two do it for a moment.

use super::Clock;
use crate::store::StateStore;
use std::sync::Arc;

/// How long a job stays with a holder that is silent, milliseconds.
const LEASE_MS: u64 = 3_000;

pub struct Job {
    state: Arc<dyn StateStore>,
    name: &'static str,
    /// This process among all replicas.
    holder: String,
    clock: Clock,
    /// When the job has to be kept anew; 0 while another has it.
    renew_at_ms: i64,
}

impl Job {
    pub fn new(state: Arc<dyn StateStore>, name: &'static str, clock: Clock) -> Self {
        Self {
            state,
            name,
            holder: uuid::Uuid::new_v4().simple().to_string(),
            clock,
            renew_at_ms: 0,
        }
    }

    /// Takes or keeps the job. False while another has it, and while nobody can tell.
    pub async fn held(&mut self) -> bool {
        let now_ms = (self.clock)();
        if now_ms < self.renew_at_ms {
            return true;
        }
        let until_ms = now_ms.saturating_add_unsigned(LEASE_MS);
        let held = self
            .state
            .hold(self.name, &self.holder, now_ms, until_ms)
            .await;
        let before = self.renew_at_ms > 0;
        self.renew_at_ms = match &held {
            Ok(Some(_)) => now_ms.saturating_add_unsigned(LEASE_MS / 3),
            Ok(None) | Err(_) => 0,
        };
        match held {
            Ok(Some(token)) if !before => tracing::info!(job = self.name, token, "took a job"),
            Ok(None) if before => tracing::info!(job = self.name, "another replica has the job"),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(job = self.name, %error, "nobody can tell who has the job")
            }
        }
        self.renew_at_ms > 0
    }

    /// Lets another take it at once.
    pub async fn release(&mut self) {
        if std::mem::take(&mut self.renew_at_ms) > 0 {
            // Where it cannot be told, the lease ends.
            let _ = self.state.release(self.name, &self.holder).await;
        }
    }
}
