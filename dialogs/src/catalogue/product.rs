//! A product as the shop's feed describes it: the evidence behind every price and figure that is said.

use crate::Language;
use crate::money::Money;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Hex digits of a content hash that name a revision.
const REVISION_DIGITS: usize = 12;

/// One row of the catalogue; field names are those of Google Merchant Center product data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: String,
    pub title: Localized,
    pub description: Localized,
    /// Names along the path of product types, general first.
    pub product_type: Vec<Localized>,
    /// Canonical keys along the same path, general first: `coffee-machines`, `coffee-machines/espresso-machines`.
    pub type_keys: Vec<String>,
    /// As the primary feed writes it; also the brand's key.
    pub brand: Option<String>,
    /// The brand as each language writes it.
    pub brand_names: Localized,
    pub price: Money,
    pub sale_price: Option<Money>,
    /// Milliseconds since 1970, inclusive; `None` is open at that end.
    pub sale_from_ms: Option<i64>,
    /// Milliseconds since 1970, exclusive.
    pub sale_until_ms: Option<i64>,
    pub availability: Availability,
    /// As the feed writes it, ISO 8601.
    pub availability_date: Option<String>,
    pub link: Option<String>,
    pub image_link: Option<String>,
    pub gtin: Option<String>,
    pub mpn: Option<String>,
    pub item_group_id: Option<String>,
    /// By the attribute's key: the folded column name with `_` for spaces.
    pub attributes: BTreeMap<String, Localized>,
    /// Line of the primary feed, from 1.
    pub line: u32,
}

/// One text in each language that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Localized(pub BTreeMap<Language, String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Availability {
    InStock,
    OutOfStock,
    Preorder,
    Backorder,
}

impl Product {
    /// What a customer pays at that moment: the sale price only inside its dates.
    pub fn price_at(&self, now_ms: i64) -> Money {
        let begun = self.sale_from_ms.is_none_or(|from| from <= now_ms);
        let over = self.sale_until_ms.is_some_and(|until| until <= now_ms);
        match self.sale_price {
            Some(sale) if begun && !over => sale,
            _ => self.price,
        }
    }

    /// Twelve hex digits of the hash of everything the product says of itself; the line in the file is no part of it.
    pub fn revision(&self) -> String {
        let mut canon = Canon::default();
        canon.text("id", &self.id);
        canon.localized("title", &self.title);
        canon.localized("description", &self.description);
        for (name, key) in self.product_type.iter().zip(&self.type_keys) {
            canon.localized(key, name);
        }
        canon.localized("brand_names", &self.brand_names);
        canon.text("price", &written(self.price));
        let optional = [
            ("brand", self.brand.clone()),
            ("sale_price", self.sale_price.map(written)),
            ("sale_from", self.sale_from_ms.map(|ms| ms.to_string())),
            ("sale_until", self.sale_until_ms.map(|ms| ms.to_string())),
            ("availability", Some(self.availability.word().to_owned())),
            ("availability_date", self.availability_date.clone()),
            ("link", self.link.clone()),
            ("image_link", self.image_link.clone()),
            ("gtin", self.gtin.clone()),
            ("mpn", self.mpn.clone()),
            ("item_group_id", self.item_group_id.clone()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                canon.text(name, &value);
            }
        }
        for (name, value) in &self.attributes {
            canon.localized(name, value);
        }
        revision_of(canon.0.as_bytes())
    }

    pub fn in_stock(&self) -> bool {
        self.availability == Availability::InStock
    }
}

/// What makes a Markdown link of `[words](address)`.
const LINK_MIDDLE: &str = "](";

impl Localized {
    pub fn new(language: Language, text: impl Into<String>) -> Self {
        let mut new = Self::default();
        new.set(language, text);
        new
    }

    /// The text in the language, else in another, else empty.
    pub fn get(&self, language: Language) -> &str {
        self.own(language)
            .or_else(|| self.0.values().map(String::as_str).find(|t| !t.is_empty()))
            .unwrap_or_default()
    }

    /// The text in exactly this language.
    pub fn own(&self, language: Language) -> Option<&str> {
        self.0
            .get(&language)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A supplier's words are words: replies are Markdown, and a link in a name would lead where the supplier wants under any words.
    pub fn set(&mut self, language: Language, text: impl Into<String>) {
        let text = text.into();
        let text = match text.contains(LINK_MIDDLE) {
            true => text.replace(LINK_MIDDLE, "] ("),
            false => text,
        };
        self.0.insert(language, text);
    }

    /// Each language's text, in a fixed order.
    pub fn texts(&self) -> impl Iterator<Item = (Language, &str)> {
        self.0
            .iter()
            .map(|(language, text)| (*language, text.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }
}

impl Availability {
    pub const ALL: [Availability; 4] = [
        Availability::InStock,
        Availability::OutOfStock,
        Availability::Preorder,
        Availability::Backorder,
    ];

    /// The feed's word.
    pub fn word(self) -> &'static str {
        match self {
            Availability::InStock => "in_stock",
            Availability::OutOfStock => "out_of_stock",
            Availability::Preorder => "preorder",
            Availability::Backorder => "backorder",
        }
    }

    /// Reads `in_stock`; the older `in stock` is taken too.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase().replace([' ', '-'], "_");
        Availability::ALL.into_iter().find(|a| a.word() == word)
    }
}

/// Twelve hex digits of the SHA-256 of the bytes.
pub(crate) fn revision_of(bytes: &[u8]) -> String {
    let mut revision = hex::encode(Sha256::digest(bytes));
    revision.truncate(REVISION_DIGITS);
    revision
}

fn written(money: Money) -> String {
    format!("{} {}", money.amount(), money.currency.code())
}

/// Name and value with their lengths, so that no two products serialise alike.
#[derive(Default)]
struct Canon(String);

impl Canon {
    fn text(&mut self, name: &str, value: &str) {
        self.0
            .push_str(&format!("{}:{name}{}:{value}\n", name.len(), value.len()));
    }

    fn localized(&mut self, name: &str, value: &Localized) {
        for (language, text) in value.texts() {
            self.text(&format!("{name}.{}", language.tag()), text);
        }
    }
}
