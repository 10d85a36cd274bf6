//! Marks left out, or written as the other keyboard writes them.

/// Half-width and full-width forms of the same mark.
const MARKS: [(char, char); 5] = [
    (',', '，'),
    ('.', '。'),
    ('?', '？'),
    ('!', '！'),
    (';', '；'),
];

/// Commas become spaces, and the marks at the end of a sentence go.
pub(super) fn dropped(text: &str) -> String {
    let marked = mark_places(text);
    let mut out = String::new();
    for (c, is_mark) in marked {
        if !is_mark {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.trim_end().replace("  ", " ")
}

/// Each mark in its other width.
pub(super) fn changed(text: &str) -> String {
    mark_places(text)
        .into_iter()
        .map(|(c, is_mark)| {
            let other = MARKS
                .iter()
                .find_map(|(half, full)| match c {
                    _ if c == *half => Some(*full),
                    _ if c == *full => Some(*half),
                    _ => None,
                })
                .filter(|_| is_mark);
            other.unwrap_or(c)
        })
        .collect()
}

/// Each character, and whether it is a mark of the sentence and no part of a number or an address.
fn mark_places(text: &str) -> Vec<(char, bool)> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .iter()
        .enumerate()
        .map(|(at, c)| {
            let known = MARKS.iter().any(|(half, full)| c == half || c == full);
            let inside = matches!(c, ',' | '.')
                && chars
                    .get(at + 1)
                    .is_some_and(|after| after.is_ascii_alphanumeric());
            (*c, known && !inside)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_or_change_and_numbers_stay() {
        assert_eq!(
            dropped("有货吗？预算3,000，谢谢。"),
            "有货吗 预算3,000 谢谢"
        );
        assert_eq!(dropped("Hi, it is 3.5 kg."), "Hi it is 3.5 kg");
        assert_eq!(
            changed("有货吗？kim@a.example, 3.5!"),
            "有货吗?kim@a.example， 3.5！"
        );
    }
}
