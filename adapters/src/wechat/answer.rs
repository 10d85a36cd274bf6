//! What an account without the customer-service API says: texts inside the answers to deliveries, as many as fit.

use super::{DELIVERIES, DELIVERY_MS};
use crate::tencent::TEXT;
use crate::wxcrypt::crypto::{SALT_BYTES, signature};
use crate::wxcrypt::proof::Shared;
use crate::wxcrypt::xml;
use crate::{Answer, Held, Inbound, InboundBody, Outbound, Place, WORDS_EVENT, Waiting, Words};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

/// Between two messages in one answer.
const BETWEEN: &str = "\n\n";
/// Room for the word that there is more, in bytes.
const MORE_BYTES: usize = 64;

/// What an answer repeats of its delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    pub to: String,
    pub from: String,
    pub key: Option<usize>,
    pub timestamp: String,
    pub nonce: String,
}

pub(super) fn plain(text: &str) -> Answer {
    Answer {
        status: 200,
        content_type: "text/plain; charset=utf-8",
        body: text.as_bytes().to_vec(),
    }
}

/// Letters and none that are Chinese.
fn is_english(words: &str) -> bool {
    words.chars().any(|c| c.is_ascii_alphabetic()) && words.chars().all(|c| (c as u32) < 0x2e80)
}

pub(super) fn words(message: &Outbound, texts: Vec<String>) -> Words {
    Words {
        from: message.from,
        epoch: message.epoch,
        texts,
    }
}

/// The texts from a place on that fit into one, empty where there are none, and where the rest begins.
pub(super) fn gathered(held: &[Held], from: Place) -> (String, Place) {
    let mut text = String::new();
    let mut to = from;
    for item in held.iter().filter(|item| item.seq >= from.seq) {
        let texts: Vec<String> = match item.event.as_str() {
            // What cannot be read is of another version; it is passed over.
            WORDS_EVENT => serde_json::from_str(&item.data)
                .map(|words: Words| words.texts)
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        let seen = if item.seq == from.seq { from.pieces } else { 0 };
        for (at, piece) in texts.iter().enumerate().skip(seen) {
            let between = if text.is_empty() { "" } else { BETWEEN };
            let needed = text.len() + between.len() + piece.len() + MORE_BYTES;
            // The first always fits.
            if !text.is_empty() && needed > TEXT.max {
                text.push_str(more(piece));
                let seq = item.seq;
                return (text, Place { seq, pieces: at });
            }
            text.push_str(between);
            text.push_str(piece);
        }
        to = Place {
            seq: item.seq + 1,
            pieces: 0,
        };
    }
    (text, to)
}

fn more(piece: &str) -> &'static str {
    match is_english(piece) {
        true => "\n\n(There is more: send anything to go on.)",
        false => "\n\n（未完，回复任意文字继续）",
    }
}

/// Each delivery of a message is signed with its own time, and the message keeps the one when it was said: where an earlier delivery got lost on its way, this one is known all the same for a later one.
fn delivery(form: &Form, said: &Inbound) -> u64 {
    let signed_at_ms = form
        .timestamp
        .parse::<i64>()
        .unwrap_or(0)
        .saturating_mul(1000);
    let since_ms = signed_at_ms.saturating_sub(said.sent_at_ms);
    let before = u64::try_from(since_ms).unwrap_or(0) / DELIVERY_MS;
    (before + 1).min(DELIVERIES)
}

impl Shared {
    /// A text as WeChat takes it in answer to this delivery. `None` where there is no chance for the cipher.
    pub(super) fn written(&self, form: &Form, text: &str, now_ms: i64) -> Option<Answer> {
        let reply = xml::reply(&form.to, &form.from, now_ms.div_euclid(1000), text);
        let body = match form.key {
            None => reply,
            Some(key) => {
                let mut salt = [0_u8; SALT_BYTES];
                getrandom::fill(&mut salt).ok()?;
                let token = self.token.expose_secret();
                let cipher = self.keys.get(key)?.encrypt(&reply, salt)?;
                let signed = signature(&[token, &form.timestamp, &form.nonce, &cipher]);
                xml::envelope(&cipher, &signed, &form.timestamp, &form.nonce)
            }
        };
        Some(Answer {
            status: 200,
            content_type: "text/xml; charset=utf-8",
            body: body.into_bytes(),
        })
    }

    /// The error is the answer to be given at once.
    pub(super) fn waiting(
        &self,
        form: &Form,
        said: &Inbound,
        within_ms: u64,
        now_ms: i64,
        nothing: Answer,
    ) -> Result<Waiting, Answer> {
        let words = match said.body.said() {
            InboundBody::Text(text) => text.as_str(),
            InboundBody::File(file) => file.caption.as_str(),
            InboundBody::Choice(_) | InboundBody::Came { .. } => "",
        };
        let later = match is_english(words) {
            true => "One moment, please: send anything to see the answer.",
            false => "请稍候，回复任意文字即可查看答复。",
        };
        match (
            self.written(form, later, now_ms),
            serde_json::to_string(form),
        ) {
            (Some(otherwise), Ok(kept)) => Ok(Waiting {
                address: said.address.clone(),
                event_id: said.event_id.clone(),
                within_ms,
                turns_away_ms: DELIVERY_MS,
                deliveries: DELIVERIES,
                delivery: delivery(form, said),
                form: kept,
                otherwise,
                nothing,
            }),
            _ => Err(nothing),
        }
    }
}
