//! Where a Redis is and how it is spoken to: addresses, TLS, login, one server or a cluster.

use crate::config::state::State as Settings;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError, TlsCertificates, Value,
};
use secrecy::ExposeSecret;
use std::time::Duration;

/// How long a connection may take to be made.
pub(super) const CONNECT_MAX: Duration = Duration::from_millis(2_000);
/// Redirections and retries inside a cluster for one command.
const CLUSTER_RETRIES: u32 = 3;

pub(super) struct Endpoint {
    pub settings: Settings,
}

/// A connection; a clone shares it.
#[derive(Clone)]
pub(super) enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Endpoint {
    pub(super) async fn connect(&self) -> Result<Wire, RedisError> {
        let limit = Duration::from_millis(self.settings.timeout_ms);
        if self.settings.cluster {
            let nodes = (0..self.settings.nodes.len())
                .map(|at| self.info(at))
                .collect::<Result<Vec<_>, _>>()?;
            let mut builder = ClusterClientBuilder::new(nodes)
                .connection_timeout(CONNECT_MAX)
                .response_timeout(limit)
                .retries(CLUSTER_RETRIES);
            if let Some(certificates) = self.certificates() {
                builder = builder.certs(certificates);
            }
            let client = builder.build()?;
            return Ok(Wire::Cluster(client.get_async_connection().await?));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(limit));
        let client = self.client(0)?;
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Wire::One(connection))
    }

    /// For any of the nodes named; the numbers go round.
    pub(super) fn client(&self, node: usize) -> Result<Client, RedisError> {
        let info = self.info(node % self.settings.nodes.len().max(1))?;
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
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        match self.clone() {
            Wire::One(mut wire) => wire.send_packed_command(command).await?.extract_error(),
            Wire::Cluster(mut wire) => command.query_async(&mut wire).await,
        }
    }

    pub(super) async fn send_at(&self, key: &str, command: &Cmd) -> Result<Value, RedisError> {
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
    pub(super) async fn send_and_wait(
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
