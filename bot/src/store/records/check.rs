//! What `tiansheng doctor` looks at in a PostgreSQL, beyond whether it answers.

use super::Records;
use super::sql;
use super::statement::Statement;
use crate::config::records::Records as Settings;
use std::time::{Duration, Instant};

/// A statement that takes longer lets the archiver fall behind.
const SLOW: Duration = Duration::from_millis(50);

/// One thing looked at.
pub struct Finding {
    pub ok: bool,
    pub detail: String,
    pub advice: Option<&'static str>,
}

/// Connects, brings the tables to their newest form, and looks at version, safety of writes, TLS and distance.
pub async fn findings(settings: &Settings) -> Vec<Finding> {
    let records = Records::on_server(settings);
    if let Err(error) = records.meet().await {
        return vec![wrong(error.to_string(), "see the message")];
    }
    let mut findings = Vec::new();
    match records.asked(sql::SERVER_VERSION).await {
        Ok(version) => findings.push(fine(format!("{settings}: PostgreSQL {version}"))),
        Err(error) => return vec![wrong(error, "see the message")],
    }
    if let Ok(synchronous) = records.asked(sql::SERVER_COMMIT).await
        && synchronous == "off"
    {
        findings.push(wrong(
            "synchronous_commit is off: a crash of the server loses what was taken from the journal"
                .to_owned(),
            "set `synchronous_commit = on` for this user or database",
        ));
    }
    if let Ok(encrypted) = records.asked(sql::SERVER_TLS).await {
        findings.push(fine(match encrypted.as_str() {
            "true" => "the connection is encrypted".to_owned(),
            _ => "the connection is not encrypted; across machines write sslmode=verify-full"
                .to_owned(),
        }));
    }
    let begun = Instant::now();
    let asked = records.meet().await;
    let took = begun.elapsed();
    findings.push(match asked {
        Err(error) => wrong(error.to_string(), "see the message"),
        Ok(()) if took > SLOW => wrong(
            format!("a statement takes {} ms", took.as_millis()),
            "run PostgreSQL nearer, or look for what it is busy with in pg_stat_activity",
        ),
        Ok(()) => fine(format!("a statement takes {} µs", took.as_micros())),
    });
    findings
}

impl Records {
    /// The one text that a statement gives.
    async fn asked(&self, sql: &'static str) -> Result<String, String> {
        self.first(Statement::of(sql), |row| row.text("told"))
            .await
            .map(Option::unwrap_or_default)
            .map_err(|error| error.to_string())
    }
}

fn fine(detail: String) -> Finding {
    Finding {
        ok: true,
        detail,
        advice: None,
    }
}

fn wrong(detail: String, advice: &'static str) -> Finding {
    Finding {
        ok: false,
        detail,
        advice: Some(advice),
    }
}
