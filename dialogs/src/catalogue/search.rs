//! Searching: what keeps the constraints, what is nearest to the words, and what is like one product.

use super::Catalogue;
use super::index::Asked;
use super::product::{Localized, Product};
use super::query::{HITS_MAX, Hit, Order, Query, Shape};
use std::collections::{BTreeMap, BTreeSet};

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

impl Catalogue {
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
    pub(super) fn kept(&self, query: &Query) -> Vec<usize> {
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
}
