//! Where a conversation takes place: `channel:place`, the only thing that names a channel.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest address in bytes.
pub const ADDRESS_BYTES_MAX: usize = 200;

/// A conversation's place on a channel, written `channel:place` (`web:3f0c…`, `terminal:c1`).
///
/// The channel is lower-case ASCII letters; the place is anything printable without spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    written: String,
    channel_bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("an address is `channel:place`, this has no colon")]
    NoColon,
    #[error("the channel of an address is lower-case letters a-z")]
    Channel,
    #[error("the place of an address is 1 or more printable characters without spaces")]
    Place,
    #[error("an address has at most {ADDRESS_BYTES_MAX} bytes")]
    TooLong,
}

impl Address {
    pub fn new(channel: &str, place: &str) -> Result<Self, AddressError> {
        if channel.is_empty() || !channel.bytes().all(|b| b.is_ascii_lowercase()) {
            return Err(AddressError::Channel);
        }
        if place.is_empty() || place.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(AddressError::Place);
        }
        if channel.len() + 1 + place.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        Ok(Self {
            written: format!("{channel}:{place}"),
            channel_bytes: channel.len(),
        })
    }

    pub fn channel(&self) -> &str {
        self.written.get(..self.channel_bytes).unwrap_or_default()
    }

    pub fn place(&self) -> &str {
        self.written
            .get(self.channel_bytes + 1..)
            .unwrap_or_default()
    }

    /// A platform with a desk of its own: once a conversation is handed over, nobody here writes in it ([`crate::Handoff::Native`]). Asked by name, since what was said has to be said again from the records alone.
    pub fn has_own_desk(&self) -> bool {
        self.channel() == crate::wecom::NAME
    }

    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(written: &str) -> Result<Self, AddressError> {
        let (channel, place) = written.split_once(':').ok_or(AddressError::NoColon)?;
        Self::new(channel, place)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(written: String) -> Result<Self, AddressError> {
        written.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.written
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
