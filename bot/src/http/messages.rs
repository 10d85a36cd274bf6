//! `POST /v1/web/messages`: answered 202 only when the mailbox holds the message.

use super::body::read_json;
use super::limits::client;
use super::problem::{Kind, Problem};
use super::{Shared, no_store, sessions};
use crate::mail::{Mail, Posted};
use crate::store::{Accepted, NewMail};
use crate::telemetry::metrics::{ACCEPT, WEB_MESSAGES};
use crate::telemetry::spans;
use adapters::InboundBody;
use adapters::web::read_message;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument as _;

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
    // A pressed choice is a whole utterance, nothing more of a burst is to come.
    let (quiet_ms, quiet_max_ms) = match &inbound.body {
        InboundBody::Text(_) => {
            let mailbox = &shared.settings.mailbox;
            (mailbox.burst_window_ms, mailbox.burst_max_ms)
        }
        InboundBody::Choice(_) => (0, 0),
    };
    let span = spans::accept(&conversation);
    let trace = spans::traceparent(&span);
    let mail = Mail::Customer { inbound };
    let body = serde_json::to_string(&Posted { mail: &mail, trace })
        .map_err(|_| Problem::new(Kind::Internal, "the message has no stored form"))?;
    let step = shared.state.accept(NewMail {
        conversation,
        event_id: event_id.clone(),
        at_ms: now_ms,
        quiet_ms,
        quiet_max_ms,
        body,
    });
    let accepted = super::bounded(step).instrument(span).await?;
    metrics::histogram!(ACCEPT).record(begun.elapsed().as_secs_f64());
    let duplicate = match accepted {
        Accepted::New { .. } => false,
        Accepted::Repeated => true,
    };
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
