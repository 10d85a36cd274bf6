//! The shop's own page: its visitors keep a session, post and read their feed.

use super::{Doing, Platform, Said};
use crate::visitor::Page;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub struct OnTheWeb {
    url: Mutex<String>,
    pages: Mutex<BTreeMap<usize, Arc<Page>>>,
}

impl OnTheWeb {
    fn url(&self) -> String {
        self.url.lock().unwrap().clone()
    }

    fn known(&self, person: usize) -> Option<Arc<Page>> {
        self.pages.lock().unwrap().get(&person).cloned()
    }

    async fn page(&self, person: usize) -> Arc<Page> {
        if let Some(known) = self.known(person) {
            return known;
        }
        let new = Arc::new(Page::open(&self.url()).await);
        let mut pages = self.pages.lock().unwrap();
        Arc::clone(pages.entry(person).or_insert(new))
    }

    async fn post(&self, person: usize, message: Value) -> Said {
        let page = self.page(person).await;
        let status = page.visitor.send(&self.url(), &message).await;
        Said {
            event_id: message["id"].as_str().unwrap().to_owned(),
            sure: status == Some(202),
            again: message,
        }
    }
}

fn id() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl Platform for OnTheWeb {
    fn name(&self) -> &'static str {
        "the web"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let unlimited = "100000".to_owned();
        vec![
            ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", unlimited.clone()),
            ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", unlimited),
        ]
    }

    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()> {
        *self.url.lock().unwrap() = url.to_owned();
        Box::pin(std::future::ready(()))
    }

    /// Of somebody who was here.
    fn conversation(&self, person: usize) -> String {
        self.known(person).unwrap().visitor.conversation.clone()
    }

    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(self.post(person, json!({"id": id(), "text": text})))
    }

    fn repeat<'a>(&'a self, person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            self.post(person, said.again.clone()).await;
        })
    }

    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let replies = self.page(person).await.replies();
            let choices = replies.iter().rev().flat_map(parts);
            let choice = choices
                .filter_map(|part| part["choices"].as_array())
                .flatten()
                .find(|choice| choice["label"] == label);
            let Some(choice) = choice else {
                return false;
            };
            let message = json!({"id": id(), "choice": choice["id"]});
            self.post(person, message).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        let replies = self.known(person).map(|page| page.replies());
        let sent = replies.unwrap_or_default().iter().map(words).collect();
        Box::pin(std::future::ready(sent))
    }

    fn refuse(&self, _times: usize) -> Doing<'_, bool> {
        Box::pin(std::future::ready(false))
    }
}

fn parts(reply: &Value) -> Vec<&Value> {
    reply["reply"].as_array().unwrap().iter().collect()
}

/// The texts and cards of a reply.
fn words(reply: &Value) -> String {
    let mut words = Vec::new();
    for part in parts(reply) {
        words.extend(part["text"].as_str().map(str::to_owned));
        for card in part["products"].as_array().into_iter().flatten() {
            let amount = card["price"]["amount"].as_str().unwrap();
            words.push(format!("{} {}", card["title"], shown(amount)));
        }
    }
    words.join("\n")
}

/// `2480.00` as the page shows it: `2,480`.
fn shown(amount: &str) -> String {
    let whole = amount.trim_end_matches(".00");
    match whole.len() {
        4..=6 => {
            let (thousands, rest) = whole.split_at(whole.len() - 3);
            format!("{thousands},{rest}")
        }
        _ => whole.to_owned(),
    }
}
