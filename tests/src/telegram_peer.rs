//! A Bot API server of the test's own, with people who write to the bot: requests and updates are checked by classes of another project.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const TOKEN: &str = "123:ABC-secret_of_the_bot";
pub const SECRET: &str = "secret_of_the-webhook";
/// Longest wait for what is to come.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

pub struct TelegramPeer {
    child: Child,
    pub url: String,
    pub port: u16,
    http: reqwest::Client,
}

impl TelegramPeer {
    /// Starts the peer that `tests/telegram_peer/install` has set up.
    pub fn start(arguments: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("telegram_peer");
        let python = folder.join("venv/bin/python");
        assert!(
            python.exists(),
            "the Telegram peer is not installed; run tests/telegram_peer/install"
        );
        let mut child = Command::new(python)
            .arg(folder.join("peer.py"))
            .arg(TOKEN)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the Telegram peer ended").unwrap();
        let port = line.strip_prefix("listening ").unwrap().parse().unwrap();
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            port,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self
            .http
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// A person or the test does something: see `peer.py`.
    pub async fn sim(&self, act: &str, body: Value) -> Value {
        self.post(&format!("/_sim/{act}"), body).await
    }

    pub async fn say(&self, from: i64, text: &str) -> Value {
        self.sim("message", json!({"from": from, "text": text}))
            .await
    }

    /// Has updates delivered to a server.
    pub async fn hook(&self, server: &str) {
        let hook = json!({"url": format!("{server}/webhooks/telegram"), "secret_token": SECRET});
        self.post(&format!("/bot{TOKEN}/setWebhook"), hook).await;
    }

    pub async fn state(&self) -> Value {
        self.sim("state", json!({})).await
    }

    /// What the bot has sent to a chat, in order.
    pub async fn sent(&self, chat: i64) -> Vec<Value> {
        let state = self.state().await;
        let messages = state["messages"].as_array().unwrap();
        messages
            .iter()
            .filter(|message| message["chat"]["id"] == chat && message["from"]["is_bot"] == true)
            .cloned()
            .collect()
    }

    /// The same, once there are so many.
    pub async fn sent_at_least(&self, chat: i64, count: usize) -> Vec<Value> {
        self.until(&format!("{count} messages to {chat}"), async || {
            let sent = self.sent(chat).await;
            (sent.len() >= count).then_some(sent)
        })
        .await
    }

    /// How often a method was called.
    pub async fn calls(&self, method: &str) -> usize {
        let state = self.state().await;
        let calls = state["calls"].as_array().unwrap();
        calls.iter().filter(|call| call["method"] == method).count()
    }

    /// Looks until there is something.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{what} never came");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for TelegramPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words of a message, whatever carries them.
pub fn words(message: &Value) -> &str {
    let text = message["text"].as_str();
    text.or_else(|| message["caption"].as_str())
        .unwrap_or_default()
}

/// The data of a message's button by its label.
pub fn button(message: &Value, label: &str) -> Option<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
    rows.iter()
        .flat_map(|row| row.as_array().unwrap())
        .find(|button| button["text"] == label)
        .map(|button| button["callback_data"].as_str().unwrap().to_owned())
}
