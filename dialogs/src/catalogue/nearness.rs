//! The second step of a search by words: of the products that share words, how near each comes to what is asked.

use super::index::{Asked, Index, Match};
use super::spelling::Spelling;
use super::{Product, words};
use crate::text;

/// Different buckets of pieces of words; two pieces in one bucket count as one.
const BUCKETS: usize = 1 << 18;
/// What a figure adds that neither agrees nor differs, because there is none.
const UNDECIDED: f32 = 0.5;

/// What counts how much, fitted together over product titles and customers' searches in both languages; the signs and sizes held on halves they were not fitted on.
const BM25: f32 = 3.0;
const COVERED: f32 = 4.0;
const TITLE_COVERED: f32 = 1.0;
const PIECES: f32 = 5.0;
const FIGURES_FOUND: f32 = 1.5;
const FIGURES_ASKED: f32 = 1.0;
const UNITS: f32 = 3.0;
/// The same where they are Han characters: rare ones tell less of what is meant than how many there are. From 5 to 10 all do as well on Chinese searches; half of them chose 5 or 6 and gained on the other half.
const HAN_UNITS: f32 = 6.0;
const BRAND: f32 = 1.5;
const PRICE: f32 = 2.0;
const WITHOUT_UNITS: f32 =
    BM25 + COVERED + TITLE_COVERED + PIECES + FIGURES_FOUND + FIGURES_ASKED + BRAND + PRICE;

/// What titles and brands are made of, by product.
pub(super) struct Nearness {
    titles: Vec<Vec<Title>>,
    brands: Vec<Vec<Part>>,
    /// In how many titles each bucket is.
    titles_with: Vec<u32>,
    count: usize,
}

/// A title in one language.
struct Title {
    /// By token, each once.
    parts: Vec<Part>,
    /// Buckets of its pieces, sorted, each once.
    pieces: Vec<u32>,
    pieces_length: f32,
}

#[derive(Clone, Copy)]
struct Part {
    token: u32,
    weight: f32,
    has_digit: bool,
}

/// A query as titles are compared with it.
pub(super) struct Sought<'a> {
    asked: &'a [Asked],
    /// By token: those that some product has, and whether each is a unit of the words.
    known: Vec<(u32, bool)>,
    pieces: Vec<u32>,
    pieces_length: f32,
    units: f32,
    unit_weight: f32,
}

impl Nearness {
    /// The words of titles are learned in passing, for what is mistyped.
    pub(super) fn of(products: &[Product], index: &Index, spelling: &mut Spelling) -> Self {
        let mut nearness = Self {
            titles: Vec::with_capacity(products.len()),
            brands: Vec::with_capacity(products.len()),
            titles_with: vec![0; BUCKETS],
            count: 0,
        };
        for product in products {
            let mut titles = Vec::new();
            for (_, title) in product.title.texts() {
                let pieces = pieces(title);
                for bucket in &pieces {
                    if let Some(with) = nearness.titles_with.get_mut(*bucket as usize) {
                        *with += 1;
                    }
                }
                nearness.count += 1;
                titles.push(Title {
                    parts: parts(index, title, |token, id| spelling.learn(token, id)),
                    pieces,
                    pieces_length: 0.0,
                });
            }
            nearness.titles.push(titles);
            let brand = product.brand.as_deref().unwrap_or_default();
            nearness.brands.push(parts(index, brand, |_, _| {}));
        }
        let mut titles = std::mem::take(&mut nearness.titles);
        for title in titles.iter_mut().flatten() {
            title.pieces_length = nearness.length(&title.pieces);
        }
        nearness.titles = titles;
        nearness
    }

    pub(super) fn sought<'a>(&self, asked: &'a [Asked], query_words: &str) -> Sought<'a> {
        let mut known: Vec<(u32, bool)> = asked
            .iter()
            .filter_map(|one| {
                let is_unit = one.is_unit && one.is_word;
                one.token.map(|token| (token, is_unit))
            })
            .collect();
        known.sort_by_key(|(token, _)| *token);
        let pieces = pieces(query_words);
        Sought {
            asked,
            known,
            pieces_length: self.length(&pieces),
            pieces,
            units: asked
                .iter()
                .filter(|one| one.is_unit && one.is_word)
                .count() as f32,
            unit_weight: if query_words.contains(text::han) {
                HAN_UNITS
            } else {
                UNITS
            },
        }
    }

    /// From 0 to 1; `price` says how near the product's price comes to what was asked.
    pub(super) fn score(
        &self,
        index: &Index,
        sought: &Sought<'_>,
        found: Match,
        price: f32,
    ) -> f32 {
        let titles = self.titles.get(found.place).map_or(&[][..], Vec::as_slice);
        let of_title = titles
            .iter()
            .map(|title| self.of_title(title, sought))
            .fold(0.0, f32::max);
        let brand = self.brands.get(found.place).map_or(0.0, |brand| {
            shared(brand.iter(), sought).map_or(0.0, |(share, _)| share)
        });
        let figures = figures_found(index, sought, found.place);
        (BM25 * found.bm25
            + COVERED * found.covered
            + FIGURES_FOUND * figures
            + BRAND * brand
            + PRICE * price
            + of_title)
            / (WITHOUT_UNITS + sought.unit_weight)
    }

    fn of_title(&self, title: &Title, sought: &Sought<'_>) -> f32 {
        let (covered, units) = shared(title.parts.iter(), sought).unwrap_or((0.0, 0.0));
        let digits = title.parts.iter().filter(|part| part.has_digit);
        let figures = shared(digits, sought).map_or(UNDECIDED, |(share, _)| share);
        TITLE_COVERED * covered
            + FIGURES_ASKED * figures
            + sought.unit_weight * units / sought.units.max(1.0)
            + PIECES * self.alike(title, sought)
    }

    /// The cosine between the pieces of both, the rarer the weightier.
    fn alike(&self, title: &Title, sought: &Sought<'_>) -> f32 {
        let mut dot = 0.0;
        let mut others = sought.pieces.iter().peekable();
        for piece in &title.pieces {
            while others.next_if(|other| *other < piece).is_some() {}
            if others.peek() == Some(&piece) {
                dot += self.rarity(*piece).powi(2);
            }
        }
        dot / (title.pieces_length * sought.pieces_length).max(f32::EPSILON)
    }

    fn length(&self, pieces: &[u32]) -> f32 {
        let squares = pieces.iter().map(|piece| self.rarity(*piece).powi(2));
        squares.sum::<f32>().sqrt()
    }

    fn rarity(&self, piece: u32) -> f32 {
        let with = self.titles_with.get(piece as usize).copied().unwrap_or(0) as f32;
        (1.0 + (self.count as f32 - with + 0.5).max(0.0) / (with + 0.5)).ln()
    }
}

/// The weighted share of the parts that is asked for, and how many units they are; none where there are no parts.
fn shared<'a>(parts: impl Iterator<Item = &'a Part>, sought: &Sought<'_>) -> Option<(f32, f32)> {
    let (mut all, mut both, mut units) = (0.0, 0.0, 0.0);
    let mut known = sought.known.iter().peekable();
    for part in parts {
        all += part.weight;
        while known.next_if(|(token, _)| *token < part.token).is_some() {}
        if let Some((_, is_unit)) = known.next_if(|(token, _)| *token == part.token) {
            both += part.weight;
            if *is_unit {
                units += 1.0;
            }
        }
    }
    (all > 0.0).then(|| (both / all, units))
}

/// The share of the figures among the words that the product has anywhere.
fn figures_found(index: &Index, sought: &Sought<'_>, place: usize) -> f32 {
    let (mut all, mut found) = (0.0, 0.0);
    let figures = sought.asked.iter();
    for one in figures.filter(|one| one.has_digit && one.is_word) {
        all += one.weight;
        let is_there = one.token.and_then(|token| index.in_product(token, place));
        found += is_there.map_or(0.0, |_| one.weight);
    }
    if all > 0.0 { found / all } else { UNDECIDED }
}

fn parts(index: &Index, text: &str, mut each: impl FnMut(&str, u32)) -> Vec<Part> {
    let mut parts: Vec<Part> = words::tokens(text)
        .iter()
        .filter_map(|token| {
            let known = index.token(token);
            known.map(|id| {
                each(token, id);
                Part {
                    token: id,
                    weight: index.weight(token, known),
                    has_digit: token.bytes().any(|byte| byte.is_ascii_digit()),
                }
            })
        })
        .collect();
    parts.sort_unstable_by_key(|part| part.token);
    parts.dedup_by_key(|part| part.token);
    parts.shrink_to_fit();
    parts
}

/// Buckets of the pieces of a text, sorted, each once.
fn pieces(text: &str) -> Vec<u32> {
    let mut buckets: Vec<u32> = Vec::new();
    words::each_piece(text, |piece| {
        let hash = piece.iter().fold(0x811c_9dc5_u32, |hash, c| {
            (hash ^ u32::from(*c)).wrapping_mul(0x0100_0193)
        });
        buckets.push((hash ^ (hash >> 18)) % BUCKETS as u32);
    });
    buckets.sort_unstable();
    buckets.dedup();
    buckets.shrink_to_fit();
    buckets
}
