//! Numbers in their surroundings: money, people, pieces, measures, spans of time, and corrections of them.

use super::{Finder, measures, money, pattern};
use crate::cue::Cue;
use crate::measure::unit_at;
use crate::money::{Currency, Money};
use crate::nlu::Value;
use crate::nlu::numbers::{self, Number, Written};
use regex::Regex;
use std::sync::LazyLock;

patterns! {
    PEOPLE = r"^\s*(?:个|位|号|名|口)?\s*(?:人|员工|同事|people|persons|employees|colleagues|coworkers|co-workers|staff|users|guests|of us\b|folks)";
    PIECES = r"^\s*(台|件|个|包|箱|套|支|把|只|盒|袋|张|块表|瓶|罐|桶|双|条|本|units?\b|pieces?\b|pcs\b|bags?\b|boxes\b|box\b|sets?\b|packs?\b|bottles?\b|cans?\b|of (?:them|these|those)\b|x )";
    CORRECTS = r"^no\b|^(?:不|不是|不是的)[，,]|不对|说错|写错|打错|更正|应该是|改成|改为|换成|我是说|我的意思是|其实是|还是(?:要)?|\bsorry\b|\bi meant\b|\bi mean\b|\bactually\b|\bno wait\b|\bwait\b|\bmake (?:it|that)\b|\bscratch that\b|\brather\b|\bcorrection\b|\bchange (?:it|that) to\b|\binstead\b";
    INSTEAD = r"^[^\d]{0,12}?(?:而是|是|改成|改为|换成|变成|不对|应该|\bbut\b|\bit's\b|\bsorry\b|\bi meant\b|\bi mean\b|\bactually\b|\bmake (?:it|that)\b|\brather\b|\bscratch that\b|\bno wait\b|\bwait\b|\bno,)";
}

/// Below this an amount without a currency is no money unless the budget is spoken of.
const MONEY_MIN: f64 = 100.0;
/// Years that nobody is old.
const AGE_MAX: f64 = 120.0;
/// What follows a number that is an age.
const AGES: [&str; 5] = ["岁", "了", "多了", "多岁", "几岁"];
/// What stands before one in English.
const AGES_BEFORE: [&str; 12] = [
    "he's", "she's", "he is", "she is", "turned", "turning", "turns", "aged", "age", "age of",
    "in his", "in her",
];
/// What follows one in English.
const AGES_AFTER: [&str; 6] = [
    "years old",
    "year old",
    "years-old",
    "-year-old",
    "year-old",
    "y/o",
];
/// Between an amount and the unit that it is for: 两万左右一台.
const AMOUNT_ENDS: [&str; 9] = [
    "左右", "以内", "以下", "上下", "之内", "万", "千", "百", "内",
];
/// The same for a number that is said as a limit: “under 30”.
const LIMIT_MIN: f64 = 10.0;
/// Between a word of correction and its number.
const CORRECTION_CHARS: usize = 12;
/// A range of people this wide is a guess, and its middle is taken.
const GUESS_FACTOR: f64 = 2.0;

/// What may stand after the lower end of a range beside the units of measures.
const RANGE_UNITS: [&str; 9] = [
    "元", "块", "yuan", "rmb", "cny", "dollars", "usd", "台", "周",
];
/// After these a number is an hour, a share, a discount or a span of time.
const NO_COUNT: [&str; 21] = [
    "%", "％", "点", "折", "成", "小时", "天", "年", "月", "号", "分钟", "pm", "am", "p.m", "a.m",
    "o'clock", "day", "week", "month", "year", "hour",
];

/// One number or range with what stands around it.
pub(super) struct Amount<'t> {
    pub text: &'t str,
    pub start: usize,
    pub end: usize,
    pub low: f64,
    pub high: Option<f64>,
    pub more: bool,
    pub written: Written,
}

impl<'t> Amount<'t> {
    pub fn before(&self) -> &'t str {
        self.text.get(..self.start).unwrap_or_default()
    }

    pub fn after(&self) -> &'t str {
        self.text.get(self.end..).unwrap_or_default()
    }

    /// What a count of a range is: its upper end, or the middle of a guess.
    fn count(&self) -> u32 {
        match self.high {
            Some(high) if high > self.low * GUESS_FACTOR => ((self.low + high) / 2.0) as u32,
            Some(high) => high as u32,
            None => self.low as u32,
        }
    }
}

impl Finder<'_> {
    pub(super) fn numbers(&mut self) {
        let text = self.folded.text.clone();
        let all = numbers::find(&text);
        let marks: Vec<(usize, usize)> = CORRECTS
            .iter()
            .flat_map(|p| p.find_iter(&text))
            .map(|mark| (mark.start(), mark.end()))
            .collect();
        let mut skip = 0;
        let mut retracted: Option<Value> = None;
        for (at, number) in all.iter().enumerate() {
            if number.start < skip || !self.free(number.start, number.end) {
                continue;
            }
            let (amount, used) = amount(&text, number, all.get(at + 1));
            let next = all.get(at + used);
            // "4, not 3": what is denied after the number that stands.
            let said = at.checked_sub(1).and_then(|earlier| all.get(earlier));
            if said.is_some_and(|said| denies(&text, said, number)) {
                skip = amount.end;
                continue;
            }
            let Some((start, end, mut value)) = self.value(&amount) else {
                skip = amount.end;
                continue;
            };
            skip = end.max(amount.end);
            if is_retracted(&text, &amount, end, next) {
                retracted = Some(value);
                continue;
            }
            let corrects = marks.iter().any(|(from, to)| {
                let gap = text.get(*to..amount.start).unwrap_or("");
                let near = *to <= amount.start && gap.chars().count() <= CORRECTION_CHARS;
                let closes = *from >= end && text.get(*from..*to) == Some("instead");
                near || closes
            });
            if let (Value::Number { count }, true) = (&value, corrects || retracted.is_some()) {
                value = self.corrected(*count, retracted.as_ref());
            }
            if let (Value::Price { amount }, true) = (&value, corrects || retracted.is_some())
                && amount.currency == self.listening.currency
            {
                let count = amount.minor / 10_i64.pow(amount.currency.digits());
                value = match (&retracted, u32::try_from(count)) {
                    (Some(Value::Budget { .. } | Value::Price { .. }) | None, Ok(count)) => {
                        Value::Corrected { count, money: true }
                    }
                    _ => value,
                };
            }
            self.add(start, end.min(text.len()), value);
        }
    }

    /// A bare number after a retracted one is of its kind.
    fn corrected(&self, count: u32, retracted: Option<&Value>) -> Value {
        match retracted {
            Some(Value::People { .. }) => Value::People { count },
            Some(Value::Quantity { unit, .. }) => Value::Quantity {
                count,
                unit: unit.clone(),
            },
            Some(Value::Budget { .. } | Value::Price { .. }) => Value::Budget {
                min: None,
                max: Some(Money::from_major(i64::from(count), self.listening.currency)),
            },
            _ => Value::Corrected {
                count,
                money: false,
            },
        }
    }

    fn value(&self, amount: &Amount<'_>) -> Option<(usize, usize, Value)> {
        let (before, after) = (amount.before(), amount.after());
        let (start, end) = (amount.start, amount.end);
        let weak = matches!(amount.written, Written::HanDigit | Written::Article);
        let highest = amount.high.unwrap_or(amount.low);
        if amount.written == Written::Model || is_age_in_english(amount) {
            return None;
        }
        let half_year = weak && amount.low < 1.0;
        if let Some((days, length)) = self.horizon(highest, before, after, weak && !half_year)
            && (amount.written != Written::Article || before.trim_end().ends_with("in"))
        {
            return Some((start, end + length, Value::Horizon { days }));
        }
        if amount.low >= 1.0
            && let Some(hit) = PEOPLE.as_ref().and_then(|p| p.find(after))
            && amount.written != Written::Article
        {
            let rest = after.get(hit.end()..).unwrap_or_default();
            if !["民币", "座", "位", "份"]
                .iter()
                .any(|w| rest.starts_with(w))
            {
                let count = amount.count();
                return Some((start, end + hit.end(), Value::People { count }));
            }
        }
        if before.ends_with("team of ") || before.ends_with("office of ") {
            let count = amount.count();
            return Some((start, end, Value::People { count }));
        }
        if let Some(found) = measures::read(amount) {
            return Some(found);
        }
        if is_each(amount) {
            return None;
        }
        if let Some(found) = self.pieces(amount) {
            return Some(found);
        }
        if matches!(amount.written, Written::Article) || amount.low < 1.0 {
            return None;
        }
        if amount.written == Written::Pair {
            let asks = ["要", "来", "买", "订"].iter().any(|w| before.ends_with(w));
            let count = amount.low as u32;
            return asks.then_some((start, end, Value::Quantity { count, unit: None }));
        }
        self.money(amount).or_else(|| self.bare(amount))
    }

    fn pieces(&self, amount: &Amount<'_>) -> Option<(usize, usize, Value)> {
        let unit = PIECES.as_ref()?.captures(amount.after())?.get(1)?;
        let word = unit.as_str().trim();
        let before = amount.before().trim_end();
        let pointing = ["这", "那", "哪", "每", "第", "另", "块", "元"]
            .iter()
            .any(|w| before.ends_with(w));
        let glued = before.ends_with(|c: char| c.is_ascii_digit());
        let weak =
            matches!(amount.written, Written::HanDigit | Written::Article) && amount.low <= 1.0;
        let buying = self.listening.expected == Some("quantity")
            || ["买", "要", "来", "订", "订购", "采购"]
                .iter()
                .any(|w| before.ends_with(w));
        let to = amount.end + unit.end();
        let rest = amount.text.get(to..).unwrap_or_default();
        let of_words = rest.starts_with('钱') || (word == "个" && rest.starts_with("月"));
        if (weak && (pointing || glued)) || of_words || amount.low < 1.0 {
            return None;
        }
        if weak && matches!(word, "个" | "件" | "条" | "本" | "把") && !buying {
            return None;
        }
        if amount.written == Written::Article && word.starts_with("of") {
            return None;
        }
        let value = Value::Quantity {
            count: amount.count(),
            unit: Some(word.to_owned()),
        };
        Some((amount.start, to, value))
    }

    fn money(&self, amount: &Amount<'_>) -> Option<(usize, usize, Value)> {
        let (text, before) = (amount.text, amount.before());
        let (currency, from, to) = money::currency(text, amount.start, amount.end);
        // A bare "2" under a list points into it.
        let points = currency.is_none() && amount.low <= f64::from(crate::nlu::intents::PLACE_MAX);
        let asked = self.listening.expected == Some("budget_max") && !points;
        // 预算3000，一次做两杯: a small number behind the budget's own is another matter.
        let is_told = amount.low < MONEY_MIN && money::tells_a_budget(before);
        let near = asked || (!is_told && money::speaks_of_budget(before, true));
        let budget_word =
            near || (!is_told && amount.low >= 20.0 && money::speaks_of_budget(before, false));
        // 一家三口 counts, and a digit in Han alone is an amount only as an end of a range.
        let bare_han = matches!(amount.written, Written::HanDigit)
            && currency.is_none()
            && amount.high.is_none();
        let counted = currency.is_none() && money::counts_things(amount.after());
        // 他们六十多了 is an age, and what it costs elsewhere is nobody's budget.
        let is_age = currency.is_none()
            && amount.low < AGE_MAX
            && AGES.iter().any(|age| amount.after().starts_with(age));
        let is_gap = money::is_difference(before, amount.after());
        if is_age || is_gap || money::is_elsewhere(before) {
            return None;
        }
        let glued = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
            && currency.is_none()
            && !near;
        let bound = money::bound(text, from, to, amount.more);
        // “Under 30”, and nothing that is counted.
        let ends_there = text
            .get(bound.end..)
            .and_then(|rest| rest.trim_start().chars().next())
            .is_none_or(|c| c.is_ascii_punctuation() || matches!(c, '，' | '。' | '？' | '！'));
        let is_limit = bound.below && amount.low >= LIMIT_MIN && ends_there;
        let is_money = currency.is_some() || amount.low >= MONEY_MIN || budget_word || is_limit;
        if !is_money || bare_han || counted || glued {
            return None;
        }
        let own = currency.unwrap_or(self.listening.currency);
        let money = |value: f64| money_of(value, own);
        let is_bounded = bound.below || bound.above || bound.about.is_some();
        if is_bounded || budget_word || amount.high.is_some() {
            let (min, max) = match amount.high {
                Some(high) => (Some(money(amount.low)), Some(money(high))),
                None if bound.below => (None, Some(money(amount.low))),
                None if bound.above => (Some(money(amount.low)), None),
                None => match bound.about {
                    Some(about) => {
                        let (low, high) = about.around(amount.low);
                        (Some(money(low)), Some(money(high)))
                    }
                    None => (None, Some(money(amount.low))),
                },
            };
            return Some((from, bound.end, Value::Budget { min, max }));
        }
        let amount = currency.map(|_| money(amount.low))?;
        Some((from, to, Value::Price { amount }))
    }

    fn bare(&self, amount: &Amount<'_>) -> Option<(usize, usize, Value)> {
        let (before, after) = (amount.before(), amount.after());
        let alone = amount.text.trim().len() == amount.end - amount.start;
        let glued = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
            || after.starts_with(|c: char| c.is_ascii_alphanumeric());
        let weak = amount.written == Written::HanDigit;
        let rest = after.trim_start();
        let is_age = amount.low < AGE_MAX && AGES.iter().any(|age| rest.starts_with(age));
        if is_age || NO_COUNT.iter().any(|word| rest.starts_with(word)) {
            return None;
        }
        let near =
            before.trim_end_matches(|c: char| !c.is_alphanumeric() || "是为改成要".contains(c));
        if near.ends_with("数量") || near.ends_with("quantity") {
            let value = Value::Quantity {
                count: amount.low as u32,
                unit: None,
            };
            return Some((amount.start, amount.end, value));
        }
        let whole = amount.low.fract() == 0.0 && amount.low <= f64::from(u32::MAX);
        (whole && (alone || !weak) && !glued && amount.high.is_none()).then_some((
            amount.start,
            amount.end,
            Value::Number {
                count: amount.low as u32,
            },
        ))
    }
}

/// 两万左右一台: what one costs, and no count of them.
fn is_each(amount: &Amount<'_>) -> bool {
    let before = amount.before().trim_end();
    matches!(amount.written, Written::HanDigit | Written::Article)
        && amount.low <= 1.0
        && AMOUNT_ENDS.iter().any(|end| before.ends_with(end))
        && PIECES.as_ref().is_some_and(|p| p.is_match(amount.after()))
}

/// “He's 70” is no budget.
fn is_age_in_english(amount: &Amount<'_>) -> bool {
    let before = amount.before().trim_end();
    let after = amount.after().trim_start();
    let is_said = |word: &str| {
        before
            .strip_suffix(word)
            .is_some_and(|head| !head.ends_with(|c: char| c.is_ascii_alphabetic()))
    };
    let kin = before
        .strip_suffix(" is")
        .or_else(|| before.strip_suffix("'s"))
        .is_some_and(|head| Cue::Kin.ends(head));
    amount.low < AGE_MAX
        && (kin
            || AGES_BEFORE.iter().any(|word| is_said(word))
            || AGES_AFTER.iter().any(|word| after.starts_with(word)))
}

fn money_of(value: f64, currency: Currency) -> Money {
    Money {
        minor: (value * 10_f64.powi(currency.digits() as i32)).round() as i64,
        currency,
    }
}

/// The number with the upper end of its range, and how many numbers that took.
fn amount<'t>(text: &'t str, number: &Number, next: Option<&Number>) -> (Amount<'t>, usize) {
    let before = text.get(..number.start).unwrap_or_default().trim_end();
    let range = next.filter(|next| {
        let between = text.get(number.end..next.start).unwrap_or_default().trim();
        let between = between.trim_end_matches(['¥', '$', '€', '£', ' ']);
        let joint = RANGE_UNITS
            .iter()
            .find_map(|unit| between.strip_prefix(unit))
            .or_else(|| between.get(unit_at(between)?.1..))
            .unwrap_or(between)
            .trim();
        let joined = matches!(
            joint,
            "-" | "–" | "~" | "到" | "至" | "to" | "—" | "～" | "--" | "——"
        );
        let and = matches!(joint, "and" | "和")
            && (before.ends_with("between") || before.ends_with("介于") || before.ends_with("在"));
        let signed = joint == "and"
            && before
                .trim_end_matches(['¥', '$', '€', '£', ' '])
                .ends_with("between");
        joined || and || signed
    });
    let mut low = number.value;
    let mut high = range.map_or(number.upper, |next| Some(next.upper.unwrap_or(next.value)));
    if let Some(next) = range {
        // 3-5k, 8到10万: the unit of the upper end is that of the lower.
        let written = text.get(next.start..next.end).unwrap_or_default();
        let factor = [
            ("万", 1e4),
            ("w", 1e4),
            ("千", 1e3),
            ("k", 1e3),
            ("thousand", 1e3),
            ("百", 1e2),
            ("hundred", 1e2),
        ]
        .into_iter()
        .find(|(unit, _)| written.ends_with(unit))
        .map_or(1.0, |(_, factor)| factor);
        if low < 100.0 && low * factor <= next.value {
            low *= factor;
        }
    }
    // What goes down is no range: 5-3.
    if high.is_some_and(|high| high <= low) {
        high = None;
    }
    let end = match (range, high) {
        (Some(next), Some(_)) => next.end,
        _ => number.end,
    };
    let taken = if end == number.end { 1 } else { 2 };
    let amount = Amount {
        text,
        start: number.start,
        end,
        low,
        high,
        more: number.more,
        written: number.written,
    };
    (amount, taken)
}

fn denies(text: &str, said: &Number, number: &Number) -> bool {
    let between = text.get(said.end..number.start).unwrap_or_default();
    let word = between.trim_matches(|c: char| !c.is_alphanumeric());
    matches!(
        word,
        "not" | "而不是" | "不是" | "rather than" | "instead of"
    )
}

/// 不是三千是五千, not 3000 but 5000, 三台，不对，五台: the number after takes its place.
fn is_retracted(text: &str, amount: &Amount<'_>, end: usize, next: Option<&Number>) -> bool {
    let Some(next) = next.filter(|n| !matches!(n.written, Written::Article | Written::Model))
    else {
        return false;
    };
    let between = text.get(end..next.start).unwrap_or_default();
    let before = amount.before().trim_end_matches(['¥', '$', '€', ' ']);
    let denied = ["不是", "并非", "not", "isn't"]
        .iter()
        .any(|w| before.ends_with(w));
    let replaced = INSTEAD.as_ref().is_some_and(|p| p.is_match(between));
    let marks = [
        "不对",
        "改成",
        "改为",
        "换成",
        "变成",
        "sorry",
        "meant",
        "i mean",
        "actually",
        "make it",
        "make that",
        "scratch",
        "wait",
        "no,",
    ];
    let marked = marks.iter().any(|w| between.contains(w));
    (denied && (replaced || between.trim().chars().count() <= 1)) || (replaced && marked)
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
