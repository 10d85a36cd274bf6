//! Pictures in an official account's store of temporary media (新增临时素材).

use super::NAME;
use super::client::Api;
use super::outcome::{Failed, without_token};
use crate::picture::{self, GIF, JPEG, Lacking, PNG, Store, Taken};
use crate::tencent::is_about_the_token;
use crate::{Keep, Receipt};
use reqwest::multipart::Form;
use serde_json::{Value, json};

/// Pictures of up to 10 MiB, as PNG, JPG or GIF, for three days; used up to an hour before.
const TAKEN: Taken = Taken {
    kinds: &[PNG, JPEG, GIF],
    bytes_max: 10 * 1024 * 1024,
    kept_ms: (3 * 24 - 1) * 60 * 60 * 1000,
};
/// The medium is not there any more.
const GONE: i64 = 40_007;

/// Why a picture was not taken.
pub(super) enum Untaken {
    /// The token was refused; true where another may be had at once.
    Token(bool),
    Failed(Failed),
}

impl Store for Api {
    type Failed = Untaken;

    fn http(&self) -> &reqwest::Client {
        Self::http(self)
    }

    fn taken(&self) -> &Taken {
        &TAKEN
    }

    fn name(&self) -> String {
        format!("{NAME}:media:{}", self.app_id())
    }

    async fn upload(&self, form: Form) -> Result<String, Untaken> {
        let token = self.token().await.map_err(Untaken::Failed)?;
        let mut url = self.url("cgi-bin/media/upload", Some(&token));
        url.query_pairs_mut().append_pair("type", "image");
        let uploaded = self.answered(Self::http(self).post(url).multipart(form));
        let uploaded = uploaded.await;
        if let Err(Failed::Refused { code, .. }) = &uploaded
            && is_about_the_token(*code)
        {
            return Err(Untaken::Token(self.refused(&token).await));
        }
        let told: Value = uploaded.map_err(Untaken::Failed)?.more;
        let id = told.get("media_id").and_then(Value::as_str);
        id.map(str::to_owned)
            .ok_or(Untaken::Failed(Failed::NoAnswer))
    }

    fn is_busy(failed: &Untaken) -> bool {
        matches!(failed, Untaken::Failed(Failed::Busy))
    }
}

impl Api {
    /// Sends a picture by its address.
    pub(super) async fn send_picture(&self, keep: &dyn Keep, to: &str, address: &str) -> Receipt {
        // Without one no words can be said either; with one the picture has its time to itself.
        if let Err(failed) = self.token().await {
            return without_token(&failed);
        }
        let left_out = |reason: &str| Receipt::Permanent {
            reason: reason.to_owned(),
        };
        // The words beside it have been said or are to come; a picture is not worth holding them.
        let medium = match picture::had(self, keep, address).await {
            Ok(medium) => medium,
            Err(Lacking::Picture) => {
                return left_out(
                    "the picture cannot be had in time, or is no PNG, JPEG or GIF of 10 MiB",
                );
            }
            Err(Lacking::Upload(Untaken::Token(true))) => return Receipt::RefreshToken,
            Err(Lacking::Upload(Untaken::Token(false))) => return Receipt::TryAgain,
            Err(Lacking::Upload(Untaken::Failed(Failed::Refused { code, reason }))) => {
                return left_out(&format!("the picture is not taken: {code} {reason}"));
            }
            // Nothing reaches WeChat, the words no more than the picture.
            Err(Lacking::Upload(Untaken::Failed(Failed::NoConnection))) => {
                return Receipt::TryAgain;
            }
            Err(Lacking::Late | Lacking::Upload(Untaken::Failed(_))) => {
                return left_out("WeChat does not take the picture in time");
            }
        };
        let message = json!({"touser": to, "msgtype": "image", "image": {"media_id": medium.id}});
        match self.send(&message).await {
            Receipt::Permanent { reason }
                if !medium.is_fresh && reason.starts_with(&GONE.to_string()) =>
            {
                picture::forget(keep, &medium).await;
                Receipt::TryAgain
            }
            receipt => receipt,
        }
    }
}
