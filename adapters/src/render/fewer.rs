//! A reply in fewer messages, for where a customer may get only so many: products and choices become lines of one text.

use super::{card, numbered, public_url, tongue};
use crate::{Body, Card, Part};

/// How far a body can be folded.
pub const FOLDS: usize = 2;

/// Folded once, products are lines of the text and choices stay; folded twice, choices are lines to type as well. Nothing that is said gets lost.
pub fn fewer(body: &Body, folds: usize) -> Body {
    if folds == 0 {
        return body.clone();
    }
    let tongue = tongue(body);
    let mut texts: Vec<String> = Vec::new();
    let mut choices = Vec::new();
    for part in &body.parts {
        match part {
            Part::Text { text } => texts.push(text.clone()),
            Part::Products { products } => {
                texts.extend(products.iter().map(|product| line(product, tongue)));
            }
            Part::Choices {
                choices: list,
                uncounted,
            } if folds > 1 => {
                texts.push(numbered(list, *uncounted).text);
            }
            Part::Choices { .. } => choices.push(part.clone()),
        }
    }
    let text = texts.join("\n\n");
    let mut parts = Vec::new();
    if !text.trim().is_empty() {
        parts.push(Part::Text { text });
    }
    parts.extend(choices);
    Body { parts }
}

/// A product in the Markdown of replies. A name with marks in it stands beside its link, not inside.
fn line(product: &Card, tongue: super::Tongue) -> String {
    // What would be a link to elsewhere is none.
    let harmless = |text: &str| text.replace("](", "] (");
    let shown = harmless(&card(product, tongue).text);
    let title = &harmless(product.title.trim());
    let rest = shown.strip_prefix(title).unwrap_or(&shown);
    match product.link.as_deref().and_then(public_url) {
        Some(url) if !title.is_empty() && !title.contains(['[', ']', '*', '`']) => {
            // A bracket would end the link.
            format!("[{title}]({}){rest}", url.replace(')', "%29"))
        }
        Some(url) => format!("{shown}\n{url}"),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice
    )]

    use super::*;
    use crate::render::{MarkKind, markdown};
    use crate::{Choice, Price};

    fn product(title: &str) -> Card {
        let price = |amount: &str| Price {
            amount: amount.to_owned(),
            currency: "CNY".to_owned(),
        };
        Card {
            id: "a".to_owned(),
            title: title.to_owned(),
            price: price("2480.00"),
            was: Some(price("2980.00")),
            link: Some("https://shop.example/p(1)".to_owned()),
            image: None,
            availability: "in_stock".to_owned(),
            why: vec!["价格在预算内".to_owned()],
        }
    }

    fn body() -> Body {
        let text = |text: &str| Part::Text {
            text: text.to_owned(),
        };
        let products = vec![product("甲"), product("*乙* [丙](https://evil.example)")];
        let choice = |label: &str| Choice {
            id: label.to_owned(),
            label: label.to_owned(),
        };
        let choices = vec![choice("比较前两款"), choice("转人工")];
        Body {
            parts: vec![
                text("推荐："),
                Part::Products { products },
                text("还要看别的吗？"),
                Part::Choices {
                    choices,
                    uncounted: true,
                },
            ],
        }
    }

    #[test]
    fn folding_says_the_same_in_fewer_parts() {
        assert_eq!(fewer(&body(), 0), body());
        let once = fewer(&body(), 1);
        assert_eq!(once.parts.len(), 2, "{once:#?}");
        assert!(matches!(&once.parts[1], Part::Choices { choices, .. } if choices.len() == 2));
        let twice = fewer(&body(), FOLDS);
        let [Part::Text { text }] = twice.parts.as_slice() else {
            panic!("{twice:#?}");
        };
        let shown = markdown(text).text;
        for said in [
            "推荐：",
            "甲\n¥2,480 原价 ¥2,980\n• 价格在预算内",
            "乙 [丙] (https://evil.example)",
            "还要看别的吗？",
            "• 比较前两款\n• 转人工",
        ] {
            assert!(
                text.contains(said) || shown.contains(said),
                "{said}: {shown}"
            );
        }
        // A name leads where its words say, or to the product.
        for mark in markdown(text).marks {
            if let MarkKind::Link(url) = mark.kind {
                let label = &shown[mark.from..mark.to];
                assert!(
                    url.starts_with("https://shop.example/")
                        || url.contains(label.trim_end_matches(')'))
                );
            }
        }
        // The order of reading stays.
        let at = |words: &str| shown.find(words).unwrap();
        assert!(at("推荐") < at("甲") && at("甲") < at("还要") && at("还要") < at("转人工"));
    }
}
