//! Splits a table into rows of named cells; a row that cannot be split is refused and the next one is read.

use super::columns::{REPEATABLE, column_key, is_known, known_name};
use super::report::{Place, Report};
use std::rc::Rc;

/// Rows of one feed.
pub const ROWS_MAX: usize = 200_000;
/// Bytes of one line.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one field.
pub const FIELD_BYTES_MAX: usize = 64 * 1024;
/// Columns of a feed, or keys of a JSON row.
pub const COLUMNS_MAX: usize = 300;
/// Lines that one quoted row may run over.
const ROW_LINES_MAX: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Row {
    /// From 1.
    pub line: u32,
    /// Every column of the header, also where the row has nothing in it.
    pub cells: Vec<Cell>,
    /// What a JSON row has under `attributes`.
    pub attributes: Vec<Cell>,
}

#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The column's key.
    pub name: Rc<str>,
    pub value: String,
    /// The number of the field in its row, or of the character in a JSON line; from 1.
    pub column: u32,
}

/// What takes the rows of a feed, one after the other.
pub(super) type Take<'t> = dyn FnMut(Row, &mut Report<'_>) + 't;

impl Row {
    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| &*cell.name == name)
    }

    /// The field of the row that has nothing of it named yet.
    pub(super) fn place<'f>(&self, field: &'f str) -> Place<'f> {
        Place {
            line: self.line,
            column: self.cell(field).map_or(1, |cell| cell.column),
            field,
        }
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.value.is_empty()) && self.attributes.is_empty()
    }
}

/// The whole of a row.
pub(super) fn whole(line: u32) -> Place<'static> {
    Place {
        line,
        column: 1,
        field: "",
    }
}

/// Gives each row of the table, under the keys that `columns` makes of the header.
pub(super) fn each(
    bytes: &[u8],
    delimiter: u8,
    required: &[&str],
    report: &mut Report<'_>,
    take: &mut Take<'_>,
) -> usize {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').map(trimmed).collect();
    let mut header: Option<Vec<Rc<str>>> = None;
    let mut rows = 0;
    let mut next = 0;
    while let Some(first) = lines.get(next) {
        let line = number(next + 1);
        let from = next;
        let taken = row_lines(lines.get(from..).unwrap_or_default(), delimiter);
        next += taken.unwrap_or(1);
        let read = lines.get(from..next).unwrap_or_default();
        report.read_to += read.iter().map(|line| line.len() + 1).sum::<usize>();
        if first.is_empty() && taken == Some(1) {
            continue;
        }
        let is_over = rows >= ROWS_MAX;
        if is_over {
            report.refuse(
                &whole(line),
                format!("the feed has more than {ROWS_MAX} rows; the rest is left out"),
                "split the feed",
            );
            break;
        }
        rows += usize::from(header.is_some());
        if taken.is_none() {
            refuse_quote(line, report);
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
                None => return 0,
            }
            continue;
        };
        let beyond = fields
            .iter()
            .skip(names.len())
            .any(|field| !field.is_empty());
        // A quote that is never closed runs on into the rows below; those are read on their own.
        let ran_on = next - from > 1 && fields.len() != names.len();
        if ran_on {
            refuse_quote(line, report);
            next = from + 1;
            continue;
        }
        if beyond {
            report.refuse(
                &Place {
                    line,
                    column: number(names.len() + 1),
                    field: "",
                },
                format!(
                    "the row has {} fields, the header has {}; the row is left out",
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
                    name: Rc::clone(name),
                    value: fields.next().unwrap_or_default(),
                    column: number(at + 1),
                })
                .collect(),
            attributes: Vec::new(),
        };
        if row.is_blank() {
            rows -= 1;
        } else {
            take(row, report);
        }
    }
    rows
}

fn refuse_quote(line: u32, report: &mut Report<'_>) {
    report.refuse(
        &whole(line),
        "a quote is opened and not closed; the row is left out",
        "write a quote inside a quoted field twice",
    );
}

pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// How many lines the row that begins here runs over; `None` where a quote stays open.
fn row_lines(lines: &[&[u8]], delimiter: u8) -> Option<usize> {
    let mut scan = Scan::FieldStart;
    for (at, line) in lines.iter().take(ROW_LINES_MAX).enumerate() {
        for byte in *line {
            // What follows a closing quote is a separator; else the quote of a row above was never closed and met another one.
            let is_stray = !matches!(*byte, b'"') && *byte != delimiter;
            if at > 0 && scan == Scan::QuoteInQuoted && is_stray {
                return None;
            }
            scan = match (scan, *byte) {
                (Scan::FieldStart, b'"') => Scan::Quoted,
                (Scan::Quoted, b'"') => Scan::QuoteInQuoted,
                (Scan::Quoted, _) => Scan::Quoted,
                (Scan::QuoteInQuoted, b'"') => Scan::Quoted,
                (_, byte) if byte == delimiter => Scan::FieldStart,
                (Scan::FieldStart | Scan::Bare | Scan::QuoteInQuoted, _) => Scan::Bare,
            };
        }
        if scan != Scan::Quoted {
            return Some(at + 1);
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq)]
enum Scan {
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
        report.refuse(
            &whole(line),
            format!("the row is {} bytes long; it is left out", row.len()),
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
        report.refuse(
            &whole(line),
            "the row cannot be split into fields; it is left out",
            "one product a line",
        );
        return None;
    }
    let mut fields = Vec::with_capacity(record.len());
    for (at, field) in record.iter().enumerate() {
        let place = Place {
            line,
            column: number(at + 1),
            field: "",
        };
        if field.len() > FIELD_BYTES_MAX {
            report.refuse(
                &place,
                format!(
                    "the field is {} bytes long; the row is left out",
                    field.len()
                ),
                format!("at most {FIELD_BYTES_MAX} bytes"),
            );
            return None;
        }
        match std::str::from_utf8(field) {
            Ok(text) => fields.push(text.trim().to_owned()),
            Err(_) => {
                report.refuse(
                    &place,
                    "the field is not UTF-8; the row is left out",
                    "save the file as UTF-8 or GB18030",
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
) -> Option<Vec<Rc<str>>> {
    let names: Vec<String> = header
        .iter()
        .map(|name| known_name(&column_key(name)))
        .collect();
    let at = |column: usize| Place {
        line,
        column: number(column),
        field: "",
    };
    if names.len() > COLUMNS_MAX {
        report.refuse(
            &at(COLUMNS_MAX + 1),
            format!("the header has {} columns", names.len()),
            format!("at most {COLUMNS_MAX}"),
        );
        return None;
    }
    if !required.is_empty() && !names.iter().any(|name| is_known(name)) {
        report.refuse(
            &at(1),
            "the first line names no column of a product feed",
            "write a first line such as `id,title,price,availability`",
        );
        return None;
    }
    for (place, name) in names.iter().enumerate() {
        let repeatable = REPEATABLE.contains(&name.as_str());
        if !name.is_empty() && !repeatable && names.iter().take(place).any(|before| before == name)
        {
            report.mend(
                &at(place + 1),
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
    for name in &missing {
        let near = names
            .iter()
            .filter(|own| strsim::osa_distance(own, name) <= 2)
            .min();
        report.refuse(
            &at(1),
            format!("the column `{name}` is missing"),
            match near {
                Some(own) => format!("rename `{own}` to `{name}`"),
                None => format!("name a column of the first line `{name}`"),
            },
        );
    }
    missing
        .is_empty()
        .then(|| names.into_iter().map(Rc::from).collect())
}

pub(super) fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
