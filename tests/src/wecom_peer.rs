//! WeCom's servers of the test's own, with customers and people at its desk: signing and encryption are another project's.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

// The values of Tencent's own samples.
pub const CORP_ID: &str = "wx5823bf96d3bd56c7";
pub const SECRET: &str = "s3cr3t-of-the-corp";
pub const TOKEN: &str = "QDG6eK";
pub const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
/// Longest wait for what is to come.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// The accounts that the peer has.
pub const ACCOUNT: &str = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q";
pub const OTHER_ACCOUNT: &str = "wkB";

pub struct WeComPeer {
    child: Child,
    pub url: String,
    http: reqwest::Client,
}

impl WeComPeer {
    /// Starts the peer that `tests/wechat_peer/install` has set up.
    pub fn start(arguments: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wechat_peer");
        let python = folder.join("venv/bin/python");
        assert!(
            python.exists(),
            "the WeCom peer is not installed; run tests/wechat_peer/install"
        );
        let mut child = Command::new(python)
            .arg(folder.join("wecom.py"))
            .args([CORP_ID, SECRET, TOKEN, AES_KEY])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the WeCom peer ended").unwrap();
        let port: u16 = line.strip_prefix("listening ").unwrap().parse().unwrap();
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// A person or the test does something: see `wecom.py`.
    pub async fn sim(&self, act: &str, body: Value) -> Value {
        let asked = self.http.post(format!("{}/_sim/{act}", self.url));
        let answer = asked.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{act}: {}", answer.status());
        answer.json().await.unwrap()
    }

    pub async fn state(&self) -> Value {
        self.sim("state", json!({})).await
    }

    /// What the API has sent to a customer, in order; a welcome names nobody and is not in it.
    pub async fn sent(&self, to: &str) -> Vec<Value> {
        let state = self.state().await;
        let sent = state["sent"].as_array().unwrap();
        sent.iter().filter(|m| m["touser"] == to).cloned().collect()
    }

    /// The same, once there are so many.
    pub async fn sent_at_least(&self, to: &str, count: usize) -> Vec<Value> {
        self.until(&format!("{count} messages to {to}"), async || {
            let sent = self.sent(to).await;
            (sent.len() >= count).then_some(sent)
        })
        .await
    }

    /// What was sent as a welcome.
    pub async fn welcomes(&self) -> Vec<Value> {
        let state = self.state().await;
        let sent = state["sent"].as_array().unwrap();
        let welcomes = sent.iter().filter(|m| m["touser"].is_null());
        welcomes.cloned().collect()
    }

    /// How often a method of the API was called.
    pub async fn calls(&self, name: &str) -> usize {
        let state = self.state().await;
        let calls = state["calls"].as_array().unwrap();
        calls.iter().filter(|call| *call == name).count()
    }

    /// In which state a conversation of the first account is.
    pub async fn session(&self, user: &str) -> Value {
        self.state().await["sessions"][format!("{ACCOUNT}.{user}")]["state"].clone()
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

impl Drop for WeComPeer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words of a message, whatever carries them.
pub fn words(message: &Value) -> &str {
    let words = match message["msgtype"].as_str().unwrap() {
        "text" => &message["text"]["content"],
        _ => &message["msgmenu"]["head_content"],
    };
    words.as_str().unwrap()
}

/// The id of a menu's line by its label.
pub fn line(message: &Value, label: &str) -> Option<String> {
    let list = message["msgmenu"]["list"].as_array()?;
    let found = list.iter().find(|item| item["click"]["content"] == label)?;
    found["click"]["id"].as_str().map(str::to_owned)
}
