//! Tells what kind of feed a file holds, by its content; the ending decides only where the content leaves it open.

use super::report::Report;

/// Bytes looked at.
const HEAD_BYTES_MAX: usize = 8_192;

/// The forms a feed comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A table with Google's attribute names; the byte parts its fields.
    Table(u8),
    /// Shopify's product export; the byte parts its fields.
    Shopify(u8),
    Xml,
    JsonLines,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Table(b'\t') => "tsv",
            Kind::Table(_) => "csv",
            Kind::Shopify(_) => "shopify_csv",
            Kind::Xml => "xml",
            Kind::JsonLines => "json_lines",
        }
    }
}

/// What files begin with that are no feeds, and what to do with them.
const FOREIGN: [(&[u8], &str, &str); 5] = [
    (
        b"PK\x03\x04",
        "the file is a packed file or a workbook, no text",
        "save the sheet as CSV (UTF-8), or unpack the file",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "the file is a workbook, no text",
        "save the sheet as CSV (UTF-8)",
    ),
    (b"\x1f\x8b", "the file is packed", "unpack it first"),
    (
        b"%PDF",
        "the file is a PDF",
        "export the products as TSV, CSV, XML or JSON Lines",
    ),
    (
        b"[",
        "the file is one JSON list",
        "write one object a line (JSON Lines)",
    ),
];

/// None where it is no feed; why is reported.
pub(super) fn of(bytes: &[u8], report: &mut Report<'_>) -> Option<Kind> {
    let head = bytes.get(..bytes.len().min(HEAD_BYTES_MAX))?;
    let head = head.trim_ascii_start();
    if head.is_empty() {
        report.whole_file("the feed is empty", "the first line names the columns");
        return None;
    }
    for (begins, what, help) in FOREIGN {
        if head.starts_with(begins) {
            report.whole_file(what, help);
            return None;
        }
    }
    if head.contains(&0) {
        report.whole_file(
            "the file is no text",
            "export the products as TSV, CSV, XML or JSON Lines",
        );
        return None;
    }
    if head.starts_with(b"{") {
        return Some(Kind::JsonLines);
    }
    if head.starts_with(b"<") {
        let text = String::from_utf8_lossy(head).to_lowercase();
        if text.contains("<html") || text.starts_with("<!doctype html") {
            report.whole_file(
                "the file is a web page",
                "download the feed itself: RSS or Atom with one item a product",
            );
            return None;
        }
        return Some(Kind::Xml);
    }
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let delimiter = delimiter(first, report.file);
    let names = String::from_utf8_lossy(first).to_lowercase();
    let shopify = names.contains("handle") && names.contains("variant price");
    Some(if shopify {
        Kind::Shopify(delimiter)
    } else {
        Kind::Table(delimiter)
    })
}

/// What parts the names of the first line: that which stands there most often.
fn delimiter(first: &[u8], file: &str) -> u8 {
    let by_ending = if file.to_ascii_lowercase().ends_with(".tsv") {
        b'\t'
    } else {
        b','
    };
    let mut quoted = false;
    let mut counts = [(b'\t', 0_usize), (b',', 0), (b';', 0), (b'|', 0)];
    for byte in first {
        if *byte == b'"' {
            quoted = !quoted;
        }
        for (delimiter, count) in &mut counts {
            if !quoted && byte == delimiter {
                *count += 1;
            }
        }
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .max_by_key(|(delimiter, count)| (*count, *delimiter == by_ending))
        .map_or(by_ending, |(delimiter, _)| delimiter)
}
