//! One product: its price, stock, details, single properties, reasons, and the way to buy it.

use super::facts::{ATTRIBUTES_MAX, clip};
use super::{Composer, Fact};
use crate::Language;
use crate::catalogue::{Availability, Product};
use crate::choice;
use crate::decide::Wanted;
use crate::money::Money;
use crate::reply::Choice;

impl Composer<'_> {
    pub(super) fn price(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let (title, price) = (self.title(product), self.price_fact(product));
        match self.was(product) {
            Some(was) => self.say(
                "price.sale",
                &[("title", title), ("price", price), ("was", was)],
            ),
            None => self.say("price", &[("title", title), ("price", price)]),
        }
        self.total(product);
        self.turn_to(id);
    }

    /// What so many of them cost, where the customer wants several of these: told no earlier than what they are.
    fn total(&mut self, product: &Product) {
        let conversation = self.stage.conversation;
        let told_in = |slot: &str| conversation.slots.get(slot).map(|filled| filled.turn);
        let of_these = told_in("quantity") >= told_in("product");
        let count = conversation.count("quantity").filter(|_| of_these);
        let Some(count) = count.filter(|count| *count > 1) else {
            return;
        };
        let price = product.price_at(self.stage.moment.at_ms);
        let Some(minor) = price.minor.checked_mul(i64::from(count)) else {
            return;
        };
        let total = Money { minor, ..price };
        let facts = [
            ("count", self.said_fact(count.to_string())),
            ("total", self.fact_of(product, "price", total.to_string())),
        ];
        self.say("price.total", &facts);
    }

    /// One of each; said only where every price is known and in one currency.
    pub(super) fn together(&mut self, ids: &[String]) {
        let now_ms = self.stage.moment.at_ms;
        let products: Vec<&Product> = ids.iter().filter_map(|id| self.product(id)).collect();
        let Some(first) = products.first().filter(|_| products.len() == ids.len()) else {
            return;
        };
        let currency = first.price.currency;
        let minor = products.iter().try_fold(0_i64, |sum, product| {
            let price = product.price_at(now_ms);
            let same = price.currency == currency;
            same.then(|| sum.checked_add(price.minor)).flatten()
        });
        if let Some(minor) = minor {
            let total = Money { minor, currency }.to_string();
            let facts = [
                ("count", self.said_fact(products.len().to_string())),
                ("total", self.fact_of(first, "price", total)),
            ];
            self.say("price.together", &facts);
        }
    }

    pub(super) fn stock(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let (title, stock) = (self.title(product), self.stock_fact(product));
        if product.availability == Availability::OutOfStock {
            self.say("stock.out", &[("title", title), ("stock", stock)]);
            self.offer_yes_no("offer:similar");
        } else {
            self.say("stock", &[("title", title), ("stock", stock)]);
        }
        self.turn_to(id);
    }

    pub(super) fn details(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let language = self.stage.language;
        let mut details = clip(product.description.get(language));
        let attributes = self.attributes(product, ATTRIBUTES_MAX);
        if !attributes.is_empty() {
            details.push_str("\n\n");
            details.push_str(&attributes);
        }
        let details = self.fact_of(product, "description", details);
        let (title, price) = (self.title(product), self.price_fact(product));
        self.say(
            "details",
            &[("title", title), ("price", price), ("details", details)],
        );
        let id = product.id.clone();
        self.show(std::slice::from_ref(&id), None);
        self.choices.push(Choice {
            id: choice::buy(&id),
            label: self.label("choice.label.buy"),
        });
    }

    pub(super) fn reasons(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let wanted = Wanted::of(self.stage.conversation);
        let mut reasons = self.why(product, &wanted);
        reasons.push(self.highlight(product).text);
        let joint = match self.stage.language {
            Language::Zh => "；",
            Language::En => "; ",
        };
        let reasons = self.fact_of(product, "description", reasons.join(joint));
        let reasons = Fact {
            text: reasons.text.trim_end_matches(['。', '.']).to_owned(),
            ..reasons
        };
        let title = self.title(product);
        self.say("reasons", &[("title", title), ("reasons", reasons)]);
        self.turn_to(id);
    }

    pub(super) fn buy(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let (title, price) = (self.title(product), self.price_fact(product));
        match (&product.link, product.availability) {
            (Some(link), Availability::InStock) => {
                let link = self.fact_of(product, "link", link.clone());
                self.say("buy", &[("title", title), ("price", price), ("link", link)]);
            }
            // Who orders now waits, and is told so before the address.
            (Some(link), Availability::Preorder | Availability::Backorder) => {
                let link = self.fact_of(product, "link", link.clone());
                let stock = self.stock_fact(product);
                let facts = [
                    ("title", title),
                    ("price", price),
                    ("stock", stock),
                    ("link", link),
                ];
                self.say("buy.ahead", &facts);
            }
            _ => {
                let stock = self.stock_fact(product);
                self.say("buy.later", &[("title", title), ("stock", stock)]);
                self.offer_yes_no("offer:similar");
            }
        }
        self.turn_to(id);
    }

    /// What the product says of the properties asked for; silence where it says nothing.
    pub(super) fn aspect(&mut self, id: &str, attributes: &[String]) {
        let Some(product) = self.product(id) else {
            return;
        };
        let language = self.stage.language;
        let mut told: Vec<&String> = Vec::new();
        let mut facts: Vec<String> = Vec::new();
        for name in attributes {
            let value = product
                .attributes
                .get(name)
                .map_or("", |value| value.get(language));
            if !value.is_empty() && !told.contains(&name) {
                told.push(name);
                facts.push(self.attribute(name, value));
            }
        }
        let title = self.title(product);
        if facts.is_empty() {
            let label = attributes.first().map(String::as_str).unwrap_or_default();
            let attribute = self.attribute_label(label);
            self.say(
                "aspect.unknown",
                &[("title", title), ("attribute", attribute)],
            );
            self.draft.asked = Some("offer:person".to_owned());
            self.offer("talk-to-person", "choice.label.person");
        } else {
            let field = told.first().map_or("attributes", |name| name.as_str());
            let facts = self.fact_of(product, field, facts.join(self.comma()));
            self.say("aspect", &[("title", title), ("facts", facts)]);
        }
        self.turn_to(id);
    }
}
