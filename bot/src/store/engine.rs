//! What a worker runs on a claimed conversation.

use super::{NewOut, TurnClaim};
use crate::telemetry::Told;
use std::future::Future;
use std::pin::Pin;

/// Runs one turn. It never fails: whatever goes wrong inside has a decided fallback.
pub trait Engine: Send + Sync + 'static {
    fn run<'a>(
        &'a self,
        claim: &'a TurnClaim,
        now_ms: i64,
    ) -> Pin<Box<dyn Future<Output = TurnResult> + Send + 'a>>;
}

/// What a turn wants committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnResult {
    pub state: String,
    pub epoch: u64,
    pub events: Vec<String>,
    pub out: Vec<NewOut>,
    /// When the conversation wants to be looked at again without new mail.
    pub wake_at_ms: Option<i64>,
    /// For operators; counted when it is committed.
    pub told: Told,
}
