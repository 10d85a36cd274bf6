//! The gateway as a source: events become arrivals, and the cursor says up to which of them all is taken.
//!
//! A connection is in the hands of one pull at a time. A pull that is broken off drops it, and the next one resumes the session from the cursor: Discord tells again what came after.

use super::cursor::{Cursor, Known};
use super::gateway::{Ended, Event, Gateway};
use super::history::History;
use super::message::{self, Here};
use super::place::Place;
use super::{Discord, interaction};
use crate::{Arrival, Asking, PullError, Pulled, Source, Unkept};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use serenity::model::gateway::BotGateway;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// Arrivals of one pull, and events that are looked at for them.
const ARRIVALS_MAX: usize = 100;
const EVENTS_MAX: usize = 1_000;
/// The cursor moves this often, also where nothing came for us.
const QUIET_MAX: Duration = Duration::from_secs(30);
/// How long a new session may take to begin.
const READY_MAX: Duration = Duration::from_secs(20);
/// How long an interaction's answer may take; Discord waits three seconds for it.
const CALLBACK_MAX: Duration = Duration::from_millis(2_500);
/// Wait after a connection ended, doubled each time up to the longest, milliseconds.
const AGAIN_MS: u64 = 250;
const AGAIN_MS_MAX: u64 = 30_000;
/// Connections that fail before a session is given up.
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
    line: Option<Line>,
    /// Told and not yet confirmed, with the cursor it was asked for with.
    told: Option<(Option<String>, Pulled)>,
    /// A session that Discord has ended.
    over: Option<String>,
    /// Connections that ended since an event came.
    failures: u32,
}

/// A session with its connection.
struct Line {
    gateway: Gateway,
    at: Cursor,
    /// What the next pull will name if all that was told is kept.
    expected: Option<String>,
    known: Known,
    /// Nobody else knows of the session yet.
    is_new: bool,
    /// What was missed before the session began, as long as it is being asked for.
    history: Option<History>,
}

#[derive(Deserialize)]
struct Ready {
    session_id: String,
    resume_gateway_url: String,
    user: message::User,
}

impl Discord {
    async fn pulled(&self, cursor: Option<&str>, now_ms: i64) -> Result<Pulled, PullError> {
        let mut state = self.state.lock().await;
        if let Some((before, pulled)) = &state.told
            && before.as_deref() == cursor
        {
            return Ok(pulled.clone());
        }
        state.told = None;
        let line = state.line.take();
        let line = line.filter(|line| line.expected.as_deref() == cursor);
        let line = match line {
            Some(line) => Ok(line),
            None => self.connected(cursor, &mut state).await,
        };
        let mut line = line.map_err(|ended| ended.told(&mut state, None))?;
        let mut pulled = Pulled {
            arrivals: Vec::new(),
            unread: Vec::new(),
            cursor: None,
            to_confirm: Vec::new(),
        };
        let was_behind = line.history.is_some();
        let gathered = self.gather(&mut line, &mut pulled, now_ms).await;
        line.known.save(self.keep.as_ref()).await;
        // Until all that was missed is told, the session before is the place to go on from.
        if line.history.is_none() && !(was_behind && gathered.is_err()) {
            pulled.cursor = line.at.written();
        }
        line.expected = pulled.cursor.clone().or(cursor.map(str::to_owned));
        match gathered {
            Ok(()) => {
                state.failures = 0;
                state.line = Some(line);
            }
            Err(ended) => {
                let session = line.at.session.clone();
                let error = Failed::Gateway(ended).told(&mut state, Some(session));
                // What came before the end is taken first.
                if pulled.arrivals.is_empty() && pulled.to_confirm.is_empty() {
                    return Err(error);
                }
            }
        }
        state.told = Some((cursor.map(str::to_owned), pulled.clone()));
        Ok(pulled)
    }

    /// Resumes the cursor's session, or begins one and finds out what was missed.
    async fn connected(&self, cursor: Option<&str>, state: &mut State) -> Result<Line, Failed> {
        let token = self.token.expose_secret();
        let before = Cursor::read(cursor);
        let known = Known::load(self.keep.as_ref()).await;
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
                    if state.failures >= RESUMES_MAX {
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
            Some(seen) => Some(History::since(seen, known.places(), &self.places).await),
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

    /// Waits for something, then takes what else is there already.
    async fn gather(&self, line: &mut Line, pulled: &mut Pulled, now_ms: i64) -> Result<(), Ended> {
        if let Some(mut history) = line.history.take() {
            let missed = history.next(&self.api).await;
            for (message, is_direct) in missed.messages {
                let here = if is_direct { Some(Here::Direct) } else { None };
                self.said(&message, false, here, line, pulled).await?;
            }
            pulled.unread.extend(missed.unread);
            // What is pressed cannot wait, what is said now comes after what was said then.
            for _ in 0..EVENTS_MAX {
                let next = match history.is_full() {
                    true => None,
                    false => line.gateway.next().now_or_never(),
                };
                let Some(event) = next else {
                    break;
                };
                let event = event?;
                match event.name.as_str() {
                    "INTERACTION_CREATE" => self.take(event, line, pulled, now_ms).await?,
                    _ => history.hold(event),
                }
            }
            if !history.is_done() {
                line.history = Some(history);
                return Ok(());
            }
            for event in history.held() {
                self.take(event, line, pulled, now_ms).await?;
            }
            return Ok(());
        }
        if std::mem::take(&mut line.is_new) {
            return Ok(());
        }
        let quiet_until = Instant::now() + QUIET_MAX;
        for _ in 0..EVENTS_MAX {
            let event = match pulled.arrivals.is_empty() && pulled.to_confirm.is_empty() {
                true => match timeout_at(quiet_until, line.gateway.next()).await {
                    Ok(event) => event?,
                    Err(_) => return Ok(()),
                },
                false => match line.gateway.next().now_or_never() {
                    Some(event) => event?,
                    None => return Ok(()),
                },
            };
            self.take(event, line, pulled, now_ms).await?;
            if pulled.arrivals.len() >= ARRIVALS_MAX {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The cursor moves behind an event when it is read; one that cannot be read now is told again.
    async fn take(
        &self,
        event: Event,
        line: &mut Line,
        pulled: &mut Pulled,
        now_ms: i64,
    ) -> Result<(), Ended> {
        match event.name.as_str() {
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" => {
                let is_update = event.name == "MESSAGE_UPDATE";
                match message::parse(&event.data) {
                    Ok(message) => {
                        let here = message.guild_id.is_none().then_some(Here::Direct);
                        self.said(&message, is_update, here, line, pulled).await?;
                    }
                    // An update without an author only adds a preview.
                    Err(_) if is_update => {}
                    Err(what) => pulled.unread.push(what),
                }
            }
            "INTERACTION_CREATE" => self.pressed(&event.data, line, pulled, now_ms).await?,
            _ => {}
        }
        line.at.seq = line.at.seq.max(event.seq);
        Ok(())
    }

    async fn said(
        &self,
        message: &message::Message,
        is_update: bool,
        here: Option<Here>,
        line: &mut Line,
        pulled: &mut Pulled,
    ) -> Result<(), Ended> {
        line.at.seen = line.at.seen.max(Some(message.id));
        if message.author.bot {
            return Ok(());
        }
        // What cannot be looked up now is taken for what it seems: nobody's, or a direct channel.
        let theirs = self
            .places
            .in_channel(message.channel_id)
            .await
            .ok()
            .flatten();
        let here = match theirs {
            Some(place) => Here::Theirs(place),
            None => here.unwrap_or(Here::Server),
        };
        let read = message::read(message, is_update, here, line.at.own);
        if read.is_hidden && matches!(here, Here::Theirs(_)) && !is_update {
            self.tell_how_to_be_read(message, line.at.own).await;
        }
        if let Some(Arrival::Said(said)) = read.arrivals.first()
            && let Ok(place) = said.address.place().parse::<Place>()
            && line.known.note(place)
            && place.customer.is_none()
        {
            let _ = self
                .places
                .keep_direct(place.channel, message.author.id)
                .await;
        }
        pulled.arrivals.extend(read.arrivals);
        Ok(())
    }

    async fn pressed(
        &self,
        data: &Value,
        line: &mut Line,
        pulled: &mut Pulled,
        now_ms: i64,
    ) -> Result<(), Ended> {
        let place = match interaction::channel(data) {
            Some(channel) => self.places.in_channel(channel).await?,
            None => None,
        };
        match interaction::read(data, place, now_ms) {
            Ok(read) => {
                if let Some(Arrival::Said(inbound) | Arrival::Pressed(inbound)) = &read.arrival
                    && let Ok(place) = inbound.address.place().parse()
                {
                    line.known.note(place);
                }
                pulled.arrivals.extend(read.arrival);
                pulled
                    .to_confirm
                    .extend(serde_json::to_string(&read.callback).ok());
            }
            Err(what) => pulled.unread.push(what),
        }
        Ok(())
    }

    /// Within the three seconds: what was pressed is durable, its turn may take its time.
    async fn called_back(&self, callback: &str) {
        let Ok(callback) = serde_json::from_str::<interaction::Callback>(callback) else {
            return;
        };
        let path = format!("interactions/{}/{}/callback", callback.id, callback.token);
        // Too late, or answered already (40060), is as good as done.
        let _ = timeout(CALLBACK_MAX, self.api.post(&path, &callback.response)).await;
    }
}

impl Source for Discord {
    fn pull<'a>(
        &'a self,
        cursor: Option<&'a str>,
        now_ms: i64,
    ) -> Asking<'a, Result<Pulled, PullError>> {
        Box::pin(self.pulled(cursor, now_ms))
    }

    fn confirm<'a>(&'a self, pulled: &'a Pulled) -> Asking<'a, ()> {
        Box::pin(async move {
            self.state.lock().await.told = None;
            join_all(pulled.to_confirm.iter().map(|one| self.called_back(one))).await;
        })
    }
}

/// Why there is no connection.
enum Failed {
    Gateway(Ended),
    Api(super::api::Failed),
    Wait { wait_ms: u64, why: String },
}

impl From<Unkept> for Ended {
    fn from(unkept: Unkept) -> Self {
        Self::Cut {
            why: unkept.to_string(),
        }
    }
}

impl From<Ended> for Failed {
    fn from(ended: Ended) -> Self {
        Self::Gateway(ended)
    }
}

impl Failed {
    fn told(self, state: &mut State, session: Option<String>) -> PullError {
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
            Self::Gateway(Ended::Over { why }) => {
                state.over = session.or(state.over.take());
                PullError::Later { wait_ms, why }
            }
        }
    }
}
