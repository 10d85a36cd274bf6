//! The properties that a question may be about: what customers call them, and which attributes of the feed tell them.

use crate::Problem;
use crate::profile::Profile;
use crate::text;
use crate::vocabulary::at_borders;
use crate::yaml::File;
use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Aspects of one file.
pub const ASPECTS_MAX: usize = 200;

/// Letters of a word too short to be taken for the name of a property.
const SHORT_LETTERS: usize = 4;

/// Less or more of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toward {
    Less,
    More,
}

/// What a surface says of an aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Its name: “colour”, “how heavy”.
    Name,
    /// That there should be less or more of it: “lighter”.
    Wish(Toward),
}

/// An aspect found in a message, with the attributes of the catalogue that tell it; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    pub attributes: &'a [String],
    pub says: Says,
    /// Bytes of the folded text.
    pub start: usize,
    pub end: usize,
}

/// The aspects that a catalogue can tell of.
#[derive(Debug, Default)]
pub struct Aspects {
    aspects: Vec<Vec<String>>,
    /// By pattern: place of the aspect, what is said of it.
    surfaces: Vec<(usize, Says)>,
    automaton: Option<AhoCorasick>,
    /// Words for properties that no product tells.
    untold: Option<AhoCorasick>,
}

impl Aspects {
    /// Of the attributes that products have; the shop's own names for them go before the defaults.
    pub fn compile(
        source: &str,
        attributes: &BTreeSet<String>,
        profile: &Profile,
    ) -> (Self, Vec<Problem>) {
        let mut file = File::new("default aspects");
        let mut compiled = Self::default();
        let mut patterns: Vec<String> = Vec::new();
        let mut untold: Vec<String> = Vec::new();
        for attribute in attributes {
            let place = compiled.aspects.len();
            let own = profile.attributes.get(attribute);
            let names: Vec<String> = own
                .into_iter()
                .flat_map(|texts| texts.0.values().cloned())
                .chain([attribute.replace('_', " ")])
                .map(|name| text::fold(&name))
                // A short word stands inside other words, or for something else: “for”, “fits”.
                .filter(|name| {
                    name.chars().count() > if name.is_ascii() { SHORT_LETTERS } else { 1 }
                })
                .collect();
            compiled.aspects.push(vec![attribute.clone()]);
            // What the shop says itself that customers call it.
            let aliases = profile.aliases.iter();
            let said = aliases.filter(|(_, name)| name == attribute);
            for name in names
                .into_iter()
                .chain(said.map(|(said, _)| text::fold(said)))
            {
                patterns.push(name);
                compiled.surfaces.push((place, Says::Name));
            }
        }
        if let Some(root) = file.parse(source) {
            let fields = file.fields(&root, &["aspects"]);
            if let Some(list) = fields.need(&mut file, "aspects") {
                for node in file.list(list).iter().take(ASPECTS_MAX) {
                    let fields = file.fields(node, &["attributes", "zh", "en", "less", "more"]);
                    let told: Vec<String> = fields
                        .need(&mut file, "attributes")
                        .map(|node| file.texts(node))
                        .unwrap_or_default()
                        .into_iter()
                        .filter(|name| attributes.contains(name))
                        .collect();
                    if told.is_empty() {
                        for key in ["zh", "en"] {
                            let words = fields.get(key).map(|node| file.texts(node));
                            untold.extend(words.unwrap_or_default().iter().map(|w| text::fold(w)));
                        }
                        continue;
                    }
                    let place = compiled.aspects.len();
                    compiled.aspects.push(told);
                    for (key, says) in [
                        ("zh", Says::Name),
                        ("en", Says::Name),
                        ("less", Says::Wish(Toward::Less)),
                        ("more", Says::Wish(Toward::More)),
                    ] {
                        let words = fields.get(key).map(|node| file.texts(node));
                        for word in words.unwrap_or_default() {
                            patterns.push(text::fold(&word));
                            compiled.surfaces.push((place, says));
                        }
                    }
                }
            }
        }
        compiled.automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .ok();
        compiled.untold = AhoCorasick::new(&untold).ok();
        (compiled, file.problems)
    }

    /// Whether a folded text names a property that no product tells.
    pub fn names_untold(&self, folded: &str) -> bool {
        self.untold.as_ref().is_some_and(|untold| {
            untold
                .find_overlapping_iter(folded)
                .any(|hit| at_borders(folded, hit.start(), hit.end()))
        })
    }

    /// In the order in which they stand, each once.
    pub fn find(&self, folded: &str) -> Vec<Named<'_>> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        let mut found: Vec<Named<'_>> = Vec::new();
        for hit in automaton.find_iter(folded) {
            if !at_borders(folded, hit.start(), hit.end()) {
                continue;
            }
            let Some((place, says)) = self.surfaces.get(hit.pattern().as_usize()) else {
                continue;
            };
            let Some(attributes) = self.aspects.get(*place) else {
                continue;
            };
            let named = Named {
                attributes,
                says: *says,
                start: hit.start(),
                end: hit.end(),
            };
            if found
                .iter()
                .all(|other| other.attributes != named.attributes)
            {
                found.push(named);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &[(&str, Says)]) {
        let attributes = ["color", "noise", "weight", "handle"].map(str::to_owned);
        let (aspects, problems) = Aspects::compile(
            include_str!("../defaults/aspects.yaml"),
            &attributes.into_iter().collect(),
            &Profile::default(),
        );
        assert_eq!(problems, []);
        let found: Vec<(&str, Says)> = aspects
            .find(&text::fold(message))
            .iter()
            .map(|named| (named.attributes[0].as_str(), named.says))
            .collect();
        assert_eq!(found, expected, "{message}");
    }

    #[test]
    fn properties_are_found_by_what_customers_call_them() {
        check("还有什么颜色", &[("color", Says::Name)]);
        check("What COLOURS do you have?", &[("color", Says::Name)]);
        check(
            "is it loud? how heavy",
            &[("noise", Says::Name), ("weight", Says::Name)],
        );
        check("有没有安静一点的", &[("noise", Says::Wish(Toward::Less))]);
        check("anything lighter", &[("weight", Says::Wish(Toward::Less))]);
        check("what about the handle", &[("handle", Says::Name)]);
        check("clouds", &[]);
        check("how wide is it", &[]);
    }
}
