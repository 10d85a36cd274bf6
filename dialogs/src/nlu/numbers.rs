//! Numbers as customers write them: digits, Chinese numerals, thousands and ten-thousands.

/// A number in folded text with its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub start: usize,
    pub end: usize,
    pub value: f64,
    /// The upper end of a spoken pair such as 五六百.
    pub upper: Option<f64>,
}

/// Longest run of numerals that is read.
const NUMERALS_MAX: usize = 24;

/// Every number, from left to right.
pub(super) fn find(folded: &str) -> Vec<Number> {
    let mut found = Vec::new();
    let mut skip = 0;
    for (at, c) in folded.char_indices() {
        if at < skip {
            continue;
        }
        let read = if c.is_ascii_digit() {
            arabic(folded, at)
        } else if numeral(c).is_some() || c == '十' {
            chinese(folded, at)
        } else {
            None
        };
        if let Some(number) = read {
            skip = number.end;
            found.push(number);
        }
    }
    found
}

fn arabic(folded: &str, start: usize) -> Option<Number> {
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
    let mut value: f64 = digits.parse().ok()?;
    let after = folded.get(end..).unwrap_or_default();
    for (unit, factor) in [("千", 1e3), ("万", 1e4), ("百", 1e2)] {
        if let Some(rest) = after.strip_prefix(unit) {
            value *= factor;
            end += unit.len();
            // 1万2, 3千5: the digit after counts in the next unit.
            if let Some(digit) = rest
                .chars()
                .next()
                .and_then(|c| c.to_digit(10).or_else(|| numeral(c).map(|n| n as u32)))
            {
                let follows = rest.chars().nth(1);
                if !follows.is_some_and(|c| c.is_ascii_digit() || "千百十万个台人".contains(c))
                {
                    value += f64::from(digit) * factor / 10.0;
                    end += rest.chars().next().map_or(0, char::len_utf8);
                }
            }
            return Some(Number {
                start,
                end,
                value,
                upper: None,
            });
        }
    }
    if let Some(rest) = after.strip_prefix(['k', 'w'])
        && !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        value *= if after.starts_with('k') { 1e3 } else { 1e4 };
        end += 1;
    }
    Some(Number {
        start,
        end,
        value,
        upper: None,
    })
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

fn numeral(c: char) -> Option<f64> {
    let digit = match c {
        '零' | '〇' => 0,
        '一' | '壹' => 1,
        '二' | '两' | '贰' => 2,
        '三' | '叁' => 3,
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

fn chinese(folded: &str, start: usize) -> Option<Number> {
    let run: Vec<char> = folded
        .get(start..)?
        .chars()
        .take(NUMERALS_MAX)
        .take_while(|c| numeral(*c).is_some() || unit(*c).is_some())
        .collect();
    let end = start + run.iter().map(|c| c.len_utf8()).sum::<usize>();
    // 五六百, 三四十: two neighbours before one unit.
    if let [a, b, u @ ..] = run.as_slice()
        && let (Some(low), Some(high)) = (numeral(*a), numeral(*b))
        && (high - low - 1.0).abs() < f64::EPSILON
        && !u.is_empty()
        && u.iter().all(|c| unit(*c).is_some())
    {
        let factor: f64 = u.iter().filter_map(|c| unit(*c)).product();
        return Some(Number {
            start,
            end,
            value: low * factor,
            upper: Some(high * factor),
        });
    }
    let (mut total, mut section, mut digit, mut last) = (0.0, 0.0, None, 1.0);
    for c in &run {
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
    Some(Number {
        start,
        end,
        value: total + section + rest,
        upper: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    #[test]
    fn numbers_are_read_as_customers_write_them() {
        for (text, value) in [
            ("三千", 3000.0),
            ("三千五", 3500.0),
            ("一万二", 12000.0),
            ("两百五", 250.0),
            ("二十五", 25.0),
            ("四十", 40.0),
            ("十二", 12.0),
            ("1.2万", 12000.0),
            ("3k", 3000.0),
            ("2,680", 2680.0),
            ("1万2", 12000.0),
            ("一万两千三百", 12300.0),
            ("一百零五", 105.0),
            ("3000", 3000.0),
        ] {
            assert_eq!(super::find(text)[0].value, value, "{text}");
        }
        let pair = super::find("五六百")[0];
        assert_eq!((pair.value, pair.upper), (500.0, Some(600.0)));
    }
}
