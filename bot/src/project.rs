//! What the business keeps of a turn's events: rows for the records.

use crate::store::Row;
use dialogs::event::Event;
use serde_json::json;

/// Slots with what a customer gave to be reached by.
const CONTACTS: [&str; 3] = ["phone", "email", "wechat"];

/// The rows that one committed step adds; events of a version this code does not know add none.
pub fn rows(conversation: &str, at_ms: i64, events: &[String]) -> Vec<Row> {
    let mut rows = Vec::new();
    for event in events {
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
