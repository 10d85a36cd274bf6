//! A reply as WeCom messages: texts, in which only an address written out is a link, and choices as a menu.

use super::{MENU_HEAD_BYTES_MAX, MENU_ID_BYTES_MAX, MENU_ITEMS_MAX, TEXT};
use crate::render::{
    Mark, MarkKind, Styled, Tongue, card, markdown, numbered, token, tongue, untagged,
    written_within,
};
use crate::{Body, Choice, Part};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// Longest label of a menu's line, in bytes.
const LABEL_BYTES_MAX: usize = 128;
/// Bytes of the digest that names a message, in hexadecimal: WeCom takes 32 characters.
const ID_BYTES: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// Lines to touch under a text: id and label.
    Menu {
        head: String,
        items: Vec<(String, String)>,
    },
}

/// As few messages as can be, since a customer may get only some.
pub(super) fn pieces(body: &Body) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = texts(body).into_iter().map(Piece::Text).collect();
    let items = items(body);
    if items.is_empty() {
        return pieces;
    }
    let head = match pieces.last() {
        Some(Piece::Text(text)) if text.len() <= MENU_HEAD_BYTES_MAX => text.clone(),
        _ => {
            pieces.push(Piece::Text(String::new()));
            match tongue(body) {
                Tongue::Zh => "您可以选：".to_owned(),
                Tongue::En => "You can choose:".to_owned(),
            }
        }
    };
    if let Some(last) = pieces.last_mut() {
        *last = Piece::Menu { head, items };
    }
    pieces
}

fn texts(body: &Body) -> Vec<String> {
    let tongue = tongue(body);
    let beside = body
        .parts
        .iter()
        .any(|part| matches!(part, Part::Products { .. }));
    let mut words = Styled::default();
    let mut add = |more: Styled| {
        if !words.is_blank() && !more.is_blank() {
            words.push("\n\n");
        }
        words.append(more);
    };
    for part in &body.parts {
        match part {
            Part::Text { text } => add(markdown(text)),
            Part::Products { products } => {
                for product in products {
                    add(card(product, tongue));
                }
            }
            // More than a menu holds.
            Part::Choices { choices } if choices.len() > MENU_ITEMS_MAX => {
                add(numbered(choices, beside));
            }
            Part::Choices { .. } => {}
        }
    }
    written_within(&words, TEXT, written)
}

/// An address stands behind its words, with blanks around it so that it ends where it ends.
fn written(styled: &Styled) -> String {
    let mut out = String::new();
    let mut done = 0;
    for mark in &styled.marks {
        let Mark { from, to, kind } = mark;
        let MarkKind::Link(url) = kind else { continue };
        if *from < done {
            continue;
        }
        let before = styled.text.get(done..*from).unwrap_or_default();
        let label = styled.text.get(*from..*to).unwrap_or_default();
        out.push_str(&untagged(before));
        if label != url {
            out.push_str(&untagged(label));
            out.push(' ');
        }
        out.push_str(url);
        let rest = styled.text.get(*to..).unwrap_or_default();
        if rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
            out.push(' ');
        }
        done = *to;
    }
    out.push_str(&untagged(styled.text.get(done..).unwrap_or_default()));
    out
}

fn items(body: &Body) -> Vec<(String, String)> {
    let menus = body.parts.iter().filter_map(|part| match part {
        Part::Choices { choices } if choices.len() <= MENU_ITEMS_MAX => Some(choices.as_slice()),
        _ => None,
    });
    let item = |choice: &Choice| {
        let id = token(&choice.id, MENU_ID_BYTES_MAX).unwrap_or_else(|| choice.id.clone());
        (id, shortened(&choice.label))
    };
    menus.flatten().take(MENU_ITEMS_MAX).map(item).collect()
}

fn shortened(label: &str) -> String {
    let label = label.trim();
    if !label.is_empty() && label.len() <= LABEL_BYTES_MAX {
        return label.to_owned();
    }
    let mark = "…";
    let mut shown = String::new();
    for grapheme in label.graphemes(true) {
        if shown.len() + grapheme.len() + mark.len() > LABEL_BYTES_MAX {
            break;
        }
        shown.push_str(grapheme);
    }
    shown + mark
}

/// The id under which WeCom reports what became of a piece; the same piece has the same always.
pub(super) fn id(message: &str, piece: usize) -> String {
    let mut id = String::new();
    let digest = Sha256::digest(format!("{message}#{piece}").as_bytes());
    for byte in digest.iter().take(ID_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// What is sent, without to whom.
pub(super) fn content(piece: &Piece, id: &str) -> Value {
    match piece {
        Piece::Text(text) => json!({
            "msgid": id, "msgtype": "text", "text": {"content": text},
        }),
        Piece::Menu { head, items } => {
            let list: Vec<Value> = items
                .iter()
                .map(|(id, content)| {
                    json!({"type": "click", "click": {"id": id, "content": content}})
                })
                .collect();
            json!({
                "msgid": id, "msgtype": "msgmenu",
                "msgmenu": {"head_content": head, "list": list},
            })
        }
    }
}

/// A content with a few fields more.
pub(super) fn with(mut content: Value, more: &[(&str, &str)]) -> Value {
    if let Some(fields) = content.as_object_mut() {
        for (name, value) in more {
            fields.insert((*name).to_owned(), json!(value));
        }
    }
    content
}
