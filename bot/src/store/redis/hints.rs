//! Hints between replicas over a channel of Redis. They may be lost; every listener polls as well.

use super::Inner;
use crate::store::{Hint, Queue};
use futures_util::StreamExt as _;
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Wait before listening again, and the longest one.
const RETRY: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_millis(5_000);
/// How often a silent channel is proved alive.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_MAX: Duration = Duration::from_secs(3);
/// A conversation's id in a hint, bytes.
const ID_BYTES_MAX: usize = 512;

/// What one message says; lines after the sender's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Due(Queue, u32, i64),
    Journal,
    Feed(String),
    Typing(String),
    Pointer,
    Waiting(String),
}

pub(super) fn line(told: &Told) -> String {
    match told {
        Told::Due(Queue::Turn, shard, due) => format!("t {shard} {due}"),
        Told::Due(Queue::Send, shard, due) => format!("s {shard} {due}"),
        Told::Journal => "j".to_owned(),
        Told::Feed(id) => format!("f {id}"),
        Told::Typing(id) => format!("y {id}"),
        Told::Pointer => "p".to_owned(),
        Told::Waiting(channel) => format!("w {channel}"),
    }
}

/// The sender and what it tells; what is not understood is passed over.
pub(super) fn read(message: &str) -> (&str, Vec<Told>) {
    let mut lines = message.split('\n');
    let origin = lines.next().unwrap_or_default();
    let told = lines
        .filter_map(|line| {
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            let due = |queue| {
                let (shard, due) = rest.split_once(' ')?;
                Some(Told::Due(queue, shard.parse().ok()?, due.parse().ok()?))
            };
            let id = || (rest.len() <= ID_BYTES_MAX).then(|| rest.to_owned());
            match kind {
                "t" => due(Queue::Turn),
                "s" => due(Queue::Send),
                "j" => Some(Told::Journal),
                "f" => id().map(Told::Feed),
                "y" => id().map(Told::Typing),
                "p" => Some(Told::Pointer),
                "w" => id().map(Told::Waiting),
                _ => None,
            }
        })
        .collect();
    (origin, told)
}

/// Listens until the store is gone.
pub(super) async fn listen(inner: Weak<Inner>, stop: CancellationToken) {
    let mut wait = RETRY;
    let mut turn = 0;
    while !stop.is_cancelled() {
        // Held only while connecting, so that a dropped store ends.
        let listener = {
            let Some(inner) = inner.upgrade() else { return };
            let channel = inner.keys.hints();
            match inner.link.listener(turn).await {
                Ok(mut listener) => {
                    match tokio::time::timeout(PING_MAX, listener.subscribe(&channel)).await {
                        Ok(Ok(())) => Some(listener),
                        Ok(Err(error)) => {
                            tracing::warn!(%error, channel, "no hints from other replicas; looking once a second instead");
                            None
                        }
                        Err(_) => None,
                    }
                }
                Err(_) => None,
            }
        };
        turn = turn.wrapping_add(1);
        if let Some(listener) = listener {
            wait = RETRY;
            if let Some(inner) = inner.upgrade() {
                inner.lost_hints();
            }
            follow(listener, &inner, &stop).await;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = (wait * 2).min(RETRY_MAX);
    }
}

/// Passes hints on until the connection ends.
async fn follow(listener: redis::aio::PubSub, inner: &Weak<Inner>, stop: &CancellationToken) {
    let (mut sink, mut messages) = listener.split();
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.reset();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            message = messages.next() => {
                let (Some(message), Some(inner)) = (message, inner.upgrade()) else {
                    return;
                };
                let payload = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
                let (origin, told) = read(&payload);
                // Its own were heard when they were made.
                if origin != inner.origin {
                    for told in told {
                        inner.hear(told);
                    }
                }
            }
            _ = ping.tick() => {
                let alive = tokio::time::timeout(PING_MAX, sink.ping::<redis::Value>()).await;
                if !matches!(alive, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

/// Publishes what is not written by a script (typing), in order, until the store is gone.
pub(super) async fn publish(inner: Weak<Inner>, mut waiting: mpsc::Receiver<Told>) {
    while let Some(told) = waiting.recv().await {
        let Some(inner) = inner.upgrade() else { return };
        let mut command = redis::cmd("PUBLISH");
        command
            .arg(inner.keys.hints())
            .arg(format!("{}\n{}", inner.origin, line(&told)));
        // A hint that is lost costs a poll.
        let _ = inner.link.ask::<redis::Value>(&command).await;
    }
}

impl Inner {
    /// Takes a hint of its own or of another replica.
    pub(super) fn hear(&self, told: Told) {
        let hint = match told {
            Told::Due(Queue::Turn, shard, due) => {
                self.turns.hear(shard, due);
                Hint::Turns
            }
            Told::Due(Queue::Send, shard, due) => {
                self.sends.hear(shard, due);
                Hint::Sends
            }
            Told::Journal => Hint::Journal,
            Told::Feed(id) => Hint::Feed(id),
            Told::Typing(id) => Hint::Typing(id),
            Told::Pointer => Hint::Pointer,
            Told::Waiting(channel) => Hint::Waiting(channel),
        };
        // Nobody listening is no fault.
        let _ = self.hints.send(hint);
    }

    /// Some may have been missed.
    fn lost_hints(&self) {
        self.turns.forget();
        self.sends.forget();
        for hint in [Hint::Turns, Hint::Sends, Hint::Journal] {
            let _ = self.hints.send(hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_read_as_they_are_written() {
        let all = [
            Told::Due(Queue::Turn, 3, 1_800_000_000_000),
            Told::Due(Queue::Send, 0, 5),
            Told::Journal,
            Told::Feed("web:a b".to_owned()),
            Told::Typing("web:1".to_owned()),
            Told::Waiting("wecom".to_owned()),
        ];
        let lines: Vec<String> = all.iter().map(line).collect();
        let message = format!("me\n{}\nz 1\nt x", lines.join("\n"));
        assert_eq!(read(&message), ("me", all.to_vec()));
    }
}
