//! The settings: `tiansheng.toml`, under `TIANSHENG_…` variables, under flags.

pub mod channels;
mod layers;
pub mod records;
pub mod state;
pub mod telemetry;

pub use layers::{Problem, SettingsError};

use layers::{Layers, Reading};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use url::Url;

/// The file that is read from the current folder when no other is named.
pub const FILE: &str = "tiansheng.toml";

/// Every setting that may be given; `*_file` names a file that holds the secret.
const KNOWN: &[&str] = &[
    "listen",
    "data.dir",
    "shop.dir",
    "state.url",
    "state.username",
    "state.password",
    "state.password_file",
    "state.ca_file",
    "state.prefix",
    "state.shards",
    "state.timeout_ms",
    "state.wait_replicas",
    "state.wait_ms",
    "state.journal_max",
    "state.idle_seconds",
    "records.url",
    "records.username",
    "records.password",
    "records.password_file",
    "records.ca_file",
    "records.timeout_ms",
    "records.connections",
    "model.url",
    "model.name",
    "model.key",
    "model.key_file",
    "model.timeout_ms",
    "channels.telegram.token",
    "channels.telegram.token_file",
    "channels.telegram.mode",
    "channels.telegram.secret",
    "channels.telegram.secret_file",
    "channels.telegram.api_url",
    "channels.discord.token",
    "channels.discord.token_file",
    "channels.discord.public_key",
    "channels.discord.message_content",
    "channels.discord.api_url",
    "channels.wechat.app_id",
    "channels.wechat.app_secret",
    "channels.wechat.app_secret_file",
    "channels.wechat.token",
    "channels.wechat.token_file",
    "channels.wechat.aes_key",
    "channels.wechat.aes_key_file",
    "channels.wechat.customer_service",
    "channels.wechat.answer_in_time",
    "channels.wechat.api_url",
    "channels.wecom.corp_id",
    "channels.wecom.secret",
    "channels.wecom.secret_file",
    "channels.wecom.token",
    "channels.wecom.token_file",
    "channels.wecom.aes_key",
    "channels.wecom.aes_key_file",
    "channels.wecom.api_url",
    "web.origins",
    "web.messages_per_minute",
    "web.sessions_per_minute",
    "web.trust_forwarded",
    "web.drain_ms",
    "mailbox.burst_window_ms",
    "mailbox.burst_max_ms",
    "mailbox.workers",
    "log.level",
    "log.format",
    "telemetry.otlp_url",
    "telemetry.otlp_headers",
    "telemetry.otlp_headers_file",
    "telemetry.service",
    "telemetry.share",
];

/// Settings of the whole design that this version cannot honour; silence would be a lie.
const NOT_AVAILABLE: &[(&str, &str)] = &[("embedder", "search works on words")];

/// Everything an operator may set, with its defaults in place.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    pub data: Data,
    pub shop: Shop,
    /// None: the live state is a file in `data.dir`.
    pub state: Option<state::State>,
    /// None: the records are a file in `data.dir`.
    pub records: Option<records::Records>,
    /// None: the agent works without a language model.
    pub model: Option<Model>,
    pub channels: channels::Channels,
    pub web: Web,
    pub mailbox: Mailbox,
    pub log: Log,
    /// None: spans are kept nowhere.
    pub telemetry: Option<telemetry::Telemetry>,
}

#[derive(Clone, Debug)]
pub struct Data {
    pub dir: PathBuf,
}

#[derive(Clone, Debug)]
pub struct Shop {
    /// None: the demo shop.
    pub dir: Option<PathBuf>,
}

/// An OpenAI-compatible endpoint.
#[derive(Clone, Debug)]
pub struct Model {
    pub url: Url,
    pub name: String,
    pub key: Option<SecretString>,
    pub timeout_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Web {
    pub origins: Origins,
    /// Per session; a client address may send ten times as many.
    pub messages_per_minute: NonZeroU32,
    /// Per client address.
    pub sessions_per_minute: NonZeroU32,
    /// Take the client's address from `X-Forwarded-For`; only behind a proxy that sets it.
    pub trust_forwarded: bool,
    /// How long a process that is told to stop serves on while `/readyz` says 503, in milliseconds.
    pub drain_ms: u64,
}

/// The pages that may carry the widget, besides the server's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// None listed: pages on the visitor's own machine, for trying the widget out.
    Localhost,
    /// `https://shop.example`, in the form that browsers send.
    Listed(BTreeSet<String>),
    /// `*`.
    Any,
}

#[derive(Clone, Debug)]
pub struct Mailbox {
    /// How long a conversation must be quiet until its turn runs, in milliseconds.
    pub burst_window_ms: u64,
    /// The longest that a burst may put off its turn, in milliseconds.
    pub burst_max_ms: u64,
    pub workers: usize,
}

#[derive(Clone, Debug)]
pub struct Log {
    pub level: tracing::Level,
    pub format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What flags said; secrets are not among them.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub listen: Option<String>,
    pub shop_dir: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    pub log_level: Option<String>,
}

impl Settings {
    /// Reads all three layers.
    ///
    /// `file` must exist; without it [`FILE`] is read if it is there.
    /// `environment` is every variable of the process; only `TIANSHENG_…` is looked at, and
    /// `OTEL_…` where a setting of `telemetry` is absent; an empty value counts as not set.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Settings, SettingsError> {
        let mut layers = Layers::new(KNOWN, NOT_AVAILABLE);
        match file {
            Some(path) => layers.file(path),
            None if Path::new(FILE).exists() => layers.file(Path::new(FILE)),
            None => {}
        }
        let environment: Vec<_> = environment.into_iter().collect();
        let standard = telemetry::standard(&environment);
        layers.environment(environment);
        layers.flag("listen", "--listen", overrides.listen.clone());
        layers.flag("shop.dir", "--shop", shown(&overrides.shop_dir));
        layers.flag("data.dir", "--data", shown(&overrides.data_dir));
        layers.flag("log.level", "--log-level", overrides.log_level.clone());

        let mut reading = layers.reading();
        let state = state::read(&mut reading);
        let drain_ms = drain_ms(&mut reading, state.is_some());
        let settings = Settings {
            listen: reading
                .with(
                    "listen",
                    "an address and port such as 127.0.0.1:8080",
                    listen,
                )
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            data: Data {
                dir: reading
                    .text("data.dir")
                    .map_or_else(|| PathBuf::from("./data"), PathBuf::from),
            },
            shop: Shop {
                dir: reading.text("shop.dir").map(PathBuf::from),
            },
            state,
            records: records::read(&mut reading),
            model: model(&mut reading),
            channels: channels::read(&mut reading),
            web: Web {
                origins: origins(&mut reading),
                messages_per_minute: per_minute(&mut reading, "web.messages_per_minute", 30),
                sessions_per_minute: per_minute(&mut reading, "web.sessions_per_minute", 30),
                trust_forwarded: reading
                    .with("web.trust_forwarded", "true or false", |text| {
                        text.parse().ok()
                    })
                    .unwrap_or(false),
                drain_ms,
            },
            mailbox: mailbox(&mut reading),
            log: Log {
                level: reading
                    .with(
                        "log.level",
                        "one of error, warn, info, debug, trace",
                        |text| {
                            ["error", "warn", "info", "debug", "trace"]
                                .contains(&text)
                                .then(|| text.parse().ok())?
                        },
                    )
                    .unwrap_or(tracing::Level::INFO),
                format: reading
                    .with("log.format", "text or json", |text| match text {
                        "text" => Some(LogFormat::Text),
                        "json" => Some(LogFormat::Json),
                        _ => None,
                    })
                    .unwrap_or(LogFormat::Text),
            },
            telemetry: telemetry::read(&mut reading, &standard),
        };
        reading.finish()?;
        Ok(settings)
    }
}

fn shown(path: &Option<PathBuf>) -> Option<String> {
    path.as_ref()
        .map(|path| path.to_string_lossy().into_owned())
}

fn listen(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?))),
        None => text.parse().ok(),
    }
}

fn model(reading: &mut Reading) -> Option<Model> {
    const TIMEOUT_MS: u64 = 20_000;
    let url = reading.with("model.url", "an http:// or https:// URL", |text| {
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    });
    let name = reading.text("model.name");
    let key = reading.secret("model.key", "model.key_file");
    let timeout_ms = reading
        .number("model.timeout_ms", 100, 600_000)
        .unwrap_or(TIMEOUT_MS);
    match (url, name) {
        (Some(url), Some(name)) => Some(Model {
            url,
            name,
            key,
            timeout_ms,
        }),
        (Some(_), None) => {
            reading.missing("model.name", "model.url");
            None
        }
        (None, Some(_)) => {
            reading.missing("model.url", "model.name");
            None
        }
        (None, None) => {
            if key.is_some() {
                reading.missing("model.url", "model.key");
            }
            None
        }
    }
}

fn origins(reading: &mut Reading) -> Origins {
    let written = reading.list("web.origins");
    if written.iter().any(|origin| origin == "*") {
        return Origins::Any;
    }
    let mut listed = BTreeSet::new();
    for origin in written {
        match origin_of(&origin) {
            Some(origin) => {
                listed.insert(origin);
            }
            None => reading.refuse(
                "web.origins",
                format!("`{origin}` is not an origin such as https://shop.example, or `*`"),
            ),
        }
    }
    if listed.is_empty() {
        Origins::Localhost
    } else {
        Origins::Listed(listed)
    }
}

/// Scheme, host and port as a browser writes them; None for anything with more than that.
fn origin_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    bare.then(|| url.origin().ascii_serialization())
}

fn per_minute(reading: &mut Reading, key: &'static str, default: u32) -> NonZeroU32 {
    let given = reading.number(key, 1, 100_000);
    given
        .and_then(|number| u32::try_from(number).ok())
        .and_then(NonZeroU32::new)
        .or(NonZeroU32::new(default))
        .unwrap_or(NonZeroU32::MIN)
}

/// Where other replicas can take over, a proxy gets the time to notice; a process that is alone stops at once.
fn drain_ms(reading: &mut Reading, replicas: bool) -> u64 {
    const DRAIN_MS: u64 = 5_000;
    const DRAIN_MS_MAX: u64 = 300_000;
    reading
        .number("web.drain_ms", 0, DRAIN_MS_MAX)
        .unwrap_or(if replicas { DRAIN_MS } else { 0 })
}

fn mailbox(reading: &mut Reading) -> Mailbox {
    const WINDOW_MS: u64 = 700;
    const WINDOW_MS_MAX: u64 = 60_000;
    let burst_window_ms = reading
        .number("mailbox.burst_window_ms", 0, WINDOW_MS_MAX)
        .unwrap_or(WINDOW_MS);
    let burst_max_ms = reading.number("mailbox.burst_max_ms", 0, WINDOW_MS_MAX);
    if let Some(max) = burst_max_ms
        && max < burst_window_ms
    {
        reading.refuse(
            "mailbox.burst_max_ms",
            format!("must be at least mailbox.burst_window_ms, which is {burst_window_ms}"),
        );
    }
    Mailbox {
        burst_window_ms,
        burst_max_ms: burst_max_ms.unwrap_or(burst_window_ms.saturating_mul(4)),
        workers: reading
            .number("mailbox.workers", 1, 256)
            .and_then(|workers| usize::try_from(workers).ok())
            .unwrap_or(4),
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
