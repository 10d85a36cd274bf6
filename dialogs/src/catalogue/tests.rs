//! Searching shops of three trades in two languages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Availability, Catalogue, Localized, Order, Product, Query, feed, types::lies_below};
use crate::Language;
use crate::money::{Currency, Money};
use crate::text;
use crate::vocabulary::TermKind;
use proptest::prelude::{Strategy, any, prop, proptest};

const FURNITURE: &str = "id\ttitle\tdescription\tavailability\tprice\tsale_price\tsale_price_effective_date\tbrand\tproduct_type\tcolor\tmaterial\tfits\n\
sofa-1\t云杉 三人布艺沙发 L200\t客厅用，可拆洗\tin_stock\t3999 CNY\t2999 CNY\t2026-11-20T00:00+0800/2026-11-30T23:59+0800\t云杉\t沙发 > 布艺沙发\t灰/米白\t棉麻\t\n\
sofa-2\t云杉 双人布艺沙发\t小户型\tin_stock\t2599 CNY\t\t\t云杉\t沙发 > 布艺沙发\t灰\t棉麻\t\n\
sofa-3\t北岸 真皮沙发 N9\t头层牛皮\tin_stock\t8999 CNY\t\t\t北岸\t沙发 > 真皮沙发\t棕\t牛皮\t\n\
sofa-4\t北岸 布艺沙发\t\tout_of_stock\t1999 CNY\t\t\t北岸\t沙发 > 布艺沙发\t蓝\t涤纶\t\n\
table-1\t北岸 橡木茶几\t实木，边角圆润\tin_stock\t1299 CNY\t\t\t北岸\t桌子 > 茶几\t原木色\t橡木\t\n\
cover-1\t沙发套 三人位\t\tin_stock\t199 CNY\t\t\t云杉\t配件\t灰\t棉麻\tL200、布艺沙发\n\
cover-2\t皮革护理套装\t\tin_stock\t99 CNY\t\t\t北岸\t配件\t\t\t北岸 真皮沙发 N9\n";

const FURNITURE_EN: &str = "id\ttitle\tdescription\tbrand\tproduct_type\tcolor\tmaterial\n\
sofa-1\tSpruce three-seat fabric sofa L200\tFor the living room, washable covers\tSpruce\tSofas > Fabric sofas\tGrey/Off-white\tCotton linen\n\
sofa-2\tSpruce two-seat fabric sofa\tFor small flats\tSpruce\tSofas > Fabric sofas\tGrey\tCotton linen\n\
sofa-3\tNordbank leather sofa N9\tFull-grain leather\tNordbank\tSofas > Leather sofas\tBrown\tLeather\n\
table-1\tNordbank oak coffee table\tSolid wood, rounded edges\tNordbank\tTables > Coffee tables\tNatural\tOak\n\
cover-1\tSofa cover, three seats\t\tSpruce\tAccessories\tGrey\tCotton linen\n";

const PLANS: &str = r#"{"id": "p-s", "title": "Start 5 GB", "price": "9.99 EUR", "availability": "in_stock", "product_type": "Mobile plans > SIM only", "attributes": {"data": "5 GB", "term": "monthly", "network": "5G"}}
{"id": "p-m", "title": "Flat 20 GB", "price": "19.99 EUR", "availability": "in_stock", "product_type": "Mobile plans > SIM only", "attributes": {"data": "20 GB", "term": "24 months", "network": "5G"}}
{"id": "p-x", "title": "Flat unlimited with phone", "price": "39.99 EUR", "availability": "in_stock", "product_type": "Mobile plans > With phone", "attributes": {"data": "unlimited", "term": "24 months", "network": "5G"}}
"#;

/// 2026-11-24, inside the sale.
const NOW_MS: i64 = 1_795_500_000_000;

fn furniture() -> Catalogue {
    let mut feed = feed::read("products.tsv", FURNITURE.as_bytes(), Language::Zh);
    feed::supplement(
        &mut feed,
        "products.en.tsv",
        FURNITURE_EN.as_bytes(),
        Language::En,
    );
    assert_eq!(feed.problems, []);
    let aliases = [
        ("长沙发", "沙发"),
        ("couch", "Sofas"),
        ("spruce & co", "spruce"),
        ("灰灰的", "灰"),
        ("nothing", "nowhere"),
    ]
    .map(|(surface, name)| (surface.to_owned(), name.to_owned()));
    Catalogue::build_with(feed.products, &aliases)
}

fn plans() -> Catalogue {
    let feed = feed::read("plans.jsonl", PLANS.as_bytes(), Language::En);
    assert_eq!(feed.problems, []);
    Catalogue::build(feed.products)
}

fn yuan(amount: i64) -> Option<Money> {
    Some(Money::from_major(amount, Currency::CNY))
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, key): &(&str, &str)| ((*name).to_owned(), (*key).to_owned());
    pairs.iter().map(owned).collect()
}

fn all() -> Query {
    Query {
        limit: 10,
        now_ms: NOW_MS,
        ..Query::default()
    }
}

fn check(catalogue: &Catalogue, query: Query, expected: &[&str]) {
    let hits = catalogue.search(&query);
    let ids: Vec<&str> = hits.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, expected, "{query:?}");
}

#[test]
fn words_find_products_in_either_language() {
    let catalogue = furniture();
    for (words, first) in [
        ("有没有橡木的茶几？", "table-1"),
        ("oak tables", "table-1"),
        ("小户型放什么沙发好", "sofa-2"),
        ("something for small flats", "sofa-2"),
        ("真皮", "sofa-3"),
        ("L200", "sofa-1"),
        ("sofa-4", "sofa-4"),
    ] {
        let query = Query {
            words: words.to_owned(),
            limit: 1,
            ..all()
        };
        check(&catalogue, query, &[first]);
    }
    let nothing = Query {
        words: "自行车 bicycle".to_owned(),
        ..all()
    };
    check(&catalogue, nothing, &[]);
}

#[test]
fn constraints_are_kept_and_types_take_in_what_lies_below_them() {
    let catalogue = furniture();
    let sofas = Query {
        types: texts(&["沙发"]),
        ..all()
    };
    check(
        &catalogue,
        sofas.clone(),
        &["sofa-1", "sofa-2", "sofa-3", "sofa-4"],
    );
    check(
        &catalogue,
        Query {
            in_stock: true,
            price_max: yuan(3000),
            ..sofas.clone()
        },
        &["sofa-1", "sofa-2"],
    );
    check(
        &catalogue,
        Query {
            in_stock: true,
            price_max: yuan(3000),
            now_ms: 0,
            ..sofas.clone()
        },
        &["sofa-2"],
    );
    check(
        &catalogue,
        Query {
            price_min: yuan(3000),
            ..sofas.clone()
        },
        &["sofa-3"],
    );
    check(
        &catalogue,
        Query {
            not_types: texts(&["沙发/布艺沙发"]),
            ..sofas.clone()
        },
        &["sofa-3"],
    );
    check(
        &catalogue,
        Query {
            not_brands: texts(&["云杉"]),
            not_ids: texts(&["sofa-4"]),
            ..sofas.clone()
        },
        &["sofa-3"],
    );
    check(
        &catalogue,
        Query {
            attributes: pairs(&[("color", "灰"), ("color", "蓝")]),
            ..sofas.clone()
        },
        &["sofa-1", "sofa-2", "sofa-4"],
    );
    check(
        &catalogue,
        Query {
            attributes: pairs(&[("color", "灰"), ("material", "涤纶")]),
            ..sofas.clone()
        },
        &[],
    );
    check(
        &catalogue,
        Query {
            not_attributes: pairs(&[("color", "米白")]),
            brands: texts(&["Spruce"]),
            ..sofas.clone()
        },
        &["sofa-2"],
    );
    check(
        &catalogue,
        Query {
            types: texts(&["沙"]),
            ..all()
        },
        &[],
    );
    let dollars = Money::from_major(1_000_000, Currency::USD);
    check(
        &catalogue,
        Query {
            price_max: Some(dollars),
            ..all()
        },
        &[],
    );
}

#[test]
fn words_put_in_order_what_the_constraints_leave() {
    let catalogue = furniture();
    let query = Query {
        words: "头层牛皮的".to_owned(),
        types: texts(&["沙发"]),
        in_stock: true,
        ..all()
    };
    check(&catalogue, query.clone(), &["sofa-3", "sofa-1", "sofa-2"]);
    check(
        &catalogue,
        Query {
            order: Order::PriceUp,
            ..query.clone()
        },
        &["sofa-2", "sofa-1", "sofa-3"],
    );
    check(
        &catalogue,
        Query {
            order: Order::PriceDown,
            limit: 1,
            ..query.clone()
        },
        &["sofa-3"],
    );
    check(&catalogue, Query { limit: 0, ..query }, &[]);
    let cheapest = Query {
        words: "便宜的布艺沙发".to_owned(),
        order: Order::PriceUp,
        limit: 1,
        ..all()
    };
    check(&catalogue, cheapest, &["sofa-4"]);
}

#[test]
fn a_shape_tells_counts_and_ends() {
    let catalogue = furniture();
    let shape = catalogue.shape(&Query {
        types: texts(&["沙发"]),
        in_stock: true,
        ..all()
    });
    assert_eq!(shape.count, 3);
    let end = |end: Option<(String, Money)>| end.map(|(id, money)| format!("{id} {money}"));
    assert_eq!(end(shape.min).as_deref(), Some("sofa-2 ¥2,599"));
    assert_eq!(end(shape.max).as_deref(), Some("sofa-3 ¥8,999"));
    assert_eq!(shape.by_type[0], ("沙发".to_owned(), 3));
    assert_eq!(
        shape.by_brand,
        [("云杉".to_owned(), 2), ("北岸".to_owned(), 1)]
    );
    assert!(
        shape
            .by_attribute
            .contains(&("color".to_owned(), "灰".to_owned(), 2))
    );
    assert_eq!(
        catalogue
            .shape(&Query {
                types: texts(&["床"]),
                ..all()
            })
            .min,
        None
    );
}

#[test]
fn what_belongs_together_is_found() {
    let catalogue = furniture();
    assert_eq!(catalogue.accessories_of("sofa-1"), ["cover-1"]);
    assert_eq!(catalogue.accessories_of("sofa-2"), ["cover-1"]);
    assert_eq!(catalogue.accessories_of("sofa-3"), ["cover-2"]);
    assert_eq!(catalogue.accessories_of("table-1"), Vec::<String>::new());
    assert_eq!(catalogue.similar("sofa-1", 5), ["sofa-2", "sofa-4"]);
    assert_eq!(catalogue.similar("sofa-3", 5), Vec::<String>::new());
    assert_eq!(catalogue.similar("nothing", 5), Vec::<String>::new());
}

#[test]
fn keys_have_names_in_both_languages() {
    let catalogue = furniture();
    assert_eq!(catalogue.top_types(), ["沙发", "桌子", "配件"]);
    assert_eq!(
        catalogue.type_name("沙发/布艺沙发", Language::En),
        Some("Fabric sofas")
    );
    assert_eq!(catalogue.type_name("床", Language::En), None);
    assert_eq!(
        catalogue.value_name("color", "米白", Language::En),
        Some("Off-white")
    );
    assert_eq!(
        catalogue.value_name("color", "蓝", Language::En),
        Some("蓝")
    );
    assert_eq!(catalogue.brands(), ["云杉", "北岸"]);
    assert_eq!(
        catalogue.get("sofa-3").unwrap().title.get(Language::En),
        "Nordbank leather sofa N9"
    );
    assert_eq!(catalogue.types(Language::En)[0].1, "Tables");
}

fn check_terms(catalogue: &Catalogue, message: &str, expected: &[&str]) {
    let found = catalogue.vocabulary().find(&text::fold(message));
    let read: Vec<String> = found
        .into_iter()
        .map(|found| match found.kind {
            TermKind::ProductType => format!("type {}", found.key),
            TermKind::Brand => format!("brand {}", found.key),
            TermKind::Attribute { name } => format!("{name} {}", found.key),
            TermKind::Product => format!("product {}", found.key),
        })
        .collect();
    assert_eq!(read, expected, "{message}");
}

#[test]
fn a_catalogue_teaches_its_words() {
    let catalogue = furniture();
    check_terms(
        &catalogue,
        "想要灰色布艺沙发，云杉的",
        &["color 灰", "type 沙发/布艺沙发", "brand 云杉"],
    );
    check_terms(
        &catalogue,
        "a grey fabric sofa by Spruce",
        &["color 灰", "type 沙发/布艺沙发", "brand 云杉"],
    );
    check_terms(
        &catalogue,
        "sofa or coffee table?",
        &["type 沙发", "type 桌子/茶几"],
    );
    check_terms(
        &catalogue,
        "l-200 和 N9 哪个好",
        &["product sofa-1", "product sofa-3"],
    );
    check_terms(&catalogue, "SOFA-4 有货吗", &["product sofa-4"]);
    check_terms(
        &catalogue,
        "an accessory for my couch",
        &["type 配件", "type 沙发"],
    );
    check_terms(&catalogue, "长沙发要灰灰的", &["type 沙发", "color 灰"]);
    check_terms(&catalogue, "真皮沙发 n9", &["product sofa-3"]);
    assert_eq!(
        catalogue.unknown_aliases(),
        pairs(&[("nothing", "nowhere")])
    );
    let near = catalogue.vocabulary().near("lether");
    assert_eq!(near.map(|(_, key)| key).as_deref(), Some("牛皮"));
}

#[test]
fn another_trade_needs_no_other_code() {
    let catalogue = plans();
    check_terms(
        &catalogue,
        "a SIM only plan, 24 months",
        &["type mobile-plans/sim-only", "term 24 months"],
    );
    let query = Query {
        words: "unlimited data".to_owned(),
        types: texts(&["mobile-plans"]),
        price_max: Some(Money::parse("30.00 EUR").unwrap()),
        ..all()
    };
    let ids: Vec<String> = catalogue
        .search(&query)
        .into_iter()
        .map(|hit| hit.id)
        .collect();
    assert!(!ids.contains(&"p-x".to_owned()), "dearer than allowed");
    let query = Query {
        words: "unlimited data with a new phone".to_owned(),
        limit: 1,
        ..all()
    };
    check(&catalogue, query, &["p-x"]);
}

#[test]
fn an_empty_catalogue_answers_nothing() {
    let catalogue = Catalogue::build(Vec::new());
    check(
        &catalogue,
        Query {
            words: "沙发".to_owned(),
            ..all()
        },
        &[],
    );
    assert_eq!(catalogue.shape(&all()).count, 0);
    assert!(catalogue.vocabulary().terms().is_empty());
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
                order: [Order::Relevance, Order::PriceUp, Order::PriceDown][order],
                limit,
                now_ms,
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
