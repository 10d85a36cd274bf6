//! Which day a question for opening hours is about.

use super::Decider;
use crate::cue::Cue;
use crate::nlu::Value;
use serde::{Deserialize, Serialize};

/// A day as it was asked for; the calendar says which one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum AskedDay {
    /// So many days from today.
    Ahead { days: u32 },
    /// Monday is 0.
    Weekday { weekday: u8 },
    /// A feast with a date of its own.
    Feast { month: u32, day: u32 },
    /// The days on which the shop is closed, whichever they are.
    Closures,
}

const TODAY: [&str; 5] = ["今天", "今日", "今晚", "today", "tonight"];
/// Not the nearest day of that name.
const NEXT: [&str; 4] = ["下周", "下个周", "下星期", "next "];
/// How Chinese begins the name of a weekday.
const WEEKS: [&str; 3] = ["周", "星期", "礼拜"];
const WEEKDAYS: [(&str, char); 7] = [
    ("monday", '一'),
    ("tuesday", '二'),
    ("wednesday", '三'),
    ("thursday", '四'),
    ("friday", '五'),
    ("saturday", '六'),
    ("sunday", '日'),
];
/// Feasts that have the same date each year.
const FEASTS: [(&str, u32, u32); 12] = [
    ("元旦", 1, 1),
    ("new year's", 1, 1),
    ("new years", 1, 1),
    ("五一", 5, 1),
    ("劳动节", 5, 1),
    ("labour day", 5, 1),
    ("labor day", 5, 1),
    ("国庆", 10, 1),
    ("national day", 10, 1),
    ("圣诞", 12, 25),
    ("christmas", 12, 25),
    ("xmas", 12, 25),
];

impl Decider<'_> {
    /// The day that is asked about, if one is.
    pub(super) fn asked_day(&self) -> Option<AskedDay> {
        let words = self.words.as_str();
        if TODAY.iter().any(|word| words.contains(word)) {
            return Some(AskedDay::Ahead { days: 0 });
        }
        let named = |(name, month, day): &(&str, u32, u32)| {
            let feast = AskedDay::Feast {
                month: *month,
                day: *day,
            };
            words.contains(name).then_some(feast)
        };
        if let Some(feast) = FEASTS.iter().find_map(named) {
            return Some(feast);
        }
        if Cue::Feast.is_in(words) {
            return Some(AskedDay::Closures);
        }
        if let Some(weekday) = weekday(words).filter(|_| !NEXT.iter().any(|w| words.contains(w))) {
            return Some(weekday);
        }
        let entities = &self.scene.understanding.entities;
        entities.iter().find_map(|entity| match entity.value {
            Value::Horizon { days } => Some(AskedDay::Ahead { days }),
            _ => None,
        })
    }
}

fn weekday(words: &str) -> Option<AskedDay> {
    let is_named = |(english, chinese): &(&str, char)| {
        let spoken = WEEKS.iter().any(|week| {
            words.match_indices(week).any(|(at, _)| {
                let rest = words.get(at + week.len()..).unwrap_or_default();
                rest.starts_with(*chinese) || (*chinese == '日' && rest.starts_with('天'))
            })
        });
        spoken || words.contains(english)
    };
    let mut named = WEEKDAYS
        .iter()
        .zip(0_u8..)
        .filter(|(names, _)| is_named(names));
    let (_, weekday) = named.next()?;
    // Of several days, the usual hours tell.
    named
        .next()
        .is_none()
        .then_some(AskedDay::Weekday { weekday })
}
