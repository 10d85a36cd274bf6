//! One statement with its values and one row of an answer, the same for both engines.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

pub(super) enum Value {
    Number(i64),
    Text(String),
    Nothing,
}

pub(super) struct Statement {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
}

impl Statement {
    pub(super) fn of(sql: &'static str) -> Self {
        Self {
            sql,
            values: Vec::new(),
        }
    }

    pub(super) fn number(mut self, value: i64) -> Self {
        self.values.push(Value::Number(value));
        self
    }

    pub(super) fn text(mut self, value: &str) -> Self {
        self.values.push(Value::Text(kept_text(value)));
        self
    }

    pub(super) fn maybe(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => {
                let mut statement = self;
                statement.values.push(Value::Nothing);
                statement
            }
        }
    }
}

/// PostgreSQL keeps no NUL in a text; a customer's one must not stop the archiver.
pub(super) fn kept_text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A statement with its values in their places; the engine follows from where it is run.
macro_rules! bound {
    ($statement:expr) => {{
        let statement = $statement;
        let mut query = sqlx::query(statement.sql);
        for value in statement.values {
            query = match value {
                Value::Number(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Nothing => query.bind(None::<String>),
            };
        }
        query
    }};
}
pub(super) use bound;

pub(super) enum Found {
    Lite(SqliteRow),
    Server(PgRow),
}

impl Found {
    pub(super) fn number(&self, column: &str) -> Result<i64, sqlx::Error> {
        match self {
            Self::Lite(row) => row.try_get(column),
            Self::Server(row) => row.try_get(column),
        }
    }

    pub(super) fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        match self {
            Self::Lite(row) => row.try_get(column),
            Self::Server(row) => row.try_get(column),
        }
    }

    pub(super) fn maybe(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
        match self {
            Self::Lite(row) => row.try_get(column),
            Self::Server(row) => row.try_get(column),
        }
    }
}
