//! Messages that stand in no example: how well intents are told apart on words the classifier has not seen.

use dialogs::nlu::{Classifier, TrainingSet};
use dialogs::text::fold;

/// Part of the messages whose intent must be told rightly, in parts of a hundred.
const RIGHT_PERCENT_MIN: usize = 90;
/// Messages without which the part says little.
const MESSAGES_MIN: usize = 400;
/// Examples of each intent in each language.
const EXAMPLES_MIN: usize = 20;

/// An intent, a tab, a message; `|` between intents that are equally right.
const MESSAGES: &str = include_str!("held_out.txt");

#[test]
fn intents_of_messages_never_seen_are_told_apart() {
    let set = TrainingSet::default_zh_en();
    let classifier = Classifier::train(&set);
    let seen: Vec<String> = set.intents.values().flatten().map(|e| fold(e)).collect();
    let mut wrong = Vec::new();
    let mut asked = 0;
    for line in MESSAGES.lines().filter(|line| !line.starts_with('#')) {
        let (expected, message) = line.split_once('\t').unwrap();
        if seen.contains(&fold(message)) {
            continue;
        }
        asked += 1;
        let told = classifier.classify(&fold(message));
        let best = told.first().map_or("", |intent| intent.name.as_str());
        for name in expected.split('|') {
            assert!(set.intents.contains_key(name), "no intent {name}: {line}");
        }
        if !expected.split('|').any(|name| name == best) {
            wrong.push(format!("{message}: {expected}, told as {told:?}"));
        }
    }
    let right = (asked - wrong.len()) * 100 / asked;
    for line in &wrong {
        println!("{line}");
    }
    println!("{right} % of {asked} messages are told rightly");
    assert!(
        asked >= MESSAGES_MIN,
        "only {asked} messages stand in no example"
    );
    assert!(
        right >= RIGHT_PERCENT_MIN,
        "{right} % of {asked}: {wrong:#?}"
    );
}

#[test]
fn every_intent_has_examples_enough_in_both_languages() {
    for (file, source) in dialogs::nlu::DEFAULT_INTENTS {
        let set = TrainingSet::parse(source, file).unwrap();
        assert!(set.intents.len() >= 40, "{file}");
        for (name, examples) in &set.intents {
            let mut own: Vec<String> = examples.iter().map(|e| fold(e)).collect();
            own.sort();
            own.dedup();
            assert!(
                own.len() >= EXAMPLES_MIN,
                "{file}: {name} has {}",
                own.len()
            );
        }
    }
}
