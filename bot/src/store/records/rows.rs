//! What a record is in the tables.

use super::sql;
use super::statement::{Statement, kept_text};
use crate::store::{Record, Row};
use std::collections::BTreeMap;

/// SQL integers are signed; our counters never come near the difference.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A conversation's first step.
const FIRST_REV: u64 = 1;

/// Rows of positions are counted from 1.
pub(super) fn row_of(journal: u32) -> i64 {
    i64::from(journal) + 1
}

/// The statements that write what is above `position`, and the new position last.
///
/// Steps and conversations go several to a statement, each row once, since PostgreSQL refuses to write a row twice in one statement; what follows from the steps is written in their order.
pub(super) fn write(journal: u32, position: u64, records: &[Record]) -> Vec<Statement> {
    let mut position = position;
    let mut new = Vec::new();
    for record in records {
        if record.seq > position {
            position = record.seq;
            new.push(record);
        }
    }
    let mut statements = events(&new);
    statements.extend(conversations(&new));
    for record in new {
        if record.rev == FIRST_REV {
            first_seen(&mut statements, record);
        }
        write_rows(&mut statements, record);
    }
    statements.push(
        Statement::of(sql::SET_POSITION)
            .number(row_of(journal))
            .number(signed(position)),
    );
    statements
}

/// The last word on a step counts.
fn events(records: &[&Record]) -> Vec<Statement> {
    let steps: BTreeMap<(String, i64), &Record> = records
        .iter()
        .map(|record| {
            (
                (kept_text(&record.conversation), signed(record.rev)),
                *record,
            )
        })
        .collect();
    several(
        (sql::ADD_EVENTS, sql::ADD_SEVERAL_EVENTS),
        steps.into_iter().collect(),
        |statement, ((conversation, rev), record)| {
            let events = serde_json::to_string(&record.events).unwrap_or_default();
            statement
                .text(&conversation)
                .number(rev)
                .number(record.at_ms)
                .text(&events)
        },
    )
}

fn conversations(records: &[&Record]) -> Vec<Statement> {
    let mut touched: BTreeMap<String, (&Record, &Record)> = BTreeMap::new();
    for &record in records {
        touched
            .entry(kept_text(&record.conversation))
            .and_modify(|(_, last)| *last = record)
            .or_insert((record, record));
    }
    several(
        (sql::TOUCH_CONVERSATION, sql::TOUCH_SEVERAL_CONVERSATIONS),
        touched.into_iter().collect(),
        |statement, (conversation, (first, last))| {
            statement
                .text(&conversation)
                .number(signed(last.rev))
                .number(first.at_ms)
                .number(last.at_ms)
        },
    )
}

/// Full statements for several as long as there are enough, then one by one.
fn several<T>(
    (one, many): (&'static str, &'static str),
    rows: Vec<T>,
    add: impl Fn(Statement, T) -> Statement,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() >= sql::SEVERAL {
        let full = rows.by_ref().take(sql::SEVERAL);
        statements.push(full.fold(Statement::of(many), &add));
    }
    statements.extend(rows.map(|row| add(Statement::of(one), row)));
    statements
}

/// Whoever writes first is a customer of their own, known by their place on the channel.
fn first_seen(statements: &mut Vec<Statement>, record: &Record) {
    let id = record.conversation.as_str();
    let (channel, place) = id.split_once(':').unwrap_or(("", id));
    statements.push(
        Statement::of(sql::ADD_CUSTOMER)
            .text(id)
            .number(record.at_ms),
    );
    statements.push(add_identity(id, channel, place, record.at_ms));
}

fn add_identity(conversation: &str, kind: &str, value: &str, at_ms: i64) -> Statement {
    Statement::of(sql::ADD_IDENTITY)
        .text(kind)
        .text(value)
        .number(at_ms)
        .text(conversation)
}

fn write_rows(statements: &mut Vec<Statement>, record: &Record) {
    let rev = signed(record.rev);
    for row in &record.rows {
        match row {
            Row::Lead {
                conversation,
                grade,
                score,
                reasons_json,
                at_ms,
            } => {
                statements.push(
                    Statement::of(sql::SET_LEAD)
                        .text(conversation)
                        .text(grade)
                        .number(*score)
                        .text(reasons_json)
                        .number(*at_ms),
                );
                statements.push(
                    Statement::of(sql::ADD_GRADE)
                        .text(conversation)
                        .number(rev)
                        .text(grade)
                        .number(*score)
                        .number(*at_ms),
                );
            }
            Row::Contact {
                conversation,
                kind,
                value,
                at_ms,
            } => statements.push(add_identity(conversation, kind, value, *at_ms)),
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
