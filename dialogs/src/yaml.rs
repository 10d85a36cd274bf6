//! A shop's YAML as a tree that remembers where each value stands, so that one reading reports every problem.

use crate::Problem;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// Longest shop file in bytes; larger is refused before it is parsed.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Greatest similarity distance at which a wrong word is taken for a slip of a right one.
const SLIP_DISTANCE_MAX: usize = 3;

#[derive(Clone, Debug)]
pub struct Node {
    pub line: u32,
    pub column: u32,
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
    pub line: u32,
    pub column: u32,
    pub text: String,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Node {
            line: u32::try_from(spanned.referenced.line()).unwrap_or(u32::MAX),
            column: u32::try_from(spanned.referenced.column()).unwrap_or(u32::MAX),
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
                    entries.push((
                        Key {
                            line: u32::try_from(key.referenced.line()).unwrap_or(u32::MAX),
                            column: u32::try_from(key.referenced.column()).unwrap_or(u32::MAX),
                            text: key.value,
                        },
                        node,
                    ));
                }
                Ok(Value::Map(entries))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Reads one file; whatever is wrong with it is gathered in `problems`.
pub struct File<'a> {
    name: &'a str,
    pub problems: Vec<Problem>,
}

impl<'a> File<'a> {
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            problems: Vec::new(),
        }
    }

    pub fn parse(&mut self, source: &str) -> Option<Node> {
        if source.len() > FILE_BYTES_MAX {
            self.problem(0, 0, format!("larger than {FILE_BYTES_MAX} bytes"), None);
            return None;
        }
        if source.trim().is_empty() {
            return None;
        }
        match serde_saphyr::from_str::<Node>(source) {
            Ok(node) => Some(node),
            Err(error) => {
                let (line, column) = error
                    .location()
                    .map_or((0, 0), |at| (at.line() as u32, at.column() as u32));
                let told = error.to_string();
                let first = told.lines().next().unwrap_or("not readable as YAML");
                self.problem(
                    line,
                    column,
                    first.trim_start_matches("error: ").to_owned(),
                    None,
                );
                None
            }
        }
    }

    pub fn problem(&mut self, line: u32, column: u32, message: String, help: Option<String>) {
        self.problems.push(Problem {
            file: self.name.to_owned(),
            line,
            column,
            message,
            help,
        });
    }

    pub fn wrong(&mut self, node: &Node, message: impl Into<String>, help: impl Into<String>) {
        self.problem(node.line, node.column, message.into(), Some(help.into()));
    }

    /// The entries of a map.
    pub fn map<'n>(&mut self, node: &'n Node) -> &'n [(Key, Node)] {
        match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            other => {
                let message = format!("expected keys and values, found {}", other.kind());
                self.wrong(node, message, "write `key: value` lines");
                &[]
            }
        }
    }

    /// A map with a closed set of keys; a key that is not in it is a problem.
    pub fn fields<'n>(&mut self, node: &'n Node, known: &[&str]) -> Fields<'n> {
        let entries = self.map(node);
        for (key, _) in entries {
            if !known.contains(&key.text.as_str()) {
                let help = near(&key.text, known.iter().copied()).map_or_else(
                    || format!("known here: {}", known.join(", ")),
                    |right| format!("did you mean `{right}`?"),
                );
                let message = format!("unknown key `{}`", key.text);
                self.problem(key.line, key.column, message, Some(help));
            }
        }
        Fields {
            line: node.line,
            column: node.column,
            entries,
        }
    }

    pub fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.value {
            Value::List(list) => list,
            Value::Null => &[],
            other => {
                let message = format!("expected a list, found {}", other.kind());
                self.wrong(node, message, "write `- item` lines");
                &[]
            }
        }
    }

    pub fn text(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            other => {
                let message = format!("expected text, found {}", other.kind());
                self.wrong(node, message, "write it between quotes");
                None
            }
        }
    }

    /// One text or a list of texts.
    pub fn texts(&mut self, node: &Node) -> Vec<String> {
        match &node.value {
            Value::List(list) => list.iter().filter_map(|n| self.text(n)).collect(),
            Value::Null => Vec::new(),
            _ => self.text(node).into_iter().collect(),
        }
    }

    pub fn integer(&mut self, node: &Node) -> Option<i64> {
        let number = match &node.value {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse::<f64>().ok(),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        };
        match number {
            Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(number as i64),
            _ => {
                let message = format!("expected a whole number, found {}", node.value.kind());
                self.wrong(node, message, "write digits only, such as 15");
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
            |right| format!("did you mean `{right}`?"),
        );
        self.wrong(node, format!("unknown word `{text}`"), help);
        None
    }
}

/// The values of a map with a closed set of keys.
pub struct Fields<'n> {
    pub line: u32,
    pub column: u32,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(k, _)| k.text == key)
            .map(|(_, node)| node)
    }

    /// A key that must be there.
    pub fn need(&self, file: &mut File<'_>, key: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            file.problem(
                self.line,
                self.column,
                format!("`{key}` is missing"),
                Some(format!("add `{key}: …`")),
            );
        }
        found
    }
}

impl Value {
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn every_value_knows_its_line_and_column() {
        let mut file = File::new("shop.yaml");
        let node = file
            .parse("name: x\nhours:\n  - mon: 1\n    tue: [a, b]\n")
            .unwrap();
        let entries = file.map(&node);
        let (key, hours) = &entries[1];
        assert_eq!((key.line, key.column), (2, 1));
        let first = &file.list(hours)[0];
        let (tue, days) = &file.map(first)[1];
        assert_eq!((tue.line, tue.column), (4, 5));
        assert_eq!((days.line, days.column), (4, 10));
    }

    #[test]
    fn a_slip_is_named_with_the_right_word() {
        let mut file = File::new("a.yaml");
        let node = file.parse("naem: x\n").unwrap();
        file.fields(&node, &["name", "languages"]);
        assert_eq!(
            file.problems[0].to_string(),
            "a.yaml:1:1: unknown key `naem`; did you mean `name`?"
        );
    }

    #[test]
    fn broken_yaml_names_its_line() {
        let mut file = File::new("a.yaml");
        assert!(file.parse("a: 1\nb: [1, 2\nc: 3\n").is_none());
        assert!(file.problems[0].line >= 2, "{}", file.problems[0]);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(source in any::<String>()) {
            File::new("x.yaml").parse(&source);
        }
    }
}
