//! What a platform told, into the mailboxes: the same for a delivery and for a pull.

use super::{Burst, accept, post, window};
use crate::mail::{Mail, RepAction};
use crate::store::{Accepted, Hint, StateStore, StoreError};
use crate::telemetry::metrics::{CHANNEL_MESSAGES, SENDS};
use adapters::{Arrival, Channel, DeskAct, Inbound, InboundBody, Report};
use serde::{Deserialize, Serialize};

/// How long a button's token is known, milliseconds: people press what they find when they scroll back.
pub(super) const TOKEN_KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Another press of the same choice so soon, by the platform's times, is the second click of a double click, milliseconds: no less than a second, since some platforms tell times in whole seconds, and two clicks may lie on either side of one.
const DOUBLE_CLICK_MS: u64 = 1_000;
/// How much later than the first a second click may be told, milliseconds: after a pull that waited, or a replica that was away.
const PRESS_KEPT_MS: u64 = 60_000;
/// Presses of one choice that are known at a time.
const PRESSES_MAX: usize = 8;
/// Looks at what is known where other presses of the same choice are noted at the same time.
const PRESS_LOOKS: usize = 16;

/// A press that was not the second click of another: its event, and when it was by the platform's clock.
#[derive(Serialize, Deserialize)]
struct Press(String, i64);

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
    let inbound = as_first_click(state, inbound, now_ms).await?;
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

/// To its platform each click is a press of its own. It waits for no burst, so the second would be answered like the first; it is taken as a repetition of the first, which counts also where the first could not be taken.
async fn as_first_click(
    state: &dyn StateStore,
    mut inbound: Inbound,
    now_ms: i64,
) -> Result<Inbound, StoreError> {
    let InboundBody::Choice(choice) = &inbound.body else {
        return Ok(inbound);
    };
    let key = format!("pressed:{}:{choice}", inbound.address.as_str());
    let until_ms = now_ms.saturating_add_unsigned(PRESS_KEPT_MS);
    for _ in 0..PRESS_LOOKS {
        let noted = state.recall(&key, now_ms).await?;
        let noted = noted.as_deref();
        let mut presses: Vec<Press> = noted
            .and_then(|noted| serde_json::from_str(noted).ok())
            .unwrap_or_default();
        let is_this = |Press(event_id, at_ms): &Press| {
            *event_id == inbound.event_id || inbound.sent_at_ms.abs_diff(*at_ms) <= DOUBLE_CLICK_MS
        };
        if let Some(Press(event_id, _)) = presses.iter().find(|press| is_this(press)) {
            inbound.event_id.clone_from(event_id);
            return Ok(inbound);
        }
        presses.push(Press(inbound.event_id.clone(), inbound.sent_at_ms));
        let many = presses.len().saturating_sub(PRESSES_MAX);
        presses.drain(..many);
        let note = serde_json::to_string(&presses).map_err(|error| StoreError::Corrupt {
            what: format!("a press has no JSON form: {error}"),
        })?;
        if state.replace(&key, noted, &note, now_ms, until_ms).await? {
            return Ok(inbound);
        }
    }
    Err(StoreError::Unavailable {
        what: "presses of one button come faster than they can be told apart".to_owned(),
    })
}
