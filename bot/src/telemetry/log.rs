//! Who listens to the program: the log on standard error, and the exporter where one is set.

use super::export::{Listening, Spans};
use crate::config::{LogFormat, Settings};
use std::io::IsTerminal as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

/// Sets up both; what it gives back has to be exported once a runtime runs.
pub fn listen(settings: &Settings) -> anyhow::Result<Option<Spans>> {
    // Other crates' lines may carry what they were given; they are heard only from `warn` on.
    let level = settings.log.level.to_string().to_lowercase();
    let filter = EnvFilter::new(format!("warn,bot={level},tiansheng={level}"));
    let lines = tracing_subscriber::fmt::layer::<Registry>()
        .with_writer(std::io::stderr)
        // A file has no use for colours.
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match settings.log.format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let spans = settings.telemetry.as_ref().map(Spans::new).transpose()?;
    let exporter = spans.as_ref().map(|spans| {
        tracing_opentelemetry::layer()
            .with_tracer(spans.tracer())
            .with_context_activation(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Listening)
    });
    let set = Registry::default().with(lines).with(exporter).try_init();
    if set.is_err() {
        eprintln!("tiansheng: logging was set up already");
    }
    Ok(spans)
}
