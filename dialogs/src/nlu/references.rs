//! Words that point at products shown before: "the second one", 便宜的那款, "both".

use super::entities::pattern;
use super::numbers;
use super::{Value, Which};
use regex::Regex;
use std::sync::LazyLock;

/// The highest place in a list that somebody points at.
const INDEX_MAX: u32 = 20;

/// A reference and its bytes in the folded text.
pub(super) struct Pointed {
    pub start: usize,
    pub end: usize,
    /// Several where one phrase points at several places.
    pub values: Vec<Value>,
}

/// 一个, 款, and the other words that count things.
const PIECE: &str = "(?:一)?(?:个|款|台|件|种|把|张|只|双|套|条|本|部|样|支)";

/// Phrases with what each points at; earlier ones win where they overlap.
static PHRASES: LazyLock<Vec<(Option<Regex>, Pointer)>> = LazyLock::new(|| {
    let one = "(?:one|option|model|product|item|version|piece)";
    let phrases = [
        (format!("倒数第(?:二|2){PIECE}?|second to last(?: {one})?|last but one|second last(?: {one})?"), Pointer::Which(Which::LastButOne)),
        (format!("倒数第(?:一|1){PIECE}?"), Pointer::Which(Which::Last)),
        (format!("(?:前面?|头)(?:两|二|2){PIECE}|前两$|前俩|\\b(?:first|top) (?:two|2)\\b(?: {one}s?)?"), Pointer::First(2)),
        (format!("(?:前面?|头)(?:三|3){PIECE}|\\b(?:first|top) (?:three|3)\\b(?: {one}s?)?"), Pointer::First(3)),
        (format!("(?:后面?|最后)(?:两|二|2|俩){PIECE}|\\blast (?:two|2)\\b(?: {one}s?)?"), Pointer::Which(Which::LastTwo)),
        (format!("最后面?的?(?:那|这)?{PIECE}|\\b(?:the |that |your )?last (?:{one})\\b|\\bthe latter(?: {one})?\\b|后者"), Pointer::Which(Which::Last)),
        (format!("(?:前者)|\\bthe former(?: {one})?\\b"), Pointer::First(1)),
        (format!("(?:正)?中间的?(?:那|这)?(?:{PIECE}|的)|\\b(?:the )?middle {one}\\b|\\b(?:the )?one in the middle\\b"), Pointer::Which(Which::Middle)),
        (format!("(?:更|比较|稍微?|相对)?(?:便宜|低价)(?:一?点|一?些)?儿?的?(?:那|这)(?:{PIECE})|\\b(?:the |that )(?:cheaper|less expensive|cheap) (?:{one}|of (?:the two|them|these|those))\\b|\\bthe cheaper\\b"), Pointer::Which(Which::Cheaper)),
        (format!("(?:更|比较|稍微?|相对)?(?:贵|高价)(?:一?点|一?些)?儿?的?(?:那|这)(?:{PIECE})|\\b(?:the |that )(?:more expensive|pricier|dearer|expensive) (?:{one}|of (?:the two|them|these|those))\\b"), Pointer::Which(Which::Dearer)),
        (format!("另外?的?(?:一|那)(?:个|款|台|件|把|张|只|双|套|条|本|部)|\\b(?:the|that) other {one}\\b"), Pointer::Which(Which::Other)),
        (format!("(?:这|那)(?:两|二|2){PIECE}|(?:这|那|它)俩|(?:两|2)(?:个|款|台)(?=都)?(?:都)|\\bboth(?: of (?:them|these|those))?\\b|\\b(?:these|those|the) two\\b(?: {one}s?)?").replace("(?=都)?", ""), Pointer::Which(Which::Both)),
        (format!("上(?:面)?一(?:个|款|台|件|把|张|只|双|套|条|本|部)|前一(?:个|款|台|件|把|张|只|双|套|条|本|部)|\\b(?:the )?previous {one}\\b|\\bthe {one} before\\b"), Pointer::Which(Which::Before)),
    ];
    phrases
        .into_iter()
        .map(|(text, pointer)| (pattern(&text), pointer))
        .collect()
});

#[derive(Clone, Copy)]
enum Pointer {
    Which(Which),
    /// The first so many.
    First(u32),
}

static HAN_ORDINAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"第\s*([一二三四五六七八九十\d]+)\s*(个|款|种|件|台|把|张|只|双|套|条|本|部|样|支|号)?",
    )
});
static HAN_NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"([一二三四五六七八九]|[1-9])号"));
static ORDINAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|[1-9]\d?(?:st|nd|rd|th))\b(?: (?:one|option|model|product|item|choice|version)\b)?",
    )
});
static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?:#|\bno\. ?|\bno |\bnr\.? |\bnumber |\boption |\bitem |\bchoice )(one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2})\b",
    )
});

/// Two or three bare figures that stand side by side: places where something is compared.
static SIDE_BY_SIDE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let joined = r"\s*(?:和|跟|与|对比|、|,|，|/|&|\+|\bvs\.?|\bversus\b|\band\b|\bwith\b|\bto\b|\bor\b|还是)\s*";
    pattern(&format!(
        r"(?:^|[^\d.:/¥$€£-])([1-9]){joined}(?:the )?([1-9])(?:{joined}([1-9]))?(?:$|[^\d.%:/])"
    ))
});
/// Behind such figures, or before them: they are compared.
const COMPARED_AFTER: [&str; 16] = [
    "比",
    "对比",
    "哪",
    "有什么区别",
    "有啥区别",
    "区别",
    "有什么不同",
    "有啥不同",
    "的区别",
    "的差别",
    "差",
    "之间",
    "怎么选",
    "选哪",
    "which",
    "what is the difference",
];
const COMPARED_BEFORE: [&str; 13] = [
    "比较",
    "对比",
    "比一下",
    "比比",
    "比",
    "compare",
    "comparing",
    "between",
    "difference of",
    "number",
    "numbers",
    "nos.",
    "versus",
];

const WORDS: [&str; 10] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
];
const COUNTS: [&str; 10] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
];
/// What follows 第二 where it stands without a word that counts things; anything else is counted itself: 第二天, 第一锅.
const AFTER_PLACE: [char; 40] = [
    '的', '和', '跟', '与', '吧', '呢', '吗', '多', '怎', '有', '是', '要', '贵', '便', '还', '那',
    '也', '都', '好', '比', '能', '可', '行', '，', ',', '。', '.', '！', '!', '？', '?', '、',
    ' ', '；', ';', '：', '~', '啊', '呀', '哪',
];
/// After "the second": no product.
const NOT_PRODUCTS: [&str; 31] = [
    "two", "three", "few", "2", "3", "time", "of all", "of", "hand", "order", "floor", "day",
    "week", "month", "year", "purchase", "thing", "question", "half", "name", "visit", "thought",
    "point", "reason", "step", "class", "customer", "attempt", "place", "person", "party",
];
/// What points at no product although it sounds so.
const NOT_GOODS: [&str; 14] = [
    "问题", "订单", "月", "星期", "礼拜", "季度", "客服", "人", "地方", "小时", "地址", "疑问",
    "牌子", "店",
];
/// Before "the first" it is a day.
const BEFORE_DAYS: [&str; 9] = [
    "on the",
    "by the",
    "from the",
    "until the",
    "till the",
    "through the",
    "before the",
    "after the",
    "due the",
];
/// Before a bare "second": a place in a list.
const BEFORE_PLACES: [&str; 12] = [
    "the", "and", "or", "vs", "versus", "with", "this", "that", "your", "to", "compare", "between",
];
/// After a bare "second" that opens the message.
const AFTER_PLACES: [&str; 6] = ["and", "or", "vs", "versus", "please", "pls"];
/// After "the first two": no products.
const TIMES: [&str; 16] = [
    "days",
    "weeks",
    "months",
    "years",
    "hours",
    "minutes",
    "times",
    "nights",
    "orders",
    "people",
    "of us",
    "digits",
    "letters",
    "questions",
    "day",
    "week",
];

/// All references, from the surest to the least sure; they may overlap.
pub(super) fn find(text: &str) -> Vec<Pointed> {
    let mut found = Vec::new();
    for (pattern, pointer) in PHRASES.iter() {
        for hit in pattern.iter().flat_map(|p| p.find_iter(text)) {
            let before = text.get(..hit.start()).unwrap_or_default();
            let after = text.get(hit.end()..).unwrap_or_default();
            let goods = !starts_any(after.trim_start_matches('的'), &NOT_GOODS)
                && !before.ends_with('最')
                && !starts_any_word(after.trim_start(), &TIMES);
            if goods {
                found.push(Pointed {
                    start: hit.start(),
                    end: hit.end(),
                    values: match *pointer {
                        Pointer::Which(which) => vec![Value::OfShown { which }],
                        Pointer::First(count) => {
                            (1..=count).map(|index| Value::Ordinal { index }).collect()
                        }
                    },
                });
            }
        }
    }
    side_by_side(text, &mut found);
    ordinals(text, &mut found);
    found
}

/// "Compare 1 and 3", 1和3比呢: two places, or three.
fn side_by_side(text: &str, found: &mut Vec<Pointed>) {
    for groups in SIDE_BY_SIDE.iter().flat_map(|p| p.captures_iter(text)) {
        let figures: Vec<_> = (1..=3).filter_map(|at| groups.get(at)).collect();
        let (Some(first), Some(last)) = (figures.first(), figures.last()) else {
            continue;
        };
        let before = text.get(..first.start()).unwrap_or_default().trim_end();
        let after = text.get(last.end()..).unwrap_or_default().trim_start();
        let compared =
            starts_any(after, &COMPARED_AFTER) || ends_any_word(before, &COMPARED_BEFORE);
        if !compared {
            continue;
        }
        found.extend(figures.iter().filter_map(|figure| {
            Some(Pointed {
                start: figure.start(),
                end: figure.end(),
                values: vec![Value::Ordinal {
                    index: figure.as_str().parse().ok()?,
                }],
            })
        }));
    }
}

fn ordinals(text: &str, found: &mut Vec<Pointed>) {
    let mut add = |start: usize, end: usize, index: Option<u32>| {
        if let Some(index) = index.filter(|index| (1..=INDEX_MAX).contains(index)) {
            found.push(Pointed {
                start,
                end,
                values: vec![Value::Ordinal { index }],
            });
        }
    };
    for groups in HAN_ORDINAL.iter().flat_map(|p| p.captures_iter(text)) {
        let (Some(whole), Some(number)) = (groups.get(0), groups.get(1)) else {
            continue;
        };
        let after = text.get(whole.end()..).unwrap_or_default();
        let of_things =
            groups.get(2).is_some() || after.is_empty() || after.starts_with(AFTER_PLACE);
        if of_things && !starts_any(after, &NOT_GOODS) {
            add(whole.start(), whole.end(), han_number(number.as_str()));
        }
    }
    for groups in HAN_NUMBER.iter().flat_map(|p| p.captures_iter(text)) {
        let (Some(whole), Some(number)) = (groups.get(0), groups.get(1)) else {
            continue;
        };
        let before = text.get(..whole.start()).unwrap_or_default().trim_end();
        let after = text.get(whole.end()..).unwrap_or_default().trim_start();
        // A day of the month is said the same way.
        let opens = before.is_empty()
            || before.ends_with([
                '，', '。', '！', '？', '、', ',', '要', '选', '看', '和', '跟', '与', '买', '款',
            ]);
        let closes = after.is_empty()
            || after.starts_with([
                '款', '的', '多', '怎', '和', '跟', '与', '吧', '呢', '，', '。', '？', '！', ',',
                '?', '有', '那', '商', '产',
            ]);
        if opens && closes {
            add(whole.start(), whole.end(), han_number(number.as_str()));
        }
    }
    for groups in ORDINAL.iter().flat_map(|p| p.captures_iter(text)) {
        let (Some(whole), Some(word)) = (groups.get(0), groups.get(1)) else {
            continue;
        };
        let before = text.get(..whole.start()).unwrap_or_default().trim_end();
        let after = text.get(whole.end()..).unwrap_or_default().trim_start();
        let opens = before.is_empty()
            && (after.is_empty()
                || after.starts_with(['?', '.', '!', '？', '。'])
                || starts_any_word(after, &AFTER_PLACES));
        let is_place = (opens || ends_any_word(before, &BEFORE_PLACES))
            && !starts_any_word(after, &NOT_PRODUCTS)
            && !ends_any_word(before, &BEFORE_DAYS);
        if whole.len() > word.len() || is_place {
            add(whole.start(), whole.end(), english_ordinal(word.as_str()));
        }
    }
    for groups in NUMBERED.iter().flat_map(|p| p.captures_iter(text)) {
        let (Some(whole), Some(number)) = (groups.get(0), groups.get(1)) else {
            continue;
        };
        let before = text.get(..whole.start()).unwrap_or_default().trim_end();
        let after = text.get(whole.end()..).unwrap_or_default();
        let part_of_more = after.starts_with(|c: char| c == '-' || c == '.' && after.len() > 1)
            || ends_any_word(
                before,
                &[
                    "order",
                    "phone",
                    "tracking",
                    "ticket",
                    "house",
                    "room",
                    "a",
                    "the order",
                    "phone is",
                ],
            );
        // "No two are alike" and "no 2 people" are no places; the point or the sign makes one.
        let bare_no = whole.as_str().starts_with("no ")
            && !(after.trim().is_empty() || before.is_empty() && after.starts_with('?'));
        if !part_of_more && !bare_no {
            let index = COUNTS
                .iter()
                .position(|word| *word == number.as_str())
                .and_then(|at| u32::try_from(at + 1).ok())
                .or_else(|| number.as_str().parse().ok());
            add(whole.start(), whole.end(), index);
        }
    }
}

fn han_number(text: &str) -> Option<u32> {
    let number = numbers::find(text).first()?.value;
    (number >= 1.0 && number <= f64::from(INDEX_MAX)).then_some(number as u32)
}

fn english_ordinal(word: &str) -> Option<u32> {
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    WORDS
        .iter()
        .position(|known| *known == word)
        .and_then(|at| u32::try_from(at + 1).ok())
        .or_else(|| digits.parse().ok())
}

fn starts_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}

fn starts_any_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        text.strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

fn ends_any_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        text.strip_suffix(word)
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_phrase_compiles() {
        assert!(super::PHRASES.iter().all(|(pattern, _)| pattern.is_some()));
        for pattern in [
            &*super::HAN_ORDINAL,
            &*super::HAN_NUMBER,
            &*super::ORDINAL,
            &*super::NUMBERED,
            &*super::SIDE_BY_SIDE,
        ] {
            assert!(pattern.is_some());
        }
    }
}
