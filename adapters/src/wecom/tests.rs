//! Callbacks and messages as they are read, and replies as WeCom takes them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::message::read;
use super::*;
use crate::wxcrypt::crypto::{SALT_BYTES, signature};
use crate::{DeskAct, Door, FileKind, InboundBody, KeptHere, Report};
use http::HeaderMap;
use serde_json::{Value, json};

// The values of Tencent's own sample for WeCom.
const TOKEN: &str = "QDG6eK";
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const KEY_BEFORE: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const CORP_ID: &str = "wx5823bf96d3bd56c7";
const NOW_S: i64 = 1_700_000_000;

fn channel() -> WeCom {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let corp = Corp {
        corp_id: CORP_ID.to_owned(),
        secret: SecretString::from("secret"),
        token: SecretString::from(TOKEN),
        aes_keys: [KEY, KEY_BEFORE].map(SecretString::from).to_vec(),
        api_url: API_URL.parse().unwrap(),
    };
    WeCom::new(&corp, reqwest::Client::new(), Arc::new(KeptHere::default()))
}

fn receive(method: &str, query: &str, body: &str, now_s: i64) -> Result<Received, Refused> {
    channel().receive(&Delivered {
        method,
        headers: &HeaderMap::new(),
        query,
        body: body.as_bytes(),
        now_ms: now_s * 1000,
    })
}

fn sealed(text: &str, key: &str, corp: &str, at_s: i64) -> (String, String) {
    let cipher = Key::new(key, corp).unwrap();
    let cipher = cipher.encrypt(text, [7; SALT_BYTES]).unwrap();
    let at = at_s.to_string();
    let signed = signature(&[TOKEN, &at, "77", &cipher]);
    (
        format!("msg_signature={signed}&timestamp={at}&nonce=77"),
        format!("<xml><ToUserName>{CORP_ID}</ToUserName><Encrypt>{cipher}</Encrypt></xml>"),
    )
}

fn event(name: &str) -> String {
    format!(
        "<xml><MsgType>event</MsgType><Event>{name}</Event><Token>T1</Token><OpenKfId>wkA</OpenKfId></xml>"
    )
}

#[test]
fn tencents_own_samples_are_believed_at_their_time_and_not_later() {
    let query = "msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780&echostr=P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D";
    let verified = receive("GET", query, "", 1_409_659_589).unwrap();
    let Acknowledgement::AtOnce(answer) = verified.acknowledgement else {
        panic!("it is answered at once");
    };
    assert_eq!(answer.body, b"1616140317555161061");
    let late = receive("GET", query, "", 1_409_659_589 + 301);
    assert_eq!(late, Err(Refused::Forged));
    let message = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
    let body = format!(
        "<xml><ToUserName><![CDATA[{CORP_ID}]]></ToUserName><Encrypt><![CDATA[{message}]]></Encrypt><AgentID><![CDATA[218]]></AgentID></xml>"
    );
    let query = "msg_signature=477715d11cdb4164915debcba66cb864d751f3e6&timestamp=1409659813&nonce=1372623149";
    // A message to an app: proved, and nothing of ours.
    let told = receive("POST", query, &body, 1_409_659_813).unwrap();
    assert_eq!(told.arrivals, []);
}

#[test]
fn a_callback_says_where_something_waits_and_a_forged_one_nothing() {
    for key in [KEY, KEY_BEFORE] {
        let (query, body) = sealed(&event("kf_msg_or_event"), key, CORP_ID, NOW_S);
        let told = receive("POST", &query, &body, NOW_S).unwrap();
        let note = format!("wkA T1 {NOW_S}000");
        let waiting = |key: &str| Arrival::Waiting {
            key: key.to_owned(),
            note: note.clone(),
            for_ms: 600_000,
        };
        let expected = [waiting("wecom:waiting:wkA"), waiting("wecom:waiting:")];
        assert_eq!(told.arrivals, expected);
    }
    let (query, body) = sealed(&event("kf_msg_or_event"), KEY, CORP_ID, NOW_S);
    let (of_other, body_of_other) = sealed(&event("kf_msg_or_event"), KEY, "ww0", NOW_S);
    let plain = event("kf_msg_or_event");
    for (query, body, now_s) in [
        (query.as_str(), body.as_str(), NOW_S + 301),
        (query.as_str(), body.as_str(), NOW_S - 301),
        (query.as_str(), plain.as_str(), NOW_S),
        ("", body.as_str(), NOW_S),
        ("timestamp=1700000000&nonce=77", body.as_str(), NOW_S),
        (of_other.as_str(), body_of_other.as_str(), NOW_S),
        (query.as_str(), body_of_other.as_str(), NOW_S),
    ] {
        let refused = match (query, body) == (of_other.as_str(), body_of_other.as_str()) {
            // Signed with our token, and sealed for another company.
            true => Refused::Sealed,
            false => Refused::Forged,
        };
        assert_eq!(receive("POST", query, body, now_s), Err(refused));
    }
    let (query, body) = sealed(&event("change_contact"), KEY, CORP_ID, NOW_S);
    assert_eq!(receive("POST", &query, &body, NOW_S).unwrap().arrivals, []);
    let doctype = "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><Encrypt>&a;</Encrypt></xml>";
    let bomb = receive("POST", &query, doctype, NOW_S);
    assert!(matches!(bomb, Err(Refused::Malformed { .. })), "{bomb:?}");
}

fn said(kind: &str, fields: Value) -> Value {
    json!({"msgid": "m1", "origin": 3, "open_kfid": "wkA", "external_userid": "wmA",
        "send_time": NOW_S, "msgtype": kind, kind: fields})
}

fn body_of(message: &Value) -> InboundBody {
    match read(message, "wkA").unwrap().arrival.unwrap() {
        Arrival::Said(inbound) | Arrival::Pressed(inbound) => {
            assert_eq!(inbound.address.as_str(), "wecom:wkA.wmA");
            assert_eq!(inbound.event_id, "m1");
            assert_eq!(inbound.sent_at_ms, NOW_S * 1000);
            inbound.body
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_customer_sends_is_read_whatever_its_kind() {
    let file = |kind, caption: &str, id: Option<&str>| {
        InboundBody::File(crate::File {
            kind,
            caption: caption.to_owned(),
            name: None,
            provider_id: id.map(str::to_owned),
        })
    };
    let media = json!({"media_id": "M"});
    for (message, body) in [
        (
            said("text", json!({"content": " 你好 "})),
            InboundBody::Text("你好".to_owned()),
        ),
        (
            said("text", json!({"content": "[微笑][Rose] /:strong[甲]"})),
            InboundBody::Text("🙂🌹 👍[甲]".to_owned()),
        ),
        (
            said("text", json!({"content": "好", "menu_id": "more"})),
            InboundBody::Choice("more".to_owned()),
        ),
        (
            said("link", json!({"title": "甲", "url": "https://a.example"})),
            InboundBody::Text("甲\nhttps://a.example".to_owned()),
        ),
        (
            said("image", media.clone()),
            file(FileKind::Photo, "", Some("M")),
        ),
        (
            said("voice", media.clone()),
            file(FileKind::Voice, "", Some("M")),
        ),
        (
            said("video", media.clone()),
            file(FileKind::Video, "", Some("M")),
        ),
        (said("file", media), file(FileKind::Document, "", Some("M"))),
        (
            said("location", json!({"name": "店", "address": "路 1"})),
            file(FileKind::Place, "店\n路 1", None),
        ),
        (
            said("business_card", json!({})),
            file(FileKind::Other, "", None),
        ),
        (
            said("of_a_later_year", json!({})),
            file(FileKind::Other, "", None),
        ),
    ] {
        assert_eq!(body_of(&message), body);
    }
    let token = said("text", json!({"content": "好", "menu_id": "~ab"}));
    let pressed = read(&token, "wkA").unwrap().arrival.unwrap();
    assert!(matches!(pressed, Arrival::Pressed(_)), "{pressed:?}");
    let blank = read(&said("text", json!({"content": " "})), "wkA").unwrap();
    assert_eq!(blank.arrival, None);
    let later = read(&said("of_a_later_year", json!({})), "wkA").unwrap();
    assert!(later.unread.unwrap().contains("of_a_later_year"));
    for wrong in [
        json!({}),
        json!({"msgid": 7, "origin": 3}),
        json!({"msgid": "m", "origin": 3, "msgtype": "text"}),
        json!({"msgid": "m", "origin": 3, "external_userid": "a b", "msgtype": "text"}),
    ] {
        assert!(read(&wrong, "wkA").is_err(), "{wrong}");
    }
    let strange = read(&json!({"msgid": "m", "origin": 9}), "wkA").unwrap();
    assert!(strange.arrival.is_none() && strange.unread.is_some());
}

fn happened(kind: &str, more: Value) -> Value {
    let mut event = json!({"event_type": kind, "open_kfid": "wkA", "external_userid": "wmA"});
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    json!({"msgid": "e1", "origin": 4, "send_time": NOW_S, "msgtype": "event", "event": event})
}

#[test]
fn events_say_who_came_in_who_has_the_conversation_and_what_did_not_arrive() {
    let entered = json!({"welcome_code": "W", "scene": "poster", "scene_param": "spring"});
    let entered = read(&happened("enter_session", entered), "wkA").unwrap();
    assert_eq!(
        entered.welcome,
        Some(("W".to_owned(), NOW_S * 1000 + 20_000))
    );
    let Some(Arrival::Said(inbound)) = entered.arrival else {
        panic!("{entered:?}");
    };
    let came = InboundBody::Came {
        door: Door::Link,
        campaign: Some("spring".to_owned()),
        means: Box::new(InboundBody::Choice("start:zh".to_owned())),
    };
    assert_eq!(inbound.body, came);
    let again = happened("enter_session", json!({"scene": "poster"}));
    assert_eq!(read(&again, "wkA").unwrap().arrival, None);

    let change = |kind: i64, before: &str, now: &str| {
        let what =
            json!({"change_type": kind, "old_servicer_userid": before, "new_servicer_userid": now});
        let read = read(&happened("session_status_change", what), "wkA").unwrap();
        match read.arrival {
            Some(Arrival::Desk { person, act, .. }) => {
                (person, act, read.state.unwrap().is_at_desk())
            }
            other => panic!("{other:?}"),
        }
    };
    let took = |person: &str| (person.to_owned(), DeskAct::Took, true);
    assert_eq!(change(1, "", "zhang"), took("zhang"));
    assert_eq!(change(2, "zhang", "li"), took("li"));
    assert_eq!(change(4, "", "li"), took("li"));
    let ended = ("li".to_owned(), DeskAct::Ended, false);
    assert_eq!(change(3, "li", ""), ended);

    let words = json!({"msgid": "s1", "origin": 5, "servicer_userid": "zhang", "open_kfid": "wkA",
        "external_userid": "wmA", "msgtype": "text", "text": {"content": "我来"}});
    let wrote = read(&words, "wkA").unwrap().arrival.unwrap();
    assert!(
        matches!(&wrote, Arrival::Desk { person, act: DeskAct::Wrote(text), .. } if person == "zhang" && text == "我来"),
        "{wrote:?}"
    );
    let failed = happened("msg_send_fail", json!({"fail_msgid": "x", "fail_type": 10}));
    let report = Arrival::Reported {
        provider_id: "x".to_owned(),
        report: Report::Failed {
            reason: "the customer refuses messages".to_owned(),
        },
    };
    assert_eq!(read(&failed, "wkA").unwrap().arrival, Some(report));
    let later = read(&happened("of_a_later_year", json!({})), "wkA").unwrap();
    assert!(later.arrival.is_none() && later.unread.is_some());
}
