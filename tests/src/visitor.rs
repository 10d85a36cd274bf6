//! A visitor of the web channel who keeps one session and may turn to any server that has it.

use serde_json::{Value, json};
use std::time::Duration;

/// Longest wait for what is to come on the feed.
const PATIENCE: Duration = Duration::from_secs(60);

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
        let answer = self
            .http
            .post(format!("{url}/v1/web/messages"))
            .bearer_auth(&self.token)
            .json(&json!({"id": id, "text": text}))
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
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
