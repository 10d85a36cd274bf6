//! What people add to a request or say in the other language: greetings, thanks, emoji, mixed words.

use dialogs::Language;
use dialogs::text::{han, language};
use std::sync::LazyLock;

/// Words of the other language in one message.
const SWITCHED_MAX: usize = 2;
const EMOJI: [&str; 6] = ["😊", "🙏", "👍", "😂", "☕", "❤️"];

/// Language, place, words.
static MANNERS: LazyLock<Vec<(&str, &str, &str)>> = LazyLock::new(|| {
    include_str!("manners.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some((columns.next()?, columns.next()?, columns.next()?))
        })
        .collect()
});
static SWITCH: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| super::pairs(include_str!("switch.txt")));

pub(super) fn polite_before(text: &str, seed: u64) -> String {
    match manner(text, "before", seed) {
        Some(words) => format!("{words}{text}"),
        None => text.to_owned(),
    }
}

/// Thanks stand before the closing mark's place, not after it.
pub(super) fn polite_after(text: &str, seed: u64) -> String {
    match manner(text, "after", seed) {
        Some(words) => {
            let body = text.trim_end_matches(['。', '.', '！', '!', ' ']);
            if body.ends_with(['?', '？']) {
                let thanks = words.trim_start_matches(['，', ',', ' ']);
                format!("{body} {thanks}")
            } else {
                format!("{body}{words}")
            }
        }
        None => text.to_owned(),
    }
}

fn manner(text: &str, place: &str, seed: u64) -> Option<&'static str> {
    if !text.chars().any(|c| c.is_alphabetic()) {
        return None;
    }
    let tag = language(text, Language::En).tag();
    let fitting: Vec<&str> = MANNERS
        .iter()
        .filter(|(l, p, _)| *l == tag && *p == place)
        .map(|(_, _, words)| *words)
        .collect();
    let count = u64::try_from(fitting.len()).ok().filter(|n| *n > 0)?;
    fitting.get(usize::try_from(seed % count).ok()?).copied()
}

pub(super) fn emoji(text: &str, seed: u64) -> String {
    let sign = usize::try_from(seed % 6).ok().and_then(|at| EMOJI.get(at));
    match sign {
        Some(sign) if seed % 4 == 3 => format!("{sign}{text}"),
        Some(sign) => format!("{text}{sign}"),
        None => text.to_owned(),
    }
}

/// A few general words said in the other language.
pub(super) fn switch(text: &str) -> String {
    let mut out = text.to_owned();
    let mut switched = 0;
    for (zh, en) in SWITCH.iter() {
        if switched == SWITCHED_MAX {
            break;
        }
        let changed = match whole_word(&out, en) {
            Some(at) => format!(
                "{}{zh}{}",
                out.get(..at).unwrap_or_default(),
                out.get(at + en.len()..).unwrap_or_default()
            ),
            None => out.replacen(zh, en, 1),
        };
        // A message that is only that word would change its language, not its mix.
        let kept = changed.chars().filter(|c| c.is_alphanumeric()).count();
        if changed != out && kept > en.len().max(zh.chars().count()) {
            out = changed;
            switched += 1;
        }
    }
    out
}

/// Where a Latin word stands with nothing Latin beside it.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = lower.get(..*at).unwrap_or_default().chars().next_back();
        let after = lower
            .get(at + word.len()..)
            .unwrap_or_default()
            .chars()
            .next();
        [before, after]
            .into_iter()
            .flatten()
            .all(|c| !c.is_alphanumeric() || han(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_and_thanks_in_the_message_s_language() {
        assert_eq!(polite_before("多久发货", 0), "请问一下，多久发货");
        assert_eq!(polite_before("how long", 1), "Hello there, how long");
        assert_eq!(polite_after("多久发货？", 0), "多久发货？ 谢谢");
        assert_eq!(polite_after("I'd like one.", 1), "I'd like one, thank you");
        assert_eq!(polite_after("2", 0), "2");
    }

    #[test]
    fn emoji_stand_before_or_behind() {
        assert_eq!(emoji("好", 1), "好🙏");
        assert_eq!(emoji("好", 3), "😂好");
    }

    #[test]
    fn general_words_change_their_language() {
        assert_eq!(switch("预算三千，推荐一款"), "budget三千，recommend一款");
        assert_eq!(
            switch("my budget is 3000, any discount?"),
            "my 预算 is 3000, any 优惠?"
        );
        assert_eq!(switch("thanks"), "thanks");
        assert_eq!(switch("cheaper"), "cheaper");
    }
}
