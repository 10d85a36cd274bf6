//! Products by less than their title: the brand with a model's word, or that word alone.

use super::Product;
use super::fits::is_fit;
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

/// Titles that begin with the same word before it is taken for their brand's name.
const TITLES_MIN: usize = 2;

/// Who is named by a short name, and whether anybody else is.
struct Named<'p> {
    /// The first of the feed's products that the name is said of.
    first: &'p Product,
    /// All others are variants of the first.
    is_one: bool,
    /// The name is a word of the language beside being a name.
    is_word: bool,
}

/// The names so far; a large catalogue has millions, so nothing is kept of who shares one.
#[derive(Default)]
struct Names<'p>(BTreeMap<String, Named<'p>>);

impl<'p> Names<'p> {
    fn add(&mut self, surface: String, product: &'p Product, is_word: bool) {
        let named = self.0.entry(surface).or_insert(Named {
            first: product,
            is_one: true,
            is_word: false,
        });
        let group = &named.first.item_group_id;
        named.is_one &=
            named.first.id == product.id || (group.is_some() && *group == product.item_group_id);
        named.is_word |= is_word;
    }
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
    let own_names = names_in_titles(products, &said);
    short.extend(own_names.iter().map(|(surface, brand)| Term {
        surface: surface.clone(),
        kind: TermKind::Brand,
        key: brand.clone(),
    }));
    let ordinary = ordinary(products);
    let standing = standing(products);
    let mut named = Names::default();
    for product in products {
        let brands = brands(product, &own_names);
        for model in models(product, &said, &own_names) {
            let alone = model.join(" ");
            let has_digit = alone.chars().any(|c| c.is_ascii_digit());
            let together = has_digit.then(|| model.concat());
            let heads = [Some(alone.clone()), model.first().cloned(), together];
            for head in heads.into_iter().flatten().collect::<BTreeSet<_>>() {
                // A first word that other titles have too names none of them.
                let is_whole = head != *model.first().unwrap_or(&alone) || head == alone;
                if !is_whole && standing.get(&head).is_some_and(|in_titles| *in_titles > 1) {
                    continue;
                }
                for brand in &brands {
                    for joint in [" ", ""] {
                        let is_spaced = joint == " "
                            || is_border(brand.chars().next_back(), head.chars().next());
                        if is_spaced {
                            named.add(format!("{brand}{joint}{head}"), product, false);
                        }
                    }
                }
                if is_alone(&head) {
                    let is_word = ordinary.contains(&head) || !in_chinese_title(product, &head);
                    named.add(head, product, is_word);
                }
            }
        }
    }
    let first = named.0.into_iter().take(SHORT_NAMES_MAX);
    short.extend(
        first
            .filter(|(_, name)| name.is_one)
            .map(|(surface, name)| Term {
                kind: match name.is_word {
                    true => TermKind::Model,
                    false => TermKind::Product,
                },
                surface,
                key: name.first.id.clone(),
            }),
    );
    short
}

/// The words with which a title names the model, in each language: `duo`, `office 30`.
fn models(
    product: &Product,
    said: &BTreeSet<String>,
    own_names: &BTreeMap<String, String>,
) -> BTreeSet<Vec<String>> {
    let mut models = BTreeSet::new();
    for (_, title) in product.title.texts() {
        let folded = text::fold(title);
        let rest = without_brand(product, &folded).unwrap_or(folded);
        let words: Vec<String> = rest
            .split(' ')
            .enumerate()
            .filter(|(at, word)| *at > 0 || !own_names.contains_key(*word))
            .map(|(_, word)| word)
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
    // What fits names other products, no kind.
    for (_, values) in values.iter().filter(|(attribute, _)| !is_fit(attribute)) {
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
                    if word.starts_with(|c: char| c.is_ascii_lowercase())
                        && !ordinary.contains(word)
                    {
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

fn brands(product: &Product, own_names: &BTreeMap<String, String>) -> BTreeSet<String> {
    let own = own_names
        .iter()
        .filter(|(_, brand)| product.brand.as_ref() == Some(*brand))
        .map(|(name, _)| name.clone());
    let names = product.brand_names.texts().map(|(_, name)| name);
    names
        .chain(product.brand.as_deref())
        .map(text::fold)
        .filter(|brand| !brand.is_empty())
        .chain(own)
        .collect()
}

/// The word that a brand's titles begin with where it is no other brand's: its name in that language, with the brand.
fn names_in_titles(products: &[Product], said: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut held: BTreeMap<String, BTreeMap<Option<&str>, usize>> = BTreeMap::new();
    for product in products {
        let firsts: BTreeSet<String> = product
            .title
            .texts()
            .filter_map(|(_, title)| Some(text::fold(title).split_once(' ')?.0.to_owned()))
            .collect();
        for first in firsts {
            let holders = held.entry(first).or_default();
            *holders.entry(product.brand.as_deref()).or_default() += 1;
        }
    }
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for brand in products.iter().filter_map(|p| p.brand.as_deref()) {
        *all.entry(brand).or_default() += 1;
    }
    let mut names = BTreeMap::new();
    for (word, holders) in held {
        let is_name = word.chars().count() > 1
            && word.chars().all(char::is_alphabetic)
            && !said.contains(&word)
            && !is_common_word(&word);
        if let (true, [(Some(brand), titles)]) =
            (is_name, holders.into_iter().collect::<Vec<_>>().as_slice())
        {
            // Most of its titles begin so; a word of a few may be a series.
            let of_all = all.get(brand).copied().unwrap_or_default();
            if *titles >= TITLES_MIN && titles * 2 > of_all {
                names.insert(word, (*brand).to_owned());
            }
        }
    }
    names
}

/// Words that are no abbreviation; a word with digits is a model, which has terms of its own.
fn is_alone(name: &str) -> bool {
    let is_models = name.chars().any(|c| c.is_ascii_digit()) && !name.contains(' ');
    name.chars().filter(|c| c.is_alphabetic()).count() >= ALONE_LETTERS_MIN
        && !is_models
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

/// Chinese is written without spaces, also where a title has one.
fn is_gap(before: Option<char>, after: Option<char>) -> bool {
    let is_han = |c: Option<char>| c.is_some_and(text::han);
    is_border(before, after) || (is_han(before) && is_han(after))
}

/// `北岸 n9` also as `北岸n9`, and the other way round; `北岸 台灯` also as `北岸台灯`.
fn respaced(terms: &[Term]) -> Vec<Term> {
    let mut other = Vec::new();
    for term in terms {
        let mut joined = String::new();
        let mut spaced = String::new();
        let mut rest = term.surface.chars().peekable();
        let mut before: Option<char> = None;
        while let Some(c) = rest.next() {
            let is_gap = c == ' ' && is_gap(before, rest.peek().copied());
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
