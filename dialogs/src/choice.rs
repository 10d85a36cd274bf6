//! Quick replies: what each id means, read as an utterance whose meaning is certain.

use crate::Language;
use crate::conversation::Conversation;
use crate::nlu::{Entity, Intent, ReadBy, Sentiment, Understanding, Value};

/// Longest id of a quick reply in bytes.
pub const CHOICE_BYTES_MAX: usize = 200;

/// What a channel may send without its having been offered: `start:LANGUAGE`, `help:LANGUAGE`, the language being that of the customer's own program where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    pub intent: &'static str,
    pub language: Option<Language>,
}

pub fn command(id: &str) -> Option<Command> {
    let (verb, language) = id.split_once(':')?;
    let intent = match verb {
        "start" => "greet",
        "help" => "ask_abilities",
        _ => return None,
    };
    let language = match language {
        "zh" => Some(Language::Zh),
        "en" => Some(Language::En),
        _ => None,
    };
    Some(Command { intent, language })
}

/// `None` where the id has no meaning (any more).
pub fn understand(id: &str, conversation: &Conversation) -> Option<Understanding> {
    if let Some(command) = command(id) {
        // Whoever has said something already has shown their language.
        let language = command.language.filter(|_| conversation.turn <= 1);
        return Some(certain(
            language.unwrap_or(conversation.language),
            command.intent,
            Vec::new(),
        ));
    }
    let label = conversation
        .choices
        .iter()
        .find(|choice| choice.id == id)
        .map_or(id, |choice| choice.label.as_str());
    let (verb, argument) = id.split_once(':').unwrap_or((id, ""));
    let product = || {
        vec![entity(
            Value::Product {
                id: argument.to_owned(),
            },
            label,
        )]
    };
    let (intent, entities) = match (verb, argument.is_empty()) {
        ("talk-to-person", true) => ("ask_human", Vec::new()),
        ("yes", true) => ("affirm", vec![entity(Value::Yes, label)]),
        ("no", true) => ("deny", vec![entity(Value::No, label)]),
        ("compare", true) => ("compare", Vec::new()),
        ("cheaper", true) => ("ask_cheaper", vec![entity(Value::Cheaper, label)]),
        ("type", false) => (
            "inform",
            vec![entity(
                Value::ProductType {
                    key: argument.to_owned(),
                },
                label,
            )],
        ),
        ("value", false) => {
            let (name, key) = argument.split_once('=')?;
            let value = Value::Attribute {
                name: name.to_owned(),
                key: key.to_owned(),
            };
            ("inform", vec![entity(value, label)])
        }
        ("details", false) => ("ask_details", product()),
        ("price", false) => ("ask_price", product()),
        ("buy" | "add-to-cart", false) => ("buy", product()),
        _ => return None,
    };
    Some(certain(conversation.language, intent, entities))
}

fn certain(language: Language, intent: &str, entities: Vec<Entity>) -> Understanding {
    Understanding {
        language,
        intents: vec![Intent {
            name: intent.to_owned(),
            confidence: 1.0,
        }],
        entities,
        sentiment: Sentiment::Neutral,
        read_by: ReadBy::Plain,
        mended: None,
    }
}

/// Whether each quick reply on offer may be chosen by its number.
pub fn are_counted(conversation: &Conversation) -> bool {
    let mut numbered = (1..).zip(&conversation.choices);
    numbered.all(|(number, choice)| {
        let meant = typed(&number.to_string(), conversation);
        meant.as_ref() == Some(&choice.id)
    })
}

/// A typed number, or a label typed in full, that answers the quick replies on offer.
pub fn typed(text: &str, conversation: &Conversation) -> Option<String> {
    let folded = crate::text::fold(text);
    let text = folded
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .trim_start_matches(crate::text::is_picture);
    if let Some(choice) = conversation
        .choices
        .iter()
        .find(|choice| [text, &folded].contains(&crate::text::fold(&choice.label).as_str()))
    {
        return Some(choice.id.clone());
    }
    if !conversation.listed.is_empty() && conversation.asked.is_none() {
        return None;
    }
    let number: usize = text.parse().ok()?;
    let asks_for_a_number = matches!(
        conversation.asked.as_deref(),
        Some("people" | "quantity" | "budget_max" | "deadline_days")
    );
    if asks_for_a_number {
        return None;
    }
    // Quick replies that answer a question are counted; beside a list, the products are.
    let answers = conversation.choices.iter().any(|choice| {
        ["type:", "value:", "details:", "yes", "no"]
            .iter()
            .any(|id| choice.id.starts_with(id))
    });
    if !answers && let Some(id) = conversation.listed.get(number.checked_sub(1)?) {
        return Some(format!("details:{id}"));
    }
    conversation
        .choices
        .get(number.checked_sub(1)?)
        .map(|choice| choice.id.clone())
}

fn entity(value: Value, quote: &str) -> Entity {
    Entity {
        value,
        quote: quote.to_owned(),
        negated: false,
    }
}
