//! Reads product feeds: Google Merchant attribute names as TSV, CSV or JSON Lines.

mod interval;
mod json;
mod reader;
mod report;
mod rows;

pub use reader::{
    ATTRIBUTE_CHARS_MAX, ATTRIBUTES_MAX, DESCRIPTION_CHARS_MAX, ID_CHARS_MAX, LINK_CHARS_MAX,
    TITLE_CHARS_MAX, TYPE_LEVELS_MAX,
};
pub use report::PROBLEMS_MAX;
pub use rows::{COLUMNS_MAX, FIELD_BYTES_MAX, LINE_BYTES_MAX, ROWS_MAX};

use super::Product;
use crate::money::Currency;
use crate::{Language, Problem};
use reader::Reader;
use report::Report;
use std::collections::BTreeMap;

/// What a feed holds: a broken row becomes a problem, the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    pub products: Vec<Product>,
    pub problems: Vec<Problem>,
    /// By product id: the attributes that `product_detail` gave, in order; a supplement names them in its own language.
    details: BTreeMap<String, Vec<String>>,
}

/// Reads by the file's ending: `.tsv`, `.csv`, `.jsonl`; texts are in the shop's first language.
pub fn read(file: &str, bytes: &[u8], primary: Language) -> Feed {
    let mut report = Report::new(file);
    let mut feed = Feed::default();
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows::read(bytes, &["id", "title", "price"], &mut report) {
        let mut reader = Reader {
            row: &row,
            language: primary,
            report: &mut report,
        };
        let Some((product, details)) = reader.product() else {
            continue;
        };
        if let Some(before) = lines.get(&product.id) {
            let message = format!("id `{}` stands in line {before} already", product.id);
            reader.wrong("id", message, "give each product its own id");
            continue;
        }
        lines.insert(product.id.clone(), product.line);
        if !details.is_empty() {
            feed.details.insert(product.id.clone(), details);
        }
        feed.products.push(product);
    }
    one_currency(&mut feed.products, &mut report);
    feed.problems = report.finish();
    feed
}

/// Adds another language's texts to products of the same ids; prices and stock of the supplement are not read.
pub fn supplement(feed: &mut Feed, file: &str, bytes: &[u8], language: Language) {
    let mut report = Report::new(file);
    let places: BTreeMap<String, usize> = feed
        .products
        .iter()
        .enumerate()
        .map(|(at, product)| (product.id.clone(), at))
        .collect();
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows::read(bytes, &["id"], &mut report) {
        let mut reader = Reader {
            row: &row,
            language,
            report: &mut report,
        };
        let Some(id) = reader.id() else {
            continue;
        };
        if let Some(before) = lines.insert(id.clone(), row.line) {
            let message = format!("id `{id}` stands in line {before} already");
            reader.wrong("id", message, "one line a product");
            continue;
        }
        match places.get(&id).and_then(|at| feed.products.get_mut(*at)) {
            Some(product) => {
                let details = feed.details.get(&id).map(Vec::as_slice);
                reader.translate(product, details.unwrap_or_default());
            }
            None => reader.wrong(
                "id",
                format!("no product has the id `{id}`"),
                "use an id of the main feed",
            ),
        }
    }
    feed.problems.extend(report.finish());
}

/// Prices are compared with each other, so a feed has one currency: that of most of its rows.
fn one_currency(products: &mut Vec<Product>, report: &mut Report<'_>) {
    let mut counts: BTreeMap<Currency, usize> = BTreeMap::new();
    for product in products.iter() {
        *counts.entry(product.price.currency).or_default() += 1;
    }
    let first = products.first().map(|product| product.price.currency);
    let Some(main) = counts
        .iter()
        .max_by_key(|(currency, count)| (**count, Some(**currency) == first))
        .map(|(currency, _)| *currency)
    else {
        return;
    };
    products.retain(|product| {
        let own = product.price.currency;
        if own != main {
            report.at(
                product.line,
                1,
                format!(
                    "price: `{}` is priced in {}, the feed in {}; the row is left out",
                    product.id,
                    own.code(),
                    main.code()
                ),
                format!("write the price in {}", main.code()),
            );
        }
        own == main
    });
}

#[cfg(test)]
mod tests;
