//! Two products beside each other.

use super::{Composer, Fact};
use crate::Language;
use crate::catalogue::Product;
use crate::money::Money;

/// Attributes in which two products are compared.
const COMPARED_MAX: usize = 7;

impl Composer<'_> {
    /// The attributes in which two products differ, side by side, then what the difference in price buys.
    pub(super) fn compare(&mut self, first: &str, second: &str) {
        let (Some(one), Some(other)) = (self.product(first), self.product(second)) else {
            self.ask_which("");
            return;
        };
        let at_ms = self.stage.moment.at_ms;
        let (price, other_price) = (one.price_at(at_ms), other.price_at(at_ms));
        let gap = price.minor.abs_diff(other_price.minor);
        let mut facts = vec![
            ("first", self.title(one)),
            ("second", self.title(other)),
            ("rows", self.side_by_side(one, other)),
        ];
        let alike = one
            .type_keys
            .iter()
            .any(|key| other.type_keys.contains(key));
        if !alike {
            self.say("compare.unlike", &facts);
        } else if gap == 0 || price.currency != other_price.currency {
            self.say("compare.same_price", &facts);
        } else {
            let (cheap, dear) = if price.minor < other_price.minor {
                (one, other)
            } else {
                (other, one)
            };
            let gap = Money {
                minor: i64::try_from(gap).unwrap_or(i64::MAX),
                currency: price.currency,
            };
            facts.push(("difference", self.fact_of(dear, "price", gap.to_string())));
            facts.push(("cheaper", self.title(cheap)));
            facts.push(("dearer", self.title(dear)));
            self.say("compare", &facts);
        }
        self.show(&[first.to_owned(), second.to_owned()], None);
    }

    fn side_by_side(&self, one: &Product, other: &Product) -> Fact {
        let language = self.stage.language;
        let at_ms = self.stage.moment.at_ms;
        let mut rows = vec![format!(
            "- {}",
            self.row(
                match language {
                    Language::Zh => "价格",
                    Language::En => "Price",
                },
                &one.price_at(at_ms).to_string(),
                &other.price_at(at_ms).to_string(),
            )
        )];
        let differing = self
            .in_shops_order(one)
            .into_iter()
            .filter_map(|(name, value)| {
                let theirs = other.attributes.get(name)?.get(language);
                let ours = value.get(language);
                (ours != theirs && !ours.is_empty() && !theirs.is_empty())
                    .then_some((name, ours, theirs))
            });
        for (name, ours, theirs) in differing.take(COMPARED_MAX) {
            let label = self.stage.shop.profile.attribute_name(name, language);
            rows.push(format!("- {}", self.row(&label, ours, theirs)));
        }
        self.fact_of(one, "attributes", rows.join("\n"))
    }

    fn row(&self, label: &str, one: &str, other: &str) -> String {
        match self.stage.language {
            Language::Zh => format!("{label}：{one} / {other}"),
            Language::En => format!("{label}: {one} / {other}"),
        }
    }
}
