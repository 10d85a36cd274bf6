//! Reads one row of a feed, field by field, into a product.

use super::columns::{column_key, is_attribute};
use super::report::{Place, Report};
use super::rows::{Cell, Row};
use super::{html, interval, prices};
use crate::Language;
use crate::catalogue::types::key_of_path;
use crate::catalogue::{Availability, Localized, Product};
use crate::money::{Currency, Money};
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

/// A row with its language and where its problems go.
pub(super) struct Reader<'a, 'b, 'c> {
    pub row: &'a Row,
    pub language: Language,
    /// Of prices that name none.
    pub currency: Option<Currency>,
    pub report: &'b mut Report<'c>,
}

/// What is lost with a field that cannot be read.
#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Row,
    Field,
}

impl Loss {
    fn words(self) -> &'static str {
        match self {
            Loss::Row => "the row is left out",
            Loss::Field => "the field is left out",
        }
    }
}

/// A text that stands in one line: a name, a value.
#[derive(Clone, Copy, PartialEq)]
enum Length {
    /// Longer ones are no such thing.
    Max(usize),
    /// Longer ones are cut.
    Cut(usize),
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
        let all = self.own_attributes().into_iter().chain(details.clone());
        for (name, value) in all.take(ATTRIBUTES_MAX) {
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
            self.mend(
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
            self.refuse("id", message, "write it without spaces");
            return None;
        }
        Some(id)
    }

    fn price(&mut self) -> Option<Money> {
        let written = self.required("price", ATTRIBUTE_CHARS_MAX)?;
        match prices::read(&written, self.currency) {
            Ok(money) => Some(money),
            Err((what, help)) => {
                let message = format!("price: {what}; the row is left out");
                self.refuse("price", message, help);
                None
            }
        }
    }

    /// Sale price, from, until. A sale that cannot be read is no sale: nobody is promised a price by mistake.
    fn sale(&mut self, price: Money) -> Option<(Money, Option<i64>, Option<i64>)> {
        const LEFT_OUT: &str = "the sale price is left out";
        let written = self.optional("sale_price", ATTRIBUTE_CHARS_MAX)?;
        let sale = match prices::read(&written, self.currency) {
            Ok(money) => money,
            Err((what, help)) => {
                let message = format!("sale_price: {what}; {LEFT_OUT}");
                self.mend("sale_price", message, help);
                return None;
            }
        };
        if sale.currency != price.currency || sale.minor > price.minor {
            let message = format!("sale_price: `{written}` is not below the price; {LEFT_OUT}");
            self.mend(
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
                self.mend(
                    "sale_price_effective_date",
                    message,
                    "write `2026-11-20T00:00+0800/2026-11-30T23:59+0800`",
                );
                None
            }
        }
    }

    fn availability(&mut self) -> Option<Availability> {
        const HELP: &str = "write in_stock, out_of_stock, preorder or backorder";
        let Some(word) = self.optional("availability", ATTRIBUTE_CHARS_MAX) else {
            self.mend(
                "availability",
                "availability is missing; the product is taken as in_stock",
                HELP,
            );
            return Some(Availability::InStock);
        };
        let known = Availability::from_word(&word).or_else(|| in_chinese(&word));
        if known.is_none() {
            let message = format!("availability: `{word}` is unknown; the row is left out");
            self.refuse("availability", message, HELP);
        }
        known
    }

    fn description(&mut self) -> Option<String> {
        let row = self.row;
        let mut parts: Vec<String> = Vec::new();
        let texts = row.cells.iter().filter(|cell| {
            matches!(&*cell.name, "description" | "product_highlight") && !cell.value.is_empty()
        });
        for cell in texts {
            let read = self.shown(cell, Length::Cut(DESCRIPTION_CHARS_MAX), Loss::Field);
            parts.extend(read.filter(|text| !text.is_empty()));
        }
        let joined = parts.join("\n");
        match joined.char_indices().nth(DESCRIPTION_CHARS_MAX) {
            Some((end, _)) => joined.get(..end).map(|text| text.trim_end().to_owned()),
            None => (!joined.is_empty()).then_some(joined),
        }
    }

    fn type_names(&mut self) -> Vec<String> {
        let own = self.optional("product_type", ATTRIBUTE_CHARS_MAX);
        // Google's number of a category has no name here.
        let path = own.or_else(|| {
            self.optional("google_product_category", ATTRIBUTE_CHARS_MAX)
                .filter(|path| !path.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let Some(path) = path else {
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
            self.mend(
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
            let is_new = &*cell.name == "condition" && cell.value.eq_ignore_ascii_case("new");
            is_attribute(&cell.name) && !is_new
        });
        for cell in columns.chain(&row.attributes) {
            let repeated = taken.iter().any(|(name, _)| **name == *cell.name);
            if cell.value.is_empty() || cell.name.is_empty() || repeated {
                continue;
            }
            if taken.len() >= ATTRIBUTES_MAX {
                self.report.mend(
                    &at(row, cell),
                    format!("the product has more than {ATTRIBUTES_MAX} attributes; the rest is left out"),
                    "keep those that customers ask for",
                );
                break;
            }
            if let Some(value) = self.shown(cell, Length::Max(ATTRIBUTE_CHARS_MAX), Loss::Field) {
                taken.push((cell.name.to_string(), value));
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
            .filter(|cell| &*cell.name == "product_detail")
        {
            let Some(text) = self.shown(cell, Length::Max(DESCRIPTION_CHARS_MAX), Loss::Field)
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
                    _ => self.report.mend(
                        &at(row, cell),
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
        self.mend(name, message, "begin it with https://");
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
        self.mend(
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
            Some(cell) => self.shown(cell, Length::Max(chars_max), Loss::Row),
            None => {
                let message = format!("{name} is missing; the row is left out");
                self.refuse(name, message, format!("every product has a {name}"));
                None
            }
        }
    }

    fn optional(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let row = self.row;
        let cell = row.cell(name).filter(|cell| !cell.value.is_empty())?;
        self.shown(cell, Length::Max(chars_max), Loss::Field)
    }

    /// A text that may be shown: plain, short enough, and without characters that cannot be seen.
    fn shown(&mut self, cell: &Cell, length: Length, loss: Loss) -> Option<String> {
        let row = self.row;
        let name = &cell.name;
        let mut text = html::plain(&cell.value);
        if text.chars().any(is_hidden) {
            self.report.mend(
                &at(row, cell),
                format!("{name} holds control or broken characters; they are taken out"),
                "type the text anew",
            );
            text.retain(|c| !is_hidden(c));
            text = text.trim().to_owned();
        }
        let characters = text.chars().count();
        match length {
            Length::Max(max) if characters > max => {
                let message = format!("{name} has {characters} characters; {}", loss.words());
                let help = format!("at most {max}");
                match loss {
                    Loss::Row => self.report.refuse(&at(row, cell), message, help),
                    Loss::Field => self.report.mend(&at(row, cell), message, help),
                }
                return None;
            }
            Length::Cut(max) if characters > max => {
                self.report.mend(
                    &at(row, cell),
                    format!("{name} has {characters} characters; it is cut"),
                    format!("at most {max}"),
                );
                text = text.chars().take(max).collect();
            }
            _ => {}
        }
        if text.is_empty() && loss == Loss::Row {
            self.report.refuse(
                &at(row, cell),
                format!("{name} is empty; the row is left out"),
                format!("every product has a {name}"),
            );
        }
        (!text.is_empty()).then_some(text)
    }

    /// The row is taken, with something left out or put right.
    pub(super) fn mend(&mut self, name: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report.mend(&self.row.place(name), message, help);
    }

    pub(super) fn refuse(
        &mut self,
        name: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report.refuse(&self.row.place(name), message, help);
    }
}

fn at<'c>(row: &Row, cell: &'c Cell) -> Place<'c> {
    Place {
        line: row.line,
        column: cell.column,
        field: &cell.name,
    }
}

/// What Chinese shops write for Google's words.
fn in_chinese(word: &str) -> Option<Availability> {
    match word {
        "有货" | "现货" | "有现货" | "在售" => Some(Availability::InStock),
        "无货" | "缺货" | "售罄" | "断货" => Some(Availability::OutOfStock),
        "预售" | "预订" => Some(Availability::Preorder),
        "可预定" | "补货中" => Some(Availability::Backorder),
        _ => None,
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
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}
