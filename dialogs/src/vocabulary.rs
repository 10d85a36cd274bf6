//! The words a catalogue teaches: what customers may call its types, brands, attribute values and products.

mod homophones;
mod typos;

pub(crate) use homophones::readings;
pub(crate) use typos::{letters, shortenings, stands_alone, with_hash};

use crate::cue::Cue;
use crate::text;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use typos::Typos;

/// Terms of one vocabulary; further ones are left out.
pub const TERMS_MAX: usize = 200_000;

/// Terms and the automaton that finds them.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// By surface, each surface once.
    terms: Vec<Term>,
    automaton: Option<AhoCorasick>,
    typos: Typos,
    /// By the key of a kind: the attribute value that one of its words is as well.
    also_values: BTreeMap<String, (String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Folded.
    pub surface: String,
    pub kind: TermKind,
    /// The canonical key: product type key, brand as written, attribute value key, product id.
    pub key: String,
}

/// Where one surface stands for several things, the first kind of this order wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    ProductType,
    Brand,
    Attribute {
        name: String,
    },
    Product,
    /// A product by a word that may also be an ordinary one: it counts only where it is used as a name.
    Model,
}

/// A term in a text; `start` and `end` are byte offsets into the folded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub kind: TermKind,
    pub key: String,
}

/// What makes of goods a place or a trade: 鞋店, 咖啡馆, 灯具城, 家具师傅.
const OF_TRADES: [char; 8] = ['店', '馆', '厅', '角', '师', '城', '业', '屋'];

/// The Han word that ends here goes on as the name of a place or a trade.
fn is_part_of_a_trade(folded: &str, end: usize) -> bool {
    let before = folded.get(..end).and_then(|head| head.chars().next_back());
    let after = folded.get(end..).and_then(|tail| tail.chars().next());
    before.is_some_and(text::han) && after.is_some_and(|c| OF_TRADES.contains(&c))
}

/// 机器 in 机器人: the longer word means no goods, unless it is a term itself and so was found before this one.
fn is_in_another_word(folded: &str, start: usize, end: usize) -> bool {
    Cue::OtherWords.words(folded).any(|(at, word)| {
        let until = at + word.len();
        at <= start && end <= until && end - start < word.len()
    })
}

impl Vocabulary {
    /// Of terms with the same surface one is kept: by kind, then the first given.
    pub fn new(terms: Vec<Term>) -> Self {
        let mut ranked: Vec<(usize, Term)> = terms
            .into_iter()
            .filter(|term| !term.surface.is_empty())
            .enumerate()
            .collect();
        ranked.sort_by(|(a, x), (b, y)| {
            let key = |term: &Term| rank(&term.kind);
            x.surface
                .cmp(&y.surface)
                .then_with(|| key(x).cmp(&key(y)))
                .then_with(|| a.cmp(b))
        });
        let mut also_values = BTreeMap::new();
        ranked.dedup_by(|(_, later), (_, kept)| {
            let is_same = later.surface == kept.surface;
            if let (true, TermKind::ProductType, TermKind::Attribute { name }) =
                (is_same, &kept.kind, &later.kind)
            {
                let value = (name.clone(), later.key.clone());
                also_values.entry(kept.key.clone()).or_insert(value);
            }
            is_same
        });
        if ranked.len() > TERMS_MAX {
            // Kinds, brands and values first: they find what the names left out would.
            ranked.sort_by_key(|(at, term)| (rank(&term.kind), *at));
            ranked.truncate(TERMS_MAX);
            ranked.sort_by(|(_, x), (_, y)| x.surface.cmp(&y.surface));
        }
        let terms: Vec<Term> = ranked.into_iter().map(|(_, term)| term).collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(terms.iter().map(|term| &term.surface))
            .ok();
        Self {
            typos: Typos::of(&terms),
            terms,
            automaton,
            also_values,
        }
    }

    /// Pour-over is a kind of gear, and what beans and grinders are for: the attribute and the value key that a kind's word is as well.
    pub fn value_of_kind(&self, key: &str) -> Option<&(String, String)> {
        self.also_values.get(key)
    }

    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Leftmost-longest, not overlapping; Latin terms only at word borders.
    pub fn find(&self, folded: &str) -> Vec<Found> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        // All matches, for the border rule may refuse the longest one where a shorter one stands.
        let mut matches: Vec<(usize, usize, usize)> = automaton
            .find_overlapping_iter(folded)
            .filter(|found| at_borders(folded, found.start(), found.end()))
            .map(|found| {
                (
                    found.start(),
                    usize::MAX - found.end(),
                    found.pattern().as_usize(),
                )
            })
            .collect();
        matches.sort_unstable();
        let mut found = Vec::new();
        let mut free_from = 0;
        for (start, end_below, pattern) in matches {
            let end = usize::MAX - end_below;
            let Some(term) = self.terms.get(pattern).filter(|_| start >= free_from) else {
                continue;
            };
            if term.kind == TermKind::ProductType
                && (is_part_of_a_trade(folded, end) || is_in_another_word(folded, start, end))
            {
                continue;
            }
            free_from = end;
            found.push(Found {
                start,
                end,
                kind: term.kind.clone(),
                key: term.key.clone(),
            });
        }
        found
    }

    /// A word of any term.
    pub fn knows_word(&self, word: &str) -> bool {
        self.typos.knows(word)
    }

    /// The words of short terms that are one slip away from this one.
    pub fn words_near(&self, word: &str) -> Vec<&str> {
        self.typos.near(word)
    }

    /// What words that are no terms were meant to be, in the order of the text; none where several things are as near.
    pub fn mistyped(&self, folded: &str) -> Vec<Found> {
        let meant = self.typos.find(folded, &self.terms);
        meant
            .into_iter()
            .filter_map(|meant| {
                let term = self.terms.get(meant.term)?;
                Some(Found {
                    start: meant.start,
                    end: meant.end,
                    kind: term.kind.clone(),
                    key: term.key.clone(),
                })
            })
            .collect()
    }
}

fn rank(kind: &TermKind) -> u8 {
    match kind {
        TermKind::ProductType => 0,
        TermKind::Brand => 1,
        TermKind::Attribute { .. } => 2,
        TermKind::Product => 3,
        TermKind::Model => 4,
    }
}

/// The most frequent English words: none of them is taken for a mistyped or shortened name.
static COMMON: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| listed(include_str!("../defaults/common-words.txt")));
/// Words that only look like slips of more frequent ones.
static NEAR: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| listed(include_str!("../defaults/near-words.txt")));

/// The words of a list, sorted.
fn listed(text: &'static str) -> Vec<&'static str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.sort_unstable();
    words
}

/// A folded word that everyday English has.
pub fn is_common_word(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok()
}

/// The words that everyday English has, sorted.
pub(crate) fn common_words() -> &'static [&'static str] {
    &COMMON
}

/// A folded word that is no slip of another one, although it is one letter away from it.
pub(crate) fn is_word_of_its_own(word: &str) -> bool {
    NEAR.binary_search(&word).is_ok()
}

/// No Latin letter or digit runs on over an edge; Han has no borders.
pub(crate) fn at_borders(text: &str, start: usize, end: usize) -> bool {
    let parted = |before: Option<char>, after: Option<char>| match (before, after) {
        (Some(before), Some(after)) => !(runs_on(before) && runs_on(after)),
        _ => true,
    };
    let (Some(head), Some(term), Some(tail)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return false;
    };
    parted(head.chars().next_back(), term.chars().next())
        && parted(term.chars().next_back(), tail.chars().next())
}

/// Letters and digits of scripts that write spaces between words.
fn runs_on(c: char) -> bool {
    c.is_alphanumeric()
        && !matches!(u32::from(c), 0x2e80..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::string_slice)]
mod tests {
    use super::*;
    use crate::text;
    use proptest::prelude::{any, proptest};

    fn vocabulary() -> Vocabulary {
        let kind = |name: &str| match name {
            "type" => TermKind::ProductType,
            "brand" => TermKind::Brand,
            "product" => TermKind::Product,
            name => TermKind::Attribute {
                name: name.to_owned(),
            },
        };
        let terms = [
            ("沙发", "type", "sofas"),
            ("布艺沙发", "type", "sofas/fabric"),
            ("sofa", "type", "sofas"),
            ("sofas", "type", "sofas"),
            ("sofa bed", "type", "sofa-beds"),
            ("bed", "type", "beds"),
            ("oak", "material", "橡木"),
            ("oak", "brand", "Oak"),
            ("橡木", "material", "橡木"),
            ("grey", "color", "灰"),
            ("灰", "color", "灰"),
            ("ab-12", "product", "sku-1"),
            ("linen", "material", "linen"),
            ("mineral", "material", "mineral"),
            ("minerel", "color", "minerel"),
        ];
        Vocabulary::new(
            terms
                .map(|(surface, name, key)| Term {
                    surface: surface.to_owned(),
                    kind: kind(name),
                    key: key.to_owned(),
                })
                .to_vec(),
        )
    }

    fn check(message: &str, expected: &[(&str, &str)]) {
        let folded = text::fold(message);
        let found = vocabulary().find(&folded);
        let read: Vec<(&str, &str)> = found
            .iter()
            .map(|found| (&folded[found.start..found.end], found.key.as_str()))
            .collect();
        assert_eq!(read, expected, "{message}");
    }

    #[test]
    fn terms_are_found_leftmost_and_longest() {
        check("想买布艺沙发", &[("布艺沙发", "sofas/fabric")]);
        check("有没有沙发，灰的", &[("沙发", "sofas"), ("灰", "灰")]);
        check("A Sofa Bed, please", &[("sofa bed", "sofa-beds")]);
        check("sofas and beds", &[("sofas", "sofas")]);
        check("AB-12多少钱", &[("ab-12", "sku-1")]);
        check("要一个sofa放客厅", &[("sofa", "sofas")]);
        check("", &[]);
    }

    #[test]
    fn latin_terms_stand_at_word_borders() {
        check("soaking in greyish embedded sofabeds", &[]);
        check("ab-123", &[]);
        check("sofa bedroom", &[("sofa", "sofas")]);
        check("grey/oak", &[("grey", "灰"), ("oak", "Oak")]);
    }

    #[test]
    fn a_mistyped_word_is_taken_for_the_one_term_that_is_near() {
        let near = |word: &str| vocabulary().mistyped(word).pop().map(|found| found.key);
        assert_eq!(near("linnen").as_deref(), Some("linen"));
        assert_eq!(near("soafs").as_deref(), Some("sofas"));
        assert_eq!(near("a sofabed").as_deref(), Some("sofa-beds"));
        assert_eq!(near("sofa bad"), None, "bad is a word");
        assert_eq!(near("bde"), None, "too short");
        assert_eq!(near("minerul"), None, "two attribute values are as near");
        assert_eq!(near("table"), None);
        assert_eq!(near("沙发沙发发"), None);
    }

    proptest! {
        #[test]
        fn finding_never_panics_and_never_overlaps(message in any::<String>()) {
            let folded = text::fold(&message);
            let mut free_from = 0;
            for found in vocabulary().find(&folded) {
                assert!(found.start >= free_from && folded.is_char_boundary(found.end));
                free_from = found.end;
            }
            let _ = vocabulary().mistyped(&folded);
        }
    }
}
