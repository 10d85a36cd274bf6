//! What customers may call the things of a catalogue, learned from it.

use super::fits::is_fit;
use super::lexicon::{Entry, lexicon};
use super::short_names;
use super::types::Types;
use super::values::Values;
use super::{Localized, Product};
use crate::Language;
use crate::text;
use crate::vocabulary::{TERMS_MAX, Term, TermKind};
use std::collections::{BTreeMap, BTreeSet};

/// An attribute with more values than this is no vocabulary: figures, free text.
const VALUES_MAX: usize = 40;
/// Characters of a value that somebody would say.
const VALUE_CHARS_MAX: usize = 24;
/// Fewest characters of a model, such as `v60`.
const MODEL_CHARS_MIN: usize = 2;
/// What stands before a Chinese word of one character where a thing is meant: 买床, 一张床.
const BEFORE_ONE_HAN: [&str; 15] = [
    "买", "的", "张", "双", "盏", "辆", "把", "本", "口", "顶", "条", "件", "台", "款", "种",
];

/// Values that say nothing without their attribute.
const ANSWERS: [&str; 14] = [
    "yes", "no", "true", "false", "none", "other", "n/a", "是", "否", "有", "无", "没有", "其他",
    "支持",
];

/// The terms, and the aliases that stand for nothing.
pub(super) fn learn(
    products: &[Product],
    types: &Types,
    values: &Values,
    aliases: &[(String, String)],
) -> (Vec<Term>, Vec<(String, String)>) {
    let mut terms = of_types(types);
    terms.extend(of_brands(products));
    terms.extend(of_values(values));
    // Titles of a very large catalogue are found by search; the kinds of goods must have room.
    let room = (TERMS_MAX / 2).saturating_sub(terms.len());
    terms.extend(of_products(products).into_iter().take(room));
    let general = of_lexicon(types, values, &terms);
    let named = by_name(&terms);
    let mut own = Vec::new();
    let mut unknown = Vec::new();
    for (surface, name) in aliases {
        match named.get(&text::fold(name)) {
            Some(term) => own.push(Term {
                surface: text::fold(surface),
                kind: term.kind.clone(),
                key: term.key.clone(),
            }),
            // A word for an attribute is no word for goods.
            None if values.iter().any(|(attribute, _)| attribute == name) => {}
            None => unknown.push((surface.clone(), name.clone())),
        }
    }
    let numbered: Vec<Term> = own
        .iter()
        .filter_map(|term| {
            Some(Term {
                surface: other_number(&term.surface)?,
                ..term.clone()
            })
        })
        .collect();
    let respelled: Vec<Term> = terms.iter().flat_map(unhyphened).collect();
    let short = short_names::of(products, types, values, &terms);
    // The shop's own word for a thing goes before what was learned.
    let learned = own.into_iter().chain(terms).chain(respelled);
    let all = learned.chain(numbered).chain(short).chain(general);
    (
        all.filter(|term| !term.surface.is_empty()).collect(),
        unknown,
    )
}

/// Every key and surface, folded, with the term it stands for; the first kind wins.
fn by_name(terms: &[Term]) -> BTreeMap<String, &Term> {
    let mut sorted: Vec<&Term> = terms.iter().collect();
    sorted.sort_by(|a, b| a.kind.cmp(&b.kind));
    let mut named = BTreeMap::new();
    for term in sorted {
        named.entry(text::fold(&term.key)).or_insert(term);
        named.entry(term.surface.clone()).or_insert(term);
    }
    named
}

/// Of types with the same name the most general one is meant, then that with the most products.
fn of_types(types: &Types) -> Vec<Term> {
    let mut ranked: Vec<_> = types.iter().collect();
    ranked
        .sort_by_key(|(key, known)| (key.matches('/').count(), usize::MAX - known.products, *key));
    let mut terms = Vec::new();
    for (key, known) in &ranked {
        for surface in surfaces(&known.name) {
            terms.push(Term {
                surface,
                kind: TermKind::ProductType,
                key: (*key).to_owned(),
            });
        }
    }
    terms
}

/// The entries of the lexicon that a name of a type is read as.
type Reading<'r> = &'r dyn Fn(&str) -> Vec<usize>;

/// What the lexicon calls the things that the catalogue has, and nothing that the shop calls something itself.
fn of_lexicon(types: &Types, values: &Values, own: &[Term]) -> Vec<Term> {
    let taken: BTreeSet<&str> = own.iter().map(|term| term.surface.as_str()).collect();
    let mut ranked: Vec<_> = types.iter().collect();
    ranked
        .sort_by_key(|(key, known)| (key.matches('/').count(), usize::MAX - known.products, *key));
    let mut terms = Vec::new();
    let mut add = |entry: &Entry, kind: TermKind, key: &str, attribute: Option<&str>| {
        for surface in said(entry, attribute) {
            if !taken.contains(surface.as_str()) {
                terms.push(Term {
                    surface,
                    kind: kind.clone(),
                    key: key.to_owned(),
                });
            }
        }
    };
    // First what a type is, then one of the names it joins, then what kind of thing it is at all.
    let whole = |name: &str| lexicon().kind_of_goods(name).into_iter().collect();
    let joined = |name: &str| -> Vec<usize> {
        name.split(['&', '/', '、', '与', '和', ','])
            .flat_map(|part| part.split(" and "))
            .filter_map(|part| lexicon().kind_of_goods(part.trim()))
            .collect()
    };
    let head = |name: &str| -> Vec<usize> {
        let found = lexicon().tail(name);
        let wider = found
            .and_then(|at| lexicon().entry(at))
            .and_then(Entry::wider);
        found.into_iter().chain(wider).collect()
    };
    let readings: [Reading<'_>; 3] = [&whole, &joined, &head];
    for reading in readings {
        for (key, known) in &ranked {
            for (_, name) in known.name.texts() {
                for entry in reading(name)
                    .into_iter()
                    .filter_map(|at| lexicon().entry(at))
                {
                    add(entry, TermKind::ProductType, key, None);
                }
            }
        }
    }
    for (attribute, values) in values.iter().filter(|(name, _)| !is_fit(name)) {
        for (key, value) in values {
            let kind = TermKind::Attribute {
                name: attribute.to_owned(),
            };
            if let Some(entry) = value.entry.and_then(|at| lexicon().entry(at)) {
                add(entry, kind, key, Some(attribute));
            }
        }
    }
    terms
}

/// How an entry's words are said, in both languages.
fn said(entry: &Entry, attribute: Option<&str>) -> Vec<String> {
    let words = Language::ALL.into_iter().flat_map(|l| entry.words(l));
    let mut surfaces = Vec::new();
    for word in words.map(|word| text::fold(word)) {
        let is_one_han = word.chars().count() == 1 && word.contains(text::han);
        match attribute {
            Some(attribute) => surfaces.extend(forms(attribute, &word)),
            None if is_one_han => {
                surfaces.extend(
                    BEFORE_ONE_HAN
                        .iter()
                        .map(|before| format!("{before}{word}")),
                );
            }
            None => {
                surfaces.extend(other_number(&word));
                surfaces.push(word);
            }
        }
    }
    surfaces
}

/// The folded names, for English also the other number.
fn surfaces(name: &Localized) -> Vec<String> {
    let mut surfaces = Vec::new();
    for (_, name) in name.texts() {
        let folded = text::fold(name);
        surfaces.extend(other_number(&folded));
        surfaces.push(folded);
    }
    surfaces
}

/// `machines` for `machine`, `machine` for `machines`; none for what is not Latin.
pub(super) fn other_number(name: &str) -> Option<String> {
    let last = name.rsplit(' ').next()?;
    if last.len() < 3 || !last.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let vowel_before = |stem: &str| stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    let hisses = |stem: &str| {
        ["s", "x", "z", "ch", "sh"]
            .iter()
            .any(|end| stem.ends_with(end))
    };
    if let Some(stem) = name.strip_suffix("ies") {
        return Some(format!("{stem}y"));
    }
    if let Some(stem) = name.strip_suffix("es").filter(|stem| hisses(stem)) {
        return Some(stem.to_owned());
    }
    if let Some(stem) = name
        .strip_suffix('s')
        .filter(|stem| !stem.ends_with(['s', 'u', 'i']))
    {
        return Some(stem.to_owned());
    }
    if let Some(stem) = name.strip_suffix('y').filter(|stem| !vowel_before(stem)) {
        return Some(format!("{stem}ies"));
    }
    Some(if hisses(name) {
        format!("{name}es")
    } else {
        format!("{name}s")
    })
}

fn of_brands(products: &[Product]) -> Vec<Term> {
    let mut named: BTreeSet<(&str, &str)> = BTreeSet::new();
    for product in products {
        let Some(brand) = &product.brand else {
            continue;
        };
        let names = product.brand_names.texts().map(|(_, name)| name);
        named.extend(
            names
                .chain([brand.as_str()])
                .map(|name| (name, brand.as_str())),
        );
    }
    let mut terms: Vec<Term> = named
        .into_iter()
        .map(|(name, brand)| Term {
            surface: text::fold(name),
            kind: TermKind::Brand,
            key: brand.to_owned(),
        })
        .collect();
    terms.sort();
    terms.dedup();
    terms
}

fn of_values(values: &Values) -> Vec<Term> {
    let mut terms: Vec<(usize, Term)> = Vec::new();
    let few = values
        .iter()
        .filter(|(_, values)| values.len() <= VALUES_MAX);
    for (attribute, values) in few.filter(|(attribute, _)| !is_fit(attribute)) {
        for (key, value) in values {
            let names = value.name.texts();
            for surface in names.flat_map(|(_, name)| forms(attribute, &text::fold(name))) {
                let term = Term {
                    surface,
                    kind: TermKind::Attribute {
                        name: attribute.to_owned(),
                    },
                    key: key.clone(),
                };
                terms.push((value.products, term));
            }
        }
    }
    // Where two attributes share a value, the one that more products have is meant.
    terms.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.cmp(y)));
    terms.into_iter().map(|(_, term)| term).collect()
}

/// How a value is said. One Han character alone would be found inside other words, so `灰` is said `灰的` or `灰色`.
fn forms(attribute: &str, value: &str) -> Vec<String> {
    let is_colour = matches!(attribute, "color" | "colour" | "颜色");
    let is_size = matches!(attribute, "size" | "尺码" | "尺寸" | "规格");
    let mut forms = Vec::new();
    let stem = match value.strip_suffix('色').filter(|_| is_colour) {
        Some(stem) => stem,
        None => value,
    };
    let mut characters = stem.chars();
    if ANSWERS.contains(&value) {
        return forms;
    }
    if characters.next().is_some_and(text::han) && characters.next().is_none() {
        forms.push(format!("{stem}的"));
        if is_colour {
            forms.push(format!("{stem}色"));
        }
        if is_size {
            forms.push(format!("{stem}号"));
        }
    } else if is_said(value) {
        forms.push(value.to_owned());
    }
    forms
}

/// `pour over` and `pourover` for `pour-over`; models have their spellings already.
fn unhyphened(term: &Term) -> Vec<Term> {
    let characters: Vec<char> = term.surface.chars().collect();
    let parts_words = |window: &[char]| match window {
        [before, '-', after] => before.is_alphabetic() && after.is_alphabetic(),
        _ => false,
    };
    if term.kind == TermKind::Product || !characters.windows(3).any(parts_words) {
        return Vec::new();
    }
    [" ", ""]
        .into_iter()
        .map(|joint| Term {
            surface: term.surface.replace('-', joint),
            ..term.clone()
        })
        .collect()
}

/// A single letter would be found in every message; a yes is said of something else; and who says `20 cups` means no less, not exactly that.
fn is_said(surface: &str) -> bool {
    let length = surface.chars().count();
    let is_letter = length == 1 && surface.is_ascii();
    let is_figure = surface.starts_with(|c: char| c.is_ascii_digit());
    length <= VALUE_CHARS_MAX
        && !is_letter
        && !is_figure
        && surface.chars().any(char::is_alphabetic)
        && !ANSWERS.contains(&surface)
}

/// Ids, and what titles say of one product only.
fn of_products(products: &[Product]) -> Vec<Term> {
    let mut ids_by_surface: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, product) in products.iter().enumerate() {
        let mut surfaces: Vec<String> = Vec::new();
        for (_, title) in product.title.texts() {
            let title = text::fold(title);
            surfaces.extend(
                models(&title)
                    .into_iter()
                    .flat_map(|model| spellings(&model)),
            );
            surfaces.extend(without_brand(product, &title));
            surfaces.extend(without_type(product, &title));
            // What the variants of one thing have in common: `linen shirt` of `linen shirt – navy / m`.
            if product.item_group_id.is_some() {
                surfaces.extend(title.split_once(" – ").map(|(name, _)| name.to_owned()));
            }
            surfaces.push(title);
        }
        let number = product.mpn.as_deref().map(text::fold);
        if let Some(model) = number.filter(|number| is_model(number)) {
            surfaces.extend(spellings(&model));
        }
        surfaces.sort();
        surfaces.dedup();
        for surface in surfaces {
            ids_by_surface.entry(surface).or_default().push(place);
        }
    }
    let term = |surface: String, product: &Product| Term {
        surface,
        kind: TermKind::Product,
        key: product.id.clone(),
    };
    let mut terms: Vec<Term> = products
        .iter()
        .filter(|product| is_id_said(&product.id))
        .map(|product| term(text::fold(&product.id), product))
        .collect();
    for (surface, places) in ids_by_surface {
        let mut named = places.iter().filter_map(|place| products.get(*place));
        let Some(first) = named.next() else {
            continue;
        };
        // Variants of one thing share its name: the first stands for it.
        let one_group = first.item_group_id.is_some()
            && named
                .clone()
                .all(|other| other.item_group_id == first.item_group_id);
        if named.next().is_none() || one_group {
            terms.push(term(surface, first));
        }
    }
    terms
}

/// An id of digits alone, or of one or two characters, would be found in amounts and years.
fn is_id_said(id: &str) -> bool {
    id.chars().count() > 2 && id.chars().any(char::is_alphabetic)
}

/// The words of a folded title that name a model: letters first, then a digit.
pub(super) fn models(title: &str) -> Vec<String> {
    title
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .map(|word| word.trim_matches('-'))
        .filter(|word| is_model(word))
        .map(str::to_owned)
        .collect()
}

fn is_model(word: &str) -> bool {
    word.len() >= MODEL_CHARS_MIN
        && word.is_ascii()
        && word
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `em-200`, `em200`, `em 200`.
fn spellings(model: &str) -> Vec<String> {
    let mut spellings = vec![model.to_owned()];
    if model.contains('-') {
        spellings.push(model.replace('-', ""));
        spellings.push(model.replace('-', " "));
    } else if let Some(digit) = model.find(|c: char| c.is_ascii_digit())
        && let Some((letters, rest)) = model.split_at_checked(digit)
    {
        spellings.push(format!("{letters}-{rest}"));
        spellings.push(format!("{letters} {rest}"));
    }
    spellings
}

/// A folded title without a type's name at its end, where at least two words are left: `spruce uno`; `uno` alone may be any word.
fn without_type(product: &Product, title: &str) -> Option<String> {
    let names = product.product_type.iter().rev().flat_map(surfaces);
    names
        .filter_map(|name| title.strip_suffix(name.as_str()))
        .map(|rest| rest.trim().to_owned())
        .find(|rest| rest.contains(' '))
}

/// A folded title without a brand at its beginning.
pub(super) fn without_brand(product: &Product, title: &str) -> Option<String> {
    let names = product.brand_names.texts().map(|(_, name)| name);
    names
        .chain(product.brand.as_deref())
        .map(text::fold)
        .filter(|brand| !brand.is_empty())
        .find_map(|brand| {
            let rest = title.strip_prefix(&brand)?;
            let begins_word = !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                || !brand.ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest = rest.trim_start_matches([' ', '-', '·', ':']).trim();
            (begins_word && rest.chars().count() > 2).then(|| rest.to_owned())
        })
}
