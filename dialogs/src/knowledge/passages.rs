//! Cuts Markdown into passages by heading.

use super::Passage;
use super::sentences::sentences;
use crate::Language;
use crate::catalogue::{revision_of, slug};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeMap;

/// Characters of a passage; a longer section becomes several.
pub const PASSAGE_CHARS_MAX: usize = 1_200;
/// Passages of one shop.
pub const PASSAGES_MAX: usize = 20_000;
/// Characters of a heading.
const TITLE_CHARS_MAX: usize = 200;
/// A text is Chinese where there is a Han character for so many Latin letters.
const LETTERS_A_CHARACTER: usize = 4;

pub(super) fn of_file(path: &str, markdown: &str) -> Vec<Passage> {
    let language = language_of(path, markdown);
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut passages = Vec::new();
    for section in sections(markdown) {
        let title = match section.headings.last() {
            Some(title) => title.clone(),
            None => stem(path).to_owned(),
        };
        let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
        for text in cut(&section.blocks) {
            let slug = slug(&title);
            let before = ids.entry(slug.clone()).or_default();
            *before += 1;
            let suffix = match before {
                1 => String::new(),
                count => format!("-{count}"),
            };
            passages.push(Passage {
                id: format!("knowledge:{path}#{slug}{suffix}"),
                language,
                above: above(&section.headings),
                revision: revision_of(format!("{title}\n{text}").as_bytes()),
                title: title.clone(),
                text,
                score: 0.0,
            });
        }
    }
    passages
}

fn above(headings: &[String]) -> String {
    let all_but_own = headings.len().saturating_sub(1);
    headings
        .iter()
        .take(all_but_own)
        .filter(|heading| !heading.is_empty())
        .cloned()
        .collect::<Vec<String>>()
        .join(" > ")
}

/// The file's name without folder, `.md` and language.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

fn language_of(path: &str, markdown: &str) -> Language {
    let name = path.strip_suffix(".md").unwrap_or(path);
    let tag = name.rsplit('.').next().unwrap_or_default();
    if let Some(language) = Language::from_tag(tag).filter(|_| tag.len() < name.len()) {
        return language;
    }
    let is_han = |c: &char| matches!(u32::from(*c), 0x3400..=0x9fff | 0x20000..=0x3ffff);
    let characters = markdown.chars().filter(is_han).count();
    let letters = markdown.chars().filter(char::is_ascii_alphabetic).count();
    if characters > 0 && characters * LETTERS_A_CHARACTER >= letters {
        Language::Zh
    } else {
        Language::En
    }
}

/// What stands below one heading.
#[derive(Default)]
struct Section {
    /// The heading last, those above it before.
    headings: Vec<String>,
    blocks: Vec<Block>,
}

struct Block {
    text: String,
    /// A list item or table row stands on the line after the one before.
    is_item: bool,
}

fn sections(markdown: &str) -> Vec<Section> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    ) {
        reader.take(event);
    }
    reader.end_block();
    reader.end_section();
    reader.sections
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    section: Section,
    text: String,
    /// Of each list that is open, the number of its next item; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// An item's mark, written before its first text.
    mark: Option<String>,
    is_item: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::SoftBreak => self.soft_break(),
            Event::HardBreak => self.text.push('\n'),
            Event::Rule => self.end_block(),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.end_block();
                self.end_section();
            }
            Tag::List(first) => {
                self.end_block();
                self.lists.push(first);
            }
            Tag::Item => {
                self.end_block();
                let depth = self.lists.len().saturating_sub(1);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.mark = Some(format!("{}{mark}", "  ".repeat(depth)));
                self.is_item = true;
            }
            Tag::TableHead | Tag::TableRow => {
                self.end_block();
                self.is_item = true;
            }
            Tag::TableCell if !self.text.trim().is_empty() => self.text.push_str(" · "),
            Tag::CodeBlock(_) | Tag::BlockQuote(_) => self.end_block(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let title = std::mem::take(&mut self.text).trim().to_owned();
                let depth = level as usize;
                let mut headings = self
                    .sections
                    .last()
                    .map_or_else(Vec::new, |section| section.headings.clone());
                headings.truncate(depth.saturating_sub(1));
                headings.resize(depth.saturating_sub(1), String::new());
                headings.push(title);
                self.section.headings = headings;
            }
            TagEnd::Paragraph | TagEnd::CodeBlock | TagEnd::BlockQuote(_) => self.end_block(),
            TagEnd::Item => {
                self.end_block();
                self.mark = None;
            }
            TagEnd::List(_) => {
                self.end_block();
                self.lists.pop();
            }
            TagEnd::TableHead | TagEnd::TableRow => self.end_block(),
            _ => {}
        }
    }

    /// A line break between Han characters is no space.
    fn soft_break(&mut self) {
        if self.text.chars().next_back().is_some_and(|c| c.is_ascii()) {
            self.text.push(' ');
        }
    }

    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let is_item = std::mem::take(&mut self.is_item);
        if text.is_empty() {
            self.is_item = is_item && self.mark.is_some();
            return;
        }
        let mark = self.mark.take().unwrap_or_default();
        self.section.blocks.push(Block {
            text: format!("{mark}{text}"),
            is_item,
        });
    }

    /// Sections without text are kept as well: their headings stand above the next ones.
    fn end_section(&mut self) {
        self.sections.push(std::mem::take(&mut self.section));
    }
}

/// Joins blocks to texts of the allowed length; a block that alone is too long is cut between sentences.
fn cut(blocks: &[Block]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut chars = 0;
    for block in blocks {
        let mut joint = if block.is_item { "\n" } else { "\n\n" };
        for piece in pieces(&block.text) {
            let length = piece.chars().count();
            if chars > 0 && chars + joint.len() + length > PASSAGE_CHARS_MAX {
                texts.push(std::mem::take(&mut text).trim().to_owned());
                chars = 0;
            }
            if chars > 0 {
                text.push_str(joint);
                chars += joint.len();
            }
            text.push_str(&piece);
            chars += length;
            joint = "";
        }
    }
    texts.push(text.trim().to_owned());
    texts.retain(|text| !text.is_empty());
    texts
}

/// The block, or its sentences where it is too long, or parts of a sentence where that is.
fn pieces(block: &str) -> Vec<String> {
    if block.chars().count() <= PASSAGE_CHARS_MAX {
        return vec![block.to_owned()];
    }
    let mut pieces = Vec::new();
    for sentence in sentences(block) {
        let mut rest = sentence.chars().peekable();
        while rest.peek().is_some() {
            pieces.push(rest.by_ref().take(PASSAGE_CHARS_MAX).collect());
        }
    }
    pieces
}
