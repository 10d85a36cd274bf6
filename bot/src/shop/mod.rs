//! A shop folder, loaded, compiled and named by its content.

mod folder;
mod trained;

pub use folder::{FILE_BYTES_MAX, Folder, FolderError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialogs::Problem;
use dialogs::shop::Files;
use policies::{Pack, Rails};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The folder of the shop's pictures, which belong to no version.
const IMAGES: &str = "images/";
/// Kinds of versions in the records.
pub const POLICY: &str = "policy";
pub const GOODS: &str = "goods";

/// A compiled shop with the versions that every event of its turns names.
pub struct Shop {
    pub dialog: dialogs::shop::Shop,
    pub rails: Rails,
    /// The policy book: everything an admin edits, with the defaults under it.
    pub policy: String,
    /// The catalogue and the knowledge.
    pub goods: String,
    pub zone: jiff::tz::TimeZone,
    pub files: Arc<Files>,
}

/// A shop and what is wrong with its files.
pub struct Checked {
    pub shop: Shop,
    pub problems: Vec<Problem>,
}

/// The policy files without which no version can be served.
#[derive(Debug, thiserror::Error)]
#[error("the shop's guardrail packs cannot be read:\n{0}")]
pub struct Unreadable(pub String);

impl Shop {
    /// Compiles everything and names every problem; only unreadable guardrails are fatal.
    pub fn compile(files: Files) -> Result<Checked, Unreadable> {
        let compiled = dialogs::shop::compile_with(&files, trained::of);
        let mut problems = compiled.problems;
        let (packs, pack_problems) = packs(&files);
        let broken = !pack_problems.is_empty();
        problems.extend(pack_problems.into_iter().map(crate::convert::problem));
        let rails = match Rails::compile(&packs) {
            Ok(rails) if !broken => rails,
            Ok(_) => return Err(Unreadable(listed(&problems))),
            Err(found) => {
                problems.extend(found.into_iter().map(crate::convert::problem));
                return Err(Unreadable(listed(&problems)));
            }
        };
        let zone_name = &compiled.shop.profile.time_zone;
        let zone = jiff::tz::TimeZone::get(zone_name).unwrap_or_else(|_| {
            problems.push(Problem {
                file: "shop.yaml".to_owned(),
                line: 0,
                column: 0,
                message: format!("unknown time zone `{zone_name}`"),
                help: Some("write an IANA name such as Asia/Shanghai".to_owned()),
            });
            jiff::tz::TimeZone::UTC
        });
        let shop = Shop {
            policy: version(&files, is_policy, true),
            goods: version(&files, is_goods, false),
            dialog: compiled.shop,
            rails,
            zone,
            files: Arc::new(files),
        };
        problems.extend(crate::wordings::problems(&shop));
        problems.sort();
        Ok(Checked { shop, problems })
    }

    /// What the shop's wall clock shows at an instant.
    pub fn moment(&self, at_ms: i64) -> dialogs::calendar::Moment {
        let local = jiff::Timestamp::from_millisecond(at_ms)
            .unwrap_or_default()
            .to_zoned_datetime(self.zone.clone());
        let day = dialogs::calendar::Day::new(
            i64::from(local.year()),
            u32::from(local.month().unsigned_abs()),
            u32::from(local.day().unsigned_abs()),
        );
        dialogs::calendar::Moment {
            at_ms,
            day: day.unwrap_or(dialogs::calendar::Day(at_ms.div_euclid(86_400_000))),
            minute: u32::from(local.hour().unsigned_abs()) * 60
                + u32::from(local.minute().unsigned_abs()),
        }
    }

    /// What must be kept to run this version's turns again: kind, version, content.
    /// Policy and goods apart, so that a change of wording does not keep the catalogue once more.
    pub fn bundles(&self) -> [(&'static str, &str, Vec<u8>); 2] {
        [
            (POLICY, &self.policy, bundle(&self.files, is_policy)),
            (GOODS, &self.goods, bundle(&self.files, is_goods)),
        ]
    }

    /// The shop of some of the bundles of one version, with the pictures of another's files: versions have none.
    pub fn from_bundles(bundles: &[Vec<u8>], pictures: &Files) -> anyhow::Result<Shop> {
        let mut files: Files = pictures
            .iter()
            .filter(|(path, _)| path.starts_with(IMAGES))
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();
        for bundle in bundles {
            let kept: BTreeMap<String, Content<'_>> = serde_json::from_slice(bundle)?;
            for (path, content) in kept {
                files.insert(path, content.bytes()?);
            }
        }
        Ok(Shop::compile(files)?.shop)
    }
}

/// Guardrail packs: the defaults, then the shop's; `lead.yaml` and `handoff.yaml` are other things.
fn packs(files: &Files) -> (Vec<Pack>, Vec<policies::Problem>) {
    let mut packs = Vec::new();
    let mut problems = Vec::new();
    let mut sources: Vec<(String, String)> = policies::DEFAULT_PACKS
        .iter()
        .map(|(name, source)| ((*name).to_owned(), (*source).to_owned()))
        .collect();
    for (path, bytes) in files {
        let name = path.strip_prefix("policies/").unwrap_or_default();
        if name.ends_with(".yaml")
            && !matches!(name, "lead.yaml" | "handoff.yaml" | "outreach.yaml")
        {
            // A shop's pack replaces the default of the same file name.
            sources.retain(|(other, _)| other != path && !other.ends_with(&format!("/{name}")));
            sources.push((path.clone(), String::from_utf8_lossy(bytes).into_owned()));
        }
    }
    for (name, source) in sources {
        match Pack::parse(&name, &source) {
            Ok(pack) => packs.push(pack),
            Err(found) => problems.extend(found),
        }
    }
    (packs, problems)
}

fn is_policy(path: &str) -> bool {
    !path.starts_with("products.") && !path.starts_with("knowledge/") && !path.starts_with(IMAGES)
}

fn is_goods(path: &str) -> bool {
    !is_policy(path) && !path.starts_with(IMAGES)
}

fn bundle(files: &Files, wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let kept: BTreeMap<&String, Content<'_>> = files
        .iter()
        .filter(|(path, _)| wanted(path))
        .map(|(path, bytes)| (path, Content::of(bytes)))
        .collect();
    serde_json::to_vec(&kept).unwrap_or_default()
}

/// A file in a bundle: text as it is, anything else (a feed in GB18030, say) byte by byte.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Bytes { base64: String },
}

impl<'a> Content<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(Cow::Borrowed(text)),
            Err(_) => Self::Bytes {
                base64: STANDARD.encode(bytes),
            },
        }
    }

    fn bytes(self) -> Result<Vec<u8>, base64::DecodeError> {
        match self {
            Self::Text(text) => Ok(text.into_owned().into_bytes()),
            Self::Bytes { base64 } => STANDARD.decode(base64),
        }
    }
}

fn version(files: &Files, wanted: impl Fn(&str) -> bool, with_defaults: bool) -> String {
    let mut hash = Sha256::new();
    let mut add = |path: &str, content: &[u8]| {
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path.as_bytes());
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    };
    if with_defaults {
        for (path, content) in dialogs::shop::defaults() {
            add(path, content.as_bytes());
        }
        for (path, content) in policies::DEFAULT_PACKS {
            add(path, content.as_bytes());
        }
    }
    for (path, content) in files.iter().filter(|(path, _)| wanted(path)) {
        add(path, content);
    }
    format!("sha256:{}", hex::encode(hash.finalize()))
}

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_from_a_bundle_byte_by_byte() {
        let files = Files::from([
            (
                "products.csv".to_owned(),
                b"id,title\n1,\xcf\xe3\xb2\xb2\n".to_vec(),
            ),
            ("knowledge/a.md".to_owned(), "# 香槟".as_bytes().to_vec()),
            ("images/a.png".to_owned(), vec![0xff]),
        ]);
        let kept: BTreeMap<String, Content<'_>> =
            serde_json::from_slice(&bundle(&files, is_goods)).unwrap();
        assert_eq!(kept.len(), 2, "pictures belong to no version");
        for (path, content) in kept {
            assert_eq!(
                content.bytes().unwrap(),
                *files.get(&path).unwrap(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_bundle_of_texts_alone_is_read_as_it_was_written_before() {
        let texts = r#"{"shop.yaml": "name: 店\n", "products.csv": "id\n"}"#;
        let kept: BTreeMap<String, Content<'_>> = serde_json::from_str(texts).unwrap();
        let bytes: Vec<Vec<u8>> = kept.into_values().map(|c| c.bytes().unwrap()).collect();
        assert_eq!(bytes, ["id\n".as_bytes(), "name: 店\n".as_bytes()]);
    }
}
