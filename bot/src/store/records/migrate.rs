//! The tables come to their newest form at start: forward only, by one replica at a time.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlStr, SqliteConnection};
use std::borrow::Cow;
use std::time::Duration;

/// Processes that open one new file together get in each other's way; whoever comes second finds it done.
const FILE_TRIES: u32 = 40;
const FILE_PAUSE: Duration = Duration::from_millis(50);

/// Forms for both engines; a form that was once released never changes.
const BOTH: &[(i64, &str, &str)] = &[
    (1, "records", include_str!("migrations/0001_records.sql")),
    (
        3,
        "customers",
        include_str!("migrations/0003_customers.sql"),
    ),
];
/// Forms for PostgreSQL only, in the same count.
const SERVER: &[(i64, &str, &str)] = &[(
    2,
    "order",
    include_str!("migrations/postgres_0002_order.sql"),
)];

fn migrator(forms: impl Iterator<Item = &'static (i64, &'static str, &'static str)>) -> Migrator {
    let mut migrations: Vec<Migration> = forms
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                SqlStr::from_static(sql),
                false,
            )
        })
        .collect();
    migrations.sort_by_key(|migration| migration.version);
    Migrator::with_migrations(migrations)
}

/// Under an advisory lock, which the server gives back when the connection ends.
pub(super) async fn server(connection: &mut PgConnection) -> Result<(), MigrateError> {
    run(&migrator(BOTH.iter().chain(SERVER)), connection).await
}

pub(super) async fn file(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let migrator = migrator(BOTH.iter());
    let mut tries = 1;
    loop {
        match run(&migrator, connection).await {
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..))
                if tries < FILE_TRIES =>
            {
                tries += 1;
                tokio::time::sleep(FILE_PAUSE).await;
            }
            done => return done,
        }
    }
}

async fn run<C: Migrate>(migrator: &Migrator, connection: &mut C) -> Result<(), MigrateError> {
    migrator.run_direct(None, connection, false).await
}
