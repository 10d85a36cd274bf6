//! Commercial claims in folded text: prices, discounts, stock, dates, gifts and guarantees, in Chinese and English.
//!
//! One automaton finds the words such claims are made with; each word has a check of what stands around it, so counts
//! ("我挑了三款"), ordinals ("第一次") and turns of speech ("feel free") are no claims.

mod check;
mod context;
mod time;
mod words;

pub use context::sentence;
pub use words::listed;

use aho_corasick::AhoCorasick;
use context::At;
use std::sync::LazyLock;

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

/// A claim and its bytes in the folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub claim: Claim,
}

/// What has to stand around a word for it to be a claim.
#[derive(Clone, Copy, Debug)]
enum Check {
    Always(Claim),
    UnlessNeutral(Claim),
    UnlessDenied(Claim),
    UnlessAsked(Claim),
    WithDelivery(Claim),
    AmountFollows(Claim),
    Weekday(Claim),
    Month(Claim),
    Symbol,
    Money,
    Kuai,
    SmallMoney,
    Currency,
    Share,
    ShareFollows,
    Tenths,
    Fold,
    Off,
    Full,
    BuyGet,
    BuyGetEnglish,
    Discounted,
    StockFollows,
    StockLeft,
    Duration,
    MonthChinese,
    DayOfMonth,
    Clock,
    ClockColon,
    ClockEnglish,
    IsoDate,
    DurationEnglish,
    WeekdayChinese,
    FreeEnglish,
    FreeChinese,
    Give,
    Refund,
    Surely,
    Absolutely,
    GluedBefore,
    GluedAfter,
}

struct Scanner {
    automaton: AhoCorasick,
    checks: Vec<Check>,
}

static SCANNER: LazyLock<Option<Scanner>> = LazyLock::new(|| {
    let (words, checks): (Vec<&str>, Vec<Check>) = words::all().unzip();
    AhoCorasick::new(words)
        .ok()
        .map(|automaton| Scanner { automaton, checks })
});

/// All claims of a folded text, in order.
pub fn find(text: &str) -> Vec<Found> {
    let Some(scanner) = &*SCANNER else {
        // Closed for policy: what cannot be read may not leave.
        return vec![Found {
            start: 0,
            end: text.len(),
            claim: Claim::Price,
        }];
    };
    let mut found: Vec<Found> = scanner
        .automaton
        .find_overlapping_iter(text)
        .filter_map(|hit| {
            let at = At {
                text,
                start: hit.start(),
                end: hit.end(),
            }
            .whole_word()?;
            let check = scanner.checks.get(hit.pattern().as_usize())?;
            let (claim, (start, end)) = check.run(at)?;
            Some(Found { start, end, claim })
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The sorts of claim in a plain text, sorted.
pub fn claims(text: &str) -> Vec<Claim> {
    let folded = crate::fold::Folded::of(text);
    let mut claims: Vec<Claim> = find(&folded.text).iter().map(|found| found.claim).collect();
    claims.sort();
    claims.dedup();
    claims
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

    /// The word a pack names it by.
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
