//! A visitor's session: a random token that only its holder knows, and the conversation it opens.

use super::Shared;
use super::body::read_json;
use super::limits::client;
use super::problem::{Kind, Problem};
use crate::telemetry::metrics::WEB_SESSIONS_OPENED;
use adapters::Address;
use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// How long an unused session is kept, in milliseconds.
pub const SESSION_MS: i64 = 90 * DAY_MS;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const TOKEN_BYTES: usize = 32;
/// 32 bytes in base64url without padding.
const TOKEN_CHARS: usize = 43;
const SITE_CHARS_MAX: usize = 200;
/// As in BCP 47's own recommendation for buffers.
const LANGUAGE_CHARS_MAX: usize = 35;

/// What a token stands for; stored under the token's hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub version: u32,
    pub conversation: Address,
    pub until_ms: i64,
    /// What the page said of itself, `data-site`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The page's language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// `POST /v1/web/sessions`.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let from = client(&parts, shared.settings.web.trust_forwarded);
    let now_ms = (shared.now_ms)();
    let state = shared.state.as_ref();
    shared.limits.sessions.check(&from, state, now_ms).await?;
    let asked = read_opening(&parts.headers, body).await?;
    let token = new_token()?;
    let place = uuid::Uuid::new_v4().simple().to_string();
    let conversation = Address::new(adapters::web::NAME, &place)
        .map_err(|_| Problem::new(Kind::Internal, "no conversation could be named"))?;
    let until_ms = (shared.now_ms)().saturating_add(SESSION_MS);
    let session = Session {
        version: 1,
        conversation,
        until_ms,
        site: asked.site,
        language: asked.language,
    };
    keep(&shared, key(&token), &session).await?;
    metrics::counter!(WEB_SESSIONS_OPENED).increment(1);
    let opened = Opened {
        token: &token,
        conversation: session.conversation.as_str(),
    };
    let mut response = (StatusCode::CREATED, Json(opened)).into_response();
    super::no_store(&mut response);
    Ok(response)
}

#[derive(Serialize)]
struct Opened<'a> {
    token: &'a str,
    conversation: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    #[serde(default)]
    site: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

async fn read_opening(headers: &HeaderMap, body: Body) -> Result<Opening, Problem> {
    let bytes = read_json(headers, body).await?;
    if bytes.is_empty() {
        return Ok(Opening::default());
    }
    let opening: Opening = serde_json::from_slice(&bytes).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Data => Kind::Invalid,
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => Kind::Malformed,
        };
        Problem::new(
            kind,
            format!("the body is nothing, or {{\"site\", \"language\"}}: {error}"),
        )
    })?;
    if let Some(site) = &opening.site
        && (site.chars().count() > SITE_CHARS_MAX || site.chars().any(char::is_control))
    {
        let detail = format!("`site` is at most {SITE_CHARS_MAX} printable characters");
        return Err(Problem::new(Kind::Invalid, detail).field("site"));
    }
    let is_tag = |tag: &str| {
        tag.len() <= LANGUAGE_CHARS_MAX
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if let Some(language) = &opening.language
        && !is_tag(language)
    {
        let detail = "`language` is a language tag such as zh-CN or en";
        return Err(Problem::new(Kind::Invalid, detail).field("language"));
    }
    Ok(opening)
}

/// The session that a request's token opens; its end is put off at most once a day.
pub(super) async fn of_request(shared: &Shared, parts: &Parts) -> Result<Session, Problem> {
    let refused = |detail: &'static str| async move {
        let from = client(parts, shared.settings.web.trust_forwarded);
        let (state, now_ms) = (shared.state.as_ref(), (shared.now_ms)());
        match shared.limits.strangers.check(&from, state, now_ms).await {
            Ok(()) => Problem::new(Kind::Unauthorized, detail),
            Err(problem) => problem,
        }
    };
    let Some(token) = bearer(&parts.headers) else {
        return Err(refused("send `Authorization: Bearer TOKEN` of POST /v1/web/sessions").await);
    };
    let now_ms = (shared.now_ms)();
    let key = key(token);
    let Some(stored) = super::bounded(shared.state.recall(&key, now_ms)).await? else {
        let unknown =
            "the token is unknown or has ended; open a session with POST /v1/web/sessions";
        return Err(refused(unknown).await);
    };
    let mut session: Session = serde_json::from_str(&stored).map_err(|_| {
        tracing::error!("a stored web session cannot be read");
        Problem::new(Kind::Internal, "what is stored cannot be read")
    })?;
    if session.until_ms.saturating_sub(now_ms) < SESSION_MS - DAY_MS {
        session.until_ms = now_ms.saturating_add(SESSION_MS);
        keep(shared, key, &session).await?;
    }
    Ok(session)
}

async fn keep(shared: &Shared, key: String, session: &Session) -> Result<(), Problem> {
    let value = serde_json::to_string(session)
        .map_err(|_| Problem::new(Kind::Internal, "the session has no stored form"))?;
    super::bounded(shared.state.remember(&key, &value, session.until_ms)).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let is_token = token.len() == TOKEN_CHARS
        && token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (scheme.eq_ignore_ascii_case("bearer") && is_token).then_some(token)
}

fn new_token() -> Result<String, Problem> {
    let mut random = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut random).map_err(|_| {
        tracing::error!("the system gives no random numbers");
        Problem::new(Kind::Internal, "no token could be made")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

/// A stolen store must not give away tokens, so only the hash is kept.
fn key(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    format!("web-session:{}", URL_SAFE_NO_PAD.encode(hash))
}
