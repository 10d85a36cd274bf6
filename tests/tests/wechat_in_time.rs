//! A WeChat account whose replies are the answers to deliveries where they are in time, and go over the API where they are not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::time::Duration;
use tests::binary::{Server, free_port};
use tests::front::Front;
use tests::peer::until;
use tests::redis_server::Redis;
use tests::served::wechat::{hook, say, serve, serve_at};
use tests::served::{QUIET, accepted, counted, sends, slow_model, until_counted};
use tests::wechat_peer::{WeChatPeer, line, shown, words};

const IN_TIME: (&str, &str) = ("TIANSHENG_CHANNELS__WECHAT__ANSWER_IN_TIME", "true");

/// Less than a delivery is held whose answer may still be ready, milliseconds.
const HELD_MS: u64 = 3_000;

/// How many messages came inside answers, and how many over the API.
fn ways(sent: &[Value]) -> (usize, usize) {
    let inside = sent.iter().filter(|m| m["inside_answer"] == true).count();
    (inside, sent.len() - inside)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_in_time_is_the_answer_and_costs_nothing_and_what_is_to_be_touched_goes_over_the_api()
 {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[IN_TIME]);
    // On a machine that is busy an answer may be ready too late; not for each of three customers.
    for customer in ["oA1", "oA2", "oA3"] {
        if served_in_time(&peer, &server, customer).await.is_some() {
            until_counted(&server, &sends("wechat", "answered"), 9).await;
            return;
        }
    }
    panic!("nobody was answered in time: {:#?}", peer.state().await);
}

/// A conversation where nothing costs what need not; `None` where something was ready too late.
async fn served_in_time(peer: &WeChatPeer, server: &Server, from: &str) -> Option<()> {
    let calls = peer.calls("message/custom/send").await;
    let greeting = shown(&say(peer, server, from, "你好").await)?;
    assert!(greeting.contains("AI"), "{greeting}");
    // Seven in a row would be more than a window takes.
    for _ in 0..7 {
        let text = shown(&say(peer, server, from, "多久能发货").await)?;
        assert!(!text.is_empty());
    }
    assert_eq!(peer.calls("message/custom/send").await, calls);
    let before = peer.sent(from).await.len();
    let offer = say(peer, server, from, "意式咖啡机有推荐吗？").await;
    assert_eq!(shown(&offer), None, "it has lines to touch");
    let sent = peer.sent_at_least(from, before + 2).await[before..].to_vec();
    assert!(line(&sent[1], "比较前两款").is_some(), "{sent:#?}");
    // The delivery does not wait for what goes another way.
    let is_held = offer[0]["ms"].as_u64() >= Some(HELD_MS);
    let person = shown(&say(peer, server, from, "转人工").await)?;
    assert!(person.contains("同事"), "{person}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(ways(&peer.sent(from).await), (9, 2));
    (!is_held).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_late_for_its_delivery_is_sent_once() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let model = slow_model(Duration::from_secs(6)).await;
    let settings = [
        IN_TIME,
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
    ];
    let server = serve(&peer, data.path(), &settings);
    // However late the machine is, WeChat is to hear of it in the first delivery.
    let act = json!({"url": hook(&server), "from": "oB", "safe": true, "patience": [20],
        "text": "你们的咖啡豆是哪里烘焙的，能不能参观"});
    let delivery = peer.sim("text", act).await;
    assert_eq!(shown(&delivery), None);
    assert_eq!(
        delivery.as_array().unwrap().len(),
        1,
        "WeChat asked again: {delivery}"
    );
    peer.sent_at_least("oB", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(ways(&peer.sent("oB").await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_delivery_again_shows_the_same_whichever_replica_has_it() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [IN_TIME, ("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    let mut in_time = Vec::new();
    for customer in 0..8 {
        let from = format!("oC{customer}");
        let act = |server: &Server| json!({"url": hook(server), "from": from, "text": "你好", "safe": true, "id": 42 + customer});
        let (a, b, c) = tokio::join!(
            peer.sim("text", act(&first)),
            peer.sim("text", act(&second)),
            peer.sim("text", act(&first))
        );
        let again = peer.sim("text", act(&second)).await;
        let texts: Vec<String> = [&a, &b, &c, &again]
            .map(shown)
            .into_iter()
            .flatten()
            .collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
        // What was shown once is shown again.
        assert_eq!(shown(&again), texts.first().cloned(), "{again}");
        in_time.push(!texts.is_empty());
    }
    let count = in_time.iter().filter(|is_in_time| **is_in_time).count();
    assert!(count >= 4, "{count} of eight were answered in time");
    tokio::time::sleep(QUIET).await;
    for (customer, is_in_time) in in_time.into_iter().enumerate() {
        let sent = peer.sent_at_least(format!("oC{customer}"), 1).await;
        let way = if is_in_time { (1, 0) } else { (0, 1) };
        assert_eq!(ways(&sent), way, "{sent:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_answered_once() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [IN_TIME, ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "2500")];
    let server = serve(&peer, data.path(), &settings);
    let (a, b, c) = tokio::join!(
        say(&peer, &server, "oD", "你好"),
        say(&peer, &server, "oD", "在吗"),
        say(&peer, &server, "oD", "多久能发货")
    );
    let texts: Vec<String> = [a, b, c].iter().filter_map(shown).collect();
    assert!(texts.len() <= 1, "{texts:#?}");
    peer.sent_at_least("oD", 1).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let sent = peer.sent("oD").await;
    let all: String = sent.iter().map(words).collect();
    assert_eq!(all.matches("AI").count(), 1, "{sent:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_offered_when_the_server_was_killed_is_said_once() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let peer = WeChatPeer::start(&[]);
    let settings = [IN_TIME, ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "1500")];
    let server = serve_at(port, &peer, data.path(), &settings);
    let killed = async {
        until_counted(&server, &accepted("wechat"), 1).await;
        server.kill();
        serve_at(port, &peer, data.path(), &settings)
    };
    let act = json!({"url": format!("http://127.0.0.1:{port}/webhooks/wechat"),
        "from": "oE", "text": "你好", "safe": true});
    let (_delivery, _server) = tokio::join!(peer.sim("text", act), killed);
    peer.sent_at_least("oE", 1).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let sent = peer.sent("oE").await;
    assert_eq!(sent.len(), 1, "{sent:#?}");
}

/// Repetitions over two replicas while one of them is killed: what the shop says is said once each time.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_die_lose_and_double_nothing() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [
        IN_TIME,
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "300"),
    ];
    let peer = WeChatPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    let front = Front::before(vec![first.url.clone(), second.url.clone()]).await;
    until("two replicas in service", async || {
        (front.trusts(0) && front.trusts(1)).then_some(())
    })
    .await;
    let url = format!("{}/webhooks/wechat", front.url);
    let series = accepted("wechat");
    let people = (0..12).map(|customer| {
        let act =
            json!({"url": url, "from": format!("oF{customer}"), "text": "你好", "safe": true});
        peer.sim("text", act)
    });
    let killed = async {
        // What a replica has not accepted when it dies is lost with its delivery.
        until("all of it accepted", async || {
            let (one, other) = (
                counted(&first, &series).await,
                counted(&second, &series).await,
            );
            (one + other == 12).then_some(())
        })
        .await;
        // Some are answered, others on their way.
        tokio::time::sleep(Duration::from_millis(250)).await;
        second.kill();
    };
    tokio::join!(futures_util::future::join_all(people), killed);
    for customer in 0..12 {
        peer.sent_at_least(&format!("oF{customer}"), 1).await;
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    for customer in 0..12 {
        let sent = peer.sent(&format!("oF{customer}")).await;
        assert_eq!(sent.len(), 1, "{customer}: {sent:#?}");
    }
}

/// What the manual's table tells is the time that a reply has.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_waits_as_long_as_its_channel_says() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let model = slow_model(Duration::from_secs(6)).await;
    let settings = [
        IN_TIME,
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
    ];
    let server = serve(&peer, data.path(), &settings);
    let delivery = say(&peer, &server, "oG", "你们的咖啡豆是哪里烘焙的，能不能参观").await;
    assert_eq!(shown(&delivery), None);
    // Two clocks are read in whole milliseconds.
    let held_ms = delivery[0]["ms"].as_u64().unwrap() + 5;
    assert!(held_ms >= 4_000, "{delivery}");
    let manual = include_str!("../../README.md");
    for told in ["ready in 4 s", "ready within four seconds"] {
        assert!(manual.contains(told), "README.md should hold `{told}`");
    }
}

/// It may have been kept that this delivery showed the reply: answered with nothing, nobody would see it.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_of_which_nobody_knows_whether_it_took_the_reply_is_not_answered_at_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let mut redis = Redis::start();
    let state = redis.url();
    let peer = WeChatPeer::start(&[]);
    let model = slow_model(Duration::from_secs(20)).await;
    let settings = [
        IN_TIME,
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
        ("TIANSHENG_WEB__DRAIN_MS", "0"),
    ];
    let server = serve(&peer, data.path(), &settings);
    let act = json!({"url": hook(&server), "from": "oH", "safe": true, "attempts": 1,
        "text": "你们的咖啡豆是哪里烘焙的，能不能参观"});
    let stopped = async {
        until_counted(&server, &accepted("wechat"), 1).await;
        redis.kill();
        server.signal("-TERM");
    };
    let (delivery, ()) = tokio::join!(peer.sim("text", act), stopped);
    let tried = &delivery[0];
    assert!(
        tried["timeout"] == true || tried["broken"] == true,
        "{delivery}"
    );
}
