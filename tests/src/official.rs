//! The product as a WeChat official account, and what tests do with it.

use crate::binary::{LOG, Server, free_port};
use crate::redis_server::Redis;
use crate::wechat_peer::{AES_KEY, APP_ID, SECRET, TOKEN, WeChatPeer, shown};
use bot::mail::{Mail, RepAction};
use bot::mailbox::{Burst, post};
use bot::store::redis::State;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Long enough for a second answer to come if one were to come.
pub const QUIET: Duration = Duration::from_millis(1_500);

/// One server with an official account; `more` overrides its settings.
pub fn serve(peer: &WeChatPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    serve_at(free_port(), peer, data, more)
}

/// The same at a port of choice, where WeChat finds it again after a restart.
pub fn serve_at(port: u16, peer: &WeChatPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    let mut environment = vec![
        ("TIANSHENG_CHANNELS__WECHAT__APP_ID", APP_ID),
        ("TIANSHENG_CHANNELS__WECHAT__TOKEN", TOKEN),
        ("TIANSHENG_CHANNELS__WECHAT__AES_KEY", AES_KEY),
        ("TIANSHENG_CHANNELS__WECHAT__APP_SECRET", SECRET),
        ("TIANSHENG_CHANNELS__WECHAT__API_URL", peer.url.as_str()),
        // Where it is not the matter of a test, what is said goes over the API.
        ("TIANSHENG_CHANNELS__WECHAT__ANSWER_IN_TIME", "false"),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "100"),
        // What is logged at its most talkative must hold no secret.
        ("TIANSHENG_LOG__LEVEL", "debug"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    environment.extend(more);
    Server::start(data, port, &environment)
}

/// An account without the customer-service API.
pub const PASSIVE: (&str, &str) = ("TIANSHENG_CHANNELS__WECHAT__CUSTOMER_SERVICE", "false");

pub fn hook(server: &Server) -> String {
    format!("{}/webhooks/wechat", server.url)
}

/// Says something, encrypted, and gives what came of the delivery.
pub async fn say(peer: &WeChatPeer, server: &Server, from: &str, text: &str) -> Value {
    let act = json!({"url": hook(server), "from": from, "text": text, "safe": true});
    peer.sim("text", act).await
}

/// The same, and waits for so many messages more over the API.
pub async fn ask(
    peer: &WeChatPeer,
    server: &Server,
    from: &str,
    text: &str,
    more: usize,
) -> Vec<Value> {
    let before = peer.sent(from).await.len();
    let delivery = say(peer, server, from, text).await;
    assert_eq!(shown(&delivery), None, "it is answered over the API");
    peer.sent_at_least(from, before + more).await[before..].to_vec()
}

/// Says something to an account without the API and gives what the customer sees.
pub async fn seen(peer: &WeChatPeer, server: &Server, from: &str, text: &str) -> String {
    shown(&say(peer, server, from, text).await).unwrap_or_default()
}

pub async fn metrics(server: &Server) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{}/metrics", server.url)).send().await;
    answer.unwrap().text().await.unwrap()
}

pub async fn until_counted(peer: &WeChatPeer, server: &Server, figure: &str) {
    let counted = async || metrics(server).await.contains(figure).then_some(());
    peer.until(figure, counted).await;
}

pub fn logged(data: &Path) -> String {
    std::fs::read_to_string(data.join(LOG)).unwrap()
}

pub fn is_secret(log: &str) -> bool {
    [SECRET, AES_KEY, "access_token="]
        .iter()
        .any(|secret| log.contains(secret))
}

/// A shop with its state on Redis, where the test can be a rep.
pub struct Desk {
    state: State,
    redis: Redis,
}

impl Desk {
    pub fn open() -> Self {
        let redis = Redis::start();
        let settings = bot::config::state::State::of_url(&redis.url()).unwrap();
        Self {
            state: State::open(&settings),
            redis,
        }
    }

    pub fn serve(&self, peer: &WeChatPeer, data: &Path) -> Server {
        let url = self.redis.url();
        serve(peer, data, &[("TIANSHENG_STATE__URL", url.as_str())])
    }

    pub async fn rep(&self, who: &str, number: usize, action: RepAction) {
        let mail = Mail::Rep {
            rep: "lin".to_owned(),
            action,
        };
        let conversation = format!("wechat:{who}");
        let event_id = format!("rep-{number}");
        let now_ms = now_ms();
        post(
            &self.state,
            conversation,
            event_id,
            &mail,
            Burst::default(),
            now_ms,
        )
        .await
        .unwrap();
    }

    pub async fn rep_says(&self, who: &str, number: usize) {
        let text = format!("同事说{number}");
        self.rep(who, number, RepAction::Say { text }).await;
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}
