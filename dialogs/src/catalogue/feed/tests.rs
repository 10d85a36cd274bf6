//! Feeds as shops write them, whole and broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]

use super::{Feed, read, supplement};
use crate::Language;
use crate::catalogue::Availability;
use proptest::prelude::{any, prop, proptest};

const SOFAS: &str = "id\ttitle\tdescription\tlink\tavailability\tprice\tsale_price\tsale_price_effective_date\tbrand\tproduct_type\tcolor\tSeat Count\tproduct_detail\n\
s-1\t云杉 三人布艺沙发\t可拆洗。\thttps://shop.example/s-1\tin_stock\t3999.00 CNY\t3599.00 CNY\t2026-11-20T00:00+0800/2026-11-30T23:59+0800\t云杉\t客厅 > 沙发\t灰/米白\t3\t尺寸:宽度:210 厘米,尺寸:深度:95 厘米\n\
s-2\t胡桃木 茶几\t\t\tpreorder\t1299 CNY\t\t\t云杉\t客厅 > 茶几\t\t\t\n";

const SOFAS_EN: &str = "id,title,brand,product_type,color,product_detail\n\
s-1,Spruce three-seat sofa,Spruce,Living room > Sofas,Grey/Off-white,\"Size:Width:210 cm,Size:Depth:95 cm\"\n\
s-9,Nothing,,,,\n\
s-2,Walnut coffee table,Spruce,Living room,,\n";

fn problems(feed: &Feed) -> Vec<String> {
    feed.problems.iter().map(ToString::to_string).collect()
}

/// One broken thing each: the feed's file and text, the ids that stay, what is said of the rest.
fn check(file: &str, text: &str, ids: &[&str], said: &[&str]) {
    let feed = read(file, text.as_bytes(), Language::Zh);
    let read: Vec<&str> = feed.products.iter().map(|p| p.id.as_str()).collect();
    let problems = problems(&feed);
    assert_eq!(read, ids, "{text}: {problems:?}");
    assert_eq!(problems.len(), said.len(), "{text}: {problems:#?}");
    for (problem, said) in problems.iter().zip(said) {
        assert!(
            problem.starts_with(said),
            "{problem:?} does not begin {said:?}"
        );
    }
}

#[test]
fn a_feed_is_read_in_one_language_and_supplemented_in_another() {
    let mut feed = read("products.tsv", SOFAS.as_bytes(), Language::Zh);
    assert_eq!(problems(&feed), Vec::<String>::new());
    supplement(
        &mut feed,
        "products.en.csv",
        SOFAS_EN.as_bytes(),
        Language::En,
    );
    assert_eq!(
        problems(&feed),
        [
            "products.en.csv:3:1: no product has the id `s-9`; use an id of the main feed",
            "products.en.csv:4:4: product_type has 1 levels, the main feed has 2; name the same levels in the same order",
        ]
    );
    let sofa = &feed.products[0];
    assert_eq!(sofa.title.get(Language::En), "Spruce three-seat sofa");
    assert_eq!(sofa.type_keys, ["客厅", "客厅/沙发"]);
    assert_eq!(sofa.product_type[1].get(Language::En), "Sofas");
    assert_eq!(sofa.brand.as_deref(), Some("云杉"));
    assert_eq!(sofa.brand_names.get(Language::En), "Spruce");
    assert_eq!(sofa.description.get(Language::En), "可拆洗。");
    assert_eq!(sofa.attributes["color"].get(Language::En), "Grey/Off-white");
    assert_eq!(sofa.attributes["宽度"].get(Language::En), "210 cm");
    assert_eq!(sofa.attributes["深度"].get(Language::Zh), "95 厘米");
    assert_eq!(sofa.attributes["seat_count"].get(Language::Zh), "3");
    assert_eq!(sofa.link.as_deref(), Some("https://shop.example/s-1"));
    assert_eq!((sofa.line, sofa.availability), (2, Availability::InStock));
    assert_eq!(feed.products[1].availability, Availability::Preorder);
}

#[test]
fn a_sale_price_holds_only_inside_its_dates() {
    let feed = read("products.tsv", SOFAS.as_bytes(), Language::Zh);
    let sofa = &feed.products[0];
    let from = 1_795_104_000_000;
    assert_eq!(sofa.sale_from_ms, Some(from));
    for (now, amount) in [
        (from - 1, "3999.00"),
        (from, "3599.00"),
        (sofa.sale_until_ms.unwrap() - 1, "3599.00"),
        (sofa.sale_until_ms.unwrap(), "3999.00"),
    ] {
        assert_eq!(sofa.price_at(now).amount(), amount, "{now}");
    }
}

#[test]
fn a_revision_names_the_content_and_nothing_else() {
    let feed = read("products.tsv", SOFAS.as_bytes(), Language::Zh);
    let sofa = &feed.products[0];
    let revision = sofa.revision();
    assert_eq!(revision.len(), 12);
    let mut moved = sofa.clone();
    moved.line = 99;
    assert_eq!(moved.revision(), revision);
    let mut dearer = sofa.clone();
    dearer.price.minor += 1;
    assert_ne!(dearer.revision(), revision);
}

#[test]
fn each_broken_row_names_its_line_and_field_and_the_rest_stays() {
    let head = "id,title,price,availability,sale_price,sale_price_effective_date,link\n";
    let good = "b,B,1 CNY,in stock,,,\n";
    for (row, line, said) in [
        (
            ",A,1 CNY,in_stock,,,",
            2,
            ":1: id is missing; the row is left out",
        ),
        ("a,,1 CNY,in_stock,,,", 2, ":2: title is missing"),
        ("a,A,,in_stock,,,", 2, ":3: price is missing"),
        (
            "a,A,1299,in_stock,,,",
            2,
            ":3: price: a price is written `1299.00 CNY`, not `1299`",
        ),
        (
            "a,A,-1 CNY,in_stock,,,",
            2,
            ":3: price: `-1 CNY` is below zero",
        ),
        (
            "a,A,1 CNY,perhaps,,,",
            2,
            ":4: availability: `perhaps` is unknown",
        ),
        (
            "b b,A,1 CNY,in_stock,,,",
            2,
            ":1: id `b b` has a space in it",
        ),
        (
            "a,A,1 USD,in_stock,,,\nc,C,1 CNY,in_stock,,,",
            2,
            ":1: price: `a` is priced in USD, the feed in CNY",
        ),
        (
            "a,\"A,1 CNY,in_stock,,,",
            2,
            ":1: a quote is opened and not closed",
        ),
        (
            "a,A,1 CNY,in_stock,,,,more",
            2,
            ":8: the row has 8 fields, the header has 7",
        ),
    ] {
        let text = format!("{head}{row}\n{good}");
        let feed = read("p.csv", text.as_bytes(), Language::En);
        let problems = problems(&feed);
        assert!(feed.products.iter().any(|p| p.id == "b"), "{row}");
        assert!(!feed.products.iter().any(|p| p.id == "a"), "{row}");
        assert_eq!(problems.len(), 1, "{row}: {problems:?}");
        assert!(
            problems[0].starts_with(&format!("p.csv:{line}{said}")),
            "{}",
            problems[0]
        );
    }
}

#[test]
fn what_can_be_left_out_does_not_cost_the_row() {
    let head = "id,title,price,availability,sale_price,sale_price_effective_date,link\n";
    for (row, said) in [
        (
            "a,A,5 CNY,,,,",
            "p.csv:2:4: availability is missing; the product is taken as in_stock",
        ),
        (
            "a,A,5 CNY,in_stock,6 CNY,,",
            "p.csv:2:5: sale_price: `6 CNY` is not below the price; the sale price is left out",
        ),
        (
            "a,A,5 CNY,in_stock,4 USD,,",
            "p.csv:2:5: sale_price: `4 USD`",
        ),
        (
            "a,A,5 CNY,in_stock,4 CNY,soon,",
            "p.csv:2:6: sale_price_effective_date: `soon` is no interval",
        ),
        (
            "a,A,5 CNY,in_stock,,,javascript:alert(1)",
            "p.csv:2:7: link is no web address",
        ),
        (
            "a,A\u{7},5 CNY,in_stock,,,",
            "p.csv:2:2: title holds control or broken characters",
        ),
    ] {
        let feed = read("p.csv", format!("{head}{row}\n").as_bytes(), Language::En);
        let product = &feed.products[0];
        assert_eq!(
            (
                product.price_at(0).amount().as_str(),
                product.title.get(Language::En)
            ),
            ("5.00", "A")
        );
        assert_eq!(product.link, None);
        let problems = problems(&feed);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(said), "{}", problems[0]);
    }
}

#[test]
fn an_image_is_a_web_address_or_a_file_of_the_shop() {
    for (image, taken) in [
        ("https://shop.example/a.webp", true),
        ("images/a.svg", true),
        ("/etc/passwd", false),
        ("../a.svg", false),
        ("images/../../a.svg", false),
        ("data:image/png;base64", false),
        ("//other.example/a.svg", false),
    ] {
        let text = format!("id,title,price,availability,image_link\na,A,1 CNY,in_stock,{image}\n");
        let feed = read("p.csv", text.as_bytes(), Language::En);
        assert_eq!(feed.products[0].image_link.is_some(), taken, "{image}");
        assert_eq!(feed.problems.is_empty(), taken, "{image}");
    }
}

#[test]
fn whole_files_are_refused_with_what_would_be_right() {
    check(
        "p.csv",
        "",
        &[],
        &["p.csv: the feed is empty; the first line names the columns"],
    );
    check(
        "p.csv",
        "%PDF-1.7",
        &[],
        &["p.csv: the file is a PDF; export the products"],
    );
    check(
        "p.tsv",
        "a1,Chair,5 CNY\n",
        &[],
        &["p.tsv:1:1: the first line names no column of a product feed"],
    );
    check(
        "p.csv",
        "id,tittle,price\n1,a,1 CNY\n",
        &[],
        &["p.csv:1:1: the column `title` is missing; rename `tittle` to `title`"],
    );
    check(
        "p.csv",
        "id,title,price,availability,title\na,A,1 CNY,in_stock,Z\na,B,2 CNY,in_stock,\n",
        &["a"],
        &[
            "p.csv:1:5: the column `title` stands here a second time",
            "p.csv:3:1: id `a` stands in line 2 already",
        ],
    );
    let long = format!(
        "id,title,price,availability\na,{},1 CNY,in_stock\n",
        "长".repeat(151)
    );
    check(
        "p.csv",
        &long,
        &[],
        &["p.csv:2:2: title has 151 characters; the row is left out; at most 150"],
    );
}

/// A whole file each: the ids that stay, the rows refused, and what is said first of the rest.
#[test]
fn ill_formed_feeds_are_told_what_would_be_right_and_keep_what_is_whole() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>\n<rss><channel><item><id>a</id><title>Tea &c; pot</title><price>5 EUR</price><availability>in_stock</availability></item></channel></rss>";
    let item = |id: &str, price: &str| {
        format!(
            "<item><g:id>{id}</g:id><title>T</title><g:price>{price}</g:price><g:availability>in stock</g:availability></item>\n"
        )
    };
    let cut = format!(
        "<rss xmlns:g=\"x\"><channel>\n{}<item><g:id>b</g:id><title>Half",
        item("a", "5 EUR")
    );
    let crossed = format!(
        "<rss xmlns:g=\"x\"><channel>\n<item><g:id>b</title></item>\n{}</channel></rss>",
        item("a", "5 EUR")
    );
    let priced = format!(
        "<rss xmlns:g=\"x\"><channel>\n{}{}</channel></rss>",
        item("a", "5 EUR"),
        item("b", "1.299,00 EUR")
    );
    let head = "id,title,price,availability\n";
    let run_on =
        format!("{head}b,\"B,1 EUR,in_stock\na,A,1 EUR,in_stock\nc,\"C\",1 EUR,in_stock\n");
    let few = format!("{head}b,B\na,A,1 EUR,in_stock\n");
    let semicolons = "id;title;price;availability\na;A;1.299,00;in_stock\n".to_owned();
    let binary = "\u{0}\u{1}\u{2}binary\u{0}".to_owned();
    for (text, ids, refused, said) in [
        (bomb.to_owned(), vec!["a"], 0, None),
        (
            cut,
            vec!["a"],
            1,
            Some("p.csv:3:1: the file ends inside this item"),
        ),
        (crossed, vec!["a"], 1, Some("p.csv:2:1: no XML")),
        (priced, vec!["a"], 1, Some("p.csv:3:1: price: `1.299,00`")),
        (
            run_on,
            vec!["a", "c"],
            1,
            Some("p.csv:2:1: a quote is opened and not closed"),
        ),
        (few, vec!["a"], 1, Some("p.csv:2:3: price is missing")),
        (
            semicolons,
            vec![],
            1,
            Some("p.csv:2:3: price: a price is written"),
        ),
        (binary, vec![], 0, Some("p.csv: the file is no text")),
        (
            "<!DOCTYPE html><html></html>".to_owned(),
            vec![],
            0,
            Some("p.csv: the file is a web page"),
        ),
        (
            "<rss></rss>".to_owned(),
            vec![],
            0,
            Some("p.csv: the file holds no item"),
        ),
        (
            "[{\"id\": 1}]".to_owned(),
            vec![],
            0,
            Some("p.csv: the file is one JSON list"),
        ),
        (
            "PK\u{3}\u{4}".to_owned(),
            vec![],
            0,
            Some("p.csv: the file is a packed file or a workbook"),
        ),
    ] {
        let feed = read("p.csv", text.as_bytes(), Language::En);
        let stays: Vec<&str> = feed.products.iter().map(|p| p.id.as_str()).collect();
        let told = problems(&feed);
        assert_eq!((stays, feed.refused), (ids, refused), "{text}: {told:?}");
        match said {
            Some(said) => assert!(told[0].starts_with(said), "{told:?}"),
            None => assert_eq!(told, Vec::<String>::new()),
        }
    }
    let inert = read("p.xml", bomb.as_bytes(), Language::En);
    assert_eq!(inert.products[0].title.get(Language::En), "Tea &c; pot");
}

#[test]
fn shopify_s_rows_become_variants_with_their_own_prices_and_stock() {
    let text = "Handle,Title,Body (HTML),Vendor,Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Status,Cost per item\n\
tee,Plain Tee,<p>Soft.</p><ul><li>One</li><li>Two</li></ul>,Lumen,T-Shirts,true,Colour,Red,TEE-R,shopify,0,deny,19.00,25.00,active,3.00\n\
tee,,,,,,,Blue,TEE-R,shopify,0,continue,19.00,,,\n\
tee,,,,,,,,,,,,,,,\n\
mug,Mug,,Lumen,Mugs,true,Title,Default Title,,,,,9.00,,active,\n\
old,Old,,Lumen,Mugs,true,Title,Default Title,OLD,,,,9.00,,archived,\n";
    let options = super::Options {
        currency: Some(crate::money::Currency::USD),
        ..super::Options::default()
    };
    let feed = super::read_with("x.csv", text.as_bytes(), &options, &mut |_| {});
    assert_eq!(problems(&feed), Vec::<String>::new());
    assert_eq!(
        (feed.rows, feed.not_for_sale, feed.without_product),
        (5, 1, 1)
    );
    let told: Vec<(&str, &str, &str, Availability)> = feed
        .products
        .iter()
        .map(|p| {
            (
                p.id.as_str(),
                p.title.get(Language::En),
                p.attributes
                    .get("color")
                    .map_or("", |c| c.get(Language::En)),
                p.availability,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("TEE-R", "Plain Tee – Red", "Red", Availability::OutOfStock),
            (
                "tee-blue",
                "Plain Tee – Blue",
                "Blue",
                Availability::InStock
            ),
            ("mug", "Mug", "", Availability::InStock),
        ]
    );
    let tee = &feed.products[0];
    assert_eq!(
        (tee.price.amount(), tee.price_at(0).amount()),
        ("25.00".to_owned(), "19.00".to_owned())
    );
    assert_eq!(tee.description.get(Language::En), "Soft.\nOne\nTwo");
    assert_eq!(tee.item_group_id.as_deref(), Some("tee"));
    assert!(
        !feed
            .products
            .iter()
            .any(|p| super::line(p, Language::En).contains("3.00")),
        "what it cost is nobody's business"
    );
}

#[test]
fn the_catalogue_s_own_form_reads_back_to_the_same_products() {
    let feed = read("products.tsv", SOFAS.as_bytes(), Language::Zh);
    let mut own = String::new();
    for product in &feed.products {
        own.push_str(&super::line(product, Language::Zh));
        own.push('\n');
    }
    assert_eq!(
        super::lines(own.as_bytes()).map(|lines| lines.len()),
        Some(2)
    );
    assert_eq!(super::lines(SOFAS.as_bytes()), None);
    assert_eq!(
        super::lines(own.replace("\":", "\": ").as_bytes()),
        None,
        "written by hand"
    );
    let again = read("products.jsonl", own.as_bytes(), Language::Zh);
    assert_eq!(problems(&again), Vec::<String>::new());
    let revisions = |feed: &Feed| {
        feed.products
            .iter()
            .map(|p| p.revision())
            .collect::<Vec<_>>()
    };
    assert_eq!(revisions(&again), revisions(&feed));
}

#[test]
fn bytes_that_are_no_text_cost_one_row() {
    let bytes = b"\xef\xbb\xbfID\tTitle\tPrice\tAvailability\r\na\t\xff\t1 CNY\tin_stock\r\nb\t\"B \"\"two\"\"\r\nlines\"\t1 CNY\tin_stock\r\n";
    let feed = read("p.tsv", bytes, Language::En);
    assert_eq!(
        problems(&feed),
        [
            "p.tsv:2:2: the field is not UTF-8; the row is left out; save the file as UTF-8 or GB18030"
        ]
    );
    assert_eq!(feed.products[0].title.get(Language::En), "B \"two\"\nlines");
    let utf16 = read("p.tsv", b"\xff\xfei\0d\0", Language::En);
    assert_eq!(
        (utf16.encoding, problems(&utf16).len()),
        ("UTF-16LE", 2),
        "the header is read and lacks two columns"
    );
}

#[test]
fn json_lines_carry_the_same_names_and_attributes() {
    let text = r#"{"id": "plan-1", "title": "Flat 20", "price": {"amount": "20.00", "currency": "EUR"}, "availability": "in_stock", "product_type": ["Plans", "Monthly"], "product_detail": [{"attribute_name": "Data", "attribute_value": "20 GB"}], "attributes": {"Term": "24 months", "5G": true}}
{"id": "plan-2"

{"id": "plan-3", "title": "Pay as you go", "price": ["x"], "availability": "in_stock"}
"#;
    let feed = read("plans.jsonl", text.as_bytes(), Language::En);
    let plan = &feed.products[0];
    assert_eq!(plan.type_keys, ["plans", "plans/monthly"]);
    let attributes: Vec<(&str, &str)> = plan
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.get(Language::En)))
        .collect();
    assert_eq!(
        attributes,
        [("5g", "true"), ("data", "20 GB"), ("term", "24 months")]
    );
    let problems = problems(&feed);
    assert!(problems[0].starts_with("plans.jsonl:2:"), "{problems:?}");
    assert!(
        problems[1].starts_with("plans.jsonl:4:44: price: a price is written"),
        "{problems:?}"
    );
    assert_eq!((feed.products.len(), problems.len()), (1, 2));
}

#[test]
fn problems_are_named_up_to_a_limit_and_counted_beyond() {
    let rows = "a\n".repeat(super::PROBLEMS_MAX);
    let feed = read(
        "p.csv",
        format!("id,title,price\n{rows}").as_bytes(),
        Language::En,
    );
    assert_eq!(feed.problems.len(), super::PROBLEMS_MAX + 1);
    assert!(
        feed.problems
            .last()
            .unwrap()
            .message
            .ends_with("more problems")
    );
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), ending in "(tsv|csv|jsonl|x)") {
        let mut feed = read(&format!("p.{ending}"), &bytes, Language::Zh);
        supplement(&mut feed, &format!("p.en.{ending}"), &bytes, Language::En);
    }

    #[test]
    fn rows_of_any_text_never_panic(cells in prop::collection::vec("[\"a-z中，,\t>:/ 0-9.A-Z\n\u{0}-\u{20}-]{0,20}", 0..60)) {
        let head = "id,title,price,availability,sale_price,sale_price_effective_date,product_type,product_detail,link,x\n";
        let text = format!("{head}{}", cells.join(","));
        let first = read("p.csv", text.as_bytes(), Language::Zh);
        assert_eq!(first, read("p.csv", text.as_bytes(), Language::Zh));
    }
}
