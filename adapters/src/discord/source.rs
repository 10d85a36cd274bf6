//! The gateway as a source: events become arrivals, and the cursor says up to which of them all is taken.
//!
//! A connection is in the hands of one pull at a time. A pull that is broken off drops it, and the next one resumes the session from the cursor: Discord tells again what came after.

use super::gateway::{Ended, Event};
use super::line::{Failed, Line};
use super::message::{self, Here};
use super::place::Place;
use super::{Discord, interaction};
use crate::{Arrival, Asking, PullError, Pulled, Source};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Arrivals of one pull, and events that are looked at for them.
const ARRIVALS_MAX: usize = 100;
const EVENTS_MAX: usize = 1_000;
/// The cursor moves this often, also where nothing came for us.
const QUIET_MAX: Duration = Duration::from_secs(30);
/// How long an interaction's answer may take; Discord waits three seconds for it.
const CALLBACK_MAX: Duration = Duration::from_millis(2_500);

impl Discord {
    async fn pulled(&self, cursor: Option<&str>) -> Result<Pulled, PullError> {
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
        let gathered = self.gather(&mut line, &mut pulled).await;
        line.known.save(self.keep.as_ref()).await;
        // Until all that was missed is told, the session before is the place to go on from.
        if line.history.is_none() && !(was_behind && gathered.is_err()) {
            pulled.cursor = line.at.written();
        }
        line.expected = pulled.cursor.clone().or(cursor.map(str::to_owned));
        match gathered {
            Ok(()) => {
                state.is_well();
                state.line = Some(line);
            }
            Err(ended) => {
                match (&ended, pulled.arrivals.is_empty()) {
                    (_, false) => state.is_well(),
                    (Ended::Cut { .. }, true) => {
                        state.failing_since_ms.get_or_insert(self.keep.now_ms());
                    }
                    _ => {}
                }
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

    /// Waits for something, then takes what else is there already.
    async fn gather(&self, line: &mut Line, pulled: &mut Pulled) -> Result<(), Ended> {
        if let Some(mut history) = line.history.take() {
            if history.rests_until() <= Instant::now() {
                let missed = history.next(&self.api).await;
                for (message, is_direct) in missed.messages {
                    let here = if is_direct { Some(Here::Direct) } else { None };
                    self.said(&message, false, here, line, pulled).await?;
                }
                pulled.unread.extend(missed.unread);
                if let Some(ended) = missed.ended {
                    return Err(ended);
                }
            }
            // What is pressed cannot wait, what is said now comes after what was said then.
            for _ in 0..EVENTS_MAX {
                let rests_until = history.rests_until();
                // Whoever has pressed is answered before the rest is over.
                let rests_on = pulled.arrivals.is_empty() && pulled.to_confirm.is_empty();
                let next = match (history.is_full(), rests_on) {
                    (true, true) => {
                        sleep_until(rests_until).await;
                        None
                    }
                    (true, false) => None,
                    (false, true) => timeout_at(rests_until, line.gateway.next()).await.ok(),
                    (false, false) => line.gateway.next().now_or_never(),
                };
                let Some(event) = next else {
                    break;
                };
                let event = event?;
                match event.name.as_str() {
                    "INTERACTION_CREATE" => self.take(event, line, pulled).await?,
                    _ => history.hold(event),
                }
            }
            if !history.is_done() {
                line.history = Some(history);
                return Ok(());
            }
            for event in history.held() {
                self.take(event, line, pulled).await?;
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
            self.take(event, line, pulled).await?;
            if pulled.arrivals.len() >= ARRIVALS_MAX {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The cursor moves behind an event when it is read; one that cannot be read now is told again.
    async fn take(&self, event: Event, line: &mut Line, pulled: &mut Pulled) -> Result<(), Ended> {
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
            "INTERACTION_CREATE" => self.pressed(&event.data, line, pulled).await?,
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
        let theirs = self.places.in_channel(message.channel_id).await?;
        let here = match theirs {
            Some(whose) => Here::Theirs(whose),
            None => here.unwrap_or(Here::Server),
        };
        let read = message::read(message, is_update, here, line.at.own);
        if let Here::Theirs(whose) = here
            && read.is_hidden
            && !is_update
        {
            self.hints.tell(message, whose.place, line.at.own);
        }
        if let Some(Arrival::Said(said)) = read.arrivals.first()
            && let Ok(place) = said.address.place().parse::<Place>()
        {
            line.known.note(place);
            self.met(place, Some(message.author.id)).await;
        }
        pulled.arrivals.extend(read.arrivals);
        Ok(())
    }

    async fn pressed(
        &self,
        data: &Value,
        line: &mut Line,
        pulled: &mut Pulled,
    ) -> Result<(), Ended> {
        let place = match interaction::channel(data) {
            Some(channel) => self.places.in_channel(channel).await?,
            None => None,
        };
        match interaction::read(data, place) {
            Ok(read) => {
                if let Some(place) = read.place() {
                    line.known.note(place);
                    self.met(place, read.customer).await;
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
        _now_ms: i64,
    ) -> Asking<'a, Result<Pulled, PullError>> {
        Box::pin(self.pulled(cursor))
    }

    fn confirm<'a>(&'a self, pulled: &'a Pulled) -> Asking<'a, ()> {
        Box::pin(async move {
            self.state.lock().await.told = None;
            join_all(pulled.to_confirm.iter().map(|one| self.called_back(one))).await;
        })
    }
}
