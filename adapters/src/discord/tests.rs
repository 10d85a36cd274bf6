//! Replies as Discord gets them, messages and interactions as they are read, and who signed them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::message::Here;
use super::*;
use crate::render::{Styled, markdown};
use crate::sample::{self, text};
use crate::{Arrival, Body, Card, Choice, FileKind, Inbound, InboundBody, KeptHere, Part};
use ed25519_dalek::{Signer as _, SigningKey};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::json;
use serenity::model::id::UserId;

const OWN: u64 = 99;

fn card(title: &str) -> Card {
    Card {
        image: Some("https://cdn.example/a.jpg".to_owned()),
        availability: "out_of_stock".to_owned(),
        why: vec!["价格在_预算_内".to_owned()],
        ..sample::card(title)
    }
}

fn choices(count: usize) -> Part {
    let choice = |n| Choice {
        id: format!("c{n}"),
        label: format!("第 {n} 个"),
    };
    Part::Choices {
        choices: (0..count).map(choice).collect(),
        uncounted: false,
    }
}

fn pieces(parts: Vec<Part>) -> Vec<Piece> {
    render::pieces(&Body { parts })
}

fn wire(piece: &Piece) -> serde_json::Value {
    json!(render::request(piece, "n".to_owned(), true))
}

#[test]
fn markdown_is_written_as_discords_and_nothing_in_a_text_marks_anything() {
    let check = |text: &str, expected: &str| {
        assert_eq!(markdown::written(&markdown(text)), [expected], "{text}");
    };
    check("**重点** 和 *斜体*", "**重点** 和 *斜体*");
    check(
        "- 一\n- [二](https://a.example/b_c)",
        "• 一\n• [二](<https://a.example/b_c>)",
    );
    check("看 https://a.example/b_c", "看 <https://a.example/b_c>");
    check("`a_b`", "`a_b`");
    check("a_b ~~c~~ |d| <@1> \\", r"a\_b \~\~c\~\~ \|d\| \<@1> \\");
    check("# 一\n> 二\n-# 三", "\\# 一\n\\> 二\n\\-# 三");
    check("价 #1 > 2 - 3", "价 #1 > 2 - 3");
    check(
        "a@b.example @everyone @here",
        "a@b.example @\u{200b}everyone @\u{200b}here",
    );
    check("[x](javascript:alert)", r"\[x\](javascript:alert)");
}

#[test]
fn words_cards_and_choices_are_one_message_while_they_follow_each_other() {
    let parts = vec![
        text("看这些："),
        Part::Products {
            products: vec![card("山_岚"), card("B")],
        },
        choices(3),
    ];
    let pieces = pieces(parts);
    assert_eq!(pieces.len(), 1);
    let sent = wire(&pieces[0]);
    assert_eq!(sent["content"], "看这些：");
    let embed = &sent["embeds"][0];
    assert_eq!(embed["title"], r"山\_岚");
    assert_eq!(embed["url"], "https://shop.example/p?a=1&b=2");
    assert_eq!(embed["image"]["url"], "https://cdn.example/a.jpg");
    let told = "¥12,680 · 暂时缺货\n• 价格在\\_预算\\_内";
    assert_eq!(embed["description"], told);
    assert_eq!(sent["components"][0]["components"][0]["custom_id"], "c0");
    assert_eq!(sent["allowed_mentions"]["parse"], json!([]));
    assert_eq!(
        (&sent["nonce"], &sent["enforce_nonce"]),
        (&json!("n"), &json!(true))
    );
    let without = json!(render::request(&pieces[0], "n".to_owned(), false));
    assert!(without["embeds"][0]["image"].is_null());
}

#[test]
fn choices_are_buttons_a_menu_or_numbers_as_many_as_they_are() {
    let rows = |count| wire(&pieces(vec![text("?"), choices(count)])[0])["components"].clone();
    assert_eq!(rows(10).as_array().unwrap().len(), 2);
    assert_eq!(rows(10)[1]["components"].as_array().unwrap().len(), 5);
    let menu = &rows(25)[0]["components"][0];
    assert_eq!(menu["type"], 3);
    assert_eq!(menu["options"].as_array().unwrap().len(), 25);
    assert_eq!(menu["options"][24]["value"], "c24");
    let written = pieces(vec![text("?"), choices(26)]);
    assert!(wire(&written[0])["components"].is_null());
    assert!(written[0].content.contains("26. 第 25 个"));
    // An id too long goes as a token, one twice goes once, and a label is cut.
    let long = Choice {
        id: "x".repeat(101),
        label: "👩‍👧".repeat(60),
    };
    let twice = pieces(vec![Part::Choices {
        choices: vec![long.clone(), long],
        uncounted: false,
    }]);
    assert_eq!(twice[0].choices.len(), 1);
    assert!(twice[0].choices[0].1.starts_with('~'));
    let button = &wire(&twice[0])["components"][0]["components"][0];
    assert!(button["label"].as_str().unwrap().chars().count() <= LABEL_CHARS_MAX);
}

#[test]
fn many_and_long_cards_are_spread_over_messages_that_discord_takes() {
    let mut products = vec![card(&"长".repeat(400))];
    products.extend((0..24).map(|_| card("短")));
    let mut wordy = card("多话");
    wordy.why = vec!["很".repeat(3000), "多".repeat(3000)];
    products.push(wordy.clone());
    products.push(wordy);
    let pieces = pieces(vec![Part::Products { products }]);
    let mut embeds = 0;
    for piece in &pieces {
        let chars = |e: &render::Embed| e.title.chars().count() + e.description.chars().count();
        assert!(piece.embeds.len() <= EMBEDS_MAX);
        assert!(piece.embeds.iter().map(chars).sum::<usize>() <= EMBED_CHARS_MAX);
        for embed in &piece.embeds {
            assert!(embed.title.chars().count() <= TITLE_CHARS_MAX);
            assert!(embed.description.chars().count() <= DESCRIPTION_CHARS_MAX);
        }
        embeds += piece.embeds.len();
    }
    assert_eq!(embeds, 27);
}

#[test]
fn a_link_that_grows_past_the_limit_is_left_out_and_the_card_stays() {
    let of = |length: usize| {
        let base = "https://shop.example/";
        let mut product = card("山岚");
        product.link = Some(format!("{base}{}", "a".repeat(length - base.len())));
        product.image = Some(format!("{base}{}", "咖".repeat(300)));
        let pieces = pieces(vec![Part::Products {
            products: vec![product],
        }]);
        wire(&pieces[0])["embeds"][0].clone()
    };
    let at = of(URL_CHARS_MAX);
    assert_eq!(at["url"].as_str().unwrap().len(), URL_CHARS_MAX);
    let over = of(URL_CHARS_MAX + 1);
    assert!(over["url"].is_null(), "{over}");
    // Three hundred characters, and written in percents two thousand seven hundred.
    assert!(over["image"].is_null(), "{over}");
    assert_eq!(over["title"], "山岚");
}

#[test]
fn a_text_at_the_limit_is_one_message_and_one_over_is_two() {
    for border in ["字", "☕", "👩‍👧", "a"] {
        let width = border.chars().count();
        let at = "字".repeat(2000 - width) + border;
        let one = pieces(vec![text(&at)]);
        assert_eq!(one.len(), 1, "{border}");
        assert_eq!(one[0].content, at);
        let two = pieces(vec![text(&format!("字{at}"))]);
        assert_eq!(two.len(), 2, "{border}");
        assert!(two[1].content.ends_with(border), "{border}");
        let joined: String = two.iter().map(|piece| piece.content.as_str()).collect();
        assert_eq!(joined, format!("字{at}"));
    }
}

proptest! {
    #[test]
    fn whatever_is_said_fits_as_it_is_written(text in "([a-z_*~`|<>\\[\\]\\\\@# ]|[字☕👩]|\n){0,6000}") {
        for piece in markdown::written(&Styled::plain(text.clone())) {
            prop_assert!(piece.chars().count() <= TEXT.max);
        }
        for piece in markdown::written(&markdown(&text)) {
            prop_assert!(piece.chars().count() <= TEXT.max);
        }
    }
}

#[test]
fn a_nonce_is_the_messages_own_and_stays() {
    let message = |id: &str| Outbound {
        id: id.to_owned(),
        address: "discord:1".parse().unwrap(),
        turn: 1,
        epoch: 0,
        from: crate::Speaker::Bot,
        body: OutboundBody::Reply(Body::default()),
    };
    let nonce = render::nonce(&message("a"), 0);
    assert!(nonce.len() <= 25);
    assert_eq!(nonce, render::nonce(&message("a"), 0));
    assert_ne!(nonce, render::nonce(&message("a"), 1));
    assert_ne!(nonce, render::nonce(&message("b"), 0));
}

/// What a message comes to: its address, id and body.
fn read(more: serde_json::Value, here: Here) -> Vec<(String, String, InboundBody)> {
    let mut payload = json!({
        "id": "175928847299117063", "channel_id": "5", "author": {"id": "7"},
        "content": "你好", "type": 0, "edited_timestamp": null,
    });
    let members = payload.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    let message = message::parse(&payload).unwrap();
    let is_update = !payload["edited_timestamp"].is_null();
    let read = message::read(&message, is_update, here, UserId::new(OWN));
    let told = |arrival| match arrival {
        Arrival::Said(said) => (said.address.to_string(), said.event_id, said.body),
        other => panic!("{other:?}"),
    };
    read.arrivals.into_iter().map(told).collect()
}

#[test]
fn messages_are_read_by_where_they_are_said_and_who_says_them() {
    let direct = read(json!({}), Here::Direct);
    let hello = InboundBody::Text("你好".to_owned());
    let id = "175928847299117063".to_owned();
    assert_eq!(
        direct,
        [("discord:5".to_owned(), id.clone(), hello.clone())]
    );
    let mentioned = json!({"guild_id": "3", "content": "<@99>， 你好", "mentions": [{"id": "99"}]});
    let called = read(mentioned, Here::Server);
    assert_eq!(
        called,
        [("discord:5.7".to_owned(), id.clone(), hello.clone())]
    );
    let bare = json!({"content": "<@!99>", "mentions": [{"id": "99"}]});
    let start = InboundBody::Choice("start:".to_owned());
    assert_eq!(read(bare, Here::Server)[0].2, start);
    assert!(read(json!({"guild_id": "3"}), Here::Server).is_empty());
    let theirs = |customer: &str| Here::Theirs(format!("4.{customer}").parse().unwrap());
    assert_eq!(read(json!({}), theirs("7"))[0].0, "discord:4.7");
    assert!(read(json!({}), theirs("8")).is_empty());
    for nobodys in [
        json!({"author": {"id": "7", "bot": true}}),
        json!({"author": {"id": "99"}}),
        json!({"webhook_id": "1"}),
        json!({"type": 7}),
        json!({"type": 18}),
    ] {
        assert!(read(nobodys.clone(), Here::Direct).is_empty(), "{nobodys}");
    }
    let edited = read(
        json!({"edited_timestamp": "2026-01-02T03:04:05.678000+00:00"}),
        Here::Direct,
    );
    assert_eq!(edited[0].1, format!("{id}.1767323045678"));
    let reply = json!({"type": 19, "an_unknown_member": {"of": ["a", "newer", "API"]}});
    assert_eq!(read(reply, Here::Direct)[0].2, hello);
}

#[test]
fn files_are_read_each_by_its_kind_and_the_first_has_the_words() {
    let files = read(
        json!({"attachments": [
            {"id": "1", "filename": "a.png", "content_type": "image/png"},
            {"id": "2", "filename": "b.pdf", "content_type": "application/pdf"},
            {"id": "3", "filename": "c"},
        ], "sticker_items": [{"id": "4", "name": "cat"}]}),
        Here::Direct,
    );
    let kinds: Vec<(FileKind, String)> = files
        .iter()
        .map(|(_, _, body)| match body {
            InboundBody::File(file) => (file.kind, file.caption.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let none = String::new();
    let expected = [
        (FileKind::Photo, "你好".to_owned()),
        (FileKind::Document, none.clone()),
        (FileKind::Document, none.clone()),
        (FileKind::Other, none),
    ];
    assert_eq!(kinds, expected);
    let ids: std::collections::BTreeSet<&String> = files.iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids.len(), 4);
    let voice = json!({
        "content": "", "flags": 8192, "attachments": [{"id": "1", "content_type": "audio/ogg"}],
    });
    assert!(
        matches!(&read(voice, Here::Direct)[0].2, InboundBody::File(file) if file.kind == FileKind::Voice)
    );
}

#[test]
fn what_cannot_be_read_is_named_without_its_words() {
    let broken = json!({"id": "17", "channel_id": {}, "content": "秘密"});
    let told = message::parse(&broken).unwrap_err();
    assert_eq!(told, "message 17 is not as the API describes it");
    let told = message::parse(&json!({"content": "秘密"})).unwrap_err();
    assert_eq!(told, "a message has no `id`");
    assert!(interaction::read(&json!({"token": "t"}), None).is_err());
}

fn pressed(more: serde_json::Value) -> (Option<Inbound>, serde_json::Value) {
    let mut payload = json!({
        "id": "175928847299117063", "type": 3, "token": "t", "channel_id": "5",
        "user": {"id": "7"}, "data": {"custom_id": "compare", "component_type": 2},
    });
    let members = payload.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    let read = interaction::read(&payload, None).unwrap();
    let inbound = read.arrival.map(|arrival| match arrival {
        Arrival::Said(inbound) | Arrival::Pressed(inbound) => inbound,
        other => panic!("{other:?}"),
    });
    (inbound, read.callback.response)
}

#[test]
fn interactions_are_read_with_the_answer_that_discord_wants_at_once() {
    let (inbound, response) = pressed(json!({}));
    let inbound = inbound.unwrap();
    assert_eq!(inbound.address.as_str(), "discord:5");
    assert_eq!(inbound.body, InboundBody::Choice("compare".to_owned()));
    assert_eq!(response, json!({"type": 6}));
    let menu = json!({"data": {"custom_id": "choices", "values": ["c3"], "component_type": 3}});
    let (inbound, _) = pressed(menu);
    assert_eq!(inbound.unwrap().body, InboundBody::Choice("c3".to_owned()));
    let thread = json!({
        "guild_id": "3", "member": {"user": {"id": "8"}}, "user": null,
        "channel": {"id": "5", "type": 12, "parent_id": "4"},
    });
    assert_eq!(pressed(thread).0.unwrap().address.as_str(), "discord:4.8");
    let command = |options: serde_json::Value, locale: &str| json!({"type": 2, "locale": locale, "data": {"name": "shop", "options": options}});
    let asked = command(json!([{"name": "text", "value": " 你好 "}]), "zh-CN");
    let (inbound, response) = pressed(asked);
    assert_eq!(inbound.unwrap().body, InboundBody::Text("你好".to_owned()));
    assert_eq!(
        (&response["type"], &response["data"]["flags"]),
        (&json!(4), &json!(64))
    );
    // What the customer writes says more of their language than how their Discord is set.
    for (said, locale, answer) in [
        ("你好", "zh-CN", "收到"),
        ("你好", "en-US", "收到"),
        ("hello", "en-US", "Got it"),
        ("Bambu P1S", "zh-TW", "收到"),
    ] {
        let asked = command(json!([{"name": "text", "value": said}]), locale);
        let answered = pressed(asked).1["data"]["content"].clone();
        assert!(answered.as_str().unwrap().starts_with(answer), "{answered}");
    }
    let (inbound, _) = pressed(command(json!([]), "en-GB"));
    assert_eq!(
        inbound.unwrap().body,
        InboundBody::Choice("start:en".to_owned())
    );
    let (inbound, response) = pressed(json!({"type": 4, "data": {"name": "shop"}}));
    assert_eq!((inbound, response["type"].as_u64()), (None, Some(8)));
    let (inbound, _) = pressed(json!({"type": 2, "data": {"name": "other"}}));
    assert_eq!(inbound, None);
}

fn discord(key: Option<String>) -> Discord {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bot = Bot {
        token: "a.b.c".into(),
        public_key: key,
        message_content: false,
        api_url: Url::parse(API_URL).unwrap(),
    };
    Discord::new(&bot, reqwest::Client::new(), Arc::new(KeptHere::default())).unwrap()
}

#[test]
fn only_what_discord_signed_a_moment_ago_is_taken() {
    let signing = SigningKey::from_bytes(&[7; 32]);
    let key: String = signing
        .verifying_key()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(is_public_key(&key) && !is_public_key("+1") && !is_public_key(&key.replace('a', "+")));
    let channel = discord(Some(key));
    let body = br#"{"type": 1}"#;
    let now_ms = 1_800_000_000_123;
    let check = |timestamp: &str, signed: &[u8], method: &str| {
        let signature = signing.sign(&[timestamp.as_bytes(), signed].concat());
        let hex: String = signature
            .to_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let mut headers = HeaderMap::new();
        headers.insert("x-signature-ed25519", HeaderValue::from_str(&hex).unwrap());
        let timestamp = HeaderValue::from_str(timestamp).unwrap();
        headers.insert("x-signature-timestamp", timestamp);
        channel.receive(&Delivered {
            method,
            headers: &headers,
            query: "",
            body,
            now_ms,
        })
    };
    let pong = check("1800000000", body, "POST").unwrap();
    assert!(
        matches!(pong.acknowledgement, Acknowledgement::AtOnce(answer) if answer.body == br#"{"type":1}"#)
    );
    assert!(check("1800000240", body, "POST").is_ok());
    for (timestamp, signed) in [
        ("1800000000", br#"{"type": 2}"#.as_slice()),
        ("1799999600", body),
        ("1800000400", body),
        ("soon", body),
    ] {
        assert_eq!(check(timestamp, signed, "POST"), Err(Refused::Forged));
    }
    assert_eq!(check("1800000000", body, "GET"), Err(Refused::NotTaken));
    let unsigned = Delivered {
        method: "POST",
        headers: &HeaderMap::new(),
        query: "",
        body,
        now_ms,
    };
    assert_eq!(channel.receive(&unsigned), Err(Refused::Forged));
    assert_eq!(discord(None).receive(&unsigned), Err(Refused::NotTaken));
}

#[test]
fn each_refusal_says_what_the_sender_does_next() {
    use api::Failed;
    let refused = |status, code| {
        send::receipt(&Failed::Refused {
            status,
            code,
            reason: "r".to_owned(),
        })
    };
    for (status, code) in [
        (403, 50_007),
        (404, 10_003),
        (404, 10_004),
        (403, 50_001),
        (404, 0),
    ] {
        assert_eq!(refused(status, code), Receipt::Blocked, "{code}");
    }
    assert!(matches!(refused(400, 50_035), Receipt::Permanent { reason } if reason == "50035 r"));
    assert!(matches!(refused(403, 50_013), Receipt::Permanent { .. }));
    assert_eq!(send::receipt(&Failed::Token), Receipt::TryAgain);
    assert_eq!(send::receipt(&Failed::NoConnection), Receipt::TryAgain);
    assert_eq!(send::receipt(&Failed::NoAnswer), Receipt::Unknown);
    let wait = Failed::Wait { wait_ms: 7 };
    assert_eq!(send::receipt(&wait), Receipt::RetryAfter { wait_ms: 7 });
}

#[tokio::test]
async fn a_gateway_that_speaks_no_tls_is_no_gateway() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("wss://{}", listener.local_addr().unwrap());
    let answer = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 200 OK\r\n\r\n")
            .await
            .unwrap();
    };
    let (opened, ()) = tokio::join!(gateway::Gateway::open(&address), answer);
    assert!(matches!(opened, Err(gateway::Ended::Cut { .. })));
}
