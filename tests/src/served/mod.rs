//! The product served on a platform, and what tests ask of it whichever the platform is.

mod desk;
pub mod discord;
pub mod telegram;
pub mod wechat;
pub mod wecom;

pub use desk::Desk;

use crate::binary::{LOG, Server, run};
use crate::peer::{http, until};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Long enough for a second answer to come if one were to come.
pub const QUIET: Duration = Duration::from_millis(1_500);

/// One server with a platform's settings; `more` overrides them.
fn serve(port: u16, data: &Path, platform: &[(&str, String)], more: &[(&str, &str)]) -> Server {
    let mut environment = vec![
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "100"),
        // What is logged at its most talkative must hold no secret.
        ("TIANSHENG_LOG__LEVEL", "debug"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    environment.extend(platform.iter().map(|(name, value)| (*name, value.as_str())));
    environment.extend(more);
    Server::start(data, port, &environment)
}

pub async fn metrics(server: &Server) -> String {
    let answer = http().get(format!("{}/metrics", server.url)).send().await;
    answer.unwrap().text().await.unwrap()
}

/// What became of messages on their way out, as a series of the figures.
pub fn sends(channel: &str, outcome: &str) -> String {
    format!("sends_total{{channel=\"{channel}\",outcome=\"{outcome}\"}}")
}

/// Messages that are durable and were not had before, as a series of the figures.
pub fn accepted(channel: &str) -> String {
    format!("channel_messages_total{{channel=\"{channel}\",duplicate=\"false\"}}")
}

/// What a series stands at; 0 where nothing was counted.
pub async fn counted(server: &Server, series: &str) -> u64 {
    let figures = metrics(server).await;
    let value = figures
        .lines()
        .find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    value.unwrap_or_default()
}

/// Waits until a series stands at so many or more: between two looks it may pass by any number.
pub async fn until_counted(server: &Server, series: &str, count: u64) {
    let look = async || (counted(server, series).await >= count).then_some(());
    until(&format!("{count} of {series}"), look).await;
}

pub fn logged(data: &Path) -> String {
    std::fs::read_to_string(data.join(LOG)).unwrap()
}

pub async fn until_logged(data: &Path, what: &str) {
    let look = async || logged(data).contains(what).then_some(());
    until(what, look).await;
}

/// What `doctor` tells about settings.
pub fn doctor(data: &Path, settings: &str) -> String {
    let file = data.join("tiansheng.toml");
    std::fs::write(&file, settings).unwrap();
    let (config, data) = (file.to_str().unwrap(), data.to_str().unwrap());
    let asked = ["doctor", "--json", "--config", config, "--data", data];
    run(&asked, b"").1
}

/// The demo shop with its products changed.
pub fn shop(dir: &Path, change: impl Fn(&str) -> String) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bot/demo");
    let mut copy = Command::new("cp");
    let copied = copy.arg("-r").arg(demo.join(".")).arg(dir).status();
    assert!(copied.unwrap().success());
    for name in ["products.tsv", "products.en.tsv"] {
        let path = dir.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(&text)).unwrap();
    }
}

/// A model that answers after a time.
pub async fn slow_model(wait: Duration) -> String {
    let slow = axum::Router::new().route(
        "/v1/chat/completions",
        axum::routing::post(async move || {
            tokio::time::sleep(wait).await;
            axum::Json(json!({"choices": [{"message": {"role": "assistant", "content": "-"}}]}))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, slow).await.unwrap() });
    model
}

pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
