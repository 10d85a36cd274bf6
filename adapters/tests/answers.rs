//! What platforms' APIs answer is read only as far as it is needed, and never without end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::telegram::{Mode, Telegram};
use adapters::wechat::{Account, WeChat};
use adapters::wecom::{Corp, WeCom};
use adapters::{Address, Body, Channel, KeptHere, Outbound, OutboundBody, Part, Receipt, Speaker};
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

/// Until a client gives up by itself; what is tested takes no part of it.
const GIVES_UP: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(30);

/// An API that answers every request with these bytes, so often or until nobody reads them, and then says nothing more: its address, and what counts the bytes that were taken.
async fn api(head: &'static str, more: usize) -> (Url, Arc<AtomicUsize>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 64 * 1024]).await;
                let _ = socket.write_all(head.as_bytes()).await;
                let block = [b' '; 64 * 1024];
                while counted.load(SeqCst) < more {
                    if socket.write_all(&block).await.is_err() {
                        return;
                    }
                    counted.fetch_add(block.len(), SeqCst);
                }
                tokio::time::sleep(GIVES_UP).await;
            });
        }
    });
    (format!("http://{address}/").parse().unwrap(), taken)
}

fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(GIVES_UP);
    client.build().unwrap()
}

#[tokio::test]
async fn an_api_that_says_it_is_busy_is_not_waited_for() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 100\r\n\r\n";
    let (api_url, _) = api(busy, 0).await;
    let account = Account {
        app_id: "wx1".to_owned(),
        token: SecretString::from("token"),
        aes_keys: Vec::new(),
        app_secret: Some(SecretString::from("secret")),
        answer_in_time: false,
        api_url: api_url.clone(),
    };
    let corp = Corp {
        corp_id: "ww1".to_owned(),
        secret: SecretString::from("secret"),
        token: SecretString::from("token"),
        aes_keys: Vec::new(),
        api_url,
    };
    let keep = || Arc::new(KeptHere::default());
    let channels: [Box<dyn Channel>; 2] = [
        Box::new(WeChat::new(&account, http(), keep())),
        Box::new(WeCom::new(&corp, http(), keep())),
    ];
    for channel in channels {
        let checks = tokio::time::timeout(PATIENCE, channel.check());
        let checks = checks.await.expect("it waits for the rest of the answer");
        let is_busy = checks.iter().any(|check| check.detail.contains("is busy"));
        assert!(is_busy, "{checks:?}");
    }
}

#[tokio::test]
async fn an_answer_of_telegram_is_read_up_to_a_length() {
    const ENDLESS: usize = 256 * 1024 * 1024;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{\"ok\":true,\"result\":";
    let (api_url, taken) = api(head, ENDLESS).await;
    let token = SecretString::from("123:ABC");
    let keep = Arc::new(KeptHere::default());
    let telegram = Telegram::new(&token, Some(api_url), Mode::Webhook, None, keep).unwrap();
    let message = Outbound {
        id: "m".to_owned(),
        address: Address::new("telegram", "5").unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(Body {
            parts: vec![Part::Text {
                text: "您好".to_owned(),
            }],
        }),
    };
    let sent = tokio::time::timeout(PATIENCE, telegram.send(&message, 0));
    let sent = sent.await.expect("it reads all of it");
    assert_eq!(sent, Receipt::Unknown);
    let taken = taken.load(SeqCst);
    assert!(taken < ENDLESS / 4, "{taken} bytes were read");
}
