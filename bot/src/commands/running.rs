//! What runs until the stop, by name, so that what does not end then can be told.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::task::TaskTracker;

#[derive(Clone, Default)]
pub(super) struct Running {
    tasks: TaskTracker,
    names: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Running {
    pub(super) fn spawn(
        &self,
        name: impl Into<String>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let (this, name) = (self.clone(), name.into());
        *this.names().entry(name.clone()).or_default() += 1;
        self.tasks.spawn(async move {
            task.await;
            let mut names = this.names();
            if let Some(count) = names.get_mut(&name) {
                *count -= 1;
            }
            names.retain(|_, count| *count > 0);
        });
    }

    /// For tasks without a name of their own.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// What has not ended yet.
    pub(super) fn left(&self) -> Vec<String> {
        self.names().keys().cloned().collect()
    }

    fn names(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
