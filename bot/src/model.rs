//! The language model: any OpenAI-compatible endpoint, asked once with a budget; what goes wrong is a value.

use crate::config::Settings;
use crate::telemetry::metrics::{COMPLETION, COMPLETIONS};
use crate::telemetry::spans;
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use dialogs::model::{Completion, Failure, Prompt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use url::Url;

/// Bytes of a response that are read.
const RESPONSE_BYTES_MAX: usize = 256 * 1024;
/// Completions at once; so many more may wait.
const AT_ONCE_MAX: usize = 4;
const WAITING_MAX: usize = 16;
/// Failures in a row after which the model is left alone; one that came of no answer at all is enough, since a customer has waited for it.
const FAILURES_MAX: u32 = 5;
/// How long it is left alone, milliseconds: twice as long each time that it was no better, up to the longest.
const REST_MS: i64 = 15_000;
const REST_MS_MAX: i64 = 300_000;
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// A completion in flight; it never fails, a failure is a completion.
pub type Completing<'a> = Pin<Box<dyn Future<Output = Completion> + Send + 'a>>;

pub trait LanguageModel: Send + Sync {
    fn complete<'a>(&'a self, prompt: &'a Prompt) -> Completing<'a>;
}

/// An endpoint that speaks OpenAI's chat completions.
pub struct OpenAi {
    client: Client<OpenAIConfig>,
    name: String,
    /// The host alone, for traces.
    server: String,
    timeout: Duration,
    places: Semaphore,
    waiting: AtomicUsize,
    failures: AtomicU32,
    rests_until_ms: AtomicI64,
    /// The length of its next rest.
    rest_ms: AtomicI64,
    /// Off once a server has said that it does not know schemas.
    schemas: AtomicBool,
}

impl OpenAi {
    pub fn new(
        url: &str,
        name: &str,
        key: Option<&SecretString>,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let key = key.map(|key| key.expose_secret().to_owned());
        let config = OpenAIConfig::new()
            .with_api_base(url.trim_end_matches('/'))
            .with_api_key(key.unwrap_or_default());
        let http = http_client(timeout)?;
        let service = tower::service_fn(move |factory: HttpRequestFactory| {
            let http = http.clone();
            async move {
                let response = http.execute(factory.build().await?).await?;
                bounded(response).await
            }
        });
        // A service of our own replaces the built-in retries: a turn asks once.
        let client = Client::build(http_client(timeout)?, config).with_http_service(service);
        Ok(Self {
            client,
            name: name.to_owned(),
            server: Url::parse(url)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_default(),
            timeout,
            places: Semaphore::new(AT_ONCE_MAX),
            waiting: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            rests_until_ms: AtomicI64::new(0),
            rest_ms: AtomicI64::new(REST_MS),
            schemas: AtomicBool::new(true),
        })
    }

    /// Whether the endpoint answers at all, for `doctor`.
    pub async fn probe(&self) -> Result<(), String> {
        let prompt = Prompt {
            step: "probe",
            system: "Answer with the JSON object {\"ok\":true}.".to_owned(),
            user: "ok?".to_owned(),
            schema: json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": false}),
            answer_tokens_max: 20,
        };
        match self.complete(&prompt).await {
            Completion::Answer { .. } => Ok(()),
            Completion::Failed { reason } => Err(reason.to_string()),
        }
    }

    async fn ask(&self, prompt: &Prompt) -> Completion {
        if now_ms() < self.rests_until_ms.load(Ordering::Relaxed) {
            return failed(Failure::Resting);
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= AT_ONCE_MAX + WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return failed(Failure::Resting);
        }
        let completion = tokio::time::timeout(self.timeout, async {
            let _place = self.places.acquire().await;
            let completion = self
                .request(prompt, self.schemas.load(Ordering::Relaxed))
                .await;
            if completion == failed(Failure::Refused { status: 400 })
                && self.schemas.swap(false, Ordering::Relaxed)
            {
                return self.request(prompt, false).await;
            }
            completion
        })
        .await
        .unwrap_or(failed(Failure::TimedOut));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.judge(&completion);
        completion
    }

    async fn request(&self, prompt: &Prompt, with_schema: bool) -> Completion {
        let mut request = json!({
            "model": self.name,
            "temperature": 0,
            "max_tokens": prompt.answer_tokens_max,
            "stream": false,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
        });
        if with_schema && let Some(fields) = request.as_object_mut() {
            fields.insert(
                "response_format".to_owned(),
                json!({"type": "json_schema", "json_schema": {"name": prompt.step, "strict": true, "schema": prompt.schema}}),
            );
        }
        let answered: Result<Value, OpenAIError> = self.client.chat().create_byot(request).await;
        match answered {
            Ok(answer) => {
                tell_usage(&answer);
                let text = answer
                    .pointer("/choices/0/message/content")
                    .and_then(Value::as_str);
                match text {
                    Some(text) if text.len() > dialogs::model::ANSWER_BYTES_MAX => {
                        failed(Failure::TooLong)
                    }
                    Some(text) => Completion::Answer {
                        text: text.to_owned(),
                    },
                    None => failed(Failure::Unreadable),
                }
            }
            Err(error) => failed(failure(&error)),
        }
    }

    /// Too many failures in a row are the model's rest, and so is an answer that never came.
    fn judge(&self, completion: &Completion) {
        let Completion::Failed { reason } = completion else {
            self.failures.store(0, Ordering::Relaxed);
            self.rest_ms.store(REST_MS, Ordering::Relaxed);
            return;
        };
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < FAILURES_MAX && *reason != Failure::TimedOut {
            return;
        }
        let now_ms = now_ms();
        if now_ms < self.rests_until_ms.load(Ordering::Relaxed) {
            // Another that was asked at the same time has told.
            return;
        }
        self.failures.store(0, Ordering::Relaxed);
        let rest_ms = self.rest_ms.load(Ordering::Relaxed);
        let longer_ms = rest_ms.saturating_mul(2).min(REST_MS_MAX);
        self.rest_ms.store(longer_ms, Ordering::Relaxed);
        self.rests_until_ms
            .store(now_ms + rest_ms, Ordering::Relaxed);
        tracing::warn!(
            rest_ms,
            "the model fails; the plain forms are used meanwhile"
        );
    }

    /// Asks, and tells operators how that went.
    async fn ask_and_tell(&self, prompt: &Prompt) -> Completion {
        let span = spans::completion(prompt.step, &self.name, &self.server);
        let begun = Instant::now();
        let completion = self.ask(prompt).instrument(span.clone()).await;
        let outcome = outcome(&completion);
        if matches!(completion, Completion::Failed { .. }) {
            span.record("error.type", outcome);
            spans::failed(&span);
        }
        metrics::counter!(COMPLETIONS, "step" => prompt.step, "outcome" => outcome).increment(1);
        metrics::histogram!(COMPLETION, "step" => prompt.step)
            .record(begun.elapsed().as_secs_f64());
        completion
    }
}

impl LanguageModel for OpenAi {
    fn complete<'a>(&'a self, prompt: &'a Prompt) -> Completing<'a> {
        Box::pin(self.ask_and_tell(prompt))
    }
}

/// Gives back logged completions in order, for a replay.
pub struct Tape(Mutex<std::vec::IntoIter<Completion>>);

impl Tape {
    pub fn new(completions: Vec<Completion>) -> Self {
        Self(Mutex::new(completions.into_iter()))
    }
}

impl LanguageModel for Tape {
    fn complete<'a>(&'a self, _prompt: &'a Prompt) -> Completing<'a> {
        let next = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
            .unwrap_or(failed(Failure::Unreachable));
        Box::pin(std::future::ready(next))
    }
}

/// The model of the settings; `None` where none is set.
pub fn of(settings: &Settings) -> anyhow::Result<Option<Arc<dyn LanguageModel>>> {
    Ok(open_ai(settings)?.map(|model| Arc::new(model) as Arc<dyn LanguageModel>))
}

pub fn open_ai(settings: &Settings) -> anyhow::Result<Option<OpenAi>> {
    settings
        .model
        .as_ref()
        .map(|model| {
            OpenAi::new(
                model.url.as_str(),
                &model.name,
                model.key.as_ref(),
                Duration::from_millis(model.timeout_ms),
            )
        })
        .transpose()
}

/// A client that needs neither a system library nor the system's certificates.
pub(crate) fn http_client(timeout: Duration) -> anyhow::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_MAX)
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()?)
}

/// Reads a response up to the limit, so that an endless one costs no memory.
async fn bounded(mut response: reqwest::Response) -> Result<reqwest::Response, OpenAIError> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
            return Err(OpenAIError::InvalidArgument(TOO_LONG.to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    let mut whole = http::Response::new(body);
    *whole.status_mut() = status;
    if !status.is_success() {
        return Err(OpenAIError::InvalidArgument(format!(
            "{REFUSED}{}",
            status.as_u16()
        )));
    }
    Ok(reqwest::Response::from(whole))
}

/// How our service tells these two through the library's error type.
const TOO_LONG: &str = "tiansheng: response too long";
const REFUSED: &str = "tiansheng: status ";

fn failure(error: &OpenAIError) -> Failure {
    match error {
        OpenAIError::Reqwest(error) if error.is_timeout() => Failure::TimedOut,
        OpenAIError::Reqwest(error) if error.is_connect() || error.is_request() => {
            Failure::Unreachable
        }
        OpenAIError::InvalidArgument(told) if told == TOO_LONG => Failure::TooLong,
        OpenAIError::InvalidArgument(told) => told
            .strip_prefix(REFUSED)
            .and_then(|status| status.parse().ok())
            .map_or(Failure::Unreadable, |status| Failure::Refused { status }),
        _ => Failure::Unreadable,
    }
}

/// How operators call it.
fn outcome(completion: &Completion) -> &'static str {
    match completion {
        Completion::Answer { .. } => "answered",
        Completion::Failed { reason } => match reason {
            Failure::TimedOut => "timed_out",
            Failure::Unreachable => "unreachable",
            Failure::Refused { .. } => "refused",
            Failure::Unreadable => "unreadable",
            Failure::TooLong => "too_long",
            Failure::Resting => "resting",
        },
    }
}

/// What the server says that the answer cost, where it says so.
fn tell_usage(answer: &Value) {
    let tokens = |field: &str| answer.pointer(field).and_then(Value::as_i64);
    let span = tracing::Span::current();
    if let Some(tokens) = tokens("/usage/prompt_tokens") {
        span.record("gen_ai.usage.input_tokens", tokens);
    }
    if let Some(tokens) = tokens("/usage/completion_tokens") {
        span.record("gen_ai.usage.output_tokens", tokens);
    }
}

fn failed(reason: Failure) -> Completion {
    Completion::Failed { reason }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
