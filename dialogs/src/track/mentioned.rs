//! Which products the words point at: by name, by place in the list, by brand or colour beside a pointing word.

use super::kinds::deepest_type;
use super::pointed;
use crate::catalogue::Catalogue;
use crate::conversation::Conversation;
use crate::event::SlotValue;
use crate::nlu::{Understanding, Value};
use crate::text;

/// The products that the words point at, in the order in which they are named.
pub fn mentioned(
    conversation: &Conversation,
    understanding: &Understanding,
    catalogue: &Catalogue,
    now_ms: i64,
) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let highest = understanding
        .entities
        .iter()
        .filter_map(|e| match e.value {
            Value::Ordinal { index } => Some(index as usize),
            _ => None,
        })
        .max()
        .unwrap_or(0);
    // "The first and the second" after a single card means the list before it.
    let is_of_list = matches!(conversation.listed.as_slice(), [only] if conversation.listed_before.contains(only));
    let list = if highest > conversation.listed.len() || is_of_list {
        &conversation.listed_before
    } else {
        &conversation.listed
    };
    if let Some(id) = of_brand_listed(conversation, understanding, catalogue) {
        return vec![id];
    }
    let names_products = understanding
        .entities
        .iter()
        .any(|e| !e.negated && matches!(e.value, Value::Product { .. }));
    for entity in understanding.entities.iter().filter(|e| !e.negated) {
        let found = match &entity.value {
            Value::Product { id } => vec![id.clone()],
            Value::Ordinal { index } => nth(list, *index).into_iter().collect(),
            Value::LastShown => last_shown(conversation).into_iter().collect(),
            Value::PricedAt { amount } => {
                let kind = deepest_type(understanding).map(|(key, _)| key.as_str());
                pointed::priced_at(*amount, kind, catalogue, now_ms)
            }
            Value::Number { count }
                if only_a_number(understanding) && is_a_place(conversation, *count) =>
            {
                nth(&conversation.listed, *count).into_iter().collect()
            }
            // "The Uno and the Duo, both of them": they are named already.
            Value::OfShown { which } if !names_products => {
                pointed::of_shown(*which, conversation, catalogue, now_ms)
            }
            _ => Vec::new(),
        };
        for id in found {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    // “The white E2”; “and in black?” of the one under discussion.
    let names_kind = understanding
        .entities
        .iter()
        .any(|e| matches!(e.value, Value::ProductType { .. } | Value::Brand { .. }));
    let one = match ids.as_slice() {
        [] if !names_kind => conversation.focus.as_deref(),
        [one] => Some(one.as_str()),
        _ => None,
    };
    if let Some(variant) = one.and_then(|id| variant_told(id, understanding, catalogue)) {
        ids = vec![variant];
    }
    ids
}

/// “The Guyu one”, 谷雨那款: the one product of that brand in the list, where a brand and a pointing word are all that names it.
pub(super) fn of_brand_listed(
    conversation: &Conversation,
    understanding: &Understanding,
    catalogue: &Catalogue,
) -> Option<String> {
    let lists = [&conversation.listed, &conversation.listed_before];
    let named = || understanding.entities.iter().filter(|e| !e.negated);
    let points = named().any(|e| matches!(e.value, Value::LastShown));
    let brand_of = |id: &str| catalogue.get(id)?.brand.clone();
    let brand = named().find_map(|e| match &e.value {
        Value::Brand { key } if points => Some(key.clone()),
        // A product may be called One, too.
        Value::Product { id } if text::fold(&e.quote).ends_with(" one") => {
            brand_of(id).filter(|_| !lists.iter().any(|list| list.contains(id)))
        }
        _ => None,
    })?;
    let is_of_brand = |id: &&String| brand_of(id).as_ref() == Some(&brand);
    let of_brand = lists
        .into_iter()
        .map(|list| list.iter().filter(is_of_brand).collect::<Vec<_>>())
        .find(|ids| !ids.is_empty())?;
    match of_brand.as_slice() {
        [id] => Some((*id).clone()),
        _ => None,
    }
}

/// The variant of a product that has the values told.
fn variant_told(id: &str, understanding: &Understanding, catalogue: &Catalogue) -> Option<String> {
    let values: Vec<(String, String)> = understanding
        .entities
        .iter()
        .filter(|entity| !entity.negated)
        .filter_map(|entity| match &entity.value {
            Value::Attribute { name, key } => Some((name.clone(), key.clone())),
            _ => None,
        })
        .collect();
    let variant = catalogue.variant(id, &values)?;
    Some(variant.id.clone())
}

/// The product under discussion; under a new list, the one that was before it.
fn last_shown(conversation: &Conversation) -> Option<String> {
    let spoken_of = match conversation.slot("product") {
        Some(SlotValue::Key(id)) => Some(id.clone()),
        _ => None,
    };
    conversation
        .focus
        .clone()
        .or(spoken_of)
        .or_else(|| conversation.listed.first().cloned())
}

fn nth(list: &[String], index: u32) -> Option<String> {
    let index = usize::try_from(index).ok()?.checked_sub(1)?;
    list.get(index).cloned()
}

fn only_a_number(understanding: &Understanding) -> bool {
    understanding.entities.len() == 1
}

/// Whether a bare number points into the list shown, and is no answer to the question asked.
pub(super) fn is_a_place(conversation: &Conversation, count: u32) -> bool {
    match conversation.asked.as_deref() {
        Some("people" | "quantity" | "deadline_days") => false,
        // Nobody's budget is as small as a place in a list.
        Some("budget_max") => usize::try_from(count).is_ok_and(|n| n <= conversation.listed.len()),
        _ => true,
    }
}
