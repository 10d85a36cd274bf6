//! The product on Discord, and what tests do with it.

use crate::binary::{Server, free_port};
use crate::discord_peer::{DiscordPeer, TOKEN};
use serde_json::Value;
use std::path::Path;

/// One server on Discord; `more` overrides its settings.
pub fn serve(peer: &DiscordPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    let discord = [
        ("TIANSHENG_CHANNELS__DISCORD__TOKEN", TOKEN),
        ("TIANSHENG_CHANNELS__DISCORD__API_URL", peer.url.as_str()),
    ];
    super::serve(free_port(), data, &discord, more)
}

/// A server that listens.
pub async fn on_gateway(data: &Path, more: &[(&str, &str)]) -> (DiscordPeer, Server) {
    let peer = DiscordPeer::start(&[]);
    let server = serve(&peer, data, more);
    peer.listened_to().await;
    (peer, server)
}

/// Says something and waits for so many messages more.
pub async fn ask(
    peer: &DiscordPeer,
    (user, channel): &(String, String),
    text: &str,
    more: usize,
) -> Vec<Value> {
    let before = peer.sent(channel).await.len();
    peer.say(channel, user, text).await;
    peer.sent_at_least(channel, before + more).await[before..].to_vec()
}
