//! The widget's files, carried inside the binary.

use crate::digest::digest;
use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "widget/"]
struct Widget;

/// One file as it is served.
#[derive(Clone, Debug)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    /// The media type with its charset, `text/javascript; charset=utf-8`.
    pub mime: &'static str,
    /// A weak entity tag with its quotes, because the same file is also sent compressed.
    pub etag: String,
}

impl Asset {
    /// A file from any embedded folder.
    pub fn embedded(name: &str, file: rust_embed::EmbeddedFile) -> Self {
        Self::with_digest(
            file.data,
            mime(name),
            hex::encode(file.metadata.sha256_hash()),
        )
    }

    pub fn new(bytes: Cow<'static, [u8]>, mime: &'static str) -> Self {
        let digest = digest(&bytes);
        Self::with_digest(bytes, mime, digest)
    }

    fn with_digest(bytes: Cow<'static, [u8]>, mime: &'static str, digest: String) -> Self {
        let etag = format!("W/\"{digest}\"");
        Self { bytes, mime, etag }
    }
}

/// A file of the widget by its path inside `widget/`, `widget.js` for instance.
///
/// Only names of embedded files are found, so a path with `..` finds nothing.
pub fn asset(name: &str) -> Option<Asset> {
    Widget::get(name).map(|file| Asset::embedded(name, file))
}

/// The media type by the end of a file's name; what is unknown is bytes.
pub fn mime(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map(|(_, end)| end).unwrap_or("");
    match end.to_ascii_lowercase().as_str() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
