//! The web widget's channel: what the page posts, the events it reads, the files it loads.

mod assets;
mod post;

pub use assets::{Asset, asset, mime};
pub use post::{
    CHOICE_CHARS_MAX, EVENT_ID_CHARS_MAX, PostError, TEXT_CHARS_MAX, clean, read_message,
};

use crate::{
    Capabilities, Cards, CatchUp, Channel, Choices, Delivery, Handoff, Idempotency, Length,
    Outbound, OutboundBody, Part, Receipts, Speaker, SyncReply, Typing, Unit,
};
use serde::Serialize;

/// The channel's name in an address.
pub const NAME: &str = "web";

/// Longest text of one reply, in characters; longer ones are the composer's to split.
const REPLY_CHARS_MAX: usize = 4000;

/// The shop's own page: messages wait in the conversation's feed until the page reads them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Web;

impl Channel for Web {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: Length {
                max: REPLY_CHARS_MAX,
                unit: Unit::Characters,
            },
            caption: None,
            cards: Cards::Native,
            choices: Choices::Buttons {
                max: usize::MAX,
                id_bytes_max: CHOICE_CHARS_MAX,
            },
            pace: None,
            window: None,
            idempotency: Idempotency::Own,
            typing: Typing::Hint,
            editing: false,
            receipts: Receipts::None,
            upload_first: false,
            handoff: Handoff::Ours,
            sync_reply: SyncReply::None,
            // The page keeps what was typed until it is taken.
            catch_up: CatchUp::Redelivered { for_ms: u64::MAX },
        }
    }

    fn deliver(&self, message: &Outbound) -> Delivery {
        let (event, data) = match &message.body {
            OutboundBody::Reply(body) => (
                "message",
                serde_json::to_string(&MessageEvent {
                    id: &message.id,
                    turn: message.turn,
                    from: message.from,
                    reply: &body.parts,
                }),
            ),
            OutboundBody::Read { event_ids } => (
                "receipt",
                serde_json::to_string(&ReceiptEvent {
                    ids: event_ids,
                    turn: message.turn,
                }),
            ),
            OutboundBody::Mode { mode } => ("mode", serde_json::to_string(&ModeEvent { mode })),
        };
        match data {
            Ok(data) => Delivery::Feed { event, data },
            // Strings, numbers and lists always have a JSON form.
            Err(_) => Delivery::Nothing,
        }
    }
}

#[derive(Serialize)]
struct MessageEvent<'a> {
    id: &'a str,
    turn: u64,
    from: Speaker,
    reply: &'a [Part],
}

#[derive(Serialize)]
struct ReceiptEvent<'a> {
    ids: &'a [String],
    turn: u64,
}

#[derive(Serialize)]
struct ModeEvent<'a> {
    mode: &'a str,
}
