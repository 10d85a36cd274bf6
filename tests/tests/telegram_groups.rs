//! Groups on Telegram: conversations that go on when a group moves, and the pace that a group has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use serde_json::{Value, json};
use tests::served::telegram::{on_webhook, serve};
use tests::served::{Desk, QUIET};
use tests::telegram_peer::{TelegramPeer, words};

const OLD: i64 = -1001;
const NEW: i64 = -1002;

/// Says something to the bot in a group.
async fn say(peer: &TelegramPeer, chat: i64, from: i64, text: &str) {
    let mention = json!([{"type": "mention", "offset": 0, "length": 15}]);
    let text = format!("@sales_test_bot {text}");
    let with = json!({"entities": mention});
    let message = json!({"from": from, "chat": chat, "text": text, "with": with});
    peer.sim("message", message).await;
}

/// The same, and waits for the answer.
async fn ask(peer: &TelegramPeer, chat: i64, from: i64, text: &str) -> String {
    let before = peer.sent(chat).await.len();
    say(peer, chat, from, text).await;
    let sent = peer.sent_at_least(chat, before + 1).await;
    words(&sent[before]).to_owned()
}

/// How often something was to be sent to a chat.
async fn tried(peer: &TelegramPeer, chat: i64) -> usize {
    let state = peer.state().await;
    let calls = state["calls"].as_array().unwrap();
    let sends = calls.iter().filter(|call| call["method"] == "sendmessage");
    sends.filter(|call| call["args"]["chat_id"] == chat).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_in_a_group_goes_on_where_the_group_has_moved() {
    for mode in ["webhook", "polling"] {
        let (data, desk) = (tempfile::tempdir().unwrap(), Desk::open());
        let peer = TelegramPeer::start(&[]);
        let server = serve(&peer, data.path(), mode, &desk.settings());
        if mode == "webhook" {
            peer.hook(&server.url).await;
        }
        let offer = ask(&peer, OLD, 91, "意式咖啡机有推荐吗？").await;
        assert!(offer.contains("山岚 Uno"), "{offer}");
        ask(&peer, OLD, 92, "你好").await;
        let taken = "telegram:-1001.92";
        desk.rep(taken, 0, RepAction::Take).await;
        desk.rep_says(taken, 1).await;
        peer.sent_at_least(OLD, 3).await;
        let tried_before = tried(&peer, OLD).await;
        peer.sim("migrate", json!({"chat": OLD, "to": NEW})).await;
        // Half of a conversation is in the old chat.
        let second = ask(&peer, NEW, 91, "2").await;
        assert!(second.contains("山岚 Uno"), "{mode}: {second}");
        // A person has the other one.
        say(&peer, NEW, 92, "在吗").await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(peer.sent(NEW).await.len(), 1, "{mode}");
        desk.rep_says(taken, 2).await;
        let sent = peer.sent_at_least(NEW, 2).await;
        assert!(words(&sent[1]).contains("同事说2"), "{mode}: {sent:?}");
        // Nothing has to be refused before it goes to the new chat.
        assert_eq!(tried(&peer, OLD).await, tried_before, "{mode}");
        assert!(server.stop().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_nobody_told_of_is_learned_from_the_first_refusal() {
    let (data, desk) = (tempfile::tempdir().unwrap(), Desk::open());
    let (peer, _server) = on_webhook(data.path(), &desk.settings()).await;
    ask(&peer, OLD, 91, "意式咖啡机有推荐吗？").await;
    let silent = json!({"chat": OLD, "to": NEW, "silent": true});
    peer.sim("migrate", silent).await;
    let tried_before = tried(&peer, OLD).await;
    for number in 0..2 {
        desk.rep_says("telegram:-1001.91", number).await;
        peer.sent_at_least(NEW, number + 1).await;
    }
    assert_eq!(tried(&peer, OLD).await, tried_before + 1);
    desk.rep("telegram:-1001.91", 9, RepAction::HandBack).await;
    let second = ask(&peer, NEW, 91, "2").await;
    assert!(second.contains("山岚 Uno"), "{second}");
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
