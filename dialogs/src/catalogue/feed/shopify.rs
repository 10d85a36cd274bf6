//! Rows of Shopify's product export, under Google's names: one row a variant, the product's own texts on the first row of its handle.

use super::columns::column_key;
use super::report::Report;
use super::rows::{Cell, Row, Take};
use crate::catalogue::{revision_of, slug};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Characters of an id that is made of a handle; what is longer is cut and told apart by a hash.
const ID_CHARS: usize = 36;
/// Images repeat a handle on rows of their own, so a product may have many rows.
const GROUP_ROWS_MAX: usize = 2_500;

/// Gathers the rows of one handle and gives a row a variant.
#[derive(Default)]
pub(super) struct Groups {
    handle: String,
    rows: Vec<Row>,
    ids: BTreeSet<String>,
    /// Rows of products that are drafts, archived or not published.
    pub not_for_sale: usize,
    /// Rows that only name further images.
    pub without_variant: usize,
}

impl Groups {
    pub(super) fn add(&mut self, row: Row, report: &mut Report<'_>, take: &mut Take<'_>) {
        let handle = value(&row, "handle").to_owned();
        let goes_on = handle.is_empty() || handle == self.handle;
        if !goes_on || self.rows.len() >= GROUP_ROWS_MAX {
            self.finish(report, take);
            self.handle = handle;
        }
        self.rows.push(row);
    }

    /// Gives what is gathered.
    pub(super) fn finish(&mut self, report: &mut Report<'_>, take: &mut Take<'_>) {
        let rows = std::mem::take(&mut self.rows);
        let Some(first) = rows.first() else {
            return;
        };
        let is_variant = |row: &&Row| {
            ["variant_price", "variant_sku", "option1_value"]
                .iter()
                .any(|name| !value(row, name).is_empty())
        };
        let status = value(first, "status");
        let on_sale = (status.is_empty() || status.eq_ignore_ascii_case("active"))
            && !value(first, "published").eq_ignore_ascii_case("false");
        let variants: Vec<&Row> = rows.iter().filter(is_variant).collect();
        // Further images of a product that stands elsewhere.
        if variants.is_empty() && value(first, "title").is_empty() {
            self.without_variant += rows.len();
            return;
        }
        // A product without any variant is given as it is, so that what it lacks is said.
        let variants = if variants.is_empty() {
            vec![first]
        } else {
            variants
        };
        self.without_variant += rows.len() - variants.len();
        if !on_sale {
            self.not_for_sale += variants.len();
            return;
        }
        let several = variants.len() > 1;
        for row in variants {
            let made = self.variant(first, row, several);
            take(made, report);
        }
    }

    fn variant(&mut self, first: &Row, row: &Row, several: bool) -> Row {
        let mut made = Made {
            row: Row {
                line: row.line,
                ..Row::default()
            },
        };
        let options = options(first, row);
        let chosen: Vec<&str> = options.iter().map(|(_, value)| value.as_str()).collect();
        let sku = value(row, "variant_sku").trim_start_matches('\'');
        let is_id = !sku.is_empty()
            && sku.chars().count() <= super::ID_CHARS_MAX
            && !sku.contains(char::is_whitespace)
            && !self.ids.contains(sku);
        let id = if is_id {
            sku.to_owned()
        } else {
            short_id(&[&self.handle, &chosen.join(" ")])
        };
        self.ids.insert(id.clone());
        let title = value(first, "title");
        let title = if several && !chosen.is_empty() && !title.is_empty() {
            format!("{title} – {}", chosen.join(" / "))
        } else {
            title.to_owned()
        };
        made.cell(row, "variant_sku", "id", id);
        made.cell(first, "title", "title", title);
        made.copy(first, "body_(html)", "description");
        made.copy(first, "vendor", "brand");
        if value(first, "type").is_empty() {
            made.copy(first, "product_category", "product_type");
        } else {
            made.copy(first, "type", "product_type");
        }
        let image = if value(row, "variant_image").is_empty() {
            "image_src"
        } else {
            "variant_image"
        };
        let of = if image == "image_src" { first } else { row };
        made.copy(of, image, "image_link");
        made.prices(row);
        made.cell(
            row,
            "variant_inventory_qty",
            "availability",
            availability(row).to_owned(),
        );
        let barcode = value(row, "variant_barcode").trim_start_matches('\'');
        made.cell(row, "variant_barcode", "gtin", barcode.to_owned());
        if !is_id && !sku.is_empty() {
            made.cell(row, "variant_sku", "mpn", sku.to_owned());
        }
        if several {
            made.cell(row, "handle", "item_group_id", short_id(&[&self.handle]));
        }
        made.attributes(first, options);
        made.row
    }
}

struct Made {
    row: Row,
}

impl Made {
    fn cell(&mut self, from: &Row, column: &str, name: &str, value: String) {
        self.row.cells.push(Cell {
            name: Rc::from(name),
            value,
            column: from.cell(column).map_or(1, |cell| cell.column),
        });
    }

    fn copy(&mut self, from: &Row, column: &str, name: &str) {
        self.cell(from, column, name, value(from, column).to_owned());
    }

    /// The price to compare with is the price; the variant's own is a sale where it is lower.
    fn prices(&mut self, row: &Row) {
        let own = value(row, "variant_price");
        let before = value(row, "variant_compare_at_price");
        let amount = |text: &str| text.parse::<f64>().unwrap_or_default();
        if amount(before) > amount(own) && amount(own) > 0.0 {
            self.cell(row, "variant_compare_at_price", "price", before.to_owned());
            self.cell(row, "variant_price", "sale_price", own.to_owned());
        } else {
            self.cell(row, "variant_price", "price", own.to_owned());
        }
    }

    /// Options, then what Shopify's own fields for Google and its metafields say.
    fn attributes(&mut self, first: &Row, options: Vec<(String, String)>) {
        for (name, value) in options {
            self.row.attributes.push(Cell {
                name: Rc::from(name),
                value,
                column: 1,
            });
        }
        for cell in first.cells.iter().filter(|cell| !cell.value.is_empty()) {
            let google = cell.name.strip_prefix("google_shopping_/_");
            let told = google.filter(|name| matches!(*name, "gender" | "age_group" | "condition"));
            let metafield = cell
                .name
                .split_once("_(product.metafields")
                .map(|(name, _)| name);
            let tags = (&*cell.name == "tags").then_some("tags");
            let Some(name) = told.or(metafield).or(tags) else {
                continue;
            };
            let is_new = name == "condition" && cell.value.eq_ignore_ascii_case("new");
            let known = self.row.attributes.iter().any(|own| &*own.name == name);
            if !is_new && !known {
                self.row.attributes.push(Cell {
                    name: Rc::from(name),
                    ..cell.clone()
                });
            }
        }
    }
}

fn value<'r>(row: &'r Row, column: &str) -> &'r str {
    row.cell(column).map_or("", |cell| cell.value.as_str())
}

/// Name and value of each option that is one; a product without options has `Title: Default Title`.
fn options(first: &Row, row: &Row) -> Vec<(String, String)> {
    ["option1", "option2", "option3"]
        .iter()
        .filter_map(|option| {
            let name = column_key(value(first, &format!("{option}_name")));
            let chosen = value(row, &format!("{option}_value"));
            let is_one = !chosen.is_empty() && !chosen.eq_ignore_ascii_case("default title");
            let name = match name.as_str() {
                "" => (*option).to_owned(),
                "colour" => "color".to_owned(),
                _ => name,
            };
            is_one.then(|| (name, chosen.to_owned()))
        })
        .collect()
}

/// Sold out only where Shopify counts the stock and stops selling at nothing.
fn availability(row: &Row) -> &'static str {
    let stock: Option<i64> = value(row, "variant_inventory_qty").parse().ok();
    let counted = row.cell("variant_inventory_tracker").is_none()
        || !value(row, "variant_inventory_tracker").is_empty();
    let sells_on = value(row, "variant_inventory_policy").eq_ignore_ascii_case("continue");
    match stock {
        Some(stock) if stock <= 0 && counted && !sells_on => "out_of_stock",
        _ => "in_stock",
    }
}

/// The same texts always make the same id.
fn short_id(texts: &[&str]) -> String {
    let whole = slug(&texts.join(" "));
    if whole.chars().count() <= ID_CHARS {
        return whole;
    }
    let begins: String = whole.chars().take(ID_CHARS).collect();
    format!(
        "{}-{}",
        begins.trim_end_matches('-'),
        revision_of(whole.as_bytes())
    )
}
