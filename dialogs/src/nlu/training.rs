//! Training examples in Rasa's NLU format.

use crate::Problem;
use crate::yaml::File;
use std::collections::BTreeMap;

/// The shipped examples, as (path, YAML).
pub const DEFAULT_INTENTS: [(&str, &str); 2] = [
    (
        "intents/zh.yaml",
        include_str!("../../defaults/intents/zh.yaml"),
    ),
    (
        "intents/en.yaml",
        include_str!("../../defaults/intents/en.yaml"),
    ),
];

/// Examples of one intent.
pub const EXAMPLES_MAX: usize = 5_000;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingSet {
    pub intents: BTreeMap<String, Vec<String>>,
}

impl TrainingSet {
    pub fn default_zh_en() -> Self {
        let mut all = Self::default();
        for (file, source) in DEFAULT_INTENTS {
            if let Ok(set) = Self::parse(source, file) {
                for (name, examples) in set.intents {
                    all.intents.entry(name).or_default().extend(examples);
                }
            }
        }
        all
    }

    pub fn parse(source: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let mut reader = File::new(file);
        let mut set = Self::default();
        if let Some(root) = reader.parse(source) {
            let fields = reader.fields(&root, &["version", "nlu"]);
            if let Some(list) = fields.need(&mut reader, "nlu") {
                for node in reader.list(list) {
                    let fields = reader.fields(node, &["intent", "examples"]);
                    let name = fields
                        .need(&mut reader, "intent")
                        .and_then(|n| reader.text(n));
                    let examples = fields
                        .need(&mut reader, "examples")
                        .and_then(|n| reader.text(n));
                    let (Some(name), Some(examples)) = (name, examples) else {
                        continue;
                    };
                    let examples: Vec<String> = examples
                        .lines()
                        .filter_map(|line| line.trim().strip_prefix('-'))
                        .map(|line| line.trim().to_owned())
                        .filter(|line| !line.is_empty())
                        .take(EXAMPLES_MAX)
                        .collect();
                    if examples.is_empty() {
                        reader.wrong(
                            node,
                            format!("intent `{name}` has no examples"),
                            "write `- example` lines under `examples: |`",
                        );
                    } else if set.intents.insert(name.clone(), examples).is_some() {
                        reader.wrong(
                            node,
                            format!("intent `{name}` stands twice"),
                            "join its examples",
                        );
                    }
                }
            }
        }
        if reader.problems.is_empty() {
            Ok(set)
        } else {
            Err(reader.problems)
        }
    }

    /// An intent of the other set replaces this one's of the same name.
    pub fn merge(&mut self, other: Self) {
        self.intents.extend(other.intents);
    }
}
