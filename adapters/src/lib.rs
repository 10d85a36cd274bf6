//! The channels: what a platform sends, as neutral mail; what the shop says, as the platform wants it.
//!
//! A channel knows nothing of conversations, policies or stores.
//! It is found by the name in an [`Address`], never by a `match` on that name elsewhere.

mod access;
mod address;
mod answered;
mod capabilities;
mod channel;
mod digest;
pub mod discord;
mod emoticon;
mod keep;
mod message;
mod picture;
mod receive;
pub mod render;
#[cfg(test)]
mod sample;
pub mod telegram;
mod tencent;
pub mod web;
pub mod wechat;
pub mod wecom;
mod wxcrypt;

pub use access::{Access, Granted};
pub use address::{Address, AddressError};
pub use capabilities::{
    Brief, Capabilities, Cards, CatchUp, Choices, Handoff, Idempotency, LanePace, Length, Pace,
    Receipts, SyncReply, Typing, Unit, Window,
};
pub use channel::{
    Asking, Channel, Check, Delivery, PullError, Pulled, Receipt, Sending, Source, Token,
};
pub use keep::{Keep, KeptHere, Unkept};
pub use message::{
    Body, CAMPAIGN_CHARS_MAX, Card, Choice, Door, File, FileKind, Inbound, InboundBody, Outbound,
    OutboundBody, Part, Price, Speaker,
};
pub use receive::{
    Acknowledgement, Answer, Answered, Arrival, Delivered, DeskAct, Held, Place, READ_EVENT,
    Received, Refused, Report, WORDS_EVENT, Waiting, Words,
};
