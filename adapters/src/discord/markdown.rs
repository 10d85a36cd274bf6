//! Text with marks as Discord's Markdown: what is ours is marked, and nothing in a text marks anything.

use super::TEXT;
use crate::Length;
use crate::render::{MarkKind, Styled, measure, split};

/// Longest address that is written into a text, in characters; a longer one would leave no room for words.
const URL_CHARS_MAX: usize = 500;
/// After an `@` it keeps `everyone` and `here` from looking like a call to all.
const NOTHING: char = '\u{200b}';

/// A text in pieces that fit as they are written.
pub(super) fn written(text: &Styled) -> Vec<String> {
    within(text, TEXT)
}

/// The first piece of so many characters at most, with a mark where more is missing.
pub(super) fn shortened(text: &Styled, chars_max: usize) -> String {
    let limit = |max| Length { max, ..TEXT };
    let mut pieces = within(text, limit(chars_max)).into_iter();
    let first = pieces.next().unwrap_or_default();
    if pieces.next().is_none() {
        return first;
    }
    let shorter = within(text, limit(chars_max.saturating_sub(1)));
    let first = shorter.into_iter().next().unwrap_or_default();
    first + "…"
}

/// Marks and escapes take room of their own, so a piece that is too long with them is cut again.
fn within(text: &Styled, limit: Length) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = split(text, limit);
    open.reverse();
    while let Some(piece) = open.pop() {
        let markdown = marked(&piece);
        let chars = measure(&piece.text, limit.unit);
        if measure(&markdown, limit.unit) <= limit.max {
            done.push(markdown);
        } else if chars <= 1 {
            done.push(markdown.chars().take(limit.max).collect());
        } else {
            let half = Length {
                max: chars.div_ceil(2),
                unit: limit.unit,
            };
            let mut halves = split(&piece, half);
            halves.reverse();
            open.extend(halves);
        }
    }
    done
}

/// The marks of one text, closed in the order that they were opened.
pub(super) fn marked(text: &Styled) -> String {
    let mut out = String::new();
    let mut at = 0;
    let mut borders: Vec<usize> = text
        .marks
        .iter()
        .flat_map(|mark| [mark.from, mark.to])
        .collect();
    borders.push(text.text.len());
    borders.sort_unstable();
    borders.dedup();
    for to in borders {
        let stretch = text.text.get(at..to).unwrap_or_default();
        let over = |kind: &crate::render::Mark| kind.from <= at && kind.to >= to;
        let kinds: Vec<&MarkKind> = text
            .marks
            .iter()
            .filter(|mark| over(mark))
            .map(|mark| &mark.kind)
            .collect();
        if !stretch.is_empty() {
            let is_line_start = out.is_empty() || out.ends_with('\n');
            push(&mut out, stretch, &kinds, is_line_start);
        }
        at = to;
    }
    out
}

fn push(out: &mut String, stretch: &str, kinds: &[&MarkKind], is_line_start: bool) {
    // Marks do not hold around blanks.
    let words = stretch.trim();
    if kinds.is_empty() || words.is_empty() {
        out.push_str(&escaped(stretch, is_line_start));
        return;
    }
    let before = stretch.len() - stretch.trim_start().len();
    out.push_str(stretch.get(..before).unwrap_or_default());
    let link = kinds.iter().find_map(|kind| match kind {
        MarkKind::Link(url) if url.chars().count() <= URL_CHARS_MAX => Some(url.as_str()),
        _ => None,
    });
    let is_code = kinds.iter().any(|kind| matches!(kind, MarkKind::Code));
    let signs: Vec<&str> = kinds
        .iter()
        .filter_map(|kind| match kind {
            MarkKind::Bold => Some("**"),
            MarkKind::Italic => Some("*"),
            MarkKind::Struck => Some("~~"),
            MarkKind::Code | MarkKind::Link(_) => None,
        })
        .collect();
    signs.iter().for_each(|sign| out.push_str(sign));
    match link {
        // A name that looks like an address hides where a link leads, so Discord shows none.
        Some(url) if words.contains("://") => out.push_str(&format!("<{}>", address(url))),
        Some(url) => out.push_str(&format!("[{}](<{}>)", escaped(words, false), address(url))),
        None if is_code && !words.contains('`') => out.push_str(&format!("`{words}`")),
        None => out.push_str(&escaped(words, is_line_start)),
    }
    signs.iter().rev().for_each(|sign| out.push_str(sign));
    let after = before + words.len();
    out.push_str(stretch.get(after..).unwrap_or_default());
}

/// An address that ends where it should.
fn address(url: &str) -> String {
    url.replace('<', "%3C").replace('>', "%3E")
}

/// A text that Discord shows as it stands.
pub(super) fn escaped(text: &str, is_line_start: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = is_line_start;
    for (at, c) in text.char_indices() {
        match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            // A heading, a quote and a list begin a line.
            '#' | '>' | '-' | '+' if starts => {
                out.push('\\');
                out.push(c);
            }
            '@' => {
                out.push('@');
                let next = text.get(at + 1..).unwrap_or_default();
                if next.starts_with("everyone") || next.starts_with("here") {
                    out.push(NOTHING);
                }
            }
            c => out.push(c),
        }
        starts = c == '\n' || (starts && c.is_whitespace());
    }
    out
}
