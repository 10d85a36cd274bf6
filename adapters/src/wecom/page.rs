//! What one page of messages comes to: arrivals in order, and what they do to their conversations' states.

use super::NAME;
use super::client::{ANSWER_BYTES_MAX, Page};
use super::message::{self, Read};
use super::session::{Sessions, State};
use crate::{Arrival, DeskAct, Door, InboundBody, Pulled, Unkept};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is done once a page is durable.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Then {
    /// The account was read to the end of what this note told.
    Read { account: String, note: String },
    /// The shop knows that the desk has it.
    Told { place: String },
    /// A new conversation: the agent's, before the desk takes it.
    Take { place: String },
    /// By which link the customer came back was told with what they said.
    CameBack { place: String },
}

/// A page as it is read.
struct Reading {
    pulled: Pulled,
    states: BTreeMap<String, Option<State>>,
    changed: BTreeSet<String>,
    to_take: BTreeSet<String>,
    /// By which link customers came back who have not said anything since.
    came_back: BTreeMap<String, Option<String>>,
    /// Of whom this page says something of that kind.
    came_or_told: BTreeSet<String>,
}

/// All messages of a page; what was said before a time is not answered any more. States and codes are kept before the page is durable, since an answer on its way needs them; read again, the page gives the same.
pub(super) async fn read_page(
    sessions: &Sessions,
    account: &str,
    page: &Page,
    answered_from_ms: i64,
) -> Result<Pulled, Unkept> {
    let mut reading = Reading {
        pulled: nothing(),
        states: BTreeMap::new(),
        changed: BTreeSet::new(),
        to_take: BTreeSet::new(),
        came_back: BTreeMap::new(),
        came_or_told: BTreeSet::new(),
    };
    let mut old = 0;
    if page.is_passed_over {
        let what = format!("a message is longer than {ANSWER_BYTES_MAX} bytes");
        reading.pulled.unread.push(what);
    }
    for message in &page.messages {
        let mut read = match message::read(message, account) {
            Ok(read) => read,
            Err(what) => {
                reading.pulled.unread.push(what);
                continue;
            }
        };
        let said_at_ms = match &read.arrival {
            Some(Arrival::Said(said) | Arrival::Pressed(said)) => said.sent_at_ms,
            _ => i64::MAX,
        };
        if said_at_ms < answered_from_ms {
            old += 1;
            read.arrival = None;
            read.welcome = None;
            read.is_customer = false;
        }
        if !read.place.is_empty() && !reading.states.contains_key(&read.place) {
            let state = sessions.state(&read.place).await?;
            reading.states.insert(read.place.clone(), state);
            let campaign = sessions.came_back(&read.place).await?;
            reading.came_back.insert(read.place.clone(), campaign);
        }
        if read.came_back.is_some() {
            let campaign = read.came_back.take();
            reading.came_back.insert(read.place.clone(), campaign);
            reading.came_or_told.insert(read.place.clone());
        }
        if let Some((code, until_ms)) = &read.welcome {
            sessions.keep_welcome(&read.place, code, *until_ms).await?;
        }
        reading.follow(read);
    }
    for place in &reading.changed {
        if let Some(Some(state)) = reading.states.get(place) {
            sessions.keep_state(place, state).await?;
        }
    }
    let mut pulled = reading.pulled;
    for place in reading.came_or_told {
        match reading.came_back.get(&place) {
            Some(Some(campaign)) => sessions.keep_came_back(&place, campaign).await?,
            _ => pulled.then(&Then::CameBack { place }),
        }
    }
    if old > 0 {
        let what = format!("{old} messages were said before the first connection");
        pulled.unread.push(what);
    }
    for place in reading.to_take {
        // One that is the agent's already is passed over at no cost.
        pulled.then(&Then::Take { place });
    }
    Ok(pulled)
}

impl Reading {
    fn follow(&mut self, mut read: Read) {
        self.pulled.unread.extend(read.unread.take());
        let state = self.states.entry(read.place.clone()).or_default();
        let desk = state.as_mut().filter(|state| state.is_at_desk());
        let was_at_desk = desk.is_some();
        // An end may not say whose it was.
        let known = desk.as_ref().map(|desk| desk.person.clone());
        let known = known.filter(|person| !person.is_empty());
        if let Some(desk) = desk
            && !desk.told
            && let Some(taken) = taken(&read, &desk.person)
        {
            desk.told = true;
            self.pulled.arrivals.push(taken);
            let place = read.place.clone();
            self.pulled.then(&Then::Told { place });
        }
        if read.is_customer && !was_at_desk {
            self.to_take.insert(read.place.clone());
        }
        if let Some(next) = read.state.take() {
            *state = Some(next);
            self.changed.insert(read.place.clone());
        }
        let mut arrival = read.arrival.take();
        if let Some(Arrival::Said(said)) = &mut arrival
            && !matches!(said.body, InboundBody::Came { .. })
            && let Some(campaign) = self.came_back.get_mut(&read.place).and_then(Option::take)
        {
            let means = std::mem::replace(&mut said.body, InboundBody::Text(String::new()));
            said.body = InboundBody::Came {
                door: Door::Link,
                campaign: Some(campaign),
                means: Box::new(means),
            };
            self.came_or_told.insert(read.place.clone());
        }
        if let Some(Arrival::Desk {
            person,
            act: DeskAct::Ended,
            ..
        }) = &mut arrival
            && person == NAME
            && let Some(known) = known
        {
            *person = known;
        }
        self.pulled.arrivals.extend(arrival);
        let closed = read.closed.take();
        let closed = closed.map(|(address, at_ms)| Arrival::Closed { address, at_ms });
        self.pulled.arrivals.extend(closed);
    }
}

/// The desk has it, though no event told so: before the customer's next words, so that the shop does not answer them.
fn taken(read: &Read, person: &str) -> Option<Arrival> {
    let (Some(Arrival::Said(said)) | Some(Arrival::Pressed(said))) = &read.arrival else {
        return None;
    };
    Some(Arrival::Desk {
        address: said.address.clone(),
        event_id: format!("{}.desk", said.event_id),
        person: match person {
            "" => NAME.to_owned(),
            person => person.to_owned(),
        },
        act: DeskAct::Took,
    })
}

pub(super) fn nothing() -> Pulled {
    Pulled {
        arrivals: Vec::new(),
        unread: Vec::new(),
        cursor: None,
        to_confirm: Vec::new(),
    }
}

impl Pulled {
    pub(super) fn then(&mut self, then: &Then) {
        // Names always have a JSON form.
        self.to_confirm.extend(serde_json::to_string(then));
    }
}
