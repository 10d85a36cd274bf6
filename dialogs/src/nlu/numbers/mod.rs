//! Numbers as customers write them: digits, Chinese numerals, English number words, thousands and ten-thousands.

mod chinese;
mod digits;
mod english;

pub(super) use chinese::numeral;

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

/// Numbers of one text.
const NUMBERS_MAX: usize = 200;

/// 一下, 一起, 一般: the one counts nothing.
fn is_no_number(folded: &str, number: &Number) -> bool {
    let next = folded
        .get(number.end..)
        .and_then(|after| after.chars().next());
    folded.get(number.start..number.end) == Some("一")
        && next.is_some_and(|c| "下起般点些样直定会边切旦致律再共贯".contains(c))
}

/// Every number, from left to right.
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
            digits::read(folded, at, previous)
        } else if c.is_ascii_lowercase() {
            if previous.is_ascii_alphanumeric() {
                None
            } else {
                english::read(folded, at)
            }
        } else if chinese::numeral(c).is_some()
            || matches!(c, '十' | '拾' | '几' | '半' | '百' | '千' | '万')
        {
            chinese::read(folded, at).filter(|number| !is_no_number(folded, number))
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
