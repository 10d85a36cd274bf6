//! When something is needed: spans of time, weekdays, dates, feasts, as days from today.

use super::{Finder, pattern};
use crate::calendar::Day;
use crate::nlu::{Value, numbers};
use regex::Regex;
use std::sync::LazyLock;

patterns! {
    WEEKDAY = r"(这个?|本|下个?)?(?:周|星期|礼拜)([一二三四五六日天])\s*(前|之前|以前|要|就要|到货|送|用|交|吧)?";
    WEEKDAY_WORD = r"\b(this|next|by|before|until|on|this coming|by next|by this)\s+(mon|tues|wednes|thurs|fri|satur|sun)day\b";
    DATE = r"([一二三四五六七八九十\d]{1,3})\s*月\s*([一二三四五六七八九十\d]{1,3}\s*[号日]?|底|初|中旬|份)?\s*(前|之前|以前|以内|左右)?";
    DAY_OF_MONTH = r"(\d{1,2})\s*[号日]\s*(?:前|之前|以前)|\b(?:by|before|until) the (\d{1,2})(?:st|nd|rd|th)\b";
    DAY_OF_NEXT_MONTH = r"下个?月\s*(\d{1,2})\s*[号日]\s*(?:前|之前|以前)?";
    DATE_WORD = r"\b(?:(end of|before|by|until|in|mid|early|late|beginning of|start of)[ -])?(?:the )?(january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?(?: (\d{1,2})(?:st|nd|rd|th)?\b)?";
    DAY_THEN_MONTH = r"\b(\d{1,2})(?:st|nd|rd|th)?(?: of)? (january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b";
    FEAST = r"(圣诞节?|国庆节?|十一|元旦节?|五一|劳动节|春节|过年|双十一|双11|双十二|双12)\s*(?:前|之前|以前|要用|用)|\b(?:before|by|for|in time for|until) (christmas|xmas|new year'?s?|chinese new year|lunar new year|spring festival|national day)";
    SOON = r"尽快|马上要|马上用|今天要|急用|急需|asap|as soon as possible|right away|urgently|today";
}

/// First days of the Chinese New Year, which follows the moon.
const SPRING_FESTIVALS: [(i64, u32, u32); 5] = [
    (2026, 2, 17),
    (2027, 2, 6),
    (2028, 1, 26),
    (2029, 2, 13),
    (2030, 2, 3),
];
const WEEKDAYS: [&str; 7] = ["mon", "tues", "wednes", "thurs", "fri", "satur", "sun"];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// Longest horizon in days.
const DAYS_MAX: f64 = 3_650.0;
/// What a span of time is of when it is no deadline.
const NO_DEADLINE: [&str; 15] = [
    "保修",
    "质保",
    "续航",
    "退",
    "换",
    "保质",
    "warranty",
    "guarantee",
    "return",
    "battery",
    "租",
    "每",
    "per ",
    "rent",
    "lease",
];

impl Finder<'_> {
    fn today(&self) -> Option<Day> {
        let today = self.listening.today;
        Day::new(i64::from(today.year), today.month, today.day)
    }

    /// Days until the next such day of a year.
    fn days_until(&self, month: u32, day: u32) -> Option<u32> {
        let today = self.today()?;
        let (year, ..) = today.civil();
        (year..=year + 1)
            .filter_map(|year| Day::new(year, month, day.min(last_day(year, month))))
            .map(|day| day.0 - today.0)
            .find(|days| *days >= 0)
            .and_then(|days| u32::try_from(days).ok())
    }

    pub(super) fn dates(&mut self) {
        let text = self.folded.text.clone();
        let mut found: Vec<(usize, usize, u32)> = Vec::new();
        found.extend(self.weekdays(&text));
        found.extend(self.days_of_months(&text));
        for groups in FEAST.iter().flat_map(|p| p.captures_iter(&text)) {
            let whole = groups.get(0);
            let name = groups.get(1).or(groups.get(2)).map(|m| m.as_str());
            if let (Some(whole), Some(days)) = (whole, name.and_then(|n| self.feast(n))) {
                found.push((whole.start(), whole.end(), days));
            }
        }
        for (start, end, days) in found {
            self.add(start, end, Value::Horizon { days });
        }
        let calm = ["不着急", "不急", "no rush", "no hurry", "not urgent"];
        if !calm.iter().any(|word| text.contains(word))
            && let Some(hit) = SOON.as_ref().and_then(|p| p.find(&text))
        {
            self.add(hit.start(), hit.end(), Value::Horizon { days: 1 });
        }
        for (words, days) in self.calendar_words() {
            if let Some(at) = text.find(words) {
                self.add(at, at + words.len(), Value::Horizon { days });
            }
        }
    }

    fn weekdays(&self, text: &str) -> Vec<(usize, usize, u32)> {
        let mut found = Vec::new();
        let today = i64::from(self.listening.today.weekday % 7);
        let days = |of: i64, next: bool| {
            let days = if next {
                7 - today + of
            } else {
                (of - today).rem_euclid(7)
            };
            u32::try_from(days).unwrap_or(0)
        };
        let asked = self.listening.expected == Some("deadline_days");
        for groups in WEEKDAY.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(name)) = (groups.get(0), groups.get(2)) else {
                continue;
            };
            let of = "一二三四五六日天"
                .chars()
                .position(|c| name.as_str().starts_with(c));
            let next = groups.get(1).is_some_and(|g| g.as_str().starts_with('下'));
            let is_deadline = groups.get(1).is_some() || groups.get(3).is_some() || asked;
            if let Some(of) = of.filter(|_| is_deadline) {
                let of = i64::try_from(of.min(6)).unwrap_or(0);
                found.push((whole.start(), whole.end(), days(of, next)));
            }
        }
        for groups in WEEKDAY_WORD.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(lead), Some(name)) =
                (groups.get(0), groups.get(1), groups.get(2))
            else {
                continue;
            };
            if let Some(of) = WEEKDAYS.iter().position(|day| *day == name.as_str()) {
                let of = i64::try_from(of).unwrap_or(0);
                let days = days(of, lead.as_str().ends_with("next"));
                found.push((whole.start(), whole.end(), days));
            }
        }
        found
    }

    fn days_of_months(&self, text: &str) -> Vec<(usize, usize, u32)> {
        let mut found = Vec::new();
        for groups in DATE.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(month)) = (groups.get(0), groups.get(1)) else {
                continue;
            };
            let Some(month) = small(month.as_str()).filter(|m| (1..=12).contains(m)) else {
                continue;
            };
            let day = match groups.get(2).map(|m| m.as_str()) {
                Some("底") => Some(31),
                Some("初") => Some(5),
                Some("中旬") => Some(15),
                Some("份") | None => groups.get(3).map(|_| 1),
                Some(day) => small(day.trim_end_matches(['号', '日', ' '])),
            };
            let day = day.filter(|d| (1..=31).contains(d));
            if let Some(days) = day.and_then(|day| self.days_until(month, day)) {
                found.push((whole.start(), whole.end(), days));
            }
        }
        for groups in DAY_OF_NEXT_MONTH.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(day)) = (groups.get(0), groups.get(1)) else {
                continue;
            };
            let month = self.listening.today.month % 12 + 1;
            let day = small(day.as_str()).filter(|d| (1..=31).contains(d));
            if let Some(days) = day.and_then(|day| self.days_until(month, day)) {
                found.push((whole.start(), whole.end(), days));
            }
        }
        for groups in DAY_OF_MONTH.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(day)) = (groups.get(0), groups.get(1).or(groups.get(2))) else {
                continue;
            };
            let today = self.listening.today;
            let Some(day) = small(day.as_str()).filter(|d| (1..=31).contains(d)) else {
                continue;
            };
            let month = if day >= today.day {
                today.month
            } else {
                today.month % 12 + 1
            };
            if let Some(days) = self.days_until(month, day) {
                found.push((whole.start(), whole.end(), days));
            }
        }
        for groups in DAY_THEN_MONTH.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(day), Some(name)) =
                (groups.get(0), groups.get(1), groups.get(2))
            else {
                continue;
            };
            let day = small(day.as_str()).filter(|d| (1..=31).contains(d));
            if let Some(days) = month_of(name.as_str())
                .zip(day)
                .and_then(|(month, day)| self.days_until(month, day))
            {
                found.push((whole.start(), whole.end(), days));
            }
        }
        for groups in DATE_WORD.iter().flat_map(|p| p.captures_iter(text)) {
            let (Some(whole), Some(name)) = (groups.get(0), groups.get(2)) else {
                continue;
            };
            let said = groups.get(3).and_then(|day| small(day.as_str()));
            let day = match (said, groups.get(1).map(|lead| lead.as_str())) {
                (Some(day), _) => day,
                (None, Some("end of" | "late" | "in")) => 31,
                (None, Some("mid")) => 15,
                (None, Some(_)) => 1,
                // May and March are words of their own.
                (None, None) => continue,
            };
            if !(1..=31).contains(&day) {
                continue;
            }
            if let Some(days) = month_of(name.as_str()).and_then(|m| self.days_until(m, day)) {
                found.push((whole.start(), whole.end(), days));
            }
        }
        found
    }

    fn feast(&self, name: &str) -> Option<u32> {
        let (month, day) = match name {
            "圣诞" | "圣诞节" | "christmas" | "xmas" => (12, 25),
            "国庆" | "国庆节" | "十一" | "national day" => (10, 1),
            "五一" | "劳动节" => (5, 1),
            "双十一" | "双11" => (11, 11),
            "双十二" | "双12" => (12, 12),
            "春节" | "过年" | "chinese new year" | "lunar new year" | "spring festival" => {
                let today = self.today()?;
                return SPRING_FESTIVALS
                    .iter()
                    .filter_map(|(year, month, day)| Day::new(*year, *month, *day))
                    .map(|day| day.0 - today.0)
                    .find(|days| *days >= 0)
                    .and_then(|days| u32::try_from(days).ok());
            }
            _ => (1, 1),
        };
        self.days_until(month, day)
    }

    /// Days meant by a number with a unit of time after it, and the bytes of that unit.
    pub(super) fn horizon(
        &self,
        value: f64,
        before: &str,
        after: &str,
        is_weak: bool,
    ) -> Option<(u32, usize)> {
        // 用了两天: what took so long is past.
        if before.ends_with(['了', '才']) {
            return None;
        }
        let spaces = after.len() - after.trim_start().len();
        let joined = after.trim_start();
        let (joined, counter) = match joined.strip_prefix('个') {
            Some(rest) => (rest, '个'.len_utf8()),
            None => (
                joined.strip_prefix("a ").unwrap_or(joined),
                joined.len() - joined.strip_prefix("a ").unwrap_or(joined).len(),
            ),
        };
        let (unit, length) = [
            ("个工作日", 1.4),
            ("工作日", 1.4),
            ("天", 1.0),
            ("日内", 1.0),
            ("周", 7.0),
            ("星期", 7.0),
            ("礼拜", 7.0),
            ("月", 30.0),
            ("年", 365.0),
            ("business days", 1.4),
            ("working days", 1.4),
            ("days", 1.0),
            ("day", 1.0),
            ("weeks", 7.0),
            ("week", 7.0),
            ("months", 30.0),
            ("month", 30.0),
            ("years", 365.0),
            ("year", 365.0),
        ]
        .into_iter()
        .find(|(unit, _)| joined.starts_with(unit))?;
        // 3月 is a month's name; 三个月 a span.
        if unit == "月" && counter == 0 {
            return None;
        }
        let rest = joined.get(unit.len()..).unwrap_or_default();
        let near: String = before
            .chars()
            .skip(before.chars().count().saturating_sub(16))
            .collect();
        let tail: String = rest.chars().take(10).collect();
        let other = NO_DEADLINE
            .iter()
            .any(|w| near.contains(w) || tail.contains(w));
        let past = [
            "前", "以前", "之前", " ago", "了", "old", " old", "-old", "包", "ly",
        ]
        .iter()
        .any(|w| tail.starts_with(w));
        let word = near.trim_end();
        let leads = [
            "in",
            "within",
            "in about",
            "next",
            "about",
            "less than",
            "around",
        ]
        .iter()
        .any(|w| word.ends_with(w));
        let ends = [
            "内", "以内", "之内", "左右", "后", "以后", "之后", "就要", "吧", " or so",
        ]
        .iter()
        .any(|w| tail.starts_with(w));
        let asked = self.listening.expected == Some("deadline_days");
        let alone = word.is_empty() && rest.trim().is_empty();
        let certain = leads || ends || asked || alone;
        let needs_certainty = is_weak || unit.starts_with('年') || unit.starts_with("year");
        if other || past || (needs_certainty && !certain) || value * length > DAYS_MAX {
            return None;
        }
        Some((
            (value * length).ceil() as u32,
            spaces + counter + unit.len(),
        ))
    }

    fn calendar_words(&self) -> Vec<(&'static str, u32)> {
        let today = self.listening.today;
        let (year, month) = (i64::from(today.year), today.month);
        let to_month_end = last_day(year, month).saturating_sub(today.day);
        let (next_year, next_month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
        let to_next_month_end = to_month_end + last_day(next_year, next_month);
        let to_year_end = self.days_until(12, 31).unwrap_or(30);
        let to_friday = u32::from((4 + 7 - today.weekday % 7) % 7);
        let next_week = u32::from(7 - today.weekday % 7) + 4;
        vec![
            ("下个月底", to_next_month_end),
            ("下月底", to_next_month_end),
            ("end of next month", to_next_month_end),
            ("月底", to_month_end),
            ("end of the month", to_month_end),
            ("end of this month", to_month_end),
            ("下个月", to_month_end + 15),
            ("下月", to_month_end + 15),
            ("next month", to_month_end + 15),
            ("年底", to_year_end),
            ("年前", to_year_end),
            ("end of the year", to_year_end),
            ("by year end", to_year_end),
            ("下下周", next_week + 7),
            ("下周", next_week),
            ("下星期", next_week),
            ("next week", next_week),
            ("这周", to_friday),
            ("本周", to_friday),
            ("this week", to_friday),
            ("后天", 2),
            ("day after tomorrow", 2),
            ("明天", 1),
            ("tomorrow", 1),
        ]
    }
}

fn last_day(year: i64, month: u32) -> u32 {
    (28..=31)
        .rev()
        .find(|day| Day::new(year, month, *day).is_some())
        .unwrap_or(30)
}

fn small(written: &str) -> Option<u32> {
    let written = written.trim();
    match written.parse() {
        Ok(number) => Some(number),
        Err(_) => numbers::find(written).first().map(|n| n.value as u32),
    }
}

fn month_of(name: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|month| name.starts_with(month))?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_pattern_compiles() {
        for (name, compiles) in super::all_patterns() {
            assert!(compiles, "{name}");
        }
    }
}
