//! Advice: what fits, what comes nearest, what is at one end, what lies beside a product, and two side by side.

use super::{Composer, Fact};
use crate::aspect::Toward;
use crate::choice;
use crate::decide::Wanted;
use crate::find::{Constraint, Found};
use crate::money::Money;
use crate::nlu::Superlative;
use crate::reply::Choice;

/// Values of a property, or kinds, told in one line.
const KEYS_MAX: usize = 12;

impl Composer<'_> {
    pub(super) fn recommend(&mut self, wanted: &Wanted, found: &Found) {
        let criteria = self.criteria(wanted);
        match found {
            Found::Goods { ids } => {
                let count = self.counted(ids.len());
                match (&criteria, ids.len()) {
                    (Some(criteria), 1) => {
                        self.say("recommend.one", &[("criteria", criteria.clone())]);
                    }
                    (Some(criteria), _) => self.say(
                        "recommend.criteria",
                        &[("criteria", criteria.clone()), ("count", count)],
                    ),
                    (None, 1) => self.say("recommend.single", &[]),
                    (None, _) => self.say("recommend.many", &[("count", count)]),
                }
                self.show(ids, Some(wanted));
                if let [first, _, ..] = ids.as_slice()
                    && let Some(product) = self.product(first)
                {
                    let highlight = self.highlight(product);
                    let title = self.title(product);
                    // A description that only says the name again is no reason.
                    let bare = highlight.text.trim_end_matches(['.', '。', ' ']);
                    if !bare.is_empty() && !title.text.starts_with(bare) {
                        self.say(
                            "recommend.top",
                            &[("title", title), ("highlight", highlight)],
                        );
                    }
                    self.offer(&choice::compare(ids), "choice.label.compare");
                    let price = |id: &&String| {
                        let at_ms = self.stage.moment.at_ms;
                        self.product(id)
                            .map(|product| product.price_at(at_ms).minor)
                    };
                    let cheapest = ids
                        .iter()
                        .filter(|id| price(id).is_some())
                        .min_by_key(price);
                    let cheaper = choice::cheaper(cheapest.map(String::as_str));
                    self.offer(&cheaper, "choice.label.cheaper");
                }
            }
            Found::Nearest { id, over } => {
                let Some(product) = self.product(id) else {
                    return;
                };
                let over = self.fact_of(product, "price", over.to_string());
                let (title, price) = (self.title(product), self.price_fact(product));
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say(
                    "recommend.nearest",
                    &[
                        ("criteria", criteria),
                        ("title", title),
                        ("price", price),
                        ("over", over),
                    ],
                );
                self.show(std::slice::from_ref(id), None);
            }
            Found::Relaxed { ids, given_up } => self.relaxed(wanted, criteria, ids, given_up),
            Found::SoldOut { ids } => {
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say("recommend.sold_out", &[("criteria", criteria)]);
                self.show(ids, None);
            }
            Found::Nothing
            | Found::Unneeded
            | Found::Passage { .. }
            | Found::Counted { .. }
            | Found::Keys { .. } => {
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say("recommend.none", &[("criteria", criteria)]);
                self.offer("talk-to-person", "choice.label.person");
            }
        }
    }

    /// Further ones of what is wanted, or that those shown are all.
    pub(super) fn others(&mut self, wanted: &Wanted, found: &Found) {
        let criteria = self.criteria(wanted).unwrap_or_else(|| self.kind(wanted));
        match found {
            Found::Goods { ids } => {
                let count = self.counted(ids.len());
                self.say("others.found", &[("criteria", criteria), ("count", count)]);
                self.show(ids, Some(wanted));
            }
            _ => self.say("others.none", &[("criteria", criteria)]),
        }
    }

    /// One product of each kind, and what the kinds are called.
    pub(super) fn outfit(&mut self, wanted: &Wanted, found: &Found) {
        let Found::Goods { ids } = found else {
            self.recommend(wanted, &Found::Nothing);
            return;
        };
        let language = self.stage.language;
        let catalogue = &self.stage.shop.catalogue;
        let kinds: Vec<String> = ids
            .iter()
            .filter_map(|id| self.product(id)?.type_keys.last())
            .filter_map(|key| catalogue.type_noun(key, language))
            .collect();
        let kinds = self.catalogue_fact(kinds.join(self.comma()));
        let criteria = self.criteria(wanted).unwrap_or_else(|| self.kind(wanted));
        self.say("outfit", &[("criteria", criteria), ("kinds", kinds)]);
        self.show(ids, Some(wanted));
    }

    /// Nothing keeps everything: which wish is given up, and what there is without it.
    fn relaxed(
        &mut self,
        wanted: &Wanted,
        criteria: Option<Fact>,
        ids: &[String],
        given_up: &[Constraint],
    ) {
        let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
        if let [Constraint::PriceMin(_)] = given_up {
            self.say("recommend.below", &[("criteria", criteria)]);
        } else {
            let names: Vec<String> = given_up.iter().map(|c| self.constraint(c)).collect();
            let given_up = self.said_fact(names.join(self.comma()));
            let mut facts = vec![("criteria", criteria), ("given_up", given_up)];
            if ids.len() == 1 {
                self.say("recommend.relaxed_one", &facts);
            } else {
                facts.push(("count", self.counted(ids.len())));
                self.say("recommend.relaxed", &facts);
            }
        }
        // The reasons name what each one has in place of what was wished for.
        self.show(ids, Some(wanted));
    }

    pub(super) fn count(&mut self, wanted: &Wanted, found: &Found) {
        let Found::Counted {
            count,
            lowest,
            highest,
        } = found
        else {
            self.recommend(wanted, &Found::Nothing);
            return;
        };
        let price = |composer: &Self, (id, money): &(String, Money)| {
            composer
                .product(id)
                .map(|product| composer.fact_of(product, "price", money.to_string()))
        };
        let (Some(from), Some(to)) = (price(self, lowest), price(self, highest)) else {
            return;
        };
        let criteria = self.criteria(wanted).unwrap_or_else(|| self.kind(wanted));
        let count = self.counted(*count);
        self.say(
            "count",
            &[
                ("criteria", criteria),
                ("count", count),
                ("from", from),
                ("to", to),
            ],
        );
    }

    pub(super) fn extreme(&mut self, of: Superlative, wanted: &Wanted, found: &Found) {
        let measured = self
            .stage
            .shop
            .catalogue
            .measured_by(of, wanted.category.as_deref());
        let key = match (of, measured) {
            (Superlative::Cheapest, _) => "extreme.cheapest",
            (Superlative::MostExpensive, _) => "extreme.dearest",
            (_, Some((attribute, toward))) => {
                self.rank(&attribute, toward, wanted, false, found);
                return;
            }
            (_, None) => {
                self.say("extreme.unknown", &[]);
                return;
            }
        };
        let first = match found {
            Found::Goods { ids } => ids.first(),
            _ => None,
        };
        match first.and_then(|id| self.product(id)) {
            Some(product) => {
                let kind = self.criteria(wanted).unwrap_or_else(|| self.kind(wanted));
                let (title, price) = (self.title(product), self.price_fact(product));
                self.say(key, &[("title", title), ("price", price), ("kind", kind)]);
                let id = product.id.clone();
                self.show(&[id], None);
            }
            None if matches!(found, Found::SoldOut { .. }) => self.recommend(wanted, found),
            None => self.recommend(wanted, &Found::Nothing),
        }
    }

    /// One end of a measured attribute, with the figure.
    pub(super) fn rank(
        &mut self,
        attribute: &str,
        toward: Toward,
        wanted: &Wanted,
        several: bool,
        found: &Found,
    ) {
        let ids = match found {
            Found::Goods { ids } => ids.as_slice(),
            _ => &[],
        };
        let Some(product) = ids.first().and_then(|id| self.product(id)) else {
            self.say("extreme.unknown", &[]);
            return;
        };
        // What is put in order may cost far less than about what was said.
        let mut up_to = wanted.clone();
        if up_to.price_near.take().is_some() {
            up_to.price_min = None;
        }
        let kind = self.criteria(&up_to).unwrap_or_else(|| self.kind(wanted));
        let (title, value) = (self.title(product), self.figure(product, attribute));
        let name = attribute;
        let attribute = self.attribute_label(name);
        let is_one = ids.len() == 1;
        let key = match toward {
            _ if is_one && several => "rank.one",
            Toward::Less => "rank.least",
            Toward::More => "rank.most",
        };
        self.say(
            key,
            &[
                ("kind", kind),
                ("attribute", attribute),
                ("title", title),
                ("value", value),
            ],
        );
        match ids {
            [id] => self.show(std::slice::from_ref(id), None),
            _ => self.show_because(&self.with_figures(ids, name)),
        }
    }

    /// Each product with its figure, as the reason on its card.
    fn with_figures(&self, ids: &[String], attribute: &str) -> Vec<(String, String)> {
        let products = ids.iter().filter_map(|id| self.product(id));
        products
            .map(|product| {
                let figure = self.figure(product, attribute).text;
                (product.id.clone(), self.attribute(attribute, &figure))
            })
            .collect()
    }

    pub(super) fn more_of(&mut self, attribute: &str, toward: Toward, than: &str, found: &Found) {
        let Some(product) = self.product(than) else {
            return;
        };
        let mut facts = vec![
            ("title", self.title(product)),
            ("value", self.figure(product, attribute)),
            ("attribute", self.attribute_label(attribute)),
        ];
        match found {
            Found::Goods { ids } => {
                facts.push(("count", self.counted(ids.len())));
                let key = match toward {
                    Toward::Less => "less.found",
                    Toward::More => "more.found",
                };
                self.say(key, &facts);
                self.show_because(&self.with_figures(ids, attribute));
            }
            _ => {
                let key = match toward {
                    Toward::Less => "less.none",
                    Toward::More => "more.none",
                };
                self.say(key, &facts);
                self.turn_to(than);
            }
        }
    }

    /// Which values of a property there are.
    pub(super) fn values(&mut self, attribute: &str, wanted: &Wanted, found: &Found) {
        let kind = self.kind(wanted);
        let label = self.attribute_label(attribute);
        let Found::Keys { keys } = found else {
            self.say("values.none", &[("kind", kind), ("attribute", label)]);
            return;
        };
        let names: Vec<String> = keys
            .iter()
            .take(KEYS_MAX)
            .map(|key| self.value_name(attribute, key))
            .collect();
        let values = self.catalogue_fact(names.join(self.comma()));
        self.say(
            "values",
            &[("kind", kind), ("attribute", label), ("values", values)],
        );
    }

    pub(super) fn kinds(&mut self, found: &Found) {
        if let Some(kinds) = self.named_kinds(found) {
            self.say("kinds", &[("kinds", kinds)]);
        } else {
            self.say("clarify", &[]);
        }
    }

    /// What the shop does not have, and what it has.
    pub(super) fn not_carried(&mut self, what: &str, found: &Found) {
        let what = self.said_fact(what.to_owned());
        match self.named_kinds(found) {
            Some(kinds) => self.say("not_carried", &[("what", what), ("kinds", kinds)]),
            None => self.say("recommend.none", &[("criteria", what)]),
        }
    }

    /// The kinds' names, each also as a quick reply.
    fn named_kinds(&mut self, found: &Found) -> Option<Fact> {
        let Found::Keys { keys } = found else {
            return None;
        };
        let language = self.stage.language;
        let catalogue = &self.stage.shop.catalogue;
        let named: Vec<(String, String)> = keys
            .iter()
            .take(KEYS_MAX)
            .filter_map(|key| Some((key.clone(), catalogue.type_name(key, language)?.to_owned())))
            .collect();
        let names: Vec<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
        let kinds = self.catalogue_fact(names.join(self.comma()));
        for (key, label) in named {
            self.choices.push(Choice {
                id: format!("type:{key}"),
                label,
            });
        }
        Some(kinds)
    }

    pub(super) fn beside(&mut self, family: &str, id: &str, found: &Found) {
        let Some(product) = self.product(id) else {
            return;
        };
        let title = self.title(product);
        match found {
            Found::Goods { ids } => {
                let count = self.counted(ids.len());
                self.say(
                    &format!("{family}.found"),
                    &[("title", title), ("count", count)],
                );
                self.show(ids, None);
            }
            _ => {
                let price = self.price_fact(product);
                self.say(
                    &format!("{family}.none"),
                    &[("title", title), ("price", price)],
                );
                self.turn_to(id);
            }
        }
    }

    /// An objection to the price: what costs less and what that saves, or that nothing of the kind does.
    pub(super) fn ease(&mut self, id: Option<&str>, found: &Found) {
        let Some(product) = id.and_then(|id| self.product(id)) else {
            self.say("ease", &[]);
            self.offer_yes_no("offer:cheaper");
            return;
        };
        let at_ms = self.stage.moment.at_ms;
        let cheaper = match found {
            Found::Goods { ids } => ids.first().and_then(|id| self.product(id)),
            _ => None,
        };
        let Some(cheaper) = cheaper else {
            let facts = [
                ("title", self.title(product)),
                ("price", self.price_fact(product)),
            ];
            self.say("ease.none", &facts);
            self.turn_to(&product.id);
            return;
        };
        let (price, low) = (product.price_at(at_ms), cheaper.price_at(at_ms));
        let saved = Money {
            minor: price.minor - low.minor,
            currency: price.currency,
        };
        let facts = [
            ("title", self.title(cheaper)),
            ("price", self.price_fact(cheaper)),
            ("saved", self.fact_of(cheaper, "price", saved.to_string())),
            ("than", self.title(product)),
            ("highlight", self.highlight(cheaper)),
        ];
        self.say("ease.cheaper", &facts);
        let ids = [cheaper.id.clone(), product.id.clone()];
        self.show(&ids[..1], None);
        self.offer(&choice::compare(&ids), "choice.label.compare_with");
    }
}
