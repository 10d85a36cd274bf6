//! Shops of unlike trades made from nothing but their product feeds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tests::binary::run;

fn sample(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds");
    dir.join(name).to_str().unwrap().to_owned()
}

fn import(feed: &str, shop: &str, more: &[&str]) -> (i32, Value, String) {
    let mut args = vec!["import", "products", feed, "--shop", shop, "--json"];
    args.extend(more);
    let (code, output, error) = run(&args, b"");
    (
        code,
        serde_json::from_str(&output).unwrap_or_default(),
        error,
    )
}

/// What is said, and what the answer must and must not hold.
struct Said {
    text: &'static str,
    /// Ids of the cards, in any order; `None` where it does not matter.
    shows: Option<&'static [&'static str]>,
    says: &'static [&'static str],
    not_says: &'static [&'static str],
}

fn said(text: &'static str) -> Said {
    Said {
        text,
        shows: None,
        says: &[],
        not_says: &[],
    }
}

/// Imports into an empty folder, finds nothing wrong with it, and holds each conversation with it.
fn check(feed: &str, more: &[&str], (taken, refused): (u64, u64), conversations: &[&[Said]]) {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    let shop = shop.to_str().unwrap();
    let feed = sample(feed);
    let (code, report, error) = import(&feed, shop, more);
    assert_eq!(
        (code, report["taken"].as_u64(), report["refused"].as_u64()),
        (i32::from(refused > 0), Some(taken), Some(refused)),
        "{report} {error}"
    );
    for refusal in report["refusals"].as_array().unwrap() {
        assert!(
            refusal["line"].as_u64() > Some(0) && refusal["help"] != "",
            "{refusal}"
        );
    }
    let written = std::fs::read(Path::new(shop).join("products.jsonl")).unwrap();
    let (_, again, _) = import(&feed, shop, more);
    assert_eq!(
        (again["unchanged"].as_u64(), again["written"].as_bool()),
        (Some(taken), Some(false))
    );
    assert_eq!(
        std::fs::read(Path::new(shop).join("products.jsonl")).unwrap(),
        written
    );
    let (code, output, _) = run(&["check", "--shop", shop, "--json"], b"");
    assert_eq!(code, 0, "{output}");

    let mut input = String::new();
    for (number, turns) in conversations.iter().enumerate() {
        for turn in *turns {
            let line = json!({"conversation": format!("c{number}"), "text": turn.text, "at": "2026-11-24T10:00:00+08:00"});
            input.push_str(&format!("{line}\n"));
        }
    }
    let (_, output, _) = run(&["chat", "--json", "--shop", shop], input.as_bytes());
    let answers: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let turns: Vec<&Said> = conversations
        .iter()
        .flat_map(|turns| turns.iter())
        .collect();
    assert_eq!(answers.len(), turns.len());
    for (turn, answer) in turns.into_iter().zip(answers) {
        let parts = answer["reply"].as_array().unwrap();
        let mut ids: Vec<&str> = parts
            .iter()
            .filter_map(|part| part["products"].as_array())
            .flatten()
            .map(|card| card["id"].as_str().unwrap())
            .collect();
        ids.sort_unstable();
        let text: String = parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect();
        if let Some(shows) = turn.shows {
            assert_eq!(ids, shows, "{}: {answer}", turn.text);
        }
        for word in turn.says {
            assert!(text.contains(word), "{} lacks {word}: {text}", turn.text);
        }
        for word in turn.not_says {
            assert!(!text.contains(word), "{} has {word}: {text}", turn.text);
        }
    }
}

#[test]
fn an_english_furniture_feed_sells_in_both_languages() {
    check(
        "furniture.xml",
        &[],
        (32, 1),
        &[
            &[Said {
                shows: Some(&["SF-101", "SF-102"]),
                says: &["灰色", "布艺"],
                ..said("有没有灰色的布艺沙发，一千以内")
            }],
            &[
                Said {
                    shows: Some(&["SF-103"]),
                    ..said("a velvet sofa under $2000?")
                },
                Said {
                    says: &["$2,399"],
                    ..said("how much is the Bergen Leather Sofa")
                },
            ],
            &[
                Said {
                    says: &["沙发"],
                    ..said("双人沙发有吗")
                },
                Said {
                    says: &["价格", "材质"],
                    ..said("比较第一个和第二个")
                },
            ],
            &[Said {
                shows: Some(&["CT-302"]),
                says: &["$229"],
                ..said("最便宜的茶几")
            }],
            &[Said {
                shows: Some(&["BD-502"]),
                ..said("灰色的床")
            }],
            &[Said {
                shows: Some(&[]),
                ..said("do you sell washing machines?")
            }],
            &[Said {
                shows: Some(&[]),
                ..said("有冰箱卖吗")
            }],
            &[Said {
                says: &["out of stock"],
                ..said("is the Sleepy Sofa Bed in stock?")
            }],
        ],
    );
}

#[test]
fn an_atom_feed_of_bicycles_sells_in_both_languages() {
    check(
        "bicycles.xml",
        &[],
        (22, 1),
        &[
            &[Said {
                shows: Some(&["BK-03"]),
                ..said("do you have a folding bike")
            }],
            &[Said {
                shows: Some(&["EB-01"]),
                ..said("电动自行车，3000欧元以内")
            }],
            &[Said {
                shows: Some(&["BK-06"]),
                says: &["山地车"],
                ..said("有没有山地车")
            }],
            &[Said {
                says: &["€599"],
                ..said("how much is the Marlow City Bike 7-Speed, Sage Green?")
            }],
            &[Said {
                shows: Some(&["HE-01"]),
                ..said("a white helmet")
            }],
            &[Said {
                shows: Some(&[]),
                ..said("do you sell skis?")
            }],
        ],
    );
}

#[test]
fn a_chinese_feed_of_phone_plans_sells_in_both_languages() {
    check(
        "plans.tsv",
        &[],
        (24, 1),
        &[
            &[
                Said {
                    shows: Some(&["plan-01", "plan-02", "plan-03"]),
                    ..said("a phone plan under 100 yuan")
                },
                Said {
                    says: &["¥10", "Price: ¥29 / ¥39"],
                    ..said("compare the first and second")
                },
            ],
            &[Said {
                shows: Some(&["plan-12"]),
                says: &["¥5"],
                ..said("cheapest phone plan")
            }],
            &[Said {
                says: &["¥199"],
                ..said("不限量套餐多少钱")
            }],
            &[Said {
                says: &["无合约"],
                ..said("有没有无合约的套餐，50元以内")
            }],
            &[Said {
                shows: Some(&["bb-01", "bb-02", "bb-03"]),
                ..said("do you have broadband?")
            }],
            &[Said {
                shows: Some(&[]),
                ..said("你们卖手机吗")
            }],
        ],
    );
}

#[test]
fn shopify_s_export_of_clothing_sells_in_both_languages() {
    check(
        "clothing.csv",
        &["--currency", "EUR"],
        (29, 0),
        &[
            &[Said {
                shows: Some(&["WRAP-DRE-BLA-S"]),
                ..said("a black dress")
            }],
            &[Said {
                shows: Some(&["WOOL-SWE-CHA-L", "WOOL-SWE-CHA-M"]),
                says: &["灰色"],
                ..said("灰色的毛衣")
            }],
            &[Said {
                says: &["€49"],
                ..said("how much is the Linen Shirt")
            }],
            &[Said {
                says: &["€59"],
                ..said("cheapest sneakers")
            }],
            &[Said {
                shows: Some(&[]),
                ..said("有西装吗")
            }],
        ],
    );
}

#[test]
fn a_feed_without_any_type_sells_by_what_its_titles_name() {
    check(
        "pets.jsonl",
        &[],
        (25, 1),
        &[
            &[Said {
                shows: Some(&["PET-010", "PET-014"]),
                says: &["猫粮"],
                ..said("三文鱼味的猫粮")
            }],
            &[
                Said {
                    shows: Some(&["PET-001", "PET-005", "PET-006"]),
                    ..said("dog food under €20")
                },
                Said {
                    says: &["€6.50"],
                    ..said("compare the first two")
                },
            ],
            &[Said {
                shows: Some(&["PET-015"]),
                ..said("cheapest cat litter")
            }],
            &[Said {
                shows: Some(&[]),
                ..said("do you have fish tanks")
            }],
            &[Said {
                says: &["out of stock"],
                ..said("Indoor Turkey Cat Food 4 kg in stock?")
            }],
        ],
    );
}

#[test]
fn a_gb18030_table_of_tools_with_chinese_headers_sells_in_both_languages() {
    check(
        "tools.csv",
        &[],
        (26, 1),
        &[
            &[Said {
                shows: Some(&["GJ001", "GJ002"]),
                ..said("a cordless drill under 400 yuan")
            }],
            &[Said {
                shows: Some(&["GJ007"]),
                says: &["¥12"],
                ..said("最便宜的螺丝刀")
            }],
            &[Said {
                says: &["缺货"],
                ..said("800W冲击钻有货吗")
            }],
            &[
                Said {
                    shows: Some(&["GJ006", "GJ007", "GJ008"]),
                    ..said("screwdriver")
                },
                Said {
                    says: &["¥77", "Price: "],
                    ..said("compare the first two")
                },
            ],
            &[Said {
                shows: Some(&[]),
                not_says: &["割草机有"],
                ..said("有割草机吗")
            }],
        ],
    );
}

#[test]
fn an_import_tells_what_changed_and_never_loses_a_catalogue() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> String {
        let path: PathBuf = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shop = dir.path().join("shop");
    let shop = shop.to_str().unwrap();
    let head = "id,title,price,availability\n";
    let first = file(
        "1.csv",
        &format!("{head}a,A,1 EUR,in_stock\nb,B,2 EUR,in_stock\nc,C,3 EUR,in_stock\n"),
    );
    let second = file(
        "2.csv",
        &format!("{head}a,A,1 EUR,in_stock\nb,B,5 EUR,in_stock\nd,D,4 EUR,in_stock\n"),
    );
    let broken = file("3.csv", &format!("{head}a,A,cheap,in_stock\n"));
    let counts = |report: &Value| {
        ["new", "changed", "unchanged", "gone", "kept"].map(|name| report[name].as_u64().unwrap())
    };
    let (code, report, _) = import(&first, shop, &[]);
    assert_eq!((code, counts(&report)), (0, [3, 0, 0, 0, 0]));
    let (code, report, _) = import(&second, shop, &["--keep"]);
    assert_eq!((code, counts(&report)), (0, [1, 1, 1, 0, 1]));
    let (code, report, _) = import(&second, shop, &[]);
    assert_eq!((code, counts(&report)), (0, [0, 0, 3, 1, 0]));
    assert_eq!(report["ids"]["gone"], json!(["c"]));

    // Nothing that can be read: the catalogue stays.
    let own = Path::new(shop).join("products.jsonl");
    let before = std::fs::read(&own).unwrap();
    let (code, report, _) = import(&broken, shop, &[]);
    assert_eq!((code, report["written"].as_bool()), (1, Some(false)));
    assert_eq!(std::fs::read(&own).unwrap(), before);

    // Another catalogue is never overwritten, only put aside when told so.
    std::fs::write(
        &own,
        "{\"id\": \"x\", \"title\": \"By hand\", \"price\": \"1 EUR\"}\n",
    )
    .unwrap();
    std::fs::write(Path::new(shop).join("products.tsv"), "id\ttitle\tprice\n").unwrap();
    let (code, _, error) = import(&first, shop, &[]);
    assert!(code == 2 && error.contains("--replace"), "{code} {error}");
    let (code, report, _) = import(&first, shop, &["--replace"]);
    assert_eq!(
        (code, report["put_aside"].as_array().map(Vec::len)),
        (0, Some(2))
    );
    let aside = std::fs::read_to_string(Path::new(shop).join(".replaced.products.jsonl")).unwrap();
    assert!(aside.contains("By hand"));
    let (code, output, _) = run(&["check", "--shop", shop], b"");
    assert_eq!(code, 0, "{output}");

    for (args, told) in [
        (
            vec!["import", "products", "/nowhere.csv", "--shop", shop],
            "/nowhere.csv",
        ),
        (vec!["import", "products", first.as_str()], "--shop DIR"),
        (
            vec![
                "import",
                "products",
                first.as_str(),
                "--shop",
                shop,
                "--currency",
                "euro",
            ],
            "ISO 4217",
        ),
    ] {
        let (code, _, error) = run(&args, b"");
        assert!(code == 2 && error.contains(told), "{args:?} {code} {error}");
    }
}
