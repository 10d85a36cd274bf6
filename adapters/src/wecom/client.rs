//! The API of WeCom (qyapi.weixin.qq.com): one token for all who ask, and answers up to a length.
//!
//! Addresses hold the token, so no error of the HTTP client is ever shown: each becomes words of our own.

use super::outcome::Failed;
use crate::Keep;
use crate::access::{Access, Granted};
use crate::answered::below;
use crate::tencent::{done, is_about_the_token};
use reqwest::RequestBuilder;
use reqwest::multipart::Form;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Largest answer that is read, in bytes: a page of messages with the longest texts, each character escaped.
pub(super) const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The same where one message alone is longer: it is passed over, and only what stands beside it is taken.
const PASSED_OVER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Messages of one page; of one that is too long to read, a tenth is asked for.
const PAGE: usize = 100;
const PAGE_SHORTER: usize = 10;
/// Accounts of one page of the list, and pages that are read.
const ACCOUNTS_PAGE: usize = 100;
const ACCOUNTS_PAGES_MAX: usize = 10;
/// What came in on an account.
const SYNC: &str = "cgi-bin/kf/sync_msg";

pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    corp_id: String,
    secret: SecretString,
    access: Access<Failed>,
}

#[derive(Deserialize)]
struct Answered<Message = Value> {
    access_token: Option<String>,
    #[serde(default)]
    expires_in: u64,
    #[serde(default)]
    msgid: String,
    media_id: Option<String>,
    #[serde(default)]
    next_cursor: String,
    #[serde(default)]
    has_more: u8,
    #[serde(default)]
    msg_list: Vec<Message>,
    #[serde(default)]
    service_state: u8,
    #[serde(default)]
    servicer_userid: String,
    #[serde(default)]
    account_list: Vec<Account>,
    #[serde(default)]
    servicer_list: Vec<Servicer>,
}

/// A person, or a department, that receives on an account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Servicer {
    /// Empty for a department.
    #[serde(default)]
    pub userid: String,
    /// 0 receives, 1 has stopped.
    #[serde(default)]
    pub status: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Account {
    pub open_kfid: String,
    #[serde(default)]
    pub name: String,
    /// The app may take its conversations and write in them.
    #[serde(default = "managed")]
    pub manage_privilege: bool,
}

/// An answer that does not tell says nothing against it.
fn managed() -> bool {
    true
}

/// One page of what came in on an account.
pub(super) struct Page {
    pub next_cursor: String,
    pub has_more: bool,
    pub messages: Vec<Value>,
    /// Its one message is too long to be read.
    pub is_passed_over: bool,
}

impl Api {
    pub(super) fn new(
        http: reqwest::Client,
        base: Url,
        corp_id: &str,
        secret: SecretString,
        keep: Arc<dyn Keep>,
    ) -> Self {
        Self {
            http,
            base,
            corp_id: corp_id.to_owned(),
            secret,
            access: Access::new(keep, "wecom:token", Failed::NoAnswer),
        }
    }

    pub(super) async fn token(&self) -> Result<String, Failed> {
        self.access.token(|_| self.granted()).await
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(super) fn corp_id(&self) -> &str {
        &self.corp_id
    }

    async fn granted(&self) -> Result<Granted, Failed> {
        let mut url = below(&self.base, "cgi-bin/gettoken");
        url.query_pairs_mut()
            .append_pair("corpid", &self.corp_id)
            .append_pair("corpsecret", self.secret.expose_secret());
        let answered: Answered = done(self.http.get(url), ANSWER_BYTES_MAX).await?;
        let lasts = Duration::from_secs(answered.expires_in);
        answered
            .access_token
            .map(|token| Granted { token, lasts })
            .ok_or(Failed::NoAnswer)
    }

    /// The platform's id of the message.
    pub(super) async fn send(&self, message: &Value) -> Result<String, Failed> {
        let answered = self.asked("cgi-bin/kf/send_msg", message).await?;
        Ok(answered.msgid)
    }

    pub(super) async fn welcome(&self, message: &Value) -> Result<String, Failed> {
        let answered = self.asked("cgi-bin/kf/send_msg_on_event", message).await?;
        Ok(answered.msgid)
    }

    /// As many messages behind the cursor as can be read at once.
    pub(super) async fn page(
        &self,
        account: &str,
        cursor: Option<&str>,
        token: Option<&str>,
    ) -> Result<Page, Failed> {
        let mut limit = PAGE;
        loop {
            let mut body = json!({"open_kfid": account, "limit": limit, "voice_format": 0});
            for (name, value) in [("cursor", cursor), ("token", token)] {
                if let (Some(value), Some(fields)) = (value, body.as_object_mut()) {
                    fields.insert(name.to_owned(), json!(value));
                }
            }
            match self.asked(SYNC, &body).await {
                Err(Failed::TooLong) if limit > 1 => limit /= PAGE_SHORTER,
                Err(Failed::TooLong) => {
                    let passed: Answered<IgnoredAny> = self
                        .asked_within(SYNC, &body, PASSED_OVER_BYTES_MAX)
                        .await?;
                    return Ok(Page {
                        next_cursor: passed.next_cursor,
                        has_more: passed.has_more != 0,
                        messages: Vec::new(),
                        is_passed_over: true,
                    });
                }
                answered => {
                    let answered = answered?;
                    return Ok(Page {
                        next_cursor: answered.next_cursor,
                        has_more: answered.has_more != 0,
                        messages: answered.msg_list,
                        is_passed_over: false,
                    });
                }
            }
        }
    }

    /// In which state a conversation is, and who at WeCom's desk has it.
    pub(super) async fn state(&self, account: &str, user: &str) -> Result<(u8, String), Failed> {
        let body = json!({"open_kfid": account, "external_userid": user});
        let answered = self.asked("cgi-bin/kf/service_state/get", &body).await?;
        Ok((answered.service_state, answered.servicer_userid))
    }

    pub(super) async fn move_to(&self, account: &str, user: &str, state: u8) -> Result<(), Failed> {
        let body = json!({
            "open_kfid": account, "external_userid": user, "service_state": state,
        });
        self.asked("cgi-bin/kf/service_state/trans", &body).await?;
        Ok(())
    }

    /// Who receives on an account (获取接待人员列表).
    pub(super) async fn servicers(&self, account: &str) -> Result<Vec<Servicer>, Failed> {
        let request = |mut url: Url| {
            url.query_pairs_mut().append_pair("open_kfid", account);
            self.http.get(url)
        };
        let answered: Answered = self
            .with_token("cgi-bin/kf/servicer/list", request, ANSWER_BYTES_MAX)
            .await?;
        Ok(answered.servicer_list)
    }

    pub(super) async fn accounts(&self) -> Result<Vec<Account>, Failed> {
        let mut all = Vec::new();
        for page in 0..ACCOUNTS_PAGES_MAX {
            let body = json!({"offset": page * ACCOUNTS_PAGE, "limit": ACCOUNTS_PAGE});
            let found = self.asked("cgi-bin/kf/account/list", &body).await?;
            let is_last = found.account_list.len() < ACCOUNTS_PAGE;
            all.extend(found.account_list);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The id of a picture that was uploaded.
    pub(super) async fn upload(&self, form: Form) -> Result<String, Failed> {
        let request = |mut url: Url| {
            url.query_pairs_mut().append_pair("type", "image");
            self.http.post(url).multipart(form)
        };
        let uploaded: Answered = self
            .with_token("cgi-bin/media/upload", request, ANSWER_BYTES_MAX)
            .await?;
        uploaded.media_id.ok_or(Failed::NoAnswer)
    }

    async fn asked(&self, path: &str, body: &Value) -> Result<Answered, Failed> {
        self.asked_within(path, body, ANSWER_BYTES_MAX).await
    }

    async fn asked_within<Message>(
        &self,
        path: &str,
        body: &Value,
        bytes_max: usize,
    ) -> Result<Answered<Message>, Failed>
    where
        Message: DeserializeOwned + Default,
    {
        let request = |url| self.http.post(url).json(body);
        self.with_token(path, request, bytes_max).await
    }

    async fn with_token<Message>(
        &self,
        path: &str,
        request: impl FnOnce(Url) -> RequestBuilder,
        bytes_max: usize,
    ) -> Result<Answered<Message>, Failed>
    where
        Message: DeserializeOwned + Default,
    {
        let token = self.token().await;
        let token = token.map_err(|failed| Failed::NoToken(Box::new(failed)))?;
        let mut url = below(&self.base, path);
        url.query_pairs_mut().append_pair("access_token", &token);
        match done(request(url), bytes_max).await.map_err(Failed::from) {
            Err(Failed::Refused { code, reason }) if is_about_the_token(code) => {
                match self.access.refused(&token).await {
                    true => Err(Failed::TokenOver),
                    false => Err(Failed::NoToken(Box::new(Failed::Refused { code, reason }))),
                }
            }
            answered => answered,
        }
    }
}
