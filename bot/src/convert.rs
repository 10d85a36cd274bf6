//! The one place where a type of one leaf becomes a type of another.

use dialogs::choice;
use dialogs::compose::{Line, Segment};
use dialogs::conversation::Conversation;
use dialogs::event::{Door, FileKind, Said};
use dialogs::reply::{Good, Reply, ReplyPart};

/// Where the server serves the pictures of a shop folder.
const IMAGES_AT: &str = "/shop/";

pub fn problem(problem: policies::Problem) -> dialogs::Problem {
    dialogs::Problem {
        file: problem.file,
        line: problem.line,
        column: problem.column,
        message: problem.message,
        help: problem.help,
    }
}

/// A line's segments as the output rail reads them.
pub fn segments<'a>(parts: &'a [Segment<'a>]) -> Vec<policies::Segment<'a>> {
    parts
        .iter()
        .map(|part| match part {
            Segment::Plain(text) => policies::Segment { text, bound: None },
            Segment::Bound(fact) => policies::Segment {
                text: &fact.text,
                bound: Some(&fact.source),
            },
        })
        .collect()
}

/// The pieces of a line that an amendment may touch, as owned texts.
pub fn texts(line: &Line) -> Vec<String> {
    line.segments()
        .unwrap_or_default()
        .iter()
        .map(|segment| segment.text().to_owned())
        .collect()
}

/// What a customer sent, with its caption as the input rail let it through.
pub fn file(file: &adapters::File, caption: String) -> Said {
    Said::File {
        kind: file_kind(file.kind),
        caption,
        name: file.name.clone(),
        provider_id: file.provider_id.clone(),
    }
}

pub fn file_kind(kind: adapters::FileKind) -> FileKind {
    match kind {
        adapters::FileKind::Photo => FileKind::Photo,
        adapters::FileKind::Voice => FileKind::Voice,
        adapters::FileKind::Video => FileKind::Video,
        adapters::FileKind::Document => FileKind::Document,
        adapters::FileKind::Place => FileKind::Place,
        adapters::FileKind::Other => FileKind::Other,
    }
}

pub fn file_kind_back(kind: FileKind) -> adapters::FileKind {
    match kind {
        FileKind::Photo => adapters::FileKind::Photo,
        FileKind::Voice => adapters::FileKind::Voice,
        FileKind::Video => adapters::FileKind::Video,
        FileKind::Document => adapters::FileKind::Document,
        FileKind::Place => adapters::FileKind::Place,
        FileKind::Other => adapters::FileKind::Other,
    }
}

pub fn door(door: adapters::Door) -> Door {
    match door {
        adapters::Door::Follow => Door::Follow,
        adapters::Door::Scan => Door::Scan,
        adapters::Door::Menu => Door::Menu,
        adapters::Door::Link => Door::Link,
    }
}

pub fn door_back(door: Door) -> adapters::Door {
    match door {
        Door::Follow => adapters::Door::Follow,
        Door::Scan => adapters::Door::Scan,
        Door::Menu => adapters::Door::Menu,
        Door::Link => adapters::Door::Link,
    }
}

/// What was just said in a conversation; whether its quick replies are counted depends on what a number would mean there now.
pub fn body(reply: &Reply, conversation: &Conversation) -> adapters::Body {
    let uncounted = !choice::are_counted(conversation);
    adapters::Body {
        parts: reply.parts.iter().map(|p| part(p, uncounted)).collect(),
    }
}

pub fn card(good: &Good) -> adapters::Card {
    adapters::Card {
        id: good.id.clone(),
        title: good.title.clone(),
        price: price(&good.price),
        was: good.was.as_ref().map(price),
        link: good.link.clone(),
        image: good.image.as_ref().map(|image| {
            if image.contains("://") {
                image.clone()
            } else {
                format!("{IMAGES_AT}{}", image.trim_start_matches('/'))
            }
        }),
        availability: good.availability.clone(),
        why: good.why.clone(),
    }
}

fn part(part: &ReplyPart, uncounted: bool) -> adapters::Part {
    match part {
        ReplyPart::Text { text } => adapters::Part::Text { text: text.clone() },
        ReplyPart::Products { goods } => adapters::Part::Products {
            products: goods.iter().map(card).collect(),
        },
        ReplyPart::Choices { choices } => adapters::Part::Choices {
            choices: choices
                .iter()
                .map(|choice| adapters::Choice {
                    id: choice.id.clone(),
                    label: choice.label.clone(),
                })
                .collect(),
            uncounted,
        },
    }
}

fn price(money: &dialogs::money::Money) -> adapters::Price {
    adapters::Price {
        amount: money.amount(),
        currency: money.currency.code().to_owned(),
    }
}
