//! What a customer of WeCom's may be sent and when: five in two days, one welcome in twenty seconds, and each message once, whatever breaks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::wecom::{Corp, WeCom};
use adapters::{
    Address, Body, Channel as _, Choice, KeptHere, Outbound, OutboundBody, Part, Receipt, Speaker,
};
use bot::mail::RepAction;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tests::binary::free_port;
use tests::peer::http;
use tests::redis_server::Redis;
use tests::served::wecom::{act, ask, say, serve, until_counted};
use tests::served::{Desk, QUIET, shop, slow_model};
use tests::wecom_peer::{ACCOUNT, AES_KEY, CORP_ID, SECRET, TOKEN, WeComPeer, words};

#[tokio::test(flavor = "multi_thread")]
async fn by_its_own_count_the_shop_says_five_and_keeps_one_of_them_for_a_person() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--no-desk"]);
    let desk = Desk::open();
    let server = serve(&peer, data.path(), &desk.settings());
    ask(&peer, &server, "wmFi", "你好", 1).await;
    let conversation = format!("wecom:{ACCOUNT}.wmFi");
    desk.rep(&conversation, 0, RepAction::Take).await;
    // With the greeting, the sixth and the seventh are too many.
    for number in 1..=6 {
        desk.rep_says(&conversation, number).await;
    }
    peer.sent_at_least("wmFi", 5).await;
    until_counted(&server, "window_closed", 1).await;
    tokio::time::sleep(QUIET).await;
    let calls = peer.calls("kf/send_msg").await;
    assert_eq!(calls, 5, "nothing is tried that WeCom would refuse");
    say(&peer, &server, "wmFi", "在的").await;
    peer.sent_at_least("wmFi", 7).await;
    let sent = peer.sent("wmFi").await;
    let said: Vec<&str> = sent.iter().map(words).collect();
    let expected: Vec<String> = (1..=6).map(|n| format!("同事说{n}")).collect();
    assert_eq!(said[1..], expected, "each once, in order");
    assert_eq!(peer.calls("kf/send_msg").await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_leaves_one_message_of_the_five_to_a_person() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--no-desk"]);
    let desk = Desk::open();
    let mut settings = desk.settings().to_vec();
    // All of it is one turn's, so that nothing opens another window between.
    settings.push(("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "300"));
    let server = serve(&peer, data.path(), &settings);
    say(&peer, &server, "wmKe", "意式咖啡机有推荐吗？").await;
    peer.sent_at_least("wmKe", 1).await;
    tokio::time::sleep(QUIET).await;
    let by_the_bot = peer.sent("wmKe").await.len();
    assert!(by_the_bot <= 4, "{by_the_bot}");
    let conversation = format!("wecom:{ACCOUNT}.wmKe");
    desk.rep(&conversation, 0, RepAction::Take).await;
    for number in 1..=5 {
        desk.rep_says(&conversation, number).await;
    }
    peer.sent_at_least("wmKe", 5).await;
    until_counted(&server, "window_closed", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.calls("kf/send_msg").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_that_brought_a_customer_back_reaches_the_brief_though_nobody_greets_them_again() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--no-desk"]);
    let server = serve(&peer, data.path(), &[]);
    act(&peer, &server, "enter", "wmCa", json!({"scene": "spring"})).await;
    peer.until("the welcome", async || {
        (!peer.welcomes().await.is_empty()).then_some(())
    })
    .await;
    ask(&peer, &server, "wmCa", "多久能发货", 1).await;
    // They know us by now: no code comes, and nobody has to answer.
    let back = json!({"code": false, "scene": "s", "scene_param": "winter-sale"});
    act(&peer, &server, "enter", "wmCa", back).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmCa").await.len(), 1);
    assert_eq!(peer.welcomes().await.len(), 1);
    ask(&peer, &server, "wmCa", "意式咖啡机有推荐吗？", 1).await;
    ask(&peer, &server, "wmCa", "转人工", 1).await;
    let told = tests::served::wecom::transcript(data.path(), server, "wmCa").await;
    assert_eq!(
        told.matches("\"campaign\":\"winter-sale\"").count(),
        1,
        "told once: {told}"
    );
    let records = bot::store::records::Records::in_folder(data.path());
    let records = records.await.unwrap();
    let conversation = format!("wecom:{ACCOUNT}.wmCa");
    let handoffs = bot::store::RecordStore::handoffs(&records, &conversation).await;
    let brief: Value = serde_json::from_str(&handoffs.unwrap()[0].brief_json).unwrap();
    let first = &brief["lines"][0];
    assert_eq!(
        (&first["what"], &first["value"], &first["quote"]),
        (&json!("source"), &json!("link"), &json!("winter-sale")),
        "{brief:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_comes_in_is_welcomed_in_time_though_the_model_is_slow() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--no-desk"]);
    let model = slow_model(Duration::from_secs(30)).await;
    let settings = [
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
        ("TIANSHENG_MODEL__TIMEOUT_MS", "60000"),
    ];
    let server = serve(&peer, data.path(), &settings);
    act(&peer, &server, "enter", "wmSl", json!({})).await;
    // The peer takes no code that is older than twenty seconds.
    let welcome = async || peer.welcomes().await.first().cloned();
    let welcome = peer.until("the welcome", welcome).await;
    assert!(words(&welcome).contains("AI"), "{welcome}");
    assert_eq!(peer.calls("kf/send_msg").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_key_is_changed_callbacks_under_either_are_taken() {
    let peer = WeComPeer::start(&["--no-desk"]);
    let other = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let both = [format!("{other},{AES_KEY}"), format!("{AES_KEY},{other}")];
    for keys in &both {
        let data = tempfile::tempdir().unwrap();
        let keys = ("TIANSHENG_CHANNELS__WECOM__AES_KEY", keys.as_str());
        let server = serve(&peer, data.path(), &[keys]);
        say(&peer, &server, "wmRo", "你好").await;
    }
    let data = tempfile::tempdir().unwrap();
    let only = ("TIANSHENG_CHANNELS__WECOM__AES_KEY", other);
    let server = serve(&peer, data.path(), &[only]);
    let told = act(&peer, &server, "nudge", "wmRo", json!({})).await;
    assert_eq!(told["statuses"], json!([401]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_taken_when_it_is_durable_and_what_it_tells_is_answered_once() {
    let data = tempfile::tempdir().unwrap();
    let mut redis = Redis::start();
    let state = redis.url();
    let peer = WeComPeer::start(&["--no-desk"]);
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let server = serve(&peer, data.path(), &settings);
    ask(&peer, &server, "wmDu", "你好", 1).await;
    redis.kill();
    // WeCom tries three times, and none is taken.
    let told = act(&peer, &server, "say", "wmDu", json!({"text": "转人工"})).await;
    assert_eq!(told["statuses"], json!([503]));
    redis.up();
    let told = act(&peer, &server, "nudge", "wmDu", json!({})).await;
    assert_eq!(told["statuses"], json!([200]));
    peer.sent_at_least("wmDu", 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmDu").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_reach_wecom_leaves_later_and_what_was_cut_off_does_not_leave_again() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let arguments = ["--no-desk", "--port", port.as_str()];
    let peer = WeComPeer::start(&arguments);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "4000")];
    let server = serve(&peer, data.path(), &settings);
    let fault = async |mut fault: Value| {
        fault["name"] = json!("kf/send_msg");
        peer.sim("fault", fault).await;
    };
    // Cut off before WeCom acted looks the same as after it.
    fault(json!({"cut": true})).await;
    say(&peer, &server, "wmCu", "你好").await;
    until_counted(&server, "unknown", 1).await;
    // The machine is not on the list, or the account is not the app's: a person mends it.
    for (code, count) in [(60_020, 1), (48_002, 2)] {
        let who = format!("wm{code}");
        fault(json!({"code": code, "reason": "r"})).await;
        say(&peer, &server, &who, "你好").await;
        until_counted(&server, "retry", count).await;
        peer.sent_at_least(&who, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmCu").await.len(), 0);
    // Nothing is there any more when the answer is ready.
    let read = async || {
        let pulls = peer.listed("pulls").await;
        let read = pulls.iter().map(|pull| pull["messages"].as_u64().unwrap());
        read.sum::<u64>()
    };
    let before = read().await;
    say(&peer, &server, "wmDo", "你好").await;
    let is_read = async || (read().await > before).then_some(());
    peer.until("it is read", is_read).await;
    drop(peer);
    until_counted(&server, "retry", 3).await;
    let peer = WeComPeer::start(&arguments);
    peer.sim("allow", json!({"from": "wmDo", "left": 5, "open": true}))
        .await;
    peer.sent_at_least("wmDo", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmDo").await.len(), 1);
}

/// The channel itself, over HTTP to the peer; another with the same facts is another process of the shop's.
fn channel(peer: &WeComPeer, keep: &Arc<KeptHere>) -> WeCom {
    let corp = Corp {
        corp_id: CORP_ID.to_owned(),
        secret: SECRET.to_owned().into(),
        token: TOKEN.to_owned().into(),
        aes_keys: vec![AES_KEY.to_owned().into()],
        api_url: peer.url.parse().unwrap(),
    };
    WeCom::new(&corp, http(), Arc::clone(keep) as Arc<dyn adapters::Keep>)
}

fn message(id: &str, user: &str, text: String, choices: usize) -> Outbound {
    let choice = |n: usize| Choice {
        id: format!("c{n}"),
        label: format!("选{n}"),
    };
    let choices = (0..choices).map(choice).collect();
    let parts = vec![
        Part::Text { text },
        Part::Choices {
            choices,
            uncounted: false,
        },
    ];
    Outbound {
        id: id.to_owned(),
        address: Address::new("wecom", &format!("{ACCOUNT}.{user}")).unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(Body { parts }),
    }
}

fn is_sent(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Sent { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_wecom_has_already_is_sent_and_not_refused_for_good() {
    let peer = WeComPeer::start(&[]);
    let keep = Arc::new(KeptHere::default());
    peer.sim("allow", json!({"from": "wmKn", "left": 5, "open": true}))
        .await;
    let said = message("known", "wmKn", "你好".to_owned(), 2);
    // Killed between the send and the note of it.
    for _ in 0..2 {
        let receipt = channel(&peer, &keep).send(&said, 0).await;
        assert!(is_sent(&receipt), "{receipt:?}");
    }
    assert_eq!(peer.calls("kf/send_msg").await, 2);
    assert_eq!(peer.sent("wmKn").await.len(), 1);
    // Another parameter that is refused is none of that.
    let fault = json!({"name": "kf/send_msg", "code": 40058, "reason": "invalid menu item"});
    peer.sim("fault", fault).await;
    let other = message("other", "wmKn", "你好".to_owned(), 2);
    let receipt = channel(&peer, &keep).send(&other, 0).await;
    assert!(matches!(receipt, Receipt::Permanent { .. }), "{receipt:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_of_several_messages_is_one_welcome_with_all_of_it() {
    let peer = WeComPeer::start(&["--no-desk"]);
    let (dir, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    shop(dir.path(), str::to_owned);
    let file = dir.path().join("replies/zh.yaml");
    let replies = std::fs::read_to_string(&file).unwrap();
    // Too long to stand above a menu: anywhere else its lines are a message of their own.
    let long = replies.replace("- \"您好", &format!("- \"{}您好", "请进。".repeat(120)));
    std::fs::write(&file, long).unwrap();
    let at = dir.path().display().to_string();
    let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", &at)]);
    act(&peer, &server, "enter", "wmWe", json!({})).await;
    let welcome = async || peer.welcomes().await.first().cloned();
    let welcome = peer.until("the welcome", welcome).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.welcomes().await.len(), 1);
    assert_eq!(peer.calls("kf/send_msg").await, 0, "nothing else is tried");
    let said = words(&welcome);
    assert_eq!(
        said.matches("请进。").count(),
        120,
        "nothing is lost: {said}"
    );
    assert!(said.len() > 1_024, "it would be two messages: {said}");
}
