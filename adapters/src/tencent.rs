//! What the APIs of Tencent's official accounts and of WeCom have in common: what a message may hold, and how they answer.

use crate::answered::{Unanswered, answered, whole};
use crate::{Length, Pace, Unit};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Longest text (被动回复用户消息, 回复文本消息; WeCom 发送消息, 文本消息). The manual of 发送客服消息 names none: where it answers 45002 all the same, the text leaves in shorter ones.
pub(crate) const TEXT: Length = Length {
    max: 2048,
    unit: Unit::Bytes,
};
/// Lines of a menu, the longest id and label of one and the longest text above them, in bytes (WeCom 发送消息, 菜单消息). The manual of official accounts, whose menu is the same, names none.
pub(crate) const MENU_ITEMS_MAX: usize = 10;
pub(crate) const MENU_ID_BYTES_MAX: usize = 64;
pub(crate) const MENU_LABEL: Length = Length {
    max: 128,
    unit: Unit::Bytes,
};
pub(crate) const MENU_HEAD_BYTES_MAX: usize = 1024;
/// Messages that follow each other too quickly arrive in another order; the manuals name no pace, half a second is what others keep.
pub(crate) const PACE: Pace = Pace {
    lane_every_ms: 500.0,
    lane_burst: 1,
    shared_lane: None,
    all_every_ms: 10.0,
    all_burst: 100,
};
/// Longest reason of theirs that is shown, in characters.
const REASON_CHARS_MAX: usize = 120;

/// Why something asked was not done.
pub(crate) enum Undone {
    Unanswered(Unanswered),
    /// It says itself that it did not do it.
    Busy,
    Refused {
        code: i64,
        reason: String,
    },
}

impl From<Unanswered> for Undone {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

/// What every answer has, and where it is missing all is well.
#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

/// What was asked for, where it was done.
pub(crate) async fn done<T: DeserializeOwned>(
    request: RequestBuilder,
    bytes_max: usize,
) -> Result<T, Undone> {
    let response = answered(request).await?;
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Undone::Busy);
    }
    let body = whole(response, bytes_max).await?;
    let outcome: Outcome = read(&body)?;
    match outcome.errcode {
        0 => read(&body),
        -1 => Err(Undone::Busy),
        code => Err(Undone::Refused {
            code,
            reason: outcome.errmsg.chars().take(REASON_CHARS_MAX).collect(),
        }),
    }
}

/// What is not the API's form is no answer of it.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Undone> {
    serde_json::from_slice(body).map_err(|_| Unanswered::NoAnswer.into())
}

pub(crate) fn is_about_the_token(code: i64) -> bool {
    matches!(code, 40_001 | 40_014 | 41_001 | 42_001)
}
