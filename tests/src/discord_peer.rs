//! Discord of the test's own, with people who write to the bot: what it allows and refuses is another project's.

use crate::peer::Peer;
use serde_json::{Value, json};
use std::ops::Deref;

pub const TOKEN: &str = "MTk4.Cl2FMQ.secret-of_the_bot";

/// Of the key that it signs deliveries with.
pub const PUBLIC_KEY: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";

pub struct DiscordPeer(Peer);

impl Deref for DiscordPeer {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl DiscordPeer {
    pub fn start(arguments: &[&str]) -> Self {
        Self(Peer::start("discord_peer/peer.py", &[TOKEN], arguments))
    }

    /// What a server needs to be on this platform.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TIANSHENG_CHANNELS__DISCORD__TOKEN", TOKEN.to_owned()),
            ("TIANSHENG_CHANNELS__DISCORD__API_URL", self.url.clone()),
        ]
    }

    /// A new customer and the direct channel with them.
    pub async fn customer(&self) -> (String, String) {
        let user = id(&self.sim("user", json!({})).await);
        let direct = self.sim("direct", json!({"user": user})).await;
        (user, id(&direct))
    }

    pub async fn say(&self, channel: &str, user: &str, text: &str) -> Value {
        let said = json!({"channel": channel, "user": user, "content": text});
        self.sim("say", said).await
    }

    /// What was asked of the API, in order.
    pub async fn requests(&self, method: &str, path_end: &str) -> Vec<Value> {
        let mut calls = self.listed("calls").await;
        calls.retain(|call| {
            call["method"] == method && call["path"].as_str().unwrap().ends_with(path_end)
        });
        calls
    }

    /// Until a replica listens at the gateway.
    pub async fn listened_to(&self) {
        self.until("a session at the gateway", async || {
            self.is_listened_to().await.then_some(())
        })
        .await;
    }

    pub async fn is_listened_to(&self) -> bool {
        let sessions = self.listed("sessions").await;
        sessions.iter().any(|session| session["open"] == true)
    }

    /// Until the command is registered.
    pub async fn commanded(&self) {
        self.until("the command", async || {
            self.is_commanded().await.then_some(())
        })
        .await;
    }

    pub async fn is_commanded(&self) -> bool {
        self.state().await["commands"] == 1
    }
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// The words of a message and its cards, as a reader sees them: without the backslashes that only escape.
pub fn words(message: &Value) -> String {
    let mut words = message["content"].as_str().unwrap_or_default().to_owned();
    for embed in message["embeds"].as_array().unwrap() {
        for member in ["title", "description"] {
            words.push('\n');
            words.push_str(embed[member].as_str().unwrap_or_default());
        }
    }
    words.replace('\\', "")
}

/// The id of a message's button by its label.
pub fn button(message: &Value, label: &str) -> Option<String> {
    let rows = message["components"].as_array()?;
    rows.iter()
        .flat_map(|row| row["components"].as_array().unwrap())
        .find(|button| button["label"] == label)
        .map(|button| button["custom_id"].as_str().unwrap().to_owned())
}
