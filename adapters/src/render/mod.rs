//! A neutral reply as the texts of a platform: pure, and the same for the same reply always.

mod fewer;
mod plain;
mod split;
mod styled;
mod token;
mod written;

pub use fewer::{FOLDS, fewer};
pub(crate) use plain::may_choose;
pub use plain::{Tongue, card, card_within, numbered, public_url, tongue};
pub use split::{measure, split};
pub use styled::{Mark, MarkKind, Styled, markdown};
pub use token::{TOKEN_MARK, token, tokens};
pub(crate) use written::{shortened, untagged, with_links, written_within};
