//! What the agent says on WeCom: each refusal has its consequence, and nothing is said twice or to whom a person speaks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use serde_json::{Value, json};
use tests::served::wecom::{
    act, ask, assert_nothing_secret, on_callbacks, say, serve, transcript, until_counted,
    until_in_pool,
};
use tests::served::{Desk, QUIET, logged, now_ms, until_logged};
use tests::wecom_peer::{ACCOUNT, WeComPeer, words};

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_wecom_to_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    let fault = async |mut fault: Value| {
        fault["name"] = json!("kf/send_msg");
        peer.sim("fault", fault).await;
    };
    // Busy, broken on the way in, or a token that is over: again, and once.
    for (who, wrong) in [
        ("wmI1", json!({"code": -1, "reason": "system busy"})),
        ("wmI2", json!({"status": 502})),
        (
            "wmI3",
            json!({"code": 40001, "reason": "invalid credential"}),
        ),
        (
            "wmI4",
            json!({"code": 40014, "reason": "invalid access_token"}),
        ),
        (
            "wmI5",
            json!({"code": 42001, "reason": "access_token expired"}),
        ),
    ] {
        fault(wrong).await;
        ask(&peer, &server, who, "你好", 1).await;
    }
    // Out of count and out of time: said when the customer writes again.
    for (who, code, count) in [("wmI6", 95001, 1), ("wmI9", 95002, 2)] {
        fault(json!({"code": code, "reason": "no"})).await;
        say(&peer, &server, who, "你好").await;
        until_counted(&server, "window_closed", count).await;
        let both = ask(&peer, &server, who, "转人工", 2).await;
        assert!(words(&both[0]).contains("AI"), "{both:?}");
    }
    // Not to be said at all: given up, and what follows is served.
    fault(json!({"code": 45002, "reason": "content size out of limit"})).await;
    say(&peer, &server, "wmI10", "你好").await;
    until_counted(&server, "permanent", 1).await;
    assert_eq!(ask(&peer, &server, "wmI10", "转人工", 1).await.len(), 1);
    // A state that is not what was known: looked up, and said once more where the agent has it.
    for code in [95018, 95016, 95013] {
        fault(json!({"code": code, "reason": "status invalid"})).await;
        let who = format!("wmI{code}");
        assert_eq!(ask(&peer, &server, &who, "你好", 1).await.len(), 1);
    }
    // Refused a second time though the agent has it: given up, and the operator is told what to look at.
    fault(json!({"code": 95018, "reason": "status invalid", "times": 2})).await;
    say(&peer, &server, "wmI11", "你好").await;
    until_counted(&server, "permanent", 2).await;
    until_logged(data.path(), "通过API管理微信客服账号").await;
    assert_eq!(ask(&peer, &server, "wmI11", "转人工", 1).await.len(), 1);
    // Cut off after WeCom acted: nobody can tell, so it is not said again.
    fault(json!({"cut": true, "after": true})).await;
    say(&peer, &server, "wmI7", "你好").await;
    until_counted(&server, "unknown", 1).await;
    // The day's quota: later, and nothing is lost meanwhile.
    fault(json!({"code": 45009, "reason": "api freq out of limit"})).await;
    say(&peer, &server, "wmI8", "你好").await;
    until_counted(&server, "retry", 6).await;
    tokio::time::sleep(QUIET).await;
    for who in ["wmI1", "wmI2", "wmI3", "wmI4", "wmI5", "wmI7"] {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
    assert_eq!(peer.sent("wmI8").await.len(), 0);
    assert_nothing_secret(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_new_token_serves_all_sends_when_the_old_one_ends() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let (peer, server) = on_callbacks(data.path(), &settings);
    ask(&peer, &server, "wmH", "你好", 1).await;
    assert_eq!(peer.state().await["tokens"], 1);
    let people: Vec<String> = (0..20).map(|n| format!("wmH{n}")).collect();
    for who in &people {
        peer.sim("say", json!({"from": who, "text": "你好"})).await;
    }
    act(&peer, &server, "nudge", "wmH", json!({})).await;
    peer.called("kf/sync_msg", 4).await;
    peer.sim("expire", json!({})).await;
    for who in &people {
        peer.sent_at_least(who, 1).await;
    }
    assert_eq!(peer.state().await["tokens"], 2);
    tokio::time::sleep(QUIET).await;
    for who in &people {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
    assert_nothing_secret(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sixth_message_and_one_after_two_days_wait_for_the_customers_next_words() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "4000")];
    let (peer, server) = on_callbacks(data.path(), &settings);
    ask(&peer, &server, "wmJ", "你好", 1).await;
    // Five have been sent since the customer wrote.
    say(&peer, &server, "wmJ", "意式咖啡机有推荐吗？").await;
    peer.sim("allow", json!({"from": "wmJ", "left": 0})).await;
    until_counted(&server, "window_closed", 1).await;
    assert_eq!(peer.sent("wmJ").await.len(), 1);
    let both = ask(&peer, &server, "wmJ", "谢谢", 2).await;
    assert!(words(&both[0]).contains("¥2,480"), "{both:?}");
    // Two days pass before the answer is ready.
    let read = peer.calls("kf/sync_msg").await;
    say(&peer, &server, "wmJ", "转人工").await;
    peer.called("kf/sync_msg", read + 1).await;
    peer.sim("clock", json!({"advance": 49 * 3600})).await;
    until_counted(&server, "window_closed", 2).await;
    assert_eq!(peer.sent("wmJ").await.len(), 3);
    peer.sim("clock", json!({"advance": -49 * 3600})).await;
    let late = ask(&peer, &server, "wmJ", "在吗", 1).await;
    assert!(words(&late[0]).contains("同事"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_report_of_one_too_many_a_reps_words_wait_for_the_customer() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeComPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    let sent = ask(&peer, &server, "wmA2", "你好", 1).await;
    let conversation = format!("wecom:{ACCOUNT}.wmA2");
    desk.rep(&conversation, 1, RepAction::Take).await;
    let soon = now_ms() / 1_000 + 2;
    // Refused for good, which is no matter of the window; then one too many.
    for (number, (kind, count)) in [(10, 1), (6, 2)].into_iter().enumerate() {
        let report = json!({"msgid": sent[0]["msgid"], "type": kind, "sent": soon});
        act(&peer, &server, "fail", "wmA2", report).await;
        until_counted(&server, "undelivered", count).await;
        desk.rep_says(&conversation, 2 + number).await;
        peer.sent_at_least("wmA2", 2).await;
    }
    until_counted(&server, "window_closed", 1).await;
    assert_eq!(peer.sent("wmA2").await.len(), 2);
    // What the customer writes is at a later second than the report.
    peer.until("that second", async || {
        (now_ms() / 1_000 > soon).then_some(())
    })
    .await;
    ask(&peer, &server, "wmA2", "在吗", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_did_not_arrive_is_reported_under_the_id_it_left_with() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    let sent = ask(&peer, &server, "wmP", "你好", 1).await;
    for kind in [4, 5, 6, 8, 10] {
        let report = json!({"msgid": sent[0]["msgid"], "type": kind});
        act(&peer, &server, "fail", "wmP", report).await;
    }
    until_counted(&server, "undelivered", 5).await;
    let log = logged(data.path());
    let id = sent[0]["msgid"].as_str().unwrap();
    assert_eq!(log.matches(id).count(), 5, "{log}");
    for why in ["48 hours", "closed", "five messages", "verified", "refuses"] {
        assert!(log.contains(why), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_refused_because_a_person_has_it_is_dropped_and_never_tried_again() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    ask(&peer, &server, "wmL", "你好", 1).await;
    // The person comes while the message is on its way, and no event tells.
    peer.sim("fault", json!({"name": "kf/send_msg", "slow": 5}))
        .await;
    let sends = peer.calls("kf/send_msg").await;
    say(&peer, &server, "wmL", "意式咖啡机有推荐吗？").await;
    peer.called("kf/send_msg", sends + 1).await;
    let take = json!({"from": "wmL", "silent": true});
    peer.sim("take", take).await;
    until_counted(&server, "silenced", 1).await;
    // What the customer says next is the person's to answer.
    say(&peer, &server, "wmL", "在吗").await;
    tokio::time::sleep(QUIET * 2).await;
    assert_eq!(peer.calls("kf/send_msg").await, sends + 1, "tried once");
    assert_eq!(peer.sent("wmL").await.len(), 1);
    let told = transcript(data.path(), server, "wmL").await;
    assert!(
        told.contains("\"event\":\"taken\",\"rep\":\"zhang\""),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_welcome_that_comes_too_late_is_said_like_anything_else() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    // Somebody who wrote before, and whose code is over when it is read.
    ask(&peer, &server, "wmO", "转人工", 1).await;
    until_in_pool(&peer, "wmO").await;
    act(&peer, &server, "end", "wmO", json!({})).await;
    ask(&peer, &server, "wmO", "你好", 1).await;
    let past = now_ms() / 1_000 - 25;
    act(&peer, &server, "enter", "wmO", json!({"sent": past})).await;
    peer.sent_at_least("wmO", 3).await;
    assert_eq!(peer.calls("kf/send_msg_on_event").await, 0);
    // One that WeCom takes for over.
    let wrong = json!({"name": "kf/send_msg_on_event", "code": 40096, "reason": "invalid code"});
    peer.sim("fault", wrong).await;
    act(&peer, &server, "enter", "wmO", json!({})).await;
    peer.sent_at_least("wmO", 4).await;
    assert_eq!(peer.calls("kf/send_msg_on_event").await, 1);
    // Who comes back without a code is not greeted again.
    act(&peer, &server, "enter", "wmO", json!({"code": false})).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmO").await.len(), 4);
    assert_eq!(peer.welcomes().await.len(), 0);
}
