//! What stands before the replicas, as nginx does with a health check: it sends to those whose `/readyz` says 200, tries another when a connection is refused, and keeps connections open.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often each replica's health is asked, and the longest wait for it.
const HEALTH_EVERY: Duration = Duration::from_millis(250);
const HEALTH_MAX: Duration = Duration::from_secs(2);
/// A connection that rested so long is not used again; the replicas close theirs later.
const REST_MAX: Duration = Duration::from_secs(30);
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// What belongs to one connection and is not passed on.
const OF_THE_CONNECTION: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "host"];

/// One proxy; gone when dropped.
pub struct Front {
    pub url: String,
    shared: Arc<Shared>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

struct Shared {
    replicas: Vec<String>,
    healthy: Vec<AtomicBool>,
    http: reqwest::Client,
    next: AtomicUsize,
    retried: AtomicUsize,
    failed: AtomicUsize,
}

impl Front {
    pub async fn before(replicas: Vec<String>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .pool_idle_timeout(REST_MAX)
            .build()
            .unwrap();
        let shared = Arc::new(Shared {
            healthy: replicas.iter().map(|_| AtomicBool::new(false)).collect(),
            replicas,
            http,
            next: AtomicUsize::new(0),
            retried: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(pass_on)
            .with_state(Arc::clone(&shared));
        let mut tasks = vec![tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        })];
        for at in 0..shared.replicas.len() {
            let shared = Arc::clone(&shared);
            tasks.push(tokio::spawn(async move { shared.look_after(at).await }));
        }
        Self { url, shared, tasks }
    }

    /// Whether a replica is sent to.
    pub fn trusts(&self, replica: usize) -> bool {
        self.shared.healthy[replica].load(Ordering::Relaxed)
    }

    /// Refused connections that another replica took over, and requests that nobody answered.
    pub fn counts(&self) -> (usize, usize) {
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        (count(&self.shared.retried), count(&self.shared.failed))
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    async fn look_after(&self, at: usize) {
        let url = format!("{}/readyz", self.replicas[at]);
        loop {
            let asked = self.http.get(&url).timeout(HEALTH_MAX).send().await;
            let well = asked.is_ok_and(|answer| answer.status() == StatusCode::OK);
            self.healthy[at].store(well, Ordering::Relaxed);
            tokio::time::sleep(HEALTH_EVERY).await;
        }
    }

    /// Healthy replicas in turn; all of them where none is healthy.
    fn order(&self) -> Vec<usize> {
        let count = self.replicas.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let all = (0..count).map(|n| (first + n) % count);
        let well = |at: &usize| self.healthy[*at].load(Ordering::Relaxed);
        let healthy: Vec<usize> = all.clone().filter(well).collect();
        if healthy.is_empty() {
            all.collect()
        } else {
            healthy
        }
    }
}

async fn pass_on(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().as_str();
    for at in shared.order() {
        let asked = shared
            .http
            .request(
                parts.method.clone(),
                format!("{}{path}", shared.replicas[at]),
            )
            .headers(passed(&parts.headers))
            .body(body.clone())
            .send()
            .await;
        match asked {
            Ok(answer) => {
                let (status, headers) = (answer.status(), passed(answer.headers()));
                let mut response = Response::new(Body::from_stream(answer.bytes_stream()));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                return response;
            }
            Err(error) if error.is_connect() => {
                shared.healthy[at].store(false, Ordering::Relaxed);
                shared.retried.fetch_add(1, Ordering::Relaxed);
            }
            // Who knows what became of it: a proxy does not send a POST twice.
            Err(error) => {
                println!("the proxy got no answer: {error:?}");
                break;
            }
        }
    }
    shared.failed.fetch_add(1, Ordering::Relaxed);
    StatusCode::BAD_GATEWAY.into_response()
}

fn passed(headers: &HeaderMap) -> HeaderMap {
    let own = |name: &HeaderName| OF_THE_CONNECTION.contains(&name.as_str());
    headers
        .iter()
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
