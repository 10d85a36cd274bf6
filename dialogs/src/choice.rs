//! Quick replies: what each id means, read as an utterance whose meaning is certain.

use crate::Language;
use crate::conversation::Conversation;
use crate::nlu::{Entity, Intent, ReadBy, Sentiment, Understanding, Value};

/// Longest id of a quick reply in bytes.
pub const CHOICE_BYTES_MAX: usize = 200;

/// “Which one?” as a question that was asked, and what is wanted of it.
pub(crate) fn which(wanted: &str) -> String {
    match wanted {
        "" => "which".to_owned(),
        wanted => format!("which:{wanted}"),
    }
}

pub fn is_which(asked: &str) -> bool {
    asked == "which" || asked.starts_with("which:")
}

/// The intent of an answer that only points at one, where that was asked.
pub(crate) fn wanted_of_which(asked: Option<&str>) -> &'static str {
    match asked.and_then(|asked| asked.strip_prefix("which:")) {
        Some("stock") => "ask_stock",
        Some("price") => "ask_price",
        Some("buy") => "buy",
        _ => "ask_details",
    }
}

/// Between the products that one quick reply names.
const BETWEEN_IDS: char = ',';

/// The quick reply that compares the first two of these; pressed later it means them still, whatever was listed since.
pub fn compare(ids: &[String]) -> String {
    let pair = match ids {
        [first, second, ..] => format!("compare:{first}{BETWEEN_IDS}{second}"),
        _ => String::new(),
    };
    let is_plain = pair.matches(BETWEEN_IDS).count() == 1 && pair.len() <= CHOICE_BYTES_MAX;
    if is_plain { pair } else { "compare".to_owned() }
}

/// The quick reply that buys one.
pub(crate) fn buy(id: &str) -> String {
    format!("buy:{id}")
}

/// The quick reply that asks for what costs less than this.
pub fn cheaper(than: Option<&str>) -> String {
    let id = than.map(|id| format!("cheaper:{id}"));
    id.filter(|id| id.len() <= CHOICE_BYTES_MAX)
        .unwrap_or_else(|| "cheaper".to_owned())
}

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
    let (intent, entities) = match (verb, argument.is_empty()) {
        ("talk-to-person", true) => ("ask_human", Vec::new()),
        ("yes", true) => ("affirm", vec![entity(Value::Yes, label)]),
        ("no", true) => ("deny", vec![entity(Value::No, label)]),
        ("compare", true) => ("compare", Vec::new()),
        ("compare", false) => {
            let products = argument.split(BETWEEN_IDS).map(|id| product(id, label));
            ("compare", products.collect())
        }
        ("cheaper", true) => ("ask_cheaper", vec![entity(Value::Cheaper, label)]),
        ("cheaper", false) => {
            let than = product(argument, label);
            ("ask_cheaper", vec![entity(Value::Cheaper, label), than])
        }
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
        ("details", false) => ("ask_details", vec![product(argument, label)]),
        ("stock", false) => ("ask_stock", vec![product(argument, label)]),
        ("price", false) => ("ask_price", vec![product(argument, label)]),
        ("buy" | "add-to-cart", false) => ("buy", vec![product(argument, label)]),
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
            said: String::new(),
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
    let asks_which = conversation.asked.as_deref().is_some_and(is_which);
    let answers = asks_which
        || conversation.choices.iter().any(|choice| {
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

fn product(id: &str, label: &str) -> Entity {
    entity(Value::Product { id: id.to_owned() }, label)
}

fn entity(value: Value, quote: &str) -> Entity {
    Entity {
        value,
        quote: quote.to_owned(),
        negated: false,
    }
}
