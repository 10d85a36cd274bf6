//! Replies are folded into as many messages as the customer's platform still takes, before they are committed.

use super::push::{done_of, progress_key};
use super::window::Left;
use crate::channels::Channels;
use crate::mail::{Leaving, Mark};
use crate::store::{Engine, NewOut, StateStore, StoreError, TurnClaim, TurnResult};
use adapters::render::{FOLDS, fewer};
use adapters::{Address, Channel, Delivery, Outbound, OutboundBody};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Unsent messages that are looked at: more than a window takes.
const WAITING_MAX: usize = 16;

/// An engine whose replies fit into the customer's window. Events stay as they were decided: they do not hang on what a platform counts.
pub struct Folding {
    pub inner: Arc<dyn Engine>,
    pub state: Arc<dyn StateStore>,
    pub channels: Channels,
}

impl Engine for Folding {
    fn run<'a>(
        &'a self,
        claim: &'a TurnClaim,
        now_ms: i64,
    ) -> Pin<Box<dyn Future<Output = TurnResult> + Send + 'a>> {
        Box::pin(async move {
            let mut result = self.inner.run(claim, now_ms).await;
            let address = claim.conversation.parse::<Address>();
            let channel = address.ok().and_then(|a| self.channels.get(a.channel()));
            let Some(channel) = channel.map(AsRef::as_ref) else {
                return result;
            };
            let takes_all = !result.told.handoffs.is_empty();
            let room = Room {
                state: self.state.as_ref(),
                channel,
                conversation: &claim.conversation,
                epoch: claim.epoch,
                now_ms,
            };
            // Where the store does not answer, the reply stays as it is: the sender counts again.
            if let Ok(room) = room.left(takes_all).await {
                fold(&mut result.out, channel, room, takes_all);
            }
            result
        })
    }
}

/// How many messages a turn's replies may become.
struct Room<'a> {
    state: &'a dyn StateStore,
    channel: &'a dyn Channel,
    conversation: &'a str,
    epoch: u64,
    now_ms: i64,
}

impl Room<'_> {
    /// `None` on a channel that may write at any time, and where only the platform knows. One message is kept for a handoff or a person, except where this turn is the handoff.
    async fn left(&self, takes_all: bool) -> Result<Option<u32>, StoreError> {
        let left = Left::of(self.state, self.channel, self.conversation, self.now_ms).await?;
        let Some(left) = left.and_then(|left| left.messages(self.now_ms, takes_all)) else {
            return Ok(None);
        };
        Ok(Some(left.saturating_sub(self.waiting().await?)))
    }

    /// Messages of turns before that have yet to leave, and leave first.
    async fn waiting(&self) -> Result<u32, StoreError> {
        let outgoing = self.state.outgoing(self.conversation, WAITING_MAX).await?;
        if outgoing.is_empty() {
            return Ok(0);
        }
        let key = progress_key(self.conversation);
        let progress = self.state.recall(&key, self.now_ms).await?;
        let mut waiting = 0;
        for message in outgoing {
            if message.bot && message.epoch < self.epoch {
                continue;
            }
            let Ok(outbound) = serde_json::from_str::<Outbound>(&message.body) else {
                continue;
            };
            let is_reply = matches!(outbound.body, OutboundBody::Reply(_));
            if let Delivery::Push { pieces, .. } = self.channel.deliver(&outbound)
                && is_reply
            {
                waiting += pieces.saturating_sub(done_of(progress.as_deref(), &message.id));
            }
        }
        Ok(u32::try_from(waiting).unwrap_or(u32::MAX))
    }
}

fn fold(out: &mut [NewOut], channel: &dyn Channel, mut room: Option<u32>, takes_all: bool) {
    for new in out.iter_mut().filter(|new| new.bot) {
        // Only our own engine writes these.
        let Ok(outbound) = serde_json::from_str::<Outbound>(&new.body) else {
            continue;
        };
        let mut mark: Mark = serde_json::from_str(&new.body).unwrap_or_default();
        let (folded, pieces) = within(outbound, channel, room.unwrap_or(u32::MAX));
        room = room.map(|room| room.saturating_sub(pieces));
        mark.takes_all = takes_all;
        let leaving = Leaving {
            outbound: &folded,
            mark: &mark,
        };
        if let Ok(body) = serde_json::to_string(&leaving) {
            new.body = body;
        }
    }
}

/// The least folded form that fits; the most folded where none does, whose rest waits for the customer.
fn within(outbound: Outbound, channel: &dyn Channel, room: u32) -> (Outbound, u32) {
    let OutboundBody::Reply(body) = &outbound.body else {
        return (outbound, 0);
    };
    let body = body.clone();
    let mut folded = outbound;
    for folds in 0..=FOLDS {
        folded.body = OutboundBody::Reply(fewer(&body, folds));
        let Delivery::Push { pieces, .. } = channel.deliver(&folded) else {
            return (folded, 0);
        };
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        if pieces <= room || folds == FOLDS {
            return (folded, pieces);
        }
    }
    (folded, 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::super::window::open;
    use super::super::window::tests::channel;
    use super::*;
    use crate::store::embedded::State;
    use crate::store::{Commit, NewMail};
    use adapters::{Body, Card, Choice, Inbound, InboundBody, Part, Price, Speaker};

    const ID: &str = "wechat:oA";
    const T0: i64 = 1_800_000_000_000;

    fn reply() -> NewOut {
        let card = |id: &str| Card {
            id: id.to_owned(),
            title: format!("机器 {id}"),
            price: Price {
                amount: "2480.00".to_owned(),
                currency: "CNY".to_owned(),
            },
            was: None,
            link: Some(format!("https://shop.example/{id}")),
            image: Some(format!("https://cdn.example/{id}.jpg")),
            availability: "in_stock".to_owned(),
            why: vec!["价格在预算内".to_owned()],
        };
        let parts = vec![
            Part::Text {
                text: "推荐这款：".to_owned(),
            },
            Part::Products {
                products: vec![card("a")],
            },
            Part::Choices {
                choices: vec![Choice {
                    id: "more".to_owned(),
                    label: "看看别的".to_owned(),
                }],
                uncounted: false,
            },
        ];
        let outbound = Outbound {
            id: "wechat:oA/1".to_owned(),
            address: "wechat:oA".parse().unwrap(),
            turn: 1,
            epoch: 0,
            from: Speaker::Bot,
            body: OutboundBody::Reply(Body { parts }),
        };
        NewOut {
            id: outbound.id.clone(),
            epoch: 0,
            bot: true,
            body: serde_json::to_string(&outbound).unwrap(),
        }
    }

    /// How many messages a reply becomes, and all its words.
    fn folded(room: Option<u32>, takes_all: bool) -> (usize, String, Mark) {
        let mut out = [reply()];
        fold(&mut out, &channel(), room, takes_all);
        let [new] = out;
        let outbound: Outbound = serde_json::from_str(&new.body).unwrap();
        let Delivery::Push { pieces, .. } = channel().deliver(&outbound) else {
            panic!("it leaves over the API");
        };
        (
            pieces,
            new.body.clone(),
            serde_json::from_str(&new.body).unwrap(),
        )
    }

    #[test]
    fn a_reply_becomes_as_few_messages_as_are_left_and_says_all_of_it() {
        // Text, picture and menu; text and menu in one; one of all.
        for (room, pieces) in [
            (None, 3),
            (Some(4), 3),
            (Some(3), 3),
            (Some(2), 2),
            (Some(1), 1),
        ] {
            let (count, body, mark) = folded(room, false);
            assert!(count <= pieces, "{room:?}: {count}");
            assert!(!mark.takes_all);
            for said in ["推荐这款", "机器 a", "shop.example/a", "看看别的"] {
                assert!(body.contains(said), "{room:?}: {said}");
            }
        }
        // With nothing to spare it is one message, which waits.
        assert_eq!(folded(Some(0), false).0, 1);
        assert!(folded(Some(3), true).2.takes_all);
    }

    /// The turn that answers one message; its reply leaves for nowhere yet.
    async fn answered(state: &State, event_id: &str, replies: usize) {
        let mail = NewMail {
            conversation: ID.to_owned(),
            event_id: event_id.to_owned(),
            at_ms: T0,
            quiet_ms: 0,
            quiet_max_ms: 0,
            body: "{}".to_owned(),
        };
        let named = |n| NewOut {
            id: format!("{event_id}/{n}"),
            ..reply()
        };
        state.accept(mail).await.unwrap();
        let claimed = state.claim_turns(T0, 1_000, 1).await.unwrap();
        let [claim] = claimed.claims.as_slice() else {
            panic!("one turn is due");
        };
        let commit = Commit {
            conversation: ID.to_owned(),
            token: claim.token,
            read_to: claim.letters.last().unwrap().seq,
            state: "{}".to_owned(),
            epoch: claim.epoch,
            events: Vec::new(),
            out: (0..replies).map(named).collect(),
            wake_at_ms: None,
            now_ms: T0,
        };
        state.commit(commit).await.unwrap();
    }

    #[tokio::test]
    async fn what_has_yet_to_leave_takes_its_place_in_the_window() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path()).unwrap();
        let channel = channel();
        let left = async |takes_all| {
            let room = Room {
                state: &state,
                channel: &channel,
                conversation: ID,
                epoch: 0,
                now_ms: T0,
            };
            room.left(takes_all).await.unwrap()
        };
        assert_eq!(left(false).await, None, "only the platform knows");
        let inbound = Inbound {
            address: ID.parse().unwrap(),
            event_id: "1".to_owned(),
            sent_at_ms: T0,
            body: InboundBody::Text("你好".to_owned()),
        };
        open(&state, &channel, &inbound, T0).await.unwrap();
        assert_eq!((left(false).await, left(true).await), (Some(4), Some(5)));
        answered(&state, "1", 1).await;
        assert_eq!((left(false).await, left(true).await), (Some(1), Some(2)));
        let key = progress_key(ID);
        state.remember(&key, "2 1/0", T0 + 1_000).await.unwrap();
        assert_eq!(left(false).await, Some(3), "two of them have left");
        answered(&state, "2", 2).await;
        assert_eq!(left(true).await, Some(0));
    }
}
