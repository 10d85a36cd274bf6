//! The channels that the settings ask for, by the name in an address.

use crate::config::Settings;
use crate::telemetry::metrics::{CHANNEL_MESSAGES, CHANNEL_UNREAD};
use adapters::Channel;
use adapters::telegram::Telegram;
use adapters::web::Web;
use adapters::wechat::{Account, WeChat};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long WeChat may take to answer a request; below what the sender gives a send.
const WECHAT_MAX: Duration = Duration::from_secs(10);

pub type Channels = BTreeMap<String, Arc<dyn Channel>>;

/// The web channel always, and every platform whose credentials are set.
pub fn of(settings: &Settings) -> Result<Channels, String> {
    let mut all: Vec<Arc<dyn Channel>> = vec![Arc::new(Web)];
    if let Some(telegram) = &settings.channels.telegram {
        all.push(Arc::new(Telegram::new(
            &telegram.token,
            telegram.api_url.clone(),
            telegram.mode,
            telegram.secret.clone(),
        )?));
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
            api_url: wechat.api_url.clone(),
        };
        all.push(Arc::new(WeChat::new(&account, http)));
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
