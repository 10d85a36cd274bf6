//! WeChat: an official account that answers in time where it can, over the customer-service API alone, or in answers alone.

use super::{Doing, Forgery, Platform, Said};
use crate::wechat_peer::{WeChatPeer, line, shown, words};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// As long as a signature.
const GUESSED: &str = "0123456789abcdef0123456789abcdef01234567";

/// The first message's id.
const FIRST_ID: u64 = 7_000_000_000_000_000_000;

/// An account that may write over the API.
pub struct OnWeChat {
    pub peer: WeChatPeer,
    answers_in_time: bool,
    url: Mutex<String>,
    next_id: AtomicU64,
}

impl OnWeChat {
    pub fn start() -> Self {
        Self {
            peer: WeChatPeer::start(&[]),
            answers_in_time: true,
            url: Mutex::default(),
            next_id: AtomicU64::new(FIRST_ID),
        }
    }

    /// Nothing is said in answers to deliveries.
    pub fn over_the_api() -> Self {
        Self {
            answers_in_time: false,
            ..Self::start()
        }
    }

    fn openid(person: usize) -> String {
        format!("oPerson-{person}")
    }

    /// The answers to its deliveries, and what it told.
    async fn delivered(&self, person: usize, text: &str, more: Value) -> (Value, Said) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut act = json!({"url": *self.url.lock().unwrap(), "from": Self::openid(person),
            "text": text, "safe": true, "id": id});
        act.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let tried = self.peer.sim("text", act.clone()).await;
        let last = tried.as_array().unwrap().last().unwrap();
        let said = Said {
            event_id: id.to_string(),
            sure: last["error"].is_null(),
            again: act,
        };
        (tried, said)
    }

    fn settings_with(&self, customer_service: &str) -> Vec<(&'static str, String)> {
        let mut settings = self.peer.settings();
        let customer_service = customer_service.to_owned();
        settings.push((
            "TIANSHENG_CHANNELS__WECHAT__CUSTOMER_SERVICE",
            customer_service,
        ));
        let in_time = self.answers_in_time.to_string();
        settings.push(("TIANSHENG_CHANNELS__WECHAT__ANSWER_IN_TIME", in_time));
        settings
    }
}

impl Platform for OnWeChat {
    fn name(&self) -> &'static str {
        "WeChat"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.settings_with("true")
    }

    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()> {
        *self.url.lock().unwrap() = format!("{url}/webhooks/wechat");
        Box::pin(std::future::ready(()))
    }

    fn conversation(&self, person: usize) -> String {
        format!("wechat:{}", Self::openid(person))
    }

    /// WeChat tries three times.
    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(async move { self.delivered(person, text, json!({})).await.1 })
    }

    fn repeat<'a>(&'a self, _person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            self.peer.sim("text", said.again.clone()).await;
        })
    }

    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            let sent = self.peer.sent(&Self::openid(person)).await;
            let id = sent.iter().rev().find_map(|message| line(message, label));
            let Some(id) = id else {
                return false;
            };
            let fields = json!({"fields": {"bizmsgmenuid": id}});
            self.delivered(person, label, fields).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        Box::pin(async move {
            let sent = self.peer.sent(&Self::openid(person)).await;
            sent.iter().map(words).collect()
        })
    }

    fn longest(&self) -> Option<usize> {
        Some(2_048)
    }

    fn forgery(&self, person: usize) -> Option<Forgery> {
        let from = Self::openid(person);
        Some(Forgery {
            path: format!("/webhooks/wechat?signature={GUESSED}&timestamp=1700000000&nonce=1"),
            header: ("content-type", "text/xml"),
            body: format!(
                "<xml><ToUserName>gh_shop</ToUserName><FromUserName>{from}</FromUserName><CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>你好</Content><MsgId>1</MsgId></xml>"
            ),
        })
    }

    fn refuse(&self, times: usize) -> Doing<'_, bool> {
        Box::pin(async move {
            let fault = json!({"name": "message/custom/send", "code": -1, "times": times});
            self.peer.sim("fault", fault).await;
            true
        })
    }

    fn refusals_left(&self) -> Doing<'_, usize> {
        Box::pin(async move { self.peer.listed("faults").await.len() })
    }
}

/// What somebody saw, each beside the id of the message whose answer showed it.
type Seen = Vec<(String, String)>;

/// An account that may only answer deliveries: what the shop says is what the answers show.
pub struct OnWeChatInAnswers {
    account: OnWeChat,
    seen: Mutex<BTreeMap<usize, Seen>>,
}

impl OnWeChatInAnswers {
    pub fn start() -> Self {
        Self {
            account: OnWeChat::start(),
            seen: Mutex::default(),
        }
    }

    async fn delivered(&self, person: usize, text: &str) -> Said {
        let (tried, said) = self.account.delivered(person, text, json!({})).await;
        if said.sure {
            self.note(person, &said.event_id, shown(&tried));
        }
        said
    }

    /// The customer sees the answer to a repetition in the place of the first: only another is something new.
    fn note(&self, person: usize, event_id: &str, shown: Option<String>) {
        let mut seen = self.seen.lock().unwrap();
        let seen = seen.entry(person).or_default();
        let mut same = seen.iter().rev().filter(|(id, _)| id == event_id);
        let before = same.next().map(|(_, text)| text.clone());
        if shown != before {
            seen.push((event_id.to_owned(), shown.unwrap_or_default()));
        }
    }
}

impl Platform for OnWeChatInAnswers {
    fn name(&self) -> &'static str {
        "WeChat without its API"
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        self.account.settings_with("false")
    }

    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()> {
        self.account.connect(url)
    }

    fn conversation(&self, person: usize) -> String {
        self.account.conversation(person)
    }

    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said> {
        Box::pin(self.delivered(person, text))
    }

    fn repeat<'a>(&'a self, person: usize, said: &'a Said) -> Doing<'a, ()> {
        Box::pin(async move {
            let again = said.again.clone();
            let tried = self.account.peer.sim("text", again).await;
            if tried.as_array().unwrap().last().unwrap()["error"].is_null() {
                self.note(person, &said.event_id, shown(&tried));
            }
        })
    }

    /// There is nothing to press: the line is typed.
    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool> {
        Box::pin(async move {
            self.delivered(person, label).await;
            true
        })
    }

    fn sent(&self, person: usize) -> Doing<'_, Vec<String>> {
        let seen = self.seen.lock().unwrap().get(&person).cloned();
        let texts = seen.into_iter().flatten().map(|(_, text)| text);
        Box::pin(std::future::ready(texts.collect()))
    }

    fn writes_unasked(&self) -> bool {
        false
    }

    fn forgery(&self, person: usize) -> Option<Forgery> {
        self.account.forgery(person)
    }

    fn refuse(&self, _times: usize) -> Doing<'_, bool> {
        Box::pin(std::future::ready(false))
    }
}
