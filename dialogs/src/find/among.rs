//! What there is: how many, which values and kinds, the ends of a price or a property, and what lies beside one product.

use super::{Found, HITS_LOOKED_AT, Seeker, Side, goods, keys};
use crate::aspect::Toward;
use crate::catalogue::{Order, Query};
use crate::decide::{RECOMMENDED_MAX, Wanted};
use crate::money::Money;
use crate::nlu::Superlative;

impl Seeker<'_> {
    /// One end of a measured attribute, within every constraint.
    pub(super) fn rank(
        &self,
        attribute: &str,
        toward: Toward,
        wanted: &Wanted,
        limit: usize,
    ) -> Found {
        let mut query = wanted.clone().without_words().query(self.at_ms, limit);
        query.order = match toward {
            Toward::Less => Order::MeasureUp(attribute.to_owned()),
            Toward::More => Order::MeasureDown(attribute.to_owned()),
        };
        let catalogue = &self.shop.catalogue;
        let mut ids = self.ids(&query);
        ids.retain(|id| catalogue.measure_of(id, attribute).is_some());
        goods(ids)
    }

    /// Of the kind wanted, or of the product's own, what has less (or more) of an attribute, nearest first.
    pub(super) fn more_of(
        &self,
        attribute: &str,
        toward: Toward,
        than: &str,
        wanted: &Wanted,
    ) -> Found {
        let catalogue = &self.shop.catalogue;
        let (Some(product), Some(span)) =
            (catalogue.get(than), catalogue.measure_of(than, attribute))
        else {
            return Found::Nothing;
        };
        let mut wanted = wanted.clone().without_words();
        if wanted.category.is_none() {
            wanted.category = product.type_keys.last().cloned();
        }
        let mut query = wanted.query(self.at_ms, HITS_LOOKED_AT);
        query.order = match toward {
            Toward::Less => Order::MeasureUp(attribute.to_owned()),
            Toward::More => Order::MeasureDown(attribute.to_owned()),
        };
        let on_that_side = |id: &String| {
            catalogue
                .measure_of(id, attribute)
                .is_some_and(|other| match toward {
                    Toward::Less => other.low < span.low,
                    Toward::More => other.high > span.high,
                })
        };
        let ids = self.ids(&query).into_iter().filter(on_that_side);
        goods(ids.take(RECOMMENDED_MAX).collect())
    }

    pub(super) fn values(&self, attribute: &str, wanted: &Wanted) -> Found {
        let shape = self.shop.catalogue.shape(&wanted.query(self.at_ms, 1));
        let mut counted: Vec<(usize, String)> = shape
            .by_attribute
            .into_iter()
            .filter(|(name, ..)| name == attribute)
            .map(|(_, key, count)| (count, key))
            .collect();
        counted.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        keys(counted.into_iter().map(|(_, key)| key).collect())
    }

    /// The kinds below the one wanted, else the most general ones.
    pub(super) fn kinds(&self, wanted: &Wanted) -> Found {
        let catalogue = &self.shop.catalogue;
        let spread = catalogue.spread(&wanted.query(self.at_ms, 1));
        match spread.kinds {
            Some((found, _)) if wanted.category.is_some() => keys(found),
            _ => keys(catalogue.top_types()),
        }
    }

    pub(super) fn count(&self, wanted: &Wanted) -> Found {
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

    pub(super) fn extreme(&self, of: Superlative, wanted: &Wanted) -> Found {
        let order = match of {
            Superlative::Cheapest => Order::PriceUp,
            Superlative::MostExpensive => Order::PriceDown,
            _ => {
                return match self
                    .shop
                    .catalogue
                    .measured_by(of, wanted.category.as_deref())
                {
                    Some((attribute, toward)) => self.rank(&attribute, toward, wanted, 1),
                    None => Found::Nothing,
                };
            }
        };
        let mut query = wanted.query(self.at_ms, 1);
        query.words.clear();
        query.order = order;
        let ids = self.ids(&query);
        if !ids.is_empty() {
            return goods(ids);
        }
        query.in_stock = false;
        query.limit = RECOMMENDED_MAX;
        match self.ids(&query) {
            ids if ids.is_empty() => Found::Nothing,
            ids => Found::SoldOut { ids },
        }
    }

    /// Products of the same kind on one side of a price.
    pub(super) fn beside(&self, id: &str, side: Side) -> Found {
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
        let wider = product
            .type_keys
            .last()
            .and_then(|kind| self.shop.catalogue.wider_kind(kind));
        if let (true, Some(wider)) = (ids.is_empty(), wider) {
            // Nothing of the very kind: what else serves the same end.
            query.types = vec![wider.to_owned()];
            ids = self.ids(&query);
        }
        goods(ids)
    }
}
