//! The Markdown of replies as text with marks, so that a platform gets offsets and nothing has to be escaped.

use super::public_url;

/// A text and what is special in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    pub text: String,
    /// In order of their beginnings.
    pub marks: Vec<Mark>,
}

/// A stretch of a [`Styled`] text, in bytes; both ends are character borders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub from: usize,
    pub to: usize,
    pub kind: MarkKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Bold,
    Italic,
    Struck,
    Code,
    Link(String),
}

impl Styled {
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            marks: Vec::new(),
        }
    }

    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn push_marked(&mut self, text: &str, kind: MarkKind) {
        let from = self.text.len();
        self.text.push_str(text);
        self.marks.push(Mark {
            from,
            to: self.text.len(),
            kind,
        });
    }

    pub fn append(&mut self, other: Styled) {
        let by = self.text.len();
        self.text.push_str(&other.text);
        self.marks.extend(other.marks.into_iter().map(|mark| Mark {
            from: mark.from + by,
            to: mark.to + by,
            kind: mark.kind,
        }));
    }

    /// A stretch without the blanks at its ends; a mark that reaches beyond is cut.
    pub fn part(&self, from: usize, to: usize) -> Styled {
        let whole = self.text.get(from..to).unwrap_or_default();
        let from = from + (whole.len() - whole.trim_start().len());
        let text = whole.trim();
        let to = from + text.len();
        let marks = self.marks.iter().filter_map(|mark| {
            let (begin, end) = (mark.from.max(from), mark.to.min(to));
            (begin < end).then(|| Mark {
                from: begin - from,
                to: end - from,
                kind: mark.kind.clone(),
            })
        });
        Styled {
            text: text.to_owned(),
            marks: marks.collect(),
        }
    }
}

/// Paragraphs, lists, bold, emphasis, code and web links, as the widget reads them; whatever else a text says stays text.
pub fn markdown(text: &str) -> Styled {
    let mut out = Styled::default();
    let mut blank = false;
    for line in text.lines() {
        if line.trim().is_empty() {
            blank = true;
            continue;
        }
        if !out.text.is_empty() {
            out.push(if blank { "\n\n" } else { "\n" });
        }
        blank = false;
        let trimmed = line.trim_start();
        match trimmed
            .strip_prefix("- ")
            .or_else(|| trimmed.strip_prefix("* "))
        {
            Some(item) => {
                out.push("• ");
                inline(item.trim_start(), &mut out);
            }
            None => inline(line.trim_end(), &mut out),
        }
    }
    out
}

fn inline(line: &str, out: &mut Styled) {
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let before = out.text.chars().next_back();
        if let Some(token) = token(rest).filter(|token| token.stands_alone(before, rest)) {
            out.push_marked(token.label, token.kind);
            rest = rest.get(token.bytes..).unwrap_or_default();
        } else {
            out.text.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
}

struct Token<'a> {
    label: &'a str,
    kind: MarkKind,
    bytes: usize,
}

impl Token<'_> {
    /// `18*40*35` is a size: stars between letters or figures of ours mark nothing.
    fn stands_alone(&self, before: Option<char>, rest: &str) -> bool {
        let joins = |c: char| c.is_ascii_alphanumeric() || c == '*';
        let after = || rest.get(self.bytes..).and_then(|rest| rest.chars().next());
        match self.kind {
            MarkKind::Bold | MarkKind::Italic => {
                !before.is_some_and(joins) && !after().is_some_and(joins)
            }
            MarkKind::Struck | MarkKind::Code | MarkKind::Link(_) => true,
        }
    }
}

/// What begins here, if it also ends.
fn token(rest: &str) -> Option<Token<'_>> {
    for (sign, kind) in [
        ("**", MarkKind::Bold),
        ("*", MarkKind::Italic),
        ("`", MarkKind::Code),
    ] {
        if let Some(inner) = rest.strip_prefix(sign) {
            let label = closed(inner, sign)?;
            if kind == MarkKind::Bold && label.contains('*') {
                return None;
            }
            return Some(Token {
                label,
                kind,
                bytes: label.len() + 2 * sign.len(),
            });
        }
    }
    if let Some(inner) = rest.strip_prefix('[') {
        let label = closed(inner, "]")?;
        let after = inner.get(label.len() + 1..)?.strip_prefix('(')?;
        let target = closed(after, ")").filter(|target| !target.contains(char::is_whitespace))?;
        let url = public_url(target)?;
        return Some(Token {
            label,
            kind: MarkKind::Link(url),
            bytes: label.len() + target.len() + 4,
        });
    }
    if rest.starts_with("http://") || rest.starts_with("https://") {
        let ends = |c: char| c.is_whitespace() || "<>\"'）】，。；".contains(c);
        let label = rest.split(ends).next()?;
        let url = public_url(label)?;
        return Some(Token {
            label,
            kind: MarkKind::Link(url),
            bytes: label.len(),
        });
    }
    None
}

/// The text before the closing mark; a mark encloses words, not blanks.
fn closed<'a>(inner: &'a str, close: &str) -> Option<&'a str> {
    let (label, _) = inner.split_once(close)?;
    let tight = !label.is_empty() && label.trim().len() == label.len();
    tight.then_some(label)
}
