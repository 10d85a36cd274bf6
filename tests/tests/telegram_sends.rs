//! What leaves for Telegram, and what each answer, limit and silence of Telegram's means for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::telegram::{Mode, Telegram};
use adapters::{
    Body, Card, Channel as _, Delivery, KeptHere, Outbound, OutboundBody, Part, Price, Receipt,
    Speaker,
};
use bot::mail::RepAction;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tests::redis_server::Redis;
use tests::served::telegram::{ask, deliver, on_webhook, serve, update};
use tests::served::{Desk, QUIET, logged, metrics, sends, shop, until_counted};
use tests::telegram_peer::{SECRET, TOKEN, TelegramPeer, button, words};

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_telegram_to_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_webhook(data.path(), &[]).await;
    let fault = async |mut fault: Value| {
        fault["method"] = json!("sendMessage");
        peer.sim("fault", fault).await;
    };
    // Too many: again after the wait, once.
    let told = "Too Many Requests: retry after 1";
    let wait = json!({"retry_after": 1});
    fault(json!({"code": 429, "description": told, "parameters": wait})).await;
    assert_eq!(ask(&peer, 21, "你好", 1).await.len(), 1);
    // Refused for ever: given up, and what follows leaves.
    fault(json!({"code": 400, "description": "Bad Request: something is wrong with it"})).await;
    peer.say(22, "你好").await;
    until_counted(&server, &sends("telegram", "permanent"), 1).await;
    assert_eq!(ask(&peer, 22, "转人工", 1).await.len(), 1);
    // Cut off before or after Telegram acted: nobody can tell, so it is not said again.
    fault(json!({"cut": true, "code": 0, "description": ""})).await;
    peer.say(23, "你好").await;
    fault(json!({"cut": true, "after": true, "code": 0, "description": ""})).await;
    peer.say(24, "你好").await;
    until_counted(&server, &sends("telegram", "unknown"), 2).await;
    // Blocked: nothing more, and nobody else is kept waiting.
    peer.sim("block", json!({"chat": 25})).await;
    peer.say(25, "你好").await;
    assert_eq!(ask(&peer, 26, "你好", 1).await.len(), 1);
    // Telegram's own fault, told by itself or by the page of a gateway before it: again.
    fault(json!({"code": 502, "description": "Bad Gateway"})).await;
    assert_eq!(ask(&peer, 27, "你好", 1).await.len(), 1);
    let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n</html>";
    fault(json!({"code": 502, "page": page})).await;
    assert_eq!(ask(&peer, 28, "你好", 1).await.len(), 1);
    // The token is none for a time: the message waits for whoever mends it.
    fault(json!({"code": 401, "description": "Unauthorized"})).await;
    assert_eq!(ask(&peer, 29, "你好", 1).await.len(), 1);
    // A gateway that did not wait for Telegram's answer: nobody can tell.
    fault(json!({"code": 504, "page": page, "after": true})).await;
    peer.say(30, "你好").await;
    until_counted(&server, &sends("telegram", "unknown"), 3).await;
    tokio::time::sleep(QUIET).await;
    for once in [21, 27, 28, 29, 30] {
        assert_eq!(peer.sent(once).await.len(), 1, "{once}");
    }
    let (before, after) = (peer.sent(23).await.len(), peer.sent(24).await.len());
    assert_eq!(
        before + after,
        1,
        "one was cut before it was sent, one after"
    );
    assert_eq!(peer.sent(25).await.len(), 0);
    let log = logged(data.path());
    assert!(log.contains("not sent again") && !log.contains("ABC-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_while_telegram_cannot_be_reached() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_webhook(data.path(), &[]).await;
    let port = peer.port.to_string();
    peer.kill();
    let taken = deliver(&server, Some(SECRET), update(3_000, 31, "你好")).await;
    assert_eq!(taken.status(), 200);
    tokio::time::sleep(QUIET).await;
    let peer = TelegramPeer::start(&["--port", &port]);
    peer.sent_at_least(31, 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(31).await.len(), 1);
    assert!(!logged(data.path()).contains("ABC-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_limits_are_kept_and_long_replies_arrive_whole_and_in_order() {
    let data = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path(), |products| {
        products.replace("\timages/", "\thttps://cdn.example/images/")
    });
    let peer = TelegramPeer::start(&["--flood", "4"]);
    let at = dir.path().display().to_string();
    let server = serve(
        &peer,
        data.path(),
        "webhook",
        &[("TIANSHENG_SHOP__DIR", &at)],
    );
    peer.hook(&server.url).await;
    for customer in 41..44 {
        let sent = ask(&peer, customer, "意式咖啡机有推荐吗？", 5).await;
        let photos: Vec<bool> = sent.iter().map(|m| m["photo"].is_array()).collect();
        assert_eq!(photos, [false, true, true, true, false], "{sent:#?}");
        assert!(button(&sent[4], "比较前两款").is_some(), "{sent:#?}");
    }
    assert!(
        !metrics(&server).await.contains("outcome=\"retry\""),
        "no 429"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_of_many_messages_goes_on_where_it_was_when_its_sender_was_killed() {
    let data = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path(), |products| {
        products.replace("\timages/", "\thttps://cdn.example/images/")
    });
    let at = dir.path().display().to_string();
    let settings = [("TIANSHENG_SHOP__DIR", at.as_str())];
    let (peer, server) = on_webhook(data.path(), &settings).await;
    peer.say(45, "意式咖啡机有推荐吗？").await;
    // Three leave at once, the next waits for its second.
    peer.sent_at_least(45, 3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.kill();
    let _server = serve(&peer, data.path(), "webhook", &settings);
    let last = async || {
        let sent = peer.sent(45).await;
        button(sent.last().unwrap(), "比较前两款").map(|_| sent)
    };
    let sent = peer.until("the last message", last).await;
    tokio::time::sleep(QUIET).await;
    // What was under way at the kill may come again, what had left before must not.
    assert!((5..=6).contains(&sent.len()), "{sent:#?}");
    assert_eq!(peer.sent(45).await.len(), sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_telegram_cannot_use_is_sent_as_its_words() {
    let data = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let hostile = "_*[] ()~`>#+-=|{}.!";
    shop(dir.path(), |products| {
        products
            .replace("\timages/", "\thttps://cdn.example/images/")
            .replace("山岚 Duo", &format!("山岚 Duo {hostile}"))
    });
    let at = dir.path().display().to_string();
    let (peer, _server) = on_webhook(data.path(), &[("TIANSHENG_SHOP__DIR", &at)]).await;
    let failed = "Bad Request: failed to get HTTP URL content";
    let fault = json!({"method": "sendPhoto", "times": 9, "code": 400, "description": failed});
    peer.sim("fault", fault).await;
    let sent = ask(&peer, 51, "意式咖啡机有推荐吗？", 5).await;
    assert!(sent.iter().all(|message| message["photo"].is_null()));
    // The catalogue parts brackets, so that no name is a link.
    let shown = hostile.replace("](", "] (");
    let named = sent.iter().any(|message| words(message).contains(&shown));
    assert!(named, "{sent:#?}");
}

/// A product with its picture, and what of it arrives: the caption, or the words where there is no picture.
async fn arrived(peer: &TelegramPeer, telegram: &Telegram, chat: i64, why: usize) -> Value {
    let product = Card {
        id: "sku".to_owned(),
        title: "山岚".to_owned(),
        price: Price {
            amount: "12680.00".to_owned(),
            currency: "CNY".to_owned(),
        },
        was: None,
        link: Some("https://shop.example/p".to_owned()),
        image: Some("https://cdn.example/a.jpg".to_owned()),
        availability: "in_stock".to_owned(),
        why: vec!["很".repeat(why)],
    };
    let message = Outbound {
        id: format!("m{chat}"),
        address: format!("telegram:{chat}").parse().unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(Body {
            parts: vec![Part::Products {
                products: vec![product],
            }],
        }),
    };
    assert!(matches!(
        telegram.deliver(&message),
        Delivery::Push { pieces: 1, .. }
    ));
    let receipt = telegram.send(&message, 0).await;
    assert!(matches!(receipt, Receipt::Sent { .. }), "{receipt:?}");
    peer.sent(chat).await.remove(0)
}

/// The peer refuses a longer one, as Telegram does.
#[tokio::test(flavor = "multi_thread")]
async fn a_caption_at_the_limit_is_taken_whole_and_one_over_is_shortened() {
    const CAPTION_MAX: usize = 1024;
    let peer = TelegramPeer::start(&[]);
    let (token, url) = (TOKEN.to_owned().into(), peer.url.parse().ok());
    let keep = Arc::new(KeptHere::default());
    let telegram = Telegram::new(&token, url, Mode::Webhook, None, keep).unwrap();
    let caption = |message: &Value| {
        assert!(message["photo"].is_array(), "{message}");
        words(message).encode_utf16().count()
    };
    let short = caption(&arrived(&peer, &telegram, 61, 1).await);
    let fits = CAPTION_MAX - short + 1;
    let at = arrived(&peer, &telegram, 62, fits).await;
    assert_eq!(caption(&at), CAPTION_MAX);
    let over = arrived(&peer, &telegram, 63, fits + 1).await;
    assert!(caption(&over) < CAPTION_MAX, "{over}");
    assert!(words(&over).contains("12,680"), "{over}");
}

/// Paces are counted in whole milliseconds, seconds.
const ROUNDING: f64 = 0.05;

/// The peer's clock shows the same.
fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

/// When each message to a chat, or to any, left by the peer's clock.
async fn left_at(peer: &TelegramPeer, is_to: impl Fn(i64) -> bool) -> Vec<f64> {
    let calls = peer.listed("calls").await;
    let sends = calls.iter().filter(|call| {
        let to = call["args"]["chat_id"].as_i64().or_else(|| {
            let written = call["args"]["chat_id"].as_str();
            written.and_then(|chat| chat.parse().ok())
        });
        call["method"] == "sendmessage" && is_to(to.unwrap())
    });
    sends.map(|call| call["at"].as_f64().unwrap()).collect()
}

/// Thirty at once and thirty a second after them, whichever replica sends.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_keep_the_pace_of_the_whole_bot_together() {
    const CUSTOMERS: i64 = 130;
    const AT_ONCE: usize = 30;
    const EVERY: f64 = 0.034;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = TelegramPeer::start(&[]);
    let first = serve(&peer, one.path(), "webhook", &settings);
    let second = serve(&peer, two.path(), "webhook", &settings);
    let begun = now();
    let all = (1_000..1_000 + CUSTOMERS).map(|customer| {
        let server = if customer % 2 == 0 { &first } else { &second };
        deliver(server, Some(SECRET), update(customer, customer, "/start"))
    });
    futures_util::future::join_all(all).await;
    let all_left = async || {
        let left = left_at(&peer, |chat| chat >= 1_000).await;
        (left.len() >= CUSTOMERS as usize).then_some(left)
    };
    let left = peer.until("all greetings", all_left).await;
    for server in [&first, &second] {
        let sent = metrics(server).await;
        assert!(
            sent.contains("channel=\"telegram\",outcome=\"sent\"}"),
            "{sent}"
        );
    }
    let took = left[left.len() - 1] - begun;
    let least = (left.len() - AT_ONCE) as f64 * EVERY;
    assert!(took >= least - ROUNDING, "{took} s, and not {least}");
}

/// Twenty a minute to a group: eight at once, and one every five seconds, also by a replica that has sent none of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_keeps_the_pace_of_a_group_that_another_has_used_up() {
    const GROUP: i64 = -1009;
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = TelegramPeer::start(&[]);
    let first = serve(&peer, one.path(), "webhook", &settings);
    let start = |from: i64| {
        json!({"update_id": 9_000 + from, "message": {
            "message_id": from, "date": 1_700_000_000,
            "chat": {"id": GROUP, "type": "supergroup", "title": "G"},
            "from": {"id": from, "is_bot": false, "first_name": "U"},
            "text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
        }})
        .to_string()
    };
    let begun = now();
    for from in 1..=8 {
        deliver(&first, Some(SECRET), start(from)).await;
    }
    peer.sent_at_least(GROUP, 8).await;
    assert!(first.stop().success());
    let second = serve(&peer, two.path(), "webhook", &settings);
    for from in 9..=10 {
        deliver(&second, Some(SECRET), start(from)).await;
    }
    peer.sent_at_least(GROUP, 10).await;
    let left = left_at(&peer, |chat| chat == GROUP).await;
    // The tenth is the second after the eight.
    let took = left[9] - begun;
    assert!(took >= 10.0 - ROUNDING, "{took} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_telegram_asks_for_holds_for_the_whole_chat_on_all_replicas() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = TelegramPeer::start(&[]);
    let first = serve(&peer, one.path(), "webhook", &settings);
    let second = serve(&peer, two.path(), "webhook", &settings);
    let told = "Too Many Requests: retry after 3";
    let wait = json!({"retry_after": 3});
    let fault =
        json!({"method": "sendMessage", "code": 429, "description": told, "parameters": wait});
    peer.sim("fault", fault).await;
    let asked = |id: i64, from: i64| {
        json!({"update_id": id, "message": {
            "message_id": id, "date": 1_700_000_000,
            "chat": {"id": -1007, "type": "supergroup", "title": "G"},
            "from": {"id": from, "is_bot": false, "first_name": "U"},
            "text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
        }})
        .to_string()
    };
    deliver(&first, Some(SECRET), asked(1, 1)).await;
    let refused_at = peer
        .until("the refusal", async || {
            peer.state().await["faults"][0]["at"].as_f64()
        })
        .await;
    peer.until("the note of the wait", async || {
        let noted = redis.ask(&["KEYS", "*pause:telegram*"]);
        noted.contains("pause").then_some(())
    })
    .await;
    // Other customers of the same chat, on both replicas.
    for (from, server) in [(2, &first), (3, &second), (4, &first), (5, &second)] {
        deliver(server, Some(SECRET), asked(from, from)).await;
    }
    peer.sent_at_least(-1007, 5).await;
    let state = peer.state().await;
    for call in state["calls"].as_array().unwrap() {
        if call["method"] == "sendmessage" {
            let after = call["at"].as_f64().unwrap() - refused_at;
            assert!(after >= 3.0, "{after} s after the refusal");
        }
    }
}

/// What had left and was noted does not leave again; what was under way at the kill may, and no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_row_of_messages_a_kill_repeats_at_most_the_one_under_way() {
    const MESSAGES: usize = 8;
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::open();
    let (peer, server) = on_webhook(data.path(), &desk.settings()).await;
    ask(&peer, 96, "你好", 1).await;
    desk.rep("telegram:96", 100, RepAction::Take).await;
    // They leave one a second, so most of them wait in a row.
    for number in 0..MESSAGES {
        desk.rep_says("telegram:96", number).await;
    }
    peer.sent_at_least(96, 1 + 5).await;
    server.kill();
    let _server = serve(&peer, data.path(), "webhook", &desk.settings());
    let said = |number: usize| format!("同事说{number}");
    let all = async || {
        let sent = peer.sent(96).await;
        let came = |number: &usize| sent.iter().any(|m| words(m) == said(*number));
        (0..MESSAGES).all(|number| came(&number)).then_some(sent)
    };
    peer.until("all of them", all).await;
    tokio::time::sleep(QUIET).await;
    let sent = peer.sent(96).await.len();
    assert!((1 + MESSAGES..=2 + MESSAGES).contains(&sent), "{sent}");
}
