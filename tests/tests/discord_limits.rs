//! Discord's limits and what nobody can tell: texts at each border, one message however often it is sent, and no asking in vain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::discord::{Bot, Discord};
use adapters::{
    Body, Card, Channel, Choice, Delivery, KeptHere, Outbound, OutboundBody, Part, Price, Receipt,
    Speaker,
};
use std::sync::Arc;
use std::time::Duration;
use tests::discord_peer::{DiscordPeer, TOKEN};
use tests::peer::http;

fn channel(peer: &DiscordPeer, token: &str) -> Discord {
    let bot = Bot {
        token: token.to_owned().into(),
        public_key: None,
        message_content: false,
        api_url: peer.url.parse().unwrap(),
    };
    Discord::new(&bot, http(), Arc::new(KeptHere::default())).unwrap()
}

fn said(id: &str, place: &str, parts: Vec<Part>) -> Outbound {
    Outbound {
        id: id.to_owned(),
        address: format!("discord:{place}").parse().unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(Body { parts }),
    }
}

fn text(text: String) -> Part {
    Part::Text { text }
}

/// Sends all of a message and gives what has arrived.
async fn arrived(peer: &DiscordPeer, discord: &Discord, message: &Outbound) -> Vec<String> {
    let Delivery::Push { pieces, .. } = discord.deliver(message) else {
        panic!("nothing to send");
    };
    for piece in 0..pieces {
        loop {
            match discord.send(message, piece).await {
                Receipt::Sent { .. } => break,
                Receipt::RetryAfter { wait_ms } => {
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let sent = peer.sent(message.address.place()).await;
    let contents = sent
        .iter()
        .map(|m| m["content"].as_str().unwrap().to_owned());
    contents.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_at_the_border_are_taken_whole_and_one_over_is_two() {
    let peer = DiscordPeer::start(&[]);
    let discord = channel(&peer, TOKEN);
    for border in ["字", "☕", "👩‍👧", "_", "a"] {
        let width = border.chars().count();
        let at = "字".repeat(2000 - width) + border;
        for (text_of, count) in [(at.clone(), 1), (format!("字{at}"), 2)] {
            // What is escaped takes room of its own.
            let count = if border == "_" { 2 } else { count };
            let (_, place) = peer.customer().await;
            let message = said(&text_of, &place, vec![text(text_of.clone())]);
            let sent = arrived(&peer, &discord, &message).await;
            assert_eq!(sent.len(), count, "{border}");
            assert_eq!(sent.concat().replace('\\', ""), text_of);
        }
    }
    // As many choices as a menu holds, with ids as long as Discord takes.
    let (_, place) = peer.customer().await;
    let choices = (0..25).map(|n| Choice {
        id: format!("{n:0>100}"),
        label: "标签".repeat(80),
    });
    let choices = Part::Choices {
        choices: choices.collect(),
        uncounted: false,
    };
    let message = said("menu", &place, vec![text("?".to_owned()), choices]);
    assert_eq!(arrived(&peer, &discord, &message).await, ["?"]);
}

fn product(title: usize, why: usize) -> Card {
    Card {
        id: "sku".to_owned(),
        title: "山".repeat(title),
        price: Price {
            amount: "12680.00".to_owned(),
            currency: "CNY".to_owned(),
        },
        was: None,
        link: Some("https://shop.example/p".to_owned()),
        image: Some("https://cdn.example/a.jpg".to_owned()),
        availability: "in_stock".to_owned(),
        why: vec!["很".repeat(why)],
    }
}

/// Lengths of title and description of all embeds, a list for each message.
async fn embeds(
    peer: &DiscordPeer,
    discord: &Discord,
    id: &str,
    products: Vec<Card>,
) -> Vec<Vec<(usize, usize)>> {
    let (_, place) = peer.customer().await;
    let message = said(id, &place, vec![Part::Products { products }]);
    arrived(peer, discord, &message).await;
    let length = |text: &serde_json::Value| text.as_str().unwrap().chars().count();
    let sent = peer.sent(&place).await;
    let of = |message: &serde_json::Value| {
        let embeds = message["embeds"].as_array().unwrap().iter();
        embeds
            .map(|embed| (length(&embed["title"]), length(&embed["description"])))
            .collect()
    };
    sent.iter().map(of).collect()
}

/// The peer refuses a longer one, as Discord does.
#[tokio::test(flavor = "multi_thread")]
async fn embeds_at_each_border_are_taken_whole_and_one_over_is_shortened_or_another_message() {
    const TITLE_MAX: usize = 256;
    const DESCRIPTION_MAX: usize = 4_096;
    const ALL_MAX: usize = 6_000;
    let peer = DiscordPeer::start(&[]);
    let discord = channel(&peer, TOKEN);
    let short = embeds(&peer, &discord, "short", vec![product(1, 1)]).await[0][0];
    // What a description holds besides the reason.
    let besides = short.1 - 1;
    let whole = |title: usize, description: usize| product(title, description - besides);
    let at = vec![whole(TITLE_MAX, 100), whole(1, DESCRIPTION_MAX)];
    let at = embeds(&peer, &discord, "at", at).await;
    assert_eq!(at, [[(TITLE_MAX, 100), (1, DESCRIPTION_MAX)]]);
    let over = vec![whole(TITLE_MAX + 1, 100), whole(1, DESCRIPTION_MAX + 1)];
    let over = embeds(&peer, &discord, "over", over).await;
    assert!(over[0][0].0 <= TITLE_MAX && over[0][1].1 <= DESCRIPTION_MAX);
    // All of one message together.
    let first = ALL_MAX / 2;
    let both = |second: usize| vec![whole(10, first - 10), whole(10, second - 10)];
    let together = embeds(&peer, &discord, "together", both(ALL_MAX - first)).await;
    assert_eq!(together.len(), 1, "{together:?}");
    let apart = embeds(&peer, &discord, "apart", both(ALL_MAX - first + 1)).await;
    assert_eq!(apart.len(), 2, "{apart:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_sent_twice_is_one_and_another_with_the_same_words_is_another() {
    let peer = DiscordPeer::start(&[]);
    let discord = channel(&peer, TOKEN);
    let (_, place) = peer.customer().await;
    let message = said("m1", &place, vec![text("你好".to_owned())]);
    arrived(&peer, &discord, &message).await;
    assert_eq!(arrived(&peer, &discord, &message).await.len(), 1);
    let other = said("m2", &place, vec![text("你好".to_owned())]);
    assert_eq!(arrived(&peer, &discord, &other).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_much_in_vain_nothing_more_is_asked() {
    let peer = DiscordPeer::start(&[]);
    let discord = channel(&peer, "x.y.z");
    let message = said("m", "17", vec![text("你好".to_owned())]);
    let mut asked = 0;
    let receipt = loop {
        match discord.send(&message, 0).await {
            Receipt::TryAgain => asked += 1,
            other => break other,
        }
        // Discord shuts out who asks ten thousand times.
        assert!(asked < 10_000);
    };
    assert!(matches!(receipt, Receipt::RetryAfter { .. }), "{receipt:?}");
    assert!(discord.check().await.iter().all(|found| !found.ok));
    assert_eq!(peer.requests("POST", "/messages").await.len(), asked);
}
