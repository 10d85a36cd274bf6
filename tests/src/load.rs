//! Customers of a bench who each wait for their answer on their event stream, spread over the replicas of a server.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub const SAYINGS: [&str; 10] = [
    "你好",
    "预算三千以内的意式咖啡机有推荐吗？",
    "第一个有货吗",
    "which grinder under ¥2000?",
    "compare the first two",
    "太贵了",
    "多久能发货",
    "we are 40 people, within two weeks",
    "最便宜的是哪个",
    "有便宜点的吗",
];

/// What a server needs so that its limits are not what is measured.
pub const SETTINGS: [(&str, &str); 4] = [
    ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "100000"),
    ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", "100000"),
    ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "0"),
    ("TIANSHENG_MAILBOX__WORKERS", "16"),
];

/// Prints the middle and the end of a distribution.
pub fn told(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: n={} p50={:?} p99={:?} max={:?}",
        times.len(),
        at(0.50),
        at(0.99),
        at(1.0)
    );
}

/// Messages a second, and the time from each message to its answer.
pub async fn round(urls: &[String], clients: usize, lasting: Duration) -> (f64, Vec<Duration>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let over = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..clients)
        .map(|n| {
            let url = urls[n % urls.len()].clone();
            tokio::spawn(customer(n, url, Arc::clone(&over)))
        })
        .collect();
    let begun = Instant::now();
    tokio::time::sleep(lasting).await;
    over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for customer in customers {
        times.extend(customer.await.unwrap());
    }
    (times.len() as f64 / begun.elapsed().as_secs_f64(), times)
}

async fn customer(n: usize, url: String, over: Arc<AtomicBool>) -> Vec<Duration> {
    let mut talk = Customer::new(&url).await;
    let mut times = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let text = SAYINGS[(n + times.len()) % SAYINGS.len()];
        times.push(talk.say(text).await);
    }
    times
}

/// The time to each acknowledgement while so many messages a second come, whether earlier ones were answered or not.
pub async fn acknowledged(
    urls: &[String],
    sessions: usize,
    a_second: f64,
    lasting: Duration,
) -> Vec<Duration> {
    let mut customers = Vec::new();
    for n in 0..sessions {
        customers.push(Arc::new(Customer::new(&urls[n % urls.len()]).await));
    }
    let begun = Instant::now();
    let mut sent = Vec::new();
    while begun.elapsed() < lasting {
        let n = sent.len();
        let due = begun + Duration::from_secs_f64(n as f64 / a_second);
        tokio::time::sleep_until(due.into()).await;
        let customer = Arc::clone(&customers[n % sessions]);
        sent.push(tokio::spawn(async move {
            // From when it was due: a load that falls behind is no lighter load.
            let (_, answered_at) = customer
                .post(&customer.url, SAYINGS[n % SAYINGS.len()])
                .await;
            answered_at.duration_since(due)
        }));
    }
    let mut times = Vec::new();
    for sent in sent {
        times.push(sent.await.unwrap());
    }
    times
}

/// One customer with an open event stream.
pub struct Customer {
    pub conversation: String,
    http: reqwest::Client,
    url: String,
    token: String,
    stream: reqwest::Response,
}

impl Customer {
    pub async fn new(url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        let opened = http.post(format!("{url}/v1/web/sessions")).send();
        let session: Value = opened.await.unwrap().json().await.unwrap();
        let text = |field: &str| session[field].as_str().unwrap().to_owned();
        let token = text("token");
        let stream = http
            .get(format!("{url}/v1/web/events"))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        Self {
            conversation: text("conversation"),
            http,
            url: url.to_owned(),
            token,
            stream,
        }
    }

    /// The time until the answer was read.
    pub async fn say(&mut self, text: &str) -> Duration {
        let url = self.url.clone();
        self.say_to(&url, text).await
    }

    /// The same, said to another replica than the one whose stream is read.
    pub async fn say_to(&mut self, url: &str, text: &str) -> Duration {
        let begun = Instant::now();
        let (id, _) = self.post(url, text).await;
        // The turn's receipt and its message are fed in one step.
        let wanted = format!("\"{id}\"");
        let mut read = String::new();
        while !read.contains(&wanted) {
            let chunk = self.stream.chunk().await.unwrap().unwrap();
            read.push_str(&String::from_utf8_lossy(&chunk));
        }
        begun.elapsed()
    }

    /// What another replica tells a page that begins anew, until something is in it.
    pub async fn read_to(&self, url: &str, wanted: &str) -> String {
        let stream = self.http.get(format!("{url}/v1/web/events"));
        let mut stream = stream.bearer_auth(&self.token).send().await.unwrap();
        let mut read = String::new();
        while !read.contains(wanted) {
            let chunk = stream.chunk().await.unwrap().unwrap();
            read.push_str(&String::from_utf8_lossy(&chunk));
        }
        read
    }

    /// The message's id, and when it was acknowledged.
    async fn post(&self, url: &str, text: &str) -> (String, Instant) {
        let id = uuid::Uuid::new_v4().to_string();
        let answer = self
            .http
            .post(format!("{url}/v1/web/messages"))
            .bearer_auth(&self.token)
            .json(&json!({"id": id, "text": text}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        (id, Instant::now())
    }
}
