//! The facts in a message: money, counts, dates, contacts, and what the catalogue knows.

use super::naming;
use super::negation;
use super::numbers::{self, Number};
use super::references;
use super::{Date, ENTITIES_MAX, Entity, Listening, Superlative, Value};
use crate::calendar::Day;
use crate::money::{Currency, Money};
use crate::text::Folded;
use crate::vocabulary::TermKind;
use regex::Regex;
use std::sync::LazyLock;

struct Finder<'a> {
    message: &'a str,
    folded: &'a Folded,
    listening: &'a Listening<'a>,
    taken: Vec<(usize, usize)>,
    found: Vec<(usize, Entity)>,
}

/// A pattern of ours that does not compile finds nothing; a test compiles them all.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($text));)*
        #[cfg(test)]
        fn all_patterns() -> Vec<(&'static str, bool)> { vec![$((stringify!($name), $name.is_some())),*] }
    };
}

patterns! {
    EMAIL = r"[a-z0-9._%+-]+@[a-z0-9-]+(\.[a-z0-9-]+)+";
    PHONE = r"(\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}|\+\d{1,3}[ -]?\(?\d{2,4}\)?([ -]?\d{2,4}){2,3}|\b\d{3}[ -]\d{3}[ -]\d{4}\b";
    WECHAT = r"(?:微信号?|wechat(?: id)?|weixin|wx|vx)(?:是|号|is|:|：| )*\s*([a-z][a-z0-9_-]{5,19})";
    COMPANY = r"(?:我是|我们是|来自)([^\s，。,！!？?是]{2,20}?(?:公司|集团|科技|咖啡馆|酒店|学校))|(?:i am|i'm|we are|we're|this is) (?:\w+ )?from ([a-z0-9][a-z0-9&' .-]{1,40}?(?: (?:ltd|inc|gmbh|llc|corp|co|company))?)(?:[,.!?]|$)";
    NAME = r"(?:我叫|我姓|叫我)([\p{Han}]{1,4})|(?:my name is|call me) ([a-z][a-z'-]{1,20})";
    PEOPLE = r"^\s*(?:多|来|几)?(?:个|位|号|名)?(?:来号)?\s*(?:人|员工|同事|people|persons|employees|colleagues|staff|users)";
    PIECES = r"^\s*(台|件|个|包|箱|套|支|把|只|盒|袋|张|块表|units?|pieces?|pcs|bags?|boxes|sets?|of (?:them|these|those)|x )";
    LAST_SHOWN = r"刚才那|刚刚那|这款|这个|这台|那款|那个|它|\bthis one\b|\bthat one\b|\bit\b|\bthis\b";
    ASAP = r"尽快|马上要|今天要|asap|as soon as possible|right away|today";
    BELOW = r"(以内|以下|之内|内|封顶|or less|max|at most)";
    ABOVE = r"(以上|起|or more|and up|plus)";
    ABOUT = r"(左右|上下|around|about|roughly|大概|大约|差不多|approximately)";
}

/// How far "around" reaches, in parts of a hundred.
const AROUND_PERCENT: i64 = 15;

pub(super) fn find(message: &str, folded: &Folded, listening: &Listening<'_>) -> Vec<Entity> {
    let mut finder = Finder {
        message,
        folded,
        listening,
        taken: Vec::new(),
        found: Vec::new(),
    };
    finder.contacts();
    finder.catalogue();
    finder.ordinals();
    finder.numbers();
    finder.words();
    finder.found.sort_by_key(|(at, _)| *at);
    finder
        .found
        .into_iter()
        .map(|(_, entity)| entity)
        .take(ENTITIES_MAX)
        .collect()
}

impl Finder<'_> {
    fn free(&self, start: usize, end: usize) -> bool {
        !self
            .taken
            .iter()
            .any(|(from, to)| start < *to && *from < end)
    }

    fn add(&mut self, start: usize, end: usize, value: Value) {
        self.add_negated(start, end, value, false);
    }

    fn add_negated(&mut self, start: usize, end: usize, value: Value, negated: bool) {
        if self.free(start, end) && start < end {
            let quote = self.folded.quote(self.message, start, end).to_owned();
            self.taken.push((start, end));
            self.found.push((
                start,
                Entity {
                    value,
                    quote,
                    negated,
                },
            ));
        }
    }

    fn text(&self) -> &str {
        &self.folded.text
    }

    fn contacts(&mut self) {
        let text = self.folded.text.clone();
        let own = |finder: &Self, start: usize, end: usize| {
            finder.folded.quote(finder.message, start, end).to_owned()
        };
        for (pattern, make) in [
            (
                &*EMAIL,
                (|text| Value::Email { text }) as fn(String) -> Value,
            ),
            (&*PHONE, |text| Value::Phone { text }),
        ] {
            for hit in pattern.iter().flat_map(|p| p.find_iter(&text)) {
                let digit_after = text
                    .get(hit.end()..)
                    .is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()));
                if !digit_after {
                    let value = make(own(self, hit.start(), hit.end()));
                    self.add(hit.start(), hit.end(), value);
                }
            }
        }
        for (pattern, make) in [
            (
                &*WECHAT,
                (|text| Value::Wechat { text }) as fn(String) -> Value,
            ),
            (&*COMPANY, |text| Value::Company { text }),
            (&*NAME, |text| Value::PersonName { text }),
        ] {
            for groups in pattern.iter().flat_map(|p| p.captures_iter(&text)) {
                if let Some(hit) = groups.iter().skip(1).flatten().next() {
                    let value = make(own(self, hit.start(), hit.end()).trim().to_owned());
                    self.add(hit.start(), hit.end(), value);
                }
            }
        }
    }

    fn catalogue(&mut self) {
        let hits = naming::find(self.message, self.folded, self.listening.vocabulary);
        let starts: Vec<usize> = hits.iter().map(|hit| hit.start).collect();
        for (at, hit) in hits.into_iter().enumerate() {
            let value = match hit.kind {
                TermKind::ProductType => Value::ProductType { key: hit.key },
                TermKind::Brand => Value::Brand { key: hit.key },
                TermKind::Attribute { name } => Value::Attribute { name, key: hit.key },
                TermKind::Product | TermKind::Model => Value::Product { id: hit.key },
            };
            let next = starts.get(at + 1).copied();
            let negated = negation::refused(self.text(), hit.start, hit.end, next);
            self.add_negated(hit.start, hit.end, value, negated);
        }
    }

    fn ordinals(&mut self) {
        for pointed in references::find(self.text()) {
            if !self.free(pointed.start, pointed.end) {
                continue;
            }
            let quote = self
                .folded
                .quote(self.message, pointed.start, pointed.end)
                .to_owned();
            self.taken.push((pointed.start, pointed.end));
            for value in pointed.values {
                let entity = Entity {
                    value,
                    quote: quote.clone(),
                    negated: false,
                };
                self.found.push((pointed.start, entity));
            }
        }
    }

    fn numbers(&mut self) {
        let text = self.folded.text.clone();
        let all = numbers::find(&text);
        let mut skip = 0;
        for (at, number) in all.iter().enumerate() {
            if number.start < skip || !self.free(number.start, number.end) {
                continue;
            }
            skip = self.number(&text, number, all.get(at + 1));
        }
        if let Some(hit) = ASAP.as_ref().and_then(|p| p.find(&text)) {
            self.add(hit.start(), hit.end(), Value::Horizon { days: 1 });
        }
        for (words, days) in self.calendar_words() {
            if let Some(at) = text.find(words) {
                self.add(at, at + words.len(), Value::Horizon { days });
            }
        }
    }

    /// Reads one number, with its range, in its surroundings; gives where reading goes on.
    fn number(&mut self, text: &str, number: &Number, next: Option<&Number>) -> usize {
        let before = text.get(..number.start).unwrap_or_default();
        // 3-5k, 2千到3千
        let range = next.filter(|n| {
            let between = text.get(number.end..n.start).unwrap_or_default().trim();
            matches!(
                between,
                "-" | "–" | "~" | "到" | "至" | "to" | "—" | "～" | "元到" | "块到"
            )
        });
        let end = range.map_or(number.end, |n| n.end);
        let after = text.get(end..).unwrap_or_default();
        let low = match range {
            Some(high) if number.value * 100.0 < high.value && high.value >= 1000.0 => {
                number.value
                    * if high.value >= 10_000.0 && number.value < 10.0 {
                        10_000.0
                    } else {
                        1_000.0
                    }
            }
            _ => number.value,
        };
        let high = range.map(|n| n.value).or(number.upper);
        if range.is_none() && number.upper.is_none() {
            if let Some(days) = self.horizon(number.value, after) {
                let word = after
                    .chars()
                    .take_while(|c| !c.is_whitespace() || after.starts_with(' '))
                    .take(8)
                    .map(char::len_utf8)
                    .sum::<usize>();
                let _ = word;
                self.add(number.start, number.end, Value::Horizon { days });
                return number.end;
            }
            if PEOPLE.as_ref().is_some_and(|p| p.is_match(after))
                || before.ends_with("team of ")
                || before.ends_with("office of ")
            {
                let to = end
                    + PEOPLE
                        .as_ref()
                        .and_then(|p| p.find(after))
                        .map_or(0, |m| m.end());
                self.add(
                    number.start,
                    to,
                    Value::People {
                        count: number.value as u32,
                    },
                );
                return to;
            }
            if let Some(unit) = PIECES
                .as_ref()
                .and_then(|p| p.captures(after))
                .and_then(|c| c.get(1))
            {
                let to = end + unit.end();
                let one = number.value <= 1.0 && before.ends_with("这");
                if !one && text.get(to..).is_none_or(|rest| !rest.starts_with("钱")) {
                    self.add(
                        number.start,
                        to,
                        Value::Quantity {
                            count: number.value as u32,
                            unit: Some(unit.as_str().trim().to_owned()),
                        },
                    );
                    return to;
                }
            }
        }
        let (currency, from, to) = self.currency(text, number.start, end);
        let near_before: String = before
            .chars()
            .rev()
            .take(14)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let tail: String = text
            .get(to..)
            .unwrap_or_default()
            .trim_start()
            .chars()
            .take(12)
            .collect();
        let below = BELOW
            .as_ref()
            .and_then(|p| p.find(&tail))
            .is_some_and(|m| m.start() == 0)
            || [
                "under ",
                "below ",
                "不超过",
                "不超",
                "up to ",
                "less than ",
                "max ",
                "within ",
                "no more than ",
                "最多",
                "低于",
                "不高于",
                "小于",
            ]
            .iter()
            .any(|w| {
                near_before
                    .trim_end_matches(['¥', '$', ' ', '€'])
                    .ends_with(w.trim_end())
            });
        let above = ABOVE
            .as_ref()
            .and_then(|p| p.find(&tail))
            .is_some_and(|m| m.start() == 0)
            || [
                "at least ",
                "over ",
                "above ",
                "至少",
                "more than ",
                "超过",
                "from ",
            ]
            .iter()
            .any(|w| {
                near_before
                    .trim_end_matches(['¥', '$', ' ', '€'])
                    .ends_with(w.trim_end())
            });
        let about = ABOUT.as_ref().is_some_and(|p| {
            p.find(&tail).is_some_and(|m| m.start() == 0) || p.is_match(&near_before)
        });
        let budget_word = near_before.contains("预算")
            || near_before.contains("budget")
            || self.listening.expected == Some("budget_max");
        let money_like =
            currency.is_some() || (low >= 100.0 && number.value >= 100.0) || budget_word;
        let quote_end = if below || above || about {
            to + tail_len(text, to, &tail)
        } else {
            to
        };
        if money_like && (below || above || about || budget_word || high.is_some()) {
            let own = currency.unwrap_or(self.listening.currency);
            let money = |value: f64| Money {
                minor: (value * 10_f64.powi(own.digits() as i32)).round() as i64,
                currency: own,
            };
            let (min, max) = match high {
                Some(high) => (Some(money(low)), Some(money(high))),
                None if above => (Some(money(low)), None),
                None if about => (
                    Some(part(money(low), 100 - AROUND_PERCENT)),
                    Some(part(money(low), 100 + AROUND_PERCENT)),
                ),
                None => (None, Some(money(low))),
            };
            self.add(from, quote_end.min(text.len()), Value::Budget { min, max });
            return quote_end;
        }
        if let Some(own) = currency {
            let amount = Money {
                minor: (low * 10_f64.powi(own.digits() as i32)).round() as i64,
                currency: own,
            };
            self.add(from, to, Value::Price { amount });
            return to;
        }
        let single_han = number.end - number.start <= 3
            && !text
                .get(number.start..number.end)
                .is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let alone = text.trim().len() == number.end - number.start;
        let glued = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
            || after.starts_with(|c: char| c.is_ascii_alphanumeric());
        if (alone || !single_han)
            && !glued
            && number.value <= f64::from(u32::MAX)
            && number.value.fract() == 0.0
        {
            self.add(
                number.start,
                number.end,
                Value::Number {
                    count: number.value as u32,
                },
            );
        }
        end
    }

    /// The currency said beside an amount, and the bytes of amount and currency together.
    fn currency(&self, text: &str, start: usize, end: usize) -> (Option<Currency>, usize, usize) {
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        let trimmed = before.trim_end();
        let yuan = Currency::CNY;
        for (sign, currency) in [
            ("¥", yuan),
            ("rmb", yuan),
            ("cny", yuan),
            ("us$", Currency::USD),
            ("$", Currency::USD),
            ("usd", Currency::USD),
        ] {
            if trimmed.ends_with(sign) {
                return (Some(currency), trimmed.len() - sign.len(), end);
            }
        }
        for (sign, code) in [("€", "EUR"), ("£", "GBP")] {
            if trimmed.ends_with(sign) {
                return (Currency::new(code).ok(), trimmed.len() - sign.len(), end);
            }
        }
        let spaced = after.len() - after.trim_start().len();
        let word = after.trim_start();
        for (name, currency) in [
            ("块钱", yuan),
            ("块", yuan),
            ("元", yuan),
            ("rmb", yuan),
            ("cny", yuan),
            ("yuan", yuan),
            ("人民币", yuan),
            ("美元", Currency::USD),
            ("美金", Currency::USD),
            ("dollars", Currency::USD),
            ("bucks", Currency::USD),
            ("usd", Currency::USD),
            ("刀", Currency::USD),
        ] {
            if word.starts_with(name) {
                return (Some(currency), start, end + spaced + name.len());
            }
        }
        if word.starts_with("euro") || word.starts_with("欧元") {
            return (
                Currency::new("EUR").ok(),
                start,
                end + spaced + if word.starts_with("euro") { 4 } else { 6 },
            );
        }
        (None, start, end)
    }

    /// Days meant by a number with a unit of time after it.
    fn horizon(&self, value: f64, after: &str) -> Option<u32> {
        let word = after.trim_start().trim_start_matches("个");
        let days = [
            ("天", 1.0),
            ("日内", 1.0),
            ("周", 7.0),
            ("星期", 7.0),
            ("月", 30.0),
            ("days", 1.0),
            ("day", 1.0),
            ("weeks", 7.0),
            ("week", 7.0),
            ("months", 30.0),
            ("month", 30.0),
        ]
        .into_iter()
        .find(|(unit, _)| word.starts_with(unit))
        .map(|(unit, days)| (unit, value * days))?;
        let counter = after.trim_start().starts_with("个");
        // 3月 is a month's name; 三个月 a span.
        if days.0 == "月" && !counter {
            return None;
        }
        (days.1 <= 3_650.0).then_some(days.1 as u32)
    }

    fn calendar_words(&self) -> Vec<(&'static str, u32)> {
        let today = self.listening.today;
        let Date {
            year,
            month,
            day,
            weekday,
        } = today;
        let length = |year: i64, month: u32| {
            (28..=31)
                .rev()
                .find(|d| Day::new(year, month, *d).is_some())
                .unwrap_or(30)
        };
        let to_month_end = length(i64::from(year), month).saturating_sub(day);
        let (next_year, next_month) = if month == 12 {
            (i64::from(year) + 1, 1)
        } else {
            (i64::from(year), month + 1)
        };
        let to_next_month_end = to_month_end + length(next_year, next_month);
        let to_year_end = Day::new(i64::from(year), 12, 31)
            .zip(Day::new(i64::from(year), month, day))
            .map_or(30, |(end, now)| (end.0 - now.0).max(0) as u32);
        let to_friday = u32::from((4 + 7 - weekday % 7) % 7);
        let next_week = u32::from(7 - weekday % 7) + 4;
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
            ("下周", next_week),
            ("next week", next_week),
            ("这周", to_friday),
            ("本周", to_friday),
            ("this week", to_friday),
            ("by friday", to_friday),
            ("周五前", to_friday),
            ("后天", 2),
            ("明天", 1),
            ("tomorrow", 1),
        ]
    }

    fn words(&mut self) {
        let text = self.folded.text.clone();
        let superlatives: [(&str, Superlative); 21] = [
            ("最便宜", Superlative::Cheapest),
            ("最低价", Superlative::Cheapest),
            ("价格最低", Superlative::Cheapest),
            ("cheapest", Superlative::Cheapest),
            ("least expensive", Superlative::Cheapest),
            ("lowest price", Superlative::Cheapest),
            ("最贵", Superlative::MostExpensive),
            ("价格最高", Superlative::MostExpensive),
            ("most expensive", Superlative::MostExpensive),
            ("highest price", Superlative::MostExpensive),
            ("priciest", Superlative::MostExpensive),
            ("最轻", Superlative::Lightest),
            ("lightest", Superlative::Lightest),
            ("最重", Superlative::Heaviest),
            ("heaviest", Superlative::Heaviest),
            ("最小", Superlative::Smallest),
            ("smallest", Superlative::Smallest),
            ("最大", Superlative::Largest),
            ("largest", Superlative::Largest),
            ("biggest", Superlative::Largest),
            ("quietest", Superlative::Quietest),
        ];
        for (word, of) in superlatives {
            if let Some(at) = text.find(word) {
                self.add(at, at + word.len(), Value::Superlative { of });
            }
        }
        for word in [
            "便宜点",
            "便宜一点",
            "便宜些",
            "更便宜",
            "cheaper",
            "less expensive",
        ] {
            if let Some(at) = text.find(word) {
                self.add(at, at + word.len(), Value::Cheaper);
            }
        }
        for word in ["更好", "好一点", "高级点", "better", "premium"] {
            if let Some(at) = text.find(word) {
                self.add(at, at + word.len(), Value::Better);
            }
        }
        let whole = text.trim_matches(|c: char| {
            c.is_whitespace() || c.is_ascii_punctuation() || "。！？，～".contains(c)
        });
        if [
            "好",
            "好的",
            "可以",
            "行",
            "嗯",
            "是",
            "是的",
            "对",
            "要",
            "yes",
            "yeah",
            "ok",
            "okay",
            "sure",
            "yep",
            "yes please",
        ]
        .contains(&whole)
        {
            self.add(0, text.len(), Value::Yes);
        }
        if [
            "不",
            "不用",
            "不要",
            "不是",
            "不用了",
            "算了",
            "no",
            "nope",
            "no thanks",
            "nah",
        ]
        .contains(&whole)
        {
            self.add(0, text.len(), Value::No);
        }
        if let Some(hit) = LAST_SHOWN.as_ref().and_then(|p| p.find(&text)) {
            self.add(hit.start(), hit.end(), Value::LastShown);
        }
    }
}

fn part(money: Money, percent: i64) -> Money {
    Money {
        minor: money.minor * percent / 100,
        currency: money.currency,
    }
}

/// The bytes of the word that qualifies an amount after it.
fn tail_len(text: &str, to: usize, tail: &str) -> usize {
    let spaces = text.get(to..).map_or(0, |t| t.len() - t.trim_start().len());
    [&*BELOW, &*ABOVE, &*ABOUT]
        .into_iter()
        .filter_map(|p| {
            p.as_ref()?
                .find(tail)
                .filter(|m| m.start() == 0)
                .map(|m| m.end())
        })
        .max()
        .map_or(0, |length| spaces + length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn every_pattern_compiles() {
        for (name, compiles) in super::all_patterns() {
            assert!(compiles, "{name}");
        }
    }
}
