//! Pictures that a platform shows only from its own store: fetched from where the shop has them, uploaded once for all replicas while the platform keeps them, and named by their content.

use crate::Keep;
use crate::answered::{answered, whole};
use crate::digest::digest;
use crate::render::public_url;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use std::future::Future;
use std::time::Duration;

/// How long its page may take for a picture, and how long it may take to be had in all, from there into the platform's store: words follow it and do not wait for more.
const FETCHED_MAX: Duration = Duration::from_secs(5);
const HAD_MAX: Duration = Duration::from_secs(8);
/// Uploads of one picture while the platform is busy, and the rest between two.
const UPLOADS_MAX: usize = 2;
const UPLOAD_REST: Duration = Duration::from_millis(500);

/// A form of pictures: its first bytes, its name's ending and its type.
pub(crate) type Kind = (&'static [u8], &'static str, &'static str);
pub(crate) const PNG: Kind = (b"\x89PNG\r\n\x1a\n", "png", "image/png");
pub(crate) const JPEG: Kind = (b"\xff\xd8\xff", "jpg", "image/jpeg");
pub(crate) const GIF: Kind = (b"GIF8", "gif", "image/gif");

/// What a platform's store takes, and for how long it keeps it.
pub(crate) struct Taken {
    pub kinds: &'static [Kind],
    pub bytes_max: usize,
    pub kept_ms: u64,
}

/// A platform's own store of pictures.
pub(crate) trait Store: Sync {
    type Failed: Send;

    fn http(&self) -> &reqwest::Client;

    fn taken(&self) -> &Taken;

    /// What the names of its pictures begin with, among all that replicas share.
    fn name(&self) -> String;

    /// The id of what was uploaded.
    fn upload(&self, form: Form) -> impl Future<Output = Result<String, Self::Failed>> + Send;

    /// Whether the same may work a moment later.
    fn is_busy(failed: &Self::Failed) -> bool;
}

/// A picture in a platform's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Medium {
    pub id: String,
    /// The fact under which it is kept.
    key: String,
    /// Uploaded just now, so uploading it again would change nothing.
    pub is_fresh: bool,
}

/// Why there is no picture.
#[derive(Debug)]
pub(crate) enum Lacking<E> {
    /// It cannot be had in time, or is none that the platform takes.
    Picture,
    /// The platform did not take it in time.
    Late,
    Upload(E),
}

/// The picture at an address, in the platform's store.
pub(crate) async fn had<S: Store>(
    store: &S,
    keep: &dyn Keep,
    address: &str,
) -> Result<Medium, Lacking<S::Failed>> {
    let medium = tokio::time::timeout(HAD_MAX, medium(store, keep, address));
    medium.await.unwrap_or(Err(Lacking::Late))
}

/// The platform does not have it any more: whoever needs it next uploads it again, where the replicas' store takes the note.
pub(crate) async fn forget(keep: &dyn Keep, medium: &Medium) {
    let _ = keep.remember(&medium.key, "", keep.now_ms()).await;
}

async fn medium<S: Store>(
    store: &S,
    keep: &dyn Keep,
    address: &str,
) -> Result<Medium, Lacking<S::Failed>> {
    let taken = store.taken();
    let fetched = fetched(store.http(), address, taken.bytes_max);
    let fetched = tokio::time::timeout(FETCHED_MAX, fetched).await;
    let bytes = fetched.ok().flatten().ok_or(Lacking::Picture)?;
    let mut kinds = taken.kinds.iter();
    let kind = kinds.find(|(first, ..)| bytes.starts_with(first));
    let (_, ending, mime) = kind.ok_or(Lacking::Picture)?;
    let name = digest(&bytes);
    let key = format!("{}:{name}", store.name());
    if let Ok(Some(id)) = keep.recall(&key).await
        && !id.is_empty()
    {
        return Ok(Medium {
            id,
            key,
            is_fresh: false,
        });
    }
    let file = format!("{name}.{ending}");
    let form = || {
        let part = Part::bytes(bytes.clone()).file_name(file.clone());
        let part = part.mime_str(mime).map_err(|_| Lacking::Picture)?;
        Ok(Form::new().part("media", part))
    };
    let id = uploaded(store, form).await?;
    let until_ms = keep.now_ms().saturating_add_unsigned(taken.kept_ms);
    // Unkept, it is uploaded again next time.
    let _ = keep.remember(&key, &id, until_ms).await;
    Ok(Medium {
        id,
        key,
        is_fresh: true,
    })
}

async fn uploaded<S: Store>(
    store: &S,
    form: impl Fn() -> Result<Form, Lacking<S::Failed>>,
) -> Result<String, Lacking<S::Failed>> {
    for _ in 1..UPLOADS_MAX {
        match store.upload(form()?).await {
            Err(failed) if S::is_busy(&failed) => tokio::time::sleep(UPLOAD_REST).await,
            uploaded => return uploaded.map_err(Lacking::Upload),
        }
    }
    store.upload(form()?).await.map_err(Lacking::Upload)
}

async fn fetched(http: &reqwest::Client, address: &str, bytes_max: usize) -> Option<Vec<u8>> {
    let request = http.get(public_url(address)?);
    let response = answered(request).await.ok()?;
    match response.status() {
        StatusCode::OK => whole(response, bytes_max).await.ok(),
        _ => None,
    }
}
