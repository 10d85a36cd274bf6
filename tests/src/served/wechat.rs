//! The product as a WeChat official account, and what tests do with it.

use crate::binary::{Server, free_port};
use crate::peer::http;
use crate::wechat_peer::{AES_KEY, SECRET, WeChatPeer, shown};
use serde_json::{Value, json};
use std::path::Path;

/// One server with an official account; `more` overrides its settings.
pub fn serve(peer: &WeChatPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    serve_at(free_port(), peer, data, more)
}

/// The same at a port of choice, where WeChat finds it again after a restart.
pub fn serve_at(port: u16, peer: &WeChatPeer, data: &Path, more: &[(&str, &str)]) -> Server {
    let mut account = peer.settings();
    // Where it is not the matter of a test, what is said goes over the API.
    let over_the_api = "false".to_owned();
    account.push(("TIANSHENG_CHANNELS__WECHAT__ANSWER_IN_TIME", over_the_api));
    super::serve(port, data, &account, more)
}

/// An account without the customer-service API.
pub const PASSIVE: (&str, &str) = ("TIANSHENG_CHANNELS__WECHAT__CUSTOMER_SERVICE", "false");

pub fn hook(server: &Server) -> String {
    format!("{}/webhooks/wechat", server.url)
}

/// Says something, encrypted, and gives what came of the delivery.
pub async fn say(peer: &WeChatPeer, server: &Server, from: &str, text: &str) -> Value {
    let act = json!({"url": hook(server), "from": from, "text": text, "safe": true});
    peer.sim("text", act).await
}

/// The same, and waits for so many messages more over the API.
pub async fn ask(
    peer: &WeChatPeer,
    server: &Server,
    from: &str,
    text: &str,
    more: usize,
) -> Vec<Value> {
    let said = async {
        let delivery = say(peer, server, from, text).await;
        assert_eq!(shown(&delivery), None, "it is answered over the API");
    };
    peer.sent_upon(said, from, more).await
}

/// Says something to an account without the API and gives what the customer sees.
pub async fn seen(peer: &WeChatPeer, server: &Server, from: &str, text: &str) -> String {
    shown(&say(peer, server, from, text).await).unwrap_or_default()
}

/// Posts a delivery as it is given, and gives its status.
pub async fn posted(server: &Server, query: &Value, body: &str) -> u16 {
    let pairs: Vec<(String, String)> = query
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let asked = http()
        .post(hook(server))
        .query(&pairs)
        .body(body.to_owned());
    asked.send().await.unwrap().status().as_u16()
}

pub fn is_secret(log: &str) -> bool {
    [SECRET, AES_KEY, "access_token="]
        .iter()
        .any(|secret| log.contains(secret))
}
