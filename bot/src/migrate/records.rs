//! The records' way to PostgreSQL: refuses a target that has other conversations, copies, compares.

use super::{Progress, Watch};
use crate::store::records::{Compared, Records};
use crate::store::{Kept, RecordStore, StoreError};

/// Conversations read at once.
const PAGE: usize = 500;

/// A conversation on the target that the file lacks, or that went on there, means that something else writes there.
pub(super) async fn refuse_others(here: &Records, there: &Records) -> Result<(), StoreError> {
    let mut own = Pages::of(here);
    let mut others = Pages::of(there);
    while let Some(other) = others.next().await? {
        let mut same = own.next().await?;
        while same.as_ref().is_some_and(|own| own.id < other.id) {
            same = own.next().await?;
        }
        let what = match same {
            Some(same) if same == other => continue,
            Some(same) if same.id == other.id => format!(
                "conversation {} is in the target's records already and differs (step {} there, {} here)",
                other.id, other.rev, same.rev
            ),
            _ => format!(
                "conversation {} is in the target's records and not in this folder",
                other.id
            ),
        };
        return Err(StoreError::Corrupt {
            what: format!(
                "{what}; nothing was changed there: name an empty database in records.url, or empty this one if nothing in it is needed"
            ),
        });
    }
    Ok(())
}

struct Pages<'a> {
    records: &'a Records,
    page: std::vec::IntoIter<Kept>,
    last: String,
}

impl<'a> Pages<'a> {
    fn of(records: &'a Records) -> Self {
        Self {
            records,
            page: Vec::new().into_iter(),
            last: String::new(),
        }
    }

    async fn next(&mut self) -> Result<Option<Kept>, StoreError> {
        if self.page.len() == 0 {
            self.page = self
                .records
                .conversations(&self.last, PAGE)
                .await?
                .into_iter();
        }
        let next = self.page.next();
        if let Some(kept) = &next {
            self.last.clone_from(&kept.id);
        }
        Ok(next)
    }
}

pub(super) async fn copy(
    here: &Records,
    there: &Records,
    watch: Watch<'_>,
) -> Result<Vec<Compared>, StoreError> {
    let total = here.count().await?;
    watch(Progress::Begun {
        what: "copying the records",
        total,
    });
    here.copy_to(there, &mut |rows| watch(Progress::Done(rows)))
        .await?;
    watch(Progress::Begun {
        what: "comparing the records",
        total,
    });
    here.compare_with(there, &mut |rows| watch(Progress::Done(rows)))
        .await
}
