//! What stands for a choice whose id a button cannot carry.

use crate::digest::short_digest;
use crate::{Body, Part, Token};

/// What a token begins with; a choice's own id that does goes as a token too.
pub const TOKEN_MARK: char = '~';
/// Bytes of the digest that a token shows, in hexadecimal.
const TOKEN_BYTES: usize = 16;

/// `None` where a button of so many bytes can carry the id itself.
pub fn token(id: &str, id_bytes_max: usize) -> Option<String> {
    if id.len() <= id_bytes_max && !id.starts_with(TOKEN_MARK) && !id.is_empty() {
        return None;
    }
    let digits = short_digest(id.as_bytes(), TOKEN_BYTES);
    Some(format!("{TOKEN_MARK}{digits}"))
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
