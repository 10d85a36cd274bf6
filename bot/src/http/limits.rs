//! Rate limits by session and by client address, in bounded memory.

use super::problem::{Kind, Problem};
use crate::config;
use crate::store::{Rate, Spent, StateStore};
use axum::extract::ConnectInfo;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::request::Parts;
use std::fmt::Display;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An office behind one address may send this many times what one session may.
const ADDRESS_FACTOR: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// Event streams that a session may open, a minute.
const STREAMS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(119);
/// Wrong tokens that are answered one by one, a minute and address.
const STRANGERS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
/// The part of a limit that a key may use in a replica without the others knowing.
const FREE_SHARE: u32 = 8;
const MINUTE_MS: f64 = 60_000.0;
/// Idle keys are dropped after this many checks.
const CHECKS_PER_SWEEP: usize = 1024;
/// Most keys a limiter remembers at once.
const KEYS_MAX: usize = 100_000;
/// What a caller waits when all keys are taken, in milliseconds.
const KEYS_RETRY_MS: u64 = 10_000;

/// All limits of the web API.
pub(super) struct Limits {
    pub(super) sessions: Keyed<IpAddr>,
    pub(super) messages: Keyed<String>,
    pub(super) messages_by_address: Keyed<IpAddr>,
    pub(super) streams: Keyed<String>,
    pub(super) strangers: Keyed<IpAddr>,
}

impl Limits {
    pub(super) fn new(web: &config::Web) -> Self {
        let by_address = web.messages_per_minute.saturating_mul(ADDRESS_FACTOR);
        Self {
            sessions: Keyed::per_minute(
                "sessions",
                "sessions from this address",
                web.sessions_per_minute,
            ),
            messages: Keyed::per_minute(
                "messages",
                "messages in this session",
                web.messages_per_minute,
            ),
            messages_by_address: Keyed::per_minute(
                "address-messages",
                "messages from this address",
                by_address,
            ),
            streams: Keyed::per_minute(
                "streams",
                "event streams in this session",
                STREAMS_PER_MINUTE,
            ),
            strangers: Keyed::per_minute(
                "strangers",
                "wrong tokens from this address",
                STRANGERS_PER_MINUTE,
            ),
        }
    }
}

/// One limit over many keys.
pub(super) struct Keyed<K: Hash + Eq + Clone> {
    what: &'static str,
    /// Its name among the rates that replicas share.
    name: &'static str,
    per_minute: NonZeroU32,
    limiter: DefaultKeyedRateLimiter<K>,
    /// What a key may do here before the other replicas are asked; `None`: nothing.
    free: Option<DefaultKeyedRateLimiter<K>>,
    clock: DefaultClock,
    checks: AtomicUsize,
}

impl<K: Hash + Eq + Clone + Display> Keyed<K> {
    fn per_minute(name: &'static str, what: &'static str, per_minute: NonZeroU32) -> Self {
        Self {
            what,
            name,
            per_minute,
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            free: NonZeroU32::new(per_minute.get() / FREE_SHARE)
                .map(|free| RateLimiter::keyed(Quota::per_minute(free))),
            clock: DefaultClock::default(),
            checks: AtomicUsize::new(0),
        }
    }

    /// Counts one request of `key` over all replicas, or says how long to wait.
    ///
    /// This process's own count comes first: it costs nothing, and holds where the store does not answer. Of a limit of eight or more, an eighth is free in each replica, so that a customer who writes as people do costs the store nothing; with three replicas a key may so do 1.4 times as often.
    pub(super) async fn check(
        &self,
        key: &K,
        state: &dyn StateStore,
        now_ms: i64,
    ) -> Result<(), Problem> {
        self.check_here(key)?;
        if let Some(free) = &self.free
            && free.check_key(key).is_ok()
        {
            return Ok(());
        }
        let rate = Rate {
            every_ms: MINUTE_MS / f64::from(self.per_minute.get()),
            burst: self.per_minute.get(),
        };
        let key = format!("{}:{key}", self.name);
        let spent = super::bounded(state.spend(&key, rate, now_ms)).await;
        match spent {
            Ok(Spent::Wait { ms }) => Err(self.refused(ms)),
            Ok(Spent::Allowed) | Err(_) => Ok(()),
        }
    }

    fn refused(&self, wait_ms: u64) -> Problem {
        let detail = format!("at most {} {} a minute", self.per_minute, self.what);
        Problem::new(Kind::TooMany, detail).retry_after_ms(wait_ms)
    }

    /// Counts one request of `key` in this process, or says how long to wait.
    pub(super) fn check_here(&self, key: &K) -> Result<(), Problem> {
        let checks = self.checks.fetch_add(1, Ordering::Relaxed);
        if checks % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            if let Some(free) = &self.free {
                free.retain_recent();
                free.shrink_to_fit();
            }
            if self.limiter.len() > KEYS_MAX {
                return Err(Problem::new(Kind::Busy, "too many callers at once")
                    .retry_after_ms(KEYS_RETRY_MS));
            }
        }
        self.limiter
            .check_key(key)
            .map_err(|refused| self.refused(wait_ms(refused.wait_time_from(self.clock.now()))))
    }
}

fn wait_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// The client's address as limits count it; without a socket, one address for all.
///
/// Behind a trusted proxy it is the last entry of `X-Forwarded-For`, the one the proxy wrote.
pub(super) fn client(parts: &Parts, trust_forwarded: bool) -> IpAddr {
    let forwarded = trust_forwarded
        .then(|| parts.headers.get_all("x-forwarded-for").iter().next_back())
        .flatten()
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.rsplit(',').next())
        .and_then(address_of);
    let peer = || {
        parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| address.ip())
    };
    counted(
        forwarded
            .or_else(peer)
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    )
}

/// Some proxies write the port too.
fn address_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// One customer usually holds a whole IPv6 /64, so that is one address.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(forwarded: Option<&'static str>, trusted: bool, expected: &str) {
        let mut request = http::Request::new(());
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([9, 9, 9, 9], 1))));
        if let Some(value) = forwarded {
            let value = http::HeaderValue::from_static(value);
            request.headers_mut().insert("x-forwarded-for", value);
        }
        let (parts, ()) = request.into_parts();
        assert_eq!(client(&parts, trusted).to_string(), expected);
    }

    #[test]
    fn the_forwarded_address_counts_only_from_a_trusted_proxy() {
        check(None, true, "9.9.9.9");
        check(Some("1.1.1.1"), false, "9.9.9.9");
        check(Some("6.6.6.6, 1.1.1.1"), true, "1.1.1.1");
        check(Some("1.1.1.1:4711"), true, "1.1.1.1");
        check(Some("::ffff:1.1.1.1"), true, "1.1.1.1");
        check(Some("2001:db8:1:2:3:4:5:6"), true, "2001:db8:1:2::");
        check(Some("[2001:db8:1:2::9]:80"), true, "2001:db8:1:2::");
        check(Some("nonsense"), true, "9.9.9.9");
    }

    #[test]
    fn idle_keys_are_forgotten() {
        let fast = NonZeroU32::MAX;
        let limit = Keyed::per_minute("checks", "checks", fast);
        for key in 0..10 * CHECKS_PER_SWEEP {
            assert!(limit.check_here(&key.to_string()).is_ok());
        }
        assert!(limit.limiter.len() <= CHECKS_PER_SWEEP);
    }
}
