//! Deliveries as they are read and answered, and replies as an official account sends them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::sample::{choices, text};
use crate::wxcrypt::crypto::{self, is_signed};
use crate::wxcrypt::xml::Document;
use crate::{Answer, Body, Door, FileKind, InboundBody, Report, Speaker};
use http::HeaderMap;
use serde_json::json;

const TOKEN: &str = "QDG6eK";
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const KEY_BEFORE: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APP_ID: &str = "wx5823bf96d3bd56c7";
const NOW_S: i64 = 1_700_000_000;

fn account(keys: &[&str], secret: Option<&str>) -> WeChat {
    let account = Account {
        app_id: APP_ID.to_owned(),
        token: SecretString::from(TOKEN),
        aes_keys: keys.iter().map(|key| SecretString::from(*key)).collect(),
        app_secret: secret.map(SecretString::from),
        answer_in_time: true,
        api_url: Url::parse(API_URL).unwrap(),
    };
    WeChat::new(
        &account,
        http_client(),
        Arc::new(crate::KeptHere::default()),
    )
}

/// A client that is never asked; it needs a provider to be made all the same.
fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn query(at_s: i64) -> String {
    let at = at_s.to_string();
    let signature = crypto::signature(&[TOKEN, &at, "77"]);
    format!("signature={signature}&timestamp={at}&nonce=77&openid=oA")
}

fn message(kind: &str, fields: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oA-_1]]></FromUserName><CreateTime>{NOW_S}</CreateTime><MsgType><![CDATA[{kind}]]></MsgType>{fields}</xml>"
    )
}

fn receive(channel: &WeChat, method: &str, query: &str, body: &str) -> Result<Received, Refused> {
    channel.receive(&Delivered {
        method,
        headers: &HeaderMap::new(),
        query,
        body: body.as_bytes(),
        now_ms: NOW_S * 1000,
    })
}

fn read(kind: &str, fields: &str) -> Received {
    let channel = account(&[], Some("s"));
    receive(&channel, "POST", &query(NOW_S), &message(kind, fields)).unwrap()
}

fn said(kind: &str, fields: &str) -> Option<(String, InboundBody)> {
    let received = read(kind, fields);
    assert_eq!(received.unread, None);
    match received.arrivals.as_slice() {
        [] => None,
        [Arrival::Said(inbound) | Arrival::Pressed(inbound)] => {
            assert_eq!(inbound.address.as_str(), "wechat:oA-_1");
            assert_eq!(inbound.sent_at_ms, NOW_S * 1000);
            Some((inbound.event_id.clone(), inbound.body.clone()))
        }
        other => panic!("{other:?}"),
    }
}

/// A delivery as WeChat encrypts it.
fn sealed(key: &str, app_id: &str, text: &str) -> (String, String) {
    let cipher = Key::new(key, app_id).unwrap();
    let cipher = cipher.encrypt(text, [9; crypto::SALT_BYTES]).unwrap();
    let at = NOW_S.to_string();
    let signature = crypto::signature(&[TOKEN, &at, "77", &cipher]);
    let body = format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{cipher}]]></Encrypt></xml>"
    );
    let query = format!(
        "{}&encrypt_type=aes&msg_signature={signature}",
        query(NOW_S)
    );
    (query, body)
}

#[test]
fn an_address_is_proved_by_the_signature_and_by_nothing_else() {
    let channel = account(&[KEY], None);
    let right = format!("{}&echostr=5916%2B38", query(NOW_S));
    let received = receive(&channel, "GET", &right, "").unwrap();
    assert_eq!(
        received.acknowledgement,
        Acknowledgement::AtOnce(answer::plain("5916+38"))
    );
    let old = NOW_S - 301;
    for wrong in [
        right.replacen("signature=", "signature=0", 1),
        right.replacen("nonce=77", "nonce=78", 1),
        right.replacen("signature", "sign", 1),
        format!("{}&echostr=1", query(old)),
        format!("{}&echostr=1", query(NOW_S + 301)),
        String::new(),
    ] {
        let refused = receive(&channel, "GET", &wrong, "");
        assert_eq!(refused, Err(Refused::Forged), "{wrong}");
    }
    let long = format!("{}&echostr={}", query(NOW_S), "x".repeat(300));
    let refused = receive(&channel, "GET", &long, "");
    assert!(matches!(refused, Err(Refused::Malformed { .. })));
    assert_eq!(receive(&channel, "PUT", &right, ""), Err(Refused::NotTaken));
}

#[test]
fn every_kind_of_message_is_read() {
    let id = "<MsgId>6054768590064713728</MsgId>";
    let of = |kind: &str, fields: &str| {
        let (event_id, body) = said(kind, &format!("{fields}{id}")).unwrap();
        assert_eq!(event_id, "6054768590064713728");
        body
    };
    let words = |words: &str| InboundBody::Text(words.to_owned());
    let hello = of("text", "<Content><![CDATA[ 你好\n在吗 ]]></Content>");
    assert_eq!(hello, words("你好\n在吗"));
    let emoticons = of("text", "<Content>[微笑][Rose] /:strong[甲]</Content>");
    assert_eq!(emoticons, words("🙂🌹 👍[甲]"));
    let pressed = "<Content>选 1</Content><bizmsgmenuid>compare:a</bizmsgmenuid>";
    assert_eq!(
        of("text", pressed),
        InboundBody::Choice("compare:a".to_owned())
    );
    let file = |body: InboundBody| match body {
        InboundBody::File(file) => (file.kind, file.caption, file.provider_id),
        other => panic!("{other:?}"),
    };
    let media = "<MediaId><![CDATA[m-1]]></MediaId><PicUrl>http://a/b</PicUrl>";
    let m1 = Some("m-1".to_owned());
    assert_eq!(
        file(of("image", media)),
        (FileKind::Photo, String::new(), m1.clone())
    );
    assert_eq!(
        file(of("voice", media)),
        (FileKind::Voice, String::new(), m1.clone())
    );
    assert_eq!(
        file(of("video", media)),
        (FileKind::Video, String::new(), m1.clone())
    );
    assert_eq!(
        file(of("shortvideo", media)),
        (FileKind::Video, String::new(), m1)
    );
    let heard = format!("{media}<Recognition><![CDATA[有货吗]]></Recognition>");
    assert_eq!(of("voice", &heard), words("有货吗"));
    let place = "<Location_X>23.1</Location_X><Label>广州</Label>";
    assert_eq!(
        file(of("location", place)),
        (FileKind::Place, "广州".to_owned(), None)
    );
    let link = "<Title>磨豆机</Title><Url>https://a.example/1</Url>";
    assert_eq!(of("link", link), words("磨豆机\nhttps://a.example/1"));
    let sticker = format!(
        "<Content><![CDATA[{}]]></Content>",
        "【收到不支持的消息类型，暂无法显示】"
    );
    assert_eq!(file(of("text", &sticker)).0, FileKind::Other);
    assert_eq!(
        said("text", "<Content><![CDATA[  ]]></Content><MsgId>1</MsgId>"),
        None
    );
    let strange = read("hologram", id);
    assert!(strange.arrivals.is_empty());
    assert!(strange.unread.unwrap().contains("hologram"));
}

#[test]
fn every_event_is_read_and_known_again_by_its_second_kind_and_key() {
    let event = |name: &str, more: &str| said("event", &format!("<Event>{name}</Event>{more}"));
    let came = |door, campaign: Option<&str>, means| InboundBody::Came {
        door,
        campaign: campaign.map(str::to_owned),
        means: Box::new(means),
    };
    let start = |door, campaign| came(door, campaign, InboundBody::Choice("start:zh".to_owned()));
    let scene = "<EventKey>qrscene_12</EventKey><Ticket>t</Ticket>";
    let (id, body) = event("subscribe", scene).unwrap();
    assert_eq!(
        (id.as_str(), body),
        (
            "1700000000.subscribe.qrscene_12",
            start(Door::Scan, Some("12"))
        )
    );
    assert_eq!(event("subscribe", "").unwrap().1, start(Door::Follow, None));
    let long = format!("<EventKey>{}</EventKey>", "春".repeat(100));
    assert_eq!(
        event("SCAN", &long).unwrap().1,
        start(Door::Scan, Some(&"春".repeat(64)))
    );
    let (_, body) = event("CLICK", "<EventKey>转人工</EventKey>").unwrap();
    let text = InboundBody::Text("转人工".to_owned());
    assert_eq!(body, came(Door::Menu, Some("转人工"), text));
    let (_, body) = event("CLICK", "<EventKey>help:zh</EventKey>").unwrap();
    let help = InboundBody::Choice("help:zh".to_owned());
    assert_eq!(body, came(Door::Menu, Some("help:zh"), help));
    for silent in ["unsubscribe", "VIEW", "LOCATION"] {
        assert_eq!(
            event(silent, "<EventKey>https://a.example</EventKey>"),
            None
        );
    }
    let finished = |status: &str| {
        let fields = format!(
            "<Event>TEMPLATESENDJOBFINISH</Event><MsgID>42</MsgID><Status>{status}</Status>"
        );
        read("event", &fields).arrivals
    };
    let report = |report| Arrival::Reported {
        provider_id: "42".to_owned(),
        report,
    };
    assert_eq!(finished("success"), [report(Report::Delivered)]);
    let reason = "failed:user block".to_owned();
    assert_eq!(
        finished("failed:user block"),
        [report(Report::Failed { reason })]
    );
    assert!(read("event", "<Event>new_one</Event>").unread.is_some());
}

#[test]
fn what_cannot_be_read_is_passed_over_and_what_is_no_xml_is_refused() {
    let channel = account(&[], Some("s"));
    // Each in a channel of its own: a signature carries one body.
    let take = |body: &str| receive(&account(&[], Some("s")), "POST", &query(NOW_S), body);
    let success = Acknowledgement::AtOnce(answer::plain("success"));
    for body in [
        "<xml></xml>",
        "<xml><ToUserName>g</ToUserName><FromUserName>o o</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType></xml>",
    ] {
        let received = take(body).unwrap();
        assert_eq!(received.acknowledgement, success);
        assert!(received.unread.is_some() && received.arrivals.is_empty());
    }
    let bomb = "<!DOCTYPE x [<!ENTITY a \"b\">]><xml><Content>&a;</Content></xml>";
    for body in [
        "",
        "{}",
        bomb,
        &format!("<xml><a>{}</a></xml>", "x".repeat(70_000)),
    ] {
        assert!(
            matches!(take(body), Err(Refused::Malformed { .. })),
            "{body:.40}"
        );
    }
    let (query, body) = sealed(KEY, APP_ID, &message("text", "<Content>a</Content>"));
    let refused = receive(&channel, "POST", &query, &body);
    assert!(matches!(refused, Err(Refused::Malformed { what }) if what.contains("aes_key")));
}

#[test]
fn with_a_key_only_what_is_encrypted_for_this_account_is_taken() {
    let plain = message("text", "<Content>你好</Content><MsgId>7</MsgId>");
    let both = account(&[KEY, KEY_BEFORE], None);
    for key in [KEY, KEY_BEFORE] {
        let (query, body) = sealed(key, APP_ID, &plain);
        let received = receive(&both, "POST", &query, &body).unwrap();
        assert_eq!(received.arrivals.len(), 1);
        let Acknowledgement::WithReply(waiting) = received.acknowledgement else {
            panic!("it waits for nothing");
        };
        assert_eq!(
            (waiting.event_id.as_str(), waiting.within_ms),
            ("7", HELD_MS)
        );
        // The answer is written as the delivery was, and says who writes to whom.
        let answer = String::from_utf8(waiting.otherwise.body).unwrap();
        let document = Document::read(&answer).unwrap();
        let cipher = document.get("Encrypt").unwrap();
        let at = NOW_S.to_string();
        let words = [TOKEN, &at, "77", cipher];
        assert!(is_signed(&words, document.get("MsgSignature").unwrap()));
        let inner = Key::new(key, APP_ID).unwrap().decrypt(cipher).unwrap();
        let inner = Document::read(&inner).unwrap();
        assert_eq!(inner.get("ToUserName"), Some("oA-_1"));
        assert_eq!(inner.get("FromUserName"), Some("gh_1"));
        assert!(inner.get("Content").unwrap().contains("回复"));
    }
    let one = account(&[KEY], None);
    let (query_before, body_before) = sealed(KEY_BEFORE, APP_ID, &plain);
    let (query_other, body_other) = sealed(KEY, "wx0000000000000000", &plain);
    let (query_right, body) = sealed(KEY, APP_ID, &plain);
    let tampered = body.replacen("<Encrypt><![CDATA[", "<Encrypt><![CDATA[A", 1);
    for (query, body, refused) in [
        (&query_before, &body_before, Refused::Sealed),
        (&query_other, &body_other, Refused::Sealed),
        (&query_right, &tampered, Refused::Forged),
        (&query_before, &body, Refused::Forged),
        (&query(NOW_S), &plain, Refused::Forged),
        (&query(NOW_S), &body, Refused::Forged),
    ] {
        assert_eq!(receive(&one, "POST", query, body), Err(refused));
    }
    assert!(receive(&one, "POST", &query_right, &body).is_ok());
}

fn held(seq: u64, texts: &[&str]) -> Held {
    Held {
        seq,
        event: WORDS_EVENT.to_owned(),
        data: json!({"from": "bot", "epoch": 0, "texts": texts}).to_string(),
    }
}

#[test]
fn a_later_delivery_of_a_message_is_known_by_its_own_time() {
    let delivery = |late_s: i64| {
        let channel = account(&[], None);
        let body = message("text", "<Content>你好</Content><MsgId>7</MsgId>");
        let received = receive(&channel, "POST", &query(NOW_S + late_s), &body).unwrap();
        match received.acknowledgement {
            Acknowledgement::WithReply(waiting) => waiting.delivery,
            other => panic!("{other:?}"),
        }
    };
    let known = [-2, 0, 4, 5, 9, 10, 200].map(delivery);
    assert_eq!(known, [1, 1, 1, 2, 2, 3, 3]);
}

#[test]
fn an_answer_shows_what_fits_and_the_next_one_goes_on_there() {
    let (a, b, c) = ("甲".repeat(300), "乙".repeat(300), "丙".repeat(300));
    let read = Held {
        seq: 3,
        event: READ_EVENT.to_owned(),
        data: "[\"1\"]".to_owned(),
    };
    let feed = [read, held(4, &[&a, &b]), held(5, &[&c, "完"])];
    let (first, to) = answer::gathered(&feed, Place::default());
    assert!(first.starts_with(&format!("{a}\n\n{b}")) && first.contains("未完"));
    assert!(first.len() <= TEXT.max);
    assert_eq!(to, Place { seq: 5, pieces: 0 });
    let (second, to) = answer::gathered(&feed, to);
    assert_eq!(second, format!("{c}\n\n完"));
    assert_eq!(to, Place { seq: 6, pieces: 0 });
    assert_eq!(answer::gathered(&feed, to), (String::new(), to));
    let middle = Place { seq: 4, pieces: 1 };
    assert!(answer::gathered(&feed, middle).0.starts_with(&b));
    // A text of the greatest length leaves room for the word that there is more.
    let full = "x".repeat(ANSWER_TEXT.max);
    let feed = [held(1, &[&full, &full])];
    let (first, to) = answer::gathered(&feed, Place::default());
    assert!(
        first.len() <= TEXT.max && first.contains("There is more"),
        "{}",
        first.len()
    );
    assert_eq!(to, Place { seq: 1, pieces: 1 });
}

#[test]
fn pictures_are_uploaded_first_where_any_are_sent() {
    assert!(account(&[], Some("s")).capabilities().upload_first);
    assert!(!account(&[], None).capabilities().upload_first);
}

#[test]
fn an_account_without_the_api_says_everything_in_the_feed() {
    let outbound = |body| Outbound {
        id: "1".to_owned(),
        address: "wechat:oA".parse().unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body,
    };
    let asked = OutboundBody::Reply(Body {
        parts: vec![text("给谁用？"), choices(&["home", "office"])],
    });
    let read = OutboundBody::Read {
        event_ids: vec!["7".to_owned()],
    };
    let passive = account(&[], None);
    let feed = |event, data: &str| Delivery::Feed {
        event,
        data: data.to_owned(),
    };
    assert_eq!(
        passive.deliver(&outbound(asked.clone())),
        feed(
            WORDS_EVENT,
            "{\"from\":\"bot\",\"epoch\":0,\"texts\":[\"给谁用？\\n\\n1. 选 home\\n2. 选 office\"]}"
        )
    );
    assert_eq!(
        passive.deliver(&outbound(read.clone())),
        feed(READ_EVENT, "[\"7\"]")
    );
    let api = account(&[], Some("s"));
    let push = Delivery::Push {
        pieces: 1,
        tokens: Vec::new(),
    };
    assert_eq!(api.deliver(&outbound(asked)), push);
    assert_eq!(api.deliver(&outbound(read)), Delivery::Nothing);
}

#[test]
fn each_return_code_becomes_what_the_sender_does_next() {
    let of = |code: i64| {
        outcome::receipt(Err(outcome::Failed::Refused {
            code,
            reason: "r".to_owned(),
        }))
    };
    for code in [40_001, 40_014, 41_001, 42_001] {
        assert_eq!(of(code), Receipt::RefreshToken);
    }
    for code in [45_015, 45_047] {
        assert_eq!(of(code), Receipt::WindowClosed);
    }
    assert_eq!(
        (of(43_004), of(40_003)),
        (Receipt::Blocked, Receipt::Blocked)
    );
    assert_eq!(of(45_011), Receipt::RetryAfter { wait_ms: 60_000 });
    // An operator can mend these.
    assert_eq!(
        (of(40_164), of(48_001)),
        (Receipt::TryAgain, Receipt::TryAgain)
    );
    assert!(matches!(of(45_002), Receipt::Permanent { .. }));
    let failed = |failed| outcome::receipt(Err(failed));
    assert_eq!(failed(outcome::Failed::Busy), Receipt::TryAgain);
    assert_eq!(failed(outcome::Failed::NoConnection), Receipt::TryAgain);
    assert_eq!(failed(outcome::Failed::NoAnswer), Receipt::Unknown);
}

#[test]
fn answers_are_written_in_plain_text_where_they_were_asked_so() {
    let channel = account(&[], None);
    let body = message("text", "<Content>hello there</Content><MsgId>8</MsgId>");
    let received = receive(&channel, "POST", &query(NOW_S), &body).unwrap();
    let Acknowledgement::WithReply(waiting) = received.acknowledgement else {
        panic!("it waits for nothing");
    };
    let shown = |answer: Answer| {
        let text = String::from_utf8(answer.body).unwrap();
        Document::read(&text)
            .unwrap()
            .get("Content")
            .unwrap()
            .to_owned()
    };
    assert!(shown(waiting.otherwise).starts_with("One moment"));
    assert_eq!(waiting.nothing, answer::plain("success"));
    let feed = [held(1, &["]]> & <b>"])];
    let answered = channel
        .answer(&waiting.form, &feed, Place::default(), 1)
        .unwrap();
    assert_eq!(shown(answered.answer.unwrap()), "]]> & <b>");
    let nothing = channel.answer(&waiting.form, &[], Place::default(), 1);
    assert_eq!(nothing.unwrap().answer, None);
}

#[test]
fn a_delivery_waits_as_long_as_the_channel_tells() {
    let (query, body) = sealed(
        KEY,
        APP_ID,
        &message("text", "<Content>你好</Content><MsgId>7</MsgId>"),
    );
    for (secret, held_ms) in [(Some("s"), READY_MS), (None, HELD_MS)] {
        let channel = account(&[KEY], secret);
        let received = receive(&channel, "POST", &query, &body).unwrap();
        let Acknowledgement::WithReply(waiting) = received.acknowledgement else {
            panic!("it waits for nothing");
        };
        assert_eq!(waiting.within_ms, held_ms);
        match channel.capabilities().sync_reply {
            SyncReply::InTime { within_ms } => assert_eq!(within_ms, held_ms),
            SyncReply::Only { within_ms } => assert!(within_ms > held_ms),
            SyncReply::None => panic!("it answers"),
        }
    }
}
