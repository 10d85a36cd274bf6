//! What customers say on WeCom is fetched: every message once and in order, whatever becomes of callbacks, pages, quotas and replicas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tests::redis_server::Redis;
use tests::served::wecom::{act, ask, hook, on_callbacks, say, serve, transcript};
use tests::served::{QUIET, logged, now_ms, until_logged};
use tests::wecom_peer::{ACCOUNT, OTHER_ACCOUNT, WeComPeer, words};

#[tokio::test(flavor = "multi_thread")]
async fn repeated_callbacks_and_messages_are_answered_once_and_forged_ones_never() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    let told = act(
        &peer,
        &server,
        "say",
        "wmC",
        json!({"text": "你好", "id": "m1", "callbacks": 3}),
    )
    .await;
    assert_eq!(told["statuses"], json!([200, 200, 200]));
    peer.sent_at_least("wmC", 1).await;
    // The same again in the list, and a callback for nothing.
    act(
        &peer,
        &server,
        "say",
        "wmC",
        json!({"text": "你好", "id": "m1"}),
    )
    .await;
    act(&peer, &server, "nudge", "wmC", json!({})).await;
    for wrong in [json!({"forged": true}), json!({"tampered": true})] {
        let told = act(&peer, &server, "nudge", "wmC", wrong).await;
        assert_eq!(told["statuses"], json!([401]));
    }
    let refused = peer
        .sim("verify", json!({"url": hook(&server), "forged": true}))
        .await;
    assert_eq!(refused, json!({"status": 401, "echoed": false}));
    // A recording is worth nothing five minutes later.
    peer.sim("clock", json!({"advance": -400})).await;
    let told = act(&peer, &server, "nudge", "wmC", json!({})).await;
    assert_eq!(told["statuses"], json!([401]));
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmC").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_messages_of_a_burst_are_read_in_order_over_pages_and_gaps() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--page", "2"]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let server = serve(&peer, data.path(), &settings);
    peer.called("kf/sync_msg", 2).await;
    // WeCom has more, and gives an empty page first.
    peer.sim("gap", json!({})).await;
    let burst = ["你好", "我想买", "意式咖啡机", "预算", "三千以内"];
    for text in &burst[..4] {
        peer.sim("say", json!({"from": "wmD", "text": text})).await;
    }
    say(&peer, &server, "wmD", burst[4]).await;
    let offer = peer.sent_at_least("wmD", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let pulls = peer.state().await["pulls"].clone();
    let pages: Vec<u64> = pulls
        .as_array()
        .unwrap()
        .iter()
        .filter(|pull| pull["account"] == ACCOUNT && pull["token"] == true)
        .map(|pull| pull["messages"].as_u64().unwrap())
        .collect();
    assert_eq!(pages, [0, 2, 2, 1], "one pass, nothing twice");
    tokio::time::sleep(QUIET).await;
    let heard = transcript(data.path(), server, "wmD").await;
    let places: Vec<usize> = burst
        .iter()
        .map(|text| {
            heard
                .find(text)
                .unwrap_or_else(|| panic!("{text}: {heard}"))
        })
        .collect();
    assert!(places.is_sorted(), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_without_a_callback_is_read_all_the_same() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    // Said while nobody listened.
    peer.sim("say", json!({"from": "wmE", "text": "你好"}))
        .await;
    let _server = serve(&peer, data.path(), &[]);
    peer.sent_at_least("wmE", 1).await;
    // And while the callback is lost: the next look is within half a minute.
    peer.sim("say", json!({"from": "wmE", "text": "转人工"}))
        .await;
    let sent = peer.sent_at_least("wmE", 2).await;
    assert!(words(&sent[1]).contains("同事"), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_whose_token_is_over_before_wecom_answers_is_followed_without_it() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    peer.called("kf/sync_msg", 2).await;
    let broken = json!({"name": "kf/sync_msg", "status": 502, "times": 3});
    peer.sim("fault", broken).await;
    say(&peer, &server, "wmT", "你好").await;
    peer.sim("clock", json!({"advance": 700})).await;
    peer.sent_at_least("wmT", 1).await;
    let pulls = peer.state().await["pulls"].clone();
    let mut found = pulls.as_array().unwrap().iter();
    let read = found.find(|pull| pull["messages"] == 1).unwrap();
    assert_eq!(read["token"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_refused_keeps_no_other_from_being_read() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    for (code, times, reason) in [
        (95000, 1, "invalid open_kfid"),
        (48002, 50, "api forbidden"),
    ] {
        let wrong = json!({"name": "kf/sync_msg", "account": ACCOUNT, "times": times,
            "code": code, "reason": reason});
        peer.sim("fault", wrong).await;
    }
    let server = serve(&peer, data.path(), &[]);
    let say = async |text: &str| {
        let what = json!({"text": text, "account": OTHER_ACCOUNT});
        act(&peer, &server, "say", "wmE", what).await;
    };
    say("你好").await;
    peer.sent_at_least("wmE", 1).await;
    until_logged(data.path(), "invalid open_kfid").await;
    act(&peer, &server, "nudge", "wmE", json!({})).await;
    until_logged(data.path(), "api forbidden").await;
    say("转人工").await;
    peer.sent_at_least("wmE", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_polls_used_up_delays_no_callback_and_no_other_account() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let quota = json!({"name": "kf/sync_msg", "account": ACCOUNT, "without_token": true,
        "times": 50, "code": 45009, "reason": "api freq out of limit"});
    peer.sim("fault", quota).await;
    let other = json!({"from": "wmV", "text": "你好", "account": OTHER_ACCOUNT});
    peer.sim("say", other).await;
    let server = serve(&peer, data.path(), &[]);
    peer.sent_at_least("wmV", 1).await;
    until_logged(data.path(), "45009").await;
    ask(&peer, &server, "wmV2", "你好", 1).await;
    // Without a callback to any replica nothing can be fetched at all for a while; one ends the wait.
    let quota = json!({"name": "kf/sync_msg", "times": 2, "code": 45009, "reason": "api freq"});
    peer.sim("fault", quota).await;
    act(&peer, &server, "nudge", "wmV", json!({})).await;
    let again = json!({"account": OTHER_ACCOUNT});
    act(&peer, &server, "nudge", "wmV", again).await;
    ask(&peer, &server, "wmV2", "转人工", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_too_long_to_read_is_read_in_shorter_ones_and_one_message_is_passed_over() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    peer.called("kf/sync_msg", 2).await;
    // Each can be read, together they are more than 4 MiB.
    for at in 0..3 {
        let long = json!({"from": format!("wmW{at}"), "text": "你好", "pad": 2_000_000});
        peer.sim("say", long).await;
    }
    let too_long = json!({"from": "wmW3", "text": "你好", "pad": 5_000_000});
    peer.sim("say", too_long).await;
    say(&peer, &server, "wmW4", "你好").await;
    for at in [0, 1, 2, 4] {
        peer.sent_at_least(&format!("wmW{at}"), 1).await;
    }
    until_logged(data.path(), "longer than").await;
    assert_eq!(peer.sent("wmW3").await.len(), 0);
    // And with pages of the usual length from there on.
    ask(&peer, &server, "wmW4", "转人工", 1).await;
    let pulls = peer.state().await["pulls"].clone();
    assert_eq!(pulls.as_array().unwrap().last().unwrap()["limit"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_long_before_the_first_connection_is_not_answered() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--page", "2"]);
    let hour_ago = now_ms() / 1_000 - 3_600;
    for at in 0..3 {
        let old = json!({"from": format!("wmX{at}"), "text": "你好", "sent": hour_ago});
        peer.sim("say", old).await;
    }
    // The desk has one of them, and that counts whenever it was.
    let took = json!({"from": "wmX2", "sent": hour_ago});
    peer.sim("take", took).await;
    let new = json!({"from": "wmX3", "text": "你好"});
    peer.sim("say", new).await;
    let server = serve(&peer, data.path(), &[]);
    peer.sent_at_least("wmX3", 1).await;
    until_logged(data.path(), "before the first connection").await;
    tokio::time::sleep(QUIET).await;
    for at in 0..3 {
        assert_eq!(peer.sent(&format!("wmX{at}")).await.len(), 0, "{at}");
    }
    say(&peer, &server, "wmX2", "在吗").await;
    ask(&peer, &server, "wmX1", "在吗", 1).await;
    assert_eq!(peer.sent("wmX2").await.len(), 0);
    let told = transcript(data.path(), server, "wmX2").await;
    assert!(told.contains("\"event\":\"taken\""), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_the_callback_and_amid_the_pages_loses_and_repeats_nothing() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&["--page", "1"]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "2000")];
    let server = serve(&peer, data.path(), &settings);
    // The second page does not come before the kill.
    peer.called("kf/sync_msg", 2).await;
    let texts = ["你好", "我想买意式咖啡机", "预算三千以内"];
    for text in texts {
        peer.sim("say", json!({"from": "wmF", "text": text})).await;
    }
    peer.sim("fault", json!({"name": "kf/service_state/get", "slow": 30}))
        .await;
    let told = act(&peer, &server, "nudge", "wmF", json!({})).await;
    assert_eq!(told["statuses"], json!([200]));
    peer.called("kf/service_state/get", 1).await;
    server.kill();
    assert_eq!(peer.sent("wmF").await.len(), 0);
    let server = serve(&peer, data.path(), &settings);
    peer.sent_at_least("wmF", 1).await;
    tokio::time::sleep(QUIET).await;
    let heard = transcript(data.path(), server, "wmF").await;
    let places: Vec<usize> = texts.map(|text| heard.find(text).unwrap()).to_vec();
    assert!(places.is_sorted(), "{heard}");
    for text in texts {
        let said = format!("\"said\":{{\"text\":\"{text}\"}}");
        assert_eq!(heard.matches(&said).count(), 1, "{text}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_replicas_reads_whichever_was_called_and_the_other_when_it_dies() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeComPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    for customer in 0..6 {
        let from = format!("wmG{customer}");
        let server = if customer % 2 == 0 { &first } else { &second };
        // By a callback, not by the next poll.
        let begun = std::time::Instant::now();
        ask(&peer, server, &from, "你好", 1).await;
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(peer.state().await["tokens"], 1, "one token for both");
    let cursors: Vec<Value> = peer.state().await["pulls"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|pull| pull["messages"] != 0)
        .cloned()
        .collect();
    assert_eq!(cursors.len(), 6, "each message is read once: {cursors:?}");
    let has_it = |data: &Path| {
        let log = logged(data);
        let mut lines = log.lines();
        lines.any(|line| line.contains("took a job") && line.contains("\"wecom\""))
    };
    let (dies, lives) = match (has_it(one.path()), has_it(two.path())) {
        (true, false) => (first, second),
        (false, true) => (second, first),
        both => panic!("one of them has the job: {both:?}"),
    };
    dies.kill();
    ask(&peer, &lives, "wmG0", "转人工", 1).await;
    tokio::time::sleep(QUIET).await;
    for customer in 1..6 {
        assert_eq!(peer.sent(&format!("wmG{customer}")).await.len(), 1);
    }
}
