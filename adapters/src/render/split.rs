//! A text too long for one message, cut where a reader would pause, in the unit that the platform counts in.

use super::Styled;
use crate::{Length, Unit};
use unicode_segmentation::UnicodeSegmentation as _;

/// Of what would fit, at least one part in so many is filled before a pause of this kind is taken.
const PARAGRAPH_SHARE: usize = 4;
const LINE_SHARE: usize = 3;
const SENTENCE_SHARE: usize = 3;
const WORD_SHARE: usize = 2;

/// How long a text is.
pub fn measure(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Utf16 => text.encode_utf16().count(),
        Unit::Characters => text.chars().count(),
        Unit::Bytes => text.len(),
    }
}

/// Pieces that fit, without blanks at their ends; none is empty.
///
/// Cut after a paragraph, a line, a sentence or a word, in this order of liking; never inside a mark that fits into one piece, nor inside what a reader sees as one character.
pub fn split(text: &Styled, limit: Length) -> Vec<Styled> {
    let mut pieces = Vec::new();
    let mut rest = text.part(0, text.text.len());
    while !rest.text.is_empty() {
        let cut = cut(&rest, limit);
        pieces.push(rest.part(0, cut));
        rest = rest.part(cut, rest.text.len());
    }
    pieces
}

/// Where the best pause is, by kind; 0 where there is none.
#[derive(Default)]
struct Pauses {
    paragraph: usize,
    line: usize,
    sentence: usize,
    word: usize,
    anywhere: usize,
}

/// The bytes of the first piece: at least one character, so that there is always progress.
fn cut(styled: &Styled, limit: Length) -> usize {
    let text = styled.text.as_str();
    let mut pauses = Pauses::default();
    let (mut used, mut fits) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += measure(grapheme, limit.unit);
        if used > limit.max {
            break;
        }
        fits = at + grapheme.len();
        let inside = |mark: &super::Mark| mark.from < fits && fits < mark.to;
        if !styled.marks.iter().any(inside) {
            pauses.note(text, fits, grapheme);
        }
    }
    if fits == text.len() {
        return fits;
    }
    if fits == 0 {
        return characters_that_fit(text, limit);
    }
    pauses.best(fits)
}

impl Pauses {
    fn note(&mut self, text: &str, at: usize, grapheme: &str) {
        let next = text.get(at..).and_then(|rest| rest.chars().next());
        let before_blank = next.is_none_or(char::is_whitespace);
        self.anywhere = at;
        let ends_sentence = match grapheme {
            "。" | "！" | "？" | "；" | "…" => next.is_none_or(|c| !closes(c)),
            "." | "!" | "?" => before_blank,
            _ => false,
        };
        let wide = |c: char| c as u32 >= 0x2e80;
        let last = grapheme.chars().next_back().unwrap_or(' ');
        let between_words = last.is_whitespace()
            || before_blank
            || (wide(last) && next.is_some_and(|c| !closes(c)))
            || next.is_some_and(|c| wide(c) && !closes(c));
        if text.get(..at).is_some_and(|head| head.ends_with("\n\n")) {
            self.paragraph = at;
        }
        if grapheme.ends_with('\n') {
            self.line = at;
        }
        if ends_sentence {
            self.sentence = at;
        }
        if between_words {
            self.word = at;
        }
    }

    fn best(&self, fits: usize) -> usize {
        let kinds = [
            (self.paragraph, PARAGRAPH_SHARE),
            (self.line, LINE_SHARE),
            (self.sentence, SENTENCE_SHARE),
            (self.word, WORD_SHARE),
        ];
        kinds
            .into_iter()
            .find(|(at, share)| *at > 0 && at * share >= fits)
            .map(|(at, _)| at)
            // Where a mark fills the piece, a pause before it is better than a cut in it.
            .or_else(|| Some(self.anywhere).filter(|at| *at > 0))
            .unwrap_or(fits)
    }
}

/// Marks that stay with what stands before them.
fn closes(c: char) -> bool {
    "，。、；：？！…）】》」』”’,.;:?!)]}%".contains(c)
}

/// A single grapheme longer than a message: combining marks without end.
fn characters_that_fit(text: &str, limit: Length) -> usize {
    let mut used = 0;
    let mut fits = 0;
    for (at, c) in text.char_indices() {
        let mut buffer = [0_u8; 4];
        used += measure(c.encode_utf8(&mut buffer), limit.unit);
        if used > limit.max && at > 0 {
            break;
        }
        fits = at + c.len_utf8();
    }
    fits
}
