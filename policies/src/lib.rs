//! The brand's rules: packs that admins write, their compilation into two rails, and the verdicts of the rails.
//!
//! The input rail reads a customer's message before anything else does, the output rail a draft before it leaves.
//! A draft comes as segments; a segment that is bound to evidence was written by code, everything else was typed by a
//! person or a model and may hold no commercial claim.
//! Pure: no clock, no randomness, no input or output.
//!
//! A pack:
//!
//! ```yaml
//! pack: brand
//! rules:
//!   - id: absolute-terms          # unique over all packs
//!     rail: output                # input | output
//!     kind: phrases               # claim | phrases | pattern | length | link | card_number | id_number | injection | commitment
//!     phrases: [国家级, 全网第一]  # phrases; more of them for injection and commitment
//!     unless: [第一次]             # a match that overlaps one of these is none
//!     unless_nearby: [本店]        # nor is one in whose sentence one of these stands
//!     languages: [zh]             # zh | en; default: all
//!     bound: skip                 # skip | read what is bound to evidence; default: skip
//!     action: revise              # input: redact | refuse | escalate; output: amend | revise | block | escalate
//!     mode: enforce               # enforce | observe; default: enforce
//!     reason: "Advertising Law of the PRC, art. 9(3)"
//! ```
//!
//! Of the other kinds: `pattern` (a regular expression over folded text), `chars_max` (length), `hosts` (link),
//! `claims` (claim; default: all). Of the actions: `replace` (amend; optional for redact), `fallback` (refuse, block).

mod claim;
mod commitment;
mod compiled;
mod fold;
mod injection;
mod link;
mod number;
mod own;
mod pack;
mod problem;
mod rails;
mod side;
mod verdict;
mod yaml;

pub use claim::{Claim, claims};
pub use pack::{Does, Kind, Pack, Rule};
pub use problem::Problem;
pub use rails::Rails;
pub use verdict::{Action, Edit, Finding, Rail, Verdict};

/// The packs every shop starts with, as (file, YAML); a shop's file of the same name replaces one.
pub const DEFAULT_PACKS: &[(&str, &str)] = &[(
    "policies/brand.yaml",
    include_str!("../defaults/brand.yaml"),
)];

/// A draft as the output rail reads it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// `zh` or `en`; a rule for one language is not asked about the other.
    pub language: &'a str,
    pub segments: &'a [Segment<'a>],
}

/// A piece of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub text: &'a str,
    /// The id of the evidence that the text was written from.
    pub bound: Option<&'a str>,
}
