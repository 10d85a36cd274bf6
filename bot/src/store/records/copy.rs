//! Copies the records of a file to a server, table by table in the order of the keys, and compares both.
//!
//! A batch is one statement, so a copy that was killed leaves no half batch. Rows that are there already stay as they are, so running it again goes on; what differs is found by the comparison.

use super::line::{Cell, Fingerprint, Line, line_of};
use super::tables::{Kind, TABLES, Table};
use super::{Engine, Records, Server, faults};
use crate::store::StoreError;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres};

/// Rows read at once.
const PAGE_ROWS: usize = 500;
/// Bytes of one batch, unless a single row is larger.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// A batch may take so many times the limit of a statement.
const BATCH_LIMITS: u32 = 6;
/// Counting a large table reads all of it: so many times the limit of a statement.
const COUNT_LIMITS: u32 = 240;

/// What a table is on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    pub table: &'static str,
    pub rows: u64,
    pub rows_there: u64,
    /// SHA-256 over the rows in the order of their keys.
    pub hash: String,
    pub hash_there: String,
    /// A row that is not there, or differs.
    pub differs: Option<String>,
    /// Rows beside ours are as it should be.
    pub names_content: bool,
}

impl Compared {
    pub fn same(&self) -> bool {
        let counted =
            self.rows == self.rows_there || (self.names_content && self.rows < self.rows_there);
        counted && self.hash == self.hash_there && self.differs.is_none()
    }
}

impl Records {
    /// Rows of all tables of the file.
    pub async fn count(&self) -> Result<u64, StoreError> {
        let file = self.file()?;
        let mut rows = 0;
        for table in TABLES {
            rows += file.count(table).await?;
        }
        Ok(rows)
    }

    /// Writes every row of this file that the server lacks; `told` hears how many rows were looked at.
    pub async fn copy_to(
        &self,
        target: &Records,
        told: &mut dyn FnMut(u64),
    ) -> Result<(), StoreError> {
        let (file, server) = (self.file()?, target.server()?);
        file.refuse_unlisted().await?;
        for table in TABLES {
            let mut after = None;
            loop {
                let page = file.page(table, after.as_ref()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                let rows = page.len() as u64;
                for batch in batches(page) {
                    write(server, table, &batch).await?;
                }
                told(rows);
            }
        }
        Ok(())
    }

    /// Reads every table on both sides, the server's rows by the keys of the file's.
    pub async fn compare_with(
        &self,
        target: &Records,
        told: &mut dyn FnMut(u64),
    ) -> Result<Vec<Compared>, StoreError> {
        let (file, server) = (self.file()?, target.server()?);
        let mut tables = Vec::new();
        for table in TABLES {
            let (mut here, mut there) = (Fingerprint::default(), Fingerprint::default());
            let mut differs = None;
            let mut after = None;
            loop {
                let page = file.page(table, after.as_ref()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.clone());
                let mut found = read(server, table, &page).await?;
                // The server may order texts by its language.
                found.sort();
                let page: Vec<Line> = page.into_iter().map(Line::kept).collect();
                if differs.is_none() && page != found {
                    let row = page.iter().find(|row| !found.contains(row));
                    differs = row.map(|row| row.named(table));
                }
                page.iter().for_each(|row| here.add(row));
                found.iter().for_each(|row| there.add(row));
                told(page.len() as u64);
            }
            tables.push(Compared {
                table: table.name,
                rows: here.rows,
                rows_there: count(server, table).await?,
                hash: here.hash(),
                hash_there: there.hash(),
                differs,
                names_content: table.names_content,
            });
        }
        Ok(tables)
    }

    fn file(&self) -> Result<File<'_>, StoreError> {
        match &self.engine {
            Engine::Lite(pool, name) => Ok(File { pool, name }),
            Engine::Server(server) => Err(StoreError::Corrupt {
                what: format!("{}: records are copied from a file", server.address()),
            }),
        }
    }

    fn server(&self) -> Result<&Server, StoreError> {
        match &self.engine {
            Engine::Server(server) => Ok(server),
            Engine::Lite(_, name) => Err(StoreError::Corrupt {
                what: format!("{name}: records are copied to a server"),
            }),
        }
    }
}

struct File<'a> {
    pool: &'a SqlitePool,
    name: &'a str,
}

impl File<'_> {
    fn told(&self, error: &sqlx::Error) -> StoreError {
        faults::on_file(self.name, error)
    }

    async fn count(&self, table: &Table) -> Result<u64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM \"{}\"", table.name);
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(self.pool)
            .await
            .map_err(|error| self.told(&error))?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    /// A table that is not on the list would be left behind in silence.
    async fn refuse_unlisted(&self) -> Result<(), StoreError> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                .fetch_all(self.pool)
                .await
                .map_err(|error| self.told(&error))?;
        let own = |name: &str| name.starts_with("sqlite_") || name.starts_with("_sqlx");
        match names
            .iter()
            .find(|name| !own(name) && !TABLES.iter().any(|table| table.name == **name))
        {
            None => Ok(()),
            Some(name) => Err(StoreError::Corrupt {
                what: format!(
                    "{}: the table `{name}` is not one of ours; move it elsewhere first",
                    self.name
                ),
            }),
        }
    }

    async fn page(&self, table: &Table, after: Option<&Line>) -> Result<Vec<Line>, StoreError> {
        let columns = quoted(table.columns, "");
        let ordered = quoted(table.ordered_by(), "");
        let (copies, grouped) = match table.repeats() {
            true => ("COUNT(*)", format!(" GROUP BY {columns}")),
            false => ("1", String::new()),
        };
        let bound = match after {
            Some(_) => format!(" WHERE ({ordered}) > ({})", marks(table.ordered_by().len())),
            None => String::new(),
        };
        let sql = format!(
            "SELECT {columns}, {copies} FROM \"{}\"{bound}{grouped} ORDER BY {ordered} LIMIT {PAGE_ROWS}",
            table.name
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for cell in after.into_iter().flat_map(|line| line.key(table)) {
            query = match cell {
                Cell::Nothing => query.bind(None::<String>),
                Cell::Number(number) => query.bind(number),
                Cell::Text(text) => query.bind(text),
            };
        }
        let rows = query.fetch_all(self.pool).await;
        let rows = rows.map_err(|error| self.told(&error))?;
        rows.iter()
            .map(|row| line_of(row, table).map_err(|error| self.told(&error)))
            .collect()
    }
}

fn batches(lines: Vec<Line>) -> Vec<Vec<Line>> {
    let mut batches: Vec<Vec<Line>> = Vec::new();
    let mut bytes = 0;
    for line in lines {
        bytes += line.bytes();
        match batches.last_mut() {
            Some(batch) if bytes <= BATCH_BYTES => batch.push(line),
            _ => {
                bytes = line.bytes();
                batches.push(vec![line]);
            }
        }
    }
    batches
}

async fn write(server: &Server, table: &Table, batch: &[Line]) -> Result<(), StoreError> {
    let sql = insert(table);
    let batch: Vec<Line> = batch.iter().cloned().map(Line::kept).collect();
    let copies: Vec<i64> = batch.iter().map(|line| line.copies).collect();
    server
        .step(BATCH_LIMITS, async |connection: &mut PgConnection| {
            let query = with_arrays(&sql, table.columns, &batch);
            let query = match table.repeats() {
                true => query.bind(copies),
                false => query,
            };
            query.execute(connection).await?;
            Ok(())
        })
        .await
}

/// Rows that are there already stay, apart from the times of what is named by its content.
fn insert(table: &Table) -> String {
    let columns = quoted(table.columns, "");
    let name = table.name;
    let arrays = arrays(table.columns);
    if table.repeats() {
        let next = table.columns.len() + 1;
        let same = joined(table.columns, " AND ", |column| {
            format!("old.\"{column}\" = new.\"{column}\"")
        });
        let new = quoted(table.columns, "new.");
        return format!(
            "INSERT INTO \"{name}\" ({columns}) SELECT {new} FROM UNNEST({arrays}, ${next}::bigint[]) AS new ({columns}, copies) LEFT JOIN (SELECT {columns}, COUNT(*) AS copies FROM \"{name}\" GROUP BY {columns}) AS old ON {same} CROSS JOIN LATERAL generate_series(1, new.copies - COALESCE(old.copies, 0))"
        );
    }
    let met = if table.names_content {
        let rest = table.columns.get(table.key..).unwrap_or_default();
        let set = joined(rest, ", ", |column| {
            format!("\"{column}\" = excluded.\"{column}\"")
        });
        format!("({}) DO UPDATE SET {set}", quoted(table.ordered_by(), ""))
    } else {
        "DO NOTHING".to_owned()
    };
    format!("INSERT INTO \"{name}\" ({columns}) SELECT * FROM UNNEST({arrays}) ON CONFLICT {met}")
}

/// The server's rows with the keys of these.
async fn read(server: &Server, table: &Table, lines: &[Line]) -> Result<Vec<Line>, StoreError> {
    let (columns, ordered) = (quoted(table.columns, ""), quoted(table.ordered_by(), ""));
    let (copies, grouped) = match table.repeats() {
        true => ("COUNT(*)", format!(" GROUP BY {columns}")),
        false => ("CAST(1 AS BIGINT)", String::new()),
    };
    let sql = format!(
        "SELECT {columns}, {copies} FROM \"{}\" WHERE ({ordered}) IN (SELECT * FROM UNNEST({})){grouped}",
        table.name,
        arrays(table.ordered_by())
    );
    let lines: Vec<Line> = lines.iter().cloned().map(Line::kept).collect();
    server
        .step(BATCH_LIMITS, async |connection: &mut PgConnection| {
            let rows = with_arrays(&sql, table.ordered_by(), &lines)
                .fetch_all(connection)
                .await?;
            rows.iter().map(|row| line_of(row, table)).collect()
        })
        .await
}

async fn count(server: &Server, table: &Table) -> Result<u64, StoreError> {
    let sql = format!("SELECT COUNT(*) FROM \"{}\"", table.name);
    let rows: i64 = server
        .step(COUNT_LIMITS, async |connection: &mut PgConnection| {
            let mut transaction = connection.begin().await?;
            sqlx::query("SET LOCAL statement_timeout = 0")
                .execute(&mut *transaction)
                .await?;
            let rows = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(rows)
        })
        .await?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// One array a column, the first of the rows' cells in it.
fn with_arrays<'q>(
    sql: &str,
    columns: &[(&str, Kind)],
    lines: &[Line],
) -> Query<'q, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for (at, (_, kind)) in columns.iter().enumerate() {
        let cells = lines.iter().map(|line| line.cells.get(at));
        query = match kind {
            Kind::Number => query.bind(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Number(number)) => Some(*number),
                        _ => None,
                    })
                    .collect::<Vec<Option<i64>>>(),
            ),
            Kind::Text => query.bind(
                cells
                    .map(|cell| match cell {
                        Some(Cell::Text(text)) => Some(text.clone()),
                        _ => None,
                    })
                    .collect::<Vec<Option<String>>>(),
            ),
        };
    }
    query
}

fn joined(columns: &[(&str, Kind)], between: &str, written: impl Fn(&str) -> String) -> String {
    let all: Vec<String> = columns.iter().map(|(name, _)| written(name)).collect();
    all.join(between)
}

fn quoted(columns: &[(&str, Kind)], of: &str) -> String {
    joined(columns, ", ", |name| format!("{of}\"{name}\""))
}

fn marks(count: usize) -> String {
    let all: Vec<String> = (1..=count).map(|at| format!("${at}")).collect();
    all.join(", ")
}

fn arrays(columns: &[(&str, Kind)]) -> String {
    let all: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (_, kind))| match kind {
            Kind::Number => format!("${}::bigint[]", at + 1),
            Kind::Text => format!("${}::text[]", at + 1),
        })
        .collect();
    all.join(", ")
}
