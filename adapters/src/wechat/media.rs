//! Pictures that WeChat shows only from its own store: fetched, uploaded once for all replicas while WeChat keeps them, and named by their content.

use super::NAME;
use super::client::Api;
use super::outcome::{Failed, is_about_the_token, without_token};
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
/// How long its page may take for a picture, and how long it may take to be had in all, from there into WeChat's store: words follow it and do not wait for more.
const FETCHED_MAX: Duration = Duration::from_secs(5);
const HAD_MAX: Duration = Duration::from_secs(8);
/// Uploads of one picture while WeChat is busy, and the rest between two.
const UPLOADS_MAX: usize = 2;
const UPLOAD_REST: Duration = Duration::from_millis(500);
/// What no picture holds in a place of its own.
const BORDER: &str = "tiansheng-7f9c2ba4e88f827d";
/// The medium is not there any more.
const GONE: i64 = 40_007;

/// Why there is no picture.
enum Lacking {
    /// It cannot be had in time, or is none that WeChat takes.
    Picture,
    /// The token was refused; true where another may be had at once.
    Token(bool),
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
        // Without one no words can be said either; with one the picture has its time to itself.
        if let Err(failed) = self.token().await {
            return without_token(&failed);
        }
        let left_out = |reason: &str| Receipt::Permanent {
            reason: reason.to_owned(),
        };
        let had = tokio::time::timeout(HAD_MAX, self.medium(keep, address));
        // The words beside it have been said or are to come; a picture is not worth holding them.
        let (key, id) = match had.await {
            Ok(Ok(medium)) => medium,
            Ok(Err(Lacking::Picture)) => {
                return left_out(
                    "the picture cannot be had in time, or is no PNG, JPEG or GIF of 10 MiB",
                );
            }
            Ok(Err(Lacking::Token(true))) => return Receipt::RefreshToken,
            Ok(Err(Lacking::Token(false))) => return Receipt::TryAgain,
            Ok(Err(Lacking::Upload(Failed::Refused { code, reason }))) => {
                return left_out(&format!("the picture is not taken: {code} {reason}"));
            }
            // Nothing reaches WeChat, the words no more than the picture.
            Ok(Err(Lacking::Upload(Failed::NoConnection))) => return Receipt::TryAgain,
            Ok(Err(Lacking::Upload(Failed::Busy | Failed::NoAnswer))) | Err(_) => {
                return left_out("WeChat does not take the picture in time");
            }
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
        let fetched = tokio::time::timeout(FETCHED_MAX, self.picture(address));
        let fetched = fetched.await.ok().flatten();
        let bytes = fetched.ok_or(Lacking::Picture)?;
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
        let id = self.uploaded(body).await?;
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

    async fn uploaded(&self, body: Vec<u8>) -> Result<String, Lacking> {
        for _ in 1..UPLOADS_MAX {
            match self.upload(body.clone()).await {
                Err(Lacking::Upload(Failed::Busy)) => tokio::time::sleep(UPLOAD_REST).await,
                uploaded => return uploaded,
            }
        }
        self.upload(body).await
    }

    async fn upload(&self, body: Vec<u8>) -> Result<String, Lacking> {
        let token = self.token().await.map_err(Lacking::Upload)?;
        let mut url = self.url("cgi-bin/media/upload", Some(&token));
        url.query_pairs_mut().append_pair("type", "image");
        let form = format!("multipart/form-data; boundary={BORDER}");
        let request = self.http().post(url).header(CONTENT_TYPE, form).body(body);
        let uploaded = self.answered(request).await;
        if let Err(Failed::Refused { code, .. }) = &uploaded
            && is_about_the_token(*code)
        {
            return Err(Lacking::Token(self.refused(&token).await));
        }
        let told: Value = uploaded.map_err(Lacking::Upload)?.more;
        let id = told.get("media_id").and_then(Value::as_str);
        id.map(str::to_owned)
            .ok_or(Lacking::Upload(Failed::NoAnswer))
    }
}
