//! `tiansheng serve`: everything in one process.

use super::running::Running;
use super::{Ended, ServeArgs, Stop, load, now_ms, runtime, settings};
use crate::config::{Overrides, Settings};
use crate::http::{CancellationToken, Http, Readiness, router, serve};
use crate::mailbox::{Archiver, Burst, Clock, Folding, LEASE_MS, Puller, Sender, Typist, Workers};
use crate::publishing::{Publishing, Served};
use crate::shop::Folder;
use crate::store::embedded::State;
use crate::store::records::Records;
use crate::store::{RecordStore, StateStore, StoreError, redis};
use crate::telemetry::export::Spans;
use crate::telemetry::{self, log};
use crate::turn::Dialogue;
use crate::{channels, model, project, versions};
use adapters::{Channel, Keep};
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The start waits this long for a PostgreSQL, then serves without it.
const RECORDS_START_MAX: Duration = Duration::from_secs(5);
/// How long a stop archives; of a busy shop there is always more.
const ARCHIVE_MAX: Duration = Duration::from_secs(5);
/// How long a stop waits for what is under way; longer than each part gives itself.
const STOP_MAX: Duration = Duration::from_secs(15);
/// Wait until a platform that did not answer at the start is asked again, and the longest one.
const MEET_RETRY: Duration = Duration::from_secs(1);
const MEET_RETRY_MAX: Duration = Duration::from_secs(300);
/// Wait until a state that is away at the start is asked again.
const STATE_RETRY: Duration = Duration::from_millis(200);

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
    let spans = log::listen(&settings)?;
    // Before anything runs: a figure that is set without a recorder is lost.
    telemetry::install();
    let (folder, checked) = load(&settings)?;
    for problem in &checked.problems {
        tracing::warn!("{problem}");
    }
    let served = Served::new(Arc::new(checked.shop), folder.is_demo());
    runtime()?.block_on(async move {
        let exporting = spans.map(Spans::export);
        let stop = CancellationToken::new();
        // From here on, so that one that comes early does not end the process.
        let reloads = reloads();
        let serving = Serving::start(settings, served, folder, reloads, stop.clone()).await?;
        tracing::info!(
            address = %serving.address,
            ready_ms = begun.elapsed().as_millis() as u64,
            "tiansheng is ready"
        );
        eprintln!("tiansheng is ready on http://{}", serving.address);
        if stop_signal().await == Asked::ToLeave {
            serving.drain().await;
        }
        tracing::info!("stopping");
        stop.cancel();
        serving.ended().await;
        // What ended last has spans too.
        if let Some(exporting) = exporting {
            exporting.ended().await;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Everything that runs, and who waits for it.
struct Serving {
    address: std::net::SocketAddr,
    readiness: Readiness,
    drain: Duration,
    running: Running,
    archiver: tokio::task::JoinHandle<()>,
    archive: CancellationToken,
}

impl Serving {
    async fn start(
        settings: Settings,
        served: Served,
        folder: Folder,
        reloads: mpsc::Receiver<()>,
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
        let shop = served.shop();
        let keeping = versions::keep(state.as_ref(), records.as_ref(), &shop, now_ms());
        let kept = tokio::time::timeout(RECORDS_START_MAX, keeping).await;
        let kept = match kept.unwrap_or_else(|_| Err(records_late())) {
            Ok(()) => true,
            Err(error @ StoreError::Unavailable { .. }) if settings.records.is_some() => {
                tracing::error!(%error, "the records are away; messages are taken, and answered now if the shop's versions were kept before");
                false
            }
            Err(error) => return Err(told(error)),
        };
        let model = model::of(&settings).map_err(|error| Stop::Usage(error.to_string()))?;
        let readiness = Readiness::default();
        let clock: Clock = {
            let state = Arc::clone(&state);
            Arc::new(move || now_ms().saturating_add(state.ahead_ms()))
        };
        let keep: Arc<dyn Keep> = Arc::new(channels::Shared::new(
            Arc::clone(&state),
            Arc::clone(&clock),
        ));
        let channels = channels::of(&settings, &keep).map_err(Stop::Failed)?;
        let running = Running::default();
        let workers = Workers {
            state: Arc::clone(&state),
            engine: Arc::new(Folding {
                inner: Arc::new(Dialogue {
                    served: served.clone(),
                    model,
                }),
                state: Arc::clone(&state),
                channels: channels.clone(),
            }),
            clock: Arc::clone(&clock),
            count: settings.mailbox.workers,
            lease_ms: LEASE_MS,
        };
        // Cancelled when the records keep the shop's versions.
        let there = CancellationToken::new();
        if kept {
            there.cancel();
        } else {
            let (state, records) = (Arc::clone(&state), Arc::clone(&records));
            let (shop, stop, there) = (Arc::clone(&shop), stop.clone(), there.clone());
            running.spawn("versions", async move {
                let (state, records) = (state.as_ref(), records.as_ref());
                if versions::keep_at_last(state, records, &shop, now_ms, &stop).await {
                    there.cancel();
                }
            });
        }
        {
            let (state, shop, stop) = (Arc::clone(&state), Arc::clone(&shop), stop.clone());
            running.spawn("turns", async move {
                if !answers_at_last(state.as_ref(), &stop).await {
                    return;
                }
                if !versions::were_kept(state.as_ref(), &shop, now_ms()).await {
                    tokio::select! {
                        () = there.cancelled() => {}
                        () = stop.cancelled() => return,
                    }
                }
                workers.run(stop).await;
            });
        }
        let sender = Sender::new(Arc::clone(&state), channels.clone(), Arc::clone(&clock));
        {
            let (state, stop) = (Arc::clone(&state), stop.clone());
            running.spawn("sends", async move {
                if answers_at_last(state.as_ref(), &stop).await {
                    sender.run(stop).await;
                }
            });
        }
        let typist = Typist {
            state: Arc::clone(&state),
            channels: channels.clone(),
            clock: Arc::clone(&clock),
        };
        running.spawn("typing", typist.run(stop.clone()));
        for channel in channels.values() {
            running.spawn(
                format!("meeting {}", channel.name()),
                meet(Arc::clone(channel), stop.clone()),
            );
            let puller = Puller {
                state: Arc::clone(&state),
                channel: Arc::clone(channel),
                burst: Burst::of(&settings.mailbox),
                clock: Arc::clone(&clock),
            };
            let (state, stop) = (Arc::clone(&state), stop.clone());
            running.spawn(format!("pulling {}", channel.name()), async move {
                if answers_at_last(state.as_ref(), &stop).await {
                    puller.run(stop).await;
                }
            });
        }
        let publishing = Publishing {
            state: Arc::clone(&state),
            records: Arc::clone(&records),
            served: served.clone(),
            folder,
            clock: Arc::clone(&clock),
            alone: settings.state.is_none(),
        };
        {
            let (state, stop) = (Arc::clone(&state), stop.clone());
            running.spawn("publishing", async move {
                if answers_at_last(state.as_ref(), &stop).await {
                    publishing.run(reloads, stop).await;
                }
            });
        }
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
        let drain = Duration::from_millis(settings.web.drain_ms);
        let app = router(Http {
            state,
            records,
            settings: Arc::new(settings),
            served,
            channels,
            readiness: readiness.clone(),
            now_ms: clock,
            stop: stop.clone(),
            tasks: running.tasks().clone(),
        });
        running.spawn("listener", async move {
            if let Err(error) = serve(listener, app, stop).await {
                tracing::error!(%error, "the listener has ended");
            }
        });
        running.tasks().close();
        Ok(Self {
            address,
            readiness,
            drain,
            running,
            archiver,
            archive,
        })
    }

    /// Serves on while `/readyz` says 503, until proxies have noticed; a second signal ends the wait.
    async fn drain(&self) {
        self.readiness.leave();
        if self.drain.is_zero() {
            return;
        }
        tracing::info!(
            drain_ms = self.drain.as_millis() as u64,
            "not ready any more; stopping soon"
        );
        tokio::select! {
            () = tokio::time::sleep(self.drain) => {}
            _ = stop_signal() => {}
        }
    }

    async fn ended(mut self) {
        let ended = tokio::time::timeout(STOP_MAX, self.running.tasks().wait());
        if ended.await.is_err() {
            let left = self.running.left();
            tracing::error!(
                ?left,
                "not everything has ended; what it held is taken up by another replica, or at the next start"
            );
        }
        self.archive.cancel();
        match tokio::time::timeout(ARCHIVE_MAX, &mut self.archiver).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                tracing::error!(
                    "the archiver ended badly; the journal is archived at the next start"
                );
            }
            Err(_) => {
                self.archiver.abort();
                tracing::info!(
                    "the rest of the journal is left to other replicas, or the next start"
                );
            }
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

/// Until the store answers, its clock is not known, and a lease by a wrong clock may keep a conversation for as long as that clock is wrong; false when it is time to stop.
async fn answers_at_last(state: &dyn StateStore, stop: &CancellationToken) -> bool {
    while !stop.is_cancelled() {
        if state.depth().await.is_ok() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(STATE_RETRY) => {}
            () = stop.cancelled() => {}
        }
    }
    false
}

/// A platform may be away at the start; the channel works without, only less knowingly.
async fn meet(channel: Arc<dyn Channel>, stop: CancellationToken) {
    let mut wait = MEET_RETRY;
    while let Err(why) = channel.meet().await {
        tracing::warn!(
            channel = channel.name(),
            why,
            "the platform does not answer as it should"
        );
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
        wait = wait.saturating_mul(2).min(MEET_RETRY_MAX);
    }
}

fn records_late() -> StoreError {
    StoreError::Unavailable {
        what: format!(
            "records: no answer within {} s",
            RECORDS_START_MAX.as_secs()
        ),
    }
}

fn told(error: StoreError) -> Stop {
    Stop::Failed(error.to_string())
}

/// A message for each SIGHUP, which asks for the shop's folder to be read again and published. At a terminal it means that the terminal is gone.
fn reloads() -> mpsc::Receiver<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (asked, reloads) = mpsc::channel(1);
    if std::io::stdin().is_terminal() {
        return reloads;
    }
    match signal(SignalKind::hangup()) {
        Ok(mut hangup) => {
            tokio::spawn(async move {
                while hangup.recv().await.is_some() {
                    // One that waits already reads what is there when its turn comes.
                    let _ = asked.try_send(());
                }
            });
        }
        Err(error) => tracing::warn!(%error, "the shop is not loaded again at SIGHUP"),
    }
    reloads
}

/// How the process was told to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// By whoever runs it, who may have replicas to take over.
    ToLeave,
    /// By a person at the terminal, who is waiting or has closed it.
    ToStop,
}

async fn stop_signal() -> Asked {
    use tokio::signal::unix::{SignalKind, signal};
    let term = async {
        match signal(SignalKind::terminate()) {
            Ok(mut term) => {
                term.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let terminal = async {
        match signal(SignalKind::hangup()) {
            Ok(mut hangup) if std::io::stdin().is_terminal() => {
                hangup.recv().await;
            }
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Asked::ToStop,
        () = terminal => Asked::ToStop,
        () = term => Asked::ToLeave,
    }
}
