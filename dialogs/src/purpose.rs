//! What the words of a message are in this shop and conversation: “beans for pour-over” wants beans, though pour-over gear is sold as well.
//!
//! Understanding sees the words alone; this looks at what is under discussion and at what the catalogue tells.

use crate::aspect::Says;
use crate::catalogue::{Catalogue, Query};
use crate::conversation::Conversation;
use crate::cue::Cue;
use crate::event::SlotValue;
use crate::nlu::{Entity, Understanding, Value};
use crate::shop::Shop;
use crate::text;
use crate::track::related;

/// Characters between what says that something is wished for and its name: 要能打奶泡.
const WISH_CHARS_MAX: usize = 6;
/// What may stand beside the name of something wished for that is the whole message.
const BESIDE_NAME: [&str; 6] = ["吧", "的", "呢", "啊", "please", "a "];

/// The understanding in which a kind that only says what other goods are for is a property of those.
pub fn settled(
    mut understanding: Understanding,
    conversation: &Conversation,
    shop: &Shop,
) -> Understanding {
    let catalogue = &shop.catalogue;
    let words = text::fold(&conversation.newest_words());
    let kinds: Vec<(usize, String, String)> = understanding
        .entities
        .iter()
        .enumerate()
        .filter(|(_, entity)| !entity.negated)
        .filter_map(|(at, entity)| match &entity.value {
            Value::ProductType { key } => Some((at, key.clone(), text::fold(&entity.quote))),
            _ => None,
        })
        .collect();
    let open = match conversation.slot("category") {
        Some(SlotValue::Key(key)) => Some(key.clone()),
        _ => None,
    };
    // “How much for a French press?” is about the press.
    let best = understanding.intents.first().map(|i| i.name.as_str());
    let asks_the_price = matches!(best, Some("ask_price" | "ask_stock" | "buy"));
    for (at, kind, quote) in &kinds {
        let Some((name, key)) = catalogue.vocabulary().value_of_kind(kind) else {
            continue;
        };
        let Some((head, tail)) = words.split_once(quote.as_str()) else {
            continue;
        };
        let other = kinds.iter().find(|(_, other, _)| !related(other, kind));
        let (wanted, serves) = match (other, &open) {
            (Some((_, other, of)), _) => {
                let beside = tail.trim_start_matches([' ', '-', '的']);
                let serves = says_purpose(head, tail, Some(of)) || beside.starts_with(of.as_str());
                (other, serves)
            }
            // A kind of the one under discussion goes on with it.
            (None, Some(open)) if !related(open, kind) && !asks_the_price => {
                (open, says_purpose(head, tail, None))
            }
            _ => continue,
        };
        let query = Query {
            types: vec![wanted.clone()],
            attributes: vec![(name.clone(), key.clone())],
            limit: 1,
            ..Query::default()
        };
        if !serves || catalogue.search(&query).is_empty() {
            continue;
        }
        if let Some(entity) = understanding.entities.get_mut(*at) {
            entity.value = Value::Attribute {
                name: name.clone(),
                key: key.clone(),
            };
        }
    }
    let named = kinds.iter().find_map(|(at, kind, _)| {
        let entity = understanding.entities.get(*at)?;
        matches!(entity.value, Value::ProductType { .. }).then_some(kind.as_str())
    });
    let kind = named.or(open.as_deref());
    if points_at_a_product(&understanding, named.is_some()) {
        let is_taste = |entity: &Entity| matches!(entity.value, Value::Taste { .. });
        understanding.entities.retain(|entity| !is_taste(entity));
    } else {
        keep_tastes_that_are_told(&mut understanding, kind, catalogue);
        // Of the product under discussion it is a question.
        if let Some(kind) = kind.filter(|_| named.is_some() || conversation.focus.is_none()) {
            let features = features(&words, kind, shop);
            understanding.entities.extend(features);
        }
    }
    understanding
}

/// 那个豆子 names beans rather than one product.
fn points_at_a_product(understanding: &Understanding, names_kind: bool) -> bool {
    let mut values = understanding.entities.iter().map(|entity| &entity.value);
    values.any(|value| match value {
        Value::Product { .. } | Value::Ordinal { .. } | Value::OfShown { .. } => true,
        Value::LastShown => !names_kind,
        _ => false,
    })
}

/// What goods of a kind are wished to have that some of them lack: 要能打奶泡.
fn features(words: &str, kind: &str, shop: &Shop) -> Vec<Entity> {
    if Cue::HowTo.is_in(words) {
        return Vec::new();
    }
    let mut found: Vec<Entity> = Vec::new();
    for named in shop.aspects.find(words) {
        let head = words.get(..named.start).unwrap_or_default();
        let name = words.get(named.start..named.end).unwrap_or_default();
        let tail = words.get(named.end..).unwrap_or_default();
        let before = head.rsplit(border).next().unwrap_or_default();
        let after = tail.split(border).next().unwrap_or_default();
        let mut rest = format!("{before} {after}");
        for word in BESIDE_NAME {
            rest = rest.replace(word, "");
        }
        let is_all = !rest.chars().any(char::is_alphanumeric);
        let wished = is_all || Cue::Wishing.ends_within(head, WISH_CHARS_MAX);
        let refused = Cue::Without.ends(head);
        let asked = Cue::Which.ends(head);
        let mut attributes = named.attributes.iter();
        let told = attributes.find(|attribute| shop.catalogue.tells_apart(attribute, kind));
        if let Some(attribute) =
            told.filter(|_| named.says == Says::Name && (wished || refused) && !asked)
        {
            found.push(Entity {
                value: Value::Feature {
                    attribute: attribute.clone(),
                },
                quote: name.to_owned(),
                negated: refused,
            });
        }
    }
    found
}

/// A taste that no product of the kind is said to have is no wish.
fn keep_tastes_that_are_told(
    understanding: &mut Understanding,
    kind: Option<&str>,
    catalogue: &Catalogue,
) {
    understanding.entities.retain(|entity| match &entity.value {
        Value::Taste { taste, .. } => catalogue.tells_taste(taste, None, kind),
        _ => true,
    });
}

/// Where a clause ends.
fn border(c: char) -> bool {
    matches!(
        c,
        ',' | '，' | '.' | '。' | '!' | '！' | '?' | '？' | ';' | '；' | '\n'
    )
}

/// The words around a kind say that something is for it: 做手冲, 手冲用的, “for pour-over”; `of` are the goods that stand elsewhere in the message.
fn says_purpose(head: &str, tail: &str, of: Option<&str>) -> bool {
    // “Looking for a French press” is for nothing else.
    let is_for = Cue::ForUse.ends(head) && !Cue::BeforeGoods.ends(head);
    if is_for || Cue::OfUse.starts(tail) {
        return true;
    }
    // 手冲的, with nothing that it could be the possessor of.
    let Some(rest) = tail.strip_prefix(['的', '得']) else {
        return false;
    };
    let rest = rest.trim_start();
    let goes_on = of.is_some_and(|of| rest.starts_with(of));
    goes_on || !rest.starts_with(char::is_alphanumeric) || rest.starts_with(['呢', '吧', '吗'])
}

#[cfg(test)]
mod tests {
    use super::says_purpose;

    #[test]
    fn a_purpose_is_told_from_a_wish() {
        for (head, tail, of, expected) in [
            ("", "的", None, true),
            ("", "用的 五百以内", None, true),
            ("", "的呢", None, true),
            ("", "的滤纸", None, false),
            ("适合", "的磨豆机", Some("磨豆机"), true),
            ("for ", ", under 500", None, true),
            ("beans for my ", "", None, true),
            ("beans and a ", "", None, false),
            ("推荐", "", None, false),
            ("looking for a ", "", None, false),
        ] {
            assert_eq!(says_purpose(head, tail, of), expected, "{head}_{tail}");
        }
    }
}
