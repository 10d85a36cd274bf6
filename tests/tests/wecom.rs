//! The product as a company's customer service on WeCom: callbacks and pulls, the desk that WeCom has itself, and everything that can go wrong between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tests::redis_server::Redis;
use tests::served::wecom::{
    act, ask, assert_nothing_secret, hook, say, serve, transcript, until_counted, until_in_pool,
};
use tests::served::{Desk, QUIET, doctor, logged, shop, until_logged};
use tests::wecom_peer::{
    ACCOUNT, AES_KEY, CORP_ID, OTHER_ACCOUNT, SECRET, TOKEN, WeComPeer, line, words,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese_from_the_welcome_to_the_desk() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let verified = peer.sim("verify", json!({"url": hook(&server)})).await;
    assert_eq!(verified, json!({"status": 200, "echoed": true}));
    act(&peer, &server, "enter", "wmA", json!({"scene": "poster"})).await;
    let welcome = async || peer.welcomes().await.into_iter().next();
    let welcome = peer.until("a welcome", welcome).await;
    assert!(words(&welcome).contains("AI"), "{welcome:?}");
    let offer = ask(&peer, &server, "wmA", "意式咖啡机有推荐吗？", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let page = &offer[0]["msgmenu"]["list"][0]["view"]["url"];
    assert!(page.as_str().unwrap().starts_with("https://"), "{offer:?}");
    let compare = line(&offer[0], "比较前两款").unwrap();
    let press = json!({"text": "比较前两款", "fields": {"menu_id": compare}});
    act(&peer, &server, "say", "wmA", press).await;
    let compared = peer.sent_at_least("wmA", 2).await;
    assert!(words(&compared[1]).contains("价"), "{compared:?}");
    assert_eq!(peer.session("wmA").await, json!(1), "it is the agent's");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, &server, "wmA", wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    until_in_pool(&peer, "wmA").await;
    assert!(
        peer.sent("wmA").await.iter().all(|sent| sent["state"] == 1),
        "nothing left before the agent had it"
    );
    assert_nothing_secret(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english_on_the_second_account() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let say = async |text: &str, count: usize| {
        let what = json!({"text": text, "account": OTHER_ACCOUNT});
        act(&peer, &server, "say", "wmB", what).await;
        peer.sent_at_least("wmB", count).await
    };
    let offer = say("an espresso machine under 3000 yuan please", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    assert_eq!(offer[0]["open_kfid"], OTHER_ACCOUNT);
    let silver = line(&offer[0], "silver").unwrap();
    let press = json!({"text": "silver", "account": OTHER_ACCOUNT, "fields": {"menu_id": silver}});
    act(&peer, &server, "say", "wmB", press).await;
    let narrowed = peer.sent_at_least("wmB", 2).await;
    assert!(words(&narrowed[1]).contains("silver"), "{narrowed:?}");
    let person = say("can I talk to a person", 3).await;
    assert!(words(&person[2]).contains("passed you on"), "{person:?}");
    assert_nothing_secret(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_callbacks_and_messages_are_answered_once_and_forged_ones_never() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
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
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "1500")];
    let server = serve(&peer, data.path(), &settings);
    peer.until("the polls of the start", async || {
        (peer.calls("kf/sync_msg").await >= 2).then_some(())
    })
    .await;
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
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    peer.until("the polls of the start", async || {
        (peer.calls("kf/sync_msg").await >= 2).then_some(())
    })
    .await;
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
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let hour_ago = now.unwrap().as_secs() - 3600;
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
    peer.until("the polls of the start", async || {
        (peer.calls("kf/sync_msg").await >= 2).then_some(())
    })
    .await;
    let texts = ["你好", "我想买意式咖啡机", "预算三千以内"];
    for text in texts {
        peer.sim("say", json!({"from": "wmF", "text": text})).await;
    }
    peer.sim("fault", json!({"name": "kf/service_state/get", "slow": 30}))
        .await;
    let told = act(&peer, &server, "nudge", "wmF", json!({})).await;
    assert_eq!(told["statuses"], json!([200]));
    let first = async || (peer.calls("kf/service_state/get").await >= 1).then_some(());
    peer.until("the first page", first).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn one_new_token_serves_all_sends_when_the_old_one_ends() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "2500")];
    let server = serve(&peer, data.path(), &settings);
    ask(&peer, &server, "wmH", "你好", 1).await;
    assert_eq!(peer.state().await["tokens"], 1);
    let people: Vec<String> = (0..20).map(|n| format!("wmH{n}")).collect();
    for who in &people {
        peer.sim("say", json!({"from": who, "text": "你好"})).await;
    }
    act(&peer, &server, "nudge", "wmH", json!({})).await;
    let taken = async || (peer.calls("kf/sync_msg").await >= 4).then_some(());
    peer.until("they are read", taken).await;
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
async fn each_answer_of_wecom_to_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
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
async fn the_sixth_message_and_one_after_two_days_wait_for_the_customers_next_words() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "1500")];
    let server = serve(&peer, data.path(), &settings);
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
    peer.until("it is read", async || {
        (peer.calls("kf/sync_msg").await > read).then_some(())
    })
    .await;
    peer.sim("clock", json!({"advance": 49 * 3600})).await;
    until_counted(&server, "window_closed", 2).await;
    assert_eq!(peer.sent("wmJ").await.len(), 3);
    peer.sim("clock", json!({"advance": -49 * 3600})).await;
    let late = ask(&peer, &server, "wmJ", "在吗", 1).await;
    assert!(words(&late[0]).contains("同事"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_the_desk_silences_the_agent_at_once_and_its_end_brings_it_back() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "1500")];
    let server = serve(&peer, data.path(), &settings);
    ask(&peer, &server, "wmK", "你好", 1).await;
    // Taken while the answer to this is on its way.
    say(&peer, &server, "wmK", "意式咖啡机有推荐吗？").await;
    act(&peer, &server, "take", "wmK", json!({})).await;
    act(
        &peer,
        &server,
        "desk_say",
        "wmK",
        json!({"text": "我来帮您看"}),
    )
    .await;
    say(&peer, &server, "wmK", "好的，谢谢").await;
    tokio::time::sleep(QUIET * 3).await;
    assert_eq!(peer.sent("wmK").await.len(), 1, "the agent is silent");
    // The person's words are not even tried to be said again.
    until_counted(&server, "silenced", 0).await;
    act(&peer, &server, "end", "wmK", json!({})).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmK").await.len(), 1, "until the customer writes");
    ask(&peer, &server, "wmK", "意式咖啡机有推荐吗？", 1).await;
    assert_eq!(
        peer.session("wmK").await,
        json!(1),
        "it is the agent's again"
    );
    let told = transcript(data.path(), server, "wmK").await;
    let what = [
        "\"event\":\"taken\",\"rep\":\"zhang\"",
        "我来帮您看",
        "handed_back",
    ];
    let places = what.map(|what| told.find(what).unwrap_or_else(|| panic!("{what}: {told}")));
    assert!(places.is_sorted(), "{told}");
    assert_eq!(told.matches("\"event\":\"taken\"").count(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_desk_take_the_conversation_though_no_event_told() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "wmS", "你好", 1).await;
    let take = json!({"from": "wmS", "silent": true, "servicer": "li"});
    peer.sim("take", take).await;
    act(
        &peer,
        &server,
        "desk_say",
        "wmS",
        json!({"text": "我是小李"}),
    )
    .await;
    say(&peer, &server, "wmS", "意式咖啡机有推荐吗？").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmS").await.len(), 1);
    let told = transcript(data.path(), server, "wmS").await;
    let what = [
        "\"event\":\"taken\",\"rep\":\"li\"",
        "我是小李",
        "意式咖啡机",
    ];
    let places = what.map(|what| told.find(what).unwrap_or_else(|| panic!("{what}: {told}")));
    assert!(places.is_sorted(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_whose_token_is_over_before_wecom_answers_is_followed_without_it() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    peer.until("the polls of the start", async || {
        (peer.calls("kf/sync_msg").await >= 2).then_some(())
    })
    .await;
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
async fn a_draft_that_is_refused_because_a_person_has_it_is_dropped_and_never_tried_again() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "wmL", "你好", 1).await;
    // The person comes while the message is on its way, and no event tells.
    peer.sim("fault", json!({"name": "kf/send_msg", "slow": 2}))
        .await;
    let sends = peer.calls("kf/send_msg").await;
    say(&peer, &server, "wmL", "意式咖啡机有推荐吗？").await;
    let sending = async || (peer.calls("kf/send_msg").await > sends).then_some(());
    peer.until("the send", sending).await;
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
async fn a_company_without_a_desk_keeps_the_conversation_here_after_a_handoff() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    peer.sim("desk", json!({"servicers": []})).await;
    let server = serve(&peer, data.path(), &[]);
    let person = ask(&peer, &server, "wmM", "转人工", 1).await;
    assert!(words(&person[0]).contains("同事"), "{person:?}");
    until_logged(data.path(), "95014").await;
    assert_eq!(peer.session("wmM").await, json!(1));
    ask(&peer, &server, "wmM", "在吗", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_in_the_pool_is_not_answered_here_and_comes_back_when_it_ends() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "wmN", "转人工", 1).await;
    until_in_pool(&peer, "wmN").await;
    say(&peer, &server, "wmN", "在吗").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmN").await.len(), 1);
    act(&peer, &server, "take", "wmN", json!({})).await;
    act(&peer, &server, "end", "wmN", json!({})).await;
    ask(&peer, &server, "wmN", "意式咖啡机有推荐吗？", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_brings_the_agent_back_though_nobody_here_knew_that_it_lay_in_the_pool() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    // It is done all the same, so that what is known here is not so.
    let wrong = json!({"name": "kf/service_state/trans", "code": 95014, "after": true});
    ask(&peer, &server, "wmU", "你好", 1).await;
    peer.sim("fault", wrong).await;
    ask(&peer, &server, "wmU", "转人工", 1).await;
    until_in_pool(&peer, "wmU").await;
    act(&peer, &server, "end", "wmU", json!({})).await;
    ask(&peer, &server, "wmU", "意式咖啡机有推荐吗？", 1).await;
    // Of what nobody of the desk has, an end changes nothing.
    act(&peer, &server, "end", "wmU", json!({})).await;
    ask(&peer, &server, "wmU", "在吗", 1).await;
    let told = transcript(data.path(), server, "wmU").await;
    assert_eq!(told.matches("handed_back").count(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_of_which_nobody_can_tell_is_asked_for_again() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "wmY", "你好", 1).await;
    let taken = peer.calls("kf/service_state/trans").await;
    let cut = json!({"name": "kf/service_state/trans", "cut": true, "after": true});
    peer.sim("fault", cut).await;
    let looks = peer.calls("kf/service_state/get").await;
    ask(&peer, &server, "wmY", "转人工", 1).await;
    // The second time WeCom is asked first, and has it already.
    let again = async || (peer.calls("kf/service_state/get").await >= looks + 2).then_some(());
    peer.until("a second look", again).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.session("wmY").await, json!(2));
    assert_eq!(peer.calls("kf/service_state/trans").await, taken + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_is_not_asked_for_once_a_rep_has_the_conversation() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeComPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    ask(&peer, &server, "wmZ", "你好", 1).await;
    let busy = json!({"name": "kf/service_state/trans", "times": 4});
    peer.sim("fault", busy).await;
    ask(&peer, &server, "wmZ", "转人工", 1).await;
    let tried = async || (peer.calls("kf/service_state/trans").await >= 2).then_some(());
    peer.until("a try", tried).await;
    let conversation = format!("wecom:{ACCOUNT}.wmZ");
    desk.rep(&conversation, 1, RepAction::Take).await;
    until_counted(&server, "silenced", 1).await;
    assert_eq!(peer.session("wmZ").await, json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_welcome_that_comes_too_late_is_said_like_anything_else() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    // Somebody who wrote before, and whose code is over when it is read.
    ask(&peer, &server, "wmO", "转人工", 1).await;
    until_in_pool(&peer, "wmO").await;
    act(&peer, &server, "end", "wmO", json!({})).await;
    ask(&peer, &server, "wmO", "你好", 1).await;
    let past = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let past = past.unwrap().as_secs() - 25;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_did_not_arrive_is_reported_under_the_id_it_left_with() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
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
async fn after_a_report_of_one_too_many_a_reps_words_wait_for_the_customer() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeComPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    let sent = ask(&peer, &server, "wmA2", "你好", 1).await;
    let conversation = format!("wecom:{ACCOUNT}.wmA2");
    desk.rep(&conversation, 1, RepAction::Take).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let soon = now.unwrap().as_secs() + 2;
    // Refused for good, which is no matter of the window; then one too many.
    for (kind, count) in [(10, 1), (6, 2)] {
        let report = json!({"msgid": sent[0]["msgid"], "type": kind, "sent": soon});
        act(&peer, &server, "fail", "wmA2", report).await;
        until_counted(&server, "undelivered", count).await;
        desk.rep_says(&conversation, 1 + count).await;
        peer.sent_at_least("wmA2", 2).await;
    }
    until_counted(&server, "window_closed", 1).await;
    assert_eq!(peer.sent("wmA2").await.len(), 2);
    // What the customer writes is at a later second than the report.
    peer.until("that second", async || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        (now.unwrap().as_secs() > soon).then_some(())
    })
    .await;
    ask(&peer, &server, "wmA2", "在吗", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_products_name_reaches_the_customer_as_it_is_whatever_is_in_it() {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hostile = "_*[] ()~`>#+-=|{}.!]]>";
    shop(dir.path(), |products| {
        products.replace("山岚 Duo", &format!("山岚 Duo {hostile}"))
    });
    let peer = WeComPeer::start(&[]);
    let at = dir.path().to_str().unwrap();
    let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", at)]);
    let offer = ask(&peer, &server, "wmR", "意式咖啡机有推荐吗？", 1).await;
    let words = words(&offer[0]);
    assert!(words.contains(hostile), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_see_or_hear_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    for (at, (kind, fields, answer)) in [
        ("image", json!({"media_id": "m"}), "照片"),
        ("voice", json!({"media_id": "m"}), "语音"),
        ("channels_shop_order", json!({"order_id": "o"}), ""),
        ("of_a_later_year", json!({}), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let what = json!({"kind": kind, "fields": fields});
        act(&peer, &server, "say", "wmQ", what).await;
        let sent = peer.sent_at_least("wmQ", at + 1).await;
        assert!(words(&sent[at]).contains(answer), "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_wecom_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let check = |settings: &str| {
        let url = &peer.url;
        let account = format!(
            "[channels.wecom]\napi_url = \"{url}\"\ntoken = \"{TOKEN}\"\naes_key = \"{AES_KEY}\""
        );
        let told = doctor(data.path(), &format!("{account}\n{settings}"));
        assert!(!told.contains(SECRET), "{told}");
        told
    };
    let id = format!("corp_id = \"{CORP_ID}\"\n");
    let secret = format!("secret = \"{SECRET}\"\n");
    assert!(check(&id).contains("needs `channels.wecom.secret`"));
    let right = check(&format!("{id}{secret}"));
    assert!(
        right.contains("gives a token") && right.contains("山岚客服"),
        "{right}"
    );
    peer.sim("unmanaged", json!({"accounts": [OTHER_ACCOUNT]}))
        .await;
    let unmanaged = check(&format!("{id}{secret}"));
    assert!(
        unmanaged.contains("Ridge Office") && unmanaged.contains("通过API管理微信客服账号"),
        "{unmanaged}"
    );
    peer.sim("unmanaged", json!({"accounts": []})).await;
    let wrong = check(&format!("{id}secret = \"other\"\n"));
    assert!(
        wrong.contains("40001") && wrong.contains("check channels.wecom.secret"),
        "{wrong}"
    );
    let strange = check(&format!("corp_id = \"ww0\"\n{secret}"));
    assert!(
        strange.contains("check channels.wecom.corp_id"),
        "{strange}"
    );
}
