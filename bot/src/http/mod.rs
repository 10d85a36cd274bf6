//! The HTTP surface: the widget's API, the pages, health and figures.

mod answers;
mod body;
mod events;
mod files;
mod health;
mod hooks;
mod limits;
mod listeners;
mod messages;
mod observe;
mod offers;
mod origin;
mod problem;
mod serve;
mod sessions;
mod shown;

pub use body::{BODY_BYTES_MAX, BODY_MS_MAX};
pub use events::{HEARTBEAT_MS, POLL_MS};
pub use files::PRODUCTS_MAX;
pub use health::Readiness;
pub use hooks::DELIVERY_BYTES_MAX;
pub use listeners::{STREAMS_MAX, STREAMS_PER_SESSION_MAX};
pub use problem::{Kind, Problem};
pub use serve::serve;
pub use sessions::SESSION_MS;
pub use tokio_util::sync::CancellationToken;
pub use tokio_util::task::TaskTracker;

use crate::channels::Channels;
use crate::config::Settings;
use crate::publishing::Served;
use crate::store::{RecordStore, StateStore, StoreError};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// How long a store's step may take before its caller is told 503, in milliseconds.
const STEP_MS_MAX: u64 = 10_000;

/// What the surface stands on.
pub struct Http {
    pub state: Arc<dyn StateStore>,
    pub records: Arc<dyn RecordStore>,
    pub settings: Arc<Settings>,
    pub served: Served,
    pub channels: Channels,
    pub readiness: Readiness,
    /// Milliseconds since 1970.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Ends the event streams, so that a graceful stop is quick.
    pub stop: CancellationToken,
    /// Owns the task that passes hints on; wait for it after `stop`.
    pub tasks: TaskTracker,
}

/// What the pages and the widget show of the shop; texts by language tag (`zh`, `en`).
pub struct Storefront {
    pub name: BTreeMap<String, String>,
    /// The shop's languages, its own first.
    pub languages: Vec<String>,
    /// That a machine answers, in the shop's words.
    pub disclosure: BTreeMap<String, String>,
    pub greeting: BTreeMap<String, String>,
    /// First messages that a visitor may press.
    pub suggestions: BTreeMap<String, Vec<String>>,
    /// At most this many products, in this language.
    pub products: Box<Products>,
    /// An image by its path below `/shop/images/`; the path has no `..` and no empty step.
    pub images: Box<Images>,
    /// The demo shop is served: `/` is its page.
    pub demo: bool,
}

/// Cards of the shop's goods in a language, at most so many.
pub type Products = dyn Fn(&str, usize) -> Vec<adapters::Card> + Send + Sync;
/// A file of the shop's images.
pub type Images = dyn Fn(&str) -> Option<Image> + Send + Sync;

pub struct Image {
    pub bytes: Cow<'static, [u8]>,
    /// [`adapters::web::mime`] knows it by the name.
    pub mime: &'static str,
}

/// What every handler may reach.
struct Shared {
    state: Arc<dyn StateStore>,
    records: Arc<dyn RecordStore>,
    settings: Arc<Settings>,
    served: Served,
    channels: Channels,
    readiness: Readiness,
    now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
    stop: CancellationToken,
    limits: limits::Limits,
    listeners: Arc<listeners::Listeners>,
    answers: answers::Answers,
    /// What goes on behind an answer; waited for at a stop.
    tasks: TaskTracker,
}

/// Marks an answer as one of our own pages, which may run our own scripts.
#[derive(Clone, Copy)]
struct PagePolicy;

/// The whole surface; it needs no socket, but a Tokio runtime to follow hints in.
pub fn router(http: Http) -> Router {
    crate::telemetry::install();
    let listeners = Arc::new(listeners::Listeners::default());
    http.tasks
        .spawn(Arc::clone(&listeners).follow(http.state.hints(), http.stop.clone()));
    let readiness = http.readiness.clone();
    let shared = Arc::new(Shared {
        limits: limits::Limits::new(&http.settings.web),
        state: http.state,
        records: http.records,
        settings: http.settings,
        served: http.served,
        channels: http.channels,
        readiness: http.readiness,
        now_ms: http.now_ms,
        stop: http.stop,
        listeners,
        answers: answers::Answers::default(),
        tasks: http.tasks,
    });
    let web = Router::new()
        .route("/v1/web/sessions", post(sessions::open))
        .route("/v1/web/messages", post(messages::post))
        .route("/v1/web/events", get(events::stream))
        .route("/v1/web/config", get(files::config))
        .route("/v1/web/products", get(files::products))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), origin::guard));
    Router::new()
        .route("/", get(files::home))
        .route("/pages/{*path}", get(files::page))
        .route("/widget.js", get(files::widget_script))
        .route("/widget/{*path}", get(files::widget))
        .route("/shop/images/{*path}", get(files::image))
        .route(
            "/webhooks/{channel}",
            get(hooks::receive).post(hooks::receive),
        )
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .method_not_allowed_fallback(wrong_method)
        .merge(web)
        .fallback(unknown_path)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(CompressionLayer::new())
        .layer(from_fn(observe::strict_headers))
        .layer(from_fn(observe::trace))
        .layer(from_fn_with_state(readiness, observe::last_answers))
        .with_state(shared)
}

async fn unknown_path() -> Problem {
    Problem::new(Kind::NotFound, "no such path")
}

async fn wrong_method() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "the `Allow` header names the methods of this path",
    )
}

/// A store's step within its time.
async fn bounded<T>(step: impl Future<Output = Result<T, StoreError>>) -> Result<T, Problem> {
    match tokio::time::timeout(Duration::from_millis(STEP_MS_MAX), step).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Problem::from(StoreError::Unavailable {
            what: "no answer in time".to_owned(),
        })),
    }
}

fn no_store(response: &mut Response) {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
