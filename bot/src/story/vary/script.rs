//! Other ways to write the same characters: traditional Han, full width, slips of an input method.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// From the first to one past the last character that has a full-width form, and the distance to it.
const ASCII_WIDE: std::ops::Range<char> = '!'..'\u{7f}';
const WIDE_OFFSET: u32 = 0xfee0;

/// Characters that mostly stay as they are in traditional texts too; their other form has a meaning of its own (千 and 鞦韆).
const BOTH_WAYS: &str = "千秋家出才面折谷舍向回克朱了布别冬卜表丑斗困致借";

/// Simplified characters that have exactly one traditional form.
static TRADITIONAL: LazyLock<BTreeMap<char, char>> = LazyLock::new(|| {
    let pairs = include_str!("../../../../dialogs/defaults/simplified.txt");
    let mut forms: BTreeMap<char, Option<char>> = BTreeMap::new();
    for line in pairs.lines().filter(|line| !line.starts_with('#')) {
        let mut chars = line.chars();
        while let (Some(traditional), Some(simplified)) = (chars.next(), chars.next()) {
            forms
                .entry(simplified)
                .and_modify(|form| *form = None)
                .or_insert(Some(traditional));
        }
    }
    forms
        .into_iter()
        .filter_map(|(simplified, form)| Some((simplified, form?)))
        .filter(|(_, form)| ('\u{4e00}'..='\u{9fff}').contains(form))
        .filter(|(simplified, _)| !BOTH_WAYS.contains(*simplified))
        // A form that is itself the short form of another one would be read as that.
        .filter(|(simplified, form)| {
            dialogs::text::fold(&form.to_string()) == dialogs::text::fold(&simplified.to_string())
        })
        .collect()
});

/// What is meant and what is typed, in order.
static HOMOPHONES: LazyLock<Vec<(&str, &str)>> =
    LazyLock::new(|| super::pairs(include_str!("homophones.txt")));

pub(super) fn traditional(text: &str) -> String {
    text.chars()
        .map(|c| TRADITIONAL.get(&c).copied().unwrap_or(c))
        .collect()
}

/// Digits and letters in the width of Han characters.
pub(super) fn wide(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() && ASCII_WIDE.contains(&c) {
                char::from_u32(u32::from(c) + WIDE_OFFSET).unwrap_or(c)
            } else {
                c
            }
        })
        .collect()
}

/// One word as an input method gets it wrong.
pub(super) fn homophone(text: &str) -> String {
    HOMOPHONES
        .iter()
        .find(|(meant, _)| text.contains(meant))
        .map_or_else(
            || text.to_owned(),
            |(meant, typed)| text.replacen(meant, typed, 1),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: fn(&str) -> String, text: &str, expected: &str) {
        assert_eq!(change(text), expected, "{text}");
    }

    #[test]
    fn characters_with_one_traditional_form_take_it() {
        check(
            traditional,
            "预算三千以内的意式咖啡机",
            "預算三千以內的意式咖啡機",
        );
        // 干, 净 and 发 have several, so they stay.
        check(traditional, "干净，发货", "干净，发貨");
        check(traditional, "hello", "hello");
    }

    #[test]
    fn digits_and_letters_grow_to_full_width() {
        check(wide, "预算3000，E2", "预算３０００，Ｅ２");
        check(wide, "你好！", "你好！");
    }

    #[test]
    fn one_word_is_typed_wrong() {
        check(homophone, "预算三千的咖啡机有吗", "预算三千的咖啡机有嘛");
        check(homophone, "哪个好", "那个好");
        check(homophone, "hello", "hello");
    }

    #[test]
    fn what_is_written_traditionally_reads_as_before() {
        for (simplified, traditional) in TRADITIONAL.iter() {
            assert_eq!(
                dialogs::text::fold(&traditional.to_string()),
                dialogs::text::fold(&simplified.to_string())
            );
        }
    }
}
