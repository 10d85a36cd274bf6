//! The product's own parts in a process that is made to stall: short leases, slow turns, lost renewals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bot::config::{Overrides, Settings};
use bot::http::{CancellationToken, Http, Readiness, TaskTracker, router, serve};
use bot::mailbox::{Archiver, Clock, Sender, Workers};
use bot::shop::{Folder, Shop};
use bot::store::embedded::State;
use bot::store::records::Lite;
use bot::store::{Engine, RecordStore, StateStore, TurnClaim, TurnResult};
use bot::turn::Dialogue;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::faulty::{Break, Faulty};

/// A lease that slow turns outlive.
const LEASE_MS: u64 = 120;
/// One turn in so many is slow.
const SLOW_EVERY: u64 = 12;

struct Stalling {
    inner: Dialogue,
    turns: AtomicU64,
}

impl Engine for Stalling {
    fn run<'a>(
        &'a self,
        claim: &'a TurnClaim,
        now_ms: i64,
    ) -> Pin<Box<dyn Future<Output = TurnResult> + Send + 'a>> {
        Box::pin(async move {
            let result = self.inner.run(claim, now_ms).await;
            if self.turns.fetch_add(1, Ordering::Relaxed) % SLOW_EVERY == SLOW_EVERY - 1 {
                tokio::time::sleep(Duration::from_millis(LEASE_MS * 2)).await;
            }
            result
        })
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

#[tokio::main]
async fn main() {
    let settings = Settings::load(None, std::env::vars(), &Overrides::default()).unwrap();
    let broken = match std::env::var("STORM_BREAK").as_deref() {
        Ok("token") => Break::Token,
        Ok("dedupe") => Break::Dedupe,
        _ => Break::Nothing,
    };
    let shop = Arc::new(Shop::compile(Folder::Demo.read().unwrap()).unwrap().shop);
    let listener = tokio::net::TcpListener::bind(settings.listen)
        .await
        .unwrap();
    let state: Arc<dyn StateStore> = Arc::new(Faulty::new(
        Arc::new(State::open(&settings.data.dir).unwrap()),
        broken,
    ));
    let records: Arc<dyn RecordStore> = Arc::new(Lite::open(&settings.data.dir).await.unwrap());
    records
        .keep_version("shop", &shop.version(), &shop.bundle(), now_ms())
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let clock: Clock = Arc::new(now_ms);
    tasks.spawn(
        Workers {
            state: Arc::clone(&state),
            engine: Arc::new(Stalling {
                inner: Dialogue {
                    shop: Arc::clone(&shop),
                    model: None,
                },
                turns: AtomicU64::new(0),
            }),
            clock: Arc::clone(&clock),
            count: 16,
            lease_ms: LEASE_MS,
        }
        .run(stop.clone()),
    );
    let web: Arc<dyn adapters::Channel> = Arc::new(adapters::web::Web);
    tasks.spawn(
        Sender {
            state: Arc::clone(&state),
            channels: BTreeMap::from([(web.name().to_owned(), web)]),
            clock: Arc::clone(&clock),
        }
        .run(stop.clone()),
    );
    let archive = CancellationToken::new();
    let archiver = tokio::spawn(
        Archiver {
            state: Arc::clone(&state),
            records: Arc::clone(&records),
            project: bot::project::rows,
        }
        .run(archive.clone()),
    );
    let app = router(Http {
        state,
        records,
        settings: Arc::new(settings),
        storefront: Arc::new(bot::storefront::of(&shop, true)),
        readiness: Readiness::default(),
        now_ms: clock,
        stop: stop.clone(),
        tasks: tasks.clone(),
    });
    let served = tokio::spawn(serve(listener, app, stop.clone()));
    let mut term =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    term.recv().await;
    stop.cancel();
    served.await.unwrap().unwrap();
    tasks.close();
    tasks.wait().await;
    archive.cancel();
    archiver.await.unwrap();
}
