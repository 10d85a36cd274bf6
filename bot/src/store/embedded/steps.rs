//! The steps of the embedded state store, each on the tables of one write transaction. A step checks before it changes, so a refused one leaves no trace.

use super::sends::{claim_sends, drop_stale, settle};
use super::shared;
use super::tables::{StoredEntry, StoredLetter, StoredOut, Tables, json, parsed};
use crate::store::{
    Accepted, Claimed, Commit, Committed, Hint, LETTERS_MAX, Letter, NewMail, Queue, SendClaim,
    Settle, Settled, StoreError, TurnClaim,
};
use redb::{Error, ReadableTable, Table};
use tokio::sync::oneshot;

/// Unread letters of one conversation; more are refused with a wait.
pub const BOX_MAX: u64 = 1_000;
/// Log entries kept here; the records have them all.
pub const LOG_ENTRIES_MAX: u64 = 400;
/// Journal entries above which nothing more is accepted.
pub const JOURNAL_MAX: u64 = 200_000;
/// How long an event id is remembered, milliseconds: longer than any platform repeats.
pub const SEEN_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Expired marks and facts swept in one step.
const SWEEP_MAX: usize = 32;
/// What a caller waits when a box or the journal is full, milliseconds.
const FULL_RETRY_MS: u64 = 2_000;
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
    Hasten(String, i64, Reply<()>),
    TrimJournal(u64, Reply<()>),
    Remember(String, String, i64, Reply<()>),
    Replace(String, Option<String>, String, i64, i64, Reply<bool>),
    Point(String, u64, String, Reply<Option<u64>>),
}

/// What a step ends with: its result for the caller, or a fault of the file.
pub(super) type Done<T> = Result<Result<T, StoreError>, Error>;

impl Work {
    /// When a letter came that is accepted.
    pub(super) fn accepted_at_ms(&self) -> Option<i64> {
        match self {
            Work::Accept(mail, _) => Some(mail.at_ms),
            _ => None,
        }
    }

    /// Whether what it acknowledges must survive a crash.
    pub(super) fn must_last(&self) -> bool {
        match self {
            Work::Accept(..)
            | Work::Commit(..)
            | Work::Settle(..)
            | Work::Hasten(..)
            | Work::Remember(..)
            | Work::Replace(..)
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
            Work::Hasten(conversation, now, reply) => {
                answered(reply, hasten(tables, hints, &conversation, now))
            }
            Work::TrimJournal(to, reply) => answered(reply, trim_journal(tables, journal, to)),
            Work::Replace(key, seen, value, now, until, reply) => {
                let seen = seen.as_deref();
                answered(reply, replace(tables, &key, seen, &value, now, until))
            }
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
            Work::Extend(.., reply) | Work::Hasten(.., reply) => told(reply),
            Work::TrimJournal(_, reply) => told(reply),
            Work::Remember(.., reply) => told(reply),
            Work::Replace(.., reply) => told(reply),
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
    if head.last_letter - head.read_to >= BOX_MAX {
        return Ok(Err(StoreError::Crowded {
            retry_after_ms: FULL_RETRY_MS,
        }));
    }
    if journal >= JOURNAL_MAX {
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

/// Facts that are over go, a few at each step, round and round.
pub(super) fn sweep_facts(
    tables: &mut Tables<'_>,
    from: &mut String,
    now_ms: i64,
) -> Result<(), Error> {
    let mut old = Vec::new();
    let mut last = None;
    for entry in tables.facts.range(from.as_str()..)?.take(SWEEP_MAX) {
        let (key, fact) = entry?;
        if fact.value().0 <= now_ms {
            old.push(key.value().to_owned());
        }
        last = Some(key.value().to_owned());
    }
    for key in &old {
        tables.facts.remove(key.as_str())?;
    }
    // Past the last one it begins anew.
    *from = last.map(|key| key + "\0").unwrap_or_default();
    Ok(())
}

/// Conversations whose agenda entry is due, and when the first one after them is.
pub(super) fn due(
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
        // What waits behind a closed window or a refusal is looked at again with what is new.
        let waits = head.send_at_ms.is_none_or(|at_ms| at_ms > commit.now_ms);
        if waits && !head.send_leased {
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

fn hasten(tables: &mut Tables<'_>, hints: &mut Vec<Hint>, id: &str, now_ms: i64) -> Done<()> {
    let Some(mut head) = tables.head(id)? else {
        return Ok(Ok(()));
    };
    if !head.send_leased && head.send_at_ms.is_some_and(|at_ms| at_ms > now_ms) {
        tables.send_at(id, &mut head, Some(now_ms))?;
        tables.put_head(id, &head)?;
        hints.push(Hint::Sends);
    }
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

fn replace(
    tables: &mut Tables<'_>,
    key: &str,
    seen: Option<&str>,
    value: &str,
    now_ms: i64,
    until_ms: i64,
) -> Done<bool> {
    let kept = tables.facts.get(key)?.and_then(|kept| {
        let (until_ms, kept) = kept.value();
        (until_ms > now_ms).then(|| kept.to_owned())
    });
    if kept.as_deref() == seen {
        tables.facts.insert(key, (until_ms, value))?;
        return Ok(Ok(true));
    }
    Ok(Ok(kept.as_deref() == Some(value)))
}

fn remember(tables: &mut Tables<'_>, key: &str, value: &str, until_ms: i64) -> Done<()> {
    tables.facts.insert(key, (until_ms, value))?;
    Ok(Ok(()))
}
