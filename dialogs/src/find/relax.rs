//! What comes nearest where nothing keeps every constraint: the fewest of them given up, and which.

use super::{Found, Seeker};
use crate::catalogue::{Order, Query};
use crate::decide::{RECOMMENDED_MAX, Wanted};
use crate::event::Exclusion;
use crate::measure::MeasureBound;
use crate::money::Money;

/// A constraint that the products found do not keep.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    Brand(String),
    Attribute { name: String, key: String },
    Measure(MeasureBound),
    PriceMin(Money),
    PriceMax(Money),
    Excluded(Exclusion),
}

impl Seeker<'_> {
    /// One constraint given up before all of them are; the price last.
    pub(super) fn relaxed(&self, wanted: &Wanted) -> Found {
        let soft = constraints(wanted);
        let price = wanted.price_max.map(Constraint::PriceMax);
        // Given up one at a time, the newest kind of wish first.
        for constraint in &soft {
            let found = self.without(wanted, std::slice::from_ref(constraint));
            if !found.is_empty() {
                return Found::Relaxed {
                    ids: found,
                    given_up: vec![constraint.clone()],
                };
            }
        }
        if let (Some(budget), Some(id)) = (wanted.price_max, self.dearer(wanted)) {
            return self.over(id, budget);
        }
        if !soft.is_empty() {
            let found = self.without(wanted, &soft);
            if !found.is_empty() {
                return Found::Relaxed {
                    ids: found,
                    given_up: soft,
                };
            }
        }
        let all: Vec<Constraint> = soft.into_iter().chain(price).collect();
        let found = self.without(wanted, &all);
        if found.is_empty() || all.is_empty() {
            Found::Nothing
        } else {
            Found::Relaxed {
                ids: found,
                given_up: all,
            }
        }
    }

    /// What fits but for some constraints; over the budget the cheapest first.
    fn without(&self, wanted: &Wanted, given_up: &[Constraint]) -> Vec<String> {
        let mut rest = wanted.clone().without_words();
        let mut order = Order::Relevance;
        for constraint in given_up {
            match constraint {
                Constraint::Brand(_) => rest.brand = None,
                Constraint::Attribute { name, .. } => {
                    rest.attributes.retain(|(other, _)| other != name);
                }
                Constraint::Measure(bound) => rest.measures.retain(|other| other != bound),
                Constraint::PriceMin(_) => {
                    rest.price_min = None;
                    order = Order::PriceDown;
                }
                Constraint::PriceMax(_) => {
                    rest.price_max = None;
                    order = Order::PriceUp;
                }
                Constraint::Excluded(exclusion) => rest.excluded.retain(|other| other != exclusion),
            }
        }
        // Of the whole shop nothing is near.
        if !rest.is_concrete() {
            return Vec::new();
        }
        self.ids(&Query {
            order,
            ..rest.query(self.at_ms, RECOMMENDED_MAX)
        })
    }

    /// The cheapest that keeps everything but the budget.
    fn dearer(&self, wanted: &Wanted) -> Option<String> {
        let budget = wanted.price_max?;
        if !wanted.is_concrete() {
            return None;
        }
        let query = Query {
            price_max: None,
            price_min: Some(budget),
            order: Order::PriceUp,
            ..wanted.clone().without_words().query(self.at_ms, 1)
        };
        self.ids(&query).into_iter().next()
    }

    fn over(&self, id: String, budget: Money) -> Found {
        match self.shop.catalogue.get(&id) {
            Some(product) => {
                let price = product.price_at(self.at_ms);
                let over = Money {
                    minor: price.minor - budget.minor,
                    currency: budget.currency,
                };
                Found::Nearest { id, over }
            }
            None => Found::Nothing,
        }
    }
}

/// Everything but the kind and the budget, what is given up most easily first.
fn constraints(wanted: &Wanted) -> Vec<Constraint> {
    let attributes = wanted
        .attributes
        .iter()
        .rev()
        .map(|(name, key)| Constraint::Attribute {
            name: name.clone(),
            key: key.clone(),
        });
    let measures = wanted.measures.iter().cloned().map(Constraint::Measure);
    let brand = wanted.brand.iter().cloned().map(Constraint::Brand);
    let floor = wanted
        .price_min
        .filter(|_| wanted.price_near.is_none())
        .into_iter()
        .map(Constraint::PriceMin);
    let excluded = wanted.excluded.iter().cloned().map(Constraint::Excluded);
    attributes
        .chain(measures)
        .chain(brand)
        .chain(floor)
        .chain(excluded)
        .collect()
}
