//! The product on Discord, and what tests do with it.

use crate::binary::{Server, free_port};
use crate::discord_peer::DiscordPeer;
use serde_json::Value;
use std::path::Path;

/// One server on Discord; `more` overrides its settings.
pub fn serve(peer: &DiscordPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    super::serve(free_port(), data, &peer.settings(), more)
}

/// The same, once it listens.
pub async fn listening(peer: &DiscordPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    let server = serve(peer, data, more);
    peer.listened_to().await;
    server
}

/// Discord with nothing wrong, and a server that listens.
pub async fn on_gateway(data: &Path, more: &[(&str, &str)]) -> (DiscordPeer, Server) {
    let peer = DiscordPeer::start(&[]);
    let server = listening(&peer, data, more).await;
    (peer, server)
}

/// Says something and waits for so many messages more.
pub async fn ask(
    peer: &DiscordPeer,
    (user, channel): &(String, String),
    text: &str,
    more: usize,
) -> Vec<Value> {
    let said = peer.say(channel, user, text);
    peer.sent_upon(said, channel, more).await
}
