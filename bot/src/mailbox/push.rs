//! One message over a platform's API, piece by piece: each leaves once where that can be known, and none is said twice where it cannot.

use super::Clock;
use super::arrivals::{TOKEN_KEPT_MS, token_key};
use super::offer::{self, Offered};
use super::pace::{Paces, pause};
use super::sender::LEASE_MS;
use super::window::{Left, Opened, WAITS_MS};
use crate::mail::Mark;
use crate::store::{Outgoing, Queue, SendClaim, StateStore, StoreError};
use adapters::{Channel, Outbound, Receipt, Token};
use std::time::Duration;

/// How long a platform may take to answer a send.
pub(super) const SEND_MAX: Duration = Duration::from_secs(20);
/// Refusals in a row after which a message is given up, if it is older than this, milliseconds: until then a person may have mended what is wrong.
pub const ATTEMPTS_MAX: u32 = 12;
const GIVEN_UP_MS: u64 = 24 * 60 * 60 * 1000;
/// Wait after the first failed round and the longest one, milliseconds.
const RETRY_MS: u64 = 1_000;
const RETRY_MS_MAX: u64 = 10 * 60 * 1000;
/// Longest wait that a platform is believed, milliseconds.
const RETRY_AFTER_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// A wait for the channel's pace up to this is sat out, a longer one gives the place to others, milliseconds.
const PACE_WAIT_MS_MAX: u64 = 3_000;
/// Waits for the pace that are sat out before one piece.
const PACE_WAITS_MAX: usize = 4;
/// How often one piece follows a conversation that moved.
const MOVES_MAX: usize = 2;
/// Looks whether a delivery takes what it is offered, and the wait before each.
const OFFER_LOOKS: usize = 6;
const OFFER_LOOK: Duration = Duration::from_millis(50);
/// How long it is known how much of a message has left, milliseconds.
pub(super) const PROGRESS_KEPT_MS: u64 = WAITS_MS;
/// Tries to keep the progress, since without it what has left would leave again.
const PROGRESS_TRIES: usize = 3;

pub(super) struct Push<'a> {
    pub state: &'a dyn StateStore,
    pub paces: &'a Paces,
    pub clock: &'a Clock,
    pub claim: &'a SendClaim,
    pub outgoing: &'a Outgoing,
    pub channel: &'a dyn Channel,
    pub mark: &'a Mark,
    /// The customer sees it, so it is counted by what their window takes.
    pub is_message: bool,
}

/// What became of the message.
pub(super) enum Pushed {
    Done,
    Later {
        wait_ms: u64,
        /// A platform was asked and refused.
        refused: bool,
    },
    /// Not before the customer opens another window than these.
    Closed {
        opened: Opened,
    },
}

/// What follows from one piece.
pub(super) enum Next {
    Piece,
    /// Nothing more of this message can be sent.
    End,
    Later {
        wait_ms: u64,
        refused: bool,
    },
    /// Not before the customer writes again; `is_refused` where the platform said so.
    Closed {
        is_refused: bool,
    },
}

/// Nothing was asked of the platform yet.
fn waits(wait_ms: u64) -> Next {
    Next::Later {
        wait_ms,
        refused: false,
    }
}

impl Push<'_> {
    /// Sends what of the message has not left yet.
    pub(super) async fn all(
        &self,
        mut outbound: Outbound,
        pieces: usize,
        tokens: &[Token],
        count: impl Fn(&'static str),
    ) -> Pushed {
        let later = Pushed::Later {
            wait_ms: RETRY_MS,
            refused: false,
        };
        for token in tokens {
            let key = token_key(self.channel.name(), &token.token);
            let until_ms = self.in_ms(TOKEN_KEPT_MS);
            let kept = self.state.remember(&key, &token.choice, until_ms).await;
            if kept.is_err() {
                // A button that means nothing is worse than a late one.
                return later;
            }
        }
        match self.offered(&outbound, &count).await {
            Ok(Offered::Untaken) => {}
            Ok(Offered::Shown) => return Pushed::Done,
            Ok(Offered::Waits { wait_ms }) => {
                return Pushed::Later {
                    wait_ms,
                    refused: false,
                };
            }
            Err(_) => return later,
        }
        let conversation = self.claim.conversation.as_str();
        let Ok(mut left) = Left::of(self.state, self.channel, conversation, self.now()).await
        else {
            return later;
        };
        left = left.filter(|_| self.is_message);
        let mut done = 0;
        if pieces > 1 {
            let key = progress_key(conversation);
            match self.state.recall(&key, self.now()).await {
                Ok(kept) => done = done_of(kept.as_deref(), &self.outgoing.id),
                Err(_) => return later,
            }
        }
        for piece in done..pieces {
            let next = match &left {
                Some(left) if self.is_closed(left) => Next::Closed { is_refused: false },
                _ => self.piece(&mut outbound, piece, &mut left, &count).await,
            };
            match next {
                Next::Piece if piece + 1 < pieces => self.progressed(piece + 1).await,
                Next::Piece => {}
                Next::Closed { is_refused } => return self.waits(left, is_refused, &count).await,
                Next::End => return Pushed::Done,
                Next::Later { wait_ms, refused } => return Pushed::Later { wait_ms, refused },
            }
        }
        Pushed::Done
    }

    /// The answer to a delivery may carry it, which costs nothing of what may be sent.
    async fn offered(
        &self,
        outbound: &Outbound,
        count: &impl Fn(&'static str),
    ) -> Result<Offered, StoreError> {
        let mut looks = 0;
        loop {
            let message = offer::Message {
                outbound,
                bot: self.outgoing.bot,
                epoch: self.outgoing.epoch,
                now_ms: self.now(),
            };
            let offered = offer::offer(self.state, self.channel, &message).await?;
            match offered {
                Offered::Shown => count("answered"),
                // It is mostly taken at once; put aside, it would keep what follows.
                Offered::Waits { .. } if looks < OFFER_LOOKS => {
                    looks += 1;
                    tokio::time::sleep(OFFER_LOOK).await;
                    continue;
                }
                Offered::Waits { .. } | Offered::Untaken => {}
            }
            return Ok(offered);
        }
    }

    async fn piece(
        &self,
        outbound: &mut Outbound,
        piece: usize,
        left: &mut Option<Left>,
        count: &impl Fn(&'static str),
    ) -> Next {
        if self.is_too_late(piece).await {
            return self.unknown(count);
        }
        for _ in 0..MOVES_MAX {
            if let Some(next) = self.wait_for_leave(outbound, count).await {
                return next;
            }
            let sending = self.channel.send(outbound, piece);
            let receipt = tokio::time::timeout(SEND_MAX, sending)
                .await
                .unwrap_or(Receipt::Unknown);
            match receipt {
                // Asked twice, it is done once.
                Receipt::Unknown if !self.is_message => {
                    return self.after(outbound, Receipt::TryAgain, count).await;
                }
                Receipt::Moved { to } => {
                    tracing::info!(
                        conversation = self.claim.conversation,
                        "the conversation has moved on its platform"
                    );
                    outbound.address = to;
                }
                Receipt::Unknown if self.known_for_ms().is_some() => {
                    return self.again_or_not(piece, count).await;
                }
                receipt => {
                    if let Some(left) = left
                        && matches!(receipt, Receipt::Sent { .. } | Receipt::Unknown)
                    {
                        left.spend();
                        let conversation = &self.claim.conversation;
                        // Unkept, the platform's own count stops what is too much.
                        let _ = left.keep(self.state, conversation, self.now()).await;
                    }
                    return self.after(outbound, receipt, count).await;
                }
            }
        }
        self.gives_up_or(RETRY_MS, count)
    }

    /// What the customer opened is used up, but for what is kept for a person.
    fn is_closed(&self, left: &Left) -> bool {
        let takes_all = self.mark.takes_all || !self.outgoing.bot;
        left.messages(self.now(), takes_all) == Some(0)
    }

    /// What is left of the message is said when the customer writes again: a reply that is cut off is worse than a late one.
    async fn waits(
        &self,
        left: Option<Left>,
        is_refused: bool,
        count: &impl Fn(&'static str),
    ) -> Pushed {
        let conversation = &self.claim.conversation;
        let waited = self.age_ms();
        // A channel that may write at any time never knows when to come back.
        let Some(mut left) = left.filter(|_| waited < WAITS_MS) else {
            tracing::warn!(
                conversation,
                id = self.outgoing.id,
                "a message is given up: the customer did not write again"
            );
            count("given_up");
            return Pushed::Done;
        };
        count("window_closed");
        left.close(is_refused);
        if left
            .keep(self.state, conversation, self.now())
            .await
            .is_err()
        {
            // Put aside without a note, the customer's next message would not find it.
            return Pushed::Later {
                wait_ms: RETRY_MS,
                refused: false,
            };
        }
        Pushed::Closed {
            opened: left.opened().clone(),
        }
    }

    /// Until the channel's pace allows the next message, and nobody has taken over meanwhile.
    async fn wait_for_leave(
        &self,
        outbound: &Outbound,
        count: &impl Fn(&'static str),
    ) -> Option<Next> {
        for _ in 0..PACE_WAITS_MAX {
            let spent = self
                .paces
                .spend(self.channel, &outbound.address, self.state, self.now())
                .await;
            match spent {
                None => return self.may_not(count).await,
                Some(wait_ms) if wait_ms > PACE_WAIT_MS_MAX => {
                    return Some(waits(wait_ms));
                }
                Some(wait_ms) => {
                    if !self.extended().await {
                        return Some(waits(RETRY_MS));
                    }
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
            }
        }
        Some(waits(RETRY_MS))
    }

    /// Keeps the message from other senders; false where another has it, who sends it then.
    async fn extended(&self) -> bool {
        let (id, token) = (&self.claim.conversation, self.claim.token);
        let until_ms = self.in_ms(LEASE_MS);
        let extended = self.state.extend(Queue::Send, id, token, until_ms).await;
        extended.is_ok()
    }

    /// The claim may have ended, and a take-over may have come after it.
    async fn may_not(&self, count: &impl Fn(&'static str)) -> Option<Next> {
        if !self.extended().await {
            return Some(waits(RETRY_MS));
        }
        match self.state.epoch(&self.claim.conversation).await {
            // What is asked of a platform follows from what the bot knew, too.
            Ok(epoch) if (self.outgoing.bot || !self.is_message) && self.outgoing.epoch < epoch => {
                count("silenced");
                Some(Next::End)
            }
            Ok(_) => None,
            Err(_) => Some(waits(RETRY_MS)),
        }
    }

    async fn after(
        &self,
        outbound: &Outbound,
        receipt: Receipt,
        count: &impl Fn(&'static str),
    ) -> Next {
        let conversation = &self.claim.conversation;
        match receipt {
            Receipt::Sent { .. } => {
                count(if self.is_message { "sent" } else { "asked" });
                Next::Piece
            }
            Receipt::Blocked => {
                count("blocked");
                Next::End
            }
            // What the bot said goes nowhere; a rep's words would have to be said at the platform's desk.
            Receipt::TakenOver => {
                if !self.outgoing.bot && self.is_message {
                    tracing::warn!(
                        conversation,
                        "a rep's words are not said: a person at the platform's desk has the conversation"
                    );
                }
                count("silenced");
                Next::End
            }
            Receipt::WindowClosed => Next::Closed { is_refused: true },
            Receipt::Permanent { reason } => {
                tracing::warn!(conversation, reason, "a message can never be sent");
                count("permanent");
                Next::Piece
            }
            Receipt::Unknown => self.unknown(count),
            Receipt::RetryAfter { wait_ms } => {
                let wait_ms = wait_ms.clamp(1, RETRY_AFTER_MS_MAX);
                let until_ms = self.in_ms(wait_ms);
                pause(self.channel, &outbound.address, self.state, until_ms).await;
                self.gives_up_or(wait_ms, count)
            }
            Receipt::RefreshToken => self.gives_up_or(1, count),
            Receipt::TryAgain => {
                let doubled = RETRY_MS.saturating_mul(1 << self.claim.attempts.min(20));
                // Spread by the message's id, so that a crowd does not come back at once.
                let spread = dialogs::compose::hash(&self.outgoing.id) % RETRY_MS;
                self.gives_up_or(doubled.min(RETRY_MS_MAX) + spread, count)
            }
            Receipt::Moved { .. } => self.gives_up_or(RETRY_MS, count),
        }
    }

    /// Sent again it might be read twice, and a price said twice looks like two.
    pub(super) fn unknown(&self, count: &impl Fn(&'static str)) -> Next {
        tracing::warn!(
            conversation = self.claim.conversation,
            id = self.outgoing.id,
            "nobody can tell whether a message arrived; it is not sent again"
        );
        count("unknown");
        Next::Piece
    }

    pub(super) fn gives_up_or(&self, wait_ms: u64, count: &impl Fn(&'static str)) -> Next {
        if self.claim.attempts >= ATTEMPTS_MAX && self.age_ms() >= GIVEN_UP_MS {
            tracing::error!(
                conversation = self.claim.conversation,
                id = self.outgoing.id,
                "a message is given up after many tries"
            );
            count("given_up");
            return Next::End;
        }
        count("retry");
        Next::Later {
            wait_ms,
            refused: true,
        }
    }

    /// So many pieces have left; whoever goes on with the message begins there.
    async fn progressed(&self, pieces: usize) {
        let until_ms = self.in_ms(PROGRESS_KEPT_MS);
        let key = progress_key(&self.claim.conversation);
        let progress = format!("{pieces} {}", self.outgoing.id);
        for _ in 0..PROGRESS_TRIES {
            let kept = self.state.remember(&key, &progress, until_ms);
            if kept.await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(RETRY_MS / 10)).await;
        }
        tracing::warn!(
            conversation = self.claim.conversation,
            "it cannot be kept how much of a message has left; if this process ends now, some leaves twice"
        );
    }

    /// Since it was decided; of a message without a mark nobody knows.
    fn age_ms(&self) -> u64 {
        let decided_ms = self.mark.decided_at_ms.unwrap_or_else(|| self.now());
        u64::try_from(self.now().saturating_sub(decided_ms)).unwrap_or(0)
    }

    pub(super) fn now(&self) -> i64 {
        (self.clock)()
    }

    pub(super) fn in_ms(&self, ms: u64) -> i64 {
        self.now().saturating_add_unsigned(ms)
    }
}

/// One note a conversation: its messages leave one after the other.
pub(super) fn progress_key(conversation: &str) -> String {
    format!("left:{conversation}")
}

/// How many pieces of a message have left.
pub(super) fn done_of(progress: Option<&str>, id: &str) -> usize {
    let kept = progress.and_then(|kept| kept.split_once(' '));
    kept.filter(|(_, of)| *of == id)
        .and_then(|(pieces, _)| pieces.parse().ok())
        .unwrap_or(0)
}
