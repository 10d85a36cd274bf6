//! A draft: wordings, the facts in their slots, and where each fact comes from.

use crate::reply::{Choice, Evidence, Good};
use crate::wording::{Piece, pieces};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub blocks: Vec<Block>,
    pub asked: Option<String>,
    pub focus: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Line(Line),
    Goods(Vec<Good>),
    Choices(Vec<Choice>),
}

/// One wording with what its slots hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub key: String,
    pub wording: usize,
    pub template: String,
    pub bound: Vec<(String, Fact)>,
}

/// A text that code wrote, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub text: String,
    pub source: String,
    pub revision: String,
}

/// A piece of a line: typed by people or a model, or bound to evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment<'a> {
    Plain(&'a str),
    Bound(&'a Fact),
}

impl Line {
    /// `None` where the template names a slot that nothing is bound to.
    pub fn segments(&self) -> Option<Vec<Segment<'_>>> {
        pieces(&self.template)?
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(Segment::Plain(text)),
                Piece::Slot(slot) => self
                    .bound
                    .iter()
                    .find(|(name, _)| name == slot)
                    .map(|(_, fact)| Segment::Bound(fact)),
            })
            .collect()
    }

    pub fn text(&self) -> String {
        self.segments()
            .unwrap_or_default()
            .iter()
            .map(Segment::text)
            .collect()
    }

    pub fn evidence(&self) -> Vec<Evidence> {
        self.segments()
            .unwrap_or_default()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Bound(fact) => Some(Evidence {
                    text: fact.text.clone(),
                    source: fact.source.clone(),
                    revision: fact.revision.clone(),
                }),
                Segment::Plain(_) => None,
            })
            .collect()
    }
}

impl Segment<'_> {
    pub fn text(&self) -> &str {
        match self {
            Segment::Plain(text) => text,
            Segment::Bound(fact) => &fact.text,
        }
    }
}
