//! `tiansheng import products`: a product feed becomes the shop's catalogue, and every row that is not taken is named.

mod progress;
mod replace;
mod told;

use super::{BAD_USAGE, Ended, FOUND_WRONG, Stop, settings};
use crate::config::Overrides;
use crate::shop::FILE_BYTES_MAX;
use clap::{Args, Subcommand};
use dialogs::Language;
use dialogs::catalogue::feed;
use dialogs::money::Currency;
use dialogs::profile::Profile;
use progress::Bar;
use replace::{OWN_FILE, commit, others, put_aside, stage};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use told::Told;

#[derive(Subcommand)]
pub(super) enum Import {
    /// Google Merchant (TSV, CSV, RSS, Atom), Shopify's CSV or JSON Lines, in UTF-8, UTF-16 or GB18030
    #[command(after_help = EXAMPLES, alias = "product")]
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
    let bar = Bar::of(bytes.len());
    let read = feed::read_with(&name, &bytes, &options, &mut |progress| bar.seen(progress));
    bar.done();
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
        is_first: writes && before.is_empty() && replaced.is_empty(),
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
