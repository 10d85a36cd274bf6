//! Numbers in digits, with the words and letters that make them thousands: 2,680, 1.2万, 3k, 2k5.

use super::{Number, Written, chinese::numeral};

/// Digits with what scales them; inside a word of letters a model.
pub(super) fn read(folded: &str, start: usize, previous: char) -> Option<Number> {
    let rest = folded.get(start..)?;
    let mut digits = String::new();
    let mut end = start;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_digit = chars.peek().is_some_and(|(_, n)| n.is_ascii_digit());
        let point = c == '.' && next_digit && !digits.contains('.');
        if c.is_ascii_digit() || point {
            digits.push(c);
        } else if !(c == ',' && next_digit && thousands(rest, at)) {
            break;
        }
        end = start + at + c.len_utf8();
    }
    let mut number = Number {
        start,
        end,
        value: digits.parse().ok()?,
        upper: None,
        more: false,
        written: Written::Digits,
    };
    if previous.is_ascii_lowercase() && !sign_before(folded.get(..start).unwrap_or_default()) {
        number.written = Written::Model;
        return Some(number);
    }
    scale(folded, &mut number);
    Some(number)
}

/// Letters that stand before digits without making a model of them.
fn sign_before(before: &str) -> bool {
    let word_at = before
        .rfind(|c: char| !c.is_ascii_lowercase())
        .map_or(0, |at| at + 1);
    let word = before.get(word_at..).unwrap_or_default();
    matches!(
        word,
        "rmb"
            | "cny"
            | "usd"
            | "eur"
            | "gbp"
            | "us"
            | "under"
            | "below"
            | "over"
            | "about"
            | "around"
            | "x"
            | "size"
            | "max"
    )
}

/// 千, 万, k, w and what follows them: 1万2, 2k5, 1w2.
fn scale(folded: &str, number: &mut Number) {
    let after = folded.get(number.end..).unwrap_or_default();
    let spaced = after.trim_start_matches(' ');
    for (unit, factor) in [("百万", 1e6), ("千", 1e3), ("万", 1e4), ("百", 1e2)] {
        if let Some(rest) = spaced.strip_prefix(unit) {
            // 千克 and 千瓦 are units of their own.
            if unit == "千" && rest.starts_with(['克', '瓦', '米', '卡']) {
                return;
            }
            number.value *= factor;
            number.end += after.len() - spaced.len() + unit.len();
            tail_digit(rest, factor, number);
            return;
        }
    }
    let letter = after.chars().next();
    if let Some(letter @ ('k' | 'w')) = letter {
        let rest = after.get(1..).unwrap_or_default();
        let next = rest.chars().next();
        let ends = !next.is_some_and(|c| c.is_ascii_alphanumeric());
        let digit = next.is_some_and(|c| c.is_ascii_digit())
            && !rest
                .chars()
                .nth(1)
                .is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
        // 1500w and 65w are watts; 3w and 1.2w are ten-thousands.
        let watts = letter == 'w' && number.value >= WATTS_MIN;
        if (ends || digit) && !watts {
            let factor = if letter == 'k' { 1e3 } else { 1e4 };
            number.value *= factor;
            number.end += 1;
            tail_digit(rest, factor, number);
        }
        return;
    }
    for (word, factor) in [
        ("thousand", 1e3),
        ("grand", 1e3),
        ("hundred", 1e2),
        ("million", 1e6),
    ] {
        if let Some(rest) = spaced.strip_prefix(word)
            && !rest.starts_with(|c: char| c.is_ascii_lowercase())
        {
            number.value *= factor;
            number.end += after.len() - spaced.len() + word.len();
            return;
        }
    }
}

/// From here on `w` after digits is a watt.
const WATTS_MIN: f64 = 40.0;

/// 1万2, 3千5: the digit after counts in the next unit.
fn tail_digit(rest: &str, factor: f64, number: &mut Number) {
    let mut chars = rest.chars();
    let Some(c) = chars.next() else { return };
    let Some(digit) = c.to_digit(10).map(f64::from).or_else(|| numeral(c)) else {
        return;
    };
    let counts_on = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || "千百十万个台人张把件套点.".contains(c));
    if !counts_on {
        number.value += digit * factor / 10.0;
        number.end += c.len_utf8();
    }
}

/// A comma at `at` separates groups of three.
fn thousands(rest: &str, at: usize) -> bool {
    let group = rest
        .get(at + 1..at + 4)
        .is_some_and(|g| g.bytes().all(|b| b.is_ascii_digit()));
    group
        && !rest
            .get(at + 4..)
            .unwrap_or_default()
            .starts_with(|c: char| c.is_ascii_digit())
}
