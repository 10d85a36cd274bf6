//! The soft side of a search: how well products match words.

use super::fits::is_fit;
use super::{Localized, Product, words};
use std::collections::BTreeSet;
use tantivy::directory::RamDirectory;
use tantivy::query::{BooleanQuery, BoostQuery, EnableScoring, Occur, Query, TermQuery, Weight};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};
use tantivy::{DocSet, ReloadPolicy, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term};

/// Different tokens of one query that are looked for.
const QUERY_TOKENS_MAX: usize = 48;
/// Memory for building, bytes; the index itself takes what it needs.
const BUILD_BYTES: usize = 15_000_000;
/// Of all products, the share of candidates below which only they are scored.
const FEW: usize = 8;
/// A token in more than one of so many products is common.
const COMMON: u64 = 2;

const TITLE_BOOST: f32 = 2.5;
const KIND_BOOST: f32 = 2.0;
const ATTRIBUTES_BOOST: f32 = 1.5;
const DESCRIPTION_BOOST: f32 = 0.6;
/// A single Han character says less than two together.
const CHARACTER_BOOST: f32 = 0.5;
/// Characters of asking and of grammar, which alone say nothing of a product.
const FUNCTION_CHARACTERS: &str = "的了吗呢吧啊呀嘛哦是有在和与跟我你您他她它这那个么什哪几些能会要想可以给把被让也都就还很不没请问买找推荐适合";

pub(super) struct Index {
    searcher: Searcher,
    /// Title; types and brand; attributes; description.
    fields: [(Field, f32); 4],
}

/// Place of a product and its BM25 score.
pub(super) type Scored = (usize, f32);

impl Index {
    /// One segment in memory, documents in the order of the products; no thread outlives the call.
    pub(super) fn of(products: &[Product]) -> tantivy::Result<Self> {
        let mut schema = Schema::builder();
        let options = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqs),
        );
        let mut field = |name: &str, boost| (schema.add_text_field(name, options.clone()), boost);
        let fields = [
            field("title", TITLE_BOOST),
            field("kind", KIND_BOOST),
            field("attributes", ATTRIBUTES_BOOST),
            field("description", DESCRIPTION_BOOST),
        ];
        let mut writer = tantivy::Index::builder()
            .schema(schema.build())
            .single_segment_index_writer(RamDirectory::create(), BUILD_BYTES)?;
        for product in products {
            let mut document = TantivyDocument::default();
            for ((field, _), text) in fields.iter().zip(texts(product)) {
                document.add_pre_tokenized_text(*field, tokenized(&text));
            }
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        Ok(Self {
            searcher: reader.searcher(),
            fields,
        })
    }

    /// The best `limit` of the candidates (sorted places), best first, ties by place; those without any match are not among them.
    pub(super) fn best(
        &self,
        asked: &str,
        candidates: &[usize],
        products: usize,
        limit: usize,
    ) -> tantivy::Result<Vec<Scored>> {
        let Some(reader) = self.searcher.segment_readers().first() else {
            return Ok(Vec::new());
        };
        let clauses = self.clauses(asked, products);
        if limit == 0 || candidates.is_empty() || clauses.is_empty() {
            return Ok(Vec::new());
        }
        let scoring = EnableScoring::enabled_from_searcher(&self.searcher);
        let mut best = Best::new(limit);
        if candidates.len() * FEW < products {
            let mut scores = vec![0.0; candidates.len()];
            for clause in &clauses {
                add_scores(
                    clause.weight(scoring)?.as_ref(),
                    reader,
                    candidates,
                    &mut scores,
                )?;
            }
            for (place, score) in candidates.iter().zip(scores) {
                if score > 0.0 {
                    best.take(*place, score);
                }
            }
        } else {
            let any = clauses.into_iter().map(|clause| (Occur::Should, clause));
            let weight = BooleanQuery::new(any.collect()).weight(scoring)?;
            score_all(weight.as_ref(), reader, candidates, products, &mut best)?;
        }
        Ok(best.finish())
    }

    /// Every token in every field; any of them may match, for the query parser would make one phrase of a Chinese question.
    /// A token that most products have tells nothing, so it is looked for only where no other is.
    fn clauses(&self, asked: &str, products: usize) -> Vec<Box<dyn Query>> {
        let mut seen = BTreeSet::new();
        let mut telling: Vec<Box<dyn Query>> = Vec::new();
        let mut common: Vec<Box<dyn Query>> = Vec::new();
        for token in words::tokens(asked) {
            if seen.len() >= QUERY_TOKENS_MAX {
                break;
            }
            let is_function = is_character(&token) && FUNCTION_CHARACTERS.contains(&token);
            if is_function || !seen.insert(token.clone()) {
                continue;
            }
            for (field, boost) in &self.fields {
                let term = Term::from_field_text(*field, &token);
                let with = self.searcher.doc_freq(&term).unwrap_or_default();
                if with == 0 {
                    continue;
                }
                let is_common = with.saturating_mul(COMMON) > products as u64;
                let boost = boost
                    * if is_character(&token) {
                        CHARACTER_BOOST
                    } else {
                        1.0
                    };
                let matches = TermQuery::new(term, IndexRecordOption::WithFreqs);
                let clause = Box::new(BoostQuery::new(Box::new(matches), boost));
                if is_common {
                    common.push(clause);
                } else {
                    telling.push(clause);
                }
            }
        }
        if telling.is_empty() { common } else { telling }
    }
}

/// Adds what one clause gives to each candidate.
fn add_scores(
    weight: &dyn Weight,
    reader: &SegmentReader,
    candidates: &[usize],
    scores: &mut [f32],
) -> tantivy::Result<()> {
    let mut scorer = weight.scorer(reader, 1.0)?;
    for (place, sum) in candidates.iter().zip(scores) {
        let Ok(document) = u32::try_from(*place) else {
            break;
        };
        if scorer.doc() < document {
            scorer.seek(document);
        }
        if scorer.doc() == TERMINATED {
            break;
        }
        if scorer.doc() == document {
            *sum += scorer.score();
        }
    }
    Ok(())
}

/// Goes through the matches, skipping those that cannot be among the best.
fn score_all(
    weight: &dyn Weight,
    reader: &SegmentReader,
    candidates: &[usize],
    products: usize,
    best: &mut Best,
) -> tantivy::Result<()> {
    let mut is_candidate = vec![false; products];
    for place in candidates {
        if let Some(flag) = is_candidate.get_mut(*place) {
            *flag = true;
        }
    }
    weight.for_each_pruning(f32::MIN, reader, &mut |document, score| {
        let place = document as usize;
        if is_candidate.get(place).copied().unwrap_or_default() {
            best.take(place, score);
        }
        best.threshold()
    })
}

/// The best so many, kept in order.
struct Best {
    limit: usize,
    /// Best first; ties by place, which rises.
    kept: Vec<Scored>,
}

impl Best {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: Vec::new(),
        }
    }

    fn take(&mut self, place: usize, score: f32) {
        if self.kept.len() >= self.limit && score <= self.threshold() {
            return;
        }
        let at = self.kept.partition_point(|(_, kept)| *kept >= score);
        self.kept.insert(at, (place, score));
        self.kept.truncate(self.limit);
    }

    /// The score that a further match must exceed.
    fn threshold(&self) -> f32 {
        if self.kept.len() < self.limit {
            f32::MIN
        } else {
            self.kept.last().map_or(f32::MIN, |(_, score)| *score)
        }
    }

    fn finish(self) -> Vec<Scored> {
        self.kept
    }
}

fn is_character(token: &str) -> bool {
    let mut characters = token.chars();
    characters.next().is_some_and(|c| !c.is_ascii()) && characters.next().is_none()
}

/// The texts of each field, in all languages.
fn texts<'a>(product: &'a Product) -> [Vec<&'a str>; 4] {
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
    let of = |pairs: Vec<(&'a String, &'a Localized)>| {
        let texts = pairs.into_iter().flat_map(|(_, value)| value.texts());
        texts.map(|(_, text)| text).collect::<Vec<&str>>()
    };
    let mut description: Vec<&str> = product.description.texts().map(|(_, text)| text).collect();
    description.extend(of(fits));
    [
        product.title.texts().map(|(_, text)| text).collect(),
        kind,
        of(attributes),
        description,
    ]
}

/// Only the tokens' texts and numbers count: neither text nor places are kept in the index.
fn tokenized(texts: &[&str]) -> PreTokenizedString {
    let mut tokens = Vec::new();
    for text in texts.iter().flat_map(|text| words::tokens(text)) {
        tokens.push(Token {
            position: tokens.len(),
            text,
            ..Token::default()
        });
    }
    PreTokenizedString {
        text: String::new(),
        tokens,
    }
}
