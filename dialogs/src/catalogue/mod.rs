//! The catalogue: every product of the shop, and how one is found.

pub mod feed;
mod product;
mod query;

pub use product::{Availability, Localized, Product};
pub use query::{HITS_MAX, Hit, Order, Query, Shape};
pub(crate) use product::revision_of;

use crate::Language;
use crate::vocabulary::Vocabulary;

/// Products with an index over them; nothing in it ever changes.
pub struct Catalogue {
    products: Vec<Product>,
    vocabulary: Vocabulary,
    unknown_aliases: Vec<(String, String)>,
}

impl Catalogue {
    pub fn build(products: Vec<Product>) -> Self {
        Self::build_with(products, &[])
    }

    /// Aliases: another word, and the type, brand, attribute value or product id (key or name) it stands for.
    pub fn build_with(products: Vec<Product>, aliases: &[(String, String)]) -> Self {
        let _ = aliases;
        Self { products, vocabulary: Vocabulary::default(), unknown_aliases: Vec::new() }
    }

    pub fn get(&self, id: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.id == id)
    }

    /// By id.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Aliases whose name stands for nothing here.
    pub fn unknown_aliases(&self) -> &[(String, String)] {
        &self.unknown_aliases
    }

    pub fn search(&self, query: &Query) -> Vec<Hit> {
        let _ = query;
        Vec::new()
    }

    pub fn shape(&self, query: &Query) -> Shape {
        let _ = query;
        Shape::default()
    }

    /// Of the same deepest type, nearest in regular price first.
    pub fn similar(&self, id: &str, limit: usize) -> Vec<String> {
        let _ = (id, limit);
        Vec::new()
    }

    /// Products that say of themselves that they fit this one.
    pub fn accessories_of(&self, id: &str) -> Vec<String> {
        let _ = id;
        Vec::new()
    }

    /// Key and name of every type, by key.
    pub fn types(&self, language: Language) -> Vec<(String, String)> {
        let _ = language;
        Vec::new()
    }

    /// Keys of the most general types.
    pub fn top_types(&self) -> Vec<String> {
        Vec::new()
    }

    pub fn type_name(&self, key: &str, language: Language) -> Option<&str> {
        let _ = (key, language);
        None
    }

    pub fn brands(&self) -> Vec<String> {
        Vec::new()
    }

    pub fn value_name(&self, attribute: &str, key: &str, language: Language) -> Option<&str> {
        let _ = (attribute, key, language);
        None
    }
}
