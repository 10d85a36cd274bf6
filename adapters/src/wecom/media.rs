//! Pictures in WeCom's store of temporary media (上传临时素材), which a card shows.

use super::NAME;
use super::client::Api;
use super::outcome::Failed;
use crate::picture::{JPEG, PNG, Store, Taken};
use reqwest::multipart::Form;

/// Pictures of up to 10 MiB, as PNG or JPG, for three days; used up to an hour before.
const TAKEN: Taken = Taken {
    kinds: &[PNG, JPEG],
    bytes_max: 10 * 1024 * 1024,
    kept_ms: (3 * 24 - 1) * 60 * 60 * 1000,
};

impl Store for Api {
    type Failed = Failed;

    fn http(&self) -> &reqwest::Client {
        Self::http(self)
    }

    fn taken(&self) -> &Taken {
        &TAKEN
    }

    fn name(&self) -> String {
        format!("{NAME}:media:{}", self.corp_id())
    }

    async fn upload(&self, form: Form) -> Result<String, Failed> {
        Self::upload(self, form).await
    }

    fn is_busy(failed: &Failed) -> bool {
        matches!(failed, Failed::Busy)
    }
}
