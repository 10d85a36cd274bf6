//! Texts with their marks written out, which makes them longer than what is read of them, and words in which nothing is a tag.

use super::{Mark, MarkKind, Styled, measure, split};
use crate::Length;
use unicode_segmentation::UnicodeSegmentation as _;

/// A piece that is too long with its marks written out is cut again to so many of four parts, down to this many units.
const SHORTER_QUARTERS: usize = 3;
const CUT_MIN: usize = 128;

/// Pieces that fit into so many bytes as they are written out.
pub(crate) fn written_within(
    words: &Styled,
    limit: Length,
    written: impl Fn(&Styled) -> String + Copy,
) -> Vec<String> {
    let mut texts = Vec::new();
    fit(words, limit, limit.max, written, &mut texts);
    texts
}

fn fit(
    words: &Styled,
    limit: Length,
    cut: usize,
    written: impl Fn(&Styled) -> String + Copy,
    texts: &mut Vec<String>,
) {
    let shorter = Length {
        max: cut,
        unit: limit.unit,
    };
    for piece in split(words, shorter) {
        let text = written(&piece);
        if text.len() <= limit.max {
            texts.push(text);
        } else if cut > CUT_MIN {
            fit(&piece, limit, cut * SHORTER_QUARTERS / 4, written, texts);
        } else {
            // An address longer than a message: its words alone.
            texts.push(untagged(&piece.text));
        }
    }
}

/// A text with a mark that there is more where it is longer; never empty.
pub(crate) fn shortened(text: &str, limit: Length) -> String {
    let (text, mark) = (text.trim(), "…");
    if !text.is_empty() && measure(text, limit.unit) <= limit.max {
        return text.to_owned();
    }
    let mut used = measure(mark, limit.unit);
    let fits = text.graphemes(true).take_while(|grapheme| {
        used += measure(grapheme, limit.unit);
        used <= limit.max
    });
    fits.chain([mark]).collect()
}

/// What would be a tag is shown as it is: a product's name must not become a link of its own.
pub(crate) fn untagged(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let begins_tag = c == '<'
            && characters
                .peek()
                .is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!'));
        out.push(if begins_tag { '＜' } else { c });
    }
    out
}

/// The words without tags of their own, each link as `link` writes it: its label, where it leads, and the words behind it.
pub(crate) fn with_links(styled: &Styled, link: impl Fn(&mut String, &str, &str, &str)) -> String {
    let mut out = String::new();
    let mut done = 0;
    for Mark { from, to, kind } in &styled.marks {
        let MarkKind::Link(url) = kind else { continue };
        if *from < done {
            continue;
        }
        let text = |range| styled.text.get(range).unwrap_or_default();
        out.push_str(&untagged(text(done..*from)));
        link(
            &mut out,
            text(*from..*to),
            url,
            text(*to..styled.text.len()),
        );
        done = *to;
    }
    out.push_str(&untagged(styled.text.get(done..).unwrap_or_default()));
    out
}
