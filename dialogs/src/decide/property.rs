//! Questions about properties: what one product has, what there is, and what has less or more of it.

use super::{Act, Decider, Wanted};
use crate::aspect::Says;
use crate::catalogue::{Order, Query};
use crate::cue::Cue;
use crate::nlu::{Superlative, Value};

/// Intents that a question about a property is taken for.
const OF_PROPERTIES: [&str; 14] = [
    "ask_details",
    "ask_most",
    "ask_stock",
    "ask_cheaper",
    "ask_better",
    "ask_alternatives",
    "ask_recommendation",
    "ask_reason",
    "ask_usage",
    "ask_price",
    "compare",
    "inform",
    "correct",
    "out_of_scope",
];

impl Decider<'_> {
    /// All that is needed for something is asked for, and it falls into kinds.
    pub(super) fn outfit(&mut self) -> bool {
        if !Cue::Outfit.is_in(&self.words) {
            return false;
        }
        let wanted = Wanted::of(self.scene.conversation).without_words();
        let query = wanted.query(self.scene.at_ms, 1);
        let has_kinds = self.scene.shop.catalogue.spread(&query).kinds.is_some();
        if wanted.category.is_none() || !has_kinds {
            return false;
        }
        self.act(Act::Outfit { wanted }, "all that is needed is asked for");
        true
    }

    /// “Which papers does it take?”: goods of another kind that fit the product named.
    pub(super) fn goods_that_fit(&mut self, intents: &[String]) -> bool {
        let open = |i: &String| {
            OF_PROPERTIES.contains(&i.as_str())
                || matches!(i.as_str(), "ask_accessories" | "ask_compatibility")
        };
        let [of] = self.mentioned.as_slice() else {
            return false;
        };
        if !intents.iter().all(open) || Cue::Accessories.is_in(&self.words) {
            return false;
        }
        let catalogue = &self.scene.shop.catalogue;
        let kind = self
            .scene
            .understanding
            .entities
            .iter()
            .filter(|entity| !entity.negated)
            .find_map(|entity| match &entity.value {
                Value::ProductType { key } if !catalogue.is_of_kind(of, key) => Some(key.clone()),
                _ => None,
            });
        let Some(kind) = kind.filter(|kind| !catalogue.accessories_of_kind(of, kind).is_empty())
        else {
            return false;
        };
        let act = Act::Accessories {
            of: of.clone(),
            kind: Some(kind),
        };
        self.act(act, "what of that kind fits the product");
        true
    }

    fn lists_many_kinds(&self) -> bool {
        let catalogue = &self.scene.shop.catalogue;
        let listed = &self.scene.conversation.listed;
        let mut kinds = listed
            .iter()
            .filter_map(|id| catalogue.get(id)?.type_keys.first());
        let first = kinds.next();
        kinds.any(|kind| Some(kind) != first)
    }

    /// “How long is the warranty of the cheapest one?”
    fn aspect_of_extreme(&mut self, of: Superlative, attributes: &[String]) -> bool {
        let order = match of {
            Superlative::Cheapest => Order::PriceUp,
            Superlative::MostExpensive => Order::PriceDown,
            _ => return false,
        };
        let wanted = Wanted::of(self.scene.conversation).without_words();
        if !wanted.is_concrete() {
            return false;
        }
        let query = Query {
            order,
            ..wanted.query(self.scene.at_ms, 1)
        };
        let Some(hit) = self.scene.shop.catalogue.search(&query).into_iter().next() else {
            return false;
        };
        let act = Act::Aspect {
            id: hit.id,
            attributes: attributes.to_vec(),
        };
        self.act(act, "a property of the one at an end of the prices");
        true
    }

    /// A question about properties: what one product has, what there is, or what has less or more of it.
    pub(super) fn ask_of_properties(&mut self, intents: &[String]) -> bool {
        if !intents.iter().all(|i| OF_PROPERTIES.contains(&i.as_str())) {
            return false;
        }
        let aspects = self.scene.shop.aspects.find(&self.words);
        let Some(first) = aspects.first() else {
            return false;
        };
        if let Some(of) = self.superlative() {
            return first.says == Says::Name && self.aspect_of_extreme(of, first.attributes);
        }
        let catalogue = &self.scene.shop.catalogue;
        let mut wanted = Wanted::of(self.scene.conversation).without_words();
        if let Says::Wish(toward) = first.says {
            // Less of it than what, where things of many kinds lie side by side?
            if self.target().is_none() && !wanted.is_concrete() && self.lists_many_kinds() {
                return false;
            }
            let attribute = first
                .attributes
                .iter()
                .find(|name| catalogue.tells_figures(name, wanted.category.as_deref()));
            let Some(attribute) = attribute.cloned() else {
                return false;
            };
            match self.end_in(&attribute, toward) {
                Some(than) => self.act(
                    Act::MoreOf {
                        attribute,
                        toward,
                        than,
                        wanted,
                    },
                    "less or more of a property is wanted",
                ),
                None if wanted.is_concrete() => self.act(
                    Act::Rank {
                        attribute,
                        toward,
                        wanted,
                    },
                    "less or more of a property is wanted",
                ),
                None => return false,
            }
            return true;
        }
        let asks_which = Cue::Which.is_in(&self.words);
        let pointed_at = !self.mentioned.is_empty();
        match self.target().filter(|_| pointed_at || !self.says_value()) {
            Some(id) if pointed_at || !asks_which => {
                let attributes: Vec<String> = aspects
                    .iter()
                    .filter(|aspect| aspect.says == Says::Name)
                    .flat_map(|aspect| aspect.attributes.iter().cloned())
                    .collect();
                self.act(Act::Aspect { id, attributes }, "a property of one product");
                true
            }
            target if asks_which && !self.says_value() => {
                // What colours are there: of the kind under discussion.
                if !wanted.is_concrete()
                    && let Some(product) = target.as_deref().and_then(|id| catalogue.get(id))
                {
                    wanted.category = product.type_keys.last().cloned();
                }
                let Some(attribute) = first.attributes.first().cloned() else {
                    return false;
                };
                wanted.attributes.retain(|(name, _)| *name != attribute);
                self.act(
                    Act::Values { attribute, wanted },
                    "what there is of a property",
                );
                true
            }
            _ => false,
        }
    }
}
