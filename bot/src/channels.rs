//! The channels that the settings ask for, by the name in an address.

use crate::config::Settings;
use crate::mailbox::Clock;
use crate::store::StateStore;
use crate::telemetry::metrics::{CHANNEL_MESSAGES, CHANNEL_UNREAD};
use adapters::discord::Discord;
use adapters::telegram::Telegram;
use adapters::web::Web;
use adapters::wechat::{Account, WeChat};
use adapters::wecom::{Corp, WeCom};
use adapters::{Asking, Channel, Keep, Unkept};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long WeChat and WeCom may take to answer a request; below what the sender gives a send.
const WECHAT_MAX: Duration = Duration::from_secs(10);
/// The same for Discord; a send may ask twice.
const DISCORD_MAX: Duration = Duration::from_secs(8);

pub type Channels = BTreeMap<String, Arc<dyn Channel>>;

/// What the replicas of a shop share lies in their state store.
pub struct Shared {
    state: Arc<dyn StateStore>,
    clock: Clock,
    /// This process among all replicas.
    holder: String,
}

impl Shared {
    pub fn new(state: Arc<dyn StateStore>, clock: Clock) -> Self {
        Self {
            state,
            clock,
            holder: uuid::Uuid::new_v4().simple().to_string(),
        }
    }
}

impl Keep for Shared {
    fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    fn remember<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<(), Unkept>> {
        Box::pin(async move {
            let kept = self.state.remember(key, value, until_ms).await;
            kept.map_err(|_| Unkept)
        })
    }

    fn recall<'a>(&'a self, key: &'a str) -> Asking<'a, Result<Option<String>, Unkept>> {
        Box::pin(async move {
            let kept = self.state.recall(key, self.now_ms()).await;
            kept.map_err(|_| Unkept)
        })
    }

    fn keep_first<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<bool, Unkept>> {
        Box::pin(async move {
            let now_ms = self.now_ms();
            let kept = self.state.keep_first(key, value, now_ms, until_ms).await;
            kept.map_err(|_| Unkept)
        })
    }

    fn hold<'a>(&'a self, job: &'a str, for_ms: u64) -> Asking<'a, Result<bool, Unkept>> {
        Box::pin(async move {
            let now_ms = self.now_ms();
            let until_ms = now_ms.saturating_add_unsigned(for_ms);
            let held = self.state.hold(job, &self.holder, now_ms, until_ms).await;
            held.map(|token| token.is_some()).map_err(|_| Unkept)
        })
    }

    fn release<'a>(&'a self, job: &'a str) -> Asking<'a, ()> {
        Box::pin(async move {
            // Where it cannot be told, the job ends with its time.
            let _ = self.state.release(job, &self.holder).await;
        })
    }
}

/// The web channel always, and every platform whose credentials are set. `keep` is what their replicas share.
pub fn of(settings: &Settings, keep: &Arc<dyn Keep>) -> Result<Channels, String> {
    let mut all: Vec<Arc<dyn Channel>> = vec![Arc::new(Web)];
    if let Some(telegram) = &settings.channels.telegram {
        all.push(Arc::new(Telegram::new(
            &telegram.token,
            telegram.api_url.clone(),
            telegram.mode,
            telegram.secret.clone(),
            Arc::clone(keep),
        )?));
    }
    if let Some(bot) = &settings.channels.discord {
        let http = crate::model::http_client(DISCORD_MAX)
            .map_err(|_| "no HTTP client can be made for Discord".to_owned())?;
        all.push(Arc::new(Discord::new(bot, http, Arc::clone(keep))?));
    }
    if let Some(wechat) = &settings.channels.wechat {
        let http = crate::model::http_client(WECHAT_MAX)
            .map_err(|_| "no HTTP client can be made for WeChat".to_owned())?;
        let account = Account {
            app_id: wechat.app_id.clone(),
            token: wechat.token.clone(),
            aes_keys: wechat.aes_keys.clone(),
            app_secret: wechat
                .app_secret
                .clone()
                .filter(|_| wechat.customer_service),
            answer_in_time: wechat.answer_in_time,
            api_url: wechat.api_url.clone(),
        };
        all.push(Arc::new(WeChat::new(&account, http, Arc::clone(keep))));
    }
    if let Some(wecom) = &settings.channels.wecom {
        let http = crate::model::http_client(WECHAT_MAX)
            .map_err(|_| "no HTTP client can be made for WeCom".to_owned())?;
        let corp = Corp {
            corp_id: wecom.corp_id.clone(),
            secret: wecom.secret.clone(),
            token: wecom.token.clone(),
            aes_keys: wecom.aes_keys.clone(),
            api_url: wecom.api_url.clone(),
        };
        all.push(Arc::new(WeCom::new(&corp, http, Arc::clone(keep))));
    }
    for channel in &all {
        // A rise from nothing cannot be told from a series that was not there.
        for duplicate in ["false", "true"] {
            metrics::counter!(CHANNEL_MESSAGES, "channel" => channel.name(), "duplicate" => duplicate)
                .absolute(0);
        }
        metrics::counter!(CHANNEL_UNREAD, "channel" => channel.name()).absolute(0);
    }
    Ok(all
        .into_iter()
        .map(|channel| (channel.name().to_owned(), channel))
        .collect())
}
