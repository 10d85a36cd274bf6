//! Parts of replies that the tests of every channel render.

use crate::{Card, Choice, Part, Price};

pub(crate) fn text(text: &str) -> Part {
    Part::Text {
        text: text.to_owned(),
    }
}

/// A product with a page and no picture.
pub(crate) fn card(title: &str) -> Card {
    Card {
        id: "sku".to_owned(),
        title: title.to_owned(),
        price: Price {
            amount: "12680.00".to_owned(),
            currency: "CNY".to_owned(),
        },
        was: None,
        link: Some("https://shop.example/p?a=1&b=2".to_owned()),
        image: None,
        availability: "in_stock".to_owned(),
        why: vec!["价格在预算内".to_owned()],
    }
}

pub(crate) fn choices(ids: &[&str]) -> Part {
    let choice = |id: &&str| Choice {
        id: (*id).to_owned(),
        label: format!("选 {id}"),
    };
    Part::Choices {
        choices: ids.iter().map(choice).collect(),
        uncounted: false,
    }
}
