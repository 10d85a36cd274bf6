//! The records, in one SQLite file or on a PostgreSQL server: the same tables, the same statements.

mod check;
mod copy;
mod engine;
mod faults;
mod line;
mod migrate;
mod rows;
mod server;
pub mod sql;
mod statement;
mod tables;

pub use check::{Finding, findings};
pub use copy::Compared;
pub use tables::{Kind, TABLES, Table};

use super::{
    Kept, KeptAudit, KeptGrade, KeptHandoff, KeptIdentity, KeptLead, LogEntry, Record, RecordStore,
    Step, StoreError,
};
use crate::config::records::Records as Settings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::Engine;
use rows::{row_of, signed, unsigned};
use server::Server;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use statement::{Found, Statement};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
const FILE_CONNECTIONS_MAX: u32 = 3;

pub struct Records {
    engine: Engine,
}

impl Records {
    /// Opens or creates `records.sqlite` in a folder and brings it to the newest form.
    pub async fn in_folder(dir: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|error| StoreError::Corrupt {
            what: format!("{}: {error}", dir.display()),
        })?;
        let path = dir.join("records.sqlite");
        let file = path.display().to_string();
        let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt {
            what: format!("{file}: {error}; restore the file from a backup"),
        };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let pool = SqlitePoolOptions::new()
            .max_connections(FILE_CONNECTIONS_MAX)
            .acquire_timeout(BUSY)
            .connect_with(options)
            .await
            .map_err(|error| corrupt(&error))?;
        let mut connection = pool.acquire().await.map_err(|error| corrupt(&error))?;
        migrate::file(&mut connection)
            .await
            .map_err(|error| corrupt(&error))?;
        drop(connection);
        Ok(Self {
            engine: Engine::Lite(pool, file),
        })
    }

    /// On a PostgreSQL, which need not answer yet: the first step connects and brings the tables to their newest form.
    pub fn on_server(settings: &Settings) -> Self {
        Self {
            engine: Engine::Server(Box::new(Server::new(settings))),
        }
    }

    /// Whether the records answer, by a step that changes nothing.
    pub async fn meet(&self) -> Result<(), StoreError> {
        self.position(0).await.map(|_| ())
    }

    /// Has a statement prepared by the engine, for the test of all of them.
    pub async fn prepare(&self, statement: &'static str) -> Result<(), StoreError> {
        self.engine.prepare(statement).await
    }

    /// All rows of a statement, each read by `read`.
    async fn all<T>(
        &self,
        statement: Statement,
        read: impl Fn(&Found) -> Result<T, sqlx::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.engine.rows(statement).await?;
        rows.iter()
            .map(|row| read(row).map_err(|error| self.engine.corrupt(&error)))
            .collect()
    }

    async fn first<T>(
        &self,
        statement: Statement,
        read: impl Fn(&Found) -> Result<T, sqlx::Error>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(statement, read).await?.into_iter().next())
    }
}

fn kept(row: &Found) -> Result<Kept, sqlx::Error> {
    Ok(Kept {
        id: row.text("id")?,
        rev: unsigned(row.number("rev")?),
        first_at_ms: row.number("first_at_ms")?,
        last_at_ms: row.number("last_at_ms")?,
        mode: row.text("mode")?,
    })
}

impl RecordStore for Records {
    fn apply(&self, journal: u32, records: Vec<Record>) -> Step<'_, ()> {
        Box::pin(async move {
            // Two replicas may archive the same journal at once; the second waits here and finds it done.
            let lock = Statement::of(sql::LOCK_POSITION).number(row_of(journal));
            let then = move |position| rows::write(journal, unsigned(position), &records);
            self.engine.batch(lock, Box::new(then)).await
        })
    }

    fn position(&self, journal: u32) -> Step<'_, u64> {
        Box::pin(async move {
            let statement = Statement::of(sql::POSITION).number(row_of(journal));
            let found = self.first(statement, |row| row.number("seq")).await?;
            Ok(unsigned(found.unwrap_or(0)))
        })
    }

    fn events(&self, conversation: &str, after_rev: u64, max: usize) -> Step<'_, Vec<LogEntry>> {
        let statement = Statement::of(sql::EVENTS)
            .text(conversation)
            .number(signed(after_rev))
            .number(signed(max as u64));
        Box::pin(async move {
            let rows = self
                .all(statement, |row| {
                    Ok((unsigned(row.number("rev")?), row.text("events")?))
                })
                .await?;
            rows.into_iter()
                .map(|(rev, events)| {
                    let events = serde_json::from_str(&events).map_err(|error| {
                        self.engine
                            .corrupt(&format!("the events of step {rev}: {error}"))
                    })?;
                    Ok(LogEntry { rev, events })
                })
                .collect()
        })
    }

    fn conversations(&self, after: &str, max: usize) -> Step<'_, Vec<Kept>> {
        let statement = Statement::of(sql::CONVERSATIONS)
            .text(after)
            .number(signed(max as u64));
        Box::pin(self.all(statement, kept))
    }

    fn conversations_of(&self, customer: &str) -> Step<'_, Vec<Kept>> {
        Box::pin(self.all(Statement::of(sql::CONVERSATIONS_OF).text(customer), kept))
    }

    fn customer_of(&self, conversation: &str) -> Step<'_, Option<String>> {
        let statement = Statement::of(sql::CUSTOMER_OF).text(conversation);
        Box::pin(self.first(statement, |row| row.text("customer")))
    }

    fn identities(&self, customer: &str) -> Step<'_, Vec<KeptIdentity>> {
        let statement = Statement::of(sql::IDENTITIES).text(customer);
        Box::pin(self.all(statement, |row| {
            Ok(KeptIdentity {
                kind: row.text("kind")?,
                value: row.text("value")?,
                conversation: row.text("conversation")?,
                at_ms: row.number("at_ms")?,
            })
        }))
    }

    fn grades(&self, conversation: &str) -> Step<'_, Vec<KeptGrade>> {
        let statement = Statement::of(sql::GRADES).text(conversation);
        Box::pin(self.all(statement, |row| {
            Ok(KeptGrade {
                rev: unsigned(row.number("rev")?),
                grade: row.text("grade")?,
                score: row.number("score")?,
                at_ms: row.number("at_ms")?,
            })
        }))
    }

    fn audited(&self, from_ms: i64, max: usize) -> Step<'_, Vec<KeptAudit>> {
        let statement = Statement::of(sql::AUDIT)
            .number(from_ms)
            .number(signed(max as u64));
        Box::pin(self.all(statement, |row| {
            Ok(KeptAudit {
                at_ms: row.number("at_ms")?,
                who: row.text("who")?,
                what: row.text("what")?,
                on: row.text("target")?,
            })
        }))
    }

    fn leads(&self, conversation: &str) -> Step<'_, Option<KeptLead>> {
        let statement = Statement::of(sql::LEAD).text(conversation);
        let conversation = conversation.to_owned();
        Box::pin(self.first(statement, move |row| {
            Ok(KeptLead {
                conversation: conversation.clone(),
                grade: row.text("grade")?,
                score: row.number("score")?,
                reasons_json: row.text("reasons")?,
                at_ms: row.number("at_ms")?,
            })
        }))
    }

    fn handoffs(&self, conversation: &str) -> Step<'_, Vec<KeptHandoff>> {
        let statement = Statement::of(sql::HANDOFFS).text(conversation);
        let conversation = conversation.to_owned();
        Box::pin(self.all(statement, move |row| {
            Ok(KeptHandoff {
                conversation: conversation.clone(),
                reason: row.text("reason")?,
                brief_json: row.text("brief")?,
                rep: row.maybe("rep")?,
                at_ms: row.number("at_ms")?,
            })
        }))
    }

    fn keep_version(&self, kind: &str, id: &str, body: &[u8], at_ms: i64) -> Step<'_, ()> {
        let statement = Statement::of(sql::KEEP_VERSION)
            .text(kind)
            .text(id)
            .text(&STANDARD.encode(body))
            .number(at_ms);
        Box::pin(async move { self.engine.rows(statement).await.map(|_| ()) })
    }

    fn version(&self, kind: &str, id: &str) -> Step<'_, Option<Vec<u8>>> {
        let statement = Statement::of(sql::VERSION).text(kind).text(id);
        Box::pin(async move {
            let body = self.first(statement, |row| row.text("body")).await?;
            body.map(|body| {
                STANDARD
                    .decode(body)
                    .map_err(|error| self.engine.corrupt(&format!("a version: {error}")))
            })
            .transpose()
        })
    }

    fn put_away(&self, conversation: &str, age: u64, body: &str, at_ms: i64) -> Step<'_, bool> {
        let statement = Statement::of(sql::PUT_AWAY)
            .text(conversation)
            .number(signed(age))
            .text(body)
            .number(at_ms);
        Box::pin(async move {
            let kept = self.first(statement, |row| row.number("age")).await?;
            Ok(kept.is_some())
        })
    }

    fn put_away_of(&self, conversation: &str) -> Step<'_, Option<(u64, String)>> {
        let statement = Statement::of(sql::PUT_AWAY_OF).text(conversation);
        Box::pin(self.first(statement, |row| {
            Ok((unsigned(row.number("age")?), row.text("body")?))
        }))
    }

    fn audit(&self, who: &str, what: &str, on: &str, at_ms: i64) -> Step<'_, ()> {
        let statement = Statement::of(sql::ADD_AUDIT)
            .number(at_ms)
            .text(who)
            .text(what)
            .text(on);
        Box::pin(async move { self.engine.rows(statement).await.map(|_| ()) })
    }
}
