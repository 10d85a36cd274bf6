//! Attribute values: what one product has several of, and one key for a value in all languages.

use super::lexicon::{Kind, lexicon};
use super::{Localized, Product};
use crate::Language;
use crate::text;
use std::collections::BTreeMap;

/// Values of one attribute of one product.
const VALUES_MAX: usize = 30;

/// Attribute name, value key, what is known of the value.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    by_attribute: BTreeMap<String, BTreeMap<String, Value>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    pub name: Localized,
    pub products: usize,
    /// The place in the lexicon of what this value, and no other of the attribute, stands for.
    pub entry: Option<usize>,
}

/// Values that say that a thing does not have something, folded.
const LACKS: [&str; 10] = [
    "no",
    "false",
    "none",
    "not supported",
    "without",
    "否",
    "无",
    "没有",
    "不支持",
    "不带",
];

/// The value says that there is none.
pub(super) fn says_none(key: &str) -> bool {
    LACKS.contains(&key)
}

/// Attribute name and value key of each value a product has.
pub(super) type Own = Vec<(String, String)>;

/// `红/蓝`, `红、蓝`, `red, blue` and `red|blue` are two values; the slash of `20 cups/day` or `1/2` parts nothing.
pub(super) fn parts(text: &str) -> Vec<String> {
    let slash = if text.bytes().any(|byte| byte.is_ascii_digit()) {
        " / "
    } else {
        "/"
    };
    text.split(['、', '，', '；', '|'])
        .flat_map(|part| part.split(", "))
        .flat_map(|part| part.split("; "))
        .flat_map(|part| part.split(slash))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .take(VALUES_MAX)
        .map(str::to_owned)
        .collect()
}

/// The language that keys are written in: that of most titles, else that which the type keys are made of.
pub(super) fn primary(products: &[Product]) -> Language {
    let titles = |language: Language| {
        let has = |product: &&Product| product.title.own(language).is_some();
        products.iter().filter(has).count()
    };
    let keys = |language: Language| {
        let made_of = |product: &&Product| {
            let names: Vec<String> = product
                .product_type
                .iter()
                .filter_map(|name| name.own(language).map(str::to_owned))
                .collect();
            !names.is_empty() && super::types::key_of_path(&names) == product.type_keys
        };
        products.iter().filter(made_of).count()
    };
    // Keys are counted only where as many titles are in either language.
    let titled = titles(Language::En).cmp(&titles(Language::Zh));
    if titled
        .then_with(|| keys(Language::En).cmp(&keys(Language::Zh)))
        .is_gt()
    {
        Language::En
    } else {
        Language::Zh
    }
}

impl Values {
    /// The values of all products, and those of each.
    pub(super) fn of(products: &[Product]) -> (Self, Vec<Own>) {
        let primary = primary(products);
        let renamed = renamed(products, primary);
        let mut values = Self::default();
        let mut own: Vec<Own> = products
            .iter()
            .map(|product| values.add(product, primary, &renamed))
            .collect();
        let also = values.widen(primary);
        for own in &mut own {
            values.add_wider(own, &also);
        }
        (values, own)
    }

    /// What each value is besides: charcoal is a grey, linen a fabric, `gray` the same as `grey`. By attribute and key, the keys that go with it.
    fn widen(&mut self, primary: Language) -> BTreeMap<(String, String), Vec<String>> {
        let mut also: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (attribute, values) in &mut self.by_attribute {
            let entry_of = |value: &Value| {
                value
                    .name
                    .texts()
                    .find_map(|(_, name)| lexicon().find(Kind::Value, name))
            };
            let mut known: Vec<(usize, usize, String)> = values
                .iter()
                .filter_map(|(key, value)| Some((entry_of(value)?, value.products, key.clone())))
                .collect();
            // Of several spellings that of most products stands for all.
            known.sort_by(|a, b| (a.0, usize::MAX - a.1, &a.2).cmp(&(b.0, usize::MAX - b.1, &b.2)));
            let mut stands_for: BTreeMap<usize, String> = BTreeMap::new();
            for (entry, _, key) in &known {
                stands_for.entry(*entry).or_insert_with(|| key.clone());
            }
            for (entry, _, key) in known {
                let wider = lexicon().entry(entry).and_then(|known| known.wider());
                for meant in [Some(entry), wider].into_iter().flatten() {
                    let name = |language| {
                        lexicon()
                            .entry(meant)
                            .map_or("", |known| known.name(language))
                    };
                    let whole = stands_for
                        .entry(meant)
                        .or_insert_with(|| text::fold(name(primary)))
                        .clone();
                    let value = values.entry(whole.clone()).or_default();
                    value.entry = Some(meant);
                    for language in Language::ALL {
                        if value.name.own(language).is_none() {
                            value.name.set(language, name(language));
                        }
                    }
                    if whole != key {
                        also.entry((attribute.clone(), key.clone()))
                            .or_default()
                            .push(whole);
                    }
                }
            }
        }
        also
    }

    fn add_wider(&mut self, own: &mut Own, also: &BTreeMap<(String, String), Vec<String>>) {
        let mut more: Own = own
            .iter()
            .filter_map(|pair| Some((&pair.0, also.get(pair)?)))
            .flat_map(|(attribute, keys)| keys.iter().map(|key| (attribute.clone(), key.clone())))
            .filter(|pair| !own.contains(pair))
            .collect();
        more.sort();
        more.dedup();
        for (attribute, key) in &more {
            let values = self.by_attribute.get_mut(attribute);
            if let Some(value) = values.and_then(|values| values.get_mut(key)) {
                value.products += 1;
            }
        }
        own.extend(more);
    }

    fn add(&mut self, product: &Product, primary: Language, renamed: &Renamed) -> Own {
        let mut own = Own::new();
        for (attribute, text) in &product.attributes {
            let known = self.by_attribute.entry(attribute.clone()).or_default();
            let mut keys: Vec<String> = Vec::new();
            if let Some(text) = text.own(primary) {
                for part in parts(text) {
                    let key = text::fold(&part);
                    let value = known.entry(key.clone()).or_default();
                    if value.name.own(primary).is_none() {
                        value.name.set(primary, part);
                    }
                    keys.push(key);
                }
            }
            for (language, text) in text.texts().filter(|(language, _)| *language != primary) {
                let parts = parts(text);
                let aligned = parts.len() == keys.len();
                if !aligned && !keys.is_empty() {
                    continue;
                }
                for (at, part) in parts.into_iter().enumerate() {
                    let folded = text::fold(&part);
                    let key = match keys.get(at) {
                        Some(key) => key.clone(),
                        None => {
                            let key = renamed
                                .get(&(attribute.clone(), folded.clone()))
                                .cloned()
                                .unwrap_or(folded);
                            keys.push(key.clone());
                            key
                        }
                    };
                    let value = known.entry(key).or_default();
                    if value.name.own(language).is_none() {
                        value.name.set(language, part);
                    }
                }
            }
            keys.sort();
            keys.dedup();
            for key in keys {
                if let Some(value) = known.get_mut(&key) {
                    value.products += 1;
                }
                own.push((attribute.clone(), key));
            }
        }
        own
    }

    pub(super) fn name(&self, attribute: &str, key: &str, language: Language) -> Option<&str> {
        let value = self.by_attribute.get(attribute)?.get(key)?;
        Some(value.name.get(language))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Value>)> {
        self.by_attribute
            .iter()
            .map(|(attribute, values)| (attribute.as_str(), values))
    }
}

/// Attribute and folded value in another language, to the value's key.
type Renamed = BTreeMap<(String, String), String>;

/// What products that name a value in both languages teach about those that name it in one.
fn renamed(products: &[Product], primary: Language) -> Renamed {
    let mut renamed = Renamed::new();
    for product in products {
        for (attribute, text) in &product.attributes {
            let Some(own) = text.own(primary).map(parts) else {
                continue;
            };
            for (_, other) in text.texts().filter(|(language, _)| *language != primary) {
                let other = parts(other);
                if other.len() == own.len() {
                    for (key, other) in own.iter().zip(other) {
                        renamed
                            .entry((attribute.clone(), text::fold(&other)))
                            .or_insert_with(|| text::fold(key));
                    }
                }
            }
        }
    }
    renamed
}
