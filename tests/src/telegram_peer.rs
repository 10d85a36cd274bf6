//! A Bot API server of the test's own, with people who write to the bot: requests and updates are checked by classes of another project.

use crate::peer::Peer;
use serde_json::{Value, json};
use std::ops::Deref;

pub const TOKEN: &str = "123:ABC-secret_of_the_bot";
pub const SECRET: &str = "secret_of_the-webhook";

pub struct TelegramPeer(Peer);

impl Deref for TelegramPeer {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl TelegramPeer {
    pub fn start(arguments: &[&str]) -> Self {
        Self(Peer::start("telegram_peer/peer.py", &[TOKEN], arguments))
    }

    /// What a server needs to be on this platform.
    pub fn settings(&self, mode: &str) -> Vec<(&'static str, String)> {
        vec![
            ("TIANSHENG_CHANNELS__TELEGRAM__TOKEN", TOKEN.to_owned()),
            ("TIANSHENG_CHANNELS__TELEGRAM__SECRET", SECRET.to_owned()),
            ("TIANSHENG_CHANNELS__TELEGRAM__MODE", mode.to_owned()),
            ("TIANSHENG_CHANNELS__TELEGRAM__API_URL", self.url.clone()),
        ]
    }

    pub fn kill(self) {
        self.0.kill();
    }

    pub async fn say(&self, from: i64, text: &str) -> Value {
        self.sim("message", json!({"from": from, "text": text}))
            .await
    }

    /// Has updates delivered to a server.
    pub async fn hook(&self, server: &str) {
        let hook = json!({"url": format!("{server}/webhooks/telegram"), "secret_token": SECRET});
        self.post(&format!("/bot{TOKEN}/setWebhook"), hook).await;
    }
}

/// The words of a message, whatever carries them.
pub fn words(message: &Value) -> &str {
    let text = message["text"].as_str();
    text.or_else(|| message["caption"].as_str())
        .unwrap_or_default()
}

/// The data of a message's button by its label.
pub fn button(message: &Value, label: &str) -> Option<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
    rows.iter()
        .flat_map(|row| row.as_array().unwrap())
        .find(|button| button["text"] == label)
        .map(|button| button["callback_data"].as_str().unwrap().to_owned())
}
