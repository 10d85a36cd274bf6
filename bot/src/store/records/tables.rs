//! The tables of the records as data: what is copied from one engine to the other, and in which order rows are compared.

/// What a column holds on both engines; either may hold nothing where the table lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
}

/// One table, its columns in the order of its key and then of the rest.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    /// The first so many columns are its key; 0 where equal rows may stand beside each other, and then no column may hold nothing.
    pub key: usize,
    /// The key is made of the content: rows may be there already, with another time, and others beside them.
    pub names_content: bool,
}

use Kind::{Number, Text};

/// Every table that a migration makes; a test compares the list with a new file.
pub const TABLES: &[Table] = &[
    Table {
        name: "versions",
        columns: &[
            ("kind", Text),
            ("id", Text),
            ("body", Text),
            ("at_ms", Number),
        ],
        key: 2,
        names_content: true,
    },
    Table {
        name: "conversations",
        columns: &[
            ("id", Text),
            ("rev", Number),
            ("first_at_ms", Number),
            ("last_at_ms", Number),
            ("mode", Text),
            ("customer", Text),
        ],
        key: 1,
        names_content: false,
    },
    Table {
        name: "customers",
        columns: &[("id", Text), ("first_at_ms", Number)],
        key: 1,
        names_content: false,
    },
    Table {
        name: "identities",
        columns: &[
            ("customer", Text),
            ("kind", Text),
            ("value", Text),
            ("conversation", Text),
            ("at_ms", Number),
        ],
        key: 3,
        names_content: false,
    },
    Table {
        name: "events",
        columns: &[
            ("conversation", Text),
            ("rev", Number),
            ("at_ms", Number),
            ("events", Text),
        ],
        key: 2,
        names_content: false,
    },
    Table {
        name: "leads",
        columns: &[
            ("conversation", Text),
            ("grade", Text),
            ("score", Number),
            ("reasons", Text),
            ("at_ms", Number),
        ],
        key: 1,
        names_content: false,
    },
    Table {
        name: "grades",
        columns: &[
            ("conversation", Text),
            ("rev", Number),
            ("grade", Text),
            ("score", Number),
            ("at_ms", Number),
        ],
        key: 2,
        names_content: false,
    },
    Table {
        name: "handoffs",
        columns: &[
            ("conversation", Text),
            ("rev", Number),
            ("reason", Text),
            ("brief", Text),
            ("rep", Text),
            ("at_ms", Number),
        ],
        key: 3,
        names_content: false,
    },
    Table {
        name: "put_away",
        columns: &[
            ("conversation", Text),
            ("age", Number),
            ("body", Text),
            ("at_ms", Number),
        ],
        key: 1,
        names_content: false,
    },
    Table {
        name: "audit",
        columns: &[
            ("at_ms", Number),
            ("who", Text),
            ("what", Text),
            ("target", Text),
        ],
        key: 0,
        names_content: false,
    },
    Table {
        name: "position",
        columns: &[("id", Number), ("seq", Number)],
        key: 1,
        names_content: false,
    },
];

impl Table {
    /// The columns by which rows are told apart and ordered.
    pub(super) fn ordered_by(&self) -> &'static [(&'static str, Kind)] {
        match self.key {
            0 => self.columns,
            key => self.columns.get(..key).unwrap_or(self.columns),
        }
    }

    pub(super) fn repeats(&self) -> bool {
        self.key == 0
    }
}
