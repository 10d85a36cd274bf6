//! The sender: what is committed leaves, in order, and is settled.

use super::due::{self, Jobs};
use super::offer;
use super::pace::Paces;
use super::push::{Push, Pushed};
use super::window::{Opened, WAITS_MS, is_reopened};
use super::{Clock, seconds};
use crate::channels::Channels;
use crate::mail::Mark;
use crate::store::{
    Claimed, Hint, NewFeedItem, Outgoing, SendClaim, Settle, Settled, StateStore, Step, StoreError,
};
use crate::telemetry::metrics::{DELIVERY, SENDS, Tried, store_failed};
use crate::telemetry::spans;
use adapters::{Delivery, Outbound};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// How long claimed messages are kept from other senders, milliseconds: what goes into a feed is settled at once.
pub const CLAIM_MS: u64 = 5_000;
/// The same from the moment at which one is given to a platform: its answer may take long, and what has left must be settled.
pub const LEASE_MS: u64 = 30_000;
/// Conversations sent to at once: a platform that hangs holds its places for a while, and the others must not wait for it.
const CONVERSATIONS_MAX: usize = 256;
/// Conversations claimed in one step.
const CLAIMED_MAX: usize = 16;
/// Tries to settle where the store does not answer or is full, the wait after the first and the longest: together less than a lease, so that what has left is not sent again.
const SETTLE_TRIES: u32 = 14;
const SETTLE_RETRY_MS: u64 = 100;
const SETTLE_RETRY_MS_MAX: u64 = 2_000;

pub struct Sender {
    state: Arc<dyn StateStore>,
    channels: Channels,
    clock: Clock,
    paces: Paces,
}

/// What became of one message.
enum Sent {
    Done(Option<NewFeedItem>),
    /// A platform was given it, as far as it takes it.
    Pushed,
    Later {
        wait_ms: u64,
        refused: bool,
    },
    Closed {
        opened: Opened,
    },
}

impl Jobs for Sender {
    type Claim = SendClaim;

    const WHAT: &'static str = "sends";
    const HINT: Hint = Hint::Sends;

    fn state(&self) -> &dyn StateStore {
        self.state.as_ref()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn claim(&self, now_ms: i64, free: usize) -> Step<'_, Claimed<SendClaim>> {
        let max = free.min(CLAIMED_MAX);
        self.state.claim_sends(now_ms, CLAIM_MS, max)
    }

    async fn work(self: Arc<Self>, claim: SendClaim) {
        self.round(claim).await;
    }
}

impl Sender {
    pub fn new(state: Arc<dyn StateStore>, channels: Channels, clock: Clock) -> Self {
        Self {
            paces: Paces::of(&channels),
            state,
            channels,
            clock,
        }
    }

    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        due::run(self, CONVERSATIONS_MAX, stop).await;
    }

    /// Sends a conversation's messages in order until one has to wait, then settles.
    async fn round(&self, claim: SendClaim) {
        let mut feed = Vec::new();
        let mut done_to = 0;
        let mut retry_at_ms = None;
        let mut decided_ms = Vec::new();
        let mut closed = None;
        let mut was_refused = false;
        for outgoing in &claim.outbounds {
            // A message of another version has no mark, and is sent all the same.
            let mark: Mark = serde_json::from_str(&outgoing.body).unwrap_or_default();
            let span = spans::send(&claim.conversation, claim.attempts, mark.trace.as_deref());
            match self.send(&claim, outgoing, &mark).instrument(span).await {
                Sent::Done(item) => {
                    feed.extend(item);
                    decided_ms.extend(mark.decided_at_ms);
                    done_to = outgoing.seq;
                }
                Sent::Pushed => {
                    decided_ms.extend(mark.decided_at_ms);
                    done_to = outgoing.seq;
                    // Settled before the next leaves: after a kill at most one message is repeated.
                    break;
                }
                Sent::Later { wait_ms, refused } => {
                    was_refused = refused;
                    retry_at_ms = Some((self.clock)().saturating_add_unsigned(wait_ms));
                    break;
                }
                Sent::Closed { opened } => {
                    retry_at_ms = Some((self.clock)().saturating_add_unsigned(WAITS_MS));
                    closed = Some(opened);
                    break;
                }
            }
        }
        let settle = Settle {
            conversation: claim.conversation.clone(),
            token: claim.token,
            done_to,
            newest: claim.newest,
            feed,
            retry_at_ms,
            refused: was_refused,
            now_ms: (self.clock)(),
        };
        match self.settle(settle).await {
            Ok(settled) => {
                let dropped = settled.dropped as u64;
                let channel = self.known(spans::channel(&claim.conversation));
                metrics::counter!(SENDS, "channel" => channel, "outcome" => "silenced")
                    .increment(dropped);
                let now_ms = (self.clock)();
                for decided in decided_ms {
                    metrics::histogram!(DELIVERY, "channel" => channel)
                        .record(seconds(Some(decided), now_ms));
                }
                if let Some(opened) = closed {
                    self.reopens(&claim.conversation, &opened, now_ms).await;
                }
            }
            Err(StoreError::Fenced) => {
                tracing::info!(
                    conversation = claim.conversation,
                    "another sender was quicker"
                );
            }
            Err(error) => {
                // The lease runs out and the messages are claimed again.
                store_failed(Tried::Settle, &error);
                tracing::warn!(conversation = claim.conversation, %error, "sent messages cannot be settled yet");
            }
        }
    }

    /// The customer may have written while what is left was put aside.
    async fn reopens(&self, conversation: &str, before: &Opened, now_ms: i64) {
        let state = self.state.as_ref();
        if is_reopened(state, conversation, before, now_ms).await {
            // Where this fails, their next message does it.
            let _ = state.hasten(conversation, now_ms).await;
        }
    }

    /// Tries again while the store does not answer: the lease would keep everything that follows as long as it lasts.
    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let mut wait_ms = SETTLE_RETRY_MS;
        for _ in 1..SETTLE_TRIES {
            match self.state.settle(settle.clone()).await {
                Err(StoreError::Unavailable { .. } | StoreError::Full { .. }) => {
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    wait_ms = (wait_ms * 2).min(SETTLE_RETRY_MS_MAX);
                }
                settled => return settled,
            }
        }
        self.state.settle(settle).await
    }

    /// A channel's name as a label: only those that are set up.
    fn known(&self, channel: &str) -> &'static str {
        self.channels
            .get(channel)
            .map_or("unknown", |channel| channel.name())
    }

    async fn send(&self, claim: &SendClaim, outgoing: &Outgoing, mark: &Mark) -> Sent {
        let outbound: Outbound = match serde_json::from_str(&outgoing.body) {
            Ok(outbound) => outbound,
            Err(error) => {
                tracing::error!(conversation = claim.conversation, id = outgoing.id, %error, "a message is unreadable; it is given up");
                return Sent::Done(None);
            }
        };
        let name = outbound.address.channel().to_owned();
        let label = self.known(&name);
        let count = |outcome: &'static str| {
            tracing::Span::current().record("outcome", outcome);
            metrics::counter!(SENDS, "channel" => label, "outcome" => outcome).increment(1);
        };
        let Some(channel) = self.channels.get(outbound.address.channel()) else {
            tracing::error!(
                conversation = claim.conversation,
                channel = name,
                "no such channel is set up; the message is given up"
            );
            count("no_channel");
            return Sent::Done(None);
        };
        match channel.deliver(&outbound) {
            Delivery::Nothing => {
                let message = offer::Message {
                    outbound: &outbound,
                    bot: outgoing.bot,
                    epoch: outgoing.epoch,
                    now_ms: (self.clock)(),
                };
                let (state, channel) = (self.state.as_ref(), channel.as_ref());
                offer::nothing(state, channel, &message, &claim.outbounds).await;
                Sent::Done(None)
            }
            Delivery::Feed { event, data } => {
                count("fed");
                Sent::Done(Some(NewFeedItem {
                    epoch: outgoing.epoch,
                    bot: outgoing.bot,
                    event: event.to_owned(),
                    data,
                }))
            }
            delivery @ (Delivery::Push { .. } | Delivery::Act) => {
                let (is_message, pieces, tokens) = match delivery {
                    Delivery::Push { pieces, tokens } => (true, pieces, tokens),
                    _ => (false, 1, Vec::new()),
                };
                let push = Push {
                    state: self.state.as_ref(),
                    paces: &self.paces,
                    clock: &self.clock,
                    claim,
                    outgoing,
                    channel: channel.as_ref(),
                    mark,
                    is_message,
                };
                match push.all(outbound, pieces, &tokens, count).await {
                    Pushed::Done => Sent::Pushed,
                    Pushed::Later { wait_ms, refused } => Sent::Later { wait_ms, refused },
                    Pushed::Closed { opened } => Sent::Closed { opened },
                }
            }
        }
    }
}
