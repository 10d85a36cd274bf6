//! What was said while nobody listened: each known channel is asked for what came after the last message that was seen.

use super::api::{Api, Failed};
use super::gateway::{Ended, Event};
use super::message::{self, Message};
use super::place::{Place, Places};
use crate::Unkept;
use futures_util::future::join_all;
use serde_json::Value;
use serenity::model::id::{ChannelId, MessageId};
use std::time::Duration;
use tokio::time::Instant;

/// Channels asked at once.
const AT_ONCE: usize = 4;
/// Messages of one answer, the most that Discord gives, and answers for one channel.
const PAGE: usize = 100;
const PAGES_MAX: u32 = 5;
/// How often one channel is asked where Discord does not answer.
const TRIES_MAX: u32 = 8;
/// Wait after one that failed.
const RETRY: Duration = Duration::from_millis(500);
/// Longest wait that is sat out, milliseconds.
const WAIT_MS_MAX: u64 = 2_000;
/// Events that wait until what was missed is told; more are told before.
const HELD_MAX: usize = 5_000;
/// Messages of one time are not numbered in the order in which they come, so a little is asked for again, milliseconds.
const OVERLAP_MS: u64 = 60_000;
/// Of a snowflake, the bits below the milliseconds.
const BELOW_MS: u32 = 22;

pub(super) struct History {
    /// The last one first asked.
    open: Vec<Asked>,
    held: Vec<Event>,
    /// Discord asks for a wait, or does not answer.
    rests_until: Instant,
}

struct Asked {
    channel: ChannelId,
    is_direct: bool,
    after: u64,
    pages: u32,
    tries: u32,
}

/// What one round has found.
#[derive(Default)]
pub(super) struct Missed {
    /// In the order in which they were said, and whether in a direct channel.
    pub messages: Vec<(Message, bool)>,
    pub unread: Vec<String>,
    /// Why not all is asked for: what was missed has to be asked for once more from the beginning.
    pub ended: Option<Ended>,
}

impl History {
    /// The places are in order, the last used last. In a server both the customer's thread and the channel are asked, in which others are called too.
    pub(super) async fn since(
        seen: MessageId,
        known: impl Iterator<Item = Place>,
        places: &Places,
    ) -> Result<Self, Unkept> {
        let mut channels: Vec<(ChannelId, bool)> = Vec::new();
        for place in known {
            channels.push((place.channel, place.customer.is_none()));
            if place.customer.is_some()
                && let Some(channel) = places.channel_of(place).await?
            {
                channels.push((channel, false));
            }
        }
        let after = seen.get().saturating_sub(OVERLAP_MS << BELOW_MS).max(1);
        let mut history = Self {
            open: Vec::new(),
            held: Vec::new(),
            rests_until: Instant::now(),
        };
        for (channel, is_direct) in channels {
            history.open.retain(|asked| asked.channel != channel);
            history.open.push(Asked {
                channel,
                is_direct,
                after,
                pages: 0,
                tries: 0,
            });
        }
        Ok(history)
    }

    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// No more events are listened to before the rest is asked for.
    pub(super) fn is_full(&self) -> bool {
        self.held.len() >= HELD_MAX
    }

    /// Nothing is asked for before.
    pub(super) fn rests_until(&self) -> Instant {
        self.rests_until
    }

    /// Told after what was missed.
    pub(super) fn hold(&mut self, event: Event) {
        self.held.push(event);
    }

    pub(super) fn held(self) -> Vec<Event> {
        self.held
    }

    /// Asks the next few channels.
    pub(super) async fn next(&mut self, api: &Api) -> Missed {
        let mut missed = Missed::default();
        let from = self.open.len().saturating_sub(AT_ONCE);
        let round = self.open.split_off(from);
        let answers = join_all(round.iter().map(|asked| asked.ask(api))).await;
        let mut wait = Duration::ZERO;
        for (mut asked, answer) in round.into_iter().zip(answers) {
            match answer {
                Ok(found) => {
                    asked.pages += 1;
                    let is_full = found.len() >= PAGE;
                    for payload in &found {
                        match message::parse(payload) {
                            Ok(message) => {
                                asked.after = asked.after.max(message.id.get());
                                missed.messages.push((message, asked.is_direct));
                            }
                            Err(what) => missed.unread.push(what),
                        }
                    }
                    match is_full {
                        true if asked.pages < PAGES_MAX => self.open.push(asked),
                        true => missed.unread.push(format!(
                            "more was said in a channel while nobody listened than the {} messages that are read",
                            PAGES_MAX as usize * PAGE
                        )),
                        false => {}
                    }
                }
                // The channel is gone, or we are not let in any more.
                Err(Failed::Refused { .. }) => {}
                Err(failed) if asked.tries < TRIES_MAX => {
                    asked.tries += 1;
                    wait = match failed {
                        Failed::Wait { wait_ms } => Duration::from_millis(wait_ms.min(WAIT_MS_MAX)),
                        _ => RETRY,
                    };
                    self.open.push(asked);
                }
                Err(failed) => {
                    let told = failed.told();
                    missed.ended = Some(Ended::Cut {
                        why: format!("what was said while nobody listened cannot be read: {told}"),
                    });
                }
            }
        }
        missed.messages.sort_by_key(|(message, _)| message.id);
        self.rests_until = Instant::now() + wait;
        missed
    }
}

impl Asked {
    async fn ask(&self, api: &Api) -> Result<Vec<Value>, Failed> {
        let (channel, after) = (self.channel, self.after);
        let path = format!("channels/{channel}/messages?after={after}&limit={PAGE}");
        api.get(&path).await
    }
}
