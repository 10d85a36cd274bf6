//! What an import tells: rows taken, changed and refused, for people or as JSON.

use super::Changes;
use dialogs::catalogue::feed;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Ids named of each kind of change; the others are counted.
const IDS_NAMED_MAX: usize = 1_000;
/// Ids shown in a terminal's report.
const IDS_SHOWN_MAX: usize = 5;
pub(super) struct Told<'a> {
    pub name: &'a str,
    pub target: &'a Path,
    pub takes: bool,
    pub writes: bool,
    /// The shop had no catalogue before.
    pub is_first: bool,
    pub aside: &'a [PathBuf],
    pub seconds: f64,
}

impl Told<'_> {
    pub(super) fn json(&self, read: &feed::Feed, changes: &Changes) -> serde_json::Value {
        let remarks = |refused: bool| -> Vec<serde_json::Value> {
            read.remarks
                .iter()
                .filter(|remark| remark.refused == refused)
                .map(|remark| {
                    json!({
                        "line": remark.line, "column": remark.column, "field": remark.field,
                        "message": remark.message, "help": remark.help,
                    })
                })
                .collect()
        };
        let named = |ids: &[String]| ids.iter().take(IDS_NAMED_MAX).cloned().collect::<Vec<_>>();
        let currency = feed::currency_of(&read.products);
        json!({
            "file": self.name,
            "kind": read.kind.map(feed::Kind::word),
            "encoding": read.encoding,
            "language": read.language.map(|language| language.tag()),
            "currency": currency.map(|currency| currency.code().to_owned()),
            "rows": read.rows,
            "taken": read.products.len(),
            "new": changes.new.len(),
            "changed": changes.changed.len(),
            "unchanged": changes.unchanged,
            "gone": changes.gone.len(),
            "kept": changes.kept,
            "refused": read.refused,
            "not_for_sale": read.not_for_sale,
            "without_product": read.without_product,
            "refusals": remarks(true),
            "mended": remarks(false),
            "ids": {
                "new": named(&changes.new),
                "changed": named(&changes.changed),
                "gone": named(&changes.gone),
            },
            "catalogue": self.target.display().to_string(),
            "written": self.writes,
            "put_aside": self.aside.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
            "seconds": (self.seconds * 1_000.0).round() / 1_000.0,
        })
    }

    pub(super) fn text(&self, read: &feed::Feed, changes: &Changes) {
        for remark in &read.remarks {
            println!("{}", remark.problem(self.name));
        }
        let kind = read.kind.map_or("no feed", feed::Kind::word);
        println!(
            "{} rows ({kind}, {}): {} taken, {} refused",
            read.rows,
            read.encoding,
            read.products.len(),
            read.refused
        );
        if read.not_for_sale > 0 {
            println!(
                "{} rows are drafts, archived or not published, and not for sale",
                read.not_for_sale
            );
        }
        if read.without_product > 0 {
            println!("{} rows only add images", read.without_product);
        }
        if !self.takes {
            println!("nothing can be taken, so the catalogue stays as it was");
            return;
        }
        println!(
            "{} new, {} changed, {} unchanged",
            changes.new.len(),
            changes.changed.len(),
            changes.unchanged
        );
        if !changes.gone.is_empty() {
            let shown: Vec<&str> = changes
                .gone
                .iter()
                .take(IDS_SHOWN_MAX)
                .map(String::as_str)
                .collect();
            let more = if changes.gone.len() > shown.len() {
                ", …"
            } else {
                ""
            };
            println!(
                "{} gone: the feed does not have {}{more}; --keep would have kept them",
                changes.gone.len(),
                shown.join(", ")
            );
        }
        if changes.kept > 0 {
            println!("{} kept, which the feed does not have", changes.kept);
        }
        for path in self.aside {
            println!("the catalogue before is put aside as {}", path.display());
        }
        println!(
            "{} {}",
            self.target.display(),
            if self.writes {
                "is written"
            } else {
                "has nothing to change"
            }
        );
        if self.is_first {
            let shop = self.target.parent().unwrap_or(self.target);
            println!("talk to it: tiansheng chat --shop {}", shop.display());
        }
    }
}
