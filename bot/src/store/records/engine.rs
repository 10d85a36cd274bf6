//! What runs the statements: a SQLite file or a PostgreSQL server, each step within a limit.

use super::faults;
use super::server::Server;
use super::statement::{Found, Statement, Value, bound};
use crate::store::StoreError;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::time::Duration;

/// The longest a step on the file may take: what a statement waits for another process's write, and the writing.
const FILE_STEP_MAX: Duration = Duration::from_secs(20);
/// A batch is many statements, so that many limits of one statement are its limit.
const BATCH_LIMITS: u32 = 6;

pub(super) enum Engine {
    /// The pool, and the file's name for messages.
    Lite(SqlitePool, String),
    Server(Box<Server>),
}

/// From the first number of a batch, what is to be written after it.
pub(super) type Then = Box<dyn FnOnce(i64) -> Vec<Statement> + Send>;

impl Engine {
    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<Found>, StoreError> {
        match self {
            Self::Lite(pool, file) => {
                let step = async {
                    let rows = bound!(statement).fetch_all(pool).await?;
                    Ok(rows.into_iter().map(Found::Lite).collect())
                };
                on_file(file, step).await
            }
            Self::Server(server) => {
                server
                    .step(1, async move |connection: &mut PgConnection| {
                        let rows = bound!(statement).fetch_all(connection).await?;
                        Ok(rows.into_iter().map(Found::Server).collect())
                    })
                    .await
            }
        }
    }

    /// `first` locks what the batch is about and gives a number; all of the batch is kept or nothing.
    pub(super) async fn batch(&self, first: Statement, then: Then) -> Result<(), StoreError> {
        match self {
            Self::Lite(pool, file) => {
                let step = async {
                    let mut connection = pool.acquire().await?;
                    batch_on_file(&mut connection, first, then).await
                };
                on_file(file, step).await
            }
            Self::Server(server) => {
                server
                    .step(BATCH_LIMITS, async move |connection: &mut PgConnection| {
                        batch_on_server(connection, first, then).await
                    })
                    .await
            }
        }
    }

    /// Opens a statement without running it.
    pub(super) async fn prepare(&self, sql: &'static str) -> Result<(), StoreError> {
        use sqlx::{Executor as _, SqlStr};
        match self {
            Self::Lite(pool, file) => {
                let step = async {
                    let mut connection = pool.acquire().await?;
                    connection.prepare(SqlStr::from_static(sql)).await?;
                    Ok(())
                };
                on_file(file, step).await
            }
            Self::Server(server) => {
                server
                    .step(1, async move |connection: &mut PgConnection| {
                        connection.prepare(SqlStr::from_static(sql)).await?;
                        Ok(())
                    })
                    .await
            }
        }
    }

    pub(super) fn corrupt(&self, error: &dyn std::fmt::Display) -> StoreError {
        match self {
            Self::Lite(_, file) => StoreError::Corrupt {
                what: format!("{file}: {error}"),
            },
            Self::Server(server) => StoreError::Corrupt {
                what: format!("{}: {error}", server.address()),
            },
        }
    }
}

async fn on_file<T>(
    file: &str,
    step: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(FILE_STEP_MAX, step).await {
        Ok(done) => done.map_err(|error| faults::on_file(file, &error)),
        Err(_) => Err(StoreError::Unavailable {
            what: format!("{file}: no answer within {} s", FILE_STEP_MAX.as_secs()),
        }),
    }
}

macro_rules! batch {
    ($connection:expr, $begin:expr, $first:expr, $then:expr) => {{
        let mut transaction = $connection.begin_with($begin).await?;
        let row = bound!($first).fetch_one(&mut *transaction).await?;
        let number: i64 = sqlx::Row::try_get(&row, 0)?;
        for statement in $then(number) {
            bound!(statement).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }};
}

async fn batch_on_file(
    connection: &mut SqliteConnection,
    first: Statement,
    then: Then,
) -> Result<(), sqlx::Error> {
    batch!(connection, "BEGIN IMMEDIATE", first, then)
}

async fn batch_on_server(
    connection: &mut PgConnection,
    first: Statement,
    then: Then,
) -> Result<(), sqlx::Error> {
    batch!(connection, "BEGIN", first, then)
}
