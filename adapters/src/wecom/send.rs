//! How a message leaves: what is asked of WeCom for each piece, in which state of the conversation, and what becomes of a refusal.

use super::message::account_and_user;
use super::outcome::{Failed, code, is_known, receipt, told};
use super::render::{self, Piece};
use super::session::Closed;
use super::{WAITING_MODE, WeCom, permanent};
use crate::picture::{self, Lacking, Medium};
use crate::{Outbound, OutboundBody, Receipt, Speaker, Unkept};
use serde_json::Value;

impl WeCom {
    pub(super) async fn sent(&self, message: &Outbound, piece: usize) -> Receipt {
        let place = message.address.place();
        match &message.body {
            OutboundBody::Reply(body) => match render::pieces(body).get(piece) {
                Some(found) => {
                    let id = render::id(&message.id, piece);
                    let is_first = piece == 0 && message.from == Speaker::Bot;
                    self.said(place, found, &id, is_first).await
                }
                None => permanent("it has no such piece"),
            },
            OutboundBody::Mode { mode } if mode == WAITING_MODE => {
                match self.sessions.hand_off(place).await {
                    // With nobody there it is done as soon as somebody is.
                    Ok(()) | Err(Closed::NobodyThere) => Receipt::Sent {
                        provider_id: String::new(),
                    },
                    Err(Closed::Failed(Failed::Refused { code, reason })) => permanent(&format!(
                        "WeCom's desk takes no handoff ({code} {reason}); reps of the shop have it"
                    )),
                    Err(Closed::Over) => permanent("the session at WeCom is over"),
                    Err(closed) => not_sent(closed),
                }
            }
            // Whoever has it now, it waits for WeCom's desk no longer.
            OutboundBody::Mode { .. } => match self.sessions.forget_the_desk(place).await {
                Ok(()) => Receipt::Sent {
                    provider_id: String::new(),
                },
                Err(Unkept) => Receipt::TryAgain,
            },
            OutboundBody::Read { .. } => permanent("it is no reply"),
        }
    }

    async fn said(&self, place: &str, piece: &Piece, id: &str, is_first: bool) -> Receipt {
        let api = &self.sessions.api;
        if is_first && let Some(code) = self.sessions.welcome(place).await {
            // A welcome is a text or a menu (发送欢迎语等事件响应消息).
            let welcome = render::with(render::content(piece, id), &[("code", &code)]);
            match api.welcome(&welcome).await {
                Ok(provider_id) => {
                    self.sessions.forget_welcome(place).await;
                    return Receipt::Sent { provider_id };
                }
                // Over or used: said like anything else.
                Err(Failed::Refused { .. }) => self.sessions.forget_welcome(place).await,
                Err(failed) => return receipt(failed),
            }
        }
        let Piece::Link(link) = piece else {
            return self.put(place, &render::content(piece, id)).await;
        };
        let picture = match self.picture(&link.picture).await {
            Ok(Some(picture)) => picture,
            Ok(None) => return self.put(place, &render::content(piece, id)).await,
            Err(receipt) => return receipt,
        };
        let card = render::card_content(link, id, &picture.id);
        match self.put(place, &card).await {
            // It may be the picture's fault; refused for certain, so its words may be said.
            Receipt::Permanent { .. } => {
                picture::forget(&*self.keep, &picture).await;
                self.put(place, &render::content(piece, id)).await
            }
            receipt => receipt,
        }
    }

    /// `None` where the card is better said in words than held for its picture.
    async fn picture(&self, address: &str) -> Result<Option<Medium>, Receipt> {
        let api = &*self.sessions.api;
        // Without one no words can be said either; with one the picture has its time to itself.
        if let Err(failed) = api.token().await {
            return Err(receipt(Failed::NoToken(Box::new(failed))));
        }
        match picture::had(api, &*self.keep, address).await {
            Ok(picture) => Ok(Some(picture)),
            Err(Lacking::Upload(
                failed @ (Failed::TokenOver | Failed::NoToken(_) | Failed::NoConnection),
            )) => Err(receipt(failed)),
            Err(Lacking::Picture | Lacking::Late | Lacking::Upload(_)) => Ok(None),
        }
    }

    /// Sends one message where the agent has the conversation.
    async fn put(&self, place: &str, content: &Value) -> Receipt {
        let api = &self.sessions.api;
        if let Err(closed) = self.sessions.open(place).await {
            return not_sent(closed);
        }
        let (account, user) = account_and_user(place);
        let more = [("open_kfid", account), ("touser", user)];
        let message = render::with(content.clone(), &more);
        let failed = match api.send(&message).await {
            Ok(provider_id) => return Receipt::Sent { provider_id },
            Err(failed) => failed,
        };
        if is_known(&failed) {
            return Receipt::Sent {
                provider_id: String::new(),
            };
        }
        if !is_about_the_state(&failed) {
            return receipt(failed);
        }
        // It was not what was known here: refused for certain, so it may be said once more where it is the agent's.
        if let Err(closed) = self.sessions.look(place).await {
            return not_sent(closed);
        }
        match api.send(&message).await {
            Ok(provider_id) => Receipt::Sent { provider_id },
            Err(failed) if is_about_the_state(&failed) => self.refused_again(place, &failed).await,
            Err(failed) => receipt(failed),
        }
    }

    /// Somebody was quicker, or WeCom takes nothing though the agent has it: then a person has to do something.
    async fn refused_again(&self, place: &str, failed: &Failed) -> Receipt {
        match self.sessions.look(place).await {
            Ok(()) => {
                let (why, advice) = told(failed);
                permanent(&format!("{why}; {advice}"))
            }
            Err(closed) => not_sent(closed),
        }
    }
}

fn is_about_the_state(failed: &Failed) -> bool {
    let about = [code::NOT_IN_THIS_STATE, code::NOT_ALLOWED_NOW, code::ENDED];
    matches!(failed, Failed::Refused { code, .. } if about.contains(code))
}

fn not_sent(closed: Closed) -> Receipt {
    match closed {
        Closed::AtDesk => Receipt::TakenOver,
        Closed::Over => Receipt::WindowClosed,
        // Only a handoff meets it.
        Closed::NobodyThere => Receipt::TryAgain,
        // The question got no answer; the message was not sent.
        Closed::Failed(Failed::NoAnswer | Failed::TooLong) => Receipt::TryAgain,
        Closed::Failed(failed) => receipt(failed),
    }
}
