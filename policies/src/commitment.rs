//! Promises of a later deed that nobody has bound to a duty: "we will call you back", 我们会尽快联系您.

pub fn find(_text: &str) -> Vec<(usize, usize)> {
    Vec::new()
}
