//! A platform's servers in a Python process of the test's own: told what happens there, and asked what they saw.

use serde_json::{Value, json};
use std::fmt::Display;
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
            http: http(),
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

    /// What was sent to somebody, in order.
    pub async fn sent(&self, to: impl Display) -> Vec<Value> {
        let sent = self.sim("sent", json!({"to": to.to_string()})).await;
        sent.as_array().unwrap().clone()
    }

    /// The same, once there are so many.
    pub async fn sent_at_least(&self, to: impl Display, count: usize) -> Vec<Value> {
        until(&format!("{count} messages to {to}"), async || {
            let sent = self.sent(&to).await;
            (sent.len() >= count).then_some(sent)
        })
        .await
    }

    /// Does something, and gives what is sent to somebody from then on, once there are so many.
    pub async fn sent_upon(&self, act: impl Future, to: impl Display, count: usize) -> Vec<Value> {
        let before = self.sent(&to).await.len();
        act.await;
        self.sent_at_least(to, before + count)
            .await
            .split_off(before)
    }

    /// How often a method of its API was called.
    pub async fn calls(&self, method: &str) -> usize {
        let calls = self.listed("calls").await;
        calls.iter().filter(|call| call["method"] == method).count()
    }

    /// How often what the test wants to go wrong is still to go wrong, where each fault has its number of times.
    pub async fn faults_left(&self) -> usize {
        let faults = self.listed("faults").await;
        let times = faults.iter().filter_map(|fault| fault["times"].as_u64());
        usize::try_from(times.sum::<u64>()).unwrap()
    }

    /// Waits until a method of its API was called so often.
    pub async fn called(&self, method: &str, times: usize) {
        until(&format!("call {times} of {method}"), async || {
            (self.calls(method).await >= times).then_some(())
        })
        .await;
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

/// A client that goes to this machine whatever proxy is set.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
