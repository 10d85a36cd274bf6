//! Where the records are kept when they are not in a file: the `records.…` settings, read into what a connection needs.

use super::layers::Reading;
use super::state::{authorities, decoded};
use secrecy::SecretString;
use std::fmt;

/// The longest that PostgreSQL may take to connect or to answer a statement when nothing is set, milliseconds.
pub const TIMEOUT_MS: u64 = 5_000;
/// Connections of one process when none are set: the archiver has one, the rest is for reading.
pub const CONNECTIONS: u32 = 4;
const CONNECTIONS_MAX: u64 = 100;
const PORT: u16 = 5_432;
const FORMS: &str = "postgres://host:port/database, with ?sslmode=verify-full for TLS";

/// A PostgreSQL, by the `records.…` settings.
#[derive(Clone)]
pub struct Records {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub tls: Tls,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// Certificate authorities in PEM; None: the public ones.
    pub authorities: Option<Vec<u8>>,
    pub timeout_ms: u64,
    pub connections: u32,
}

/// `sslmode`, as every PostgreSQL client names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    Disable,
    /// Encrypted if the server can; not verified.
    Prefer,
    /// Encrypted, not verified.
    Require,
    /// The certificate is of a known authority.
    VerifyAuthority,
    /// And it is for this host.
    VerifyFull,
}

impl Tls {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyAuthority,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    fn verifies(self) -> bool {
        matches!(self, Self::VerifyAuthority | Self::VerifyFull)
    }
}

impl fmt::Display for Records {
    /// The address as it may be shown: without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port, database) = (&self.host, self.port, &self.database);
        if host.contains(':') {
            write!(f, "postgres://[{host}]:{port}/{database}")
        } else {
            write!(f, "postgres://{host}:{port}/{database}")
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({self})")
    }
}

impl Records {
    /// A URL alone, everything else at its default; for tools and tests.
    pub fn of_url(url: &str) -> Result<Self, String> {
        parse(url)
    }
}

/// What stands beside the URL.
const KEYS: [&str; 6] = [
    "records.username",
    "records.password",
    "records.password_file",
    "records.ca_file",
    "records.timeout_ms",
    "records.connections",
];

/// None: the file in `data.dir`.
pub(super) fn read(reading: &mut Reading) -> Option<Records> {
    let mut refused = None;
    let parsed = reading.with("records.url", FORMS, |text| {
        // The problem is told below without the text, which may hold a password.
        Some(parse(text).map_err(|told| refused = Some(told)).ok())
    });
    if let Some(told) = refused {
        reading.refuse("records.url", told);
    }
    let username = reading.text("records.username");
    let password = reading.secret("records.password", "records.password_file");
    let authorities = authorities(reading, "records.ca_file");
    let timeout_ms = reading.number("records.timeout_ms", 100, 60_000);
    let connections = reading.number("records.connections", 2, CONNECTIONS_MAX);
    let Some(parsed) = parsed else {
        // Each of them says how to reach a PostgreSQL, so none is meant where no PostgreSQL is named.
        for key in KEYS {
            if reading.given(key) {
                reading.missing("records.url", key);
                break;
            }
        }
        return None;
    };
    let mut records = parsed?;
    records.username = username.or(records.username);
    records.password = password.or(records.password);
    records.timeout_ms = timeout_ms.unwrap_or(TIMEOUT_MS);
    if let Some(number) = connections.and_then(|number| u32::try_from(number).ok()) {
        records.connections = number;
    }
    if records.username.is_none() {
        reading.refuse(
            "records.url",
            "needs a user: write it there or in `records.username`".to_owned(),
        );
    }
    if authorities.is_some() && !records.tls.verifies() {
        reading.refuse(
            "records.ca_file",
            "is for TLS that is verified; write ?sslmode=verify-full in `records.url`".to_owned(),
        );
    }
    records.authorities = authorities;
    Some(records)
}

/// The problem never repeats the text: it may hold a password.
fn parse(text: &str) -> Result<Records, String> {
    let wanted = || format!("must be {FORMS}");
    let (scheme, rest) = text.trim().split_once("://").ok_or_else(wanted)?;
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(wanted());
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (Some(login), rest),
        None => (None, rest),
    };
    let (host, database) = rest
        .split_once('/')
        .ok_or("names no database; write postgres://host:port/database")?;
    let database = decoded(database)?
        .filter(|database| !database.contains('/'))
        .ok_or("names no database; write postgres://host:port/database")?;
    if host.contains(',') {
        return Err("names several hosts; name the one that takes writes".to_owned());
    }
    let (host, port) = address(host).ok_or_else(wanted)?;
    let mut tls = Tls::Prefer;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        tls = part.strip_prefix("sslmode=").and_then(Tls::named).ok_or(
            "may have after `?` only sslmode=disable, prefer, require, verify-ca or verify-full",
        )?;
    }
    let (username, password) = match login.map(|login| login.split_once(':').unwrap_or((login, "")))
    {
        None => (None, None),
        Some((username, password)) => (decoded(username)?, decoded(password)?),
    };
    Ok(Records {
        host,
        port,
        database,
        tls,
        username,
        password: password.map(SecretString::from),
        authorities: None,
        timeout_ms: TIMEOUT_MS,
        connections: CONNECTIONS,
    })
}

fn address(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            match rest {
                "" => (host, None),
                rest => (host, Some(rest.strip_prefix(':')?)),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}
