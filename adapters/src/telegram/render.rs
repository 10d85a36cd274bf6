//! A reply as Telegram messages: texts with entities, photos with captions, an inline keyboard under the last.

use super::{BUTTON_BYTES_MAX, BUTTONS_MAX, CAPTION, LABEL_CHARS_MAX, TEXT};
use crate::render::{
    MarkKind, Styled, card, card_within, markdown, numbered, public_url, split, token, tongue,
};
use crate::{Body, Choice, Part, Token};
use teloxide_core::types::{MessageEntity, MessageEntityKind};
use unicode_segmentation::UnicodeSegmentation as _;
use url::Url;

/// Two labels stand side by side up to this many characters each.
const SHORT_LABEL_CHARS: usize = 12;

/// One message of Telegram's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub text: Styled,
    /// The picture that carries the text as its caption.
    pub photo: Option<Url>,
    /// Rows of label and data.
    pub keyboard: Vec<Vec<(String, String)>>,
}

pub(super) fn pieces(body: &Body) -> Vec<Piece> {
    let tongue = tongue(body);
    let mut pieces = Vec::new();
    let mut words = Styled::default();
    let mut rows = Vec::new();
    let add = |words: &mut Styled, more: Styled| {
        if !words.is_blank() && !more.is_blank() {
            words.push("\n\n");
        }
        words.append(more);
    };
    for part in &body.parts {
        match part {
            Part::Text { text } => add(&mut words, markdown(text)),
            Part::Products { products } => {
                for product in products {
                    match product.image.as_deref().and_then(public_url) {
                        Some(image) => {
                            flush(&mut words, &mut pieces);
                            pieces.push(Piece {
                                text: card_within(product, tongue, CAPTION),
                                photo: Url::parse(&image).ok(),
                                keyboard: Vec::new(),
                            });
                        }
                        None => add(&mut words, card(product, tongue)),
                    }
                }
            }
            Part::Choices { choices, .. } if choices.len() <= BUTTONS_MAX => {
                rows.extend(keyboard(choices));
            }
            Part::Choices { choices, uncounted } => {
                add(&mut words, numbered(choices, *uncounted));
            }
        }
    }
    flush(&mut words, &mut pieces);
    if pieces.is_empty() && !rows.is_empty() {
        // A keyboard hangs on a message that says something.
        let labels = rows.iter().flatten().map(|(label, _)| label.as_str());
        let labels: Vec<&str> = labels.collect();
        words = Styled::plain(labels.join(" · "));
        flush(&mut words, &mut pieces);
    }
    if let Some(last) = pieces.last_mut() {
        last.keyboard = rows;
    }
    pieces
}

fn flush(words: &mut Styled, pieces: &mut Vec<Piece>) {
    for text in split(&std::mem::take(words), TEXT) {
        pieces.push(Piece {
            text,
            photo: None,
            keyboard: Vec::new(),
        });
    }
}

fn keyboard(choices: &[Choice]) -> Vec<Vec<(String, String)>> {
    let mut rows: Vec<Vec<(String, String)>> = Vec::new();
    for choice in choices {
        let label = label(&choice.label);
        let short = label.chars().count() <= SHORT_LABEL_CHARS;
        let data = token(&choice.id, BUTTON_BYTES_MAX).unwrap_or_else(|| choice.id.clone());
        match rows.last_mut() {
            Some(row)
                if short
                    && row.len() == 1
                    && row
                        .iter()
                        .all(|(label, _)| label.chars().count() <= SHORT_LABEL_CHARS) =>
            {
                row.push((label, data));
            }
            _ => rows.push(vec![(label, data)]),
        }
    }
    rows
}

fn label(label: &str) -> String {
    let label = label.trim();
    if label.is_empty() {
        return "…".to_owned();
    }
    let shown: String = label.graphemes(true).take(LABEL_CHARS_MAX).collect();
    if shown.len() < label.len() {
        format!("{shown}…")
    } else {
        shown
    }
}

pub(super) fn tokens(body: &Body) -> Vec<Token> {
    crate::render::tokens(body, BUTTON_BYTES_MAX)
}

/// Marks as Telegram counts them, in UTF-16 units.
pub(super) fn entities(styled: &Styled) -> Vec<MessageEntity> {
    let units = |from: usize, to: usize| {
        let text = styled.text.get(from..to).unwrap_or_default();
        text.encode_utf16().count()
    };
    let entity = |mark: &crate::render::Mark| {
        let kind = match &mark.kind {
            MarkKind::Bold => MessageEntityKind::Bold,
            MarkKind::Italic => MessageEntityKind::Italic,
            MarkKind::Struck => MessageEntityKind::Strikethrough,
            MarkKind::Code => MessageEntityKind::Code,
            MarkKind::Link(url) => MessageEntityKind::TextLink {
                url: Url::parse(url).ok()?,
            },
        };
        Some(MessageEntity {
            kind,
            offset: units(0, mark.from),
            length: units(mark.from, mark.to),
        })
    };
    styled.marks.iter().filter_map(entity).collect()
}
