//! One customer in the storm: sends in order, repeats until acknowledged, and now and then again much later.

use super::Dice;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for one acknowledgement or answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages of one customer.
const MESSAGES_MAX: usize = 60;

const SAYINGS: [&str; 10] = [
    "你好",
    "预算三千以内的意式咖啡机有推荐吗？",
    "第一个有货吗",
    "which grinder under ¥2000?",
    "compare the first two",
    "太贵了",
    "多久能发货",
    "we are 40 people",
    "最便宜的是哪个",
    "转人工",
];

pub struct Customer {
    pub conversation: String,
    /// Ids in the order in which they were acknowledged.
    pub acknowledged: Vec<String>,
    pub sent_again: usize,
    token: String,
    /// Replicas of the server; each request goes to the next one.
    urls: Vec<String>,
    requests: usize,
    http: reqwest::Client,
}

impl Customer {
    pub async fn live(n: usize, urls: Vec<String>, mut dice: Dice, over: Arc<AtomicBool>) -> Self {
        // reqwest wants a provider even where no TLS is spoken; a second installation is refused harmlessly.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        let begun = Instant::now();
        let mut tries = n;
        let session: Value = loop {
            tries += 1;
            let url = &urls[tries % urls.len()];
            let sent = http
                .post(format!("{url}/v1/web/sessions"))
                .json(&json!({"language": "zh"}))
                .send()
                .await;
            if let Ok(answer) = sent
                && answer.status() == 201
                && let Ok(session) = answer.json().await
            {
                break session;
            }
            assert!(begun.elapsed() < PATIENCE, "no session");
            tokio::time::sleep(Duration::from_millis(30)).await;
        };
        let mut customer = Self {
            conversation: session["conversation"].as_str().unwrap().to_owned(),
            token: session["token"].as_str().unwrap().to_owned(),
            acknowledged: Vec::new(),
            sent_again: 0,
            urls,
            requests: n,
            http,
        };
        while customer.acknowledged.len() < MESSAGES_MAX {
            let at = customer.acknowledged.len();
            if over.load(Ordering::Relaxed) && at >= 3 {
                break;
            }
            let id = format!("c{n}-{at:03}");
            let text = SAYINGS[dice.below(SAYINGS.len() as u64) as usize];
            customer.deliver(&id, text).await;
            customer.acknowledged.push(id);
            // A provider that repeats, late and out of order.
            if dice.below(3) == 0 {
                let old = dice.below(customer.acknowledged.len() as u64) as usize;
                let id = customer.acknowledged[old].clone();
                customer.deliver(&id, text).await;
                customer.sent_again += 1;
            }
            tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
        }
        customer
    }

    fn next(&mut self) -> String {
        self.requests += 1;
        self.urls[self.requests % self.urls.len()].clone()
    }

    async fn deliver(&mut self, id: &str, text: &str) {
        let begun = Instant::now();
        loop {
            let url = self.next();
            let sent = self
                .http
                .post(format!("{url}/v1/web/messages"))
                .bearer_auth(&self.token)
                .json(&json!({"id": id, "text": text}))
                .send()
                .await;
            match sent {
                Ok(answer) if answer.status() == 202 => return,
                Ok(answer) if answer.status() == 503 || answer.status() == 429 => {}
                Ok(answer) => panic!("{} for {id}: {:?}", answer.status(), answer.text().await),
                Err(_) => self.sent_again += 1,
            }
            assert!(begun.elapsed() < PATIENCE, "{id} is not acknowledged");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Reads the feed until the receipt of the newest message has come.
    pub async fn wait_for_the_last_answer(&mut self) {
        let last = self.acknowledged.last().unwrap().clone();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let url = self.next();
            let mut stream = self
                .http
                .get(format!("{url}/v1/web/events"))
                .bearer_auth(&self.token)
                .send()
                .await
                .unwrap();
            let mut read = String::new();
            while let Ok(Some(chunk)) = stream.chunk().await {
                read.push_str(&String::from_utf8_lossy(&chunk));
                // Without dedupe ids are longer; the test that breaks it looks for its own ids.
                if read.contains(&format!("\"{last}\"")) || read.contains(&format!("\"{last}#")) {
                    return;
                }
            }
        }
        panic!("{last} of {} was never read", self.conversation);
    }
}
