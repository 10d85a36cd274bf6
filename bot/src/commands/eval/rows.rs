//! Labelled rows: JSON Lines, also packed with gzip.

use super::{Stop, usage};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of one row.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Rows of all files together.
const ROWS_MAX: usize = 5_000_000;

/// The rows of all files; a row that cannot be read names its file and line.
pub(super) fn read<T: DeserializeOwned>(files: &[PathBuf], form: &str) -> Result<Vec<T>, Stop> {
    let mut rows = Vec::new();
    for file in files {
        let name = file.display();
        let opened = File::open(file).map_err(|error| usage(format!("{name}: {error}")))?;
        let packed = file.extension().is_some_and(|ending| ending == "gz");
        let plain: Box<dyn Read> = match packed {
            true => Box::new(MultiGzDecoder::new(opened)),
            false => Box::new(opened),
        };
        let mut lines = BufReader::new(plain);
        let mut line = Vec::new();
        let mut number = 0_u64;
        loop {
            line.clear();
            number += 1;
            let limit = ROW_BYTES_MAX as u64 + 1;
            let taken = (&mut lines)
                .take(limit)
                .read_until(b'\n', &mut line)
                .map_err(|error| usage(format!("{name}:{number}: {error}")))?;
            if taken == 0 {
                break;
            }
            if line.len() > ROW_BYTES_MAX {
                return Err(usage(format!(
                    "{name}:{number}: the row is longer than {ROW_BYTES_MAX} bytes"
                )));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let row = serde_json::from_slice(&line).map_err(|error| {
                usage(format!("{name}:{number}: {error}; a row looks like {form}"))
            })?;
            rows.push(row);
            if rows.len() > ROWS_MAX {
                return Err(usage(format!("more than {ROWS_MAX} rows")));
            }
        }
    }
    if rows.is_empty() {
        return Err(usage(format!("no rows; a row looks like {form}")));
    }
    Ok(rows)
}

/// Writes rows, one JSON object a line.
pub(super) fn write(file: &Path, rows: &[serde_json::Value]) -> Result<(), Stop> {
    let told = |error: std::io::Error| usage(format!("{}: {error}", file.display()));
    let mut out = std::io::BufWriter::new(File::create(file).map_err(told)?);
    for row in rows {
        writeln!(out, "{row}").map_err(told)?;
    }
    out.flush().map_err(told)
}
