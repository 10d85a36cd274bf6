//! One row as it is copied and compared on either engine, and the hash over many.

use super::statement::kept_text;
use super::tables::{Kind, Table};
use sha2::{Digest, Sha256};
use sqlx::{ColumnIndex, Decode, Row, Type};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Nothing,
    Number(i64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// In the order of the table's columns.
    pub(super) cells: Vec<Cell>,
    /// How often the row is there.
    pub(super) copies: i64,
}

impl Line {
    pub(super) fn key(&self, table: &Table) -> impl Iterator<Item = &Cell> {
        self.cells.iter().take(table.ordered_by().len())
    }

    /// As PostgreSQL keeps it, which has no NUL in a text.
    pub(super) fn kept(mut self) -> Self {
        for cell in &mut self.cells {
            if let Cell::Text(text) = cell
                && text.contains('\0')
            {
                *text = kept_text(text);
            }
        }
        self
    }

    pub(super) fn bytes(&self) -> usize {
        let texts = self.cells.iter().map(|cell| match cell {
            Cell::Nothing | Cell::Number(_) => 8,
            Cell::Text(text) => text.len(),
        });
        texts.sum()
    }

    /// The conversation, customer or version that it is about, and no more of it: a key may hold a contact.
    pub(super) fn named(&self, table: &Table) -> String {
        match self.key(table).next() {
            Some(Cell::Text(id)) if !table.repeats() => format!("a row of {id}"),
            _ => "a row".to_owned(),
        }
    }
}

pub(super) fn line_of<'r, R: Row>(row: &'r R, table: &Table) -> Result<Line, sqlx::Error>
where
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut cells = Vec::with_capacity(table.columns.len());
    for (at, (_, kind)) in table.columns.iter().enumerate() {
        cells.push(match kind {
            Kind::Number => row
                .try_get::<Option<i64>, _>(at)?
                .map_or(Cell::Nothing, Cell::Number),
            Kind::Text => row
                .try_get::<Option<String>, _>(at)?
                .map_or(Cell::Nothing, Cell::Text),
        });
    }
    let copies = row.try_get::<i64, _>(table.columns.len())?;
    Ok(Line { cells, copies })
}

/// A hash over rows in their order, and how many they are.
#[derive(Default)]
pub(super) struct Fingerprint {
    pub(super) rows: u64,
    hasher: Sha256,
}

impl Fingerprint {
    pub(super) fn add(&mut self, line: &Line) {
        self.rows += u64::try_from(line.copies).unwrap_or(0);
        for cell in &line.cells {
            match cell {
                Cell::Nothing => self.hasher.update([0]),
                Cell::Number(number) => {
                    self.hasher.update([1]);
                    self.hasher.update(number.to_be_bytes());
                }
                Cell::Text(text) => {
                    self.hasher.update([2]);
                    self.hasher.update((text.len() as u64).to_be_bytes());
                    self.hasher.update(text.as_bytes());
                }
            }
        }
        self.hasher.update(line.copies.to_be_bytes());
    }

    pub(super) fn hash(self) -> String {
        hex::encode(self.hasher.finalize())
    }
}
