//! Latin words as hurried people type them: a slip in one word, another case.

/// Letters of the shortest word that a slip is put in.
const SLIP_LETTERS_MIN: usize = 5;

/// One letter of one word swapped with the next, dropped or doubled; never its first or last one.
pub(super) fn slip(text: &str, seed: u64) -> String {
    let words: Vec<(usize, &str)> = words(text)
        .into_iter()
        .filter(|(at, word)| is_general(text, *at, word))
        .collect();
    let Some((at, word)) = pick(&words, seed).copied() else {
        return text.to_owned();
    };
    let mut letters: Vec<char> = word.chars().collect();
    // From the second letter to the last but two, so that a swap stays inside.
    let room = letters.len() - 3;
    let place = 1 + (seed / 7) as usize % room;
    match seed % 3 {
        0 => letters.swap(place, place + 1),
        1 => {
            letters.remove(place);
        }
        _ => {
            if let Some(letter) = letters.get(place).copied() {
                letters.insert(place, letter);
            }
        }
    }
    let typed: String = letters.into_iter().collect();
    let (before, rest) = text.split_at(at);
    let after = rest.get(word.len()..).unwrap_or_default();
    // Two equal letters swapped are no slip.
    if typed == word {
        return slip(text, seed + 1);
    }
    format!("{before}{typed}{after}")
}

pub(super) fn upper(text: &str) -> String {
    text.to_uppercase()
}

pub(super) fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Each Latin Word With A Capital.
pub(super) fn title(text: &str) -> String {
    let mut inside = false;
    text.chars()
        .map(|c| {
            let changed = if c.is_ascii_alphabetic() && !inside {
                c.to_ascii_uppercase()
            } else {
                c
            };
            inside = c.is_ascii_alphanumeric() || c == '\'';
            changed
        })
        .collect()
}

/// Runs of Latin letters with their places.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_ascii_alphabetic(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, text.get(from..at).unwrap_or_default()));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// A word of the language: long enough, no name (a capital inside the sentence), no part of an address or a model number.
fn is_general(text: &str, at: usize, word: &str) -> bool {
    let before = text.get(..at).unwrap_or_default().chars().next_back();
    let after = text
        .get(at + word.len()..)
        .unwrap_or_default()
        .chars()
        .next();
    let joins = |c: Option<char>| {
        c.is_some_and(|c| c.is_ascii_digit() || matches!(c, '@' | '_' | '-' | '/' | '\'' | '\\'))
    };
    let dotted = after == Some('.')
        && text
            .get(at + word.len() + 1..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| c.is_ascii_alphabetic());
    let is_name = at > 0 && word.starts_with(|c: char| c.is_ascii_uppercase());
    word.len() >= SLIP_LETTERS_MIN
        && !joins(before)
        && !joins(after)
        && before != Some('.')
        && !dotted
        && !is_name
}

fn pick<T>(list: &[T], seed: u64) -> Option<&T> {
    let count = u64::try_from(list.len()).ok().filter(|count| *count > 0)?;
    list.get(usize::try_from(seed % count).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_of_one_long_general_word_slips() {
        for (text, seed, expected) in [
            ("how much is delivery", 0, "how much is dleivery"),
            ("how much is delivery", 1, "how much is dlivery"),
            ("how much is delivery", 2, "how much is deelivery"),
            ("a small hello", 4, "a sall hello"),
            (
                "my email is kim@acme.example",
                0,
                "my eamil is kim@acme.example",
            ),
            ("I am Kimberly", 0, "I am Kimberly"),
            ("不贵", 0, "不贵"),
        ] {
            assert_eq!(slip(text, seed), expected, "{text} {seed}");
        }
    }

    #[test]
    fn case_changes_and_nothing_else() {
        let text = "Do you have an E2? 有吗";
        assert_eq!(upper(text), "DO YOU HAVE AN E2? 有吗");
        assert_eq!(lower(text), "do you have an e2? 有吗");
        assert_eq!(title("do you've an e2? 有吗"), "Do You've An E2? 有吗");
    }
}
