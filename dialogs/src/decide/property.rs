//! Questions about properties: what one product has, what there is, and what has less or more of it.

use super::{Act, Decider, Wanted};
use crate::aspect::{Says, Toward};
use crate::catalogue::{Order, Query};
use crate::cue::Cue;
use crate::measure::Quality;
use crate::nlu::{Superlative, Value};
use crate::track::can_it;

/// Intents that a question about a property is taken for.
const OF_PROPERTIES: [&str; 16] = [
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
    "ask_compatibility",
    "ask_size_advice",
];

/// Products of one question whose figures are told.
const NAMED_MAX: usize = 3;
/// Intents beside a question that change nothing of it.
const COURTESIES: [&str; 3] = ["greet", "thank", "small_talk"];

/// Others than the product under discussion could be meant.
fn wanted_kind(wanted: &Wanted) -> bool {
    wanted.category.is_some() || wanted.brand.is_some()
}

impl Decider<'_> {
    /// All that is needed for something is asked for, and it falls into kinds.
    pub(super) fn outfit(&mut self) -> bool {
        if !Cue::Outfit.is_in(&self.words) {
            return false;
        }
        let wanted = self.wanted().without_words();
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
        let open = |i: &String| OF_PROPERTIES.contains(&i.as_str()) || i == "ask_accessories";
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

    /// “Which plan has the most data?”
    fn end_of_property(&mut self, attributes: &[String], wanted: &Wanted) -> bool {
        let toward = if Cue::Most.is_in(&self.words) {
            Toward::More
        } else if Cue::Least.is_in(&self.words) {
            Toward::Less
        } else {
            return false;
        };
        let catalogue = &self.scene.shop.catalogue;
        let attribute = attributes
            .iter()
            .find(|name| catalogue.tells_figures(name, wanted.category.as_deref()))
            .cloned();
        let Some(attribute) = attribute.filter(|_| wanted.is_concrete()) else {
            return false;
        };
        self.act(
            Act::Rank {
                attribute,
                toward,
                wanted: wanted.clone(),
                several: false,
            },
            "one end of a property is asked for",
        );
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

    /// “My counter is 40 cm deep, does it fit?”: how deep the product under discussion is.
    fn fits_the_measure(&mut self) -> bool {
        let wanted = self.wanted();
        let id = self.target().filter(|_| !wanted_kind(&wanted));
        let Some(id) = id.filter(|_| self.is_a_question()) else {
            return false;
        };
        let catalogue = &self.scene.shop.catalogue;
        let kind = catalogue
            .get(&id)
            .and_then(|product| product.type_keys.last())
            .map_or("", String::as_str);
        let entities = &self.scene.understanding.entities;
        let attribute = entities.iter().find_map(|entity| match &entity.value {
            Value::Measure {
                quality: Some(quality),
                ..
            } => catalogue.attribute_for(*quality, kind),
            // “Under a 40 cm cabinet” leaves room for so much height.
            Value::Measure { quality: None, .. } if Cue::Beneath.is_in(&self.words) => {
                catalogue.attribute_for(Quality::Height, kind)
            }
            _ => None,
        });
        let Some((attribute, _)) =
            attribute.filter(|(name, _)| catalogue.measure_of(&id, name).is_some())
        else {
            return false;
        };
        let act = Act::Aspect {
            id,
            attributes: vec![attribute],
        };
        self.act(act, "a measure of the product under discussion");
        true
    }

    /// “How long is the warranty of the cheapest one?”
    fn aspect_of_extreme(&mut self, of: Superlative, attributes: &[String]) -> bool {
        let order = match of {
            Superlative::Cheapest => Order::PriceUp,
            Superlative::MostExpensive => Order::PriceDown,
            _ => return false,
        };
        let wanted = self.wanted().without_words();
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

    /// “Which is quieter, the Duo or the G1?”: the figure of each, the better one first.
    fn each_of_those_named(&mut self, attribute: &str, toward: Toward) -> bool {
        let catalogue = &self.scene.shop.catalogue;
        let mut told: Vec<(i64, String)> = self
            .mentioned
            .iter()
            .filter_map(|id| {
                let span = catalogue.measure_of(id, attribute)?;
                let figure = match toward {
                    Toward::Less => span.low,
                    Toward::More => span.high.saturating_neg(),
                };
                Some((figure, id.clone()))
            })
            .collect();
        if told.len() < 2 || told.len() < self.mentioned.len() {
            return false;
        }
        told.sort();
        for (_, id) in told.into_iter().take(NAMED_MAX) {
            let attributes = vec![attribute.to_owned()];
            self.act(Act::Aspect { id, attributes }, "each of those named");
        }
        true
    }

    /// The words between two bytes stand in what a product is called.
    fn is_in_a_name(&self, start: usize, end: usize) -> bool {
        let piece = self.words.get(start..end).unwrap_or_default();
        let mut entities = self.scene.understanding.entities.iter();
        entities.any(|entity| {
            matches!(entity.value, Value::Product { .. })
                && crate::text::fold(&entity.quote).contains(piece)
        })
    }

    /// “Can the H30 grind for espresso?”: what the product says of that, in its own words.
    fn asks_whether_one_can(&mut self) -> bool {
        let [id] = self.mentioned.as_slice() else {
            return false;
        };
        let asks = self.says_value() && can_it(self.scene.understanding, &self.words);
        if asks {
            let id = id.clone();
            self.act(Act::Details { id }, "what one product can do");
        }
        asks
    }

    /// A question about properties: what one product has, what there is, or what has less or more of it.
    pub(super) fn ask_of_properties(&mut self, intents: &[String]) -> bool {
        let is_courtesy = |i: &String| COURTESIES.contains(&i.as_str());
        let mut asked = intents.iter().filter(|i| !is_courtesy(i)).peekable();
        if asked.peek().is_none() || !asked.all(|i| OF_PROPERTIES.contains(&i.as_str())) {
            return false;
        }
        if self.fits_the_measure() {
            return true;
        }
        if self.asks_whether_one_can() {
            return true;
        }
        let mut aspects = self.scene.shop.aspects.find(&self.words);
        // The name of a product asks for no property: the Latte.
        aspects.retain(|aspect| !self.is_in_a_name(aspect.start, aspect.end));
        // What goods must have is wished for, not asked.
        if self.wishes_feature() {
            aspects.retain(|aspect| aspect.says != Says::Name);
        }
        let Some(first) = aspects.first() else {
            let untold = self.scene.shop.aspects.names_untold(&self.words);
            let open = untold && !self.mentioned.is_empty() && !self.told_something();
            if open {
                self.know("a property that no product tells".to_owned());
            }
            return open;
        };
        if let Some(of) = self.superlative() {
            return first.says == Says::Name && self.aspect_of_extreme(of, first.attributes);
        }
        let catalogue = &self.scene.shop.catalogue;
        let mut wanted = self.wanted().without_words();
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
            if self.each_of_those_named(&attribute, toward) {
                return true;
            }
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
                None if wanted.category.is_some() => self.act(
                    Act::Rank {
                        attribute,
                        toward,
                        wanted,
                        several: true,
                    },
                    "less or more of a property is wanted",
                ),
                None => return false,
            }
            return true;
        }
        if first.says == Says::Name && self.end_of_property(first.attributes, &wanted) {
            return true;
        }
        // “What about the colour, is there a white one?”, of the product under discussion.
        if let Some(id) = self.scene.conversation.focus.clone()
            && self.says_value()
            && !wanted_kind(&wanted)
            && first.says == Says::Name
            && self.mentioned.is_empty()
        {
            let attributes = first.attributes.to_vec();
            self.act(Act::Aspect { id, attributes }, "a property of one product");
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
