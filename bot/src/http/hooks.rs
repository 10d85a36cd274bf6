//! `/webhooks/CHANNEL`: a platform's delivery, answered only when all of it is durable.

use super::body::read_bytes;
use super::problem::{Kind, Problem};
use super::{Shared, answers, no_store, offers};
use crate::mailbox::{Burst, offer, take};
use crate::store::StoreError;
use crate::telemetry::metrics::{ACCEPT, CHANNEL_UNREAD};
use adapters::{Acknowledgement, Channel, Delivered, Refused, SyncReply};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Largest delivery, in bytes: Telegram's longest text twice, each character escaped, with all its entities.
pub const DELIVERY_BYTES_MAX: usize = 256 * 1024;

/// Between two lines in the log on deliveries of one channel that prove nothing.
const ADVISED_EVERY: Duration = Duration::from_secs(60);

/// When a delivery should come again that its channel cannot understand yet, milliseconds.
const NOT_YET_RETRY_MS: u64 = 2_000;

pub(super) async fn receive(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let begun = Instant::now();
    let channel = shared.channels.get(&name).ok_or_else(|| not_taken(&name))?;
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(&parts.headers, body, DELIVERY_BYTES_MAX).await?;
    let delivered = Delivered {
        method: parts.method.as_str(),
        headers: &parts.headers,
        query: parts.uri.query().unwrap_or_default(),
        body: &bytes,
        now_ms: (shared.now_ms)(),
    };
    let refused = |refused| problem(channel.as_ref(), &refused);
    let received = channel.receive(&delivered).map_err(refused)?;
    if let Some(what) = &received.unread {
        metrics::counter!(CHANNEL_UNREAD, "channel" => channel.name()).increment(1);
        tracing::error!(channel = channel.name(), what, "passed over");
    }
    let recognized = async {
        let recognized = channel.recognized(delivered, received).await;
        recognized.map_err(|unkept| StoreError::Unavailable {
            what: unkept.to_string(),
        })
    };
    let received = super::bounded(recognized).await?.map_err(refused)?;
    let is_offered = matches!(channel.capabilities().sync_reply, SyncReply::InTime { .. });
    let since_ms = (shared.now_ms)();
    if let Acknowledgement::WithReply(waiting) = &received.acknowledgement
        && is_offered
    {
        super::bounded(offer::wait(shared.state.as_ref(), waiting, since_ms)).await?;
    }
    let burst = Burst::of(&shared.settings.mailbox);
    for arrival in received.arrivals {
        let now_ms = (shared.now_ms)();
        let step = take(
            shared.state.as_ref(),
            channel.as_ref(),
            arrival,
            burst,
            now_ms,
        );
        super::bounded(step).await?;
        metrics::histogram!(ACCEPT).record(begun.elapsed().as_secs_f64());
    }
    let answer = match received.acknowledgement {
        Acknowledgement::AtOnce(answer) => answer,
        Acknowledgement::WithReply(waiting) if is_offered => {
            offers::within(&shared, channel.as_ref(), waiting, since_ms).await
        }
        Acknowledgement::WithReply(waiting) => {
            answers::within(&shared, channel.as_ref(), waiting, begun.into()).await
        }
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    no_store(&mut response);
    Ok(response)
}

fn problem(channel: &dyn Channel, refused: &Refused) -> Problem {
    match refused {
        Refused::NotTaken => not_taken(channel.name()),
        Refused::Forged | Refused::Sealed => {
            advise(channel, refused);
            Problem::new(Kind::Forged, refused.to_string())
        }
        Refused::Malformed { .. } => {
            // Proved and yet not readable: the platform or we have changed.
            metrics::counter!(CHANNEL_UNREAD, "channel" => channel.name()).increment(1);
            tracing::error!(channel = channel.name(), %refused, "a delivery is refused");
            Problem::new(Kind::Malformed, refused.to_string())
        }
        Refused::NotYet => {
            Problem::new(Kind::Busy, refused.to_string()).retry_after_ms(NOT_YET_RETRY_MS)
        }
    }
}

/// Anybody may send what is forged, so it is said now and then; where the platform itself is refused, a setting has to be mended.
fn advise(channel: &dyn Channel, refused: &Refused) {
    static SAID: Mutex<BTreeMap<&'static str, Instant>> = Mutex::new(BTreeMap::new());
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let name = channel.name();
    if said
        .get(name)
        .is_some_and(|at| at.elapsed() < ADVISED_EVERY)
    {
        return;
    }
    said.insert(name, Instant::now());
    let settings = channel.proved_by();
    tracing::warn!(
        channel = name,
        settings,
        %refused,
        "a delivery is refused; if the platform sent it, these settings differ from what was entered there"
    );
}

fn not_taken(name: &str) -> Problem {
    let shown: String = name.chars().take(40).collect();
    Problem::new(
        Kind::NotFound,
        format!("nothing is delivered to `{shown}` here; see `channels` in the settings"),
    )
}
