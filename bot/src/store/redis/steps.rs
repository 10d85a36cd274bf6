//! The steps that change a conversation, each one script on one slot.

use super::feed::{self, BLOCKS_MAX, Placing, split};
use super::hints::Told;
use super::keys::away_of;
use super::link::Again;
use super::pack::{TEXT_BYTES_MAX, pack, pack_all};
use super::wire::{self, broken};
use super::{Inner, claims::Tail};
use crate::store::whole::mark_of;
use crate::store::{Accepted, Commit, Committed, NewMail, Queue, Settle, Settled, StoreError};
use redis::{Cmd, FromRedisValue, Value};

/// Unread letters of one conversation; more are refused with a wait.
pub(super) const BOX_MAX: u64 = 1_000;
/// Messages of one conversation that wait to be sent; while there are more, its letters are refused with a wait.
pub(super) const OUT_MAX: u64 = 1_000;
/// Event ids remembered of one conversation.
const SEEN_MAX: u64 = 2_000;
/// What a caller waits when a box or the journal is full, milliseconds.
const FULL_RETRY_MS: u64 = 2_000;
/// Messages of one round of sending, and how many of the box are looked at for them.
pub(super) const SENDS_MAX: usize = 32;
pub(super) const SENDS_WINDOW: usize = 64;
/// Messages that one turn may send.
const OUTS_OF_A_TURN_MAX: usize = 64;
/// Largest letter or message, bytes.
const LETTER_BYTES_MAX: usize = 1024 * 1024;
/// Times that a conversation is brought back for one letter.
const ACCEPT_TRIES: usize = 3;
/// Times that a feed is read again because it changed meanwhile.
const FEED_TRIES: usize = 4;

impl Inner {
    pub(super) async fn accept(&self, mail: NewMail) -> Result<Accepted, StoreError> {
        self.meet().await?;
        for _ in 0..ACCEPT_TRIES {
            if let Some(accepted) = self.accept_here(&mail).await? {
                return Ok(accepted);
            }
            self.bring_back(&mail.conversation).await?;
        }
        Err(super::faults::unavailable(
            "a conversation left at every try to bring it back",
        ))
    }

    /// `None`: the conversation is put away.
    async fn accept_here(&self, mail: &NewMail) -> Result<Option<Accepted>, StoreError> {
        let id = mail.conversation.as_str();
        small("letter", mail.body.len() + mail.event_id.len())?;
        let mark = mark_of(&mail.event_id);
        let (away_mark, _) = away_of(id);
        let shard = self.keys.shard(id);
        let box_key = self.keys.letters(id);
        let journal_max = (self.journal_max / u64::from(self.keys.shards)).max(1);
        let answer = self
            .link
            .run(
                &self.scripts.accept,
                &box_key,
                self.wait_replicas,
                Again::Once,
                |command| {
                    command
                        .arg(6)
                        .arg(self.keys.agenda(Queue::Turn, shard))
                        .arg(self.keys.conversation(id))
                        .arg(&box_key)
                        .arg(self.keys.journal(shard))
                        .arg(self.keys.outgoing(id))
                        .arg(self.keys.away(id))
                        .arg(id)
                        .arg(&mark)
                        .arg(wire::letter(&mail.event_id, mail.at_ms, &mail.body))
                        .arg(mail.at_ms)
                        .arg(mail.quiet_ms)
                        .arg(mail.quiet_max_ms)
                        .arg(BOX_MAX)
                        .arg(journal_max)
                        .arg(OUT_MAX)
                        .arg(SEEN_MAX)
                        .arg(&away_mark);
                    self.told_by(command, shard);
                },
            )
            .await?;
        let mut answer = Answer::of(answer)?;
        match answer.word()?.as_str() {
            "repeated" => Ok(Some(Accepted::Repeated)),
            "away" => Ok(None),
            "crowded" => Err(StoreError::Crowded {
                retry_after_ms: FULL_RETRY_MS,
            }),
            "full" => Err(StoreError::Full {
                retry_after_ms: FULL_RETRY_MS,
            }),
            "new" => {
                let seq = answer.number()?;
                self.hear_due(Queue::Turn, shard, answer.time()?);
                Ok(Some(Accepted::New { seq }))
            }
            _ => Err(broken("answer")),
        }
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.meet().await?;
        let id = commit.conversation.as_str();
        if commit.out.len() > OUTS_OF_A_TURN_MAX {
            return Err(StoreError::Corrupt {
                what: format!(
                    "a turn wants to send {} messages; at most {OUTS_OF_A_TURN_MAX} may leave",
                    commit.out.len()
                ),
            });
        }
        for out in &commit.out {
            small("message", out.body.len() + out.id.len())?;
        }
        let shard = self.keys.shard(id);
        let key = self.keys.conversation(id);
        let state = pack(commit.state.as_bytes())?;
        let events = pack_all(commit.events.iter().map(String::as_str))?;
        let answer = self
            .link
            .run(
                &self.scripts.commit,
                &key,
                self.wait_replicas,
                Again::Once,
                |command| {
                    command
                        .arg(7)
                        .arg(self.keys.agenda(Queue::Turn, shard))
                        .arg(self.keys.agenda(Queue::Send, shard))
                        .arg(&key)
                        .arg(self.keys.letters(id))
                        .arg(self.keys.outgoing(id))
                        .arg(self.keys.journal(shard))
                        .arg(self.keys.quiet(shard))
                        .arg(id)
                        .arg(commit.token)
                        .arg(commit.read_to)
                        .arg(&state)
                        .arg(commit.epoch)
                        .arg(commit.wake_at_ms.unwrap_or(0))
                        .arg(commit.now_ms)
                        .arg(&events);
                    self.told_by(command, shard);
                    for out in &commit.out {
                        command.arg(wire::outgoing(out));
                    }
                },
            )
            .await?;
        let mut answer = Answer::of(answer)?;
        done(&mut answer)?;
        let committed = Committed {
            rev: answer.number()?,
            more: answer.number()? > 0,
        };
        self.hear_due(Queue::Turn, shard, answer.time()?);
        self.hear_due(Queue::Send, shard, answer.time()?);
        self.hear(Told::Journal);
        Ok(committed)
    }

    /// The block of the feed is made here and put there only if the feed is still as it was.
    pub(super) async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        self.meet().await?;
        let id = settle.conversation.as_str();
        let shard = self.keys.shard(id);
        let key = self.keys.conversation(id);
        let mut known = self.tails().take(id, settle.token);
        for _ in 0..FEED_TRIES {
            let tail = match known.take() {
                Some(tail) => tail,
                None => match self.tail(id).await? {
                    Some(tail) => tail,
                    None => return Err(StoreError::Fenced),
                },
            };
            let added = feed::add(
                tail.block.as_deref(),
                tail.last_feed,
                tail.epoch,
                &settle.feed,
            )?;
            let (placing, block): (&str, &[u8]) = match &added.placing {
                Placing::Nothing => ("nothing", &[]),
                Placing::Append(block) => ("append", block),
                Placing::Replace(block) => ("replace", block),
            };
            let due = settle.retry_at_ms.unwrap_or(settle.now_ms);
            let answer = self
                .link
                .run(&self.scripts.settle, &key, 0, Again::Once, |command| {
                    command
                        .arg(4)
                        .arg(self.keys.agenda(Queue::Send, shard))
                        .arg(&key)
                        .arg(self.keys.outgoing(id))
                        .arg(self.keys.feed(id))
                        .arg(id)
                        .arg(settle.token)
                        .arg(settle.done_to)
                        .arg(due)
                        .arg(SENDS_WINDOW)
                        .arg(tail.epoch)
                        .arg(tail.last_feed)
                        .arg(added.last_feed)
                        .arg(placing)
                        .arg(block)
                        .arg(BLOCKS_MAX)
                        .arg(u8::from(settle.refused))
                        .arg(settle.newest)
                        .arg(settle.now_ms);
                    self.told_by(command, shard);
                })
                .await?;
            let mut answer = Answer::of(answer)?;
            match answer.word()?.as_str() {
                "again" => continue,
                "fenced" => return Err(StoreError::Fenced),
                "done" => {}
                _ => return Err(broken("answer")),
            }
            let more = answer.number()? > 0;
            self.hear_due(Queue::Send, shard, answer.time()?);
            if added.last_feed > tail.last_feed {
                self.hear(Told::Feed(settle.conversation));
            }
            return Ok(Settled {
                more,
                dropped: added.dropped,
            });
        }
        Err(super::faults::unavailable(
            "the feed of a conversation changed at every try",
        ))
    }

    pub(super) async fn extend(
        &self,
        queue: Queue,
        id: &str,
        token: u64,
        until_ms: i64,
    ) -> Result<(), StoreError> {
        self.meet().await?;
        let key = self.keys.conversation(id);
        let answer = self
            .link
            .run(&self.scripts.extend, &key, 0, Again::Once, |command| {
                command
                    .arg(2)
                    .arg(self.keys.agenda(queue, self.keys.shard(id)))
                    .arg(&key)
                    .arg(word(queue))
                    .arg(id)
                    .arg(token)
                    .arg(until_ms);
            })
            .await?;
        done(&mut Answer::of(answer)?)
    }

    pub(super) async fn hasten(&self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        self.meet().await?;
        let shard = self.keys.shard(id);
        let key = self.keys.conversation(id);
        let answer = self
            .link
            .run(&self.scripts.hasten, &key, 0, Again::Once, |command| {
                command
                    .arg(2)
                    .arg(self.keys.agenda(Queue::Send, shard))
                    .arg(&key)
                    .arg(id)
                    .arg(now_ms);
                self.told_by(command, shard);
            })
            .await?;
        let mut answer = Answer::of(answer)?;
        done(&mut answer)?;
        self.hear_due(Queue::Send, shard, answer.time()?);
        Ok(())
    }

    /// The end of a feed as it is now; None for an unknown conversation.
    async fn tail(&self, id: &str) -> Result<Option<Tail>, StoreError> {
        let Some(head) = self.head(id).await? else {
            return Ok(None);
        };
        let mut get = redis::cmd("GET");
        get.arg(self.keys.feed(id));
        let found = self.link.ask::<Option<Vec<u8>>>(&get).await?;
        Ok(Some(Tail {
            epoch: head.counters.epoch,
            last_feed: head.counters.last_feed,
            block: split(&found.unwrap_or_default())?.pop().map(Vec::from),
        }))
    }

    /// What every script needs to tell other replicas.
    pub(super) fn told_by(&self, command: &mut Cmd, shard: u32) {
        command.arg(self.keys.hints()).arg(&self.origin).arg(shard);
    }

    pub(super) fn hear_due(&self, queue: Queue, shard: u32, due_ms: i64) {
        if due_ms > 0 {
            self.hear(Told::Due(queue, shard, due_ms));
        }
    }
}

pub(super) fn word(queue: Queue) -> &'static str {
    match queue {
        Queue::Turn => "turn",
        Queue::Send => "send",
    }
}

fn small(what: &str, bytes: usize) -> Result<(), StoreError> {
    if bytes <= LETTER_BYTES_MAX.min(TEXT_BYTES_MAX) {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        what: format!("a {what} of {bytes} bytes; at most {LETTER_BYTES_MAX} are kept"),
    })
}

fn done(answer: &mut Answer) -> Result<(), StoreError> {
    match answer.word()?.as_str() {
        "done" => Ok(()),
        "fenced" => Err(StoreError::Fenced),
        _ => Err(broken("answer")),
    }
}

/// What a script answers, read from the front.
pub(super) struct Answer(std::vec::IntoIter<Value>);

impl Answer {
    pub(super) fn of(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            _ => Err(broken("answer")),
        }
    }

    pub(super) fn next<T: FromRedisValue>(&mut self) -> Result<T, StoreError> {
        let value = self.0.next().ok_or_else(|| broken("answer"))?;
        T::from_redis_value(value).map_err(|_| broken("answer"))
    }

    fn word(&mut self) -> Result<String, StoreError> {
        self.next()
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        self.next()
    }

    /// Milliseconds since 1970; 0 for none.
    fn time(&mut self) -> Result<i64, StoreError> {
        self.next()
    }
}
