//! Understanding without a model: what a message means, and the facts in it.

mod classifier;
mod clauses;
mod entities;
mod features;
mod intents;
mod learning;
mod meaning;
mod mending;
mod mistaken;
mod naming;
mod negation;
mod numbers;
mod references;
mod sentiment;
mod training;

pub use classifier::Classifier;
pub(crate) use intents::says_nothing_beside;
pub use meaning::{Entity, Intent, ReadBy, Sentiment, Superlative, Understanding, Value, Which};
pub use training::{DEFAULT_INTENTS, TrainingSet};

use crate::Language;
use crate::money::Currency;
use crate::text::{self, Folded};
use crate::vocabulary::Vocabulary;

/// Intents of one message.
pub const INTENTS_MAX: usize = 3;
/// Entities of one message.
pub const ENTITIES_MAX: usize = 40;
/// The intent of what nothing else fits.
pub const OUT_OF_SCOPE: &str = "out_of_scope";

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
    let typed = Folded::of(&message);
    let folded = mending::mended(
        &message,
        typed.clone(),
        listening.classifier.parlance(),
        listening.vocabulary,
    );
    let read = entities::find(&message, &folded, listening);
    let together = intents::intents(&folded.text, &read, listening);
    let intents = intents::with_each_letter(&message, together, listening);
    let sentiment = sentiment::of(&folded.text);
    // An address or an account name is written in no language.
    let spoken = read
        .iter()
        .filter(|r| matches!(r.entity.value, Value::Email { .. } | Value::Wechat { .. }))
        .fold(folded.text.clone(), |text, address| {
            text.replacen(&text::fold(&address.entity.quote), "", 1)
        });
    // A product's short name is written alike in every language, and a longer one answers a question in that of the question.
    let names = text::tokens(&folded.text);
    let is_short = names
        .iter()
        .filter(|n| n.text.parse::<u32>().is_err())
        .count()
        == 1;
    let only_a_name = (is_short || listening.expected.is_some())
        && matches!(read.as_slice(), [only]
            if matches!(only.entity.value, Value::Product { .. })
                && names.iter().all(|n| only.start <= n.start && n.end <= only.end));
    Understanding {
        language: match only_a_name {
            true => listening.language,
            false => text::language(&spoken, listening.language),
        },
        intents,
        sentiment,
        entities: read.into_iter().map(|read| read.entity).collect(),
        read_by: ReadBy::Plain,
        mended: (folded.text != typed.text).then_some(folded.text),
    }
}
