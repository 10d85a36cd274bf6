//! Sentences, and those of a passage that answer a question.

use super::Passage;
use super::weigh::{informative, kinds};
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Sentences of an answer.
const SENTENCES_MAX: usize = 3;
/// Characters of an answer after which no sentence is added.
const ANSWER_CHARS_MAX: usize = 400;
/// A rule and its exception: a passage of so few sentences is said whole.
const WHOLE_SENTENCES_MAX: usize = 2;
/// Letters of such a passage; a Han character counts as three.
const WHOLE_LETTERS_MAX: usize = 200;
/// Of the question's tokens, the share that the best sentence must hold; else the passage's beginning answers its heading.
const HELD_MIN: f32 = 0.25;

/// A length of time, as an answer to “how long” has it.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[\d一二两三四五六七八九十半]\s*(?:个)?(?:天|日内|日达|小时|分钟|周|星期|个月|年|工作日)|次日|当天|\d\s*(?:to\s*\d+\s*|working\s+|business\s+)?(?:days?|hours?|minutes?|weeks?|months?|years?)\b|same day|next day|overnight|\b\d+ to \d+\b").ok()
});
/// An amount or that there is none, as an answer to “how much” has it.
static AMOUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[¥￥$€£]\s*\d|\d\s*(?:元|块|yuan|cny|rmb|usd|eur)|免费|包邮|免邮|\bfree\b")
        .ok()
});

/// The pieces of a text, each with the space that follows it; together they are the text.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    let mut ended = false;
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        let closes = matches!(c, '”' | '’' | '」' | '』' | '）' | ')' | '"') || c.is_whitespace();
        if ended && !closes && !is_end(c, next) {
            sentences.extend(text.get(start..at));
            start = at;
            ended = false;
        }
        ended |= is_end(c, next);
    }
    sentences.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    sentences
}

fn is_end(c: char, next: Option<char>) -> bool {
    match c {
        '。' | '！' | '？' | '!' | '?' | '；' | '\n' => true,
        '.' => next.is_none_or(char::is_whitespace),
        _ => false,
    }
}

pub(super) fn answer(passage: &Passage, question: &str) -> String {
    let all = sentences(&passage.text);
    let asked: BTreeSet<String> = informative(question).into_iter().map(|t| t.text).collect();
    let figures: Vec<(String, &Option<Regex>)> = kinds()
        .into_iter()
        .zip([&*TIME, &*AMOUNT])
        .filter(|(kind, _)| asked.contains(kind))
        .collect();
    let held: Vec<usize> = all
        .iter()
        .map(|sentence| {
            let own: BTreeSet<String> = informative(sentence).into_iter().map(|t| t.text).collect();
            let words = own.intersection(&asked).filter(|t| !t.starts_with('~'));
            // A sentence with the figure that was asked for answers, whatever its words.
            let told = figures.iter().filter(|(kind, figure)| {
                let figure = figure.as_ref();
                own.contains(kind) || figure.is_some_and(|figure| figure.is_match(sentence))
            });
            words.count() + told.count()
        })
        .collect();
    let most = held.iter().copied().max().unwrap_or_default();
    let heading: BTreeSet<String> = informative(&passage.title)
        .into_iter()
        .map(|t| t.text)
        .collect();
    // Who asks what the heading asks is answered by what stands under it.
    let asks_the_heading = !asked.is_empty() && asked.is_subset(&heading);
    let chosen: Vec<usize> =
        if asks_the_heading || most == 0 || (most as f32) < asked.len() as f32 * HELD_MIN {
            (0..all.len()).take(SENTENCES_MAX).collect()
        } else {
            best(&all, &held, most)
        };
    let letters = |c: char| if crate::text::han(c) { 3 } else { 1 };
    let is_short = all.len() <= WHOLE_SENTENCES_MAX
        && passage.text.chars().map(letters).sum::<usize>() <= WHOLE_LETTERS_MAX;
    let chosen = if is_short {
        (0..all.len()).collect()
    } else {
        chosen
    };
    let mut answer = String::new();
    for place in chosen {
        let Some(sentence) = all.get(place) else {
            continue;
        };
        let length = answer.chars().count() + sentence.trim_end().chars().count();
        if !answer.is_empty() && length > ANSWER_CHARS_MAX {
            break;
        }
        answer.push_str(sentence);
    }
    answer.trim().to_owned()
}

/// The sentences that hold most, in the order of the text; one that announces is followed by what it announces.
fn best(all: &[&str], held: &[usize], most: usize) -> Vec<usize> {
    let mut ranked: Vec<(usize, usize)> = held
        .iter()
        .enumerate()
        .filter(|(_, held)| **held * 2 >= most)
        .map(|(place, held)| (most - held, place))
        .collect();
    ranked.sort_unstable();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    for (_, place) in ranked {
        let announces = all
            .get(place)
            .is_some_and(|sentence| sentence.trim_end().ends_with([':', '：']));
        let following = if announces { SENTENCES_MAX } else { 1 };
        for place in (place..all.len()).take(following) {
            if chosen.len() < SENTENCES_MAX {
                chosen.insert(place);
            }
        }
    }
    chosen.into_iter().collect()
}
