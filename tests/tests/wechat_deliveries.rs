//! What WeChat delivers to an official account: once or often, early or late, real or forged, and with the process killed between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use bot::store::StateStore as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::binary::{Server, free_port};
use tests::peer::until;
use tests::redis_server::Redis;
use tests::served::wechat::{PASSIVE, hook, posted, say, seen, serve, serve_at};
use tests::served::{Desk, QUIET, accepted, until_counted};
use tests::wechat_peer::{WeChatPeer, shown};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How many seconds the platform waits for each answer: the last must only come, however busy the machine is.
const TURNED_AWAY_TWICE: [u64; 3] = [5, 5, 20];

#[tokio::test(flavor = "multi_thread")]
async fn repeated_deliveries_are_answered_once_and_forged_ones_never() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let url = hook(&server);
    let same = json!({"url": url, "from": "oD", "text": "你好", "safe": true, "id": 42});
    let (a, b, c) = tokio::join!(
        peer.sim("text", same.clone()),
        peer.sim("text", same.clone()),
        peer.sim("text", same.clone())
    );
    assert_eq!((shown(&a), shown(&b), shown(&c)), (None, None, None));
    let scan = json!({"url": url, "from": "oE", "event": "SCAN", "safe": true,
        "created": 0, "fields": {"EventKey": "12"}});
    peer.sim("event", scan.clone()).await;
    peer.sim("event", scan).await;
    peer.sent_at_least("oD", 1).await;
    peer.sent_at_least("oE", 1).await;
    let forged = json!({"url": url, "from": "oF", "text": "你好", "safe": true, "tampered": true});
    let plain = json!({"url": url, "from": "oF", "text": "你好"});
    for wrong in [forged, plain] {
        let delivery = peer.sim("text", wrong).await;
        assert_eq!(delivery[0]["status"], 401, "{delivery}");
    }
    let old = json!({"url": url, "forged": true});
    let refused = peer.sim("verify", old).await;
    assert_eq!(refused, json!({"status": 401, "echoed": false}));
    // A recording is worth nothing five minutes later.
    peer.sim("clock", json!({"advance": -400})).await;
    let late = say(&peer, &server, "oF", "你好").await;
    assert_eq!(late[0]["status"], 401, "{late}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oD").await.len(), 1);
    assert_eq!(peer.sent("oE").await.len(), 1);
    assert_eq!(peer.sent("oF").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_turn_whose_answer_is_shown_once() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [PASSIVE, ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "3000")];
    let server = serve(&peer, data.path(), &settings);
    let (a, b, c) = tokio::join!(
        say(&peer, &server, "oG", "你好"),
        say(&peer, &server, "oG", "我想买意式咖啡机"),
        say(&peer, &server, "oG", "预算三千以内")
    );
    let seen: Vec<String> = [a, b, c].iter().filter_map(shown).collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains('¥'), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_shown_at_the_next_message() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [
        PASSIVE,
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "26000"),
        ("TIANSHENG_MAILBOX__BURST_MAX_MS", "26000"),
    ];
    let server = serve(&peer, data.path(), &settings);
    let act = json!({"url": hook(&server), "from": "oH", "text": "意式咖啡机有推荐吗？",
        "safe": true, "patience": TURNED_AWAY_TWICE});
    let first = peer.sim("text", act).await;
    let tried = first.as_array().unwrap();
    assert_eq!(tried.len(), 3, "{first}");
    let is_turned_away = |tried: &Value| tried["timeout"] == true;
    assert!(tried[..2].iter().all(is_turned_away), "{first}");
    let first = shown(&first).unwrap();
    assert!(first.contains("请稍候"), "{first}");
    until_counted(&server, "turns_total{outcome=\"committed\"}", 1).await;
    let second = seen(&peer, &server, "oH", "好了吗").await;
    assert!(second.contains("¥2,480"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_ready_after_the_first_delivery_is_shown_in_the_second() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [
        PASSIVE,
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "6500"),
        ("TIANSHENG_MAILBOX__BURST_MAX_MS", "6500"),
    ];
    let server = serve(&peer, data.path(), &settings);
    let act = json!({"url": hook(&server), "from": "oW", "text": "意式咖啡机有推荐吗？",
        "safe": true, "patience": TURNED_AWAY_TWICE});
    let delivery = peer.sim("text", act).await;
    let tried = delivery.as_array().unwrap();
    assert!(tried.len() > 1, "{delivery}");
    assert_eq!(tried[0]["timeout"], true, "{delivery}");
    let offer = shown(&delivery).unwrap();
    assert!(
        offer.contains("¥2,480") && !offer.contains("请稍候"),
        "{offer}"
    );
    // What was shown is not shown again.
    let person = seen(&peer, &server, "oW", "转人工").await;
    assert!(!person.contains("¥2,480"), "{person}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_third_delivery_is_told_to_wait_whichever_replicas_have_the_three() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [
        PASSIVE,
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "60000"),
        ("TIANSHENG_MAILBOX__BURST_MAX_MS", "60000"),
    ];
    let peer = WeChatPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    // On a machine that is busy one may be told a little late, and is shown nothing; not three of three.
    let mut all = Vec::new();
    for id in 78..81 {
        let mut seen_by = Vec::new();
        for server in [&first, &second, &first] {
            // Each said anew, so that their time does not tell them apart.
            let act = json!({"url": hook(server), "from": format!("oTh{id}"), "safe": true,
                "text": "意式咖啡机有推荐吗？", "id": id, "attempts": 1});
            seen_by.push(peer.sim("text", act).await[0].clone());
        }
        for early in &seen_by[..2] {
            assert_eq!(early["timeout"], true, "{seen_by:?}");
        }
        if seen_by[2]["timeout"].is_null() {
            let told = seen_by[2]["shown"].as_str().unwrap();
            assert!(told.contains("请稍候"), "{told}");
            return;
        }
        all.push(seen_by);
    }
    panic!("no third delivery was told to wait: {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_bot_s_is_shown_after_somebody_took_over() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let mut settings = desk.settings().to_vec();
    settings.extend([PASSIVE, ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")]);
    let server = serve(&peer, data.path(), &settings);
    // WeChat goes away before the turn, so that what the bot says waits to be seen.
    let sealed = peer.sim(
        "sealed",
        json!({"from": "oTo", "text": "意式咖啡机有推荐吗？", "safe": true}),
    );
    let sealed = sealed.await;
    let body = sealed["body"].as_str().unwrap();
    let taken = accepted("wechat");
    tokio::select! {
        status = posted(&server, &sealed["query"], body) => panic!("answered before it was read: {status}"),
        () = until_counted(&server, &taken, 1) => {}
    }
    let of_the_bot = async |what: &str| {
        let feed = desk.state.feed("wechat:oTo", 0, 64).await.unwrap();
        feed.iter()
            .any(|item| item.data.contains(what))
            .then_some(())
    };
    until("the bot's words", || of_the_bot("¥2,480")).await;
    desk.rep("wechat:oTo", 0, RepAction::Take).await;
    desk.rep_says("wechat:oTo", 1).await;
    until("the rep's words", || of_the_bot("同事说1")).await;
    let after = seen(&peer, &server, "oTo", "在吗").await;
    assert_eq!(after, "同事说1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_delivery_that_comes_again_gets_what_it_got_though_a_newer_one_was_answered() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let act = json!({"url": hook(&server), "from": "oOl", "text": "你好", "safe": true, "id": 9});
    let first = shown(&peer.sim("text", act.clone()).await).unwrap();
    let second = seen(&peer, &server, "oOl", "多久能发货").await;
    assert!(!second.is_empty() && !second.contains(&first), "{second}");
    for _ in 0..2 {
        let again = shown(&peer.sim("text", act.clone()).await).unwrap();
        assert_eq!(again, first);
    }
    let third = seen(&peer, &server, "oOl", "意式咖啡机有推荐吗？").await;
    assert!(third.contains("¥2,480"), "{third}");
    assert!(
        !third.contains(&first) && !third.contains(&second),
        "{third}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_delivery_counts_from_its_beginning() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [
        PASSIVE,
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "60000"),
        ("TIANSHENG_MAILBOX__BURST_MAX_MS", "60000"),
    ];
    let server = serve(&peer, data.path(), &settings);
    let (slow, prompt) = tokio::join!(
        // The most of its time is gone before its words are there.
        answered_after(&peer, &server, "oSl", Duration::from_secs(4)),
        answered_after(&peer, &server, "oPr", Duration::ZERO)
    );
    assert!(
        slow + Duration::from_secs(2) < prompt,
        "{slow:?}, and {prompt:?} where the words came at once"
    );
}

/// How long after its words a delivery is answered whose words come so long after its head.
async fn answered_after(
    peer: &WeChatPeer,
    server: &Server,
    from: &str,
    wait: Duration,
) -> Duration {
    // By its own time it is the third: it is told to wait when its time is over.
    let sealed = json!({"from": from, "text": "你好", "safe": true, "created": 0});
    let sealed = peer.sim("sealed", sealed).await;
    let mut url = reqwest::Url::parse(&hook(server)).unwrap();
    for (name, value) in sealed["query"].as_object().unwrap() {
        url.query_pairs_mut()
            .append_pair(name, value.as_str().unwrap());
    }
    let body = sealed["body"].as_str().unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = tokio::net::TcpStream::connect((host, port)).await.unwrap();
    let head = format!(
        "POST {}?{} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        url.path(),
        url.query().unwrap(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(wait).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let sent = Instant::now();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("Encrypt"),
        "{answer}"
    );
    sent.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_again_gets_the_answer_it_got() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let act = json!({"url": hook(&server), "from": "oI", "text": "你好", "safe": true, "id": 7});
    let first = shown(&peer.sim("text", act.clone()).await).unwrap();
    let again = shown(&peer.sim("text", act).await).unwrap();
    assert_eq!(first, again);
    let other = seen(&peer, &server, "oI", "转人工").await;
    assert!(other.contains("同事") && !other.contains(&first), "{other}");
    // A person has it now: there is nothing to show, and nothing to wait for.
    let silent = say(&peer, &server, "oI", "在吗").await;
    assert!(
        shown(&silent).is_none_or(|text| !text.contains(&first)),
        "{silent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_answered_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let server = serve(&peer, data.path(), &settings);
    assert_eq!(shown(&say(&peer, &server, "oP", "你好").await), None);
    server.kill();
    assert_eq!(peer.sent("oP").await.len(), 0);
    let _server = serve(&peer, data.path(), &settings);
    peer.sent_at_least("oP", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oP").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_two_replicas_answers_whichever_ran_the_turn() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [PASSIVE, ("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    for customer in 0..12 {
        let from = format!("oQ{customer}");
        let (here, there) = match customer % 2 {
            0 => (&first, &second),
            _ => (&second, &first),
        };
        let greeting = seen(&peer, here, &from, "你好").await;
        assert!(
            !greeting.is_empty() && !greeting.contains("请稍候"),
            "{greeting}"
        );
        let person = seen(&peer, there, &from, "转人工").await;
        assert!(
            person.contains("同事") && !person.contains(&greeting),
            "{person}"
        );
    }
    // A burst over both is shown once.
    let (a, b) = tokio::join!(
        say(&peer, &first, "oR", "意式咖啡机有推荐吗？"),
        say(&peer, &second, "oR", "预算三千以内")
    );
    let offers: Vec<String> = [a, b].iter().filter_map(shown).collect();
    let texts: std::collections::BTreeSet<&String> = offers.iter().collect();
    assert_eq!(
        texts.len(),
        offers.len(),
        "nothing is shown twice: {offers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_in_another_order_is_heard_as_it_came_and_answered_once() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let server = serve(&peer, data.path(), &settings);
    let mut delivered = Vec::new();
    for (id, text) in [
        (2, "预算三千以内"),
        (1, "意式咖啡机有推荐吗？"),
        (2, "预算三千以内"),
    ] {
        let act =
            json!({"url": hook(&server), "from": "oOr", "text": text, "safe": true, "id": id});
        delivered.push(shown(&peer.sim("text", act).await));
    }
    assert_eq!(delivered, [None, None, None]);
    peer.sent_at_least("oOr", 2).await;
    tokio::time::sleep(QUIET * 2).await;
    let sent = peer.sent("oOr").await;
    let offers = sent.iter().map(|m| m.to_string().contains("¥2,480"));
    let offers: Vec<bool> = offers.collect();
    assert_eq!(offers, [true, false], "one offer and its menu: {sent:?}");
    assert!(server.stop().success());
    let records = bot::store::records::Records::in_folder(data.path());
    let records = records.await.unwrap();
    let entries = bot::store::RecordStore::events(&records, "wechat:oOr", 0, 1_000).await;
    let heard: Vec<String> = entries
        .unwrap()
        .into_iter()
        .flat_map(|e| e.events)
        .collect();
    let heard = heard.join("\n");
    let said = |text: &str| format!("\"said\":{{\"text\":\"{text}\"}}");
    let (budget, wish) = (said("预算三千以内"), said("意式咖啡机有推荐吗？"));
    for one in [&budget, &wish] {
        assert_eq!(heard.matches(one).count(), 1, "{one}: {heard}");
    }
    assert!(heard.find(&budget) < heard.find(&wish), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_durable_is_refused_and_comes_again_to_be_answered_once() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, one.path(), &settings);
    let plain = [settings[0], ("TIANSHENG_CHANNELS__WECHAT__AES_KEY", "")];
    let in_plain = serve(&peer, two.path(), &plain);
    for (who, server, safe) in [("oDu", &server, true), ("oDp", &in_plain, false)] {
        let act = |id: u64, text: &str| json!({"url": hook(server), "from": who, "text": text, "safe": safe, "id": id});
        peer.sim("text", act(1, "你好")).await;
        peer.sent_at_least(who, 1).await;
        let said = act(2, "转人工");
        redis.kill();
        let refused = peer.sim("text", said.clone()).await;
        assert_eq!(refused[0]["status"], 503, "{refused}");
        redis.up();
        // What comes next is taken as soon as the store is there again.
        let again = async || {
            let again = peer.sim("text", said.clone()).await;
            again[0]["status"].is_null().then_some(())
        };
        peer.until("a delivery that is taken", again).await;
        peer.sim("text", said).await;
        peer.sent_at_least(who, 2).await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(peer.sent(who).await.len(), 2, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_api_what_was_said_before_a_kill_is_shown_after_it() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [PASSIVE, ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "3000")];
    let port = free_port();
    let server = serve_at(port, &peer, data.path(), &settings);
    let act = json!({"url": hook(&server), "from": "oKp", "text": "意式咖啡机有推荐吗？",
        "safe": true, "id": 77});
    let delivery = {
        let (peer, act) = (&peer, act.clone());
        let say = peer.sim("text", act);
        let kill = async {
            // The turn is still to come.
            until_counted(&server, &accepted("wechat"), 1).await;
            server.kill();
            serve_at(port, peer, data.path(), &settings)
        };
        tokio::join!(say, kill)
    };
    let (delivery, server) = delivery;
    // WeChat delivers it again, and gets what was said for it, or the word that it comes.
    let delivery = delivery.as_array().unwrap().last().unwrap()["shown"].clone();
    let mut all = delivery.as_str().unwrap_or_default().to_owned();
    if !all.contains("¥2,480") {
        all = seen(&peer, &server, "oKp", "好了吗").await;
    }
    assert!(all.contains("¥2,480"), "{all}");
    let after = seen(&peer, &server, "oKp", "转人工").await;
    assert!(
        after.contains("同事") && !after.contains("¥2,480"),
        "{after}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn three_deliveries_of_one_message_at_once_show_one_reply() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let act = json!({"url": hook(&server), "from": "oCo", "text": "意式咖啡机有推荐吗？",
        "safe": true, "id": 4_561_255_354_251_345_929_u64});
    let three = (0..3).map(|_| peer.sim("text", act.clone()));
    let seen_by = futures_util::future::join_all(three).await;
    // WeChat shows what answers the newest of them, so each has the same or nothing.
    let offers: Vec<String> = seen_by
        .iter()
        .filter_map(shown)
        .filter(|text| text.contains("¥2,480"))
        .collect();
    assert!(!offers.is_empty(), "{seen_by:?}");
    assert!(offers.iter().all(|offer| *offer == offers[0]), "{offers:?}");
    let next = seen(&peer, &server, "oCo", "转人工").await;
    assert!(next.contains("同事") && !next.contains("¥2,480"), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_over_the_api_is_one_reply() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let server = serve(&peer, data.path(), &settings);
    let said =
        ["你好", "我想买意式咖啡机", "预算三千以内"].map(|text| say(&peer, &server, "oBu", text));
    futures_util::future::join_all(said).await;
    peer.sent_at_least("oBu", 2).await;
    tokio::time::sleep(QUIET).await;
    let sent = peer.sent("oBu").await;
    let offers = sent.iter().filter(|m| m.to_string().contains('¥')).count();
    assert_eq!(
        (sent.len(), offers),
        (2, 1),
        "one text and its menu: {sent:?}"
    );
}
