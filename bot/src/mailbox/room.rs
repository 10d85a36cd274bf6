//! Replies are folded into as many messages as the customer's platform still takes, before they are committed.

use super::window::{KEPT_BACK, Left};
use crate::channels::Channels;
use crate::mail::{Leaving, Mark};
use crate::store::{Engine, NewOut, StateStore, TurnClaim, TurnResult};
use adapters::render::{FOLDS, fewer};
use adapters::{Address, Channel, Delivery, Outbound, OutboundBody};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

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
            let state = self.state.as_ref();
            // Where the store does not answer, the reply stays as it is: the sender counts again.
            let left = Left::of(state, channel, &claim.conversation, now_ms).await;
            if let Ok(Some(left)) = left {
                let takes_all = !result.told.handoffs.is_empty();
                let room = left.messages(now_ms);
                fold(&mut result.out, channel, room, takes_all);
            }
            result
        })
    }
}

/// One message is kept for a handoff or a person, except where this turn is the handoff.
fn fold(out: &mut [NewOut], channel: &dyn Channel, room: Option<u32>, takes_all: bool) {
    let mut room = room.map(|left| {
        if takes_all {
            left
        } else {
            left.saturating_sub(KEPT_BACK)
        }
    });
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

    use super::super::window::tests::channel;
    use super::*;
    use adapters::{Body, Card, Choice, Part, Price, Speaker};

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
            (Some(5), 3),
            (Some(4), 3),
            (Some(3), 2),
            (Some(2), 1),
        ] {
            let (count, body, mark) = folded(room, false);
            assert!(count <= pieces, "{room:?}: {count}");
            assert!(
                room.is_none_or(|room| count < room as usize),
                "{room:?}: {count}"
            );
            assert!(!mark.takes_all);
            for said in ["推荐这款", "机器 a", "shop.example/a", "看看别的"] {
                assert!(body.contains(said), "{room:?}: {said}");
            }
        }
        // With nothing to spare it is one message, which waits; a handoff takes the last.
        assert_eq!(folded(Some(1), false).0, 1);
        assert_eq!(folded(Some(3), true).0, 3);
        assert!(folded(Some(3), true).2.takes_all);
    }
}
