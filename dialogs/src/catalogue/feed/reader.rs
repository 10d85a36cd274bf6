//! Reads one row of a feed, field by field, into a product.

use super::interval;
use super::report::Report;
use super::rows::{Cell, Row, column_key};
use crate::Language;
use crate::catalogue::types::key_of_path;
use crate::catalogue::{Availability, Localized, Product};
use crate::money::Money;
use std::collections::BTreeMap;

/// Characters of an id, as Google limits it.
pub const ID_CHARS_MAX: usize = 50;
/// Characters of a title, as Google limits it.
pub const TITLE_CHARS_MAX: usize = 150;
/// Characters of a description, as Google limits it.
pub const DESCRIPTION_CHARS_MAX: usize = 5_000;
/// Characters of an attribute's value or a type's name.
pub const ATTRIBUTE_CHARS_MAX: usize = 1_000;
/// Attributes of one product.
pub const ATTRIBUTES_MAX: usize = 100;
/// Levels of a product type, as Google limits it.
pub const TYPE_LEVELS_MAX: usize = 5;
/// Characters of a link, as Google limits it.
pub const LINK_CHARS_MAX: usize = 2_000;

/// Columns that may stand more than once.
pub(super) const REPEATABLE: [&str; 3] = [
    "product_detail",
    "product_highlight",
    "additional_image_link",
];

/// Columns that are fields of a product.
const FIELDS: [&str; 17] = [
    "id",
    "title",
    "description",
    "link",
    "image_link",
    "availability",
    "availability_date",
    "price",
    "sale_price",
    "sale_price_effective_date",
    "brand",
    "gtin",
    "mpn",
    "product_type",
    "item_group_id",
    "product_detail",
    "product_highlight",
];

/// Google's columns that tell a customer nothing; every other column becomes an attribute.
const UNTOLD: [&str; 24] = [
    "",
    "additional_image_link",
    "ads_redirect",
    "canonical_link",
    "custom_label_0",
    "custom_label_1",
    "custom_label_2",
    "custom_label_3",
    "custom_label_4",
    "excluded_destination",
    "expiration_date",
    "google_product_category",
    "identifier_exists",
    "included_destination",
    "lifestyle_image_link",
    "mobile_link",
    "promotion_id",
    "shipping",
    "shipping_label",
    "shipping_weight",
    "tax",
    "tax_category",
    "unit_pricing_base_measure",
    "unit_pricing_measure",
];

/// A row with its language and where its problems go.
pub(super) struct Reader<'a, 'b, 'c> {
    pub row: &'a Row,
    pub language: Language,
    pub report: &'b mut Report<'c>,
}

impl Reader<'_, '_, '_> {
    pub(super) fn product(&mut self) -> Option<(Product, Vec<String>)> {
        // All required fields are read before one of them can end the row, so that each is reported.
        let id = self.id();
        let title = self.required("title", TITLE_CHARS_MAX);
        let price = self.price();
        let availability = self.availability();
        let (id, title, price, availability) = (id?, title?, price?, availability?);
        let sale = self.sale(price);
        let names = self.type_names();
        let brand = self.optional("brand", ATTRIBUTE_CHARS_MAX);
        let description = self.description();
        let details = self.details();
        let mut attributes: BTreeMap<String, Localized> = BTreeMap::new();
        for (name, value) in self.own_attributes().into_iter().chain(details.clone()) {
            attributes
                .entry(name)
                .or_insert_with(|| Localized::new(self.language, value));
        }
        let product = Product {
            id,
            title: Localized::new(self.language, title),
            description: self.localized(description),
            type_keys: key_of_path(&names),
            product_type: names
                .into_iter()
                .map(|name| Localized::new(self.language, name))
                .collect(),
            brand_names: self.localized(brand.clone()),
            brand,
            price,
            sale_price: sale.map(|(price, _, _)| price),
            sale_from_ms: sale.and_then(|(_, from, _)| from),
            sale_until_ms: sale.and_then(|(_, _, until)| until),
            availability,
            availability_date: self.optional("availability_date", ID_CHARS_MAX),
            link: self.link("link"),
            image_link: self.image("image_link"),
            gtin: self.optional("gtin", ID_CHARS_MAX),
            mpn: self.optional("mpn", ID_CHARS_MAX),
            item_group_id: self.optional("item_group_id", ID_CHARS_MAX),
            attributes,
            line: self.row.line,
        };
        Some((product, details.into_iter().map(|(name, _)| name).collect()))
    }

    pub(super) fn translate(&mut self, product: &mut Product, details: &[String]) {
        let language = self.language;
        if let Some(title) = self.optional("title", TITLE_CHARS_MAX) {
            product.title.set(language, title);
        }
        if let Some(description) = self.description() {
            product.description.set(language, description);
        }
        if let Some(brand) = self.optional("brand", ATTRIBUTE_CHARS_MAX) {
            product.brand_names.set(language, brand);
        }
        let names = self.type_names();
        if names.len() == product.product_type.len() {
            for (level, name) in product.product_type.iter_mut().zip(names) {
                level.set(language, name);
            }
        } else if !names.is_empty() {
            let message = format!(
                "product_type has {} levels, the main feed has {}",
                names.len(),
                product.product_type.len()
            );
            self.wrong(
                "product_type",
                message,
                "name the same levels in the same order",
            );
        }
        for (name, value) in self.own_attributes() {
            product
                .attributes
                .entry(name)
                .or_default()
                .set(language, value);
        }
        let own = self.details();
        let same_length = own.len() == details.len();
        for (at, (name, value)) in own.into_iter().enumerate() {
            let key = details.get(at).filter(|_| same_length).cloned();
            product
                .attributes
                .entry(key.unwrap_or(name))
                .or_default()
                .set(language, value);
        }
    }

    pub(super) fn id(&mut self) -> Option<String> {
        let id = self.required("id", ID_CHARS_MAX)?;
        if id.chars().any(char::is_whitespace) {
            let message = format!("id `{id}` has a space in it; the row is left out");
            self.wrong("id", message, "write it without spaces");
            return None;
        }
        Some(id)
    }

    fn price(&mut self) -> Option<Money> {
        let written = self.required("price", ATTRIBUTE_CHARS_MAX)?;
        self.money("price", &written, "the row is left out")
    }

    fn money(&mut self, name: &str, written: &str, left_out: &str) -> Option<Money> {
        match Money::parse(written) {
            Ok(money) => Some(money),
            Err(error) => {
                let what = if written.starts_with(['-', '−']) {
                    format!("`{written}` is below zero")
                } else {
                    error.to_string()
                };
                self.wrong(
                    name,
                    format!("{name}: {what}; {left_out}"),
                    "write the amount with a point, a space and the currency: `1299.00 CNY`",
                );
                None
            }
        }
    }

    /// Sale price, from, until. A sale that cannot be read is no sale: nobody is promised a price by mistake.
    fn sale(&mut self, price: Money) -> Option<(Money, Option<i64>, Option<i64>)> {
        const LEFT_OUT: &str = "the sale price is left out";
        let written = self.optional("sale_price", ATTRIBUTE_CHARS_MAX)?;
        let sale = self.money("sale_price", &written, LEFT_OUT)?;
        if sale.currency != price.currency || sale.minor > price.minor {
            let message = format!("sale_price: `{written}` is not below the price; {LEFT_OUT}");
            self.wrong(
                "sale_price",
                message,
                "a sale price is in the price's currency and not above it",
            );
            return None;
        }
        let Some(dates) = self.optional("sale_price_effective_date", ATTRIBUTE_CHARS_MAX) else {
            return Some((sale, None, None));
        };
        match interval::parse(&dates) {
            Ok((from, until)) => Some((sale, Some(from), Some(until))),
            Err(unread) => {
                let what = match unread {
                    interval::Unread::Form => "is no interval",
                    interval::Unread::Backwards => "ends before it begins",
                };
                let message = format!("sale_price_effective_date: `{dates}` {what}; {LEFT_OUT}");
                self.wrong(
                    "sale_price_effective_date",
                    message,
                    "write `2026-11-20T00:00+0800/2026-11-30T23:59+0800`",
                );
                None
            }
        }
    }

    fn availability(&mut self) -> Option<Availability> {
        let Some(word) = self.optional("availability", ATTRIBUTE_CHARS_MAX) else {
            self.wrong(
                "availability",
                "availability is missing; the product is taken as in_stock",
                "write in_stock, out_of_stock, preorder or backorder",
            );
            return Some(Availability::InStock);
        };
        let known = Availability::from_word(&word);
        if known.is_none() {
            self.wrong(
                "availability",
                format!("availability: `{word}` is unknown; the row is left out"),
                "write in_stock, out_of_stock, preorder or backorder",
            );
        }
        known
    }

    fn description(&mut self) -> Option<String> {
        let mut parts: Vec<String> = self
            .optional("description", DESCRIPTION_CHARS_MAX)
            .into_iter()
            .collect();
        for cell in &self.row.cells {
            if cell.name == "product_highlight" && !cell.value.is_empty() {
                parts.push(cell.value.clone());
            }
        }
        (!parts.is_empty()).then(|| parts.join("\n"))
    }

    fn type_names(&mut self) -> Vec<String> {
        let Some(path) = self.optional("product_type", ATTRIBUTE_CHARS_MAX) else {
            return Vec::new();
        };
        let names: Vec<String> = path
            .split(['>', '＞'])
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        if names.len() > TYPE_LEVELS_MAX {
            let message = format!(
                "product_type has {} levels; the deepest are left out",
                names.len()
            );
            self.wrong(
                "product_type",
                message,
                format!("at most {TYPE_LEVELS_MAX} levels"),
            );
        }
        names.into_iter().take(TYPE_LEVELS_MAX).collect()
    }

    /// Columns that no field takes, and what a JSON row has under `attributes`.
    fn own_attributes(&mut self) -> Vec<(String, String)> {
        let mut taken: Vec<(String, String)> = Vec::new();
        let row = self.row;
        let columns = row.cells.iter().filter(|cell| {
            let name = cell.name.as_str();
            let is_new = name == "condition" && cell.value.eq_ignore_ascii_case("new");
            !FIELDS.contains(&name) && !UNTOLD.contains(&name) && !is_new
        });
        for cell in columns.chain(&row.attributes) {
            let repeated = taken.iter().any(|(name, _)| *name == cell.name);
            if cell.value.is_empty() || cell.name.is_empty() || repeated {
                continue;
            }
            if taken.len() >= ATTRIBUTES_MAX {
                self.report.at(
                    row.line,
                    cell.column,
                    format!("the product has more than {ATTRIBUTES_MAX} attributes; the rest is left out"),
                    "keep those that customers ask for",
                );
                break;
            }
            if let Some(value) = self.shown(cell, ATTRIBUTE_CHARS_MAX, "the attribute is left out")
            {
                taken.push((cell.name.clone(), value));
            }
        }
        taken
    }

    /// `section:name:value`, several by commas; the section is dropped.
    fn details(&mut self) -> Vec<(String, String)> {
        let mut details: Vec<(String, String)> = Vec::new();
        let row = self.row;
        for cell in row
            .cells
            .iter()
            .filter(|cell| cell.name == "product_detail")
        {
            let Some(text) = self.shown(cell, DESCRIPTION_CHARS_MAX, "the details are left out")
            else {
                continue;
            };
            for piece in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
                let parts: Vec<&str> = piece.splitn(3, ':').map(str::trim).collect();
                let pair = match parts.as_slice() {
                    [_, name, value] | [name, value] => Some((*name, *value)),
                    _ => None,
                };
                match (pair, details.last_mut()) {
                    (Some((name, value)), _) if !name.is_empty() && !value.is_empty() => {
                        details.push((column_key(name), value.to_owned()));
                    }
                    // A comma inside a value.
                    (None, Some((_, value))) => {
                        value.push_str(", ");
                        value.push_str(piece);
                    }
                    _ => self.report.at(
                        row.line,
                        cell.column,
                        format!("product_detail: `{piece}` is left out"),
                        "write `section:name:value`",
                    ),
                }
            }
        }
        details.truncate(ATTRIBUTES_MAX);
        details
    }

    /// Only web addresses: a link is shown to customers to press.
    fn link(&mut self, name: &str) -> Option<String> {
        let link = self.optional(name, LINK_CHARS_MAX)?;
        if is_web(&link) {
            return Some(link);
        }
        let message = format!("{name} is no web address; it is left out");
        self.wrong(name, message, "begin it with https://");
        None
    }

    /// A web address, or a file of the shop folder.
    fn image(&mut self, name: &str) -> Option<String> {
        let link = self.optional(name, LINK_CHARS_MAX)?;
        let is_file = !link.starts_with('/')
            && !link.contains(|c: char| matches!(c, ':' | '\\') || c.is_whitespace())
            && link
                .split('/')
                .all(|part| !part.is_empty() && !part.starts_with('.'));
        if is_web(&link) || is_file {
            return Some(link);
        }
        let message =
            format!("{name} is neither a web address nor a file of the shop; it is left out");
        self.wrong(
            name,
            message,
            "begin it with https://, or write images/name.webp",
        );
        None
    }

    fn localized(&self, text: Option<String>) -> Localized {
        text.map_or_else(Localized::default, |text| {
            Localized::new(self.language, text)
        })
    }

    fn required(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let row = self.row;
        match row.cell(name).filter(|cell| !cell.value.is_empty()) {
            Some(cell) => self.shown(cell, chars_max, "the row is left out"),
            None => {
                let message = format!("{name} is missing; the row is left out");
                self.wrong(name, message, format!("every product has a {name}"));
                None
            }
        }
    }

    fn optional(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let row = self.row;
        let cell = row.cell(name).filter(|cell| !cell.value.is_empty())?;
        self.shown(cell, chars_max, "the field is left out")
    }

    /// A text that may be shown: short enough, and without characters that cannot be seen.
    fn shown(&mut self, cell: &Cell, chars_max: usize, left_out: &str) -> Option<String> {
        let name = &cell.name;
        let length = cell.value.chars().count();
        if length > chars_max {
            self.report.at(
                self.row.line,
                cell.column,
                format!("{name} has {length} characters; {left_out}"),
                format!("at most {chars_max}"),
            );
            return None;
        }
        if !cell.value.chars().any(is_hidden) {
            return Some(cell.value.clone());
        }
        self.report.at(
            self.row.line,
            cell.column,
            format!("{name} holds control characters; they are taken out"),
            "type the text anew",
        );
        let clean: String = cell.value.chars().filter(|c| !is_hidden(*c)).collect();
        let clean = clean.trim().to_owned();
        (!clean.is_empty()).then_some(clean)
    }

    pub(super) fn wrong(
        &mut self,
        name: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let column = self.row.cell(name).map_or(1, |cell| cell.column);
        self.report.at(self.row.line, column, message, help);
    }
}

fn is_web(link: &str) -> bool {
    let begins = |scheme: &str| {
        let head = link.get(..scheme.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    };
    (begins("https://") || begins("http://")) && !link.contains(char::is_whitespace)
}

/// Control characters, and marks that turn the direction of what follows.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
