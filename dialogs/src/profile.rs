//! Who the shop is: `shop.yaml`.

use crate::calendar::Hours;
use crate::money::Currency;
use crate::yaml::{File, Node};
use crate::{Language, Problem};
use std::collections::BTreeMap;

/// Most characters of one text of the profile.
pub const PROFILE_CHARS_MAX: usize = 2_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub name: Texts,
    /// The first one is the shop's own.
    pub languages: Vec<Language>,
    pub currency: Currency,
    /// `shop.yaml` names the currency; else it is that of the feed.
    pub currency_stated: bool,
    /// IANA name, `Asia/Shanghai`; the caller resolves it.
    pub time_zone: String,
    pub hours: Hours,
    /// How the brand speaks, for a model's wording.
    pub voice: Texts,
    /// The line that says at the start who is speaking.
    pub disclosure: Texts,
    pub greeting: Texts,
    /// Questions offered before the first message.
    pub suggestions: BTreeMap<Language, Vec<String>>,
    /// Other words for a product type, brand, attribute value or attribute: surface, name.
    pub aliases: Vec<(String, String)>,
    /// What customers call an attribute of the feed.
    pub attributes: BTreeMap<String, Texts>,
    /// The attributes in the order in which the shop names them, the most telling first.
    pub attribute_order: Vec<String>,
}

/// One text in each language that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(pub BTreeMap<Language, String>);

impl Texts {
    /// The text in the language, else in any other, else empty.
    pub fn in_language(&self, language: Language) -> &str {
        self.0
            .get(&language)
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }

    /// `{zh: …, en: …}` or one text for all.
    pub fn read(file: &mut File<'_>, node: &Node) -> Self {
        if let crate::yaml::Value::Text(text) = &node.value {
            return Self(
                Language::ALL
                    .into_iter()
                    .map(|l| (l, text.clone()))
                    .collect(),
            );
        }
        let fields = file.fields(node, &["zh", "en"]);
        let mut texts = BTreeMap::new();
        for language in Language::ALL {
            if let Some(node) = fields.get(language.tag())
                && let Some(text) = file.text(node)
            {
                if text.chars().count() > PROFILE_CHARS_MAX {
                    file.wrong(
                        node,
                        "text too long",
                        format!("at most {PROFILE_CHARS_MAX} characters"),
                    );
                } else {
                    texts.insert(language, text);
                }
            }
        }
        Self(texts)
    }
}

impl Default for Profile {
    /// A shop that has told nothing of itself.
    fn default() -> Self {
        let both = |zh: &str, en: &str| {
            Texts(BTreeMap::from([
                (Language::Zh, zh.to_owned()),
                (Language::En, en.to_owned()),
            ]))
        };
        Self {
            name: both("本店", "our shop"),
            languages: vec![Language::Zh, Language::En],
            currency: Currency::CNY,
            currency_stated: false,
            time_zone: "UTC".to_owned(),
            hours: Hours::default(),
            voice: both(
                "亲切、简短、诚实，先回答问题再提建议。",
                "Warm, brief and honest; answer first, advise second.",
            ),
            disclosure: both(
                "我是 AI 导购助手，随时可以帮您转接真人同事。",
                "I'm an AI shopping assistant; you can ask for a person at any time.",
            ),
            greeting: both("您好，想找点什么？", "Hello! What are you looking for?"),
            suggestions: BTreeMap::new(),
            aliases: Vec::new(),
            attributes: BTreeMap::new(),
            attribute_order: Vec::new(),
        }
    }
}

impl Profile {
    /// The customer's word for an attribute, else the feed's own.
    pub fn attribute_name(&self, name: &str, language: Language) -> String {
        self.attributes
            .get(name)
            .map(|texts| texts.in_language(language))
            .filter(|text| !text.is_empty())
            .map_or_else(|| name.replace('_', " "), str::to_owned)
    }

    pub fn parse(name: &str, source: &str) -> (Self, Vec<Problem>) {
        let mut file = File::new(name);
        let mut profile = Self::default();
        if let Some(root) = file.parse(source) {
            profile.read(&mut file, &root);
        }
        (profile, file.problems)
    }

    fn read(&mut self, file: &mut File<'_>, root: &Node) {
        let fields = file.fields(
            root,
            &[
                "name",
                "languages",
                "currency",
                "time_zone",
                "hours",
                "holidays",
                "voice",
                "disclosure",
                "greeting",
                "suggestions",
                "aliases",
                "attributes",
            ],
        );
        for (key, texts) in [
            ("name", &mut self.name),
            ("voice", &mut self.voice),
            ("disclosure", &mut self.disclosure),
            ("greeting", &mut self.greeting),
        ] {
            if let Some(node) = fields.get(key) {
                *texts = Texts::read(file, node);
            }
        }
        if let Some(node) = fields.get("languages") {
            let known = Language::ALL.map(|l| (l.tag(), l));
            let languages: Vec<Language> = file
                .list(node)
                .iter()
                .filter_map(|n| file.word(n, &known))
                .collect();
            if languages.is_empty() {
                file.wrong(node, "no language", "write [zh, en], the shop's own first");
            } else {
                self.languages = languages;
            }
        }
        if let Some(node) = fields.get("currency")
            && let Some(code) = file.text(node)
        {
            match Currency::new(&code) {
                Ok(currency) => {
                    self.currency = currency;
                    self.currency_stated = true;
                }
                Err(error) => file.wrong(node, error.to_string(), "write a code such as CNY"),
            }
        }
        if let Some(node) = fields.get("time_zone")
            && let Some(zone) = file.text(node)
        {
            self.time_zone = zone;
        }
        if let Some(node) = fields.get("hours") {
            self.hours = Hours::read(file, node);
        }
        if let Some(node) = fields.get("holidays") {
            self.hours.read_holidays(file, node);
        }
        if let Some(node) = fields.get("suggestions") {
            let by_language = file.fields(node, &["zh", "en"]);
            for language in Language::ALL {
                if let Some(node) = by_language.get(language.tag()) {
                    self.suggestions.insert(language, file.texts(node));
                }
            }
        }
        if let Some(node) = fields.get("attributes") {
            for (name, node) in file.map(node) {
                let texts = Texts::read(file, node);
                self.attributes.insert(name.text.clone(), texts);
                self.attribute_order.push(name.text.clone());
            }
        }
        if let Some(node) = fields.get("aliases") {
            for (name, surfaces) in file.map(node) {
                for surface in file.texts(surfaces) {
                    self.aliases.push((surface, name.text.clone()));
                }
            }
        }
    }
}
