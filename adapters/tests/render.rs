//! Cutting long texts: whatever the text, the limit and the unit, nothing is lost and every piece fits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::render::{Styled, markdown, measure, numbered, split};
use adapters::{Choice, Length, Unit};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

const UNITS: [Unit; 3] = [Unit::Utf16, Unit::Characters, Unit::Bytes];

fn check(text: &str, max: usize, unit: Unit, expected: &[&str]) {
    let pieces = split(&markdown(text), Length { max, unit });
    let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(texts, expected);
}

#[test]
fn stars_between_figures_are_no_marks() {
    for (said, shown, marks) in [
        (
            "机身 18*40*35 厘米，两台 2*2480 元",
            "机身 18*40*35 厘米，两台 2*2480 元",
            0,
        ),
        ("18**40**35", "18**40**35", 0),
        ("一共*两台*，**¥2,480**起", "一共两台，¥2,480起", 2),
        ("2*3 and *so*", "2*3 and so", 1),
    ] {
        let styled = markdown(said);
        assert_eq!((styled.text.as_str(), styled.marks.len()), (shown, marks));
    }
}

#[test]
fn a_cut_comes_where_a_reader_pauses() {
    check(
        "一二三。四五六七八。九",
        8,
        Unit::Characters,
        &["一二三。", "四五六七八。九"],
    );
    check(
        "One two. Three four five",
        14,
        Unit::Characters,
        &["One two.", "Three four", "five"],
    );
    check("甲乙\n\n丙丁戊", 5, Unit::Characters, &["甲乙", "丙丁戊"]);
    check(
        "- aa\n- bb\n- cc",
        10,
        Unit::Characters,
        &["• aa\n• bb", "• cc"],
    );
    check(
        "Price 3.5 only today",
        9,
        Unit::Characters,
        &["Price 3.5", "only", "today"],
    );
}

#[test]
fn each_unit_counts_in_its_own_way() {
    assert_eq!(measure("茶😀", Unit::Utf16), 3);
    assert_eq!(measure("茶😀", Unit::Characters), 2);
    assert_eq!(measure("茶😀", Unit::Bytes), 7);
    let text = "茶".repeat(683);
    let bytes = Length {
        max: 2048,
        unit: Unit::Bytes,
    };
    assert_eq!(split(&Styled::plain(text), bytes).len(), 2);
}

#[test]
fn what_a_reader_sees_as_one_character_stays_whole() {
    // Eleven UTF-16 units, and four.
    check("ab👩‍👩‍👧‍👦", 12, Unit::Utf16, &["ab", "👩‍👩‍👧‍👦"]);
    check("abc🇨🇳", 6, Unit::Utf16, &["abc", "🇨🇳"]);
    check("abce\u{301}", 4, Unit::Characters, &["abc", "e\u{301}"]);
}

#[test]
fn a_link_that_fits_is_not_cut() {
    let text = "see this: [the long name](https://a.example/x) now";
    let pieces = split(
        &markdown(text),
        Length {
            max: 16,
            unit: Unit::Characters,
        },
    );
    let link = pieces.iter().find(|piece| !piece.marks.is_empty()).unwrap();
    assert!(link.text.contains("the long name"), "{pieces:?}");
}

#[test]
fn choices_are_counted_unless_products_are() {
    let choices = ["好的", "不用了"].map(|label| Choice {
        id: label.to_owned(),
        label: label.to_owned(),
    });
    assert_eq!(numbered(&choices, false).text, "1. 好的\n2. 不用了");
    assert_eq!(numbered(&choices, true).text, "• 好的\n• 不用了");
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest! {
    #[test]
    fn nothing_is_lost_and_every_piece_fits(
        text in "[a-z。！茶😀👩‍👧🇨🇳é\u{301}* \n\\[\\]()_`.]{0,300}",
        max in 1_usize..60,
        unit in 0_usize..3,
    ) {
        let unit = UNITS[unit];
        let styled = markdown(&text);
        let pieces = split(&styled, Length { max, unit });
        let joined: String = pieces.iter().map(|piece| squeezed(&piece.text)).collect();
        prop_assert_eq!(joined, squeezed(&styled.text));
        for piece in &pieces {
            let one_character = piece.text.chars().count() == 1;
            prop_assert!(measure(&piece.text, unit) <= max || one_character);
            prop_assert!(!piece.text.trim().is_empty());
            for mark in &piece.marks {
                prop_assert!(piece.text.get(mark.from..mark.to).is_some_and(|it| !it.is_empty()));
            }
        }
    }

    #[test]
    fn a_grapheme_that_fits_is_never_cut(
        text in "[a茶😀👩‍👧🇨🇳é\u{301}]{0,80}",
        max in 24_usize..60,
    ) {
        // The longest grapheme of a run of joiners may be longer than a piece; those are left out.
        let limit = Length { max, unit: Unit::Utf16 };
        prop_assume!(text.graphemes(true).all(|g| measure(g, Unit::Utf16) <= max));
        let styled = Styled::plain(text.clone());
        let pieces = split(&styled, limit);
        let together: usize = pieces.iter().map(|piece| piece.text.graphemes(true).count()).sum();
        prop_assert_eq!(together, styled.text.trim().graphemes(true).count());
    }
}
