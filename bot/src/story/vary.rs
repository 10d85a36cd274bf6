//! The metamorphic score: every story again with its customer texts changed in ways that change nothing.

mod latin;
mod manners;
mod numbers;
mod order;
mod punctuation;
mod script;
mod spacing;

use super::seen::Seen;
use super::{Run, Story};
use crate::shop::Shop;
use crate::talk::Word;
use dialogs::text::fold;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A way to say the same otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variation {
    Traditional,
    FullWidth,
    Homophone,
    Typo,
    MoreSpaces,
    FewerSpaces,
    Emoji,
    UpperCase,
    LowerCase,
    TitleCase,
    PoliteBefore,
    PoliteAfter,
    CodeSwitch,
    FactsReordered,
    NumbersInWords,
    NumbersInDigits,
    PunctuationDropped,
    PunctuationChanged,
}

/// What must stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    Intent,
    Slots,
    Products,
    Grade,
}

/// How many of the compared turns stayed the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub same: usize,
    pub of: usize,
}

/// A turn that came out otherwise.
#[derive(Clone, Debug)]
pub struct Difference {
    pub file: String,
    pub line: u32,
    pub story: String,
    pub variation: Variation,
    pub original: String,
    pub changed: String,
    /// What differs, as it was and as it is with the changed words.
    pub aspects: Vec<(Aspect, String, String)>,
}

#[derive(Clone, Debug, Default)]
pub struct Score {
    pub stories: usize,
    pub total: Tally,
    pub by_variation: BTreeMap<Variation, Tally>,
    pub by_aspect: BTreeMap<Aspect, Tally>,
    pub differences: Vec<Difference>,
}

impl Variation {
    pub const ALL: [Variation; 18] = [
        Variation::Traditional,
        Variation::FullWidth,
        Variation::Homophone,
        Variation::Typo,
        Variation::MoreSpaces,
        Variation::FewerSpaces,
        Variation::Emoji,
        Variation::UpperCase,
        Variation::LowerCase,
        Variation::TitleCase,
        Variation::PoliteBefore,
        Variation::PoliteAfter,
        Variation::CodeSwitch,
        Variation::FactsReordered,
        Variation::NumbersInWords,
        Variation::NumbersInDigits,
        Variation::PunctuationDropped,
        Variation::PunctuationChanged,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Variation::Traditional => "traditional",
            Variation::FullWidth => "full_width",
            Variation::Homophone => "homophone",
            Variation::Typo => "typo",
            Variation::MoreSpaces => "more_spaces",
            Variation::FewerSpaces => "fewer_spaces",
            Variation::Emoji => "emoji",
            Variation::UpperCase => "upper_case",
            Variation::LowerCase => "lower_case",
            Variation::TitleCase => "title_case",
            Variation::PoliteBefore => "polite_before",
            Variation::PoliteAfter => "polite_after",
            Variation::CodeSwitch => "code_switch",
            Variation::FactsReordered => "facts_reordered",
            Variation::NumbersInWords => "numbers_in_words",
            Variation::NumbersInDigits => "numbers_in_digits",
            Variation::PunctuationDropped => "punctuation_dropped",
            Variation::PunctuationChanged => "punctuation_changed",
        }
    }

    /// The text said otherwise; the same text and seed always give the same, and `None` where this changes nothing.
    pub fn apply(self, text: &str, seed: u64) -> Option<String> {
        let changed = match self {
            Variation::Traditional => script::traditional(text),
            Variation::FullWidth => script::wide(text),
            Variation::Homophone => script::homophone(text),
            Variation::Typo => latin::slip(text, seed),
            Variation::MoreSpaces => spacing::more(text),
            Variation::FewerSpaces => spacing::fewer(text),
            Variation::Emoji => manners::emoji(text, seed),
            Variation::UpperCase => latin::upper(text),
            Variation::LowerCase => latin::lower(text),
            Variation::TitleCase => latin::title(text),
            Variation::PoliteBefore => manners::polite_before(text, seed),
            Variation::PoliteAfter => manners::polite_after(text, seed),
            Variation::CodeSwitch => manners::switch(text),
            Variation::FactsReordered => order::facts_reversed(text),
            Variation::NumbersInWords => numbers::in_words(text),
            Variation::NumbersInDigits => numbers::in_digits(text),
            Variation::PunctuationDropped => punctuation::dropped(text),
            Variation::PunctuationChanged => punctuation::changed(text),
        };
        (changed != text && !changed.trim().is_empty()).then_some(changed)
    }
}

impl Aspect {
    pub const ALL: [Aspect; 4] = [
        Aspect::Intent,
        Aspect::Slots,
        Aspect::Products,
        Aspect::Grade,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Aspect::Intent => "intent",
            Aspect::Slots => "slots",
            Aspect::Products => "products",
            Aspect::Grade => "grade",
        }
    }
}

impl Tally {
    /// 0 to 1; nothing compared is nothing lost.
    pub fn share(self) -> f64 {
        if self.of == 0 {
            1.0
        } else {
            self.same as f64 / self.of as f64
        }
    }

    fn count(&mut self, same: bool) {
        self.of += 1;
        self.same += usize::from(same);
    }
}

/// Runs every story as it is and once for each variation that changes one of its turns.
pub async fn score(stories: &[&Story], shop: &Arc<Shop>) -> anyhow::Result<Score> {
    let mut score = Score {
        stories: stories.len(),
        ..Score::default()
    };
    for story in stories {
        let original = story.run(shop).await?;
        for variation in Variation::ALL {
            let changed = story.changed(variation);
            if changed.is_empty() {
                continue;
            }
            let run = story
                .run_with(shop, |place, _| changed.get(&place).cloned())
                .await?;
            score.compare(story, variation, &changed, &original, &run);
        }
    }
    Ok(score)
}

impl Score {
    /// Only turns whose own words were changed are compared.
    fn compare(
        &mut self,
        story: &Story,
        variation: Variation,
        changed: &BTreeMap<usize, String>,
        original: &Run,
        run: &Run,
    ) {
        for (place, text) in changed {
            let (Some(step), Some(was), Some(is)) = (
                story.turns.get(*place),
                original.turns.get(*place),
                run.turns.get(*place),
            ) else {
                continue;
            };
            let wanted: Vec<&str> = step
                .intents()
                .filter(|name| was.intents.iter().any(|i| i == name))
                .collect();
            let mut aspects = Vec::new();
            for aspect in Aspect::ALL {
                let (before, after) = (aspect_of(was, aspect), aspect_of(is, aspect));
                let lost = aspect == Aspect::Intent
                    && wanted
                        .iter()
                        .any(|name| !is.intents.iter().any(|i| i == name));
                let same = before == after && !lost;
                self.by_aspect.entry(aspect).or_default().count(same);
                if !same {
                    let found = if lost { is.intents.join(", ") } else { after };
                    aspects.push((aspect, before, found));
                }
            }
            let same = aspects.is_empty();
            self.total.count(same);
            self.by_variation.entry(variation).or_default().count(same);
            if !same {
                self.differences.push(Difference {
                    file: story.file.clone(),
                    line: step.line,
                    story: story.name.clone(),
                    variation,
                    original: step.said(),
                    changed: text.clone(),
                    aspects,
                });
            }
        }
    }
}

/// One aspect of a turn in a form that can be compared and read.
fn aspect_of(seen: &Seen, aspect: Aspect) -> String {
    match aspect {
        Aspect::Intent => seen.intents.first().cloned().unwrap_or_default(),
        Aspect::Slots => {
            let slots: Vec<String> = seen
                .slots
                .keys()
                // A name keeps the customer's spelling, so case, width and spaces are no difference.
                .map(|slot| {
                    let values = fold(&seen.slot(slot).join("+")).replace(' ', "");
                    format!("{slot}={values}")
                })
                .collect();
            slots.join(", ")
        }
        Aspect::Products => seen.shown.join(", "),
        Aspect::Grade => match &seen.handoff {
            Some(reason) => format!("{}, handoff {reason}", seen.lead.grade),
            None => seen.lead.grade.clone(),
        },
    }
}

impl Story {
    /// The customer's texts that a variation changes, by the place of their turn.
    fn changed(&self, variation: Variation) -> BTreeMap<usize, String> {
        let mut changed = BTreeMap::new();
        for (place, step) in self.turns.iter().enumerate() {
            if let Word::Text(text) = &step.word {
                let seed = dialogs::compose::hash(&format!("{}{place}", self.name)) >> 8;
                if let Some(other) = variation.apply(text, seed) {
                    changed.insert(place, other);
                }
            }
        }
        changed
    }
}

/// Two columns of a table, by line.
fn pairs(table: &'static str) -> Vec<(&'static str, &'static str)> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variation_is_the_same_each_time_and_says_where_it_changes_nothing() {
        let text = "预算三千以内，40个人用，有推荐吗？ please recommend";
        for variation in Variation::ALL {
            let first = variation.apply(text, 11);
            assert_eq!(first, variation.apply(text, 11), "{}", variation.name());
            assert_ne!(first.as_deref(), Some(text));
            assert_eq!(
                variation
                    .apply("", 1)
                    .filter(|_| variation != Variation::Emoji),
                None
            );
        }
    }
}
