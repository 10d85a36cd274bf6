//! What goes wrong with the records, in words that say what to do; never with a secret or a customer's text.

use crate::store::StoreError;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use std::io::ErrorKind;
use std::time::Duration;

fn unavailable(at: &str, text: &str) -> StoreError {
    StoreError::Unavailable {
        what: format!("records: {at}: {text}"),
    }
}

fn corrupt(at: &str, text: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!("records: {at}: {text}"),
    }
}

pub(super) fn late(at: &str, limit: Duration) -> StoreError {
    unavailable(at, &format!("no answer within {} ms", limit.as_millis()))
}

pub(super) fn on_file(file: &str, error: &sqlx::Error) -> StoreError {
    unavailable(file, &error.to_string())
}

pub(super) fn migration(at: &str, error: &MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            on_server(at, error)
        }
        MigrateError::VersionMissing(version) => corrupt(
            at,
            &format!(
                "the tables have form {version}, which is newer than this program; run the newer one"
            ),
        ),
        error => corrupt(at, &error.to_string()),
    }
}

/// `at` is the address without user and password.
pub(super) fn on_server(at: &str, error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Io(error) => unavailable(at, &io(error.kind(), &error.to_string())),
        sqlx::Error::Tls(error) => unavailable(at, &tls(&error.to_string())),
        sqlx::Error::Database(error) => database(at, error.as_ref()),
        sqlx::Error::Configuration(error) => corrupt(at, &error.to_string()),
        sqlx::Error::ColumnDecode { index, source } => {
            corrupt(at, &format!("the column {index} is not ours: {source}"))
        }
        error => unavailable(at, &error.to_string()),
    }
}

fn io(kind: ErrorKind, text: &str) -> String {
    let lower = text.to_lowercase();
    let advice = if kind == ErrorKind::ConnectionRefused {
        "the connection is refused; start PostgreSQL there, or correct the host and port in records.url"
    } else if lower.contains("lookup") || lower.contains("resolve") {
        "the host name is not known; correct records.url"
    } else if lower.contains("certificate") || lower.contains("tls") {
        return tls(text);
    } else {
        "the connection broke"
    };
    format!("{advice} ({text})")
}

fn tls(text: &str) -> String {
    let lower = text.to_lowercase();
    let advice = if lower.contains("unknownissuer") || lower.contains("unknown issuer") {
        "the server's certificate is of an unknown authority; name its file in records.ca_file"
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        "the server's certificate is for another host name; use that name in records.url"
    } else if lower.contains("does not support tls") {
        "the server speaks no TLS; set `ssl = on` there, or write sslmode=disable in records.url"
    } else {
        "TLS is refused"
    };
    format!("{advice} ({text})")
}

fn database(at: &str, error: &dyn DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default();
    let message = error.message();
    let told = |advice: &str| unavailable(at, &format!("{advice} ({code}: {message})"));
    match code.as_ref() {
        "28P01" => told(
            "the user or password is refused; correct records.username and records.password, or the URL",
        ),
        "28000" => told(
            "the server lets this user in from here only otherwise: look at pg_hba.conf, TLS (sslmode) and the user's name",
        ),
        "3D000" => told("there is no such database; create it, or correct records.url"),
        "42501" => told(
            "the user lacks a right; make it the owner of the database, or grant it CREATE on the schema",
        ),
        "53300" => told(
            "the server has no connection left; raise max_connections or lower records.connections",
        ),
        "53100" => told("the server's disk is full"),
        "57P03" => told("the server is starting or stopping; wait"),
        "57P01" | "57P02" => told("the server is stopping"),
        "25006" => {
            told("this server is a standby that takes no writes; name the primary in records.url")
        }
        "57014" | "55P03" => told(
            "a statement took longer than records.timeout_ms; look for locks in pg_stat_activity",
        ),
        "42P01" | "42703" => corrupt(
            at,
            &format!(
                "a table or column of ours is missing; restore the database from a backup ({code}: {message})"
            ),
        ),
        // The message of these may quote a value.
        code if code.starts_with("22") || code.starts_with("23") => {
            corrupt(at, &format!("the server refuses a value of ours ({code})"))
        }
        code if code.starts_with("42") => corrupt(at, &format!("{code}: {message}")),
        _ => told("the server refuses"),
    }
}
