//! A pack's YAML as a tree that remembers where each value stands, so that one reading reports every problem.

use crate::Problem;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// Longest pack file in bytes; larger is refused before it is parsed.
pub const PACK_BYTES_MAX: usize = 1024 * 1024;

/// Greatest edit distance at which a wrong word is taken for a slip of a right one.
const SLIP_DISTANCE_MAX: usize = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub at: Place,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub struct Key {
    pub at: Place,
    pub text: String,
}

/// Reads one file; whatever is wrong with it is gathered in `problems`.
pub struct File<'a> {
    name: &'a str,
    pub problems: Vec<Problem>,
}

/// The values of a map with a closed set of keys.
pub struct Fields<'n> {
    pub at: Place,
    entries: &'n [(Key, Node)],
}

impl<'a> File<'a> {
    pub fn new(name: &'a str) -> Self {
        File {
            name,
            problems: Vec::new(),
        }
    }

    pub fn parse(&mut self, source: &str) -> Option<Node> {
        if source.len() > PACK_BYTES_MAX {
            let help = "split the pack into several files".to_owned();
            self.problem(
                Place::default(),
                format!("larger than {PACK_BYTES_MAX} bytes"),
                Some(help),
            );
            return None;
        }
        match serde_saphyr::from_str::<Node>(source) {
            Ok(node) => Some(node),
            Err(error) => {
                let at = error.location().map_or(Place::default(), |at| Place {
                    line: u32::try_from(at.line()).unwrap_or(u32::MAX),
                    column: u32::try_from(at.column()).unwrap_or(u32::MAX),
                });
                let told = error.to_string();
                let first = told.lines().next().unwrap_or("not readable as YAML");
                let message = first.trim_start_matches("error: ").to_owned();
                self.problem(at, message, None);
                None
            }
        }
    }

    pub fn problem(&mut self, at: Place, message: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem {
            file: self.name.to_owned(),
            line: at.line,
            column: at.column,
            message: message.into(),
            help,
        });
    }

    pub fn wrong(&mut self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        self.problem(node.at, message, Some(help.into()));
    }

    /// A map whose keys are a closed set; a key that is not in it is a problem.
    pub fn fields<'n>(&mut self, node: &'n Node, known: &[&str]) -> Fields<'n> {
        let entries: &[(Key, Node)] = match &node.value {
            Value::Map(entries) => entries,
            other => {
                let message = format!("expected keys and values, found {}", other.kind());
                self.wrong(node, message, "write `key: value` lines");
                &[]
            }
        };
        for (key, _) in entries {
            if !known.contains(&key.text.as_str()) {
                let help = near(&key.text, known.iter().copied()).map_or_else(
                    || format!("known here: {}", known.join(", ")),
                    |right| format!("did you mean \"{right}\"?"),
                );
                self.problem(key.at, format!("unknown key \"{}\"", key.text), Some(help));
            }
        }
        Fields {
            at: node.at,
            entries,
        }
    }

    pub fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.value {
            Value::List(list) => list,
            other => {
                let message = format!("expected a list, found {}", other.kind());
                self.wrong(node, message, "write `- item` lines");
                &[]
            }
        }
    }

    pub fn text(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            other => {
                let message = format!("expected text, found {}", other.kind());
                self.wrong(node, message, "write it between quotes");
                None
            }
        }
    }

    /// One text or a list of texts, each with its place.
    pub fn texts(&mut self, node: &Node) -> Vec<(Place, String)> {
        match &node.value {
            Value::List(list) => list
                .iter()
                .filter_map(|item| self.text(item).map(|text| (item.at, text)))
                .collect(),
            Value::Null => Vec::new(),
            _ => self
                .text(node)
                .map(|text| (node.at, text))
                .into_iter()
                .collect(),
        }
    }

    pub fn count(&mut self, node: &Node) -> Option<usize> {
        match &node.value {
            Value::Number(number) if number.fract() == 0.0 && (1.0..1e9).contains(number) => {
                Some(*number as usize)
            }
            other => {
                let message = format!("expected a whole number above 0, found {}", other.kind());
                self.wrong(node, message, "write digits only, such as 600");
                None
            }
        }
    }

    /// One word of a closed set.
    pub fn word<T: Copy>(&mut self, node: &Node, known: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        if let Some((_, value)) = known.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let help = near(&text, words.iter().copied()).map_or_else(
            || format!("one of: {}", words.join(", ")),
            |right| format!("did you mean \"{right}\"?"),
        );
        self.wrong(node, format!("unknown word \"{text}\""), help);
        None
    }
}

impl<'n> Fields<'n> {
    pub fn find(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(k, _)| k.text == key)
            .map(|(_, node)| node)
    }

    /// A key that must be there.
    pub fn need(&self, file: &mut File<'_>, key: &str) -> Option<&'n Node> {
        let found = self.find(key);
        if found.is_none() {
            file.problem(
                self.at,
                format!("\"{key}\" is missing"),
                Some(format!("add `{key}: …`")),
            );
        }
        found
    }

    pub fn keys(&self) -> impl Iterator<Item = (&'n Key, &'n Node)> {
        self.entries.iter().map(|(key, node)| (key, node))
    }
}

impl Value {
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "another number",
            Value::Text(_) => "text that is empty or out of place",
            Value::List(_) => "a list",
            Value::Map(_) => "keys and values",
        }
    }
}

/// The right word that a wrong one is most likely a slip of.
pub fn near<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    right
        .map(|word| (strsim::damerau_levenshtein(wrong, word), word))
        .filter(|(distance, word)| {
            *distance <= SLIP_DISTANCE_MAX && *distance * 2 <= word.chars().count().max(2)
        })
        .min()
        .map(|(_, word)| word)
}

fn place(at: &serde_saphyr::Location) -> Place {
    Place {
        line: u32::try_from(at.line()).unwrap_or(u32::MAX),
        column: u32::try_from(at.column()).unwrap_or(u32::MAX),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node {
            at: place(&spanned.referenced),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Value::deserialize(inner)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<Spanned<String>, Node>()? {
            let key = Key {
                at: place(&key.referenced),
                text: key.value,
            };
            entries.push((key, node));
        }
        Ok(Value::Map(entries))
    }
}
