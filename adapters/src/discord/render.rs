//! A reply as Discord messages: Markdown, products as embeds, choices as buttons or a menu under the last.

use super::markdown::{shortened, written};
use super::{
    BUTTONS_MAX, BUTTONS_PER_ROW, CHOICES_MAX, DESCRIPTION_CHARS_MAX, EMBED_CHARS_MAX, EMBEDS_MAX,
    ID_BYTES_MAX, LABEL_CHARS_MAX, OPTION_CHARS_MAX, TITLE_CHARS_MAX, URL_CHARS_MAX,
};
use crate::digest::short_digest;
use crate::render::{Styled, Tongue, card, markdown, numbered, public_url, token, tongue};
use crate::{Body, Card, Choice, Outbound, Part};
use serenity::builder::{
    CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateMessage,
    CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
};
use serenity::model::application::ButtonStyle;
use serenity::model::channel::Nonce;
use std::collections::BTreeSet;
use unicode_segmentation::UnicodeSegmentation as _;

/// Bytes of the digest that a nonce shows, in hexadecimal; Discord takes 25 characters.
const NONCE_BYTES: usize = 12;
/// What the menu of choices is called when one is picked; what was picked is told beside it.
const MENU_ID: &str = "choices";

/// One message of Discord's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub content: String,
    pub embeds: Vec<Embed>,
    /// Label and id.
    pub choices: Vec<(String, String)>,
    /// In whose language the few words of ours are.
    pub is_zh: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Embed {
    pub title: String,
    pub description: String,
    pub url: Option<String>,
    pub image: Option<String>,
}

pub(super) fn pieces(body: &Body) -> Vec<Piece> {
    let tongue = tongue(body);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut words = Styled::default();
    let mut choices: Vec<(String, String)> = Vec::new();
    let add = |words: &mut Styled, more: Styled| {
        if !words.is_blank() && !more.is_blank() {
            words.push("\n\n");
        }
        words.append(more);
    };
    let count = body.parts.iter().map(|part| match part {
        Part::Choices { choices, .. } => choices.len(),
        Part::Text { .. } | Part::Products { .. } => 0,
    });
    let all_fit = count.sum::<usize>() <= CHOICES_MAX;
    for part in &body.parts {
        match part {
            Part::Text { text } => add(&mut words, markdown(text)),
            Part::Products { products } => {
                flush(&mut words, &mut pieces);
                for product in products {
                    hang(embed(product, tongue), &mut pieces);
                }
            }
            Part::Choices {
                choices: offered, ..
            } if all_fit => choices.extend(buttons(offered)),
            Part::Choices {
                choices: offered,
                uncounted,
            } => add(&mut words, numbered(offered, *uncounted)),
        }
    }
    flush(&mut words, &mut pieces);
    let mut ids = BTreeSet::new();
    // Discord takes no message with the same id twice.
    choices.retain(|(_, id)| ids.insert(id.clone()));
    if pieces.is_empty() && !choices.is_empty() {
        // Buttons hang on a message that says something.
        let labels: Vec<&str> = choices.iter().map(|(label, _)| label.as_str()).collect();
        words = Styled::plain(labels.join(" · "));
        flush(&mut words, &mut pieces);
    }
    if let Some(last) = pieces.last_mut() {
        last.choices = choices;
    }
    for piece in &mut pieces {
        piece.is_zh = tongue == Tongue::Zh;
    }
    pieces
}

fn flush(words: &mut Styled, pieces: &mut Vec<Piece>) {
    for content in written(&std::mem::take(words)) {
        pieces.push(Piece {
            content,
            ..Piece::default()
        });
    }
}

/// Under the words before, while Discord takes more there.
fn hang(embed: Embed, pieces: &mut Vec<Piece>) {
    let chars = |embed: &Embed| embed.title.chars().count() + embed.description.chars().count();
    if let Some(last) = pieces.last_mut() {
        let used: usize = last.embeds.iter().map(chars).sum();
        if last.embeds.len() < EMBEDS_MAX && used + chars(&embed) <= EMBED_CHARS_MAX {
            last.embeds.push(embed);
            return;
        }
    }
    pieces.push(Piece {
        embeds: vec![embed],
        ..Piece::default()
    });
}

fn embed(product: &Card, tongue: Tongue) -> Embed {
    let title = product.title.trim();
    let told = card(product, tongue);
    let facts = told.part(title.len(), told.text.len());
    Embed {
        title: shortened(&Styled::plain(title), TITLE_CHARS_MAX),
        description: shortened(&facts, DESCRIPTION_CHARS_MAX),
        url: product.link.as_deref().and_then(short_url),
        image: product.image.as_deref().and_then(short_url),
    }
}

/// A message with a longer one is refused whole, so it is rather without it.
fn short_url(url: &str) -> Option<String> {
    public_url(url).filter(|url| url.chars().count() <= URL_CHARS_MAX)
}

fn buttons(choices: &[Choice]) -> impl Iterator<Item = (String, String)> {
    choices.iter().map(|choice| {
        let id = token(&choice.id, ID_BYTES_MAX).unwrap_or_else(|| choice.id.clone());
        (cut(&choice.label, OPTION_CHARS_MAX), id)
    })
}

/// Labels are shown as they stand; Discord reads no Markdown in them.
fn cut(label: &str, chars_max: usize) -> String {
    let label = label.trim();
    if label.is_empty() {
        return "…".to_owned();
    }
    if label.chars().count() <= chars_max {
        return label.to_owned();
    }
    let mut shown = String::new();
    let mut used = 1;
    for grapheme in label.graphemes(true) {
        used += grapheme.chars().count();
        if used > chars_max {
            break;
        }
        shown.push_str(grapheme);
    }
    shown + "…"
}

/// The message as it is sent. Without its pictures where Discord could not use one.
pub(super) fn request(piece: &Piece, nonce: String, with_pictures: bool) -> CreateMessage {
    let mut message = CreateMessage::new()
        .allowed_mentions(CreateAllowedMentions::new())
        .nonce(Nonce::String(nonce))
        .enforce_nonce(true);
    if !piece.content.is_empty() {
        message = message.content(piece.content.clone());
    }
    let embeds = piece.embeds.iter().map(|embed| {
        let mut made = CreateEmbed::new().description(embed.description.clone());
        if !embed.title.is_empty() {
            made = made.title(embed.title.clone());
        }
        if let Some(url) = &embed.url {
            made = made.url(url.clone());
        }
        match &embed.image {
            Some(image) if with_pictures => made.image(image.clone()),
            _ => made,
        }
    });
    message = message.embeds(embeds.collect());
    if !piece.choices.is_empty() {
        message = message.components(rows(piece));
    }
    message
}

fn rows(piece: &Piece) -> Vec<CreateActionRow> {
    if piece.choices.len() <= BUTTONS_MAX {
        let button = |(label, id): &(String, String)| {
            CreateButton::new(id.clone())
                .label(cut(label, LABEL_CHARS_MAX))
                .style(ButtonStyle::Secondary)
        };
        return piece
            .choices
            .chunks(BUTTONS_PER_ROW)
            .map(|row| CreateActionRow::Buttons(row.iter().map(button).collect()))
            .collect();
    }
    let option =
        |(label, id): &(String, String)| CreateSelectMenuOption::new(label.clone(), id.clone());
    let options = piece.choices.iter().map(option).collect();
    let menu = CreateSelectMenu::new(MENU_ID, CreateSelectMenuKind::String { options });
    let asks = if piece.is_zh { "请选择" } else { "Choose" };
    vec![CreateActionRow::SelectMenu(menu.placeholder(asks))]
}

/// The same message and number have the same nonce, always: by it Discord knows a repetition.
pub(super) fn nonce(message: &Outbound, piece: usize) -> String {
    short_digest(format!("{} {piece}", message.id).as_bytes(), NONCE_BYTES)
}
