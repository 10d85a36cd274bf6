//! The draft of a reply: the shop's wordings with every fact bound to its evidence.

use crate::Language;
use crate::calendar::{Moment, clock};
use crate::catalogue::{Availability, Product};
use crate::conversation::Conversation;
use crate::decide::{Act, Decision, Wanted};
use crate::event::{Exclusion, SlotValue};
use crate::find::{Findings, Found};
use crate::handoff::Reason;
use crate::money::Money;
use crate::nlu::Superlative;
use crate::reply::{Choice, Evidence, Good};
use crate::shop::Shop;
use crate::wording::{Piece, pieces};
use sha2::{Digest, Sha256};

/// Characters of a fact quoted from a description or a passage.
pub const FACT_CHARS_MAX: usize = 600;
/// Attributes told of one product.
const ATTRIBUTES_MAX: usize = 6;
/// Reasons on one card.
const REASONS_MAX: usize = 3;
/// Quick replies under one reply.
pub const CHOICES_MAX: usize = 8;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub blocks: Vec<Block>,
    pub asked: Option<String>,
    pub focus: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Line(Line),
    Goods(Vec<Good>),
    Choices(Vec<Choice>),
}

/// One wording with what its slots hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub key: String,
    pub wording: usize,
    pub template: String,
    pub bound: Vec<(String, Fact)>,
}

/// A text that code wrote, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub text: String,
    pub source: String,
    pub revision: String,
}

/// A piece of a line: typed by people or a model, or bound to evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment<'a> {
    Plain(&'a str),
    Bound(&'a Fact),
}

impl Line {
    /// `None` where the template names a slot that nothing is bound to.
    pub fn segments(&self) -> Option<Vec<Segment<'_>>> {
        pieces(&self.template)?
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(Segment::Plain(text)),
                Piece::Slot(slot) => self
                    .bound
                    .iter()
                    .find(|(name, _)| name == slot)
                    .map(|(_, fact)| Segment::Bound(fact)),
            })
            .collect()
    }

    pub fn text(&self) -> String {
        self.segments()
            .unwrap_or_default()
            .iter()
            .map(Segment::text)
            .collect()
    }

    pub fn evidence(&self) -> Vec<Evidence> {
        self.segments()
            .unwrap_or_default()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Bound(fact) => Some(Evidence {
                    text: fact.text.clone(),
                    source: fact.source.clone(),
                    revision: fact.revision.clone(),
                }),
                Segment::Plain(_) => None,
            })
            .collect()
    }
}

impl Segment<'_> {
    pub fn text(&self) -> &str {
        match self {
            Segment::Plain(text) => text,
            Segment::Bound(fact) => &fact.text,
        }
    }
}

/// What composing may look at.
pub struct Stage<'a> {
    pub conversation: &'a Conversation,
    pub shop: &'a Shop,
    pub moment: &'a Moment,
    pub language: Language,
    /// Picks among wordings; the same seed gives the same reply.
    pub seed: u64,
}

pub fn compose(decision: &Decision, findings: &Findings, stage: &Stage<'_>) -> Draft {
    let mut composer = Composer {
        stage,
        draft: Draft::default(),
        choices: Vec::new(),
    };
    for (act, found) in decision.acts.iter().zip(&findings.found) {
        composer.act(act, found);
    }
    composer.finish()
}

/// The reply when nothing else may be said.
pub fn fallback(key: &str, stage: &Stage<'_>) -> Draft {
    let mut composer = Composer {
        stage,
        draft: Draft::default(),
        choices: Vec::new(),
    };
    if stage.conversation.turn == 1 {
        // Whatever the first reply is, it says who is speaking.
        composer.act(&Act::Disclose, &Found::Unneeded);
    }
    composer.say(key, &[]);
    composer.draft.asked = Some("offer:person".to_owned());
    composer.offer("talk-to-person", "choice.label.person");
    composer.finish()
}

struct Composer<'a> {
    stage: &'a Stage<'a>,
    draft: Draft,
    choices: Vec<Choice>,
}

impl<'a> Composer<'a> {
    fn finish(mut self) -> Draft {
        if !self.choices.is_empty() {
            self.choices.truncate(CHOICES_MAX);
            self.draft.blocks.push(Block::Choices(self.choices));
        }
        self.draft
    }

    fn say(&mut self, key: &str, bound: &[(&str, Fact)]) {
        let stage = self.stage;
        let last = stage.conversation.wordings.get(key).copied();
        let seed = stage.seed ^ hash(key);
        if let Some((wording, template)) =
            stage.shop.wordings.choose(stage.language, key, seed, last)
        {
            self.draft.blocks.push(Block::Line(Line {
                key: key.to_owned(),
                wording,
                template: template.to_owned(),
                bound: bound
                    .iter()
                    .map(|(name, fact)| ((*name).to_owned(), fact.clone()))
                    .collect(),
            }));
        }
    }

    fn label(&self, key: &str) -> String {
        self.stage
            .shop
            .wordings
            .all(self.stage.language, key)
            .first()
            .cloned()
            .unwrap_or_default()
    }

    fn offer(&mut self, id: &str, label_key: &str) {
        let label = self.label(label_key);
        if !label.is_empty() && self.choices.iter().all(|choice| choice.id != id) {
            self.choices.push(Choice {
                id: id.to_owned(),
                label,
            });
        }
    }

    fn offer_yes_no(&mut self, asked: &str) {
        self.draft.asked = Some(asked.to_owned());
        self.offer("yes", "choice.label.yes");
        self.offer("no", "choice.label.no");
    }

    fn act(&mut self, act: &Act, found: &Found) {
        let shop_name = self.shop_fact(
            self.stage
                .shop
                .profile
                .name
                .in_language(self.stage.language),
            "name",
        );
        match act {
            Act::Disclose => self.say("disclose", &[("shop", shop_name)]),
            Act::WelcomeBack => self.say("welcome_back", &[]),
            Act::Greet => self.say("greet", &[("shop", shop_name)]),
            Act::Thank => self.say("thank", &[]),
            Act::Bye => self.say("bye", &[("shop", shop_name)]),
            Act::SmallTalk => self.say("small_talk", &[]),
            Act::Insulted => {
                self.say("insult", &[]);
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::Robot => {
                self.say("robot", &[("shop", shop_name)]);
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::Acknowledge => self.say("inform.thanks", &[]),
            Act::ContactThanks => self.say("contact.thanks", &[]),
            Act::Recommend { wanted } => self.recommend(wanted, found),
            Act::Extreme { of, wanted } => self.extreme(*of, wanted, found),
            Act::Price { id } => self.price(id),
            Act::Stock { id } => self.stock(id),
            Act::Details { id } => self.details(id),
            Act::Reasons { id } => self.reasons(id),
            Act::Compare { first, second } => self.compare(first, second),
            Act::Cheaper { than } => self.beside("cheaper", than, found),
            Act::Better { than } => self.beside("better", than, found),
            Act::Alternatives { to } => self.beside("alternatives", to, found),
            Act::Accessories { of } => self.beside("accessories", of, found),
            Act::Discount { id } => self.discount(id.as_deref()),
            Act::EasePrice { id } => {
                self.say("ease", &[]);
                if let Some(id) = id {
                    self.draft.focus = Some(id.clone());
                }
                self.offer_yes_no("offer:cheaper");
            }
            Act::Reassure => self.say("hesitate", &[]),
            Act::MatchPrice => {
                self.say("match_price", &[]);
                self.draft.asked = Some("offer:person".to_owned());
                self.offer("talk-to-person", "choice.label.person");
            }
            Act::OtherCurrency => {
                let currency = self.stage.shop.profile.currency;
                let fact = self.shop_fact(currency.code(), "currency");
                self.say("currency.other", &[("currency", fact)]);
                self.draft.asked = Some("budget_max".to_owned());
            }
            Act::Know { question } => self.know(question, found),
            Act::Hours => self.hours(),
            Act::Buy { id } => self.buy(id),
            Act::AskWhich => self.ask_which(),
            Act::Ask { slot } => self.ask(slot),
            Act::Deny => self.say("deny", &[]),
            Act::HandOff { reason } => {
                if *reason == Reason::Complaint {
                    self.say("apology", &[]);
                }
                self.hand_off();
            }
            Act::HandedOffAlready => self.say("handoff.again", &[]),
            Act::OptOut => self.say("opt_out", &[]),
            Act::Privacy => self.say("privacy", &[]),
            Act::Clarify => self.clarify(),
            Act::ExpiredChoice => self.say("choice.expired", &[]),
            Act::Own { intent } => self.say(&format!("intent.{intent}"), &[("shop", shop_name)]),
        }
    }

    fn recommend(&mut self, wanted: &Wanted, found: &Found) {
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
                    (None, _) => self.say("recommend.many", &[("count", count)]),
                }
                self.show(ids, Some(wanted));
                if let [first, _, ..] = ids.as_slice()
                    && let Some(product) = self.product(first)
                {
                    let highlight = self.highlight(product);
                    let title = self.title(product);
                    self.say(
                        "recommend.top",
                        &[("title", title), ("highlight", highlight)],
                    );
                    self.offer("compare", "choice.label.compare");
                    self.offer("cheaper", "choice.label.cheaper");
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
            Found::Below { ids } => {
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say("recommend.below", &[("criteria", criteria)]);
                self.show(ids, Some(wanted));
            }
            Found::SoldOut { ids } => {
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say("recommend.sold_out", &[("criteria", criteria)]);
                self.show(ids, None);
            }
            Found::Nothing | Found::Unneeded | Found::Passage { .. } => {
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say("recommend.none", &[("criteria", criteria)]);
                self.offer("talk-to-person", "choice.label.person");
            }
        }
    }

    fn extreme(&mut self, of: Superlative, wanted: &Wanted, found: &Found) {
        let key = match of {
            Superlative::Cheapest => "extreme.cheapest",
            Superlative::MostExpensive => "extreme.dearest",
            _ => {
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
                let kind = self.kind(wanted);
                let (title, price) = (self.title(product), self.price_fact(product));
                self.say(key, &[("title", title), ("price", price), ("kind", kind)]);
                let id = product.id.clone();
                self.show(&[id], None);
            }
            None => self.recommend(wanted, &Found::Nothing),
        }
    }

    fn price(&mut self, id: &str) {
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
        self.turn_to(id);
    }

    fn stock(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let (title, stock) = (self.title(product), self.stock_fact(product));
        self.say("stock", &[("title", title), ("stock", stock)]);
        self.turn_to(id);
    }

    fn details(&mut self, id: &str) {
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
            id: format!("buy:{id}"),
            label: self.label("choice.label.buy"),
        });
    }

    fn reasons(&mut self, id: &str) {
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

    fn compare(&mut self, first: &str, second: &str) {
        let (Some(one), Some(other)) = (self.product(first), self.product(second)) else {
            self.ask_which();
            return;
        };
        let at_ms = self.stage.moment.at_ms;
        let gap = (one.price_at(at_ms).minor - other.price_at(at_ms).minor).abs();
        let bound = |composer: &Self| {
            vec![
                ("first", composer.title(one)),
                ("first_facts", composer.comparable(one, other)),
                ("second", composer.title(other)),
                ("second_facts", composer.comparable(other, one)),
            ]
        };
        let mut facts = bound(self);
        if gap == 0 {
            self.say("compare.same_price", &facts);
        } else {
            let gap = Money {
                minor: gap,
                currency: one.price.currency,
            };
            facts.push(("difference", self.fact_of(one, "price", gap.to_string())));
            self.say("compare", &facts);
        }
        self.show(&[first.to_owned(), second.to_owned()], None);
    }

    fn beside(&mut self, family: &str, id: &str, found: &Found) {
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

    fn discount(&mut self, id: Option<&str>) {
        let on_sale = id
            .and_then(|id| self.product(id))
            .and_then(|product| Some((product, self.was(product)?)));
        let Some((product, was)) = on_sale else {
            self.say("discount.none", &[]);
            return;
        };
        let mut facts = vec![
            ("title", self.title(product)),
            ("price", self.price_fact(product)),
            ("was", was),
        ];
        match product.sale_until_ms {
            Some(until) => {
                let days = (until - self.stage.moment.at_ms).div_euclid(86_400_000);
                let (_, month, day) = crate::calendar::Day(self.stage.moment.day.0 + days).civil();
                let text = match self.stage.language {
                    Language::Zh => format!("{month} 月 {day} 日"),
                    Language::En => {
                        format!("{} {day}", MONTHS.get(month as usize - 1).unwrap_or(&""))
                    }
                };
                facts.push((
                    "until",
                    self.fact_of(product, "sale_price_effective_date", text),
                ));
                self.say("discount.on_until", &facts);
            }
            None => self.say("discount.on", &facts),
        }
    }

    fn know(&mut self, question: &str, found: &Found) {
        if let Found::Passage { passage } = found {
            let answer = Fact {
                text: clip(&passage.answer(question)),
                source: passage.id.clone(),
                revision: passage.revision.clone(),
            };
            self.say("knowledge.answer", &[("answer", answer)]);
        } else {
            self.say("knowledge.unknown", &[]);
            self.draft.asked = Some("offer:person".to_owned());
            self.offer("talk-to-person", "choice.label.person");
        }
    }

    fn hours(&mut self) {
        let language = self.stage.language;
        let mut groups: Vec<((u32, u32), Vec<u8>)> = Vec::new();
        for (weekday, from, to) in self.stage.shop.profile.hours.spans() {
            match groups.iter_mut().find(|(span, _)| *span == (*from, *to)) {
                Some((_, days)) => days.push(*weekday),
                None => groups.push(((*from, *to), vec![*weekday])),
            }
        }
        let lines: Vec<String> = groups
            .iter()
            .map(|((from, to), days)| {
                let days = day_range(days, language);
                format!("{days} {}–{}", clock(*from), clock(*to))
            })
            .collect();
        let joint = match language {
            Language::Zh => "，",
            Language::En => ", ",
        };
        let fact = self.shop_fact(&lines.join(joint), "hours");
        self.say("hours", &[("hours", fact)]);
    }

    fn buy(&mut self, id: &str) {
        let Some(product) = self.product(id) else {
            return;
        };
        let (title, price) = (self.title(product), self.price_fact(product));
        match (&product.link, product.availability) {
            (
                Some(link),
                Availability::InStock | Availability::Preorder | Availability::Backorder,
            ) => {
                let link = self.fact_of(product, "link", link.clone());
                self.say("buy", &[("title", title), ("price", price), ("link", link)]);
            }
            _ => {
                let stock = self.stock_fact(product);
                self.say("buy.later", &[("title", title), ("stock", stock)]);
                self.offer_yes_no("offer:similar");
            }
        }
        self.turn_to(id);
    }

    fn ask_which(&mut self) {
        self.say("ask.which", &[]);
        let listed = self.stage.conversation.listed.clone();
        for id in &listed {
            if let Some(product) = self.product(id) {
                let label = product.title.get(self.stage.language).to_owned();
                self.choices.push(Choice {
                    id: format!("details:{id}"),
                    label,
                });
            }
        }
        self.draft.asked = Some("which".to_owned());
    }

    fn ask(&mut self, slot: &str) {
        self.say(&format!("ask.{slot}"), &[]);
        self.draft.asked = Some(slot.to_owned());
        if slot == "category" {
            self.choices.clear();
            let language = self.stage.language;
            for key in self.stage.shop.catalogue.top_types() {
                if let Some(name) = self.stage.shop.catalogue.type_name(&key, language) {
                    self.choices.push(Choice {
                        id: format!("type:{key}"),
                        label: name.to_owned(),
                    });
                }
            }
        }
    }

    fn hand_off(&mut self) {
        let hours = &self.stage.shop.profile.hours;
        if hours.is_empty() {
            self.say("handoff.closed_unknown", &[]);
        } else if hours.open_at(self.stage.moment) {
            self.say("handoff.open", &[]);
        } else if let Some(opening) = hours.next_opening(self.stage.moment) {
            let language = self.stage.language;
            let day = match (language, opening.days_ahead) {
                (Language::Zh, 0) => "今天".to_owned(),
                (Language::Zh, 1) => "明天".to_owned(),
                (Language::En, 0) => "today".to_owned(),
                (Language::En, 1) => "tomorrow".to_owned(),
                (Language::Zh, 2..=6) => weekday_name(opening.day.weekday(), language).to_owned(),
                (Language::En, 2..=6) => {
                    format!("on {}", weekday_name(opening.day.weekday(), language))
                }
                (Language::Zh, _) => {
                    let (_, month, day) = opening.day.civil();
                    format!("{month} 月 {day} 日")
                }
                (Language::En, _) => {
                    let (_, month, day) = opening.day.civil();
                    format!("on {} {day}", MONTHS.get(month as usize - 1).unwrap_or(&""))
                }
            };
            let at = match language {
                Language::Zh => format!("{day} {}", clock(opening.minute)),
                Language::En => format!("{day} at {}", clock(opening.minute)),
            };
            let opens = self.shop_fact(&at, "hours");
            self.say("handoff.closed", &[("opens", opens)]);
        } else {
            self.say("handoff.closed_unknown", &[]);
        }
    }

    fn clarify(&mut self) {
        if self.stage.conversation.misses > 0 {
            self.say("clarify.again", &[]);
            self.draft.asked = Some("offer:person".to_owned());
        } else {
            self.say("clarify", &[]);
        }
        self.offer("talk-to-person", "choice.label.person");
    }

    fn turn_to(&mut self, id: &str) {
        self.draft.focus = Some(id.to_owned());
    }

    fn show(&mut self, ids: &[String], wanted: Option<&Wanted>) {
        let goods: Vec<Good> = ids
            .iter()
            .filter_map(|id| self.product(id))
            .map(|product| self.good(product, wanted))
            .collect();
        if let [only] = goods.as_slice() {
            self.draft.focus = Some(only.id.clone());
        }
        if !goods.is_empty() {
            self.draft.blocks.push(Block::Goods(goods));
        }
    }

    fn good(&self, product: &Product, wanted: Option<&Wanted>) -> Good {
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
    fn why(&self, product: &Product, wanted: &Wanted) -> Vec<String> {
        let language = self.stage.language;
        let catalogue = &self.stage.shop.catalogue;
        let mut reasons = Vec::new();
        let price = product.price_at(self.stage.moment.at_ms);
        if let Some(max) = wanted.price_max.filter(|max| price <= *max) {
            reasons.push(match language {
                Language::Zh => format!("在预算 {max} 以内"),
                Language::En => format!("within your budget of {max}"),
            });
        }
        for (name, key) in &wanted.attributes {
            if let Some(value) = product.attributes.get(name) {
                let label = self.stage.shop.profile.attribute_name(name, language);
                let shown = value.get(language);
                let _ = key;
                reasons.push(match language {
                    Language::Zh => format!("{label}：{shown}"),
                    Language::En => format!("{label}: {shown}"),
                });
            }
        }
        if let Some(brand) = wanted
            .brand
            .as_ref()
            .filter(|b| product.brand.as_ref() == Some(b))
        {
            reasons.push(match language {
                Language::Zh => format!("品牌：{brand}"),
                Language::En => format!("by {brand}"),
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

    /// What the customer asked for, in the shop's words; `None` where nothing was.
    fn criteria(&self, wanted: &Wanted) -> Option<Fact> {
        let language = self.stage.language;
        let mut criteria = Vec::new();
        match (wanted.price_min, wanted.price_max, language) {
            (None, Some(max), Language::Zh) => criteria.push(format!("{max} 以内")),
            (None, Some(max), Language::En) => criteria.push(format!("up to {max}")),
            (Some(min), None, Language::Zh) => criteria.push(format!("{min} 以上")),
            (Some(min), None, Language::En) => criteria.push(format!("from {min}")),
            (Some(min), Some(max), _) => criteria.push(format!("{min}–{max}")),
            (None, None, _) => {}
        }
        if let Some(name) = wanted
            .category
            .as_ref()
            .and_then(|key| self.stage.shop.catalogue.type_name(key, language))
        {
            criteria.push(name.to_owned());
        }
        criteria.extend(wanted.brand.clone());
        for (name, key) in &wanted.attributes {
            criteria.push(self.value_name(name, key));
        }
        for exclusion in &wanted.excluded {
            let what = match exclusion {
                Exclusion::Type(key) => self
                    .stage
                    .shop
                    .catalogue
                    .type_name(key, language)
                    .unwrap_or(key)
                    .to_owned(),
                Exclusion::Brand(key) => key.clone(),
                Exclusion::Attribute { name, key } => self.value_name(name, key),
            };
            criteria.push(match language {
                Language::Zh => format!("不要{what}"),
                Language::En => format!("not {what}"),
            });
        }
        let joint = match language {
            Language::Zh => "、",
            Language::En => ", ",
        };
        (!criteria.is_empty()).then(|| self.said_fact(criteria.join(joint)))
    }

    fn value_name(&self, name: &str, key: &str) -> String {
        self.stage
            .shop
            .catalogue
            .value_name(name, key, self.stage.language)
            .unwrap_or(key)
            .to_owned()
    }

    fn kind(&self, wanted: &Wanted) -> Fact {
        let language = self.stage.language;
        let name = wanted
            .category
            .as_ref()
            .and_then(|key| self.stage.shop.catalogue.type_name(key, language))
            .unwrap_or(match language {
                Language::Zh => "这些条件",
                Language::En => "these conditions",
            });
        self.said_fact(name.to_owned())
    }

    /// Price and the attributes in which two products differ.
    fn comparable(&self, product: &Product, other: &Product) -> Fact {
        let language = self.stage.language;
        let mut facts = vec![product.price_at(self.stage.moment.at_ms).to_string()];
        let differing = product.attributes.iter().filter(|(name, value)| {
            other
                .attributes
                .get(*name)
                .is_some_and(|theirs| theirs.get(language) != value.get(language))
        });
        for (name, value) in differing.take(ATTRIBUTES_MAX) {
            facts.push(self.attribute(name, value.get(language)));
        }
        let joint = match language {
            Language::Zh => "，",
            Language::En => ", ",
        };
        self.fact_of(product, "attributes", facts.join(joint))
    }

    fn attributes(&self, product: &Product, max: usize) -> String {
        let language = self.stage.language;
        product
            .attributes
            .iter()
            .filter(|(_, value)| !value.get(language).is_empty())
            .take(max)
            .map(|(name, value)| format!("- {}", self.attribute(name, value.get(language))))
            .collect::<Vec<String>>()
            .join("\n")
    }

    fn attribute(&self, name: &str, value: &str) -> String {
        let language = self.stage.language;
        let label = self.stage.shop.profile.attribute_name(name, language);
        match language {
            Language::Zh => format!("{label}：{value}"),
            Language::En => format!("{label}: {value}"),
        }
    }

    fn product(&self, id: &str) -> Option<&'a Product> {
        self.stage.shop.catalogue.get(id)
    }

    fn title(&self, product: &Product) -> Fact {
        let text = product.title.get(self.stage.language).to_owned();
        self.fact_of(product, "title", text)
    }

    fn price_fact(&self, product: &Product) -> Fact {
        let price = product.price_at(self.stage.moment.at_ms).to_string();
        self.fact_of(product, "price", price)
    }

    /// The price before a sale that is on.
    fn was(&self, product: &Product) -> Option<Fact> {
        let price = product.price_at(self.stage.moment.at_ms);
        (price < product.price).then(|| self.fact_of(product, "price", product.price.to_string()))
    }

    fn stock_fact(&self, product: &Product) -> Fact {
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
    fn highlight(&self, product: &Product) -> Fact {
        let description = product.description.get(self.stage.language);
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

    fn counted(&self, count: usize) -> Fact {
        Fact {
            text: count.to_string(),
            source: "catalogue:count".to_owned(),
            revision: String::new(),
        }
    }

    fn fact_of(&self, product: &Product, field: &str, text: String) -> Fact {
        Fact {
            text,
            source: format!("product:{}#{field}", product.id),
            revision: product.revision(),
        }
    }

    fn shop_fact(&self, text: &str, field: &str) -> Fact {
        Fact {
            text: text.to_owned(),
            source: format!("shop:{field}"),
            revision: revision(text),
        }
    }

    fn said_fact(&self, text: String) -> Fact {
        Fact {
            source: format!("customer:turn-{}", self.said_in_turn()),
            revision: revision(&text),
            text,
        }
    }

    /// The newest turn in which something that products are chosen by was said.
    fn said_in_turn(&self) -> u64 {
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

const MONTHS: [&str; 12] = [
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

fn weekday_name(weekday: u8, language: Language) -> &'static str {
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
fn day_range(days: &[u8], language: Language) -> String {
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

fn clip(text: &str) -> String {
    if text.chars().count() <= FACT_CHARS_MAX {
        return text.to_owned();
    }
    let mut clipped: String = text.chars().take(FACT_CHARS_MAX).collect();
    clipped.push('…');
    clipped
}

/// Twelve hexadecimal digits of the content's hash.
fn revision(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// FNV-1a: spreads reply keys over wordings, the same everywhere.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
