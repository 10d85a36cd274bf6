//! The channels: what a platform sends, as neutral mail; what the shop says, as the platform wants it.
//!
//! A channel knows nothing of conversations, policies or stores.
//! It is found by the name in an [`Address`], never by a `match` on that name elsewhere.

mod address;
mod channel;
mod message;
pub mod web;

pub use address::{Address, AddressError};
pub use channel::{Capabilities, Channel, Delivery, Receipt, Sending};
pub use message::{
    Body, Card, Choice, Inbound, InboundBody, Outbound, OutboundBody, Part, Price, Speaker,
};
