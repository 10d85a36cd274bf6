//! What Telegram delivers or is asked for: once or often, early or late, real or forged, and with a replica or the store gone between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::json;
use std::time::{Duration, Instant};
use tests::redis_server::Redis;
use tests::served::telegram::{ask, deliver, on_webhook, serve, update};
use tests::served::{QUIET, logged};
use tests::telegram_peer::{SECRET, TelegramPeer, button, words};

#[tokio::test(flavor = "multi_thread")]
async fn repeated_and_reordered_deliveries_are_answered_once_and_forged_ones_never() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_webhook(data.path(), &[]).await;
    for _ in 0..3 {
        let taken = deliver(&server, Some(SECRET), update(2_000, 7, "你好")).await;
        assert_eq!(taken.status(), 200);
    }
    peer.sent_at_least(7, 1).await;
    let late = deliver(&server, Some(SECRET), update(1_990, 7, "转人工")).await;
    assert_eq!(late.status(), 200);
    peer.sent_at_least(7, 2).await;
    let again = deliver(&server, Some(SECRET), update(2_000, 7, "你好")).await;
    assert_eq!(again.status(), 200);
    for secret in [None, Some("wrong"), Some("")] {
        let forged = deliver(&server, secret, update(2_001, 8, "你好")).await;
        assert_eq!(forged.status(), 401, "{secret:?}");
        let kind = forged.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(kind, "application/problem+json");
    }
    let large = update(2_002, 8, &"x".repeat(300 * 1024));
    assert_eq!(deliver(&server, Some(SECRET), large).await.status(), 413);
    let noise = deliver(&server, Some(SECRET), "not json".to_owned()).await;
    assert_eq!(noise.status(), 400);
    let strange = json!({"update_id": 2_003, "hologram": {}}).to_string();
    assert_eq!(deliver(&server, Some(SECRET), strange).await.status(), 200);
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(7).await.len(), 2);
    assert_eq!(peer.sent(8).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_answered_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "3000")];
    let (peer, server) = on_webhook(data.path(), &settings).await;
    let said = peer.say(61, "你好").await;
    let delivered = async || {
        let state = peer.state().await;
        let all = state["deliveries"].as_array().unwrap().clone();
        all.iter()
            .any(|d| d["update_id"] == said["update_id"] && d["status"] == 200)
            .then_some(())
    };
    peer.until("the acknowledgement", delivered).await;
    server.kill();
    assert_eq!(peer.sent(61).await.len(), 0);
    let server = serve(&peer, data.path(), "webhook", &settings);
    peer.sent_at_least(61, 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(61).await.len(), 1);
    // A stop leaves the webhook where it is: other replicas and the next start need it.
    assert!(server.stop().success());
    assert!(peer.state().await["hook"].is_object());
    assert_eq!(peer.calls("deletewebhook").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_delivered_again_while_the_store_is_away() {
    let data = tempfile::tempdir().unwrap();
    let mut redis = Redis::start();
    let url = redis.url();
    let (peer, server) = on_webhook(data.path(), &[("TIANSHENG_STATE__URL", &url)]).await;
    ask(&peer, 71, "你好", 1).await;
    redis.kill();
    let refused = deliver(&server, Some(SECRET), update(5_000, 72, "你好")).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    peer.say(71, "转人工").await;
    redis.up();
    peer.sent_at_least(71, 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(71).await.len(), 2);
    assert_eq!(peer.sent(72).await.len(), 0);
}

/// Telegram waits sixty seconds for an answer; a store that hangs must not take them up.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_does_not_hang_the_webhook_and_what_was_refused_is_answered_once() {
    /// A step at the store may take ten seconds; a slow machine has as many more.
    const ANSWERED_MAX: Duration = Duration::from_secs(40);
    let data = tempfile::tempdir().unwrap();
    let redis = Redis::start();
    let url = redis.url();
    let peer = TelegramPeer::start(&[]);
    let server = serve(
        &peer,
        data.path(),
        "webhook",
        &[("TIANSHENG_STATE__URL", &url)],
    );
    deliver(&server, Some(SECRET), update(5_100, 73, "你好")).await;
    peer.sent_at_least(73, 1).await;
    redis.signal("-STOP");
    let begun = Instant::now();
    let refused = deliver(&server, Some(SECRET), update(5_101, 73, "转人工")).await;
    let waited = begun.elapsed();
    redis.signal("-CONT");
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(waited < ANSWERED_MAX, "{waited:?}");
    // Telegram brings it until it is taken.
    peer.until("a store that takes it", async || {
        let again = deliver(&server, Some(SECRET), update(5_101, 73, "转人工")).await;
        (again.status() == 200).then_some(())
    })
    .await;
    let person = peer.sent_at_least(73, 2).await;
    assert!(words(&person[1]).contains("同事"), "{person:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(73).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_answer_each_delivery_once() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let (peer, first) = on_webhook(one.path(), &settings).await;
    let second = serve(&peer, two.path(), "webhook", &settings);
    for customer in 200..212 {
        let body = update(6_000 + customer, customer, "你好");
        let (a, b) = tokio::join!(
            deliver(&first, Some(SECRET), body.clone()),
            deliver(&second, Some(SECRET), body.clone())
        );
        assert_eq!((a.status().as_u16(), b.status().as_u16()), (200, 200));
    }
    for customer in 200..212 {
        peer.sent_at_least(customer, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    for customer in 200..212 {
        assert_eq!(peer.sent(customer).await.len(), 1, "{customer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_replicas_polls_and_the_other_goes_on_where_it_was_killed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = TelegramPeer::start(&[]);
    let first = serve(&peer, one.path(), "polling", &settings);
    ask(&peer, 300, "你好", 1).await;
    let second = serve(&peer, two.path(), "polling", &settings);
    let greeting = ask(&peer, 301, "/start", 1).await;
    let offer = ask(&peer, 301, "意式咖啡机有推荐吗？", 1).await;
    let compare = button(offer.last().unwrap(), "比较前两款").unwrap();
    let message = offer.last().unwrap()["message_id"].clone();
    let press = json!({"from": 301, "message_id": message, "data": compare});
    peer.sim("press", press).await;
    let before = greeting.len() + offer.len();
    peer.sent_at_least(301, before + 1).await;
    let answered = async || (peer.state().await["presses"] == json!([])).then_some(());
    peer.until("the answer to the press", answered).await;
    for customer in 310..330 {
        peer.say(customer, "你好").await;
    }
    first.kill();
    for customer in 330..340 {
        peer.say(customer, "你好").await;
    }
    for customer in 310..340 {
        peer.sent_at_least(customer, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    for customer in 310..340 {
        assert_eq!(peer.sent(customer).await.len(), 1, "{customer}");
    }
    // Telegram forgets what a cursor has passed.
    let passed = async || (peer.state().await["pending"] == json!([])).then_some(());
    peer.until("a cursor behind all of it", passed).await;
    for data in [&one, &two] {
        assert!(!logged(data.path()).contains("ABC-secret"));
    }
    let polled = deliver(&second, Some(SECRET), update(9_000, 341, "你好")).await;
    assert_eq!(polled.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_comes_late_still_counts() {
    for mode in ["webhook", "polling"] {
        let data = tempfile::tempdir().unwrap();
        let peer = TelegramPeer::start(&[]);
        let server = serve(&peer, data.path(), mode, &[]);
        if mode == "webhook" {
            peer.hook(&server.url).await;
        }
        let offer = ask(&peer, 95, "意式咖啡机有推荐吗？", 1).await;
        let compare = button(&offer[0], "比较前两款").unwrap();
        // Telegram waits for no answer to it any more, and what was said after it has come before it.
        let press =
            json!({"from": 95, "message_id": offer[0]["message_id"], "data": compare, "waits": 0});
        ask(&peer, 95, "第二款有货吗", 1).await;
        let before = peer.sent(95).await.len();
        peer.sim("press", press).await;
        let compared = peer.sent_at_least(95, before + 1).await;
        assert!(words(&compared[before]).contains("价"), "{compared:?}");
        assert_eq!(peer.calls("answercallbackquery").await, 1, "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn presses_that_telegram_does_not_let_answer_hold_up_neither_what_comes_next_nor_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let peer = TelegramPeer::start(&[]);
    let server = serve(&peer, data.path(), "polling", &[]);
    let offer = ask(&peer, 96, "意式咖啡机有推荐吗？", 1).await;
    let compare = button(&offer[0], "比较前两款").unwrap();
    let hang = json!({"method": "answerCallbackQuery", "times": 999, "hang": 60, "code": 500, "description": "late"});
    peer.sim("fault", hang).await;
    let press = async || {
        let press = json!({"from": 96, "message_id": offer[0]["message_id"], "data": compare});
        peer.sim("press", press).await;
    };
    for _ in 0..30 {
        press().await;
    }
    // One answer may take 17 seconds, thirty one after the other more than eight minutes, which nobody here waits.
    ask(&peer, 97, "你好", 1).await;
    press().await;
    let pending = async || (peer.state().await["pending"] == json!([])).then_some(());
    peer.until("a cursor behind the press", pending).await;
    let begun = Instant::now();
    assert!(server.stop().success());
    let waited = begun.elapsed();
    // Not even for one of them.
    assert!(waited < Duration::from_secs(16), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_moves_and_an_edit_that_changes_nothing_are_no_new_words() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    ask(&peer, 98, "你好", 1).await;
    let place = json!({"latitude": 1.0, "longitude": 2.0, "live_period": 900});
    for _ in 0..3 {
        let moved = json!({"from": 98, "edited": true, "with": {"location": place}});
        peer.sim("message", moved).await;
    }
    let edit = json!({"from": 98, "edited": true, "text": "转人工", "with": {"message_id": 800}});
    peer.sim("message", edit.clone()).await;
    peer.sent_at_least(98, 2).await;
    peer.sim("message", edit).await;
    let unseen = json!({"from": 98, "edited": true, "hidden": true, "text": "你好"});
    peer.sim("message", unseen).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(98).await.len(), 2);
}
