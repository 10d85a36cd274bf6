//! The tree of product types, named in each language.

use super::{Localized, Product};
use crate::Language;
use crate::text;
use std::collections::BTreeMap;

/// Type keys with their names; a key holds the keys above it: `coffee-machines/espresso-machines`.
#[derive(Clone, Debug, Default)]
pub(super) struct Types {
    by_key: BTreeMap<String, Type>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Type {
    /// As the first product of the feed that has it writes it.
    pub name: Localized,
    pub products: usize,
    first_line: u32,
}

/// The key of each level of a path of names, general first.
pub(super) fn key_of_path(names: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let slug = slug(name);
        keys.push(match keys.last() {
            Some(above) => format!("{above}/{slug}"),
            None => slug,
        });
    }
    keys
}

/// Folded letters and digits, Han as it is, with `-` between words.
pub(crate) fn slug(name: &str) -> String {
    let folded = text::fold(name);
    let words: Vec<&str> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join("-")
    }
}

/// `key` is `above` or lies below it.
pub(super) fn lies_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Types {
    pub(super) fn of(products: &[Product]) -> Self {
        let mut in_feed_order: Vec<&Product> = products.iter().collect();
        in_feed_order.sort_by(|a, b| (a.line, &a.id).cmp(&(b.line, &b.id)));
        let mut types = Self::default();
        for product in in_feed_order {
            for (key, name) in product.type_keys.iter().zip(&product.product_type) {
                let known = types.by_key.entry(key.clone()).or_insert_with(|| Type {
                    first_line: product.line,
                    ..Type::default()
                });
                known.products += 1;
                for (language, text) in name.texts() {
                    if known.name.own(language).is_none() {
                        known.name.set(language, text);
                    }
                }
            }
        }
        types
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.by_key.iter().map(|(key, known)| (key.as_str(), known))
    }

    pub(super) fn name(&self, key: &str, language: Language) -> Option<&str> {
        self.by_key.get(key).map(|known| known.name.get(language))
    }

    /// The most general keys, in the order of the feed.
    pub(super) fn top(&self) -> Vec<String> {
        let mut top: Vec<(u32, &str)> = self
            .iter()
            .filter(|(key, _)| !key.contains('/'))
            .map(|(key, known)| (known.first_line, key))
            .collect();
        top.sort_unstable();
        top.into_iter().map(|(_, key)| key.to_owned()).collect()
    }
}
