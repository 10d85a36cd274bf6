//! `tiansheng doctor`: what is wrong with this installation, and what to do.

use super::{DoctorArgs, Ended, FOUND_WRONG, Stop, now_ms, runtime, serving, settings};
use crate::channels;
use crate::config::{Overrides, Settings};
use crate::model;
use crate::shop::{Folder, Shop};
use crate::store::embedded::State;
use crate::store::records::{self, Records};
use crate::store::{RecordStore, StateStore, redis};
use crate::telemetry::export;
use adapters::{Keep, KeptHere};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The clock is surely wrong before this build's year: 2026-01-01.
const CLOCK_MS_MIN: i64 = 1_767_225_600_000;

pub(super) struct Finding {
    what: &'static str,
    ok: bool,
    detail: String,
    advice: Option<String>,
}

pub(super) fn run(args: DoctorArgs) -> Ended {
    let file = args
        .config
        .as_ref()
        .map_or(crate::config::FILE.into(), |file| {
            file.display().to_string()
        });
    let settings = match settings(
        args.config.as_ref(),
        &Overrides {
            shop_dir: args.shop,
            data_dir: args.data,
            ..Overrides::default()
        },
    ) {
        Ok(settings) => settings,
        Err(Stop::Usage(told) | Stop::Failed(told)) => {
            return Ok(tell(
                &[wrong(
                    "settings",
                    told,
                    &format!("correct {file}, the variables or the flags named above"),
                )],
                args.json,
            ));
        }
    };
    if args.serving {
        let found = runtime()?.block_on(serving::answers(settings.listen));
        return Ok(tell(&[found], args.json));
    }
    let mut findings = vec![
        fine(
            "settings",
            match Path::new(&file).exists() {
                true => format!("{file} and the environment"),
                false => "defaults and the environment".to_owned(),
            },
        ),
        clock(),
        shop(&settings),
    ];
    let runtime = runtime()?;
    findings.extend(runtime.block_on(stores(&settings)));
    findings.push(runtime.block_on(listening(&settings)));
    findings.push(runtime.block_on(model_endpoint(&settings)));
    findings.extend(runtime.block_on(platforms(&settings)));
    findings.push(runtime.block_on(traces(&settings)));
    Ok(tell(&findings, args.json))
}

pub(super) fn fine(what: &'static str, detail: String) -> Finding {
    Finding {
        what,
        ok: true,
        detail,
        advice: None,
    }
}

pub(super) fn wrong(what: &'static str, detail: String, advice: &str) -> Finding {
    Finding {
        what,
        ok: false,
        detail,
        advice: Some(advice.to_owned()),
    }
}

fn clock() -> Finding {
    let now = now_ms();
    if now < CLOCK_MS_MIN {
        return wrong(
            "clock",
            "the clock is years behind".to_owned(),
            "set the time, for instance with systemd-timesyncd",
        );
    }
    let at = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    fine("clock", at.to_string())
}

fn shop(settings: &Settings) -> Finding {
    let folder = Folder::of(settings.shop.dir.as_deref());
    let files = match folder.read() {
        Ok(files) => files,
        Err(error) => return wrong("shop", error.to_string(), "name the folder with --shop"),
    };
    match Shop::compile(files) {
        Ok(checked) if checked.problems.is_empty() => fine(
            "shop",
            format!(
                "{} products, {}",
                checked.shop.dialog.catalogue.products().len(),
                checked.shop.policy
            ),
        ),
        Ok(checked) => wrong(
            "shop",
            format!("{} problems", checked.problems.len()),
            "run `tiansheng check`",
        ),
        Err(error) => wrong("shop", error.to_string(), "correct the packs named above"),
    }
}

async fn stores(settings: &Settings) -> Vec<Finding> {
    let mut findings = match &settings.state {
        Some(redis) => redis::findings(redis)
            .await
            .into_iter()
            .map(|found| Finding {
                what: "state",
                ok: found.ok,
                detail: found.detail,
                advice: found.advice,
            })
            .collect(),
        None => vec![embedded_state(&settings.data.dir).await],
    };
    match &settings.records {
        Some(server) => {
            findings.extend(
                records::findings(server)
                    .await
                    .into_iter()
                    .map(|found| Finding {
                        what: "records",
                        ok: found.ok,
                        detail: found.detail,
                        advice: found.advice.map(str::to_owned),
                    }),
            )
        }
        None => findings.push(records_in(&settings.data.dir).await),
    }
    findings
}

async fn embedded_state(dir: &Path) -> Finding {
    match State::open(dir) {
        Ok(state) => match state.depth().await {
            Ok(depth) => fine(
                "state",
                format!(
                    "{}: {} conversations on the agenda, {} messages to send, {} journal entries",
                    dir.display(),
                    depth.turns,
                    depth.sends,
                    depth.journal
                ),
            ),
            Err(error) => wrong("state", error.to_string(), "restore it from a backup"),
        },
        Err(error) => wrong(
            "state",
            error.to_string(),
            "if the server runs on this folder that is as it should be; else see the message",
        ),
    }
}

async fn records_in(dir: &Path) -> Finding {
    match Records::in_folder(dir).await {
        Ok(records) => match records.position(0).await {
            Ok(position) => fine(
                "records",
                format!("{}: up to step {position}", dir.display()),
            ),
            Err(error) => wrong("records", error.to_string(), "restore it from a backup"),
        },
        Err(error) => wrong("records", error.to_string(), "see the message"),
    }
}

async fn listening(settings: &Settings) -> Finding {
    match tokio::net::TcpListener::bind(settings.listen).await {
        Ok(_) => fine("listen", settings.listen.to_string()),
        Err(error) => wrong(
            "listen",
            format!("{}: {error}", settings.listen),
            "if the server runs that is as it should be; else choose another address",
        ),
    }
}

async fn model_endpoint(settings: &Settings) -> Finding {
    match model::open_ai(settings) {
        Ok(None) => fine("model", "none set; the plain forms are used".to_owned()),
        Ok(Some(model)) => match model.probe().await {
            Ok(()) => fine("model", "answers".to_owned()),
            Err(why) => wrong(
                "model",
                why,
                "check model.url, model.name and the key; without a model the plain forms are used",
            ),
        },
        Err(error) => wrong("model", error.to_string(), "correct model.url"),
    }
}

/// Each channel looks at its own platform; one that has none has nothing to tell.
async fn platforms(settings: &Settings) -> Vec<Finding> {
    let keep: Arc<dyn Keep> = Arc::new(KeptHere::default());
    let channels = match channels::of(settings, &keep) {
        Ok(channels) => channels,
        Err(error) => return vec![wrong("channels", error, "see the message")],
    };
    let mut findings = Vec::new();
    for channel in channels.values() {
        findings.extend(channel.check().await.into_iter().map(|found| Finding {
            what: channel.name(),
            ok: found.ok,
            detail: found.detail,
            advice: found.advice,
        }));
    }
    findings
}

async fn traces(settings: &Settings) -> Finding {
    let Some(telemetry) = &settings.telemetry else {
        return fine(
            "traces",
            "kept nowhere; telemetry.otlp_url sends them".to_owned(),
        );
    };
    match export::probe(telemetry).await {
        Ok(()) => fine("traces", format!("{telemetry} takes them")),
        Err(why) => wrong(
            "traces",
            format!("{telemetry}: {why}"),
            "check telemetry.otlp_url, its headers and the collector; without it everything else goes on, and spans are dropped",
        ),
    }
}

fn tell(findings: &[Finding], as_json: bool) -> ExitCode {
    let all_well = findings.iter().all(|finding| finding.ok);
    if as_json {
        let list: Vec<_> = findings
            .iter()
            .map(|f| json!({"what": f.what, "ok": f.ok, "detail": f.detail, "advice": f.advice}))
            .collect();
        println!("{}", json!({"ok": all_well, "findings": list}));
    } else {
        for finding in findings {
            let mark = if finding.ok { "ok   " } else { "WRONG" };
            println!("{mark} {:9} {}", finding.what, finding.detail);
            if let Some(advice) = &finding.advice {
                println!("      {:9} → {advice}", "");
            }
        }
    }
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND_WRONG)
    }
}
