//! `eval search`: the catalogue's own index over the user's documents.

use super::{Ended, SearchArgs, decimals, print, rows, usage};
use dialogs::Language;
use dialogs::catalogue::{Availability, Catalogue, Localized, Product, Query};
use dialogs::money::{Currency, Money};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

/// Hits that are looked at.
const DEPTH: usize = 10;
/// Of a hundred searches, those that are faster than the one whose time is told.
const SLOW_PERCENT: usize = 99;
const DOC: &str = r#"{"id": "p1", "title": "…", "brand": "…"}"#;
const QUERY: &str = r#"{"query": "…", "relevant": ["p1"]}"#;

#[derive(Deserialize)]
struct Doc {
    id: Value,
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Asked {
    query: Value,
    #[serde(default)]
    relevant: Vec<Value>,
    #[serde(default)]
    relevance: BTreeMap<String, f64>,
}

pub(super) fn run(args: &SearchArgs) -> Ended {
    let began = Instant::now();
    let docs: Vec<Doc> = rows::read(&args.docs, DOC)?;
    let asked: Vec<Asked> = rows::read(&args.queries, QUERY)?;
    let indexing = Instant::now();
    let products: Vec<Product> = docs.iter().map(product).collect();
    let catalogue = Catalogue::build(products);
    let index_seconds = indexing.elapsed().as_secs_f64();

    let mut sums = Sums::default();
    let mut errors = Vec::new();
    let mut times: Vec<f64> = Vec::with_capacity(asked.len());
    for (at, row) in asked.iter().enumerate() {
        let gains = row.gains();
        if gains.is_empty() {
            return Err(usage(format!(
                "query {}: nothing is relevant to it; a row looks like {QUERY}",
                at + 1
            )));
        }
        let query = query(&row.query);
        let searching = Instant::now();
        let hits = catalogue.search(&query);
        times.push(searching.elapsed().as_secs_f64());
        let ids: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
        sums.add(&ids, &gains);
        if !ids.first().is_some_and(|first| gains.contains_key(*first)) {
            let relevant: Vec<&String> = gains.keys().collect();
            errors.push(json!({"query": row.query, "relevant": relevant, "found": ids}));
        }
    }
    let search_seconds: f64 = times.iter().sum();
    times.sort_by(f64::total_cmp);
    let slow = times.get((times.len() - 1) * SLOW_PERCENT / 100);
    let mean = |sum: f64| decimals(sum / asked.len() as f64);
    print(
        &json!({
            "rows": asked.len(),
            "docs": docs.len(),
            "ndcg_at_10": mean(sums.ndcg),
            "mrr_at_10": mean(sums.reciprocal),
            "recall_at_1": mean(sums.recall_at_1),
            "recall_at_10": mean(sums.recall_at_10),
            "hit_at_1": mean(sums.hit_at_1),
            "index_seconds": decimals(index_seconds),
            "queries_per_second": (asked.len() as f64 / search_seconds.max(1e-9)).round(),
            "p99_milliseconds": decimals(slow.map_or(0.0, |seconds| seconds * 1_000.0)),
            "seconds": decimals(began.elapsed().as_secs_f64()),
        }),
        args.json,
    );
    if let Some(file) = &args.errors {
        rows::write(file, &errors)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct Sums {
    ndcg: f64,
    reciprocal: f64,
    recall_at_1: f64,
    recall_at_10: f64,
    hit_at_1: f64,
}

impl Sums {
    fn add(&mut self, ids: &[&str], gains: &BTreeMap<String, f64>) {
        let gain = |id: &str| gains.get(id).copied().unwrap_or(0.0);
        let discounted = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
            gains
                .take(DEPTH)
                .enumerate()
                .map(|(at, gain)| gain / (at as f64 + 2.0).log2())
                .sum()
        };
        let mut ideal: Vec<f64> = gains.values().copied().collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let best = discounted(&mut ideal.into_iter());
        self.ndcg += discounted(&mut ids.iter().map(|id| gain(id))) / best.max(1e-9);
        let relevant = |ids: &[&str]| ids.iter().filter(|id| gains.contains_key(**id)).count();
        let first: Vec<&str> = ids.iter().take(1).copied().collect();
        let of_all = gains.len() as f64;
        self.recall_at_1 += relevant(&first) as f64 / of_all;
        self.hit_at_1 += relevant(&first) as f64;
        self.recall_at_10 += relevant(ids) as f64 / of_all;
        if let Some(at) = ids.iter().position(|id| gains.contains_key(*id)) {
            self.reciprocal += 1.0 / (at as f64 + 1.0);
        }
    }
}

impl Asked {
    fn gains(&self) -> BTreeMap<String, f64> {
        let flat = self.relevant.iter().map(|id| (text(id), 1.0));
        let graded = self.relevance.iter().filter(|(_, gain)| **gain > 0.0);
        flat.chain(graded.map(|(id, gain)| (id.clone(), *gain)))
            .collect()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A document as a product: fields that feeds know go where feeds have them, the others are attributes.
fn product(doc: &Doc) -> Product {
    let mut product = Product {
        id: text(&doc.id),
        title: Localized::default(),
        description: Localized::default(),
        product_type: Vec::new(),
        type_keys: Vec::new(),
        brand: None,
        brand_names: Localized::default(),
        price: Money::from_major(0, Currency::USD),
        sale_price: None,
        sale_from_ms: None,
        sale_until_ms: None,
        availability: Availability::InStock,
        availability_date: None,
        link: None,
        image_link: None,
        gtin: None,
        mpn: None,
        item_group_id: None,
        attributes: BTreeMap::new(),
        line: 0,
    };
    for (field, value) in &doc.fields {
        let value = text(value);
        if value.is_empty() {
            continue;
        }
        let local = Localized::new(Language::En, value.clone());
        match field.as_str() {
            "title" | "name" => product.title = local,
            "description" | "text" | "body" => product.description = local,
            "brand" | "manufacturer" => product.brand = Some(value),
            "mpn" | "modelno" | "model" => product.mpn = Some(value),
            "gtin" => product.gtin = Some(value),
            "category" | "product_type" => {
                product.type_keys.push(value);
                product.product_type.push(local);
            }
            "price" => {
                if let Some(price) = amount(&value) {
                    product.price = price;
                }
            }
            _ => {
                product.attributes.insert(field.clone(), local);
            }
        }
    }
    product
}

/// Text is searched for; of fields all texts are, and a price draws near what costs about that.
fn query(asked: &Value) -> Query {
    let mut query = Query {
        limit: DEPTH,
        ..Query::default()
    };
    match asked {
        Value::Object(fields) => {
            let mut titles = Vec::new();
            let mut others = Vec::new();
            for (field, value) in fields {
                let value = text(value);
                match (field.as_str(), amount(&value)) {
                    ("price", Some(price)) => query.price_near = Some(price),
                    ("title" | "name" | "text" | "query", _) => titles.push(value),
                    _ => others.push(value),
                }
            }
            if titles.is_empty() {
                std::mem::swap(&mut titles, &mut others);
            }
            query.words = titles.join("\n");
            query.beside = others.join("\n");
        }
        other => query.words = text(other),
    }
    query
}

fn amount(written: &str) -> Option<Money> {
    let number: f64 = written.trim().trim_start_matches('$').parse().ok()?;
    (number.is_finite() && (0.0..1e12).contains(&number)).then(|| Money {
        minor: (number * 100.0).round() as i64,
        currency: Currency::USD,
    })
}
