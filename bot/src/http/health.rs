//! Whether this process lives, whether it can serve, and its figures.

use super::Shared;
use crate::telemetry;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a dependency may take to answer, in milliseconds.
const CHECK_MS_MAX: u64 = 2_000;

/// Whether the process is about to stop; a clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    leaving: Arc<AtomicBool>,
}

/// One dependency's state.
#[derive(Serialize)]
struct Report {
    ok: bool,
    /// The process serves without it, only worse.
    optional: bool,
    detail: String,
}

impl Readiness {
    /// The process is about to stop: it still serves, but a proxy should send nothing new.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }
}

/// `GET /healthz`.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 503 while a needed dependency is away or the process is stopping.
pub(super) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let (state, records) = tokio::join!(
        check(shared.state.depth()),
        check(shared.records.position(0))
    );
    let shop = report(true, &shared.served.shop().policy);
    let mut dependencies = BTreeMap::from([("state", state), ("records", records), ("shop", shop)]);
    if shared.readiness.is_leaving() || shared.stop.is_cancelled() {
        dependencies.insert("process", report(false, "stopping"));
    }
    let ready = dependencies
        .values()
        .all(|report| report.ok || report.optional);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let told = Told {
        ready,
        dependencies,
    };
    let mut response = (status, Json(told)).into_response();
    super::no_store(&mut response);
    response
}

#[derive(Serialize)]
struct Told {
    ready: bool,
    dependencies: BTreeMap<&'static str, Report>,
}

async fn check<T, E: std::fmt::Display>(step: impl Future<Output = Result<T, E>>) -> Report {
    match tokio::time::timeout(Duration::from_millis(CHECK_MS_MAX), step).await {
        Ok(Ok(_)) => report(true, "answers"),
        Ok(Err(error)) => report(false, &error.to_string()),
        Err(_) => report(false, &format!("no answer within {CHECK_MS_MAX} ms")),
    }
}

fn report(ok: bool, detail: &str) -> Report {
    Report {
        ok,
        optional: false,
        detail: detail.to_owned(),
    }
}

/// `GET /metrics`, in Prometheus' text form.
pub(super) async fn metrics() -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], telemetry::exposition()).into_response()
}
