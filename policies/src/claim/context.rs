//! What stands around a word in folded text: numbers, clauses, sentences, questions and refusals.

use crate::fold::han;

pub type Span = (usize, usize);

/// A word of interest and the text it stands in.
#[derive(Clone, Copy)]
pub struct At<'t> {
    pub text: &'t str,
    pub start: usize,
    pub end: usize,
}

/// Chinese numerals, also the financial forms; 几 and 数 only beside another.
const NUMERALS: &str = "零〇一二两三四五六七八九十百千万亿半壹贰叁肆伍陆柒捌玖拾佰仟廿卅";
const VAGUE_NUMERALS: &str = "几数";
const NUMBER_WORDS: [&str; 40] = [
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
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "grand",
    "million",
    "half",
    "couple",
    "few",
    "several",
    "dozen",
    "hundreds",
    "thousands",
    "single",
    "zero",
];
/// Counters after which a number is a count, not an amount of money.
const COUNTERS: &str = "个款台种样件家位人步分秒天小周月年杯次克毫升公斤倍%折层级档页条项瓦寸厘米支包袋盒瓶组套点类段杠度粒颗名轮日号:/";

impl<'t> At<'t> {
    pub fn before(&self) -> &'t str {
        self.text.get(..self.start).unwrap_or_default()
    }

    pub fn after(&self) -> &'t str {
        self.text.get(self.end..).unwrap_or_default()
    }

    pub fn word(&self) -> &'t str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// The word with its plural or genitive s; `None` where a Latin word is part of a longer one.
    ///
    /// A digit may touch it in front ("20usd", "3days").
    pub fn whole_word(self) -> Option<At<'t>> {
        let latin = |c: char| c.is_ascii_alphabetic();
        let mut whole = self;
        if self.word().ends_with(latin) {
            let after = self.after();
            whole.end += ["'s", "s"]
                .iter()
                .find(|ending| after.starts_with(**ending))
                .map_or(0, |ending| ending.len());
            if whole.after().starts_with(latin) {
                return None;
            }
        }
        let inside = self.word().starts_with(latin) && self.before().ends_with(latin);
        (!inside).then_some(whole)
    }

    pub fn sentence(&self) -> &'t str {
        let (from, to) = sentence(self.text, self.start, self.end);
        self.text.get(from..to).unwrap_or_default()
    }

    /// Whether one of the words stands in the sentence; a Latin one at the beginning of a word.
    pub fn sentence_holds(&self, words: &[&str]) -> bool {
        let sentence = self.sentence();
        words.iter().any(|word| {
            sentence.match_indices(word).any(|(at, _)| {
                let before = sentence.get(..at).and_then(|text| text.chars().next_back());
                !(word.is_ascii() && before.is_some_and(|c| c.is_ascii_alphabetic()))
            })
        })
    }

    /// The part of the clause in front of the word.
    pub fn lead(&self) -> &'t str {
        let before = self.before();
        let from = before
            .char_indices()
            .rev()
            .find(|(at, c)| stops(before, *at, *c) || matches!(c, ',' | '、' | '(' | ':' | '…'))
            .map_or(0, |(at, c)| at + c.len_utf8());
        before.get(from..).unwrap_or_default()
    }

    /// Whether the sentence is a question.
    pub fn asks(&self) -> bool {
        let (from, to) = sentence(self.text, self.start, self.end);
        let sentence = self.text.get(from..to).unwrap_or_default();
        let rest = self.text.get(to..).unwrap_or_default();
        rest.starts_with('?') || sentence.trim_end().ends_with(['吗', '呢', '么'])
    }

    /// Whether the clause itself, up to a comma, is a question.
    fn clause_asks(&self) -> bool {
        let after = self.after();
        let stop = after
            .char_indices()
            .find(|(at, c)| stops(after, *at, *c) || *c == ',');
        let (clause, mark) = match stop {
            Some((at, mark)) => (after.get(..at).unwrap_or_default(), mark),
            None => (after, ' '),
        };
        mark == '?' || clause.trim_end().ends_with(['吗', '呢'])
    }

    /// "I cannot guarantee", 不能保证: the word is taken back right in front of it.
    pub fn denied(&self) -> bool {
        let lead = tail(self.lead(), 6);
        ["不", "无法", "没法", "没有", "难以", "未"]
            .iter()
            .any(|word| lead.contains(word))
            || words_back(self.lead(), 4).any(|word| {
                word.ends_with("n't")
                    || matches!(word, "not" | "cannot" | "no" | "never" | "without" | "cant")
            })
    }

    /// Denied, asked about or only spoken of: 有没有现货, "is it in stock?", "check whether".
    pub fn neutral(&self) -> bool {
        let lead = tail(self.lead(), 8);
        self.clause_asks()
            || ["不", "没", "无", "未", "是否", "如果", "若", "关于", "哪些"]
                .iter()
                .any(|word| lead.contains(word))
            || words_back(self.lead(), 6).any(|word| {
                word.ends_with("n't")
                    || matches!(
                        word,
                        "not" | "cannot" | "no" | "any" | "if" | "whether" | "about" | "without"
                    )
            })
    }
}

/// The bytes of the sentence around a span, without its final mark.
pub fn sentence(text: &str, start: usize, end: usize) -> Span {
    let before = text.get(..start).unwrap_or_default();
    let from = before
        .char_indices()
        .rev()
        .find(|(at, c)| stops(before, *at, *c))
        .map_or(0, |(at, c)| at + c.len_utf8());
    let after = text.get(end..).unwrap_or_default();
    let to = after
        .char_indices()
        .find(|(at, c)| stops(after, *at, *c))
        .map_or(text.len(), |(at, _)| end + at);
    (from, to)
}

fn stops(text: &str, at: usize, c: char) -> bool {
    match c {
        '。' | '!' | '?' | ';' | '\n' => true,
        '.' => text
            .get(at + 1..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// The last characters of a text.
fn tail(text: &str, chars: usize) -> &str {
    let from = text
        .char_indices()
        .rev()
        .take(chars)
        .last()
        .map_or(text.len(), |(at, _)| at);
    text.get(from..).unwrap_or_default()
}

/// The last Latin words of a text, from the end.
pub fn words_back(text: &str, words: usize) -> impl Iterator<Item = &str> {
    text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '\'' && c != '’')
        .filter(|word| !word.is_empty())
        .take(words)
}

fn numeral(c: char) -> bool {
    c.is_numeric() || NUMERALS.contains(c)
}

/// The bytes of the number that a text ends with, behind spaces and words such as 多 or "of"; no ordinals.
pub fn number_before(text: &str) -> Option<Span> {
    let text =
        text.trim_end_matches([' ', '-', '~', '多', '来', '余', '几', '数', '整', '+', '个']);
    let text = text.strip_suffix(" of").unwrap_or(text);
    let from = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| numeral(*c) || VAGUE_NUMERALS.contains(*c) || matches!(c, '.' | ','))
        .last()
        .map(|(at, _)| at);
    if let Some(from) = from {
        let run = text.get(from..)?;
        let from = from + (run.len() - run.trim_start_matches(['.', ',']).len());
        let run = text.get(from..)?;
        let ordinal = text.get(..from)?.ends_with('第');
        return (run.chars().any(numeral) && !run.ends_with(['.', ',']) && !ordinal)
            .then_some((from, text.len()));
    }
    let mut start = None;
    let mut rest = text;
    while let Some(word) = words_back(rest, 1).next() {
        let trimmed = rest.trim_end_matches([' ', '-']);
        if !trimmed.ends_with(word) {
            break;
        }
        let at = trimmed.len() - word.len();
        if !(NUMBER_WORDS.contains(&word) || (start.is_some() && matches!(word, "and" | "a"))) {
            break;
        }
        start = Some(at);
        rest = text.get(..at)?;
    }
    start.map(|start| (start, text.len()))
}

/// The bytes of the number that a text begins with, behind spaces.
pub fn number_after(text: &str) -> Option<Span> {
    let from = text.len() - text.trim_start_matches([' ', '-', '~', ':', '+']).len();
    let run = text.get(from..)?;
    let end = run
        .char_indices()
        .find(|(_, c)| !(numeral(*c) || VAGUE_NUMERALS.contains(*c) || matches!(c, '.' | ',')))
        .map_or(run.len(), |(at, _)| at);
    let number = run.get(..end)?.trim_end_matches(['.', ',']);
    number
        .chars()
        .any(numeral)
        .then_some((from, from + number.len()))
}

/// Whether a number that begins a text may be money: no counter, unit or Latin word follows, and it has two digits.
pub fn amount_after(text: &str, digits_least: usize) -> Option<Span> {
    let (start, end) = number_after(text)?;
    let number = text.get(start..end)?;
    let rest = text.get(end..)?;
    let large = number.chars().filter(|c| numeral(*c)).count() >= digits_least;
    let mut following = rest.chars();
    let next = following.next();
    let counted = match next {
        Some(' ') => following.next().is_some_and(|c| c.is_ascii_alphabetic()) && !closes(rest),
        Some(c) => COUNTERS.contains(c) || c.is_ascii_alphabetic() || c == '-',
        None => false,
    };
    (large && !counted).then_some((start, end))
}

/// Words after which an amount is complete.
fn closes(rest: &str) -> bool {
    let word = rest
        .trim_start()
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default();
    matches!(
        word,
        "each"
            | "per"
            | "only"
            | "now"
            | "total"
            | "for"
            | "and"
            | "with"
            | "plus"
            | "including"
            | "all"
            | "flat"
            | "today"
            | "instead"
            | "a"
            | "or"
            | "if"
            | "when"
            | "this"
    )
}

/// Whether a Chinese number says more than one small figure: 三百, 一千二.
pub fn is_large_numeral(number: &str) -> bool {
    number.chars().any(char::is_numeric) && number.chars().any(|c| !han(c))
        || number.chars().any(|c| "十百千万亿拾佰仟".contains(c))
}

/// Whether a number holds an Arabic digit.
pub fn is_arabic(number: &str) -> bool {
    number.chars().any(|c| c.is_numeric() && !han(c))
}
