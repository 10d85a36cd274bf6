//! Request bodies: their size and kind are looked at before a byte is read.

use super::problem::{Kind, Problem};
use axum::body::Body;
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use std::time::Duration;

/// Largest request body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take to arrive, in milliseconds.
pub const BODY_MS_MAX: u64 = 10_000;

/// A JSON body's bytes; an absent body is empty, whatever its type.
pub(super) async fn read_json(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let bytes = read_bytes(headers, body, BODY_BYTES_MAX).await?;
    if !bytes.is_empty() && !is_json(headers) {
        return Err(Problem::new(
            Kind::UnsupportedMedia,
            "the body must be sent as application/json",
        )
        .field("Content-Type"));
    }
    Ok(bytes)
}

/// A body's bytes of any type, up to a size.
pub(super) async fn read_bytes(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<Vec<u8>, Problem> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large(bytes_max));
    }
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes() != b"identity")
    {
        return Err(Problem::new(
            Kind::UnsupportedMedia,
            "a compressed body is not taken; send it plain",
        )
        .field("Content-Encoding"));
    }
    tokio::time::timeout(Duration::from_millis(BODY_MS_MAX), collect(body, bytes_max))
        .await
        .map_err(|_| {
            Problem::new(
                Kind::TooSlow,
                format!("the body must arrive within {BODY_MS_MAX} ms"),
            )
        })?
}

async fn collect(body: Body, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|_| Problem::new(Kind::Malformed, "the body broke off in transit"))?;
        if bytes.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("a body has at most {bytes_max} bytes"),
    )
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "application/json"
}
