//! Which of the products shown before is meant by "the cheaper one", 另一款 or "both".

use crate::catalogue::Catalogue;
use crate::conversation::Conversation;
use crate::money::Money;
use crate::nlu::Which;

/// The products pointed at; none where that is not clear.
pub(super) fn of_shown(
    which: Which,
    conversation: &Conversation,
    catalogue: &Catalogue,
    now_ms: i64,
) -> Vec<String> {
    let pool = pool(conversation);
    let one = match which {
        Which::Cheaper => by_price(&pool, catalogue, now_ms, false),
        Which::Dearer => by_price(&pool, catalogue, now_ms, true),
        Which::Last => pool.last().cloned(),
        Which::LastButOne => pool.iter().rev().nth(1).cloned(),
        Which::Middle if pool.len() % 2 == 1 => pool.get(pool.len() / 2).cloned(),
        Which::Middle => None,
        Which::Other => other(&pool, conversation.focus.as_deref()),
        Which::Before => before(conversation),
        Which::LastTwo => {
            let from = pool.len().saturating_sub(2);
            return pool.into_iter().skip(from).collect();
        }
        Which::Both if pool.len() == 2 => return pool,
        Which::Both => None,
    };
    one.into_iter().collect()
}

/// The one product of a kind that costs so much; none where several do.
pub(super) fn priced_at(
    amount: Money,
    kind: Option<&str>,
    catalogue: &Catalogue,
    now_ms: i64,
) -> Vec<String> {
    let mut hits = catalogue
        .products()
        .iter()
        .filter(|product| product.price_at(now_ms) == amount)
        .filter(|product| kind.is_none_or(|kind| catalogue.is_of_kind(&product.id, kind)))
        .map(|product| product.id.clone());
    match (hits.next(), hits.next()) {
        (Some(only), None) => vec![only],
        _ => Vec::new(),
    }
}

/// The newest list of several, else the two products looked at last.
fn pool(conversation: &Conversation) -> Vec<String> {
    let Conversation {
        listed,
        listed_before,
        shown,
        ..
    } = conversation;
    if listed.len() > 1 {
        return listed.clone();
    }
    // One card out of a list leaves the list what is pointed at; a card of something else stands beside the one before.
    let is_of_list = listed.iter().all(|id| listed_before.contains(id));
    if listed_before.len() > 1 && is_of_list {
        return listed_before.clone();
    }
    let from = shown.len().saturating_sub(2);
    shown.iter().skip(from).cloned().collect()
}

/// The one with the lowest or the highest price; none where several share it.
fn by_price(pool: &[String], catalogue: &Catalogue, now_ms: i64, dearest: bool) -> Option<String> {
    let mut priced: Vec<(i64, &String)> = pool
        .iter()
        .filter_map(|id| Some((catalogue.get(id)?.price_at(now_ms).minor, id)))
        .collect();
    priced.sort();
    if dearest {
        priced.reverse();
    }
    match priced.as_slice() {
        [] => None,
        [(first, _), (second, _), ..] if first == second => None,
        [(_, id), ..] => Some((*id).clone()),
    }
}

/// Of two, the one that is not under discussion.
fn other(pool: &[String], focus: Option<&str>) -> Option<String> {
    let focus = focus?;
    match pool {
        [one, two] if one == focus => Some(two.clone()),
        [one, two] if two == focus => Some(one.clone()),
        _ => None,
    }
}

/// The product before the one under discussion, in its list or else in what was shown.
fn before(conversation: &Conversation) -> Option<String> {
    let focus = conversation.focus.as_ref();
    let in_list = focus
        .and_then(|focus| conversation.listed.iter().position(|id| id == focus))
        .and_then(|at| at.checked_sub(1))
        .and_then(|at| conversation.listed.get(at));
    in_list
        .or_else(|| {
            let mut shown = conversation.shown.iter().rev();
            shown.find(|id| Some(*id) != focus && !conversation.listed.contains(id))
        })
        .cloned()
}
