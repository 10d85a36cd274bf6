//! What the system says of this process, read at each look: `/proc`, so Linux only; elsewhere these figures are absent.

use super::metrics::{self, Kind};
use std::fmt::Write as _;
use std::fs;

/// Clock ticks a second in `/proc`, the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// Places of fields in `/proc/self/stat` after the program's name (proc(5) counts from 3 there).
const USER_TICKS: usize = 14 - 3;
const SYSTEM_TICKS: usize = 15 - 3;
const THREADS: usize = 20 - 3;
const STARTED_TICKS: usize = 22 - 3;

/// Appends the figures in Prometheus' text form.
pub(super) fn write(text: &mut String) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name stands in brackets and may hold spaces.
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .map(|(_, fields)| fields)
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(f64::NAN))
        .collect();
    let field = |place: usize| fields.get(place).copied().filter(|value| !value.is_nan());
    let ticks = field(USER_TICKS).zip(field(SYSTEM_TICKS));
    let figures = [
        (
            metrics::CPU,
            ticks.map(|(user, system)| (user + system) / TICKS_PER_SECOND),
        ),
        (
            metrics::MEMORY,
            line_of("/proc/self/status", "VmRSS:").map(|kib| kib * 1_024.0),
        ),
        (metrics::OPEN_FILES, open_files()),
        (
            metrics::FILES_MAX,
            line_of("/proc/self/limits", "Max open files"),
        ),
        (metrics::THREADS, field(THREADS)),
        (
            metrics::STARTED,
            field(STARTED_TICKS)
                .zip(line_of("/proc/stat", "btime"))
                .map(|(ticks, booted)| booted + ticks / TICKS_PER_SECOND),
        ),
    ];
    for (name, value) in figures {
        let metric = metrics::ALL.iter().find(|metric| metric.name == name);
        if let Some((value, metric)) = value.zip(metric) {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge | Kind::Histogram => "gauge",
            };
            let help = metric.help;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
            );
        }
    }
}

/// The first number after a line's name.
fn line_of(path: &str, name: &str) -> Option<f64> {
    let text = fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().find_map(|word| word.parse().ok())
}

fn open_files() -> Option<f64> {
    // One of them is the folder that is being read.
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(count.saturating_sub(1) as f64)
}
