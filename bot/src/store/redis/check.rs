//! What `tiansheng doctor` looks at in a Redis.

use super::State;
use crate::config::state::State as Settings;
use crate::store::{StateStore, StoreError};

/// One thing looked at.
pub struct Finding {
    pub ok: bool,
    pub detail: String,
    pub advice: Option<String>,
}

/// Connects, and looks at what can go wrong later: clock, memory, persistence, rights.
pub async fn findings(settings: &Settings) -> Vec<Finding> {
    let state = State::open(settings);
    if let Err(error) = state.meet().await {
        return vec![wrong(&error)];
    }
    match state.depth().await {
        Ok(depth) => vec![Finding {
            ok: true,
            detail: format!(
                "{settings}: {} conversations on the agenda, {} messages to send, {} journal entries",
                depth.turns, depth.sends, depth.journal
            ),
            advice: None,
        }],
        Err(error) => vec![wrong(&error)],
    }
}

fn wrong(error: &StoreError) -> Finding {
    Finding {
        ok: false,
        detail: error.to_string(),
        advice: None,
    }
}
