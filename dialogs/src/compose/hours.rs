//! When people are there: in a usual week, and on the day that was asked for.

use super::Composer;
use super::facts::{MONTHS, day_range, weekday_name};
use crate::Language;
use crate::calendar::{Day, clock};
use crate::decide::AskedDay;

/// Holidays told of at once.
const CLOSURES_MAX: usize = 4;

impl Composer<'_> {
    pub(super) fn hours(&mut self) {
        let hours = self.shop_fact(&self.usual_hours(), "hours");
        self.say("hours", &[("hours", hours)]);
    }

    /// Open or closed on one day; of a day later than the shop's calendar of holidays goes, only what is usual is told.
    pub(super) fn hours_on(&mut self, asked: AskedDay) {
        let today = self.stage.moment.day;
        let profile = &self.stage.shop.profile.hours;
        let Some(day) = day_of(asked, today) else {
            let coming = profile.closures().iter().filter(|(_, last)| *last >= today);
            let coming: Vec<(Day, Day)> = coming.copied().take(CLOSURES_MAX).collect();
            return self.holidays(&coming);
        };
        let closure = profile
            .closures()
            .iter()
            .find(|(first, last)| (*first..=*last).contains(&day));
        if let Some(closure) = closure {
            return self.holidays(&[*closure]);
        }
        let known_until = profile.closures().iter().map(|(_, last)| *last).max();
        let unsure = match asked {
            AskedDay::Weekday { .. } => false,
            AskedDay::Feast { .. } => known_until.is_none_or(|last| day > last),
            AskedDay::Ahead { .. } | AskedDay::Closures => {
                known_until.is_some_and(|last| day > last)
            }
        };
        let spans: Vec<String> = profile
            .spans()
            .iter()
            .filter(|(weekday, ..)| *weekday == day.weekday())
            .map(|(_, from, to)| format!("{}–{}", clock(*from), clock(*to)))
            .collect();
        let (key, hours) = match spans.as_slice() {
            _ if unsure => ("hours.unsure", self.usual_hours()),
            [] => ("hours.off", self.usual_hours()),
            spans => ("hours.on", spans.join(self.pause())),
        };
        let name = self.day_name(asked, day);
        let name = self.shop_fact(&name, "hours");
        let hours = self.shop_fact(&hours, "hours");
        self.say(key, &[("day", name), ("hours", hours)]);
    }

    /// The days on which nobody is there; where none are written, what is usual.
    fn holidays(&mut self, closures: &[(Day, Day)]) {
        if closures.is_empty() {
            return self.hours();
        }
        let spans: Vec<String> = closures
            .iter()
            .map(|(first, last)| match (first == last, self.stage.language) {
                (true, _) => self.date(*first),
                (false, Language::Zh) if first.civil().1 == last.civil().1 => {
                    format!("{}至 {} 日", self.date(*first), last.civil().2)
                }
                (false, Language::Zh) => format!("{}至 {}", self.date(*first), self.date(*last)),
                (false, Language::En) => format!("{} to {}", self.date(*first), self.date(*last)),
            })
            .collect();
        let days = self.shop_fact(&spans.join(self.comma()), "holidays");
        let hours = self.shop_fact(&self.usual_hours(), "hours");
        self.say("hours.holidays", &[("days", days), ("hours", hours)]);
    }

    /// A day as the customer would name it, within a sentence.
    fn day_name(&self, asked: AskedDay, day: Day) -> String {
        let language = self.stage.language;
        match (asked, language) {
            (AskedDay::Ahead { days: 0 }, Language::Zh) => "今天".to_owned(),
            (AskedDay::Ahead { days: 0 }, Language::En) => "today".to_owned(),
            (AskedDay::Ahead { days: 1 }, Language::Zh) => "明天".to_owned(),
            (AskedDay::Ahead { days: 1 }, Language::En) => "tomorrow".to_owned(),
            (AskedDay::Weekday { weekday }, Language::Zh) => {
                weekday_name(weekday, language).to_owned()
            }
            (AskedDay::Weekday { weekday }, Language::En) => {
                format!("on {}", weekday_name(weekday, language))
            }
            (_, Language::Zh) => self.date(day),
            (_, Language::En) => format!("on {}", self.date(day)),
        }
    }

    fn date(&self, day: Day) -> String {
        let (_, month, date) = day.civil();
        match self.stage.language {
            Language::Zh => format!("{month} 月 {date} 日"),
            Language::En => {
                let month = MONTHS.get(month as usize - 1).unwrap_or(&"");
                format!("{month} {date}")
            }
        }
    }

    fn pause(&self) -> &'static str {
        match self.stage.language {
            Language::Zh => "，",
            Language::En => ", ",
        }
    }

    fn usual_hours(&self) -> String {
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
                let days = day_range(days, self.stage.language);
                format!("{days} {}–{}", clock(*from), clock(*to))
            })
            .collect();
        lines.join(self.pause())
    }
}

/// The day that is meant, today or later; none where holidays in general are.
fn day_of(asked: AskedDay, today: Day) -> Option<Day> {
    match asked {
        AskedDay::Ahead { days } => Some(Day(today.0 + i64::from(days))),
        AskedDay::Weekday { weekday } => {
            let ahead = (i64::from(weekday) - i64::from(today.weekday())).rem_euclid(7);
            Some(Day(today.0 + ahead))
        }
        AskedDay::Feast { month, day } => {
            let (year, ..) = today.civil();
            (year..=year + 1)
                .filter_map(|year| Day::new(year, month, day))
                .find(|day| *day >= today)
        }
        AskedDay::Closures => None,
    }
}
