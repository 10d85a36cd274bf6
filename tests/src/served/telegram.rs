//! The product on Telegram, and what tests do with it.

use crate::binary::{Server, free_port};
use crate::peer::http;
use crate::telegram_peer::TelegramPeer;
use serde_json::{Value, json};
use std::path::Path;

/// One server on Telegram; `more` overrides its settings.
pub fn serve(peer: &TelegramPeer, data: &Path, mode: &str, more: &[(&str, &str)]) -> Server {
    super::serve(free_port(), data, &peer.settings(mode), more)
}

/// A server with its webhook set.
pub async fn on_webhook(data: &Path, more: &[(&str, &str)]) -> (TelegramPeer, Server) {
    let peer = TelegramPeer::start(&[]);
    let server = serve(&peer, data, "webhook", more);
    peer.hook(&server.url).await;
    (peer, server)
}

/// Says something and waits for so many messages more.
pub async fn ask(peer: &TelegramPeer, from: i64, text: &str, more: usize) -> Vec<Value> {
    peer.sent_upon(peer.say(from, text), from, more).await
}

/// A delivery as anybody could make it.
pub async fn deliver(server: &Server, secret: Option<&str>, body: String) -> reqwest::Response {
    let mut request = http()
        .post(format!("{}/webhooks/telegram", server.url))
        .header("content-type", "application/json")
        .body(body);
    if let Some(secret) = secret {
        request = request.header("x-telegram-bot-api-secret-token", secret);
    }
    request.send().await.unwrap()
}

pub fn update(id: i64, from: i64, text: &str) -> String {
    json!({"update_id": id, "message": {
        "message_id": id, "date": 1_700_000_000,
        "chat": {"id": from, "type": "private", "first_name": "U"},
        "from": {"id": from, "is_bot": false, "first_name": "U"}, "text": text,
    }})
    .to_string()
}
