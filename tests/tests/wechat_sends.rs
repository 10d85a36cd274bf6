//! What leaves an official account over the customer-service API, and what each answer of WeChat's means for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use serde_json::{Value, json};
use tests::binary::free_port;
use tests::redis_server::Redis;
use tests::served::wechat::{ask, is_secret, posted, say, serve};
use tests::served::{Desk, QUIET, logged, sends, until_counted};
use tests::wechat_peer::{WeChatPeer, words};

#[tokio::test(flavor = "multi_thread")]
async fn one_new_token_serves_all_sends_when_the_old_one_ends() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "oJ", "你好", 1).await;
    assert_eq!(peer.calls("stable_token").await, 1);
    peer.sim("expire", json!({})).await;
    let people: Vec<String> = (0..20).map(|n| format!("oJ{n}")).collect();
    let said = people.iter().map(|who| say(&peer, &server, who, "你好"));
    futures_util::future::join_all(said).await;
    for who in &people {
        peer.sent_at_least(who, 1).await;
    }
    assert_eq!(peer.calls("stable_token").await, 2);
    tokio::time::sleep(QUIET).await;
    for who in &people {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_one_token_and_its_one_successor() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let servers = [
        serve(&peer, one.path(), &settings),
        serve(&peer, two.path(), &settings),
    ];
    for expiry in 0..2 {
        let people: Vec<String> = (0..20).map(|n| format!("oS{expiry}{n}")).collect();
        let said = people.iter().enumerate().map(|(n, who)| {
            let server = &servers[n % servers.len()];
            say(&peer, server, who, "你好")
        });
        futures_util::future::join_all(said).await;
        for who in &people {
            peer.sent_at_least(who, 1).await;
        }
        assert_eq!(peer.calls("stable_token").await, 1 + expiry);
        peer.sim("expire", json!({})).await;
    }
    for server in [one.path(), two.path()] {
        assert!(!is_secret(&logged(server)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_wechat_to_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let fault = async |mut fault: Value| {
        fault["name"] = json!("message/custom/send");
        peer.sim("fault", fault).await;
    };
    // Busy, or broken on the way in: again, once.
    fault(json!({"code": -1, "reason": "system error"})).await;
    assert_eq!(ask(&peer, &server, "oK", "你好", 1).await.len(), 1);
    fault(json!({"status": 502})).await;
    assert_eq!(ask(&peer, &server, "oL", "你好", 1).await.len(), 1);
    // Out of time, and not following: given up, and the next one is served.
    fault(json!({"code": 45015, "reason": "response out of time limit"})).await;
    say(&peer, &server, "oM", "你好").await;
    until_counted(&server, &sends("wechat", "window_closed"), 1).await;
    fault(json!({"code": 43004, "reason": "require subscribe"})).await;
    say(&peer, &server, "oN", "你好").await;
    until_counted(&server, &sends("wechat", "blocked"), 1).await;
    assert_eq!(ask(&peer, &server, "oM", "转人工", 1).await.len(), 1);
    // Cut off after WeChat acted: nobody can tell, so it is not said again.
    fault(json!({"cut": true, "after": true})).await;
    say(&peer, &server, "oO", "你好").await;
    until_counted(&server, &sends("wechat", "unknown"), 1).await;
    tokio::time::sleep(QUIET).await;
    for who in ["oK", "oL", "oO"] {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
    assert_eq!(peer.sent("oN").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_refuses_for_good_is_named_and_what_time_heals_is_said_later() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let outcome = async |who: &str, code: i64, outcome: &str, count: u64| {
        let fault = json!({"name": "message/custom/send", "code": code, "reason": "r"});
        peer.sim("fault", fault).await;
        say(&peer, &server, who, "你好").await;
        until_counted(&server, &sends("wechat", outcome), count).await;
    };
    // Not known to the account; too long, though there is nothing to cut.
    outcome("oP1", 40003, "blocked", 1).await;
    outcome("oP2", 45002, "permanent", 1).await;
    // Counted out: what is left is said at the next message, before its answer.
    outcome("oP4", 45047, "window_closed", 1).await;
    assert_eq!(peer.sent("oP4").await.len(), 0);
    let sent = ask(&peer, &server, "oP4", "转人工", 2).await;
    assert!(words(&sent[0]).contains("AI") && !words(&sent[1]).contains("AI"));
    // An address that is not on the list is put there sooner or later.
    outcome("oP5", 40164, "retry", 1).await;
    peer.sent_at_least("oP5", 1).await;
    // The account may not use the API: it is told once, and what was said waits until it may.
    let fault = json!({"name": "message/custom/send", "code": 48001, "reason": "r", "times": 3});
    peer.sim("fault", fault).await;
    say(&peer, &server, "oP3", "你好").await;
    peer.sent_at_least("oP3", 1).await;
    let log = logged(data.path());
    let advice = "set channels.wechat.customer_service to false";
    assert_eq!(
        log.matches(advice).count(),
        1,
        "an operator reads what to do, once"
    );
    // The day's quota is over: it waits, and is not lost.
    outcome("oP6", 45009, "retry", 5).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oP6").await.len(), 0);
    for who in ["oP1", "oP2"] {
        assert_eq!(peer.sent(who).await.len(), 0, "{who}");
        assert_eq!(ask(&peer, &server, who, "转人工", 1).await.len(), 1);
    }
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_reach_wechat_leaves_later_and_what_was_cut_off_does_not_leave_again() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let arguments = ["--port", port.as_str()];
    let peer = WeChatPeer::start(&arguments);
    let server = serve(&peer, data.path(), &[]);
    let fault = async |mut fault: Value| {
        fault["name"] = json!("message/custom/send");
        peer.sim("fault", fault).await;
    };
    // Cut off before WeChat acted looks the same as after it.
    fault(json!({"cut": true})).await;
    say(&peer, &server, "oCu", "你好").await;
    until_counted(&server, &sends("wechat", "unknown"), 1).await;
    // The minute's quota is over: a minute later it is not.
    fault(json!({"code": 45011, "reason": "api minute-quota reach limit"})).await;
    say(&peer, &server, "oMi", "你好").await;
    until_counted(&server, &sends("wechat", "retry"), 1).await;
    tokio::time::sleep(QUIET * 2).await;
    assert_eq!(
        peer.sent("oMi").await.len(),
        0,
        "it waits for the minute's end"
    );
    assert_eq!(peer.sent("oCu").await.len(), 0);
    // Nothing is there when the answer is ready.
    let sealed = json!({"from": "oDo", "text": "你好", "safe": true});
    let sealed = peer.sim("sealed", sealed).await;
    drop(peer);
    let body = sealed["body"].as_str().unwrap();
    assert_eq!(posted(&server, &sealed["query"], body).await, 200);
    until_counted(&server, &sends("wechat", "retry"), 3).await;
    let peer = WeChatPeer::start(&arguments);
    for who in ["oDo", "oMi"] {
        peer.sim("allow", json!({"from": who})).await;
    }
    peer.sent_at_least("oDo", 1).await;
    peer.sent_at_least("oMi", 1).await;
    tokio::time::sleep(QUIET).await;
    for who in ["oDo", "oMi"] {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_2048_bytes_is_one_message_and_a_longer_one_is_cut_between_characters() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    let whole = format!("{}ab", "字".repeat(682));
    let texts = [
        (whole.clone(), 1),
        (format!("{whole}c"), 2),
        // The border falls into a family of four.
        (format!("{}{family}。", "字".repeat(680)), 2),
        (format!("{}😀😀", "字".repeat(681)), 2),
    ];
    assert_eq!(texts[0].0.len(), 2048);
    for (number, (text, messages)) in texts.iter().enumerate() {
        let who = format!("oLe{number}");
        ask(&peer, &server, &who, "你好", 1).await;
        let conversation = format!("wechat:{who}");
        desk.rep(&conversation, 0, RepAction::Take).await;
        desk.rep(&conversation, 1, RepAction::Say { text: text.clone() })
            .await;
        let sent = peer.sent_at_least(&who, 1 + messages).await;
        let pieces: Vec<String> = sent[1..].iter().map(words).collect();
        assert_eq!(pieces.concat(), *text, "nothing is lost");
        assert_eq!(pieces.len(), *messages);
        assert!(pieces.iter().all(|piece| piece.len() <= 2048));
        assert!(!text.contains(family) || pieces.iter().any(|piece| piece.contains(family)));
    }
}

/// A shop of one product that has a picture and no page.
fn shop_with_a_picture(peer: &WeChatPeer, name: &str) -> tempfile::TempDir {
    let shop = tempfile::tempdir().unwrap();
    let head = "id\ttitle\tdescription\timage_link\tavailability\tprice\tproduct_type";
    let row = format!(
        "a1\t青瓷手冲壶\t一壶\t{}/pictures/{name}\tin_stock\t299.00 CNY\t手冲壶",
        peer.url
    );
    std::fs::write(shop.path().join("products.tsv"), format!("{head}\n{row}\n")).unwrap();
    std::fs::write(shop.path().join("shop.yaml"), "name: 小店\ncurrency: CNY\n").unwrap();
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn words_do_not_wait_for_a_picture_that_hangs_or_is_not_taken() {
    let peer = WeChatPeer::start(&[]);
    let shops = ["hanging.png", "a.png"].map(|name| shop_with_a_picture(&peer, name));
    let [hanging, busy] = shops.each_ref().map(|shop| {
        let at = shop.path().display().to_string();
        let data = tempfile::tempdir().unwrap();
        let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", &at)]);
        (server, data)
    });
    let sent = ask(&peer, &hanging.0, "oHg", "有手冲壶吗", 1).await;
    assert!(words(&sent[0]).contains("¥299"), "{sent:?}");
    let fault = |times: usize| json!({"name": "media/upload", "code": -1, "times": times});
    peer.sim("fault", fault(2)).await;
    let sent = ask(&peer, &busy.0, "oBs", "有手冲壶吗", 1).await;
    assert!(words(&sent[0]).contains("¥299"), "{sent:?}");
    // Busy once is not busy for good.
    peer.sim("fault", fault(1)).await;
    let sent = ask(&peer, &busy.0, "oBt", "有手冲壶吗", 2).await;
    assert_eq!(sent[0]["msgtype"], "image", "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_token_stays_refused_is_tried_at_long_intervals() {
    let peer = WeChatPeer::start(&[]);
    let shop = shop_with_a_picture(&peer, "a.png");
    let at = shop.path().display().to_string();
    let data = tempfile::tempdir().unwrap();
    let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", &at)]);
    let fault = json!({"name": "media/upload", "code": 40001, "times": 20});
    peer.sim("fault", fault).await;
    say(&peer, &server, "oTk", "有手冲壶吗").await;
    peer.called("media/upload", 3).await;
    tokio::time::sleep(QUIET * 2).await;
    let uploads = peer.calls("media/upload").await;
    assert!(uploads <= 4, "{uploads} uploads within seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_without_a_page_is_uploaded_once_for_all_who_are_shown_it() {
    let peer = WeChatPeer::start(&[]);
    let shop = shop_with_a_picture(&peer, "a.png");
    let at = shop.path().display().to_string();
    let redis = Redis::start();
    let state = redis.url();
    let settings = [
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_SHOP__DIR", at.as_str()),
    ];
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    for (server, who) in [(&first, "oMa"), (&second, "oMb"), (&first, "oMc")] {
        let sent = ask(&peer, server, who, "有手冲壶吗", 2).await;
        assert_eq!(sent[0]["msgtype"], "image", "{sent:?}");
        assert!(words(&sent[1]).contains("¥299"), "{sent:?}");
    }
    assert_eq!(peer.calls("media/upload").await, 1);
    // WeChat keeps it for a time: once it is gone it is uploaded again.
    peer.sim("forget_media", json!({})).await;
    let sent = ask(&peer, &second, "oMd", "有手冲壶吗", 2).await;
    assert_eq!(sent[0]["msgtype"], "image", "{sent:?}");
    assert_eq!(peer.calls("media/upload").await, 2);
    // One that is not taken is left out, and the words are said.
    peer.sim("forget_media", json!({})).await;
    let fault = json!({"name": "media/upload", "code": 40009, "reason": "invalid image size"});
    peer.sim("fault", fault).await;
    let sent = ask(&peer, &second, "oMe", "有手冲壶吗", 1).await;
    assert!(words(&sent[0]).contains("¥299"), "{sent:?}");
}
