//! The words a catalogue teaches: what customers may call its types, brands, attribute values and products.

/// Terms and the automaton that finds them.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Folded.
    pub surface: String,
    pub kind: TermKind,
    /// The canonical key: product type key, brand as written, attribute value key, product id.
    pub key: String,
}

/// Where one surface stands for several things, the first kind of this order wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    ProductType,
    Brand,
    Attribute { name: String },
    Product,
}

/// A term in a text; `start` and `end` are byte offsets into the folded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub kind: TermKind,
    pub key: String,
}

impl Vocabulary {
    /// Of terms with the same surface one is kept, by kind, then by the given order.
    pub fn new(terms: Vec<Term>) -> Self {
        Self { terms }
    }

    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Leftmost-longest, not overlapping; Latin terms only at word borders.
    pub fn find(&self, folded: &str) -> Vec<Found> {
        let _ = folded;
        Vec::new()
    }

    /// The term that a mistyped Latin word of five letters or more was meant to be.
    pub fn near(&self, word: &str) -> Option<(TermKind, String)> {
        let _ = word;
        None
    }
}
