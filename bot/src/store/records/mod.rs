//! The records in one SQLite file.

pub mod sql;

use super::{Kept, KeptHandoff, KeptLead, LogEntry, Record, RecordStore, Row, Step, StoreError};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, Transaction};
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
const CONNECTIONS_MAX: u32 = 3;

pub struct Lite {
    pool: SqlitePool,
}

impl Lite {
    /// Opens or creates `records.sqlite` in a folder and brings it to the newest form.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|error| StoreError::Corrupt {
            what: format!("{}: {error}", dir.display()),
        })?;
        let path = dir.join("records.sqlite");
        let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt {
            what: format!(
                "{}: {error}; restore the file from a backup",
                path.display()
            ),
        };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_with(options)
            .await
            .map_err(|error| corrupt(&error))?;
        let migrator = Migrator::with_migrations(vec![Migration::new(
            1,
            Cow::Borrowed("records"),
            MigrationType::Simple,
            sqlx::SqlStr::from_static(include_str!("migrations/0001_records.sql")),
            false,
        )]);
        migrator.run(&pool).await.map_err(|error| corrupt(&error))?;
        Ok(Self { pool })
    }

    /// For tests that prepare statements.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable {
        what: format!("records: {error}"),
    }
}

/// SQL integers are signed; our counters never come near the difference.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Rows of positions are counted from 1.
fn row_of(journal: u32) -> i64 {
    i64::from(journal) + 1
}

async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    record: &Record,
) -> Result<(), sqlx::Error> {
    let rev = signed(record.rev);
    let events = serde_json::to_string(&record.events).unwrap_or_default();
    sqlx::query(sql::ADD_EVENTS)
        .bind(&record.conversation)
        .bind(rev)
        .bind(record.at_ms)
        .bind(events)
        .execute(&mut **transaction)
        .await?;
    sqlx::query(sql::TOUCH_CONVERSATION)
        .bind(&record.conversation)
        .bind(rev)
        .bind(record.at_ms)
        .execute(&mut **transaction)
        .await?;
    for row in &record.rows {
        match row {
            Row::Lead {
                conversation,
                grade,
                score,
                reasons_json,
                at_ms,
            } => {
                sqlx::query(sql::SET_LEAD)
                    .bind(conversation)
                    .bind(grade)
                    .bind(score)
                    .bind(reasons_json)
                    .bind(at_ms)
                    .execute(&mut **transaction)
                    .await?;
            }
            Row::Handoff {
                conversation,
                reason,
                brief_json,
                rep,
                at_ms,
            } => {
                sqlx::query(sql::ADD_HANDOFF)
                    .bind(conversation)
                    .bind(rev)
                    .bind(reason)
                    .bind(brief_json)
                    .bind(rep)
                    .bind(at_ms)
                    .execute(&mut **transaction)
                    .await?;
                set_mode(transaction, conversation, "waiting").await?;
            }
            Row::Mode {
                conversation, mode, ..
            } => set_mode(transaction, conversation, mode).await?,
        }
    }
    Ok(())
}

async fn set_mode(
    transaction: &mut Transaction<'_, Sqlite>,
    conversation: &str,
    mode: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql::SET_MODE)
        .bind(conversation)
        .bind(mode)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl RecordStore for Lite {
    fn apply(&self, journal: u32, records: Vec<Record>) -> Step<'_, ()> {
        Box::pin(async move {
            let mut transaction = self
                .pool
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map_err(unavailable)?;
            let position: Option<i64> = sqlx::query_scalar(sql::POSITION)
                .bind(row_of(journal))
                .fetch_optional(&mut *transaction)
                .await
                .map_err(unavailable)?;
            let mut position = unsigned(position.unwrap_or(0));
            for record in records {
                if record.seq <= position {
                    continue;
                }
                write(&mut transaction, &record)
                    .await
                    .map_err(unavailable)?;
                position = record.seq;
            }
            sqlx::query(sql::SET_POSITION)
                .bind(row_of(journal))
                .bind(signed(position))
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
            transaction.commit().await.map_err(unavailable)
        })
    }

    fn position(&self, journal: u32) -> Step<'_, u64> {
        Box::pin(async move {
            let found: Option<i64> = sqlx::query_scalar(sql::POSITION)
                .bind(row_of(journal))
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
            Ok(unsigned(found.unwrap_or(0)))
        })
    }

    fn events(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>> {
        let conversation = conversation.to_owned();
        Box::pin(async move {
            let rows = sqlx::query(sql::EVENTS)
                .bind(conversation)
                .bind(signed(after_rev))
                .bind(signed(max as u64))
                .fetch_all(&self.pool)
                .await
                .map_err(unavailable)?;
            rows.iter()
                .map(|row| {
                    let events: String = row.get("events");
                    Ok(LogEntry {
                        rev: unsigned(row.get("rev")),
                        events: serde_json::from_str(&events).map_err(|error| {
                            StoreError::Corrupt {
                                what: format!("records: events: {error}"),
                            }
                        })?,
                    })
                })
                .collect()
        })
    }

    fn conversations(&self, after: &str, max: usize) -> Step<'_, Vec<Kept>> {
        let after = after.to_owned();
        Box::pin(async move {
            let rows = sqlx::query(sql::CONVERSATIONS)
                .bind(after)
                .bind(signed(max as u64))
                .fetch_all(&self.pool)
                .await
                .map_err(unavailable)?;
            Ok(rows
                .iter()
                .map(|row| Kept {
                    id: row.get("id"),
                    rev: unsigned(row.get("rev")),
                    first_at_ms: row.get("first_at_ms"),
                    last_at_ms: row.get("last_at_ms"),
                    mode: row.get("mode"),
                })
                .collect())
        })
    }

    fn leads(&self, conversation: &str) -> Step<'_, Option<KeptLead>> {
        let conversation = conversation.to_owned();
        Box::pin(async move {
            let row = sqlx::query(sql::LEAD)
                .bind(&conversation)
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
            Ok(row.map(|row| KeptLead {
                grade: row.get("grade"),
                score: row.get("score"),
                reasons_json: row.get("reasons"),
                at_ms: row.get("at_ms"),
                conversation,
            }))
        })
    }

    fn handoffs(&self, conversation: &str) -> Step<'_, Vec<KeptHandoff>> {
        let conversation = conversation.to_owned();
        Box::pin(async move {
            let rows = sqlx::query(sql::HANDOFFS)
                .bind(&conversation)
                .fetch_all(&self.pool)
                .await
                .map_err(unavailable)?;
            Ok(rows
                .iter()
                .map(|row| KeptHandoff {
                    conversation: conversation.clone(),
                    reason: row.get("reason"),
                    brief_json: row.get("brief"),
                    rep: row.get("rep"),
                    at_ms: row.get("at_ms"),
                })
                .collect())
        })
    }

    fn keep_version(&self, kind: &str, id: &str, body: &[u8], at_ms: i64) -> Step<'_, ()> {
        use base64::Engine as _;
        let (kind, id) = (kind.to_owned(), id.to_owned());
        let body = base64::engine::general_purpose::STANDARD.encode(body);
        Box::pin(async move {
            sqlx::query(sql::KEEP_VERSION)
                .bind(kind)
                .bind(id)
                .bind(body)
                .bind(at_ms)
                .execute(&self.pool)
                .await
                .map_err(unavailable)?;
            Ok(())
        })
    }

    fn version(&self, kind: &str, id: &str) -> Step<'_, Option<Vec<u8>>> {
        use base64::Engine as _;
        let (kind, id) = (kind.to_owned(), id.to_owned());
        Box::pin(async move {
            let body: Option<String> = sqlx::query_scalar(sql::VERSION)
                .bind(kind)
                .bind(id)
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
            body.map(|body| {
                base64::engine::general_purpose::STANDARD
                    .decode(body)
                    .map_err(|error| StoreError::Corrupt {
                        what: format!("records: version: {error}"),
                    })
            })
            .transpose()
        })
    }

    fn audit(&self, who: &str, what: &str, on: &str, at_ms: i64) -> Step<'_, ()> {
        let (who, what, on) = (who.to_owned(), what.to_owned(), on.to_owned());
        Box::pin(async move {
            sqlx::query(sql::ADD_AUDIT)
                .bind(at_ms)
                .bind(who)
                .bind(what)
                .bind(on)
                .execute(&self.pool)
                .await
                .map_err(unavailable)?;
            Ok(())
        })
    }
}
