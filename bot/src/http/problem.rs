//! Refusals as RFC 9457 problem documents.

use crate::store::StoreError;
use crate::telemetry::metrics::{REFUSALS, Tried, store_failed};
use adapters::web::PostError;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// How long a caller should wait when a store does not say, in milliseconds.
const STORE_RETRY_MS: u64 = 5_000;

/// What went wrong, as far as a caller's next step differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Malformed,
    Unauthorized,
    Forged,
    OriginRefused,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    TooLarge,
    UnsupportedMedia,
    Invalid,
    TooMany,
    Internal,
    Busy,
}

/// One refusal.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    field: Option<String>,
    place: Option<(usize, usize)>,
    retry_after_ms: Option<u64>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            field: None,
            place: None,
            retry_after_ms: None,
        }
    }

    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    #[must_use]
    pub fn retry_after_ms(mut self, wait_ms: u64) -> Self {
        self.retry_after_ms = Some(wait_ms);
        self
    }
}

impl Kind {
    pub const ALL: [Kind; 13] = [
        Kind::Malformed,
        Kind::Unauthorized,
        Kind::Forged,
        Kind::OriginRefused,
        Kind::NotFound,
        Kind::MethodNotAllowed,
        Kind::TooSlow,
        Kind::TooLarge,
        Kind::UnsupportedMedia,
        Kind::Invalid,
        Kind::TooMany,
        Kind::Internal,
        Kind::Busy,
    ];

    /// The end of the problem's `type`.
    pub fn slug(self) -> &'static str {
        self.told().1
    }

    fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Kind::Malformed => (
                StatusCode::BAD_REQUEST,
                "malformed",
                "The request cannot be read",
            ),
            Kind::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "A session's token is needed",
            ),
            Kind::Forged => (
                StatusCode::UNAUTHORIZED,
                "forged",
                "The request does not prove who sent it",
            ),
            Kind::OriginRefused => (
                StatusCode::FORBIDDEN,
                "origin-refused",
                "This page may not use the widget's API",
            ),
            Kind::NotFound => (StatusCode::NOT_FOUND, "not-found", "Nothing is here"),
            Kind::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Not with this method",
            ),
            Kind::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "The body did not arrive in time",
            ),
            Kind::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large",
            ),
            Kind::UnsupportedMedia => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be plain JSON",
            ),
            Kind::Invalid => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                "A field does not hold",
            ),
            Kind::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-many",
                "Too many requests",
            ),
            Kind::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something failed here",
            ),
            Kind::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "Not able to take this now",
            ),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.told();
        metrics::counter!(REFUSALS, "kind" => slug).increment(1);
        let document = Document {
            r#type: format!("urn:tiansheng:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
            line: self.place.map(|(line, _)| line),
            column: self.place.map(|(_, column)| column),
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(
            http::header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        );
        if let Some(wait_ms) = self.retry_after_ms {
            headers.insert(
                RETRY_AFTER,
                HeaderValue::from(wait_ms.div_ceil(1000).max(1)),
            );
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<PostError> for Problem {
    fn from(error: PostError) -> Self {
        let kind = match &error {
            PostError::NotUtf8 { .. } | PostError::NotJson { .. } => Kind::Malformed,
            PostError::NotObject { .. } | PostError::Field { .. } => Kind::Invalid,
        };
        let mut problem = Problem::new(kind, error.to_string());
        problem.field = error.field().map(str::to_owned);
        if let PostError::NotJson { line, column, .. } = error {
            problem.place = Some((line, column));
        }
        problem
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        store_failed(Tried::Request, &error);
        match error {
            StoreError::Full { retry_after_ms } | StoreError::Crowded { retry_after_ms } => {
                Problem::new(
                    Kind::Busy,
                    "the mailbox is full; send the same message again",
                )
                .retry_after_ms(retry_after_ms)
            }
            StoreError::Unavailable { what } => {
                tracing::warn!(what, "a store is unavailable");
                Problem::new(Kind::Busy, "the store does not answer; send the same again")
                    .retry_after_ms(STORE_RETRY_MS)
            }
            StoreError::Fenced => Problem::new(Kind::Busy, "taken over; send the same again")
                .retry_after_ms(STORE_RETRY_MS),
            StoreError::Corrupt { what } => {
                tracing::error!(what, "a store holds something unreadable");
                Problem::new(Kind::Internal, "what is stored cannot be read")
            }
        }
    }
}
