//! What replicas have in common, for a store of one process: its jobs, and the pointers, which are in the file.

use super::steps::Done;
use super::tables::Tables;
use crate::store::{Hint, Pointer, StoreError};
use redb::{Database, Error, ReadableDatabase, ReadableTable, TableDefinition};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub(super) const POINTERS: TableDefinition<'_, &str, (u64, &str)> =
    TableDefinition::new("pointers");
/// Jobs that have a name of their own in the program.
const JOBS_MAX: usize = 1_024;

/// Who has which job: the file has one owner, so nobody else needs to know.
#[derive(Default)]
pub(super) struct Jobs(Mutex<BTreeMap<String, Job>>);

struct Job {
    holder: String,
    until_ms: i64,
    token: u64,
}

impl Jobs {
    pub(super) fn hold(
        &self,
        job: &str,
        holder: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Option<u64>, StoreError> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The time makes a token rise over restarts too.
        let least = u64::try_from(now_ms).unwrap_or(0);
        if jobs.len() >= JOBS_MAX {
            // Nobody has these any more.
            jobs.retain(|_, held| held.until_ms > now_ms);
        }
        let full = jobs.len() >= JOBS_MAX;
        match jobs.get_mut(job) {
            Some(held) if held.holder == holder => {
                held.until_ms = until_ms;
                Ok(Some(held.token))
            }
            Some(held) if held.until_ms > now_ms => Ok(None),
            Some(held) => {
                held.holder = holder.to_owned();
                held.until_ms = until_ms;
                held.token = least.max(held.token + 1);
                Ok(Some(held.token))
            }
            None if full => Err(StoreError::Corrupt {
                what: format!("more than {JOBS_MAX} jobs are held"),
            }),
            None => {
                let token = least.max(1);
                jobs.insert(
                    job.to_owned(),
                    Job {
                        holder: holder.to_owned(),
                        until_ms,
                        token,
                    },
                );
                Ok(Some(token))
            }
        }
    }

    pub(super) fn release(&self, job: &str, holder: &str) {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = jobs.get_mut(job)
            && held.holder == holder
        {
            held.until_ms = 0;
        }
    }
}

pub(super) fn point(
    tables: &mut Tables<'_>,
    hints: &mut Vec<Hint>,
    name: &str,
    from: u64,
    to: &str,
) -> Done<Option<u64>> {
    let there = tables
        .pointers
        .get(name)?
        .map_or(0, |found| found.value().0);
    if there != from {
        return Ok(Ok(None));
    }
    tables.pointers.insert(name, (from + 1, to))?;
    hints.push(Hint::Pointer);
    Ok(Ok(Some(from + 1)))
}

pub(super) fn pointer(database: &Database, name: &str) -> Result<Option<Pointer>, Error> {
    let table = database.begin_read()?.open_table(POINTERS)?;
    Ok(table.get(name)?.map(|found| {
        let (number, to) = found.value();
        Pointer {
            number,
            to: to.to_owned(),
        }
    }))
}
