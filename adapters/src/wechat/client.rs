//! The API of an official account: one token for all who send, and what each answer means for who asked.
//!
//! Addresses hold the token, so no error of the HTTP client is ever shown: each becomes words of our own.

use super::outcome::{Failed, receipt, to_be_mended, told, without_token};
use super::render::{Asked, Piece, request, shorter};
use super::{NAME, SHORTER_KEPT_MS};
use crate::answered::below;
use crate::tencent::{done, is_about_the_token};
use crate::{Access, Check, Granted, Keep, Receipt};
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use url::Url;

/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Between the shorter texts of one: in no time they would arrive in another order.
const SHORTER_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    app_id: String,
    secret: SecretString,
    access: Access<Failed>,
    /// The operator was told what keeps the account from sending; it need not be said of each message.
    advised: AtomicBool,
}

#[derive(Deserialize)]
pub(super) struct Answered {
    access_token: Option<String>,
    #[serde(default)]
    expires_in: u64,
    msgid: Option<Value>,
    quota: Option<Quota>,
    #[serde(flatten)]
    pub more: Value,
}

/// Calls of one day.
#[derive(Deserialize)]
struct Quota {
    #[serde(default)]
    daily_limit: i64,
    #[serde(default)]
    used: i64,
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
            advised: AtomicBool::new(false),
        }
    }

    /// The token that holds, the same for all replicas.
    pub(super) async fn token(&self) -> Result<String, Failed> {
        self.access.token(|force| self.stable_token(force)).await
    }

    /// True where another may be had at once.
    pub(super) async fn refused(&self, token: &str) -> bool {
        self.access.refused(token).await
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(super) fn app_id(&self) -> &str {
        &self.app_id
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
            return match self.refused(&token).await {
                true => Receipt::RefreshToken,
                false => Receipt::TryAgain,
            };
        }
        self.advise(&sent);
        receipt(sent.map(|answered| match answered.msgid {
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            _ => String::new(),
        }))
    }

    /// A text that WeChat finds too long, in shorter ones; `None` where it cannot be cut. How many have left is kept under the key, so that a repetition goes on behind them.
    ///
    /// The window counts them as one message; what is one too many WeChat refuses, and it waits for the customer.
    pub(super) async fn send_shorter(
        &self,
        keep: &dyn Keep,
        to: &str,
        text: &str,
        key: &str,
    ) -> Option<Receipt> {
        let texts = shorter(text);
        if texts.len() < 2 {
            return None;
        }
        let Ok(left) = keep.recall(key).await else {
            return Some(Receipt::TryAgain);
        };
        let left = left.and_then(|left| left.parse().ok()).unwrap_or(0);
        let mut receipt = None;
        for (at, text) in texts.into_iter().enumerate().skip(left) {
            if receipt.is_some() {
                tokio::time::sleep(SHORTER_PAUSE).await;
            }
            let piece = Piece::Text(text);
            let Asked::Message(message) = request(to, &piece) else {
                return None;
            };
            let sent = self.send(&message).await;
            if !matches!(sent, Receipt::Sent { .. }) {
                return Some(sent);
            }
            let until_ms = keep.now_ms().saturating_add_unsigned(SHORTER_KEPT_MS);
            // Unkept, it is said twice if the next is refused: better than not at all.
            let _ = keep.remember(key, &(at + 1).to_string(), until_ms).await;
            receipt = Some(sent);
        }
        // All had left before, and the word of it was lost.
        Some(receipt.unwrap_or(Receipt::Sent {
            provider_id: String::new(),
        }))
    }

    /// Once, until a message leaves again.
    fn advise(&self, sent: &Result<Answered, Failed>) {
        match sent {
            Ok(_) => self.advised.store(false, Ordering::Relaxed),
            Err(Failed::Refused { code, .. }) => {
                if let Some(advice) = to_be_mended(*code)
                    && !self.advised.swap(true, Ordering::Relaxed)
                {
                    tracing::error!(
                        channel = NAME,
                        code,
                        advice,
                        "nothing can be sent until this is mended"
                    );
                }
            }
            Err(_) => {}
        }
    }

    /// Whether the account may use the customer-service API, and how much of today's quota is left; no customer is written to.
    pub(super) async fn may_send(&self) -> Check {
        let forbidden = || {
            Check::wrong(
                "the account may not use the customer-service API",
                "have the account verified (微信认证), or set channels.wechat.customer_service to false: the shop then answers inside deliveries",
            )
        };
        let token = match self.token().await {
            Ok(token) => token,
            Err(failed) => {
                let (detail, advice) = told(&failed);
                return Check::wrong(detail, advice);
            }
        };
        let body = json!({"cgi_path": "/cgi-bin/message/custom/send"});
        let path = "cgi-bin/openapi/quota/get";
        match self.post(path, Some(&token), &body).await {
            Ok(Answered {
                quota: Some(Quota { daily_limit, used }),
                ..
            }) => match daily_limit {
                ..=0 => forbidden(),
                limit if used >= limit => Check::wrong(
                    format!("today's {limit} customer-service messages are used up"),
                    "wait for midnight (Beijing), or clear the quota (清空 api 的调用 quota) at developers.weixin.qq.com",
                ),
                limit => Check::fine(format!(
                    "customer-service messages: {used} of {limit} used today"
                )),
            },
            // No permission, said of the API itself and of a path that is asked about.
            Err(Failed::Refused {
                code: 48_001 | 76_022,
                ..
            }) => forbidden(),
            Ok(_) | Err(_) => {
                Check::fine("WeChat does not tell the quota of customer-service messages")
            }
        }
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
        let request = self.http.post(self.url(path, token)).json(body);
        self.answered(request).await
    }

    pub(super) fn url(&self, path: &str, token: Option<&str>) -> Url {
        let mut url = below(&self.base, path);
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("access_token", token);
        }
        url
    }

    pub(super) async fn answered(&self, request: RequestBuilder) -> Result<Answered, Failed> {
        Ok(done(request, ANSWER_BYTES_MAX).await?)
    }
}
