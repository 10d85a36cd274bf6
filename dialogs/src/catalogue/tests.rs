//! Searching shops of three trades in two languages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::{Catalogue, Order, Query, feed};
use crate::Language;
use crate::money::{Currency, Money};
use crate::text;
use crate::vocabulary::TermKind;

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

const PLANS: &str = r#"{"id": "p-s", "title": "Start 5 GB", "price": "9.99 EUR", "availability": "in_stock", "product_type": "Mobile plans > SIM-only", "attributes": {"data": "5 GB", "term": "monthly", "network": "5G"}}
{"id": "p-m", "title": "Flat 20 GB", "price": "19.99 EUR", "availability": "in_stock", "product_type": "Mobile plans > SIM-only", "attributes": {"data": "20 GB", "term": "24 months", "network": "5G"}}
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
fn other_things_most_alike_are_similar_before_variants_of_the_same() {
    let rows = [
        ("d-1", "Cordless drill 18V", "90.00 EUR", "g-1"),
        ("d-2", "Cordless drill 18V, red", "90.00 EUR", "g-1"),
        ("d-3", "Cordless drill 20V", "99.00 EUR", "g-3"),
        ("d-4", "Pillar drill for workbenches", "90.00 EUR", "g-4"),
    ];
    let mut lines = String::new();
    for (id, title, price, group) in rows {
        lines += &format!(
            r#"{{"id": "{id}", "title": "{title}", "price": "{price}", "item_group_id": "{group}", "product_type": "Drills"}}"#
        );
        lines.push('\n');
    }
    let feed = feed::read("drills.jsonl", lines.as_bytes(), Language::En);
    let catalogue = Catalogue::build(feed.products);
    assert_eq!(catalogue.similar("d-1", 5), ["d-3", "d-4", "d-2"]);
    assert_eq!(catalogue.similar("d-1", 1), ["d-3"]);
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
        Some("blue")
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
            TermKind::Product | TermKind::Model => format!("product {}", found.key),
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
    check_terms(&catalogue, "灰的就行，别沾灰", &["color 灰"]);
    check_terms(
        &catalogue,
        "off white, cotton linen",
        &["color 米白", "material 棉麻"],
    );
    check_terms(&catalogue, "真皮沙发 n9", &["product sofa-3"]);
    assert_eq!(
        catalogue.unknown_aliases(),
        pairs(&[("nothing", "nowhere")])
    );
    let near = catalogue.vocabulary().mistyped("lether");
    assert!(near.iter().map(|found| found.key.as_str()).eq(["牛皮"]));
}

#[test]
fn another_trade_needs_no_other_code() {
    let catalogue = plans();
    check_terms(
        &catalogue,
        "a SIM-only plan, 24 months",
        &["type mobile-plans/sim-only"],
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
fn figures_answers_and_other_products_are_no_vocabulary() {
    let text = "id,title,price,availability,brand,product_type,cups,milk,fits\n\
m-one,山岚 Uno 意式机,1 CNY,in_stock,Shanlan,意式机,20 杯,无,\n\
m-two,Shanlan Duo 意式机,2 CNY,in_stock,Shanlan,意式机,40 杯,自动,m-one\n";
    let feed = feed::read("p.csv", text.as_bytes(), Language::Zh);
    let catalogue = Catalogue::build(feed.products);
    check_terms(&catalogue, "20 杯，无的，m-one", &["product m-one"]);
    check_terms(
        &catalogue,
        "山岚 Uno 和 Duo 意式机",
        &["product m-one", "product m-two"],
    );
    check_terms(
        &catalogue,
        "山岚uno，自动的意式机",
        &["product m-one", "milk 自动", "type 意式机"],
    );
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

const TOOLS: &str = r#"{"id": "t-1", "title": "Norvik cordless drill KX-180 18 V", "price": "89.00 EUR", "availability": "in_stock", "brand": "Norvik", "product_type": "Drills", "description": "With two batteries"}
{"id": "t-2", "title": "Norvik cordless drill KX-120 12 V", "price": "59.00 EUR", "availability": "in_stock", "brand": "Norvik", "product_type": "Drills", "description": "With one battery"}
{"id": "t-3", "title": "Salmi hammer drill SB 700", "price": "149.00 EUR", "availability": "in_stock", "brand": "Salmi", "product_type": "Drills", "description": "For concrete"}
{"id": "t-4", "title": "Drill bit set, 18 pieces", "price": "19.00 EUR", "availability": "in_stock", "brand": "Salmi", "product_type": "Bits", "description": "For wood and metal"}
{"id": "t-5", "title": "不锈钢保温杯 500ml", "price": "20.00 EUR", "availability": "in_stock", "brand": "暖山", "product_type": "杯子"}
{"id": "t-6", "title": "不锈钢保温壶 1500ml", "price": "35.00 EUR", "availability": "in_stock", "brand": "暖山", "product_type": "杯子"}
{"id": "t-7", "title": "陶瓷杯", "price": "9.00 EUR", "availability": "in_stock", "brand": "白田", "product_type": "杯子"}
{"id": "t-8", "title": "陶瓷杯带盖礼盒装", "price": "19.00 EUR", "availability": "in_stock", "brand": "白田", "product_type": "杯子"}
{"id": "t-9", "title": "Workbench", "price": "199.00 EUR", "availability": "in_stock", "brand": "Tessa", "product_type": "Benches"}
"#;

#[test]
fn the_nearest_comes_first_however_it_is_asked() {
    let feed = feed::read("tools.jsonl", TOOLS.as_bytes(), Language::En);
    assert_eq!(feed.problems, []);
    let catalogue = Catalogue::build(feed.products);
    for (words, beside, price, first) in [
        ("kx180", "", None, "t-1"),
        ("KX 120 drill", "", None, "t-2"),
        ("cordless drill 12v", "", None, "t-2"),
        ("cordles dril kx-180", "", None, "t-1"),
        ("drill for concrete", "", None, "t-3"),
        ("drill", "salmi sb700", None, "t-3"),
        ("cordless drill", "", Some("60.00 EUR"), "t-2"),
        ("cordless drill", "", Some("95.00 EUR"), "t-1"),
        ("保温杯", "", None, "t-5"),
        ("保溫壺不鏽鋼", "", None, "t-6"),
        ("1500ml的保温", "", None, "t-6"),
        ("陶瓷杯", "", None, "t-7"),
        ("带盖的杯子送礼", "", None, "t-8"),
        ("", "tessa", None, "t-9"),
    ] {
        let query = Query {
            words: words.to_owned(),
            beside: beside.to_owned(),
            price_near: price.map(|price| Money::parse(price).unwrap()),
            limit: 1,
            ..all()
        };
        check(&catalogue, query.clone(), &[first]);
        let hits = catalogue.search(&query);
        assert!((0.0..=1.0).contains(&hits[0].score), "{hits:?}");
    }
}

#[test]
fn taste_never_lets_in_what_breaks_a_promise() {
    let feed = feed::read("tools.jsonl", TOOLS.as_bytes(), Language::En);
    let catalogue = Catalogue::build(feed.products);
    let query = Query {
        words: "Norvik cordless drill KX-180".to_owned(),
        beside: "norvik".to_owned(),
        price_near: Some(Money::parse("89.00 EUR").unwrap()),
        price_max: Some(Money::parse("60.00 EUR").unwrap()),
        limit: 1,
        ..all()
    };
    check(&catalogue, query.clone(), &["t-2"]);
    let another = Query {
        not_ids: texts(&["t-2"]),
        ..query
    };
    check(&catalogue, another, &["t-4"]);
}
