//! Numbers in English words: two hundred and fifty, a couple hundred, a dozen.

use super::{Number, Written};

/// Words of one number written out.
const WORDS_MAX: usize = 8;

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
pub(super) fn read(folded: &str, start: usize) -> Option<Number> {
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
