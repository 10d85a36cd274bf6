//! Which of the products shown before a customer means, and what is wanted again after it was refused.

#![allow(clippy::unwrap_used)]

use dialogs::Language;
use dialogs::catalogue::{Catalogue, feed};
use dialogs::conversation::Conversation;
use dialogs::event::{Event, Exclusion};
use dialogs::money::Currency;
use dialogs::nlu::{Classifier, Date, Listening, TrainingSet, Understanding, understand};
use dialogs::track::{Known, mentioned, track};

const GOODS: &str = "id\ttitle\tdescription\tavailability\tprice\tbrand\tproduct_type\tcolor\n\
a\t云杉 落地灯 Lumo\t\tin_stock\t300 CNY\t云杉\t灯具\t黑\n\
b\t谷禾 落地灯 Nori\t\tin_stock\t100 CNY\t谷禾\t灯具\t白\n\
c\t云杉 落地灯 Sola\t\tin_stock\t200 CNY\t云杉\t灯具\t黑\n\
d\t谷禾 台灯 Tavo\t\tin_stock\t200 CNY\t谷禾\t灯具\t白\n";

fn shop() -> Catalogue {
    let feed = feed::read("goods.tsv", GOODS.as_bytes(), Language::Zh);
    assert_eq!(feed.problems, []);
    Catalogue::build(feed.products)
}

fn understood(shop: &Catalogue, message: &str) -> Understanding {
    let listening = Listening {
        vocabulary: shop.vocabulary(),
        classifier: &Classifier::train(&TrainingSet::default()),
        currency: Currency::CNY,
        today: Date {
            year: 2026,
            month: 11,
            day: 26,
            weekday: 3,
        },
        expected: None,
        language: Language::Zh,
    };
    understand(message, &listening)
}

/// A list, the list before it and the product under discussion, as ids; then what each message means.
fn check(listed: &str, before: &str, focus: Option<&str>, cases: &[(&str, &str)]) {
    let shop = shop();
    let ids = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
    let mut conversation = Conversation::new(Language::Zh);
    conversation.listed = ids(listed);
    conversation.listed_before = ids(before);
    conversation.shown = ids(before);
    conversation
        .shown
        .retain(|id| !listed.contains(id.as_str()));
    conversation.shown.extend(ids(listed));
    conversation.focus = focus.map(str::to_owned);
    for (message, expected) in cases {
        let understanding = understood(&shop, message);
        let meant = mentioned(&conversation, &understanding, &shop, 0).concat();
        assert_eq!(meant, *expected, "{message}");
    }
}

#[test]
fn one_of_the_list_is_meant_by_its_place_or_price() {
    check(
        "abc",
        "",
        None,
        &[
            ("第二个", "b"),
            ("最后一个", "c"),
            ("倒数第二个", "b"),
            ("中间那个", "b"),
            ("便宜的那个", "b"),
            ("the more expensive one", "a"),
            ("前两个", "ab"),
            ("the last two", "bc"),
            ("第一个和最后一个", "ac"),
            ("both", ""),
            ("另一个", ""),
        ],
    );
}

#[test]
fn of_two_the_other_one_and_both_are_meant() {
    let cases = [
        ("另一个", "a"),
        ("the other one", "a"),
        ("这两款有什么区别", "ac"),
        ("the cheaper one", "c"),
        ("上一个", "a"),
        ("Lumo和Sola这两款", "ac"),
    ];
    check("ac", "", Some("c"), &cases);
    // One card out of a list of two.
    check("c", "ac", Some("c"), &cases);
    // Two cards after each other.
    check("c", "a", Some("c"), &cases);
}

#[test]
fn of_equal_prices_none_is_the_cheaper_one() {
    check("cd", "", None, &[("便宜的那款", ""), ("最后那款", "d")]);
}

#[test]
fn what_was_refused_is_wanted_again_when_it_is_named() {
    let shop = shop();
    let known = Known {
        catalogue: &shop,
        flows: &[],
        currency: Currency::CNY,
    };
    let mut conversation = Conversation::new(Language::Zh);
    let mut hear = |message: &str| {
        for event in track(&conversation, &understood(&shop, message), &known) {
            let stored = serde_json::to_string(&event).unwrap();
            let read: Event = serde_json::from_str(&stored).unwrap();
            conversation.apply(&read);
        }
        conversation.excluded.clone()
    };
    let black = Exclusion::Attribute {
        name: "color".to_owned(),
        key: "黑".to_owned(),
    };
    let brand = Exclusion::Brand("谷禾".to_owned());
    assert_eq!(hear("不要黑色的"), std::slice::from_ref(&black));
    assert_eq!(hear("也不要谷禾的"), [black, brand.clone()]);
    assert_eq!(hear("算了，还是要黑色的"), [brand]);
    assert_eq!(hear("谷禾的也可以"), []);
}
