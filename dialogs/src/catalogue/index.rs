//! The first step of a search by words: which products share words with what is asked, by BM25 over weighted fields.

use super::cohesion::loose_pairs;
use super::fits::is_fit;
use super::{Localized, Product, words};
use crate::text;

/// Different tokens of one query that are looked for.
const QUERY_TOKENS_MAX: usize = 128;
/// Postings gone through for one query; the tokens that most products have only put in order what the others found.
const POSTINGS_MAX: usize = 300_000;
/// A token in more than one of so many products is common.
const COMMON: usize = 2;
/// Candidates times so many steps, against going through all postings of a token.
const LOOKUP_STEPS: usize = 16;

const FIELDS: usize = 4;
/// Title; types, brand and numbers; attributes; description.
const BOOSTS: [f32; FIELDS] = [1.0, 1.0, 1.0, 0.3];
/// How soon a further occurrence adds little, and how much a long field is held against it (BM25's k1 and b).
const SATURATION: f32 = 1.2;
const LENGTH: f32 = 0.75;
/// A single Han character says less than two together.
const CHARACTER_BOOST: f32 = 0.5;
/// A pair of characters across the border of two words says less than one within a word.
const LOOSE_PAIR_BOOST: f32 = 0.3;
/// Characters of asking and of grammar, which alone say nothing of a product.
const FUNCTION_CHARACTERS: &str = "的了吗呢吧啊呀嘛哦是有在和与跟我你您他她它这那个么什哪几些能会要想可以给把被让也都就还很不没请问买找推荐适合";

/// Tokens are known by a fingerprint; each has the places of its products, in order, and its saturated weight there.
pub(super) struct Index {
    products: usize,
    fingerprints: Vec<u64>,
    /// One more than fingerprints: where each token's postings begin.
    starts: Vec<u32>,
    places: Vec<u32>,
    weights: Vec<u16>,
}

/// One token of a query.
pub(super) struct Asked {
    pub text: String,
    /// None where no product has it.
    pub token: Option<u32>,
    pub weight: f32,
    /// Of the words themselves, not of what stands beside them.
    pub is_word: bool,
    pub has_digit: bool,
    /// A word or a single Han character; pairs of characters are not counted as units.
    pub is_unit: bool,
}

/// A product that shares words with the query, in shares of what one with all of them would have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Match {
    pub place: usize,
    pub bm25: f32,
    pub covered: f32,
}

struct Occurrence {
    fingerprint: u64,
    place: u32,
    counts: [u8; FIELDS],
}

impl Index {
    pub(super) fn of(products: &[Product]) -> Self {
        let mut occurrences: Vec<Occurrence> = Vec::new();
        let mut lengths: Vec<[u16; FIELDS]> = Vec::with_capacity(products.len());
        let mut own: Vec<(u64, u8)> = Vec::new();
        for (product, place) in products.iter().zip(0_u32..) {
            own.clear();
            let mut length = [0_u16; FIELDS];
            for ((texts, length), field) in texts(product).iter().zip(&mut length).zip(0_u8..) {
                let before = own.len();
                for text in texts {
                    let tokens = words::tokens(text);
                    own.extend(tokens.iter().map(|token| (fingerprint(token), field)));
                }
                *length = u16::try_from(own.len() - before).unwrap_or(u16::MAX);
            }
            own.sort_unstable();
            for of_token in own.chunk_by(|a, b| a.0 == b.0) {
                let mut counts = [0_u8; FIELDS];
                for (_, field) in of_token {
                    if let Some(count) = counts.get_mut(usize::from(*field)) {
                        *count = count.saturating_add(1);
                    }
                }
                occurrences.push(Occurrence {
                    fingerprint: of_token.first().map_or(0, |first| first.0),
                    place,
                    counts,
                });
            }
            lengths.push(length);
        }
        occurrences.sort_unstable_by_key(|one| (one.fingerprint, one.place));
        Self::sorted(products.len(), &occurrences, &lengths)
    }

    fn sorted(products: usize, occurrences: &[Occurrence], lengths: &[[u16; FIELDS]]) -> Self {
        let mut means = [0.0_f32; FIELDS];
        for (field, mean) in means.iter_mut().enumerate() {
            let of_field = lengths.iter().filter_map(|length| length.get(field));
            let all: u64 = of_field.map(|length| u64::from(*length)).sum();
            *mean = (all as f32 / products.max(1) as f32).max(f32::EPSILON);
        }
        let mut index = Self {
            products,
            fingerprints: Vec::new(),
            starts: Vec::new(),
            places: Vec::with_capacity(occurrences.len()),
            weights: Vec::with_capacity(occurrences.len()),
        };
        for one in occurrences {
            if index.fingerprints.last() != Some(&one.fingerprint) {
                index.fingerprints.push(one.fingerprint);
                index.starts.push(index.places.len() as u32);
            }
            let length = lengths.get(one.place as usize).copied().unwrap_or_default();
            let mut often = 0.0;
            for (((count, length), mean), boost) in
                one.counts.iter().zip(length).zip(means).zip(BOOSTS)
            {
                let norm = 1.0 - LENGTH + LENGTH * f32::from(length) / mean;
                often += boost * f32::from(*count) / norm;
            }
            let saturated = often / (SATURATION + often);
            index.places.push(one.place);
            index.weights.push((saturated * f32::from(u16::MAX)) as u16);
        }
        index.starts.push(index.places.len() as u32);
        index
    }

    pub(super) fn token(&self, token: &str) -> Option<u32> {
        let found = self.fingerprints.binary_search(&fingerprint(token)).ok()?;
        u32::try_from(found).ok()
    }

    /// The rarer among the products, the more a token tells; by its own, whether any product has it or not.
    pub(super) fn weight(&self, text: &str, token: Option<u32>) -> f32 {
        let with = token.map_or(0, |token| self.with(token)) as f32;
        let without = self.products as f32 - with;
        let rarity = (1.0 + (without + 0.5) / (with + 0.5)).ln();
        if is_character(text) {
            rarity * CHARACTER_BOOST
        } else {
            rarity
        }
    }

    /// How many products have the token.
    pub(super) fn with(&self, token: u32) -> usize {
        self.postings(token).0.len()
    }

    /// The share of the products that have the token.
    fn share_with(&self, token: &str) -> f32 {
        let with = self.token(token).map_or(0, |token| self.with(token));
        with as f32 / self.products.max(1) as f32
    }

    fn postings(&self, token: u32) -> (&[u32], &[u16]) {
        let at = token as usize;
        let (Some(start), Some(end)) = (self.starts.get(at), self.starts.get(at + 1)) else {
            return (&[], &[]);
        };
        let range = *start as usize..*end as usize;
        (
            self.places.get(range.clone()).unwrap_or_default(),
            self.weights.get(range).unwrap_or_default(),
        )
    }

    /// The token's weight in the product; none where the product does not have it.
    pub(super) fn in_product(&self, token: u32, place: usize) -> Option<f32> {
        let (places, weights) = self.postings(token);
        let at = places.binary_search(&u32::try_from(place).ok()?).ok()?;
        weights.get(at).copied().map(share)
    }

    /// The tokens of the words, then of what stands beside them; each once.
    pub(super) fn asked(&self, query_words: &str, beside: &str) -> Vec<Asked> {
        let mut seen = std::collections::BTreeSet::new();
        let mut asked = Vec::new();
        let loose = loose_pairs(query_words, |token| self.share_with(token));
        for (text, is_word) in [(query_words, true), (beside, false)] {
            for token in words::tokens(text) {
                if asked.len() >= QUERY_TOKENS_MAX {
                    return asked;
                }
                let is_character = is_character(&token);
                let is_function = is_character && FUNCTION_CHARACTERS.contains(&token);
                if is_function || !seen.insert(token.clone()) {
                    continue;
                }
                let known = self.token(&token);
                let boost = if loose.contains(&token) {
                    LOOSE_PAIR_BOOST
                } else {
                    1.0
                };
                asked.push(Asked {
                    token: known,
                    weight: self.weight(&token, known) * boost,
                    is_word,
                    has_digit: token.bytes().any(|byte| byte.is_ascii_digit()),
                    is_unit: is_character || !token.starts_with(text::han),
                    text: token,
                });
            }
        }
        asked
    }

    /// The best `limit` of the candidates (sorted places), best first, ties by place; those without any match are not among them.
    /// A token that most products have tells nothing, so it is looked for only where no other is.
    pub(super) fn matches(
        &self,
        asked: &[Asked],
        candidates: &[usize],
        limit: usize,
    ) -> Vec<Match> {
        if limit == 0 || candidates.is_empty() {
            return Vec::new();
        }
        let all: f32 = asked.iter().map(|one| one.weight).sum();
        let with = |one: &Asked| one.token.map_or(0, |token| self.with(token));
        let known = || asked.iter().filter(|one| with(one) > 0);
        let mut telling: Vec<&Asked> = known()
            .filter(|one| with(one) * COMMON <= self.products)
            .collect();
        if telling.is_empty() {
            telling = known().collect();
        }
        telling.sort_by_key(|one| with(one));
        let mut room = POSTINGS_MAX;
        let gone_through = telling
            .iter()
            .take_while(|one| {
                let fits = with(one) <= room;
                room = room.saturating_sub(with(one));
                fits
            })
            .count();
        let (first, late) = telling.split_at(gone_through.max(1).min(telling.len()));
        let mut sums = vec![[0.0_f32; 2]; self.products];
        for one in first {
            self.add(one, candidates, &mut sums);
        }
        let mut best = Best::new(limit);
        for place in candidates {
            if let Some([bm25, covered]) = sums.get(*place).filter(|[_, covered]| *covered > 0.0) {
                best.take(Match {
                    place: *place,
                    bm25: *bm25,
                    covered: *covered,
                });
            }
        }
        let mut matches = best.kept;
        for found in &mut matches {
            for one in late {
                let weight = one
                    .token
                    .and_then(|token| self.in_product(token, found.place));
                found.bm25 += one.weight * weight.unwrap_or(0.0);
                found.covered += weight.map_or(0.0, |_| one.weight);
            }
            found.bm25 /= all;
            found.covered /= all;
        }
        if !late.is_empty() {
            matches.sort_by(|a, b| b.bm25.total_cmp(&a.bm25).then(a.place.cmp(&b.place)));
        }
        matches
    }

    /// Adds what one token gives to each candidate; where candidates are few, others are left alone.
    fn add(&self, one: &Asked, candidates: &[usize], sums: &mut [[f32; 2]]) {
        let Some(token) = one.token else {
            return;
        };
        let mut give = |place: usize, weight: f32| {
            if let Some([bm25, covered]) = sums.get_mut(place) {
                *bm25 += one.weight * weight;
                *covered += one.weight;
            }
        };
        let (places, weights) = self.postings(token);
        if candidates.len() * LOOKUP_STEPS < places.len() {
            for place in candidates {
                if let Some(weight) = self.in_product(token, *place) {
                    give(*place, weight);
                }
            }
        } else {
            for (place, weight) in places.iter().zip(weights) {
                give(*place as usize, share(*weight));
            }
        }
    }
}

/// The best of the matches seen so far, best first.
struct Best {
    limit: usize,
    kept: Vec<Match>,
}

impl Best {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: Vec::new(),
        }
    }

    /// Places rise, so a later one never goes before an equal one.
    fn take(&mut self, found: Match) {
        let is_full = self.kept.len() >= self.limit;
        if is_full && self.kept.last().is_some_and(|last| last.bm25 >= found.bm25) {
            return;
        }
        let at = self.kept.partition_point(|kept| kept.bm25 >= found.bm25);
        self.kept.insert(at, found);
        self.kept.truncate(self.limit);
    }
}

fn share(weight: u16) -> f32 {
    f32::from(weight) / f32::from(u16::MAX)
}

/// FNV-1a over 64 bits: two tokens of one catalogue do not meet in it but by chance or malice, and then only share their weight.
fn fingerprint(token: &str) -> u64 {
    token.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn is_character(token: &str) -> bool {
    let mut characters = token.chars();
    characters.next().is_some_and(|c| !c.is_ascii()) && characters.next().is_none()
}

/// The texts of each field, in all languages.
fn texts(product: &Product) -> [Vec<&str>; FIELDS] {
    let mut kind: Vec<&str> = product
        .product_type
        .iter()
        .chain([&product.brand_names])
        .flat_map(|name| name.texts().map(|(_, text)| text))
        .collect();
    kind.extend(product.brand.as_deref());
    kind.sort_unstable();
    kind.dedup();
    let numbers = [&product.gtin, &product.mpn].into_iter().flatten();
    kind.extend(numbers.map(String::as_str));
    kind.push(&product.id);
    // What a product fits is another product's name.
    let (fits, attributes): (Vec<_>, Vec<_>) = product
        .attributes
        .iter()
        .partition(|(name, _)| is_fit(name));
    fn of<'a>(pairs: Vec<(&'a String, &'a Localized)>) -> Vec<&'a str> {
        let texts = pairs.into_iter().flat_map(|(_, value)| value.texts());
        texts.map(|(_, text)| text).collect()
    }
    let mut description: Vec<&str> = product.description.texts().map(|(_, text)| text).collect();
    description.extend(of(fits));
    [
        product.title.texts().map(|(_, text)| text).collect(),
        kind,
        of(attributes),
        description,
    ]
}
