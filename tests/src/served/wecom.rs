//! The product as a company's customer service on WeCom, and what tests do with it.

use super::{logged, sends};
use crate::binary::{Server, free_port, run};
use crate::wecom_peer::{ACCOUNT, AES_KEY, SECRET, WeComPeer};
use bot::store::RecordStore as _;
use bot::store::records::Records;
use serde_json::{Value, json};
use std::path::Path;

/// One server of the company; `more` overrides its settings.
pub fn serve(peer: &WeComPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    super::serve(free_port(), data, &peer.settings(), more)
}

/// WeCom with nothing wrong, and a server of the company.
pub fn on_callbacks(data: &Path, more: &[(&str, &str)]) -> (WeComPeer, Server) {
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data, more);
    (peer, server)
}

pub fn hook(server: &Server) -> String {
    format!("{}/webhooks/wecom", server.url)
}

/// Does something as somebody, with a callback to the server.
pub async fn act(peer: &WeComPeer, server: &Server, name: &str, from: &str, more: Value) -> Value {
    let mut act = json!({"url": hook(server), "from": from});
    for (field, value) in more.as_object().unwrap() {
        act[field] = value.clone();
    }
    peer.sim(name, act).await
}

pub async fn say(peer: &WeComPeer, server: &Server, from: &str, text: &str) {
    let told = act(peer, server, "say", from, json!({"text": text})).await;
    assert_eq!(told["statuses"], json!([200]));
}

/// The same, and waits for so many messages more.
pub async fn ask(
    peer: &WeComPeer,
    server: &Server,
    from: &str,
    text: &str,
    more: usize,
) -> Vec<Value> {
    let said = say(peer, server, from, text);
    peer.sent_upon(said, from, more).await
}

/// Waits until so many messages came to something.
pub async fn until_counted(server: &Server, outcome: &str, count: u64) {
    super::until_counted(server, &sends("wecom", outcome), count).await;
}

/// Waits until WeCom's own desk has a conversation to give to somebody.
pub async fn until_in_pool(peer: &WeComPeer, user: &str) {
    let in_pool = async || (peer.session(user).await == json!(2)).then_some(());
    peer.until("the pool", in_pool).await;
}

pub fn assert_nothing_secret(data: &Path) {
    let log = logged(data);
    for secret in [SECRET, AES_KEY, "access_token=", "corpsecret"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// What the records have of a conversation once its server has ended; and that its turns run again to the same bytes.
pub async fn transcript(data: &Path, server: Server, user: &str) -> String {
    assert!(server.stop().success());
    let conversation = format!("wecom:{ACCOUNT}.{user}");
    let at = data.to_str().unwrap();
    let replayed = run(&["replay", &conversation, "--data", at], b"");
    assert_eq!(replayed.0, 0, "{replayed:?}");
    let records = Records::in_folder(data).await.unwrap();
    let entries = records.events(&conversation, 0, 1_000).await.unwrap();
    let events: Vec<String> = entries.into_iter().flat_map(|entry| entry.events).collect();
    events.join("\n")
}
