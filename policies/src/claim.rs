//! Commercial claims in folded text: prices, discounts, stock, dates, gifts and guarantees, in Chinese and English.

/// A sort of commercial claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    Price,
    Discount,
    Stock,
    Time,
    Free,
    Guarantee,
}

impl Claim {
    pub const ALL: [Claim; 6] = [
        Claim::Price,
        Claim::Discount,
        Claim::Stock,
        Claim::Time,
        Claim::Free,
        Claim::Guarantee,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Claim::Price => "price",
            Claim::Discount => "discount",
            Claim::Stock => "stock",
            Claim::Time => "time",
            Claim::Free => "free",
            Claim::Guarantee => "guarantee",
        }
    }
}

/// A claim and its bytes in the folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub claim: Claim,
}

/// The sorts of claim in a plain text, sorted.
pub fn claims(text: &str) -> Vec<Claim> {
    let folded = crate::fold::Folded::of(text);
    let mut claims: Vec<Claim> = find(&folded.text).iter().map(|found| found.claim).collect();
    claims.sort();
    claims.dedup();
    claims
}

pub fn find(_text: &str) -> Vec<Found> {
    Vec::new()
}

/// The bytes of the sentence around a span.
pub fn sentence(text: &str, start: usize, end: usize) -> (usize, usize) {
    let stop = |c: char| matches!(c, '。' | '!' | '?' | ';' | '\n');
    let from = text
        .get(..start)
        .and_then(|before| {
            let (at, mark) = before.char_indices().rfind(|(_, c)| stop(*c))?;
            Some(at + mark.len_utf8())
        })
        .unwrap_or(0);
    let to = text
        .get(end..)
        .and_then(|after| after.find(stop).map(|at| end + at))
        .unwrap_or(text.len());
    (from, to)
}
