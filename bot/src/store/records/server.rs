//! The connections to a PostgreSQL: few, each step within its limit, a broken one never used again.

use super::{faults, migrate};
use crate::config::records::{Records as Settings, Tls};
use crate::store::StoreError;
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};

/// The longest that bringing the tables to their newest form may take, another replica's doing it included.
const MIGRATION_MAX: Duration = Duration::from_secs(600);

pub(super) struct Server {
    options: PgConnectOptions,
    /// The address as it may be shown.
    address: String,
    limit: Duration,
    /// One permit a connection.
    places: Semaphore,
    idle: Mutex<Vec<PgConnection>>,
    /// Set when the tables have their newest form.
    ready: OnceCell<()>,
}

impl Server {
    /// Connects to nothing yet: the first step does.
    pub(super) fn new(settings: &Settings) -> Self {
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&settings.host)
            .port(settings.port)
            .database(&settings.database)
            .ssl_mode(match settings.tls {
                Tls::Disable => PgSslMode::Disable,
                Tls::Prefer => PgSslMode::Prefer,
                Tls::Require => PgSslMode::Require,
                Tls::VerifyAuthority => PgSslMode::VerifyCa,
                Tls::VerifyFull => PgSslMode::VerifyFull,
            })
            .application_name("tiansheng")
            .disable_statement_logging();
        if let Some(username) = &settings.username {
            options = options.username(username);
        }
        if let Some(password) = &settings.password {
            options = options.password(password.expose_secret());
        }
        if let Some(authorities) = &settings.authorities {
            options = options.ssl_root_cert_from_pem(authorities.clone());
        }
        Self {
            options,
            address: settings.to_string(),
            limit: Duration::from_millis(settings.timeout_ms),
            places: Semaphore::new(settings.connections as usize),
            idle: Mutex::new(Vec::new()),
            ready: OnceCell::new(),
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Runs a step on a connection of its own; `limits` is how many times a statement's limit it may take.
    pub(super) async fn step<T, F>(&self, limits: u32, step: F) -> Result<T, StoreError>
    where
        F: AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    {
        self.ready.get_or_try_init(|| self.migrate()).await?;
        let place = self.within(1, async {
            self.places
                .acquire()
                .await
                .map_err(|_| sqlx::Error::PoolClosed)
        });
        let _place = place.await?;
        let mut connection = match self.rested().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        // A connection whose step failed or was cut off is dropped, and with it its transaction.
        let done = self.within(limits, step(&mut connection)).await?;
        self.idle().push(connection);
        Ok(done)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of an earlier step that still answers; those that do not are dropped.
    async fn rested(&self) -> Option<PgConnection> {
        loop {
            let mut connection = self.idle().pop()?;
            if self.within(1, connection.ping()).await.is_ok() {
                return Some(connection);
            }
            // The server has been away, so the others are broken too.
            self.idle().clear();
        }
    }

    async fn connect(&self) -> Result<PgConnection, StoreError> {
        self.within(1, async {
            let mut connection = PgConnection::connect_with(&self.options).await?;
            let limit = self.limit.as_millis();
            // The server gives up by itself too, so that no forgotten statement holds a lock.
            let limits = format!(
                "SET statement_timeout = {limit}; SET lock_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}"
            );
            connection.execute(AssertSqlSafe(limits)).await?;
            Ok(connection)
        })
        .await
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self
            .within(1, PgConnection::connect_with(&self.options))
            .await?;
        match tokio::time::timeout(MIGRATION_MAX, migrate::server(&mut connection)).await {
            Ok(done) => done.map_err(|error| faults::migration(&self.address, &error)),
            Err(_) => Err(faults::late(&self.address, MIGRATION_MAX)),
        }
    }

    async fn within<T>(
        &self,
        limits: u32,
        step: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let limit = self.limit.saturating_mul(limits);
        match tokio::time::timeout(limit, step).await {
            Ok(done) => done.map_err(|error| faults::on_server(&self.address, &error)),
            Err(_) => Err(faults::late(&self.address, limit)),
        }
    }
}
