//! A shop's versions in the records: a turn must be replayable, so none decides under a version that was not kept before.

use crate::shop::Shop;
use crate::store::{RecordStore, StateStore, StoreError};
use futures_util::future::join_all;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Wait until records that are away are tried again.
const RETRY: Duration = Duration::from_millis(500);
/// How long the state remembers that a version is in the records, milliseconds.
const KNOWN_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Keeps them, and has the state remember it, so that a replica may start while the records are away.
pub async fn keep(
    state: &dyn StateStore,
    records: &dyn RecordStore,
    shop: &Shop,
    now_ms: i64,
) -> Result<(), StoreError> {
    let bundles = shop.bundles();
    for (kind, id, bundle) in &bundles {
        records.keep_version(kind, id, bundle, now_ms).await?;
    }
    let until_ms = now_ms.saturating_add(KNOWN_MS);
    // Both at once: a state that is silent is waited for once. Forgotten, it costs a wait for the records and nothing else.
    let known = bundles.iter().map(|(kind, id, _)| async move {
        let _ = state.remember(&fact(kind, id), "kept", until_ms).await;
    });
    join_all(known).await;
    Ok(())
}

/// Whether some replica has kept them before, as far as the state can tell.
pub async fn were_kept(state: &dyn StateStore, shop: &Shop, now_ms: i64) -> bool {
    for (kind, id, _) in shop.bundles() {
        let known = state.recall(&fact(kind, id), now_ms).await;
        if !matches!(known, Ok(Some(_))) {
            return false;
        }
    }
    true
}

/// Tries until they are kept; false when it is time to stop.
pub async fn keep_at_last(
    state: &dyn StateStore,
    records: &dyn RecordStore,
    shop: &Shop,
    now_ms: impl Fn() -> i64,
    stop: &CancellationToken,
) -> bool {
    while !stop.is_cancelled() {
        match keep(state, records, shop, now_ms()).await {
            Ok(()) => {
                tracing::info!("the records are there and keep the shop's versions");
                return true;
            }
            Err(error) => tracing::warn!(%error, "the shop's versions wait for the records"),
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = stop.cancelled() => {}
        }
    }
    false
}

fn fact(kind: &str, id: &str) -> String {
    format!("version-kept:{kind}:{id}")
}
