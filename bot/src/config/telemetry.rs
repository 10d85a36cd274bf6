//! Where traces go: `telemetry.…`, and where those are absent the variables that OpenTelemetry's programs share.

use super::layers::Reading;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// OpenTelemetry's own variables, honoured where the setting of the same meaning is absent.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
const SERVICE: &str = "OTEL_SERVICE_NAME";
const SHARE: &str = "OTEL_TRACES_SAMPLER_ARG";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
/// The path that OTLP/HTTP adds to a collector's address.
const TRACES_PATH: &str = "v1/traces";
/// Headers that may be sent with each batch.
const HEADERS_MAX: usize = 16;

const A_URL: &str = "an http:// or https:// URL such as http://127.0.0.1:4318";
const SOME_HEADERS: &str =
    "headers written NAME=VALUE,NAME=VALUE, at most 16, values percent-encoded";
const A_SHARE: &str = "a share from 0 to 1";

/// Where spans are sent, by OTLP over HTTP in protobuf.
#[derive(Clone)]
pub struct Telemetry {
    /// The whole address, `http://127.0.0.1:4318/v1/traces`.
    pub url: Url,
    /// Sent with each batch; one may be a key.
    pub headers: Vec<(http::HeaderName, SecretString)>,
    pub service: String,
    /// Of the traces that begin here, from 0 to 1.
    pub share: f64,
}

/// Neither headers nor what else an address may carry.
impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Telemetry({self})")
    }
}

impl fmt::Display for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.url.port_or_known_default().unwrap_or_default();
        let host = self.url.host_str().unwrap_or_default();
        write!(
            f,
            "{}://{host}:{port}{}",
            self.url.scheme(),
            self.url.path()
        )
    }
}

/// OpenTelemetry's variables out of a process' environment.
pub(super) fn standard(environment: &[(String, String)]) -> BTreeMap<String, String> {
    environment
        .iter()
        .filter(|(name, value)| name.starts_with("OTEL_") && !value.trim().is_empty())
        .cloned()
        .collect()
}

pub(super) fn read(
    reading: &mut Reading,
    standard: &BTreeMap<String, String>,
) -> Option<Telemetry> {
    let said = |name: &str| standard.get(name).map(String::as_str);
    let mut given = Given { reading, standard };
    let url = match given.reading.given("telemetry.otlp_url") {
        true => given.reading.with("telemetry.otlp_url", A_URL, below),
        false => given
            .variable(TRACES_ENDPOINT, A_URL, whole)
            .or_else(|| given.variable(ENDPOINT, A_URL, below)),
    };
    let headers = given
        .reading
        .secret("telemetry.otlp_headers", "telemetry.otlp_headers_file");
    let headers = match headers {
        Some(secret) => match parse_headers(secret.expose_secret()) {
            Some(headers) => headers,
            None => {
                let message = format!("must be {SOME_HEADERS}");
                given.reading.refuse("telemetry.otlp_headers", message);
                Vec::new()
            }
        },
        None => given
            .variable(TRACES_HEADERS, SOME_HEADERS, parse_headers)
            .or_else(|| given.variable(HEADERS, SOME_HEADERS, parse_headers))
            .unwrap_or_default(),
    };
    let service = match given.reading.text("telemetry.service") {
        Some(service) => Some(service),
        None => said(SERVICE).map(str::to_owned),
    };
    let share = match given.reading.given("telemetry.share") {
        true => given.reading.with("telemetry.share", A_SHARE, parse_share),
        false => given.variable(SHARE, A_SHARE, parse_share),
    };
    let off = said(DISABLED).is_some_and(|word| word.eq_ignore_ascii_case("true"))
        || said(EXPORTER) == Some("none");
    // The setting is this program's own and stands over what all programs of a machine are told.
    if off && !given.reading.given("telemetry.otlp_url") {
        return None;
    }
    Some(Telemetry {
        url: url?,
        headers,
        service: service.unwrap_or_else(|| "tiansheng".to_owned()),
        share: share.unwrap_or(1.0),
    })
}

struct Given<'a> {
    reading: &'a mut Reading,
    standard: &'a BTreeMap<String, String>,
}

impl Given<'_> {
    /// The value is not repeated in the problem, it may be private.
    fn variable<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(self.standard.get(name)?);
        if parsed.is_none() {
            self.reading.refuse_variable(name, expected);
        }
        parsed
    }
}

/// A collector's whole address for traces.
fn whole(text: &str) -> Option<Url> {
    Url::parse(text.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A collector's base address; the path for traces is added.
fn below(text: &str) -> Option<Url> {
    let mut url = whole(text)?;
    let base = url.path().trim_end_matches('/').to_owned();
    if !base.ends_with(TRACES_PATH) {
        url.set_path(&format!("{base}/{TRACES_PATH}"));
    }
    Some(url)
}

fn parse_share(text: &str) -> Option<f64> {
    let share: f64 = text.trim().parse().ok()?;
    (0.0..=1.0).contains(&share).then_some(share)
}

fn parse_headers(text: &str) -> Option<Vec<(http::HeaderName, SecretString)>> {
    let headers = text
        .split(',')
        .map(str::trim)
        .filter(|header| !header.is_empty())
        .map(|header| {
            let (name, value) = header.split_once('=')?;
            let name = name.trim().parse().ok()?;
            let value = decoded(value.trim())?;
            http::HeaderValue::from_str(&value).ok()?;
            Some((name, SecretString::from(value)))
        })
        .collect::<Option<Vec<_>>>()?;
    (headers.len() <= HEADERS_MAX).then_some(headers)
}

/// The values are percent-encoded, as in W3C Baggage.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
