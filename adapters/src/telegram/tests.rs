//! Replies as Telegram gets them, and updates as they are read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::sample::{self, text};
use crate::{Arrival, Body, Card, Choice, Door, FileKind, Inbound, InboundBody, Part};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

fn card(title: &str, image: Option<&str>) -> Card {
    Card {
        image: image.map(str::to_owned),
        ..sample::card(title)
    }
}

fn pieces(parts: Vec<Part>) -> Vec<render::Piece> {
    render::pieces(&Body { parts })
}

/// Entities must stand on what they mark, however Telegram counts.
fn marked(piece: &render::Piece) -> Vec<String> {
    let units: Vec<u16> = piece.text.text.encode_utf16().collect();
    render::entities(&piece.text)
        .iter()
        .map(|entity| {
            let covered = &units[entity.offset..entity.offset + entity.length];
            String::from_utf16(covered).unwrap()
        })
        .collect()
}

#[test]
fn markdown_becomes_entities_that_count_utf16() {
    let pieces = pieces(vec![text(
        "☕️👩‍👧 **重点** 和 *斜体*\n\n- 一\n- [二](https://a.example/二)",
    )]);
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].text.text, "☕️👩‍👧 重点 和 斜体\n\n• 一\n• 二");
    assert_eq!(marked(&pieces[0]), ["重点", "斜体", "二"]);
}

#[test]
fn hostile_product_names_stay_names() {
    for name in [
        "_*[]()~`>#+-=|{}.!",
        "<b>bold</b> & </a>",
        "a](http://evil.example) [b",
        "**half",
        "\u{202E}drawkcab",
        "``` x",
    ] {
        let pieces = pieces(vec![Part::Products {
            products: vec![card(name, None)],
        }]);
        assert!(pieces[0].text.text.starts_with(name), "{name}");
        assert_eq!(marked(&pieces[0]), [name, name], "{name}");
    }
}

#[test]
fn a_card_with_a_public_picture_is_a_photo_and_one_without_is_text() {
    let pieces = pieces(vec![
        text("两款："),
        Part::Products {
            products: vec![
                card("甲", Some("https://cdn.example/a.jpg")),
                card("乙", Some("/shop/images/b.jpg")),
                card("丙", None),
            ],
        },
    ]);
    let shown: Vec<(bool, &str)> = pieces
        .iter()
        .map(|piece| (piece.photo.is_some(), piece.text.text.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (false, "两款："),
            (true, "甲\n¥12,680\n• 价格在预算内"),
            (
                false,
                "乙\n¥12,680\n• 价格在预算内\n\n丙\n¥12,680\n• 价格在预算内"
            ),
        ]
    );
}

#[test]
fn a_caption_at_the_limit_stays_and_one_over_loses_its_reasons_and_then_its_end() {
    let image = Some("https://cdn.example/a.jpg");
    let of = |title: &str| {
        let products = vec![card(title, image)];
        pieces(vec![Part::Products { products }])[0]
            .text
            .text
            .clone()
    };
    let units = |text: &str| text.encode_utf16().count();
    let rest = units("\n¥12,680\n• 价格在预算内");
    let fits = "😀".repeat((1024 - rest) / 2);
    assert_eq!(units(&of(&fits)), units(&fits) + rest);
    let without_reason = format!("{fits}茶茶");
    assert!(!of(&without_reason).contains("预算"));
    let long = of(&"😀".repeat(600));
    assert!(
        units(&long) <= 1024 && long.ends_with('…'),
        "{}",
        units(&long)
    );
}

#[test]
fn a_text_at_the_limit_is_one_message_and_one_unit_over_is_two() {
    let at_limit = format!("{}{}", "茶".repeat(4094), "😀");
    assert_eq!(pieces(vec![text(&at_limit)]).len(), 1);
    let over = format!("{}{}", "茶".repeat(4095), "😀");
    let two = pieces(vec![text(&over)]);
    assert_eq!(two.len(), 2);
    assert_eq!(two[1].text.text, "😀");
}

#[test]
fn choices_hang_as_buttons_on_the_last_message_and_long_ids_go_as_tokens() {
    let long = format!("details:{}", "x".repeat(57));
    let at_limit = format!("details:{}", "x".repeat(56));
    let choice = |id: &str, label: &str| Choice {
        id: id.to_owned(),
        label: label.to_owned(),
    };
    let body = Body {
        parts: vec![
            text("要哪个？"),
            Part::Choices {
                choices: vec![
                    choice("yes", "好的"),
                    choice(&at_limit, "不用了"),
                    choice(&long, &"很长".repeat(30)),
                    choice("~tilde", "看详情"),
                ],
                uncounted: false,
            },
        ],
    };
    let pieces = render::pieces(&body);
    let rows = &pieces[0].keyboard;
    assert_eq!(rows[0][0], ("好的".to_owned(), "yes".to_owned()));
    assert_eq!(rows[0][1].1, at_limit);
    let tokens = render::tokens(&body);
    assert_eq!(tokens.len(), 2);
    assert_eq!(rows[1][0].1, tokens[0].token);
    assert_eq!(tokens[0].choice, long);
    assert_eq!(tokens[1].choice, "~tilde");
    for (label, data) in rows.iter().flatten() {
        assert!((1..=64).contains(&data.len()), "{data}");
        assert!(label.chars().count() <= LABEL_CHARS_MAX + 1);
    }
}

#[test]
fn a_long_label_stands_whole_in_a_row_of_its_own() {
    let long = "Northfell Office 30 office coffee machine with two bean hoppers";
    let choices = ["Yes", "No", long, "Compare"].map(|label| Choice {
        id: label.to_owned(),
        label: label.to_owned(),
    });
    let choices = Part::Choices {
        choices: choices.to_vec(),
        uncounted: false,
    };
    let pieces = pieces(vec![text("Which one?"), choices]);
    let rows: Vec<Vec<&str>> = pieces[0]
        .keyboard
        .iter()
        .map(|row| row.iter().map(|(label, _)| label.as_str()).collect())
        .collect();
    assert_eq!(rows, [vec!["Yes", "No"], vec![long], vec!["Compare"]]);
}

#[test]
fn every_piece_of_any_reply_fits_and_says_something() {
    let names = [
        " ",
        "_*[]()~`>#+-=|{}.! ",
        "👩‍👩‍👧‍👦",
        "茶",
        "e\u{301}",
        "[a](https://a.example) ",
    ];
    for name in names {
        for image in [None, Some("https://cdn.example/a.jpg")] {
            let long = card(&name.repeat(2_500), image);
            let body = pieces(vec![
                text(&name.repeat(3_000)),
                Part::Products {
                    products: vec![long.clone(), long],
                },
            ]);
            for piece in &body {
                let units = piece.text.text.encode_utf16().count();
                let most = if piece.photo.is_some() { 1024 } else { 4096 };
                assert!((1..=most).contains(&units), "{name}: {units}");
                assert_eq!(piece.text.text.trim(), piece.text.text, "{name}");
                assert!(
                    marked(piece).iter().all(|it| !it.trim().is_empty()),
                    "{name}"
                );
            }
        }
    }
}

fn own() -> Own<'static> {
    Own {
        id: 123,
        username: Some("sales_test_bot"),
    }
}

fn read(message: Value) -> Option<Inbound> {
    let update = json!({"update_id": 7, "message": message});
    match update::read(&update, own(), 0).unwrap().arrival {
        Some(Arrival::Said(inbound)) => Some(inbound),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn private(more: Value) -> Value {
    let mut message = json!({
        "message_id": 1, "date": 1_700_000_000,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": false, "first_name": "A", "language_code": "zh-hans"},
    });
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    message
}

fn group(more: Value) -> Value {
    let mut message = private(more);
    message["chat"] = json!({"id": -1001, "type": "supergroup", "title": "G"});
    message
}

#[test]
fn a_private_message_is_a_conversation_of_its_chat() {
    let inbound = read(private(json!({"text": "你好"}))).unwrap();
    assert_eq!(inbound.address.as_str(), "telegram:5");
    assert_eq!(inbound.event_id, "7");
    assert_eq!(inbound.sent_at_ms, 1_700_000_000_000);
    assert_eq!(inbound.body, InboundBody::Text("你好".to_owned()));
}

#[test]
fn commands_are_what_they_ask_for() {
    let command = |text: &str, length: usize| {
        let entities = json!([{"type": "bot_command", "offset": 0, "length": length}]);
        read(private(json!({"text": text, "entities": entities})))
            .unwrap()
            .body
    };
    let choice = |id: &str| InboundBody::Choice(id.to_owned());
    assert_eq!(command("/start", 6), choice("start:zh"));
    assert_eq!(
        command("/start spring-26_a", 6),
        InboundBody::Came {
            door: Door::Link,
            campaign: Some("spring-26_a".to_owned()),
            means: Box::new(choice("start:zh")),
        }
    );
    assert_eq!(command("/start 您好", 6), choice("start:zh"));
    assert_eq!(command("/help@sales_test_bot x", 20), choice("help:zh"));
    assert_eq!(
        command("/price 手冲壶", 6),
        InboundBody::Text("price 手冲壶".to_owned())
    );
}

#[test]
fn files_come_as_what_they_are() {
    let kind = |more: Value| match read(private(more)).unwrap().body {
        InboundBody::File(file) => (file.kind, file.caption, file.provider_id),
        other => panic!("{other:?}"),
    };
    let photo = json!({"photo": [{"file_id": "s"}, {"file_id": "l"}], "caption": "这个有吗"});
    assert_eq!(
        kind(photo),
        (FileKind::Photo, "这个有吗".to_owned(), Some("l".to_owned()))
    );
    assert_eq!(kind(json!({"voice": {"file_id": "v"}})).0, FileKind::Voice);
    assert_eq!(
        kind(json!({"document": {"file_id": "d", "file_name": "a.pdf"}})).0,
        FileKind::Document
    );
    assert_eq!(
        kind(json!({"location": {"latitude": 1.0, "longitude": 2.0}})).0,
        FileKind::Place
    );
    let contact = read(private(
        json!({"contact": {"phone_number": "+8613800000000"}}),
    ));
    assert_eq!(
        contact.unwrap().body,
        InboundBody::Text("+8613800000000".to_owned())
    );
}

/// An edit of the message 7 of a private chat.
fn edited(more: Value) -> Option<Inbound> {
    let mut message = private(json!({"message_id": 7, "edit_date": 1_700_000_060}));
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let update = json!({"update_id": 9, "edited_message": message});
    match update::read(&update, own(), 0).unwrap().arrival {
        Some(Arrival::Said(inbound)) => Some(inbound),
        None => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edit_is_known_by_its_words_and_counts_only_for_them() {
    let first = edited(json!({"text": "要两台"})).unwrap();
    assert_eq!(first.body, InboundBody::Text("要两台".to_owned()));
    assert_eq!(first.sent_at_ms, 1_700_000_060_000);
    let again = json!({"text": "要两台", "edit_date": 1_700_000_090});
    assert_eq!(edited(again).unwrap().event_id, first.event_id);
    let other_words = edited(json!({"text": "要三台"})).unwrap();
    assert_ne!(other_words.event_id, first.event_id);
    let other_message = edited(json!({"text": "要两台", "message_id": 8})).unwrap();
    assert_ne!(other_message.event_id, first.event_id);
    let photo = json!({"photo": [{"file_id": "p"}], "caption": "这个有吗"});
    let asked = edited(photo).unwrap().body;
    assert_eq!(asked, InboundBody::Text("这个有吗".to_owned()));
}

#[test]
fn a_place_that_moves_a_file_that_is_replaced_and_an_edit_that_nobody_sees_say_nothing() {
    for nothing in [
        json!({"location": {"latitude": 1.0, "longitude": 2.0, "live_period": 900}}),
        json!({"photo": [{"file_id": "p"}]}),
        json!({"document": {"file_id": "d"}}),
        json!({"contact": {"phone_number": "1"}}),
        json!({"text": "要两台", "edit_date": null}),
    ] {
        assert_eq!(edited(nothing.clone()), None, "{nothing}");
    }
}

#[test]
fn a_group_is_answered_only_when_it_addresses_the_bot_and_each_customer_apart() {
    assert_eq!(read(group(json!({"text": "随便聊聊"}))), None);
    let mention = |name: &str, at: usize| {
        read(group(json!({
            "text": format!("😀 {name} 有手冲壶吗"),
            "entities": [{"type": "mention", "offset": at, "length": name.len()}],
        })))
    };
    let asked = mention("@Sales_Test_Bot", 3).unwrap();
    assert_eq!(asked.address.as_str(), "telegram:-1001.5");
    assert_eq!(asked.body, InboundBody::Text("😀 有手冲壶吗".to_owned()));
    assert_eq!(mention("@somebody_else", 3), None);
    let reply = |id: i64| {
        let replied = json!({"message_id": 3, "from": {"id": id, "is_bot": true}});
        read(group(
            json!({"text": "多少钱", "reply_to_message": replied}),
        ))
    };
    assert!(reply(123).is_some());
    assert!(reply(124).is_none());
    let entities = json!([{"type": "bot_command", "offset": 0, "length": 15}]);
    assert_eq!(
        read(group(
            json!({"text": "/start@otherbot", "entities": entities})
        )),
        None
    );
}

#[test]
fn a_group_that_names_somebody_before_our_own_name_is_known_is_asked_to_tell_again() {
    let webhook = telegram(Mode::Webhook);
    let take = |more: Value| {
        let update = json!({"update_id": 7, "message": group(more)}).to_string();
        deliver(&webhook, Some("right"), &update).map(|received| received.arrivals.len())
    };
    let named = |kind: &str, text: &str| {
        let entities = json!([{"type": kind, "offset": 0, "length": text.len()}]);
        json!({"text": text, "entities": entities})
    };
    for text in ["@somebody_else", "@sales_test_bot"] {
        assert_eq!(take(named("mention", text)), Err(Refused::NotYet));
    }
    let command = named("bot_command", "/start@otherbot");
    assert_eq!(take(command), Err(Refused::NotYet));
    assert_eq!(take(json!({"text": "随便聊聊"})), Ok(0));
    assert_eq!(take(named("bot_command", "/start")), Ok(1));
    let replied = json!({"from": {"id": 123, "is_bot": true}});
    let mut reply = named("mention", "@somebody_else");
    reply["reply_to_message"] = replied;
    assert_eq!(take(reply), Ok(1));
    let _ = webhook.username.set("sales_test_bot".to_owned());
    assert_eq!(take(named("mention", "@somebody_else")), Ok(0));
    let asked = json!({"text": "@sales_test_bot 你好",
        "entities": [{"type": "mention", "offset": 0, "length": 15}]});
    assert_eq!(take(asked), Ok(1));
}

#[test]
fn what_bots_and_channels_say_is_nobodys_message() {
    let mut bot = private(json!({"text": "hi"}));
    bot["from"]["is_bot"] = json!(true);
    assert_eq!(read(bot), None);
    let mut channel = private(json!({"text": "hi"}));
    channel["chat"]["type"] = json!("channel");
    assert_eq!(read(channel), None);
}

fn telegram(mode: Mode) -> Telegram {
    let token = SecretString::from("123:ABC".to_owned());
    let secret = SecretString::from("right".to_owned());
    let keep = std::sync::Arc::new(crate::KeptHere::default());
    Telegram::new(&token, None, mode, Some(secret), keep).unwrap()
}

fn deliver(telegram: &Telegram, secret: Option<&str>, body: &str) -> Result<Received, Refused> {
    let mut headers = HeaderMap::new();
    if let Some(secret) = secret {
        headers.insert(SECRET_HEADER, HeaderValue::from_str(secret).unwrap());
    }
    telegram.receive(&Delivered {
        method: "POST",
        headers: &headers,
        query: "",
        body: body.as_bytes(),
        now_ms: 9,
    })
}

#[test]
fn only_the_secret_proves_a_delivery() {
    let webhook = telegram(Mode::Webhook);
    let update = json!({"update_id": 7, "message": private(json!({"text": "hi"}))}).to_string();
    for wrong in [None, Some(""), Some("wrong"), Some("righ"), Some("right2")] {
        assert_eq!(
            deliver(&webhook, wrong, &update),
            Err(Refused::Forged),
            "{wrong:?}"
        );
    }
    assert_eq!(
        deliver(&webhook, Some("right"), &update)
            .unwrap()
            .arrivals
            .len(),
        1
    );
    let polling = telegram(Mode::Polling);
    assert_eq!(
        deliver(&polling, Some("right"), &update),
        Err(Refused::NotTaken)
    );
}

#[test]
fn an_update_of_a_newer_bot_api_is_passed_over_and_noise_is_refused() {
    let webhook = telegram(Mode::Webhook);
    let take = |body: &str| deliver(&webhook, Some("right"), body);
    let unknown = take(r#"{"update_id": 8, "hologram": {"x": 1}}"#).unwrap();
    assert!(unknown.arrivals.is_empty() && unknown.unread.is_none());
    let changed = take(r#"{"update_id": 9, "message": {"chat": "five"}}"#).unwrap();
    assert_eq!(
        changed.unread.unwrap(),
        "update 9 is not as the Bot API describes it"
    );
    assert!(matches!(take("not json"), Err(Refused::Malformed { .. })));
    assert!(matches!(take("{}"), Err(Refused::Malformed { .. })));
}

#[test]
fn a_press_is_answered_inside_the_acknowledgement() {
    let webhook = telegram(Mode::Webhook);
    let press = json!({"update_id": 8, "callback_query": {
        "id": "42", "from": {"id": 5, "is_bot": false, "first_name": "A"}, "data": "~abc",
        "message": {"message_id": 2, "date": 0, "chat": {"id": 5, "type": "private"}},
        "chat_instance": "1",
    }});
    let received = deliver(&webhook, Some("right"), &press.to_string()).unwrap();
    let Acknowledgement::AtOnce(answer) = received.acknowledgement else {
        panic!("it waits")
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        body,
        json!({"method": "answerCallbackQuery", "callback_query_id": "42"})
    );
    assert!(matches!(
        received.arrivals.as_slice(),
        [Arrival::Pressed(_)]
    ));
}

#[test]
fn a_page_of_a_gateway_is_no_answer_of_the_bot_apis() {
    let after =
        |status: u16, body: &str| client::receipt(ask::read(status, body.as_bytes()), |_| None);
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    for (status, body) in [(502, page), (503, ""), (429, page), (413, page), (302, "")] {
        assert_eq!(after(status, body), Receipt::TryAgain, "{status}");
    }
    // It may have been done: the gateway did not wait for the answer, or that broke off.
    for (status, body) in [(504, page), (200, r#"{"ok":true,"resu"#), (200, page)] {
        assert_eq!(after(status, body), Receipt::Unknown, "{status}");
    }
    let told = r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#;
    assert_eq!(after(500, told), Receipt::TryAgain);
    let told = r#"{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":7}}"#;
    let wait_ms = 7_000;
    assert_eq!(after(429, told), Receipt::RetryAfter { wait_ms });
}

#[test]
fn the_token_is_in_no_word_about_an_error() {
    let error = RequestError::InvalidJson {
        source: std::sync::Arc::new(serde_json::from_str::<Value>("{").unwrap_err()),
        raw: "123:ABC".into(),
    };
    assert!(!client::told(&error).contains("ABC"));
}
