//! What holds in every conversation, whether or not a story asks for it.

use super::seen::Seen;
use crate::shop::Shop;
use dialogs::Language;
use dialogs::choice::is_which;
use dialogs::event::Exclusion;

/// Characters of one reply's text beyond which nobody reads on, in a chat window on a phone.
const REPLY_CHARS_MAX_ZH: usize = 400;
const REPLY_CHARS_MAX_EN: usize = 1_000;
/// Letters of the shortest sentence that is missed when it comes twice.
const SENTENCE_LETTERS_MIN: usize = 4;

/// What has been said and asked so far.
#[derive(Default)]
pub(super) struct Watch {
    sentences: Vec<String>,
    asked: Vec<String>,
}

/// Who acts in the turn that is watched.
pub(super) struct Occasion {
    pub(super) customer_speaks: bool,
    /// The mode before the turn, as on the wire.
    pub(super) mode_before: String,
    pub(super) opted_out_before: bool,
    pub(super) repeat_ok: bool,
    pub(super) silence_expected: bool,
}

impl Watch {
    /// What must not be, each as expected and found.
    pub(super) fn look(
        &mut self,
        seen: &Seen,
        occasion: &Occasion,
        shop: &Shop,
    ) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if !occasion.customer_speaks {
            return wrong;
        }
        let mut must = |ok: bool, expected: &str, found: String| {
            if !ok {
                wrong.push((format!("{expected} (always)"), found));
            }
        };
        let empty = seen.text.trim().is_empty() && seen.shown.is_empty();
        let may_be_silent = occasion.mode_before == "human"
            || occasion.opted_out_before
            || occasion.silence_expected;
        must(
            !empty || may_be_silent,
            "an answer",
            "an empty reply".to_owned(),
        );

        let labels = seen.choices.iter().map(|choice| choice.label.as_str());
        let braced: Vec<&str> = std::iter::once(seen.text.as_str())
            .chain(labels)
            .filter(|text| text.contains(['{', '}']))
            .collect();
        must(
            braced.is_empty(),
            "every brace filled",
            braced.join(" | ").trim().to_owned(),
        );

        let chars = seen.text.trim().chars().count();
        let most = match seen.language {
            Language::Zh => REPLY_CHARS_MAX_ZH,
            Language::En => REPLY_CHARS_MAX_EN,
        };
        must(
            chars <= most,
            &format!("a reply of at most {most} characters"),
            format!("{chars} characters: {}", seen.text.trim()),
        );

        let sentences = sentences(&seen.text);
        let again: Vec<&str> = sentences
            .iter()
            .filter(|s| self.sentences.contains(s))
            .map(String::as_str)
            .collect();
        must(
            again.is_empty() || occasion.repeat_ok,
            "no sentence twice in a row",
            again.join(" | "),
        );
        self.sentences = sentences;

        let question = seen.asked.as_ref().filter(|asked| is_question(asked));
        if let Some(asked) = question {
            must(
                !self.asked.contains(asked) || occasion.repeat_ok,
                "no question twice",
                format!("asks {asked} again: {}", seen.text.trim()),
            );
            self.asked.push(asked.clone());
        }

        let broken = breaches(seen, shop);
        must(
            broken.is_empty(),
            "only products within what the customer stated",
            broken.join("; "),
        );
        wrong
    }
}

/// Something the shop wants to know; an offer or “which one?” may come up again.
fn is_question(asked: &str) -> bool {
    !asked.starts_with("offer:") && !is_which(asked)
}

/// Shown products that break the budget or an exclusion, though nobody pointed at them.
fn breaches(seen: &Seen, shop: &Shop) -> Vec<String> {
    let mut broken = Vec::new();
    let unasked = seen
        .goods
        .iter()
        .filter(|good| !seen.pointed_at.contains(&good.id));
    for good in unasked {
        if let (_, Some(most)) = seen.budget
            && good.price.currency == most.currency
            && good.price.minor > most.minor
            && !says_amount(&seen.text, good.price.minor - most.minor, most)
        {
            broken.push(format!(
                "{} costs {}, over {} by an amount that is not named",
                good.id,
                good.price.amount(),
                most.amount()
            ));
        }
        let Some(product) = shop.dialog.catalogue.get(&good.id) else {
            broken.push(format!("{} is not in the catalogue", good.id));
            continue;
        };
        let values = shop.dialog.catalogue.values_of(&good.id);
        for exclusion in &seen.excluded {
            let breaks = match exclusion {
                Exclusion::Type(key) => product.type_keys.contains(key),
                Exclusion::Brand(key) => product.brand.as_ref() == Some(key),
                Exclusion::Attribute { name, key } => {
                    values.iter().any(|(n, k)| n == name && k == key)
                }
            };
            if breaks {
                broken.push(format!("{} is what was ruled out: {exclusion:?}", good.id));
            }
        }
    }
    broken
}

/// The amount stands in the text, with or without grouping and cents.
fn says_amount(text: &str, minor: i64, like: dialogs::money::Money) -> bool {
    let difference = dialogs::money::Money { minor, ..like };
    let bare: String = text.chars().filter(|c| *c != ',').collect();
    let amount = difference.amount();
    let whole = amount.strip_suffix(".00").unwrap_or(&amount);
    bare.contains(whole)
}

/// Sentences long enough to be noticed, without their closing marks.
fn sentences(text: &str) -> Vec<String> {
    let marked = text.replace(". ", "\n");
    marked
        .split(['。', '！', '？', '!', '?', '\n'])
        .map(|sentence| sentence.trim().trim_end_matches('.').to_owned())
        .filter(|s| s.chars().filter(|c| c.is_alphanumeric()).count() >= SENTENCE_LETTERS_MIN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_the_sentences_that_a_reader_notices() {
        for (text, expected) in [
            ("好的。您想找哪一类产品？\n", vec!["您想找哪一类产品"]),
            (
                "It is ¥1,299.50. Shall I? Yes.",
                vec!["It is ¥1,299.50", "Shall I"],
            ),
            ("", vec![]),
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }
}
