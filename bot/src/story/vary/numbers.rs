//! The same number in digits, in words, or short: 三千, 3000, 3k; forty, 40.

use dialogs::Language;
use dialogs::text::language;

const HAN_DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
const HAN_UNITS: [(char, u64); 4] = [('十', 10), ('百', 100), ('千', 1_000), ('万', 10_000)];
/// What a lone Han digit must stand before to count something.
const MEASURES: [&str; 16] = [
    "个", "款", "台", "元", "块", "天", "周", "杯", "件", "包", "套", "人", "位", "折", "年", "斤",
];
/// After one of these a Han number is only about so many, or no number.
const VAGUE_BEFORE: [char; 8] = ['几', '数', '好', '第', '来', '多', '万', '周'];
const SMALL: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];
const TENS: [(&str, u64); 7] = [
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];
/// Digits of the longest number that is said in words; longer ones are telephone numbers and the like.
const DIGITS_MAX: usize = 5;

/// Numbers written in digits become words, or 3k.
pub(super) fn in_words(text: &str) -> String {
    let zh = language(text, Language::En) == Language::Zh;
    let chars: Vec<char> = text.chars().collect();
    if chars.iter().all(|c| !c.is_alphabetic()) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        if !c.is_ascii_digit() {
            out.push(*c);
            at += 1;
            continue;
        }
        let run: String = chars
            .iter()
            .skip(at)
            .take_while(|c| c.is_ascii_digit())
            .collect();
        let before = at.checked_sub(1).and_then(|b| chars.get(b)).copied();
        let rest = chars.get(at + run.len()..).unwrap_or_default();
        let value = run.parse::<u64>().unwrap_or(0);
        let words = if run.len() > DIGITS_MAX || run.starts_with('0') || is_part(before, rest) {
            None
        } else if before.is_some_and(|b| matches!(b, '¥' | '￥' | '$')) {
            thousands(value)
        } else if zh {
            han_words(value, rest)
        } else {
            english_words(value)
        };
        out.push_str(&words.unwrap_or_else(|| run.clone()));
        at += run.len();
    }
    out
}

/// Numbers in words, grouped or of whole thousands become plain digits.
pub(super) fn in_digits(text: &str) -> String {
    english_digits(&han_digits(&ungrouped(text)))
}

/// The digits belong to a model number, an address, a date, a decimal or a percentage.
fn is_part(before: Option<char>, rest: &[char]) -> bool {
    let joins = |c: char| c.is_ascii_alphabetic() || matches!(c, '@' | '-' | '_' | '.' | '/' | ':');
    let next = rest.first().copied();
    let then = rest.get(1).is_some_and(char::is_ascii_alphanumeric);
    before.is_some_and(joins)
        || next.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '@' | '_' | '%' | '％'))
        || (then && next.is_some_and(|c| matches!(c, '.' | ',' | '-' | '/' | ':')))
        || (before == Some(','))
}

fn thousands(value: u64) -> Option<String> {
    (value >= 1_000 && value.is_multiple_of(1_000)).then(|| format!("{}k", value / 1_000))
}

fn english_words(value: u64) -> Option<String> {
    let small = |value: u64| {
        usize::try_from(value)
            .ok()
            .and_then(|v| SMALL.get(v))
            .copied()
    };
    if let Some(word) = small(value) {
        return Some(word.to_owned());
    }
    if value >= 1_000 {
        return thousands(value);
    }
    if value.is_multiple_of(100) {
        return Some(format!("{} hundred", small(value / 100)?));
    }
    let (ten, tens) = TENS.iter().rev().find(|(_, tens)| *tens <= value)?;
    match value - tens {
        0 => Some((*ten).to_owned()),
        one @ 1..=9 => Some(format!("{ten}-{}", small(one)?)),
        _ => None,
    }
}

/// 3000 三千, 20000 两万, 2台 两台, 15 十五.
fn han_words(value: u64, rest: &[char]) -> Option<String> {
    let digit = |d: u64| {
        usize::try_from(d)
            .ok()
            .and_then(|d| HAN_DIGITS.get(d))
            .copied()
    };
    if value == 2 {
        let counts = rest
            .first()
            .is_some_and(|c| MEASURES.contains(&c.to_string().as_str()));
        return Some(if counts { "两" } else { "二" }.to_owned());
    }
    let mut out = String::new();
    let mut left = value;
    let mut skipped = false;
    for (unit, worth) in HAN_UNITS.into_iter().rev() {
        let count = left / worth;
        left %= worth;
        if count == 0 {
            skipped = !out.is_empty();
            continue;
        }
        if skipped {
            out.push('零');
        }
        skipped = false;
        match (count, unit) {
            (1, '十') if out.is_empty() => {}
            (2, '百' | '千' | '万') if out.is_empty() => out.push('两'),
            _ => out.push(digit(count)?),
        }
        out.push(unit);
    }
    if left > 0 {
        if skipped {
            out.push('零');
        }
        out.push(digit(left)?);
    }
    Some(out)
}

/// 3,000 becomes 3000.
fn ungrouped(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: Option<usize>| {
        at.and_then(|at| chars.get(at))
            .is_some_and(char::is_ascii_digit)
    };
    chars
        .iter()
        .enumerate()
        .filter(|(at, c)| {
            let grouping = **c == ','
                && digit(at.checked_sub(1))
                && (1..=3).all(|ahead| digit(Some(at + ahead)))
                && !digit(Some(at + 4));
            !grouping
        })
        .map(|(_, c)| *c)
        .collect()
}

fn han_digits(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let run: Vec<char> = chars
            .iter()
            .skip(at)
            .copied()
            .take_while(|c| han_part(*c).is_some())
            .collect();
        if run.is_empty() {
            out.push(*c);
            at += 1;
            continue;
        }
        let before = at.checked_sub(1).and_then(|b| chars.get(b)).copied();
        let after = chars.get(at + run.len()).copied();
        let vague = before.is_some_and(|b| VAGUE_BEFORE.contains(&b) || b.is_ascii_digit())
            || after == Some('几')
            || after == Some('点');
        let counts =
            run.len() > 1 || after.is_some_and(|a| MEASURES.contains(&a.to_string().as_str()));
        match han_value(&run).filter(|_| counts && !vague) {
            Some(value) => out.push_str(&value.to_string()),
            None => out.extend(run.iter()),
        }
        at += run.len();
    }
    out
}

enum Part {
    Digit(u64),
    Unit(u64),
}

fn han_part(c: char) -> Option<Part> {
    if c == '两' {
        return Some(Part::Digit(2));
    }
    if let Some((_, worth)) = HAN_UNITS.iter().find(|(unit, _)| *unit == c) {
        return Some(Part::Unit(*worth));
    }
    let place = HAN_DIGITS.iter().position(|digit| *digit == c)?;
    u64::try_from(place).ok().map(Part::Digit)
}

/// 三千 3000, 四十五 45, 三千五 3500, 两万 20000; two digits in a row are no number.
fn han_value(run: &[char]) -> Option<u64> {
    let (mut total, mut section, mut digit) = (0_u64, 0_u64, None::<u64>);
    let mut last_unit = 1;
    let mut zero = false;
    for c in run {
        match han_part(*c)? {
            Part::Digit(0) if digit.is_none() && last_unit > 1 => zero = true,
            Part::Digit(_) if digit.is_some() => return None,
            Part::Digit(value) => digit = Some(value),
            Part::Unit(10_000) => {
                section += digit.take().unwrap_or(0);
                if section == 0 {
                    return None;
                }
                total += section * 10_000;
                section = 0;
                last_unit = 10_000;
                zero = false;
            }
            Part::Unit(worth) => {
                let count = match digit.take() {
                    Some(count) => count,
                    None if worth == 10 && section == 0 => 1,
                    None => return None,
                };
                section += count * worth;
                last_unit = worth;
                zero = false;
            }
        }
    }
    if let Some(value) = digit {
        section += if last_unit >= 100 && !zero {
            value * last_unit / 10
        } else {
            value
        };
    }
    Some(total + section)
}

/// “forty people” becomes “40 people”; “one” is seldom a number and stays.
fn english_digits(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_end_matches([',', '.', '?', '!']);
        let mark = word.get(bare.len()..).unwrap_or_default();
        let value = english_value(&bare.to_lowercase());
        let factor = words.peek().and_then(|next| {
            let next = next.trim_end_matches([',', '.', '?', '!']);
            match next.to_lowercase().as_str() {
                "hundred" => Some(100),
                "thousand" => Some(1_000),
                _ => None,
            }
        });
        match (value, factor.filter(|_| mark.is_empty())) {
            (Some(value), Some(factor)) => {
                let next = words.next().unwrap_or_default();
                let mark = next.trim_start_matches(|c: char| c.is_ascii_alphabetic());
                out.push(format!("{}{mark}", value * factor));
            }
            (Some(value), None) if value > 1 => out.push(format!("{value}{mark}")),
            _ => out.push(word.to_owned()),
        }
    }
    out.join(" ")
}

fn english_value(word: &str) -> Option<u64> {
    if let Some(place) = SMALL.iter().position(|small| *small == word) {
        return u64::try_from(place).ok();
    }
    let (ten, one) = word.split_once('-').unwrap_or((word, "zero"));
    let (_, tens) = TENS.iter().find(|(name, _)| *name == ten)?;
    let one = SMALL
        .iter()
        .position(|small| *small == one)
        .filter(|v| *v < 10)?;
    Some(tens + u64::try_from(one).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: fn(&str) -> String, text: &str, expected: &str) {
        assert_eq!(change(text), expected, "{text}");
    }

    #[test]
    fn digits_are_said_in_words() {
        check(in_words, "预算3000以内，40个人", "预算三千以内，四十个人");
        check(
            in_words,
            "要2台，20000元，105件",
            "要两台，两万元，一百零五件",
        );
        check(
            in_words,
            "we are 45 people, 20000 yuan, 500 each",
            "we are forty-five people, 20k yuan, five hundred each",
        );
        check(in_words, "under ¥2000", "under ¥2k");
        // Telephone, model, percentage, address and a lone choice stay.
        check(
            in_words,
            "我电话13800138000，E2，9.5折",
            "我电话13800138000，E2，9.5折",
        );
        check(
            in_words,
            "20% off for a1@b.example 3-4 days",
            "20% off for a1@b.example 3-4 days",
        );
        check(in_words, "2", "2");
    }

    #[test]
    fn words_are_written_in_digits() {
        check(
            in_digits,
            "预算三千五以内，四十来号人，两台",
            "预算3500以内，40来号人，2台",
        );
        check(in_digits, "两万零五百块，十五天", "20500块，15天");
        check(
            in_digits,
            "几十个人，一起看看，三五天，第一款",
            "几十个人，一起看看，三五天，第一款",
        );
        check(
            in_digits,
            "forty people, two machines, this one",
            "40 people, 2 machines, this one",
        );
        check(in_digits, "three thousand, or 20,000", "3000, or 20000");
    }

    #[test]
    fn han_numbers_read_back_as_they_were_written() {
        for value in (1..2_000).chain([3_000, 10_500, 20_000, 99_999]) {
            let words: Vec<char> = han_words(value, &[]).unwrap().chars().collect();
            assert_eq!(han_value(&words), Some(value), "{words:?}");
        }
    }
}
