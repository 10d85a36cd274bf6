//! Asking a platform over HTTP: its answer up to a length, and what it means that there is none.
//!
//! Addresses and headers hold tokens, so no error of the HTTP client is ever shown.

use reqwest::{RequestBuilder, Response};
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Nothing can have been written.
    NoConnection,
    /// It may have been done.
    NoAnswer,
    /// The answer is longer than what is read of one; it may have been done.
    TooLong,
}

/// Its head; what the answer says is read by [`whole`], where it is needed.
pub(crate) async fn answered(request: RequestBuilder) -> Result<Response, Unanswered> {
    let sent = request.send().await;
    sent.map_err(|error| match error.is_connect() {
        true => Unanswered::NoConnection,
        false => Unanswered::NoAnswer,
    })
}

pub(crate) async fn whole(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, Unanswered> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Unanswered::NoAnswer)? {
        if bytes.len().saturating_add(chunk.len()) > bytes_max {
            return Err(Unanswered::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A path below the address of an API, which may have a path of its own.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let root = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{root}/{path}"));
    url
}
