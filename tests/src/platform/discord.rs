//! Discord: people who write to the bot in direct messages, told over its gateway, or by its command, delivered with a signature.

use super::{Doing, Platform, Said};
use crate::discord_peer::{DiscordPeer, PUBLIC_KEY, button, words};
use crate::peer::{LOOK, PATIENCE};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The peer numbers people's channels from here.
const FIRST: usize = 20_000_000;

/// What was said so long ago has been told to whoever listens.
const TOLD: Duration = Duration::from_secs(5);

pub struct OnDiscord {
    pub peer: DiscordPeer,
    is_signed: bool,
    url: Mutex<String>,
    said_at: Mutex<Instant>,
}

impl OnDiscord {
    pub fn start() -> Self {
        Self {
            peer: DiscordPeer::start(&[]),
            is_signed: false,
            url: Mutex::default(),
            said_at: Mutex::new(Instant::now()),
        }
    }

    /// People use the command and buttons, which are delivered to the shop's address.
    pub fn signed() -> Self {
        Self {
            is_signed: true,
            ..Self::start()
        }
    }

    /// Where to deliver; nowhere over the gateway.
    fn server(&self) -> Option<String> {
        self.is_signed.then(|| self.url.lock().unwrap().clone())
    }

    fn channel(person: usize) -> String {
        (FIRST + person).to_string()
    }

    async fn person(&self, person: usize) -> Value {
        self.peer.sim("person", json!({"number": person})).await
    }
}

impl Platform for OnDiscord {
    fn name(&self) -> &'static str {
        "Discord"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = self.peer.settings();
        if self.is_signed {
            let key = PUBLIC_KEY.to_owned();
            settings.push(("TIANSHENG_CHANNELS__DISCORD__PUBLIC_KEY", key));
        }
        settings
    }

    /// The shop comes to Discord, not Discord to the shop.
    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()> {
        *self.url.lock().unwrap() = url.to_owned();
        Box::pin(async move {
            // Not `listened_to`: what looks by closure does not go to other threads.
            let begun = Instant::now();
            while !(self.peer.is_listened_to().await && self.peer.is_commanded().await) {
                assert!(begun.elapsed() < PATIENCE, "nobody listens at the gateway");
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    fn conversation(&self, person: usize) -> String {
        format!("discord:{}", Self::channel(person))
    }

    /// Told to whoever resumes the session.
    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(async move {
            let them = self.person(person).await;
            let (channel, user) = (them["channel"].as_str(), them["user"].as_str());
            if self.is_signed {
                let locale = if text.is_ascii() { "en-US" } else { "zh-CN" };
                let command = json!({"user": user, "channel": channel, "text": text,
                    "locale": locale, "server": self.server()});
                let told = self.peer.sim("slash", command).await;
                return Said {
                    event_id: told["id"].as_str().unwrap().to_owned(),
                    sure: told["status"] == 200,
                    again: json!({"id": told["id"], "server": self.server()}),
                };
            }
            let said = self.peer.say(channel.unwrap(), user.unwrap(), text).await;
            *self.said_at.lock().unwrap() = Instant::now();
            Said {
                event_id: said["id"].as_str().unwrap().to_owned(),
                sure: true,
                again: json!({"channel": channel, "message": said["id"]}),
            }
        })
    }

    fn repeat<'a>(&'a self, _person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            let act = if self.is_signed {
                "redeliver"
            } else {
                "repeat"
            };
            self.peer.sim(act, said.again.clone()).await;
        })
    }

    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let them = self.person(person).await;
            let sent = self.peer.sent(&Self::channel(person)).await;
            let found = sent
                .iter()
                .rev()
                .find_map(|message| Some((message["id"].clone(), button(message, label)?)));
            let Some((message, id)) = found else {
                return false;
            };
            let press = json!({
                "user": them["user"], "channel": them["channel"], "message": message, "id": id,
                "server": self.server(),
            });
            self.peer.sim("press", press).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        Box::pin(async move {
            let sent = self.peer.sent(&Self::channel(person)).await;
            sent.iter().map(words).collect()
        })
    }

    fn is_brought(&self) -> Doing<'_, bool> {
        Box::pin(async move {
            let is_told = self.said_at.lock().unwrap().elapsed() > TOLD;
            is_told && self.peer.is_listened_to().await
        })
    }

    fn longest(&self) -> Option<usize> {
        Some(2_000)
    }

    fn length(&self, text: &str) -> usize {
        text.chars().count()
    }

    fn forget(&self) -> Doing<'_, ()> {
        Box::pin(async move {
            self.peer.sim("drop", json!({})).await;
            self.peer.sim("forget", json!({})).await;
        })
    }

    fn refuse(&self, times: usize) -> Doing<'_, bool> {
        Box::pin(async move {
            let fault = json!({
                "method": "POST", "path": "/messages", "times": times,
                "status": 429, "retry_after": 1,
            });
            self.peer.sim("fault", fault).await;
            true
        })
    }

    fn refusals_left(&self) -> Doing<'_, usize> {
        Box::pin(async move { self.peer.faults_left().await })
    }
}
