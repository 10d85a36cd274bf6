//! Telegram: a Bot API server whose people write in private chats.

use super::{Doing, Forgery, Platform, Said};
use crate::served::telegram::update;
use crate::telegram_peer::{TelegramPeer, button, words};
use serde_json::json;

/// The first person's id.
const FIRST: usize = 1_000;

pub struct OnTelegram {
    pub peer: TelegramPeer,
    mode: &'static str,
}

impl OnTelegram {
    pub fn start() -> Self {
        Self {
            peer: TelegramPeer::start(&[]),
            mode: "webhook",
        }
    }

    /// The shop asks for updates itself.
    pub fn polled() -> Self {
        Self {
            mode: "polling",
            ..Self::start()
        }
    }

    fn chat(person: usize) -> i64 {
        i64::try_from(FIRST + person).unwrap()
    }
}

impl Platform for OnTelegram {
    fn name(&self) -> &'static str {
        "Telegram"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.peer.settings(self.mode)
    }

    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()> {
        Box::pin(async move {
            if self.mode == "webhook" {
                self.peer.hook(url).await;
            }
        })
    }

    fn conversation(&self, person: usize) -> String {
        format!("telegram:{}", Self::chat(person))
    }

    /// Telegram tries for a day.
    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(async move {
            let said = self.peer.say(Self::chat(person), text).await;
            Said {
                event_id: said["update_id"].to_string(),
                sure: true,
                again: json!({"update": said["update"]}),
            }
        })
    }

    fn repeat<'a>(&'a self, _person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            self.peer.sim("replay", said.again.clone()).await;
        })
    }

    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let messages = self.peer.sent(Self::chat(person)).await;
            let found = messages
                .iter()
                .rev()
                .find_map(|message| Some((message["message_id"].clone(), button(message, label)?)));
            let Some((id, data)) = found else {
                return false;
            };
            let press = json!({"from": Self::chat(person), "message_id": id, "data": data});
            self.peer.sim("press", press).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        Box::pin(async move {
            let messages = self.peer.sent(Self::chat(person)).await;
            messages.iter().map(|m| words(m).to_owned()).collect()
        })
    }

    fn longest(&self) -> Option<usize> {
        Some(4_096)
    }

    fn length(&self, text: &str) -> usize {
        text.encode_utf16().count()
    }

    fn is_brought(&self) -> Doing<'_, bool> {
        Box::pin(async move { self.peer.state().await["pending"] == json!([]) })
    }

    fn forgery(&self, person: usize) -> Option<Forgery> {
        let from = Self::chat(person);
        (self.mode == "webhook").then(|| Forgery {
            path: "/webhooks/telegram".to_owned(),
            header: ("x-telegram-bot-api-secret-token", "guessed"),
            body: update(i64::MAX - from, from, "你好"),
        })
    }

    fn refuse(&self, times: usize) -> Doing<'_, bool> {
        Box::pin(async move {
            let fault = json!({"method": "sendMessage", "times": times, "code": 429,
                "description": "Too Many Requests: retry after 1", "parameters": {"retry_after": 1}});
            self.peer.sim("fault", fault).await;
            true
        })
    }

    fn refusals_left(&self) -> Doing<'_, usize> {
        Box::pin(async move { self.peer.faults_left().await })
    }
}
