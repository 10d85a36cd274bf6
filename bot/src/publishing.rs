//! Which version of the shop is served: one for all replicas, named by a pointer in the live state.
//!
//! A version is kept in the records before the pointer moves to it; every replica hears of the move, or sees it when it looks, and takes the version from the records. Turns that run keep the version they began with.

use crate::http::Storefront;
use crate::mailbox::{Clock, rest};
use crate::shop::{Folder, GOODS, POLICY, Shop};
use crate::store::{Hint, Pointer, RecordStore, StateStore, StoreError};
use crate::{storefront, versions};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// The pointer's name.
const NAME: &str = "shop";
/// The pointer is looked at this often even if no hint comes.
const POLL: Duration = Duration::from_millis(2_000);
/// How long it is known that a version was published, milliseconds: longer than anybody keeps an old folder on one of several machines.
const KNOWN_MS: i64 = 400 * 24 * 60 * 60 * 1000;
/// Who published, in the audit trail, where no person was asked for their name.
const WHO: &str = "tiansheng";

/// The shop that is served and what the pages show of it; a clone is the same.
#[derive(Clone)]
pub struct Served {
    shop: Arc<watch::Sender<Arc<Shop>>>,
    front: Arc<watch::Sender<Arc<Storefront>>>,
    demo: bool,
}

impl Served {
    pub fn new(shop: Arc<Shop>, demo: bool) -> Self {
        let front = Arc::new(storefront::of(&shop, demo));
        Self {
            shop: Arc::new(watch::Sender::new(shop)),
            front: Arc::new(watch::Sender::new(front)),
            demo,
        }
    }

    pub fn shop(&self) -> Arc<Shop> {
        Arc::clone(&self.shop.borrow())
    }

    pub fn front(&self) -> Arc<Storefront> {
        Arc::clone(&self.front.borrow())
    }

    fn put(&self, shop: Arc<Shop>) {
        let front = Arc::new(storefront::of(&shop, self.demo));
        self.front.send_replace(front);
        self.shop.send_replace(shop);
    }
}

pub struct Publishing {
    pub state: Arc<dyn StateStore>,
    pub records: Arc<dyn RecordStore>,
    pub served: Served,
    /// Read again when somebody asks for it.
    pub folder: Folder,
    pub clock: Clock,
    /// No other replica shares the state: the folder is what is served.
    pub alone: bool,
}

/// Why a version cannot be served; what is served stays.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Shop(String),
}

/// What a look at the pointer asks for.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    /// The own version is to be the one for all.
    Publish {
        from: u64,
    },
    /// The version of the pointer is to be served here.
    Follow,
}

/// Before anything was published or followed, a folder with new content wins, and one with content that was published before has been replaced since.
fn next(pointer: Option<&Pointer>, own: &str, seen: u64, alone: bool, published: bool) -> Next {
    match pointer {
        None => Next::Publish { from: 0 },
        Some(pointer) if pointer.to == own || pointer.number == seen => Next::Nothing,
        Some(pointer) if seen == 0 && (alone || !published) => Next::Publish {
            from: pointer.number,
        },
        Some(_) => Next::Follow,
    }
}

fn name_of(shop: &Shop) -> String {
    format!("{} {}", shop.policy, shop.goods)
}

fn published(version: &str) -> String {
    format!("published:{version}")
}

impl Publishing {
    /// Runs until `stop`; each message of `reloads` has the folder read again and published.
    pub async fn run(self, mut reloads: mpsc::Receiver<()>, stop: CancellationToken) {
        let mut hints = self.state.hints();
        // The number of the pointer that was acted on.
        let mut seen = 0;
        loop {
            if let Err(error) = self.look(&mut seen).await {
                tracing::warn!(%error, "the published shop cannot be served yet; the one before is");
            }
            tokio::select! {
                () = rest(&mut hints, |hint| *hint == Hint::Pointer, POLL, &stop) => {}
                Some(()) = reloads.recv() => {
                    if let Err(error) = self.reload(&mut seen).await {
                        tracing::error!(%error, "the shop was not loaded again; the one before is served");
                    }
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn look(&self, seen: &mut u64) -> Result<(), Refused> {
        let pointer = self.state.pointer(NAME).await?;
        let own = self.served.shop();
        let own_name = name_of(&own);
        let known = match *seen {
            0 => {
                self.state
                    .recall(&published(&own_name), (self.clock)())
                    .await?
            }
            _ => None,
        };
        match next(
            pointer.as_ref(),
            &own_name,
            *seen,
            self.alone,
            known.is_some(),
        ) {
            Next::Nothing => {
                // Whoever published it may have ended before it was known.
                if *seen == 0 && known.is_none() {
                    self.know(&own_name).await?;
                }
            }
            Next::Publish { from } => {
                *seen = self.publish(&own, from).await?;
                return Ok(());
            }
            Next::Follow => {
                if let Some(pointer) = &pointer {
                    self.follow(&pointer.to).await?;
                }
            }
        }
        *seen = pointer.map_or(0, |pointer| pointer.number);
        Ok(())
    }

    /// Keeps the version, then moves the pointer: its number, or 0 where another was quicker, to look again.
    async fn publish(&self, shop: &Shop, from: u64) -> Result<u64, Refused> {
        let now_ms = (self.clock)();
        let (state, records) = (self.state.as_ref(), self.records.as_ref());
        versions::keep(state, records, shop, now_ms).await?;
        let name = name_of(shop);
        let Some(number) = state.point(NAME, from, &name).await? else {
            return Ok(0);
        };
        tracing::info!(policy = shop.policy, goods = shop.goods, "published");
        // It is served now, whatever fails from here on. It is not known before: a new version whose publishing failed would pass for one that was replaced.
        if let Err(error) = self.know(&name).await {
            tracing::warn!(%error, "it is not known that the version was published; a replica that starts with it later publishes it again");
        }
        if let Err(error) = records.audit(WHO, "publish", &name, now_ms).await {
            tracing::error!(version = name, %error, "a version was published, and the audit trail does not have it");
        }
        Ok(number)
    }

    async fn know(&self, version: &str) -> Result<(), StoreError> {
        let until_ms = (self.clock)().saturating_add(KNOWN_MS);
        self.state
            .remember(&published(version), "1", until_ms)
            .await
    }

    async fn reload(&self, seen: &mut u64) -> Result<(), Refused> {
        let folder = self.folder.clone();
        let read = move || {
            let files = folder.read().map_err(|error| error.to_string())?;
            Shop::compile(files).map_err(|error| error.to_string())
        };
        let checked = on_a_thread(read).await?;
        for problem in &checked.problems {
            tracing::warn!("{problem}");
        }
        let shop = Arc::new(checked.shop);
        let pointer = self.state.pointer(NAME).await?;
        if pointer.as_ref().is_some_and(|at| at.to == name_of(&shop)) {
            tracing::info!(policy = shop.policy, "the folder is what is served already");
        } else {
            let from = pointer.map_or(0, |pointer| pointer.number);
            match self.publish(&shop, from).await? {
                0 => {
                    return Err(Refused::Shop(
                        "another version was published at the same moment; ask again".to_owned(),
                    ));
                }
                number => *seen = number,
            }
        }
        self.served.put(shop);
        Ok(())
    }

    /// Takes a version from the records; its pictures are those of this replica's folder.
    async fn follow(&self, to: &str) -> Result<(), Refused> {
        let (policy, goods) = to.split_once(' ').unwrap_or((to, ""));
        let mut bundles = Vec::new();
        for (kind, id) in [(POLICY, policy), (GOODS, goods)] {
            let bundle = self.records.version(kind, id).await?;
            bundles.push(bundle.ok_or_else(|| {
                Refused::Shop(format!(
                    "the records do not have version {id} of the {kind}"
                ))
            })?);
        }
        let pictures = Arc::clone(&self.served.shop().files);
        let compile =
            move || Shop::from_bundles(&bundles, &pictures).map_err(|error| error.to_string());
        let shop = on_a_thread(compile).await?;
        if name_of(&shop) != to {
            tracing::warn!(
                "another version of the program published this shop; this one goes on with its own until it is replaced"
            );
            return Ok(());
        }
        tracing::info!(
            policy = shop.policy,
            goods = shop.goods,
            "serving what was published"
        );
        self.served.put(Arc::new(shop));
        Ok(())
    }
}

/// A large shop takes seconds to compile.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Refused::Shop),
        Err(error) => Err(Refused::Shop(format!("the shop was not compiled: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_content_is_published_and_replaced_content_follows() {
        let at = |number| Pointer {
            number,
            to: "there".to_owned(),
        };
        let publish = |from| Next::Publish { from };
        // The pointer, the own version, the number seen, alone, published before.
        let cases = [
            (None, "own", 0, false, false, publish(0)),
            (Some(at(3)), "there", 0, false, true, Next::Nothing),
            (Some(at(3)), "own", 0, false, false, publish(3)),
            (Some(at(3)), "own", 0, false, true, Next::Follow),
            (Some(at(3)), "own", 0, true, true, publish(3)),
            (Some(at(3)), "own", 3, false, true, Next::Nothing),
            (Some(at(4)), "own", 3, false, false, Next::Follow),
            (Some(at(4)), "own", 3, true, true, Next::Follow),
        ];
        for (pointer, own, seen, alone, published, expected) in cases {
            let told = next(pointer.as_ref(), own, seen, alone, published);
            assert_eq!(
                told, expected,
                "{pointer:?} {own} {seen} {alone} {published}"
            );
        }
    }
}
