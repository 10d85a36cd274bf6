//! Products by less than their title: the brand with a model's word, or that word alone.

use super::Product;
use super::terms::without_brand;
use super::types::Types;
use super::values::Values;
use crate::Language;
use crate::text;
use crate::vocabulary::{Term, TermKind, is_common_word};
use std::collections::{BTreeMap, BTreeSet};

/// Short names of one catalogue; a larger one is named by its titles and numbers.
const SHORT_NAMES_MAX: usize = 60_000;
/// Words of a model's name.
const MODEL_WORDS_MAX: usize = 3;
/// Letters of a model's word that stands alone.
const ALONE_LETTERS_MIN: usize = 3;
/// Abbreviations that say what a thing can do, in titles of any trade.
const ABBREVIATIONS: [&str; 24] = [
    "wifi",
    "usb",
    "led",
    "lcd",
    "oled",
    "app",
    "pvc",
    "abs",
    "pla",
    "pet",
    "diy",
    "gps",
    "nfc",
    "hdmi",
    "ssd",
    "ram",
    "rgb",
    "pid",
    "bluetooth",
    "type",
    "max",
    "mini",
    "set",
    "new",
];

/// Who is named by a short name, and whether anybody else is.
#[derive(Default)]
struct Named {
    places: BTreeSet<usize>,
    /// The name is a word of the language beside being a name.
    is_word: bool,
}

/// Short names that stand for one product each, and the spellings that customers leave spaces out of or put them in.
pub(super) fn of(
    products: &[Product],
    types: &Types,
    values: &Values,
    terms: &[Term],
) -> Vec<Term> {
    let mut short = respaced(terms);
    let said = said_otherwise(types, values);
    let ordinary = ordinary(products);
    let standing = standing(products);
    let mut named: BTreeMap<String, Named> = BTreeMap::new();
    for (place, product) in products.iter().enumerate() {
        for model in models(product, &said) {
            let alone = model.join(" ");
            let heads = [Some(alone.clone()), model.first().cloned()];
            for head in heads.into_iter().flatten().collect::<BTreeSet<_>>() {
                // A first word that other titles have too names none of them.
                let is_whole = head == alone;
                if !is_whole && standing.get(&head).is_some_and(|in_titles| *in_titles > 1) {
                    continue;
                }
                for brand in brands(product) {
                    for joint in [" ", ""] {
                        let is_spaced = joint == " "
                            || is_border(brand.chars().next_back(), head.chars().next());
                        if is_spaced {
                            let entry = named.entry(format!("{brand}{joint}{head}")).or_default();
                            entry.places.insert(place);
                        }
                    }
                }
                if is_alone(&head) {
                    let entry = named.entry(head.clone()).or_default();
                    entry.places.insert(place);
                    entry.is_word |= ordinary.contains(&head) || !in_chinese_title(product, &head);
                }
            }
        }
    }
    let one = |places: &BTreeSet<usize>| {
        let mut named = places.iter().filter_map(|place| products.get(*place));
        let first = named.next()?;
        let is_group = first.item_group_id.is_some();
        let alike = named.all(|other| is_group && other.item_group_id == first.item_group_id);
        alike.then_some(first)
    };
    for (surface, name) in named.into_iter().take(SHORT_NAMES_MAX) {
        if let Some(product) = one(&name.places) {
            short.push(Term {
                kind: match name.is_word {
                    true => TermKind::Model,
                    false => TermKind::Product,
                },
                surface,
                key: product.id.clone(),
            });
        }
    }
    short
}

/// The words with which a title names the model, in each language: `duo`, `office 30`.
fn models(product: &Product, said: &BTreeSet<String>) -> BTreeSet<Vec<String>> {
    let mut models = BTreeSet::new();
    for (_, title) in product.title.texts() {
        let folded = text::fold(title);
        let rest = without_brand(product, &folded).unwrap_or(folded);
        let words: Vec<String> = rest
            .split(' ')
            .map_while(|word| {
                let is_latin = word.chars().all(|c| c.is_alphanumeric() && !text::han(c));
                (is_latin && !word.is_empty() && !said.contains(word)).then(|| word.to_owned())
            })
            .take(MODEL_WORDS_MAX)
            .collect();
        let begins = words
            .first()
            .is_some_and(|word| word.chars().count() > 1 && word.starts_with(char::is_alphabetic));
        if begins {
            models.insert(words);
        }
    }
    models
}

/// The words of types and values: with a brand they name a kind, no model.
fn said_otherwise(types: &Types, values: &Values) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let mut add = |name: &str| {
        let folded = text::fold(name);
        for word in folded.split(|c: char| !c.is_alphanumeric()) {
            said.insert(word.to_owned());
            said.insert(word.strip_suffix('s').unwrap_or(word).to_owned());
        }
    };
    for (_, known) in types.iter() {
        known.name.texts().for_each(|(_, name)| add(name));
    }
    for (_, values) in values.iter() {
        for value in values.values() {
            value.name.texts().for_each(|(_, name)| add(name));
        }
    }
    said
}

/// Words that the shop's texts write without a capital: its own language, no names.
fn ordinary(products: &[Product]) -> BTreeSet<String> {
    let mut ordinary = BTreeSet::new();
    for product in products {
        for text in [&product.title, &product.description] {
            for (_, text) in text.texts() {
                for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
                    if word.starts_with(|c: char| c.is_ascii_lowercase()) {
                        ordinary.insert(word.to_ascii_lowercase());
                    }
                }
            }
        }
    }
    ordinary
}

/// In how many products' titles each Latin word stands; a group of variants counts once.
fn standing(products: &[Product]) -> BTreeMap<String, usize> {
    let mut holders: BTreeSet<(String, String)> = BTreeSet::new();
    for product in products {
        let holder = product.item_group_id.as_ref().unwrap_or(&product.id);
        for (_, title) in product.title.texts() {
            for word in text::fold(title).split(|c: char| !c.is_alphanumeric() || text::han(c)) {
                holders.insert((word.to_owned(), holder.clone()));
            }
        }
    }
    let mut standing = BTreeMap::new();
    for (word, _) in holders {
        *standing.entry(word).or_default() += 1;
    }
    standing
}

fn brands(product: &Product) -> BTreeSet<String> {
    let names = product.brand_names.texts().map(|(_, name)| name);
    names
        .chain(product.brand.as_deref())
        .map(text::fold)
        .filter(|brand| !brand.is_empty())
        .collect()
}

/// Words of letters that are no abbreviation; with digits they are models, which have terms of their own.
fn is_alone(name: &str) -> bool {
    name.chars().all(|c| c.is_alphabetic() || c == ' ')
        && name.chars().count() >= ALONE_LETTERS_MIN
        && !ABBREVIATIONS.contains(&name)
}

/// A Latin word inside a Chinese title is a name, unless everyday English has it too.
fn in_chinese_title(product: &Product, name: &str) -> bool {
    let title = text::fold(product.title.own(Language::Zh).unwrap_or_default());
    title.contains(name) && title.chars().any(text::han) && !name.split(' ').all(is_common_word)
}

/// Han meets Latin: people write a space there or not.
fn is_border(before: Option<char>, after: Option<char>) -> bool {
    match (before, after) {
        (Some(a), Some(b)) => {
            (text::han(a) && b.is_ascii_alphanumeric())
                || (a.is_ascii_alphanumeric() && text::han(b))
        }
        _ => false,
    }
}

/// `北岸 n9` also as `北岸n9`, and the other way round.
fn respaced(terms: &[Term]) -> Vec<Term> {
    let mut other = Vec::new();
    for term in terms {
        let mut joined = String::new();
        let mut spaced = String::new();
        let mut rest = term.surface.chars().peekable();
        let mut before: Option<char> = None;
        while let Some(c) = rest.next() {
            let is_gap = c == ' ' && is_border(before, rest.peek().copied());
            if !is_gap {
                joined.push(c);
            }
            if is_border(before, Some(c)) {
                spaced.push(' ');
            }
            spaced.push(c);
            before = Some(c);
        }
        for surface in [joined, spaced] {
            if surface != term.surface {
                other.push(Term {
                    surface,
                    ..term.clone()
                });
            }
        }
    }
    other
}
