//! What was wished for, in words: why a product is shown, and what was searched by.

use super::facts::counted;
use super::{Composer, Fact};
use crate::Language;
use crate::catalogue::Product;
use crate::decide::Wanted;
use crate::event::Exclusion;
use crate::find::Constraint;
use crate::measure::MeasureBound;
use crate::taste;

/// Reasons on one card.
const REASONS_MAX: usize = 3;

impl Composer<'_> {
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
}
