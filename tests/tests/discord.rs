//! The product on Discord: whole conversations over the gateway and the API, and everything that can go wrong between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tests::binary::{LOG, Server, free_port};
use tests::discord_peer::{DiscordPeer, TOKEN, button, words};

/// Long enough for a second answer to come if one were to come.
const QUIET: Duration = Duration::from_millis(1_500);

/// One server on Discord; `more` overrides its settings.
fn serve(peer: &DiscordPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    let mut environment = vec![
        ("TIANSHENG_CHANNELS__DISCORD__TOKEN", TOKEN),
        ("TIANSHENG_CHANNELS__DISCORD__API_URL", peer.url.as_str()),
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "100"),
        // What is logged at its most talkative must hold no token.
        ("TIANSHENG_LOG__LEVEL", "debug"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    environment.extend(more);
    Server::start(data, free_port(), &environment)
}

/// A server that listens.
async fn on_gateway(data: &Path, more: &[(&str, &str)]) -> (DiscordPeer, Server) {
    let peer = DiscordPeer::start(&[]);
    let server = serve(&peer, data, more);
    peer.listened_to().await;
    (peer, server)
}

/// Says something and waits for so many messages more.
async fn ask(
    peer: &DiscordPeer,
    (user, channel): &(String, String),
    text: &str,
    more: usize,
) -> Vec<Value> {
    let before = peer.sent(channel).await.len();
    peer.say(channel, user, text).await;
    peer.sent_at_least(channel, before + more).await[before..].to_vec()
}

fn logged(data: &Path) -> String {
    std::fs::read_to_string(data.join(LOG)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let greeting = ask(&peer, &customer, "你好", 1).await;
    assert!(words(&greeting[0]).contains("AI"), "{greeting:?}");
    let offer = ask(&peer, &customer, "意式咖啡机有推荐吗？", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    assert_eq!(offer[0]["embeds"].as_array().unwrap().len(), 3, "{offer:?}");
    assert!(offer[0]["embeds"][0]["url"].is_string(), "{offer:?}");
    let compare = button(&offer[0], "比较前两款").unwrap();
    let before = peer.sent(&customer.1).await.len();
    let press = json!({
        "user": customer.0, "channel": customer.1, "message": offer[0]["id"], "id": compare,
    });
    let pressed = peer.sim("press", press).await;
    let compared = peer.sent_at_least(&customer.1, before + 1).await;
    assert!(words(&compared[before]).contains("价"), "{compared:?}");
    let answered = peer.sim("answered", json!({"id": pressed["id"]})).await;
    assert_eq!(answered["responded"], true, "the button waits");
    // A number means what the list before it counts.
    let second = ask(&peer, &customer, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, &customer, wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    assert!(!logged(data.path()).contains("secret-of_the_bot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let greeting = ask(&peer, &customer, "hello", 1).await;
    assert!(!words(&greeting[0]).contains('您'), "{greeting:?}");
    let wish = "an espresso machine under 3000 yuan please";
    let offer = ask(&peer, &customer, wish, 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let details = ask(&peer, &customer, "is the second one in stock?", 1).await;
    assert!(!words(&details[0]).is_empty());
    let person = ask(&peer, &customer, "can I talk to a person", 1).await;
    assert!(words(&person[0]).contains("colleague"), "{person:?}");
}
