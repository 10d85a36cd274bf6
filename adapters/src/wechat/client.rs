//! The API of an official account: one token for all who send, and what each answer means for who asked.
//!
//! Addresses hold the token, so no error of the HTTP client is ever shown: each becomes words of our own.

use super::NAME;
use crate::{Access, Granted, Keep, Receipt};
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest reason of WeChat's that is shown, in characters.
const REASON_CHARS_MAX: usize = 120;
/// Wait where a minute's quota is used up, and where the day's is, milliseconds.
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 60 * 60_000;

pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    app_id: String,
    secret: SecretString,
    access: Access<Failed>,
}

/// Why something asked of WeChat was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Nothing can have been written.
    NoConnection,
    /// It says itself that it did not do it.
    Busy,
    Refused {
        code: i64,
        reason: String,
    },
    /// It may have been done.
    NoAnswer,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
    access_token: Option<String>,
    #[serde(default)]
    expires_in: u64,
    msgid: Option<Value>,
}

impl Api {
    pub(super) fn new(
        http: reqwest::Client,
        base: Url,
        app_id: &str,
        secret: SecretString,
        keep: Arc<dyn Keep>,
    ) -> Self {
        Self {
            http,
            base,
            app_id: app_id.to_owned(),
            secret,
            // Late is no failure of WeChat's; the message waits and tries again.
            access: Access::new(keep, format!("{NAME}:token:{app_id}"), Failed::Busy),
        }
    }

    /// The token that holds, the same for all replicas.
    pub(super) async fn token(&self) -> Result<String, Failed> {
        self.access.token(|force| self.stable_token(force)).await
    }

    async fn stable_token(&self, force: bool) -> Result<Granted, Failed> {
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": self.secret.expose_secret(),
            "force_refresh": force,
        });
        let answered = self.post("cgi-bin/stable_token", None, &body).await?;
        let lasts = Duration::from_secs(answered.expires_in);
        answered
            .access_token
            .map(|token| Granted { token, lasts })
            .ok_or(Failed::NoAnswer)
    }

    pub(super) async fn send(&self, message: &Value) -> Receipt {
        let token = match self.token().await {
            Ok(token) => token,
            Err(failed) => return without_token(&failed),
        };
        let sent = self
            .post("cgi-bin/message/custom/send", Some(&token), message)
            .await;
        if let Err(Failed::Refused { code, .. }) = &sent
            && is_about_the_token(*code)
        {
            return match self.access.refused(&token).await {
                true => Receipt::RefreshToken,
                false => Receipt::TryAgain,
            };
        }
        receipt(sent.map(|answered| match answered.msgid {
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            _ => String::new(),
        }))
    }

    /// Nobody waits for it, and the message itself says whether the customer can be reached.
    pub(super) async fn typing(&self, to: &str) {
        if let Ok(token) = self.token().await {
            let body = json!({"touser": to, "command": "Typing"});
            let path = "cgi-bin/message/custom/typing";
            let _ = self.post(path, Some(&token), &body).await;
        }
    }

    async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Answered, Failed> {
        let mut url = self.base.clone();
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{root}/{path}"));
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("access_token", token);
        }
        let sent = self.http.post(url).json(body).send().await;
        let mut response = sent.map_err(|error| match error.is_connect() {
            true => Failed::NoConnection,
            false => Failed::NoAnswer,
        })?;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failed::Busy);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Failed::NoAnswer)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Failed::NoAnswer);
            }
            bytes.extend_from_slice(&chunk);
        }
        let answered: Answered = serde_json::from_slice(&bytes).map_err(|_| Failed::NoAnswer)?;
        match answered.errcode {
            0 => Ok(answered),
            -1 => Err(Failed::Busy),
            code => Err(Failed::Refused {
                code,
                reason: answered.errmsg.chars().take(REASON_CHARS_MAX).collect(),
            }),
        }
    }
}

fn is_about_the_token(code: i64) -> bool {
    matches!(code, 40_001 | 40_014 | 41_001 | 42_001)
}

/// Nothing of the message has left, and a person may have to do something first.
fn without_token(failed: &Failed) -> Receipt {
    match failed {
        Failed::Refused { code, .. } => match waits(*code) {
            Some(wait_ms) => Receipt::RetryAfter { wait_ms },
            None => Receipt::TryAgain,
        },
        Failed::NoConnection | Failed::Busy | Failed::NoAnswer => Receipt::TryAgain,
    }
}

fn waits(code: i64) -> Option<u64> {
    match code {
        45_011 => Some(MINUTE_MS),
        45_009 => Some(DAY_MS),
        _ => None,
    }
}

/// What the sender does next.
pub(super) fn receipt(sent: Result<String, Failed>) -> Receipt {
    let (code, reason) = match sent {
        Ok(provider_id) => return Receipt::Sent { provider_id },
        Err(Failed::NoConnection | Failed::Busy) => return Receipt::TryAgain,
        Err(Failed::NoAnswer) => return Receipt::Unknown,
        Err(Failed::Refused { code, reason }) => (code, reason),
    };
    if is_about_the_token(code) {
        return Receipt::RefreshToken;
    }
    if let Some(wait_ms) = waits(code) {
        return Receipt::RetryAfter { wait_ms };
    }
    match code {
        // Out of time, and out of count.
        45_015 | 45_047 => Receipt::WindowClosed,
        // Not known, or follows no more.
        40_003 | 43_004 => Receipt::Blocked,
        // This machine's address is not on the account's list.
        40_164 => Receipt::TryAgain,
        48_001 => Receipt::Permanent {
            reason: "the account may not use the customer-service API; set channels.wechat.customer_service to false".to_owned(),
        },
        code => Receipt::Permanent {
            reason: format!("{code} {reason}"),
        },
    }
}

/// What went wrong and what to do, for the operator.
pub(super) fn told(failed: &Failed) -> (String, &'static str) {
    match failed {
        Failed::NoConnection => (
            "no connection to WeChat".to_owned(),
            "check channels.wechat.api_url and that this machine reaches it",
        ),
        Failed::Busy => ("WeChat is busy".to_owned(), "try again"),
        Failed::NoAnswer => (
            "no answer that is the API's".to_owned(),
            "check channels.wechat.api_url",
        ),
        Failed::Refused { code, reason } => (
            format!("WeChat gives no token: {code} {reason}"),
            match code {
                40_013 => "check channels.wechat.app_id",
                40_001 | 40_125 => {
                    "check channels.wechat.app_secret; resetting it makes the old one void"
                }
                40_164 => {
                    "put this machine's public address on the account's IP whitelist (开发 - 基本配置)"
                }
                _ => "look the number up in the list of return codes of the official accounts",
            },
        ),
    }
}
