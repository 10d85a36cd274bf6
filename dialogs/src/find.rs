//! The evidence for each act: products and passages that exist.

use crate::Language;
use crate::catalogue::{Order, Query};
use crate::decide::{Act, Decision, RECOMMENDED_MAX, Wanted};
use crate::knowledge::Passage;
use crate::money::Money;
use crate::nlu::Superlative;
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
    /// Nothing reaches the lower end of the budget; these keep everything else.
    Below {
        ids: Vec<String>,
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

struct Seeker<'a> {
    shop: &'a Shop,
    language: Language,
    at_ms: i64,
}

impl Seeker<'_> {
    fn for_act(&self, act: &Act) -> Found {
        match act {
            Act::Recommend { wanted } => self.recommend(wanted),
            Act::Extreme { of, wanted } => self.extreme(*of, wanted),
            Act::Count { wanted } => self.count(wanted),
            Act::Cheaper { than } => self.beside(than, Side::Cheaper),
            Act::Better { than } => self.beside(than, Side::Dearer),
            Act::Alternatives { to } => goods(self.shop.catalogue.similar(to, RECOMMENDED_MAX)),
            Act::Accessories { of } => goods(
                self.shop
                    .catalogue
                    .accessories_of(of)
                    .into_iter()
                    .take(RECOMMENDED_MAX)
                    .collect(),
            ),
            Act::Know { question } => self
                .shop
                .knowledge
                .search(question, self.language)
                .into_iter()
                .next()
                .map_or(Found::Nothing, |passage| Found::Passage { passage }),
            Act::Price { id }
            | Act::Stock { id }
            | Act::Details { id }
            | Act::Reasons { id }
            | Act::Buy { id } => goods(vec![id.clone()]),
            Act::Compare { first, second } => goods(vec![first.clone(), second.clone()]),
            Act::Discount { id } | Act::EasePrice { id } => id
                .as_ref()
                .map_or(Found::Unneeded, |id| goods(vec![id.clone()])),
            Act::Disclose
            | Act::WelcomeBack
            | Act::Greet
            | Act::Thank
            | Act::Bye
            | Act::SmallTalk
            | Act::Insulted
            | Act::Robot
            | Act::Acknowledge
            | Act::ContactThanks
            | Act::Reassure
            | Act::MatchPrice
            | Act::OtherCurrency
            | Act::Hours
            | Act::AskWhich
            | Act::Ask { .. }
            | Act::Deny
            | Act::HandOff { .. }
            | Act::HandedOffAlready
            | Act::OptOut
            | Act::Privacy
            | Act::Clarify
            | Act::ExpiredChoice
            | Act::Own { .. } => Found::Unneeded,
        }
    }

    fn ids(&self, query: &Query) -> Vec<String> {
        self.shop
            .catalogue
            .search(query)
            .into_iter()
            .map(|hit| hit.id)
            .collect()
    }

    /// Hard constraints first with the words as taste, then without the words; the budget is never stretched in silence.
    fn recommend(&self, wanted: &Wanted) -> Found {
        let mut query = wanted.query(self.at_ms, RECOMMENDED_MAX);
        let mut ids = self.ids(&query);
        let bounded = wanted.price_min.is_some() || wanted.price_max.is_some();
        if ids.len() < RECOMMENDED_MAX && (wanted.is_concrete() || bounded) {
            query.words.clear();
            for id in self.ids(&query) {
                if ids.len() < RECOMMENDED_MAX && !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        if !ids.is_empty() {
            return Found::Goods { ids };
        }
        query.in_stock = false;
        let sold_out = self.ids(&query);
        if !sold_out.is_empty() {
            return Found::SoldOut { ids: sold_out };
        }
        if wanted.price_min.is_some() {
            query.in_stock = true;
            query.price_min = None;
            query.order = Order::PriceDown;
            let below = self.ids(&query);
            if !below.is_empty() {
                return Found::Below { ids: below };
            }
            query.order = Order::Relevance;
        }
        let Some(budget) = wanted.price_max.filter(|_| wanted.is_concrete()) else {
            return Found::Nothing;
        };
        query.in_stock = true;
        query.price_max = None;
        query.price_min = Some(budget);
        query.order = Order::PriceUp;
        query.limit = 1;
        self.ids(&query)
            .into_iter()
            .next()
            .and_then(|id| {
                let price = self.shop.catalogue.get(&id)?.price_at(self.at_ms);
                let over = Money {
                    minor: price.minor - budget.minor,
                    currency: budget.currency,
                };
                Some(Found::Nearest { id, over })
            })
            .unwrap_or(Found::Nothing)
    }

    fn count(&self, wanted: &Wanted) -> Found {
        let shape = self.shop.catalogue.shape(&wanted.query(self.at_ms, 1));
        match (shape.min, shape.max) {
            (Some(lowest), Some(highest)) => Found::Counted {
                count: shape.count,
                lowest,
                highest,
            },
            _ => Found::Nothing,
        }
    }

    fn extreme(&self, of: Superlative, wanted: &Wanted) -> Found {
        let order = match of {
            Superlative::Cheapest => Order::PriceUp,
            Superlative::MostExpensive => Order::PriceDown,
            _ => return Found::Nothing,
        };
        let mut query = wanted.query(self.at_ms, 1);
        query.words.clear();
        query.order = order;
        goods(self.ids(&query))
    }

    /// Products of the same kind on one side of a price.
    fn beside(&self, id: &str, side: Side) -> Found {
        let Some(product) = self.shop.catalogue.get(id) else {
            return Found::Nothing;
        };
        let price = product.price_at(self.at_ms);
        let next = |minor| Money {
            minor,
            currency: price.currency,
        };
        let mut query = Query {
            types: product.type_keys.last().cloned().into_iter().collect(),
            in_stock: true,
            limit: RECOMMENDED_MAX,
            now_ms: self.at_ms,
            ..Query::default()
        };
        match side {
            Side::Cheaper => {
                query.price_max = Some(next(price.minor - 1));
                query.order = Order::PriceDown;
            }
            Side::Dearer => {
                query.price_min = Some(next(price.minor + 1));
                query.order = Order::PriceUp;
            }
        }
        let mut ids = self.ids(&query);
        if ids.is_empty() {
            // Nothing of the very kind: what else serves the same end.
            query.types = product.type_keys.first().cloned().into_iter().collect();
            ids = self.ids(&query);
        }
        goods(ids)
    }
}

enum Side {
    Cheaper,
    Dearer,
}

fn goods(ids: Vec<String>) -> Found {
    if ids.is_empty() {
        Found::Nothing
    } else {
        Found::Goods { ids }
    }
}
