//! `GET /v1/web/events`: the conversation's feed as Server-Sent Events, resumable without loss.

use super::listeners::{Nudge, Seat, Taken};
use super::problem::{Kind, Problem};
use super::{Shared, sessions};
use crate::store::FeedItem;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

/// A quiet stream is proved alive this often, in milliseconds.
pub const HEARTBEAT_MS: u64 = 15_000;
/// The feed is looked at this often even if no hint comes, in milliseconds.
pub const POLL_MS: u64 = 3_000;
/// What the page waits before it connects again, in milliseconds.
const RETRY_MS: u64 = 2_000;
/// Feed items read at once.
const PAGE_ITEMS: usize = 64;
/// A stream is ended after this time, so that its session is looked at again, in milliseconds.
const STREAM_MS_MAX: u64 = 60 * 60 * 1000;
/// Failed reads of the feed in a row that end a stream.
const FAILURES_MAX: u32 = 3;
/// Typing is shown at most this often, in milliseconds.
const TYPING_MS: u64 = 1_000;
/// What a caller without a seat waits, in milliseconds.
const SEAT_RETRY_MS: u64 = 5_000;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) async fn stream(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let session = sessions::of_request(&shared, &parts).await?;
    let conversation = session.conversation.as_str().to_owned();
    let after = last_event_id(&parts.headers)?;
    let (state, now_ms) = (shared.state.as_ref(), (shared.now_ms)());
    let streams = &shared.limits.streams;
    streams.check(&conversation, state, now_ms).await?;
    // The seat is taken before the first read, so that no hint falls in between.
    let seat = shared.listeners.sit(&conversation).map_err(|taken| {
        let problem = match taken {
            Taken::Session => {
                Problem::new(Kind::TooMany, "too many open event streams in this session")
            }
            Taken::Server => Problem::new(Kind::Busy, "too many open event streams"),
        };
        problem.retry_after_ms(SEAT_RETRY_MS)
    })?;
    let now = Instant::now();
    let follow = Follow {
        shared,
        conversation,
        after,
        seat,
        opened: false,
        look: true,
        failures: 0,
        poll_at: now,
        heartbeat_at: now + Duration::from_millis(HEARTBEAT_MS),
        typing_at: now,
        end_at: now + Duration::from_millis(STREAM_MS_MAX),
    };
    let frames = stream::unfold(follow, |mut follow| async move {
        let frame = follow.next().await?;
        Some((Ok::<Bytes, Infallible>(frame), follow))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Where the page stopped reading; 0 is the beginning of what is kept.
fn last_event_id(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(0);
    };
    let text = value.to_str().unwrap_or("?").trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        Problem::new(
            Kind::Malformed,
            "`Last-Event-ID` is the number of the last event that was read",
        )
        .field("Last-Event-ID")
    })
}

struct Follow {
    shared: Arc<Shared>,
    conversation: String,
    after: u64,
    seat: Seat,
    opened: bool,
    /// The feed may hold more than was read.
    look: bool,
    failures: u32,
    poll_at: Instant,
    heartbeat_at: Instant,
    typing_at: Instant,
    end_at: Instant,
}

impl Follow {
    /// The next piece of the stream; None ends it.
    async fn next(&mut self) -> Option<Bytes> {
        let frame = self.piece().await?;
        self.heartbeat_at = Instant::now() + Duration::from_millis(HEARTBEAT_MS);
        Some(Bytes::from(frame))
    }

    async fn piece(&mut self) -> Option<String> {
        if !self.opened {
            self.opened = true;
            return Some(format!("retry: {RETRY_MS}\n\n"));
        }
        let stop = self.shared.stop.clone();
        loop {
            if stop.is_cancelled() {
                return None;
            }
            if self.look
                && let Some(frames) = self.page().await?
            {
                return Some(frames);
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                nudge = self.seat.nudges.recv() => match nudge {
                    Ok(Nudge::Feed) | Err(RecvError::Lagged(_)) => self.look = true,
                    Ok(Nudge::Typing) => {
                        let now = Instant::now();
                        if now >= self.typing_at {
                            self.typing_at = now + Duration::from_millis(TYPING_MS);
                            return Some("event: typing\ndata: {}\n\n".to_owned());
                        }
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep_until(self.poll_at) => self.look = true,
                () = tokio::time::sleep_until(self.heartbeat_at) => {
                    return Some(": alive\n\n".to_owned());
                }
                () = tokio::time::sleep_until(self.end_at) => return None,
            }
        }
    }

    /// Some(Some): frames to send; Some(None): nothing new; None: end the stream.
    async fn page(&mut self) -> Option<Option<String>> {
        self.poll_at = Instant::now() + Duration::from_millis(POLL_MS);
        let feed = self
            .shared
            .state
            .feed(&self.conversation, self.after, PAGE_ITEMS);
        let items = match super::bounded(feed).await {
            Ok(items) => items,
            Err(_) => {
                self.look = false;
                self.failures += 1;
                // The page connects again and is told 503 if the store is still away.
                return (self.failures < FAILURES_MAX).then_some(None);
            }
        };
        self.failures = 0;
        self.look = items.len() >= PAGE_ITEMS;
        let Some(last) = items.last() else {
            return Some(None);
        };
        self.after = last.seq;
        Some(Some(items.iter().map(frame).collect()))
    }
}

/// One event on the wire; a line break in the data starts a further `data:` line.
fn frame(item: &FeedItem) -> String {
    let mut frame = format!("id: {}\nevent: {}\n", item.seq, item.event);
    for line in item.data.split(['\n', '\r']) {
        // Writing to a string cannot fail.
        let _ = writeln!(frame, "data: {line}");
    }
    frame.push('\n');
    frame
}
