//! Spaces where none belong, and none where one belongs.

use dialogs::text::han;

/// Spaces between Han and Latin, and two where there was one.
pub(super) fn more(text: &str) -> String {
    let mut out = String::new();
    let mut before: Option<char> = None;
    for c in text.chars() {
        let border = before.is_some_and(|b| {
            (han(b) && c.is_ascii_alphanumeric()) || (b.is_ascii_alphanumeric() && han(c))
        });
        if border {
            out.push(' ');
        }
        out.push(c);
        if c == ' ' && before != Some(' ') {
            out.push(' ');
        }
        before = Some(c);
    }
    out
}

/// No space after a comma or a closing mark, and none between Han and Latin.
pub(super) fn fewer(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|b| chars.get(b));
        let after = chars.get(at + 1);
        let is_space = *c == ' ';
        let after_mark = before.is_some_and(|b| matches!(b, ',' | ';' | '?' | '!'));
        let beside_han = before.is_some_and(|b| han(*b)) || after.is_some_and(|a| han(*a));
        if !(is_space && (after_mark || beside_han)) {
            out.push(*c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_come_and_go() {
        assert_eq!(more("预算3000元 以内"), "预算 3000 元  以内");
        assert_eq!(more("how much is it"), "how  much  is  it");
        assert_eq!(
            fewer("hi, how much? 预算 3000 以内"),
            "hi,how much?预算3000以内"
        );
        assert_eq!(fewer("how much"), "how much");
    }
}
