//! Understanding without a model: what a message means, and the facts in it.

mod classifier;
mod entities;
mod features;
mod learning;
mod naming;
mod negation;
mod numbers;
mod references;
mod sentiment;
mod training;

pub use classifier::Classifier;
pub use training::{DEFAULT_INTENTS, TrainingSet};

use crate::Language;
use crate::measure::{Dimension, Quality};
use crate::money::{Currency, Money};
use crate::text::{self, Folded};
use crate::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};

/// Intents of one message.
pub const INTENTS_MAX: usize = 3;
/// Entities of one message.
pub const ENTITIES_MAX: usize = 40;
/// Confidence above which a message tells something even where no fact in it is known.
const INFORM_MIN: f64 = 0.7;
/// Confidence above which a mistake of that kind is not suspected.
const CERTAIN: f64 = 0.85;
/// Confidence below which an intent is a guess, and what the catalogue knows of a message says more.
const GUESSED_MAX: f64 = 0.25;
/// Words beside an ordinal that add nothing to it.
const ADDS_NOTHING: [&str; 13] = [
    "show me", "please", "the", "one", "product", "吧", "呢", "的", "款", "个", "那", "看看", "看",
];
/// How one asks what a product is like.
const HOW_IS_IT: [&str; 12] = [
    "怎么样",
    "咋样",
    "如何",
    "好不好",
    "好吗",
    "好用吗",
    "介绍",
    "how about",
    "what about",
    "tell me about",
    "any good",
    "how is",
];
/// Polite words around what is meant.
const MANNERS: [&str; 37] = [
    "请问一下",
    "请问",
    "麻烦问一下",
    "麻烦问下",
    "想问一下",
    "想问下",
    "问一下",
    "问下",
    "麻烦您了",
    "麻烦你了",
    "麻烦您",
    "麻烦你",
    "麻烦了",
    "麻烦",
    "劳驾",
    "不好意思",
    "打扰一下",
    "打扰了",
    "辛苦了",
    "谢谢您",
    "谢谢啦",
    "谢谢",
    "多谢",
    "excuse me",
    "sorry to bother you",
    "could you please tell me",
    "could you tell me",
    "can you please tell me",
    "can you tell me",
    "please tell me",
    "just wondering",
    "quick question",
    "thank you very much",
    "thank you",
    "thanks",
    "please",
    "pls",
];
/// Polite words taken from one end of a clause.
const MANNERS_MAX: usize = 3;
/// Intents that accompany others, the most telling first.
const COURTESIES: [&str; 5] = ["affirm", "goodbye", "small_talk", "thank", "greet"];
/// Clauses of one message that are classified.
const CLAUSES_MAX: usize = 12;
/// Characters of a clause that stands after a question without a mark between them.
const CLAUSE_CHARS_MIN: usize = 3;
/// What stands between two things that are said in one breath.
const CONNECTIVES: [&str; 13] = [
    "顺便问下",
    "顺便问一下",
    "顺便",
    "另外",
    "还有就是",
    "对了",
    " and also ",
    " also, ",
    " by the way ",
    " btw ",
    " oh and ",
    " as well as ",
    " plus ",
];
/// How a second question begins in English; the connective is left out of it.
const QUESTION_OPENINGS: [&str; 12] = [
    " and do ",
    " and does ",
    " and is ",
    " and are ",
    " and can ",
    " and could ",
    " and how ",
    " and what ",
    " and when ",
    " and where ",
    " and will ",
    " and which ",
];
/// The intent of what nothing else fits.
pub const OUT_OF_SCOPE: &str = "out_of_scope";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    pub language: Language,
    /// Best first; never empty.
    pub intents: Vec<Intent>,
    pub entities: Vec<Entity>,
    pub sentiment: Sentiment,
    pub read_by: ReadBy,
}

impl Understanding {
    /// What was refused before it was read.
    pub fn nothing(language: Language) -> Self {
        Self {
            language,
            intents: vec![Intent {
                name: OUT_OF_SCOPE.to_owned(),
                confidence: 0.0,
            }],
            entities: Vec::new(),
            sentiment: Sentiment::Neutral,
            read_by: ReadBy::Plain,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub name: String,
    /// 0 to 1, two decimals.
    pub confidence: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    pub value: Value,
    /// A piece of the customer's own text.
    pub quote: String,
    /// The customer does not want it.
    pub negated: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Value {
    Budget {
        min: Option<Money>,
        max: Option<Money>,
    },
    /// An amount not said as a budget.
    Price {
        amount: Money,
    },
    Number {
        count: u32,
    },
    /// A number that takes the place of one said before.
    Corrected {
        count: u32,
        /// Said with a currency.
        money: bool,
    },
    /// What a product must measure, in base units of the dimension.
    Measure {
        quality: Option<Quality>,
        dimension: Dimension,
        min: Option<i64>,
        max: Option<i64>,
    },
    Quantity {
        count: u32,
        unit: Option<String>,
    },
    People {
        count: u32,
    },
    /// Days from today until the need.
    Horizon {
        days: u32,
    },
    Phone {
        text: String,
    },
    Email {
        text: String,
    },
    Wechat {
        text: String,
    },
    Company {
        text: String,
    },
    PersonName {
        text: String,
    },
    /// What the customer does where they work.
    Role {
        text: String,
    },
    ProductType {
        key: String,
    },
    Brand {
        key: String,
    },
    Attribute {
        name: String,
        key: String,
    },
    Product {
        id: String,
    },
    /// Counted from 1.
    Ordinal {
        index: u32,
    },
    LastShown,
    Cheaper,
    Better,
    Superlative {
        of: Superlative,
    },
    Yes,
    No,
    /// Products among those shown.
    OfShown {
        which: Which,
    },
}

/// Which of the products shown before is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Cheaper,
    Dearer,
    Last,
    LastButOne,
    LastTwo,
    Middle,
    /// Of two, the one that is not under discussion.
    Other,
    Both,
    /// The one under discussion before this one.
    Before,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Superlative {
    Cheapest,
    MostExpensive,
    Lightest,
    Heaviest,
    Smallest,
    Largest,
    Quietest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sentiment {
    Negative,
    Neutral,
    Positive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    Plain,
    Model,
}

/// A day as the shop's calendar shows it; Monday is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    pub year: i32,
    pub month: u32,
    pub day: u32,
    pub weekday: u8,
}

/// What understanding may look at beside the words.
pub struct Listening<'a> {
    pub vocabulary: &'a Vocabulary,
    pub classifier: &'a Classifier,
    /// Of amounts that name none.
    pub currency: Currency,
    pub today: Date,
    /// The slot or offer that the reply before asked about.
    pub expected: Option<&'a str>,
    /// Of the conversation so far.
    pub language: Language,
}

/// The whole numbers that a text writes, in digits or Chinese numerals.
pub fn numbers_in(text: &str) -> Vec<u32> {
    numbers::find(&text::fold(text))
        .into_iter()
        .filter(|number| number.value.fract() == 0.0 && number.value <= f64::from(u32::MAX))
        .map(|number| number.value as u32)
        .collect()
}

/// The plain form of understanding.
pub fn understand(message: &str, listening: &Listening<'_>) -> Understanding {
    let message = text::clean(message);
    let folded = Folded::of(&message);
    let entities = entities::find(&message, &folded, listening);
    // An address or an account name is written in no language.
    let spoken = entities
        .iter()
        .filter(|e| matches!(e.value, Value::Email { .. } | Value::Wechat { .. }))
        .fold(message.clone(), |text, e| text.replacen(&e.quote, "", 1));
    Understanding {
        language: text::language(&spoken, listening.language),
        intents: intents(&folded.text, &entities, listening),
        sentiment: sentiment::of(&folded.text),
        entities,
        read_by: ReadBy::Plain,
    }
}

/// Each clause's best intents together; greetings stand beside what is asked.
fn intents(folded: &str, entities: &[Entity], listening: &Listening<'_>) -> Vec<Intent> {
    let mut found: Vec<Intent> = Vec::new();
    // "The cheaper one" points at something shown and asks for nothing cheaper.
    let this = if folded.contains(text::han) {
        "这个"
    } else {
        "this one"
    };
    let pointed = entities
        .iter()
        .filter(|e| matches!(e.value, Value::OfShown { .. }))
        .fold(folded.to_owned(), |text, e| {
            text.replacen(&text::fold(&e.quote), this, 1)
        });
    let clauses = clauses(&pointed);
    for clause in clauses.iter().take(CLAUSES_MAX) {
        for intent in listening.classifier.classify(clause).into_iter().take(1) {
            match found.iter_mut().find(|other| other.name == intent.name) {
                Some(other) if other.confidence < intent.confidence => *other = intent,
                Some(_) => {}
                None => found.push(intent),
            }
        }
    }
    if clauses.len() > 1 {
        found.extend(
            listening
                .classifier
                .classify(&clauses.join(", "))
                .into_iter()
                .take(1)
                .filter(|i| i.name != OUT_OF_SCOPE),
        );
    }
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.name.cmp(&b.name))
    });
    let mut names: Vec<String> = Vec::new();
    found.retain(|i| {
        let new = !names.contains(&i.name);
        names.push(i.name.clone());
        new
    });
    // Beside something that is meant, what is not understood is passed over.
    if found
        .iter()
        .any(|i| i.name != OUT_OF_SCOPE && !COURTESIES.contains(&i.name.as_str()))
    {
        found.retain(|i| i.name != OUT_OF_SCOPE);
    }
    let tells = entities.iter().any(|e| {
        !matches!(
            e.value,
            Value::Yes
                | Value::No
                | Value::LastShown
                | Value::Ordinal { .. }
                | Value::OfShown { .. }
        )
    });
    let catalogue = entities.iter().any(|e| {
        matches!(
            e.value,
            Value::ProductType { .. } | Value::Brand { .. } | Value::Attribute { .. }
        )
    });
    let says = |wanted: fn(&Value) -> bool| entities.iter().any(|e| wanted(&e.value));
    for intent in &mut found {
        // "Is there a black one" is close to "is there a better one", and names something else.
        let mistaken = match intent.name.as_str() {
            "ask_better" => catalogue && !says(|v| matches!(v, Value::Better)),
            "ask_cheaper" => catalogue && !says(|v| matches!(v, Value::Cheaper)),
            "insult" | "opt_out" | "complain" | "order_status" | "thank" | "small_talk"
            | "privacy_request" | "goodbye" | "hesitate" | "give_contact" => {
                catalogue && intent.confidence < CERTAIN
            }
            _ => catalogue && intent.confidence < GUESSED_MAX,
        };
        if mistaken {
            // Who names one product and nothing to choose by asks about it.
            let named = says(|v| matches!(v, Value::Product { .. }))
                && !says(|v| matches!(v, Value::Budget { .. } | Value::Attribute { .. }));
            intent.name = if named { "ask_details" } else { "inform" }.to_owned();
        }
    }
    // Courtesy stands beside what is asked, not before it.
    found.sort_by_key(|intent| {
        COURTESIES
            .iter()
            .position(|name| *name == intent.name)
            .map_or(0, |place| place + 1)
    });
    // Praise is no complaint.
    if sentiment::of(folded) == Sentiment::Positive && found.len() > 1 {
        found.retain(|i| !matches!(i.name.as_str(), "complain" | "insult"));
    }
    // "The second one, please", and nothing else.
    if let [only] = entities
        && matches!(only.value, Value::Ordinal { .. } | Value::OfShown { .. })
        && bare(folded, &text::fold(&only.quote))
    {
        found = vec![Intent {
            name: "ask_details".to_owned(),
            confidence: 0.9,
        }];
    }
    // A kind of goods or what is asked of it, and nothing else, tells what is wanted.
    let wanted = |e: &Entity| {
        !e.negated
            && matches!(
                e.value,
                Value::ProductType { .. } | Value::Brand { .. } | Value::Attribute { .. }
            )
    };
    if catalogue && entities.iter().all(wanted) {
        let rest = entities.iter().fold(folded.to_owned(), |rest, entity| {
            rest.replacen(&text::fold(&entity.quote), "", 1)
        });
        if bare(&rest, "") {
            found = vec![Intent {
                name: "inform".to_owned(),
                confidence: 0.9,
            }];
        }
    }
    // Telling without anything told is a guess.
    if !tells {
        found.retain(|i| i.name != "inform" || i.confidence >= INFORM_MIN);
    }
    // Facts carry a message that no example resembles.
    let says_nothing = |i: &Intent| {
        (i.name == OUT_OF_SCOPE && i.confidence < CERTAIN)
            || matches!(i.name.as_str(), "greet" | "thank" | "small_talk")
    };
    if found.iter().all(says_nothing) && tells {
        found.retain(|i| i.name != OUT_OF_SCOPE);
        found.insert(
            0,
            Intent {
                name: "inform".to_owned(),
                confidence: 0.5,
            },
        );
    }
    if found.is_empty() {
        found.push(Intent {
            name: OUT_OF_SCOPE.to_owned(),
            confidence: 0.0,
        });
    }
    // A product, and how it is.
    let only_named = says(|v| matches!(v, Value::Product { .. }))
        && !entities.iter().any(|e| {
            e.negated
                || matches!(
                    e.value,
                    Value::Budget { .. } | Value::Measure { .. } | Value::Quantity { .. }
                )
        });
    if only_named && HOW_IS_IT.iter().any(|words| folded.contains(words)) {
        for intent in found.iter_mut().filter(|i| i.name == "inform") {
            intent.name = "ask_details".to_owned();
        }
    }
    found.truncate(INTENTS_MAX);
    found
}

/// Whether a message says nothing beside one piece of it.
fn bare(folded: &str, piece: &str) -> bool {
    let mut rest = folded.replacen(piece, "", 1);
    for word in ADDS_NOTHING {
        rest = rest.replace(word, "");
    }
    !rest.chars().any(char::is_alphanumeric)
}

/// A clause without the polite words around it; empty where it is nothing else.
fn without_manners(clause: &str) -> &str {
    let mut rest = clause.trim();
    let edge = |c: char| !c.is_alphanumeric();
    for _ in 0..MANNERS_MAX {
        let before = rest;
        for words in MANNERS {
            if let Some(after) = rest.strip_prefix(words)
                && whole_word(words, after.chars().next())
            {
                rest = after.trim_start_matches(edge);
            }
            if let Some(ahead) = rest.strip_suffix(words)
                && whole_word(words, ahead.chars().next_back())
            {
                rest = ahead.trim_end_matches(edge);
            }
        }
        if rest == before {
            break;
        }
    }
    rest
}

/// A Latin word ends where no letter runs on.
fn whole_word(words: &str, next: Option<char>) -> bool {
    !words.is_ascii() || next.is_none_or(|c| !c.is_ascii_alphanumeric())
}

/// The parts of a message that may each mean something of their own; mere politeness is none beside others.
fn clauses(folded: &str) -> Vec<&str> {
    let parts = parts(folded);
    let plain: Vec<&str> = parts
        .iter()
        .map(|part| without_manners(part))
        .filter(|part| !part.is_empty())
        .collect();
    if plain.is_empty() { parts } else { plain }
}

fn parts(folded: &str) -> Vec<&str> {
    let ends = [
        '。', '！', '!', '？', '?', '；', ';', '\n', '，', ',', '…', '~',
    ];
    let mut parts: Vec<&str> = folded.split(ends).collect();
    for word in CONNECTIVES {
        parts = parts.iter().flat_map(|part| part.split(word)).collect();
    }
    for opening in QUESTION_OPENINGS {
        parts = parts
            .into_iter()
            .flat_map(|part| split_before(part, opening))
            .collect();
    }
    parts
        .into_iter()
        .flat_map(after_questions)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// "… and do you …": what follows the connective is a question of its own.
fn split_before<'t>(part: &'t str, opening: &str) -> Vec<&'t str> {
    match part.find(opening) {
        Some(at) => {
            let (before, after) = part.split_at(at);
            vec![before, after.strip_prefix(" and").unwrap_or(after)]
        }
        None => vec![part],
    }
}

/// A Chinese question ends with its particle, also where no mark is set.
fn after_questions(part: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = part;
    while let Some((at, particle)) = rest.char_indices().find(|(at, c)| {
        matches!(c, '吗' | '么')
            && !rest
                .get(..*at)
                .is_some_and(|before| before.ends_with(['什', '怎', '那', '这', '多']))
            && rest
                .get(at + c.len_utf8()..)
                .is_some_and(|after| after.trim().chars().count() >= CLAUSE_CHARS_MIN)
    }) {
        let (question, after) = rest.split_at(at + particle.len_utf8());
        parts.push(question);
        rest = after;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_falls_into_what_it_asks() {
        for (message, expected) in [
            (
                "多少钱？有现货吗？几天到",
                vec!["多少钱", "有现货吗", "几天到"],
            ),
            ("有现货吗几天能到", vec!["有现货吗", "几天能到"]),
            ("在吗亲", vec!["在吗亲"]),
            ("多少钱顺便问下几天到", vec!["多少钱", "几天到"]),
            ("这个多少钱另外能开发票吗", vec!["这个多少钱", "能开发票吗"]),
            (
                "hi, how much is the first one and do you ship to canada",
                vec!["hi", "how much is the first one", "do you ship to canada"],
            ),
            (
                "is it in stock and how long is the warranty",
                vec!["is it in stock", "how long is the warranty"],
            ),
            ("black and white", vec!["black and white"]),
            ("有什么推荐的", vec!["有什么推荐的"]),
        ] {
            assert_eq!(clauses(message), expected, "{message}");
        }
    }
}
