//! One connection to the gateway: greeted, kept alive and watched, its events in order with their numbers.
//!
//! Our own and not a client library's, because an event counts as taken only when what it holds is durable: the number that a resumption names is moved by whoever made it so.

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use serenity::model::gateway::GatewayIntents;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use url::Url;

/// How long connecting and the first word may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a frame of ours may take to leave.
const SEND_MAX: Duration = Duration::from_secs(10);
/// Largest payload, in bytes: a large server is described in one.
const PAYLOAD_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Shortest time between two heartbeats that Discord is believed, in milliseconds.
const HEARTBEAT_MS_MIN: u64 = 20;

pub(super) struct Gateway {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heartbeat: Duration,
    beat_at: Instant,
    /// The last heartbeat was answered.
    is_alive: bool,
    /// Of the last event.
    seq: u64,
}

/// Something that Discord told.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub name: String,
    pub seq: u64,
    pub data: Value,
}

/// Why a connection is over; the texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Another connection goes on where this one ended.
    Cut { why: String },
    /// The same, and the session had no part in it: the store does not answer.
    Unkept,
    /// The session is over too; another begins anew.
    Over { why: String },
    /// A person has to do something.
    Stopped { why: String },
}

/// Kinds of payloads.
const DISPATCH: u8 = 0;
const HEARTBEAT: u8 = 1;
const IDENTIFY: u8 = 2;
const RESUME: u8 = 6;
const RECONNECT: u8 = 7;
const INVALID_SESSION: u8 = 9;
const HELLO: u8 = 10;
const HEARTBEAT_ACK: u8 = 11;

/// Events whose content is of interest; of the others only the number is.
const READ: [&str; 4] = [
    "READY",
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "INTERACTION_CREATE",
];

struct Payload {
    op: u8,
    d: Value,
    s: Option<u64>,
    t: Option<String>,
}

#[derive(Deserialize)]
struct Sent<'a> {
    op: u8,
    #[serde(borrow)]
    d: Option<&'a RawValue>,
    s: Option<u64>,
    t: Option<String>,
}

impl Gateway {
    /// Connects and waits to be greeted.
    pub(super) async fn open(address: &str) -> Result<Self, Ended> {
        let cut = |why: &str| Ended::Cut {
            why: why.to_owned(),
        };
        let mut url = Url::parse(address).map_err(|_| cut("the gateway's address is none"))?;
        url.set_query(Some("v=10&encoding=json"));
        if url.path().is_empty() {
            url.set_path("/");
        }
        let limits = WebSocketConfig::default()
            .max_message_size(Some(PAYLOAD_BYTES_MAX))
            .max_frame_size(Some(PAYLOAD_BYTES_MAX));
        let connecting =
            tokio_tungstenite::connect_async_with_config(url.as_str(), Some(limits), true);
        let connected = timeout(CONNECT_MAX, connecting).await;
        let (socket, _) = connected
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| cut("no connection to the gateway"))?;
        let now = Instant::now();
        let mut gateway = Self {
            socket,
            heartbeat: CONNECT_MAX,
            beat_at: now + CONNECT_MAX,
            is_alive: true,
            seq: 0,
        };
        let greeting = timeout(CONNECT_MAX, gateway.payload()).await;
        let greeting = greeting.map_err(|_| cut("the gateway does not greet"))??;
        let every_ms = greeting.d.get("heartbeat_interval").and_then(Value::as_u64);
        let (HELLO, Some(every_ms)) = (greeting.op, every_ms) else {
            return Err(cut("the gateway greets otherwise than it should"));
        };
        gateway.heartbeat = Duration::from_millis(every_ms.max(HEARTBEAT_MS_MIN));
        // Spread, as Discord asks: all clients come back at once after a fault of its own.
        gateway.beat_at = Instant::now() + gateway.heartbeat.mul_f64(chance());
        Ok(gateway)
    }

    pub(super) async fn identify(
        &mut self,
        token: &str,
        intents: GatewayIntents,
    ) -> Result<(), Ended> {
        let properties = json!({
            "os": std::env::consts::OS, "browser": "tiansheng", "device": "tiansheng",
        });
        let identify = json!({"token": token, "intents": intents, "properties": properties});
        self.send(IDENTIFY, identify).await
    }

    /// Asks for everything after an event.
    pub(super) async fn resume(
        &mut self,
        token: &str,
        session: &str,
        seq: u64,
    ) -> Result<(), Ended> {
        self.seq = seq;
        let resume = json!({"token": token, "session_id": session, "seq": seq});
        self.send(RESUME, resume).await
    }

    /// The next event; nothing is lost where the wait is broken off.
    pub(super) async fn next(&mut self) -> Result<Event, Ended> {
        loop {
            let payload = tokio::select! {
                payload = Self::read(&mut self.socket) => payload?,
                () = sleep_until(self.beat_at) => {
                    self.beat().await?;
                    continue;
                }
            };
            match payload.op {
                DISPATCH => {
                    let seq = payload.s.unwrap_or(self.seq);
                    self.seq = self.seq.max(seq);
                    return Ok(Event {
                        name: payload.t.unwrap_or_default(),
                        seq: self.seq,
                        data: payload.d,
                    });
                }
                HEARTBEAT => self.send(HEARTBEAT, json!(self.seq)).await?,
                HEARTBEAT_ACK => self.is_alive = true,
                RECONNECT => {
                    return Err(Ended::Cut {
                        why: "Discord asks for another connection".to_owned(),
                    });
                }
                INVALID_SESSION if payload.d == Value::Bool(true) => {
                    return Err(Ended::Cut {
                        why: "Discord asks to resume again".to_owned(),
                    });
                }
                INVALID_SESSION => {
                    return Err(Ended::Over {
                        why: "Discord has ended the session".to_owned(),
                    });
                }
                _ => {}
            }
        }
    }

    async fn payload(&mut self) -> Result<Payload, Ended> {
        Self::read(&mut self.socket).await
    }

    async fn read(
        socket: &mut WebSocketStream<MaybeTlsStream<TcpStream>>,
    ) -> Result<Payload, Ended> {
        let cut = |why: &str| Ended::Cut {
            why: why.to_owned(),
        };
        loop {
            let text = match socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    return Err(closed(frame.map(|frame| frame.code.into())));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(cut("the connection to the gateway broke off")),
            };
            return payload(&text).ok_or_else(|| cut("the gateway sends what is no payload"));
        }
    }

    async fn beat(&mut self) -> Result<(), Ended> {
        if !self.is_alive {
            return Err(Ended::Cut {
                why: "the gateway does not answer heartbeats".to_owned(),
            });
        }
        self.is_alive = false;
        self.beat_at = Instant::now() + self.heartbeat;
        let seq = Some(self.seq).filter(|seq| *seq > 0);
        self.send(HEARTBEAT, json!(seq)).await
    }

    async fn send(&mut self, op: u8, d: Value) -> Result<(), Ended> {
        let text = json!({"op": op, "d": d}).to_string();
        let sent = timeout(SEND_MAX, self.socket.send(Message::text(text))).await;
        sent.ok().and_then(Result::ok).ok_or_else(|| Ended::Cut {
            why: "the connection to the gateway broke off".to_owned(),
        })
    }
}

/// A large server's description is passed over without being taken apart.
fn payload(text: &str) -> Option<Payload> {
    let sent: Sent<'_> = serde_json::from_str(text).ok()?;
    let is_read = match &sent.t {
        Some(name) => READ.contains(&name.as_str()),
        None => true,
    };
    let d = match sent.d {
        Some(d) if is_read => serde_json::from_str(d.get()).ok()?,
        Some(_) | None => Value::Null,
    };
    Some(Payload {
        op: sent.op,
        d,
        s: sent.s,
        t: sent.t,
    })
}

/// What follows from the number that Discord closes a connection with.
fn closed(code: Option<u16>) -> Ended {
    let stopped = |why: &str| Ended::Stopped {
        why: why.to_owned(),
    };
    match code {
        Some(4004) => stopped(
            "4004: Discord does not know the token; reset it on the Bot page of the Developer Portal and set channels.discord.token",
        ),
        Some(4010 | 4011) => stopped(
            "the bot is in so many servers that Discord wants several connections (sharding), which this version does not make; leave some servers",
        ),
        Some(4012) => {
            stopped("4012: this version of the gateway is no more; a newer Tiansheng is needed")
        }
        Some(4013) => stopped(
            "4013: Discord does not know the intents that are asked for; a newer Tiansheng is needed",
        ),
        Some(4014) => stopped(
            "4014: the Message Content intent is not allowed for this bot; switch it on under Bot - Privileged Gateway Intents in the Developer Portal, or set channels.discord.message_content to false",
        ),
        Some(code @ (4007 | 4009)) => Ended::Over {
            why: format!("{code}: Discord has ended the session"),
        },
        Some(code) => Ended::Cut {
            why: format!("{code}: Discord has closed the connection"),
        },
        None => Ended::Cut {
            why: "Discord has closed the connection".to_owned(),
        },
    }
}

/// From 0 to 1; in the middle where there is no chance to be had.
fn chance() -> f64 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    f64::from(byte) / 256.0
}
