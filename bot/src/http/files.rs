//! Files of the widget, the pages and the shop, with their caching and their headers.

use super::problem::{Kind, Problem};
use super::{PagePolicy, Shared};
use adapters::web::{Asset, asset};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cards that `/v1/web/products` lists when the page does not say how many.
const PRODUCTS_DEFAULT: usize = 12;
/// Most cards in one list.
pub const PRODUCTS_MAX: usize = 48;
/// Longest path of a shop image, in bytes.
const IMAGE_PATH_BYTES_MAX: usize = 300;

const WIDGET_CACHE: &str = "public, max-age=300";
const PAGE_CACHE: &str = "no-cache";
const IMAGE_CACHE: &str = "public, max-age=3600";
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The rest of a path; not every percent-encoding is text.
type Asked = Result<Path<String>, PathRejection>;

#[derive(RustEmbed)]
#[folder = "pages/"]
struct Pages;

/// `GET /`: the demo shop's page with the widget, or a short page that says where things are.
pub(super) async fn home(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = if shared.served.front().demo {
        "demo.html"
    } else {
        "index.html"
    };
    page_named(&headers, name)
}

/// `GET /pages/{path}`.
pub(super) async fn page(headers: HeaderMap, path: Asked) -> Result<Response, Problem> {
    page_named(&headers, &asked(path)?)
}

fn page_named(headers: &HeaderMap, name: &str) -> Result<Response, Problem> {
    let file = Pages::get(name).ok_or_else(not_found)?;
    let mut response = serve(headers, Asset::embedded(name, file), PAGE_CACHE);
    response.extensions_mut().insert(PagePolicy);
    Ok(response)
}

/// `GET /widget.js`.
pub(super) async fn widget_script(headers: HeaderMap) -> Result<Response, Problem> {
    widget_named(&headers, "widget.js")
}

/// `GET /widget/{path}`.
pub(super) async fn widget(headers: HeaderMap, path: Asked) -> Result<Response, Problem> {
    widget_named(&headers, &asked(path)?)
}

fn widget_named(headers: &HeaderMap, name: &str) -> Result<Response, Problem> {
    let file = asset(name).ok_or_else(not_found)?;
    let mut response = serve(headers, file, WIDGET_CACHE);
    for_any_site(response.headers_mut());
    Ok(response)
}

/// `GET /shop/images/{path}`.
pub(super) async fn image(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    path: Asked,
) -> Result<Response, Problem> {
    let path = asked(path)?;
    let plain = path.len() <= IMAGE_PATH_BYTES_MAX
        && !path.contains(['\\', ':'])
        && !path.chars().any(char::is_control)
        && path
            .split('/')
            .all(|step| !step.is_empty() && !step.starts_with('.'));
    if !plain {
        return Err(not_found());
    }
    let image = (shared.served.front().images)(&path).ok_or_else(not_found)?;
    let file = Asset::new(image.bytes, image.mime);
    let mut response = serve(&headers, file, IMAGE_CACHE);
    let headers = response.headers_mut();
    for_any_site(headers);
    // An SVG opened by itself is a document; it must not run anything.
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    );
    Ok(response)
}

/// `GET /v1/web/config`: what the widget and the demo page show before the first message.
pub(super) async fn config(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let storefront = shared.served.front();
    json(
        &headers,
        &Facts {
            name: &storefront.name,
            languages: &storefront.languages,
            disclosure: &storefront.disclosure,
            greeting: &storefront.greeting,
            suggestions: &storefront.suggestions,
            demo: storefront.demo,
            text_chars_max: adapters::web::TEXT_CHARS_MAX,
        },
    )
}

#[derive(Serialize)]
struct Facts<'a> {
    name: &'a BTreeMap<String, String>,
    languages: &'a [String],
    disclosure: &'a BTreeMap<String, String>,
    greeting: &'a BTreeMap<String, String>,
    suggestions: &'a BTreeMap<String, Vec<String>>,
    demo: bool,
    text_chars_max: usize,
}

#[derive(Deserialize)]
pub(super) struct Listing {
    limit: Option<String>,
    language: Option<String>,
}

/// `GET /v1/web/products?limit=&language=`.
pub(super) async fn products(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(listing) =
        listing.map_err(|refused| Problem::new(Kind::Malformed, refused.body_text()))?;
    let limit = match listing.limit.as_deref() {
        None => PRODUCTS_DEFAULT,
        Some(text) => match text.parse() {
            Ok(limit @ 1..=PRODUCTS_MAX) => limit,
            Ok(_) | Err(_) => {
                let detail = format!("`limit` is a number from 1 to {PRODUCTS_MAX}");
                return Err(Problem::new(Kind::Invalid, detail).field("limit"));
            }
        },
    };
    let storefront = shared.served.front();
    let asked = listing.language.unwrap_or_default();
    let language = storefront
        .languages
        .iter()
        .find(|language| {
            let primary = asked.split('-').next().unwrap_or_default();
            primary.eq_ignore_ascii_case(language)
        })
        .or(storefront.languages.first())
        .map(String::as_str)
        .unwrap_or_default();
    let products = (storefront.products)(language, limit);
    Ok(json(&headers, &serde_json::json!({ "products": products })))
}

fn json<T: Serialize>(headers: &HeaderMap, value: &T) -> Response {
    let Ok(bytes) = serde_json::to_vec(value) else {
        return Problem::new(Kind::Internal, "this has no JSON form").into_response();
    };
    serve(
        headers,
        Asset::new(Cow::Owned(bytes), "application/json"),
        PAGE_CACHE,
    )
}

fn serve(asked: &HeaderMap, file: Asset, cache: &'static str) -> Response {
    let known = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == file.etag || tag.trim() == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = file.bytes.into_response();
        let mime = HeaderValue::from_static(file.mime);
        response.headers_mut().insert(CONTENT_TYPE, mime);
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        headers.insert(ETAG, etag);
    }
    response
}

/// These are loaded by the shop's own site, which is another origin.
fn for_any_site(headers: &mut HeaderMap) {
    headers.insert(
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("cross-origin"),
    );
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

fn asked(path: Asked) -> Result<String, Problem> {
    path.map(|Path(path)| path).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "no such file")
}
