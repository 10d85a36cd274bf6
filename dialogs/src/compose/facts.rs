//! Facts as a reply writes them, each with its source: prices, stock, reasons, criteria, times.

use super::{Composer, Fact};
use crate::Language;
use crate::catalogue::{Availability, Localized, Product, revision_of};
use crate::decide::Wanted;
use crate::event::{Exclusion, SlotValue};
use crate::find::Constraint;
use crate::measure::MeasureBound;
use crate::reply::Good;
use crate::taste;

/// Characters of a fact quoted from a description or a passage.
pub const FACT_CHARS_MAX: usize = 600;
/// Attributes told of one product.
pub(super) const ATTRIBUTES_MAX: usize = 6;
/// Reasons on one card.
const REASONS_MAX: usize = 3;

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

    /// True reasons that refer to what the customer asked for.
    pub(super) fn why(&self, product: &Product, wanted: &Wanted) -> Vec<String> {
        let language = self.stage.language;
        let catalogue = &self.stage.shop.catalogue;
        let mut reasons = Vec::new();
        let price = product.price_at(self.stage.moment.at_ms);
        // Who says about how much is told what keeps to the figure that they said.
        let most = wanted.price_near.or(wanted.price_max);
        if let Some(max) = most.filter(|max| price <= *max) {
            reasons.push(match language {
                Language::Zh => format!("在预算 {max} 以内"),
                Language::En => format!("within your budget of {max}"),
            });
        }
        if let Some(people) = wanted.people
            && let Some((attribute, span)) = catalogue.people_of(&product.id)
            && span.holds(i64::from(people))
        {
            let figure = self.figure(product, &attribute).text;
            reasons.push(self.attribute(&attribute, &figure));
        }
        for (name, _) in &wanted.attributes {
            if let Some(value) = product.attributes.get(name) {
                let label = self.stage.shop.profile.attribute_name(name, language);
                let shown = value.get(language);
                reasons.push(match language {
                    Language::Zh => format!("{label}：{shown}"),
                    Language::En => format!("{label}: {shown}"),
                });
            }
        }
        for name in &wanted.features {
            if let Some(value) = product.attributes.get(name) {
                reasons.push(self.attribute(name, value.get(language)));
            }
        }
        for (taste, _) in &wanted.tastes {
            let told = catalogue.taste_of(&product.id, taste);
            reasons.extend(
                told.and_then(|told| taste::told_as(taste, told, language))
                    .map(str::to_owned),
            );
        }
        for bound in &wanted.measures {
            if let Some(name) = &bound.attribute
                && let Some(value) = product.attributes.get(name)
            {
                reasons.push(self.attribute(name, value.get(language)));
            }
        }
        if let Some(brand) = wanted
            .brand
            .as_ref()
            .filter(|b| product.brand.as_ref() == Some(b))
        {
            reasons.push(match language {
                Language::Zh => format!("品牌：{}", self.brand(brand)),
                Language::En => format!("by {}", self.brand(brand)),
            });
        }
        if reasons.len() < 2
            && let Some(name) = product
                .type_keys
                .last()
                .and_then(|key| catalogue.type_name(key, language))
        {
            reasons.push(name.to_owned());
        }
        if price < product.price {
            reasons.push(match language {
                Language::Zh => "正在做活动".to_owned(),
                Language::En => "on offer now".to_owned(),
            });
        }
        reasons.truncate(REASONS_MAX);
        reasons
    }

    /// What the customer asked for, as a noun with all that qualifies it; `None` where nothing was.
    ///
    /// 白色、¥300 以内的北岸台灯; “Northbank table lamps up to ¥300 (white)”.
    pub(super) fn criteria(&self, wanted: &Wanted) -> Option<Fact> {
        let language = self.stage.language;
        let price = match (wanted.price_min, wanted.price_max, language) {
            (Some(_), Some(_), Language::Zh) if wanted.price_near.is_some() => {
                wanted.price_near.map(|near| format!("{near} 左右"))
            }
            (Some(_), Some(_), Language::En) if wanted.price_near.is_some() => {
                wanted.price_near.map(|near| format!("around {near}"))
            }
            (None, Some(max), Language::Zh) => Some(format!("{max} 以内")),
            (None, Some(max), Language::En) => Some(format!("up to {max}")),
            (Some(min), None, Language::Zh) => Some(format!("{min} 以上")),
            (Some(min), None, Language::En) => Some(format!("from {min}")),
            (Some(min), Some(max), Language::Zh) => Some(format!("{min}–{max}")),
            (Some(min), Some(max), Language::En) => Some(format!("from {min} to {max}")),
            (None, None, _) => None,
        };
        let qualities: Vec<String> = wanted
            .attributes
            .iter()
            .map(|(name, key)| self.value_name(name, key))
            .chain(wanted.measures.iter().map(|bound| self.bound(bound)))
            .chain(wanted.excluded.iter().map(|what| self.exclusion(what)))
            .chain(wanted.features.iter().map(|name| {
                let label = self.stage.shop.profile.attribute_name(name, language);
                match language {
                    Language::Zh => format!("有{label}"),
                    Language::En => format!("with {}", crate::text::within_sentence(&label)),
                }
            }))
            .chain(wanted.tastes.iter().filter_map(|(taste, toward)| {
                let kind = wanted.category.as_deref();
                let catalogue = &self.stage.shop.catalogue;
                let is_told = catalogue.tells_taste(taste, Some(*toward), kind);
                taste::wished(taste, *toward, is_told, language)
            }))
            .collect();
        let brand = wanted.brand.as_deref().map(|brand| self.brand(brand));
        let kind = wanted
            .category
            .as_ref()
            .and_then(|key| self.stage.shop.catalogue.type_noun(key, language));
        if price.is_none() && qualities.is_empty() && brand.is_none() && kind.is_none() {
            return None;
        }
        let phrase = match language {
            Language::Zh => {
                let before: Vec<String> = qualities.into_iter().chain(price).collect();
                let of = if before.is_empty() { "" } else { "的" };
                let (brand, kind) = (brand.unwrap_or_default(), kind.as_deref());
                let kind = kind.unwrap_or(if of.is_empty() { "的产品" } else { "产品" });
                format!("{}{of}{brand}{kind}", before.join(self.comma()))
            }
            Language::En => {
                let noun = kind.unwrap_or_else(|| "products".to_owned());
                let in_brackets =
                    (!qualities.is_empty()).then(|| format!("({})", qualities.join(self.comma())));
                let parts = [brand, Some(noun), price, in_brackets];
                parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
        };
        Some(self.said_fact(phrase))
    }

    /// A constraint as the customer would say it.
    pub(super) fn constraint(&self, constraint: &Constraint) -> String {
        match (constraint, self.stage.language) {
            (Constraint::Brand(brand), _) => self.brand(brand),
            (Constraint::Attribute { name, key }, _) => {
                self.attribute(name, &self.value_name(name, key))
            }
            (Constraint::Measure(bound), _) => self.bound(bound),
            (Constraint::PriceMin(min), Language::Zh) => format!("{min} 以上"),
            (Constraint::PriceMin(min), Language::En) => format!("from {min}"),
            (Constraint::PriceMax(max), Language::Zh) => format!("预算 {max} 以内"),
            (Constraint::PriceMax(max), Language::En) => format!("the budget of {max}"),
            (Constraint::Excluded(what), _) => self.exclusion(what),
        }
    }

    fn exclusion(&self, exclusion: &Exclusion) -> String {
        let language = self.stage.language;
        let what = match exclusion {
            Exclusion::Type(key) => self
                .stage
                .shop
                .catalogue
                .type_noun(key, language)
                .unwrap_or_else(|| key.clone()),
            Exclusion::Brand(key) => self.brand(key),
            Exclusion::Attribute { name, key } => self.value_name(name, key),
        };
        match language {
            Language::Zh => format!("不要{what}"),
            Language::En => format!("not {what}"),
        }
    }

    /// “Weight up to 3 kg”.
    fn bound(&self, bound: &MeasureBound) -> String {
        let language = self.stage.language;
        let written = |base: i64| counted(&bound.dimension.written(base), language);
        let figure = match (bound.min, bound.max, language) {
            (Some(min), Some(max), _) if min == max => written(min),
            (Some(min), Some(max), _) => format!("{}–{}", written(min), written(max)),
            (None, Some(max), Language::Zh) => format!("{} 以内", written(max)),
            (None, Some(max), Language::En) => format!("up to {}", written(max)),
            (Some(min), None, Language::Zh) => format!("{} 以上", written(min)),
            (Some(min), None, Language::En) => format!("from {}", written(min)),
            (None, None, _) => String::new(),
        };
        match &bound.attribute {
            Some(name) => {
                let label = self.stage.shop.profile.attribute_name(name, language);
                format!("{label} {figure}")
            }
            None => figure,
        }
    }

    fn brand(&self, brand: &str) -> String {
        let catalogue = &self.stage.shop.catalogue;
        catalogue
            .brand_name(brand, self.stage.language)
            .unwrap_or(brand)
            .to_owned()
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
fn counted(figure: &str, language: Language) -> String {
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
