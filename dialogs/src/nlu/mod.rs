//! Understanding without a model: what a message means, and the facts in it.

mod classifier;
mod entities;
mod features;
mod naming;
mod negation;
mod numbers;
mod references;
mod sentiment;
mod training;

pub use classifier::Classifier;
pub use training::{DEFAULT_INTENTS, TrainingSet};

use crate::Language;
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
/// Words beside an ordinal that add nothing to it.
const ADDS_NOTHING: [&str; 12] = [
    "please", "the", "one", "product", "吧", "呢", "的", "款", "个", "那", "看看", "看",
];
/// Clauses of one message that are classified.
const CLAUSES_MAX: usize = 12;
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
    Understanding {
        language: text::language(&message, listening.language),
        intents: intents(&folded.text, &entities, listening),
        sentiment: sentiment::of(&folded.text),
        entities,
        read_by: ReadBy::Plain,
    }
}

/// Each clause's best intents together; greetings stand beside what is asked.
fn intents(folded: &str, entities: &[Entity], listening: &Listening<'_>) -> Vec<Intent> {
    let mut found: Vec<Intent> = Vec::new();
    let clauses = clauses(folded);
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
                .classify(folded)
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
    if found.len() > 1 {
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
            "insult" | "opt_out" => catalogue && intent.confidence < CERTAIN,
            _ => false,
        };
        if mistaken {
            intent.name = "inform".to_owned();
        }
    }
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
    // Telling without anything told is a guess.
    if !tells {
        found.retain(|i| i.name != "inform" || i.confidence >= INFORM_MIN);
    }
    // Facts carry a message that no example resembles.
    if found.iter().all(|i| i.name == OUT_OF_SCOPE) && tells {
        found = vec![Intent {
            name: "inform".to_owned(),
            confidence: 0.5,
        }];
    }
    if found.is_empty() {
        found.push(Intent {
            name: OUT_OF_SCOPE.to_owned(),
            confidence: 0.0,
        });
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

fn clauses(folded: &str) -> Vec<&str> {
    folded
        .split(['。', '！', '!', '？', '?', '；', ';', '\n', '，', ','])
        .flat_map(|part| part.split(" and also "))
        .flat_map(|part| part.split("另外"))
        .flat_map(|part| part.split("还有，"))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}
