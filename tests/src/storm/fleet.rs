//! Replicas of the real program on one Redis and one PostgreSQL, each with its own way to both and, if wanted, its own clock.

use crate::binary::{Server, free_port};
use crate::faulty::Wire;
use crate::postgres_server::Postgres;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Longest wait for a replica to be ready.
const READY_MAX: Duration = Duration::from_secs(30);

/// One replica; the process comes and goes, the port and the ways stay.
pub struct Replica {
    pub url: String,
    pub to_redis: Wire,
    pub to_postgres: Wire,
    port: u16,
    environment: Vec<(String, String)>,
    server: Mutex<Option<Server>>,
    data: tempfile::TempDir,
}

impl Replica {
    /// `clock` is what its clock shows besides the time, such as `+7m`.
    pub async fn new(
        redis_port: u16,
        postgres: &Postgres,
        clock: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Self {
        let port = free_port();
        let to_redis = Wire::to(redis_port).await;
        let to_postgres = Wire::to(postgres.port).await;
        let records = postgres
            .url("records")
            .replace(&postgres.port.to_string(), &to_postgres.port.to_string());
        let redis_url = format!("redis://127.0.0.1:{}", to_redis.port);
        let mut environment: Vec<(String, String)> = [
            ("TIANSHENG_STATE__URL", redis_url.as_str()),
            ("TIANSHENG_RECORDS__URL", records.as_str()),
            ("TIANSHENG_RECORDS__TIMEOUT_MS", "2000"),
            ("TIANSHENG_WEB__MESSAGES_PER_MINUTE", "100000"),
            ("TIANSHENG_WEB__SESSIONS_PER_MINUTE", "100000"),
            ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "20"),
            ("TIANSHENG_MAILBOX__WORKERS", "8"),
            ("TIANSHENG_WEB__DRAIN_MS", "0"),
        ]
        .iter()
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        if let Some(clock) = clock {
            for (name, value) in [
                ("LD_PRELOAD", faketime().display().to_string()),
                ("FAKETIME", clock.to_owned()),
                // Waits go on as they are; only what time it is differs.
                ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ] {
                environment.push((name.to_owned(), value));
            }
        }
        let replica = Self {
            url: format!("http://127.0.0.1:{port}"),
            to_redis,
            to_postgres,
            port,
            environment,
            server: Mutex::new(None),
            data: tempfile::tempdir().unwrap(),
        };
        replica.start();
        replica
    }

    /// Starts the process; it listens when this returns.
    pub fn start(&self) {
        let environment: Vec<(&str, &str)> = self
            .environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        tokio::task::block_in_place(|| {
            let server = Server::start(self.data.path(), self.port, &environment);
            *self.server.lock().unwrap() = Some(server);
        });
    }

    /// Waits until `/readyz` says 200.
    pub async fn ready(&self, http: &reqwest::Client) {
        let begun = Instant::now();
        let url = format!("{}/readyz", self.url);
        let ready = async || {
            http.get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        };
        while !ready().await {
            assert!(begun.elapsed() < READY_MAX, "the replica is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many seconds Redis is ahead of its clock, as it measured that itself.
    pub async fn ahead(&self, http: &reqwest::Client) -> f64 {
        let asked = http.get(format!("{}/metrics", self.url)).send();
        let figures = asked.await.unwrap().text().await.unwrap();
        let line = |line: &str| {
            line.strip_prefix("store_clock_ahead_seconds ")?
                .parse()
                .ok()
        };
        figures.lines().find_map(line).unwrap()
    }

    /// SIGKILL.
    pub fn kill(&self) {
        if let Some(server) = self.server.lock().unwrap().take() {
            server.kill();
        }
    }

    /// SIGTERM, and how long it took to end well.
    pub fn stop(&self) -> Duration {
        let begun = Instant::now();
        if let Some(server) = self.server.lock().unwrap().take() {
            let ended = tokio::task::block_in_place(|| server.stop());
            assert!(ended.success(), "a replica does not stop well: {ended}");
        }
        begun.elapsed()
    }

    /// SIGSTOP or SIGCONT.
    pub fn signal(&self, signal: &str) {
        if let Some(server) = self.server.lock().unwrap().as_ref() {
            server.signal(signal);
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join(crate::binary::LOG)).unwrap()
    }
}

/// The library that shifts a process' clock, for programs with threads.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    folders
        .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
        .find(|library| library.exists())
        .expect("libfaketime is not installed; tests/run installs it")
}
