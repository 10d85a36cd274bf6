//! How to be read in a thread, told once to who writes there and is not shown to us; apart from the gateway, which waits for nobody.

use super::api::Api;
use super::interaction::COMMAND;
use super::message::Message;
use super::place::Place;
use crate::{Keep, Unkept};
use serde_json::json;
use serenity::builder::{CreateAllowedMentions, CreateMessage};
use serenity::model::channel::Nonce;
use serenity::model::id::{ChannelId, UserId};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long nobody is told again how to be read in a thread, milliseconds.
const TOLD_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// How long it is known that a person has a conversation where nobody says otherwise, milliseconds.
const MODE_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// Threads that are told at once.
const UNDER_WAY_MAX: usize = 20;
/// The mode in which the bot has the conversation.
const BOT_MODE: &str = "bot";

#[derive(Clone)]
pub(super) struct Hints {
    api: Arc<Api>,
    keep: Arc<dyn Keep>,
    under_way: Arc<Mutex<BTreeSet<ChannelId>>>,
}

impl Hints {
    pub(super) fn new(api: Arc<Api>, keep: Arc<dyn Keep>) -> Self {
        Self {
            api,
            keep,
            under_way: Arc::default(),
        }
    }

    /// Without the Message Content intent, what is said in a thread is shown to us only where we are mentioned.
    pub(super) fn tell(&self, message: &Message, place: Place, own: UserId) {
        let channel = message.channel_id;
        {
            let mut under_way = self.under_way();
            if under_way.len() >= UNDER_WAY_MAX || !under_way.insert(channel) {
                return;
            }
        }
        let this = self.clone();
        let nonce = message.id.to_string();
        tokio::spawn(async move {
            this.told(channel, place, own, nonce).await;
            this.under_way().remove(&channel);
        });
    }

    async fn told(&self, channel: ChannelId, place: Place, own: UserId, nonce: String) {
        let key = format!("discord:told:{channel}");
        // What a person has is theirs, and a store that does not answer tells nothing.
        for not_then in [&key, &mode_key(place)] {
            if !matches!(self.keep.recall(not_then).await, Ok(None)) {
                return;
            }
        }
        let content = format!(
            "在这里我只能看到提到我的消息：请以 <@{own}> 开头，或使用 /{COMMAND}，或直接私信我。\nI can only read messages here that mention me: begin with <@{own}>, use /{COMMAND}, or send me a direct message."
        );
        let told = CreateMessage::new()
            .content(content)
            .allowed_mentions(CreateAllowedMentions::new())
            .nonce(Nonce::String(nonce))
            .enforce_nonce(true);
        let said = self.api.write(&channel.to_string(), &json!(told)).await;
        if said.is_ok() {
            let until_ms = self.keep.now_ms().saturating_add_unsigned(TOLD_MS);
            // Where it cannot be kept, it is said once more.
            let _ = self.keep.remember(&key, "1", until_ms).await;
        }
    }

    /// Who has the conversation of a place now.
    pub(super) async fn keep_mode(&self, place: Place, mode: &str) -> Result<(), Unkept> {
        let for_ms = if mode == BOT_MODE { 1 } else { MODE_KEPT_MS };
        let until_ms = self.keep.now_ms().saturating_add_unsigned(for_ms);
        self.keep.remember(&mode_key(place), mode, until_ms).await
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeSet<ChannelId>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by a place whose conversation is not the bot's.
fn mode_key(place: Place) -> String {
    format!("discord:mode:{place}")
}
