//! What each answer of WeChat's API means for who asked, and for the operator.

use crate::Receipt;
use crate::answered::Unanswered;
use crate::tencent::{Undone, is_about_the_token};

/// Wait where a minute's quota is used up, milliseconds.
const MINUTE_MS: u64 = 60_000;
/// Wait where the day's is, milliseconds: before a sender has tried a dozen times, the day is over.
const DAY_MS: u64 = 125 * 60_000;

/// Why something asked of WeChat was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Nothing can have been written.
    NoConnection,
    /// It says itself that it did not do it.
    Busy,
    Refused {
        code: i64,
        reason: String,
    },
    /// It may have been done.
    NoAnswer,
}

impl From<Undone> for Failed {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Unanswered(Unanswered::NoConnection) => Self::NoConnection,
            Undone::Unanswered(Unanswered::NoAnswer | Unanswered::TooLong) => Self::NoAnswer,
            Undone::Busy => Self::Busy,
            Undone::Refused { code, reason } => Self::Refused { code, reason },
        }
    }
}

/// Nothing of the message has left, and a person may have to do something first.
pub(super) fn without_token(failed: &Failed) -> Receipt {
    match failed {
        Failed::Refused { code, .. } => match waits(*code) {
            Some(wait_ms) => Receipt::RetryAfter { wait_ms },
            None => Receipt::TryAgain,
        },
        Failed::NoConnection | Failed::Busy | Failed::NoAnswer => Receipt::TryAgain,
    }
}

fn waits(code: i64) -> Option<u64> {
    match code {
        45_011 => Some(MINUTE_MS),
        45_009 => Some(DAY_MS),
        _ => None,
    }
}

/// Refused for certain, for its length alone.
pub(super) fn is_too_long(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Permanent { reason } if reason.starts_with("45002 "))
}

/// What an operator does about an account that may not send.
pub(super) fn to_be_mended(code: i64) -> Option<&'static str> {
    match code {
        40_164 => Some(
            "put this machine's public address on the account's IP whitelist (开发 - 基本配置)",
        ),
        48_001 => Some(
            "the account may not use the customer-service API: have it verified (微信认证), or set channels.wechat.customer_service to false",
        ),
        _ => None,
    }
}

/// What the sender does next.
pub(super) fn receipt(sent: Result<String, Failed>) -> Receipt {
    let (code, reason) = match sent {
        Ok(provider_id) => return Receipt::Sent { provider_id },
        Err(Failed::NoConnection | Failed::Busy) => return Receipt::TryAgain,
        Err(Failed::NoAnswer) => return Receipt::Unknown,
        Err(Failed::Refused { code, reason }) => (code, reason),
    };
    if is_about_the_token(code) {
        return Receipt::RefreshToken;
    }
    if let Some(wait_ms) = waits(code) {
        return Receipt::RetryAfter { wait_ms };
    }
    match code {
        // Out of time, and out of count.
        45_015 | 45_047 => Receipt::WindowClosed,
        // Not known, or follows no more.
        40_003 | 43_004 => Receipt::Blocked,
        // An operator can mend it, and what is said waits for that.
        code if to_be_mended(code).is_some() => Receipt::TryAgain,
        code => Receipt::Permanent {
            reason: format!("{code} {reason}"),
        },
    }
}

/// What went wrong and what to do, for the operator.
pub(super) fn told(failed: &Failed) -> (String, &'static str) {
    match failed {
        Failed::NoConnection => (
            "no connection to WeChat".to_owned(),
            "check channels.wechat.api_url and that this machine reaches it",
        ),
        Failed::Busy => ("WeChat is busy".to_owned(), "try again"),
        Failed::NoAnswer => (
            "no answer that is the API's".to_owned(),
            "check channels.wechat.api_url",
        ),
        Failed::Refused { code, reason } => (
            format!("WeChat gives no token: {code} {reason}"),
            match code {
                40_013 => "check channels.wechat.app_id",
                40_001 | 40_125 => {
                    "check channels.wechat.app_secret; resetting it makes the old one void"
                }
                code => to_be_mended(*code).unwrap_or(
                    "look the number up in the list of return codes of the official accounts",
                ),
            },
        ),
    }
}
