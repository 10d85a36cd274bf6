//! A product as the shop's own catalogue file keeps it: one JSON object a line, always written the same way.

use crate::Language;
use crate::calendar::Day;
use crate::catalogue::Product;
use crate::money::Money;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Google's attribute names; what the shop adds stands under `attributes`. The order is part of the form.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_link: Option<String>,
    availability: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_date: Option<String>,
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sale_price_effective_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gtin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mpn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_group_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

/// The product's texts in the language that its feed was read in, as one line without its end.
pub fn line(product: &Product, language: Language) -> String {
    let types: Vec<&str> = product
        .product_type
        .iter()
        .map(|name| name.get(language))
        .collect();
    let line = Line {
        id: product.id.clone(),
        title: product.title.get(language).to_owned(),
        description: product.description.own(language).map(str::to_owned),
        link: product.link.clone(),
        image_link: product.image_link.clone(),
        availability: product.availability.word().to_owned(),
        availability_date: product.availability_date.clone(),
        price: written(product.price),
        sale_price: product.sale_price.map(written),
        sale_price_effective_date: product
            .sale_from_ms
            .zip(product.sale_until_ms)
            .map(|(from, until)| format!("{}/{}", instant(from), instant(until))),
        brand: product.brand.clone(),
        gtin: product.gtin.clone(),
        mpn: product.mpn.clone(),
        product_type: (!types.is_empty()).then(|| types.join(" > ")),
        item_group_id: product.item_group_id.clone(),
        attributes: product
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.get(language).to_owned()))
            .collect(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// Id and line of each product, where every line is written exactly as `line` writes it: then the file came from an import and holds nothing else.
pub fn lines(bytes: &[u8]) -> Option<Vec<(String, &str)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if !(text.is_empty() || text.ends_with('\n')) {
        return None;
    }
    text.lines()
        .map(|own| {
            let line: Line = serde_json::from_str(own).ok()?;
            (serde_json::to_string(&line).ok()? == own).then_some((line.id, own))
        })
        .collect()
}

fn written(money: Money) -> String {
    format!("{} {}", money.amount(), money.currency.code())
}

/// `2026-11-20T00:00:00Z`
fn instant(at_ms: i64) -> String {
    let (year, month, day) = Day(at_ms.div_euclid(DAY_MS)).civil();
    let seconds = at_ms.rem_euclid(DAY_MS) / 1_000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}
