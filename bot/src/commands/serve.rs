//! `tiansheng serve`: everything in one process.

use super::{Ended, ServeArgs, Stop, load, now_ms, runtime, settings};
use crate::config::{LogFormat, Overrides, Settings};
use crate::http::{CancellationToken, Http, Readiness, Report, TaskTracker, router, serve};
use crate::mailbox::{Archiver, Clock, LEASE_MS, Sender, Workers};
use crate::shop::Shop;
use crate::store::embedded::State;
use crate::store::records::Records;
use crate::store::{RecordStore, StateStore, StoreError, redis};
use crate::turn::Dialogue;
use crate::{model, project, storefront};
use adapters::Channel;
use adapters::web::Web;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// The start waits this long for a PostgreSQL, then serves without it.
const RECORDS_START_MAX: Duration = Duration::from_secs(5);
/// Wait until records that are away at the start are tried again.
const RECORDS_RETRY: Duration = Duration::from_millis(500);

pub(super) fn run(args: ServeArgs) -> Ended {
    let begun = Instant::now();
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            listen: args.listen,
            shop_dir: args.shop,
            data_dir: args.data,
            ..Overrides::default()
        },
    )?;
    log_to_stderr(&settings);
    let (folder, checked) = load(&settings)?;
    for problem in &checked.problems {
        tracing::warn!("{problem}");
    }
    let shop = Arc::new(checked.shop);
    runtime()?.block_on(async move {
        let stop = CancellationToken::new();
        let serving = Serving::start(settings, shop, folder.is_demo(), stop.clone()).await?;
        tracing::info!(
            address = %serving.address,
            ready_ms = begun.elapsed().as_millis() as u64,
            "tiansheng is ready"
        );
        eprintln!("tiansheng is ready on http://{}", serving.address);
        stop_signal().await;
        tracing::info!("stopping");
        stop.cancel();
        serving.ended().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Everything that runs, and who waits for it.
struct Serving {
    address: std::net::SocketAddr,
    tasks: TaskTracker,
    archiver: tokio::task::JoinHandle<()>,
    archive: CancellationToken,
}

impl Serving {
    async fn start(
        settings: Settings,
        shop: Arc<Shop>,
        demo: bool,
        stop: CancellationToken,
    ) -> Result<Self, Stop> {
        let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
            Stop::Failed(format!(
                "cannot listen on {}: {error}; choose another with --listen",
                settings.listen
            ))
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| Stop::Failed(error.to_string()))?;
        let records = records(&settings).await?;
        let state = state(&settings, &records).await?;
        let kept = tokio::time::timeout(RECORDS_START_MAX, keep_versions(records.as_ref(), &shop));
        let kept = match kept.await.unwrap_or_else(|_| Err(records_late())) {
            Ok(()) => true,
            Err(error @ StoreError::Unavailable { .. }) if settings.records.is_some() => {
                tracing::error!(%error, "the records are away; messages are taken and answered when they are back");
                false
            }
            Err(error) => return Err(told(error)),
        };
        let model = model::of(&settings).map_err(|error| Stop::Usage(error.to_string()))?;
        let readiness = Readiness::default();
        readiness.report(
            "shop",
            Report {
                ok: true,
                optional: false,
                detail: shop.policy.clone(),
            },
        );
        let clock: Clock = {
            let state = Arc::clone(&state);
            Arc::new(move || now_ms().saturating_add(state.ahead_ms()))
        };
        let tasks = TaskTracker::new();
        let workers = Workers {
            state: Arc::clone(&state),
            engine: Arc::new(Dialogue {
                shop: Arc::clone(&shop),
                model,
            }),
            clock: Arc::clone(&clock),
            count: settings.mailbox.workers,
            lease_ms: LEASE_MS,
        };
        {
            let (records, shop) = (Arc::clone(&records), Arc::clone(&shop));
            let stop = stop.clone();
            tasks.spawn(async move {
                if kept || versions_kept_at_last(records.as_ref(), &shop, &stop).await {
                    workers.run(stop).await;
                }
            });
        }
        let web: Arc<dyn Channel> = Arc::new(Web);
        let sender = Sender {
            state: Arc::clone(&state),
            channels: BTreeMap::from([(web.name().to_owned(), web)]),
            clock: Arc::clone(&clock),
        };
        tasks.spawn(sender.run(stop.clone()));
        // The archiver ends last, so that what the others commit while stopping is archived.
        let archive = CancellationToken::new();
        let archiver = tokio::spawn(
            Archiver {
                state: Arc::clone(&state),
                records: Arc::clone(&records),
                project: project::rows,
                clock: Arc::clone(&clock),
            }
            .run(archive.clone()),
        );
        let app = router(Http {
            state,
            records,
            settings: Arc::new(settings),
            storefront: Arc::new(storefront::of(&shop, demo)),
            readiness,
            now_ms: clock,
            stop: stop.clone(),
            tasks: tasks.clone(),
        });
        tasks.spawn(async move {
            if let Err(error) = serve(listener, app, stop).await {
                tracing::error!(%error, "the listener has ended");
            }
        });
        tasks.close();
        Ok(Self {
            address,
            tasks,
            archiver,
            archive,
        })
    }

    async fn ended(self) {
        self.tasks.wait().await;
        self.archive.cancel();
        if self.archiver.await.is_err() {
            tracing::error!("the archiver ended badly; the journal is archived at the next start");
        }
    }
}

/// A Redis that does not answer yet is waited for while serving, and `/readyz` says so; one that does not fit ends the start.
async fn state(
    settings: &Settings,
    records: &Arc<dyn RecordStore>,
) -> Result<Arc<dyn StateStore>, Stop> {
    let Some(redis) = &settings.state else {
        return Ok(Arc::new(State::open(&settings.data.dir).map_err(told)?));
    };
    // Only records that all replicas share can bring a conversation back on any of them.
    let shared = settings.records.is_some().then(|| Arc::clone(records));
    let state = redis::State::open_with(redis, shared);
    match state.meet().await {
        Ok(()) => {
            tracing::info!(state = %redis, shards = redis.shards, "the live state is on Redis")
        }
        Err(error @ StoreError::Unavailable { .. }) => {
            tracing::error!(%error, "the live state is away; serving begins when it answers");
        }
        Err(error) => return Err(told(error)),
    }
    Ok(Arc::new(state))
}

/// A PostgreSQL that does not answer yet is waited for; a file that cannot be opened ends the start.
async fn records(settings: &Settings) -> Result<Arc<dyn RecordStore>, Stop> {
    let records = match &settings.records {
        Some(server) => Records::on_server(server),
        None => Records::in_folder(&settings.data.dir).await.map_err(told)?,
    };
    Ok(Arc::new(records))
}

/// A turn must be replayable, so its version is kept before it can decide anything.
async fn keep_versions(records: &dyn RecordStore, shop: &Shop) -> Result<(), StoreError> {
    for (kind, id, bundle) in shop.bundles() {
        records.keep_version(kind, id, &bundle, now_ms()).await?;
    }
    Ok(())
}

fn records_late() -> StoreError {
    StoreError::Unavailable {
        what: format!(
            "records: no answer within {} s",
            RECORDS_START_MAX.as_secs()
        ),
    }
}

/// Tries until the versions are kept; false when it is time to stop.
async fn versions_kept_at_last(
    records: &dyn RecordStore,
    shop: &Shop,
    stop: &CancellationToken,
) -> bool {
    while !stop.is_cancelled() {
        match keep_versions(records, shop).await {
            Ok(()) => {
                tracing::info!("the records are there; turns begin");
                return true;
            }
            Err(error) => tracing::warn!(%error, "turns wait for the records"),
        }
        tokio::select! {
            () = tokio::time::sleep(RECORDS_RETRY) => {}
            () = stop.cancelled() => {}
        }
    }
    false
}

fn told(error: StoreError) -> Stop {
    Stop::Failed(error.to_string())
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let term = async {
        match signal(SignalKind::terminate()) {
            Ok(mut term) => {
                term.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = term => {}
    }
}

fn log_to_stderr(settings: &Settings) {
    // Other crates' lines may carry what they were given; they are heard only from `warn` on.
    let level = settings.log.level.to_string().to_lowercase();
    let filter = EnvFilter::new(format!("warn,bot={level},tiansheng={level}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let set = match settings.log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if set.is_err() {
        eprintln!("tiansheng: logging was set up already");
    }
}
