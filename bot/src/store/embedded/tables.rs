//! The tables of the state file: what lies in each, and one write transaction's view of all of them.

use super::shared;
use redb::{
    Database, Error, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, WriteTransaction,
};
use serde::{Deserialize, Serialize};

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
pub(super) const SEEN_BY_TIME: TableDefinition<'_, (i64, &str), ()> =
    TableDefinition::new("seen_by_time");
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
    pub turn_at_ms: Option<i64>,
    pub send_at_ms: Option<i64>,
    /// A turn is leased: accepting must not make it due earlier.
    pub turn_leased: bool,
    /// A round of sending is leased.
    #[serde(default)]
    pub send_leased: bool,
    pub send_attempts: u32,
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

pub(super) struct Tables<'t> {
    pub heads: Table<'t, &'static str, &'static str>,
    pub states: Table<'t, &'static str, &'static str>,
    pub letters: Table<'t, (&'static str, u64), &'static str>,
    pub outgoing: Table<'t, (&'static str, u64), &'static str>,
    pub turns: Table<'t, (i64, &'static str), ()>,
    pub sends: Table<'t, (i64, &'static str), ()>,
    pub log: Table<'t, (&'static str, u64), &'static str>,
    pub feed: Table<'t, (&'static str, u64), &'static str>,
    pub journal: Table<'t, u64, &'static str>,
    pub seen: Table<'t, &'static str, i64>,
    pub seen_by_time: Table<'t, (i64, &'static str), ()>,
    pub facts: Table<'t, &'static str, (i64, &'static str)>,
    pub pointers: Table<'t, &'static str, (u64, &'static str)>,
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

    pub(super) fn head(&self, conversation: &str) -> Result<Option<Head>, Error> {
        match self.heads.get(conversation)? {
            Some(head) => Ok(Some(parsed(head.value())?)),
            None => Ok(None),
        }
    }

    pub(super) fn put_head(&mut self, conversation: &str, head: &Head) -> Result<(), Error> {
        self.heads.insert(conversation, json(head)?.as_str())?;
        Ok(())
    }

    pub(super) fn turn_at(
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

    pub(super) fn send_at(
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

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Error> {
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
