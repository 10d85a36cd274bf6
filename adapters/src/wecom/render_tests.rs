//! Replies as WeCom shows them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::render::{Line, Piece, content, id, pieces};
use crate::{Body, Card, Choice, Part, Price};
use serde_json::{Value, json};

fn text(text: &str) -> Part {
    Part::Text {
        text: text.to_owned(),
    }
}

fn choices(ids: &[&str]) -> Part {
    let choice = |id: &&str| Choice {
        id: (*id).to_owned(),
        label: format!("选 {id}"),
    };
    Part::Choices {
        choices: ids.iter().map(choice).collect(),
        uncounted: false,
    }
}

fn card(title: &str) -> Card {
    Card {
        id: "sku".to_owned(),
        title: title.to_owned(),
        price: Price {
            amount: "2480.00".to_owned(),
            currency: "CNY".to_owned(),
        },
        was: None,
        link: Some("https://shop.example/p?a=1&b=2".to_owned()),
        image: None,
        availability: "in_stock".to_owned(),
        why: vec!["在预算内".to_owned()],
    }
}

fn shown(title: &str) -> Card {
    Card {
        image: Some("https://cdn.example/a.jpg".to_owned()),
        ..card(title)
    }
}

fn products(products: Vec<Card>) -> Part {
    Part::Products { products }
}

fn product(title: &str) -> Part {
    products(vec![card(title)])
}

fn choice(id: &str, label: &str) -> Line {
    Line::Choice {
        id: id.to_owned(),
        label: label.to_owned(),
    }
}

fn pieces_of(parts: Vec<Part>) -> Vec<Piece> {
    pieces(&Body { parts })
}

#[test]
fn texts_hold_2048_bytes_and_no_character_is_cut() {
    for (unit, bytes) in [("a", 1), ("茶", 3), ("😀", 4), ("👩‍👩‍👧‍👦", 25)] {
        let most = 2048 / bytes;
        let one = pieces_of(vec![text(&unit.repeat(most))]);
        assert_eq!(one.len(), 1, "{unit}");
        let two = pieces_of(vec![text(&unit.repeat(most + 1))]);
        assert_eq!(two.len(), 2, "{unit}");
        let mut joined = String::new();
        for piece in &two {
            let Piece::Text(words) = piece else {
                panic!("{piece:?}");
            };
            assert!(words.len() <= 2048 && words.len() % bytes == 0, "{unit}");
            joined.push_str(words);
        }
        assert_eq!(joined, unit.repeat(most + 1));
    }
    // An address that is written out counts too.
    let long = format!(
        "{}[甲](https://a.example/{})",
        "茶".repeat(600),
        "x".repeat(400)
    );
    for piece in pieces_of(vec![text(&long)]) {
        assert!(matches!(piece, Piece::Text(words) if words.len() <= 2048));
    }
}

#[test]
fn choices_are_a_menu_within_its_limits_and_more_of_them_numbers() {
    let one = pieces_of(vec![text("选："), choices(&["more", &"x".repeat(65)])]);
    let [Piece::Menu { head, lines }] = one.as_slice() else {
        panic!("{one:?}");
    };
    assert_eq!(head, "选：");
    assert_eq!(lines[0], choice("more", "选 more"));
    assert!(matches!(&lines[1], Line::Choice { id, .. } if id.starts_with('~') && id.len() <= 64));
    for (bytes, count) in [(1024, 1), (1025, 2)] {
        let pieces = pieces_of(vec![text(&"a".repeat(bytes)), choices(&["more"])]);
        assert_eq!(pieces.len(), count, "{bytes}");
        assert!(matches!(pieces.last(), Some(Piece::Menu { head, .. }) if head.len() <= 1024));
    }
    let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    let [Piece::Text(numbers)] = &pieces_of(vec![choices(&eleven)])[..] else {
        panic!("more than ten do not fit a menu");
    };
    assert!(numbers.contains("11. 选 10"), "{numbers}");
    let wide = Choice {
        id: "w".to_owned(),
        label: "👩‍👩‍👧‍👦".repeat(9),
    };
    let menu = pieces_of(vec![Part::Choices {
        choices: vec![wide],
        uncounted: false,
    }]);
    let Some(Piece::Menu { lines, .. }) = menu.last() else {
        panic!("{menu:?}");
    };
    let label = format!("{}…", "👩‍👩‍👧‍👦".repeat(5));
    assert!(label.len() <= 128);
    assert_eq!(lines[0], choice("w", &label));
}

#[test]
fn one_product_is_a_card_beside_its_words_and_choices() {
    let one = pieces_of(vec![
        text("推荐**这款**："),
        products(vec![shown("甲")]),
        choices(&["more"]),
    ]);
    let [Piece::Link(link), Piece::Menu { head, lines }] = one.as_slice() else {
        panic!("{one:#?}");
    };
    assert_eq!((link.title.as_str(), head.as_str()), ("甲", "推荐这款："));
    assert_eq!(link.description, "¥2,480\n• 在预算内");
    assert_eq!(link.url, "https://shop.example/p?a=1&b=2");
    assert_eq!(
        link.words,
        "甲 https://shop.example/p?a=1&b=2\n¥2,480\n• 在预算内"
    );
    assert_eq!(lines.as_slice(), [choice("more", "选 more")]);
    // Without a page or a picture that anybody may see it stays a text.
    for (page, picture) in [
        (None, Some("https://cdn.example/a.jpg")),
        (Some("https://shop.example/p"), None),
        (Some("https://shop.example/p"), Some("file:///a.jpg")),
    ] {
        let plain = Card {
            link: page.map(str::to_owned),
            image: picture.map(str::to_owned),
            ..card("甲")
        };
        let pieces = pieces_of(vec![products(vec![plain])]);
        assert!(matches!(&pieces[..], [Piece::Text(_)]), "{pieces:?}");
    }
}

#[test]
fn a_card_keeps_to_its_limits_in_whole_characters() {
    for unit in ["a", "茶", "😀", "👩‍👩‍👧‍👦"] {
        let wordy = Card {
            why: vec![unit.repeat(600 / unit.len())],
            ..shown(&unit.repeat(129 / unit.len() + 1))
        };
        let pieces = pieces_of(vec![products(vec![wordy])]);
        let [Piece::Link(link)] = pieces.as_slice() else {
            panic!("{pieces:?}");
        };
        for (words, most) in [(&link.title, 128), (&link.description, 512)] {
            assert!(words.len() <= most, "{words}");
            let kept = words.trim_start_matches("¥2,480\n• ");
            let kept = kept.strip_suffix('…').unwrap();
            assert_eq!(kept.replace(unit, ""), "", "{words}");
        }
        assert!(link.description.starts_with("¥2,480\n"), "the price stays");
    }
    // What has no room in one message is no card: nothing of it may get lost.
    let long = Card {
        why: vec!["茶".repeat(700)],
        ..shown("甲")
    };
    let pieces = pieces_of(vec![products(vec![long])]);
    let is_text = |piece: &Piece| matches!(piece, Piece::Text(_));
    assert!(pieces.len() > 1 && pieces.iter().all(is_text), "{pieces:?}");
}

#[test]
fn of_several_products_each_has_a_line_that_leads_to_its_page() {
    let several = |count: usize, why: &str| {
        let card = |n| Card {
            why: vec![why.to_owned()],
            ..shown(&format!("第{n}款"))
        };
        pieces_of(vec![
            text("两款："),
            products((0..count).map(card).collect()),
            choices(&["more"]),
        ])
    };
    let two = several(2, "在预算内");
    let [Piece::Menu { head, lines }] = two.as_slice() else {
        panic!("{two:#?}");
    };
    assert!(
        head.contains("第0款\n¥2,480") && !head.contains("http"),
        "{head}"
    );
    let page = |label: &str| Line::Page {
        url: "https://shop.example/p?a=1&b=2".to_owned(),
        label: label.to_owned(),
    };
    let expected = [page("第0款"), page("第1款"), choice("more", "选 more")];
    assert_eq!(lines.as_slice(), expected);
    // More than a menu holds, in lines or in words: the addresses stand in the text.
    for many in [several(10, "在预算内"), several(3, &"茶".repeat(120))] {
        let Some(Piece::Menu { lines, .. }) = many.last() else {
            panic!("{many:#?}");
        };
        assert_eq!(lines.as_slice(), [choice("more", "选 more")]);
        assert!(format!("{many:?}").contains("第0款 https://shop.example/"));
    }
}

#[test]
fn names_stay_as_they_are_and_addresses_are_written_out() {
    for name in [
        "<a href=\"https://evil.example\">甲</a>",
        "*_`[x](y)`_*",
        "]]></xml>",
        "\"\\u0000{}",
    ] {
        let [Piece::Text(words)] = &pieces_of(vec![product(name)])[..] else {
            panic!("{name}");
        };
        assert!(!words.contains("<a") && !words.contains("</"), "{words}");
        let shown = name.replace("<a", "＜a").replace("</", "＜/");
        assert!(
            words.starts_with(&format!("{shown} https://shop.example/p?a=1&b=2\n")),
            "{words}"
        );
        let sent = content(&Piece::Text(words.clone()), "id").to_string();
        let back: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(back["text"]["content"], json!(words));
    }
    let linked = pieces_of(vec![text("看[这里](https://a.example/x)，好")]);
    assert_eq!(
        linked,
        [Piece::Text("看这里 https://a.example/x ，好".to_owned())]
    );
}

#[test]
fn each_piece_has_an_id_of_its_own_that_wecom_takes() {
    let ids: std::collections::BTreeSet<String> = ["wecom:wkA.wmA/1", "wecom:wkA.wmA/2"]
        .iter()
        .flat_map(|message| (0..3).map(|piece| id(message, piece)))
        .collect();
    assert_eq!(ids.len(), 6);
    assert!(ids.contains(&id("wecom:wkA.wmA/2", 1)), "always the same");
    for id in ids {
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
