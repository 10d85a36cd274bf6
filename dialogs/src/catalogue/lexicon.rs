//! General words of trade in both languages, so that a feed in one is understood and shown in the other.

use super::terms::other_number;
use super::{Localized, Product, values};
use crate::Language;
use crate::text;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Words of a title that may name its type together.
const NAME_WORDS_MAX: usize = 4;
/// Characters of a Chinese type's name that is looked for in a title.
const NAME_HAN_MAX: usize = 8;
/// Characters of a suffix that Chinese titles share.
const SUFFIX_HAN: usize = 2;
/// Products that must share a word before it is taken for their type.
const SHARED_MIN: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Type,
    /// A type too wide to search by.
    Department,
    Value,
    Attribute,
}

pub(super) struct Entry {
    kind: Kind,
    zh: Vec<String>,
    en: Vec<String>,
    wider: Option<usize>,
}

pub(super) struct Lexicon {
    entries: Vec<Entry>,
    by_word: BTreeMap<(Kind, String), usize>,
}

static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::read(include_str!("../../defaults/lexicon.tsv")));

pub(super) fn lexicon() -> &'static Lexicon {
    &LEXICON
}

impl Entry {
    pub(super) fn name(&self, language: Language) -> &str {
        self.words(language).first().map_or("", String::as_str)
    }

    /// Folded; the first is the one that is shown.
    pub(super) fn words(&self, language: Language) -> &[String] {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    pub(super) fn wider(&self) -> Option<usize> {
        self.wider
    }
}

impl Lexicon {
    fn read(source: &str) -> Self {
        let mut lexicon = Self {
            entries: Vec::new(),
            by_word: BTreeMap::new(),
        };
        let mut wider: Vec<(usize, String)> = Vec::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let kind = match columns.next() {
                Some("type") => Kind::Type,
                Some("department") => Kind::Department,
                Some("value") => Kind::Value,
                Some("attribute") => Kind::Attribute,
                _ => continue,
            };
            let mut words = || -> Vec<String> {
                let column = columns.next().unwrap_or_default();
                column
                    .split('|')
                    .map(str::trim)
                    .map(str::to_owned)
                    .collect()
            };
            let (zh, en, above) = (words(), words(), words());
            let at = lexicon.entries.len();
            for word in zh.iter().chain(&en) {
                lexicon
                    .by_word
                    .entry((kind, text::fold(word)))
                    .or_insert(at);
            }
            if let Some(above) = above.first().filter(|above| !above.is_empty()) {
                wider.push((at, above.clone()));
            }
            lexicon.entries.push(Entry {
                kind,
                zh,
                en,
                wider: None,
            });
        }
        for (at, above) in wider {
            let found = lexicon.entries.get(at).and_then(|entry| {
                lexicon
                    .by_word
                    .get(&(entry.kind, text::fold(&above)))
                    .copied()
            });
            if let Some(entry) = lexicon.entries.get_mut(at) {
                entry.wider = found.filter(|found| *found != at);
            }
        }
        lexicon
    }

    /// Kinds of goods, departments left out.
    pub(super) fn types(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == Kind::Type)
    }

    pub(super) fn entry(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at)
    }

    /// The entry of a whole name, in either number.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<usize> {
        let folded = text::fold(name);
        let known = |word: String| self.by_word.get(&(kind, word)).copied();
        let other = other_number(&folded);
        known(folded).or_else(|| other.and_then(known))
    }

    pub(super) fn kind_of_goods(&self, name: &str) -> Option<usize> {
        self.find(Kind::Type, name)
            .or_else(|| self.find(Kind::Department, name))
    }

    fn is_department(&self, name: &str) -> bool {
        self.find(Kind::Type, name).is_none() && self.find(Kind::Department, name).is_some()
    }

    /// The type that a name ends with, or else holds last: `velvet corner sofa`, 三人布艺沙发, 云杉沙发 灰色.
    pub(super) fn head(&self, name: &str) -> Option<usize> {
        let folded = text::fold(name);
        if folded.contains(text::han) {
            self.head_of_han(&folded)
        } else {
            self.head_of_words(&folded)
        }
    }

    /// The type that a type's name ends with: `coffee servers` are no coffee.
    pub(super) fn tail(&self, name: &str) -> Option<usize> {
        let folded = text::fold(name);
        if folded.contains(text::han) {
            return self.head_of_han(&folded);
        }
        let words: Vec<&str> = folded.split_whitespace().collect();
        self.ending(&words)
    }

    /// The longest name of a type that the words end with.
    fn ending(&self, words: &[&str]) -> Option<usize> {
        (1..=NAME_WORDS_MAX.min(words.len()))
            .rev()
            .find_map(|length| {
                let name = words.get(words.len() - length..)?.join(" ");
                self.kind_of_goods(name.trim_matches(|c: char| !c.is_alphanumeric()))
            })
    }

    fn head_of_words(&self, folded: &str) -> Option<usize> {
        // What follows says more of the thing, not what it is.
        let mut first = folded;
        for mark in [
            " with ", " for ", " in ", " by ", ", ", " (", " - ", " – ", " | ", ": ",
        ] {
            first = first.split(mark).next().unwrap_or(first);
        }
        let words: Vec<&str> = first.split_whitespace().collect();
        (1..=words.len())
            .rev()
            .find_map(|end| self.ending(words.get(..end)?))
    }

    fn head_of_han(&self, folded: &str) -> Option<usize> {
        let characters: Vec<char> = folded.chars().collect();
        (2..=characters.len()).rev().find_map(|end| {
            (2..=NAME_HAN_MAX.min(end)).rev().find_map(|length| {
                let name: String = characters.get(end - length..end)?.iter().collect();
                self.by_word
                    .get(&(Kind::Type, name.clone()))
                    .or_else(|| self.by_word.get(&(Kind::Department, name)))
                    .copied()
            })
        })
    }

    /// A name in both languages for an attribute of the feed.
    pub(super) fn attribute(&self, key: &str) -> Option<&Entry> {
        let at = self.find(Kind::Attribute, key)?;
        self.entry(at)
    }
}

/// Gives every product a type, and its types and values a name in each language where the lexicon has one.
/// The shop's own names are never changed.
pub(super) fn complete(products: &mut [Product]) {
    give_types(products);
    for product in products {
        for name in &mut product.product_type {
            translate(name, |own| {
                let at = lexicon().kind_of_goods(own)?;
                lexicon().entry(at)
            });
        }
        for value in product.attributes.values_mut() {
            translate_values(value);
        }
    }
}

fn translate<'l>(name: &mut Localized, entry: impl Fn(&str) -> Option<&'l Entry>) {
    let [(from, to), (back, forth)] = [(Language::Zh, Language::En), (Language::En, Language::Zh)];
    for (from, to) in [(from, to), (back, forth)] {
        if name.own(to).is_none()
            && let Some(own) = name.own(from)
            && let Some(entry) = entry(own)
        {
            name.set(to, entry.name(to));
        }
    }
}

/// All parts of a value or none: half a translation would mislead.
fn translate_values(value: &mut Localized) {
    for (from, to) in [(Language::Zh, Language::En), (Language::En, Language::Zh)] {
        if value.own(to).is_some() {
            continue;
        }
        let Some(own) = value.own(from) else {
            continue;
        };
        let parts: Option<Vec<&str>> = values::parts(own)
            .iter()
            .map(|part| {
                let at = lexicon().find(Kind::Value, part)?;
                lexicon().entry(at).map(|entry| entry.name(to))
            })
            .collect();
        if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
            let joint = if to == Language::Zh { "、" } else { ", " };
            value.set(to, parts.join(joint));
        }
    }
}

/// A product without a type gets that which its title names; below a department a level is added.
fn give_types(products: &mut [Product]) {
    let mut shared: BTreeMap<String, usize> = BTreeMap::new();
    let mut untold = false;
    for product in products.iter_mut() {
        let has_type = !product.product_type.is_empty();
        let is_wide = product
            .product_type
            .last()
            .is_some_and(|name| name.texts().any(|(_, own)| lexicon().is_department(own)));
        if has_type && !is_wide {
            continue;
        }
        let Some((language, title)) = product.title.texts().next() else {
            continue;
        };
        let head = lexicon()
            .head(title)
            .and_then(|at| lexicon().entry(at))
            .map(|entry| entry.name(language).to_owned());
        let known = head.as_ref().is_some_and(|head| {
            product.product_type.iter().any(|name| {
                lexicon().kind_of_goods(name.get(language)) == lexicon().kind_of_goods(head)
            })
        });
        match head {
            Some(head) if !known => add_type(product, language, &head),
            _ if !has_type => {
                untold = true;
                if let Some(word) = last_word(title) {
                    *shared.entry(word).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    if !untold {
        return;
    }
    for product in products.iter_mut().filter(|p| p.product_type.is_empty()) {
        let Some((language, title)) = product.title.texts().next() else {
            continue;
        };
        let word = last_word(title)
            .filter(|word| shared.get(word).is_some_and(|count| *count >= SHARED_MIN));
        if let Some(word) = word {
            add_type(product, language, &word);
        }
    }
}

fn add_type(product: &mut Product, language: Language, name: &str) {
    let mut characters = name.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string());
    let shown = first.unwrap_or_default() + characters.as_str();
    let slug = super::slug(name);
    let key = match product.type_keys.last() {
        Some(above) => format!("{above}/{slug}"),
        None => slug,
    };
    product.type_keys.push(key);
    product.product_type.push(Localized::new(language, shown));
}

/// The last word of an English title, the last two characters of a Chinese one.
fn last_word(title: &str) -> Option<String> {
    let folded = text::fold(title);
    let first = folded
        .split([',', '(', '|', '（'])
        .next()
        .unwrap_or(&folded)
        .trim();
    if first.contains(text::han) {
        let characters: Vec<char> = first.chars().filter(|c| text::han(*c)).collect();
        let from = characters.len().checked_sub(SUFFIX_HAN)?;
        return characters.get(from..).map(|last| last.iter().collect());
    }
    let word = first.split_whitespace().next_back()?;
    let is_word = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_head(name: &str, expected: &str) {
        let head = lexicon().head(name).and_then(|at| lexicon().entry(at));
        assert_eq!(
            head.map(|entry| entry.name(Language::En)),
            Some(expected),
            "{name}"
        );
    }

    #[test]
    fn the_head_of_a_name_is_its_type() {
        check_head("Milano 3-Seater Velvet Sofa, Grey", "sofa");
        check_head("Coffee Table Book", "books");
        check_head("Round Oak Coffee Table with Shelf", "coffee table");
        check_head("Men's running shoes", "running shoes");
        check_head("云杉 三人布艺沙发 灰色", "sofa");
        check_head("20V锂电冲击钻", "drill");
    }

    #[test]
    fn every_line_of_the_lexicon_has_both_languages() {
        assert!(lexicon().entries.len() > 500);
        for entry in &lexicon().entries {
            assert!(!entry.name(Language::Zh).is_empty(), "{:?}", entry.en);
            assert!(!entry.name(Language::En).is_empty(), "{:?}", entry.zh);
        }
        let stated = include_str!("../../defaults/lexicon.tsv")
            .lines()
            .filter(|line| !line.starts_with('#') && line.split('\t').count() > 3);
        let linked = lexicon().entries.iter().filter(|e| e.wider.is_some());
        assert_eq!(
            stated.count(),
            linked.count(),
            "each wider word is an entry"
        );
    }
}
