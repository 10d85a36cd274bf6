//! What every channel keeps to, whatever its platform: one suite, one line a channel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::discord::{self, Discord};
use adapters::render::measure;
use adapters::telegram::{Mode, Telegram};
use adapters::web::Web;
use adapters::wechat::{Account, WeChat};
use adapters::wecom::{Corp, WeCom};
use adapters::{
    Address, Body, Capabilities, Card, Cards, CatchUp, Channel, Choice, Choices, Delivered,
    Delivery, Handoff, Idempotency, KeptHere, Length, Outbound, OutboundBody, Part, Price,
    Receipts, Refused, Speaker, SyncReply, Typing, Unit, Window, Words,
};
use http::HeaderMap;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Each channel with a place on it.
fn channels() -> Vec<(Box<dyn Channel>, &'static str)> {
    let token = SecretString::from("123:ABC".to_owned());
    let secret = Some(SecretString::from("secret".to_owned()));
    let telegram = |mode| {
        let keep = Arc::new(KeptHere::default());
        Telegram::new(&token, None, mode, secret.clone(), keep).unwrap()
    };
    let discord = |public_key: Option<&str>| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let bot = discord::Bot {
            token: SecretString::from("a.b.c".to_owned()),
            public_key: public_key.map(str::to_owned),
            message_content: false,
            api_url: discord::API_URL.parse().unwrap(),
        };
        let keep = Arc::new(KeptHere::default());
        Discord::new(&bot, reqwest::Client::new(), keep).unwrap()
    };
    let key = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
    let corp = Corp {
        corp_id: "ww1".to_owned(),
        secret: SecretString::from("secret"),
        token: SecretString::from("token"),
        aes_keys: vec![SecretString::from(
            "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
        )],
        api_url: adapters::wecom::API_URL.parse().unwrap(),
    };
    // A client that is never asked; it needs a provider to be made all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let wecom = WeCom::new(&corp, http, Arc::new(KeptHere::default()));
    let account = |app_secret: Option<&str>, answer_in_time| {
        let account = Account {
            app_id: "wx1".to_owned(),
            token: SecretString::from("token"),
            aes_keys: Vec::new(),
            app_secret: app_secret.map(SecretString::from),
            answer_in_time,
            api_url: adapters::wechat::API_URL.parse().unwrap(),
        };
        let keep = Arc::new(KeptHere::default());
        Box::new(WeChat::new(&account, reqwest::Client::new(), keep))
    };
    vec![
        (account(Some("secret"), false), "oA-_1"),
        (account(Some("secret"), true), "oA-_1"),
        (account(None, false), "oA-_1"),
        (Box::new(Web), "3f0c"),
        (Box::new(discord(None)), "1575428995233611777"),
        (Box::new(discord(Some(key))), "1575428995233611777.17"),
        (Box::new(wecom), "wkB.wmA"),
        (Box::new(telegram(Mode::Webhook)), "5"),
        (Box::new(telegram(Mode::Polling)), "-1001.5"),
    ]
}

fn message(channel: &dyn Channel, place: &str, body: OutboundBody) -> Outbound {
    Outbound {
        id: "m".to_owned(),
        address: Address::new(channel.name(), place).unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body,
    }
}

/// Names and ids at their worst.
fn bodies() -> Vec<Body> {
    let names = ["", " ", "_*[]()~`>#+-=|{}.!", "<b>", "👩‍👩‍👧‍👦\u{301}", "茶"];
    let product = |name: &str| Card {
        id: name.to_owned(),
        title: name.repeat(300),
        price: Price {
            amount: "0.50".to_owned(),
            currency: "JPY".to_owned(),
        },
        was: None,
        link: Some("javascript:alert(1)".to_owned()),
        image: Some("https://cdn.example/a b.jpg".to_owned()),
        availability: "out_of_stock".to_owned(),
        why: vec![name.repeat(500); 3],
    };
    let choice = |id: String| Choice {
        label: id.clone(),
        id,
    };
    let mut bodies: Vec<Body> = names
        .iter()
        .map(|name| Body {
            parts: vec![
                Part::Text {
                    text: name.repeat(5_000),
                },
                Part::Products {
                    products: vec![product(name), product("x")],
                },
                Part::Choices {
                    choices: (0..9)
                        .map(|n| choice(format!("{name}{n}").repeat(22)))
                        .collect(),
                    uncounted: false,
                },
            ],
        })
        .collect();
    bodies.push(Body::default());
    bodies.push(Body {
        parts: vec![Part::Choices {
            choices: (0..200).map(|n| choice(n.to_string())).collect(),
            uncounted: false,
        }],
    });
    bodies
}

/// Texts that wait to be seen inside an answer are no longer than one message.
fn fits(channel: &dyn Channel, data: &str) {
    let text = channel.capabilities().text;
    let Ok(words) = serde_json::from_str::<Words>(data) else {
        return;
    };
    for words in words.texts {
        let length = measure(&words, text.unit);
        let name = channel.name();
        assert!((1..=text.max).contains(&length), "{name}: {length}");
    }
}

#[test]
fn the_same_message_is_the_same_pieces_always() {
    for (channel, place) in channels() {
        for body in bodies() {
            let message = message(channel.as_ref(), place, OutboundBody::Reply(body));
            let delivery = channel.deliver(&message);
            assert_eq!(delivery, channel.deliver(&message), "{}", channel.name());
            match delivery {
                Delivery::Push { pieces, .. } => assert!(pieces > 0, "{}", channel.name()),
                Delivery::Feed { data, .. } => fits(channel.as_ref(), &data),
                Delivery::Act | Delivery::Nothing => {}
            }
            // What an answer to a delivery carries is one text.
            if let Some(held) = channel.within_answer(&message) {
                fits(channel.as_ref(), &held.data);
            }
        }
    }
}

#[test]
fn tokens_fit_the_buttons_and_each_stands_for_one_choice() {
    for (channel, place) in channels() {
        for body in bodies() {
            let message = message(channel.as_ref(), place, OutboundBody::Reply(body));
            let Delivery::Push { tokens, .. } = channel.deliver(&message) else {
                continue;
            };
            let Choices::Buttons { id_bytes_max, .. } = channel.capabilities().choices else {
                panic!("{} has tokens and no buttons", channel.name());
            };
            let distinct: BTreeSet<&str> = tokens.iter().map(|t| t.token.as_str()).collect();
            let choices: BTreeSet<&str> = tokens.iter().map(|t| t.choice.as_str()).collect();
            assert_eq!(distinct.len(), choices.len());
            assert!(distinct.iter().all(|token| token.len() <= id_bytes_max));
        }
    }
}

#[test]
fn nobody_is_believed_without_a_proof() {
    for (channel, _) in channels() {
        for (method, body) in [("POST", "{}"), ("GET", ""), ("POST", "{\"update_id\":1}")] {
            let refused = channel.receive(&Delivered {
                method,
                headers: &HeaderMap::new(),
                query: "",
                body: body.as_bytes(),
                now_ms: 0,
            });
            let expected = matches!(refused, Err(Refused::Forged | Refused::NotTaken));
            assert!(expected, "{}: {refused:?}", channel.name());
        }
    }
}

#[test]
fn a_channel_is_found_by_its_name_and_its_limits_are_limits() {
    for (channel, place) in channels() {
        let address = Address::new(channel.name(), place).unwrap();
        assert!(place.starts_with(channel.lane(&address)));
        let can = channel.capabilities();
        assert!(can.text.max > 0);
        assert!(
            can.caption
                .is_none_or(|caption| caption.max <= can.text.max)
        );
        if let Some(pace) = can.pace {
            assert!(pace.lane_every_ms >= pace.all_every_ms && pace.lane_burst > 0);
            if let Some(shared) = pace.shared_lane {
                assert!(shared.every_ms > pace.lane_every_ms);
                assert!(shared.burst >= pace.lane_burst);
            }
        }
    }
}

#[test]
fn an_address_says_whether_its_platform_has_a_desk_of_its_own() {
    for (channel, place) in channels() {
        let address = Address::new(channel.name(), place).unwrap();
        let has_own = channel.capabilities().handoff == Handoff::Native;
        assert_eq!(address.has_own_desk(), has_own, "{}", channel.name());
    }
}

/// `2,048`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn lasting(ms: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let whole = UNITS
        .iter()
        .find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{} {name}", ms / unit),
        None => format!("{} s", ms as f64 / 1000.0),
    }
}

fn length(length: Length) -> String {
    let unit = match length.unit {
        Unit::Utf16 => "UTF-16 units",
        Unit::Characters => "characters",
        Unit::Bytes => "bytes",
    };
    format!("{} {unit}", grouped(length.max))
}

fn window(window: Option<Window>, sync_reply: SyncReply) -> String {
    if matches!(sync_reply, SyncReply::Only { .. }) {
        return "when the customer writes".to_owned();
    }
    let Some(window) = window else {
        return "at any time".to_owned();
    };
    let count = window
        .messages_max
        .map(|most| format!("{most} messages in "));
    let mut told = format!(
        "{}{} after the customer wrote",
        count.unwrap_or_default(),
        lasting(window.open_ms)
    );
    let mut briefs = vec![
        ("touched a menu", window.after_touch),
        ("came in", window.after_coming),
    ];
    if window.after_touch == window.after_coming {
        briefs = vec![("touched a menu or came in", window.after_touch)];
    }
    for (when, brief) in briefs {
        if let Some(brief) = brief {
            told += &format!(
                ", {} in {} after they {when}",
                brief.messages_max,
                lasting(brief.open_ms)
            );
        }
    }
    told
}

/// What a channel can do, in words, line by line.
fn told(can: &Capabilities) -> Vec<(&'static str, String)> {
    let caption = |caption: Option<Length>| {
        caption.map_or_else(String::new, |c| format!(" with {} beside it", length(c)))
    };
    vec![
        ("one text", length(can.text)),
        (
            "a product",
            match can.cards {
                Cards::Native => "a card with its picture".to_owned(),
                Cards::Photos => format!("a photo{}", caption(can.caption)),
                Cards::Text => "words and a link".to_owned(),
            },
        ),
        (
            "quick replies",
            match can.choices {
                Choices::Buttons {
                    max: usize::MAX, ..
                } => "to touch".to_owned(),
                Choices::Buttons { max, .. } => format!("up to {max} to touch"),
                Choices::Numbered => "numbers and words to type".to_owned(),
            },
        ),
        ("the shop may write", window(can.window, can.sync_reply)),
        (
            "an answer in the delivery",
            match can.sync_reply {
                SyncReply::None => "no".to_owned(),
                SyncReply::InTime { within_ms } => {
                    format!("where it is ready in {}", lasting(within_ms))
                }
                SyncReply::Only { within_ms } => {
                    format!("the only way, within {}", lasting(within_ms))
                }
            },
        ),
        (
            "the same sent twice",
            match can.idempotency {
                Idempotency::None => {
                    "comes twice, so what may have arrived is not sent again".to_owned()
                }
                Idempotency::Key { for_ms } => format!("is one message for {}", lasting(for_ms)),
                Idempotency::Own => "is one message".to_owned(),
            },
        ),
        (
            "while an answer is written",
            match can.typing {
                Typing::None => "nothing is shown".to_owned(),
                Typing::Hint | Typing::Action { .. } => "typing is shown".to_owned(),
            },
        ),
        (
            "the platform reports",
            match can.receipts {
                Receipts::None => "nothing".to_owned(),
                Receipts::Failures => "what did not arrive".to_owned(),
                Receipts::DeliveredAndRead => "what arrived and was read".to_owned(),
            },
        ),
        (
            "handed over to",
            match can.handoff {
                Handoff::Ours => "the shop's reps".to_owned(),
                Handoff::Native => "the platform's own desk, else the shop's reps".to_owned(),
            },
        ),
        (
            "said while the shop is down",
            match can.catch_up {
                CatchUp::Redelivered { for_ms: u64::MAX } => {
                    "is brought again until it is taken".to_owned()
                }
                CatchUp::Redelivered { for_ms } => {
                    format!("is brought again for {}", lasting(for_ms))
                }
                CatchUp::History => "is fetched afterwards".to_owned(),
                CatchUp::None => "is lost".to_owned(),
            },
        ),
    ]
}

#[test]
fn the_manual_tells_what_each_channel_can_do() {
    let mut columns: Vec<(String, Vec<(&'static str, String)>)> = Vec::new();
    for (channel, _) in channels() {
        let can = channel.capabilities();
        let name = match (channel.name(), can.sync_reply) {
            ("web", _) => "the shop's page",
            ("telegram", _) => "Telegram",
            ("discord", _) => "Discord",
            ("wecom", _) => "WeCom",
            ("wechat", SyncReply::InTime { .. }) => "WeChat",
            ("wechat", SyncReply::Only { .. }) => "WeChat without its API",
            // What an operator turned off.
            ("wechat", SyncReply::None) => continue,
            (other, _) => other,
        };
        if columns.iter().all(|(known, _)| known != name) {
            columns.push((name.to_owned(), told(&can)));
        }
    }
    let order = [
        "the shop's page",
        "Telegram",
        "Discord",
        "WeChat",
        "WeChat without its API",
        "WeCom",
    ];
    columns.sort_by_key(|(name, _)| order.iter().position(|known| known == name));
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut table = format!(
        "| | {} |\n|{}\n",
        names.join(" | "),
        " --- |".repeat(names.len() + 1)
    );
    for (at, (what, _)) in columns[0].1.iter().enumerate() {
        let cells: Vec<&str> = columns
            .iter()
            .map(|(_, told)| told[at].1.as_str())
            .collect();
        table += &format!("| {what} | {} |\n", cells.join(" | "));
    }
    let manual = include_str!("../../README.md");
    assert!(manual.contains(&table), "README.md should hold:\n{table}");
}
