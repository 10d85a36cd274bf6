//! What is read of Redis, the journal's end, facts, and the first look at a server.

use super::Inner;
use super::faults::unavailable;
use super::feed::{Block, split};
use super::pack::{unpack, unpack_all};
use super::wire::{self, HEAD_BYTES, Head, broken, read_outgoing};
use crate::store::{
    Depth, FeedItem, JournalEntry, LogEntry, Outgoing, Queue, Snapshot, StoreError,
};
use crate::telemetry::metrics::STORE_CLOCK_AHEAD;
use futures_util::future::{join_all, try_join};
use redis::Cmd;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

/// The oldest Redis that has what the scripts use.
const REDIS_MAJOR_MIN: u32 = 7;
/// The form of keys and values; another one is written by another version of the program.
const LAYOUT: u32 = 2;
/// Journal entries read at once.
const JOURNAL_READ_MAX: usize = 1_000;
/// A fact stays so long after its time, so that the caller's clock decides, milliseconds.
const FACT_GRACE_MS: i64 = 60_000;
/// A comparison of clocks that took longer says too little: the process may have been stopped in the middle of it. Milliseconds.
const COMPARED_MS_MAX: i64 = 2_000;
/// A stream's id is a time and a number within it; our sequence number holds both.
const SEQ_BITS: u32 = 20;

fn cmd(name: &str, key: String) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(key);
    command
}

impl Inner {
    /// The first use of a server: its version, whether replicas agree on the shards, its clock.
    pub(super) async fn meet(&self) -> Result<(), StoreError> {
        self.met
            .get_or_try_init(|| async {
                self.look_at_version().await?;
                self.agree_on_layout().await?;
                self.compare_clocks().await
            })
            .await
            .copied()
    }

    async fn look_at_version(&self) -> Result<(), StoreError> {
        let info = cmd("INFO", "server".to_owned());
        // A user may be forbidden to ask; then the scripts themselves tell.
        let Ok(text) = self.link.ask_at::<String>(&self.keys.layout(), &info).await else {
            return Ok(());
        };
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix("redis_version:"))
            .unwrap_or_default();
        let major: Option<u32> = version.split('.').next().and_then(|n| n.parse().ok());
        match major {
            Some(major) if major < REDIS_MAJOR_MIN => Err(unavailable(format!(
                "{}: Redis {version} is too old; version {REDIS_MAJOR_MIN} or Valkey is needed",
                self.link.at()
            ))),
            _ => Ok(()),
        }
    }

    async fn agree_on_layout(&self) -> Result<(), StoreError> {
        let own = format!("{LAYOUT} {}", self.keys.shards);
        let mut set = cmd("SET", self.keys.layout());
        set.arg(&own).arg("NX").arg("GET");
        match self.link.ask::<Option<String>>(&set).await? {
            Some(there) if there != own => {
                let (form, shards) = there.split_once(' ').unwrap_or((&there, "?"));
                Err(StoreError::Corrupt {
                    what: if form == LAYOUT.to_string() {
                        format!(
                            "{}: its conversations are on {shards} shards, state.shards says {}; set state.shards = {shards}",
                            self.link.at(),
                            self.keys.shards
                        )
                    } else {
                        format!(
                            "{}: it was written in form {form}, this version writes form {LAYOUT}; run the version that fits, or name another state.prefix",
                            self.link.at()
                        )
                    },
                })
            }
            _ => Ok(()),
        }
    }

    /// All replicas count in the server's time.
    pub(super) async fn compare_clocks(&self) -> Result<(), StoreError> {
        let before = machine_ms();
        let (seconds, micros): (i64, i64) = self
            .link
            .ask_at(&self.keys.layout(), &redis::cmd("TIME"))
            .await?;
        let server = seconds * 1_000 + micros / 1_000;
        let ahead = ahead_ms(before, server, machine_ms()).ok_or_else(|| {
            unavailable(format!(
                "{}: its clock could not be compared, the answer took too long",
                self.link.at()
            ))
        })?;
        self.ahead_ms.store(ahead, Ordering::Relaxed);
        metrics::gauge!(STORE_CLOCK_AHEAD).set(ahead as f64 / 1_000.0);
        Ok(())
    }

    /// By the server's clock, as far as it is known.
    pub(super) fn now_ms(&self) -> i64 {
        machine_ms().saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    pub(super) async fn head(&self, id: &str) -> Result<Option<Head>, StoreError> {
        let mut get = cmd("GETRANGE", self.keys.conversation(id));
        get.arg(0).arg(HEAD_BYTES - 1);
        let line: Vec<u8> = self.link.ask(&get).await?;
        match line.is_empty() {
            true => Ok(None),
            false => Head::read(&line).map(Some),
        }
    }

    /// What is not here is looked for once more even if it is not away: somebody may have brought it back meanwhile.
    pub(super) async fn epoch(&self, id: &str) -> Result<u64, StoreError> {
        self.meet().await?;
        let mut head = self.head(id).await?;
        if head.is_none() {
            self.bring_back(id).await?;
            head = self.head(id).await?;
        }
        Ok(head.map_or(0, |head| head.counters.epoch))
    }

    pub(super) async fn snapshot(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.meet().await?;
        let get = cmd("GET", self.keys.conversation(id));
        let mut found: Option<Vec<u8>> = self.link.ask(&get).await?;
        if found.is_none() {
            self.bring_back(id).await?;
            found = self.link.ask(&get).await?;
        }
        let Some(found) = found else {
            return Ok(None);
        };
        let (head, state, _) = wire::parts(&found)?;
        Ok(match state.is_empty() {
            true => None,
            false => Some(Snapshot {
                rev: head.counters.rev,
                epoch: head.counters.epoch,
                state: unpack(state)?,
            }),
        })
    }

    /// What the records do not have yet: the journal holds the same entries, so a second copy would only cost memory.
    pub(super) async fn log(
        &self,
        id: &str,
        after_rev: u64,
        max: usize,
    ) -> Result<Vec<LogEntry>, StoreError> {
        self.meet().await?;
        let mut range = cmd("XREVRANGE", self.keys.journal(self.keys.shard(id)));
        range.arg("+").arg("-").arg("COUNT").arg(JOURNAL_READ_MAX);
        let newest: Vec<(String, Vec<Vec<u8>>)> = self.link.ask(&range).await?;
        let mut entries = Vec::new();
        for raw in newest.into_iter().rev() {
            let entry = entry(raw)?;
            if entry.conversation == id && entry.rev > after_rev && entries.len() < max {
                entries.push(LogEntry {
                    rev: entry.rev,
                    events: entry.events,
                });
            }
        }
        Ok(entries)
    }

    pub(super) async fn outgoing(&self, id: &str, max: usize) -> Result<Vec<Outgoing>, StoreError> {
        self.meet().await?;
        let Some(last) = max.checked_sub(1) else {
            return Ok(Vec::new());
        };
        let mut range = cmd("LRANGE", self.keys.outgoing(id));
        range.arg(0).arg(last);
        let found = self.link.ask::<Vec<Vec<u8>>>(&range).await?;
        found.into_iter().map(read_outgoing).collect()
    }

    pub(super) async fn feed(
        &self,
        id: &str,
        after_seq: u64,
        max: usize,
    ) -> Result<Vec<FeedItem>, StoreError> {
        self.meet().await?;
        let get = cmd("GET", self.keys.feed(id));
        let mut found = self.link.ask::<Option<Vec<u8>>>(&get).await?;
        if found.is_none() {
            self.bring_back(id).await?;
            found = self.link.ask(&get).await?;
        }
        let mut items = Vec::new();
        for block in split(&found.unwrap_or_default())? {
            // Items are unpacked only where some are wanted.
            items.extend(Block::read(block)?.after(after_seq));
        }
        items.truncate(max);
        Ok(items)
    }

    pub(super) async fn journal(
        &self,
        journal: u32,
        max: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        self.meet().await?;
        let mut range = cmd("XRANGE", self.keys.journal(journal));
        range
            .arg("-")
            .arg("+")
            .arg("COUNT")
            .arg(max.min(JOURNAL_READ_MAX));
        let found: Vec<(String, Vec<Vec<u8>>)> = self.link.ask(&range).await?;
        found.into_iter().map(entry).collect()
    }

    pub(super) async fn trim_journal(&self, journal: u32, to_seq: u64) -> Result<(), StoreError> {
        self.meet().await?;
        let mut trim = cmd("XTRIM", self.keys.journal(journal));
        trim.arg("MINID").arg(stream_id(to_seq.saturating_add(1)));
        self.link.ask::<u64>(&trim).await.map(|_| ())
    }

    pub(super) async fn depth(&self) -> Result<Depth, StoreError> {
        self.meet().await?;
        let mut depth = Depth::default();
        let shards = (0..self.keys.shards).map(|shard| async move {
            let journal = cmd("XLEN", self.keys.journal(shard));
            let turns = cmd("ZCARD", self.keys.agenda(Queue::Turn, shard));
            let sends = cmd("ZCARD", self.keys.agenda(Queue::Send, shard));
            let agendas = try_join(self.link.ask::<u64>(&turns), self.link.ask::<u64>(&sends));
            try_join(self.link.ask::<u64>(&journal), agendas).await
        });
        for shard in join_all(shards).await {
            let (journal, (turns, sends)) = shard?;
            depth.journal += journal;
            depth.turns += turns;
            depth.sends += sends;
        }
        Ok(depth)
    }

    pub(super) async fn remember(
        &self,
        key: &str,
        value: &str,
        until_ms: i64,
    ) -> Result<(), StoreError> {
        self.meet().await?;
        let kept_ms = self.fact_kept_ms(until_ms);
        let mut set = cmd("SET", self.keys.fact(key));
        set.arg(format!("{until_ms} {value}"))
            .arg("PX")
            .arg(kept_ms);
        self.link.ask::<redis::Value>(&set).await.map(|_| ())
    }

    /// For how long Redis keeps a fact.
    pub(super) fn fact_kept_ms(&self, until_ms: i64) -> i64 {
        until_ms.saturating_sub(self.now_ms()).max(0) + FACT_GRACE_MS
    }

    pub(super) async fn recall(
        &self,
        key: &str,
        now_ms: i64,
    ) -> Result<Option<String>, StoreError> {
        self.meet().await?;
        let get = cmd("GET", self.keys.fact(key));
        let Some(text) = self.link.ask::<Option<String>>(&get).await? else {
            return Ok(None);
        };
        let (until_ms, value) = text.split_once(' ').ok_or_else(|| broken("fact"))?;
        let until_ms: i64 = until_ms.parse().map_err(|_| broken("fact"))?;
        Ok((until_ms > now_ms).then(|| value.to_owned()))
    }
}

/// How much the server's clock is ahead, from its time and this machine's before and after asking; None where that says too little.
fn ahead_ms(before: i64, server: i64, after: i64) -> Option<i64> {
    let took = after - before;
    (0..=COMPARED_MS_MAX)
        .contains(&took)
        .then(|| server - (before + took / 2))
}

/// Milliseconds since 1970 by this machine's clock.
fn machine_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

fn entry((id, fields): (String, Vec<Vec<u8>>)) -> Result<JournalEntry, StoreError> {
    let field = |name: &[u8]| {
        let mut pairs = fields.chunks_exact(2);
        pairs
            .find_map(|pair| match pair {
                [own, value] if own == name => Some(value.as_slice()),
                _ => None,
            })
            .ok_or_else(|| broken("journal entry"))
    };
    let text =
        |name: &[u8]| String::from_utf8(field(name)?.to_vec()).map_err(|_| broken("journal entry"));
    let number = || broken("journal entry");
    Ok(JournalEntry {
        seq: seq_of(&id).ok_or_else(number)?,
        conversation: text(b"c")?,
        rev: text(b"r")?.parse().map_err(|_| number())?,
        at_ms: text(b"t")?.parse().map_err(|_| number())?,
        events: unpack_all(field(b"e")?)?,
    })
}

fn seq_of(id: &str) -> Option<u64> {
    let (ms, n) = id.split_once('-')?;
    let (ms, n): (u64, u64) = (ms.parse().ok()?, n.parse().ok()?);
    (n < 1 << SEQ_BITS && ms < 1 << (63 - SEQ_BITS)).then_some((ms << SEQ_BITS) | n)
}

fn stream_id(seq: u64) -> String {
    format!("{}-{}", seq >> SEQ_BITS, seq & ((1 << SEQ_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_rise_with_the_ids_of_the_stream() {
        let ids = ["1795659225648-0", "1795659225648-7", "1795659225649-0"];
        let seqs: Vec<_> = ids.iter().filter_map(|id| seq_of(id)).collect();
        assert!(seqs.is_sorted() && seqs.len() == 3);
        let back: Vec<_> = seqs.into_iter().map(stream_id).collect();
        assert_eq!(back, ids);
        assert_eq!(seq_of("1-1048576"), None);
    }

    #[test]
    fn a_process_that_was_stopped_while_it_compared_clocks_learns_nothing() {
        assert_eq!(ahead_ms(1_000, 301_010, 1_020), Some(300_000));
        assert_eq!(ahead_ms(1_000, 1_010, 31_000), None);
        assert_eq!(ahead_ms(1_000, 1_010, 900), None, "the clock was set back");
    }
}
