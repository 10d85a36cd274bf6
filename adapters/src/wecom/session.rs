//! In which state a conversation is at WeCom (智能助手, 待接入池, 人工, 结束), so that nothing is sent where it would be refused.
//!
//! What is known lies in [`Keep`]: the job that pulls sees the changes, and whichever replica sends looks there first. WeCom itself is asked where nothing is known, where a person may have the conversation, and after a refusal.

use super::client::Api;
use super::message::account_and_user;
use super::outcome::{Failed, wait_ms};
use crate::keep::alone;
use crate::{Keep, Unkept};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long a state is believed, milliseconds: as long as the shop may write after a customer did.
const STATE_KEPT_MS: u64 = 48 * 60 * 60 * 1000;

/// Conversations of an account that wait for somebody to receive; a customer who waits longer than two days has to write again anyway.
const WAITING_MAX: usize = 1_000;
/// How many of them are handed over at one look.
const HANDED_OFF_MAX: usize = 16;
/// Of a person: takes customers.
const RECEIVES: u8 = 0;

/// Nobody has it yet.
const FRESH: u8 = 0;
/// The shop's agent has it.
pub(super) const AGENT: u8 = 1;
/// It waits for a person at WeCom's desk.
pub(super) const POOL: u8 = 2;
/// A person at WeCom's desk has it.
const PERSON: u8 = 3;
/// The customer's next message opens it anew.
const ENDED: u8 = 4;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub number: u8,
    /// Who at WeCom's desk has it.
    pub person: String,
    /// The shop was told that the desk has it.
    pub told: bool,
}

impl State {
    fn of(number: u8) -> Self {
        Self {
            number,
            person: String::new(),
            told: false,
        }
    }

    pub(super) fn with(person: &str, told: bool) -> Self {
        Self {
            number: PERSON,
            person: person.to_owned(),
            told,
        }
    }

    pub(super) fn ended() -> Self {
        Self::of(ENDED)
    }

    /// Nobody here may write.
    pub(super) fn is_at_desk(&self) -> bool {
        matches!(self.number, POOL | PERSON)
    }
}

/// Why nothing may be sent.
#[derive(Debug)]
pub(super) enum Closed {
    AtDesk,
    /// Until the customer writes.
    Over,
    /// Nobody receives at WeCom's desk now; it gets the conversation when somebody does.
    NobodyThere,
    /// Nobody could tell; nothing was sent.
    Failed(Failed),
}

pub(super) struct Sessions {
    pub api: Arc<Api>,
    pub keep: Arc<dyn Keep>,
    /// Lists of who waits are changed one at a time.
    pub changing: Mutex<()>,
}

impl Sessions {
    pub(super) async fn state(&self, place: &str) -> Result<Option<State>, Unkept> {
        let kept = self.keep.recall(&state_key(place)).await?;
        // What cannot be read is of another version.
        Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()))
    }

    pub(super) async fn keep_state(&self, place: &str, state: &State) -> Result<(), Unkept> {
        // Numbers and texts always have a JSON form.
        let text = serde_json::to_string(state).unwrap_or_default();
        let until_ms = self.keep.now_ms().saturating_add_unsigned(STATE_KEPT_MS);
        self.keep.remember(&state_key(place), &text, until_ms).await
    }

    /// Sees to it that the shop's agent has the conversation; a new one is taken before anybody else gets it.
    pub(super) async fn open(&self, place: &str) -> Result<(), Closed> {
        match self.state(place).await {
            Ok(Some(State { number: AGENT, .. })) => Ok(()),
            Ok(_) | Err(Unkept) => self.look(place).await,
        }
    }

    /// The same, as WeCom sees it now.
    pub(super) async fn look(&self, place: &str) -> Result<(), Closed> {
        let (account, user) = account_and_user(place);
        let asked = self.api.state(account, user).await;
        let (mut number, person) = asked.map_err(Closed::Failed)?;
        if number == FRESH {
            match self.api.move_to(account, user, AGENT).await {
                Ok(()) => number = AGENT,
                // It may be sent in this state too, and whoever was quicker shows at the send.
                Err(Failed::Refused { .. }) => return Ok(()),
                Err(failed) => return Err(Closed::Failed(failed)),
            }
        }
        let before = self.state(place).await.unwrap_or_default();
        let told = before.is_some_and(|before| {
            before.told && before.number == number && before.person == person
        });
        let now = State {
            number,
            person,
            told,
        };
        // Unkept, it is asked again.
        let _ = self.keep_state(place, &now).await;
        match now.number {
            AGENT => Ok(()),
            _ if now.is_at_desk() => Err(Closed::AtDesk),
            _ => Err(Closed::Over),
        }
    }

    /// Gives the conversation to WeCom's own desk, where whoever is free takes it. WeCom is asked first: a try before may have done it.
    ///
    /// In the pool nobody here may write. So while nobody receives there, the conversation stays with the agent, and waits.
    pub(super) async fn hand_off(&self, place: &str) -> Result<(), Closed> {
        match self.look(place).await {
            Err(Closed::AtDesk) => return Ok(()),
            opened => opened?,
        }
        let (account, user) = account_and_user(place);
        if !self.is_attended(account).await {
            let added = self.waits_for_the_desk(account, |places| {
                if !places.iter().any(|waiting| waiting == place) {
                    places.push(place.to_owned());
                }
            });
            return match added.await {
                Ok(()) => Err(Closed::NobodyThere),
                Err(Unkept) => Err(Closed::Failed(Failed::Busy)),
            };
        }
        let moved = self.api.move_to(account, user, POOL).await;
        moved.map_err(Closed::Failed)?;
        // Unkept, the next send is refused, and then it is known.
        let _ = self.keep_state(place, &State::of(POOL)).await;
        Ok(())
    }

    /// False where WeCom names people and none of them receives now. Of departments it does not tell, and where it tells nothing the pool itself says no.
    async fn is_attended(&self, account: &str) -> bool {
        let Ok(servicers) = self.api.servicers(account).await else {
            return true;
        };
        let mut people = servicers
            .iter()
            .filter(|who| !who.userid.is_empty())
            .peekable();
        people.peek().is_none() || people.any(|who| who.status == RECEIVES)
    }

    /// Conversations that were handed over while nobody received, once somebody does. Asked by the replica that reads the account.
    pub(super) async fn hand_off_waiting(&self, account: &str) {
        let kept = self.keep.recall(&desk_key(account)).await;
        let waiting = kept.ok().flatten().map(|kept| places(&kept));
        let waiting = waiting.unwrap_or_default();
        if waiting.is_empty() || !self.is_attended(account).await {
            return;
        }
        for place in waiting.iter().take(HANDED_OFF_MAX) {
            let stays = match self.hand_off(place).await {
                Ok(()) | Err(Closed::AtDesk) => false,
                // The customer's next message opens it anew; until then others come first.
                Err(Closed::Over) => true,
                // What time does not help with is the reps' of the shop.
                Err(Closed::Failed(failed @ Failed::Refused { .. }))
                    if wait_ms(&failed).is_none() =>
                {
                    false
                }
                Err(Closed::Failed(_) | Closed::NobodyThere) => return,
            };
            let looked_at = self.waits_for_the_desk(account, |places| {
                places.retain(|waiting| waiting != place);
                if stays {
                    places.push(place.clone());
                }
            });
            // Unkept, WeCom tells the next time that it is at the desk.
            let _ = looked_at.await;
        }
    }

    /// It is not handed over any more: somebody of the shop has it, or it ended.
    pub(super) async fn forget_the_desk(&self, place: &str) -> Result<(), Unkept> {
        let (account, _) = account_and_user(place);
        let kept = self.keep.recall(&desk_key(account)).await?;
        if !kept.is_some_and(|kept| places(&kept).iter().any(|waiting| waiting == place)) {
            return Ok(());
        }
        self.waits_for_the_desk(account, |places| places.retain(|waiting| waiting != place))
            .await
    }

    /// Changes the list of an account, one replica at a time.
    async fn waits_for_the_desk(
        &self,
        account: &str,
        change: impl FnOnce(&mut Vec<String>) + Send,
    ) -> Result<(), Unkept> {
        let key = desk_key(account);
        let changed = async {
            let kept = self.keep.recall(&key).await?;
            let mut waiting = kept.map(|kept| places(&kept)).unwrap_or_default();
            change(&mut waiting);
            let surplus = waiting.len().saturating_sub(WAITING_MAX);
            waiting.drain(..surplus);
            let text = serde_json::to_string(&waiting).unwrap_or_default();
            let until_ms = self.keep.now_ms().saturating_add_unsigned(STATE_KEPT_MS);
            self.keep.remember(&key, &text, until_ms).await
        };
        alone(&*self.keep, &self.changing, &key, changed).await
    }

    /// A code to welcome somebody who has just come in; once, and only while it is good.
    pub(super) async fn welcome(&self, place: &str) -> Option<String> {
        let kept = self.keep.recall(&welcome_key(place)).await.ok()??;
        Some(kept).filter(|code| !code.is_empty())
    }

    pub(super) async fn keep_welcome(
        &self,
        place: &str,
        code: &str,
        until_ms: i64,
    ) -> Result<(), Unkept> {
        let key = welcome_key(place);
        self.keep.remember(&key, code, until_ms).await
    }

    /// By which link a customer came back who has not said anything since.
    pub(super) async fn came_back(&self, place: &str) -> Result<Option<String>, Unkept> {
        let kept = self.keep.recall(&came_back_key(place)).await?;
        Ok(kept.filter(|campaign| !campaign.is_empty()))
    }

    pub(super) async fn keep_came_back(&self, place: &str, campaign: &str) -> Result<(), Unkept> {
        let until_ms = self.keep.now_ms().saturating_add_unsigned(STATE_KEPT_MS);
        let key = came_back_key(place);
        self.keep.remember(&key, campaign, until_ms).await
    }

    pub(super) async fn forget_came_back(&self, place: &str) {
        // Kept, it is told once more, which changes nothing.
        let now_ms = self.keep.now_ms();
        let _ = self.keep.remember(&came_back_key(place), "", now_ms).await;
    }

    pub(super) async fn forget_welcome(&self, place: &str) {
        // Kept, the code is refused the next time, and the message leaves without it.
        let now_ms = self.keep.now_ms();
        let _ = self.keep.remember(&welcome_key(place), "", now_ms).await;
    }
}

/// What another version wrote is nothing.
fn places(kept: &str) -> Vec<String> {
    serde_json::from_str(kept).unwrap_or_default()
}

/// Who waits for somebody to receive on an account.
fn desk_key(account: &str) -> String {
    format!("wecom:desk:{account}")
}

fn state_key(place: &str) -> String {
    format!("wecom:session:{place}")
}

fn came_back_key(place: &str) -> String {
    format!("wecom:came:{place}")
}

fn welcome_key(place: &str) -> String {
    format!("wecom:welcome:{place}")
}
