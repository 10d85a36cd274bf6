//! `tiansheng import products`: a product feed becomes the shop's catalogue, and every row that is not taken is named.

use super::{BAD_USAGE, Ended, FOUND_WRONG, Stop, settings};
use crate::config::Overrides;
use crate::shop::FILE_BYTES_MAX;
use clap::{Args, Subcommand};
use dialogs::Language;
use dialogs::catalogue::feed;
use dialogs::money::Currency;
use dialogs::profile::Profile;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// The catalogue as an import writes it.
const OWN_FILE: &str = "products.jsonl";
/// Ids named of each kind of change; the others are counted.
const IDS_NAMED_MAX: usize = 1_000;
/// Ids shown in a terminal's report.
const IDS_SHOWN_MAX: usize = 5;
/// Rows between two steps of the progress bar.
const STEP_ROWS: usize = 500;

#[derive(Subcommand)]
pub(super) enum Import {
    /// Google Merchant (TSV, CSV, RSS, Atom), Shopify's CSV or JSON Lines, in UTF-8, UTF-16 or GB18030
    #[command(after_help = EXAMPLES)]
    Products(ProductsArgs),
}

const EXAMPLES: &str = "\
Examples:
  tiansheng import products feed.xml --shop my-shop
  tiansheng import products products_export.csv --shop my-shop --currency EUR
  tiansheng import products feed.tsv --shop my-shop --json

The feed is the whole catalogue: what it lacks leaves the shop, unless --keep is given.
The same feed twice changes nothing.
Exit status: 0 every row is taken, 1 some are refused, 2 the command or the feed cannot be used";

#[derive(Args)]
pub(super) struct ProductsArgs {
    /// The feed; its kind is told by its content
    #[arg(value_name = "FILE")]
    feed: PathBuf,
    /// Shop folder; made where it is not there (default: the setting shop.dir)
    #[arg(long, value_name = "DIR")]
    shop: Option<PathBuf>,
    /// One JSON document on standard output
    #[arg(long)]
    json: bool,
    /// Currency of prices that name none, as in Shopify's export (default: that of shop.yaml)
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Products that the feed does not have stay in the shop
    #[arg(long)]
    keep: bool,
    /// Put a catalogue aside that no import has written
    #[arg(long)]
    replace: bool,
    /// Settings file (default: ./tiansheng.toml if it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(what: Import) -> Ended {
    match what {
        Import::Products(args) => products(&args),
    }
}

/// What the import does to the catalogue.
#[derive(Default)]
struct Changes {
    new: Vec<String>,
    changed: Vec<String>,
    unchanged: usize,
    gone: Vec<String>,
    kept: usize,
    text: String,
}

fn products(args: &ProductsArgs) -> Ended {
    let begun = Instant::now();
    let dir = shop_dir(args)?;
    let name = args.feed.display().to_string();
    let bytes = read_feed(&args.feed)?;
    let profile = profile(&dir)?;
    let currency = match &args.currency {
        Some(code) => {
            Some(Currency::new(code).map_err(|error| Stop::Usage(format!("--currency: {error}")))?)
        }
        None => profile
            .as_ref()
            .filter(|profile| profile.currency_stated)
            .map(|profile| profile.currency),
    };
    let options = feed::Options {
        language: profile
            .as_ref()
            .and_then(|profile| profile.languages.first().copied()),
        currency,
        problems_max: feed::ROWS_MAX,
    };
    let bar = bar();
    let read = feed::read_with(&name, &bytes, &options, &mut |rows| {
        if rows.is_multiple_of(STEP_ROWS) {
            bar.set_message(format!("{rows} rows"));
            bar.tick();
        }
    });
    bar.finish_and_clear();
    if matches!(read.kind, Some(feed::Kind::Shopify(_))) && currency.is_none() {
        return Err(Stop::Usage(format!(
            "{name}: Shopify's export names no currency; add --currency EUR (or yours), or write `currency: EUR` into {}",
            dir.join("shop.yaml").display()
        )));
    }
    let replaced = others(&dir, args.replace)?;
    let target = dir.join(OWN_FILE);
    let before = match std::fs::read(&target) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Stop::Failed(format!("{}: {error}", target.display()))),
    };
    let (own, foreign) = match feed::lines(&before) {
        Some(own) => (own, false),
        None if args.replace => (Vec::new(), true),
        None => {
            return Err(Stop::Usage(format!(
                "{}: this catalogue was not written by an import, and would be lost; --replace puts it aside and takes the feed",
                target.display()
            )));
        }
    };
    let changes = compare(&read, &own, args.keep);
    // A feed of which nothing can be read is a mistake, not an empty catalogue.
    let takes = !read.products.is_empty();
    let writes = takes && changes.text.as_bytes() != before.as_slice();
    let mut aside = Vec::new();
    if takes {
        std::fs::create_dir_all(&dir)
            .map_err(|error| Stop::Failed(format!("{}: {error}", dir.display())))?;
        if writes {
            let staged = stage(&dir, changes.text.as_bytes())
                .map_err(|error| Stop::Failed(format!("{}: {error}", target.display())))?;
            // Whenever this is cut off, a whole catalogue is in the folder.
            if foreign {
                aside.push(put_aside(&target, |from, to| {
                    std::fs::copy(from, to).map(|_| ())
                })?);
            }
            commit(&dir, &staged, &target)
                .map_err(|error| Stop::Failed(format!("{}: {error}", target.display())))?;
            for path in &replaced {
                aside.push(put_aside(path, |from, to| std::fs::rename(from, to))?);
            }
        }
    }
    let told = Told {
        name: &name,
        target: &target,
        takes,
        writes,
        aside: &aside,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if args.json {
        println!("{}", told.json(&read, &changes));
    } else {
        told.text(&read, &changes);
    }
    Ok(if !takes && read.kind.is_none() {
        ExitCode::from(BAD_USAGE)
    } else if read.refused > 0 || !takes {
        ExitCode::from(FOUND_WRONG)
    } else {
        ExitCode::SUCCESS
    })
}

fn shop_dir(args: &ProductsArgs) -> Result<PathBuf, Stop> {
    let settings = settings(
        args.config.as_ref(),
        &Overrides {
            shop_dir: args.shop.clone(),
            ..Overrides::default()
        },
    )?;
    settings.shop.dir.clone().ok_or_else(|| {
        Stop::Usage(
            "which shop? add --shop DIR; the folder is made where it is not there".to_owned(),
        )
    })
}

fn read_feed(path: &Path) -> Result<Vec<u8>, Stop> {
    let usage = |what: String| Stop::Usage(format!("{}: {what}", path.display()));
    let facts = std::fs::metadata(path).map_err(|error| usage(error.to_string()))?;
    if facts.len() > FILE_BYTES_MAX {
        return Err(usage(format!(
            "the feed has {} bytes; at most {FILE_BYTES_MAX}",
            facts.len()
        )));
    }
    std::fs::read(path).map_err(|error| usage(error.to_string()))
}

fn profile(dir: &Path) -> Result<Option<Profile>, Stop> {
    match std::fs::read_to_string(dir.join("shop.yaml")) {
        Ok(source) => Ok(Some(Profile::parse("shop.yaml", &source).0)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Stop::Failed(format!(
            "{}/shop.yaml: {error}",
            dir.display()
        ))),
    }
}

/// Other main feeds of the folder: only one may be there, so they are in the way.
fn others(dir: &Path, replace: bool) -> Result<Vec<PathBuf>, Stop> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Ok(Vec::new());
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let rest = name.strip_prefix("products.");
            rest.is_some_and(|rest| {
                let tag = rest.split('.').next().unwrap_or_default();
                let is_supplement = rest.contains('.') && Language::from_tag(tag).is_some();
                rest != "jsonl" && !is_supplement
            })
        })
        .collect();
    found.sort();
    match found.first() {
        Some(first) if !replace => Err(Stop::Usage(format!(
            "{}: the shop has this catalogue already; --replace puts it aside and takes the feed",
            first.display()
        ))),
        _ => Ok(found),
    }
}

fn compare(read: &feed::Feed, own: &[(String, &str)], keep: bool) -> Changes {
    let language = read.language.unwrap_or(Language::En);
    let mut before: BTreeMap<&str, &str> =
        own.iter().map(|(id, line)| (id.as_str(), *line)).collect();
    let mut changes = Changes::default();
    for product in &read.products {
        let line = feed::line(product, language);
        match before.remove(product.id.as_str()) {
            None => changes.new.push(product.id.clone()),
            Some(old) if old == line => changes.unchanged += 1,
            Some(_) => changes.changed.push(product.id.clone()),
        }
        changes.text.push_str(&line);
        changes.text.push('\n');
    }
    for (id, line) in own
        .iter()
        .filter(|(id, _)| before.contains_key(id.as_str()))
    {
        if keep {
            changes.kept += 1;
            changes.text.push_str(line);
            changes.text.push('\n');
        } else {
            changes.gone.push(id.clone());
        }
    }
    changes
}

/// Writes beside the catalogue, down to the disk; nothing reads it yet.
fn stage(dir: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let path = dir.join(format!(".{OWN_FILE}.{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(path)
}

/// One step: whoever is killed before or after it leaves one whole catalogue.
fn commit(dir: &Path, staged: &Path, target: &Path) -> std::io::Result<()> {
    std::fs::rename(staged, target)?;
    std::fs::File::open(dir)?.sync_all()
}

/// `products.tsv` becomes `.replaced.products.tsv`, which no shop reads; an older one is not overwritten.
fn put_aside(
    path: &Path,
    by: impl Fn(&Path, &Path) -> std::io::Result<()>,
) -> Result<PathBuf, Stop> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let free = (0..FREE_NAMES_MAX)
        .map(|number| match number {
            0 => path.with_file_name(format!(".replaced.{name}")),
            number => path.with_file_name(format!(".replaced-{number}.{name}")),
        })
        .find(|aside| !aside.exists());
    let Some(aside) = free else {
        return Err(Stop::Failed(format!(
            "{}: there are {FREE_NAMES_MAX} files put aside already; remove some",
            path.display()
        )));
    };
    by(path, &aside).map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))?;
    Ok(aside)
}

/// Catalogues put aside in one folder.
const FREE_NAMES_MAX: usize = 100;

/// Draws only on a terminal.
fn bar() -> indicatif::ProgressBar {
    if std::io::stderr().is_terminal() {
        indicatif::ProgressBar::new_spinner()
    } else {
        indicatif::ProgressBar::hidden()
    }
}

struct Told<'a> {
    name: &'a str,
    target: &'a Path,
    takes: bool,
    writes: bool,
    aside: &'a [PathBuf],
    seconds: f64,
}

impl Told<'_> {
    fn json(&self, read: &feed::Feed, changes: &Changes) -> serde_json::Value {
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

    fn text(&self, read: &feed::Feed, changes: &Changes) {
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
    }
}
