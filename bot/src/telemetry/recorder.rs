//! The process' one recorder of figures, and what `/metrics` says.

use super::metrics::{self, Kind};
use super::process;
use ::metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use dialogs::handoff::Reason;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Upper bounds of what takes a stage of a turn, seconds: most are far below a millisecond, a model's are not.
const STAGE_SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 20.0,
];
/// Upper bounds of what customers wait for, seconds; a burst is gathered for 0.7 s by default.
const WAIT_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0,
];
/// Upper bounds of every other histogram, seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Installs the recorder; only the first call of a process does anything.
pub fn install() {
    recorder();
}

/// Everything in Prometheus' text form.
pub fn exposition() -> String {
    let mut text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    process::write(&mut text);
    text
}

/// Folds samples into histograms, so that they take no memory when nobody asks for them.
pub fn upkeep() {
    if let Some(recorder) = recorder() {
        recorder.run_upkeep();
    }
}

fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = builder().ok()?.build_recorder();
            let handle = recorder.handle();
            ::metrics::set_global_recorder(recorder).ok()?;
            describe();
            begin();
            Some(handle)
        })
        .as_ref()
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let mut builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full(metrics::TURN_STAGE.to_owned()), STAGE_SECONDS)?;
    for name in [metrics::MAIL_WAIT, metrics::DELIVERY] {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), WAIT_SECONDS)?;
    }
    Ok(builder)
}

fn describe() {
    for metric in metrics::ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Series whose labels are known from the start begin at 0: a rise from nothing cannot be told from a series that was not there.
fn begin() {
    for outcome in ["committed", "fenced", "uncommitted", "lost"] {
        counter!(metrics::TURNS, "outcome" => outcome).absolute(0);
    }
    for reason in Reason::words() {
        counter!(metrics::HANDOFFS, "reason" => reason).absolute(0);
    }
    for tried in metrics::Tried::ALL {
        for kind in ["full", "unavailable", "corrupt"] {
            counter!(metrics::STORE_ERRORS, "tried" => tried.word(), "kind" => kind).absolute(0);
        }
    }
    for why in ["queue_full", "refused", "unreachable"] {
        counter!(metrics::SPANS_DROPPED, "why" => why).absolute(0);
    }
    for step in ["understand", "word", "compose"] {
        counter!(metrics::FALLBACKS, "step" => step).absolute(0);
    }
    for kind in crate::http::Kind::ALL {
        counter!(metrics::REFUSALS, "kind" => kind.slug()).absolute(0);
    }
    for duplicate in ["false", "true"] {
        counter!(metrics::WEB_MESSAGES, "duplicate" => duplicate).absolute(0);
    }
    counter!(metrics::WEB_SESSIONS_OPENED).absolute(0);
    counter!(metrics::ARCHIVED).absolute(0);
    counter!(metrics::CONVERSATIONS_PUT_AWAY).absolute(0);
    counter!(metrics::CONVERSATIONS_RETURNED).absolute(0);
    counter!(metrics::SPANS_EXPORTED).absolute(0);
    gauge!(metrics::WEB_STREAMS).set(0.0);
    gauge!(metrics::AGENDA_LAG).set(0.0);
    gauge!(metrics::STORE_CLOCK_AHEAD).set(0.0);
    gauge!(metrics::BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
