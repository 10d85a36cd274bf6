//! The product's own parts with another engine: one that stalls beyond its lease (the storm), or one that does nothing (the floor of the bench).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bot::config::{Overrides, Settings};
use bot::http::{CancellationToken, Http, Readiness, TaskTracker, router, serve};
use bot::mailbox::{Archiver, Clock, Sender, Workers};
use bot::shop::{Folder, Shop};
use bot::store::embedded::State;
use bot::store::records::Records;
use bot::store::{Engine, NewOut, RecordStore, Row, StateStore, TurnClaim, TurnResult};
use bot::turn::Dialogue;
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

/// Reads the letters and answers the same to everything: what the stores and the wire cost without us.
struct Floor;

impl Engine for Floor {
    fn run<'a>(
        &'a self,
        claim: &'a TurnClaim,
        _now_ms: i64,
    ) -> Pin<Box<dyn Future<Output = TurnResult> + Send + 'a>> {
        let address: adapters::Address = claim.conversation.parse().unwrap();
        let turn = claim.rev + 1;
        let mut outbounds = Vec::new();
        let mut add = |from, body| {
            outbounds.push(adapters::Outbound {
                id: format!("{}/{turn}/{}", claim.conversation, outbounds.len()),
                address: address.clone(),
                turn,
                epoch: claim.epoch,
                from,
                body,
            });
        };
        let event_ids = claim.letters.iter().map(|l| l.event_id.clone()).collect();
        add(
            adapters::Speaker::Rep,
            adapters::OutboundBody::Read { event_ids },
        );
        let part = adapters::Part::Text {
            text: "ok".to_owned(),
        };
        let body = adapters::Body { parts: vec![part] };
        add(adapters::Speaker::Bot, adapters::OutboundBody::Reply(body));
        let result = TurnResult {
            state: "{}".to_owned(),
            epoch: claim.epoch,
            events: claim.letters.iter().map(|l| l.body.clone()).collect(),
            out: outbounds
                .iter()
                .map(|outbound| NewOut {
                    id: outbound.id.clone(),
                    epoch: outbound.epoch,
                    bot: outbound.from == adapters::Speaker::Bot,
                    body: serde_json::to_string(outbound).unwrap(),
                })
                .collect(),
            wake_at_ms: None,
            told: bot::telemetry::Told::default(),
        };
        Box::pin(std::future::ready(result))
    }
}

fn no_rows(_: &str, _: i64, _: &[String]) -> Vec<Row> {
    Vec::new()
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
        Ok("settle") => Break::Settle,
        _ => Break::Nothing,
    };
    let floor = std::env::var("STORM_ENGINE").as_deref() == Ok("floor");
    let shop = Arc::new(Shop::compile(Folder::Demo.read().unwrap()).unwrap().shop);
    let listener = tokio::net::TcpListener::bind(settings.listen)
        .await
        .unwrap();
    let state: Arc<dyn StateStore> = match &settings.state {
        Some(redis) => Arc::new(bot::store::redis::State::open(redis)),
        None => Arc::new(State::open(&settings.data.dir).unwrap()),
    };
    let state: Arc<dyn StateStore> = Arc::new(Faulty::new(state, broken));
    let records: Arc<dyn RecordStore> = Arc::new(match &settings.records {
        Some(server) => Records::on_server(server),
        None => Records::in_folder(&settings.data.dir).await.unwrap(),
    });
    for (kind, id, bundle) in shop.bundles() {
        let kept = records.keep_version(kind, id, &bundle, now_ms()).await;
        kept.unwrap();
    }
    let served_shop = bot::publishing::Served::new(Arc::clone(&shop), true);
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let clock: Clock = {
        let state = Arc::clone(&state);
        Arc::new(move || now_ms() + state.ahead_ms())
    };
    tasks.spawn(
        Workers {
            state: Arc::clone(&state),
            engine: if floor {
                Arc::new(Floor)
            } else {
                Arc::new(Stalling {
                    inner: Dialogue {
                        served: served_shop.clone(),
                        model: None,
                    },
                    turns: AtomicU64::new(0),
                })
            },
            clock: Arc::clone(&clock),
            count: if floor { settings.mailbox.workers } else { 16 },
            lease_ms: if floor {
                bot::mailbox::LEASE_MS
            } else {
                LEASE_MS
            },
        }
        .run(stop.clone()),
    );
    let keep: Arc<dyn adapters::Keep> = Arc::new(bot::channels::Shared::new(
        Arc::clone(&state),
        Arc::clone(&clock),
    ));
    let channels = bot::channels::of(&settings, &keep).unwrap();
    let sender = Sender::new(Arc::clone(&state), channels.clone(), Arc::clone(&clock));
    tasks.spawn(sender.run(stop.clone()));
    let archive = CancellationToken::new();
    let archiver = tokio::spawn(
        Archiver {
            state: Arc::clone(&state),
            records: Arc::clone(&records),
            project: if floor { no_rows } else { bot::project::rows },
            clock: Arc::clone(&clock),
        }
        .run(archive.clone()),
    );
    let app = router(Http {
        state,
        records,
        settings: Arc::new(settings),
        served: served_shop,
        channels,
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
