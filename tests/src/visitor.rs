//! A visitor of the web channel who keeps one session and may turn to any server that has it.

use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest wait for what is to come on the feed.
const PATIENCE: Duration = Duration::from_secs(60);
/// A page whose stream ends connects again after this.
const AGAIN: Duration = Duration::from_millis(100);

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

    /// The events after one; `None` while nobody answers.
    async fn listen(&self, url: &str, after: u64) -> Option<reqwest::Response> {
        let asked = self
            .http
            .get(format!("{url}/v1/web/events"))
            .bearer_auth(&self.token)
            .header("last-event-id", after.to_string())
            .send();
        let stream = asked.await.ok()?;
        stream.status().is_success().then_some(stream)
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
            let mut stream = self.listen(url, after).await.unwrap();
            let mut bytes = Vec::new();
            loop {
                bytes.extend(stream.chunk().await.unwrap().unwrap());
                let told = parsed(&bytes);
                if let Some(at) = told.iter().position(|told| told.data.contains(until)) {
                    return told[..=at].to_vec();
                }
            }
        };
        let read = tokio::time::timeout(PATIENCE, read).await;
        read.unwrap_or_else(|_| panic!("{until} never came on the feed"))
    }
}

/// A visitor whose page stays open: it reads the feed as it comes, and goes on where it stopped when a stream ends.
pub struct Page {
    pub visitor: Arc<Visitor>,
    told: Arc<Mutex<Vec<Told>>>,
    reading: tokio::task::JoinHandle<()>,
}

impl Page {
    pub async fn open(url: &str) -> Self {
        let visitor = Arc::new(Visitor::new(url).await);
        let told = Arc::new(Mutex::new(Vec::new()));
        let (reader, url, read) = (Arc::clone(&visitor), url.to_owned(), Arc::clone(&told));
        let reading = tokio::spawn(async move {
            loop {
                reader.read(&url, &read).await;
                tokio::time::sleep(AGAIN).await;
            }
        });
        Self {
            visitor,
            told,
            reading,
        }
    }

    /// All that was said to the visitor so far.
    pub fn replies(&self) -> Vec<Value> {
        let told = self.told.lock().unwrap();
        told.iter()
            .filter(|told| told.event == "message")
            .map(|told| serde_json::from_str(&told.data).unwrap())
            .collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Visitor {
    /// Adds what comes to what was told, until the stream ends.
    async fn read(&self, url: &str, told: &Mutex<Vec<Told>>) {
        let before = told.lock().unwrap().clone();
        let after = before.last().map_or(0, |last| last.id);
        let Some(mut stream) = self.listen(url, after).await else {
            return;
        };
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = stream.chunk().await {
            bytes.extend(chunk);
            *told.lock().unwrap() = [before.clone(), parsed(&bytes)].concat();
        }
    }
}

/// The events that are whole.
fn parsed(bytes: &[u8]) -> Vec<Told> {
    // A piece may end within a character; what is behind the last event's end is not looked at.
    let text = String::from_utf8_lossy(bytes);
    let text = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
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
