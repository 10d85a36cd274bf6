//! After the storm: every acknowledged message once, in order, with one answer, and the three books agree.

use super::Customer;
use adapters::{WORDS_EVENT, Words};
use bot::store::embedded::State;
use bot::store::records::Records;
use bot::store::{RecordStore, StateStore};
use dialogs::conversation::Conversation;
use dialogs::event::{Event, Said};
use dialogs::reply::{Reply, ReplyPart};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was found wrong; all zero is a storm survived.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub conversations: usize,
    pub messages: usize,
    pub sent_again: usize,
    pub turns: usize,
    pub lost: usize,
    pub lost_messages: Vec<String>,
    pub out_of_order: usize,
    pub run_twice: usize,
    /// Choices that were heard of.
    pub pressed: usize,
    pub answered_twice: usize,
    pub unanswered: usize,
    /// What a platform never got, with the conversation.
    pub unsent: Vec<String>,
    /// Replies that came twice over a platform's API: by their nature where a sender was killed with one in flight.
    pub sent_twice: BTreeMap<String, usize>,
    pub fold_differs: usize,
    pub records_differ: usize,
}

impl Books {
    pub fn clean(&self) -> bool {
        [
            self.lost,
            self.out_of_order,
            self.run_twice,
            self.answered_twice,
            self.unanswered,
            self.fold_differs,
            self.records_differ,
        ]
        .iter()
        .all(|wrong| *wrong == 0)
    }
}

pub async fn check(customers: &[Customer], data: &Path) -> Books {
    check_on(customers, &State::open(data).unwrap(), data).await
}

/// The same where the state is not in the data folder.
pub async fn check_on(customers: &[Customer], state: &impl StateStore, data: &Path) -> Books {
    let records = Records::in_folder(data).await.unwrap();
    check_with(customers, state, &records).await
}

/// The same where nothing is in the data folder.
pub async fn check_with(
    customers: &[Customer],
    state: &impl StateStore,
    records: &impl RecordStore,
) -> Books {
    let told: Vec<Told<'_>> = customers
        .iter()
        .map(|customer| Told {
            conversation: &customer.conversation,
            acknowledged: &customer.acknowledged,
            unsure: &[],
            sent_again: customer.sent_again,
            sent: None,
        })
        .collect();
    check_told(&told, state, records).await
}

/// What one customer knows.
pub struct Told<'a> {
    pub conversation: &'a str,
    /// Ids in the order in which they were acknowledged.
    pub acknowledged: &'a [String],
    /// Ids of which nobody can tell whether the shop has them.
    pub unsure: &'a [String],
    pub sent_again: usize,
    /// What came over a platform's API; without it, the answers are in the feed.
    pub sent: Option<&'a [String]>,
}

/// The same for whoever spoke.
pub async fn check_told(
    customers: &[Told<'_>],
    state: &impl StateStore,
    records: &impl RecordStore,
) -> Books {
    let mut books = Books::default();
    for customer in customers {
        let id = customer.conversation;
        books.conversations += 1;
        books.messages += customer.acknowledged.len();
        books.sent_again += customer.sent_again;
        let log = state.log(id, 0, usize::MAX).await.unwrap();
        let kept = records.events(id, 0, 100_000).await.unwrap();
        let Some(snapshot) = state.snapshot(id).await.unwrap() else {
            books.lost_messages.extend_from_slice(customer.acknowledged);
            continue;
        };
        // A store may keep only the end of the log.
        let same =
            kept.len() as u64 == snapshot.rev && log.iter().all(|entry| kept.contains(entry));
        books.records_differ += usize::from(!same);
        books.turns += kept.len();
        let events: Vec<Event> = kept
            .iter()
            .flat_map(|entry| entry.events.iter())
            .map(|event| serde_json::from_str(event).unwrap())
            .collect();

        let heard: Vec<String> = events
            .iter()
            .filter_map(|event| match event {
                Event::Heard {
                    event_id,
                    said: Said::Text(_),
                    ..
                } => Some(event_id.split('#').next().unwrap().to_owned()),
                _ => None,
            })
            .collect();
        let distinct: BTreeSet<&String> = heard.iter().collect();
        books.run_twice += heard.len() - distinct.len();
        let pressed: Vec<&String> = events.iter().filter_map(press).collect();
        let once: BTreeSet<&&String> = pressed.iter().collect();
        books.run_twice += pressed.len() - once.len();
        books.pressed += once.len();
        let gone = customer
            .acknowledged
            .iter()
            .filter(|id| !distinct.contains(id));
        books.lost_messages.extend(gone.cloned());
        let mut firsts = Vec::new();
        for id in &heard {
            if !firsts.contains(id) && !customer.unsure.contains(id) {
                firsts.push(id.clone());
            }
        }
        books.out_of_order += usize::from(firsts != customer.acknowledged);

        let folded = Conversation::fold(dialogs::Language::Zh, &events);
        let stored: Conversation = serde_json::from_str(&snapshot.state).unwrap();
        books.fold_differs += usize::from(folded != stored);

        if let Some(sent) = customer.sent {
            let (missing, twice) = compared(&events, sent);
            books.unanswered += missing.len();
            let named = missing.into_iter().map(|line| format!("{id}: {line}"));
            books.unsent.extend(named);
            if twice > 0 {
                books.sent_twice.insert(id.to_owned(), twice);
            }
            continue;
        }
        let feed = state.feed(id, 0, usize::MAX).await.unwrap();
        // What is only shown in answers has no id.
        let words: Vec<String> = feed
            .iter()
            .filter(|item| item.event == WORDS_EVENT)
            .filter_map(|item| serde_json::from_str::<Words>(&item.data).ok())
            .flat_map(|words| words.texts)
            .collect();
        if !words.is_empty() {
            let (missing, twice) = compared(&events, &words);
            books.unanswered += missing.len();
            books.answered_twice += twice;
            let named = missing.into_iter().map(|line| format!("{id}: {line}"));
            books.unsent.extend(named);
            continue;
        }
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        for item in feed {
            if item.event == "message" {
                let data: serde_json::Value = serde_json::from_str(&item.data).unwrap();
                *answers
                    .entry(data["id"].as_str().unwrap().to_owned())
                    .or_default() += 1;
            }
        }
        books.answered_twice += answers.values().filter(|count| **count > 1).count();
        books.unanswered += events
            .iter()
            .filter(|event| matches!(event, Event::Replied { id, .. } if !answers.contains_key(id)))
            .count();
    }
    books.lost = books.lost_messages.len();
    books
}

fn press(event: &Event) -> Option<&String> {
    match event {
        Event::Heard {
            event_id,
            said: Said::Choice(_),
            ..
        } => Some(event_id),
        _ => None,
    }
}

/// Replies that never came over the platform, and those that came more than once: each is known by its first line.
fn compared(events: &[Event], sent: &[String]) -> (Vec<String>, usize) {
    let replies = events.iter().filter_map(|event| match event {
        Event::Replied { reply, .. } => Some(reply),
        _ => None,
    });
    let replies: Vec<Vec<String>> = replies.map(lines).collect();
    let firsts = replies.iter().filter_map(|lines| lines.first().cloned());
    let mut counts: BTreeMap<String, (usize, usize)> = firsts.map(|line| (line, (0, 0))).collect();
    // What begins one reply may also stand within another.
    for line in replies.iter().flatten() {
        if let Some((decided, _)) = counts.get_mut(line) {
            *decided += 1;
        }
    }
    for line in sent.iter().flat_map(|message| message.lines()) {
        if let Some((_, came)) = counts.get_mut(&letters(line)) {
            *came += 1;
        }
    }
    let twice = counts
        .values()
        .map(|(decided, came)| came.saturating_sub(*decided));
    let twice = twice.sum();
    let missing = counts
        .into_iter()
        .filter(|(_, (decided, came))| came < decided);
    (missing.map(|(line, _)| line).collect(), twice)
}

fn lines(reply: &Reply) -> Vec<String> {
    let texts = reply.parts.iter().filter_map(|part| match part {
        ReplyPart::Text { text } => Some(text),
        _ => None,
    });
    let lines = texts.flat_map(|text| text.lines()).map(letters);
    lines.filter(|line| !line.is_empty()).collect()
}

/// What is left of a line whatever marks a platform wants.
fn letters(line: &str) -> String {
    line.chars().filter(|c| c.is_alphanumeric()).collect()
}
