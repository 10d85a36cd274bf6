//! What the business keeps of a turn's events: rows for the records.

use crate::store::Row;
use dialogs::event::Event;
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;

/// Events that make rows.
const ROWS: [&str; 5] = [
    "graded",
    "slot_filled",
    "handed_off",
    "taken",
    "handed_back",
];

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// Slots with what a customer gave to be reached by.
const CONTACTS: [&str; 3] = ["phone", "email", "wechat"];

/// The rows that one committed step adds; events of a version this code does not know add none.
pub fn rows(conversation: &str, at_ms: i64, events: &[String]) -> Vec<Row> {
    let mut rows = Vec::new();
    for event in events {
        // Most events are only transcript; what they are stands in front.
        let named = serde_json::from_str::<Named<'_>>(event);
        if named.is_ok_and(|named| !ROWS.contains(&named.event.as_ref())) {
            continue;
        }
        let Ok(event) = serde_json::from_str::<Event>(event) else {
            tracing::error!(
                conversation,
                "an event is unreadable; it stays in the transcript as it is"
            );
            continue;
        };
        match event {
            Event::Graded { lead } => rows.push(Row::Lead {
                conversation: conversation.to_owned(),
                grade: lead.grade,
                score: lead.score,
                reasons_json: json!(lead.reasons).to_string(),
                at_ms,
            }),
            Event::SlotFilled { slot, filled } if CONTACTS.contains(&slot.as_str()) => {
                rows.push(Row::Contact {
                    conversation: conversation.to_owned(),
                    kind: slot,
                    value: filled.value.plain(),
                    at_ms,
                });
            }
            Event::HandedOff {
                reason,
                brief,
                rep,
                at_ms,
            } => rows.push(Row::Handoff {
                conversation: conversation.to_owned(),
                reason: reason.word().to_owned(),
                brief_json: json!(brief).to_string(),
                rep,
                at_ms,
            }),
            Event::Taken { rep, at_ms } => rows.push(Row::Mode {
                conversation: conversation.to_owned(),
                mode: "human".to_owned(),
                rep: Some(rep),
                at_ms,
            }),
            Event::HandedBack { rep } => rows.push(Row::Mode {
                conversation: conversation.to_owned(),
                mode: "bot".to_owned(),
                rep: Some(rep),
                at_ms,
            }),
            _ => {}
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_and_modes_make_rows_and_the_rest_is_transcript() {
        let events = [
            r#"{"event":"missed"}"#,
            r#"{"event":"slot_filled","slot":"phone","filled":{"value":{"text":"13800138000"},"turn":1,"quote":"13800138000"}}"#,
            r#"{"event":"slot_filled","slot":"people","filled":{"value":{"count":4},"turn":1,"quote":"four"}}"#,
            r#"{"event":"taken","rep":"lin","at_ms":5}"#,
            r#"{"event":"of_a_later_version","rep":"lin"}"#,
        ];
        let made = rows("web:1", 9, &events.map(str::to_owned));
        let contact = Row::Contact {
            conversation: "web:1".to_owned(),
            kind: "phone".to_owned(),
            value: "13800138000".to_owned(),
            at_ms: 9,
        };
        let mode = Row::Mode {
            conversation: "web:1".to_owned(),
            mode: "human".to_owned(),
            rep: Some("lin".to_owned()),
            at_ms: 5,
        };
        assert_eq!(made, [contact, mode]);
    }
}
