//! What a product's text is found by: the tokens of the language, and the other spellings of model numbers.

use crate::text;

/// Letters or digits of a part of a model number that is looked for alone.
const PART_CHARS_MIN: usize = 2;
/// Stands before and after a word.
const BORDER: char = ' ';

/// Tokens of any text, folded or not. `EM-200`, `EM200` and `EM 200` share tokens, in whichever form shop and customer write.
pub(super) fn tokens(any_text: &str) -> Vec<String> {
    let folded = text::fold(any_text);
    let mut tokens: Vec<String> = text::tokens(&folded).into_iter().map(|t| t.text).collect();
    for run in folded.split(|c: char| !(c.is_ascii_alphanumeric() || joins(c))) {
        let run = run.trim_matches(joins);
        let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
        // `black/white` and `wall-mount` are two words each; `a1/b2` may be one model, `nord_home` is one name.
        if run.contains(joins) && (has_digit || run.contains('_')) {
            tokens.push(run.replace(joins, ""));
        }
        if !has_digit {
            continue;
        }
        for word in run.split(joins) {
            let parts = parts(word);
            if parts.len() > 1 {
                let long = parts
                    .into_iter()
                    .filter(|part| part.len() >= PART_CHARS_MIN);
                tokens.extend(long.map(str::to_owned));
            }
        }
    }
    tokens
}

/// Three characters next to each other of words and models, across hyphens and at their borders; of Han two. Spellings that share no word share pieces.
pub(super) fn each_piece(any_text: &str, mut take: impl FnMut(&[char])) {
    let mut run: Vec<char> = vec![BORDER];
    let mut before = BORDER;
    let folded = text::fold(any_text);
    for c in folded.chars().chain([BORDER]) {
        let is_han = text::han(c);
        if is_han && text::han(before) {
            take(&[before, c]);
        }
        before = c;
        if !is_han && c.is_alphanumeric() {
            run.push(c);
        } else if !joins(c) && run.len() > 1 {
            run.push(BORDER);
            run.windows(3).for_each(&mut take);
            run.clear();
            run.push(BORDER);
        }
    }
}

/// What stands between the parts of one name.
fn joins(c: char) -> bool {
    matches!(c, '-' | '/' | '_')
}

/// `em200` as `em` and `200`.
fn parts(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.bytes().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != is_digit)
            .unwrap_or(rest.len());
        let Some((part, after)) = rest.split_at_checked(end) else {
            break;
        };
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(tokens(text), expected, "{text}");
    }

    #[test]
    fn a_model_is_found_however_it_is_spelled() {
        check("EM-200", &["em", "200", "em200"]);
        check("EM200", &["em200", "em", "200"]);
        check("em 200", &["em", "200"]);
        check("3-in-1", &["3", "in", "1", "3in1"]);
        check("X1沙发", &["x1", "沙", "沙发", "发"]);
        check("black/white", &["black", "white"]);
        check("wall-mount", &["wall", "mount"]);
        check("NORD_Home", &["nord", "home", "nordhome"]);
        check("--", &[]);
    }
}
