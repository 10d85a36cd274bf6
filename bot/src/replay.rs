//! Running a logged turn again: the same letters, state, versions and completions must give the same bytes.

use crate::convert;
use crate::mail::{Mail, RepAction};
use crate::model::Tape;
use crate::shop::{GOODS, POLICY, Shop};
use crate::store::RecordStore;
use crate::turn::{Letter, Turn, run};
use adapters::{Address, Inbound, InboundBody};
use dialogs::Language;
use dialogs::conversation::Conversation;
use dialogs::event::{Event, Said};
use dialogs::model::Completion;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Log entries read from the records in one page.
const PAGE: usize = 1_000;

pub struct Report {
    pub conversation: String,
    pub turns: usize,
    pub differences: Vec<Difference>,
}

/// The first event of a turn that is not what the log says.
pub struct Difference {
    pub turn: u64,
    pub logged: String,
    pub replayed: String,
}

/// Replays one conversation from the records, or one turn of it.
pub async fn conversation(
    records: &dyn RecordStore,
    id: &str,
    only: Option<u64>,
) -> anyhow::Result<Report> {
    let mut report = Report {
        conversation: id.to_owned(),
        turns: 0,
        differences: Vec::new(),
    };
    let mut shops = Shops::new();
    let mut state: Option<Conversation> = None;
    let mut after = 0;
    loop {
        let page = records.events(id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(report);
        };
        after = last.rev;
        for entry in &page {
            let events = entry
                .events
                .iter()
                .map(|event| serde_json::from_str::<Event>(event))
                .collect::<Result<Vec<Event>, _>>()?;
            let Some(Event::TurnStarted {
                turn,
                at_ms,
                policy,
                shop,
            }) = events.first()
            else {
                continue;
            };
            let shop = version(records, &mut shops, policy, shop).await?;
            let before = state.take().unwrap_or_else(|| {
                let languages = &shop.dialog.profile.languages;
                Conversation::new(languages.first().copied().unwrap_or(Language::Zh))
            });
            if only.is_none_or(|only| only == *turn) {
                report.turns += 1;
                let replayed = again(id, &before, &events, *at_ms, &shop).await;
                report
                    .differences
                    .extend(difference(*turn, &entry.events, &replayed));
            }
            let mut next = before;
            for event in &events {
                next.apply(event);
            }
            state = Some(next);
        }
    }
}

/// Runs one turn again and gives its events as they would be logged.
pub async fn again(
    id: &str,
    before: &Conversation,
    logged: &[Event],
    at_ms: i64,
    shop: &Shop,
) -> Vec<String> {
    let tape: Vec<Completion> = logged
        .iter()
        .filter_map(|event| match event {
            Event::Completed { completion, .. } => Some(completion.clone()),
            _ => None,
        })
        .collect();
    let has_model = !tape.is_empty();
    let tape = Tape::new(tape);
    let outcome = run(Turn {
        id,
        conversation: before.clone(),
        letters: letters(id, logged),
        at_ms,
        shop,
        model: has_model.then_some(&tape),
    })
    .await;
    outcome
        .events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap_or_default())
        .collect()
}

/// The letters of a turn, as its log has them.
fn letters(id: &str, logged: &[Event]) -> Vec<Letter> {
    let Ok(address) = id.parse::<Address>() else {
        return Vec::new();
    };
    let mut letters = Vec::new();
    for (at, event) in logged.iter().enumerate() {
        let Event::Heard {
            event_id,
            at_ms,
            said,
        } = event
        else {
            continue;
        };
        let came = at.checked_sub(1).and_then(|before| logged.get(before));
        let whole = |means| match came {
            Some(Event::Came { door, campaign }) => InboundBody::Came {
                door: convert::door_back(*door),
                campaign: campaign.clone(),
                means: Box::new(means),
            },
            _ => means,
        };
        let inbound = |body| Mail::Customer {
            inbound: Inbound {
                address: address.clone(),
                event_id: event_id.clone(),
                sent_at_ms: *at_ms,
                body: whole(body),
            },
        };
        let mail = match said {
            Said::Text(text) => inbound(InboundBody::Text(text.clone())),
            Said::Choice(choice) => inbound(InboundBody::Choice(choice.clone())),
            Said::File {
                kind,
                caption,
                name,
                provider_id,
            } => inbound(InboundBody::File(adapters::File {
                kind: convert::file_kind_back(*kind),
                caption: caption.clone(),
                name: name.clone(),
                provider_id: provider_id.clone(),
            })),
            Said::Rep(rep) => {
                let action = rep_action(logged.get(at + 1..).unwrap_or_default());
                Mail::Rep {
                    rep: rep.clone(),
                    action,
                }
            }
        };
        letters.push(Letter {
            event_id: event_id.clone(),
            mail,
        });
    }
    letters
}

/// What a rep did, by what followed from it; what changed nothing was a taking of what was theirs.
fn rep_action(after: &[Event]) -> RepAction {
    let said = |text: &String, elsewhere: bool| match elsewhere {
        true => RepAction::Wrote { text: text.clone() },
        false => RepAction::Say { text: text.clone() },
    };
    match after {
        [
            Event::RepSaid {
                text, elsewhere, ..
            },
            ..,
        ]
        | [
            Event::Taken { .. },
            Event::RepSaid {
                text,
                elsewhere: elsewhere @ true,
                ..
            },
            ..,
        ] => said(text, *elsewhere),
        [Event::HandedBack { .. }, ..] => RepAction::HandBack,
        _ => RepAction::Take,
    }
}

fn difference(turn: u64, logged: &[String], replayed: &[String]) -> Option<Difference> {
    let longest = logged.len().max(replayed.len());
    (0..longest).find_map(|at| {
        let (was, is) = (logged.get(at), replayed.get(at));
        (was != is).then(|| Difference {
            turn,
            logged: was.cloned().unwrap_or_else(|| "(nothing more)".to_owned()),
            replayed: is.cloned().unwrap_or_else(|| "(nothing more)".to_owned()),
        })
    })
}

/// The shops of a conversation, by the versions of policy and goods.
type Shops = BTreeMap<(String, String), Arc<Shop>>;

async fn version(
    records: &dyn RecordStore,
    shops: &mut Shops,
    policy: &str,
    goods: &str,
) -> anyhow::Result<Arc<Shop>> {
    let key = (policy.to_owned(), goods.to_owned());
    if let Some(shop) = shops.get(&key) {
        return Ok(Arc::clone(shop));
    }
    let mut bundles = Vec::new();
    for (kind, id) in [(POLICY, policy), (GOODS, goods)] {
        let bundle = records.version(kind, id).await?;
        bundles.push(
            bundle.ok_or_else(|| anyhow::anyhow!("{kind} version {id} is not in the records"))?,
        );
    }
    let shop = Arc::new(Shop::from_bundles(&bundles, &BTreeMap::new())?);
    shops.insert(key, Arc::clone(&shop));
    Ok(shop)
}
