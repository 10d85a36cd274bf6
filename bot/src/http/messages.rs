//! `POST /v1/web/messages`: answered 202 only when the mailbox holds the message.

use super::body::read_json;
use super::limits::client;
use super::problem::Problem;
use super::{Shared, no_store, sessions};
use crate::mailbox::{Burst, accept};
use crate::store::Accepted;
use crate::telemetry::metrics::{ACCEPT, CHANNEL_MESSAGES, WEB_MESSAGES};
use adapters::web::read_message;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Problem> {
    let begun = Instant::now();
    let (parts, body) = request.into_parts();
    let session = sessions::of_request(&shared, &parts).await?;
    let conversation = session.conversation.as_str().to_owned();
    let from = client(&parts, shared.settings.web.trust_forwarded);
    let now_ms = (shared.now_ms)();
    let (limits, state) = (&shared.limits, shared.state.as_ref());
    tokio::try_join!(
        limits.messages.check(&conversation, state, now_ms),
        limits.messages_by_address.check(&from, state, now_ms),
    )?;
    let bytes = read_json(&parts.headers, body).await?;
    let now_ms = (shared.now_ms)();
    let inbound = read_message(&bytes, &session.conversation, now_ms)?;

    let event_id = inbound.event_id.clone();
    let burst = Burst::of(&shared.settings.mailbox);
    let accepted = super::bounded(accept(state, inbound, burst, now_ms)).await?;
    metrics::histogram!(ACCEPT).record(begun.elapsed().as_secs_f64());
    let duplicate = match accepted {
        Accepted::New { .. } => false,
        Accepted::Repeated => true,
    };
    metrics::counter!(CHANNEL_MESSAGES, "channel" => adapters::web::NAME, "duplicate" => duplicate.to_string())
        .increment(1);
    metrics::counter!(WEB_MESSAGES, "duplicate" => duplicate.to_string()).increment(1);
    let told = Told {
        id: &event_id,
        duplicate,
    };
    let mut response = (StatusCode::ACCEPTED, Json(told)).into_response();
    no_store(&mut response);
    Ok(response)
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    duplicate: bool,
}
