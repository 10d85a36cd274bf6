//! The catalogue: every product of the shop, and how one is found.

mod absent;
mod cohesion;
mod facts;
pub mod feed;
mod fits;
mod index;
mod lexicon;
mod measures;
mod names;
mod nearness;
mod product;
mod query;
mod search;
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

use crate::aspect::Toward;
use crate::measure::{Dimension, Quality, Span};
use crate::nlu::Superlative;
use crate::text;
use crate::vocabulary::Vocabulary;
use absent::Absent;
use facts::Facts;
use index::Index;
use measures::Measures;
use nearness::Nearness;
use spelling::Spelling;
use std::collections::BTreeMap;
use tastes::Tastes;
use types::Types;
use values::{Own, Values};

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
            absent: Absent::of(&vocabulary, &products),
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
