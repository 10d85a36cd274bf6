//! A shop as the conversation sees it: everything an admin may change, compiled from the files of its folder.

use crate::aspect::Aspects;
use crate::catalogue::{Catalogue, feed};
use crate::flow::Flow;
use crate::handoff::{self, Rep};
use crate::knowledge::Knowledge;
use crate::lead::Scorecard;
use crate::nlu::{Classifier, TrainingSet};
use crate::profile::Profile;
use crate::wording::Wordings;
use crate::{Language, Problem};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The files of a shop folder: path with `/`, content.
pub type Files = BTreeMap<String, Vec<u8>>;

const DEFAULT_FLOWS: &str = include_str!("../defaults/flows/default.yaml");
const DEFAULT_LEAD: &str = include_str!("../defaults/policies/lead.yaml");
const DEFAULT_HANDOFF: &str = include_str!("../defaults/policies/handoff.yaml");
const DEFAULT_ASPECTS: &str = include_str!("../defaults/aspects.yaml");
const DEFAULT_REPLIES: [(Language, &str); 2] = [
    (Language::Zh, include_str!("../defaults/replies/zh.yaml")),
    (Language::En, include_str!("../defaults/replies/en.yaml")),
];

pub struct Shop {
    pub profile: Profile,
    pub wordings: Wordings,
    pub flows: Vec<Flow>,
    pub scorecard: Scorecard,
    pub handoff: handoff::Rules,
    pub reps: Vec<Rep>,
    pub classifier: Arc<Classifier>,
    /// The intents that the classifier knows.
    pub intents: Vec<String>,
    pub catalogue: Catalogue,
    /// The properties that questions may be about.
    pub aspects: Aspects,
    pub knowledge: Knowledge,
}

/// A compiled shop and what is wrong with its files; a shop with problems still stands on the defaults.
pub struct Compiled {
    pub shop: Shop,
    pub problems: Vec<Problem>,
}

/// The defaults that a shop's own files are laid over, for the policy version.
pub fn defaults() -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("flows/default.yaml", DEFAULT_FLOWS),
        ("policies/lead.yaml", DEFAULT_LEAD),
        ("policies/handoff.yaml", DEFAULT_HANDOFF),
        ("aspects.yaml", DEFAULT_ASPECTS),
        ("cues.yaml", crate::cue::DEFAULT_CUES),
        ("tastes.yaml", crate::taste::DEFAULT_TASTES),
    ];
    all.extend(DEFAULT_REPLIES.map(|(language, source)| match language {
        Language::Zh => ("replies/zh.yaml", source),
        Language::En => ("replies/en.yaml", source),
    }));
    all.extend(crate::nlu::DEFAULT_INTENTS);
    all
}

pub fn compile(files: &Files) -> Compiled {
    compile_with(files, |examples| Arc::new(Classifier::train(examples)))
}

/// The same, where the caller may know a classifier of the same examples already.
pub fn compile_with(
    files: &Files,
    train: impl FnOnce(&TrainingSet) -> Arc<Classifier>,
) -> Compiled {
    let mut reader = Reader {
        files,
        problems: Vec::new(),
    };
    let mut profile = reader.profile();
    let wordings = reader.wordings();
    let training = reader.training();
    let flows = reader.flows(&training);
    let scorecard = reader.scorecard();
    let handoff = reader.handoff();
    let reps = reader.reps();
    let catalogue = reader.catalogue(&mut profile);
    let knowledge = reader.knowledge();
    let (aspects, problems) =
        Aspects::compile(DEFAULT_ASPECTS, &catalogue.attribute_names(), &profile);
    reader.problems.extend(problems);
    let intents = training.intents.keys().cloned().collect();
    let mut problems = reader.problems;
    problems.sort();
    Compiled {
        shop: Shop {
            wordings,
            flows,
            scorecard,
            handoff,
            reps,
            classifier: train(&training),
            intents,
            catalogue,
            aspects,
            knowledge,
            profile,
        },
        problems,
    }
}

/// What the shop does not name itself is called what it is generally called.
fn name_attributes(profile: &mut Profile, catalogue: &Catalogue) {
    for name in catalogue.attribute_names() {
        if profile.attributes.contains_key(&name) {
            continue;
        }
        let texts: BTreeMap<Language, String> = Language::ALL
            .into_iter()
            .filter_map(|language| {
                let own = catalogue.attribute_name(&name, language)?;
                Some((language, own.to_owned()))
            })
            .collect();
        if !texts.is_empty() {
            profile
                .attributes
                .insert(name, crate::profile::Texts(texts));
        }
    }
}

struct Reader<'a> {
    files: &'a Files,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn profile(&mut self) -> Profile {
        let Some(source) = self.text("shop.yaml") else {
            return Profile::default();
        };
        let (profile, problems) = Profile::parse("shop.yaml", &source);
        self.problems.extend(problems);
        profile
    }

    fn wordings(&mut self) -> Wordings {
        let mut wordings = Wordings::default();
        for (language, source) in DEFAULT_REPLIES {
            let problems = wordings.add(language, "default replies", source);
            self.problems.extend(problems);
        }
        for language in Language::ALL {
            let path = format!("replies/{}.yaml", language.tag());
            if let Some(source) = self.text(&path) {
                let problems = wordings.add(language, &path, &source);
                self.problems.extend(problems);
            }
        }
        wordings
    }

    fn training(&mut self) -> TrainingSet {
        let mut training = TrainingSet::default_zh_en();
        for path in self.under("intents/", &[".yaml", ".yml"]) {
            if let Some(source) = self.text(&path) {
                match TrainingSet::parse(&source, &path) {
                    Ok(own) => training.merge(own),
                    Err(problems) => self.problems.extend(problems),
                }
            }
        }
        training
    }

    /// The shop's flows over the defaults, by name.
    fn flows(&mut self, training: &TrainingSet) -> Vec<Flow> {
        let (mut flows, problems) = Flow::parse("default flows", DEFAULT_FLOWS);
        self.problems.extend(problems);
        for path in self.under("flows/", &[".yaml", ".yml"]) {
            if let Some(source) = self.text(&path) {
                let (own, problems) = Flow::parse(&path, &source);
                self.problems.extend(problems);
                for flow in own {
                    for intent in &flow.start {
                        if !training.intents.contains_key(intent) {
                            self.problems.push(Problem {
                                file: path.clone(),
                                line: 0,
                                column: 0,
                                message: format!(
                                    "flow `{}` starts with `{intent}`, which is no intent",
                                    flow.id
                                ),
                                help: crate::yaml::near(
                                    intent,
                                    training.intents.keys().map(String::as_str),
                                )
                                .map(|right| format!("did you mean `{right}`?")),
                            });
                        }
                    }
                    flows.retain(|other| other.id != flow.id);
                    flows.push(flow);
                }
            }
        }
        flows
    }

    fn scorecard(&mut self) -> Scorecard {
        let own = self.text("policies/lead.yaml").and_then(|source| {
            let (card, problems) = Scorecard::parse("policies/lead.yaml", &source);
            self.problems.extend(problems);
            card
        });
        own.unwrap_or_else(|| {
            let (card, problems) = Scorecard::parse("default scorecard", DEFAULT_LEAD);
            self.problems.extend(problems);
            card.unwrap_or_default()
        })
    }

    fn handoff(&mut self) -> handoff::Rules {
        let own = self.text("policies/handoff.yaml").and_then(|source| {
            let (rules, problems) = handoff::Rules::parse("policies/handoff.yaml", &source);
            self.problems.extend(problems);
            rules
        });
        own.unwrap_or_else(|| {
            let (rules, problems) = handoff::Rules::parse("default handoff rules", DEFAULT_HANDOFF);
            self.problems.extend(problems);
            rules.unwrap_or_default()
        })
    }

    fn reps(&mut self) -> Vec<Rep> {
        let Some(source) = self.text("reps.yaml") else {
            return Vec::new();
        };
        let (reps, problems) = handoff::read_reps("reps.yaml", &source);
        self.problems.extend(problems);
        reps
    }

    /// `products.tsv` in the shop's own language; `products.en.tsv` adds another language's texts.
    /// What `shop.yaml` leaves open is told by the feed: its language, its currency.
    fn catalogue(&mut self, profile: &mut Profile) -> Catalogue {
        let has_profile = self.files.contains_key("shop.yaml");
        let own = profile.languages.first().copied().filter(|_| has_profile);
        let mut primary = None;
        let mut supplements = Vec::new();
        for (path, bytes) in self.files {
            let Some(rest) = path.strip_prefix("products.") else {
                continue;
            };
            let tag = rest.split_once('.').map(|(tag, _)| tag);
            match tag.and_then(Language::from_tag) {
                Some(language) => supplements.push((path, bytes, language)),
                None if primary.is_none() => primary = Some((path, bytes)),
                None => self.problems.push(Problem {
                    file: path.clone(),
                    line: 0,
                    column: 0,
                    message: "a second product feed".to_owned(),
                    help: Some("keep one products.* file; texts in another language go into products.LANGUAGE.*".to_owned()),
                }),
            }
        }
        let Some((path, bytes)) = primary else {
            return Catalogue::build(Vec::new());
        };
        let options = feed::Options {
            language: own,
            currency: profile.currency_stated.then_some(profile.currency),
            ..feed::Options::default()
        };
        let mut read = feed::read_with(path, bytes, &options, &mut |_| {});
        if let Some(currency) = feed::currency_of(&read.products)
            && !profile.currency_stated
        {
            profile.currency = currency;
        }
        if let Some(language) = read.language.filter(|_| !has_profile) {
            profile.languages.sort_by_key(|other| *other != language);
        }
        for (path, bytes, language) in supplements {
            feed::supplement(&mut read, path, bytes, language);
        }
        for product in &read.products {
            if product.price.currency != profile.currency {
                read.problems.push(Problem {
                    file: path.clone(),
                    line: product.line,
                    column: 0,
                    message: format!(
                        "product `{}` is priced in {}",
                        product.id,
                        product.price.currency.code()
                    ),
                    help: Some(format!(
                        "the shop's currency is {}",
                        profile.currency.code()
                    )),
                });
            }
        }
        self.problems.extend(read.problems);
        let catalogue = Catalogue::build_with(read.products, &profile.aliases);
        name_attributes(profile, &catalogue);
        for (surface, name) in catalogue.unknown_aliases() {
            self.problems.push(Problem {
                file: "shop.yaml".to_owned(),
                line: 0,
                column: 0,
                message: format!(
                    "alias `{surface}` stands for `{name}`, which the catalogue does not have"
                ),
                help: Some(
                    "name a product type, brand, attribute value or product id of the feed"
                        .to_owned(),
                ),
            });
        }
        catalogue
    }

    fn knowledge(&mut self) -> Knowledge {
        let mut files = Vec::new();
        for path in self.under("knowledge/", &[".md"]) {
            if let Some(source) = self.text(&path) {
                let name = path.strip_prefix("knowledge/").unwrap_or(&path).to_owned();
                files.push((name, source));
            }
        }
        Knowledge::build(&files)
    }

    fn under(&self, folder: &str, endings: &[&str]) -> Vec<String> {
        self.files
            .keys()
            .filter(|path| path.starts_with(folder))
            .filter(|path| endings.iter().any(|ending| path.ends_with(ending)))
            .cloned()
            .collect()
    }

    fn text(&mut self, path: &str) -> Option<String> {
        let bytes = self.files.get(path)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text.trim_start_matches('\u{feff}').to_owned()),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                self.problems.push(Problem {
                    file: path.to_owned(),
                    line: u32::try_from(line).unwrap_or(u32::MAX),
                    column: 1,
                    message: "not UTF-8".to_owned(),
                    help: Some("save the file as UTF-8".to_owned()),
                });
                None
            }
        }
    }
}
