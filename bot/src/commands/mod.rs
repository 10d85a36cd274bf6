//! The command line: what `tiansheng` can be told to do.

mod chat;
mod check;
mod doctor;
mod eval;
mod import;
mod migrate;
mod replay;
mod running;
mod serve;
mod serving;
mod test;

use crate::config::{Overrides, Settings};
use crate::shop::{Checked, Folder, Shop};
use clap::{Args, Parser, Subcommand};
use dialogs::shop::Files;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

/// A conversational sales agent that a shop runs itself.
#[derive(Parser)]
#[command(name = "tiansheng", version, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

const EXAMPLES: &str = "\
Examples:
  tiansheng                              the demo shop on http://127.0.0.1:8080
  tiansheng serve --shop my-shop         your own shop
  tiansheng chat                         talk to it here, in Chinese or English
  tiansheng import products feed.xml --shop my-shop
                                         your own shop, made of its product feed
  tiansheng check --shop my-shop         every problem in the shop's files, with file and line
  tiansheng test --shop my-shop          the shop's own conversation tests

Settings come from tiansheng.toml, TIANSHENG_… variables (TIANSHENG_DATA__DIR=/var/lib/tiansheng) and flags, the later over the earlier.";

#[derive(Subcommand)]
enum Command {
    /// Run everything: channels, widget page, API
    #[command(after_help = "Example:\n  tiansheng serve --shop my-shop --listen 0.0.0.0:8080")]
    Serve(ServeArgs),
    /// Talk to the agent in the terminal; nothing is stored
    #[command(after_help = CHAT_EXAMPLES)]
    Chat(ChatArgs),
    /// Validate a shop folder: every problem with file, line, column and what would be right
    #[command(
        after_help = "Example:\n  tiansheng check --shop my-shop\nExit status: 0 nothing wrong, 1 problems, 2 no shop there"
    )]
    Check(ReportArgs),
    /// Run the shop's conversation tests (stories/*.yaml)
    #[command(after_help = test::EXAMPLES)]
    Test(test::TestArgs),
    /// Run logged turns again from their tape and print what differs
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
    /// Take a product feed into a shop
    #[command(subcommand, after_help = IMPORT_EXAMPLES)]
    Import(import::Import),
    /// Quality on your own labelled data
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Move from the embedded files to Redis and PostgreSQL, offline
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::MigrateArgs),
    /// Check configuration, stores, clock, shop and model, and say what to do
    #[command(
        after_help = "Examples:\n  tiansheng doctor\n  tiansheng doctor --serving     asks the server that runs with these settings, for a container's health check\nExit status: 0 all is well, 1 something needs attention"
    )]
    Doctor(DoctorArgs),
}

const CHAT_EXAMPLES: &str = "\
Examples:
  tiansheng chat
  echo '{\"conversation\":\"c1\",\"text\":\"预算三千以内的意式咖啡机有推荐吗？\"}' | tiansheng chat --json

In the terminal: type a message, a number for an option, /new for a new conversation, /rep take, /rep say TEXT or /rep back to play the sales rep, /quit to leave.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  tiansheng import products feed.xml --shop my-shop    a shop from nothing but its feed
  tiansheng import products --help                     kinds of feeds, currencies, what is kept";

const REPLAY_EXAMPLES: &str = "\
Examples:
  tiansheng replay web:0b7c1c3e-2f0a-4a53-9a0e-0f4f6f3f2b10
  tiansheng replay web:0b7c1c3e-2f0a-4a53-9a0e-0f4f6f3f2b10 --turn 3
  tiansheng replay --all
Exit status: 0 the same byte for byte, 1 something differs";

#[derive(Args, Default)]
struct ServeArgs {
    /// Shop folder (default: the demo shop)
    #[arg(long, value_name = "DIR")]
    shop: Option<PathBuf>,
    /// Address to listen on (default: 127.0.0.1:8080)
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded stores (default: ./data)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Args)]
struct ChatArgs {
    /// Shop folder (default: the demo shop)
    #[arg(long, value_name = "DIR")]
    shop: Option<PathBuf>,
    /// One JSON object a line in, one a line out
    #[arg(long)]
    json: bool,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct ReportArgs {
    /// Shop folder (default: the demo shop)
    #[arg(long, value_name = "DIR")]
    shop: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct ReplayArgs {
    /// Conversation, as the log names it (`web:…`)
    #[arg(required_unless_present = "all")]
    conversation: Option<String>,
    /// Only this turn
    #[arg(long, value_name = "N")]
    turn: Option<u64>,
    /// Every conversation in the records
    #[arg(long, conflicts_with_all = ["conversation", "turn"])]
    all: bool,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Folder of the embedded stores (default: ./data)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct DoctorArgs {
    /// Shop folder (default: the demo shop)
    #[arg(long, value_name = "DIR")]
    shop: Option<PathBuf>,
    /// Folder of the embedded stores (default: ./data)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only whether a server runs with these settings and answers
    #[arg(long)]
    serving: bool,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Exit status of a check that found something wrong.
const FOUND_WRONG: u8 = 1;
/// Exit status where the command could not be understood or its input is not there.
const BAD_USAGE: u8 = 2;

/// A command that cannot go on: what to tell, and the exit status.
enum Stop {
    Usage(String),
    Failed(String),
}

type Ended = Result<ExitCode, Stop>;

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Stop::Failed(format!("{error:#}"))
    }
}

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    let ended = match command {
        Command::Serve(args) => serve::run(args),
        Command::Chat(args) => chat::run(args),
        Command::Check(args) => check::run(args),
        Command::Test(args) => test::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Import(what) => import::run(what),
        Command::Eval(what) => eval::run(what),
        Command::Migrate(args) => migrate::run(args),
        Command::Doctor(args) => doctor::run(args),
    };
    match ended {
        Ok(code) => code,
        Err(Stop::Usage(told)) => {
            eprintln!("tiansheng: {told}");
            ExitCode::from(BAD_USAGE)
        }
        Err(Stop::Failed(told)) => {
            eprintln!("tiansheng: {told}");
            ExitCode::from(FOUND_WRONG)
        }
    }
}

fn settings(config: Option<&PathBuf>, overrides: &Overrides) -> Result<Settings, Stop> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::load(config.map(PathBuf::as_path), environment, overrides)
        .map_err(|error| Stop::Usage(error.to_string()))
}

fn load(settings: &Settings) -> Result<(Folder, Checked), Stop> {
    let folder = Folder::of(settings.shop.dir.as_deref());
    let files = folder
        .read()
        .map_err(|error| Stop::Usage(error.to_string()))?;
    let checked = with_notice(&files_told(&files), || Shop::compile(files))
        .map_err(|error| Stop::Failed(error.to_string()))?;
    Ok((folder, checked))
}

/// Loading a shop this long without a word would look like a program that hangs.
const NOTICE_AFTER: Duration = Duration::from_secs(2);

/// Says once on standard error what is done, where it is not done soon.
fn with_notice<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(NOTICE_AFTER) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{what}");
            }
        });
        let result = work();
        drop(done);
        result
    })
}

fn files_told(files: &Files) -> String {
    let bytes: usize = files.values().map(Vec::len).sum();
    format!(
        "reading the shop ({} KB); a large catalogue takes a while",
        bytes.div_ceil(1_000)
    )
}

fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Failed(format!("the runtime does not start: {error}")))
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
