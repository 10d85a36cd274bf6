//! A reply as WeChat messages: texts with links, one product as a graphic, choices as a menu or as numbers to type.

use super::{ANSWER_TEXT, SHORTER_TEXT};
use crate::render::{
    Mark, MarkKind, Styled, Tongue, card, markdown, may_choose, numbered, public_url, shortened,
    split, token, tongue, untagged, with_links, written_within,
};
use crate::tencent::{MENU_HEAD_BYTES_MAX, MENU_ID_BYTES_MAX, MENU_ITEMS_MAX, MENU_LABEL, TEXT};
use crate::{Body, Card, Choice, Length, Part, Unit};
use serde_json::{Value, json};

/// Longest title and description of a graphic, and its address in bytes. The manual names none; these are those of a draft (新增草稿), and phones show fewer.
const TITLE: Length = Length {
    max: 60,
    unit: Unit::Characters,
};
const DESCRIPTION: Length = Length {
    max: 120,
    unit: Unit::Characters,
};
const URL_BYTES_MAX: usize = 2048;

/// One message of the customer-service API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// A picture with a title that leads to a page.
    News {
        title: String,
        description: String,
        url: String,
        picture: String,
    },
    /// A picture without a page: WeChat shows it only from its own store.
    Picture(String),
    /// Lines to touch under a text: id and label.
    Menu {
        head: String,
        items: Vec<(String, String)>,
    },
}

/// As few messages as can be, since a customer may get only some.
pub(super) fn pieces(body: &Body) -> Vec<Piece> {
    let tongue = tongue(body);
    let product = only_product(body);
    let graphic = product.and_then(|product| graphic(product, tongue));
    let picture = product.filter(|_| graphic.is_none()).and_then(picture);
    let texts = texts(body, graphic.is_none(), false, TEXT);
    let mut pieces: Vec<Piece> = picture.into_iter().collect();
    pieces.extend(texts.into_iter().map(Piece::Text));
    pieces.extend(graphic);
    let items = items(body);
    if items.is_empty() {
        return pieces;
    }
    let fits = |text: &str| text.len() <= MENU_HEAD_BYTES_MAX && !text.contains("<a ");
    let last = pieces.pop_if(|last| matches!(last, Piece::Text(text) if fits(text)));
    let head = match last {
        Some(Piece::Text(text)) => text,
        _ => may_choose(tongue),
    };
    pieces.push(Piece::Menu { head, items });
    pieces
}

/// The same as texts alone, each of which leaves room for a word that there is more.
pub(super) fn answers(body: &Body) -> Vec<String> {
    texts(body, true, true, ANSWER_TEXT)
}

fn texts(body: &Body, with_products: bool, with_choices: bool, limit: Length) -> Vec<String> {
    let tongue = tongue(body);
    let mut lines = MENU_ITEMS_MAX;
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
            Part::Products { products } if with_products => {
                for product in products {
                    add(card(product, tongue));
                }
            }
            Part::Choices { choices, uncounted }
                if with_choices || !has_lines(choices, &mut lines) =>
            {
                add(numbered(choices, *uncounted));
            }
            Part::Products { .. } | Part::Choices { .. } => {}
        }
    }
    written_within(&words, limit, written)
}

/// Links are the only marks that WeChat shows.
fn written(styled: &Styled) -> String {
    with_links(styled, |out, label, url, _| {
        // An address in the text is found by WeChat itself.
        if label == url {
            out.push_str(label);
        } else {
            let url = url.replace('"', "%22");
            out.push_str(&format!("<a href=\"{url}\">{}</a>", untagged(label)));
        }
    })
}

/// A text as it is written out, cut where a reader would pause and never inside a link.
pub(super) fn shorter(written: &str) -> Vec<String> {
    let links = written.match_indices("<a href=").filter_map(|(from, _)| {
        let length = written.get(from..)?.find("</a>")? + "</a>".len();
        Some(Mark {
            from,
            to: from + length,
            kind: MarkKind::Link(String::new()),
        })
    });
    let words = Styled {
        text: written.to_owned(),
        marks: links.collect(),
    };
    let texts = split(&words, SHORTER_TEXT);
    texts.into_iter().map(|words| words.text).collect()
}

fn only_product(body: &Body) -> Option<&Card> {
    let mut products = body.parts.iter().flat_map(|part| match part {
        Part::Products { products } => products.as_slice(),
        Part::Text { .. } | Part::Choices { .. } => &[],
    });
    let first = products.next()?;
    products.next().is_none().then_some(first)
}

/// `None` for a product without a picture or a page that anybody may see.
fn graphic(product: &Card, tongue: Tongue) -> Option<Piece> {
    let picture = product.image.as_deref().and_then(public_url)?;
    let url = product.link.as_deref().and_then(public_url)?;
    if url.len() > URL_BYTES_MAX {
        return None;
    }
    let shown = card(product, tongue).text;
    // The name stands above as the title.
    let description = shown.split_once('\n').map_or("", |(_, rest)| rest);
    Some(Piece::News {
        title: shortened(&product.title, TITLE),
        description: shortened(description, DESCRIPTION),
        url,
        picture,
    })
}

fn picture(product: &Card) -> Option<Piece> {
    let picture = product.image.as_deref().and_then(public_url)?;
    Some(Piece::Picture(picture))
}

/// Takes a list's lines from those that the menu has left; a list that finds too few is not torn apart, but written out.
fn has_lines(choices: &[Choice], left: &mut usize) -> bool {
    let rest = left.checked_sub(choices.len());
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

fn items(body: &Body) -> Vec<(String, String)> {
    let mut lines = MENU_ITEMS_MAX;
    let menus = body.parts.iter().filter_map(|part| match part {
        Part::Choices { choices, .. } if has_lines(choices, &mut lines) => Some(choices.as_slice()),
        _ => None,
    });
    let item = |choice: &Choice| {
        let id = token(&choice.id, MENU_ID_BYTES_MAX).unwrap_or_else(|| choice.id.clone());
        (id, shortened(&choice.label, MENU_LABEL))
    };
    menus.flatten().map(item).collect()
}

/// What is asked of the API to send a piece.
pub(super) enum Asked<'a> {
    Message(Value),
    /// To be had from its address first.
    Picture(&'a str),
}

pub(super) fn request<'a>(to: &str, piece: &'a Piece) -> Asked<'a> {
    Asked::Message(match piece {
        Piece::Picture(address) => return Asked::Picture(address),
        Piece::Text(text) => json!({
            "touser": to, "msgtype": "text", "text": {"content": text},
        }),
        Piece::News {
            title,
            description,
            url,
            picture,
        } => json!({
            "touser": to, "msgtype": "news", "news": {"articles": [
                {"title": title, "description": description, "url": url, "picurl": picture},
            ]},
        }),
        Piece::Menu { head, items } => {
            let list: Vec<Value> = items
                .iter()
                .map(|(id, content)| json!({"id": id, "content": content}))
                .collect();
            json!({
                "touser": to, "msgtype": "msgmenu",
                "msgmenu": {"head_content": head, "list": list, "tail_content": ""},
            })
        }
    })
}
