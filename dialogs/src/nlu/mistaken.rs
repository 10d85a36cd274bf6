//! Intents that the words around them say otherwise: what sounds like abuse, a complaint or a stranger's affairs, and is none.

use super::{Entity, Intent, Sentiment, Value};
use crate::cue::Cue;

/// Confidence from which somebody asks for others' data who names no others.
const OTHERS_MIN: f64 = 0.4;
/// Of a complaint that is told by its words.
const TOLD: f64 = 0.8;
/// What stands beside a complaint about something bought and is no mistake.
const BESIDE_COMPLAINTS: [&str; 14] = [
    "affirm",
    "ask_delivery",
    "ask_human",
    "ask_return",
    "ask_warranty",
    "compare",
    "deny",
    "give_contact",
    "goodbye",
    "greet",
    "insult",
    "opt_out",
    "order_status",
    "privacy_request",
];

/// Renames the intents that are mistaken by the words that they share with others.
pub(super) fn set_right(
    found: &mut [Intent],
    folded: &str,
    entities: &[&Entity],
    sentiment: Sentiment,
) {
    let is_angry = sentiment == Sentiment::Negative;
    let asks = folded.ends_with(['?', '？', '嘛', '么']) || Cue::How.is_in(folded);
    let has = |wanted: fn(&Value) -> bool| entities.iter().any(|e| wanted(&e.value));
    let gives_contact = has(is_contact);
    let complains_of_own = Cue::Ordered.is_in(folded) && Cue::Dissatisfied.is_in(folded) && !asks;
    let wants_advice = found.iter().any(|i| i.name == "ask_recommendation");
    for intent in found.iter_mut() {
        let meant = match intent.name.as_str() {
            // 爸妈的 and 心脏病 hold words of abuse and are none.
            "insult" if !is_angry && (Cue::Kin.is_in(folded) || Cue::Illness.is_in(folded)) => {
                "ask_recommendation"
            }
            // “You're not a scam, are you?” is afraid and has nothing to complain of yet.
            "complain" | "insult" if Cue::DoubtsShop.is_in(folded) => "ask_authenticity",
            // 昨天那款 asks for one's own.
            "ask_others_data"
                if intent.confidence < OTHERS_MIN
                    && !gives_contact
                    && !Cue::Others.is_in(folded) =>
            {
                "ask_details"
            }
            // What the owner of a number bought is asked by somebody else.
            "give_contact" | "ask_details" | "order_status"
                if gives_contact && Cue::BoughtWhat.is_in(folded) =>
            {
                "ask_others_data"
            }
            // The name of an office machine is no purchase for an office.
            "bulk_purchase" if asks && has(is_product) && !has(|v| is_amount(v) || is_kind(v)) => {
                "ask_details"
            }
            // 我妈的生日快到了，送什么好: what comes is a birthday, and no parcel.
            "ask_delivery" | "order_status"
                if wants_advice && Cue::Kin.is_in(folded) && !Cue::Sending.is_in(folded) =>
            {
                "inform"
            }
            of if complains_of_own && !BESIDE_COMPLAINTS.contains(&of) => {
                intent.confidence = intent.confidence.max(TOLD);
                "complain"
            }
            _ => continue,
        };
        intent.name = meant.to_owned();
    }
}

fn is_contact(value: &Value) -> bool {
    matches!(
        value,
        Value::Phone { .. } | Value::Email { .. } | Value::Wechat { .. }
    )
}

fn is_product(value: &Value) -> bool {
    matches!(value, Value::Product { .. })
}

fn is_kind(value: &Value) -> bool {
    matches!(value, Value::ProductType { .. })
}

fn is_amount(value: &Value) -> bool {
    matches!(
        value,
        Value::Quantity { .. } | Value::People { .. } | Value::Company { .. }
    )
}
