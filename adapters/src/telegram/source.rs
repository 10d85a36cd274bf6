//! Long polling: updates behind a cursor, and presses that are answered before the next poll.

use super::{Telegram, client, update};
use crate::{Asking, PullError, Pulled, Source};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::time::{Duration, Instant};
use teloxide_core::{ApiError, RequestError};

/// Wait after a poll that another has cut off or that failed, milliseconds.
const POLL_RETRY_MS: u64 = 1_000;
/// Presses that are answered at once, and how long all of a poll may take: nothing is polled meanwhile, and a button that is not answered stops waiting by itself.
const ANSWERS_AT_ONCE: usize = 8;
const ANSWERS_MAX: Duration = Duration::from_secs(3);

impl Telegram {
    async fn pulled(&self, cursor: Option<&str>, now_ms: i64) -> Result<Pulled, PullError> {
        // Without its own name it cannot tell what of a group is for it.
        if self.username.get().is_none() {
            self.met().await.map_err(failed)?;
        }
        // Another bot counts its updates from elsewhere.
        let offset = cursor
            .and_then(|cursor| cursor.split_once(':'))
            .filter(|(id, _)| *id == self.id.to_string())
            .and_then(|(_, offset)| offset.parse().ok());
        let begun = Instant::now();
        let updates = client::updates(&self.bot, offset).await.map_err(failed)?;
        // A press is told without a time, at the end of a call that may have waited long.
        let waited_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now_ms = now_ms.saturating_add_unsigned(waited_ms);
        let mut pulled = Pulled {
            arrivals: Vec::new(),
            unread: Vec::new(),
            cursor: None,
            to_confirm: Vec::new(),
        };
        let mut next = None;
        for update in &updates {
            // One that cannot be read is passed over: asking for it again would stop everything behind it.
            let id = update.get("update_id").and_then(serde_json::Value::as_i64);
            next = next.max(id.map(|id| id.saturating_add(1)));
            match update::read(update, self.own(), now_ms) {
                Ok(read) => {
                    pulled.arrivals.extend(read.arrival);
                    pulled.to_confirm.extend(read.callback);
                }
                Err(what) => pulled.unread.push(what),
            }
        }
        pulled.cursor = next.map(|next| format!("{}:{next}", self.id));
        Ok(pulled)
    }
}

impl Source for Telegram {
    fn pull<'a>(
        &'a self,
        cursor: Option<&'a str>,
        now_ms: i64,
    ) -> Asking<'a, Result<Pulled, PullError>> {
        Box::pin(self.pulled(cursor, now_ms))
    }

    fn confirm<'a>(&'a self, pulled: &'a Pulled) -> Asking<'a, ()> {
        Box::pin(async move {
            let mut left = pulled.to_confirm.iter();
            let mut under_way = FuturesUnordered::new();
            let all = async {
                loop {
                    while under_way.len() < ANSWERS_AT_ONCE
                        && let Some(id) = left.next()
                    {
                        under_way.push(client::answer_callback(&self.bot, id));
                    }
                    if under_way.next().await.is_none() {
                        return;
                    }
                }
            };
            let _ = tokio::time::timeout(ANSWERS_MAX, all).await;
        })
    }
}

fn failed(error: RequestError) -> PullError {
    let why = client::told(&error);
    match error {
        RequestError::RetryAfter(wait) => PullError::Later {
            wait_ms: u64::from(wait.seconds()) * 1000,
            why,
        },
        RequestError::Api(ApiError::CantGetUpdates | ApiError::InvalidToken) => {
            PullError::Stopped { why }
        }
        RequestError::Api(ApiError::Unknown(told)) if told.contains("while webhook is active") => {
            PullError::Stopped {
                why: "a webhook is set, so polling is refused; call deleteWebhook, or set channels.telegram.mode to webhook".to_owned(),
            }
        }
        _ => PullError::Later {
            wait_ms: POLL_RETRY_MS,
            why,
        },
    }
}
