//! Numbers as customers write them: digits, Chinese numerals, English number words, thousands and ten-thousands.

/// A number in folded text with its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub start: usize,
    pub end: usize,
    pub value: f64,
    /// The upper end of a spoken pair such as 五六百.
    pub upper: Option<f64>,
    /// Something more than the value: 两千多, 四十来.
    pub more: bool,
    pub written: Written,
}

/// How a number is written decides how far it can be trusted to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Digits,
    /// Digits inside a word of Latin letters, such as a model.
    Model,
    /// Chinese numerals with a unit: 三千, 十二.
    Han,
    /// One Chinese numeral alone: 一, which is in many words.
    HanDigit,
    /// 俩 and 仨 hold their own counter.
    Pair,
    English,
    /// `one` and `a`, which count only before what is counted.
    Article,
}

/// Longest run of numerals that is read.
const NUMERALS_MAX: usize = 24;
/// Words of one number written out in English.
const WORDS_MAX: usize = 8;
/// Numbers of one text.
const NUMBERS_MAX: usize = 200;

/// Every number, from left to right.
/// 一下, 一起, 一般: the one counts nothing.
fn is_no_number(folded: &str, number: &Number) -> bool {
    let next = folded
        .get(number.end..)
        .and_then(|after| after.chars().next());
    folded.get(number.start..number.end) == Some("一")
        && next.is_some_and(|c| "下起般点些样直定会边切旦致律再共贯".contains(c))
}

pub(super) fn find(folded: &str) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    let mut skip = 0;
    let mut before = ' ';
    for (at, c) in folded.char_indices() {
        let previous = std::mem::replace(&mut before, c);
        if at < skip || found.len() == NUMBERS_MAX {
            continue;
        }
        let read = if c.is_ascii_digit() {
            arabic(folded, at, previous)
        } else if c.is_ascii_lowercase() {
            if previous.is_ascii_alphanumeric() {
                None
            } else {
                english(folded, at)
            }
        } else if numeral(c).is_some()
            || matches!(c, '十' | '拾' | '几' | '半' | '百' | '千' | '万')
        {
            chinese(folded, at).filter(|number| !is_no_number(folded, number))
        } else {
            None
        };
        if let Some(number) = read {
            skip = number.end;
            found.push(more(folded, number));
        }
    }
    found
}

/// Before what is counted one Chinese numeral alone is a number.
const COUNTED: &str = "个款台件元块天周月年杯包套人位折斤把张号升";

/// A folded text with its numbers in digits, however they are written: 三千 and three thousand are 3000.
pub(super) fn in_digits(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut from = 0;
    for number in find(folded) {
        let head = folded.get(..number.start).unwrap_or_default();
        let after = folded
            .get(number.end..)
            .and_then(|tail| tail.chars().next());
        let is_plain = number.upper.is_none()
            && !number.more
            && number.value.fract() == 0.0
            && number.value >= 2.0
            && !head.ends_with(['第', '周', '期', '拜', '几', '.', '-', '/']);
        let is_number = match number.written {
            Written::Digits | Written::Han | Written::English => true,
            Written::HanDigit => after.is_some_and(|c| COUNTED.contains(c)),
            Written::Model | Written::Pair | Written::Article => false,
        };
        if is_plain && is_number {
            out.push_str(folded.get(from..number.start).unwrap_or_default());
            out.push_str(&format!("{:.0}", number.value));
            from = number.end;
        }
    }
    out.push_str(folded.get(from..).unwrap_or_default());
    out
}

/// 两千多, 四十来号, 20余: the number and something.
fn more(folded: &str, mut number: Number) -> Number {
    let rest = folded.get(number.end..).unwrap_or_default();
    let big = number.value >= 10.0 && number.value % 10.0 == 0.0;
    for word in ["多", "余", "来", "几"] {
        let Some(after) = rest.strip_prefix(word) else {
            continue;
        };
        let of_words = match word {
            "多" => ["少", "谢", "久", "大", "功", "功能"]
                .iter()
                .any(|w| after.starts_with(w)),
            "来" => [
                "个", "号", "块", "人", "台", "把", "张", "件", "位", "平", "元", "斤", "天",
            ]
            .iter()
            .all(|w| !after.starts_with(w)),
            _ => false,
        };
        if !of_words && (big || number.upper.is_some()) {
            number.more = true;
            number.end += word.len();
        }
        break;
    }
    number
}

fn arabic(folded: &str, start: usize, previous: char) -> Option<Number> {
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

pub(super) fn numeral(c: char) -> Option<f64> {
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

fn chinese(folded: &str, start: usize) -> Option<Number> {
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

/// What an English word does to the number it is part of.
enum Word {
    Add(f64),
    /// A word that only sometimes counts: `a`, `one`.
    Weak(f64),
    Scale(f64),
    Few,
    Joint,
}

fn english_word(word: &str) -> Option<Word> {
    let value = match word {
        "a" | "an" | "one" => return Some(Word::Weak(1.0)),
        "and" | "of" => return Some(Word::Joint),
        "few" | "several" => return Some(Word::Few),
        "couple" | "two" => 2.0,
        "half" => 0.5,
        "three" => 3.0,
        "four" => 4.0,
        "five" => 5.0,
        "six" => 6.0,
        "seven" => 7.0,
        "eight" => 8.0,
        "nine" => 9.0,
        "ten" => 10.0,
        "eleven" => 11.0,
        "twelve" => 12.0,
        "thirteen" => 13.0,
        "fourteen" => 14.0,
        "fifteen" => 15.0,
        "sixteen" => 16.0,
        "seventeen" => 17.0,
        "eighteen" => 18.0,
        "nineteen" => 19.0,
        "twenty" => 20.0,
        "thirty" => 30.0,
        "forty" | "fourty" => 40.0,
        "fifty" => 50.0,
        "sixty" => 60.0,
        "seventy" => 70.0,
        "eighty" => 80.0,
        "ninety" => 90.0,
        "dozen" => return Some(Word::Scale(12.0)),
        "hundred" | "hundreds" => return Some(Word::Scale(100.0)),
        "thousand" | "thousands" | "grand" | "k" => return Some(Word::Scale(1_000.0)),
        "million" => return Some(Word::Scale(1_000_000.0)),
        _ => return None,
    };
    Some(Word::Add(value))
}

/// `two hundred and fifty`, `a couple hundred`, `a dozen`, `twenty-five`.
fn english(folded: &str, start: usize) -> Option<Number> {
    let rest = folded.get(start..)?;
    // Most words are no number; this is asked of each.
    if !rest.starts_with(|c: char| "acdefhnost".contains(c)) {
        return None;
    }
    let (mut total, mut section) = (0.0, 0.0);
    let (mut strong, mut few) = (false, false);
    let mut end = None;
    let mut at = 0;
    for _ in 0..WORDS_MAX {
        let tail = rest.get(at..).unwrap_or_default();
        let length = tail
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(tail.len());
        let word = tail.get(..length).unwrap_or_default();
        if tail
            .get(length..)
            .is_some_and(|t| t.starts_with(|c: char| c.is_alphanumeric()))
        {
            break;
        }
        match english_word(word) {
            Some(Word::Add(value)) => {
                // "two three" are two numbers.
                if section % 100.0 != 0.0
                    && !(section % 10.0 == 0.0 && value < 10.0 && section % 100.0 >= 20.0)
                    && section != 1.0
                {
                    break;
                }
                section = if section == 1.0 && !strong {
                    value
                } else {
                    section + value
                };
                strong = true;
            }
            Some(Word::Weak(value)) if end.is_none() => section = value,
            Some(Word::Weak(_)) if section == 0.5 => {}
            Some(Word::Weak(value)) if section >= 20.0 && word == "one" => section += value,
            Some(Word::Scale(factor)) if end.is_some() || factor == 12.0 || few => {
                section = if section == 0.0 { 1.0 } else { section } * factor;
                if factor >= 1_000.0 {
                    total += section;
                    section = 0.0;
                }
                strong = true;
            }
            Some(Word::Few) if end.is_none() || !strong => {
                few = true;
                section = 1.0;
            }
            Some(Word::Joint) if end.is_some() => {
                at += length + 1;
                continue;
            }
            _ => break,
        }
        at += length;
        end = Some(start + at);
        match rest.get(at..).and_then(|t| t.chars().next()) {
            Some(' ' | '-') => at += 1,
            _ => break,
        }
    }
    let end = end?;
    let value = total + section;
    let (value, upper) = match few {
        true if value >= 10.0 => (value * 2.0, Some(value * 9.0)),
        true => return None,
        false => (value, None),
    };
    Some(Number {
        start,
        end,
        value,
        upper,
        more: false,
        written: if strong {
            Written::English
        } else {
            Written::Article
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::{any, proptest};

    fn check(text: &str, value: f64, upper: Option<f64>) {
        let found = super::find(text);
        assert!(!found.is_empty(), "{text}");
        assert_eq!((found[0].value, found[0].upper), (value, upper), "{text}");
    }

    #[test]
    fn numbers_are_read_in_digits_numerals_and_words() {
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
            ("2k5", 2500.0),
            ("1w2", 12000.0),
            ("2,680", 2680.0),
            ("1万2", 12000.0),
            ("一万两千三百", 12300.0),
            ("一百零五", 105.0),
            ("一点五升", 1.5),
            ("一点二万", 12000.0),
            ("3000", 3000.0),
            ("fifty", 50.0),
            ("twenty-five", 25.0),
            ("two hundred and fifty", 250.0),
            ("a couple hundred", 200.0),
            ("a couple of thousand", 2000.0),
            ("a dozen", 12.0),
            ("half a dozen", 6.0),
            ("two dozen", 24.0),
            ("three thousand", 3000.0),
            ("3 thousand", 3000.0),
            ("1.5k", 1500.0),
        ] {
            check(text, value, None);
        }
    }

    #[test]
    fn spoken_pairs_and_vague_numbers_are_ranges() {
        for (text, low, high) in [
            ("五六百", 500.0, 600.0),
            ("一两千", 1000.0, 2000.0),
            ("两三台", 2.0, 3.0),
            ("二三十人", 20.0, 30.0),
            ("十七八个", 17.0, 18.0),
            ("三五百", 300.0, 500.0),
            ("几百块", 200.0, 900.0),
            ("a few hundred", 200.0, 900.0),
        ] {
            check(text, low, Some(high));
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        for text in [
            "万一",
            "千万别",
            "百分之",
            "someone",
            "often",
            "few",
            "phone",
            "done",
        ] {
            let found = super::find(text);
            assert!(
                found.iter().all(|n| matches!(
                    n.written,
                    super::Written::HanDigit | super::Written::Article
                )),
                "{text} {found:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn numbers_never_overlap(text in any::<String>()) {
            let mut from = 0;
            for number in super::find(&crate::text::fold(&text)) {
                assert!(number.start >= from && number.end > number.start);
                from = number.end;
            }
        }
    }
}
