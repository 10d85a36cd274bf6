//! What kinds, brands, attributes and their values are called, in each language.

use super::{Catalogue, lexicon};
use crate::Language;
use crate::text;
use std::collections::BTreeSet;

impl Catalogue {
    /// Key and name of every type, by key.
    pub fn types(&self, language: Language) -> Vec<(String, String)> {
        self.types
            .iter()
            .map(|(key, known)| (key.to_owned(), known.name.get(language).to_owned()))
            .collect()
    }

    /// Keys of the most general types, in the order of the feed.
    pub fn top_types(&self) -> Vec<String> {
        self.types.top()
    }

    /// The type's name in the language, else in the other.
    pub fn type_name(&self, key: &str, language: Language) -> Option<&str> {
        self.types.name(key, language)
    }

    /// The same as it stands within a sentence.
    pub fn type_noun(&self, key: &str, language: Language) -> Option<String> {
        self.types.noun(key, language)
    }

    /// Names of the attributes that any product has.
    pub fn attribute_names(&self) -> BTreeSet<String> {
        let names: BTreeSet<&String> = self
            .products
            .iter()
            .flat_map(|product| product.attributes.keys())
            .collect();
        names.into_iter().cloned().collect()
    }

    /// As the feed writes them, sorted.
    pub fn brands(&self) -> Vec<String> {
        let brands: BTreeSet<&String> = self
            .products
            .iter()
            .filter_map(|p| p.brand.as_ref())
            .collect();
        brands.into_iter().cloned().collect()
    }

    /// The brand as the language writes it.
    pub fn brand_name(&self, brand: &str, language: Language) -> Option<&str> {
        let written = self
            .products
            .iter()
            .find(|product| product.brand.as_deref() == Some(brand))
            .map(|product| product.brand_names.get(language))
            .filter(|name| !name.is_empty());
        let is_latin = !written.is_some_and(|name| name.chars().any(text::han));
        match self.chinese_brands.get(brand) {
            Some(own) if language == Language::Zh && is_latin => Some(own),
            _ => written,
        }
    }

    /// The attribute value's name in the language, else in the other.
    pub fn value_name(&self, attribute: &str, key: &str, language: Language) -> Option<&str> {
        self.values.name(attribute, key, language)
    }

    /// What an attribute of the feed is generally called, where that is known.
    pub fn attribute_name(&self, attribute: &str, language: Language) -> Option<&'static str> {
        let entry = lexicon::lexicon().attribute(attribute)?;
        Some(entry.name(language))
    }
}
