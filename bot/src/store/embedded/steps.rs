//! The steps of the embedded state store, each on the tables of one write transaction. A step checks before it changes, so a refused one leaves no trace.

use super::shared;
use crate::store::{
    Accepted, Claimed, Commit, Committed, Hint, LETTERS_MAX, Letter, NewMail, Outgoing, Queue,
    SendClaim, Settle, Settled, StoreError, TurnClaim,
};
use redb::{
    Database, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Unread letters of one conversation; more are refused with a wait.
pub const BOX_MAX: u64 = 1_000;
/// Log entries kept here; the records have them all.
pub const LOG_ENTRIES_MAX: u64 = 400;
/// Feed items kept of one conversation.
pub const FEED_ITEMS_MAX: u64 = 1_000;
/// Messages of one round of sending.
pub const SENDS_MAX: usize = 32;
/// Journal entries above which nothing more is accepted.
pub const JOURNAL_MAX: u64 = 200_000;
/// How long an event id is remembered, milliseconds: longer than any platform repeats.
pub const SEEN_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Expired marks and facts swept in one step.
const SWEEP_MAX: usize = 32;
/// What a caller waits when a box or the journal is full, milliseconds.
const FULL_RETRY_MS: u64 = 2_000;

pub(super) const HEADS: TableDefinition<'_, &str, &str> = TableDefinition::new("heads");
pub(super) const STATES: TableDefinition<'_, &str, &str> = TableDefinition::new("states");
pub(super) const LETTERS: TableDefinition<'_, (&str, u64), &str> = TableDefinition::new("letters");
pub(super) const OUTGOING: TableDefinition<'_, (&str, u64), &str> =
    TableDefinition::new("outgoing");
pub(super) const TURNS: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("agenda_turns");
pub(super) const SENDS: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("agenda_sends");
pub(super) const LOG: TableDefinition<'_, (&str, u64), &str> = TableDefinition::new("log");
pub(super) const FEED: TableDefinition<'_, (&str, u64), &str> = TableDefinition::new("feed");
pub(super) const JOURNAL: TableDefinition<'_, u64, &str> = TableDefinition::new("journal");
pub(super) const SEEN: TableDefinition<'_, &str, i64> = TableDefinition::new("seen");
const SEEN_BY_TIME: TableDefinition<'_, (i64, &str), ()> = TableDefinition::new("seen_by_time");
pub(super) const FACTS: TableDefinition<'_, &str, (i64, &str)> = TableDefinition::new("facts");

/// A conversation's counters and fences.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Head {
    pub rev: u64,
    pub epoch: u64,
    pub turn_token: u64,
    pub send_token: u64,
    /// Letters are numbered from 1; those up to `read_to` are done with.
    pub last_letter: u64,
    pub read_to: u64,
    pub last_out: u64,
    pub last_feed: u64,
    /// First unread letter's arrival.
    pub unread_since_ms: Option<i64>,
    /// Agenda entries.
    turn_at_ms: Option<i64>,
    send_at_ms: Option<i64>,
    /// A turn is leased: accepting must not make it due earlier.
    turn_leased: bool,
    /// A round of sending is leased.
    #[serde(default)]
    send_leased: bool,
    send_attempts: u32,
    pub wake_at_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredLetter {
    pub event_id: String,
    pub at_ms: i64,
    pub body: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredOut {
    pub id: String,
    pub epoch: u64,
    pub bot: bool,
    pub body: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredFeed {
    pub event: String,
    pub data: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredEntry {
    pub conversation: String,
    pub rev: u64,
    pub at_ms: i64,
    pub events: Vec<String>,
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
/// Answers whoever waits: with the step's own result, or with the error of the whole commit.
pub(super) type Answer = Box<dyn FnOnce(Option<StoreError>)>;

pub(super) enum Work {
    Accept(NewMail, Reply<Accepted>),
    ClaimTurns(i64, u64, usize, Reply<Claimed<TurnClaim>>),
    Commit(Box<Commit>, Reply<Committed>),
    ClaimSends(i64, u64, usize, Reply<Claimed<SendClaim>>),
    Settle(Settle, Reply<Settled>),
    Extend(Queue, String, u64, i64, Reply<()>),
    TrimJournal(u64, Reply<()>),
    Remember(String, String, i64, Reply<()>),
    Point(String, u64, String, Reply<Option<u64>>),
}

/// What a step ends with: its result for the caller, or a fault of the file.
pub(super) type Done<T> = Result<Result<T, StoreError>, Error>;

impl Work {
    /// Whether what it acknowledges must survive a crash.
    pub(super) fn must_last(&self) -> bool {
        match self {
            Work::Accept(..)
            | Work::Commit(..)
            | Work::Settle(..)
            | Work::Remember(..)
            | Work::Point(..) => true,
            Work::ClaimTurns(..)
            | Work::ClaimSends(..)
            | Work::Extend(..)
            | Work::TrimJournal(..) => false,
        }
    }

    pub(super) fn apply(
        self,
        tables: &mut Tables<'_>,
        hints: &mut Vec<Hint>,
        journal: &mut u64,
    ) -> (Answer, Option<Error>) {
        match self {
            Work::Accept(mail, reply) => answered(reply, accept(tables, hints, *journal, mail)),
            Work::ClaimTurns(now, lease, max, reply) => {
                answered(reply, claim_turns(tables, now, lease, max))
            }
            Work::Commit(commit, reply) => {
                answered(reply, self::commit(tables, hints, journal, *commit))
            }
            Work::ClaimSends(now, lease, max, reply) => {
                answered(reply, claim_sends(tables, now, lease, max))
            }
            Work::Settle(settle, reply) => answered(reply, self::settle(tables, hints, settle)),
            Work::Extend(queue, conversation, token, until, reply) => {
                answered(reply, extend(tables, queue, &conversation, token, until))
            }
            Work::TrimJournal(to, reply) => answered(reply, trim_journal(tables, journal, to)),
            Work::Remember(key, value, until, reply) => {
                answered(reply, remember(tables, &key, &value, until))
            }
            Work::Point(name, from, to, reply) => {
                answered(reply, shared::point(tables, hints, &name, from, &to))
            }
        }
    }

    /// The answer where the commit failed before this step was looked at.
    pub(super) fn refuse(self) -> Answer {
        fn told<T: 'static>(reply: Reply<T>) -> Answer {
            Box::new(move |error| {
                let error = error.unwrap_or(StoreError::Unavailable {
                    what: "the step was not written".to_owned(),
                });
                let _ = reply.send(Err(error));
            })
        }
        match self {
            Work::Accept(_, reply) => told(reply),
            Work::ClaimTurns(.., reply) => told(reply),
            Work::Commit(_, reply) => told(reply),
            Work::ClaimSends(.., reply) => told(reply),
            Work::Settle(_, reply) => told(reply),
            Work::Extend(.., reply) => told(reply),
            Work::TrimJournal(_, reply) => told(reply),
            Work::Remember(.., reply) => told(reply),
            Work::Point(.., reply) => told(reply),
        }
    }
}

fn answered<T: 'static>(reply: Reply<T>, done: Done<T>) -> (Answer, Option<Error>) {
    match done {
        Ok(result) => (
            Box::new(move |error| {
                // A caller that went away has its step done all the same.
                let _ = reply.send(error.map_or(result, Err));
            }),
            None,
        ),
        Err(fault) => (
            Box::new(move |error| {
                let error = error.unwrap_or(StoreError::Unavailable {
                    what: "the step was not written".to_owned(),
                });
                let _ = reply.send(Err(error));
            }),
            Some(fault),
        ),
    }
}

pub(super) struct Tables<'t> {
    heads: Table<'t, &'static str, &'static str>,
    states: Table<'t, &'static str, &'static str>,
    letters: Table<'t, (&'static str, u64), &'static str>,
    outgoing: Table<'t, (&'static str, u64), &'static str>,
    turns: Table<'t, (i64, &'static str), ()>,
    sends: Table<'t, (i64, &'static str), ()>,
    log: Table<'t, (&'static str, u64), &'static str>,
    feed: Table<'t, (&'static str, u64), &'static str>,
    journal: Table<'t, u64, &'static str>,
    seen: Table<'t, &'static str, i64>,
    seen_by_time: Table<'t, (i64, &'static str), ()>,
    facts: Table<'t, &'static str, (i64, &'static str)>,
    pub(super) pointers: Table<'t, &'static str, (u64, &'static str)>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, Error> {
        Ok(Self {
            heads: transaction.open_table(HEADS)?,
            states: transaction.open_table(STATES)?,
            letters: transaction.open_table(LETTERS)?,
            outgoing: transaction.open_table(OUTGOING)?,
            turns: transaction.open_table(TURNS)?,
            sends: transaction.open_table(SENDS)?,
            log: transaction.open_table(LOG)?,
            feed: transaction.open_table(FEED)?,
            journal: transaction.open_table(JOURNAL)?,
            seen: transaction.open_table(SEEN)?,
            seen_by_time: transaction.open_table(SEEN_BY_TIME)?,
            facts: transaction.open_table(FACTS)?,
            pointers: transaction.open_table(shared::POINTERS)?,
        })
    }

    fn head(&self, conversation: &str) -> Result<Option<Head>, Error> {
        match self.heads.get(conversation)? {
            Some(head) => Ok(Some(parsed(head.value())?)),
            None => Ok(None),
        }
    }

    fn put_head(&mut self, conversation: &str, head: &Head) -> Result<(), Error> {
        self.heads.insert(conversation, json(head)?.as_str())?;
        Ok(())
    }

    fn turn_at(
        &mut self,
        conversation: &str,
        head: &mut Head,
        at: Option<i64>,
    ) -> Result<(), Error> {
        if let Some(before) = head.turn_at_ms {
            self.turns.remove((before, conversation))?;
        }
        if let Some(at) = at {
            self.turns.insert((at, conversation), ())?;
        }
        head.turn_at_ms = at;
        Ok(())
    }

    fn send_at(
        &mut self,
        conversation: &str,
        head: &mut Head,
        at: Option<i64>,
    ) -> Result<(), Error> {
        if let Some(before) = head.send_at_ms {
            self.sends.remove((before, conversation))?;
        }
        if let Some(at) = at {
            self.sends.insert((at, conversation), ())?;
        }
        head.send_at_ms = at;
        Ok(())
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Corrupted(error.to_string()))
}

pub(super) fn parsed<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Corrupted(error.to_string()))
}

/// Creates every table, so that reading an empty file is no special case.
pub(super) fn prepare(database: &Database) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    Tables::open(&transaction)?;
    transaction.commit()?;
    Ok(())
}

pub(super) fn journal_length(database: &Database) -> Result<u64, Error> {
    Ok(database.begin_read()?.open_table(JOURNAL)?.len()?)
}

fn accept(
    tables: &mut Tables<'_>,
    hints: &mut Vec<Hint>,
    journal: u64,
    mail: NewMail,
) -> Done<Accepted> {
    let mark = format!("{}\n{}", mail.conversation, mail.event_id);
    if tables.seen.get(mark.as_str())?.is_some() {
        return Ok(Ok(Accepted::Repeated));
    }
    let mut head = tables.head(&mail.conversation)?.unwrap_or_default();
    if journal >= JOURNAL_MAX || head.last_letter - head.read_to >= BOX_MAX {
        return Ok(Err(StoreError::Full {
            retry_after_ms: FULL_RETRY_MS,
        }));
    }
    let id = mail.conversation.as_str();
    tables.seen.insert(mark.as_str(), mail.at_ms)?;
    tables
        .seen_by_time
        .insert((mail.at_ms, mark.as_str()), ())?;
    head.last_letter += 1;
    let letter = StoredLetter {
        event_id: mail.event_id,
        at_ms: mail.at_ms,
        body: mail.body,
    };
    tables
        .letters
        .insert((id, head.last_letter), json(&letter)?.as_str())?;
    let since = *head.unread_since_ms.get_or_insert(mail.at_ms);
    if !head.turn_leased {
        let quiet = mail.at_ms.saturating_add_unsigned(mail.quiet_ms);
        let latest = since.saturating_add_unsigned(mail.quiet_max_ms);
        let due = quiet.min(latest.max(mail.at_ms));
        // A letter that waits for no quiet brings the whole burst forward; a wake time that comes sooner stands.
        let due = head.wake_at_ms.map_or(due, |wake| due.min(wake));
        tables.turn_at(id, &mut head, Some(due))?;
    }
    tables.put_head(id, &head)?;
    sweep(tables, mail.at_ms)?;
    hints.push(Hint::Turns);
    Ok(Ok(Accepted::New {
        seq: head.last_letter,
    }))
}

fn sweep(tables: &mut Tables<'_>, now_ms: i64) -> Result<(), Error> {
    let until = now_ms.saturating_sub(SEEN_MS);
    let mut old = Vec::new();
    for entry in tables.seen_by_time.range(..(until, ""))?.take(SWEEP_MAX) {
        let (key, _) = entry?;
        let (at, mark) = key.value();
        old.push((at, mark.to_owned()));
    }
    for (at, mark) in old {
        tables.seen_by_time.remove((at, mark.as_str()))?;
        tables.seen.remove(mark.as_str())?;
    }
    Ok(())
}

/// Conversations whose agenda entry is due, and when the first one after them is.
fn due(
    agenda: &Table<'_, (i64, &'static str), ()>,
    now_ms: i64,
    max: usize,
) -> Result<(Vec<String>, Option<i64>), Error> {
    let mut found = Vec::new();
    for entry in agenda.iter()? {
        let (key, ()) = entry.map(|(key, value)| (key, value.value()))?;
        let (at, conversation) = key.value();
        if at > now_ms || found.len() >= max {
            return Ok((found, Some(at)));
        }
        found.push(conversation.to_owned());
    }
    Ok((found, None))
}

fn claim_turns(
    tables: &mut Tables<'_>,
    now_ms: i64,
    lease_ms: u64,
    max: usize,
) -> Done<Claimed<TurnClaim>> {
    let (conversations, next_due_ms) = due(&tables.turns, now_ms, max)?;
    let mut claims = Vec::new();
    for id in conversations {
        let Some(mut head) = tables.head(&id)? else {
            continue;
        };
        head.turn_token += 1;
        head.turn_leased = true;
        tables.turn_at(
            &id,
            &mut head,
            Some(now_ms.saturating_add_unsigned(lease_ms)),
        )?;
        tables.put_head(&id, &head)?;
        let mut letters = Vec::new();
        let unread = (id.as_str(), head.read_to + 1)..=(id.as_str(), head.last_letter);
        for entry in tables.letters.range(unread)?.take(LETTERS_MAX) {
            let (key, value) = entry?;
            let letter: StoredLetter = parsed(value.value())?;
            letters.push(Letter {
                seq: key.value().1,
                event_id: letter.event_id,
                at_ms: letter.at_ms,
                body: letter.body,
            });
        }
        let state = tables
            .states
            .get(id.as_str())?
            .map(|s| s.value().to_owned());
        claims.push(TurnClaim {
            conversation: id,
            token: head.turn_token,
            rev: head.rev,
            epoch: head.epoch,
            state,
            letters,
        });
    }
    Ok(Ok(Claimed {
        claims,
        next_due_ms,
    }))
}

fn commit(
    tables: &mut Tables<'_>,
    hints: &mut Vec<Hint>,
    journal: &mut u64,
    commit: Commit,
) -> Done<Committed> {
    let id = commit.conversation.as_str();
    let Some(mut head) = tables.head(id)? else {
        return Ok(Err(StoreError::Fenced));
    };
    if head.turn_token != commit.token || commit.read_to > head.last_letter {
        return Ok(Err(StoreError::Fenced));
    }
    if !head.turn_leased {
        // This very step was done before and its answer was lost.
        return Ok(Ok(Committed {
            rev: head.rev,
            more: head.read_to < head.last_letter,
        }));
    }
    for seq in head.read_to + 1..=commit.read_to {
        tables.letters.remove((id, seq))?;
    }
    head.read_to = head.read_to.max(commit.read_to);
    head.rev += 1;
    head.turn_leased = false;
    head.wake_at_ms = commit.wake_at_ms;
    tables.states.insert(id, commit.state.as_str())?;
    tables
        .log
        .insert((id, head.rev), json(&commit.events)?.as_str())?;
    if head.rev > LOG_ENTRIES_MAX {
        tables.log.remove((id, head.rev - LOG_ENTRIES_MAX))?;
    }
    let last = tables.journal.last()?.map_or(0, |(seq, _)| seq.value());
    // The newest number is kept by trimming to below it, so numbers never start again.
    let entry = StoredEntry {
        conversation: commit.conversation.clone(),
        rev: head.rev,
        at_ms: commit.now_ms,
        events: commit.events,
    };
    tables.journal.insert(last + 1, json(&entry)?.as_str())?;
    *journal += 1;
    if commit.epoch > head.epoch {
        head.epoch = commit.epoch;
        drop_stale(tables, id, head.epoch)?;
    }
    for out in commit.out {
        head.last_out += 1;
        let stored = StoredOut {
            id: out.id,
            epoch: out.epoch,
            bot: out.bot,
            body: out.body,
        };
        tables
            .outgoing
            .insert((id, head.last_out), json(&stored)?.as_str())?;
        if head.send_at_ms.is_none() {
            tables.send_at(id, &mut head, Some(commit.now_ms))?;
        }
        hints.push(Hint::Sends);
    }
    let more = head.read_to < head.last_letter;
    head.unread_since_ms = more.then_some(commit.now_ms);
    let due = if more {
        hints.push(Hint::Turns);
        Some(commit.now_ms)
    } else {
        commit.wake_at_ms
    };
    tables.turn_at(id, &mut head, due)?;
    tables.put_head(id, &head)?;
    hints.push(Hint::Journal);
    Ok(Ok(Committed {
        rev: head.rev,
        more,
    }))
}

/// Takes the bot's messages of older epochs out of the box.
fn drop_stale(tables: &mut Tables<'_>, id: &str, epoch: u64) -> Result<(), Error> {
    let mut stale = Vec::new();
    for entry in tables.outgoing.range((id, 0)..=(id, u64::MAX))? {
        let (key, value) = entry?;
        let out: StoredOut = parsed(value.value())?;
        if out.bot && out.epoch < epoch {
            stale.push(key.value().1);
        }
    }
    for seq in stale {
        tables.outgoing.remove((id, seq))?;
    }
    Ok(())
}

fn claim_sends(
    tables: &mut Tables<'_>,
    now_ms: i64,
    lease_ms: u64,
    max: usize,
) -> Done<Claimed<SendClaim>> {
    let (conversations, next_due_ms) = due(&tables.sends, now_ms, max)?;
    let mut claims = Vec::new();
    for id in conversations {
        let Some(mut head) = tables.head(&id)? else {
            continue;
        };
        let mut outbounds = Vec::new();
        for entry in tables
            .outgoing
            .range((id.as_str(), 0)..=(id.as_str(), u64::MAX))?
            .take(SENDS_MAX)
        {
            let (key, value) = entry?;
            let out: StoredOut = parsed(value.value())?;
            outbounds.push(Outgoing {
                seq: key.value().1,
                id: out.id,
                epoch: out.epoch,
                bot: out.bot,
                body: out.body,
            });
        }
        if outbounds.is_empty() {
            tables.send_at(&id, &mut head, None)?;
            tables.put_head(&id, &head)?;
            continue;
        }
        head.send_token += 1;
        head.send_leased = true;
        tables.send_at(
            &id,
            &mut head,
            Some(now_ms.saturating_add_unsigned(lease_ms)),
        )?;
        tables.put_head(&id, &head)?;
        claims.push(SendClaim {
            conversation: id,
            token: head.send_token,
            epoch: head.epoch,
            attempts: head.send_attempts,
            outbounds,
        });
    }
    Ok(Ok(Claimed {
        claims,
        next_due_ms,
    }))
}

fn settle(tables: &mut Tables<'_>, hints: &mut Vec<Hint>, settle: Settle) -> Done<Settled> {
    let id = settle.conversation.as_str();
    let Some(mut head) = tables.head(id)? else {
        return Ok(Err(StoreError::Fenced));
    };
    if head.send_token != settle.token {
        return Ok(Err(StoreError::Fenced));
    }
    if !head.send_leased {
        // This very step was done before and its answer was lost.
        let left = (id, 0)..=(id, u64::MAX);
        let more = tables.outgoing.range(left)?.next().is_some();
        return Ok(Ok(Settled { more, dropped: 0 }));
    }
    head.send_leased = false;
    let mut sent = Vec::new();
    for entry in tables.outgoing.range((id, 0)..=(id, settle.done_to))? {
        sent.push(entry?.0.value().1);
    }
    for seq in &sent {
        tables.outgoing.remove((id, *seq))?;
    }
    let mut dropped = 0;
    let mut fed = false;
    for item in settle.feed {
        if item.bot && item.epoch < head.epoch {
            dropped += 1;
            continue;
        }
        head.last_feed += 1;
        fed = true;
        let stored = StoredFeed {
            event: item.event,
            data: item.data,
        };
        tables
            .feed
            .insert((id, head.last_feed), json(&stored)?.as_str())?;
        if head.last_feed > FEED_ITEMS_MAX {
            tables.feed.remove((id, head.last_feed - FEED_ITEMS_MAX))?;
        }
    }
    let more = tables
        .outgoing
        .range((id, 0)..=(id, u64::MAX))?
        .next()
        .is_some();
    head.send_attempts = if sent.is_empty() {
        head.send_attempts + 1
    } else {
        0
    };
    let due = more.then_some(settle.retry_at_ms.unwrap_or(settle.now_ms));
    tables.send_at(id, &mut head, due)?;
    tables.put_head(id, &head)?;
    if fed {
        hints.push(Hint::Feed(settle.conversation));
    }
    if more {
        hints.push(Hint::Sends);
    }
    Ok(Ok(Settled { more, dropped }))
}

fn extend(tables: &mut Tables<'_>, queue: Queue, id: &str, token: u64, until_ms: i64) -> Done<()> {
    let Some(mut head) = tables.head(id)? else {
        return Ok(Err(StoreError::Fenced));
    };
    let held = match queue {
        Queue::Turn => head.turn_token == token && head.turn_leased,
        Queue::Send => head.send_token == token && head.send_leased,
    };
    if !held {
        return Ok(Err(StoreError::Fenced));
    }
    match queue {
        Queue::Turn => tables.turn_at(id, &mut head, Some(until_ms))?,
        Queue::Send => tables.send_at(id, &mut head, Some(until_ms))?,
    }
    tables.put_head(id, &head)?;
    Ok(Ok(()))
}

fn trim_journal(tables: &mut Tables<'_>, journal: &mut u64, to_seq: u64) -> Done<()> {
    let last = tables.journal.last()?.map_or(0, |(seq, _)| seq.value());
    let mut old = Vec::new();
    for entry in tables
        .journal
        .range(..=to_seq.min(last.saturating_sub(1)))?
    {
        old.push(entry?.0.value());
    }
    for seq in old {
        tables.journal.remove(seq)?;
        *journal = journal.saturating_sub(1);
    }
    Ok(Ok(()))
}

fn remember(tables: &mut Tables<'_>, key: &str, value: &str, until_ms: i64) -> Done<()> {
    tables.facts.insert(key, (until_ms, value))?;
    Ok(Ok(()))
}
