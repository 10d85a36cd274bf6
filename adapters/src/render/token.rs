//! What stands for a choice whose id a button cannot carry.

use crate::{Body, Part, Token};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// What a token begins with; a choice's own id that does goes as a token too.
pub const TOKEN_MARK: char = '~';
/// Bytes of the digest that a token shows, in hexadecimal.
const TOKEN_BYTES: usize = 16;

/// `None` where a button of so many bytes can carry the id itself.
pub fn token(id: &str, id_bytes_max: usize) -> Option<String> {
    if id.len() <= id_bytes_max && !id.starts_with(TOKEN_MARK) && !id.is_empty() {
        return None;
    }
    let mut token = String::from(TOKEN_MARK);
    for byte in Sha256::digest(id.as_bytes()).iter().take(TOKEN_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    Some(token)
}

/// All that stand in the choices of a reply.
pub fn tokens(body: &Body, id_bytes_max: usize) -> Vec<Token> {
    let choices = body.parts.iter().flat_map(|part| match part {
        Part::Choices { choices, .. } => choices.as_slice(),
        Part::Text { .. } | Part::Products { .. } => &[],
    });
    choices
        .filter_map(|choice| {
            Some(Token {
                token: token(&choice.id, id_bytes_max)?,
                choice: choice.id.clone(),
            })
        })
        .collect()
}
