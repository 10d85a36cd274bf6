//! Moves a shop from the files of one machine to Redis and PostgreSQL: what `tiansheng migrate` does.
//!
//! Nothing on the target is overwritten, and every step may be cut off and done again.

mod records;
mod state;

pub use state::{Moved, Sides};

use crate::config::Settings;
use crate::mailbox::Archiver;
use crate::project;
use crate::store::embedded::State;
use crate::store::records::{Compared, Records};
use crate::store::{RecordStore, StateStore, StoreError, redis};
use std::path::Path;
use std::sync::Arc;

/// What is being done, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Begun { what: &'static str, total: u64 },
    Done(u64),
}

pub type Watch<'a> = &'a mut dyn FnMut(Progress);

/// What was moved and what both sides are now; `None` for what has no target or no source.
#[derive(Debug)]
pub struct Report {
    pub records: Option<Vec<Compared>>,
    pub state: Option<Moved>,
    /// Journal entries that were still on their way into the records.
    pub archived: u64,
}

impl Report {
    pub fn same(&self) -> bool {
        let records = self.records.as_ref();
        records.is_none_or(|tables| tables.iter().all(Compared::same))
            && self.state.as_ref().is_none_or(Moved::same)
    }
}

/// The file that holds a folder's live state.
pub fn state_file(from: &Path) -> std::path::PathBuf {
    from.join("state.redb")
}

/// The file that holds a folder's records.
pub fn records_file(from: &Path) -> std::path::PathBuf {
    from.join("records.sqlite")
}

/// Moves what the settings have a target for. The folder holds at least one of the two files.
pub async fn run(from: &Path, settings: &Settings, watch: Watch<'_>) -> Result<Report, StoreError> {
    // The file belongs to one process, so having it means that no server runs on it.
    let here = match state_file(from).exists() {
        true => Some(Arc::new(State::open(from)?)),
        false => None,
    };
    let kept: Arc<Records> = Arc::new(Records::in_folder(from).await?);
    let there = match (&settings.state, &here) {
        (Some(settings), Some(_)) => {
            let there = redis::State::open(settings);
            there.meet().await?;
            Some(there)
        }
        _ => None,
    };
    let keeps = match &settings.records {
        Some(settings) => {
            let keeps = Records::on_server(settings);
            keeps.meet().await?;
            Some(keeps)
        }
        None => None,
    };
    let archived = match &here {
        Some(here) => drain(here, &kept).await?,
        None => 0,
    };
    // All refusals come before anything is written.
    if let Some(keeps) = &keeps {
        records::refuse_others(&kept, keeps).await?;
    }
    let mut ours = None;
    if let (Some(here), Some(there)) = (&here, &there) {
        ours = Some(state::refuse_others(here, there).await?);
    }
    let records = match &keeps {
        Some(keeps) => Some(records::copy(&kept, keeps, watch).await?),
        None => None,
    };
    let state = match (&here, &there, ours) {
        (Some(here), Some(there), Some(count)) => {
            Some(state::copy(here, there, count, watch).await?)
        }
        _ => None,
    };
    Ok(Report {
        records,
        state,
        archived,
    })
}

/// Archives what the journal still holds: it does not move, since the new store has journals of its own.
async fn drain(here: &Arc<State>, kept: &Arc<Records>) -> Result<u64, StoreError> {
    let before = kept.position(0).await?;
    let clock = crate::commands::now_ms;
    let archiver = Archiver {
        state: Arc::clone(here) as Arc<dyn StateStore>,
        records: Arc::clone(kept) as Arc<dyn RecordStore>,
        project: project::rows,
        clock: Arc::new(clock),
    };
    archiver.drained().await?;
    let after = kept.position(0).await?;
    Ok(after.saturating_sub(before))
}
