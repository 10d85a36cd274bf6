//! What the shop says in one turn, with the evidence for each fact in it.

use crate::money::Money;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    pub parts: Vec<ReplyPart>,
    pub evidence: Vec<Evidence>,
    /// The slot or offer that the reply asks about.
    pub asked: Option<String>,
    /// The product it turned to.
    pub focus: Option<String>,
    /// Which wording of each reply key was used.
    pub wordings: Vec<(String, usize)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ReplyPart {
    Text { text: String },
    Products { goods: Vec<Good> },
    Choices { choices: Vec<Choice> },
}

/// A product as it stood in the catalogue revision it was shown from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Good {
    pub id: String,
    pub title: String,
    pub price: Money,
    /// The price before a sale.
    pub was: Option<Money>,
    pub link: Option<String>,
    pub image: Option<String>,
    /// As in the feed: `in_stock`, `out_of_stock`, `preorder`, `backorder`.
    pub availability: String,
    pub why: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub id: String,
    pub label: String,
}

/// Where a fact of the reply comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// The fact as the reply writes it.
    pub text: String,
    /// `product:ID#price`, `knowledge:FILE#heading`, `shop:hours`, `customer:turn-3`.
    pub source: String,
    /// The content hash of the source.
    pub revision: String,
}
