//! A session at the gateway: resumed where the cursor says, or begun anew without haste, and what follows where it ends.

use super::cursor::{Cursor, Known};
use super::gateway::{Ended, Gateway};
use super::history::History;
use super::{Discord, message};
use crate::{PullError, Pulled, Unkept};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serenity::model::gateway::BotGateway;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a new session may take to begin.
const READY_MAX: Duration = Duration::from_secs(20);
/// Wait after a connection ended, doubled each time up to the longest, milliseconds.
const AGAIN_MS: u64 = 250;
const AGAIN_MS_MAX: u64 = 30_000;
/// Without an arrival or a quiet connection for so long a session is given up, milliseconds; Discord keeps one that is not connected for a few minutes.
const GIVEN_UP_MS: i64 = 2 * 60 * 1000;
/// Connections that fail before it is asked whether Discord is there and only the session's gateway is not.
const RESUMES_MAX: u32 = 4;
/// Discord takes a new session every five seconds and a thousand a day; many in an hour mean that something is wrong, milliseconds.
const IDENTIFY_EVERY_MS: i64 = 5_000;
const IDENTIFY_EVERY_MS_MAX: i64 = 5 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;
const HASTY_AFTER: usize = 20;
const IDENTIFIED_KEY: &str = "discord:identified";

/// What this process has of the gateway between two pulls.
#[derive(Default)]
pub(super) struct State {
    pub line: Option<Line>,
    /// Told and not yet confirmed, with the cursor it was asked for with.
    pub told: Option<(Option<String>, Pulled)>,
    /// A session that Discord has ended.
    pub over: Option<String>,
    /// Connections that ended since one was good for something.
    pub failures: u32,
    /// Since when the session's connections end, milliseconds since 1970.
    pub failing_since_ms: Option<i64>,
}

impl State {
    /// A connection has told something, or was quiet for a time.
    pub(super) fn is_well(&mut self) {
        self.failures = 0;
        self.failing_since_ms = None;
    }
}

/// A session with its connection.
pub(super) struct Line {
    pub gateway: Gateway,
    pub at: Cursor,
    /// What the next pull will name if all that was told is kept.
    pub expected: Option<String>,
    pub known: Known,
    /// Nobody else knows of the session yet.
    pub is_new: bool,
    /// What was missed before the session began, as long as it is being asked for.
    pub history: Option<History>,
}

#[derive(Deserialize)]
struct Ready {
    session_id: String,
    resume_gateway_url: String,
    user: message::User,
}

impl Discord {
    /// Resumes the cursor's session, or begins one and finds out what was missed.
    pub(super) async fn connected(
        &self,
        cursor: Option<&str>,
        state: &mut State,
    ) -> Result<Line, Failed> {
        let token = self.token.expose_secret();
        let before = Cursor::read(cursor);
        let known = Known::load(self.keep.as_ref()).await?;
        let now_ms = self.keep.now_ms();
        let since_ms = state.failing_since_ms.unwrap_or(now_ms);
        if let Some(at) = &before
            && now_ms.saturating_sub(since_ms) >= GIVEN_UP_MS
        {
            state.over = Some(at.session.clone());
        }
        if let Some(at) = &before
            && state.over.as_ref() != Some(&at.session)
        {
            let resumed = async {
                let mut gateway = Gateway::open(&at.url).await?;
                gateway.resume(token, &at.session, at.seq).await?;
                Ok(gateway)
            };
            return match resumed.await {
                Ok(gateway) => Ok(Line {
                    gateway,
                    at: at.clone(),
                    expected: cursor.map(str::to_owned),
                    known,
                    is_new: false,
                    history: None,
                }),
                Err(ended) => {
                    state.failing_since_ms.get_or_insert(now_ms);
                    // Where nothing is reached, the session may go on when something is.
                    if state.failures >= RESUMES_MAX
                        && self.api.get::<BotGateway>("gateway/bot").await.is_ok()
                    {
                        state.over = Some(at.session.clone());
                    }
                    Err(Failed::Gateway(ended))
                }
            };
        }
        let advised: BotGateway = self.api.get("gateway/bot").await.map_err(Failed::Api)?;
        let starts = &advised.session_start_limit;
        if starts.remaining == 0 {
            return Err(Failed::Wait {
                wait_ms: starts.reset_after.max(1),
                why: format!("all {} sessions of the day are used up", starts.total),
            });
        }
        self.may_identify().await?;
        let mut gateway = Gateway::open(&advised.url).await?;
        gateway.identify(token, self.intents()).await?;
        let until = Instant::now() + READY_MAX;
        let ready = loop {
            let event = timeout_at(until, gateway.next()).await;
            let event = event.map_err(|_| Ended::Cut {
                why: "the gateway begins no session".to_owned(),
            })??;
            if event.name == "READY" {
                break event;
            }
        };
        let begun = Ready::deserialize(&ready.data).map_err(|_| Ended::Cut {
            why: "the gateway begins a session otherwise than it should".to_owned(),
        })?;
        let seen = before.and_then(|before| before.seen);
        let history = match seen {
            Some(seen) => Some(History::since(seen, known.places(), &self.places).await?),
            None => None,
        };
        Ok(Line {
            gateway,
            at: Cursor {
                session: begun.session_id,
                url: begun.resume_gateway_url,
                seq: ready.seq,
                own: begun.user.id,
                // Whoever listens after us asks for all since now.
                seen: seen.or_else(|| message::at(self.keep.now_ms())),
            },
            expected: cursor.map(str::to_owned),
            history,
            is_new: true,
            known,
        })
    }

    /// Counted over all replicas.
    async fn may_identify(&self) -> Result<(), Failed> {
        let now_ms = self.keep.now_ms();
        let kept = self.keep.recall(IDENTIFIED_KEY).await.ok().flatten();
        let kept = kept.and_then(|kept| serde_json::from_str(&kept).ok());
        let mut times: Vec<i64> = kept.unwrap_or_default();
        times.retain(|at_ms| now_ms.saturating_sub(*at_ms) < HOUR_MS);
        let every_ms = match times.len() {
            many if many > HASTY_AFTER => IDENTIFY_EVERY_MS_MAX,
            _ => IDENTIFY_EVERY_MS,
        };
        let last_ms = times.last().copied().unwrap_or(i64::MIN);
        let left_ms = every_ms.saturating_sub(now_ms.saturating_sub(last_ms));
        if let Ok(wait_ms @ 1..) = u64::try_from(left_ms) {
            return Err(Failed::Wait {
                wait_ms,
                why: "a session has begun a moment ago".to_owned(),
            });
        }
        times.push(now_ms);
        let text = serde_json::to_string(&times).unwrap_or_default();
        let until_ms = now_ms.saturating_add(HOUR_MS);
        let _ = self.keep.remember(IDENTIFIED_KEY, &text, until_ms).await;
        Ok(())
    }
}

/// Why there is no connection.
pub(super) enum Failed {
    Gateway(Ended),
    Api(super::api::Failed),
    Wait { wait_ms: u64, why: String },
}

impl From<Unkept> for Ended {
    fn from(_: Unkept) -> Self {
        Self::Unkept
    }
}

impl From<Unkept> for Failed {
    fn from(unkept: Unkept) -> Self {
        Self::Gateway(unkept.into())
    }
}

impl From<Ended> for Failed {
    fn from(ended: Ended) -> Self {
        Self::Gateway(ended)
    }
}

impl Failed {
    pub(super) fn told(self, state: &mut State, session: Option<String>) -> PullError {
        state.failures = state.failures.saturating_add(1);
        let doubled = AGAIN_MS << state.failures.saturating_sub(1).min(10);
        let wait_ms = doubled.min(AGAIN_MS_MAX);
        match self {
            Self::Wait { wait_ms, why } => PullError::Later { wait_ms, why },
            Self::Api(super::api::Failed::Token) => PullError::Stopped {
                why: "Discord does not know the token; reset it on the Bot page of the Developer Portal and set channels.discord.token".to_owned(),
            },
            Self::Api(super::api::Failed::Wait { wait_ms }) => PullError::Later {
                wait_ms,
                why: "Discord asks to wait".to_owned(),
            },
            Self::Api(failed) => PullError::Later {
                wait_ms,
                why: failed.told(),
            },
            Self::Gateway(Ended::Stopped { why }) => PullError::Stopped { why },
            Self::Gateway(Ended::Cut { why }) => PullError::Later { wait_ms, why },
            Self::Gateway(Ended::Unkept) => PullError::Later {
                wait_ms,
                why: Unkept.to_string(),
            },
            Self::Gateway(Ended::Over { why }) => {
                state.over = session.or(state.over.take());
                PullError::Later { wait_ms, why }
            }
        }
    }
}
