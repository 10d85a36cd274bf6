//! What holds for any catalogue and any query.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Availability, Catalogue, Localized, Order, Product, Query, types::lies_below};
use crate::Language;
use crate::money::{Currency, Money};
use proptest::prelude::{Strategy, any, prop, proptest};

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn yuan(amount: i64) -> Option<Money> {
    Some(Money::from_major(amount, Currency::CNY))
}

const KINDS: [&str; 6] = ["a", "a/b", "a/b/c", "a/d", "e", "e/f"];
const COLOURS: [&str; 4] = ["red", "blue/green", "green", ""];
const WORDS: [&str; 5] = ["", "quick fox", "红色 狐狸", "lazy dog item", "zzz"];

fn made(place: usize, kind: usize, colour: usize, minor: i64, stock: bool) -> Product {
    let key = KINDS[kind % KINDS.len()];
    let keys: Vec<String> = key
        .char_indices()
        .filter(|(_, c)| *c == '/')
        .map(|(at, _)| key.get(..at).unwrap().to_owned())
        .chain([key.to_owned()])
        .collect();
    let words = WORDS[(kind + colour) % WORDS.len()];
    let colour = COLOURS[colour % COLOURS.len()];
    Product {
        id: format!("p-{place:05}"),
        title: Localized::new(Language::En, format!("Item {words} 商品 {place}")),
        description: Localized::new(
            Language::Zh,
            format!("第{place}号商品，适合日常使用，质量好 {words}"),
        ),
        product_type: keys
            .iter()
            .map(|key| Localized::new(Language::En, key))
            .collect(),
        type_keys: keys,
        brand: Some(format!("Brand{}", place % 7)),
        brand_names: Localized::default(),
        price: Money {
            minor,
            currency: Currency::CNY,
        },
        sale_price: (minor % 3 == 0).then_some(Money {
            minor: minor / 2,
            currency: Currency::CNY,
        }),
        sale_from_ms: Some(100),
        sale_until_ms: Some(200),
        availability: if stock {
            Availability::InStock
        } else {
            Availability::Backorder
        },
        availability_date: None,
        link: None,
        image_link: None,
        gtin: None,
        mpn: None,
        item_group_id: None,
        attributes: [("color".to_owned(), Localized::new(Language::En, colour))].into(),
        line: 0,
    }
}

fn queries() -> impl Strategy<Value = Query> {
    let kinds = || prop::collection::vec(prop::sample::select(&KINDS[..]), 0..3);
    let colours =
        || prop::collection::vec(prop::sample::select(&["red", "blue", "green"][..]), 0..2);
    let brands = || prop::collection::vec(0..8_usize, 0..2);
    let wanted = (kinds(), colours(), brands());
    let unwanted = (kinds(), colours(), brands());
    let prices = (
        prop::option::of(0..1000_i64),
        prop::option::of(0..1000_i64),
        any::<bool>(),
    );
    let rest = (0..5_usize, 0..3_usize, 0..30_usize, 50..250_i64);
    (wanted, unwanted, prices, rest).prop_map(
        |(wanted, unwanted, (min, max, in_stock), (words, order, limit, now_ms))| {
            let brand = |numbers: Vec<usize>| numbers.iter().map(|n| format!("Brand{n}")).collect();
            let colour = |keys: Vec<&str>| {
                keys.iter()
                    .map(|key| ("color".to_owned(), (*key).to_owned()))
                    .collect()
            };
            let money = |minor| Money {
                minor,
                currency: Currency::CNY,
            };
            Query {
                words: WORDS[words].to_owned(),
                types: texts(&wanted.0),
                attributes: colour(wanted.1),
                brands: brand(wanted.2),
                not_types: texts(&unwanted.0),
                not_attributes: colour(unwanted.1),
                not_brands: brand(unwanted.2),
                not_ids: vec!["p-00003".to_owned()],
                price_min: min.map(money),
                price_max: max.map(money),
                in_stock,
                order: [Order::Relevance, Order::PriceUp, Order::PriceDown][order].clone(),
                limit,
                now_ms,
                ..Query::default()
            }
        },
    )
}

fn keeps(product: &Product, query: &Query) -> bool {
    let price = product.price_at(query.now_ms).minor;
    let of_type = |key: &String| product.type_keys.iter().any(|own| lies_below(own, key));
    let colours: Vec<&str> = product.attributes["color"]
        .get(Language::En)
        .split('/')
        .collect();
    let has = |(_, key): &(String, String)| colours.contains(&key.as_str());
    let of_brand = |brand: &String| product.brand.as_ref() == Some(brand);
    (query.types.is_empty() || query.types.iter().any(of_type))
        && (query.attributes.is_empty() || query.attributes.iter().any(has))
        && (query.brands.is_empty() || query.brands.iter().any(of_brand))
        && !query.not_types.iter().any(of_type)
        && !query.not_attributes.iter().any(has)
        && !query.not_brands.iter().any(of_brand)
        && !query.not_ids.contains(&product.id)
        && query.price_min.is_none_or(|min| price >= min.minor)
        && query.price_max.is_none_or(|max| price <= max.minor)
        && (!query.in_stock || product.availability == Availability::InStock)
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]
    #[test]
    fn no_search_breaks_a_constraint(
        rows in prop::collection::vec((0..6_usize, 0..4_usize, 1..1000_i64, any::<bool>()), 1..60),
        queries in prop::collection::vec(queries(), 8),
    ) {
        let products = rows.iter().enumerate().map(|(place, (kind, colour, minor, stock))| made(place, *kind, *colour, *minor, *stock));
        let catalogue = Catalogue::build(products.collect());
        for query in queries {
            let kept: Vec<&str> = catalogue.products().iter().filter(|p| keeps(p, &query)).map(|p| p.id.as_str()).collect();
            let hits = catalogue.search(&query);
            assert!(hits.len() <= query.limit);
            assert!(hits.iter().all(|hit| kept.contains(&hit.id.as_str())), "{query:?}");
            assert_eq!(hits, catalogue.search(&query));
            if query.words.is_empty() {
                assert_eq!(hits.len(), kept.len().min(query.limit), "{query:?}");
            }
            assert_eq!(catalogue.shape(&query).count, kept.len());
        }
    }
}

/// Prints, asserts nothing of time: machines differ.
#[test]
fn ten_thousand_products_are_built_and_searched() {
    let products: Vec<Product> = (0..10_000)
        .map(|place| {
            made(
                place,
                place * 7 % 6,
                place * 13 % 4,
                (place as i64 * 7919) % 100_000,
                place % 5 > 0,
            )
        })
        .collect();
    let begun = std::time::Instant::now();
    let catalogue = Catalogue::build(products);
    println!("built in {:?}", begun.elapsed());
    let base = Query {
        limit: 4,
        now_ms: 150,
        ..Query::default()
    };
    let narrow = Query {
        types: texts(&["a/b"]),
        price_max: yuan(50),
        in_stock: true,
        ..base.clone()
    };
    for (name, query) in [
        (
            "words",
            Query {
                words: "预算五十以内，适合日常使用的红色 狐狸商品有推荐吗".to_owned(),
                ..base.clone()
            },
        ),
        (
            "english words",
            Query {
                words: "which quick fox item is good".to_owned(),
                ..base.clone()
            },
        ),
        (
            "words, narrow",
            Query {
                words: "适合日常使用的红色 狐狸商品".to_owned(),
                ..narrow.clone()
            },
        ),
        ("narrow", narrow),
        (
            "cheapest",
            Query {
                order: Order::PriceUp,
                ..base
            },
        ),
    ] {
        let mut times: Vec<std::time::Duration> = (0..100)
            .map(|_| {
                let begun = std::time::Instant::now();
                assert!(!catalogue.search(&query).is_empty());
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!("{name}: median {:?}", times[50]);
    }
}
