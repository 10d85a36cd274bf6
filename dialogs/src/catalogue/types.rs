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
    /// Its English name begins with a name proper, which keeps its capital within a sentence.
    is_proper: bool,
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

fn first_word(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or_default()
}

/// A title has the word, written the same, after its first one.
fn has_inside(title: &str, word: &str) -> bool {
    // Where every word has a capital, a capital tells nothing.
    let is_sentence = title
        .split_whitespace()
        .any(|word| word.len() > 3 && word.starts_with(char::is_lowercase));
    is_sentence && !word.is_empty() && title.split_whitespace().skip(1).any(|other| other == word)
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
                known.is_proper |= has_inside(
                    product.title.own(Language::En).unwrap_or_default(),
                    first_word(known.name.own(Language::En).unwrap_or_default()),
                );
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

    /// The type's name as it stands within a sentence: “electric grinders”, but “French presses”.
    pub(super) fn noun(&self, key: &str, language: Language) -> Option<String> {
        let known = self.by_key.get(key)?;
        let name = known.name.get(language);
        let word = first_word(name);
        let is_plain = word.chars().skip(1).all(|c| c.is_lowercase() || c == '-');
        if known.is_proper || !is_plain {
            return Some(name.to_owned());
        }
        Some(text::within_sentence(name))
    }

    /// The names of both end with the same word: `hand grinders` and `grinders`, 手摇磨豆机 and 磨豆机.
    pub(super) fn is_same_thing(&self, key: &str, above: &str) -> bool {
        let name = |key: &str, language| {
            let own = self.by_key.get(key)?.name.own(language)?;
            Some(text::fold(own))
        };
        let last_word = |name: String| name.split(' ').next_back().map(str::to_owned);
        let english = |key| name(key, Language::En).and_then(last_word);
        let chinese = [key, above].map(|key| name(key, Language::Zh));
        let same_word = english(key).is_some() && english(key) == english(above);
        same_word
            || matches!(&chinese, [Some(one), Some(other)]
                if other.chars().count() > 1 && one.ends_with(other.as_str()))
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
