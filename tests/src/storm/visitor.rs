//! One visitor of a fault storm: speaks in bursts, repeats itself late, out of order and twice at once, reads its stream over every break, and remembers when it was heard and answered.

use super::Dice;
use futures_util::future::join;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Longest wait for one acknowledgement.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest wait for the answer to one request.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// A visitor whose message is not answered for so long reads at another door.
const RESTLESS: Duration = Duration::from_secs(6);
/// A stream without even a heartbeat for so long is dead.
const DEAD: Duration = Duration::from_secs(20);
/// Wait before the same is tried again.
const AGAIN: Duration = Duration::from_millis(60);
/// Messages of one burst.
const BURST_MAX: u64 = 4;
/// Messages that everybody says, however short the storm.
const MESSAGES_MIN: usize = 3;

pub(super) const SAYINGS: [&str; 10] = [
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

/// Where the replicas are reached, and one client for all visitors.
pub struct Doors {
    pub urls: Vec<String>,
    pub http: reqwest::Client,
    next: AtomicUsize,
}

impl Doors {
    pub fn new(urls: Vec<String>) -> Arc<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Arc::new(Self {
            urls,
            http: reqwest::Client::new(),
            next: AtomicUsize::new(0),
        })
    }

    fn next(&self) -> &str {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        &self.urls[next % self.urls.len()]
    }
}

/// How a crowd behaves.
#[derive(Clone, Copy)]
pub struct Pace {
    /// The longest pause between two bursts, milliseconds.
    pub rest_ms: u64,
    /// The longest wait for the last answer, once nothing more is said.
    pub last: Duration,
}

/// What a visitor saw; times are the visitor's own.
#[derive(Default)]
pub struct Seen {
    pub acknowledged_at: BTreeMap<String, Instant>,
    pub read_at: BTreeMap<String, Instant>,
    /// Replies by their id.
    replies: BTreeSet<String>,
    /// Replies that came a second time as another event of the feed.
    pub doubled: usize,
    /// Answers 503 and 429.
    pub refused: usize,
    /// Those among them that did not say when to come again.
    pub without_wait: usize,
    /// Requests without an answer.
    pub failed: usize,
    /// Streams that broke instead of ending.
    pub broken: usize,
    /// The session was not known any more.
    pub forgotten: bool,
    last_event: u64,
}

pub struct Visitor {
    pub conversation: String,
    /// Ids in the order in which they were acknowledged.
    pub acknowledged: Vec<String>,
    pub sent_again: usize,
    seen: Arc<Mutex<Seen>>,
    token: String,
    doors: Arc<Doors>,
}

impl Visitor {
    /// Lives until the storm is over and its last message is answered, or its patience is at its end.
    pub async fn live(
        n: usize,
        doors: Arc<Doors>,
        pace: Pace,
        mut dice: Dice,
        over: Arc<AtomicBool>,
    ) -> Self {
        tokio::time::sleep(Duration::from_millis(dice.below(pace.rest_ms))).await;
        let mut visitor = Self::enter(doors).await;
        let finished = Arc::new(AtomicBool::new(false));
        let reading = tokio::spawn(read(
            Arc::clone(&visitor.doors),
            visitor.token.clone(),
            Arc::clone(&visitor.seen),
            Arc::clone(&finished),
        ));
        while !over.load(Ordering::Relaxed) || visitor.acknowledged.len() < MESSAGES_MIN {
            for _ in 0..=dice.below(BURST_MAX) {
                visitor.say(n, &mut dice).await;
            }
            if visitor.seen().forgotten {
                break;
            }
            rest(pace.rest_ms / 2 + dice.below(pace.rest_ms / 2), &over).await;
        }
        let begun = Instant::now();
        while !visitor.unread().is_empty() && begun.elapsed() < pace.last {
            tokio::time::sleep(AGAIN).await;
        }
        finished.store(true, Ordering::Relaxed);
        reading.abort();
        visitor
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Acknowledged messages whose receipt never came.
    pub fn unread(&self) -> Vec<String> {
        let seen = self.seen();
        let waiting = |id: &&String| !seen.read_at.contains_key(*id);
        self.acknowledged.iter().filter(waiting).cloned().collect()
    }

    async fn enter(doors: Arc<Doors>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let begun = Instant::now();
        loop {
            let url = format!("{}/v1/web/sessions", doors.next());
            let asked = doors.http.post(url).timeout(ANSWER_MAX);
            let answer = asked.json(&json!({"language": "zh"})).send().await;
            let status = answered(&seen, &answer);
            if status == Some(StatusCode::CREATED)
                && let Ok(answer) = answer
                && let Ok(session) = answer.json::<Value>().await
            {
                let text = |field: &str| session[field].as_str().unwrap().to_owned();
                return Self {
                    conversation: text("conversation"),
                    token: text("token"),
                    acknowledged: Vec::new(),
                    sent_again: 0,
                    seen,
                    doors,
                };
            }
            assert!(begun.elapsed() < PATIENCE, "no session");
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn say(&mut self, n: usize, dice: &mut Dice) {
        let id = format!("v{n}-{:03}", self.acknowledged.len());
        let text = SAYINGS[dice.below(SAYINGS.len() as u64) as usize];
        if dice.below(8) == 0 {
            // A platform that delivers twice at once, to two replicas.
            join(self.deliver(&id, text), self.deliver(&id, text)).await;
            self.sent_again += 1;
        } else {
            self.deliver(&id, text).await;
        }
        if self.seen().forgotten {
            return;
        }
        let now = Instant::now();
        self.seen().acknowledged_at.insert(id.clone(), now);
        self.acknowledged.push(id);
        if dice.below(3) == 0 {
            // And one that repeats late and out of order.
            let old = dice.below(self.acknowledged.len() as u64) as usize;
            self.deliver(&self.acknowledged[old], text).await;
            self.sent_again += 1;
        }
    }

    async fn deliver(&self, id: &str, text: &str) {
        let begun = Instant::now();
        loop {
            let url = format!("{}/v1/web/messages", self.doors.next());
            let asked = self.doors.http.post(url).timeout(ANSWER_MAX);
            let answer = asked
                .bearer_auth(&self.token)
                .json(&json!({"id": id, "text": text}))
                .send()
                .await;
            match answered(&self.seen, &answer) {
                Some(StatusCode::ACCEPTED) => return,
                Some(StatusCode::UNAUTHORIZED) => {
                    self.seen().forgotten = true;
                    return;
                }
                None | Some(StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) => {}
                Some(status) => panic!("{status} for {id}"),
            }
            assert!(begun.elapsed() < PATIENCE, "{id} is not acknowledged");
            tokio::time::sleep(AGAIN).await;
        }
    }
}

pub(super) async fn rest(ms: u64, over: &AtomicBool) {
    let until = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < until && !over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Counts an answer; None where there is none.
fn answered(
    seen: &Mutex<Seen>,
    answer: &Result<reqwest::Response, reqwest::Error>,
) -> Option<StatusCode> {
    let mut seen = seen.lock().unwrap();
    let Ok(answer) = answer else {
        seen.failed += 1;
        return None;
    };
    let status = answer.status();
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        seen.refused += 1;
        seen.without_wait += usize::from(!answer.headers().contains_key("retry-after"));
    }
    Some(status)
}

/// Reads the feed, from the last event that was read, at another door after each break.
async fn read(doors: Arc<Doors>, token: String, seen: Arc<Mutex<Seen>>, finished: Arc<AtomicBool>) {
    while !finished.load(Ordering::Relaxed) {
        let last = seen.lock().unwrap().last_event;
        let asked = doors
            .http
            .get(format!("{}/v1/web/events", doors.next()))
            .bearer_auth(&token)
            .header("last-event-id", last.to_string())
            .send();
        let answer = match tokio::time::timeout(ANSWER_MAX, asked).await {
            Ok(answer) => answer,
            Err(_) => {
                seen.lock().unwrap().failed += 1;
                continue;
            }
        };
        let status = answered(&seen, &answer);
        if let (Some(StatusCode::OK), Ok(answer)) = (status, answer) {
            follow(answer, &seen).await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn follow(mut stream: reqwest::Response, seen: &Mutex<Seen>) {
    let mut read = String::new();
    let mut bytes = Vec::new();
    let mut heard = Instant::now();
    loop {
        match tokio::time::timeout(Duration::from_secs(1), stream.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                heard = Instant::now();
                bytes.extend_from_slice(&chunk);
                // A chunk may end within a character.
                let whole = match std::str::from_utf8(&bytes) {
                    Ok(_) => bytes.len(),
                    Err(error) => error.valid_up_to(),
                };
                read.push_str(&String::from_utf8(bytes.drain(..whole).collect()).unwrap());
                while let Some(end) = read.find("\n\n") {
                    let frame: String = read.drain(..end + 2).collect();
                    take(&frame, &mut seen.lock().unwrap());
                }
            }
            Ok(Ok(None)) => return,
            Ok(Err(_)) => {
                seen.lock().unwrap().broken += 1;
                return;
            }
            Err(_) if heard.elapsed() > DEAD => return,
            Err(_) => {
                let seen = seen.lock().unwrap();
                let restless = |(id, at): (&String, &Instant)| {
                    at.elapsed() > RESTLESS && !seen.read_at.contains_key(id)
                };
                if heard.elapsed() > RESTLESS && seen.acknowledged_at.iter().any(restless) {
                    return;
                }
            }
        }
    }
}

/// One event of the stream.
fn take(frame: &str, seen: &mut Seen) {
    let field = |name: &str| {
        let line = |line: &str| line.strip_prefix(name).map(str::to_owned);
        frame.lines().find_map(line)
    };
    let (Some(id), Some(event), Some(data)) = (field("id: "), field("event: "), field("data: "))
    else {
        return;
    };
    let id: u64 = id.parse().unwrap();
    assert!(id > seen.last_event, "the stream goes back");
    seen.last_event = id;
    let data: Value = serde_json::from_str(&data).unwrap();
    match event.as_str() {
        "receipt" => {
            for id in data["ids"].as_array().unwrap() {
                let id = id.as_str().unwrap().to_owned();
                seen.read_at.entry(id).or_insert_with(Instant::now);
            }
        }
        "message" => {
            let id = data["id"].as_str().unwrap().to_owned();
            seen.doubled += usize::from(!seen.replies.insert(id));
        }
        _ => {}
    }
}
