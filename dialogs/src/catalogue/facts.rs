//! The hard side of a search: which products keep every constraint.

use super::types::lies_below;
use super::values::Own;
use super::{Product, Query};
use crate::money::Money;
use crate::text;
use std::collections::BTreeMap;

/// Types, brands and attribute values as numbers, so that ten thousand products are checked in microseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    numbers: BTreeMap<Fact, u32>,
    /// By product: the numbers of its facts, sorted.
    of_product: Vec<Vec<u32>>,
    /// By fact: the places of the products that have it, in order.
    places: Vec<Vec<u32>>,
    in_stock: Vec<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Type(String),
    Brand(String),
    Value(String, String),
}

/// A query's constraints in numbers.
struct Constraints<'a> {
    query: &'a Query,
    /// Of each group the product must have one.
    any_of: Vec<Vec<u32>>,
    none_of: Vec<u32>,
}

impl Facts {
    /// `own` are the attribute values of each product.
    pub(super) fn of(products: &[Product], own: &[Own]) -> Self {
        let mut facts = Self::default();
        for (product, own) in products.iter().zip(own) {
            let types = product.type_keys.iter().cloned().map(Fact::Type);
            let brands = product
                .brand
                .iter()
                .map(String::as_str)
                .chain(product.brand_names.texts().map(|(_, name)| name))
                .map(|name| Fact::Brand(text::fold(name)));
            let values = own
                .iter()
                .map(|(name, key)| Fact::Value(name.clone(), key.clone()));
            let all: Vec<Fact> = types.chain(brands).chain(values).collect();
            let mut numbers: Vec<u32> = all.into_iter().map(|fact| facts.number(fact)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            let place = u32::try_from(facts.of_product.len()).unwrap_or(u32::MAX);
            facts.places.resize(facts.numbers.len(), Vec::new());
            for number in &numbers {
                if let Some(places) = facts.places.get_mut(*number as usize) {
                    places.push(place);
                }
            }
            facts.of_product.push(numbers);
            facts.in_stock.push(product.in_stock());
        }
        facts
    }

    fn number(&mut self, fact: Fact) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(fact).or_insert(next)
    }

    /// Places of the products that keep every constraint, in order. Where one must be among few, only those are looked at.
    pub(super) fn kept(&self, products: &[Product], query: &Query) -> Vec<usize> {
        let constraints = self.constraints(query);
        let keeps = |place: &usize| {
            let has_stock = || self.in_stock.get(*place) == Some(&true);
            let both = || Some((products.get(*place)?, self.of_product.get(*place)?));
            (!query.in_stock || has_stock())
                && both().is_some_and(|(product, numbers)| constraints.keep(product, numbers))
        };
        let with = |number: &u32| self.places.get(*number as usize).map_or(&[][..], |p| p);
        let size = |group: &&Vec<u32>| group.iter().map(|number| with(number).len()).sum::<usize>();
        let Some(narrowest) = constraints.any_of.iter().min_by_key(size) else {
            return (0..products.len()).filter(keeps).collect();
        };
        let mut places: Vec<usize> = narrowest
            .iter()
            .flat_map(|number| with(number).iter().map(|place| *place as usize))
            .collect();
        places.sort_unstable();
        places.dedup();
        places.retain(keeps);
        places
    }

    fn constraints<'a>(&self, query: &'a Query) -> Constraints<'a> {
        let brand = |name: &String| self.numbers.get(&Fact::Brand(text::fold(name))).copied();
        let value = |(name, key): &(String, String)| {
            let fact = Fact::Value(name.clone(), text::fold(key));
            self.numbers.get(&fact).copied()
        };
        let mut any_of: Vec<Vec<u32>> = Vec::new();
        if !query.types.is_empty() {
            any_of.push(query.types.iter().flat_map(|key| self.types(key)).collect());
        }
        if !query.brands.is_empty() {
            any_of.push(query.brands.iter().filter_map(brand).collect());
        }
        let mut by_name: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for wanted in &query.attributes {
            let group = by_name.entry(&wanted.0).or_default();
            group.extend(value(wanted));
        }
        any_of.extend(by_name.into_values());
        let none_of = query
            .not_types
            .iter()
            .flat_map(|key| self.types(key))
            .chain(query.not_brands.iter().filter_map(brand))
            .chain(query.not_attributes.iter().filter_map(value))
            .collect();
        Constraints {
            query,
            any_of,
            none_of,
        }
    }

    /// The type and all below it.
    fn types(&self, above: &str) -> Vec<u32> {
        self.numbers
            .iter()
            .filter(|(fact, _)| matches!(fact, Fact::Type(key) if lies_below(key, above)))
            .map(|(_, number)| *number)
            .collect()
    }
}

impl Constraints<'_> {
    fn keep(&self, product: &Product, numbers: &[u32]) -> bool {
        let has = |number: &u32| numbers.binary_search(number).is_ok();
        let query = self.query;
        (!query.in_stock || product.in_stock())
            && self.any_of.iter().all(|group| group.iter().any(has))
            && !self.none_of.iter().any(has)
            && self.affordable(product)
            && !query.not_ids.contains(&product.id)
    }

    fn affordable(&self, product: &Product) -> bool {
        let (min, max) = (self.query.price_min, self.query.price_max);
        if min.is_none() && max.is_none() {
            return true;
        }
        let price = product.price_at(self.query.now_ms);
        let same = |bound: Money| bound.currency == price.currency;
        min.is_none_or(|min| same(min) && price.minor >= min.minor)
            && max.is_none_or(|max| same(max) && price.minor <= max.minor)
    }
}
