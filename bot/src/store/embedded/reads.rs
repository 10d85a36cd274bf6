//! What is read of the state file, each from one read transaction beside the writer.

use super::sends;
use super::tables::{
    FACTS, FEED, HEADS, Head, JOURNAL, LOG, OUTGOING, SENDS, STATES, StoredEntry, StoredFeed,
    TURNS, parsed,
};
use crate::store::{Depth, FeedItem, JournalEntry, LogEntry, Outgoing, Queue, Snapshot};
use redb::{Database, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata};

pub(super) fn head(database: &Database, id: &str) -> Result<Option<Head>, Error> {
    let table = database.begin_read()?.open_table(HEADS)?;
    match table.get(id)? {
        Some(head) => Ok(Some(parsed(head.value())?)),
        None => Ok(None),
    }
}

pub(super) fn snapshot(database: &Database, id: &str) -> Result<Option<Snapshot>, Error> {
    let transaction = database.begin_read()?;
    let heads = transaction.open_table(HEADS)?;
    let states = transaction.open_table(STATES)?;
    let (Some(head), Some(state)) = (heads.get(id)?, states.get(id)?) else {
        return Ok(None);
    };
    let head: Head = parsed(head.value())?;
    Ok(Some(Snapshot {
        rev: head.rev,
        epoch: head.epoch,
        state: state.value().to_owned(),
    }))
}

pub(super) fn log(
    database: &Database,
    id: &str,
    after: u64,
    max: usize,
) -> Result<Vec<LogEntry>, Error> {
    let table = database.begin_read()?.open_table(LOG)?;
    let mut entries = Vec::new();
    for entry in table
        .range((id, after.saturating_add(1))..=(id, u64::MAX))?
        .take(max)
    {
        let (key, value) = entry?;
        entries.push(LogEntry {
            rev: key.value().1,
            events: parsed(value.value())?,
        });
    }
    Ok(entries)
}

pub(super) fn outgoing(database: &Database, id: &str, max: usize) -> Result<Vec<Outgoing>, Error> {
    sends::outgoing(&database.begin_read()?.open_table(OUTGOING)?, id, max)
}

pub(super) fn feed(
    database: &Database,
    id: &str,
    after: u64,
    max: usize,
) -> Result<Vec<FeedItem>, Error> {
    let table = database.begin_read()?.open_table(FEED)?;
    let mut items = Vec::new();
    for entry in table
        .range((id, after.saturating_add(1))..=(id, u64::MAX))?
        .take(max)
    {
        let (key, value) = entry?;
        let stored: StoredFeed = parsed(value.value())?;
        items.push(FeedItem {
            seq: key.value().1,
            event: stored.event,
            data: stored.data,
        });
    }
    Ok(items)
}

/// The newest entry stays in the file after it is archived, so the caller may see it again; applying it twice is harmless.
pub(super) fn journal(database: &Database, max: usize) -> Result<Vec<JournalEntry>, Error> {
    let table = database.begin_read()?.open_table(JOURNAL)?;
    let mut entries = Vec::new();
    for entry in table.iter()?.take(max) {
        let (seq, value) = entry?;
        let stored: StoredEntry = parsed(value.value())?;
        entries.push(JournalEntry {
            seq: seq.value(),
            conversation: stored.conversation,
            rev: stored.rev,
            at_ms: stored.at_ms,
            events: stored.events,
        });
    }
    Ok(entries)
}

pub(super) fn next_due(database: &Database, queue: Queue) -> Result<Option<i64>, Error> {
    let agenda = match queue {
        Queue::Turn => TURNS,
        Queue::Send => SENDS,
    };
    let table = database.begin_read()?.open_table(agenda)?;
    let first = table.first()?;
    Ok(first.map(|(key, _)| key.value().0))
}

pub(super) fn depth(database: &Database) -> Result<Depth, Error> {
    let transaction = database.begin_read()?;
    Ok(Depth {
        journal: transaction.open_table(JOURNAL)?.len()?,
        turns: transaction.open_table(TURNS)?.len()?,
        sends: transaction.open_table(SENDS)?.len()?,
    })
}

pub(super) fn recall(database: &Database, key: &str, now_ms: i64) -> Result<Option<String>, Error> {
    let table = database.begin_read()?.open_table(FACTS)?;
    Ok(table.get(key)?.and_then(|fact| {
        let (until_ms, value) = fact.value();
        (until_ms > now_ms).then(|| value.to_owned())
    }))
}
