//! Facts as a reply writes them, each with its source: prices, stock, reasons, criteria, times.

use super::{Composer, Fact};
use crate::Language;
use crate::catalogue::{Availability, Localized, Product, revision_of};
use crate::decide::Wanted;
use crate::event::SlotValue;
use crate::reply::Good;

/// Characters of a fact quoted from a description or a passage.
pub const FACT_CHARS_MAX: usize = 600;
/// Attributes told of one product.
pub(super) const ATTRIBUTES_MAX: usize = 6;

impl<'a> Composer<'a> {
    pub(super) fn good(&self, product: &Product, wanted: Option<&Wanted>) -> Good {
        let at_ms = self.stage.moment.at_ms;
        let price = product.price_at(at_ms);
        Good {
            id: product.id.clone(),
            title: product.title.get(self.stage.language).to_owned(),
            price,
            was: (price < product.price).then_some(product.price),
            link: product.link.clone(),
            image: product.image_link.clone(),
            availability: product.availability.word().to_owned(),
            why: wanted.map_or_else(Vec::new, |wanted| self.why(product, wanted)),
        }
    }

    /// Between the members of a list.
    pub(super) fn comma(&self) -> &'static str {
        match self.stage.language {
            Language::Zh => "、",
            Language::En => ", ",
        }
    }

    /// What a product's feed writes under an attribute.
    pub(super) fn figure(&self, product: &Product, attribute: &str) -> Fact {
        let text = match product.attributes.get(attribute) {
            Some(value) => value.get(self.stage.language).to_owned(),
            None => self
                .stage
                .shop
                .catalogue
                .measure_of(&product.id, attribute)
                .map(|span| span.dimension.written(span.high))
                .unwrap_or_default(),
        };
        self.fact_of(product, attribute, text)
    }

    pub(super) fn attribute_label(&self, attribute: &str) -> Fact {
        let language = self.stage.language;
        let label = self.stage.shop.profile.attribute_name(attribute, language);
        self.catalogue_fact(match language {
            Language::Zh => label,
            Language::En => crate::text::within_sentence(&label),
        })
    }

    /// What the catalogue as a whole tells.
    pub(super) fn catalogue_fact(&self, text: String) -> Fact {
        Fact {
            source: "catalogue:attributes".to_owned(),
            revision: revision_of(text.as_bytes()),
            text,
        }
    }

    pub(super) fn value_name(&self, name: &str, key: &str) -> String {
        self.stage
            .shop
            .catalogue
            .value_name(name, key, self.stage.language)
            .unwrap_or(key)
            .to_owned()
    }

    pub(super) fn kind(&self, wanted: &Wanted) -> Fact {
        let language = self.stage.language;
        let name = wanted
            .category
            .as_ref()
            .and_then(|key| self.stage.shop.catalogue.type_noun(key, language))
            .unwrap_or_else(|| {
                match language {
                    Language::Zh => "这样的产品",
                    Language::En => "such products",
                }
                .to_owned()
            });
        self.said_fact(name)
    }

    /// A product's attributes as the shop orders them; what it does not name comes last.
    pub(super) fn in_shops_order<'p>(
        &self,
        product: &'p Product,
    ) -> Vec<(&'p String, &'p Localized)> {
        let order = &self.stage.shop.profile.attribute_order;
        let place = |name: &String| order.iter().position(|other| other == name);
        let mut told: Vec<_> = product.attributes.iter().collect();
        told.sort_by_key(|(name, _)| place(name).unwrap_or(order.len()));
        told
    }

    pub(super) fn attributes(&self, product: &Product, max: usize) -> String {
        let language = self.stage.language;
        self.in_shops_order(product)
            .into_iter()
            .filter(|(_, value)| !value.get(language).is_empty())
            .take(max)
            .map(|(name, value)| format!("- {}", self.attribute(name, value.get(language))))
            .collect::<Vec<String>>()
            .join("\n")
    }

    pub(super) fn attribute(&self, name: &str, value: &str) -> String {
        let language = self.stage.language;
        let label = self.stage.shop.profile.attribute_name(name, language);
        match language {
            Language::Zh => format!("{label}：{value}"),
            Language::En => format!("{label}: {value}"),
        }
    }

    pub(super) fn product(&self, id: &str) -> Option<&'a Product> {
        self.stage.shop.catalogue.get(id)
    }

    pub(super) fn title(&self, product: &Product) -> Fact {
        let text = product.title.get(self.stage.language).to_owned();
        self.fact_of(product, "title", text)
    }

    pub(super) fn price_fact(&self, product: &Product) -> Fact {
        let price = product.price_at(self.stage.moment.at_ms).to_string();
        self.fact_of(product, "price", price)
    }

    /// The price before a sale that is on.
    pub(super) fn was(&self, product: &Product) -> Option<Fact> {
        let price = product.price_at(self.stage.moment.at_ms);
        (price < product.price).then(|| self.fact_of(product, "price", product.price.to_string()))
    }

    pub(super) fn stock_fact(&self, product: &Product) -> Fact {
        let text = match (product.availability, self.stage.language) {
            (Availability::InStock, Language::Zh) => "有现货".to_owned(),
            (Availability::InStock, Language::En) => "in stock".to_owned(),
            (Availability::OutOfStock, Language::Zh) => "缺货".to_owned(),
            (Availability::OutOfStock, Language::En) => "out of stock".to_owned(),
            (Availability::Preorder, Language::Zh) => "可以预订".to_owned(),
            (Availability::Preorder, Language::En) => "available for pre-order".to_owned(),
            (Availability::Backorder, Language::Zh) => "暂时缺货，可以先下单".to_owned(),
            (Availability::Backorder, Language::En) => "on backorder".to_owned(),
        };
        let date = product
            .availability_date
            .as_deref()
            .and_then(|date| date.get(..10))
            .filter(|_| product.availability != Availability::InStock);
        let text = match (date, self.stage.language) {
            (Some(date), Language::Zh) => format!("{text}（预计 {date} 到货）"),
            (Some(date), Language::En) => format!("{text} (expected {date})"),
            (None, _) => text,
        };
        self.fact_of(product, "availability", text)
    }

    /// The first sentence of the description.
    pub(super) fn highlight(&self, product: &Product) -> Fact {
        let description = product.description.get(self.stage.language);
        // A sentence in the other language says nothing to this customer.
        let description = match (self.stage.language, description.contains(crate::text::han)) {
            (Language::Zh, false) | (Language::En, true) => "",
            _ => description,
        };
        let end = description
            .char_indices()
            .find(|(at, c)| {
                *c == '。'
                    || (*c == '.'
                        && description
                            .get(at + 1..)
                            .is_none_or(|rest| rest.is_empty() || rest.starts_with(' ')))
            })
            .map_or(description.len(), |(at, c)| at + c.len_utf8());
        let text = clip(description.get(..end).unwrap_or(description));
        self.fact_of(product, "description", text)
    }

    /// Hashed once for a reply.
    fn revision(&self, product: &Product) -> String {
        self.revisions
            .borrow_mut()
            .entry(product.id.clone())
            .or_insert_with(|| product.revision())
            .clone()
    }

    pub(super) fn counted(&self, count: usize) -> Fact {
        Fact {
            text: count.to_string(),
            source: "catalogue:count".to_owned(),
            revision: String::new(),
        }
    }

    pub(super) fn fact_of(&self, product: &Product, field: &str, text: String) -> Fact {
        Fact {
            text,
            source: format!("product:{}#{field}", product.id),
            revision: self.revision(product),
        }
    }

    pub(super) fn shop_fact(&self, text: &str, field: &str) -> Fact {
        Fact {
            text: text.to_owned(),
            source: format!("shop:{field}"),
            revision: revision_of(text.as_bytes()),
        }
    }

    pub(super) fn said_fact(&self, text: String) -> Fact {
        Fact {
            source: format!("customer:turn-{}", self.said_in_turn()),
            revision: revision_of(text.as_bytes()),
            text,
        }
    }

    /// The newest turn in which something that products are chosen by was said.
    pub(super) fn said_in_turn(&self) -> u64 {
        self.stage
            .conversation
            .slots
            .iter()
            .filter(|(_, filled)| !matches!(filled.value, SlotValue::Text(_)))
            .map(|(_, filled)| filled.turn)
            .max()
            .unwrap_or(self.stage.conversation.turn)
    }
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn weekday_name(weekday: u8, language: Language) -> &'static str {
    let names = match language {
        Language::Zh => ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
        Language::En => [
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
        ],
    };
    names.get(usize::from(weekday)).copied().unwrap_or_default()
}

/// `Monday to Friday` for days that follow each other, else each day.
pub(super) fn day_range(days: &[u8], language: Language) -> String {
    let name = |day: &u8| weekday_name(*day, language);
    let consecutive = days
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if b - a == 1));
    match (days, language) {
        ([first, .., last], Language::Zh) if consecutive => {
            format!("{}至{}", name(first), name(last))
        }
        ([first, .., last], Language::En) if consecutive => {
            format!("{} to {}", name(first), name(last))
        }
        (days, Language::Zh) => days.iter().map(name).collect::<Vec<_>>().join("、"),
        (days, Language::En) => days.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}

/// What is counted has a Chinese word; units of measure are written alike.
pub(super) fn counted(figure: &str, language: Language) -> String {
    match language {
        Language::Zh => figure.replace(" cups", " 杯").replace(" seats", " 座"),
        Language::En => figure.to_owned(),
    }
}

pub(super) fn clip(text: &str) -> String {
    if text.chars().count() <= FACT_CHARS_MAX {
        return text.to_owned();
    }
    let mut clipped: String = text.chars().take(FACT_CHARS_MAX).collect();
    clipped.push('…');
    clipped
}
