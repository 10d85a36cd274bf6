//! A platform's servers in a Python process of the test's own: told what happens there, and asked what they saw.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what is to come.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const LOOK: Duration = Duration::from_millis(50);

pub struct Peer {
    child: Child,
    pub url: String,
    pub port: u16,
    http: reqwest::Client,
}

impl Peer {
    /// Starts a program below `tests/`, with the Python that `tests/install` has set up in its folder; `fixed` arguments come before the test's own.
    pub fn start(program: &str, fixed: &[&str], arguments: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
        let folder = program.parent().unwrap();
        let python = folder.join("venv/bin/python");
        let name = folder.file_name().unwrap().display();
        assert!(
            python.exists(),
            "this peer is not installed; run tests/install {name}"
        );
        let mut child = Command::new(python)
            .arg(&program)
            .args(fixed)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next();
        let line = line.unwrap_or_else(|| panic!("{} ended", program.display()));
        let line = line.unwrap();
        let port = line.strip_prefix("listening ").unwrap().parse().unwrap();
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            port,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let asked = self.http.post(format!("{}{path}", self.url));
        let answer = asked.json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// A person or the test does something: the acts stand in the peer's program.
    pub async fn sim(&self, act: &str, body: Value) -> Value {
        self.post(&format!("/_sim/{act}"), body).await
    }

    pub async fn state(&self) -> Value {
        self.sim("state", json!({})).await
    }

    /// One of the lists in its state.
    pub async fn listed(&self, list: &str) -> Vec<Value> {
        self.state().await[list].as_array().unwrap().clone()
    }

    /// Looks until there is something.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        until(what, look).await
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something.
pub async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} never came");
        tokio::time::sleep(LOOK).await;
    }
}

/// What was sent to somebody, once there are so many.
pub async fn until_sent(
    to: impl std::fmt::Display,
    count: usize,
    sent: impl AsyncFn() -> Vec<Value>,
) -> Vec<Value> {
    until(&format!("{count} messages to {to}"), async || {
        let sent = sent().await;
        (sent.len() >= count).then_some(sent)
    })
    .await
}
