//! What a record is in the tables.

use super::sql;
use super::statement::Statement;
use crate::store::{Record, Row};

/// SQL integers are signed; our counters never come near the difference.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Rows of positions are counted from 1.
pub(super) fn row_of(journal: u32) -> i64 {
    i64::from(journal) + 1
}

/// The statements that write what is above `position`, in order, and the new position last.
pub(super) fn write(journal: u32, position: u64, records: &[Record]) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut position = position;
    for record in records {
        if record.seq <= position {
            continue;
        }
        write_one(&mut statements, record);
        position = record.seq;
    }
    statements.push(
        Statement::of(sql::SET_POSITION)
            .number(row_of(journal))
            .number(signed(position)),
    );
    statements
}

fn write_one(statements: &mut Vec<Statement>, record: &Record) {
    let rev = signed(record.rev);
    let events = serde_json::to_string(&record.events).unwrap_or_default();
    statements.push(
        Statement::of(sql::ADD_EVENTS)
            .text(&record.conversation)
            .number(rev)
            .number(record.at_ms)
            .text(&events),
    );
    statements.push(
        Statement::of(sql::TOUCH_CONVERSATION)
            .text(&record.conversation)
            .number(rev)
            .number(record.at_ms),
    );
    for row in &record.rows {
        match row {
            Row::Lead {
                conversation,
                grade,
                score,
                reasons_json,
                at_ms,
            } => statements.push(
                Statement::of(sql::SET_LEAD)
                    .text(conversation)
                    .text(grade)
                    .number(*score)
                    .text(reasons_json)
                    .number(*at_ms),
            ),
            Row::Handoff {
                conversation,
                reason,
                brief_json,
                rep,
                at_ms,
            } => {
                statements.push(
                    Statement::of(sql::ADD_HANDOFF)
                        .text(conversation)
                        .number(rev)
                        .text(reason)
                        .text(brief_json)
                        .maybe(rep.as_deref())
                        .number(*at_ms),
                );
                statements.push(set_mode(conversation, "waiting"));
            }
            Row::Mode {
                conversation, mode, ..
            } => statements.push(set_mode(conversation, mode)),
        }
    }
}

fn set_mode(conversation: &str, mode: &str) -> Statement {
    Statement::of(sql::SET_MODE).text(conversation).text(mode)
}
