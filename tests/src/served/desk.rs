//! A shop with its state on Redis, where the test can be a rep.

use super::now_ms;
use crate::redis_server::Redis;
use bot::config::state::State as Settings;
use bot::mail::{Mail, RepAction};
use bot::mailbox::{Burst, post};
use bot::store::redis::State;

pub struct Desk {
    pub state: State,
    url: String,
    _redis: Redis,
}

impl Desk {
    pub fn open() -> Self {
        let redis = Redis::start();
        let url = redis.url();
        Self {
            state: State::open(&Settings::of_url(&url).unwrap()),
            url,
            _redis: redis,
        }
    }

    /// What a server needs to share the state.
    pub fn settings(&self) -> [(&str, &str); 1] {
        [("TIANSHENG_STATE__URL", self.url.as_str())]
    }

    /// A rep's letter to a conversation; one number is one letter.
    pub async fn rep(&self, conversation: &str, number: usize, action: RepAction) {
        let mail = Mail::Rep {
            rep: "lin".to_owned(),
            action,
        };
        let (to, id) = (conversation.to_owned(), format!("rep-{number}"));
        let posted = post(&self.state, to, id, &mail, Burst::default(), now_ms());
        posted.await.unwrap();
    }

    pub async fn rep_says(&self, conversation: &str, number: usize) {
        let text = format!("同事说{number}");
        self.rep(conversation, number, RepAction::Say { text })
            .await;
    }
}
