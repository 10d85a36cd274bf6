//! How a message is sent to the Bot API: as teloxide writes and reads it, and with the status of what answered in its place.
//!
//! Teloxide's own sending keeps no status and rests ten seconds after each 5xx, so that nobody could tell a gateway's page from an answer that broke off.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use teloxide_core::requests::Payload;
use teloxide_core::types::ResponseParameters;
use teloxide_core::{ApiError, Bot, RequestError};

/// The gateway before the Bot API has waited in vain: what it passed on may have been done.
const GATEWAY_TIMEOUT: u16 = 504;

/// Longest answer that is read, in bytes: a message with all that it replies to has a few hundred thousand.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Why nobody knows of a message that was sent.
#[derive(Debug)]
pub(super) enum Failed {
    /// Told by the Bot API, or nothing was told.
    Told(RequestError),
    /// Something before the Bot API has answered, with a page of its own: nothing was done.
    Between,
}

impl From<RequestError> for Failed {
    fn from(error: RequestError) -> Self {
        Self::Told(error)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer<T> {
    Done {
        result: T,
    },
    Refused {
        description: ApiError,
        parameters: Option<ResponseParameters>,
    },
}

/// One method with its answer. Nothing in it may be a file: it is sent as JSON.
pub(super) async fn ask<P>(bot: &Bot, payload: &P) -> Result<P::Output, Failed>
where
    P: Payload + serde::Serialize,
    P::Output: DeserializeOwned,
{
    let mut url = bot.api_url();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        path.push(&format!("bot{}", bot.token())).push(P::NAME);
    }
    let answer = bot.client().post(url).json(payload).send().await;
    let mut answer = answer.map_err(RequestError::from)?;
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    // Cut off, it cannot be read, as what is none of the Bot API's cannot.
    while body.len() <= ANSWER_BYTES_MAX
        && let Some(chunk) = answer.chunk().await.map_err(RequestError::from)?
    {
        body.extend_from_slice(&chunk);
    }
    read(status, &body)
}

pub(super) fn read<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Failed> {
    match serde_json::from_slice(body) {
        Ok(Answer::Done { result }) => Ok(result),
        Ok(Answer::Refused {
            parameters: Some(ResponseParameters::RetryAfter(wait)),
            ..
        }) => Err(RequestError::RetryAfter(wait).into()),
        Ok(Answer::Refused {
            parameters: Some(ResponseParameters::MigrateToChatId(chat)),
            ..
        }) => Err(RequestError::MigrateToChatId(chat).into()),
        Ok(Answer::Refused { description, .. }) => Err(RequestError::Api(description).into()),
        // The Bot API answers in JSON, whatever the status.
        Err(_) if status >= 300 && status != GATEWAY_TIMEOUT => Err(Failed::Between),
        Err(source) => Err(Failed::Told(RequestError::InvalidJson {
            source: std::sync::Arc::new(source),
            raw: String::new().into(),
        })),
    }
}
