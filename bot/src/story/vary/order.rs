//! The facts of one message in another order.

use dialogs::text::han;
use std::sync::LazyLock;

/// Words of a clause that hangs on another one.
static JOINS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("joins.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect()
});

/// The clauses that each tell a fact of their own, last one first; all others keep their places.
pub(super) fn facts_reversed(text: &str) -> String {
    let (clauses, marks) = clauses(text);
    let places: Vec<usize> = clauses
        .iter()
        .enumerate()
        .filter(|(_, clause)| tells_alone(clause))
        .map(|(place, _)| place)
        .collect();
    let mut out = String::new();
    for (place, clause) in clauses.iter().enumerate() {
        let from = places
            .iter()
            .position(|p| *p == place)
            .and_then(|nth| places.get(places.len() - 1 - nth))
            .and_then(|place| clauses.get(*place))
            .unwrap_or(clause);
        out.push_str(from);
        out.push_str(marks.get(place).map_or("", String::as_str));
    }
    out
}

/// What stands between commas, and the commas with the spaces after them.
fn clauses(text: &str) -> (Vec<String>, Vec<String>) {
    let mut clauses = vec![String::new()];
    let mut marks = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let grouped = *c == ','
            && chars.get(at + 1).is_some_and(char::is_ascii_digit)
            && at
                .checked_sub(1)
                .and_then(|b| chars.get(b))
                .is_some_and(char::is_ascii_digit);
        if matches!(c, ',' | '，') && !grouped {
            let spaces = chars.iter().skip(at + 1).take_while(|c| **c == ' ').count();
            marks.push(format!("{c}{}", " ".repeat(spaces)));
            clauses.push(String::new());
            at += 1 + spaces;
            continue;
        }
        // A closing mark stays where it is.
        let is_last = at + 1 == chars.len();
        if is_last && matches!(c, '.' | '。' | '!' | '！' | '?' | '？') {
            marks.push(c.to_string());
        } else if let Some(clause) = clauses.last_mut() {
            clause.push(*c);
        }
        at += 1;
    }
    (clauses, marks)
}

/// A number is in it, and no word that ties it to another clause.
fn tells_alone(clause: &str) -> bool {
    let lower = clause.to_lowercase();
    let has_number = lower.contains(|c: char| c.is_ascii_digit())
        || lower.contains([
            '三', '四', '五', '六', '七', '八', '九', '十', '百', '千', '万', '两',
        ]);
    let tied = JOINS.iter().any(|join| {
        if join.chars().all(han) {
            lower.contains(join)
        } else {
            let words: Vec<&str> = lower.split(' ').collect();
            let parts: Vec<&str> = join.split(' ').collect();
            words
                .windows(parts.len())
                .any(|window| window == parts.as_slice())
        }
    });
    has_number && !tied && !lower.contains(['。', '？', '?', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clauses_that_tell_a_fact_alone_change_places() {
        for (text, expected) in [
            (
                "预算两万以内，四十个人用，有推荐吗？",
                "四十个人用，预算两万以内，有推荐吗？",
            ),
            // “it” ties the last clause to another one.
            (
                "we are 40 people, budget 20,000, need it in 2 weeks.",
                "budget 20,000, we are 40 people, need it in 2 weeks.",
            ),
            ("不是三千，是五千", "不是三千，是五千"),
            ("你好，预算三千", "你好，预算三千"),
        ] {
            assert_eq!(facts_reversed(text), expected, "{text}");
        }
    }
}
