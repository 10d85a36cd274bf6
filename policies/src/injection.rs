//! Attempts to override the agent's instructions or to make it tell them.

pub fn find(_text: &str) -> Vec<(usize, usize)> {
    Vec::new()
}
