//! The catalogue: every product of the shop, and how one is found.

mod absent;
mod cohesion;
mod facts;
pub mod feed;
mod fits;
mod index;
mod lexicon;
mod measures;
mod nearness;
mod product;
mod query;
mod short_names;
mod spelling;
mod spread;
mod tastes;
mod terms;
mod types;
mod values;
mod words;

pub use measures::Measured;
pub(crate) use product::revision_of;
pub use product::{Availability, Localized, Product};
pub use query::{HITS_MAX, Hit, Order, Query, Shape};
pub use spread::Spread;
pub(crate) use types::slug;

use crate::Language;
use crate::aspect::Toward;
use crate::measure::{Dimension, Quality, Span};
use crate::nlu::Superlative;
use crate::text;
use crate::vocabulary::Vocabulary;
use absent::Absent;
use facts::Facts;
use index::{Asked, Index};
use measures::Measures;
use nearness::Nearness;
use spelling::Spelling;
use std::collections::{BTreeMap, BTreeSet};
use tastes::Tastes;
use types::Types;
use values::{Own, Values};

/// Where words are all there is to go by, only matches of at least this share of the best one are put in order of price.
const MATCH_SHARE_MIN: f32 = 0.5;
/// Matches by words that are compared with the query more closely.
const COMPARED_MIN: usize = 50;
/// Natural logarithm of the ratio of two prices that have nothing to do with each other, about seven times.
const PRICE_APART_MAX: f32 = 2.0;
/// Products looked at for each one similar to another.
const SIMILAR_LOOKED_AT: usize = 20;
/// Values of one attribute that are counted in a shape.
const COUNTED_VALUES_MAX: usize = 40;

/// Products with an index over them; nothing in it ever changes.
pub struct Catalogue {
    /// By id.
    products: Vec<Product>,
    /// The attribute values of each product.
    own: Vec<Own>,
    types: Types,
    values: Values,
    facts: Facts,
    measures: Measures,
    tastes: Tastes,
    index: Index,
    nearness: Nearness,
    spelling: Spelling,
    vocabulary: Vocabulary,
    absent: Absent,
    unknown_aliases: Vec<(String, String)>,
    /// What Chinese customers call a brand that the feed writes in Latin letters, where the shop says so.
    chinese_brands: BTreeMap<String, String>,
}

impl Catalogue {
    /// Of products with the same id the first is kept.
    pub fn build(products: Vec<Product>) -> Self {
        Self::build_with(products, &[])
    }

    /// Aliases: another word, and the type, brand, attribute value or product id (key or name) it stands for.
    pub fn build_with(mut products: Vec<Product>, aliases: &[(String, String)]) -> Self {
        products.sort_by(|a, b| a.id.cmp(&b.id));
        products.dedup_by(|later, first| later.id == first.id);
        lexicon::complete(&mut products);
        let types = Types::of(&products);
        let (values, own) = Values::of(&products);
        let facts = Facts::of(&products, &own);
        let measures = Measures::of(&products);
        let tastes = Tastes::of(&products);
        let index = Index::of(&products);
        let mut spelling = Spelling::default();
        let nearness = Nearness::of(&products, &index, &mut spelling);
        let (terms, unknown_aliases) = terms::learn(&products, &types, &values, aliases);
        let vocabulary = Vocabulary::new(terms);
        let chinese_brands = aliases
            .iter()
            .filter(|(surface, name)| {
                surface.chars().any(text::han)
                    && products.iter().any(|p| p.brand.as_ref() == Some(name))
            })
            .map(|(surface, name)| (name.clone(), surface.clone()))
            .collect();
        Self {
            chinese_brands,
            absent: Absent::of(&vocabulary),
            vocabulary,
            products,
            own,
            types,
            values,
            facts,
            measures,
            tastes,
            index,
            nearness,
            spelling: spelling.learned(),
            unknown_aliases,
        }
    }

    pub fn get(&self, id: &str) -> Option<&Product> {
        self.place(id).and_then(|place| self.products.get(place))
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.products
            .binary_search_by(|product| product.id.as_str().cmp(id))
            .ok()
    }

    /// By id.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Where a folded text names a kind of goods which is not here.
    pub fn lacks(&self, folded: &str) -> Option<(usize, usize)> {
        self.absent.kind(folded)
    }

    /// Where a folded text names a well-known brand that is not here.
    pub fn lacks_brand(&self, folded: &str) -> Option<(usize, usize)> {
        self.absent.brand(folded)
    }

    /// Aliases whose name stands for nothing here.
    pub fn unknown_aliases(&self) -> &[(String, String)] {
        &self.unknown_aliases
    }

    /// No hit breaks a constraint. Words only put in order where types, brands or attributes are asked for; else a hit must match one.
    pub fn search(&self, query: &Query) -> Vec<Hit> {
        let limit = query.limit.min(HITS_MAX);
        let kept = self.kept(query);
        if query.words.trim().is_empty() && query.beside.trim().is_empty() {
            return self.ordered(kept, query, limit);
        }
        let is_narrow = !(query.types.is_empty()
            && query.brands.is_empty()
            && query.attributes.is_empty()
            && query.measures.is_empty());
        if query.order != Order::Relevance {
            if is_narrow {
                return self.ordered(kept, query, limit);
            }
            let asked = self.asked(query);
            let matching = self.index.matches(&asked, &kept, HITS_MAX);
            let least = matching
                .first()
                .map_or(0.0, |best| best.bm25 * MATCH_SHARE_MIN);
            let places = matching
                .into_iter()
                .filter(|found| found.bm25 >= least)
                .map(|found| found.place)
                .collect();
            return self.ordered(places, query, limit);
        }
        let matching = self.nearest(query, &kept, limit);
        let mut hits: Vec<Hit> = matching
            .iter()
            .filter_map(|(place, score)| self.hit(*place, *score))
            .collect();
        if is_narrow && hits.len() < limit {
            let matched: BTreeSet<usize> = matching.into_iter().map(|(place, _)| place).collect();
            let rest = kept.into_iter().filter(|p| !matched.contains(p)).collect();
            let room = limit - hits.len();
            let as_fed = Query {
                price_near: None,
                ..query.clone()
            };
            hits.extend(self.ordered(rest, &as_fed, room));
        }
        hits
    }

    fn asked(&self, query: &Query) -> Vec<Asked> {
        let mut asked = self.index.asked(&query.words, &query.beside);
        self.spelling.mend(&self.index, &mut asked);
        asked
    }

    /// Places of the products that keep every constraint.
    fn kept(&self, query: &Query) -> Vec<usize> {
        let mut kept = self.facts.kept(&self.products, query);
        if !query.measures.is_empty() {
            kept.retain(|place| self.measures.keep(*place, &query.measures));
        }
        if !query.features.is_empty() {
            kept.retain(|place| {
                query
                    .features
                    .iter()
                    .all(|name| self.has(*place, name) == Some(true))
            });
        }
        self.tastes.keep(&mut kept, &query.tastes);
        kept
    }

    /// Whether a product has what an attribute tells; none where it does not tell.
    fn has(&self, place: usize, attribute: &str) -> Option<bool> {
        let mut told = self
            .own
            .get(place)?
            .iter()
            .filter(|(name, _)| name == attribute);
        let (_, first) = told.next()?;
        Some(!values::says_none(first))
    }

    /// Whether some products under the type have what an attribute tells, and others say that they do not.
    pub fn tells_apart(&self, attribute: &str, type_key: &str) -> bool {
        let places = (0..self.products.len()).filter(|place| {
            let product = self.products.get(*place);
            product.is_some_and(|product| product.type_keys.iter().any(|own| own == type_key))
        });
        let (mut with, mut without) = (false, false);
        for has in places.filter_map(|place| self.has(place, attribute)) {
            with |= has;
            without |= !has;
        }
        with && without
    }

    /// What a product's words tell of a taste.
    pub fn taste_of(&self, id: &str, taste: &str) -> Option<Toward> {
        self.tastes.told(self.place(id)?, taste)
    }

    /// Whether any product under the type tells of a taste, that way or either.
    pub fn tells_taste(&self, taste: &str, toward: Option<Toward>, type_key: Option<&str>) -> bool {
        self.tastes.tell(taste, toward).any(|place| {
            type_key.is_none_or(|key| {
                let product = self.products.get(place);
                product.is_some_and(|product| product.type_keys.iter().any(|own| own == key))
            })
        })
    }

    /// Those that share words with the query, the nearest first.
    fn nearest(&self, query: &Query, kept: &[usize], limit: usize) -> Vec<(usize, f32)> {
        let asked = self.asked(query);
        let matches = self
            .index
            .matches(&asked, kept, limit.clamp(COMPARED_MIN, HITS_MAX));
        let sought = self.nearness.sought(&asked, &query.words);
        let mut scored: Vec<(usize, f32)> = matches
            .into_iter()
            .map(|found| {
                let price = self.price_nearness(query, found.place);
                let score = self.nearness.score(&self.index, &sought, found, price);
                (found.place, score)
            })
            .collect();
        scored.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        scored.truncate(limit);
        scored
    }

    /// 1 for the same price, falling to 0 where one is many times the other.
    fn price_nearness(&self, query: &Query, place: usize) -> f32 {
        let (Some(near), Some(product)) = (query.price_near, self.products.get(place)) else {
            return 0.0;
        };
        let price = product.price_at(query.now_ms);
        if price.currency != near.currency || price.minor <= 0 || near.minor <= 0 {
            return 0.0;
        }
        let times = (price.minor as f32 / near.minor as f32).ln().abs();
        (1.0 - times / PRICE_APART_MAX).max(0.0)
    }

    /// Without words: by price or measure as the order says, what tells no such measure last, else in stock first, then what costs about what was asked, or as the feed has them.
    fn ordered(&self, places: Vec<usize>, query: &Query, limit: usize) -> Vec<Hit> {
        let mut keyed: Vec<(bool, i64, usize)> = places
            .into_iter()
            .filter_map(|place| {
                let product = self.products.get(place)?;
                let price = product.price_at(query.now_ms).minor;
                Some(match &query.order {
                    Order::Relevance => match query.price_near {
                        Some(near) => (
                            !product.in_stock(),
                            price.saturating_sub(near.minor).saturating_abs(),
                            place,
                        ),
                        None => (!product.in_stock(), i64::from(product.line), place),
                    },
                    Order::PriceUp => (false, price, place),
                    Order::PriceDown => (false, price.saturating_neg(), place),
                    Order::MeasureUp(attribute) => match self.measures.span(place, attribute) {
                        Some(span) => (false, span.low, place),
                        None => (true, 0, place),
                    },
                    Order::MeasureDown(attribute) => match self.measures.span(place, attribute) {
                        Some(span) => (false, span.high.saturating_neg(), place),
                        None => (true, 0, place),
                    },
                })
            })
            .collect();
        if limit > 0 && limit < keyed.len() {
            keyed.select_nth_unstable(limit - 1);
        }
        keyed.truncate(limit);
        keyed.sort_unstable();
        keyed
            .into_iter()
            .filter_map(|(_, _, place)| self.hit(place, 0.0))
            .collect()
    }

    fn hit(&self, place: usize, score: f32) -> Option<Hit> {
        let id = self.products.get(place)?.id.clone();
        Some(Hit { id, score })
    }

    /// How many there are, from which price to which, of which kinds; the query's words, order and limit are not asked.
    pub fn shape(&self, query: &Query) -> Shape {
        let mut shape = Shape::default();
        let mut by_type: BTreeMap<&str, usize> = BTreeMap::new();
        let mut by_brand: BTreeMap<&str, usize> = BTreeMap::new();
        let mut by_attribute: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for place in self.kept(query) {
            let (Some(product), Some(own)) = (self.products.get(place), self.own.get(place)) else {
                continue;
            };
            shape.count += 1;
            let price = product.price_at(query.now_ms);
            if shape.min.as_ref().is_none_or(|(_, min)| price < *min) {
                shape.min = Some((product.id.clone(), price));
            }
            if shape.max.as_ref().is_none_or(|(_, max)| price > *max) {
                shape.max = Some((product.id.clone(), price));
            }
            for key in &product.type_keys {
                *by_type.entry(key).or_default() += 1;
            }
            if let Some(brand) = &product.brand {
                *by_brand.entry(brand).or_default() += 1;
            }
            for (name, key) in own {
                *by_attribute
                    .entry(name)
                    .or_default()
                    .entry(key)
                    .or_default() += 1;
            }
        }
        let counted = |counts: BTreeMap<&str, usize>| {
            let owned = |(key, count): (&str, usize)| (key.to_owned(), count);
            counts.into_iter().map(owned).collect()
        };
        shape.by_type = counted(by_type);
        shape.by_brand = counted(by_brand);
        shape.by_attribute = by_attribute
            .into_iter()
            .filter(|(_, values)| values.len() <= COUNTED_VALUES_MAX)
            .flat_map(|(name, values)| {
                let owned =
                    move |(key, count): (&str, usize)| (name.to_owned(), key.to_owned(), count);
                values.into_iter().map(owned)
            })
            .collect();
        shape
    }

    /// Of the same deepest type: other things before variants of the same, in stock first, then those that say and cost most nearly the same.
    pub fn similar(&self, id: &str, limit: usize) -> Vec<String> {
        let Some(product) = self.get(id) else {
            return Vec::new();
        };
        let Some(kind) = product.type_keys.last() else {
            return Vec::new();
        };
        let joined = |texts: Vec<&str>| texts.join("\n");
        let values = product.attributes.values().flat_map(Localized::texts);
        let beside = values.map(|(_, text)| text).chain(product.brand.as_deref());
        let hits = self.search(&Query {
            words: joined(product.title.texts().map(|(_, text)| text).collect()),
            beside: joined(beside.collect()),
            types: vec![kind.clone()],
            not_ids: vec![product.id.clone()],
            price_near: Some(product.price),
            limit: limit.saturating_mul(SIMILAR_LOOKED_AT),
            ..Query::default()
        });
        let mut others: Vec<&Product> = hits.iter().filter_map(|hit| self.get(&hit.id)).collect();
        others.sort_by_key(|other| {
            let is_variant =
                other.item_group_id.is_some() && other.item_group_id == product.item_group_id;
            (is_variant, !other.in_stock())
        });
        others.truncate(limit);
        others.into_iter().map(|other| other.id.clone()).collect()
    }

    /// The attributes with figures that products under the type have; the empty key means all products.
    pub fn measured(&self, type_key: &str) -> &[Measured] {
        self.measures.measured(type_key)
    }

    /// The attribute that tells this quality of the products under the type.
    pub fn attribute_for(&self, quality: Quality, type_key: &str) -> Option<(String, Dimension)> {
        measures::attribute_for(self.measured(type_key), quality)
            .map(|m| (m.attribute.clone(), m.dimension))
    }

    /// For how many people a product says it is, and the attribute that says so.
    pub fn people_of(&self, id: &str) -> Option<(String, Span)> {
        let kind = self.get(id)?.type_keys.last()?;
        let (attribute, dimension) = self.attribute_for(Quality::Seats, kind)?;
        let span = self.measure_of(id, &attribute)?;
        (dimension == Dimension::Seats).then_some((attribute, span))
    }

    /// The attribute and its end that a superlative speaks of; none for prices, or where nothing tells it.
    pub fn measured_by(&self, of: Superlative, type_key: Option<&str>) -> Option<(String, Toward)> {
        let (quality, toward) = match of {
            Superlative::Cheapest | Superlative::MostExpensive => return None,
            Superlative::Lightest => (Quality::Weight, Toward::Less),
            Superlative::Heaviest => (Quality::Weight, Toward::More),
            Superlative::Smallest => (Quality::Size, Toward::Less),
            Superlative::Largest => (Quality::Size, Toward::More),
            Superlative::Quietest => (Quality::Noise, Toward::Less),
        };
        let (attribute, _) = self.attribute_for(quality, type_key.unwrap_or_default())?;
        Some((attribute, toward))
    }

    /// Whether products under the type tell figures of an attribute.
    pub fn tells_figures(&self, attribute: &str, type_key: Option<&str>) -> bool {
        self.measured(type_key.unwrap_or_default())
            .iter()
            .any(|measured| measured.attribute == attribute)
    }

    /// The figure a product tells under an attribute.
    pub fn measure_of(&self, id: &str, attribute: &str) -> Option<Span> {
        self.measures.span(self.place(id)?, attribute)
    }

    /// Products that say of themselves that they fit this one: those that name it before those that name its kind, in stock first.
    pub fn accessories_of(&self, id: &str) -> Vec<String> {
        self.get(id).map_or_else(Vec::new, |product| {
            fits::accessories(product, &self.products)
        })
    }

    /// Those of a kind among them.
    pub fn accessories_of_kind(&self, id: &str, kind: &str) -> Vec<String> {
        let mut fitting = self.accessories_of(id);
        fitting.retain(|id| self.is_of_kind(id, kind));
        fitting
    }

    /// The product's own types hold the kind.
    pub fn is_of_kind(&self, id: &str, kind: &str) -> bool {
        self.get(id)
            .is_some_and(|product| product.type_keys.iter().any(|own| own == kind))
    }

    /// The kind right above where both are called the same thing: a hand grinder is a grinder, a sofa no furniture to sit at.
    pub fn wider_kind<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (above, _) = key.rsplit_once('/')?;
        self.types.is_same_thing(key, above).then_some(above)
    }

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

    /// The one variant of a product that has all of some values, by attribute and key; none where the product itself has them.
    pub fn variant(&self, id: &str, values: &[(String, String)]) -> Option<&Product> {
        let has_all = |id: &str| {
            let own = self.values_of(id);
            values.iter().all(|value| own.contains(value))
        };
        let group = self.get(id)?.item_group_id.as_ref()?;
        if values.is_empty() || has_all(id) {
            return None;
        }
        let mut variants = self.products.iter().filter(|other| {
            other.item_group_id.as_ref() == Some(group) && other.id != id && has_all(&other.id)
        });
        let variant = variants.next()?;
        variants.next().is_none().then_some(variant)
    }

    /// Attribute name and value keys that the product has.
    pub fn values_of(&self, id: &str) -> &[(String, String)] {
        self.place(id)
            .and_then(|place| self.own.get(place))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod constraint_tests;
#[cfg(test)]
mod tests;
