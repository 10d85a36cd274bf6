//! What each answer of WeCom's API means for who asked: what the sender does next, when to ask again, and what an operator is told.

use crate::Receipt;
use crate::answered::Unanswered;
use crate::tencent::Undone;

/// Wait where a quota is used up, milliseconds.
const QUOTA_MS: u64 = 10 * 60_000;
/// What lets the app write for an account.
pub(super) const MANAGED: &str = "let the API manage the account (微信客服 - API - 通过API管理微信客服账号), and let no other app take its conversations";

/// Return codes of developer.work.weixin.qq.com (全局错误码) that are told apart here.
pub(super) mod code {
    pub const BAD_PARAMETER: i64 = 40_058;
    pub const TOO_MANY_AT_ONCE: i64 = 45_033;
    pub const COUNT_LIMIT: i64 = 95_001;
    pub const EXPIRED: i64 = 95_002;
    pub const NO_SUCH_ACCOUNT: i64 = 95_000;
    pub const BAD_PULL_TOKEN: i64 = 95_007;
    pub const ENDED: i64 = 95_013;
    pub const NOT_ALLOWED_NOW: i64 = 95_016;
    pub const NOT_IN_THIS_STATE: i64 = 95_018;
}

/// Why something asked of WeCom was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// Nothing can have been written.
    NoConnection,
    /// It says itself that it did not do it.
    Busy,
    /// There is no token to ask with, so nothing was asked.
    NoToken(Box<Failed>),
    /// The token was over; another can be had at once.
    TokenOver,
    Refused {
        code: i64,
        reason: String,
    },
    /// It may have been done.
    NoAnswer,
    /// The answer is longer than what is read of one; it may have been done.
    TooLong,
}

impl From<Undone> for Failed {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Unanswered(Unanswered::NoConnection) => Self::NoConnection,
            Undone::Unanswered(Unanswered::NoAnswer) => Self::NoAnswer,
            Undone::Unanswered(Unanswered::TooLong) => Self::TooLong,
            Undone::Busy => Self::Busy,
            Undone::Refused { code, .. } if code == code::TOO_MANY_AT_ONCE => Self::Busy,
            Undone::Refused { code, reason } => Self::Refused { code, reason },
        }
    }
}

/// What the sender does next, where the conversation's state has nothing to do with it.
pub(super) fn receipt(failed: Failed) -> Receipt {
    let (code, reason) = match failed {
        Failed::NoConnection | Failed::Busy => return Receipt::TryAgain,
        Failed::TokenOver => return Receipt::RefreshToken,
        Failed::NoAnswer | Failed::TooLong => return Receipt::Unknown,
        // Nothing of the message has left, and a person may have to do something first.
        Failed::NoToken(why) => {
            return match *why {
                Failed::Refused { code, .. } if is_a_quota(code) => {
                    Receipt::RetryAfter { wait_ms: QUOTA_MS }
                }
                _ => Receipt::TryAgain,
            };
        }
        Failed::Refused { code, reason } => (code, reason),
    };
    match code {
        code if is_a_quota(code) => Receipt::RetryAfter { wait_ms: QUOTA_MS },
        code::COUNT_LIMIT | code::EXPIRED | code::ENDED => Receipt::WindowClosed,
        // This machine's address is not on the app's list, or the account is not the app's to use.
        60_020 | 48_002 => Receipt::TryAgain,
        code => Receipt::Permanent {
            reason: format!("{code} {reason}"),
        },
    }
}

/// It was given this message before, and the word of it was lost: our ids are always of the form that is taken (`render::id`), so one that is refused is one that was used.
pub(super) fn is_known(failed: &Failed) -> bool {
    matches!(failed, Failed::Refused { code: code::BAD_PARAMETER, reason } if reason.contains("msgid"))
}

/// Calls of a minute, an hour or a day are used up.
fn is_a_quota(code: i64) -> bool {
    code == 45_009
}

/// How long to wait before asking again for what came in.
pub(super) fn wait_ms(failed: &Failed) -> Option<u64> {
    match failed {
        Failed::Refused { code, .. } if is_a_quota(*code) => Some(QUOTA_MS),
        Failed::NoToken(why) => wait_ms(why),
        Failed::Refused { .. } | Failed::TooLong => None,
        Failed::TokenOver => Some(1),
        Failed::NoConnection | Failed::Busy | Failed::NoAnswer => Some(1_000),
    }
}

/// What went wrong and what to do, for the operator.
pub(super) fn told(failed: &Failed) -> (String, &'static str) {
    match failed {
        Failed::NoConnection => (
            "no connection to WeCom".to_owned(),
            "check channels.wecom.api_url and that this machine reaches it",
        ),
        Failed::Busy => ("WeCom is busy".to_owned(), "try again"),
        Failed::NoAnswer => (
            "no answer that is the API's".to_owned(),
            "check channels.wecom.api_url",
        ),
        Failed::TooLong => (
            "an answer is too long to be read".to_owned(),
            "check channels.wecom.api_url",
        ),
        Failed::TokenOver => ("the token is over".to_owned(), "try again"),
        Failed::NoToken(why) => told(why),
        Failed::Refused { code, reason } => (
            format!("WeCom refuses: {code} {reason}"),
            match *code {
                40_013 => "check channels.wecom.corp_id (我的企业 - 企业ID)",
                40_001 => {
                    "check channels.wecom.secret: it is the one of 微信客服 - API, not of another app"
                }
                60_020 => {
                    "put this machine's public address on the list of trusted addresses (企业可信IP)"
                }
                48_002 | 60_011 => MANAGED,
                // Only told where the agent has the conversation.
                code::NOT_IN_THIS_STATE | code::NOT_ALLOWED_NOW => MANAGED,
                _ => {
                    "look the number up in the list of return codes at developer.work.weixin.qq.com"
                }
            },
        ),
    }
}
