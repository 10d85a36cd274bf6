//! What is asked of the catalogue and what comes back.

use crate::aspect::Toward;
use crate::measure::MeasureBound;
use crate::money::Money;

/// A search: words are taste, everything else is a promise that no hit breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Free text in any language; empty means every product that keeps the rest.
    pub words: String,
    /// What else is known of the thing sought, such as its brand, number and kind: taste too, compared with every field, but the title is compared with `words` alone.
    pub beside: String,
    /// Any of these types or what lies below them, by key.
    pub types: Vec<String>,
    /// Any of these brands.
    pub brands: Vec<String>,
    /// Attribute name and value key; of one name any value, of several names all.
    pub attributes: Vec<(String, String)>,
    /// All of these; a product that does not tell a measure does not pass.
    pub measures: Vec<MeasureBound>,
    /// Attributes that must be told, and not as missing: milk, wifi.
    pub features: Vec<String>,
    /// Little or much of a taste: what is said to have it, else what is not said to have the contrary.
    pub tastes: Vec<(String, Toward)>,
    pub not_types: Vec<String>,
    pub not_brands: Vec<String>,
    pub not_attributes: Vec<(String, String)>,
    /// Product ids left out, such as those shown before.
    pub not_ids: Vec<String>,
    /// Inclusive, against the price at `now_ms`; a product in another currency never passes.
    pub price_min: Option<Money>,
    pub price_max: Option<Money>,
    /// Taste, not a promise: of matches alike, what costs about this comes first.
    pub price_near: Option<Money>,
    /// Only what can be bought now.
    pub in_stock: bool,
    pub order: Order,
    /// Hits at most; `HITS_MAX` bounds it.
    pub limit: usize,
    /// Milliseconds since 1970, for prices with dates.
    pub now_ms: i64,
}

/// Ties are always broken by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Best match first; without words what is in stock first, then the lower price.
    #[default]
    Relevance,
    PriceUp,
    PriceDown,
    /// By an attribute's figure, the least first.
    MeasureUp(String),
    /// The most first.
    MeasureDown(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub id: String,
    /// How near it comes to the words, from 0 to 1; 0 where no word was asked or matched.
    pub score: f32,
}

/// What the products that keep a query's constraints look like together; its words are not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    pub count: usize,
    /// The lowest price at `now_ms`, with its product.
    pub min: Option<(String, Money)>,
    pub max: Option<(String, Money)>,
    /// Products under each type key, at every level; sorted by key.
    pub by_type: Vec<(String, usize)>,
    /// Products with each brand; sorted by brand.
    pub by_brand: Vec<(String, usize)>,
    /// Attribute name, value key, products; sorted. Only attributes with few values.
    pub by_attribute: Vec<(String, String, usize)>,
}

/// Most hits of one search.
pub const HITS_MAX: usize = 1_000;
