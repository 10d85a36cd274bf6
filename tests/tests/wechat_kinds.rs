//! What comes to a WeChat official account besides words, what each form that leaves may hold, and how many may leave after a touch.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::wechat::{Account, WeChat};
use adapters::{
    Address, Body, Card, Channel as _, Choice, Delivery, KeptHere, Outbound, OutboundBody, Part,
    Price, Receipt, Speaker,
};
use bot::mail::RepAction;
use serde_json::{Value, json};
use std::sync::Arc;
use tests::peer::http;
use tests::served::wechat::{PASSIVE, ask, hook, say, seen, serve};
use tests::served::{Desk, QUIET, counted, sends, until_counted};
use tests::wechat_peer::{APP_ID, SECRET, TOKEN, WeChatPeer, shown, words};

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_message_is_answered_by_what_of_it_can_be_read() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let clip = json!({"MediaId": "m", "ThumbMediaId": "t"});
    let place = |label: &str| json!({"Location_X": "31.2", "Location_Y": "121.4", "Scale": "16", "Label": label});
    let link =
        json!({"Title": "意式咖啡机有推荐吗？", "Description": "d", "Url": "https://a.example/1"});
    let short = json!({"MediaId": "m", "ThumbMediaId": "t", "MsgType": "shortvideo"});
    for (kind, fields, answer) in [
        ("video", clip, "视频"),
        ("video", short, "视频"),
        ("location", place(""), "位置"),
        ("location", place("上海市静安区"), "位置"),
        // The words of a link are the customer's.
        ("link", link, "¥2,480"),
    ] {
        let act = json!({"url": hook(&server), "from": "oKi", "safe": true, "fields": fields});
        let answered = shown(&peer.sim(kind, act).await).unwrap_or_default();
        assert!(answered.contains(answer), "{kind}: {answered}");
    }
    assert!(server.stop().success());
    let records = bot::store::records::Records::in_folder(data.path());
    let records = records.await.unwrap();
    let entries = bot::store::RecordStore::events(&records, "wechat:oKi", 0, 1_000).await;
    let events: Vec<String> = entries
        .unwrap()
        .into_iter()
        .flat_map(|e| e.events)
        .collect();
    let transcript = events.join("\n");
    for what in [
        "\"video\"",
        "\"place\"",
        "上海市静安区",
        "https://a.example/1",
    ] {
        assert!(transcript.contains(what), "{what}: {transcript}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_a_follower_scans_reaches_the_brief_and_the_newest_counts() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "oSc", "你好", 1).await;
    for (created, scene) in [(1, "window-display"), (2, "winter-sale")] {
        let before = peer.sent("oSc").await.len();
        let scan = json!({"url": hook(&server), "from": "oSc", "event": "SCAN", "safe": true,
            "created": created, "fields": {"EventKey": scene, "Ticket": "t"}});
        peer.sim("event", scan).await;
        peer.sent_at_least("oSc", before + 1).await;
    }
    ask(&peer, &server, "oSc", "转人工", 1).await;
    server.stop();
    let records = bot::store::records::Records::in_folder(data.path());
    let records = records.await.unwrap();
    let handoffs = bot::store::RecordStore::handoffs(&records, "wechat:oSc").await;
    let brief: Value = serde_json::from_str(&handoffs.unwrap()[0].brief_json).unwrap();
    let first = &brief["lines"][0];
    assert_eq!(
        (&first["what"], &first["value"], &first["quote"]),
        (&json!("source"), &json!("scan"), &json!("winter-sale")),
        "{brief:#}"
    );
}

/// The peer refuses what is one too many, so nothing may be tried that it would refuse.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_follow_a_scan_or_a_touch_three_leave_and_the_fourth_waits_for_words() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    let waits = sends("wechat", "window_closed");
    let touches = [
        ("subscribe", json!({})),
        ("SCAN", json!({"EventKey": "12"})),
        ("CLICK", json!({"EventKey": "help:zh"})),
    ];
    for (number, (event, fields)) in touches.into_iter().enumerate() {
        let who = format!("oTo{number}");
        let act = json!({"url": hook(&server), "from": who, "event": event, "safe": true,
            "fields": fields});
        peer.sim("event", act).await;
        peer.sent_at_least(&who, 1).await;
        tokio::time::sleep(QUIET).await;
        let by_the_bot = peer.sent(&who).await.len();
        assert!(by_the_bot <= 2, "one is left to a person: {by_the_bot}");
        let before = peer.calls("message/custom/send").await;
        let waited = counted(&server, &waits).await;
        let conversation = format!("wechat:{who}");
        desk.rep(&conversation, 0, RepAction::Take).await;
        for said in 1..=4 {
            desk.rep_says(&conversation, said).await;
        }
        peer.sent_at_least(&who, 3).await;
        until_counted(&server, &waits, waited + 1).await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(peer.sent(&who).await.len(), 3, "{event}");
        let tried = peer.calls("message/custom/send").await - before;
        assert_eq!(tried, 3 - by_the_bot, "{event}: nothing is refused");
        // Words open five, and all that waits comes first.
        say(&peer, &server, &who, "在的").await;
        peer.sent_at_least(&who, by_the_bot + 4).await;
        let all: Vec<String> = peer.sent(&who).await.iter().map(words).collect();
        assert_eq!(
            all[by_the_bot..],
            ["同事说1", "同事说2", "同事说3", "同事说4"],
            "{event}"
        );
    }
}

/// The channel itself, over HTTP to the peer.
fn channel(peer: &WeChatPeer) -> WeChat {
    let account = Account {
        app_id: APP_ID.to_owned(),
        token: TOKEN.to_owned().into(),
        aes_keys: Vec::new(),
        app_secret: Some(SECRET.to_owned().into()),
        answer_in_time: false,
        api_url: peer.url.parse().unwrap(),
    };
    WeChat::new(&account, http(), Arc::new(KeptHere::default()))
}

fn message(id: &str, to: &str, parts: Vec<Part>) -> Outbound {
    Outbound {
        id: id.to_owned(),
        address: Address::new("wechat", to).unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(Body { parts }),
    }
}

fn text(text: String) -> Part {
    Part::Text { text }
}

/// Sends all pieces; how they were sent, and what came of each.
async fn sent(peer: &WeChatPeer, channel: &WeChat, message: &Outbound) -> Vec<Value> {
    let who = message.address.place();
    peer.sim("allow", json!({"from": who})).await;
    let before = peer.sent(who).await.len();
    let Delivery::Push { pieces, .. } = channel.deliver(message) else {
        panic!("it is not pushed");
    };
    for piece in 0..pieces {
        let receipt = channel.send(message, piece).await;
        assert!(matches!(receipt, Receipt::Sent { .. }), "{receipt:?}");
    }
    peer.sent(who).await[before..].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_is_filled_to_its_limit_and_what_is_one_longer_leaves_in_another_way() {
    let peer = WeChatPeer::start(&[]);
    let channel = channel(&peer);
    let choice = |id: &str, label: String| Choice {
        id: id.to_owned(),
        label,
    };
    let choices = |choices: Vec<Choice>| Part::Choices {
        choices,
        uncounted: false,
    };
    let kinds = |sent: &[Value]| -> Vec<String> {
        let kind = |message: &Value| message["msgtype"].as_str().unwrap().to_owned();
        sent.iter().map(kind).collect()
    };
    for (length, expected) in [
        (1_024, vec!["msgmenu"]),
        (1_025, vec!["text", "msgmenu"]),
        (2_048, vec!["text", "msgmenu"]),
        (2_049, vec!["text", "msgmenu"]),
    ] {
        let head = "z".repeat(length);
        let parts = vec![
            text(head.clone()),
            choices(vec![choice("a", "是".to_owned())]),
        ];
        let sent = sent(&peer, &channel, &message("head", "oHead", parts)).await;
        assert_eq!(kinds(&sent), expected, "{length}");
        let all: String = sent.iter().map(words).collect();
        assert_eq!(all.matches('z').count(), length, "nothing is lost");
    }
    // A line's label, its id, and the number of lines.
    for (length, shown) in [(42, 42), (43, 41)] {
        let label = "选".repeat(length);
        let id = "i".repeat(22 + length);
        let parts = vec![choices(vec![choice(&id, format!("{label}ab"))])];
        let sent = sent(&peer, &channel, &message("line", "oLine", parts)).await;
        let item = &sent[0]["msgmenu"]["list"][0];
        let label = item["content"].as_str().unwrap();
        assert_eq!(label.matches('选').count(), shown, "{label}");
        assert_eq!(item["id"] == json!(id), length == 42, "{item}");
    }
    for (count, expected) in [(10, vec!["msgmenu"]), (11, vec!["text"])] {
        let list = (0..count).map(|n| choice(&n.to_string(), format!("选{n}")));
        let parts = vec![choices(list.collect())];
        let sent = sent(&peer, &channel, &message("count", "oCount", parts)).await;
        assert_eq!(kinds(&sent), expected, "{count}");
        assert!(sent[0].to_string().contains(&format!("选{}", count - 1)));
    }
    // A graphic's title, its lines, and its address.
    let card = |title: usize, why: usize, address: usize| Card {
        id: "a".to_owned(),
        title: "题".repeat(title),
        price: Price {
            amount: "1.00".to_owned(),
            currency: "CNY".to_owned(),
        },
        was: None,
        link: Some(format!("https://a.example/{}", "p".repeat(address - 18))),
        image: Some("https://a.example/a.png".to_owned()),
        availability: "in_stock".to_owned(),
        why: vec!["因".repeat(why)],
    };
    for (card, is_graphic) in [
        (card(60, 100, 2_048), true),
        (card(61, 1, 20), true),
        (card(1, 400, 20), true),
        (card(1, 1, 2_049), false),
    ] {
        let title = card.title.chars().count();
        let parts = vec![Part::Products {
            products: vec![card],
        }];
        let message = message("card", "oCard", parts);
        if !is_graphic {
            // Its picture would have to be fetched; the words say the rest.
            let Delivery::Push { pieces, .. } = channel.deliver(&message) else {
                panic!("it is not pushed");
            };
            assert!(pieces > 1);
            continue;
        }
        let sent = sent(&peer, &channel, &message).await;
        assert_eq!(kinds(&sent), ["news"]);
        let article = &sent[0]["news"]["articles"][0];
        let shown = article["title"].as_str().unwrap();
        assert_eq!(shown.ends_with('…'), title > 60, "{shown}");
        assert!(article["description"].as_str().unwrap().chars().count() <= 120);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_wechat_finds_too_long_leaves_in_shorter_ones_each_once() {
    let peer = WeChatPeer::start(&[]);
    peer.sim("limit", json!({"text_bytes": 1_100})).await;
    let channel = channel(&peer);
    let sentences: String = (10..74).map(|n| format!("这是第{n}句话。")).collect();
    let words_of = |sent: &[Value]| sent.iter().map(words).collect::<String>();
    let long = message("long", "oLg", vec![text(sentences.clone())]);
    let whole = sent(&peer, &channel, &long).await;
    assert_eq!(whole.len(), 2, "{whole:?}");
    assert_eq!(words_of(&whole), sentences);
    // The second is refused for a while: what has left does not leave again.
    peer.sim("allow", json!({"from": "oLh"})).await;
    let long = message("again", "oLh", vec![text(sentences.clone())]);
    let second = json!({"name": "message/custom/send", "code": -1, "skip": 2});
    peer.sim("fault", second).await;
    let receipt = channel.send(&long, 0).await;
    assert_eq!(receipt, Receipt::TryAgain);
    assert_eq!(peer.sent("oLh").await.len(), 1);
    let receipt = channel.send(&long, 0).await;
    assert!(matches!(receipt, Receipt::Sent { .. }), "{receipt:?}");
    assert_eq!(words_of(&peer.sent("oLh").await), sentences);
    // What cannot be made short enough is given up, and named.
    peer.sim("limit", json!({"text_bytes": 100})).await;
    let long = message("never", "oLh", vec![text(sentences)]);
    let receipt = channel.send(&long, 0).await;
    assert!(
        matches!(&receipt, Receipt::Permanent { reason } if reason.starts_with("45002")),
        "{receipt:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_answers_a_text_of_2048_bytes_and_one_of_one_more_are_seen_whole() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeChatPeer::start(&[]), Desk::open());
    let mut settings = desk.settings().to_vec();
    settings.push(PASSIVE);
    let server = serve(&peer, data.path(), &settings);
    for (number, length) in [1_960, 1_961, 2_048, 2_049].into_iter().enumerate() {
        let who = format!("oAn{number}");
        let conversation = format!("wechat:{who}");
        seen(&peer, &server, &who, "你好").await;
        let said = format!("{}{}", "茶".repeat(length / 3), "a".repeat(length % 3));
        desk.rep(&conversation, 0, RepAction::Take).await;
        let words = RepAction::Say { text: said.clone() };
        desk.rep(&conversation, 1, words).await;
        let mut all = String::new();
        for _ in 0..20 {
            // The peer takes no answer that is too long.
            let text = seen(&peer, &server, &who, "在吗").await;
            assert!(text.len() <= 2_048);
            all.extend(text.chars().filter(|c| matches!(c, '茶' | 'a')));
            if all.len() >= said.len() {
                break;
            }
        }
        assert_eq!(all, said, "{length}");
    }
}
