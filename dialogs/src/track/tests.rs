//! What messages leave in the slots, turn after turn, in a made-up shop for lamps and racks.

use super::{Known, track};
use crate::Language;
use crate::catalogue::{Catalogue, feed};
use crate::conversation::Conversation;
use crate::money::Currency;
use crate::nlu::{self, Classifier, Date, Listening, TrainingSet};
use std::sync::LazyLock;

const FEED: &str = r#"{"id": "s-1", "title": "Oak rack", "price": "399 CNY", "availability": "in_stock", "product_type": "Racks", "attributes": {"width": "80 cm", "weight": "12 kg"}}
{"id": "s-2", "title": "Pine rack", "price": "299 CNY", "availability": "in_stock", "product_type": "Racks", "attributes": {"width": "120 cm", "weight": "9 kg"}}
{"id": "l-1", "title": "Desk lamp", "price": "99 CNY", "availability": "in_stock", "product_type": "Lamps", "attributes": {"power": "9 W"}}
"#;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    Catalogue::build(feed::read("feed.jsonl", FEED.as_bytes(), Language::En).products)
});
static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::train(&TrainingSet::default()));

/// Says the messages one after another and gives the slots as `name=value`.
fn slots(messages: &[&str], asked: Option<&str>) -> String {
    let mut conversation = Conversation::new(Language::En);
    for message in messages {
        conversation.turn += 1;
        conversation.asked = asked.map(str::to_owned);
        let understanding = nlu::understand(
            message,
            &Listening {
                vocabulary: CATALOGUE.vocabulary(),
                classifier: &CLASSIFIER,
                currency: Currency::CNY,
                today: Date {
                    year: 2026,
                    month: 11,
                    day: 26,
                    weekday: 3,
                },
                expected: asked,
                language: Language::En,
            },
        );
        let known = Known {
            catalogue: &CATALOGUE,
            flows: &[],
            currency: Currency::CNY,
        };
        for event in track(&conversation, &understanding, &known) {
            conversation.apply(&event);
        }
    }
    conversation
        .slots
        .iter()
        .map(|(name, filled)| format!("{name}={}", filled.value.plain()))
        .collect::<Vec<_>>()
        .join("; ")
}

fn check(cases: &[(&[&str], &str)]) {
    for (messages, expected) in cases {
        assert_eq!(slots(messages, None), *expected, "{messages:?}");
    }
}

#[test]
fn figures_are_bound_to_what_the_wanted_kind_measures() {
    check(&[
        (
            &["a rack, no more than 100 cm wide"],
            "category=racks; measure:width=width ..100 cm",
        ),
        (
            &["racks please", "under 10 kg"],
            "category=racks; measure:weight=weight ..10 kg",
        ),
        // No rack tells its noise.
        (&["a rack under 60 dB"], "category=racks"),
        (&["racks under 10 kg", "lamps please"], "category=lamps"),
        (
            &["racks wider than 90 cm", "actually wider than 110 cm"],
            "category=racks; measure:width=width 110 cm..",
        ),
    ]);
}

#[test]
fn corrections_refill_the_number_of_their_size() {
    check(&[
        (
            &["my budget is 3000", "no sorry, I meant 1500"],
            "budget_max=1500.00 CNY",
        ),
        (&["预算三千", "不是三千是五千"], "budget_max=5000.00 CNY"),
        (&["要三台", "改成两台"], "quantity=2"),
        (
            &["I need 5 units", "my budget is 3000", "make it two"],
            "budget_max=3000.00 CNY; quantity=2",
        ),
        (
            &["we are thirty people", "my budget is 3000", "actually 40"],
            "budget_max=3000.00 CNY; people=40",
        ),
        (&["预算三千", "说错了，是1500块"], "budget_max=1500.00 CNY"),
        (&["要4台", "要3台，还是4台吧"], "quantity=4"),
        (&["actually 3"], ""),
        (
            &["预算3000", "预算5000，不对，3000"],
            "budget_max=3000.00 CNY",
        ),
    ]);
    assert_eq!(slots(&["sorry, 12"], Some("quantity")), "quantity=12");
}

#[test]
fn roles_are_kept() {
    check(&[
        (&["I'm the office manager"], "role=office manager"),
        (&["我是行政，要在两周内"], "deadline_days=14; role=行政"),
    ]);
}
