//! What a platform told, into the mailboxes: the same for a delivery and for a pull.

use super::{Burst, accept, post, window};
use crate::mail::{Mail, RepAction};
use crate::store::{Accepted, Hint, StateStore, StoreError};
use crate::telemetry::metrics::{CHANNEL_MESSAGES, SENDS};
use adapters::{Arrival, Channel, DeskAct, Inbound, InboundBody, Report};

/// How long a button's token is known, milliseconds: people press what they find when they scroll back.
pub(super) const TOKEN_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Another press of the same choice so soon is the second click of a double click, milliseconds.
const DOUBLE_CLICK_MS: u64 = 1_000;

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
    let placed = channel.placed(arrival).await;
    let arrival = placed.map_err(|unkept| StoreError::Unavailable {
        what: unkept.to_string(),
    })?;
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
        Arrival::Reported {
            provider_id,
            report: Report::Failed { reason },
        } => {
            let channel = channel.name();
            metrics::counter!(SENDS, "channel" => channel, "outcome" => "undelivered").increment(1);
            tracing::warn!(
                channel,
                id = provider_id,
                reason,
                "a message that left was not delivered"
            );
            return Ok(());
        }
        Arrival::Reported { report, .. } => {
            tracing::debug!(channel = channel.name(), ?report, "a platform reported");
            return Ok(());
        }
        Arrival::Closed { address, at_ms } => {
            return window::close(state, channel, address.as_str(), at_ms, now_ms).await;
        }
        Arrival::Waiting { key, note, for_ms } => {
            let until_ms = now_ms.saturating_add_unsigned(for_ms);
            state.remember(&key, &note, until_ms).await?;
            state.hint(Hint::Waiting(channel.name().to_owned()));
            return Ok(());
        }
        Arrival::Noted { facts, for_ms } => {
            let until_ms = now_ms.saturating_add_unsigned(for_ms);
            for (key, note) in &facts {
                state.remember(key, note, until_ms).await?;
            }
            return Ok(());
        }
        Arrival::Desk {
            address,
            event_id,
            person,
            act,
        } => {
            let mail = Mail::Rep {
                rep: person,
                action: match act {
                    DeskAct::Took => RepAction::Take,
                    DeskAct::Wrote(text) => RepAction::Wrote { text },
                    DeskAct::Ended => RepAction::LetGo,
                },
            };
            let conversation = address.as_str().to_owned();
            let at_once = Burst {
                quiet_ms: 0,
                quiet_max_ms: 0,
            };
            post(state, conversation, event_id, &mail, at_once, now_ms).await?;
            return Ok(());
        }
    };
    if is_second_click(state, &inbound, now_ms).await? {
        metrics::counter!(CHANNEL_MESSAGES, "channel" => channel.name(), "duplicate" => "true")
            .increment(1);
        return Ok(());
    }
    window::open(state, channel, &inbound, now_ms).await?;
    let conversation = inbound.address.as_str().to_owned();
    let accepted = accept(state, inbound, burst, now_ms).await;
    // Also where it was not taken: what waits to leave may be what is in the way.
    window::release(state, channel, &conversation, now_ms).await?;
    let accepted = accepted?;
    let duplicate = match accepted {
        Accepted::New { .. } => "false",
        Accepted::Repeated => "true",
    };
    metrics::counter!(CHANNEL_MESSAGES, "channel" => channel.name(), "duplicate" => duplicate)
        .increment(1);
    Ok(())
}

/// To its platform each click is a press of its own. It waits for no burst, so the second would be answered like the first; a repetition of the first is told by its id.
async fn is_second_click(
    state: &dyn StateStore,
    inbound: &Inbound,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let InboundBody::Choice(choice) = &inbound.body else {
        return Ok(false);
    };
    let key = format!("pressed:{}", inbound.address.as_str());
    let noted = state.recall(&key, now_ms).await?;
    let noted = noted.and_then(|noted| serde_json::from_str::<(String, i64, String)>(&noted).ok());
    if let Some((event_id, at_ms, last)) = noted
        && last == *choice
        && event_id != inbound.event_id
        && inbound.sent_at_ms.abs_diff(at_ms) < DOUBLE_CLICK_MS
    {
        return Ok(true);
    }
    let pressed = (&inbound.event_id, inbound.sent_at_ms, choice);
    let note = serde_json::to_string(&pressed).map_err(|error| StoreError::Corrupt {
        what: format!("a press has no JSON form: {error}"),
    })?;
    let until_ms = now_ms.saturating_add_unsigned(DOUBLE_CLICK_MS);
    state.remember(&key, &note, until_ms).await?;
    Ok(false)
}
