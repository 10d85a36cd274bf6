//! WeCom customer service: people write, a callback says that something waits, and the shop fetches it.

use super::{Doing, Platform, Said};
use crate::wecom_peer::{ACCOUNT, WeComPeer, line, words};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct OnWeCom {
    pub peer: WeComPeer,
    url: Mutex<String>,
    next_id: AtomicU64,
}

impl OnWeCom {
    pub fn start() -> Self {
        Self {
            // Without people at WeCom's own desk, a handoff stays with the shop's reps as elsewhere.
            peer: WeComPeer::start(&["--no-desk"]),
            url: Mutex::default(),
            next_id: AtomicU64::new(1),
        }
    }

    fn user(person: usize) -> String {
        format!("wmPerson-{person}")
    }

    /// What was said lies at WeCom, whatever becomes of the callback.
    async fn written(&self, person: usize, text: &str, fields: Value) -> Said {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let event_id = format!("msg{id}");
        let act = json!({"url": *self.url.lock().unwrap(), "from": Self::user(person),
            "text": text, "id": event_id, "fields": fields});
        self.peer.sim("say", act.clone()).await;
        Said {
            event_id,
            sure: true,
            again: act,
        }
    }
}

impl Platform for OnWeCom {
    fn name(&self) -> &'static str {
        "WeCom"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.peer.settings()
    }

    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()> {
        *self.url.lock().unwrap() = format!("{url}/webhooks/wecom");
        Box::pin(std::future::ready(()))
    }

    fn conversation(&self, person: usize) -> String {
        format!("wecom:{ACCOUNT}.{}", Self::user(person))
    }

    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(self.written(person, text, json!({})))
    }

    /// The same message once more in the list, and a callback.
    fn repeat<'a>(&'a self, _person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            self.peer.sim("say", said.again.clone()).await;
        })
    }

    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let sent = self.peer.sent(&Self::user(person)).await;
            let id = sent.iter().rev().find_map(|message| line(message, label));
            let Some(id) = id else {
                return false;
            };
            let fields = json!({"menu_id": id});
            self.written(person, label, fields).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        Box::pin(async move {
            let sent = self.peer.sent(&Self::user(person)).await;
            sent.iter()
                .map(|message| words(message).to_owned())
                .collect()
        })
    }

    fn is_brought(&self) -> Doing<'_, bool> {
        Box::pin(async move { self.peer.state().await["unread"] == 0 })
    }

    fn longest(&self) -> Option<usize> {
        Some(2_048)
    }

    fn refuse(&self, times: usize) -> Doing<'_, bool> {
        Box::pin(async move {
            let fault = json!({"name": "kf/send_msg", "code": -1, "times": times});
            self.peer.sim("fault", fault).await;
            true
        })
    }

    fn refusals_left(&self) -> Doing<'_, usize> {
        Box::pin(async move { self.peer.listed("faults").await.len() })
    }
}
