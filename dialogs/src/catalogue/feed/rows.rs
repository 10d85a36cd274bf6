//! Splits a feed into rows of named cells; a row that cannot be split becomes a problem and the next one is read.

use super::json;
use super::reader::REPEATABLE;
use super::report::Report;
use crate::text;

/// Rows of one feed.
pub const ROWS_MAX: usize = 200_000;
/// Bytes of one line.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one field.
pub const FIELD_BYTES_MAX: usize = 20_000;
/// Columns of a feed, or keys of a JSON row.
pub const COLUMNS_MAX: usize = 300;
/// Lines that one quoted row may run over.
const ROW_LINES_MAX: usize = 100;

const BOM: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug, Default)]
pub(super) struct Row {
    /// From 1.
    pub line: u32,
    /// Every column of the header, also where the row has nothing in it.
    pub cells: Vec<Cell>,
    /// What a JSON row has under `attributes`.
    pub attributes: Vec<Cell>,
}

#[derive(Debug)]
pub(super) struct Cell {
    /// The column's key.
    pub name: String,
    pub value: String,
    /// The number of the field in its row, or of the character in a JSON line; from 1.
    pub column: u32,
}

impl Row {
    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.value.is_empty()) && self.attributes.is_empty()
    }
}

/// Folded, with `_` for spaces: `Image Link` and `image_link` are one column.
pub(super) fn column_key(name: &str) -> String {
    text::fold(name).replace(' ', "_")
}

/// Which rows a feed must be able to give.
pub(super) fn read(bytes: &[u8], required: &[&str], report: &mut Report<'_>) -> Vec<Row> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        report.whole_file("the file is UTF-16", "save it as UTF-8");
        return Vec::new();
    }
    let ending = report.file.rsplit('.').next().unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "tsv" | "txt" => delimited(bytes, b'\t', required, report),
        "csv" => delimited(bytes, b',', required, report),
        "jsonl" | "ndjson" => json::rows(bytes, report),
        _ => {
            report.whole_file(
                "the ending names no form of feed",
                "name it .tsv, .csv or .jsonl",
            );
            Vec::new()
        }
    }
}

fn delimited(bytes: &[u8], delimiter: u8, required: &[&str], report: &mut Report<'_>) -> Vec<Row> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').map(trimmed).collect();
    let mut rows = Vec::new();
    let mut header: Option<Vec<String>> = None;
    let mut next = 0;
    while let Some(first) = lines.get(next) {
        let line = number(next + 1);
        let taken = row_lines(lines.get(next..).unwrap_or_default(), delimiter);
        let from = next;
        next += taken.unwrap_or(1);
        if first.is_empty() && taken == Some(1) {
            continue;
        }
        if taken.is_none() {
            report.at(
                line,
                1,
                "a quote is opened and not closed",
                "write a quote inside a quoted field twice",
            );
            continue;
        }
        let Some(fields) = fields(
            lines.get(from..next).unwrap_or_default(),
            delimiter,
            line,
            report,
        ) else {
            continue;
        };
        let Some(names) = &header else {
            match columns(&fields, required, line, report) {
                Some(names) => header = Some(names),
                None => return Vec::new(),
            }
            continue;
        };
        if rows.len() >= ROWS_MAX {
            report.at(
                line,
                1,
                format!("the feed has more than {ROWS_MAX} rows; the rest is left out"),
                "split the feed",
            );
            break;
        }
        let beyond = fields
            .iter()
            .skip(names.len())
            .any(|field| !field.is_empty());
        if beyond {
            report.at(
                line,
                number(names.len() + 1),
                format!(
                    "the row has {} fields, the header has {}",
                    fields.len(),
                    names.len()
                ),
                "put a field that holds the separator into quotes",
            );
            continue;
        }
        let mut fields = fields.into_iter();
        let row = Row {
            line,
            cells: names
                .iter()
                .enumerate()
                .map(|(at, name)| Cell {
                    name: name.clone(),
                    value: fields.next().unwrap_or_default(),
                    column: number(at + 1),
                })
                .collect(),
            attributes: Vec::new(),
        };
        if !row.is_blank() {
            rows.push(row);
        }
    }
    if header.is_none() {
        report.whole_file("the feed is empty", "the first line names the columns");
    }
    rows
}

pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// How many lines the row that begins here runs over; `None` where a quote stays open.
fn row_lines(lines: &[&[u8]], delimiter: u8) -> Option<usize> {
    let mut place = Place::FieldStart;
    for (at, line) in lines.iter().take(ROW_LINES_MAX).enumerate() {
        for byte in *line {
            place = match (place, *byte) {
                (Place::FieldStart, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::QuoteInQuoted,
                (Place::Quoted, _) => Place::Quoted,
                (Place::QuoteInQuoted, b'"') => Place::Quoted,
                (_, byte) if byte == delimiter => Place::FieldStart,
                (Place::FieldStart | Place::Bare | Place::QuoteInQuoted, _) => Place::Bare,
            };
        }
        if place != Place::Quoted {
            return Some(at + 1);
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    FieldStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

fn fields(
    lines: &[&[u8]],
    delimiter: u8,
    line: u32,
    report: &mut Report<'_>,
) -> Option<Vec<String>> {
    let row = lines.join(&b'\n');
    if row.len() > LINE_BYTES_MAX {
        report.at(
            line,
            1,
            format!("the row is {} bytes long", row.len()),
            format!("at most {LINE_BYTES_MAX} bytes"),
        );
        return None;
    }
    let mut record = csv::ByteRecord::new();
    // The lines are split already; a line break is left only inside quotes.
    let read = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::Any(b'\n'))
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(row.len().max(1))
        .from_reader(row.as_slice())
        .read_byte_record(&mut record);
    if !matches!(read, Ok(true)) {
        report.at(
            line,
            1,
            "the row cannot be split into fields",
            "one product a line",
        );
        return None;
    }
    let mut fields = Vec::with_capacity(record.len());
    for (at, field) in record.iter().enumerate() {
        let column = number(at + 1);
        if field.len() > FIELD_BYTES_MAX {
            report.at(
                line,
                column,
                format!("the field is {} bytes long", field.len()),
                format!("at most {FIELD_BYTES_MAX} bytes"),
            );
            return None;
        }
        match std::str::from_utf8(field) {
            Ok(text) => fields.push(text.trim().to_owned()),
            Err(_) => {
                report.at(
                    line,
                    column,
                    "the field is not UTF-8",
                    "save the file as UTF-8",
                );
                return None;
            }
        }
    }
    Some(fields)
}

/// The header's keys; without the required ones no row can be read.
fn columns(
    header: &[String],
    required: &[&str],
    line: u32,
    report: &mut Report<'_>,
) -> Option<Vec<String>> {
    let names: Vec<String> = header.iter().map(|name| column_key(name)).collect();
    if names.len() > COLUMNS_MAX {
        report.at(
            line,
            number(COLUMNS_MAX + 1),
            format!("the header has {} columns", names.len()),
            format!("at most {COLUMNS_MAX}"),
        );
        return None;
    }
    for (at, name) in names.iter().enumerate() {
        let repeatable = REPEATABLE.contains(&name.as_str());
        if !name.is_empty() && !repeatable && names.iter().take(at).any(|before| before == name) {
            report.at(
                line,
                number(at + 1),
                format!("the column `{name}` stands here a second time"),
                "the first one is read; rename or drop this one",
            );
        }
    }
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|name| !names.iter().any(|own| own == name))
        .collect();
    if missing.is_empty() {
        return Some(names);
    }
    for name in missing {
        let near = names
            .iter()
            .filter(|own| strsim::osa_distance(own, name) <= 2)
            .min();
        report.at(
            line,
            1,
            format!("the column `{name}` is missing"),
            match near {
                Some(own) => format!("rename `{own}` to `{name}`"),
                None => format!("name a column of the first line `{name}`"),
            },
        );
    }
    None
}

pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
