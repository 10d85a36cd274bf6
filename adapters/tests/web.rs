//! The web channel at its boundary: bodies in, events out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use adapters::web::{TEXT_CHARS_MAX, Web, read_message};
use adapters::{
    Address, Body, Card, Channel, Choice, Delivery, InboundBody, Outbound, OutboundBody, Part,
    Price, Speaker,
};
use proptest::prelude::*;

fn place() -> Address {
    Address::new("web", "3f0c").unwrap()
}

fn check(body: &[u8], expected: Result<InboundBody, &str>) {
    let read = read_message(body, &place(), 7);
    match (read, expected) {
        (Ok(inbound), Ok(body)) => {
            assert_eq!(inbound.body, body);
            assert_eq!(inbound.address, place());
            assert_eq!(inbound.sent_at_ms, 7);
        }
        (Err(error), Err(message)) => assert_eq!(error.to_string(), message),
        (read, expected) => panic!("read {read:?}, expected {expected:?}"),
    }
}

fn text(text: &str) -> Result<InboundBody, &'static str> {
    Ok(InboundBody::Text(text.to_owned()))
}

#[test]
fn a_text_or_a_choice_is_a_message() {
    check(
        r#"{"id":"f1e2d3c4-0000-4000-8000-000000000001","text":"预算三千以内"}"#.as_bytes(),
        text("预算三千以内"),
    );
    check(
        br#"{"id":"a_b-1","choice":"add-to-cart:sku-17"}"#,
        Ok(InboundBody::Choice("add-to-cart:sku-17".to_owned())),
    );
}

#[test]
fn what_cannot_be_seen_is_taken_out_of_a_text() {
    let cases: &[(&str, &str)] = &[
        (r"a\u0000b\u0007c", "abc"),
        (r"one\r\ntwo\rthree", "one\ntwo\nthree"),
        (r"safe\u202Eevil\u202C", "safeevil"),
        (r"\uFEFFhi\u200B", "hi"),
        (r"a\tb", "a\tb"),
        (r"\u2066x\u2069", "x"),
        ("👩‍👧", "👩‍👧"),
    ];
    for (written, expected) in cases {
        check(
            format!(r#"{{"id":"1","text":"{written}"}}"#).as_bytes(),
            text(expected),
        );
    }
}

#[test]
fn a_refusal_names_the_field_or_the_place() {
    check(
        b"{\"id\":\"1\",\"text\":\"\xff\"}",
        Err("the body is not UTF-8: byte 19 does not belong there"),
    );
    check(
        b"{\"id\":\"1\",\n \"text\" \"x\"}",
        Err("the body is not JSON: line 2, column 9: expected `:`"),
    );
    check(
        b"[1]",
        Err("the body is a JSON object such as {\"id\": \"…\", \"text\": \"…\"}, this is a list"),
    );
    check(
        br#"{"text":"x"}"#,
        Err("`id` is missing; it is a UUID that the page makes"),
    );
    check(
        br#"{"id":"a b","text":"x"}"#,
        Err("`id` is a UUID, or 1 to 64 of A-Z a-z 0-9 _ -"),
    );
    check(
        br#"{"id":"1"}"#,
        Err("`text` is missing; a message has `text` or `choice`"),
    );
    check(
        br#"{"id":"1","text":"x","choice":"y"}"#,
        Err("`choice` cannot stand beside `text`; send one of them"),
    );
    check(br#"{"id":"1","text":7}"#, Err("`text` must be a string"));
    check(
        br#"{"id":"1","text":" \u0000\u200b "}"#,
        Err("`text` is empty, or has no visible character"),
    );
    check(
        br#"{"id":"1","text":"x","colour":"red"}"#,
        Err("`colour` is not known here; a message has `id` and `text` or `choice`"),
    );
}

#[test]
fn the_longest_text_is_counted_in_characters_after_cleaning() {
    let fits = "字".repeat(TEXT_CHARS_MAX);
    check(
        format!(r#"{{"id":"1","text":"{fits}\u0000"}}"#).as_bytes(),
        text(&fits),
    );
    check(
        format!(r#"{{"id":"1","text":"{fits}字"}}"#).as_bytes(),
        Err("`text` has 4001 characters; at most 4000 are taken"),
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_message(&body, &place(), 0);
    }

    #[test]
    fn any_text_is_taken_within_the_limits_or_refused(written in ".{0,200}") {
        let body = serde_json::json!({"id": "1", "text": written}).to_string();
        if let Ok(inbound) = read_message(body.as_bytes(), &place(), 0) {
            let InboundBody::Text(text) = inbound.body else { panic!("a text stays a text") };
            prop_assert!(!text.is_empty());
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}

fn delivered(from: Speaker, body: OutboundBody) -> (&'static str, String) {
    let message = Outbound {
        id: "m-1".to_owned(),
        address: place(),
        turn: 3,
        epoch: 0,
        from,
        body,
    };
    match Web.deliver(&message) {
        Delivery::Feed { event, data } => (event, data),
        Delivery::Push { .. } | Delivery::Act | Delivery::Nothing => {
            panic!("the web channel delivers into the feed")
        }
    }
}

#[test]
fn the_page_reads_these_events() {
    let price = |amount: &str| Price {
        amount: amount.to_owned(),
        currency: "CNY".to_owned(),
    };
    let reply = OutboundBody::Reply(Body {
        parts: vec![
            Part::Text {
                text: "推荐".to_owned(),
            },
            Part::Products {
                products: vec![Card {
                    id: "sku-17".to_owned(),
                    title: "意式咖啡机".to_owned(),
                    price: price("2680.00"),
                    was: None,
                    link: Some("https://shop.example/sku-17".to_owned()),
                    image: None,
                    availability: "in_stock".to_owned(),
                    why: vec!["price ≤ 3000".to_owned()],
                }],
            },
            Part::Choices {
                choices: vec![Choice {
                    id: "more".to_owned(),
                    label: "更多".to_owned(),
                }],
                uncounted: false,
            },
        ],
    });
    assert_eq!(
        delivered(Speaker::Bot, reply),
        (
            "message",
            concat!(
                r#"{"id":"m-1","turn":3,"from":"bot","reply":["#,
                r#"{"type":"text","text":"推荐"},"#,
                r#"{"type":"products","products":[{"id":"sku-17","title":"意式咖啡机","#,
                r#""price":{"amount":"2680.00","currency":"CNY"},"#,
                r#""link":"https://shop.example/sku-17","availability":"in_stock","#,
                r#""why":["price ≤ 3000"]}]},"#,
                r#"{"type":"choices","choices":[{"id":"more","label":"更多"}]}]}"#,
            )
            .to_owned()
        )
    );
    assert_eq!(
        delivered(
            Speaker::Bot,
            OutboundBody::Read {
                event_ids: vec!["a".to_owned(), "b".to_owned()]
            }
        ),
        ("receipt", r#"{"ids":["a","b"],"turn":3}"#.to_owned())
    );
    assert_eq!(
        delivered(
            Speaker::Rep,
            OutboundBody::Mode {
                mode: "human".to_owned()
            }
        ),
        ("mode", r#"{"mode":"human"}"#.to_owned())
    );
}
