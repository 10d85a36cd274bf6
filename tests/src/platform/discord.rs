//! Discord: a bot on the gateway, whose people write direct messages.

use super::{Doing, Platform, Said};
use crate::discord_peer::{DiscordPeer, TOKEN, button, id, words};
use crate::peer::{LOOK, PATIENCE};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What was said so long ago has been told to whoever listens.
const TOLD: Duration = Duration::from_secs(5);

pub struct OnDiscord {
    pub peer: DiscordPeer,
    /// People and their direct channels.
    people: Mutex<BTreeMap<usize, (String, String)>>,
    said_at: Mutex<Instant>,
}

impl OnDiscord {
    pub fn start() -> Self {
        Self {
            peer: DiscordPeer::start(&[]),
            people: Mutex::default(),
            said_at: Mutex::new(Instant::now()),
        }
    }

    fn known(&self, person: usize) -> Option<(String, String)> {
        self.people.lock().unwrap().get(&person).cloned()
    }

    async fn is_listened_to(&self) -> bool {
        let state = self.peer.state().await;
        let sessions = state["sessions"].as_array().unwrap();
        sessions.iter().any(|session| session["open"] == true)
    }

    async fn customer(&self, person: usize) -> (String, String) {
        if let Some(known) = self.known(person) {
            return known;
        }
        let new = self.peer.customer().await;
        let mut people = self.people.lock().unwrap();
        people.entry(person).or_insert(new).clone()
    }
}

impl Platform for OnDiscord {
    fn name(&self) -> &'static str {
        "Discord"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TIANSHENG_CHANNELS__DISCORD__TOKEN", TOKEN.to_owned()),
            (
                "TIANSHENG_CHANNELS__DISCORD__API_URL",
                self.peer.url.clone(),
            ),
        ]
    }

    /// The shop listens by itself.
    fn connect<'a>(&'a self, _url: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            let begun = Instant::now();
            while !self.is_listened_to().await {
                assert!(begun.elapsed() < PATIENCE, "nobody listens on Discord");
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    /// Of somebody who was here.
    fn conversation(&self, person: usize) -> String {
        format!("discord:{}", self.known(person).unwrap().1)
    }

    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(async move {
            let (user, channel) = self.customer(person).await;
            let said = self.peer.say(&channel, &user, text).await;
            *self.said_at.lock().unwrap() = Instant::now();
            Said {
                event_id: id(&said),
                sure: true,
                again: json!({"channel": channel, "message": said["id"]}),
            }
        })
    }

    /// The gateway tells the same once more.
    fn repeat<'a>(&'a self, _person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            self.peer.sim("repeat", said.again.clone()).await;
        })
    }

    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let (user, channel) = self.customer(person).await;
            let sent = self.peer.sent(&channel).await;
            let found = sent
                .iter()
                .rev()
                .find_map(|message| Some((message["id"].clone(), button(message, label)?)));
            let Some((message, button)) = found else {
                return false;
            };
            let press = json!({"user": user, "channel": channel, "message": message, "id": button});
            self.peer.sim("press", press).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        Box::pin(async move {
            let Some((_, channel)) = self.known(person) else {
                return Vec::new();
            };
            self.peer.sent(&channel).await.iter().map(words).collect()
        })
    }

    fn is_brought(&self) -> Doing<'_, bool> {
        Box::pin(async move {
            let is_told = self.said_at.lock().unwrap().elapsed() > TOLD;
            is_told && self.is_listened_to().await
        })
    }

    fn refuse(&self, times: usize) -> Doing<'_, bool> {
        Box::pin(async move {
            let fault = json!({"method": "POST", "path": "/messages", "times": times,
                "status": 429, "retry_after": 1.0});
            self.peer.sim("fault", fault).await;
            true
        })
    }
}
