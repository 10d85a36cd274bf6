//! An OTLP/HTTP collector: takes what a server sends and keeps every byte.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for a span.
const WAIT_MAX: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Kept {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    headers: Arc<Mutex<Vec<http::HeaderMap>>>,
}

pub struct Collector {
    /// Without the path for traces.
    pub url: String,
    kept: Kept,
}

impl Collector {
    /// Listens on a free port, until the runtime ends.
    pub async fn start() -> Self {
        let kept = Kept::default();
        let app = Router::new()
            .route("/v1/traces", post(take))
            .with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, kept }
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.kept.requests.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Attributes of the program that sent them.
    pub fn resource(&self) -> Vec<KeyValue> {
        let requests = self.kept.requests.lock().unwrap();
        let first = &requests.first().expect("nothing came").resource_spans[0];
        first.resource.clone().unwrap().attributes
    }

    /// Waits until as many spans of a name are there.
    pub async fn wait_for(&self, name: &str, count: usize) -> Vec<Span> {
        let begun = Instant::now();
        loop {
            let mut spans = self.spans();
            spans.retain(|span| span.name == name);
            if spans.len() >= count {
                return spans;
            }
            assert!(
                begun.elapsed() < WAIT_MAX,
                "{} of {count} spans `{name}`",
                spans.len()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every byte that came, as it came.
    pub fn bytes(&self) -> Vec<u8> {
        self.kept.bytes.lock().unwrap().clone()
    }

    pub fn headers(&self) -> Vec<http::HeaderMap> {
        self.kept.headers.lock().unwrap().clone()
    }
}

async fn take(State(kept): State<Kept>, headers: http::HeaderMap, body: Bytes) -> &'static [u8] {
    kept.bytes.lock().unwrap().extend_from_slice(&body);
    kept.headers.lock().unwrap().push(headers);
    let request = ExportTraceServiceRequest::decode(body).expect("no OTLP");
    kept.requests.lock().unwrap().push(request);
    b""
}

/// A span's attribute as text; lists with commas.
pub fn attribute(span: &Span, name: &str) -> Option<String> {
    let value = span.attributes.iter().find(|one| one.key == name)?;
    Some(written(value.value.as_ref()?.value.as_ref()?))
}

fn written(value: &Value) -> String {
    match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(is) => is.to_string(),
        Value::ArrayValue(list) => list
            .values
            .iter()
            .filter_map(|one| one.value.as_ref().map(written))
            .collect::<Vec<_>>()
            .join(","),
        other => format!("{other:?}"),
    }
}
