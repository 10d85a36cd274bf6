//! Rows of JSON Lines: the columns' names as keys, and `attributes` with the shop's own.

use super::columns::column_key;
use super::report::{Place, Report};
use super::rows::{
    COLUMNS_MAX, Cell, FIELD_BYTES_MAX, LINE_BYTES_MAX, ROWS_MAX, Row, Take, number, trimmed, whole,
};
use serde_json::{Map, Value};

pub(super) fn each(bytes: &[u8], report: &mut Report<'_>, take: &mut Take<'_>) -> usize {
    let mut rows = 0;
    for (at, line_bytes) in bytes.split(|byte| *byte == b'\n').map(trimmed).enumerate() {
        let line = number(at + 1);
        report.read_to += line_bytes.len() + 1;
        if line_bytes.trim_ascii().is_empty() {
            continue;
        }
        if rows >= ROWS_MAX {
            report.refuse(
                &whole(line),
                format!("the feed has more than {ROWS_MAX} rows; the rest is left out"),
                "split the feed",
            );
            break;
        }
        rows += 1;
        if line_bytes.len() > LINE_BYTES_MAX {
            report.refuse(
                &whole(line),
                format!("the row is {} bytes long; it is left out", line_bytes.len()),
                format!("at most {LINE_BYTES_MAX} bytes"),
            );
            continue;
        }
        let Ok(text) = std::str::from_utf8(line_bytes) else {
            report.refuse(
                &whole(line),
                "the line is not UTF-8; it is left out",
                "save the file as UTF-8",
            );
            continue;
        };
        match serde_json::from_str::<Map<String, Value>>(text) {
            Ok(object) => {
                if let Some(row) = row(line, text, object, report) {
                    take(row, report);
                }
            }
            Err(error) => report.refuse(
                &Place {
                    line,
                    column: number(error.column().max(1)),
                    field: "",
                },
                "the line is no JSON object; it is left out",
                r#"one object a line: {"id": "…", "title": "…", "price": "1299.00 CNY"}"#,
            ),
        }
    }
    rows
}

fn row(line: u32, text: &str, object: Map<String, Value>, report: &mut Report<'_>) -> Option<Row> {
    let mut row = Row {
        line,
        ..Row::default()
    };
    if object.len() > COLUMNS_MAX {
        report.refuse(
            &whole(line),
            format!("the row has {} keys; it is left out", object.len()),
            format!("at most {COLUMNS_MAX}"),
        );
        return None;
    }
    for (key, value) in object {
        let column = key_column(text, &key);
        let name = column_key(&key);
        if let (true, Value::Object(attributes)) = (name == "attributes", &value) {
            for (key, value) in attributes.iter().take(COLUMNS_MAX) {
                let column = key_column(text, key);
                row.attributes.push(Cell {
                    name: column_key(key).into(),
                    value: checked(key, plain(key, value), line, column, report)?,
                    column,
                });
            }
            continue;
        }
        row.cells.push(Cell {
            value: checked(&key, plain(&name, &value), line, column, report)?,
            name: name.into(),
            column,
        });
    }
    Some(row)
}

fn checked(
    key: &str,
    value: Option<String>,
    line: u32,
    column: u32,
    report: &mut Report<'_>,
) -> Option<String> {
    let place = Place {
        line,
        column,
        field: key,
    };
    match value {
        Some(value) if value.len() > FIELD_BYTES_MAX => {
            report.refuse(
                &place,
                format!("`{key}` is {} bytes long; the row is left out", value.len()),
                format!("at most {FIELD_BYTES_MAX} bytes"),
            );
            None
        }
        Some(value) => Some(value),
        None => {
            report.refuse(
                &place,
                format!("`{key}` is no text; the row is left out"),
                "write text, a number or a list of texts",
            );
            None
        }
    }
}

/// The text that a cell of a table would hold.
fn plain(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(|v| plain(name, v)).collect();
            let joint = if name == "product_type" { " > " } else { ", " };
            Some(texts?.join(joint))
        }
        Value::Object(fields) => {
            let part = |key: &str| match fields.get(key) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            };
            if name == "product_detail" {
                Some(format!(
                    "{}:{}:{}",
                    part("section_name").unwrap_or_default(),
                    part("attribute_name")?,
                    part("attribute_value")?
                ))
            } else {
                let amount = part("amount").or_else(|| part("value"))?;
                Some(format!("{amount} {}", part("currency")?))
            }
        }
    }
}

/// The character at which a key is written, from 1.
fn key_column(text: &str, key: &str) -> u32 {
    let before = text
        .find(&format!("\"{key}\""))
        .and_then(|at| text.get(..at));
    number(before.map_or(0, |before| before.chars().count()) + 1)
}
