//! How far a long import is: a bar on a terminal, nothing where a program reads.

use dialogs::catalogue::feed::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Rows between two steps of the bar.
const STEP_ROWS: usize = 250;
const BAR: &str = "{percent:>3}% [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {msg}";

pub(super) struct Bar {
    bar: ProgressBar,
    file_bytes: u64,
}

impl Bar {
    /// Standard error stays empty where it is no terminal.
    pub(super) fn of(file_bytes: usize) -> Self {
        let file_bytes = file_bytes as u64;
        let bar = ProgressBar::with_draw_target(Some(file_bytes), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, file_bytes }
    }

    pub(super) fn seen(&self, progress: Progress) {
        if progress.rows.is_multiple_of(STEP_ROWS) {
            self.bar.set_message(format!("{} rows", progress.rows));
            self.bar.set_position(position(progress, self.file_bytes));
        }
    }

    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// Bytes of the file, whatever its encoding makes of them in UTF-8.
fn position(progress: Progress, file_bytes: u64) -> u64 {
    let total = (progress.bytes_total as u128).max(1);
    let read = (progress.bytes as u128).min(total);
    u64::try_from(u128::from(file_bytes) * read / total).unwrap_or(file_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: usize, bytes_total: usize, file_bytes: u64, expected: u64) {
        let progress = Progress {
            rows: 1,
            bytes,
            bytes_total,
        };
        assert_eq!(position(progress, file_bytes), expected);
    }

    #[test]
    fn the_bar_counts_bytes_of_the_file_and_never_more_than_it_has() {
        check(50, 100, 100, 50);
        check(50, 100, 200, 100);
        check(101, 100, 200, 200);
        check(0, 0, 0, 0);
    }
}
