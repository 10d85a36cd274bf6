//! Discord of the test's own, with people who write to the bot: what it allows and refuses is another project's.

use crate::binary::{Server, free_port};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const TOKEN: &str = "MTk4.Cl2FMQ.secret-of_the_bot";
/// Longest wait for what is to come.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

pub struct DiscordPeer {
    child: Child,
    pub url: String,
    pub port: u16,
    http: reqwest::Client,
}

impl DiscordPeer {
    /// Starts the peer that `tests/discord_peer/install` has set up.
    pub fn start(arguments: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("discord_peer");
        let python = folder.join("venv/bin/python");
        assert!(
            python.exists(),
            "the Discord peer is not installed; run tests/discord_peer/install"
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
        let line = lines.next().expect("the Discord peer ended").unwrap();
        let port = line.strip_prefix("listening ").unwrap().parse().unwrap();
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            port,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// A person or the test does something: see `Acts` in `peer.py`.
    pub async fn sim(&self, act: &str, body: Value) -> Value {
        let asked = self.http.post(format!("{}/_sim/{act}", self.url));
        let answer = asked.json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{act}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A new customer and the direct channel with them.
    pub async fn customer(&self) -> (String, String) {
        let user = id(&self.sim("user", json!({})).await);
        let direct = self.sim("direct", json!({"user": user})).await;
        (user, id(&direct))
    }

    pub async fn say(&self, channel: &str, user: &str, text: &str) -> Value {
        let said = json!({"channel": channel, "user": user, "content": text});
        self.sim("say", said).await
    }

    pub async fn state(&self) -> Value {
        self.sim("state", json!({})).await
    }

    /// What the bot has written into a channel, in order.
    pub async fn sent(&self, channel: &str) -> Vec<Value> {
        let messages = self.sim("messages", json!({"channel": channel})).await;
        messages.as_array().unwrap().clone()
    }

    /// The same, once there are so many.
    pub async fn sent_at_least(&self, channel: &str, count: usize) -> Vec<Value> {
        self.until(&format!("{count} messages to {channel}"), async || {
            let sent = self.sent(channel).await;
            (sent.len() >= count).then_some(sent)
        })
        .await
    }

    /// What was asked of the API, in order.
    pub async fn calls(&self, method: &str, path_end: &str) -> Vec<Value> {
        let state = self.state().await;
        let calls = state["calls"].as_array().unwrap();
        let is_it = |call: &&Value| {
            call["method"] == method && call["path"].as_str().unwrap().ends_with(path_end)
        };
        calls.iter().filter(is_it).cloned().collect()
    }

    /// Until a replica listens at the gateway.
    pub async fn listened_to(&self) {
        self.until("a session at the gateway", async || {
            let state = self.state().await;
            let sessions = state["sessions"].as_array().unwrap();
            sessions.iter().any(|s| s["open"] == true).then_some(())
        })
        .await;
    }

    /// Until the command is registered.
    pub async fn commanded(&self) {
        self.until("the command", async || {
            (self.state().await["commands"] == 1).then_some(())
        })
        .await;
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

impl Drop for DiscordPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// The words of a message and its cards, as a reader sees them: without the backslashes that only escape.
pub fn words(message: &Value) -> String {
    let mut words = message["content"].as_str().unwrap_or_default().to_owned();
    for embed in message["embeds"].as_array().unwrap() {
        for member in ["title", "description"] {
            words.push('\n');
            words.push_str(embed[member].as_str().unwrap_or_default());
        }
    }
    words.replace('\\', "")
}

/// The id of a message's button by its label.
pub fn button(message: &Value, label: &str) -> Option<String> {
    let rows = message["components"].as_array()?;
    rows.iter()
        .flat_map(|row| row["components"].as_array().unwrap())
        .find(|button| button["label"] == label)
        .map(|button| button["custom_id"].as_str().unwrap().to_owned())
}

/// One server on Discord; `more` overrides its settings.
pub fn serve(peer: &DiscordPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    let mut environment = vec![
        ("TIANSHENG_CHANNELS__DISCORD__TOKEN", TOKEN),
        ("TIANSHENG_CHANNELS__DISCORD__API_URL", peer.url.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "100"),
        // What is logged at its most talkative must hold no token.
        ("TIANSHENG_LOG__LEVEL", "debug"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    environment.extend(more);
    Server::start(data, free_port(), &environment)
}

/// A server that listens.
pub async fn on_gateway(data: &Path, more: &[(&str, &str)]) -> (DiscordPeer, Server) {
    let peer = DiscordPeer::start(&[]);
    let server = serve(&peer, data, more);
    peer.listened_to().await;
    (peer, server)
}

/// Says something and waits for so many messages more.
pub async fn ask(
    peer: &DiscordPeer,
    (user, channel): &(String, String),
    text: &str,
    more: usize,
) -> Vec<Value> {
    let before = peer.sent(channel).await.len();
    peer.say(channel, user, text).await;
    peer.sent_at_least(channel, before + more).await[before..].to_vec()
}

pub async fn metrics(server: &Server) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{}/metrics", server.url)).send().await;
    answer.unwrap().text().await.unwrap()
}

pub fn logged(data: &Path) -> String {
    std::fs::read_to_string(data.join(crate::binary::LOG)).unwrap()
}

/// The demo shop with its products changed.
pub fn shop(dir: &Path, change: impl Fn(&str) -> String) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bot/demo");
    let mut copy = Command::new("cp");
    let copied = copy.arg("-r").arg(demo.join(".")).arg(dir).status();
    assert!(copied.unwrap().success());
    for name in ["products.tsv", "products.en.tsv"] {
        let path = dir.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(&text)).unwrap();
    }
}

/// A model that answers after a time.
pub async fn slow_model(wait: Duration) -> String {
    let slow = axum::Router::new().route(
        "/v1/chat/completions",
        axum::routing::post(async move || {
            tokio::time::sleep(wait).await;
            axum::Json(json!({"choices": [{"message": {"role": "assistant", "content": "-"}}]}))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, slow).await.unwrap() });
    model
}
