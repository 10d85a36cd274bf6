//! Reads product feeds: Google Merchant product data as a table or XML, Shopify's export, JSON Lines.

mod canon;
mod columns;
mod encoding;
mod html;
mod interval;
mod json;
mod kind;
mod prices;
mod reader;
mod report;
mod rows;
mod shopify;
mod xml;

pub use canon::{line, lines};
pub use kind::Kind;
pub use reader::{
    ATTRIBUTE_CHARS_MAX, ATTRIBUTES_MAX, DESCRIPTION_CHARS_MAX, ID_CHARS_MAX, LINK_CHARS_MAX,
    TITLE_CHARS_MAX, TYPE_LEVELS_MAX,
};
pub use report::{PROBLEMS_MAX, Remark};
pub use rows::{COLUMNS_MAX, FIELD_BYTES_MAX, LINE_BYTES_MAX, ROWS_MAX};

use super::Product;
use crate::money::Currency;
use crate::{Language, Problem};
use reader::Reader;
use report::{Place, Report};
use rows::Row;
use std::collections::BTreeMap;

/// Without these columns no row can be read.
const REQUIRED: [&str; 3] = ["id", "title", "price"];
/// Of a hundred rows, those with Chinese characters from which on a feed is Chinese.
const CHINESE_PERCENT: usize = 50;

/// What a feed holds: a broken row is refused, the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    pub products: Vec<Product>,
    pub problems: Vec<Problem>,
    /// The problems with what an import tells of them.
    pub remarks: Vec<Remark>,
    /// None where the file is no feed.
    pub kind: Option<Kind>,
    pub encoding: &'static str,
    /// The language that the texts were taken to be in.
    pub language: Option<Language>,
    /// Rows that there are, the header and empty ones not counted.
    pub rows: usize,
    pub refused: usize,
    /// Rows of products that their shop does not sell: drafts, archived ones.
    pub not_for_sale: usize,
    /// Rows that name no product of their own, such as a further image.
    pub without_product: usize,
    /// By product id: the attributes that `product_detail` gave, in order; a supplement names them in its own language.
    details: BTreeMap<String, Vec<String>>,
}

/// How far a feed is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows that name a product, refused ones too.
    pub rows: usize,
    /// Bytes read of `bytes_total`, both counted in UTF-8.
    pub bytes: usize,
    pub bytes_total: usize,
}

/// What a reader of a feed may know beforehand.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The language of the texts; told by the texts where it is none.
    pub language: Option<Language>,
    /// The currency of prices that name none.
    pub currency: Option<Currency>,
    /// Problems that are named; the others are counted.
    pub problems_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            language: None,
            currency: None,
            problems_max: PROBLEMS_MAX,
        }
    }
}

/// Reads a feed whose texts are in the shop's first language.
pub fn read(file: &str, bytes: &[u8], primary: Language) -> Feed {
    let options = Options {
        language: Some(primary),
        ..Options::default()
    };
    read_with(file, bytes, &options, &mut |_| {})
}

/// Reads a feed of any kind; the kind is told by its content. `watch` is told of each row before it is read.
pub fn read_with(
    file: &str,
    bytes: &[u8],
    options: &Options,
    watch: &mut dyn FnMut(Progress),
) -> Feed {
    let mut report = Report::new(file, options.problems_max);
    let mut feed = Feed::default();
    let decoded = encoding::decode(bytes);
    feed.encoding = decoded.encoding;
    feed.kind = kind::of(&decoded.bytes, &mut report);
    let language = options.language.unwrap_or(Language::En);
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    let mut shopify = shopify::Groups::default();
    let mut taken = 0;
    let mut products = Vec::new();
    let mut all_details = BTreeMap::new();
    let mut take = |row: Row, report: &mut Report<'_>| {
        taken += 1;
        watch(Progress {
            rows: taken,
            bytes: report.read_to,
            bytes_total: decoded.bytes.len(),
        });
        let mut reader = Reader {
            row: &row,
            language,
            currency: options.currency,
            report,
        };
        let Some((product, details)) = reader.product() else {
            return;
        };
        if let Some(before) = lines.get(&product.id) {
            let message = format!("id `{}` stands in line {before} already", product.id);
            reader.refuse("id", message, "give each product its own id");
            return;
        }
        lines.insert(product.id.clone(), product.line);
        if !details.is_empty() {
            all_details.insert(product.id.clone(), details);
        }
        products.push(product);
    };
    feed.rows = each(
        feed.kind,
        &decoded.bytes,
        &REQUIRED,
        &mut shopify,
        &mut report,
        &mut take,
    );
    feed.not_for_sale = shopify.not_for_sale;
    feed.without_product = shopify.without_variant;
    feed.products = products;
    feed.details = all_details;
    if options.language.is_none() {
        tell_language(&mut feed.products);
    }
    feed.language = options
        .language
        .or_else(|| feed.products.first().and_then(language_of));
    one_currency(&mut feed.products, &mut report);
    feed.refused = report.rows_refused();
    feed.remarks = report.finish();
    feed.problems = feed.remarks.iter().map(|own| own.problem(file)).collect();
    feed
}

/// Every row of a feed, under Google's names; how many there are.
fn each(
    kind: Option<Kind>,
    bytes: &[u8],
    required: &[&str],
    shopify: &mut shopify::Groups,
    report: &mut Report<'_>,
    take: &mut rows::Take<'_>,
) -> usize {
    match kind {
        None => 0,
        Some(Kind::Table(delimiter)) => rows::each(bytes, delimiter, required, report, take),
        Some(Kind::JsonLines) => json::each(bytes, report, take),
        Some(Kind::Xml) => xml::each(&String::from_utf8_lossy(bytes), report, take),
        Some(Kind::Shopify(delimiter)) => {
            let rows = rows::each(bytes, delimiter, &[], report, &mut |row, report| {
                shopify.add(row, report, take);
            });
            shopify.finish(report, take);
            rows
        }
    }
}

/// The texts were read as English; where most titles have Chinese characters they are Chinese.
fn tell_language(products: &mut [Product]) {
    let chinese = products
        .iter()
        .filter(|product| product.title.get(Language::En).contains(crate::text::han))
        .count();
    if chinese * 100 < products.len() * CHINESE_PERCENT || products.is_empty() {
        return;
    }
    for product in products {
        let Product {
            title,
            description,
            brand_names,
            product_type,
            attributes,
            ..
        } = product;
        let single = [title, description, brand_names];
        let texts = single
            .into_iter()
            .chain(product_type)
            .chain(attributes.values_mut());
        for text in texts {
            if let Some(own) = text.0.remove(&Language::En) {
                text.set(Language::Zh, own);
            }
        }
    }
}

fn language_of(product: &Product) -> Option<Language> {
    product.title.texts().next().map(|(language, _)| language)
}

/// Adds another language's texts to products of the same ids; prices and stock of the supplement are not read.
pub fn supplement(feed: &mut Feed, file: &str, bytes: &[u8], language: Language) {
    let mut report = Report::new(file, PROBLEMS_MAX);
    let places: BTreeMap<String, usize> = feed
        .products
        .iter()
        .enumerate()
        .map(|(at, product)| (product.id.clone(), at))
        .collect();
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    let decoded = encoding::decode(bytes);
    let kind = kind::of(&decoded.bytes, &mut report);
    let Feed {
        products, details, ..
    } = feed;
    let mut take = |row: Row, report: &mut Report<'_>| {
        let mut reader = Reader {
            row: &row,
            language,
            currency: None,
            report,
        };
        let Some(id) = reader.id() else {
            return;
        };
        if let Some(before) = lines.insert(id.clone(), row.line) {
            let message = format!("id `{id}` stands in line {before} already");
            reader.refuse("id", message, "one line a product");
            return;
        }
        match places.get(&id).and_then(|at| products.get_mut(*at)) {
            Some(product) => {
                let details = details.get(&id).map(Vec::as_slice);
                reader.translate(product, details.unwrap_or_default());
            }
            None => reader.refuse(
                "id",
                format!("no product has the id `{id}`"),
                "use an id of the main feed",
            ),
        }
    };
    let mut shopify = shopify::Groups::default();
    each(
        kind,
        &decoded.bytes,
        &["id"],
        &mut shopify,
        &mut report,
        &mut take,
    );
    let problems = report.finish();
    feed.problems
        .extend(problems.iter().map(|own| own.problem(file)));
}

/// Prices are compared with each other, so a feed has one currency: that of most of its rows.
fn one_currency(products: &mut Vec<Product>, report: &mut Report<'_>) {
    let Some(main) = currency_of(products) else {
        return;
    };
    products.retain(|product| {
        let own = product.price.currency;
        if own != main {
            report.refuse(
                &Place {
                    line: product.line,
                    column: 1,
                    field: "price",
                },
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

/// The currency of most products; of two alike, that of the first one.
pub fn currency_of(products: &[Product]) -> Option<Currency> {
    let mut counts: BTreeMap<Currency, usize> = BTreeMap::new();
    for product in products {
        *counts.entry(product.price.currency).or_default() += 1;
    }
    let first = products.first().map(|product| product.price.currency);
    counts
        .iter()
        .max_by_key(|(currency, count)| (**count, Some(**currency) == first))
        .map(|(currency, _)| *currency)
}

#[cfg(test)]
mod tests;
