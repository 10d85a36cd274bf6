//! WeChat's servers of the test's own, with people who write to an official account: signing and encryption are another project's.

use crate::peer::Peer;
use serde_json::Value;
use std::ops::Deref;

// The values of Tencent's own samples.
pub const APP_ID: &str = "wx5823bf96d3bd56c7";
pub const SECRET: &str = "s3cr3t-of-the-account";
pub const TOKEN: &str = "QDG6eK";
pub const AES_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

pub struct WeChatPeer(Peer);

impl Deref for WeChatPeer {
    type Target = Peer;

    fn deref(&self) -> &Peer {
        &self.0
    }
}

impl WeChatPeer {
    pub fn start(arguments: &[&str]) -> Self {
        let account = [APP_ID, SECRET, TOKEN, AES_KEY];
        Self(Peer::start("wechat_peer/peer.py", &account, arguments))
    }

    /// What a server needs to be on this platform.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TIANSHENG_CHANNELS__WECHAT__APP_ID", APP_ID.to_owned()),
            ("TIANSHENG_CHANNELS__WECHAT__TOKEN", TOKEN.to_owned()),
            ("TIANSHENG_CHANNELS__WECHAT__AES_KEY", AES_KEY.to_owned()),
            ("TIANSHENG_CHANNELS__WECHAT__APP_SECRET", SECRET.to_owned()),
            ("TIANSHENG_CHANNELS__WECHAT__API_URL", self.url.clone()),
        ]
    }
}

/// The words of a message, whatever carries them.
pub fn words(message: &Value) -> String {
    match message["msgtype"].as_str().unwrap() {
        "text" => message["text"]["content"].as_str().unwrap().to_owned(),
        "msgmenu" => message["msgmenu"]["head_content"]
            .as_str()
            .unwrap()
            .to_owned(),
        "image" => String::new(),
        _ => {
            let article = &message["news"]["articles"][0];
            format!("{}\n{}", article["title"], article["description"])
        }
    }
}

/// The id of a menu's line by its label.
pub fn line(message: &Value, label: &str) -> Option<String> {
    let list = message["msgmenu"]["list"].as_array()?;
    let found = list.iter().find(|item| item["content"] == label)?;
    found["id"].as_str().map(str::to_owned)
}

/// What the customer saw in the answer to a delivery; `None` where the answer shows nothing.
pub fn shown(delivery: &Value) -> Option<String> {
    let last = delivery.as_array().unwrap().last().unwrap();
    assert!(last["error"].is_null(), "{delivery:#}");
    last["shown"].as_str().map(str::to_owned)
}
