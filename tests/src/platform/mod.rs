//! Platforms with people on them, each driven alike: what they say, what the shop sent them, and what goes wrong on the way.

mod discord;
mod telegram;
mod web;
mod wechat;
mod wecom;

pub use discord::OnDiscord;
pub use telegram::OnTelegram;
pub use web::OnTheWeb;
pub use wechat::{OnWeChat, OnWeChatInAnswers};
pub use wecom::OnWeCom;

use crate::peer::until;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// People are numbers; each has one conversation with the shop.
pub trait Platform: Send + Sync {
    /// For messages of failed tests.
    fn name(&self) -> &'static str;

    /// What a server needs to be on this platform, as environment variables.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// From now on, what people say is brought to this server.
    fn connect<'a>(&'a self, url: &'a str) -> Doing<'a, ()>;

    /// The conversation's id in the shop's stores.
    fn conversation(&self, person: usize) -> String;

    /// Done when the platform has brought it to the shop, or has given up, or has promised to bring it.
    fn say<'a>(&'a self, person: usize, text: &'a str) -> Doing<'a, Said>;

    /// The platform brings the same once more.
    fn repeat<'a>(&'a self, person: usize, said: &'a Said) -> Doing<'a, ()>;

    /// A choice that the shop offered is pressed, or typed where there is nothing to press; false where it is not there.
    fn press<'a>(&'a self, person: usize, label: &'a str) -> Doing<'a, bool>;

    /// The words of all that the shop sent, in order, a message each.
    fn sent(&self, person: usize) -> Doing<'_, Vec<String>>;

    /// Whether the shop can say something that no message asked for.
    fn writes_unasked(&self) -> bool {
        true
    }

    /// Whether the shop has all that was said; where it fetches it, some may still lie there.
    fn is_brought(&self) -> Doing<'_, bool> {
        Box::pin(std::future::ready(true))
    }

    /// The longest text of one message by the platform's manual, in its own unit; `None` where nothing is cut.
    fn longest(&self) -> Option<usize> {
        None
    }

    /// How long a text is in the platform's unit.
    fn length(&self, text: &str) -> usize {
        text.len()
    }

    /// A delivery as somebody could make it who is not the platform; `None` where nothing is delivered.
    fn forgery(&self, _person: usize) -> Option<Forgery> {
        None
    }

    /// The platform breaks off and knows nothing any more of how far it had told.
    fn forget(&self) -> Doing<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// The next sends are refused with the platform's word for "later". False where nothing is sent over an API.
    fn refuse(&self, times: usize) -> Doing<'_, bool>;

    /// How many of these refusals are still to come.
    fn refusals_left(&self) -> Doing<'_, usize> {
        Box::pin(std::future::ready(0))
    }
}

#[derive(Clone, Debug)]
pub struct Said {
    /// As the shop's log has it.
    pub event_id: String,
    /// False where the platform gave up: whether the shop has it nobody can tell.
    pub sure: bool,
    /// What is needed to bring it again.
    again: Value,
}

pub struct Forgery {
    /// Behind the server's address, with the query.
    pub path: String,
    pub header: (&'static str, &'static str),
    pub body: String,
}

/// What came after so many messages, once it holds a word.
pub async fn told(platform: &dyn Platform, person: usize, before: usize, word: &str) -> String {
    let what = format!("{word:?} to {person} on {}", platform.name());
    until(&what, async || {
        let sent = platform.sent(person).await;
        let new = sent.get(before..).unwrap_or_default().join("\n");
        new.contains(word).then_some(new)
    })
    .await
}

/// Presses a choice, once it is there.
pub async fn press(platform: &dyn Platform, person: usize, label: &str) {
    let what = format!("{label:?} for {person} on {}", platform.name());
    until(&what, async || {
        platform.press(person, label).await.then_some(())
    })
    .await;
}

/// Says something and gives what comes, once it holds a word.
pub async fn ask(platform: &dyn Platform, person: usize, text: &str, word: &str) -> String {
    let before = platform.sent(person).await.len();
    platform.say(person, text).await;
    told(platform, person, before, word).await
}
