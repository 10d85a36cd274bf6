//! Groups on Telegram: the pace that a group has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use tests::served::telegram::on_webhook;
use tests::telegram_peer::TelegramPeer;

const OLD: i64 = -1001;

/// Says something to the bot in a group.
async fn say(peer: &TelegramPeer, chat: i64, from: i64, text: &str) {
    let mention = json!([{"type": "mention", "offset": 0, "length": 15}]);
    let text = format!("@sales_test_bot {text}");
    let with = json!({"entities": mention});
    let message = json!({"from": from, "chat": chat, "text": text, "with": with});
    peer.sim("message", message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_gets_no_more_in_a_minute_than_telegram_takes() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    // Eight at once, then one each five seconds; without a group's pace the last leaves after eight.
    const MESSAGES: usize = 11;
    for customer in 100..111 {
        say(&peer, OLD, customer, "你好").await;
    }
    peer.sent_at_least(OLD, MESSAGES).await;
    let state = peer.state().await;
    let calls = state["calls"].as_array().unwrap();
    let at = |call: &&Value| call["method"] == "sendmessage";
    let sends: Vec<f64> = calls
        .iter()
        .filter(at)
        .map(|call| call["at"].as_f64().unwrap())
        .collect();
    let (first, last) = (sends[0], sends[MESSAGES - 1]);
    assert!(last - first > 11.0, "{sends:?}");
}
