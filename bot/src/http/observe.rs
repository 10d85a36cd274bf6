//! What every answer gets: a line in the log, figures, and the headers that keep browsers strict.

use super::problem::{Kind, Problem};
use super::{PagePolicy, Readiness};
use crate::telemetry::metrics::{HTTP_ANSWER, HTTP_REQUESTS};
use crate::telemetry::spans;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CONNECTION, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use std::any::Any;
use std::time::Instant;
use tracing::{Instrument as _, Span};

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'";
/// Where requests have spans.
const TRACED: &str = "/v1/";
/// The header of W3C Trace Context.
const TRACEPARENT: &str = "traceparent";
const OTHER_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Counts and logs a request by its route; paths, queries, bodies and addresses stay out.
pub(super) async fn trace(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "OPTIONS" | "PUT" | "DELETE" | "PATCH") => {
            known.to_owned()
        }
        _ => "other".to_owned(),
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    // Looks at health and figures are many and tell nothing.
    let span = if route.starts_with(TRACED) {
        let caller = request.headers().get(TRACEPARENT);
        spans::request(
            &method,
            &route,
            caller.and_then(|value| value.to_str().ok()),
        )
    } else {
        Span::none()
    };
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    spans::answered(&span, status);
    let seconds = begun.elapsed().as_secs_f64();
    tracing::debug!(
        http.method = method,
        http.route = route,
        http.status = status,
        duration_ms = seconds * 1000.0,
        "answered"
    );
    metrics::counter!(
        HTTP_REQUESTS,
        "method" => method, "route" => route.clone(), "status" => status.to_string()
    )
    .increment(1);
    metrics::histogram!(HTTP_ANSWER, "route" => route).record(seconds);
    response
}

/// Headers for every answer; a handler's own stay.
pub(super) async fn strict_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy = match response.extensions().get::<PagePolicy>() {
        Some(PagePolicy) => PAGE_POLICY,
        None => OTHER_POLICY,
    };
    let headers = response.headers_mut();
    set(headers, CONTENT_SECURITY_POLICY, policy);
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, REFERRER_POLICY, "no-referrer");
    set(headers, CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    response
}

/// Before the process stops, each connection is given up with its answer: one that is kept open would be closed later, perhaps just when the next request is on its way.
pub(super) async fn last_answers(
    State(readiness): State<Readiness>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if readiness.is_leaving() {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert(HeaderValue::from_static(value));
}

/// A panic in a handler is one customer's 500, not the process' end.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request's handler panicked");
    Problem::new(Kind::Internal, "the request could not be finished").into_response()
}
