//! The conversations' way to Redis: each whole, with the facts beside them, then read back and compared.

use super::{Progress, Watch};
use crate::commands::now_ms;
use crate::store::embedded::{Fact, State};
use crate::store::whole::Whole;
use crate::store::{StateStore, StoreError, redis};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use sha2::{Digest, Sha256};

/// Conversations or facts read at once.
const PAGE: usize = 500;
/// Steps on the target that are under way at once.
const TOGETHER: usize = 16;
/// The fact that says from where a target is filled, and how long it says so, milliseconds.
const MARK: &str = "migration";
const MARK_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Marks of event ids that the target keeps of one conversation.
const SEEN_MAX: usize = 2_000;
/// Bytes of a feed that the target surely keeps of one conversation.
const FEED_BYTES_MAX: usize = 7 * 16 * 1024;

/// What was moved, as both sides have it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub conversations: Sides,
    /// Web sessions, versions known to be kept, and other facts that have not ended.
    pub facts: Sides,
    /// What all replicas are to use now, such as a version of the policies.
    pub pointers: Sides,
}

impl Moved {
    pub fn same(&self) -> bool {
        self.conversations.same() && self.facts.same() && self.pointers.same()
    }
}

/// A count and a SHA-256 over the documents in the order of their ids, here and there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    pub count: u64,
    pub count_there: u64,
    pub hash: String,
    pub hash_there: String,
    /// The first that differs.
    pub differs: Option<String>,
}

impl Sides {
    pub fn same(&self) -> bool {
        self.count == self.count_there && self.hash == self.hash_there
    }
}

/// How many conversations this folder has, if the target is empty or was begun to be filled from it.
///
/// Redis cannot list what it has without reading all of it, so a target that was used is told by what waits on it, and by the mark that the first run leaves.
pub(super) async fn refuse_others(here: &State, there: &redis::State) -> Result<u64, StoreError> {
    let mut hasher = Sha256::new();
    let mut count = 0;
    for ids in pages_of_ids(here) {
        for id in ids? {
            count += 1;
            hasher.update(id.as_bytes());
            hasher.update(b"\n");
        }
    }
    let own = hex(hasher);
    let now_ms = target_ms(there);
    match there.recall(MARK, now_ms).await? {
        Some(mark) if mark == own => Ok(count),
        Some(_) => Err(StoreError::Corrupt {
            what: "the Redis of state.url was filled from another folder, or this one has changed since; nothing was changed there: name an empty database or another state.prefix".to_owned(),
        }),
        None => {
            let depth = there.depth().await?;
            let waiting = depth.turns + depth.sends + depth.journal;
            if waiting > 0 {
                return Err(StoreError::Corrupt {
                    what: format!(
                        "the Redis of state.url serves other conversations already ({} wait for a turn, {} for sending, {} journal entries); nothing was changed there: name an empty database or another state.prefix",
                        depth.turns, depth.sends, depth.journal
                    ),
                });
            }
            there
                .remember(MARK, &own, now_ms.saturating_add(MARK_MS))
                .await?;
            Ok(count)
        }
    }
}

pub(super) async fn copy(
    here: &State,
    there: &redis::State,
    total: u64,
    watch: Watch<'_>,
) -> Result<Moved, StoreError> {
    watch(Progress::Begun {
        what: "moving the conversations",
        total,
    });
    for ids in pages_of_ids(here) {
        let page = wholes(here, &ids?)?;
        let moved = page.iter().map(|whole| put(there, whole));
        stream::iter(moved)
            .buffered(TOGETHER)
            .try_for_each(async |()| Ok(()))
            .await?;
        watch(Progress::Done(page.len() as u64));
    }
    for page in pages_of_facts(here) {
        let (page, now_ms) = (page?, target_ms(there));
        let moved = page
            .iter()
            .filter(|fact| fact.until_ms > now_ms)
            .map(|fact| put_fact(there, fact, now_ms));
        stream::iter(moved)
            .buffered(TOGETHER)
            .try_for_each(async |()| Ok(()))
            .await?;
    }
    for (name, to) in here.pointers()? {
        // Of one that points elsewhere already the comparison tells.
        if there.pointer(&name).await?.is_none() {
            there.point(&name, 0, &to).await?;
        }
    }
    compared(here, there, total, watch).await
}

/// Reads both sides in the order of the ids.
async fn compared(
    here: &State,
    there: &redis::State,
    total: u64,
    watch: Watch<'_>,
) -> Result<Moved, StoreError> {
    watch(Progress::Begun {
        what: "comparing the conversations",
        total,
    });
    let mut sides = Both::default();
    for ids in pages_of_ids(here) {
        let page = wholes(here, &ids?)?;
        let found: Vec<Option<Whole>> = stream::iter(page.iter())
            .map(|whole| there.whole(&whole.conversation))
            .buffered(TOGETHER)
            .try_collect()
            .await?;
        for (own, other) in page.iter().zip(found) {
            let other = other.map(|other| other.to_json()).transpose()?;
            sides.add(&own.conversation, &own.to_json()?, other.as_deref());
        }
        watch(Progress::Done(page.len() as u64));
    }
    let mut facts = Both::default();
    for page in pages_of_facts(here) {
        let (page, now_ms) = (page?, target_ms(there));
        let lasting: Vec<&Fact> = page.iter().filter(|fact| fact.until_ms > now_ms).collect();
        let found: Vec<Option<String>> = stream::iter(lasting.iter())
            .map(|fact| there.recall(&fact.key, now_ms))
            .buffered(TOGETHER)
            .try_collect()
            .await?;
        for (fact, other) in lasting.into_iter().zip(found) {
            // A key may be a secret's; it is not named.
            facts.add("a session or another fact", &fact.value, other.as_deref());
        }
    }
    let mut pointers = Both::default();
    for (name, to) in here.pointers()? {
        let other = there.pointer(&name).await?.map(|pointer| pointer.to);
        pointers.add(&name, &to, other.as_deref());
    }
    Ok(Moved {
        conversations: sides.ended(),
        facts: facts.ended(),
        pointers: pointers.ended(),
    })
}

/// All there are in order, read page by page: each from behind the last of the page before.
fn pages<T>(
    read: impl Fn(&str) -> Result<Vec<T>, StoreError>,
    key: impl Fn(&T) -> &str,
) -> impl Iterator<Item = Result<Vec<T>, StoreError>> {
    let mut after = String::new();
    std::iter::from_fn(move || {
        let page = read(&after);
        if let Ok(page) = &page {
            after = key(page.last()?).to_owned();
        }
        Some(page)
    })
    .fuse()
}

fn pages_of_ids(here: &State) -> impl Iterator<Item = Result<Vec<String>, StoreError>> {
    pages(|after| here.conversations(after, PAGE), |id| id)
}

fn pages_of_facts(here: &State) -> impl Iterator<Item = Result<Vec<Fact>, StoreError>> {
    pages(|after| here.facts(after, PAGE), |fact| &fact.key)
}

/// Conversations whole, as much of each as the target keeps.
fn wholes(here: &State, ids: &[String]) -> Result<Vec<Whole>, StoreError> {
    let mut wholes = Vec::with_capacity(ids.len());
    for id in ids {
        wholes.extend(here.whole(id)?.map(fitted));
    }
    Ok(wholes)
}

/// The newest of what the target keeps less of than a file does.
fn fitted(mut whole: Whole) -> Whole {
    let beyond = whole.seen.len().saturating_sub(SEEN_MAX);
    whole.seen.drain(..beyond);
    let mut bytes = 0;
    let kept = whole.feed.iter().rev().take_while(|item| {
        bytes += item.event.len() + item.data.len();
        bytes <= FEED_BYTES_MAX
    });
    let beyond = whole.feed.len() - kept.count();
    whole.feed.drain(..beyond);
    whole
}

async fn put(there: &redis::State, whole: &Whole) -> Result<(), StoreError> {
    if there.restore(whole, target_ms(there)).await? {
        return Ok(());
    }
    // An earlier run that was cut off put it there, or it is another one's.
    let found = there.whole(&whole.conversation).await?;
    if found.as_ref() == Some(whole) {
        return Ok(());
    }
    let there = match found {
        Some(found) => format!("differs (step {} there, ", found.counters.rev),
        None => "was put away there, so a server has run on it (".to_owned(),
    };
    Err(StoreError::Corrupt {
        what: format!(
            "conversation {} is on the target already and {there}step {} here); it was not overwritten: stop every server on the target, and name an empty database or another state.prefix",
            whole.conversation, whole.counters.rev
        ),
    })
}

async fn put_fact(there: &redis::State, fact: &Fact, now_ms: i64) -> Result<(), StoreError> {
    match there.recall(&fact.key, now_ms).await? {
        Some(value) if value == fact.value => Ok(()),
        Some(_) => Err(StoreError::Corrupt {
            what: "a session or another fact is on the target already and differs; it was not overwritten: stop every server on the target, and name an empty database or another state.prefix".to_owned(),
        }),
        None => there.remember(&fact.key, &fact.value, fact.until_ms).await,
    }
}

fn target_ms(there: &redis::State) -> i64 {
    now_ms().saturating_add(there.ahead_ms())
}

#[derive(Default)]
struct Both {
    here: Sha256,
    there: Sha256,
    sides: Sides,
}

impl Both {
    fn add(&mut self, name: &str, own: &str, other: Option<&str>) {
        self.sides.count += 1;
        put_in(&mut self.here, own);
        if let Some(other) = other {
            self.sides.count_there += 1;
            put_in(&mut self.there, other);
        }
        if other != Some(own) && self.sides.differs.is_none() {
            self.sides.differs = Some(name.to_owned());
        }
    }

    fn ended(self) -> Sides {
        Sides {
            hash: hex(self.here),
            hash_there: hex(self.there),
            ..self.sides
        }
    }
}

fn put_in(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

fn hex(hasher: Sha256) -> String {
    hex::encode(hasher.finalize())
}
