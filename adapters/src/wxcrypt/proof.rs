//! Whether it was WeChat that sent a request, and its words in the clear.

use super::crypto::{Key, is_signed};
use super::xml::Document;
use crate::digest::digest;
use crate::{Delivered, Keep, Refused, Unkept};
use secrecy::{ExposeSecret as _, SecretString};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How far the clock of a delivery may be from ours, milliseconds: older ones are recordings.
const SKEW_MS: u64 = 5 * 60 * 1000;

/// How long it is known what came with a signature, milliseconds: one from a clock that is ahead is taken so long, and replicas' clocks may differ as much again.
const SIGNATURE_KEPT_MS: u64 = 3 * SKEW_MS;

/// What the account and WeChat share.
pub(crate) struct Shared {
    pub token: SecretString,
    /// The account's key and the one before; none where deliveries come in plain text.
    pub keys: Vec<Key>,
}

/// The parts of a delivery's query, by name.
pub(crate) type Query<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;

/// A request that was proved, with its words in the clear.
pub(crate) struct Opened<'a> {
    pub document: Document,
    /// Which key it was written with.
    pub key: Option<usize>,
    pub query: Query<'a>,
}

impl Shared {
    /// A delivery to an official account is signed over our token and its own time; what lies within is proved by a second signature.
    pub(crate) fn proved<'a>(&self, request: &Delivered<'a>) -> Result<Query<'a>, Refused> {
        let query = query(request);
        let (timestamp, nonce) = (given(&query, "timestamp"), given(&query, "nonce"));
        let token = self.token.expose_secret();
        if !is_signed(&[token, timestamp, nonce], given(&query, "signature")) {
            return Err(Refused::Forged);
        }
        is_recent(&query, request.now_ms)
            .then_some(query)
            .ok_or(Refused::Forged)
    }

    pub(crate) fn opened<'a>(&self, request: &Delivered<'a>) -> Result<Opened<'a>, Refused> {
        let query = self.proved(request)?;
        let document = document(request)?;
        let encrypted = document.get("Encrypt").map(str::trim);
        if self.keys.is_empty() {
            if document.get("MsgType").is_none() && encrypted.is_some() {
                return Err(malformed(
                    "it is encrypted, and channels.wechat.aes_key is not set".to_owned(),
                ));
            }
            return Ok(Opened {
                document,
                key: None,
                query,
            });
        }
        // The words of a plain delivery are not signed, so whoever has seen one address could write their own.
        let encrypted = encrypted.ok_or(Refused::Forged)?;
        let (key, text) = self.decrypted(&query, encrypted)?;
        Ok(Opened {
            document: Document::read(&text).map_err(malformed)?,
            key: Some(key),
            query,
        })
    }

    /// Whether nothing else has come with the signature of a plain delivery that was proved, to any replica: it covers a time and a number but not the words. WeChat repeats what it got no answer for, word for word.
    pub(crate) async fn are_the_first(
        &self,
        request: &Delivered<'_>,
        keep: &dyn Keep,
    ) -> Result<bool, Unkept> {
        let query = query(request);
        let key = format!("wechat:signed:{}", given(&query, "signature"));
        let words = digest(request.body);
        let until_ms = request.now_ms.saturating_add_unsigned(SIGNATURE_KEPT_MS);
        keep.keep_first(&key, &words, until_ms).await
    }

    /// What WeCom delivers: its only signature is over the encrypted words.
    pub(crate) fn sealed(&self, request: &Delivered<'_>) -> Result<Document, Refused> {
        let query = query(request);
        // Before the body is read: without these it is not WeCom's.
        if given(&query, "msg_signature").is_empty() || !is_recent(&query, request.now_ms) {
            return Err(Refused::Forged);
        }
        let document = document(request)?;
        let encrypted = document.get("Encrypt").ok_or(Refused::Forged)?;
        let (_, text) = self.decrypted(&query, encrypted.trim())?;
        Document::read(&text).map_err(malformed)
    }

    /// The words that WeCom wants back to believe that the address is ours.
    pub(crate) fn echo(&self, request: &Delivered<'_>) -> Result<String, Refused> {
        let query = query(request);
        if !is_recent(&query, request.now_ms) {
            return Err(Refused::Forged);
        }
        let (_, text) = self.decrypted(&query, given(&query, "echostr"))?;
        Ok(text)
    }

    /// Words whose signature is right, and the key they were written with.
    fn decrypted(&self, query: &Query<'_>, encrypted: &str) -> Result<(usize, String), Refused> {
        let words = [
            self.token.expose_secret(),
            given(query, "timestamp"),
            given(query, "nonce"),
            encrypted,
        ];
        if !is_signed(&words, given(query, "msg_signature")) {
            return Err(Refused::Forged);
        }
        let mut keys = self.keys.iter().enumerate();
        keys.find_map(|(at, key)| Some((at, key.decrypt(encrypted)?)))
            .ok_or(Refused::Sealed)
    }
}

fn query<'a>(request: &Delivered<'a>) -> Query<'a> {
    url::form_urlencoded::parse(request.query.as_bytes()).collect()
}

fn document(request: &Delivered<'_>) -> Result<Document, Refused> {
    let body = std::str::from_utf8(request.body)
        .map_err(|_| malformed("the body is not UTF-8".to_owned()))?;
    Document::read(body).map_err(malformed)
}

fn malformed(what: String) -> Refused {
    Refused::Malformed { what }
}

/// An older delivery is a recording.
fn is_recent(query: &Query<'_>, now_ms: i64) -> bool {
    let sent_at_ms = given(query, "timestamp")
        .parse::<i64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(1000));
    sent_at_ms.is_some_and(|at_ms| at_ms.abs_diff(now_ms) <= SKEW_MS)
}

pub(crate) fn given<'q>(query: &'q Query<'_>, name: &str) -> &'q str {
    query.get(name).map(|value| &**value).unwrap_or_default()
}
