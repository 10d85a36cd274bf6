//! Gathers what is wrong with a feed: which rows are refused, and what was mended in those that are taken.

use crate::Problem;
use std::collections::BTreeSet;

/// Problems named of one feed in a shop's folder; the others are counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// One thing that is wrong with a feed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// From 1; 0 is the whole file.
    pub line: u32,
    /// The number of the field, or of the character in a JSON line; from 1.
    pub column: u32,
    /// The attribute, by the feed's name for it; empty where it is the whole row.
    pub field: String,
    pub message: String,
    /// What would be right.
    pub help: String,
    /// The row is not taken.
    pub refused: bool,
}

pub(super) struct Report<'a> {
    pub file: &'a str,
    remarks: Vec<Remark>,
    named_max: usize,
    unnamed: usize,
    refused: BTreeSet<u32>,
    /// Bytes that the rows so far take up.
    pub read_to: usize,
}

/// Where something is wrong.
pub(super) struct Place<'a> {
    pub line: u32,
    pub column: u32,
    pub field: &'a str,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str, named_max: usize) -> Self {
        Self {
            file,
            remarks: Vec::new(),
            named_max,
            unnamed: 0,
            refused: BTreeSet::new(),
            read_to: 0,
        }
    }

    /// Something was mended or left out; the row is taken.
    pub(super) fn mend(
        &mut self,
        at: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(at, message.into(), help.into(), false);
    }

    /// The row is not taken.
    pub(super) fn refuse(
        &mut self,
        at: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.refused.insert(at.line);
        self.add(at, message.into(), help.into(), true);
    }

    pub(super) fn whole_file(&mut self, message: &str, help: &str) {
        let at = Place {
            line: 0,
            column: 0,
            field: "",
        };
        self.add(&at, message.to_owned(), help.to_owned(), true);
    }

    fn add(&mut self, at: &Place<'_>, message: String, help: String, refused: bool) {
        if self.remarks.len() >= self.named_max {
            self.unnamed += 1;
            return;
        }
        self.remarks.push(Remark {
            line: at.line,
            column: at.column,
            field: at.field.to_owned(),
            message,
            help,
            refused,
        });
    }

    pub(super) fn rows_refused(&self) -> usize {
        self.refused.len()
    }

    /// By line and column; the last one counts those that are not named.
    pub(super) fn finish(mut self) -> Vec<Remark> {
        self.remarks.sort();
        if self.unnamed > 0 {
            self.remarks.push(Remark {
                line: 0,
                column: 0,
                field: String::new(),
                message: format!("{} more problems", self.unnamed),
                help: "mend those above first".to_owned(),
                refused: false,
            });
        }
        self.remarks
    }
}

impl Remark {
    pub fn problem(&self, file: &str) -> Problem {
        Problem {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            message: self.message.clone(),
            help: Some(self.help.clone()),
        }
    }
}
