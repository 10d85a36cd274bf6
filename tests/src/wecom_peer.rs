//! WeCom's servers of the test's own, with customers and people at its desk: signing and encryption are another project's.

use crate::peer::Peer;
use serde_json::{Value, json};
use std::ops::Deref;

// The values of Tencent's own samples.
pub const CORP_ID: &str = "wx5823bf96d3bd56c7";
pub const SECRET: &str = "s3cr3t-of-the-corp";
pub const TOKEN: &str = "QDG6eK";
pub const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// The accounts that the peer has.
pub const ACCOUNT: &str = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q";
pub const OTHER_ACCOUNT: &str = "wkB";

pub struct WeComPeer(Peer);

impl Deref for WeComPeer {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl WeComPeer {
    pub fn start(arguments: &[&str]) -> Self {
        let company = [CORP_ID, SECRET, TOKEN, AES_KEY];
        Self(Peer::start("wechat_peer/wecom.py", &company, arguments))
    }

    /// What a server needs to be on this platform.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TIANSHENG_CHANNELS__WECOM__CORP_ID", CORP_ID.to_owned()),
            ("TIANSHENG_CHANNELS__WECOM__SECRET", SECRET.to_owned()),
            ("TIANSHENG_CHANNELS__WECOM__TOKEN", TOKEN.to_owned()),
            ("TIANSHENG_CHANNELS__WECOM__AES_KEY", AES_KEY.to_owned()),
            ("TIANSHENG_CHANNELS__WECOM__API_URL", self.url.clone()),
        ]
    }

    /// What was sent as a welcome, which names nobody.
    pub async fn welcomes(&self) -> Vec<Value> {
        let sent = self.sim("sent", json!({})).await;
        sent.as_array().unwrap().clone()
    }

    /// In which state a conversation of the first account is.
    pub async fn session(&self, user: &str) -> Value {
        self.state().await["sessions"][format!("{ACCOUNT}.{user}")]["state"].clone()
    }
}

/// The words of a message, whatever carries them.
pub fn words(message: &Value) -> &str {
    let words = match message["msgtype"].as_str().unwrap() {
        "text" => &message["text"]["content"],
        "link" => &message["link"]["desc"],
        _ => &message["msgmenu"]["head_content"],
    };
    words.as_str().unwrap()
}

/// The id of a menu's line by its label.
pub fn line(message: &Value, label: &str) -> Option<String> {
    let list = message["msgmenu"]["list"].as_array()?;
    let found = list.iter().find(|item| item["click"]["content"] == label)?;
    found["click"]["id"].as_str().map(str::to_owned)
}
