//! What is asked of Discord over HTTP, no faster than it allows, and why something was not done.
//!
//! The waits that its answers ask for are shared by all replicas. Errors of the HTTP client hold addresses, and those of interactions hold tokens, so none is ever shown.

use crate::Keep;
use crate::answered::{Unanswered, answered, below, whole};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// The version of the API that everything here is written for.
const VERSION: &str = "api/v10";
/// Discord wants every client to name itself like this.
const CLIENT: &str = concat!("DiscordBot (tiansheng, ", env!("CARGO_PKG_VERSION"), ")");
/// Largest answer that is read, in bytes: a hundred of the longest messages with their embeds.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest reason of Discord's that is shown, in characters.
const REASON_CHARS_MAX: usize = 120;
/// A wait up to this is sat out, a longer one is told, milliseconds.
const SAT_OUT_MS: u64 = 1_500;
/// Longest wait that Discord is believed, milliseconds.
const WAIT_MS_MAX: f64 = 24.0 * 60.0 * 60.0 * 1000.0;
/// Where a 429 says nothing, milliseconds.
const WAIT_MS: f64 = 1_000.0;
/// Discord shuts out an address that asks so much in vain in ten minutes: 10 000 answers 401, 403 and 429. At a part of it nothing more is asked.
const IN_VAIN_MAX: u32 = 2_000;
const IN_VAIN_MS: i64 = 10 * 60 * 1000;
/// Under this interactions are answered.
const INTERACTIONS: &str = "interactions/";
/// The waits of the whole bot.
const ALL: &str = "all";

pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    authorization: Option<HeaderValue>,
    keep: Arc<dyn Keep>,
    in_vain: Mutex<InVain>,
}

/// What this process asked in vain since a time.
#[derive(Default)]
struct InVain {
    since_ms: i64,
    count: u32,
}

/// Why something asked of Discord was not done; the texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Nothing can have been written.
    NoConnection,
    /// It may have been done.
    NoAnswer,
    /// Surely not done.
    Wait { wait_ms: u64 },
    /// The token is none.
    Token,
    Refused {
        status: u16,
        code: i64,
        reason: String,
    },
}

impl From<Unanswered> for Failed {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NoConnection => Self::NoConnection,
            Unanswered::NoAnswer | Unanswered::TooLong => Self::NoAnswer,
        }
    }
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
    retry_after: Option<f64>,
    #[serde(default)]
    global: bool,
}

impl Api {
    /// Fails where the token cannot stand in a header.
    pub(super) fn new(
        http: reqwest::Client,
        base: Url,
        token: &SecretString,
        keep: Arc<dyn Keep>,
    ) -> Result<Self, String> {
        let written = format!("Bot {}", token.expose_secret());
        let mut authorization = HeaderValue::from_str(&written)
            .map_err(|_| "the token of Discord has characters that no token has".to_owned())?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            base,
            authorization: Some(authorization),
            keep,
            in_vain: Mutex::default(),
        })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failed> {
        let answer = self.ask(Method::GET, path, None, None).await?;
        serde_json::from_value(answer).map_err(|_| Failed::NoAnswer)
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.ask(Method::POST, path, Some(body), None).await
    }

    pub(super) async fn put(&self, path: &str) -> Result<Value, Failed> {
        self.ask(Method::PUT, path, None, None).await
    }

    /// Writes into a channel: no sooner than was asked for of it, whichever replica was told.
    pub(super) async fn write(&self, channel: &str, body: &Value) -> Result<Value, Failed> {
        let path = format!("channels/{channel}/messages");
        self.ask(Method::POST, &path, Some(body), Some(channel))
            .await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        bucket: Option<&str>,
    ) -> Result<Value, Failed> {
        self.may_ask()?;
        match bucket {
            Some(bucket) => self.wait(&[ALL, bucket]).await?,
            // The answer to an interaction is not bound to the global limit, and cannot wait.
            None if path.starts_with(INTERACTIONS) => {}
            None => self.wait(&[ALL]).await?,
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut url = below(&self.base, &format!("{VERSION}/{path}"));
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let mut request = self.http.request(method, url).header(USER_AGENT, CLIENT);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = answered(request).await?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        if let Some(bucket) = bucket
            && let Some(wait_ms) = used_up(&headers)
        {
            self.keep_wait(bucket, wait_ms).await;
        }
        let bytes = whole(response, ANSWER_BYTES_MAX).await?;
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|_| Failed::NoAnswer);
        }
        Err(self.refused(status, &headers, &bytes, bucket).await)
    }

    async fn refused(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        bucket: Option<&str>,
    ) -> Failed {
        let told: Option<Told> = serde_json::from_slice(body).ok();
        match status {
            StatusCode::UNAUTHORIZED => {
                self.was_in_vain();
                return Failed::Token;
            }
            StatusCode::TOO_MANY_REQUESTS => {
                if header(headers, "x-ratelimit-scope") != Some("shared") {
                    self.was_in_vain();
                }
                let seconds = told.as_ref().and_then(|told| told.retry_after);
                let seconds = seconds.or_else(|| number(headers, RETRY_AFTER.as_str()));
                let wait_ms = milliseconds(seconds);
                let is_global = told.is_some_and(|told| told.global);
                match bucket {
                    _ if is_global => self.keep_wait(ALL, wait_ms).await,
                    Some(bucket) => self.keep_wait(bucket, wait_ms).await,
                    None => {}
                }
                return Failed::Wait { wait_ms };
            }
            StatusCode::FORBIDDEN => self.was_in_vain(),
            _ if status.is_server_error() => return Failed::NoAnswer,
            _ => {}
        }
        let (code, message) = told.map_or((0, String::new()), |told| (told.code, told.message));
        Failed::Refused {
            status: status.as_u16(),
            code,
            reason: message.chars().take(REASON_CHARS_MAX).collect(),
        }
    }

    /// Until what is asked for these is over.
    async fn wait(&self, buckets: &[&str]) -> Result<(), Failed> {
        let mut left_ms = 0;
        for of in buckets {
            // A store that does not answer holds nothing back: Discord refuses what is too early.
            if let Ok(Some(until)) = self.keep.recall(&wait_key(of)).await {
                let until_ms: i64 = until.parse().unwrap_or_default();
                let left = until_ms.saturating_sub(self.keep.now_ms());
                left_ms = left_ms.max(u64::try_from(left).unwrap_or_default());
            }
        }
        if left_ms > SAT_OUT_MS {
            return Err(Failed::Wait { wait_ms: left_ms });
        }
        tokio::time::sleep(Duration::from_millis(left_ms)).await;
        Ok(())
    }

    async fn keep_wait(&self, of: &str, wait_ms: u64) {
        let until_ms = self.keep.now_ms().saturating_add_unsigned(wait_ms);
        let until = until_ms.to_string();
        // Where it cannot be kept, the sender that was told waits all the same.
        let _ = self.keep.remember(&wait_key(of), &until, until_ms).await;
    }

    fn may_ask(&self) -> Result<(), Failed> {
        let in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        let ends_ms = in_vain.since_ms.saturating_add(IN_VAIN_MS);
        let left_ms = u64::try_from(ends_ms.saturating_sub(self.keep.now_ms())).unwrap_or(0);
        match in_vain.count >= IN_VAIN_MAX && left_ms > 0 {
            true => Err(Failed::Wait { wait_ms: left_ms }),
            false => Ok(()),
        }
    }

    fn was_in_vain(&self) {
        let now_ms = self.keep.now_ms();
        let mut in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        if now_ms.saturating_sub(in_vain.since_ms) > IN_VAIN_MS {
            *in_vain = InVain {
                since_ms: now_ms,
                count: 0,
            };
        }
        in_vain.count = in_vain.count.saturating_add(1);
    }
}

impl Failed {
    /// What went wrong, for the log and the operator.
    pub(super) fn told(&self) -> String {
        match self {
            Self::NoConnection => "no connection to Discord".to_owned(),
            Self::NoAnswer => "no answer that is Discord's".to_owned(),
            Self::Wait { wait_ms } => format!("Discord asks to wait {} s", wait_ms.div_ceil(1000)),
            Self::Token => "Discord does not know the token".to_owned(),
            Self::Refused { code, reason, .. } => format!("Discord refuses: {code} {reason}"),
        }
    }
}

fn wait_key(of: &str) -> String {
    format!("discord:wait:{of}")
}

/// How long until there is room again, where the answer says that there is none.
fn used_up(headers: &HeaderMap) -> Option<u64> {
    let left = number(headers, "x-ratelimit-remaining")?;
    let seconds = number(headers, "x-ratelimit-reset-after")?;
    (left <= 0.0).then(|| milliseconds(Some(seconds)))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    header(headers, name)?.parse().ok()
}

fn milliseconds(seconds: Option<f64>) -> u64 {
    let ms = seconds.map_or(WAIT_MS, |seconds| seconds * 1000.0);
    // Between the two bounds there is always a whole number.
    ms.clamp(1.0, WAIT_MS_MAX).ceil() as u64
}
