//! Where a conversation is: a direct channel, or a customer in a channel of a server, who is answered in a private thread.

use super::NAME;
use crate::{Address, Keep, Unkept};
use serenity::model::id::{ChannelId, UserId};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// How long it is known which thread is whose, milliseconds: also whoever comes back after months finds the old one.
const KEPT_MS: u64 = 400 * 24 * 60 * 60 * 1000;
/// How long this process trusts what it has looked up, and that there is nothing, milliseconds.
const FOUND_MS: i64 = 10 * 60 * 1000;
const NOT_FOUND_MS: i64 = 10 * 1000;
/// Channels that are remembered in this process at once.
const LOOKED_UP_MAX: usize = 20_000;

/// Written `CHANNEL` or `CHANNEL.CUSTOMER`, as in an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub channel: ChannelId,
    /// In a server: whose conversation it is.
    pub customer: Option<UserId>,
}

impl Place {
    pub(super) fn direct(channel: ChannelId) -> Self {
        Self {
            channel,
            customer: None,
        }
    }

    pub(super) fn of(channel: ChannelId, customer: UserId) -> Self {
        Self {
            channel,
            customer: Some(customer),
        }
    }

    pub(super) fn address(&self) -> Option<Address> {
        Address::new(NAME, &self.to_string()).ok()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.customer {
            None => write!(f, "{}", self.channel),
            Some(customer) => write!(f, "{}.{customer}", self.channel),
        }
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(written: &str) -> Result<Self, ()> {
        let (channel, customer) = match written.split_once('.') {
            None => (written, None),
            Some((channel, customer)) => (channel, Some(customer)),
        };
        let customer = customer.map(|id| id.parse().map_err(|_| ())).transpose()?;
        Ok(Self {
            channel: channel.parse().map_err(|_| ())?,
            customer,
        })
    }
}

/// What the replicas know together of who is where.
pub(super) struct Places {
    keep: Arc<dyn Keep>,
    /// By channel: whose it is, and until when that is trusted.
    looked_up: Mutex<BTreeMap<ChannelId, (Option<Place>, i64)>>,
}

impl Places {
    pub(super) fn new(keep: Arc<dyn Keep>) -> Self {
        Self {
            keep,
            looked_up: Mutex::default(),
        }
    }

    /// The customer's place that is answered in this channel; `None` for a channel that nobody's is.
    pub(super) async fn in_channel(&self, channel: ChannelId) -> Result<Option<Place>, Unkept> {
        let now_ms = self.keep.now_ms();
        if let Some((found, until_ms)) = self.looked_up().get(&channel)
            && *until_ms > now_ms
        {
            return Ok(*found);
        }
        let found = self
            .keep
            .recall(&format!("discord:place:{channel}"))
            .await?;
        let found = found.and_then(|place| place.parse().ok());
        self.note(channel, found);
        Ok(found)
    }

    /// The channel that a customer of a server is answered in, if there is one already.
    pub(super) async fn channel_of(&self, place: Place) -> Result<Option<ChannelId>, Unkept> {
        let found = self
            .keep
            .recall(&format!("discord:channel:{place}"))
            .await?;
        Ok(found.and_then(|channel| channel.parse().ok()))
    }

    pub(super) async fn keep(&self, place: Place, channel: ChannelId) -> Result<(), Unkept> {
        let until_ms = self.keep.now_ms().saturating_add_unsigned(KEPT_MS);
        let (key, written) = (format!("discord:place:{channel}"), place.to_string());
        self.keep.remember(&key, &written, until_ms).await?;
        let key = format!("discord:channel:{place}");
        let written = channel.to_string();
        self.keep.remember(&key, &written, until_ms).await?;
        if let Some(customer) = place.customer {
            let key = format!("discord:customer:{customer}");
            self.keep
                .remember(&key, &place.to_string(), until_ms)
                .await?;
        }
        self.note(channel, Some(place));
        Ok(())
    }

    /// The channel is no more.
    pub(super) async fn forget(&self, place: Place) {
        let until_ms = self.keep.now_ms().saturating_add(1);
        let key = format!("discord:channel:{place}");
        let _ = self.keep.remember(&key, "", until_ms).await;
    }

    /// Whose direct channel this is.
    pub(super) async fn keep_direct(
        &self,
        channel: ChannelId,
        customer: UserId,
    ) -> Result<(), Unkept> {
        let until_ms = self.keep.now_ms().saturating_add_unsigned(KEPT_MS);
        let key = format!("discord:direct:{channel}");
        self.keep
            .remember(&key, &customer.to_string(), until_ms)
            .await
    }

    /// Where else the customer of a direct channel can be reached: in a server that both are in.
    pub(super) async fn elsewhere(&self, direct: ChannelId) -> Option<Place> {
        let customer = self.keep.recall(&format!("discord:direct:{direct}")).await;
        let customer: UserId = customer.ok()??.parse().ok()?;
        let place = self
            .keep
            .recall(&format!("discord:customer:{customer}"))
            .await;
        place.ok()??.parse().ok()
    }

    fn note(&self, channel: ChannelId, found: Option<Place>) {
        let now_ms = self.keep.now_ms();
        let lasts_ms = if found.is_some() {
            FOUND_MS
        } else {
            NOT_FOUND_MS
        };
        let mut looked_up = self.looked_up();
        if looked_up.len() >= LOOKED_UP_MAX {
            looked_up.clear();
        }
        looked_up.insert(channel, (found, now_ms.saturating_add(lasts_ms)));
    }

    fn looked_up(&self) -> std::sync::MutexGuard<'_, BTreeMap<ChannelId, (Option<Place>, i64)>> {
        self.looked_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
