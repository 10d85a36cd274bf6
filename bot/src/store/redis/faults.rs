//! What goes wrong with Redis, in words that say what to do; never with a secret or a customer's text.

use crate::store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use std::time::Duration;

/// What a caller waits when Redis has no memory left, milliseconds.
const MEMORY_RETRY_MS: u64 = 2_000;

pub(super) fn unavailable(what: impl Into<String>) -> StoreError {
    StoreError::Unavailable { what: what.into() }
}

/// No answer within the limit.
pub(super) fn late(at: &str, limit: Duration) -> StoreError {
    unavailable(format!(
        "{at}: no answer within {} ms{}",
        limit.as_millis(),
        maybe_no_tls(at)
    ))
}

/// A port that does not speak TLS is mostly silent when it is greeted in it.
fn maybe_no_tls(at: &str) -> &'static str {
    if at.starts_with("rediss") {
        "; if the port does not speak TLS, write redis:// in state.url"
    } else {
        ""
    }
}

/// `at` is the address without user and password.
pub(super) fn told(at: &str, error: &RedisError) -> StoreError {
    let what = |text: &str| unavailable(format!("{at}: {text}"));
    let detail = || error.detail().unwrap_or_default().to_owned();
    match error.kind() {
        ErrorKind::Server(kind) => match kind {
            ServerErrorKind::ReadOnly => what(
                "READONLY: this server is a replica; name the master in state.url, or wait until a failover is over",
            ),
            ServerErrorKind::NoPerm => what(&format!(
                "NOPERM: the user lacks a permission ({}); see the notes on the ACL",
                detail()
            )),
            ServerErrorKind::BusyLoading => what("LOADING: Redis is reading its data set; wait"),
            ServerErrorKind::MasterDown => {
                what("MASTERDOWN: the replica has lost its master; wait for the failover")
            }
            ServerErrorKind::ClusterDown => {
                what("CLUSTERDOWN: a part of the slots has no master; look at CLUSTER NODES")
            }
            ServerErrorKind::TryAgain | ServerErrorKind::Moved | ServerErrorKind::Ask => what(
                "the cluster is moving slots, or state.url lacks `+cluster` for a Redis Cluster",
            ),
            ServerErrorKind::CrossSlot => StoreError::Corrupt {
                what: format!("{at}: CROSSSLOT: keys of one step are in two slots"),
            },
            ServerErrorKind::NoScript
            | ServerErrorKind::NotBusy
            | ServerErrorKind::ExecAbort
            | ServerErrorKind::NoSub => what(&format!("{}: {}", kind_name(kind), detail())),
            ServerErrorKind::ResponseError => response(at, error),
            _ => what(&detail()),
        },
        ErrorKind::AuthenticationFailed => what(
            "the user or password is refused; correct state.username and state.password, or the URL",
        ),
        ErrorKind::Extension => extension(at, error),
        ErrorKind::ClusterConnectionNotFound => {
            what("no node of the cluster answers; check the hosts and ports in state.url")
        }
        ErrorKind::InvalidClientConfig => what(&format!("{error}")),
        ErrorKind::Io if error.is_connection_refusal() => what(
            "the connection is refused; start Redis there, or correct the host and port in state.url",
        ),
        ErrorKind::Io if error.is_timeout() => {
            what(&format!("no answer in time{}", maybe_no_tls(at)))
        }
        ErrorKind::Io => io(at, &error.to_string()),
        _ => what(&format!("{} {}", error.category(), detail())),
    }
}

fn kind_name(kind: ServerErrorKind) -> &'static str {
    match kind {
        ServerErrorKind::NoScript => "NOSCRIPT",
        ServerErrorKind::ExecAbort => "EXECABORT",
        _ => "ERR",
    }
}

fn response(at: &str, error: &RedisError) -> StoreError {
    let detail = error.detail().unwrap_or_default();
    if detail.contains("READONLY") {
        return unavailable(format!("{at}: READONLY: this server is a replica"));
    }
    if detail.contains("OOM") {
        return StoreError::Full {
            retry_after_ms: MEMORY_RETRY_MS,
        };
    }
    if detail.contains("cluster support disabled") {
        return StoreError::Corrupt {
            what: format!(
                "{at}: this Redis is no cluster; write redis:// or rediss:// in state.url"
            ),
        };
    }
    // A script that fails is a defect or foreign data under our keys; its text names commands, not values.
    StoreError::Corrupt {
        what: format!("{at}: {detail}"),
    }
}

fn extension(at: &str, error: &RedisError) -> StoreError {
    let what = |text: &str| unavailable(format!("{at}: {text}"));
    match error.code().unwrap_or_default() {
        "OOM" => StoreError::Full {
            retry_after_ms: MEMORY_RETRY_MS,
        },
        "NOAUTH" => what("NOAUTH: a password is needed; set state.password or state.password_file"),
        "WRONGPASS" => what(
            "WRONGPASS: the user or password is refused; correct state.username and state.password, or the URL",
        ),
        "MISCONF" => what(
            "MISCONF: Redis cannot write its data to disk and refuses writes; free the disk or look into its log",
        ),
        "NOREPLICAS" => what(
            "NOREPLICAS: fewer replicas are connected than min-replicas-to-write asks for; start the replicas",
        ),
        "BUSY" => what("BUSY: another script runs for too long"),
        "WRONGTYPE" => StoreError::Corrupt {
            what: format!(
                "{at}: WRONGTYPE: a key of ours holds something else; give the shop its own database or a state.prefix"
            ),
        },
        "TSVERSION" => StoreError::Corrupt {
            what: format!("{at}: {}", error.detail().unwrap_or_default()),
        },
        code => what(&format!("{code} {}", error.detail().unwrap_or_default())),
    }
}

fn io(at: &str, text: &str) -> StoreError {
    let lower = text.to_lowercase();
    let advice = if lower.contains("unknownissuer") || lower.contains("unknown issuer") {
        "the server's certificate is of an unknown authority; name its file in state.ca_file"
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        "the server's certificate is for another host name; use that name in state.url"
    } else if lower.contains("certificate") || lower.contains("expired") {
        "the server's certificate is refused"
    } else if lower.contains("invalidcontenttype") || lower.contains("corrupt message") {
        "the port does not speak TLS; write redis:// or name the TLS port"
    } else if lower.contains("refused") {
        "the connection is refused; start Redis there, or correct the hosts and ports in state.url"
    } else if lower.contains("lookup") || lower.contains("resolve") {
        "the host name is not known; correct state.url"
    } else {
        "the connection broke"
    };
    unavailable(format!("{at}: {advice} ({text})"))
}

/// The connection is of no use any more; another has to be made.
pub(super) fn breaks(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_connection_dropped()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
        || error.detail().unwrap_or_default().contains("READONLY")
}

/// The server does not know a script by its hash.
pub(super) fn forgot(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(ServerErrorKind::NoScript))
}
