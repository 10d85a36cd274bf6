//! The settings of the platforms, each there only when its credentials are.

use super::layers::Reading;
use adapters::telegram::{Mode, is_secret, is_token};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// None: the shop is not on Telegram.
    pub telegram: Option<Telegram>,
}

#[derive(Clone, Debug)]
pub struct Telegram {
    pub token: SecretString,
    pub mode: Mode,
    /// Always there with [`Mode::Webhook`].
    pub secret: Option<SecretString>,
    /// None: Telegram's own.
    pub api_url: Option<Url>,
}

pub(super) fn read(reading: &mut Reading) -> Channels {
    Channels {
        telegram: telegram(reading),
    }
}

fn telegram(reading: &mut Reading) -> Option<Telegram> {
    const TOKEN: &str = "channels.telegram.token";
    const TOKEN_FILE: &str = "channels.telegram.token_file";
    const MODE: &str = "channels.telegram.mode";
    const SECRET: &str = "channels.telegram.secret";
    const SECRET_FILE: &str = "channels.telegram.secret_file";
    const API_URL: &str = "channels.telegram.api_url";
    let token = reading.secret(TOKEN, TOKEN_FILE);
    let secret = reading.secret(SECRET, SECRET_FILE);
    let mode = reading.with(MODE, "webhook or polling", |text| match text {
        "webhook" => Some(Mode::Webhook),
        "polling" => Some(Mode::Polling),
        _ => None,
    });
    let api_url = reading.with(API_URL, "a URL such as https://api.telegram.org", |text| {
        let url = Url::parse(text).ok()?;
        let usable = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        usable.then_some(url)
    });
    let Some(token) = token else {
        for key in [MODE, SECRET, SECRET_FILE, API_URL] {
            if reading.given(key) {
                reading.missing(TOKEN, key);
            }
        }
        return None;
    };
    let token_key = if reading.given(TOKEN) {
        TOKEN
    } else {
        TOKEN_FILE
    };
    if !is_token(token.expose_secret()) {
        reading.refuse(
            token_key,
            "must be a bot's token such as 123456:ABC-def, as @BotFather gives it".to_owned(),
        );
        return None;
    }
    let mode = mode.unwrap_or(Mode::Webhook);
    match &secret {
        Some(secret) if !is_secret(secret.expose_secret()) => reading.refuse(
            if reading.given(SECRET) {
                SECRET
            } else {
                SECRET_FILE
            },
            "must be 1 to 256 letters, digits, `_` and `-`, which is all that Telegram sends"
                .to_owned(),
        ),
        Some(_) => {}
        // Anybody could write in a customer's name otherwise.
        None if mode == Mode::Webhook => reading.missing(SECRET, token_key),
        None => {}
    }
    Some(Telegram {
        token,
        mode,
        secret,
        api_url,
    })
}
