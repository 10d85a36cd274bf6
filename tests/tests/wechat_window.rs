//! What a WeChat customer may still be sent: five messages in two days, one of them kept for a person, and nothing that was said gets lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use serde_json::{Value, json};
use tests::served::wechat::{ask, hook, is_secret, say, serve};
use tests::served::{Desk, QUIET, logged, sends, until_counted};
use tests::wechat_peer::{WeChatPeer, line, words};

async fn all_words(peer: &WeChatPeer, who: &str) -> Vec<String> {
    peer.sent(who).await.iter().map(words).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sixth_message_waits_for_the_customer_and_is_said_first_then() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    ask(&peer, &server, "oA", "你好", 1).await;
    desk.rep("wechat:oA", 0, RepAction::Take).await;
    for number in 1..=6 {
        desk.rep_says("wechat:oA", number).await;
    }
    let sent = peer.sent_at_least("oA", 5).await;
    assert_eq!(words(&sent[4]), "同事说4");
    until_counted(&server, &sends("wechat", "window_closed"), 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(
        peer.calls("message/custom/send").await,
        5,
        "nothing is tried that WeChat would refuse"
    );
    say(&peer, &server, "oA", "在的").await;
    peer.sent_at_least("oA", 7).await;
    desk.rep_says("wechat:oA", 7).await;
    peer.sent_at_least("oA", 8).await;
    tokio::time::sleep(QUIET).await;
    let said = all_words(&peer, "oA").await;
    let expected: Vec<String> = (1..=7).map(|n| format!("同事说{n}")).collect();
    assert_eq!(said[1..], expected, "each once, in order");
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wechat_refuses_after_two_days_is_said_at_the_next_message() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    ask(&peer, &server, "oB", "你好", 1).await;
    desk.rep("wechat:oB", 0, RepAction::Take).await;
    // Only WeChat's clock says that two days have passed.
    peer.sim("clock", json!({"advance": 49 * 3600})).await;
    desk.rep_says("wechat:oB", 1).await;
    until_counted(&server, &sends("wechat", "window_closed"), 1).await;
    desk.rep_says("wechat:oB", 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oB").await.len(), 1);
    // A restart forgets nothing of it.
    server.kill();
    let again = tempfile::tempdir().unwrap();
    let server = serve(&peer, again.path(), &desk.settings());
    peer.sim("clock", json!({"advance": -49 * 3600})).await;
    say(&peer, &server, "oB", "在吗").await;
    peer.sent_at_least("oB", 3).await;
    assert_eq!(all_words(&peer, "oB").await[1..], ["同事说1", "同事说2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_leaves_one_message_to_a_person_and_the_handoff_takes_it() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    // A touch allows three in a minute; a reply is folded into two at most.
    let follow = json!({"url": hook(&server), "from": "oC", "event": "subscribe", "safe": true});
    peer.sim("event", follow).await;
    let greeting = peer.sent_at_least("oC", 1).await;
    let first: &Value = greeting.last().unwrap();
    assert!(words(first).contains("AI"), "{first}");
    let offer = ask(&peer, &server, "oC", "意式咖啡机有推荐吗？", 2).await;
    let compare = line(&offer[1], "比较前两款").unwrap();
    let before = peer.sent("oC").await.len();
    let press = json!({"url": hook(&server), "from": "oC", "text": "比较前两款", "safe": true,
        "fields": {"bizmsgmenuid": compare}});
    peer.sim("text", press).await;
    peer.sent_at_least("oC", before + 1).await;
    let lead = ask(&peer, &server, "oC", "转人工", 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    // The customer's words opened five: with the notice gone, a person has four.
    desk.rep("wechat:oC", 0, RepAction::Take).await;
    let before = peer.sent("oC").await.len();
    for number in 1..=4 {
        desk.rep_says("wechat:oC", number).await;
    }
    peer.sent_at_least("oC", before + 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_touch_a_reply_of_three_messages_is_folded_into_two_and_says_all() {
    let shop = tempfile::tempdir().unwrap();
    let head = "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\tproduct_type";
    let row = "a1\t青瓷手冲壶\t一壶\thttps://shop.example/a1\thttps://cdn.example/a1.png\tin_stock\t299.00 CNY\t手冲壶";
    std::fs::write(shop.path().join("products.tsv"), format!("{head}\n{row}\n")).unwrap();
    std::fs::write(shop.path().join("shop.yaml"), "name: 小店\ncurrency: CNY\n").unwrap();
    let at = shop.path().display().to_string();
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", &at)]);
    // Words open five messages: the graphic, the words and the menu each have their own.
    let whole = ask(&peer, &server, "oW", "青瓷手冲壶怎么样", 3).await;
    let kinds = |sent: &[Value]| -> Vec<Value> {
        sent.iter()
            .map(|message| message["msgtype"].clone())
            .collect()
    };
    assert_eq!(kinds(&whole), ["text", "news", "msgmenu"], "{whole:#?}");
    // A menu's line opens three, of which one is a person's.
    let touch = json!({"url": hook(&server), "from": "oT", "event": "CLICK",
        "fields": {"EventKey": "青瓷手冲壶怎么样"}, "safe": true});
    peer.sim("event", touch).await;
    let folded = peer.sent_at_least("oT", 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oT").await.len(), 2, "one is kept");
    assert_eq!(kinds(&folded), ["text", "msgmenu"], "{folded:#?}");
    let told = words(&folded[0]);
    assert!(
        told.contains("¥299") && told.contains("shop.example/a1"),
        "{told}"
    );
    let labels = |menu: &Value| menu["msgmenu"]["list"].clone();
    assert_eq!(labels(&folded[1]), labels(&whole[2]));
}
