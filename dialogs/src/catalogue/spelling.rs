//! What the words of a query that no product has were meant to be: a word of the titles a letter off, a pair of Han characters that sounds alike.

use super::index::{Asked, Index};
use crate::text;
use crate::vocabulary::{is_common_word, readings};

/// Letters of a word that may be mistyped, or meant.
const LETTERS: std::ops::RangeInclusive<usize> = 5..=30;
/// Letters from which a word may have a second slip.
const SECOND_SLIP_LETTERS: usize = 8;
/// Words of one query that are looked for in other spellings.
const MENDED_MAX: usize = 8;
/// Words of titles that share a piece, gone through for one mistyped word.
const LOOKED_AT_MAX: usize = 4_000;
/// Pieces that a mistyped word shares with the one meant, at least.
const SHARED_PIECES_MIN: usize = 2;
/// What was meant is less sure than what was written.
const MEANT_BOOST: f32 = 0.7;

/// Words and pairs of titles, by what a slip leaves of them.
#[derive(Default)]
pub(super) struct Spelling {
    /// A word and its token.
    words: Vec<(Box<str>, u32)>,
    /// A piece of a word and the word's place; sorted.
    pieces: Vec<([u8; 3], u32)>,
    /// How both characters of a pair are read, the pair, its token; sorted.
    sounds: Vec<([u16; 2], [char; 2], u32)>,
    /// By token, while titles are read.
    seen: Vec<bool>,
}

impl Spelling {
    /// Takes in a token of a title; known ones are passed over.
    pub(super) fn learn(&mut self, token: &str, id: u32) {
        let at = id as usize;
        if self.seen.len() <= at {
            self.seen.resize(at + 1, false);
        }
        match self.seen.get_mut(at) {
            Some(seen) if !*seen => *seen = true,
            _ => return,
        }
        if is_word(token) {
            let place = self.words.len() as u32;
            self.pieces
                .extend(pieces(token).into_iter().map(|piece| (piece, place)));
            self.words.push((token.into(), id));
        } else if let Some(pair) = pair(token) {
            let sounds = sounds(pair).into_iter().map(|sound| (sound, pair, id));
            self.sounds.extend(sounds);
        }
    }

    pub(super) fn learned(mut self) -> Self {
        self.seen = Vec::new();
        self.pieces.sort_unstable();
        self.sounds.sort_unstable();
        self.words.shrink_to_fit();
        self.pieces.shrink_to_fit();
        self.sounds.shrink_to_fit();
        self
    }

    /// Where no product has a word, what it was meant to be is looked for in its stead.
    pub(super) fn mend(&self, index: &Index, asked: &mut [Asked]) {
        let unknown: Vec<usize> = asked
            .iter()
            .enumerate()
            .filter(|(_, one)| one.token.is_none() && one.is_word)
            .map(|(at, _)| at)
            .take(MENDED_MAX)
            .collect();
        for at in unknown {
            let Some(typed) = asked.get(at).map(|one| one.text.as_str()) else {
                continue;
            };
            let meant = match pair(typed) {
                Some(pair) if !has_known_neighbour(asked, at) => self.sounds_like(index, pair),
                Some(_) => None,
                None => self.near(index, typed),
            };
            let is_asked = |token| asked.iter().any(|one| one.token == Some(token));
            let Some(token) = meant.filter(|token| !is_asked(*token)) else {
                continue;
            };
            if let Some(one) = asked.get_mut(at) {
                one.token = Some(token);
                one.weight = index.weight(&one.text, one.token) * MEANT_BOOST;
            }
        }
    }

    /// The fewest slips away, then what most products have.
    fn near(&self, index: &Index, typed: &str) -> Option<u32> {
        if !is_word(typed) || is_common_word(typed) {
            return None;
        }
        let slips_max = 1 + usize::from(typed.len() >= SECOND_SLIP_LETTERS);
        let mut lists: Vec<&[([u8; 3], u32)]> = pieces(typed)
            .iter()
            .map(|piece| {
                let from = self.pieces.partition_point(|(other, _)| other < piece);
                let rest = self.pieces.get(from..).unwrap_or_default();
                let length = rest.partition_point(|(other, _)| other == piece);
                rest.get(..length).unwrap_or_default()
            })
            .collect();
        lists.sort_by_key(|list| list.len());
        let mut sharing: Vec<u32> = lists
            .into_iter()
            .flatten()
            .take(LOOKED_AT_MAX)
            .map(|(_, place)| *place)
            .collect();
        sharing.sort_unstable();
        sharing
            .chunk_by(|a, b| a == b)
            .filter(|same| same.len() >= SHARED_PIECES_MIN)
            .filter_map(|same| self.words.get(*same.first()? as usize))
            .filter(|(word, _)| word.len().abs_diff(typed.len()) <= slips_max)
            .map(|(word, token)| {
                let slips = strsim::osa_distance(typed, word);
                (slips, std::cmp::Reverse(index.with(*token)), *token)
            })
            .filter(|(slips, ..)| *slips <= slips_max)
            .min()
            .map(|(.., token)| token)
    }

    /// With a character of the pair as written before one with none, then what most products have.
    fn sounds_like(&self, index: &Index, typed: [char; 2]) -> Option<u32> {
        let alike = sounds(typed).into_iter().flat_map(|sound| {
            let from = self.sounds.partition_point(|(other, ..)| *other < sound);
            let rest = self.sounds.get(from..).unwrap_or_default().iter();
            rest.take_while(move |(other, ..)| *other == sound)
        });
        alike
            .map(|(_, pair, token)| {
                let others = pair.iter().zip(typed).filter(|(c, t)| **c != *t).count();
                (others, std::cmp::Reverse(index.with(*token)), *token)
            })
            .min()
            .map(|(.., token)| token)
    }
}

/// A pair beside one that products have is the border of two words, not a word mistyped.
fn has_known_neighbour(asked: &[Asked], at: usize) -> bool {
    let Some([first, last]) = asked.get(at).and_then(|one| pair(&one.text)) else {
        return false;
    };
    let known = asked.iter().filter(|one| one.token.is_some());
    known
        .filter_map(|one| pair(&one.text))
        .any(|[before, after]| after == first || before == last)
}

fn is_word(token: &str) -> bool {
    LETTERS.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn pair(token: &str) -> Option<[char; 2]> {
    let mut characters = token.chars().filter(|c| text::han(*c));
    let pair = [characters.next()?, characters.next()?];
    characters.next().is_none().then_some(pair)
}

/// Three letters next to each other, its borders among them.
fn pieces(word: &str) -> Vec<[u8; 3]> {
    let bordered: Vec<u8> = [b" ", word.as_bytes(), b" "].concat();
    let mut pieces: Vec<[u8; 3]> = bordered
        .windows(3)
        .filter_map(|window| window.try_into().ok())
        .collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// Every way to read both characters.
fn sounds([first, last]: [char; 2]) -> Vec<[u16; 2]> {
    let reading = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
    readings(first)
        .flat_map(|one| readings(last).map(move |other| [reading(one), reading(other)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Query, feed};
    use crate::Language;

    const TITLES: [&str; 8] = [
        "Espresso machine with steam wand",
        "Burr grinder for espresso",
        "Umbrella, windproof",
        "Dishwasher with cutlery drawer",
        "全自动咖啡机 家用",
        "手摇磨豆器 便携",
        "家用空气净化器",
        "儿童雨衣 带书包位",
    ];

    /// By the place of the title.
    fn check(words: &str, expected: Option<usize>) {
        let rows: String = TITLES
            .iter()
            .enumerate()
            .map(|(at, title)| {
                format!(
                    r#"{{"id": "p-{at}", "title": "{title}", "price": "9.00 EUR", "availability": "in_stock"}}"#
                ) + "\n"
            })
            .collect();
        let feed = feed::read("goods.jsonl", rows.as_bytes(), Language::En);
        assert_eq!(feed.products.len(), TITLES.len(), "{:?}", feed.problems);
        let query = Query {
            words: words.to_owned(),
            limit: 1,
            ..Query::default()
        };
        let hits = Catalogue::build(feed.products).search(&query);
        let expected = expected.map(|at| format!("p-{at}"));
        assert_eq!(hits.first().map(|hit| hit.id.clone()), expected, "{words}");
    }

    #[test]
    fn a_query_whose_words_are_all_mistyped_still_finds() {
        check("espreso grindr", Some(1));
        check("expresso mashine", Some(0));
        check("umbrela", Some(2));
        check("windprof umberlla", Some(2));
        check("dishwaher", Some(3));
        check("dishwahser cutlrey", Some(3));
        check("咖非机", Some(4));
        check("磨逗器", Some(5));
        check("静话器", Some(6));
        check("语意", Some(7));
    }

    #[test]
    fn what_is_far_from_every_word_finds_nothing() {
        for words in ["zzyzx qwrtp", "trombone", "grindcore", "钢琴"] {
            check(words, None);
        }
    }

    #[test]
    fn words_that_products_have_are_taken_as_written() {
        check("grinder", Some(1));
        check("machine", Some(0));
        check("书包", Some(7));
    }
}
