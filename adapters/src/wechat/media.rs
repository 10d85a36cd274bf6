//! Pictures that WeChat shows only from its own store: fetched, uploaded once for all replicas while WeChat keeps them, and named by their content.

use super::NAME;
use super::client::Api;
use super::outcome::{Failed, is_about_the_token};
use crate::{Keep, Receipt};
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Largest picture, in bytes (新增临时素材: 图片 10M, PNG, JPEG, JPG, GIF).
const PICTURE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// A temporary medium is kept for three days; used up to an hour before, milliseconds.
const KEPT_MS: u64 = (3 * 24 - 1) * 60 * 60 * 1000;
/// How long a picture may take to be had, from its page into WeChat's store.
const HAD_MAX: Duration = Duration::from_secs(8);
/// What no picture holds in a place of its own.
const BORDER: &str = "tiansheng-7f9c2ba4e88f827d";
/// The medium is not there any more.
const GONE: i64 = 40_007;

/// Why there is no picture.
enum Lacking {
    /// It cannot be had, or is none that WeChat takes.
    Picture,
    Upload(Failed),
}

/// The first bytes of what WeChat takes, with its name's ending and type.
fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const KINDS: [(&[u8], &str, &str); 3] = [
        (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
        (b"\xff\xd8\xff", "jpg", "image/jpeg"),
        (b"GIF8", "gif", "image/gif"),
    ];
    KINDS
        .iter()
        .find(|(first, _, _)| bytes.starts_with(first))
        .map(|(_, ending, kind)| (*ending, *kind))
}

impl Api {
    /// Sends a picture by its address.
    pub(super) async fn send_picture(
        &self,
        keep: &Arc<dyn Keep>,
        to: &str,
        address: &str,
    ) -> Receipt {
        let had = tokio::time::timeout(HAD_MAX, self.medium(keep, address));
        let (key, id) = match had.await {
            Ok(Ok(medium)) => medium,
            // The words beside it have been said or are to come; a picture is not worth holding them.
            Ok(Err(Lacking::Picture)) => {
                return Receipt::Permanent {
                    reason: "the picture cannot be had, or is no PNG, JPEG or GIF of 10 MiB"
                        .to_owned(),
                };
            }
            Ok(Err(Lacking::Upload(Failed::Refused { code, reason }))) => {
                return match is_about_the_token(code) {
                    true => Receipt::RefreshToken,
                    false => Receipt::Permanent {
                        reason: format!("the picture is not taken: {code} {reason}"),
                    },
                };
            }
            Ok(Err(Lacking::Upload(_))) | Err(_) => return Receipt::TryAgain,
        };
        let message = json!({"touser": to, "msgtype": "image", "image": {"media_id": id}});
        match self.send(&message).await {
            Receipt::Permanent { reason } if reason.starts_with(&GONE.to_string()) => {
                // Uploaded again, where the store takes the note.
                let _ = keep.remember(&key, "", keep.now_ms()).await;
                Receipt::TryAgain
            }
            receipt => receipt,
        }
    }

    /// Under which fact a picture's medium is kept, and its id.
    async fn medium(
        &self,
        keep: &Arc<dyn Keep>,
        address: &str,
    ) -> Result<(String, String), Lacking> {
        let bytes = self.picture(address).await.ok_or(Lacking::Picture)?;
        let (ending, kind) = kind(&bytes).ok_or(Lacking::Picture)?;
        let mut name = String::new();
        for byte in Sha256::digest(&bytes) {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        let key = format!("{NAME}:media:{}:{name}", self.app_id());
        if let Ok(Some(id)) = keep.recall(&key).await
            && !id.is_empty()
        {
            return Ok((key, id));
        }
        let mut body = format!(
            "--{BORDER}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{name}.{ending}\"\r\nContent-Type: {kind}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(&bytes);
        body.extend_from_slice(format!("\r\n--{BORDER}--\r\n").as_bytes());
        let id = self.upload(body).await.map_err(Lacking::Upload)?;
        let until_ms = keep.now_ms().saturating_add_unsigned(KEPT_MS);
        // Unkept, it is uploaded again next time.
        let _ = keep.remember(&key, &id, until_ms).await;
        Ok((key, id))
    }

    async fn picture(&self, address: &str) -> Option<Vec<u8>> {
        let url = Url::parse(address).ok()?;
        let mut response = self.http().get(url).send().await.ok()?;
        if response.status() != StatusCode::OK {
            return None;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if bytes.len() + chunk.len() > PICTURE_BYTES_MAX {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        Some(bytes)
    }

    async fn upload(&self, body: Vec<u8>) -> Result<String, Failed> {
        let token = self.token().await?;
        let mut url = self.url("cgi-bin/media/upload", Some(&token));
        url.query_pairs_mut().append_pair("type", "image");
        let form = format!("multipart/form-data; boundary={BORDER}");
        let request = self.http().post(url).header(CONTENT_TYPE, form).body(body);
        let uploaded = self.answered(request).await;
        if let Err(Failed::Refused { code, .. }) = &uploaded
            && is_about_the_token(*code)
        {
            self.refused(&token).await;
        }
        let told: Value = uploaded?.more;
        let id = told.get("media_id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or(Failed::NoAnswer)
    }
}
