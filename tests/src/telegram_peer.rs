//! A Bot API server of the test's own, with people who write to the bot: requests and updates are checked by classes of another project.

use crate::peer::{Peer, until_sent};
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

    /// What the bot has sent to a chat, in order.
    pub async fn sent(&self, chat: i64) -> Vec<Value> {
        let mut messages = self.listed("messages").await;
        messages.retain(|m| m["chat"]["id"] == chat && m["from"]["is_bot"] == true);
        messages
    }

    /// The same, once there are so many.
    pub async fn sent_at_least(&self, chat: i64, count: usize) -> Vec<Value> {
        until_sent(chat, count, async || self.sent(chat).await).await
    }

    /// How often a method was called.
    pub async fn calls(&self, method: &str) -> usize {
        let calls = self.listed("calls").await;
        calls.iter().filter(|call| call["method"] == method).count()
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
