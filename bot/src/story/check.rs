//! The checks under `expect`, as a salesperson writes them.

use dialogs::yaml::{File, Node};

/// The keys under `expect`.
pub(super) const CHECKS: [&str; 34] = [
    "intent",
    "intents",
    "language",
    "slots",
    "no_slot",
    "shows",
    "shows_first",
    "shows_any",
    "shows_none",
    "shows_only_type",
    "not_shows",
    "price_max",
    "price_min",
    "why",
    "says",
    "says_any",
    "not_says",
    "asks",
    "not_asks",
    "choices",
    "source",
    "grade",
    "grade_at_least",
    "lead_next",
    "lead_reasons",
    "quote",
    "handoff",
    "no_handoff",
    "mode",
    "guardrail",
    "silent",
    "repeat_ok",
    "opted_out",
    "no_source",
];

pub(super) enum Check {
    Intent(String),
    Language(String),
    /// Each of these values, or one of them where the slot holds one value.
    Slot(String, Vec<String>),
    NoSlot(String),
    Shows(Vec<String>),
    ShowsFirst(String),
    ShowsAny,
    ShowsNone,
    /// Names, keys or aliases of product types, of which each product must have one.
    ShowsOnlyType(Vec<String>),
    NotShows(Vec<String>),
    PriceMax(i64),
    PriceMin(i64),
    /// A reason beside a shown product has these words.
    Why(String),
    /// One of these.
    Says(Vec<String>),
    NotSays(String),
    /// One of these slots or offers.
    Asks(Vec<String>),
    NotAsks(String),
    /// The label or the id of a quick reply.
    Choice(String),
    /// Part of the name of a source of evidence, such as `knowledge:delivery`.
    Source(String),
    NoSource(String),
    Grade(String),
    GradeAtLeast(String),
    LeadNext(String),
    LeadReason(String),
    /// Words of the customer's that gave points.
    Quote(String),
    /// One of these reasons.
    Handoff(Vec<String>),
    NoHandoff,
    Mode(String),
    Guardrail(String),
    Silent,
    RepeatOk,
    OptedOut,
}

impl Check {
    pub(super) fn read(file: &mut File<'_>, key: &str, node: &Node) -> Vec<Check> {
        let one = |make: fn(String) -> Check, file: &mut File<'_>| {
            file.text(node).map(make).into_iter().collect()
        };
        let each = |make: fn(String) -> Check, file: &mut File<'_>| {
            file.texts(node).into_iter().map(make).collect()
        };
        let all = |make: fn(Vec<String>) -> Check, file: &mut File<'_>| {
            let texts = file.texts(node);
            if texts.is_empty() {
                file.wrong(node, "nothing is named", "write `[one, another]`");
            }
            vec![make(texts)]
        };
        let number = |make: fn(i64) -> Check, file: &mut File<'_>| {
            file.integer(node).map(make).into_iter().collect()
        };
        match key {
            "intent" | "intents" => each(Check::Intent, file),
            "language" => one(Check::Language, file),
            "slots" => file
                .map(node)
                .iter()
                .map(|(slot, value)| Check::Slot(slot.text.clone(), file.texts(value)))
                .collect(),
            "no_slot" => each(Check::NoSlot, file),
            "shows" => all(Check::Shows, file),
            "shows_first" => one(Check::ShowsFirst, file),
            "shows_any" => vec![Check::ShowsAny],
            "shows_none" => vec![Check::ShowsNone],
            "shows_only_type" => all(Check::ShowsOnlyType, file),
            "not_shows" => all(Check::NotShows, file),
            "price_max" => number(Check::PriceMax, file),
            "price_min" => number(Check::PriceMin, file),
            "why" => each(Check::Why, file),
            "says" => file
                .texts(node)
                .into_iter()
                .map(|text| Check::Says(vec![text]))
                .collect(),
            "says_any" => all(Check::Says, file),
            "not_says" => each(Check::NotSays, file),
            "asks" => all(Check::Asks, file),
            "not_asks" => each(Check::NotAsks, file),
            "choices" => each(Check::Choice, file),
            "source" => each(Check::Source, file),
            "no_source" => each(Check::NoSource, file),
            "grade" => one(Check::Grade, file),
            "grade_at_least" => one(Check::GradeAtLeast, file),
            "lead_next" => one(Check::LeadNext, file),
            "lead_reasons" => each(Check::LeadReason, file),
            "quote" => each(Check::Quote, file),
            "handoff" => all(Check::Handoff, file),
            "no_handoff" => vec![Check::NoHandoff],
            "mode" => one(Check::Mode, file),
            "guardrail" => each(Check::Guardrail, file),
            "silent" => vec![Check::Silent],
            "repeat_ok" => vec![Check::RepeatOk],
            "opted_out" => vec![Check::OptedOut],
            // `fields` has already named an unknown key.
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_and_a_slip_is_named() {
        for key in CHECKS {
            let source = match key {
                "price_max" | "price_min" => format!("{key}: 3000"),
                "slots" => format!("{key}: {{people: 40}}"),
                _ => format!("{key}: x"),
            };
            let mut file = File::new("stories/a.yaml");
            let node = file.parse(&source).unwrap();
            let [(name, value)] = file.map(&node) else {
                panic!("{key}")
            };
            assert_eq!(Check::read(&mut file, &name.text, value).len(), 1, "{key}");
            assert!(file.problems.is_empty(), "{key}");
        }
        let mut file = File::new("stories/a.yaml");
        let node = file.parse("say_any: [a]").unwrap();
        file.fields(&node, &CHECKS);
        assert_eq!(
            file.problems[0].to_string(),
            "stories/a.yaml:1:1: unknown key `say_any`; did you mean `says_any`?"
        );
    }
}
