//! Words by which a message is told apart where its intents alone do not: data in `defaults/cues.yaml`.

use crate::Language;
use crate::vocabulary::at_borders;
use aho_corasick::AhoCorasick;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub const DEFAULT_CUES: &str = include_str!("../defaults/cues.yaml");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// A question for a number of products.
    HowMany,
    /// What is counted besides products.
    OtherCounts,
    /// A question for what there is at all.
    WhatKinds,
    /// How one asks for goods.
    ForGoods,
    /// How one asks whether there are goods of a kind.
    HasGoods,
    /// What stands right before the goods asked for.
    BeforeGoods,
    /// What asks for goods of a kind right before its name: “what machine”.
    WhatGoods,
    /// How one asks what is or how it is done, rather than for goods.
    How,
    /// A question for the values of a property.
    Which,
    /// What is like the thing under discussion, or stands in for it.
    Similar,
    /// A question for all that is needed for something.
    Outfit,
    /// What goes with a product, of whatever kind.
    Accessories,
    /// Where customers are.
    Place,
    /// One of those shown is asked for.
    WhichOne,
    /// Which of those shown is to be had.
    Pick,
    /// The upper end of a property.
    Most,
    /// The lower end of a property.
    Least,
    /// Something was ordered already.
    Ordered,
    /// There is no preference.
    NoPreference,
    /// Something that was bought does not do what it should.
    Faulty,
    /// Words that name no fault of their own.
    FaultInGeneral,
    /// What stands right before a fault that is only feared, or that is denied.
    Unlikely,
    /// How one asks how something is done.
    HowTo,
    /// That something is bought.
    Buying,
    /// Who comes back to a conversation.
    Back,
    /// How a question begins in English.
    OpensQuestion,
    /// Money that is to come back, said as a demand.
    MoneyBack,
    /// That something was had for longer than a parcel is looked at.
    LongAgo,
    /// How much may be spent.
    Budget,
    /// Several things as one sum.
    Together,
    /// Below something that leaves only so much room.
    Beneath,
    /// What is on sale now.
    Offers,
    /// Bargaining for the lowest price.
    Lowest,
    /// Bargaining with several pieces.
    SeveralPieces,
    /// A discount for students, members and the like.
    OfAGroup,
    /// Something to be added for nothing.
    Freebie,
    /// What the price will be later.
    PriceLater,
    /// Somebody who works for the shop.
    OfAColleague,
    /// That somebody said or promised something.
    OfWordsSaid,
    /// A currency by its name.
    Currencies,
    /// Words of everyday life in which the name of goods stands and means none.
    OtherWords,
    /// People who have to take care of what they eat, drink and use.
    Frail,
    /// Whether something may be taken or used without harm.
    Harmless,
    /// A parcel goes somewhere.
    Sending,
    /// What stands right before the place that a parcel goes to.
    SendingTo,
    /// Beyond the country of most shops that write Chinese, or abroad by name.
    Abroad,
    /// A question for how long.
    HowLong,
    /// What it costs to have something sent.
    Carriage,
    /// What stands right before that for which something is to be used.
    ForUse,
    /// What stands right behind it.
    OfUse,
    /// What somebody has already for whom goods are chosen.
    TheyHave,
    /// A question whether something can do something.
    CanIt,
    /// Only so much room is there for something.
    Room,
    /// That goods are there again.
    BackIn,
    /// What stands before something that goods should have or do.
    Wishing,
    /// What stands right before something that goods need not have.
    Without,
    /// Relatives and friends whom something is for.
    Kin,
    /// An illness, or a state in which one asks a doctor first.
    Illness,
    /// Other people than the customer.
    Others,
    /// What somebody bought or ordered, asked of whoever it was.
    BoughtWhat,
    /// Something looked at in an earlier conversation.
    SeenBefore,
    /// When somebody answers who was passed a question on.
    AnsweredWhen,
    /// That goods arrive.
    Arriving,
    /// Whether the shop is honest.
    DoubtsShop,
    /// That something bought is no good.
    Dissatisfied,
    /// What is paid each month.
    Monthly,
    /// Something is rented, not bought.
    Renting,
    /// Days on which shops are often closed.
    Feast,
    /// Words of asking and of the customer's own affairs, which say nothing of a product.
    Asking,
}

#[derive(Deserialize)]
struct Source {
    cues: BTreeMap<Cue, BTreeMap<Language, Vec<String>>>,
    topics: BTreeMap<String, BTreeMap<Language, String>>,
}

struct Cues {
    /// Each cue's words.
    words: BTreeMap<Cue, AhoCorasick>,
    /// By intent.
    topics: BTreeMap<String, BTreeMap<Language, String>>,
}

/// A file of ours that cannot be read has no words; a test reads it.
static CUES: LazyLock<Cues> = LazyLock::new(|| {
    let source: Option<Source> = serde_saphyr::from_str(DEFAULT_CUES).ok();
    let mut cues = Cues {
        words: BTreeMap::new(),
        topics: BTreeMap::new(),
    };
    if let Some(source) = source {
        for (cue, by_language) in source.cues {
            let words = by_language.values().flatten().map(|w| crate::text::fold(w));
            if let Ok(automaton) = AhoCorasick::new(words) {
                cues.words.insert(cue, automaton);
            }
        }
        cues.topics = source.topics;
    }
    cues
});

impl Cue {
    /// Whether folded text says it; a Latin word counts where it stands alone.
    pub fn is_in(self, folded: &str) -> bool {
        self.places(folded).next().is_some()
    }

    /// Whether folded text ends with it.
    pub fn ends(self, folded: &str) -> bool {
        let folded = folded.trim_end();
        self.places(folded).any(|(_, end)| end == folded.len())
    }

    /// Whether it stands in folded text with at most so many characters after it.
    pub fn ends_within(self, folded: &str, chars_max: usize) -> bool {
        self.places(folded).any(|(_, end)| {
            let after = folded.get(end..).unwrap_or_default();
            after.chars().count() <= chars_max
        })
    }

    /// Whether folded text starts with it, a particle or a comma aside.
    pub fn starts(self, folded: &str) -> bool {
        let skip =
            |c: char| c.is_whitespace() || matches!(c, ',' | '，' | '你' | '们' | '这' | '里');
        let rest = folded.trim_start_matches(skip);
        self.places(rest).any(|(start, _)| start == 0)
    }

    /// The text with each word of the cue replaced by a space.
    pub fn cut_from(self, folded: &str) -> String {
        let mut rest = String::with_capacity(folded.len());
        let mut from = 0;
        for (start, end) in self.places(folded) {
            if start >= from {
                rest.push_str(folded.get(from..start).unwrap_or_default());
                rest.push(' ');
                from = end;
            }
        }
        rest.push_str(folded.get(from..).unwrap_or_default());
        rest
    }

    /// Its words in folded text, each with its place.
    pub fn words(self, folded: &str) -> impl Iterator<Item = (usize, &str)> {
        self.places(folded)
            .filter_map(|(start, end)| Some((start, folded.get(start..end)?)))
    }

    fn places(self, folded: &str) -> impl Iterator<Item = (usize, usize)> {
        CUES.words
            .get(&self)
            .into_iter()
            .flat_map(move |words| words.find_overlapping_iter(folded))
            .map(|hit| (hit.start(), hit.end()))
            .filter(move |(start, end)| at_borders(folded, *start, *end))
    }
}

/// Folded text says that something is broken, as a fact: “will it break?” does not.
pub fn says_fault(folded: &str) -> bool {
    Cue::Faulty.words(folded).any(|(at, _)| {
        let head = folded.get(..at).unwrap_or_default();
        !Cue::Unlikely.ends_within(head, 1)
    })
}

/// What questions of an intent are about, for one that says little by itself.
pub fn topic(intent: &str, language: Language) -> Option<&'static str> {
    CUES.topics.get(intent)?.get(&language).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cue_has_words_and_every_topic_both_languages() {
        for cue in [
            Cue::HowMany,
            Cue::OtherCounts,
            Cue::WhatKinds,
            Cue::ForGoods,
            Cue::HasGoods,
            Cue::BeforeGoods,
            Cue::WhatGoods,
            Cue::How,
            Cue::Which,
            Cue::Similar,
            Cue::Outfit,
            Cue::Accessories,
            Cue::Place,
            Cue::WhichOne,
            Cue::Pick,
            Cue::Ordered,
            Cue::Most,
            Cue::Least,
            Cue::NoPreference,
            Cue::Faulty,
            Cue::FaultInGeneral,
            Cue::Unlikely,
            Cue::Frail,
            Cue::HowTo,
            Cue::Buying,
            Cue::Back,
            Cue::OpensQuestion,
            Cue::MoneyBack,
            Cue::LongAgo,
            Cue::Budget,
            Cue::Together,
            Cue::Beneath,
            Cue::Offers,
            Cue::Lowest,
            Cue::SeveralPieces,
            Cue::OfAGroup,
            Cue::Freebie,
            Cue::PriceLater,
            Cue::OfAColleague,
            Cue::OfWordsSaid,
            Cue::Currencies,
            Cue::OtherWords,
            Cue::Harmless,
            Cue::Sending,
            Cue::SendingTo,
            Cue::Abroad,
            Cue::HowLong,
            Cue::Carriage,
            Cue::ForUse,
            Cue::OfUse,
            Cue::TheyHave,
            Cue::CanIt,
            Cue::Room,
            Cue::BackIn,
            Cue::Wishing,
            Cue::Without,
            Cue::Kin,
            Cue::Illness,
            Cue::Others,
            Cue::BoughtWhat,
            Cue::SeenBefore,
            Cue::AnsweredWhen,
            Cue::Arriving,
            Cue::DoubtsShop,
            Cue::Dissatisfied,
            Cue::Monthly,
            Cue::Renting,
            Cue::Feast,
            Cue::Asking,
        ] {
            assert!(CUES.words.contains_key(&cue), "{cue:?}");
        }
        assert!(!CUES.topics.is_empty());
        for (intent, texts) in &CUES.topics {
            assert_eq!(texts.len(), Language::ALL.len(), "{intent}");
        }
    }

    #[test]
    fn a_fault_is_a_fact_and_no_fear() {
        for (message, expected) in [
            ("机器不出水", true),
            ("用了三个月漏水", true),
            ("the lamp won't turn on", true),
            ("it leaks", true),
            ("会漏水吗", false),
            ("要一个不漏水的", false),
            ("容易坏了吗", false),
            ("is it easily damaged", false),
            ("does it work with ice", false),
        ] {
            assert_eq!(
                says_fault(&crate::text::fold(message)),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn a_latin_word_counts_where_it_stands_alone() {
        assert!(Cue::HasGoods.is_in("any grinders"));
        assert!(!Cue::HasGoods.is_in("the company grinds"));
        assert!(Cue::HasGoods.is_in("你们有磨豆机"));
        assert_eq!(Cue::Asking.cut_from("请问有没有灯"), "  灯");
    }
}
