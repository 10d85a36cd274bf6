//! What is kept and what is asked again where the store, the gateway or the API does not answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::discord::{Bot, Discord};
use adapters::{
    Acknowledgement, Answer, Asking, Body, Channel as _, Delivered, Keep, Outbound, OutboundBody,
    Part, PullError, Received, Speaker, Unkept,
};
use futures_util::{SinkExt as _, StreamExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

/// What the replicas share; its clock is set forward by hand, and it can be away.
#[derive(Default)]
struct Store {
    now_ms: AtomicI64,
    is_away: AtomicBool,
    facts: std::sync::Mutex<BTreeMap<String, String>>,
    jobs: std::sync::Mutex<BTreeSet<String>>,
}

impl Store {
    fn reached(&self) -> Result<(), Unkept> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(Unkept),
            false => Ok(()),
        }
    }
}

impl Keep for Store {
    fn now_ms(&self) -> i64 {
        1_800_000_000_000 + self.now_ms.load(Ordering::SeqCst)
    }

    fn remember<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<(), Unkept>> {
        let mut facts = self.facts.lock().unwrap();
        match until_ms > self.now_ms() + 1 {
            true => facts.insert(key.to_owned(), value.to_owned()),
            false => facts.remove(key),
        };
        Box::pin(ready(self.reached()))
    }

    fn recall<'a>(&'a self, key: &'a str) -> Asking<'a, Result<Option<String>, Unkept>> {
        let found = self.facts.lock().unwrap().get(key).cloned();
        Box::pin(ready(self.reached().map(|()| found)))
    }

    fn keep_first<'a>(
        &'a self,
        _key: &'a str,
        _value: &'a str,
        _until_ms: i64,
    ) -> Asking<'a, Result<bool, Unkept>> {
        // Nothing of the gateway's is kept like this.
        Box::pin(ready(Err(Unkept)))
    }

    fn hold<'a>(&'a self, job: &'a str, _for_ms: u64) -> Asking<'a, Result<bool, Unkept>> {
        self.jobs.lock().unwrap().insert(job.to_owned());
        Box::pin(ready(self.reached().map(|()| true)))
    }

    fn release<'a>(&'a self, _job: &'a str) -> Asking<'a, ()> {
        Box::pin(ready(()))
    }
}

/// One of several processes on a store, to which each way takes a while.
struct Replica {
    store: Arc<Store>,
    name: &'static str,
    holders: Arc<std::sync::Mutex<BTreeMap<String, &'static str>>>,
}

const WAY: Duration = Duration::from_millis(5);

impl Keep for Replica {
    fn now_ms(&self) -> i64 {
        self.store.now_ms()
    }

    fn remember<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<(), Unkept>> {
        Box::pin(async move {
            tokio::time::sleep(WAY).await;
            self.store.remember(key, value, until_ms).await
        })
    }

    fn recall<'a>(&'a self, key: &'a str) -> Asking<'a, Result<Option<String>, Unkept>> {
        Box::pin(async move {
            let found = self.store.recall(key).await;
            tokio::time::sleep(WAY).await;
            found
        })
    }

    fn keep_first<'a>(
        &'a self,
        key: &'a str,
        value: &'a str,
        until_ms: i64,
    ) -> Asking<'a, Result<bool, Unkept>> {
        self.store.keep_first(key, value, until_ms)
    }

    fn hold<'a>(&'a self, job: &'a str, _for_ms: u64) -> Asking<'a, Result<bool, Unkept>> {
        let mut holders = self.holders.lock().unwrap();
        let holder = *holders.entry(job.to_owned()).or_insert(self.name);
        Box::pin(ready(Ok(holder == self.name)))
    }

    fn release<'a>(&'a self, job: &'a str) -> Asking<'a, ()> {
        let mut holders = self.holders.lock().unwrap();
        if holders.get(job) == Some(&self.name) {
            holders.remove(job);
        }
        Box::pin(ready(()))
    }
}

fn discord(api_url: &str, store: &Arc<Store>) -> Discord {
    of(api_url, Arc::clone(store) as Arc<dyn Keep>)
}

fn of(api_url: &str, keep: Arc<dyn Keep>) -> Discord {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bot = Bot {
        token: "a.b.c".into(),
        public_key: None,
        message_content: false,
        api_url: Url::parse(api_url).unwrap(),
    };
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Discord::new(&bot, http, keep).unwrap()
}

fn said(place: &str) -> Outbound {
    let text = "你好".to_owned();
    Outbound {
        id: "m".to_owned(),
        address: format!("discord:{place}").parse().unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(Body {
            parts: vec![Part::Text { text }],
        }),
    }
}

/// Somebody who listens and takes no connection for long; how many came.
async fn refusing() -> (String, Arc<AtomicI64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(socket);
        }
    });
    (address, count)
}

fn cursor(at: &str) -> String {
    format!(r#"{{"session": "s", "url": "ws://{at}/", "seq": 7, "own": "99", "seen": null}}"#)
}

async fn pull_fails(discord: &Discord, cursor: &str) -> String {
    match discord.source().unwrap().pull(Some(cursor), 0).await {
        Err(PullError::Later { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn threads_of_many_customers_are_opened_under_few_names() {
    let store = Arc::new(Store::default());
    let (at, _) = refusing().await;
    let discord = discord(&format!("http://{at}/"), &store);
    for customer in 1..=300 {
        discord.send(&said(&format!("4.{customer}")), 0).await;
    }
    let names = store.jobs.lock().unwrap().len();
    assert!((2..=64).contains(&names), "{names}");
}

#[tokio::test]
async fn a_store_that_is_away_is_not_one_that_knows_no_places() {
    let store = Arc::new(Store::default());
    let (at, count) = refusing().await;
    let discord = discord(&format!("http://{at}/"), &store);
    let before = r#"["4.7"]"#.to_owned();
    store
        .facts
        .lock()
        .unwrap()
        .insert("discord:places".to_owned(), before.clone());
    store.is_away.store(true, Ordering::SeqCst);
    let why = pull_fails(&discord, &cursor(&at)).await;
    assert_eq!(why, Unkept.to_string());
    assert_eq!(count.load(Ordering::SeqCst), 0);
    assert_eq!(store.facts.lock().unwrap()["discord:places"], before);
}

/// A signed delivery that a customer makes in their own direct channel.
async fn pressed_in(discord: &Discord, channel: u64) {
    let body = format!(
        r#"{{"id": "175928847299117063", "type": 3, "token": "t", "channel_id": "{channel}", "user": {{"id": "7"}}, "data": {{"custom_id": "compare", "component_type": 2}}}}"#
    );
    let received = Received {
        arrivals: Vec::new(),
        unread: None,
        acknowledgement: Acknowledgement::AtOnce(Answer::empty()),
    };
    let delivered = Delivered {
        method: "POST",
        headers: &http::HeaderMap::new(),
        query: "",
        body: body.as_bytes(),
        now_ms: 0,
    };
    let recognized = discord.recognized(delivered, received).await.unwrap();
    assert_eq!(recognized.unwrap().arrivals.len(), 1);
}

/// Each place is asked for what was missed, so none may be lost.
#[tokio::test]
async fn places_of_signed_deliveries_to_two_replicas_at_once_are_all_kept() {
    let store = Arc::new(Store::default());
    let holders = Arc::default();
    let replica = |name| {
        let keep = Replica {
            store: Arc::clone(&store),
            name,
            holders: Arc::clone(&holders),
        };
        of("http://127.0.0.1:9/", Arc::new(keep))
    };
    let (one, two) = (replica("one"), replica("two"));
    let of_one = (0..12).map(|channel| pressed_in(&one, 100 + channel));
    let of_two = (0..6).map(|channel| pressed_in(&two, 200 + channel));
    tokio::join!(
        futures_util::future::join_all(of_one),
        futures_util::future::join_all(of_two)
    );
    let kept = store.facts.lock().unwrap()["discord:places:delivered"].clone();
    let kept: BTreeSet<String> = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept.len(), 18, "{kept:?}");
}

/// An API that names a gateway.
async fn api_naming(gateway: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let starts = r#"{"total": 9, "remaining": 9, "reset_after": 1, "max_concurrency": 1}"#;
    let body =
        format!(r#"{{"url": "ws://{gateway}/", "shards": 1, "session_start_limit": {starts}}}"#);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = socket.write_all((head + &body).as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_session_is_not_given_up_while_nothing_at_all_is_reached() {
    let store = Arc::new(Store::default());
    let (at, resumes) = refusing().await;
    let (api, asked) = refusing().await;
    let discord = discord(&format!("http://{api}/"), &store);
    let cursor = cursor(&at);
    for _ in 0..12 {
        pull_fails(&discord, &cursor).await;
    }
    assert_eq!(resumes.load(Ordering::SeqCst), 12);
    // By time it is.
    store.now_ms.store(3 * 60 * 1000, Ordering::SeqCst);
    let before = asked.load(Ordering::SeqCst);
    pull_fails(&discord, &cursor).await;
    assert_eq!(resumes.load(Ordering::SeqCst), 12);
    assert!(asked.load(Ordering::SeqCst) > before);
}

#[tokio::test]
async fn a_session_whose_gateway_alone_is_away_is_given_up_soon() {
    let store = Arc::new(Store::default());
    let (at, resumes) = refusing().await;
    let (other, begun) = refusing().await;
    let api = api_naming(&other).await;
    let discord = discord(&format!("http://{api}/"), &store);
    for _ in 0..8 {
        pull_fails(&discord, &cursor(&at)).await;
    }
    assert!(resumes.load(Ordering::SeqCst) < 8);
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_session_that_is_greeted_and_cut_every_time_is_given_up_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let mut socket = tokio_tungstenite::accept_async(socket).await.unwrap();
            let hello = r#"{"op": 10, "d": {"heartbeat_interval": 40000}, "s": null, "t": null}"#;
            socket.send(Message::text(hello)).await.unwrap();
            let _ = socket.next().await;
            // A resumption is told as an event of its own, which is no progress.
            let resumed = r#"{"op": 0, "d": {}, "s": 8, "t": "RESUMED"}"#;
            let _ = socket.send(Message::text(resumed)).await;
            let _ = socket.close(None).await;
        }
    });
    let store = Arc::new(Store::default());
    let (other, begun) = refusing().await;
    let api = api_naming(&other).await;
    let discord = discord(&format!("http://{api}/"), &store);
    let cursor = cursor(&at);
    for _ in 0..3 {
        let why = pull_fails(&discord, &cursor).await;
        assert_eq!(why, "Discord has closed the connection");
    }
    assert_eq!(begun.load(Ordering::SeqCst), 0);
    store.now_ms.store(3 * 60 * 1000, Ordering::SeqCst);
    pull_fails(&discord, &cursor).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}
