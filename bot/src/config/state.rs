//! Where the live state is kept when it is not in files: the `state.…` settings, read into what a connection needs.

use super::layers::Reading;
use secrecy::SecretString;
use std::fmt;

/// Nodes of a cluster that may be named; the rest are learnt from them.
const NODES_MAX: usize = 32;
/// A key prefix lets several shops share one Redis.
const PREFIX_CHARS_MAX: usize = 32;
/// Largest file of certificate authorities, bytes.
const CA_BYTES_MAX: u64 = 1024 * 1024;
/// Shards when none are set: enough to spread over a cluster of a few masters, few enough to look at each second.
pub const SHARDS: u32 = 16;
/// Most shards: each is looked at by each replica once a second.
pub const SHARDS_MAX: u32 = 1_024;
/// The longest that Redis may take to answer a command when nothing is set, milliseconds.
pub const TIMEOUT_MS: u64 = 1_000;
/// The longest that replicas may take to have a step when nothing is set, milliseconds.
pub const WAIT_MS: u64 = 500;
/// Journal entries that may wait for the records when nothing is set: some minutes of a busy day, some hundred megabytes.
pub const JOURNAL_MAX: u64 = 200_000;
const JOURNAL_MAX_MIN: u64 = 1_000;
const JOURNAL_MAX_MAX: u64 = 10_000_000;
/// How long a conversation stays in Redis after its last change when nothing is set, seconds.
pub const IDLE_SECONDS: u64 = 24 * 60 * 60;
const IDLE_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;
const PORT: u16 = 6_379;
const FORMS: &str = "redis://host:port, rediss:// for TLS, or redis+cluster://host:port,host:port";

/// A Redis (or Valkey), by the `state.…` settings.
#[derive(Clone)]
pub struct State {
    pub nodes: Vec<Node>,
    pub cluster: bool,
    pub tls: bool,
    pub database: i64,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// Certificate authorities in PEM; None: the public ones.
    pub authorities: Option<Vec<u8>>,
    pub prefix: String,
    pub shards: u32,
    pub timeout_ms: u64,
    /// Replicas that must have a step before it is acknowledged; 0 for none.
    pub wait_replicas: u32,
    pub wait_ms: u64,
    /// Journal entries of all shards above which no letter is accepted.
    pub journal_max: u64,
    /// How long nothing may change in a conversation before it leaves Redis for the records, milliseconds; 0: it stays.
    pub idle_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for State {
    /// The address as it may be shown: without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss" } else { "redis" })?;
        f.write_str(if self.cluster { "+cluster://" } else { "://" })?;
        for (index, Node { host, port }) in self.nodes.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            if host.contains(':') {
                write!(f, "{comma}[{host}]:{port}")?;
            } else {
                write!(f, "{comma}{host}:{port}")?;
            }
        }
        if self.database != 0 {
            write!(f, "/{}", self.database)?;
        }
        Ok(())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({self})")
    }
}

impl State {
    /// A URL alone, everything else at its default; for tools and tests.
    pub fn of_url(url: &str) -> Result<Self, String> {
        parse(url)
    }
}

/// None: the embedded file in `data.dir`.
pub(super) fn read(reading: &mut Reading) -> Option<State> {
    let mut refused = None;
    let parsed = reading.with("state.url", FORMS, |text| {
        // The problem is told below without the text, which may hold a password.
        Some(parse(text).map_err(|told| refused = Some(told)).ok())
    });
    if let Some(told) = refused {
        reading.refuse("state.url", told);
    }
    let username = reading.text("state.username");
    let password = reading.secret("state.password", "state.password_file");
    let authorities = authorities(reading, "state.ca_file");
    let prefix = reading.with(
        "state.prefix",
        "at most 32 letters, digits, `-`, `_`, `.` and `:`",
        |text| {
            let fits = text.chars().count() <= PREFIX_CHARS_MAX
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
            fits.then(|| text.to_owned())
        },
    );
    let shards = reading.number("state.shards", 1, u64::from(SHARDS_MAX));
    let timeout_ms = reading.number("state.timeout_ms", 50, 60_000);
    let wait_replicas = reading.number("state.wait_replicas", 0, 16);
    let wait_ms = reading.number("state.wait_ms", 1, 60_000);
    let journal_max = reading.number("state.journal_max", JOURNAL_MAX_MIN, JOURNAL_MAX_MAX);
    let idle_seconds = reading.number("state.idle_seconds", 0, IDLE_SECONDS_MAX);
    let Some(parsed) = parsed else {
        // Each of them says how to reach a Redis, so none is meant where no Redis is named.
        for key in KEYS {
            if reading.given(key) {
                reading.missing("state.url", key);
                break;
            }
        }
        return None;
    };
    let mut state = parsed?;
    if let Some(number) = shards.and_then(|number| u32::try_from(number).ok()) {
        state.shards = number;
    }
    if let Some(number) = wait_replicas.and_then(|number| u32::try_from(number).ok()) {
        state.wait_replicas = number;
    }
    state.username = username.or(state.username);
    state.password = password.or(state.password);
    state.prefix = prefix.unwrap_or_default();
    state.timeout_ms = timeout_ms.unwrap_or(TIMEOUT_MS);
    state.wait_ms = wait_ms.unwrap_or(WAIT_MS);
    state.journal_max = journal_max.unwrap_or(JOURNAL_MAX);
    state.idle_ms = idle_ms(idle_seconds.unwrap_or(IDLE_SECONDS));
    if authorities.is_some() && !state.tls {
        reading.refuse(
            "state.ca_file",
            "is for TLS; write rediss:// or rediss+cluster:// in `state.url`".to_owned(),
        );
    }
    if state.username.is_some() && state.password.is_none() {
        reading.missing("state.password", "state.username");
    }
    if state.wait_ms >= state.timeout_ms && state.wait_replicas > 0 {
        reading.refuse(
            "state.wait_ms",
            format!(
                "must be below state.timeout_ms, which is {}",
                state.timeout_ms
            ),
        );
    }
    state.authorities = authorities;
    Some(state)
}

fn idle_ms(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(0)
}

/// What stands beside the URL.
const KEYS: [&str; 11] = [
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
];

/// The file of certificate authorities that a setting names.
pub(super) fn authorities(reading: &mut Reading, key: &str) -> Option<Vec<u8>> {
    let path = reading.text(key)?;
    let read = std::fs::metadata(&path)
        .and_then(|file| match file.len() {
            0..=CA_BYTES_MAX => std::fs::read(&path),
            _ => Err(std::io::Error::other("it is larger than 1 MiB")),
        })
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            let pem = String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----");
            pem.then_some(bytes)
                .ok_or_else(|| "it has no `-----BEGIN CERTIFICATE-----`".to_owned())
        });
    match read {
        Ok(bytes) => Some(bytes),
        Err(told) => {
            reading.refuse(key, format!("names {path}: {told}"));
            None
        }
    }
}

/// The problem never repeats the text: it may hold a password.
fn parse(text: &str) -> Result<State, String> {
    let wanted = || format!("must be {FORMS}");
    let (scheme, rest) = text.trim().split_once("://").ok_or_else(wanted)?;
    let (tls, cluster) = match scheme {
        "redis" | "valkey" => (false, false),
        "rediss" | "valkeys" => (true, false),
        "redis+cluster" | "valkey+cluster" => (false, true),
        "rediss+cluster" | "valkeys+cluster" => (true, true),
        _ => return Err(wanted()),
    };
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (Some(login), rest),
        None => (None, rest),
    };
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let database = match path.trim_end_matches('/') {
        "" => 0,
        path => path
            .parse::<u16>()
            .map_err(|_| "has after the host something that is not a database's number")?,
    };
    if cluster && database != 0 {
        return Err("names a database, but a cluster has only database 0".to_owned());
    }
    let nodes = hosts
        .split(',')
        .map(node)
        .collect::<Option<Vec<_>>>()
        .ok_or_else(wanted)?;
    if nodes.len() > NODES_MAX {
        return Err(format!("names more than {NODES_MAX} nodes"));
    }
    if nodes.len() > 1 && !cluster {
        return Err("names several hosts; for a cluster write redis+cluster://".to_owned());
    }
    let (username, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
    {
        None => (None, None),
        Some((username, password)) => (decoded(username)?, decoded(password)?),
    };
    Ok(State {
        nodes,
        cluster,
        tls,
        database: i64::from(database),
        username,
        password: password.map(SecretString::from),
        authorities: None,
        prefix: String::new(),
        shards: SHARDS,
        timeout_ms: TIMEOUT_MS,
        wait_replicas: 0,
        wait_ms: WAIT_MS,
        journal_max: JOURNAL_MAX,
        idle_ms: idle_ms(IDLE_SECONDS),
    })
}

fn node(text: &str) -> Option<Node> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| Node {
        host: host.to_owned(),
        port,
    })
}

/// Percent signs undone; None for nothing.
pub(super) fn decoded(text: &str) -> Result<Option<String>, String> {
    let wrong = || "has a user or password with a broken percent sign".to_owned();
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next()
                .and_then(|byte| char::from(byte).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
        bytes.push(high * 16 + low);
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    Ok((!text.is_empty()).then_some(text))
}
