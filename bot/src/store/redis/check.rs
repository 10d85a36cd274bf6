//! What `tiansheng doctor` looks at in a Redis, beyond whether it answers.

use super::{Inner, State};
use crate::config::state::State as Settings;
use crate::store::{StateStore, StoreError};
use redis::Value;
use std::time::{Duration, Instant};

/// A clock that differs by more is worth a word, milliseconds.
const CLOCK_MS_MAX: i64 = 1_000;
/// A command that takes longer is felt in every turn.
const SLOW: Duration = Duration::from_millis(20);

/// One thing looked at.
pub struct Finding {
    pub ok: bool,
    pub detail: String,
    pub advice: Option<String>,
}

/// Connects, and looks at what can go wrong later: rights, memory, persistence, replicas, clock, distance.
pub async fn findings(settings: &Settings) -> Vec<Finding> {
    let state = State::open(settings);
    if let Err(error) = state.meet().await {
        return vec![wrong(error.to_string(), None)];
    }
    let depth = match state.depth().await {
        Ok(depth) => fine(format!(
            "{settings}: {} conversations on the agenda, {} messages to send, {} journal entries",
            depth.turns, depth.sends, depth.journal
        )),
        Err(error) => return vec![wrong(error.to_string(), None)],
    };
    let inner = &state.inner;
    let mut findings = vec![depth, inner.rights().await];
    findings.extend(inner.hint_channel().await);
    findings.extend(inner.memory().await);
    findings.extend(inner.persistence().await);
    findings.extend(inner.replicas().await);
    findings.push(inner.clock(state.ahead_ms()));
    findings.push(inner.distance().await);
    findings
}

fn fine(detail: String) -> Finding {
    Finding {
        ok: true,
        detail,
        advice: None,
    }
}

fn wrong(detail: String, advice: Option<&str>) -> Finding {
    Finding {
        ok: false,
        detail,
        advice: advice.map(str::to_owned),
    }
}

impl Inner {
    /// Every command that the scripts use, on a key that goes at once; a right that lacks would else show in the middle of a turn.
    async fn rights(&self) -> Finding {
        let script = &self.scripts.probe;
        let key = self.keys.fact("doctor");
        let tried = self
            .link
            .run(script, &key, 0, super::link::Again::Once, |command| {
                command.arg(1).arg(&key);
            })
            .await;
        match tried {
            Ok(_) => fine("the user may run every command of the scripts".to_owned()),
            Err(StoreError::Full { .. }) => wrong(
                "OOM: Redis has no memory left; nothing new is accepted".to_owned(),
                Some("raise maxmemory, or lower what else is kept there"),
            ),
            Err(error) => wrong(
                error.to_string(),
                Some(
                    "give the user `+@all -@admin` on the keys of state.prefix, and `&` on its channel",
                ),
            ),
        }
    }

    async fn hint_channel(&self) -> Option<Finding> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(self.keys.hints()).arg("doctor");
        let error = self.link.ask::<Value>(&command).await.err()?;
        Some(wrong(
            error.to_string(),
            Some(
                "give the user the channel, for instance `&*`; until then replicas look once a second",
            ),
        ))
    }

    /// One field of `INFO`; None where the user may not ask.
    async fn info(&self, section: &str, fields: &[&str]) -> Option<Vec<String>> {
        let mut command = redis::cmd("INFO");
        command.arg(section);
        let text: String = self.link.ask_at(&self.keys.layout(), &command).await.ok()?;
        fields
            .iter()
            .map(|field| {
                text.lines()
                    .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
                    .map(|value| value.trim().to_owned())
            })
            .collect()
    }

    async fn memory(&self) -> Option<Finding> {
        let fields = ["maxmemory", "maxmemory_policy", "used_memory_human"];
        let found = self.info("memory", &fields).await?;
        let [most, policy, used] = found.as_slice() else {
            return None;
        };
        if policy != "noeviction" {
            return Some(wrong(
                format!("maxmemory-policy is {policy}: Redis may throw conversations away"),
                Some(
                    "set `maxmemory-policy noeviction`; a full Redis is then told to customers as 503",
                ),
            ));
        }
        if most == "0" {
            return Some(wrong(
                format!(
                    "maxmemory is not set ({used} used): the system may kill Redis when memory ends"
                ),
                Some("set maxmemory to what the machine can spare"),
            ));
        }
        Some(fine(format!("{used} used, noeviction")))
    }

    async fn persistence(&self) -> Option<Finding> {
        let found = self
            .info("persistence", &["aof_enabled", "aof_last_write_status"])
            .await?;
        match found.as_slice() {
            [on, status] if on == "1" && status == "ok" => {
                Some(fine("the append-only file is written".to_owned()))
            }
            [on, _] if on == "1" => Some(wrong(
                "the append-only file cannot be written".to_owned(),
                Some("free the disk of Redis"),
            )),
            _ => Some(wrong(
                "there is no append-only file: a restart of Redis loses what was acknowledged"
                    .to_owned(),
                Some(
                    "set `appendonly yes`, with `appendfsync always` or a replica and state.wait_replicas",
                ),
            )),
        }
    }

    async fn replicas(&self) -> Option<Finding> {
        let found = self
            .info("replication", &["role", "connected_slaves"])
            .await?;
        let [role, connected] = found.as_slice() else {
            return None;
        };
        let connected: u32 = connected.parse().ok()?;
        if role != "master" {
            return Some(wrong(
                "this server is a replica".to_owned(),
                Some("name the master in state.url"),
            ));
        }
        (self.wait_replicas > 0).then(|| {
            if connected < self.wait_replicas {
                wrong(
                    format!(
                        "{connected} replicas are connected, state.wait_replicas asks for {}: nothing is acknowledged",
                        self.wait_replicas
                    ),
                    Some("start the replicas, or lower state.wait_replicas"),
                )
            } else {
                fine(format!("{connected} replicas are connected"))
            }
        })
    }

    fn clock(&self, ahead_ms: i64) -> Finding {
        let detail =
            format!("the clock of Redis is {ahead_ms} ms ahead of this machine's; its time counts");
        if ahead_ms.abs() > CLOCK_MS_MAX {
            wrong(
                detail,
                Some("set both clocks, for instance with systemd-timesyncd"),
            )
        } else {
            fine(detail)
        }
    }

    async fn distance(&self) -> Finding {
        let begun = Instant::now();
        let mut command = redis::cmd("GET");
        command.arg(self.keys.layout());
        let asked = self.link.ask::<Value>(&command).await;
        let took = begun.elapsed();
        match asked {
            Err(error) => wrong(error.to_string(), None),
            Ok(_) if took > SLOW => wrong(
                format!("a command takes {} ms", took.as_millis()),
                Some("run Redis nearer, or look at its SLOWLOG"),
            ),
            Ok(_) => fine(format!("a command takes {} µs", took.as_micros())),
        }
    }
}
