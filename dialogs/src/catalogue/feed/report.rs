//! Gathers a feed's problems, at most so many.

use crate::Problem;

/// Problems named of one feed; the others are counted.
pub const PROBLEMS_MAX: usize = 1_000;

pub(super) struct Report<'a> {
    pub file: &'a str,
    problems: Vec<Problem>,
    unnamed: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self {
            file,
            problems: Vec::new(),
            unnamed: 0,
        }
    }

    pub(super) fn at(
        &mut self,
        line: u32,
        column: u32,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.problems.len() >= PROBLEMS_MAX {
            self.unnamed += 1;
            return;
        }
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            column,
            message: message.into(),
            help: Some(help.into()),
        });
    }

    pub(super) fn whole_file(&mut self, message: &str, help: &str) {
        self.at(0, 0, message, help);
    }

    /// By line and column.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort();
        if self.unnamed > 0 {
            self.problems.push(Problem {
                file: self.file.to_owned(),
                line: 0,
                column: 0,
                message: format!("{} more problems", self.unnamed),
                help: Some("mend those above first".to_owned()),
            });
        }
        self.problems
    }
}
