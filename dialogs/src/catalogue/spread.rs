//! How the products that keep a query's constraints differ: what a question about them could settle.

use super::fits::is_fit;
use super::{Catalogue, Query};
use std::collections::BTreeMap;

/// Products that are looked at; more of them say no more about the shape.
pub const SAMPLE_MAX: usize = 120;
/// Values of one attribute that a question can offer.
pub const VALUES_MAX: usize = 6;
/// Of the products, the share that must tell an attribute for a question about it to make sense.
const TOLD_SHARE_MIN: f64 = 0.6;

/// What the products that fit have, and how much each property would part them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// Products that fit.
    pub count: usize,
    /// Bits that knowing the price level would settle.
    pub price_bits: f64,
    /// Keys of the kinds right below the one asked for, most products first, with the bits that naming one would settle.
    pub kinds: Option<(Vec<String>, f64)>,
    /// Attribute, its value keys with most products first, and the bits that naming one would settle; best first.
    pub attributes: Vec<(String, Vec<String>, f64)>,
}

impl Catalogue {
    /// The query's words, order and limit are not asked.
    pub fn spread(&self, query: &Query) -> Spread {
        let kept = self.kept(query);
        let step = kept.len().div_ceil(SAMPLE_MAX).max(1);
        let sample: Vec<usize> = kept.iter().copied().step_by(step).collect();
        let mut prices: Vec<i64> = Vec::new();
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut values: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        let above = query.types.first().map(String::as_str);
        for place in &sample {
            let (Some(product), Some(own)) = (self.products.get(*place), self.own.get(*place))
            else {
                continue;
            };
            prices.push(product.price_at(query.now_ms).minor);
            if let Some(kind) = below(&product.type_keys, above) {
                *kinds.entry(kind).or_default() += 1;
            }
            for (name, key) in own.iter().filter(|(name, _)| !is_fit(name)) {
                *values.entry(name).or_default().entry(key).or_default() += 1;
            }
        }
        let whole = sample.len();
        let kinds = (kinds.len() > 1).then(|| (ranked(&kinds), bits(&kinds, whole)));
        let mut attributes: Vec<(String, Vec<String>, f64)> = values
            .into_iter()
            .filter(|(_, counts)| (2..=VALUES_MAX).contains(&counts.len()))
            // Figures are asked for as figures; nobody chooses between `1 year` and `2 years`.
            .filter(|(_, counts)| {
                !counts
                    .keys()
                    .any(|key| key.contains(|c: char| c.is_ascii_digit()))
            })
            .filter(|(_, counts)| {
                counts.values().sum::<usize>() as f64 >= TOLD_SHARE_MIN * whole as f64
            })
            .map(|(name, counts)| (name.to_owned(), ranked(&counts), bits(&counts, whole)))
            .collect();
        attributes.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        Spread {
            count: kept.len(),
            price_bits: price_bits(&prices),
            kinds,
            attributes,
        }
    }
}

/// The product's kind right below one, or its most general kind.
fn below<'a>(type_keys: &'a [String], above: Option<&str>) -> Option<&'a str> {
    let next = match above {
        Some(above) => type_keys.iter().position(|key| key == above)? + 1,
        None => 0,
    };
    type_keys.get(next).map(String::as_str)
}

/// Most products first.
fn ranked(counts: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut ranked: Vec<(&str, usize)> = counts.iter().map(|(key, n)| (*key, *n)).collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    ranked.into_iter().map(|(key, _)| key.to_owned()).collect()
}

/// Shannon's entropy of the counts, weighed by the share of products that tell anything.
fn bits(counts: &BTreeMap<&str, usize>, whole: usize) -> f64 {
    let sum: usize = counts.values().sum();
    if sum == 0 || whole == 0 {
        return 0.0;
    }
    let entropy: f64 = counts
        .values()
        .map(|n| *n as f64 / sum as f64)
        .map(|share| -share * share.log2())
        .sum();
    entropy * (sum.min(whole) as f64 / whole as f64)
}

/// Price levels are a factor of two apart.
fn price_bits(prices: &[i64]) -> f64 {
    let lowest = prices.iter().copied().filter(|price| *price > 0).min();
    let Some(lowest) = lowest else { return 0.0 };
    let mut levels: BTreeMap<i64, usize> = BTreeMap::new();
    for price in prices.iter().filter(|price| **price > 0) {
        let level = (*price as f64 / lowest as f64).log2() as i64;
        *levels.entry(level).or_default() += 1;
    }
    let whole = prices.len() as f64;
    levels
        .values()
        .map(|n| *n as f64 / whole)
        .map(|share| -share * share.log2())
        .sum()
}
