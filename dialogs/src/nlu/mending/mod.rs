//! What was meant by what was typed in haste: slips, sounds, mixed languages and missing marks are mended before anything is read.
//!
//! The mended text keeps for each of its bytes where it came from, so that quotes stay pieces of the customer's own words.

mod mixing;
mod parlance;
mod slips;
mod sounds;
mod spaces;

pub(crate) use parlance::Parlance;

use crate::text::Folded;
use crate::vocabulary::Vocabulary;

/// A piece of the folded text and what stands there instead.
type Edit = (usize, usize, String);

/// The folded text as it was meant; the same where nothing is wrong with it.
pub(super) fn mended(
    message: &str,
    folded: Folded,
    parlance: &Parlance,
    vocabulary: &Vocabulary,
) -> Folded {
    let mut text = folded;
    if !parlance.is_empty() {
        text = with(text, |text| {
            slips::edits(message, text, parlance, vocabulary)
        });
        text = with(text, |text| mixing::edits(text, vocabulary));
        text = with(text, |text| sounds::edits(text, parlance, vocabulary));
    }
    with(text, |text| spaces::edits(text, vocabulary))
}

fn with(text: Folded, edits: impl FnOnce(&Folded) -> Vec<Edit>) -> Folded {
    let edits = edits(&text);
    if edits.is_empty() {
        text
    } else {
        text.rewritten(&edits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::TrainingSet;
    use std::sync::LazyLock;

    static PARLANCE: LazyLock<Parlance> =
        LazyLock::new(|| Parlance::of(&TrainingSet::default_zh_en()));

    fn check(message: &str, expected: &str) {
        let vocabulary = Vocabulary::default();
        let text = mended(message, Folded::of(message), &PARLANCE, &vocabulary);
        assert_eq!(text.text, expected, "{message}");
    }

    #[test]
    fn a_word_one_slip_away_from_what_people_say_is_that_word() {
        check("how much is dleivery?", "how much is delivery?");
        check("the seocnd one", "the second one");
        check("geat, what's the warrnaty", "great, what's the warranty");
        // Names, addresses, contractions and words of their own stay.
        check("I'm Jhon from Acmee", "i'm jhon from acmee");
        check("mail kim@ordre.example", "mail kim@ordre.example");
        check("it havent come, a bland one", "it havent come, a bland one");
    }

    #[test]
    fn a_word_of_the_other_language_is_read_in_the_one_that_carries_the_sentence() {
        check("我们company的budget3000", "我们公司的预算3000");
        check("有discount吗", "有优惠吗");
        check("好的. 预算 is about 13000", "ok. budget is about 13000");
        check("我要买VAT invoice system", "我要买vat invoice system");
        check("hello, any discount", "hello, any discount");
    }

    #[test]
    fn a_character_of_the_same_sound_that_fits_better_was_meant() {
        check("再吗", "在吗");
        check("有没有黑色的嘛", "有没有黑色的吗");
        check("有那些推荐", "有哪些推荐");
        check("那个多少钱", "那个多少钱");
        check("我再看看", "我再看看");
    }

    #[test]
    fn marks_left_out_are_set_and_signs_that_say_nothing_go() {
        check("好的 预算两万左右", "好的,预算两万左右");
        check("保温杯 黑色", "保温杯 黑色");
        check("for home,max 500", "for home, max 500");
        check("有货吗😊", "有货吗");
        check("👍", "👍");
        check("来1个", "来一个");
        check("来11个，1.1个", "来11个,1.1个");
    }

    #[test]
    fn a_quote_is_a_piece_of_what_was_typed() {
        let message = "我们company的Budget3000";
        let text = mended(
            message,
            Folded::of(message),
            &PARLANCE,
            &Vocabulary::default(),
        );
        let at = text.text.find("预算").unwrap_or_default();
        assert_eq!(text.quote(message, at, at + 6), "Budget");
        assert_eq!(text.quote(message, at + 6, at + 10), "3000");
    }
}
