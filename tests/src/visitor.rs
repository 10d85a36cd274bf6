//! A visitor of the web channel who keeps one session and may turn to any server that has it.

use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for what is to come on the feed.
const PATIENCE: Duration = Duration::from_secs(60);
/// A stream that says nothing for so long has said what there is.
const QUIET: Duration = Duration::from_millis(300);

pub struct Visitor {
    pub conversation: String,
    http: reqwest::Client,
    token: String,
}

/// One event of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub id: u64,
    pub event: String,
    pub data: String,
}

impl Visitor {
    pub async fn new(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        let opened = http.post(format!("{url}/v1/web/sessions")).send();
        let session: Value = opened.await.unwrap().json().await.unwrap();
        let text = |field: &str| session[field].as_str().unwrap().to_owned();
        Self {
            conversation: text("conversation"),
            token: text("token"),
            http,
        }
    }

    /// The status of the answer.
    pub async fn post(&self, url: &str, id: &str, text: &str) -> u16 {
        let message = json!({"id": id, "text": text});
        self.send(url, &message).await.unwrap()
    }

    /// The status of the answer, if there is one.
    pub async fn send(&self, url: &str, message: &Value) -> Option<u16> {
        let asked = self
            .http
            .post(format!("{url}/v1/web/messages"))
            .bearer_auth(&self.token)
            .json(message)
            .send();
        Some(asked.await.ok()?.status().as_u16())
    }

    /// All that was said to the visitor so far; nothing while nobody answers.
    pub async fn replies(&self, url: &str) -> Vec<Value> {
        let asked = self
            .http
            .get(format!("{url}/v1/web/events"))
            .bearer_auth(&self.token)
            .send();
        let Ok(mut stream) = asked.await else {
            return Vec::new();
        };
        let mut text = String::new();
        // What is there comes at once.
        while let Ok(Ok(Some(chunk))) = tokio::time::timeout(QUIET, stream.chunk()).await {
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        let told = parsed(text.rsplit_once("\n\n").map_or("", |(whole, _)| whole));
        told.iter()
            .filter(|told| told.event == "message")
            .map(|told| serde_json::from_str(&told.data).unwrap())
            .collect()
    }

    /// Posts, and waits for the receipt of the turn that read it.
    pub async fn say(&self, url: &str, text: &str) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        assert_eq!(self.post(url, &id, text).await, 202);
        self.feed(url, 0, &id).await;
        id
    }

    /// The feed after an event, up to the first that says `until`.
    pub async fn feed(&self, url: &str, after: u64, until: &str) -> Vec<Told> {
        let read = async {
            let mut stream = self
                .http
                .get(format!("{url}/v1/web/events"))
                .bearer_auth(&self.token)
                .header("last-event-id", after.to_string())
                .send()
                .await
                .unwrap();
            assert_eq!(stream.status(), 200);
            let mut text = String::new();
            loop {
                let chunk = stream.chunk().await.unwrap().unwrap();
                text.push_str(&String::from_utf8_lossy(&chunk));
                let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
                let told = parsed(whole);
                if let Some(at) = told.iter().position(|told| told.data.contains(until)) {
                    return told[..=at].to_vec();
                }
            }
        };
        let read = tokio::time::timeout(PATIENCE, read).await;
        read.unwrap_or_else(|_| panic!("{until} never came on the feed"))
    }
}

fn parsed(text: &str) -> Vec<Told> {
    let field = |block: &str, name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    text.split("\n\n")
        .filter_map(|block| {
            Some(Told {
                id: field(block, "id:")?.parse().unwrap(),
                event: field(block, "event:").unwrap_or_default(),
                data: field(block, "data:")?,
            })
        })
        .collect()
}
