//! Rows of RSS 2.0 and Atom: one item or entry a product, Google's names with or without `g:`. A document's own entities are never expanded.

use super::columns::column_key;
use super::html;
use super::report::Report;
use super::rows::{
    COLUMNS_MAX, Cell, FIELD_BYTES_MAX, LINE_BYTES_MAX, ROWS_MAX, Row, Take, number, whole,
};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::rc::Rc;

/// Elements within elements; a feed needs four.
const DEPTH_MAX: usize = 32;
/// Times that reading goes on behind something that is no XML.
const RESTARTS_MAX: usize = 10_000;

pub(super) fn each(text: &str, report: &mut Report<'_>, take: &mut Take<'_>) -> usize {
    let mut document = Document {
        text,
        rows: 0,
        lines: 1,
        counted_to: 0,
    };
    let mut from = 0;
    for _ in 0..RESTARTS_MAX {
        match document.read(from, report, take) {
            End::Done => break,
            End::Broken { item, at, message } => {
                let line = document.line(item.unwrap_or(at));
                report.refuse(
                    &whole(line),
                    format!("{message}; the item is left out"),
                    "close each element that is opened, and write & as &amp;",
                );
                document.rows += usize::from(item.is_some());
                // The next item may be whole.
                match next_item(text, at) {
                    Some(next) => from = next,
                    None => break,
                }
            }
        }
    }
    if document.rows == 0 {
        report.whole_file(
            "the file holds no item of a feed",
            "write each product as <item> (RSS) or <entry> (Atom)",
        );
    }
    document.rows
}

enum End {
    Done,
    /// No XML from `at` on; `item` is where the item that it stands in begins.
    Broken {
        item: Option<usize>,
        at: usize,
        message: String,
    },
}

struct Document<'t> {
    text: &'t str,
    rows: usize,
    /// Lines counted up to a place.
    lines: usize,
    counted_to: usize,
}

/// An item while it is read.
#[derive(Default)]
struct Item {
    row: Row,
    begins: usize,
    bytes: usize,
    /// Names of the open elements within the item.
    open: Vec<String>,
    value: String,
    /// Section, name and value of a `product_detail`.
    detail: [String; 3],
    too_long: bool,
}

impl Document<'_> {
    fn read(&mut self, from: usize, report: &mut Report<'_>, take: &mut Take<'_>) -> End {
        let mut reader = Reader::from_str(self.text.get(from..).unwrap_or_default());
        reader.config_mut().expand_empty_elements = true;
        // Behind a broken item the elements around it are open no more.
        reader.config_mut().allow_unmatched_ends = true;
        let mut item: Option<Item> = None;
        while self.rows < ROWS_MAX {
            let at = from + place(reader.buffer_position());
            let event = reader.read_event();
            let broken = |item: &Option<Item>, message: String| End::Broken {
                item: item.as_ref().map(|item| item.begins),
                at: from + place(reader.error_position()).max(at - from) + 1,
                message,
            };
            match event {
                Err(error) => return broken(&item, format!("no XML: {error}")),
                Ok(Event::Eof) => match item {
                    None => return End::Done,
                    Some(item) => {
                        return End::Broken {
                            item: Some(item.begins),
                            at: self.text.len(),
                            message: "the file ends inside this item".to_owned(),
                        };
                    }
                },
                Ok(Event::Start(start)) => match &mut item {
                    Some(open) => {
                        if is_item(&start) {
                            return End::Broken {
                                item: Some(open.begins),
                                at,
                                message: "the next item begins inside this one".to_owned(),
                            };
                        }
                        if open.open.len() >= DEPTH_MAX {
                            return broken(&item, format!("more than {DEPTH_MAX} levels"));
                        }
                        open.starts(&start);
                    }
                    None if is_item(&start) => {
                        item = Some(Item {
                            begins: at,
                            ..Item::default()
                        });
                    }
                    None => {}
                },
                Ok(Event::End(_)) => {
                    let is_over = item.as_mut().is_some_and(|item| !item.ends());
                    if is_over && let Some(item) = item.take() {
                        self.rows += 1;
                        report.read_to = from + place(reader.buffer_position());
                        self.item(item, report, take);
                    }
                }
                Ok(Event::Text(text)) => {
                    if let Some(item) = &mut item {
                        item.push(&text);
                    }
                }
                Ok(Event::CData(data)) => {
                    if let Some(item) = &mut item {
                        item.push(&data);
                    }
                }
                Ok(Event::GeneralRef(name)) => {
                    if let Some(item) = &mut item {
                        let name: &str = &name;
                        match html::entity(name) {
                            Some(text) => item.push(&text),
                            None => item.push(&format!("&{name};")),
                        }
                    }
                }
                // A document type may declare entities; nothing of it is used.
                Ok(Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_)) => {}
                Ok(Event::Empty(_)) => {}
            }
        }
        let line = self.line(from + place(reader.buffer_position()));
        report.refuse(
            &whole(line),
            format!("the feed has more than {ROWS_MAX} rows; the rest is left out"),
            "split the feed",
        );
        End::Done
    }

    fn item(&mut self, mut item: Item, report: &mut Report<'_>, take: &mut Take<'_>) {
        let line = self.line(item.begins);
        if item.too_long || item.row.cells.len() > COLUMNS_MAX {
            report.refuse(
                &whole(line),
                "the item is too long; it is left out",
                format!(
                    "at most {LINE_BYTES_MAX} bytes, {FIELD_BYTES_MAX} an element, {COLUMNS_MAX} elements"
                ),
            );
            return;
        }
        item.row.line = line;
        take(item.row, report);
    }

    /// The line of a byte; asked for in rising order, so that each line is counted once.
    fn line(&mut self, at: usize) -> u32 {
        if at > self.counted_to {
            let passed = self.text.as_bytes().get(self.counted_to..at);
            self.lines += passed
                .unwrap_or_default()
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            self.counted_to = at;
        }
        number(self.lines)
    }
}

impl Item {
    fn starts(&mut self, start: &BytesStart<'_>) {
        let name = key(start.name().as_ref());
        // Atom writes its link as an attribute.
        if name == "link"
            && let Ok(Some(link)) = start.try_get_attribute("href")
        {
            let other = start
                .try_get_attribute("rel")
                .ok()
                .flatten()
                .is_some_and(|rel| &*rel.value != "alternate");
            if !other {
                let address = html::plain(&link.value);
                self.cell("link", address);
            }
        }
        self.open.push(name);
        self.value.clear();
    }

    /// False where the item itself ends.
    fn ends(&mut self) -> bool {
        let Some(name) = self.open.pop() else {
            return false;
        };
        let value = std::mem::take(&mut self.value).trim().to_owned();
        let within = self.open.first().map(String::as_str);
        match (within, name.as_str()) {
            (None, "product_detail") => {
                let [section, name, value] = std::mem::take(&mut self.detail);
                // Within one element a comma parts nothing.
                let value = value.replace(',', "，");
                self.cell("product_detail", format!("{section}:{name}:{value}"));
            }
            (None, _) => self.cell(&name, value),
            (Some("product_detail"), part) => {
                let at = match part {
                    "section_name" => 0,
                    "attribute_name" => 1,
                    _ => 2,
                };
                if let Some(own) = self.detail.get_mut(at) {
                    *own = value;
                }
            }
            // What stands deeper, such as the price of a shipping, is no attribute of the product.
            (Some(_), _) => {}
        }
        true
    }

    fn push(&mut self, text: &str) {
        self.bytes += text.len();
        if self.bytes > LINE_BYTES_MAX || self.value.len() + text.len() > FIELD_BYTES_MAX {
            self.too_long = true;
            return;
        }
        self.value.push_str(text);
    }

    /// Google's own element goes before the feed's of the same name, whichever comes first.
    fn cell(&mut self, name: &str, value: String) {
        let (name, is_own) = match name.strip_prefix("g:") {
            Some(own) => (own, true),
            None => (name, false),
        };
        let name = match name {
            "summary" | "content" => "description",
            name => name,
        };
        let repeatable = matches!(
            name,
            "product_detail" | "product_highlight" | "additional_image_link"
        );
        let taken = self
            .row
            .cells
            .iter_mut()
            .find(|cell| &*cell.name == name && !repeatable);
        match taken {
            Some(cell) if (is_own && !value.is_empty()) || cell.value.is_empty() => {
                cell.value = value;
            }
            Some(_) => {}
            None => self.row.cells.push(Cell {
                name: Rc::from(name),
                value,
                column: 1,
            }),
        }
    }
}

/// Google's prefix is kept, any other is dropped.
fn key(name: &str) -> String {
    match name.split_once(':') {
        Some(("g", local)) => match local {
            "title" | "link" | "description" | "id" => format!("g:{}", column_key(local)),
            local => column_key(local),
        },
        Some((_, local)) => column_key(local),
        None => column_key(name),
    }
}

fn is_item(start: &BytesStart<'_>) -> bool {
    matches!(start.name().as_ref(), "item" | "entry")
}

fn next_item(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let begins = |at: &usize| {
        let here = rest.get(*at..).unwrap_or_default();
        [&b"<item"[..], b"<entry"].iter().any(|tag| {
            here.strip_prefix(*tag)
                .and_then(|after| after.first())
                .is_some_and(|byte| matches!(byte, b'>' | b' ' | b'\n' | b'\r' | b'\t'))
        })
    };
    (0..rest.len()).find(begins).map(|at| from + at)
}

fn place(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
