//! What was meant by what was typed in haste: slips, sounds, mixed languages and missing marks are mended before anything is read.
//!
//! The mended text keeps for each of its bytes where it came from, so that quotes stay pieces of the customer's own words.

mod mixing;
mod parlance;
mod slips;
mod sounds;
mod spaces;

pub(crate) use parlance::Parlance;

use crate::text::Folded;
use crate::vocabulary::Vocabulary;

/// A piece of the folded text and what stands there instead.
type Edit = (usize, usize, String);

/// The folded text as it was meant; the same where nothing is wrong with it.
pub(super) fn mended(
    message: &str,
    folded: Folded,
    parlance: &Parlance,
    vocabulary: &Vocabulary,
) -> Folded {
    let mut text = folded;
    if !parlance.is_empty() {
        text = with(text, |text| {
            slips::edits(message, text, parlance, vocabulary)
        });
        text = with(text, |text| mixing::edits(text, vocabulary));
        text = with(text, |text| sounds::edits(text, parlance, vocabulary));
    }
    with(text, |text| spaces::edits(text, vocabulary))
}

fn with(text: Folded, edits: impl FnOnce(&Folded) -> Vec<Edit>) -> Folded {
    let edits = edits(&text);
    if edits.is_empty() {
        text
    } else {
        text.rewritten(&edits)
    }
}
