//! What products are said to taste like, by their titles and descriptions.

use super::Product;
use crate::aspect::Toward;
use crate::{taste, text};
use std::collections::BTreeMap;

/// By place: each taste that the product's words tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Tastes(BTreeMap<usize, BTreeMap<&'static str, Toward>>);

impl Tastes {
    pub(super) fn of(products: &[Product]) -> Self {
        let told = |product: &Product| {
            let texts = product.title.texts().chain(product.description.texts());
            let joined: Vec<&str> = texts.map(|(_, text)| text).collect();
            taste::told(&text::fold(&joined.join(" . ")))
        };
        let all = products.iter().map(told).enumerate();
        Self(all.filter(|(_, told)| !told.is_empty()).collect())
    }

    pub(super) fn told(&self, place: usize, taste: &str) -> Option<Toward> {
        self.0.get(&place)?.get(taste).copied()
    }

    /// Only those that say what is wished for; where none does, those that do not say the contrary.
    pub(super) fn keep(&self, places: &mut Vec<usize>, wishes: &[(String, Toward)]) {
        for (taste, toward) in wishes {
            let says = |place: &usize| self.told(*place, taste);
            if places.iter().any(|place| says(place) == Some(*toward)) {
                places.retain(|place| says(place) == Some(*toward));
            } else {
                places.retain(|place| says(place).is_none());
            }
        }
    }

    /// Places of the products that tell a taste, that way or either.
    pub(super) fn tell(&self, taste: &str, toward: Option<Toward>) -> impl Iterator<Item = usize> {
        self.0
            .iter()
            .filter(move |(_, told)| {
                let told = told.get(taste);
                told.is_some_and(|told| toward.is_none_or(|toward| toward == *told))
            })
            .map(|(place, _)| *place)
    }
}
