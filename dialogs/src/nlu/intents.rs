//! What a message wants: the intents of its clauses, weighed against the facts in it.

use super::clauses::{MANNERS, clauses};
use super::entities::{Read, pattern};
use super::mistaken;
use super::{Entity, INTENTS_MAX, Intent, Listening, OUT_OF_SCOPE, Sentiment, Value, sentiment};
use crate::choice;
use crate::cue;
use crate::text;
use regex::Regex;
use std::sync::LazyLock;

/// Confidence above which a message tells something even where no fact in it is known.
const INFORM_MIN: f64 = 0.7;
/// Confidence above which a mistake of that kind is not suspected.
const CERTAIN: f64 = 0.85;
/// Confidence below which an intent is a guess, and what the catalogue knows of a message says more.
const GUESSED_MAX: f64 = 0.25;
/// The largest bare number that is taken for a place in a list.
pub(super) const PLACE_MAX: u32 = 9;
/// Characters from which on one alone, repeated, is a word of no language.
const BABBLE_CHARS_MIN: usize = 3;
/// Words beside an ordinal that add nothing to it.
const ADDS_NOTHING: [&str; 13] = [
    "show me", "please", "the", "one", "product", "吧", "呢", "的", "款", "个", "那", "看看", "看",
];
/// Words of greeting beside something named.
const GREETINGS: [&str; 5] = ["hello there", "hello", "hi", "hey", "嗨"];
/// In Chinese nothing stands between an address and the words around it.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?:https?://|\bwww\.)[!-~]+"));
/// How one asks what a product is like.
const HOW_IS_IT: [&str; 12] = [
    "怎么样",
    "咋样",
    "如何",
    "好不好",
    "好吗",
    "好用吗",
    "介绍",
    "how about",
    "what about",
    "tell me about",
    "any good",
    "how is",
];
/// Intents that accompany others, the most telling first.
const COURTESIES: [&str; 5] = ["affirm", "goodbye", "small_talk", "thank", "greet"];
/// What a customer may ask for in one letter among many, and must get.
const NEVER_LOST: [&str; 2] = ["ask_human", "opt_out"];
/// Letters of one turn that are classified each.
const LETTERS_MAX: usize = 16;
/// Clauses of one message that are classified.
const CLAUSES_MAX: usize = 12;

/// Each clause's best intents together; greetings stand beside what is asked.
pub(super) fn intents(folded: &str, read: &[Read], listening: &Listening<'_>) -> Vec<Intent> {
    if is_babble(folded) {
        return vec![Intent {
            name: OUT_OF_SCOPE.to_owned(),
            confidence: 1.0,
            said: String::new(),
        }];
    }
    let mut found: Vec<Intent> = Vec::new();
    // "The cheaper one" points at something shown and asks for nothing cheaper.
    let this = if folded.contains(text::han) {
        "这个"
    } else {
        "this one"
    };
    let pointed = read
        .iter()
        .filter(|r| matches!(r.entity.value, Value::OfShown { .. }))
        .filter_map(|r| folded.get(r.start..r.end))
        .fold(folded.to_owned(), |text, piece| {
            text.replacen(piece, this, 1)
        });
    let pointed = without_addresses(&pointed);
    let entities: Vec<&Entity> = read.iter().map(|read| &read.entity).collect();
    let clauses = clauses(&pointed);
    for clause in clauses.iter().take(CLAUSES_MAX) {
        for mut intent in listening.classifier.classify(clause).into_iter().take(1) {
            if clauses.len() > 1 {
                intent.said = (*clause).to_owned();
            }
            match found.iter_mut().find(|other| other.name == intent.name) {
                Some(other) if other.confidence < intent.confidence => *other = intent,
                Some(_) => {}
                None => found.push(intent),
            }
        }
    }
    if clauses.len() > 1 {
        let whole = listening.classifier.classify(&clauses.join(", "));
        for intent in whole.into_iter().take(1).filter(|i| i.name != OUT_OF_SCOPE) {
            match found.iter_mut().find(|other| other.name == intent.name) {
                // The part that says it is known.
                Some(other) => other.confidence = other.confidence.max(intent.confidence),
                None => found.push(intent),
            }
        }
    }
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.name.cmp(&b.name))
    });
    let mut names: Vec<String> = Vec::new();
    found.retain(|i| {
        let new = !names.contains(&i.name);
        names.push(i.name.clone());
        new
    });
    // Beside something that is meant, what is not understood is passed over.
    if found
        .iter()
        .any(|i| i.name != OUT_OF_SCOPE && !COURTESIES.contains(&i.name.as_str()))
    {
        found.retain(|i| i.name != OUT_OF_SCOPE);
    }
    let tells = entities.iter().any(|e| {
        !matches!(
            e.value,
            Value::Yes
                | Value::No
                | Value::LastShown
                | Value::Ordinal { .. }
                | Value::OfShown { .. }
        )
    });
    let catalogue = entities.iter().any(|e| {
        matches!(
            e.value,
            Value::ProductType { .. } | Value::Brand { .. } | Value::Attribute { .. }
        )
    });
    let says = |wanted: fn(&Value) -> bool| entities.iter().any(|e| wanted(&e.value));
    let mood = sentiment::of(folded);
    mistaken::set_right(&mut found, folded, &entities, mood);
    for intent in &mut found {
        // "Is there a black one" is close to "is there a better one", and names something else.
        let mistaken = match intent.name.as_str() {
            "ask_better" => {
                let named = catalogue || says(|v| matches!(v, Value::Taste { .. }));
                named && !says(|v| matches!(v, Value::Better))
            }
            // "Budget 500" says how much it may cost.
            "ask_cheaper" => {
                let bounds =
                    catalogue || says(|v| matches!(v, Value::Budget { .. } | Value::Taste { .. }));
                bounds && !says(|v| matches!(v, Value::Cheaper))
            }
            // “Too sour” is no price that is too high.
            "object_price" | "complain" | "insult"
                if says(|v| matches!(v, Value::Taste { .. })) =>
            {
                intent.confidence < CERTAIN
            }
            // Who names what broke speaks of a fault, and wishes for no goods.
            "complain" if cue::says_fault(folded) => false,
            // “Your coffee machine is garbage” wishes for no coffee machine.
            "complain" | "insult" if mood == Sentiment::Negative => false,
            "insult" | "opt_out" | "complain" | "order_status" | "thank" | "small_talk"
            | "privacy_request" | "goodbye" | "hesitate" | "give_contact" | "ask_robot" => {
                catalogue && intent.confidence < CERTAIN
            }
            _ => catalogue && intent.confidence < GUESSED_MAX,
        };
        if mistaken {
            // Who names one product and nothing to choose by asks about it.
            let named = says(|v| matches!(v, Value::Product { .. }))
                && !says(|v| matches!(v, Value::Budget { .. } | Value::Attribute { .. }));
            intent.name = if named { "ask_details" } else { "inform" }.to_owned();
        }
    }
    // Courtesy stands beside what is asked, not before it.
    found.sort_by_key(|intent| {
        COURTESIES
            .iter()
            .position(|name| *name == intent.name)
            .map_or(0, |place| place + 1)
    });
    // Praise is no complaint; mere thanks are no praise.
    if sentiment::of(&clauses.join(", ")) == Sentiment::Positive && found.len() > 1 {
        found.retain(|i| !matches!(i.name.as_str(), "complain" | "insult"));
    }
    // "The second one, please", "2" or a product's name, and nothing else.
    if let [only] = read
        && !only.entity.negated
        && points_at_one(&only.entity.value, listening.expected)
        && says_nothing_beside(folded, folded.get(only.start..only.end).unwrap_or_default())
    {
        found = vec![Intent {
            name: choice::wanted_of_which(listening.expected).to_owned(),
            confidence: 0.9,
            said: String::new(),
        }];
    }
    // A kind of goods or what is asked of it, and nothing else, tells what is wanted.
    let wanted = |e: &&Entity| {
        !e.negated
            && matches!(
                e.value,
                Value::ProductType { .. } | Value::Brand { .. } | Value::Attribute { .. }
            )
    };
    if catalogue && entities.iter().all(wanted) {
        let rest = entities.iter().fold(folded.to_owned(), |rest, entity| {
            rest.replacen(&text::fold(&entity.quote), "", 1)
        });
        if says_nothing_beside(&rest, "") {
            found = vec![Intent {
                name: "inform".to_owned(),
                confidence: 0.9,
                said: String::new(),
            }];
        }
    }
    // Telling without anything told is a guess.
    if !tells {
        found.retain(|i| i.name != "inform" || i.confidence >= INFORM_MIN);
    }
    // Facts carry a message that no example resembles.
    let says_nothing = |i: &Intent| {
        (i.name == OUT_OF_SCOPE && i.confidence < CERTAIN)
            || matches!(i.name.as_str(), "greet" | "thank" | "small_talk")
    };
    if found.iter().all(says_nothing) && tells {
        found.retain(|i| i.name != OUT_OF_SCOPE);
        found.insert(
            0,
            Intent {
                name: "inform".to_owned(),
                confidence: 0.5,
                said: String::new(),
            },
        );
    }
    if found.is_empty() {
        found.push(Intent {
            name: OUT_OF_SCOPE.to_owned(),
            confidence: 0.0,
            said: String::new(),
        });
    }
    // A product, and how it is.
    let only_named = says(|v| matches!(v, Value::Product { .. }))
        && !entities.iter().any(|e| {
            e.negated
                || matches!(
                    e.value,
                    Value::Budget { .. } | Value::Measure { .. } | Value::Quantity { .. }
                )
        });
    if only_named && HOW_IS_IT.iter().any(|words| folded.contains(words)) {
        for intent in found.iter_mut().filter(|i| i.name == "inform") {
            intent.name = "ask_details".to_owned();
        }
    }
    found.truncate(INTENTS_MAX);
    found
}

/// Letters of one turn stand on lines of their own. Who asks for a person in one of them, or not to be written to, is heard whatever all of them resemble together.
pub(super) fn with_each_letter(
    message: &str,
    mut together: Vec<Intent>,
    listening: &Listening<'_>,
) -> Vec<Intent> {
    let letters: Vec<String> = message.lines().map(text::fold).collect();
    if letters.len() < 2 {
        return together;
    }
    for letter in letters.iter().rev().take(LETTERS_MAX) {
        let read = listening.classifier.classify(letter).into_iter().next();
        let Some(mut intent) = read.filter(|intent| {
            NEVER_LOST.contains(&intent.name.as_str()) && intent.confidence >= CERTAIN
        }) else {
            continue;
        };
        intent.said.clone_from(letter);
        together.retain(|other| other.name != intent.name);
        together.insert(0, intent);
    }
    together.truncate(INTENTS_MAX);
    together
}

/// Web addresses name pages and want nothing; a message of nothing else stays as it is.
fn without_addresses(text: &str) -> String {
    let Some(address) = ADDRESS.as_ref() else {
        return text.to_owned();
    };
    let rest = address.replace_all(text, " ");
    match rest.trim() {
        "" => text.to_owned(),
        rest => rest.to_owned(),
    }
}

/// A product by its name or its place among those shown; a bare number is one where no other number was asked for.
fn points_at_one(value: &Value, expected: Option<&str>) -> bool {
    match value {
        Value::Ordinal { .. } | Value::OfShown { .. } | Value::Product { .. } => true,
        Value::Number { count } => match expected {
            Some("people" | "quantity" | "deadline_days") => false,
            _ => *count <= PLACE_MAX,
        },
        _ => false,
    }
}

/// One character over and over: 啦啦啦啦, aaaa; laughter is none.
fn is_babble(folded: &str) -> bool {
    let mut letters = folded.chars().filter(|c| c.is_alphanumeric());
    let Some(first) = letters.next() else {
        return false;
    };
    let rest: Vec<char> = letters.collect();
    rest.len() + 1 >= BABBLE_CHARS_MIN
        && rest.iter().all(|c| *c == first)
        && !matches!(
            first,
            '哈' | '呵' | '嘿' | '嘻' | '嗯' | '好' | '对' | '6' | 'h' | '在'
        )
}

/// Whether a message says nothing beside one piece of it.
pub(crate) fn says_nothing_beside(folded: &str, piece: &str) -> bool {
    is_bare(folded, piece, &ADDS_NOTHING)
}

/// Whether a message is one piece and good manners.
pub(super) fn is_alone(folded: &str, piece: &str) -> bool {
    is_bare(folded, piece, &[])
}

fn is_bare(folded: &str, piece: &str, beside: &[&str]) -> bool {
    let mut rest = folded.replacen(piece, "", 1);
    for word in MANNERS.iter().chain(&GREETINGS).chain(beside) {
        rest = rest.replace(word, "");
    }
    !rest.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn an_address_is_left_out_wherever_it_stands() {
        for (said, rest) in [
            ("看这个https://a.example/p?x=1，有货吗", "看这个 ，有货吗"),
            ("like www.a.example/b please", "like   please"),
            ("https://a.example", "https://a.example"),
            ("awww.that is nice", "awww.that is nice"),
            ("有货吗", "有货吗"),
        ] {
            assert_eq!(without_addresses(said), rest, "{said}");
        }
    }
}
