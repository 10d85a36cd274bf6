//! Reads conversations whole and facts out of the state file, for moving them to another store.

use super::shared::POINTERS;
use super::tables::{
    FACTS, FEED, HEADS, Head, LETTERS, OUTGOING, SEEN, STATES, StoredFeed, StoredLetter, StoredOut,
    parsed,
};
use super::{State, unavailable};
use crate::store::StoreError;
use crate::store::whole::{
    Counters, VERSION, Whole, WholeItem, WholeLetter, WholeOut, mark_of, mark_text,
};
use redb::{Error, ReadableDatabase, ReadableTable};
use std::ops::Bound;

/// A small fact and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub key: String,
    pub value: String,
    pub until_ms: i64,
}

impl State {
    /// Ids of conversations in their order, after one.
    pub fn conversations(&self, after: &str, max: usize) -> Result<Vec<String>, StoreError> {
        let read = || -> Result<Vec<String>, Error> {
            let heads = self.database.begin_read()?.open_table(HEADS)?;
            let beyond = (Bound::Excluded(after), Bound::Unbounded);
            heads
                .range::<&str>(beyond)?
                .take(max)
                .map(|entry| Ok(entry?.0.value().to_owned()))
                .collect()
        };
        read().map_err(unavailable)
    }

    /// Facts in the order of their keys, after one; what has ended may still be among them.
    pub fn facts(&self, after: &str, max: usize) -> Result<Vec<Fact>, StoreError> {
        let read = || -> Result<Vec<Fact>, Error> {
            let facts = self.database.begin_read()?.open_table(FACTS)?;
            let beyond = (Bound::Excluded(after), Bound::Unbounded);
            facts
                .range::<&str>(beyond)?
                .take(max)
                .map(|entry| {
                    let (key, fact) = entry?;
                    let (until_ms, value) = fact.value();
                    Ok(Fact {
                        key: key.value().to_owned(),
                        value: value.to_owned(),
                        until_ms,
                    })
                })
                .collect()
        };
        read().map_err(unavailable)
    }

    /// Names of pointers and to what they point; they are few.
    pub fn pointers(&self) -> Result<Vec<(String, String)>, StoreError> {
        let read = || -> Result<Vec<(String, String)>, Error> {
            let pointers = self.database.begin_read()?.open_table(POINTERS)?;
            pointers
                .iter()?
                .map(|entry| {
                    let (name, found) = entry?;
                    Ok((name.value().to_owned(), found.value().1.to_owned()))
                })
                .collect()
        };
        read().map_err(unavailable)
    }

    pub fn whole(&self, id: &str) -> Result<Option<Whole>, StoreError> {
        self.read_whole(id).map_err(unavailable)
    }

    fn read_whole(&self, id: &str) -> Result<Option<Whole>, Error> {
        let transaction = self.database.begin_read()?;
        let head = match transaction.open_table(HEADS)?.get(id)? {
            Some(head) => parsed::<Head>(head.value())?,
            None => return Ok(None),
        };
        let all = (id, 0)..=(id, u64::MAX);
        let mut letters = Vec::new();
        for entry in transaction.open_table(LETTERS)?.range(all.clone())? {
            let letter: StoredLetter = parsed(entry?.1.value())?;
            letters.push(WholeLetter {
                event_id: letter.event_id,
                at_ms: letter.at_ms,
                body: letter.body,
            });
        }
        let mut out = Vec::new();
        for entry in transaction.open_table(OUTGOING)?.range(all.clone())? {
            let (key, value) = entry?;
            let stored: StoredOut = parsed(value.value())?;
            out.push(WholeOut {
                seq: key.value().1,
                id: stored.id,
                epoch: stored.epoch,
                bot: stored.bot,
                body: stored.body,
            });
        }
        let mut feed = Vec::new();
        for entry in transaction.open_table(FEED)?.range(all)? {
            let item: StoredFeed = parsed(entry?.1.value())?;
            feed.push(WholeItem {
                event: item.event,
                data: item.data,
            });
        }
        let begin = format!("{id}\n");
        let mut seen = Vec::new();
        for entry in transaction.open_table(SEEN)?.range(begin.as_str()..)? {
            let (mark, at_ms) = entry?;
            let Some(event_id) = mark.value().strip_prefix(&begin) else {
                break;
            };
            seen.push((at_ms.value(), mark_text(&mark_of(event_id))));
        }
        seen.sort();
        let state = transaction.open_table(STATES)?;
        let state = state.get(id)?.map(|state| state.value().to_owned());
        Ok(Some(Whole {
            version: VERSION,
            conversation: id.to_owned(),
            counters: Counters {
                rev: head.rev,
                epoch: head.epoch,
                turn_token: head.turn_token,
                send_token: head.send_token,
                last_letter: head.last_letter,
                read_to: head.read_to,
                last_out: head.last_out,
                last_feed: head.last_feed,
            },
            state,
            unread_since_ms: head.unread_since_ms,
            wake_at_ms: head.wake_at_ms,
            letters,
            out,
            feed,
            seen: seen.into_iter().map(|(_, mark)| mark).collect(),
        }))
    }
}
