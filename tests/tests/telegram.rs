//! The product on Telegram: whole conversations over the Bot API, and everything that can go wrong between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tests::binary::{LOG, Server, free_port, run};
use tests::redis_server::Redis;
use tests::telegram_peer::{SECRET, TOKEN, TelegramPeer, button, words};

/// Long enough for a second answer to come if one were to come.
const QUIET: Duration = Duration::from_millis(1_500);

/// One server on Telegram; `more` overrides its settings.
fn serve(peer: &TelegramPeer, data: &Path, mode: &str, more: &[(&str, &str)]) -> Server {
    let mut environment = vec![
        ("TIANSHENG_CHANNELS__TELEGRAM__TOKEN", TOKEN),
        ("TIANSHENG_CHANNELS__TELEGRAM__API_URL", peer.url.as_str()),
        ("TIANSHENG_CHANNELS__TELEGRAM__MODE", mode),
        ("TIANSHENG_CHANNELS__TELEGRAM__SECRET", SECRET),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "100"),
        // What is logged at its most talkative must hold no token.
        ("TIANSHENG_LOG__LEVEL", "debug"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    environment.extend(more);
    Server::start(data, free_port(), &environment)
}

/// A server with its webhook set.
async fn on_webhook(data: &Path, more: &[(&str, &str)]) -> (TelegramPeer, Server) {
    let peer = TelegramPeer::start(&[]);
    let server = serve(&peer, data, "webhook", more);
    peer.hook(&server.url).await;
    (peer, server)
}

/// Says something and waits for so many messages more.
async fn ask(peer: &TelegramPeer, from: i64, text: &str, more: usize) -> Vec<Value> {
    let before = peer.sent(from).await.len();
    peer.say(from, text).await;
    peer.sent_at_least(from, before + more).await[before..].to_vec()
}

/// A delivery as anybody could make it.
async fn deliver(server: &Server, secret: Option<&str>, body: String) -> reqwest::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http
        .post(format!("{}/webhooks/telegram", server.url))
        .header("content-type", "application/json")
        .body(body);
    if let Some(secret) = secret {
        request = request.header("x-telegram-bot-api-secret-token", secret);
    }
    request.send().await.unwrap()
}

fn update(id: i64, from: i64, text: &str) -> String {
    json!({"update_id": id, "message": {
        "message_id": id, "date": 1_700_000_000,
        "chat": {"id": from, "type": "private", "first_name": "U"},
        "from": {"id": from, "is_bot": false, "first_name": "U"}, "text": text,
    }})
    .to_string()
}

async fn metrics(server: &Server) -> String {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{}/metrics", server.url)).send().await;
    answer.unwrap().text().await.unwrap()
}

fn logged(data: &Path) -> String {
    std::fs::read_to_string(data.join(LOG)).unwrap()
}

/// The demo shop with its products changed.
fn shop(dir: &Path, change: impl Fn(&str) -> String) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bot/demo");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(demo.join("."))
        .arg(dir)
        .status();
    assert!(copied.unwrap().success());
    for name in ["products.tsv", "products.en.tsv"] {
        let path = dir.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(&text)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    let greeting = ask(&peer, 5, "/start", 1).await;
    assert!(words(&greeting[0]).contains("AI"), "{greeting:?}");
    assert!(words(&greeting[0]).contains('您'), "{greeting:?}");
    let offer = ask(&peer, 5, "意式咖啡机有推荐吗？", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let links = offer[0]["entities"].as_array().unwrap();
    let links = links.iter().filter(|entity| entity["type"] == "text_link");
    assert_eq!(links.count(), 3, "{offer:?}");
    let compare = button(&offer[0], "比较前两款").unwrap();
    let before = peer.sent(5).await.len();
    let message = offer[0]["message_id"].clone();
    let press = json!({"from": 5, "message_id": message, "data": compare});
    peer.sim("press", press).await;
    let compared = peer.sent_at_least(5, before + 1).await;
    assert!(words(&compared[before]).contains("价"), "{compared:?}");
    assert_eq!(peer.state().await["presses"], json!([]), "the button waits");
    // A number means what the list before it counts.
    let second = ask(&peer, 5, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, 5, wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    assert!(!logged(data.path()).contains("ABC-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    let start = json!({"from": 6, "text": "/start", "language": "en"});
    peer.sim("message", start).await;
    let greeting = peer.sent_at_least(6, 1).await;
    assert!(words(&greeting[0]).is_ascii() || words(&greeting[0]).contains("I'm"));
    assert!(!words(&greeting[0]).contains('您'), "{greeting:?}");
    let offer = ask(&peer, 6, "an espresso machine under 3000 yuan please", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let details = ask(&peer, 6, "is the second one in stock?", 1).await;
    assert!(!words(&details[0]).is_empty());
    let help = ask(&peer, 6, "/help", 1).await;
    assert!(!words(&help[0]).is_empty());
    let person = ask(&peer, 6, "can I talk to a person", 1).await;
    assert!(words(&person[0]).contains("colleague"), "{person:?}");
}

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
async fn a_burst_is_one_turn_and_many_customers_are_served_side_by_side() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "600")];
    let (peer, _server) = on_webhook(data.path(), &settings).await;
    for text in ["你好", "我想买咖啡机", "预算三千以内"] {
        peer.say(9, text).await;
    }
    for customer in 100..120 {
        peer.say(customer, "你好").await;
    }
    let sent = peer.sent_at_least(9, 1).await;
    assert!(words(&sent[0]).contains("¥"), "{sent:?}");
    for customer in 100..120 {
        peer.sent_at_least(customer, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(9).await.len(), 1);
    for customer in 100..120 {
        assert_eq!(peer.sent(customer).await.len(), 1);
    }
}

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
    let refused = async || {
        let figures = metrics(&server).await;
        figures.contains("outcome=\"permanent\"} 1").then_some(())
    };
    peer.until("the refusal", refused).await;
    assert_eq!(ask(&peer, 22, "转人工", 1).await.len(), 1);
    // Cut off before or after Telegram acted: nobody can tell, so it is not said again.
    fault(json!({"cut": true, "code": 0, "description": ""})).await;
    peer.say(23, "你好").await;
    fault(json!({"cut": true, "after": true, "code": 0, "description": ""})).await;
    peer.say(24, "你好").await;
    let unknown = async || {
        let figures = metrics(&server).await;
        figures.contains("outcome=\"unknown\"} 2").then_some(())
    };
    peer.until("two unknown sends", unknown).await;
    // Blocked: nothing more, and nobody else is kept waiting.
    peer.sim("block", json!({"chat": 25})).await;
    peer.say(25, "你好").await;
    assert_eq!(ask(&peer, 26, "你好", 1).await.len(), 1);
    // Telegram's own fault: again.
    fault(json!({"code": 502, "description": "Bad Gateway"})).await;
    assert_eq!(ask(&peer, 27, "你好", 1).await.len(), 1);
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(21).await.len(), 1);
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
    let hostile = "_*[]()~`>#+-=|{}.!";
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
    let named = sent.iter().any(|message| words(message).contains(hostile));
    assert!(named, "{sent:#?}");
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
async fn what_the_agent_cannot_see_or_hear_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_webhook(data.path(), &[]).await;
    let send = async |from: i64, what: Value| {
        let before = peer.sent(from).await.len();
        peer.sim("message", json!({"from": from, "with": what}))
            .await;
        let sent = peer.sent_at_least(from, before + 1).await;
        words(&sent[before]).to_owned()
    };
    let content = json!({"file_id": "f1", "file_unique_id": "u1"});
    let with = |more: Value| {
        let mut content = content.clone();
        content
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        content
    };
    let size = json!({"width": 9, "height": 9});
    let photo = json!({"photo": [with(size)]});
    assert!(send(81, photo.clone()).await.contains("照片"));
    let mut asked = photo;
    asked["caption"] = json!("预算三千以内的意式咖啡机有推荐吗？");
    let reply = send(81, asked).await;
    assert!(reply.contains("照片") && reply.contains('¥'), "{reply}");
    let voice = json!({"voice": with(json!({"duration": 3}))});
    assert!(send(81, voice).await.contains("语音"));
    let edited = json!({"from": 81, "text": "转人工", "edited": true});
    let before = peer.sent(81).await.len();
    peer.sim("message", edited).await;
    let sent = peer.sent_at_least(81, before + 1).await;
    assert!(words(&sent[before]).contains("同事"), "{sent:?}");
    // Files and commands are in the log as they came, so each turn runs again to the same bytes.
    let start = json!({"from": 82, "text": "/start", "language": "en"});
    peer.sim("message", start).await;
    peer.sent_at_least(82, 1).await;
    assert!(server.stop().success());
    let at = data.path().to_str().unwrap();
    for conversation in ["telegram:81", "telegram:82"] {
        let replayed = run(&["replay", conversation, "--json", "--data", at], b"");
        assert_eq!(replayed.0, 0, "{replayed:?}");
        let told: Value = serde_json::from_str(&replayed.1).unwrap();
        assert!(told["turns"].as_u64() >= Some(1), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_answered_when_it_asks_and_followed_when_it_moves() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    let say = async |text: &str, with: Value| {
        let message = json!({"from": 91, "chat": -1001, "text": text, "with": with});
        peer.sim("message", message).await;
    };
    say("大家好", json!({})).await;
    let mention = json!({"entities": [{"type": "mention", "offset": 0, "length": 15}]});
    say("@sales_test_bot 你好", mention.clone()).await;
    peer.sent_at_least(-1001, 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(-1001).await.len(), 1);
    // What is asked in a topic is answered there, and is a conversation of its own.
    let mut in_topic = mention.clone();
    in_topic["message_thread_id"] = json!(7);
    in_topic["is_topic_message"] = json!(true);
    say("@sales_test_bot 意式咖啡机有推荐吗？", in_topic).await;
    let sent = peer.sent_at_least(-1001, 2).await;
    assert!(words(&sent[1]).contains("AI"), "{sent:?}");
    let topics: Vec<&Value> = sent.iter().map(|m| &m["message_thread_id"]).collect();
    assert_eq!(topics, [&Value::Null, &json!(7)]);
    peer.sim("migrate", json!({"chat": -1001, "to": -1002}))
        .await;
    say("@sales_test_bot 转人工", mention).await;
    let moved = peer.sent_at_least(-1002, 1).await;
    assert!(words(&moved[0]).contains("同事"), "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_telegram_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = TelegramPeer::start(&[]);
    let check = |settings: &str| {
        let file = data.path().join("tiansheng.toml");
        let settings = format!(
            "[channels.telegram]\napi_url = \"{}\"\n{settings}",
            peer.url
        );
        std::fs::write(&file, settings).unwrap();
        let (_, told, _) = run(
            &[
                "doctor",
                "--json",
                "--config",
                file.to_str().unwrap(),
                "--data",
                data.path().to_str().unwrap(),
            ],
            b"",
        );
        assert!(!told.contains("ABC-secret"), "{told}");
        told
    };
    let token = format!("token = \"{TOKEN}\"\n");
    let webhook = format!("{token}secret = \"{SECRET}\"\n");
    assert!(check(&token).contains("needs `channels.telegram.secret`"));
    assert!(check(&webhook).contains("no webhook is set"));
    assert!(check(&format!("{token}mode = \"polling\"\n")).contains("as polling needs it"));
    peer.hook("http://127.0.0.1:9").await;
    assert!(check(&format!("{token}mode = \"polling\"\n")).contains("polling is refused"));
    assert!(check(&webhook).contains("the token is that of @sales_test_bot"));
    peer.say(5, "你好").await;
    let failing = async || check(&webhook).contains("Connection error").then_some(());
    peer.until("the delivery's failure", failing).await;
    let strange = check("token = \"999:XYZ\"\nmode = \"polling\"\n");
    assert!(strange.contains("does not know the token"), "{strange}");
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

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_slow_answer_sees_that_it_is_being_written() {
    let data = tempfile::tempdir().unwrap();
    let slow = axum::Router::new().route(
        "/v1/chat/completions",
        axum::routing::post(async || {
            tokio::time::sleep(Duration::from_secs(6)).await;
            axum::Json(json!({"choices": [{"message": {"role": "assistant", "content": "-"}}]}))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, slow).await.unwrap() });
    let settings = [
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
    ];
    let (peer, _server) = on_webhook(data.path(), &settings).await;
    ask(&peer, 99, "意式咖啡机有推荐吗？", 1).await;
    // Telegram shows it for five seconds.
    assert!(peer.calls("sendchataction").await >= 2);
}
