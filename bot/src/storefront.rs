//! What the pages and the widget show of a shop before anybody has written.

use crate::convert;
use crate::http::{Image, Storefront};
use crate::shop::Shop;
use dialogs::Language;
use dialogs::catalogue::{Availability, Product};
use dialogs::reply::Good;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn of(shop: &Arc<Shop>, demo: bool) -> Storefront {
    let profile = &shop.dialog.profile;
    let by_tag = |texts: &dialogs::profile::Texts| -> BTreeMap<String, String> {
        texts
            .0
            .iter()
            .map(|(language, text)| (language.tag().to_owned(), text.clone()))
            .collect()
    };
    let goods = Arc::clone(shop);
    let pictures = Arc::clone(shop);
    Storefront {
        name: by_tag(&profile.name),
        languages: profile
            .languages
            .iter()
            .map(|language| language.tag().to_owned())
            .collect(),
        disclosure: by_tag(&profile.disclosure),
        greeting: by_tag(&profile.greeting),
        suggestions: profile
            .suggestions
            .iter()
            .map(|(language, texts)| (language.tag().to_owned(), texts.clone()))
            .collect(),
        products: Box::new(move |tag, limit| cards(&goods, tag, limit)),
        images: Box::new(move |path| {
            let bytes = pictures.files.get(&format!("images/{path}"))?;
            Some(Image {
                bytes: Cow::Owned(bytes.clone()),
                mime: adapters::web::mime(path),
            })
        }),
        demo,
    }
}

/// One product of each type in turn, so that a short list shows the breadth of the shop.
fn cards(shop: &Shop, tag: &str, limit: usize) -> Vec<adapters::Card> {
    let language = Language::from_tag(tag).unwrap_or(Language::Zh);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let mut by_type: BTreeMap<&str, Vec<&Product>> = BTreeMap::new();
    for product in shop.dialog.catalogue.products() {
        if product.availability == Availability::InStock {
            let key = product.type_keys.last().map_or("", String::as_str);
            by_type.entry(key).or_default().push(product);
        }
    }
    let longest = by_type.values().map(Vec::len).max().unwrap_or(0);
    (0..longest)
        .flat_map(|row| {
            by_type
                .values()
                .filter_map(move |list| list.get(row).copied())
        })
        .take(limit)
        .map(|product| {
            let price = product.price_at(now_ms);
            convert::card(&Good {
                id: product.id.clone(),
                title: product.title.get(language).to_owned(),
                price,
                was: (price < product.price).then_some(product.price),
                link: product.link.clone(),
                image: product.image_link.clone(),
                availability: product.availability.word().to_owned(),
                why: Vec::new(),
            })
        })
        .collect()
}
