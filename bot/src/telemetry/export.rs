//! Finished spans on their way to a collector: a bounded queue, one task that posts batches, and an end that does not wait for long.

use super::metrics;
use super::spans::TARGET;
use crate::config::telemetry::Telemetry;
use crate::model::http_client;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracer, SdkTracerProvider, ShouldSample, Span,
    SpanData, SpanProcessor,
};
use prost::Message as _;
use secrecy::ExposeSecret as _;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::{self, Filter};

/// Finished spans that may wait; what comes beyond is given up.
const QUEUE_SPANS_MAX: usize = 4_096;
/// Spans of one request.
const BATCH_SPANS_MAX: usize = 512;
/// A batch is gathered this long at most.
const GATHER: Duration = Duration::from_secs(1);
/// A collector may take this long to answer.
const POST_MAX: Duration = Duration::from_secs(5);
/// Times that a batch is offered, and the wait after the first refusal.
const TRIES: u32 = 3;
const RETRY: Duration = Duration::from_secs(1);
/// A stop waits this long for the last spans to be taken.
const FLUSH_MAX: Duration = Duration::from_secs(3);

/// What the exporter hears of all that is traced: our own spans, and no line of the log.
#[derive(Clone, Copy, Debug)]
pub struct Listening;

impl<S> Filter<S> for Listening {
    fn enabled(&self, metadata: &Metadata<'_>, _: &layer::Context<'_, S>) -> bool {
        metadata.is_span() && metadata.target() == TARGET
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}

/// Makes spans and queues them.
pub struct Spans {
    provider: SdkTracerProvider,
    queued: Receiver<SpanData>,
    post: Post,
}

/// The task that sends what was queued.
pub struct Exporting {
    task: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

impl Spans {
    pub fn new(telemetry: &Telemetry) -> anyhow::Result<Self> {
        let (queue, queued) = channel(QUEUE_SPANS_MAX);
        let resource = Resource::builder()
            .with_service_name(telemetry.service.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new(
                "service.instance.id",
                uuid::Uuid::new_v4().to_string(),
            ))
            .build();
        Ok(Self {
            provider: SdkTracerProvider::builder()
                .with_sampler(Share(Sampler::TraceIdRatioBased(telemetry.share)))
                .with_resource(resource.clone())
                .with_span_processor(Queue(queue))
                .build(),
            queued,
            post: Post::new(telemetry, &resource)?,
        })
    }

    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("tiansheng")
    }

    /// Sends until [`Exporting::ended`]; needs a Tokio runtime.
    pub fn export(self) -> Exporting {
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let task = tokio::spawn(async move {
            self.post.run(self.queued, &stopping).await;
            // The provider lives as long as its spans are taken.
            drop(self.provider);
        });
        Exporting { task, stop }
    }
}

impl Exporting {
    /// Sends what is queued still, within the limit.
    pub async fn ended(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(FLUSH_MAX, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
            tracing::warn!("stopped with spans that no collector has taken");
        }
    }
}

/// The share of traces that begin here; what goes on with or is caused by another trace is as that one.
#[derive(Clone, Debug)]
struct Share(Sampler);

impl ShouldSample for Share {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let above = parent
            .map(|context| context.span().span_context().clone())
            .filter(|context| context.is_valid());
        let mut result = self
            .0
            .should_sample(parent, trace, name, kind, attributes, links);
        let decided = match above {
            Some(above) => Some(above.is_sampled()),
            None if links.iter().any(|link| link.span_context.is_sampled()) => Some(true),
            None => None,
        };
        match decided {
            Some(true) => result.decision = SamplingDecision::RecordAndSample,
            Some(false) => result.decision = SamplingDecision::Drop,
            None => {}
        }
        result
    }
}

/// A span that ends is queued, or given up at once: nobody waits for a collector.
#[derive(Debug)]
struct Queue(Sender<SpanData>);

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            dropped("queue_full", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn dropped(why: &'static str, spans: usize) {
    ::metrics::counter!(metrics::SPANS_DROPPED, "why" => why).increment(spans as u64);
}

/// What posts a batch.
struct Post {
    http: reqwest::Client,
    url: url::Url,
    headers: HeaderMap,
    resource: ResourceAttributesWithSchema,
    /// A collector that is away is told of once, until it takes spans again.
    away: bool,
}

enum Refused {
    /// The same batch may be taken later.
    Now(String),
    Forever(String),
}

impl Post {
    fn new(telemetry: &Telemetry, resource: &Resource) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-protobuf"),
        );
        for (name, value) in &telemetry.headers {
            let mut value = HeaderValue::from_str(value.expose_secret())?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        Ok(Self {
            http: http_client(POST_MAX)?,
            url: telemetry.url.clone(),
            headers,
            resource: resource.into(),
            away: false,
        })
    }

    async fn run(mut self, mut queued: Receiver<SpanData>, stop: &CancellationToken) {
        let mut batch = Vec::new();
        while !stop.is_cancelled() {
            let gathered = async {
                while batch.len() < BATCH_SPANS_MAX {
                    match queued.recv().await {
                        Some(span) => batch.push(span),
                        None => std::future::pending().await,
                    }
                }
            };
            tokio::select! {
                () = gathered => {}
                () = tokio::time::sleep(GATHER) => {}
                () = stop.cancelled() => {}
            }
            self.offer(std::mem::take(&mut batch), stop).await;
        }
        while let Ok(span) = queued.try_recv() {
            batch.push(span);
            if batch.len() >= BATCH_SPANS_MAX {
                self.offer(std::mem::take(&mut batch), stop).await;
            }
        }
        self.offer(batch, stop).await;
    }

    async fn offer(&mut self, batch: Vec<SpanData>, stop: &CancellationToken) {
        let spans = batch.len();
        if spans == 0 {
            return;
        }
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        let body = bytes::Bytes::from(request.encode_to_vec());
        let mut wait = RETRY;
        let mut tries = 1;
        let refused = loop {
            match self.send(body.clone()).await {
                Ok(()) => {
                    ::metrics::counter!(metrics::SPANS_EXPORTED).increment(spans as u64);
                    if std::mem::take(&mut self.away) {
                        tracing::info!("the collector takes spans again");
                    }
                    return;
                }
                Err(Refused::Now(_)) if tries < TRIES && !stop.is_cancelled() => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => {}
                    }
                    wait *= 2;
                    tries += 1;
                }
                Err(refused) => break refused,
            }
        };
        let (label, why) = match refused {
            Refused::Now(why) => ("unreachable", why),
            Refused::Forever(why) => ("refused", why),
        };
        dropped(label, spans);
        if !std::mem::replace(&mut self.away, true) {
            tracing::warn!(
                why,
                "the collector takes no spans; they are given up until it does"
            );
        }
    }

    async fn send(&self, body: bytes::Bytes) -> Result<(), Refused> {
        let answer = self
            .http
            .post(self.url.clone())
            .headers(self.headers.clone())
            .body(body)
            .send()
            .await
            // The address may carry a key.
            .map_err(|error| Refused::Now(error.without_url().to_string()))?;
        let status = answer.status();
        // OTLP/HTTP names the answers after which the same request may be sent again.
        match status.as_u16() {
            200..=299 => Ok(()),
            429 | 502 | 503 | 504 => Err(Refused::Now(status.to_string())),
            _ => Err(Refused::Forever(status.to_string())),
        }
    }
}

/// Whether a collector takes spans: one empty batch, for `doctor`.
pub async fn probe(telemetry: &Telemetry) -> Result<(), String> {
    let post = Post::new(telemetry, &Resource::builder_empty().build())
        .map_err(|error| error.to_string())?;
    match post.send(bytes::Bytes::new()).await {
        Ok(()) => Ok(()),
        Err(Refused::Now(why) | Refused::Forever(why)) => Err(why),
    }
}
