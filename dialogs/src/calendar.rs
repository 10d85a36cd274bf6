//! Days, opening hours and the moment a turn runs at, as plain data in the shop's own time.

use crate::yaml::{File, Node, Value};
use serde::{Deserialize, Serialize};

/// Days looked ahead for the next opening.
const OPENING_DAYS_MAX: i64 = 30;
const MINUTES_A_DAY: u32 = 24 * 60;

const WEEKDAYS: [(&str, u8); 7] = [
    ("mon", 0),
    ("tue", 1),
    ("wed", 2),
    ("thu", 3),
    ("fri", 4),
    ("sat", 5),
    ("sun", 6),
];

/// A day counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Day(pub i64);

/// The time a turn runs at: the instant, and what the shop's wall clock shows then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    pub day: Day,
    /// Minutes since the shop's midnight.
    pub minute: u32,
}

/// When people are there; no hours at all means nobody can say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// Weekday (Monday 0), opening and closing minute of the day.
    spans: Vec<(u8, u32, u32)>,
    /// First and last day, inclusive.
    closed: Vec<(Day, Day)>,
}

/// The next time somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub days_ahead: i64,
    pub day: Day,
    pub minute: u32,
}

impl Day {
    /// Howard Hinnant's `days_from_civil`; `None` for a day that no calendar has.
    pub fn new(year: i64, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_from_march = i64::from((month + 9) % 12);
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let found = Self(era * 146_097 + day_of_era - 719_468);
        (found.civil() == (year, month, day)).then_some(found)
    }

    /// Year, month, day.
    pub fn civil(self) -> (i64, u32, u32) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }

    /// Monday is 0.
    pub fn weekday(self) -> u8 {
        (self.0 + 3).rem_euclid(7) as u8
    }

    /// `2026-11-24`.
    pub fn parse(written: &str) -> Option<Self> {
        let mut fields = written.trim().splitn(3, '-');
        let year = fields.next()?.parse().ok()?;
        let month = fields.next()?.parse().ok()?;
        let day = fields.next()?.parse().ok()?;
        Self::new(year, month, day)
    }
}

impl Hours {
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn open_at(&self, moment: &Moment) -> bool {
        !self.closed_on(moment.day)
            && self.spans.iter().any(|(weekday, from, to)| {
                *weekday == moment.day.weekday() && (*from..*to).contains(&moment.minute)
            })
    }

    /// The next opening after the moment; `None` where hours are unknown or far away.
    pub fn next_opening(&self, moment: &Moment) -> Option<Opening> {
        (0..=OPENING_DAYS_MAX).find_map(|days_ahead| {
            let day = Day(moment.day.0 + days_ahead);
            if self.closed_on(day) {
                return None;
            }
            self.spans
                .iter()
                .filter(|(weekday, from, _)| {
                    *weekday == day.weekday() && (days_ahead > 0 || *from > moment.minute)
                })
                .map(|(_, from, _)| *from)
                .min()
                .map(|minute| Opening {
                    days_ahead,
                    day,
                    minute,
                })
        })
    }

    /// Spans by weekday, for telling a customer.
    pub fn spans(&self) -> &[(u8, u32, u32)] {
        &self.spans
    }

    /// First and last day of each holiday, inclusive.
    pub fn closures(&self) -> &[(Day, Day)] {
        &self.closed
    }

    fn closed_on(&self, day: Day) -> bool {
        self.closed
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&day))
    }

    /// `{mon-fri: "09:00-18:00", sat: ["10:00-12:00", "14:00-17:00"]}`.
    pub fn read(file: &mut File<'_>, node: &Node) -> Self {
        let mut spans = Vec::new();
        for (key, times) in file.map(node) {
            let Some((first, last)) = weekdays(&key.text) else {
                file.problem(
                    key.line,
                    key.column,
                    format!("unknown day `{}`", key.text),
                    Some("mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri".to_owned()),
                );
                continue;
            };
            let written: Vec<&Node> = match &times.value {
                Value::List(list) => list.iter().collect(),
                _ => vec![times],
            };
            for node in written {
                let Some(text) = file.text(node) else {
                    continue;
                };
                match span(&text) {
                    Some((from, to)) => {
                        spans.extend((first..=last).map(|weekday| (weekday, from, to)));
                    }
                    None => file.wrong(
                        node,
                        format!("`{text}` is not a span of time"),
                        "write \"09:00-18:00\", the end after the start",
                    ),
                }
            }
        }
        spans.sort_unstable();
        Self {
            spans,
            closed: Vec::new(),
        }
    }

    /// `["2026-10-01..2026-10-07", "2027-01-01"]`.
    pub fn read_holidays(&mut self, file: &mut File<'_>, node: &Node) {
        for day in file.list(node) {
            let Some(text) = file.text(day) else { continue };
            let (from, to) = text.split_once("..").unwrap_or((&text, &text));
            match (Day::parse(from), Day::parse(to)) {
                (Some(from), Some(to)) if from <= to => self.closed.push((from, to)),
                _ => file.wrong(
                    day,
                    format!("`{text}` is not a day or a range of days"),
                    "write 2026-10-01 or 2026-10-01..2026-10-07",
                ),
            }
        }
    }
}

/// `09:00` of a minute of the day.
pub fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn weekdays(key: &str) -> Option<(u8, u8)> {
    let weekday = |name: &str| {
        WEEKDAYS
            .iter()
            .find(|(known, _)| *known == name.trim())
            .map(|(_, index)| *index)
    };
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let (first, last) = (weekday(first)?, weekday(last)?);
    (first <= last).then_some((first, last))
}

fn span(text: &str) -> Option<(u32, u32)> {
    let minute = |clock: &str| {
        let (hour, minute) = clock.trim().split_once(':')?;
        let total = hour.parse::<u32>().ok()? * 60 + minute.parse::<u32>().ok()?;
        (total <= MINUTES_A_DAY).then_some(total)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minute(from)?, minute(to)?);
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    fn moment(day: &str, minute: u32) -> Moment {
        Moment {
            at_ms: 0,
            day: Day::parse(day).unwrap(),
            minute,
        }
    }

    fn hours() -> Hours {
        let mut file = File::new("shop.yaml");
        let node = file
            .parse("{hours: {mon-fri: \"09:00-18:00\", sat: \"10:00-17:00\"}, off: [\"2026-10-01..2026-10-07\"]}")
            .unwrap();
        let entries = file.map(&node).to_vec();
        let mut hours = Hours::read(&mut file, &entries[0].1);
        hours.read_holidays(&mut file, &entries[1].1);
        assert_eq!(file.problems, []);
        hours
    }

    #[test]
    fn the_shop_is_open_in_its_hours_and_closed_on_holidays() {
        let hours = hours();
        for (day, minute, open) in [
            ("2026-11-24", 9 * 60, true),
            ("2026-11-24", 18 * 60, false),
            ("2026-11-28", 10 * 60, true),
            ("2026-11-29", 12 * 60, false),
            ("2026-10-05", 12 * 60, false),
        ] {
            assert_eq!(hours.open_at(&moment(day, minute)), open, "{day} {minute}");
        }
    }

    #[test]
    fn the_next_opening_skips_nights_sundays_and_holidays() {
        let hours = hours();
        let next = |day, minute| {
            let opening = hours.next_opening(&moment(day, minute)).unwrap();
            (opening.days_ahead, opening.minute)
        };
        assert_eq!(next("2026-11-24", 8 * 60), (0, 9 * 60));
        assert_eq!(next("2026-11-24", 20 * 60), (1, 9 * 60));
        assert_eq!(next("2026-11-28", 18 * 60), (2, 9 * 60));
        assert_eq!(next("2026-09-30", 20 * 60), (8, 9 * 60));
    }

    proptest! {
        #[test]
        fn days_and_dates_round_trip(day in -1_000_000_i64..1_000_000) {
            let (year, month, date) = Day(day).civil();
            assert_eq!(Day::new(year, month, date), Some(Day(day)));
        }
    }
}
