//! The layers of settings: where each value came from, and every problem found at once.

use ::config::{FileFormat, Source, Value, ValueKind};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Largest settings file and secret file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
const VARIABLE_PREFIX: &str = "TIANSHENG_";
/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be suggested.
const ALIKE_MIN: f64 = 0.85;

/// All that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `tiansheng.toml:3`, a variable or a flag.
    pub origin: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// What was given so far; a later layer replaces a value of an earlier one.
pub(super) struct Layers {
    known: &'static [&'static str],
    not_available: &'static [(&'static str, &'static str)],
    given: BTreeMap<String, Given>,
    problems: Vec<Problem>,
    layer: usize,
}

struct Given {
    origin: String,
    layer: usize,
    value: Vec<String>,
}

impl Layers {
    pub(super) fn new(
        known: &'static [&'static str],
        not_available: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            known,
            not_available,
            given: BTreeMap::new(),
            problems: Vec::new(),
            layer: 0,
        }
    }

    pub(super) fn file(&mut self, path: &Path) {
        self.layer += 1;
        let name = path.display().to_string();
        let text = match read(path) {
            Ok(text) => text,
            Err(message) => return self.refuse(name, message),
        };
        let parsed = ::config::File::from_str(&text, FileFormat::Toml).collect();
        match parsed {
            Ok(table) => {
                let table = table.into_iter().collect::<BTreeMap<_, _>>();
                for (key, value) in table {
                    self.take(&name, &text, key, value);
                }
            }
            Err(error) => {
                // The lines with a bar quote the file, which may hold a secret.
                let message = error.to_string();
                let told = message
                    .lines()
                    .filter(|line| !line.contains('|'))
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect::<Vec<_>>();
                self.refuse(name, told.join(": "));
            }
        }
    }

    pub(super) fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        self.layer += 1;
        let ours = variables
            .into_iter()
            .filter(|(name, value)| name.starts_with(VARIABLE_PREFIX) && !value.is_empty())
            .collect::<BTreeMap<_, _>>();
        for (name, value) in ours {
            let key = name
                .trim_start_matches(VARIABLE_PREFIX)
                .to_ascii_lowercase()
                .replace("__", ".");
            let values = value.split(',').map(|one| one.trim().to_owned());
            let value = if key == "web.origins" {
                values.filter(|one| !one.is_empty()).collect()
            } else {
                vec![value]
            };
            self.give(name, key, value, variable);
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, flag: &str, value: Option<String>) {
        self.layer += 1;
        if let Some(value) = value {
            self.give(flag.to_owned(), key.to_owned(), vec![value], str::to_owned);
        }
    }

    pub(super) fn reading(self) -> Reading {
        Reading { layers: self }
    }

    fn take(&mut self, name: &str, text: &str, key: String, value: Value) {
        let origin = match line_of(text, &key) {
            Some(line) => format!("{name}:{line}"),
            None => name.to_owned(),
        };
        match value.kind {
            ValueKind::Table(table) if !self.known.contains(&key.as_str()) => {
                for (inner, value) in table.into_iter().collect::<BTreeMap<_, _>>() {
                    self.take(name, text, format!("{key}.{inner}"), value);
                }
            }
            ValueKind::Table(_) | ValueKind::Nil => {
                self.refuse(origin, format!("`{key}` must be a value, this is a table"));
            }
            ValueKind::Array(values) => {
                let values = values.into_iter().map(|value| value.to_string()).collect();
                self.give(origin, key, values, str::to_owned);
            }
            scalar => self.give(origin, key, vec![scalar.to_string()], str::to_owned),
        }
    }

    /// `written` turns a setting's name into the form of this layer, for the suggestion.
    fn give(
        &mut self,
        origin: String,
        key: String,
        value: Vec<String>,
        written: fn(&str) -> String,
    ) {
        let within = |name: &str| {
            key.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if let Some((_, instead)) = self.not_available.iter().find(|(name, _)| within(name)) {
            let message = format!("`{key}` is not available in this version: {instead}; remove it");
            return self.refuse(origin, message);
        }
        if !self.known.contains(&key.as_str()) {
            let mut message = format!("unknown setting `{key}`");
            if let Some(near) = nearest(&key, self.known) {
                message.push_str(&format!("; did you mean `{}`?", written(near)));
            }
            return self.refuse(origin, message);
        }
        let layer = self.layer;
        self.given.insert(
            key,
            Given {
                origin,
                layer,
                value,
            },
        );
    }

    fn refuse(&mut self, origin: String, message: String) {
        self.problems.push(Problem { origin, message });
    }
}

/// Typed reading of what was given.
pub(super) struct Reading {
    layers: Layers,
}

impl Reading {
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.with(key, "a text that is not empty", |text| {
            (!text.trim().is_empty()).then(|| text.to_owned())
        })
    }

    pub(super) fn number(&mut self, key: &str, min: u64, max: u64) -> Option<u64> {
        self.with(key, &format!("a number from {min} to {max}"), |text| {
            text.parse()
                .ok()
                .filter(|number| (min..=max).contains(number))
        })
    }

    /// Reads one value; the value itself is not repeated in the problem, it may be private.
    pub(super) fn with<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let given = self.layers.given.get(key)?;
        let parsed = match given.value.as_slice() {
            [one] => parse(one),
            _ => None,
        };
        if parsed.is_none() {
            self.refuse(key, format!("must be {expected}"));
        }
        parsed
    }

    pub(super) fn given(&self, key: &str) -> bool {
        self.layers.given.contains_key(key)
    }

    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        match self.layers.given.get(key) {
            Some(given) => given.value.clone(),
            None => Vec::new(),
        }
    }

    /// A secret by value or from a file; the later layer wins, both in one layer is a mistake.
    pub(super) fn secret(&mut self, key: &str, file_key: &str) -> Option<SecretString> {
        let layer = |key: &str| self.layers.given.get(key).map(|given| given.layer);
        let from_file = match (layer(key), layer(file_key)) {
            (None, None) => return None,
            (Some(_), None) => false,
            (None, Some(_)) => true,
            (Some(value), Some(file)) if value == file => {
                self.refuse(file_key, format!("stands beside `{key}`; give one of them"));
                return None;
            }
            (Some(value), Some(file)) => file > value,
        };
        if !from_file {
            return self.text(key).map(SecretString::from);
        }
        let path = self.text(file_key)?;
        match read(Path::new(&path)) {
            Ok(text) if text.trim().is_empty() => {
                self.refuse(file_key, format!("names {path}, which is empty"));
                None
            }
            Ok(text) => Some(SecretString::from(text.trim())),
            Err(message) => {
                self.refuse(file_key, format!("names {path}: {message}"));
                None
            }
        }
    }

    /// `key` is needed because `reason` is set.
    pub(super) fn missing(&mut self, key: &str, reason: &str) {
        self.missing_unless(key, reason, None);
    }

    /// The same where another setting makes up for it, as (setting, value).
    pub(super) fn missing_unless(
        &mut self,
        key: &str,
        reason: &str,
        instead: Option<(&str, &str)>,
    ) {
        // A value that was given and refused has its own problem already, and so has a file that cannot be read.
        if self.given(key) || self.given(&format!("{key}_file")) {
            return;
        }
        let instead = instead.map(|(other, value)| format!(", or set `{other}` to {value}"));
        let instead = instead.unwrap_or_default();
        self.refuse(reason, format!("needs `{key}` beside it{instead}"));
    }

    pub(super) fn refuse(&mut self, key: &str, message: String) {
        let origin = match self.layers.given.get(key) {
            Some(given) => given.origin.clone(),
            None => "settings".to_owned(),
        };
        self.layers.refuse(origin, format!("`{key}` {message}"));
    }

    /// A variable that other programs read too.
    pub(super) fn refuse_variable(&mut self, name: &str, expected: &str) {
        self.layers
            .refuse(name.to_owned(), format!("must be {expected}"));
    }

    pub(super) fn finish(self) -> Result<(), SettingsError> {
        if self.layers.problems.is_empty() {
            Ok(())
        } else {
            Err(SettingsError {
                problems: self.layers.problems,
            })
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path)
        .map_err(|error| format!("cannot be read: {error}"))?
        .len();
    if size > FILE_BYTES_MAX {
        return Err(format!(
            "has {size} bytes; at most {FILE_BYTES_MAX} are read"
        ));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

/// The line that sets `key`, counted from 1, if exactly one line can be meant.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let mut found = text.lines().enumerate().filter(|(_, line)| {
        line.split_once('=')
            .map(|(name, _)| name.trim().trim_matches(['"', '\'']))
            .is_some_and(|name| name == last || name.rsplit('.').next() == Some(last))
    });
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Some(index + 1),
        _ => None,
    }
}

fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let mut best: Option<(f64, &'static str)> = None;
    for name in known {
        let alike = strsim::jaro_winkler(key, name);
        if alike >= ALIKE_MIN && best.is_none_or(|(most, _)| alike > most) {
            best = Some((alike, name));
        }
    }
    best.map(|(_, name)| name)
}

fn variable(key: &str) -> String {
    format!(
        "{VARIABLE_PREFIX}{}",
        key.replace('.', "__").to_ascii_uppercase()
    )
}
