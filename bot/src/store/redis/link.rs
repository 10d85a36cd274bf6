//! The connection: made when it is needed, made again with growing waits when it broke, every command within a time limit.

use super::faults::{breaks, forgot, late, told, unavailable};
use super::scripts::Script;
use crate::config::state::State as Settings;
use crate::store::StoreError;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError, TlsCertificates, Value,
};
use secrecy::ExposeSecret;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_millis(2_000);
/// Waits between tries to connect: the first, and the longest.
const BACK_OFF: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_millis(2_000);
/// Redirections and retries inside a cluster for one command.
const CLUSTER_RETRIES: u32 = 3;

pub(super) struct Link {
    /// Without user and password.
    at: String,
    settings: Settings,
    limit: Duration,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    wire: Option<Wire>,
    /// Rises with each connection, so that a late failure does not end a newer one.
    generation: u64,
    failures: u32,
    refused: Option<(Instant, StoreError)>,
}

#[derive(Clone)]
enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
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
            at: settings.to_string(),
            limit: Duration::from_millis(settings.timeout_ms),
            settings,
            made: Mutex::default(),
        }
    }

    pub(super) fn at(&self) -> &str {
        &self.at
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
                        self.give_up(generation).await;
                    }
                    if !broken || tries > 1 {
                        return Err(told(&self.at, &error));
                    }
                }
                Err(error) => {
                    self.give_up(generation).await;
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
                    self.give_up(generation).await;
                }
                Err(told(&self.at, &error))
            }
            Err(error) => {
                self.give_up(generation).await;
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
                        wire.send_and_wait(key, &command, replicas, self.settings.wait_ms)
                            .await
                    }
                }
            };
            match self.within(sent).await {
                Ok(Ok((_, have))) if have < replicas => {
                    return Err(unavailable(format!(
                        "{}: {have} of {replicas} replicas have the step; start the replicas or lower state.wait_replicas",
                        self.at
                    )));
                }
                Ok(Ok((value, _))) => return Ok(value),
                Ok(Err(error)) if by_hash && forgot(&error) => by_hash = false,
                Ok(Err(error)) => {
                    let broken = breaks(&error);
                    if broken {
                        self.give_up(generation).await;
                    }
                    tries += 1;
                    if !broken || again == Again::Never || tries > 1 {
                        return Err(told(&self.at, &error));
                    }
                }
                Err(error) => {
                    self.give_up(generation).await;
                    return Err(error);
                }
            }
        }
    }

    /// A connection of its own for listening; any node of a cluster passes on what is published.
    pub(super) async fn listener(&self, turn: usize) -> Result<redis::aio::PubSub, StoreError> {
        let nodes = self.settings.nodes.len().max(1);
        let client = self
            .client(turn % nodes)
            .map_err(|error| told(&self.at, &error))?;
        match tokio::time::timeout(CONNECT_MAX, client.get_async_pubsub()).await {
            Ok(listener) => listener.map_err(|error| told(&self.at, &error)),
            Err(_) => Err(late(&self.at, CONNECT_MAX)),
        }
    }

    async fn within<T>(&self, sent: impl Future<Output = T>) -> Result<T, StoreError> {
        tokio::time::timeout(self.limit, sent)
            .await
            .map_err(|_| late(&self.at, self.limit))
    }

    fn typed<T: FromRedisValue>(&self, value: Value) -> Result<T, StoreError> {
        T::from_redis_value(value).map_err(|error| StoreError::Corrupt {
            what: format!("{}: an answer is not understood: {error}", self.at),
        })
    }

    /// The connection that is there, or a new one. Only one caller at a time connects.
    async fn wire(&self) -> Result<(u64, Wire), StoreError> {
        let mut made = self.made.lock().await;
        if let Some(wire) = &made.wire {
            return Ok((made.generation, wire.clone()));
        }
        if let Some((until, error)) = &made.refused
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        let connected = match tokio::time::timeout(CONNECT_MAX, self.connect()).await {
            Ok(connected) => connected.map_err(|error| told(&self.at, &error)),
            Err(_) => Err(late(&self.at, CONNECT_MAX)),
        };
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

    async fn give_up(&self, generation: u64) {
        let mut made = self.made.lock().await;
        // A cluster's connection mends itself node by node.
        if made.generation == generation && !self.settings.cluster {
            made.wire = None;
        }
    }

    async fn connect(&self) -> Result<Wire, RedisError> {
        if self.settings.cluster {
            let nodes = (0..self.settings.nodes.len())
                .map(|at| self.info(at))
                .collect::<Result<Vec<_>, _>>()?;
            let mut builder = ClusterClientBuilder::new(nodes)
                .connection_timeout(CONNECT_MAX)
                .response_timeout(self.limit)
                .retries(CLUSTER_RETRIES);
            if let Some(certificates) = self.certificates() {
                builder = builder.certs(certificates);
            }
            let client = builder.build()?;
            return Ok(Wire::Cluster(client.get_async_connection().await?));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(self.limit));
        let client = self.client(0)?;
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Wire::One(connection))
    }

    fn client(&self, node: usize) -> Result<Client, RedisError> {
        let info = self.info(node)?;
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        }
    }

    fn info(&self, node: usize) -> Result<ConnectionInfo, RedisError> {
        let Some(node) = self.settings.nodes.get(node) else {
            return Err((redis::ErrorKind::InvalidClientConfig, "no node is named").into());
        };
        let (host, port) = (node.host.clone(), node.port);
        let address = if self.settings.tls {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let mut login = RedisConnectionInfo::default().set_db(self.settings.database);
        if let Some(username) = &self.settings.username {
            login = login.set_username(username);
        }
        if let Some(password) = &self.settings.password {
            login = login.set_password(password.expose_secret());
        }
        Ok(address.into_connection_info()?.set_redis_settings(login))
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        self.settings.tls.then(|| TlsCertificates {
            client_tls: None,
            root_cert: self.settings.authorities.clone(),
        })
    }
}

impl Wire {
    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        match self.clone() {
            Wire::One(mut wire) => wire.send_packed_command(command).await?.extract_error(),
            Wire::Cluster(mut wire) => command.query_async(&mut wire).await,
        }
    }

    async fn send_at(&self, key: &str, command: &Cmd) -> Result<Value, RedisError> {
        match self.clone() {
            Wire::One(mut wire) => wire.send_packed_command(command).await?.extract_error(),
            Wire::Cluster(mut wire) => {
                let node = RoutingInfo::SingleNode(master_of(key));
                wire.route_command(command.clone(), node)
                    .await?
                    .extract_error()
            }
        }
    }

    /// Both go out together on one connection: `WAIT` speaks of what its own connection wrote.
    async fn send_and_wait(
        &self,
        key: &str,
        command: &Cmd,
        replicas: u32,
        wait_ms: u64,
    ) -> Result<(Value, u32), RedisError> {
        let mut both = Pipeline::with_capacity(2);
        both.add_command(command.clone());
        both.cmd("WAIT").arg(replicas).arg(wait_ms);
        let values = match self.clone() {
            Wire::One(mut wire) => wire.send_packed_commands(&both, 0, 2).await?,
            Wire::Cluster(mut wire) => wire.route_pipeline(both, 0, 2, master_of(key)).await?,
        };
        let mut values = values.into_iter();
        let value = values.next().unwrap_or(Value::Nil).extract_error()?;
        let have = values.next().unwrap_or(Value::Int(0)).extract_error()?;
        Ok((value, u32::from_redis_value(have)?))
    }
}

fn master_of(key: &str) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_slot(Slot::for_key(key), SlotAddr::Master))
}

/// Between half and the whole of a wait, so that replicas do not come back at once.
fn spread(wait: Duration) -> Duration {
    let mut random = [0_u8; 1];
    // Without randomness they come back together, which is only slower.
    let _ = getrandom::fill(&mut random);
    wait / 2 + wait.mul_f64(f64::from(random.first().copied().unwrap_or(0)) / 512.0)
}
