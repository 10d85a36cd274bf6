//! Where a conversation is: a direct channel, or a customer in a channel of a server, who is answered in a private thread.

use super::NAME;
use crate::{Address, Keep, Unkept};
use serenity::model::id::{ChannelId, UserId};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// How long it is known which thread is whose since it was last used, milliseconds: also whoever comes back after months finds the old one.
const KEPT_MS: u64 = 400 * 24 * 60 * 60 * 1000;
/// How long a customer is answered elsewhere than where they should be, milliseconds; then it is tried there again.
const ELSEWHERE_MS: u64 = 24 * 60 * 60 * 1000;
/// What is used is kept longer so often by one process, milliseconds.
const RENEWED_MS: i64 = 24 * 60 * 60 * 1000;
/// How long this process trusts what it has looked up, also that there is nothing, milliseconds.
const TRUSTED_MS: i64 = 10 * 1000;
/// Channels that are remembered in this process at once, and facts that it has renewed.
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

/// Whose words in a channel belong to which place. Written `PLACE`, or `PLACE CUSTOMER` where the place does not name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose {
    pub place: Place,
    pub customer: Option<UserId>,
}

impl From<Place> for Whose {
    fn from(place: Place) -> Self {
        Self {
            place,
            customer: place.customer,
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.customer {
            Some(customer) => write!(f, "{} {customer}", self.place),
            None => write!(f, "{}", self.place),
        }
    }
}

impl FromStr for Whose {
    type Err = ();

    fn from_str(written: &str) -> Result<Self, ()> {
        match written.split_once(' ') {
            None => written.parse().map(Place::into),
            Some((place, customer)) => Ok(Self {
                place: place.parse()?,
                customer: Some(customer.parse().map_err(|_| ())?),
            }),
        }
    }
}

/// What the replicas know together of who is where.
pub(super) struct Places {
    keep: Arc<dyn Keep>,
    /// By channel: whose it is, and until when that is trusted.
    looked_up: Mutex<BTreeMap<ChannelId, (Option<Whose>, i64)>>,
    /// By key: when this process has last kept it longer.
    renewed: Mutex<BTreeMap<String, i64>>,
}

impl Places {
    pub(super) fn new(keep: Arc<dyn Keep>) -> Self {
        Self {
            keep,
            looked_up: Mutex::default(),
            renewed: Mutex::default(),
        }
    }

    /// Whose conversation goes on in this channel; `None` for a channel that nobody's is.
    pub(super) async fn in_channel(&self, channel: ChannelId) -> Result<Option<Whose>, Unkept> {
        let now_ms = self.keep.now_ms();
        if let Some((found, until_ms)) = self.looked_up().get(&channel)
            && *until_ms > now_ms
        {
            return Ok(*found);
        }
        // Who is answered here for a time comes before whose it is.
        let found = match self.keep.recall(&answered_key(channel)).await? {
            Some(whose) => whose.parse().ok(),
            None => {
                let key = place_key(channel);
                let found = self.keep.recall(&key).await?;
                if let Some(place) = &found {
                    self.renew(&key, place).await;
                }
                found.and_then(|place| place.parse().ok())
            }
        };
        self.note(channel, found);
        Ok(found)
    }

    /// The channel that a customer of a server is answered in, if there is one already.
    pub(super) async fn channel_of(&self, place: Place) -> Result<Option<ChannelId>, Unkept> {
        let key = channel_key(place);
        let found = self.keep.recall(&key).await?;
        if let Some(channel) = found.as_deref().and_then(|channel| channel.parse().ok()) {
            self.renew(&key, found.as_deref().unwrap_or_default()).await;
            return Ok(Some(channel));
        }
        let direct = self.keep.recall(&fallback_key(place)).await?;
        Ok(direct.and_then(|channel| channel.parse().ok()))
    }

    /// A thread is there; its customer is not yet in it.
    pub(super) async fn begin(&self, place: Place, thread: ChannelId) -> Result<(), Unkept> {
        let until_ms = self.until_ms(ELSEWHERE_MS);
        let written = thread.to_string();
        self.keep
            .remember(&begun_key(place), &written, until_ms)
            .await?;
        let until_ms = self.until_ms(KEPT_MS);
        self.keep
            .remember(&place_key(thread), &place.to_string(), until_ms)
            .await?;
        self.note(thread, Some(place.into()));
        Ok(())
    }

    /// A thread that is there and that nobody has been added to.
    pub(super) async fn begun(&self, place: Place) -> Result<Option<ChannelId>, Unkept> {
        let begun = self.keep.recall(&begun_key(place)).await?;
        Ok(begun.and_then(|thread| thread.parse().ok()))
    }

    /// The customer is in the thread that has begun.
    pub(super) async fn keep(&self, place: Place, thread: ChannelId) -> Result<(), Unkept> {
        let until_ms = self.until_ms(KEPT_MS);
        let written = thread.to_string();
        self.keep
            .remember(&channel_key(place), &written, until_ms)
            .await?;
        if let Some(customer) = place.customer {
            let key = format!("discord:customer:{customer}");
            let written = place.to_string();
            self.keep.remember(&key, &written, until_ms).await?;
        }
        Ok(())
    }

    /// For a time a customer of a server is answered in their direct channel. What they say there belongs to the same conversation, unless one of their own goes on there.
    pub(super) async fn keep_fallback(
        &self,
        place: Place,
        direct: ChannelId,
    ) -> Result<(), Unkept> {
        if self.keep.recall(&direct_key(direct)).await?.is_none() {
            self.answer_in(direct, place.into()).await?;
        }
        let until_ms = self.until_ms(ELSEWHERE_MS);
        let written = direct.to_string();
        self.keep
            .remember(&fallback_key(place), &written, until_ms)
            .await
    }

    /// Nothing can be written into the thread. For a time its customer is answered in their direct channel, then the same thread is tried again.
    pub(super) async fn leave(
        &self,
        place: Place,
        thread: ChannelId,
        direct: ChannelId,
    ) -> Result<(), Unkept> {
        self.keep_fallback(place, direct).await?;
        let written = thread.to_string();
        let until_ms = self.until_ms(KEPT_MS);
        self.keep
            .remember(&begun_key(place), &written, until_ms)
            .await?;
        self.drop_fact(&channel_key(place)).await
    }

    /// For a time what a customer says in a channel belongs to another place's conversation.
    pub(super) async fn answer_in(&self, channel: ChannelId, whose: Whose) -> Result<(), Unkept> {
        let until_ms = self.until_ms(ELSEWHERE_MS);
        let written = whose.to_string();
        self.keep
            .remember(&answered_key(channel), &written, until_ms)
            .await?;
        self.note(channel, Some(whose));
        Ok(())
    }

    /// The channel is no more, or takes nothing.
    pub(super) async fn forget(&self, place: Place) {
        for key in [channel_key(place), fallback_key(place), begun_key(place)] {
            let _ = self.drop_fact(&key).await;
        }
    }

    /// The direct channel that stands for a thread takes nothing; a thread that has begun stays.
    pub(super) async fn forget_fallback(&self, place: Place) {
        let _ = self.drop_fact(&fallback_key(place)).await;
    }

    async fn drop_fact(&self, key: &str) -> Result<(), Unkept> {
        self.keep.remember(key, "", self.until_ms(1)).await
    }

    /// Whose direct channel this is; also that they have a conversation there.
    pub(super) async fn keep_direct(&self, channel: ChannelId, customer: UserId) {
        self.renew(&direct_key(channel), &customer.to_string())
            .await;
    }

    /// Where else the customer of a direct channel can be reached: in a server that both are in.
    pub(super) async fn elsewhere(&self, direct: ChannelId) -> Option<Whose> {
        let customer = self.keep.recall(&direct_key(direct)).await;
        let customer: UserId = customer.ok()??.parse().ok()?;
        let key = format!("discord:customer:{customer}");
        let written = self.keep.recall(&key).await.ok()??;
        self.renew(&key, &written).await;
        Some(Whose {
            place: written.parse().ok()?,
            customer: Some(customer),
        })
    }

    /// What is used is kept longer, now and then.
    async fn renew(&self, key: &str, value: &str) {
        let now_ms = self.keep.now_ms();
        {
            let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = |at_ms: &i64| now_ms.saturating_sub(*at_ms) < RENEWED_MS;
            if renewed.get(key).is_some_and(is_new) {
                return;
            }
            if renewed.len() >= LOOKED_UP_MAX {
                renewed.clear();
            }
            renewed.insert(key.to_owned(), now_ms);
        }
        let until_ms = self.until_ms(KEPT_MS);
        if self.keep.remember(key, value, until_ms).await.is_err() {
            let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            renewed.remove(key);
        }
    }

    fn until_ms(&self, for_ms: u64) -> i64 {
        self.keep.now_ms().saturating_add_unsigned(for_ms)
    }

    fn note(&self, channel: ChannelId, found: Option<Whose>) {
        let until_ms = self.keep.now_ms().saturating_add(TRUSTED_MS);
        let mut looked_up = self.looked_up();
        if looked_up.len() >= LOOKED_UP_MAX {
            looked_up.clear();
        }
        looked_up.insert(channel, (found, until_ms));
    }

    fn looked_up(&self) -> std::sync::MutexGuard<'_, BTreeMap<ChannelId, (Option<Whose>, i64)>> {
        self.looked_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose a channel is.
fn place_key(channel: ChannelId) -> String {
    format!("discord:place:{channel}")
}

/// The thread of a place.
fn channel_key(place: Place) -> String {
    format!("discord:channel:{place}")
}

/// The direct channel that stands for a place's thread.
fn fallback_key(place: Place) -> String {
    format!("discord:fallback:{place}")
}

/// A place's thread without its customer.
fn begun_key(place: Place) -> String {
    format!("discord:begun:{place}")
}

/// Who is answered in a channel for a time.
fn answered_key(channel: ChannelId) -> String {
    format!("discord:answered:{channel}")
}

/// Whose direct channel it is.
fn direct_key(channel: ChannelId) -> String {
    format!("discord:direct:{channel}")
}
