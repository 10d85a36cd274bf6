//! What a turn comes to: events, the new state, and messages on their way out.

use crate::convert;
use adapters::{Address, Body, Outbound, OutboundBody, Part, Speaker};
use dialogs::conversation::Conversation;
use dialogs::event::{Event, Said};

pub struct Outcome {
    pub conversation: Conversation,
    pub events: Vec<Event>,
    pub outbounds: Vec<Outbound>,
}

impl Outcome {
    /// The messages follow from the events alone, so that a replay gives the same ones.
    pub(super) fn new(
        id: &str,
        conversation: Conversation,
        events: Vec<Event>,
        mode_before: &str,
    ) -> Self {
        let mut outbounds = Vec::new();
        if let Ok(address) = id.parse::<Address>() {
            let mut add = |key: &str, from, body| {
                outbounds.push(Outbound {
                    id: key.to_owned(),
                    address: address.clone(),
                    turn: conversation.turn,
                    epoch: conversation.epoch,
                    from,
                    body,
                });
            };
            let read: Vec<String> = events
                .iter()
                .filter_map(|event| match event {
                    Event::Heard {
                        event_id,
                        said: Said::Text(_) | Said::Choice(_) | Said::File { .. },
                        ..
                    } => Some(event_id.clone()),
                    _ => None,
                })
                .collect();
            let turn = conversation.turn;
            if !read.is_empty() {
                let body = OutboundBody::Read { event_ids: read };
                add(&format!("{id}/{turn}/read"), Speaker::Rep, body);
            }
            for event in &events {
                match event {
                    Event::Replied { id, reply } if !reply.parts.is_empty() => {
                        let body = convert::body(reply, &conversation);
                        add(id, Speaker::Bot, OutboundBody::Reply(body));
                    }
                    Event::RepSaid {
                        id: letter,
                        text,
                        elsewhere: false,
                        ..
                    } => {
                        let body = Body {
                            parts: vec![Part::Text { text: text.clone() }],
                        };
                        let key = format!("{id}/rep/{letter}");
                        add(&key, Speaker::Rep, OutboundBody::Reply(body));
                    }
                    _ => {}
                }
            }
            if conversation.mode.word() != mode_before {
                let mode = conversation.mode.word().to_owned();
                add(
                    &format!("{id}/{turn}/mode"),
                    Speaker::Rep,
                    OutboundBody::Mode { mode },
                );
            }
        }
        Self {
            conversation,
            events,
            outbounds,
        }
    }
}

/// The turn as the mailbox's workers run it.
pub mod engine {
    use super::Outcome;
    use crate::mail::{Leaving, Mail, Mark};
    use crate::model::LanguageModel;
    use crate::publishing::Served;
    use crate::shop::Shop;
    use crate::store::{Engine, NewOut, TurnClaim, TurnResult};
    use crate::telemetry::{Told, spans};
    use crate::turn::{Letter, Turn, run};
    use adapters::Speaker;
    use dialogs::conversation::Conversation;
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::time::Instant;

    pub struct Dialogue {
        pub served: Served,
        pub model: Option<Arc<dyn LanguageModel>>,
    }

    impl Engine for Dialogue {
        fn run<'a>(
            &'a self,
            claim: &'a TurnClaim,
            now_ms: i64,
        ) -> Pin<Box<dyn Future<Output = TurnResult> + Send + 'a>> {
            Box::pin(async move {
                let begun = Instant::now();
                let letters = claim
                    .letters
                    .iter()
                    .filter_map(|letter| match serde_json::from_str::<Mail>(&letter.body) {
                        Ok(mail) => Some(Letter {
                            event_id: letter.event_id.clone(),
                            mail,
                        }),
                        Err(error) => {
                            // Only our own code writes letters; one of another version cannot be acted on.
                            tracing::error!(conversation = claim.conversation, seq = letter.seq, %error, "a letter is unreadable");
                            None
                        }
                    })
                    .collect();
                // What is published meanwhile decides from the next turn on.
                let shop = self.served.shop();
                let outcome = run(Turn {
                    id: &claim.conversation,
                    conversation: state(claim, &shop),
                    letters,
                    at_ms: now_ms,
                    shop: &shop,
                    model: self.model.as_deref(),
                })
                .await;
                let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                let mark = Mark {
                    decided_at_ms: Some(now_ms.saturating_add_unsigned(took_ms)),
                    trace: spans::traceparent(&tracing::Span::current()),
                    takes_all: false,
                };
                TurnResult {
                    told: Told::of(&outcome.events, &shop),
                    ..result(&outcome, &mark)
                }
            })
        }
    }

    fn state(claim: &TurnClaim, shop: &Shop) -> Conversation {
        let fresh = || {
            let language = shop.dialog.profile.languages.first();
            Conversation::new(language.copied().unwrap_or(dialogs::Language::Zh))
        };
        match &claim.state {
                None => fresh(),
                Some(state) => serde_json::from_str(state).unwrap_or_else(|error| {
                    tracing::error!(conversation = claim.conversation, %error, "the snapshot is unreadable; the conversation starts anew");
                    fresh()
                }),
            }
    }

    fn result(outcome: &Outcome, mark: &Mark) -> TurnResult {
        TurnResult {
            state: json(&outcome.conversation),
            epoch: outcome.conversation.epoch,
            events: outcome.events.iter().map(json).collect(),
            out: outcome
                .outbounds
                .iter()
                .map(|outbound| NewOut {
                    id: outbound.id.clone(),
                    epoch: outbound.epoch,
                    bot: outbound.from == Speaker::Bot,
                    body: json(&Leaving { outbound, mark }),
                })
                .collect(),
            wake_at_ms: None,
            told: Told::default(),
        }
    }

    fn json<T: serde::Serialize>(value: &T) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }
}
