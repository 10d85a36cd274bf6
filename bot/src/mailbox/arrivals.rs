//! What a platform told, into the mailboxes: the same for a delivery and for a pull.

use super::{Burst, accept, window};
use crate::store::{Accepted, StateStore, StoreError};
use crate::telemetry::metrics::CHANNEL_MESSAGES;
use adapters::{Arrival, Channel, InboundBody};

/// How long a button's token is known, milliseconds: people press what they find when they scroll back.
pub(super) const TOKEN_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Under what a token is kept; it stands for the same id wherever it is pressed.
pub(super) fn token_key(channel: &str, token: &str) -> String {
    format!("choice:{channel}:{token}")
}

/// Takes one arrival; durable when this returns.
pub async fn take(
    state: &dyn StateStore,
    channel: &dyn Channel,
    arrival: Arrival,
    burst: Burst,
    now_ms: i64,
) -> Result<(), StoreError> {
    let inbound = match arrival {
        Arrival::Said(inbound) => inbound,
        Arrival::Pressed(mut inbound) => {
            if let InboundBody::Choice(token) = &inbound.body {
                let key = token_key(channel.name(), token);
                // One that nobody knows any more means what an expired choice means.
                if let Some(choice) = state.recall(&key, now_ms).await? {
                    inbound.body = InboundBody::Choice(choice);
                }
            }
            inbound
        }
        Arrival::Reported { report, .. } => {
            tracing::debug!(channel = channel.name(), ?report, "a platform reported");
            return Ok(());
        }
        Arrival::Waiting => return Ok(()),
    };
    window::open(state, channel, &inbound, now_ms).await?;
    let conversation = inbound.address.as_str().to_owned();
    let accepted = accept(state, inbound, burst, now_ms).await?;
    window::release(state, channel, &conversation, now_ms).await?;
    let duplicate = match accepted {
        Accepted::New { .. } => "false",
        Accepted::Repeated => "true",
    };
    metrics::counter!(CHANNEL_MESSAGES, "channel" => channel.name(), "duplicate" => duplicate)
        .increment(1);
    Ok(())
}
