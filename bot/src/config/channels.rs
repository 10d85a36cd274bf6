//! The settings of the platforms, each there only when its credentials are.

use super::layers::Reading;
use adapters::discord;
use adapters::telegram::{Mode, is_secret, is_token};
use adapters::wechat::{KEYS_MAX, is_aes_key};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// None: the shop is not on Telegram.
    pub telegram: Option<Telegram>,
    /// None: the shop is not on Discord.
    pub discord: Option<discord::Bot>,
    /// None: the shop has no official account on WeChat.
    pub wechat: Option<WeChat>,
    /// None: the shop has no customer service on WeCom.
    pub wecom: Option<WeCom>,
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

#[derive(Clone, Debug)]
pub struct WeChat {
    pub app_id: String,
    pub token: SecretString,
    /// The account's key and, while it is changed, the one before; empty where deliveries come in plain text.
    pub aes_keys: Vec<SecretString>,
    /// Always there with `customer_service`.
    pub app_secret: Option<SecretString>,
    /// The account may write by the customer-service API; without it the shop only answers deliveries.
    pub customer_service: bool,
    /// False where something before the server waits less than the 5 s that WeChat does.
    pub answer_in_time: bool,
    pub api_url: Url,
}

#[derive(Clone, Debug)]
pub struct WeCom {
    pub corp_id: String,
    pub secret: SecretString,
    pub token: SecretString,
    /// The callback's key and, while it is changed, the one before; never empty.
    pub aes_keys: Vec<SecretString>,
    pub api_url: Url,
}

pub(super) fn read(reading: &mut Reading) -> Channels {
    Channels {
        telegram: telegram(reading),
        discord: discord(reading),
        wechat: wechat(reading),
        wecom: wecom(reading),
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
    let api_url = reading.with(
        API_URL,
        "a URL such as https://api.telegram.org",
        web_address,
    );
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
        None if mode == Mode::Webhook => {
            reading.missing_unless(SECRET, token_key, Some((MODE, "polling")));
        }
        None => {}
    }
    Some(Telegram {
        token,
        mode,
        secret,
        api_url,
    })
}

fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let usable = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    usable.then_some(url)
}

fn discord(reading: &mut Reading) -> Option<discord::Bot> {
    const TOKEN: &str = "channels.discord.token";
    const TOKEN_FILE: &str = "channels.discord.token_file";
    const PUBLIC_KEY: &str = "channels.discord.public_key";
    const MESSAGE_CONTENT: &str = "channels.discord.message_content";
    const API_URL: &str = "channels.discord.api_url";
    let token = reading.secret(TOKEN, TOKEN_FILE);
    let public_key = reading.with(
        PUBLIC_KEY,
        "the 64 hexadecimal digits under Public Key in the Developer Portal",
        |text| {
            let is_hex = text.bytes().all(|digit| digit.is_ascii_hexdigit());
            (text.len() == 64 && is_hex).then(|| text.to_owned())
        },
    );
    if public_key
        .as_deref()
        .is_some_and(|key| !discord::is_public_key(key))
    {
        reading.refuse(
            PUBLIC_KEY,
            "has 64 hexadecimal digits that are no key; copy the Public Key from General Information in the Developer Portal again".to_owned(),
        );
    }
    let message_content = reading.with(MESSAGE_CONTENT, "true or false", |text| {
        text.parse::<bool>().ok()
    });
    let api_url = reading.with(API_URL, "a URL such as https://discord.com", web_address);
    let Some(token) = token else {
        for key in [PUBLIC_KEY, MESSAGE_CONTENT, API_URL] {
            if reading.given(key) {
                reading.missing(TOKEN, key);
            }
        }
        return None;
    };
    if !discord::is_token(token.expose_secret()) {
        reading.refuse(
            if reading.given(TOKEN) { TOKEN } else { TOKEN_FILE },
            "must be a bot's token, three parts with dots between, as the Bot page of the Developer Portal gives it".to_owned(),
        );
        return None;
    }
    Some(discord::Bot {
        token,
        public_key,
        message_content: message_content.unwrap_or(false),
        api_url: match api_url {
            Some(url) => url,
            None => Url::parse(discord::API_URL).ok()?,
        },
    })
}

fn wechat(reading: &mut Reading) -> Option<WeChat> {
    const APP_ID: &str = "channels.wechat.app_id";
    const APP_SECRET: &str = "channels.wechat.app_secret";
    const APP_SECRET_FILE: &str = "channels.wechat.app_secret_file";
    const TOKEN: &str = "channels.wechat.token";
    const TOKEN_FILE: &str = "channels.wechat.token_file";
    const AES_KEY: &str = "channels.wechat.aes_key";
    const AES_KEY_FILE: &str = "channels.wechat.aes_key_file";
    const CUSTOMER_SERVICE: &str = "channels.wechat.customer_service";
    const ANSWER_IN_TIME: &str = "channels.wechat.answer_in_time";
    const API_URL: &str = "channels.wechat.api_url";
    let app_id = reading.with(APP_ID, "an app id such as wx5823bf96d3bd56c7", |text| {
        let usable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        usable.then(|| text.to_owned())
    });
    let app_secret = reading.secret(APP_SECRET, APP_SECRET_FILE);
    let token = reading.secret(TOKEN, TOKEN_FILE);
    let aes_keys = reading.secret(AES_KEY, AES_KEY_FILE);
    let customer_service = reading.with(CUSTOMER_SERVICE, "true or false", |text| {
        text.parse::<bool>().ok()
    });
    let answer_in_time = reading.with(ANSWER_IN_TIME, "true or false", |text| {
        text.parse::<bool>().ok()
    });
    let api_url = reading.with(
        API_URL,
        "a URL such as https://api.weixin.qq.com",
        web_address,
    );
    let Some(app_id) = app_id else {
        for key in [
            APP_SECRET,
            APP_SECRET_FILE,
            TOKEN,
            TOKEN_FILE,
            AES_KEY,
            AES_KEY_FILE,
            CUSTOMER_SERVICE,
            ANSWER_IN_TIME,
            API_URL,
        ] {
            if reading.given(key) {
                reading.missing(APP_ID, key);
            }
        }
        return None;
    };
    let customer_service = customer_service.unwrap_or(true);
    if customer_service && app_secret.is_none() {
        reading.missing_unless(APP_SECRET, APP_ID, Some((CUSTOMER_SERVICE, "false")));
    }
    // Anybody could write in a customer's name otherwise.
    if token.is_none() {
        reading.missing(TOKEN, APP_ID);
    }
    let aes_keys = keys(reading, aes_keys.as_ref(), AES_KEY, AES_KEY_FILE);
    Some(WeChat {
        app_id,
        token: token?,
        aes_keys,
        app_secret,
        customer_service,
        answer_in_time: answer_in_time.unwrap_or(true),
        api_url: match api_url {
            Some(url) => url,
            None => Url::parse(adapters::wechat::API_URL).ok()?,
        },
    })
}

/// The key of an account and, while it is changed, the one before, with a comma between.
fn keys(
    reading: &mut Reading,
    given: Option<&SecretString>,
    key: &'static str,
    file: &'static str,
) -> Vec<SecretString> {
    let keys: Vec<SecretString> = given
        .into_iter()
        .flat_map(|keys| keys.expose_secret().split(','))
        .map(|key| SecretString::from(key.trim()))
        .collect();
    let are_keys = keys.iter().all(|key| is_aes_key(key.expose_secret()));
    if !are_keys || keys.len() > KEYS_MAX {
        reading.refuse(
            if reading.given(key) { key } else { file },
            "must be an EncodingAESKey of 43 letters and digits; while it is changed, the new one, a comma and the one before".to_owned(),
        );
    }
    keys
}

fn wecom(reading: &mut Reading) -> Option<WeCom> {
    const CORP_ID: &str = "channels.wecom.corp_id";
    const SECRET: &str = "channels.wecom.secret";
    const SECRET_FILE: &str = "channels.wecom.secret_file";
    const TOKEN: &str = "channels.wecom.token";
    const TOKEN_FILE: &str = "channels.wecom.token_file";
    const AES_KEY: &str = "channels.wecom.aes_key";
    const AES_KEY_FILE: &str = "channels.wecom.aes_key_file";
    const API_URL: &str = "channels.wecom.api_url";
    let corp_id = reading.with(CORP_ID, "a corp id such as wwd08c8e7c775ab44d", |text| {
        let usable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        usable.then(|| text.to_owned())
    });
    let secrets = [
        (SECRET, SECRET_FILE),
        (TOKEN, TOKEN_FILE),
        (AES_KEY, AES_KEY_FILE),
    ];
    let [secret, token, aes_keys] = secrets.map(|(key, file)| reading.secret(key, file));
    let api_url = reading.with(
        API_URL,
        "a URL such as https://qyapi.weixin.qq.com",
        web_address,
    );
    let Some(corp_id) = corp_id else {
        let pairs = secrets.iter().flat_map(|(key, file)| [*key, *file]);
        for key in pairs.chain([API_URL]) {
            if reading.given(key) {
                reading.missing(CORP_ID, key);
            }
        }
        return None;
    };
    let found = [&secret, &token, &aes_keys];
    for ((key, _), found) in secrets.iter().zip(found) {
        if found.is_none() {
            reading.missing(key, CORP_ID);
        }
    }
    let aes_keys = keys(reading, aes_keys.as_ref(), AES_KEY, AES_KEY_FILE);
    Some(WeCom {
        corp_id,
        secret: secret?,
        token: token?,
        aes_keys,
        api_url: match api_url {
            Some(url) => url,
            None => Url::parse(adapters::wecom::API_URL).ok()?,
        },
    })
}
