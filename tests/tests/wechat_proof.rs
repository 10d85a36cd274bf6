//! Who is believed to be WeChat: signatures in each of its three modes, over the words and without them, and keys while they are changed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use tests::redis_server::Redis;
use tests::served::QUIET;
use tests::served::wechat::{PASSIVE, hook, posted, say, seen, serve};
use tests::wechat_peer::{AES_KEY, WeChatPeer};

/// An account in 明文模式.
const PLAIN: (&str, &str) = ("TIANSHENG_CHANNELS__WECHAT__AES_KEY", "");

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_for_another_account_or_is_a_bomb_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    // So that WeChat lets the shop write.
    say(&peer, &server, "oFo", "你好").await;
    peer.sent_at_least("oFo", 1).await;
    let sealed = async |more: Value| {
        let mut act = json!({"from": "oFo", "text": "你好", "safe": true});
        act.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let sealed = peer.sim("sealed", act).await;
        let body = sealed["body"].as_str().unwrap().to_owned();
        (sealed["query"].clone(), body)
    };
    let (query, body) = sealed(json!({"app_id": "wx0000000000000000"})).await;
    assert_eq!(posted(&server, &query, &body).await, 401);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><xml><ToUserName>g</ToUserName><FromUserName>oFo</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType><MsgId>1</MsgId><Content>&b;</Content></xml>";
    let (query, body) = sealed(json!({"raw": bomb})).await;
    assert_eq!(posted(&server, &query, &body).await, 400);
    // One letter of the cipher changed, and the same cipher under another time.
    let (query, body) = sealed(json!({})).await;
    let tampered = body.replacen("<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1);
    assert_eq!(posted(&server, &query, &tampered).await, 401);
    let (other, _) = sealed(json!({})).await;
    assert_eq!(posted(&server, &other, &body).await, 401);
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oFo").await.len(), 1);
    // As it was made, it is taken.
    assert_eq!(posted(&server, &query, &body).await, 200);
    peer.sent_at_least("oFo", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_of_a_plain_delivery_carries_no_other_words() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(
        &peer,
        data.path(),
        &[("TIANSHENG_CHANNELS__WECHAT__AES_KEY", "")],
    );
    // So that WeChat lets the shop write.
    let act = json!({"url": hook(&server), "from": "oPl", "text": "你好"});
    peer.sim("text", act).await;
    peer.sent_at_least("oPl", 1).await;
    let sealed = peer
        .sim("sealed", json!({"from": "oPl", "text": "转人工"}))
        .await;
    let (query, body) = (&sealed["query"], sealed["body"].as_str().unwrap());
    assert_eq!(posted(&server, query, body).await, 200);
    // WeChat repeats what it got no answer for; whoever has read the address cannot say more with it.
    assert_eq!(posted(&server, query, body).await, 200);
    let other = body.replace("转人工", "你好");
    assert_eq!(posted(&server, query, &other).await, 401);
    peer.sent_at_least("oPl", 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oPl").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_one_replica_has_seen_carries_no_other_words_to_another_or_after_a_restart()
 {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [PLAIN, ("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    for who in ["oRp", "oVi"] {
        let act = json!({"url": hook(&first), "from": who, "text": "你好"});
        peer.sim("text", act).await;
        peer.sent_at_least(who, 1).await;
    }
    let sealed = json!({"from": "oRp", "text": "转人工"});
    let sealed = peer.sim("sealed", sealed).await;
    let (query, body) = (&sealed["query"], sealed["body"].as_str().unwrap());
    assert_eq!(posted(&first, query, body).await, 200);
    peer.sent_at_least("oRp", 2).await;
    // What WeChat repeats goes to any of them.
    assert_eq!(posted(&second, query, body).await, 200);
    let words = body.replace("转人工", "你好");
    let another = body.replace("oRp", "oVi");
    for other in [&words, &another] {
        assert_eq!(posted(&second, query, other).await, 401);
        assert_eq!(posted(&first, query, other).await, 401);
    }
    second.kill();
    let again = tempfile::tempdir().unwrap();
    let second = serve(&peer, again.path(), &settings);
    for other in [&words, &another] {
        assert_eq!(posted(&second, query, other).await, 401);
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oRp").await.len(), 2);
    assert_eq!(peer.sent("oVi").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_knows_a_signature_after_its_restart() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PLAIN]);
    let sealed = peer.sim("sealed", json!({"from": "oRs", "text": "你好"}));
    let sealed = sealed.await;
    let (query, body) = (&sealed["query"], sealed["body"].as_str().unwrap());
    assert_eq!(posted(&server, query, body).await, 200);
    server.kill();
    let server = serve(&peer, data.path(), &[PLAIN]);
    let other = body.replace("你好", "转人工");
    assert_eq!(posted(&server, query, &other).await, 401);
    assert_eq!(posted(&server, query, body).await, 200);
}

/// A query whose field says something else; without one, it is not there.
fn with(query: &Value, name: &str, value: Option<&str>) -> Value {
    let mut query = query.clone();
    let fields = query.as_object_mut().unwrap();
    match value {
        Some(value) => fields.insert(name.to_owned(), json!(value)),
        None => fields.remove(name),
    };
    query
}

#[tokio::test(flavor = "multi_thread")]
async fn in_each_mode_a_delivery_needs_the_signature_of_that_mode() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let peer = WeChatPeer::start(&[]);
    let plain = serve(&peer, one.path(), &[PASSIVE, PLAIN]);
    let safe = serve(&peer, two.path(), &[PASSIVE]);
    let sealed = async |safe: bool| {
        let act = json!({"from": "oMo", "text": "你好", "safe": safe});
        let sealed = peer.sim("sealed", act).await;
        let body = sealed["body"].as_str().unwrap().to_owned();
        (sealed["query"].clone(), body)
    };
    let wrong = "0".repeat(40);
    let (query, body) = sealed(false).await;
    for signature in [Some(wrong.as_str()), Some(""), None] {
        let query = with(&query, "signature", signature);
        assert_eq!(posted(&plain, &query, &body).await, 401, "{signature:?}");
    }
    // The number that was signed is another.
    let moved = with(&query, "nonce", Some("1"));
    assert_eq!(posted(&plain, &moved, &body).await, 401);
    assert_eq!(posted(&plain, &query, &body).await, 200);
    // A key is set, so plain words prove nothing, however they are signed.
    assert_eq!(posted(&safe, &query, &body).await, 401);
    let (query, body) = sealed(true).await;
    for name in ["signature", "msg_signature"] {
        for signature in [Some(wrong.as_str()), Some(""), None] {
            let query = with(&query, name, signature);
            assert_eq!(posted(&safe, &query, &body).await, 401, "{name}");
        }
    }
    assert_eq!(posted(&safe, &query, &body).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_plain_and_encrypted_words_come_together_a_key_makes_the_encrypted_ones_count() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let peer = WeChatPeer::start(&[]);
    let with_key = serve(&peer, one.path(), &[]);
    let without = serve(&peer, two.path(), &[PLAIN]);
    // So that WeChat lets the shops write; one account each.
    let greeted = async |server, who: &str, safe: bool| {
        let act = json!({"url": hook(server), "from": who, "text": "你好", "safe": safe});
        peer.sim("text", act).await;
        peer.sent_at_least(who, 1).await;
    };
    greeted(&with_key, "oKe", true).await;
    greeted(&without, "oNo", false).await;
    for (server, who, is_sealed) in [(&with_key, "oKe", true), (&without, "oNo", false)] {
        // 兼容模式: what anybody may write stands beside what only WeChat can.
        let sealed = json!({"from": who, "text": "意式咖啡机有推荐吗？", "safe": true});
        let sealed = peer.sim("sealed", sealed).await;
        let plain = format!(
            "<FromUserName><![CDATA[{who}]]></FromUserName><CreateTime>{}</CreateTime>\
             <MsgType><![CDATA[text]]></MsgType><Content><![CDATA[转人工]]></Content>\
             <MsgId>{}</MsgId></xml>",
            sealed["query"]["timestamp"].as_str().unwrap(),
            7_000_000 + i64::from(is_sealed),
        );
        let body = sealed["body"].as_str().unwrap().replace("</xml>", &plain);
        assert_eq!(posted(server, &sealed["query"], &body).await, 200);
        let sent = peer.sent_at_least(who, 2).await[1..].to_vec();
        let words = json!(sent).to_string();
        assert_eq!(words.contains('¥'), is_sealed, "{words}");
        assert_eq!(words.contains("同事"), !is_sealed, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_key_is_changed_deliveries_under_either_are_taken_and_answered_under_theirs() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let peer = WeChatPeer::start(&[]);
    let other = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    // WeChat still writes with the one before, or already with the new one.
    let before = format!("{other},{AES_KEY}");
    let after = format!("{AES_KEY},{other}");
    for (data, keys) in [(&one, before), (&two, after)] {
        let keys = ("TIANSHENG_CHANNELS__WECHAT__AES_KEY", keys.as_str());
        let server = serve(&peer, data.path(), &[PASSIVE, keys]);
        let greeting = seen(&peer, &server, "oRo", "你好").await;
        assert!(greeting.contains("AI"), "{greeting}");
    }
    // Once it is taken out, nobody is believed with it.
    let data = tempfile::tempdir().unwrap();
    let only = ("TIANSHENG_CHANNELS__WECHAT__AES_KEY", other);
    let server = serve(&peer, data.path(), &[PASSIVE, only]);
    let refused = say(&peer, &server, "oRo", "你好").await;
    assert_eq!(refused[0]["status"], 401, "{refused}");
}

/// A key that was mistyped would otherwise be seen by customers only.
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_no_key_opens_are_told_once_with_the_settings_to_mend() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let another = AES_KEY.chars().rev().collect::<String>();
    let settings = [("TIANSHENG_CHANNELS__WECHAT__AES_KEY", another.as_str())];
    let server = serve(&peer, data.path(), &settings);
    for _ in 0..3 {
        let act = json!({"from": "oKey", "text": "你好", "safe": true});
        let sealed = peer.sim("sealed", act).await;
        let body = sealed["body"].as_str().unwrap();
        assert_eq!(posted(&server, &sealed["query"], body).await, 401);
    }
    let log = std::fs::read_to_string(data.path().join(tests::binary::LOG)).unwrap();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("a delivery is refused"))
        .collect();
    let [line] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        line.contains("channels.wechat.aes_key") && line.contains("opens it"),
        "{line}"
    );
    assert!(!log.contains(&another) && !log.contains("你好"), "{log}");
}
