//! Replies as an official account sends them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::render::Piece;
use super::*;
use crate::sample::{self, choices, text};
use crate::{Body, Card, Part};

fn card(title: &str, image: Option<&str>) -> Card {
    Card {
        image: image.map(str::to_owned),
        ..sample::card(title)
    }
}

fn pieces(parts: Vec<Part>) -> Vec<Piece> {
    render::pieces(&Body { parts })
}

#[test]
fn a_reply_with_one_picture_is_a_graphic_and_choices_are_a_menu() {
    let one = pieces(vec![
        text("推荐**这款**："),
        Part::Products {
            products: vec![card("甲", Some("https://cdn.example/a.jpg"))],
        },
        choices(&["more", &"x".repeat(70)]),
    ]);
    assert_eq!(one.len(), 3, "{one:#?}");
    assert_eq!(one[0], Piece::Text("推荐这款：".to_owned()));
    assert_eq!(
        one[1],
        Piece::News {
            title: "甲".to_owned(),
            description: "¥12,680\n• 价格在预算内".to_owned(),
            url: "https://shop.example/p?a=1&b=2".to_owned(),
            picture: "https://cdn.example/a.jpg".to_owned(),
        }
    );
    let Piece::Menu { head, items } = &one[2] else {
        panic!("{one:#?}");
    };
    assert_eq!(head, "您可以选：");
    assert_eq!(items[0], ("more".to_owned(), "选 more".to_owned()));
    assert!(items[1].0.starts_with('~') && items[1].0.len() <= MENU_ID_BYTES_MAX);
    let products = vec![
        card("甲", Some("https://cdn.example/a.jpg")),
        card("乙", None),
    ];
    let two = pieces(vec![text("两款："), Part::Products { products }]);
    let link = "<a href=\"https://shop.example/p?a=1&b=2\">";
    assert_eq!(
        two,
        [Piece::Text(format!(
            "两款：\n\n{link}甲</a>\n¥12,680\n• 价格在预算内\n\n{link}乙</a>\n¥12,680\n• 价格在预算内"
        ))]
    );
    // A short text without links stands above the menu itself, which saves a message.
    let asked = pieces(vec![text("给谁用？"), choices(&["home", "office"])]);
    assert!(
        matches!(asked.as_slice(), [Piece::Menu { head, items }] if head == "给谁用？" && items.len() == 2)
    );
}

#[test]
fn choices_that_the_menu_has_no_lines_for_are_written_out() {
    let ids = |letter: &str, count: usize| -> Vec<String> {
        (0..count).map(|n| format!("{letter}{n}")).collect()
    };
    let list = |ids: &[String]| choices(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (a, b, c) = (ids("a", 6), ids("b", 6), ids("c", 4));
    let sent = pieces(vec![text("先选："), list(&a), list(&b), list(&c)]);
    let [Piece::Menu { head, items }] = sent.as_slice() else {
        panic!("{sent:#?}");
    };
    let touched: Vec<&str> = items.iter().map(|(id, _)| id.as_str()).collect();
    let wanted: Vec<&str> = a.iter().chain(&c).map(String::as_str).collect();
    assert_eq!(touched, wanted);
    let written: Vec<String> = (0..6).map(|n| format!("{}. 选 b{n}", n + 1)).collect();
    assert_eq!(*head, format!("先选：\n\n{}", written.join("\n")));
    // Ten in two lists are one menu.
    let sent = pieces(vec![list(&a), list(&c)]);
    assert!(matches!(sent.as_slice(), [Piece::Menu { items, .. }] if items.len() == 10));
}

#[test]
fn texts_hold_the_limit_in_bytes_and_cut_no_character_and_no_link() {
    for over in 0..3 {
        let exact = "好".repeat(682) + &"a".repeat(2 + over);
        let sent = pieces(vec![text(&exact)]);
        assert_eq!(sent.len(), if over == 0 { 1 } else { 2 });
    }
    let emoji = "👩‍👧".repeat(300);
    let many = "[一个链接](https://shop.example/一二三四五六七八九十) 和字\n".repeat(60);
    let long = format!("[x](https://shop.example/{})", "y".repeat(3_000));
    for words in [emoji.as_str(), &many, &long, &"<a <b </a ".repeat(300)] {
        let parts = vec![text(words)];
        let body = Body { parts };
        for (texts, max) in [
            (render::answers(&body), ANSWER_TEXT.max),
            (
                render::pieces(&body)
                    .into_iter()
                    .map(|piece| match piece {
                        Piece::Text(text) => text,
                        other => panic!("{other:?}"),
                    })
                    .collect(),
                TEXT.max,
            ),
        ] {
            assert!(!texts.is_empty());
            for text in texts {
                assert!(!text.is_empty() && text.len() <= max, "{}", text.len());
                let (opened, closed) = (text.matches("<a ").count(), text.matches("</a>").count());
                assert_eq!(opened, closed, "{text}");
                assert!(!text.starts_with('\u{200d}'), "{text}");
            }
        }
    }
}

#[test]
fn a_hostile_name_stays_a_name() {
    for name in [
        "<a href=\"http://evil.example\">x</a>",
        "</a>",
        "]]>",
        "<!--",
    ] {
        let products = vec![card(name, None)];
        let body = Body {
            parts: vec![Part::Products { products }],
        };
        let answers = render::answers(&body);
        let shown = &answers[0];
        assert_eq!(shown.matches("<a ").count(), 1, "{shown}");
        assert!(
            shown.starts_with("<a href=\"https://shop.example/"),
            "{shown}"
        );
        assert!(!shown.contains("<!"), "{shown}");
    }
}
