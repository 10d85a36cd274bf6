//! Numbers in Chinese numerals: 三千五, 两三台, 十几, 一点五.

use super::{Number, Written};

/// Longest run of numerals that is read.
const NUMERALS_MAX: usize = 24;

pub(in crate::nlu) fn numeral(c: char) -> Option<f64> {
    let digit = match c {
        '零' | '〇' => 0,
        '一' | '壹' => 1,
        '二' | '两' | '贰' | '俩' => 2,
        '三' | '叁' | '仨' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    };
    Some(f64::from(digit))
}

fn unit(c: char) -> Option<f64> {
    match c {
        '十' | '拾' => Some(10.0),
        '百' | '佰' => Some(100.0),
        '千' | '仟' => Some(1_000.0),
        '万' => Some(10_000.0),
        _ => None,
    }
}

/// Chinese numerals with their units; also in spoken pairs and with 几.
pub(super) fn read(folded: &str, start: usize) -> Option<Number> {
    let rest = folded.get(start..)?;
    let mut run: Vec<char> = rest
        .chars()
        .take(NUMERALS_MAX)
        .take_while(|c| numeral(*c).is_some() || unit(*c).is_some() || *c == '几')
        .collect();
    let few = run.contains(&'几');
    // 千克 and 千瓦 are units; the numeral before them stands alone.
    if run.last() == Some(&'千') {
        let after: usize = run.iter().map(|c| c.len_utf8()).sum();
        if rest
            .get(after..)
            .is_some_and(|r| r.starts_with(['克', '瓦', '米', '卡']))
        {
            run.pop();
        }
    }
    let length: usize = run.iter().map(|c| c.len_utf8()).sum();
    let end = start + length;
    let after = rest.get(length..).unwrap_or_default();
    let number = |value: f64, upper: Option<f64>, written| Number {
        start,
        end,
        value,
        upper,
        more: false,
        written,
    };
    match run.as_slice() {
        // 半 counts only before what it halves, which its reader knows.
        [] => {
            return rest.starts_with('半').then(|| Number {
                end: start + '半'.len_utf8(),
                ..number(0.5, None, Written::HanDigit)
            });
        }
        ['俩' | '仨'] => {
            let value = run.first().and_then(|c| numeral(*c))?;
            return Some(number(value, None, Written::Pair));
        }
        // 百来块, 千把块
        ['百' | '千' | '万'] => {
            let value = run.first().and_then(|c| unit(*c))?;
            let word = ["十来", "来", "把"]
                .iter()
                .find(|w| after.starts_with(**w))?;
            return Some(Number {
                end: end + word.len(),
                ..number(value * 0.8, Some(value * 1.3), Written::Han)
            });
        }
        [first, ..] if unit(*first).is_some_and(|u| u > 10.0) => return None,
        _ => {}
    }
    if few {
        return several(&run).map(|(low, high)| number(low, Some(high), Written::Han));
    }
    if let Some((low, high)) = pair(&run) {
        return Some(number(low, Some(high), Written::Han));
    }
    if let Some(decimal) = decimal(rest, &run, length, start) {
        return Some(decimal);
    }
    let written = match run.as_slice() {
        [_] if run.first() != Some(&'十') => Written::HanDigit,
        _ => Written::Han,
    };
    Some(number(whole(&run)?, None, written))
}

/// 三点五, 一点二: but 一点 alone is a bit.
fn decimal(rest: &str, run: &[char], length: usize, start: usize) -> Option<Number> {
    let after = rest.get(length..)?.strip_prefix('点')?;
    let digits: String = after
        .chars()
        .take_while(|c| numeral(*c).is_some())
        .take(NUMERALS_MAX)
        .collect();
    let mut place = 0.1;
    let mut value = whole(run)?;
    for digit in digits.chars().filter_map(numeral) {
        value += digit * place;
        place /= 10.0;
    }
    let mut end = start + length + '点'.len_utf8() + digits.len();
    let tail = after.get(digits.len()..).unwrap_or_default();
    let scaled = tail.chars().next().and_then(unit).filter(|u| *u > 10.0);
    if let Some(factor) = scaled {
        value *= factor;
        end += tail.chars().next().map_or(0, char::len_utf8);
    }
    (!digits.is_empty()).then(|| Number {
        start,
        end,
        value: (value * 1e6).round() / 1e6,
        upper: None,
        more: false,
        written: Written::Han,
    })
}

/// 五六百, 三四十, 两三, 三五: neighbours before one unit, and 十七八.
fn pair(run: &[char]) -> Option<(f64, f64)> {
    let two = |a: char, b: char| {
        let (low, high) = (numeral(a)?, numeral(b)?);
        let neighbours = (high - low - 1.0).abs() < f64::EPSILON || (low, high) == (3.0, 5.0);
        (low > 0.0 && neighbours).then_some((low, high))
    };
    match run {
        ['十', a, b] => two(*a, *b).map(|(low, high)| (10.0 + low, 10.0 + high)),
        [ten, '十', a, b] => {
            let tens = numeral(*ten)? * 10.0;
            two(*a, *b).map(|(low, high)| (tens + low, tens + high))
        }
        [a, b, units @ ..] if units.iter().all(|c| unit(*c).is_some()) => {
            let (low, high) = two(*a, *b)?;
            let factor: f64 = units.iter().filter_map(|c| unit(*c)).product();
            Some((low * factor, high * factor))
        }
        _ => None,
    }
}

/// 几百 is some hundreds, 十几 is more than ten.
fn several(run: &[char]) -> Option<(f64, f64)> {
    match run {
        ['几', units @ ..] if !units.is_empty() && units.iter().all(|c| unit(*c).is_some()) => {
            let factor: f64 = units.iter().filter_map(|c| unit(*c)).product();
            Some((2.0 * factor, 9.0 * factor))
        }
        [tens @ .., '几'] if tens.ends_with(&['十']) => {
            let base = whole(tens)?;
            Some((base + 1.0, base + 9.0))
        }
        _ => None,
    }
}

fn whole(run: &[char]) -> Option<f64> {
    let (mut total, mut section, mut digit, mut last) = (0.0, 0.0, None, 1.0);
    for c in run {
        if let Some(n) = numeral(*c) {
            digit = Some(match digit {
                Some(before) if last <= 1.0 => before * 10.0 + n,
                _ => n,
            });
            if n == 0.0 {
                last = 1.0;
            }
            continue;
        }
        let factor = unit(*c)?;
        if factor >= 10_000.0 {
            total = (total + section + digit.unwrap_or(if section == 0.0 { 1.0 } else { 0.0 }))
                * factor;
            section = 0.0;
        } else {
            section += digit.unwrap_or(1.0) * factor;
        }
        digit = None;
        last = factor;
    }
    // 三千五 is 3,500; 一万二 is 12,000; 二十五 is 25.
    let rest = digit.unwrap_or(0.0) * if last > 10.0 { last / 10.0 } else { 1.0 };
    Some(total + section + rest)
}
