//! The draft of a reply: the shop's wordings with every fact bound to its evidence.

mod draft;
mod facts;

pub use draft::{Block, Draft, Fact, Line, Segment};
pub use facts::FACT_CHARS_MAX;

use crate::Language;
use crate::calendar::{Moment, clock};
use crate::catalogue::Availability;
use crate::conversation::Conversation;
use crate::decide::{Act, Decision, Wanted};
use crate::find::{Findings, Found};
use crate::handoff::Reason;
use crate::money::Money;
use crate::nlu::Superlative;
use crate::reply::{Choice, Good};
use crate::shop::Shop;
use facts::{ATTRIBUTES_MAX, MONTHS, clip, day_range, weekday_name};

/// Quick replies under one reply.
pub const CHOICES_MAX: usize = 8;

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
            Act::Count { wanted } => self.count(wanted, found),
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
            Found::Nothing | Found::Unneeded | Found::Passage { .. } | Found::Counted { .. } => {
                let criteria = criteria.unwrap_or_else(|| self.kind(wanted));
                self.say("recommend.none", &[("criteria", criteria)]);
                self.offer("talk-to-person", "choice.label.person");
            }
        }
    }

    fn count(&mut self, wanted: &Wanted, found: &Found) {
        let Found::Counted {
            count,
            lowest,
            highest,
        } = found
        else {
            self.recommend(wanted, &Found::Nothing);
            return;
        };
        let price = |composer: &Self, (id, money): &(String, Money)| {
            composer
                .product(id)
                .map(|product| composer.fact_of(product, "price", money.to_string()))
        };
        let (Some(from), Some(to)) = (price(self, lowest), price(self, highest)) else {
            return;
        };
        let criteria = self.criteria(wanted).unwrap_or_else(|| self.kind(wanted));
        let count = self.counted(*count);
        self.say(
            "count",
            &[
                ("criteria", criteria),
                ("count", count),
                ("from", from),
                ("to", to),
            ],
        );
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
}

/// FNV-1a: spreads reply keys over wordings, the same everywhere.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
