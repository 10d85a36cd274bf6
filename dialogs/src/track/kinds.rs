//! Which kind of goods a message is about, and whether what it mentions is a wish at all.

use crate::cue::Cue;
use crate::nlu::{Understanding, Value};
use crate::text;

/// Questions about the deal: what they mention of a product is no wish for one.
const SERVICES: [&str; 7] = [
    "ask_warranty",
    "ask_return",
    "ask_delivery",
    "ask_payment",
    "ask_invoice",
    "order_status",
    "complain",
];

/// Of several kinds named, the one that stands right behind what asks for it.
pub(super) fn asked_type<'u>(
    understanding: &'u Understanding,
    words: &str,
) -> Option<(&'u String, &'u String)> {
    let named: Vec<(&String, &String)> = understanding
        .entities
        .iter()
        .filter(|e| !e.negated)
        .filter_map(|e| match &e.value {
            Value::ProductType { key } => Some((key, &e.quote)),
            _ => None,
        })
        .collect();
    let are_many = named
        .iter()
        .any(|(key, _)| named.iter().any(|(other, _)| !related(key, other)));
    let is_asked = |(_, quote): &(&String, &String)| {
        let quote = text::fold(quote);
        let place = words.find(&quote);
        place.is_some_and(|at| Cue::WhatGoods.ends(words.get(..at).unwrap_or_default()))
    };
    named.into_iter().filter(|_| are_many).find(is_asked)
}

/// The deepest type named: “2 kg of beans a week, what machine?”
pub(super) fn deepest_type(understanding: &Understanding) -> Option<(&String, &String)> {
    understanding
        .entities
        .iter()
        .filter(|e| !e.negated)
        .filter_map(|e| match &e.value {
            Value::ProductType { key } => Some((key, &e.quote)),
            _ => None,
        })
        .rev()
        .max_by_key(|(key, _)| key.matches('/').count())
}

/// One type is the other or lies below it.
pub(crate) fn related(one: &str, other: &str) -> bool {
    below(one, other) || below(other, one)
}

pub(super) fn below(path: &str, root: &str) -> bool {
    path == root
        || path
            .strip_prefix(root)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// “Does the second one come in green?” asks of one product and wishes for no other.
pub(super) fn asks_of_one(understanding: &Understanding, words: &str) -> bool {
    let points = understanding.entities.iter().any(|e| {
        matches!(
            e.value,
            Value::LastShown
                | Value::Ordinal { .. }
                | Value::OfShown { .. }
                | Value::PricedAt { .. }
                | Value::Product { .. }
        )
    });
    let best = understanding.intents.first().map(|i| i.name.as_str());
    let asks = matches!(best, Some("ask_details" | "ask_stock")) || can_it(understanding, words);
    points && asks
}

/// “Can the H30 grind for espresso?” asks what one product that is named can do.
pub(crate) fn can_it(understanding: &Understanding, words: &str) -> bool {
    let mut values = understanding.entities.iter().map(|entity| &entity.value);
    let names_one = values
        .clone()
        .filter(|value| matches!(value, Value::Product { .. }))
        .count()
        == 1;
    let names_goods = values.any(|value| matches!(value, Value::ProductType { .. }));
    let best = understanding.intents.first().map(|i| i.name.as_str());
    let open = matches!(
        best,
        Some("inform" | "out_of_scope" | "ask_usage" | "ask_compatibility" | "ask_recommendation")
    );
    names_one && !names_goods && open && Cue::CanIt.is_in(words)
}

/// “Are you open on Sunday?”
pub(super) fn asks_when_open(understanding: &Understanding) -> bool {
    let best = understanding.intents.first();
    best.is_some_and(|intent| intent.name == "ask_opening_hours")
}

/// The message is about the deal, and names no goods to look for.
pub(super) fn asks_of_service(understanding: &Understanding) -> bool {
    let names_kind = understanding
        .entities
        .iter()
        .any(|e| matches!(e.value, Value::ProductType { .. }));
    let best = understanding.intents.first();
    !names_kind && best.is_some_and(|intent| SERVICES.contains(&intent.name.as_str()))
}
