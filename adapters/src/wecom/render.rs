//! A reply as WeCom messages: texts, in which only an address written out is a link, one product as a card, and choices as a menu.

use crate::digest::short_digest;
use crate::render::{
    Styled, Tongue, card, markdown, may_choose, numbered, public_url, shortened, token, tongue,
    untagged, with_links, written_within,
};
use crate::tencent::{MENU_HEAD_BYTES_MAX, MENU_ID_BYTES_MAX, MENU_ITEMS_MAX, MENU_LABEL, TEXT};
use crate::{Body, Card, Choice, Length, Part, Unit};
use serde_json::{Value, json};

/// Longest title and description of a card, and its address in bytes (图文链接消息); WeCom itself would cut inside a character.
const TITLE: Length = bytes(128);
const DESCRIPTION: Length = bytes(512);
const URL_BYTES_MAX: usize = 2048;
/// Bytes of the digest that names a message, in hexadecimal: WeCom takes 32 characters.
const ID_BYTES: usize = 16;

const fn bytes(max: usize) -> Length {
    Length {
        max,
        unit: Unit::Bytes,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// A product with its picture, which leads to its page.
    Link(Link),
    /// Lines to touch under a text.
    Menu {
        head: String,
        lines: Vec<Line>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub title: String,
    pub description: String,
    pub url: String,
    /// Where the picture is to be had.
    pub picture: String,
    /// The same as a text, for where it cannot be shown with its picture.
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Comes back as the customer's choice.
    Choice { id: String, label: String },
    /// Leads to a page.
    Page { url: String, label: String },
}

/// As few messages as can be, since a customer may get only some. One product is a card; of several, each is a line of the menu that leads to its page.
pub(super) fn pieces(body: &Body) -> Vec<Piece> {
    let tongue = tongue(body);
    let products = products(body);
    let link = match products.as_slice() {
        [product] => link(product, tongue),
        _ => None,
    };
    let choices = choices(body);
    let mut lines = pages(&products, choices.len());
    let mut shown = texts(body, Shown::without(link.is_some(), !lines.is_empty()));
    let fits = |text: &String| text.len() <= MENU_HEAD_BYTES_MAX;
    let is_one = matches!(shown.as_slice(), [only] if fits(only));
    if !lines.is_empty() && !is_one {
        // The lines would stand apart from what they lead to.
        lines.clear();
        shown = texts(body, Shown::without(link.is_some(), false));
    }
    lines.extend(choices);
    // The card comes first: what is asked stands last, above what can be touched.
    let mut pieces: Vec<Piece> = link.into_iter().map(Piece::Link).collect();
    pieces.extend(shown.into_iter().map(Piece::Text));
    if lines.is_empty() {
        return pieces;
    }
    let last = pieces.pop_if(|last| matches!(last, Piece::Text(text) if fits(text)));
    let head = match last {
        Some(Piece::Text(text)) => text,
        _ => may_choose(tongue),
    };
    pieces.push(Piece::Menu { head, lines });
    pieces
}

fn products(body: &Body) -> Vec<&Card> {
    let products = body.parts.iter().flat_map(|part| match part {
        Part::Products { products } => products.as_slice(),
        Part::Text { .. } | Part::Choices { .. } => &[],
    });
    products.collect()
}

/// `None` for a product without a picture or a page that anybody may see, or with more words than one message has.
fn link(product: &Card, tongue: Tongue) -> Option<Link> {
    let picture = product.image.as_deref().and_then(public_url)?;
    let url = page(product)?;
    let shown = card(product, tongue);
    // The name stands above as the title.
    let description = shown.text.split_once('\n').map_or("", |(_, rest)| rest);
    let words = written(&shown);
    (words.len() <= TEXT.max).then(|| Link {
        title: shortened(&untagged(&product.title), TITLE),
        description: shortened(&untagged(description), DESCRIPTION),
        url,
        picture,
        words,
    })
}

fn page(product: &Card) -> Option<String> {
    let url = product.link.as_deref().and_then(public_url)?;
    (url.len() <= URL_BYTES_MAX).then_some(url)
}

/// Lines that lead to the pages of several products; none where one has no page or a menu has no room for all.
fn pages(products: &[&Card], choices: usize) -> Vec<Line> {
    if products.len() < 2 || products.len() + choices > MENU_ITEMS_MAX {
        return Vec::new();
    }
    let pages = products.iter().map(|product| {
        Some(Line::Page {
            url: page(product)?,
            label: shortened(&untagged(&product.title), MENU_LABEL),
        })
    });
    pages.collect::<Option<_>>().unwrap_or_default()
}

/// How the products of a text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    WithAddresses,
    /// Their pages are lines of the menu.
    WithoutAddresses,
    /// They are cards.
    Apart,
}

impl Shown {
    fn without(products: bool, addresses: bool) -> Self {
        match (products, addresses) {
            (true, _) => Self::Apart,
            (false, true) => Self::WithoutAddresses,
            (false, false) => Self::WithAddresses,
        }
    }
}

fn texts(body: &Body, shown: Shown) -> Vec<String> {
    let tongue = tongue(body);
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
            Part::Products { products } if shown != Shown::Apart => {
                for product in products {
                    let mut lines = card(product, tongue);
                    if shown == Shown::WithoutAddresses {
                        lines.marks.clear();
                    }
                    add(lines);
                }
            }
            // More than a menu holds.
            Part::Choices { choices, uncounted } if choices.len() > MENU_ITEMS_MAX => {
                add(numbered(choices, *uncounted));
            }
            Part::Products { .. } | Part::Choices { .. } => {}
        }
    }
    written_within(&words, TEXT, written)
}

/// An address stands behind its words, with blanks around it so that it ends where it ends.
fn written(styled: &Styled) -> String {
    with_links(styled, |out, label, url, behind| {
        if label != url {
            out.push_str(&untagged(label));
            out.push(' ');
        }
        out.push_str(url);
        if behind.chars().next().is_some_and(|c| !c.is_whitespace()) {
            out.push(' ');
        }
    })
}

fn choices(body: &Body) -> Vec<Line> {
    let menus = body.parts.iter().filter_map(|part| match part {
        Part::Choices { choices, .. } if choices.len() <= MENU_ITEMS_MAX => {
            Some(choices.as_slice())
        }
        _ => None,
    });
    let line = |choice: &Choice| Line::Choice {
        id: token(&choice.id, MENU_ID_BYTES_MAX).unwrap_or_else(|| choice.id.clone()),
        label: shortened(&choice.label, MENU_LABEL),
    };
    menus.flatten().take(MENU_ITEMS_MAX).map(line).collect()
}

/// The id under which WeCom reports what became of a piece; the same piece has the same always.
pub(super) fn id(message: &str, piece: usize) -> String {
    short_digest(format!("{message}#{piece}").as_bytes(), ID_BYTES)
}

/// What is sent, without to whom; a card as its words.
pub(super) fn content(piece: &Piece, id: &str) -> Value {
    match piece {
        Piece::Text(text) | Piece::Link(Link { words: text, .. }) => json!({
            "msgid": id, "msgtype": "text", "text": {"content": text},
        }),
        Piece::Menu { head, lines } => {
            let list: Vec<Value> = lines.iter().map(line).collect();
            json!({
                "msgid": id, "msgtype": "msgmenu",
                "msgmenu": {"head_content": head, "list": list},
            })
        }
    }
}

fn line(line: &Line) -> Value {
    match line {
        Line::Choice { id, label } => {
            json!({"type": "click", "click": {"id": id, "content": label}})
        }
        Line::Page { url, label } => {
            json!({"type": "view", "view": {"url": url, "content": label}})
        }
    }
}

/// A card with a picture that WeCom has.
pub(super) fn card_content(link: &Link, id: &str, picture: &str) -> Value {
    json!({
        "msgid": id, "msgtype": "link",
        "link": {
            "title": link.title, "desc": link.description, "url": link.url,
            "thumb_media_id": picture,
        },
    })
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
