//! How something tastes: what customers wish for and what descriptions tell, by words in `defaults/tastes.yaml`.

use crate::Language;
use crate::aspect::Toward;
use crate::vocabulary::at_borders;
use aho_corasick::AhoCorasick;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub const DEFAULT_TASTES: &str = include_str!("../defaults/tastes.yaml");

/// Words of degree between a taste and what is said of it: 没那么太酸.
const DEGREES_MAX: usize = 3;

#[derive(Deserialize)]
struct Source {
    tastes: BTreeMap<String, Taste>,
    other_words: Vec<String>,
    low: Vec<String>,
    low_after: Vec<String>,
    averse: Vec<String>,
    fond: Vec<String>,
    fond_after: Vec<String>,
    degrees: Vec<String>,
    too_much: Vec<String>,
    beside: Vec<String>,
    questions: Vec<String>,
}

#[derive(Deserialize)]
struct Taste {
    words: Vec<String>,
    /// How a wish for little of it is called, by language.
    less: BTreeMap<Language, String>,
    more: BTreeMap<Language, String>,
    /// How what a description says of it is called.
    told_low: BTreeMap<Language, String>,
    told_high: BTreeMap<Language, String>,
}

struct Tastes {
    source: Source,
    words: AhoCorasick,
    /// By pattern: the taste.
    names: Vec<String>,
    other_words: AhoCorasick,
}

/// A file of ours that cannot be read has no tastes; a test reads it.
static TASTES: LazyLock<Option<Tastes>> = LazyLock::new(|| {
    let source: Source = serde_saphyr::from_str(DEFAULT_TASTES).ok()?;
    let all = source.tastes.iter();
    let (names, words): (Vec<String>, Vec<&String>) = all
        .flat_map(|(name, taste)| taste.words.iter().map(|word| (name.clone(), word)))
        .unzip();
    Some(Tastes {
        words: AhoCorasick::builder()
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(words)
            .ok()?,
        other_words: AhoCorasick::new(&source.other_words).ok()?,
        names,
        source,
    })
});

/// A wish for less or more of a taste, with its bytes in the folded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub taste: String,
    pub toward: Toward,
    pub start: usize,
    pub end: usize,
}

/// The longest of some words that a text ends with, as the text without it.
fn without_end<'t>(text: &'t str, words: &[String]) -> Option<&'t str> {
    let text = text.trim_end();
    words
        .iter()
        .filter_map(|word| {
            let rest = text.strip_suffix(word.as_str())?;
            at_borders(text, rest.len(), text.len()).then_some(rest)
        })
        .min_by_key(|rest| rest.len())
}

/// Where a clause ends.
fn border(c: char) -> bool {
    matches!(
        c,
        ',' | '，' | '.' | '。' | '!' | '！' | '?' | '？' | ';' | '；' | '\n'
    )
}

fn starts(text: &str, words: &[String]) -> bool {
    let text = text.trim_start_matches([' ', '-']);
    words
        .iter()
        .any(|word| text.starts_with(word.as_str()) && at_borders(text, 0, word.len()))
}

impl Tastes {
    /// Each taste named in a folded text, with its bytes.
    fn places<'t>(&'t self, folded: &'t str) -> impl Iterator<Item = (&'t str, usize, usize)> {
        self.words.find_iter(folded).filter_map(move |hit| {
            let (start, end) = (hit.start(), hit.end());
            let mut others = self.other_words.find_overlapping_iter(folded);
            let is_other = others.any(|other| other.start() <= start && end <= other.end());
            let name = self.names.get(hit.pattern().as_usize())?;
            (!is_other && at_borders(folded, start, end)).then_some((name.as_str(), start, end))
        })
    }

    /// Where the words begin that say of a taste that there should be little (or much) of it.
    fn said_before(&self, head: &str, kinds: &[&Vec<String>]) -> Option<usize> {
        let mut rest = head;
        for _ in 0..=DEGREES_MAX {
            let said = kinds.iter().filter_map(|words| without_end(rest, words));
            if let Some(before) = said.min_by_key(|before| before.len()) {
                return Some(before.len());
            }
            rest = without_end(rest, &self.source.degrees)?;
        }
        None
    }

    fn wish(&self, folded: &str, at: (&str, usize, usize)) -> Option<Wish> {
        let (name, start, end) = at;
        let head = folded.get(..start)?;
        let tail = folded.get(end..)?;
        let wish = |toward, start| Wish {
            taste: name.to_owned(),
            toward,
            start,
            end,
        };
        if let Some(from) = self.said_before(head, &[&self.source.low, &self.source.averse]) {
            // 酸不酸 asks.
            let asks = folded.get(..from)?.ends_with(folded.get(start..end)?);
            return (!asks).then(|| wish(Toward::Less, from));
        }
        if starts(tail, &self.source.low_after) {
            return Some(wish(Toward::Less, start));
        }
        if let Some(from) = self.said_before(head, &[&self.source.fond]) {
            return Some(wish(Toward::More, from));
        }
        if starts(tail, &self.source.fond_after) {
            return Some(wish(Toward::More, start));
        }
        self.is_all_too_much(head, tail)
            .then(|| wish(Toward::Less, 0))
    }

    /// 太酸了, and nothing else between two marks.
    fn is_all_too_much(&self, head: &str, tail: &str) -> bool {
        let source = &self.source;
        let mut rest = head.rsplit(border).next().unwrap_or_default();
        let mut is_much = false;
        while let Some(before) = without_end(rest, &source.too_much) {
            is_much = true;
            rest = before;
        }
        while let Some(before) = without_end(rest, &source.beside) {
            rest = before;
        }
        let mut after = tail.split(border).next().unwrap_or_default();
        while let Some(before) = without_end(after, &source.beside) {
            after = before;
        }
        is_much && !rest.chars().chain(after.chars()).any(char::is_alphanumeric)
    }
}

/// What a folded message wishes of tastes, each once.
pub fn wishes(folded: &str) -> Vec<Wish> {
    let Some(tastes) = TASTES.as_ref() else {
        return Vec::new();
    };
    let is_question = |word: &String| {
        let mut at = folded.match_indices(word.as_str());
        at.any(|(at, word)| at_borders(folded, at, at + word.len()))
    };
    if tastes.source.questions.iter().any(is_question) {
        return Vec::new();
    }
    let mut wishes: Vec<Wish> = Vec::new();
    for at in tastes.places(folded) {
        if let Some(wish) = tastes.wish(folded, at)
            && wishes.iter().all(|other| other.taste != wish.taste)
        {
            wishes.push(wish);
        }
    }
    wishes
}

/// What a folded description tells of each taste that it names: less of it (低酸), or more.
pub fn told(folded: &str) -> BTreeMap<&'static str, Toward> {
    let Some(tastes) = TASTES.as_ref() else {
        return BTreeMap::new();
    };
    let mut balance: BTreeMap<&'static str, i32> = BTreeMap::new();
    for (name, start, end) in tastes.places(folded) {
        let head = folded.get(..start).unwrap_or_default();
        let tail = folded.get(end..).unwrap_or_default();
        let is_low = tastes.said_before(head, &[&tastes.source.low]).is_some()
            || starts(tail, &tastes.source.low_after);
        if let Some((name, _)) = tastes.source.tastes.get_key_value(name) {
            *balance.entry(name.as_str()).or_default() += if is_low { -1 } else { 1 };
        }
    }
    let toward = |balance: i32| match balance {
        ..0 => Some(Toward::Less),
        0 => None,
        1.. => Some(Toward::More),
    };
    balance
        .into_iter()
        .filter_map(|(name, balance)| Some((name, toward(balance)?)))
        .collect()
}

/// A wish as the reply calls it: 不酸, “not sour”; where no product is said to be so, that none is said to be the contrary.
pub fn wished(taste: &str, toward: Toward, is_told: bool, language: Language) -> Option<String> {
    let taste = TASTES.as_ref()?.source.tastes.get(taste)?;
    let names = match (toward, is_told) {
        (Toward::Less, true) | (Toward::More, false) => &taste.less,
        (Toward::More, true) | (Toward::Less, false) => &taste.more,
    };
    let name = names.get(&language)?;
    Some(match (is_told, language) {
        (true, _) => name.clone(),
        (false, Language::Zh) => format!("没写{name}"),
        (false, Language::En) => format!("not described as {name}"),
    })
}

/// What a description tells, as a reason calls it: 酸度低, “low acidity”.
pub fn told_as(taste: &str, toward: Toward, language: Language) -> Option<&'static str> {
    let taste = TASTES.as_ref()?.source.tastes.get(taste)?;
    let names = match toward {
        Toward::Less => &taste.told_low,
        Toward::More => &taste.told_high,
    };
    names.get(&language).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Toward::{Less, More};

    #[test]
    fn every_taste_has_names_in_both_languages() {
        let tastes = TASTES.as_ref().expect("the file is read");
        for (name, taste) in &tastes.source.tastes {
            for names in [&taste.less, &taste.more, &taste.told_low, &taste.told_high] {
                assert_eq!(names.len(), Language::ALL.len(), "{name}");
            }
        }
    }

    #[test]
    fn wishes_are_heard() {
        for (message, expected) in [
            ("不酸的豆子", vec![("sour", Less)]),
            ("怕酸 推荐个豆子", vec![("sour", Less)]),
            ("哪个豆子最不酸", vec![("sour", Less)]),
            ("不要太苦也不要太酸", vec![("bitter", Less), ("sour", Less)]),
            ("酸度低一点的", vec![("sour", Less)]),
            ("太酸了", vec![("sour", Less)]),
            ("你好，太酸了，谢谢", vec![("sour", Less)]),
            ("我喜欢苦一点的", vec![("bitter", More)]),
            ("偏甜的", vec![("sweet", More)]),
            ("beans that are not sour", vec![("sour", Less)]),
            ("low acid beans please", vec![("sour", Less)]),
            ("which beans are least acidic", vec![("sour", Less)]),
            ("i don't like bitter coffee", vec![("bitter", Less)]),
            ("it's too sour", vec![("sour", Less)]),
            ("i like strong coffee", vec![("strong", More)]),
            ("这个酸不酸", vec![]),
            ("会不会太酸", vec![]),
            ("意式浓缩太酸怎么办", vec![]),
            ("why is my espresso sour", vec![]),
            ("玻尿酸精华", vec![]),
            ("不要浓缩", vec![]),
            ("how do i make it less bitter", vec![]),
        ] {
            let found: Vec<(String, Toward)> = wishes(message)
                .into_iter()
                .map(|wish| (wish.taste, wish.toward))
                .collect();
            let expected: Vec<(String, Toward)> = expected
                .into_iter()
                .map(|(taste, toward)| (taste.to_owned(), toward))
                .collect();
            assert_eq!(found, expected, "{message}");
        }
    }

    #[test]
    fn descriptions_are_read() {
        for (text, expected) in [
            ("明亮的柑橘酸和花香。怕酸的朋友请选中深烘", Some(More)),
            ("甜感扎实，酸度低", Some(Less)),
            ("几乎不酸", Some(Less)),
            ("醇厚低酸", Some(Less)),
            ("solid sweetness and low acidity", Some(Less)),
            ("with hardly any acidity", Some(Less)),
            ("bright citrus acidity", Some(More)),
            ("花香细腻", None),
        ] {
            assert_eq!(told(text).get("sour").copied(), expected, "{text}");
        }
    }
}
