//! The evidence for each act: products and passages that exist.

mod among;
mod relax;

pub use relax::Constraint;

use crate::Language;
use crate::catalogue::{Product, Query};
use crate::decide::{Act, Decision, RECOMMENDED_MAX, Wanted};
use crate::knowledge::Passage;
use crate::money::Money;
use crate::shop::Shop;

/// What was found for each act of a decision, in the same order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    pub found: Vec<Found>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// The act needs no evidence.
    Unneeded,
    /// Products that keep every constraint, best first.
    Goods {
        ids: Vec<String>,
    },
    /// Nothing keeps every constraint; this comes nearest, over the budget by so much.
    Nearest {
        id: String,
        over: Money,
    },
    /// Nothing keeps every constraint; these keep all but the ones named.
    Relaxed {
        ids: Vec<String>,
        given_up: Vec<Constraint>,
    },
    /// What fits cannot be bought now.
    SoldOut {
        ids: Vec<String>,
    },
    Passage {
        passage: Passage,
    },
    /// What keeps every constraint, counted, with its lowest and highest price.
    Counted {
        count: usize,
        lowest: (String, Money),
        highest: (String, Money),
    },
    /// Keys of what there is of a property or of kinds, most products first.
    Keys {
        keys: Vec<String>,
    },
    Nothing,
}

pub fn find(decision: &Decision, shop: &Shop, language: Language, at_ms: i64) -> Findings {
    let seeker = Seeker {
        shop,
        language,
        at_ms,
    };
    Findings {
        found: decision
            .acts
            .iter()
            .map(|act| seeker.for_act(act))
            .collect(),
    }
}

/// Products that are looked at to find those on one side of another.
const HITS_LOOKED_AT: usize = 100;

/// Products that are looked at to find those made for a number of people.
const HITS_FOR_PEOPLE: usize = 40;

/// Variants of one thing that may stand before the next thing.
const VARIANTS_LOOKED_AT: usize = 6;

struct Seeker<'a> {
    shop: &'a Shop,
    language: Language,
    at_ms: i64,
}

impl Seeker<'_> {
    fn for_act(&self, act: &Act) -> Found {
        match act {
            Act::Recommend { wanted } => self.recommend(wanted),
            Act::Others { wanted, shown } => self.others(wanted, shown),
            Act::Outfit { wanted } => self.outfit(wanted),
            Act::Extreme { of, wanted } => self.extreme(*of, wanted),
            Act::Rank {
                attribute,
                toward,
                wanted,
                several,
            } => {
                let limit = if *several { RECOMMENDED_MAX } else { 1 };
                self.rank(attribute, *toward, wanted, limit)
            }
            Act::MoreOf {
                attribute,
                toward,
                than,
                wanted,
            } => self.more_of(attribute, *toward, than, wanted),
            Act::Count { wanted } => self.count(wanted),
            Act::Values { attribute, wanted } => self.values(attribute, wanted),
            Act::Kinds { wanted } => self.kinds(wanted),
            Act::NotCarried { .. } => keys(self.shop.catalogue.top_types()),
            Act::Cheaper { than } => self.beside(than, Side::Cheaper),
            Act::Better { than } => self.beside(than, Side::Dearer),
            Act::Alternatives { to } => goods(self.shop.catalogue.similar(to, RECOMMENDED_MAX)),
            Act::Accessories { of, kind } => {
                let catalogue = &self.shop.catalogue;
                let mut fitting = match kind {
                    Some(kind) => catalogue.accessories_of_kind(of, kind),
                    None => catalogue.accessories_of(of),
                };
                fitting.truncate(RECOMMENDED_MAX);
                goods(fitting)
            }
            Act::Know { question, topic } => self
                .shop
                .knowledge
                .search_on(question, topic.as_deref(), self.language)
                .into_iter()
                .next()
                .map_or(Found::Nothing, |passage| Found::Passage { passage }),
            Act::Price { id }
            | Act::Stock { id }
            | Act::Details { id }
            | Act::Reasons { id }
            | Act::Aspect { id, .. }
            | Act::Buy { id } => goods(vec![id.clone()]),
            Act::Together { ids } => goods(ids.clone()),
            Act::Compare { first, second } => goods(vec![first.clone(), second.clone()]),
            Act::Offers { wanted } => self.offers(wanted),
            Act::Discount { id, .. } => id
                .as_ref()
                .map_or(Found::Unneeded, |id| goods(vec![id.clone()])),
            Act::EasePrice { id } => id
                .as_ref()
                .map_or(Found::Unneeded, |id| self.beside(id, Side::Cheaper)),
            Act::BrandNotCarried { .. }
            | Act::Disclose
            | Act::DiscloseAgain
            | Act::DiscloseBack
            | Act::WelcomeBack
            | Act::Greet
            | Act::Thank
            | Act::Bye
            | Act::SmallTalk
            | Act::Insulted
            | Act::Robot
            | Act::Acknowledge
            | Act::Apologize
            | Act::ContactThanks
            | Act::Reassure
            | Act::ColleagueSaid { .. }
            | Act::ColleagueUnheard
            | Act::OwnCurrency
            | Act::CannotNotify
            | Act::WhatNext
            | Act::OfferPerson
            | Act::MatchPrice
            | Act::OtherCurrency
            | Act::Hours
            | Act::HoursOn { .. }
            | Act::AskWhich { .. }
            | Act::NotCompared
            | Act::AtYourService
            | Act::Ask { .. }
            | Act::Deny
            | Act::HandOff { .. }
            | Act::HandedOffAlready
            | Act::OptOut
            | Act::Privacy
            | Act::OthersData
            | Act::Recall
            | Act::Repeat
            | Act::Abilities
            | Act::Languages
            | Act::Clarify
            | Act::ExpiredChoice
            | Act::CannotOpen { .. }
            | Act::Own { .. } => Found::Unneeded,
        }
    }

    /// The best hits, one of each group of variants.
    fn ids(&self, query: &Query) -> Vec<String> {
        let catalogue = &self.shop.catalogue;
        let wider = Query {
            limit: query.limit.saturating_mul(VARIANTS_LOOKED_AT),
            ..query.clone()
        };
        let mut groups: Vec<&str> = Vec::new();
        let mut ids = Vec::new();
        for hit in catalogue.search(&wider) {
            let group = catalogue
                .get(&hit.id)
                .and_then(|product| product.item_group_id.as_deref());
            if group.is_some_and(|group| groups.contains(&group)) {
                continue;
            }
            groups.extend(group);
            ids.push(hit.id);
            if ids.len() >= query.limit {
                break;
            }
        }
        ids
    }

    /// The best hits, those made for so many people first; what is made for other numbers only where nothing is.
    fn ids_for(&self, people: u32, query: &Query) -> Vec<String> {
        let wider = Query {
            limit: HITS_FOR_PEOPLE,
            ..query.clone()
        };
        let mut suiting = Vec::new();
        let mut untold = Vec::new();
        let mut others = Vec::new();
        for id in self.ids(&wider) {
            match self.shop.catalogue.people_of(&id) {
                Some((_, span)) if span.holds(i64::from(people)) => suiting.push(id),
                Some(_) => others.push(id),
                None => untold.push(id),
            }
        }
        let mut ids = suiting;
        ids.extend(untold);
        if ids.is_empty() {
            ids = others;
        }
        ids.truncate(query.limit);
        ids
    }

    /// Hard constraints first with the words as taste, then without the words; the budget is never stretched in silence.
    fn recommend(&self, wanted: &Wanted) -> Found {
        let mut query = wanted.query(self.at_ms, RECOMMENDED_MAX);
        if wanted.price_near.is_some() {
            query.price_min = wanted.price_min;
        }
        let best = |query: &Query| match wanted.people {
            Some(people) => self.ids_for(people, query),
            None => self.ids(query),
        };
        let mut ids = best(&query);
        let is_near = !ids.is_empty();
        let bounded = wanted.price_min.is_some() || wanted.price_max.is_some();
        if ids.len() < RECOMMENDED_MAX && (wanted.is_concrete() || bounded) {
            query.words.clear();
            query.price_min = wanted.query(self.at_ms, 1).price_min;
            query.price_near = wanted.price_near;
            for id in best(&query) {
                if ids.len() < RECOMMENDED_MAX && !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        match wanted.price_min {
            // Nothing costs about that; what costs less is said to.
            Some(min) if wanted.price_near.is_some() && !is_near && !ids.is_empty() => {
                let given_up = vec![Constraint::PriceMin(min)];
                return Found::Relaxed { ids, given_up };
            }
            _ if !ids.is_empty() => return Found::Goods { ids },
            _ => {}
        }
        query.in_stock = false;
        let sold_out = self.ids(&query);
        if !sold_out.is_empty() {
            return Found::SoldOut { ids: sold_out };
        }
        self.relaxed(wanted)
    }

    /// A variant of what was shown is no other one.
    fn others(&self, wanted: &Wanted, shown: &[String]) -> Found {
        let catalogue = &self.shop.catalogue;
        let group = |id: &String| catalogue.get(id)?.item_group_id.clone();
        let groups: Vec<String> = shown.iter().filter_map(group).collect();
        let query = Query {
            not_ids: shown.to_vec(),
            ..wanted.query(self.at_ms, HITS_LOOKED_AT)
        };
        let mut ids = self.ids(&query);
        ids.retain(|id| !group(id).is_some_and(|group| groups.contains(&group)));
        ids.truncate(RECOMMENDED_MAX);
        goods(ids)
    }

    /// What costs less now than it did, of the kind wanted if there is one; what saves most comes first.
    fn offers(&self, wanted: &Wanted) -> Found {
        let catalogue = &self.shop.catalogue;
        let query = wanted.query(self.at_ms, HITS_LOOKED_AT);
        let ids = self.ids(&query);
        let saving = |saved: &dyn Fn(&Product) -> Option<i64>| -> Vec<(i64, String)> {
            let saved = |id: &String| saved(catalogue.get(id)?).filter(|saved| *saved > 0);
            let with_saved = |id: &String| Some((-saved(id)?, id.clone()));
            ids.iter().filter_map(with_saved).collect()
        };
        let mut reduced =
            saving(&|product| Some(product.price.minor - product.price_at(self.at_ms).minor));
        if reduced.is_empty() {
            // What is announced for later, of what was asked for.
            reduced = saving(&|product| {
                product.sale_from_ms.filter(|from| *from > self.at_ms)?;
                Some(product.price.minor - product.sale_price?.minor)
            });
        }
        reduced.sort();
        reduced.truncate(RECOMMENDED_MAX);
        goods(reduced.into_iter().map(|(_, id)| id).collect())
    }

    /// The first of each kind below the one wanted, the kinds with most products first.
    fn outfit(&self, wanted: &Wanted) -> Found {
        let query = wanted.query(self.at_ms, 1);
        let kinds = self.shop.catalogue.spread(&query).kinds;
        let (kinds, _) = kinds.unwrap_or_default();
        let first_of = |kind: &String| {
            let query = Query {
                types: vec![kind.clone()],
                ..query.clone()
            };
            self.ids(&query).into_iter().next()
        };
        goods(
            kinds
                .iter()
                .filter_map(first_of)
                .take(RECOMMENDED_MAX)
                .collect(),
        )
    }
}

enum Side {
    Cheaper,
    Dearer,
}

fn keys(keys: Vec<String>) -> Found {
    if keys.is_empty() {
        Found::Nothing
    } else {
        Found::Keys { keys }
    }
}

fn goods(ids: Vec<String>) -> Found {
    if ids.is_empty() {
        Found::Nothing
    } else {
        Found::Goods { ids }
    }
}
