//! The connection: made when it is needed, made again with growing waits when it broke, every command within a time limit.

use super::endpoint::{CONNECT_MAX, Endpoint, Wire};
use super::faults::{breaks, forgot, late, told, unavailable};
use super::scripts::Script;
use crate::config::state::State as Settings;
use crate::store::StoreError;
use redis::{Cmd, FromRedisValue, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Waits between tries to connect: the first, and the longest.
const BACK_OFF: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_millis(2_000);

pub(super) struct Link {
    line: Arc<Line>,
    /// Most time for one command.
    limit: Duration,
    wait_ms: u64,
}

/// The connection and how it is made.
struct Line {
    /// Without user and password.
    at: String,
    endpoint: Endpoint,
    made: Mutex<Made>,
    /// Whoever has it connects, the others wait for what comes of it.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Made {
    wire: Option<Wire>,
    /// Rises with each connection, so that a late failure does not end a newer one.
    generation: u64,
    failures: u32,
    refused: Option<(Instant, StoreError)>,
}

/// Whether a step may be sent again when its connection broke.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Once,
    Never,
}

impl Link {
    pub(super) fn new(settings: Settings) -> Self {
        // Some part of the program may have chosen a provider already; there is only one to choose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            limit: Duration::from_millis(settings.timeout_ms),
            wait_ms: settings.wait_ms,
            line: Arc::new(Line {
                at: settings.to_string(),
                endpoint: Endpoint { settings },
                made: Mutex::default(),
                connecting: tokio::sync::Mutex::default(),
            }),
        }
    }

    pub(super) fn at(&self) -> &str {
        &self.line.at
    }

    /// One command, within the limit; it must be safe to send twice.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            let (generation, wire) = self.wire().await?;
            match self.within(wire.send(command)).await {
                Ok(Ok(value)) => return self.typed(value),
                Ok(Err(error)) => {
                    tries += 1;
                    let broken = breaks(&error);
                    if broken {
                        self.give_up(generation);
                    }
                    if !broken || tries > 1 {
                        return Err(told(&self.line.at, &error));
                    }
                }
                Err(error) => {
                    self.give_up(generation);
                    return Err(error);
                }
            }
        }
    }

    /// One command to the master that has a key's slot.
    pub(super) async fn ask_at<T: FromRedisValue>(
        &self,
        key: &str,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        let (generation, wire) = self.wire().await?;
        match self.within(wire.send_at(key, command)).await {
            Ok(Ok(value)) => self.typed(value),
            Ok(Err(error)) => {
                if breaks(&error) {
                    self.give_up(generation);
                }
                Err(told(&self.line.at, &error))
            }
            Err(error) => {
                self.give_up(generation);
                Err(error)
            }
        }
    }

    /// A script by its hash, by its text where the server has forgotten it. `key` is one of its keys.
    ///
    /// With `replicas`, it is acknowledged only when so many replicas have it.
    pub(super) async fn run(
        &self,
        script: &Script,
        key: &str,
        replicas: u32,
        again: Again,
        fill: impl Fn(&mut Cmd),
    ) -> Result<Value, StoreError> {
        let command = |by_hash: bool| {
            let mut command = if by_hash {
                redis::cmd("EVALSHA").arg(&script.hash).to_owned()
            } else {
                redis::cmd("EVAL").arg(&script.text).to_owned()
            };
            fill(&mut command);
            command
        };
        let mut by_hash = true;
        let mut tries = 0;
        loop {
            let (generation, wire) = self.wire().await?;
            let command = command(by_hash);
            let sent = async {
                match replicas {
                    0 => wire.send(&command).await.map(|value| (value, 0)),
                    _ => {
                        wire.send_and_wait(key, &command, replicas, self.wait_ms)
                            .await
                    }
                }
            };
            match self.within(sent).await {
                Ok(Ok((_, have))) if have < replicas => {
                    return Err(unavailable(format!(
                        "{}: {have} of {replicas} replicas have the step; start the replicas or lower state.wait_replicas",
                        self.at()
                    )));
                }
                Ok(Ok((value, _))) => return Ok(value),
                Ok(Err(error)) if by_hash && forgot(&error) => by_hash = false,
                Ok(Err(error)) => {
                    let broken = breaks(&error);
                    if broken {
                        self.give_up(generation);
                    }
                    tries += 1;
                    if !broken || again == Again::Never || tries > 1 {
                        return Err(told(&self.line.at, &error));
                    }
                }
                Err(error) => {
                    self.give_up(generation);
                    return Err(error);
                }
            }
        }
    }

    /// A connection of its own for listening; any node of a cluster passes on what is published.
    pub(super) async fn listener(&self, turn: usize) -> Result<redis::aio::PubSub, StoreError> {
        let client = self
            .line
            .endpoint
            .client(turn)
            .map_err(|error| told(&self.line.at, &error))?;
        match tokio::time::timeout(CONNECT_MAX, client.get_async_pubsub()).await {
            Ok(listener) => listener.map_err(|error| told(&self.line.at, &error)),
            Err(_) => Err(late(&self.line.at, CONNECT_MAX)),
        }
    }

    async fn within<T>(&self, sent: impl Future<Output = T>) -> Result<T, StoreError> {
        tokio::time::timeout(self.limit, sent)
            .await
            .map_err(|_| late(&self.line.at, self.limit))
    }

    fn typed<T: FromRedisValue>(&self, value: Value) -> Result<T, StoreError> {
        T::from_redis_value(value).map_err(|error| StoreError::Corrupt {
            what: format!("{}: an answer is not understood: {error}", self.at()),
        })
    }

    /// The connection that is there, or a new one.
    ///
    /// Connecting is a task of its own: a caller may be put aside in the middle of it, and would keep all others waiting.
    async fn wire(&self) -> Result<(u64, Wire), StoreError> {
        if let Some(there) = self.line.there() {
            return Ok(there);
        }
        let line = Arc::clone(&self.line);
        let connected = tokio::spawn(async move { line.connected().await });
        connected.await.unwrap_or_else(|_| {
            let at = &self.line.at;
            Err(unavailable(format!("{at}: connecting ended badly")))
        })
    }

    fn give_up(&self, generation: u64) {
        let mut made = self.line.made();
        // A cluster's connection mends itself node by node.
        if made.generation == generation && !self.line.endpoint.settings.cluster {
            made.wire = None;
        }
    }
}

impl Line {
    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn there(&self) -> Option<(u64, Wire)> {
        let made = self.made();
        let wire = made.wire.clone()?;
        Some((made.generation, wire))
    }

    async fn connected(&self) -> Result<(u64, Wire), StoreError> {
        let _connecting = self.connecting.lock().await;
        if let Some(there) = self.there() {
            return Ok(there);
        }
        if let Some((until, error)) = &self.made().refused
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        let connected = match tokio::time::timeout(CONNECT_MAX, self.endpoint.connect()).await {
            Ok(connected) => connected.map_err(|error| told(&self.at, &error)),
            Err(_) => Err(late(&self.at, CONNECT_MAX)),
        };
        let mut made = self.made();
        match connected {
            Ok(wire) => {
                made.generation += 1;
                if made.failures > 0 {
                    tracing::info!(redis = self.at, "connected again");
                }
                made.failures = 0;
                made.refused = None;
                made.wire = Some(wire.clone());
                Ok((made.generation, wire))
            }
            Err(error) => {
                let wait = BACK_OFF
                    .saturating_mul(1 << made.failures.min(10))
                    .min(BACK_OFF_MAX);
                made.failures = made.failures.saturating_add(1);
                made.refused = Some((Instant::now() + spread(wait), error.clone()));
                Err(error)
            }
        }
    }
}

/// Between half and the whole of a wait, so that replicas do not come back at once.
fn spread(wait: Duration) -> Duration {
    let mut random = [0_u8; 1];
    // Without randomness they come back together, which is only slower.
    let _ = getrandom::fill(&mut random);
    wait / 2 + wait.mul_f64(f64::from(random.first().copied().unwrap_or(0)) / 512.0)
}
