//! How often a platform still lets the shop write to a customer: opened by what the customer does, spent by what leaves.
//!
//! Two facts a conversation, each with one writer at a time: what opened (whoever takes an arrival) and what was spent (the sender that has the lease). A window is named by the event that opened it, so a new one begins to count by itself.

use crate::store::{StateStore, StoreError};
use adapters::{Channel, Inbound, InboundBody, Window};
use serde::{Deserialize, Serialize};

/// Messages of a window that the bot's replies leave to a handoff or to a person.
pub(super) const KEPT_BACK: u32 = 1;
/// How long what was said waits for the customer to write again, milliseconds; after that it stands in the transcript alone.
pub(super) const WAITS_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Windows that are known at once: by words, and by a touch.
const KINDS: usize = 2;
/// Counts that are kept: late repetitions of a delivery may name a window before.
const COUNTS_MAX: usize = 2 * KINDS;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    by: String,
    is_touch: bool,
    at_ms: i64,
    until_ms: i64,
    messages: u32,
}

/// What the customer has opened, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Opened(Vec<Open>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Spent {
    counts: Vec<(String, u32)>,
    /// Something waits for the customer's next message.
    #[serde(default)]
    waits: bool,
}

/// What a conversation's windows still take.
#[derive(Clone, Debug)]
pub(super) struct Left {
    opened: Opened,
    spent: Spent,
}

/// The channel's window, where it counts messages.
fn counted(channel: &dyn Channel) -> Option<(Window, u32)> {
    let window = channel.capabilities().window?;
    Some((window, window.messages_max?))
}

fn opened_key(conversation: &str) -> String {
    format!("window:{conversation}")
}

fn spent_key(conversation: &str) -> String {
    format!("spent:{conversation}")
}

/// What a customer does opens a window, durably before it is accepted: accepted without one, the answer might wait for ever.
pub(super) async fn open(
    state: &dyn StateStore,
    channel: &dyn Channel,
    inbound: &Inbound,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Some((window, messages_max)) = counted(channel) else {
        return Ok(());
    };
    let touch = match &inbound.body {
        InboundBody::Choice(_) | InboundBody::Came { .. } => window.after_touch,
        InboundBody::Text(_) | InboundBody::File(_) => None,
    };
    let (open_ms, messages) = touch.map_or((window.open_ms, messages_max), |t| {
        (t.open_ms, t.messages_max)
    });
    let at_ms = inbound.sent_at_ms.min(now_ms);
    let new = Open {
        by: inbound.event_id.clone(),
        is_touch: touch.is_some(),
        at_ms,
        until_ms: at_ms.saturating_add_unsigned(open_ms),
        messages,
    };
    let conversation = inbound.address.as_str();
    let mut opened = opened(state, conversation, now_ms).await?;
    let of_kind = |open: &Open| open.is_touch == new.is_touch;
    // A repetition, or one that was overtaken, opens nothing.
    if opened
        .0
        .iter()
        .any(|open| of_kind(open) && (open.by == new.by || open.at_ms > new.at_ms))
    {
        return Ok(());
    }
    opened.0.retain(|open| !of_kind(open));
    opened.0.push(new);
    opened.0.truncate(KINDS);
    keep_opened(state, conversation, &opened, now_ms).await
}

/// What was open at a time takes nothing more: the platform told so afterwards.
pub(super) async fn close(
    state: &dyn StateStore,
    channel: &dyn Channel,
    conversation: &str,
    at_ms: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    if counted(channel).is_none() {
        return Ok(());
    }
    let mut opened = opened(state, conversation, now_ms).await?;
    for open in opened.0.iter_mut().filter(|open| open.at_ms < at_ms) {
        open.messages = 0;
    }
    keep_opened(state, conversation, &opened, now_ms).await
}

async fn keep_opened(
    state: &dyn StateStore,
    conversation: &str,
    opened: &Opened,
    now_ms: i64,
) -> Result<(), StoreError> {
    let until_ms = opened.0.iter().map(|open| open.until_ms).max();
    let text = serde_json::to_string(opened).unwrap_or_default();
    let key = opened_key(conversation);
    state
        .remember(&key, &text, until_ms.unwrap_or(now_ms))
        .await
}

/// What waited for the customer leaves now; asked after their message was accepted.
pub(super) async fn release(
    state: &dyn StateStore,
    channel: &dyn Channel,
    conversation: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    if counted(channel).is_some() && spent(state, conversation, now_ms).await?.waits {
        state.hasten(conversation, now_ms).await?;
    }
    Ok(())
}

async fn opened(
    state: &dyn StateStore,
    conversation: &str,
    now_ms: i64,
) -> Result<Opened, StoreError> {
    let kept = state.recall(&opened_key(conversation), now_ms).await?;
    Ok(read(kept))
}

async fn spent(
    state: &dyn StateStore,
    conversation: &str,
    now_ms: i64,
) -> Result<Spent, StoreError> {
    let kept = state.recall(&spent_key(conversation), now_ms).await?;
    Ok(read(kept))
}

/// What another version wrote counts as nothing: the platform counts too.
fn read<T: Default + for<'a> Deserialize<'a>>(kept: Option<String>) -> T {
    kept.and_then(|kept| serde_json::from_str(&kept).ok())
        .unwrap_or_default()
}

/// True where the customer has opened another window since.
pub(super) async fn is_reopened(
    state: &dyn StateStore,
    conversation: &str,
    before: &Opened,
    now_ms: i64,
) -> bool {
    let opened = opened(state, conversation, now_ms).await;
    opened.is_ok_and(|opened| opened.0.iter().any(|open| !before.0.contains(open)))
}

impl Left {
    /// `None` on a channel that counts nothing.
    pub(super) async fn of(
        state: &dyn StateStore,
        channel: &dyn Channel,
        conversation: &str,
        now_ms: i64,
    ) -> Result<Option<Self>, StoreError> {
        if counted(channel).is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            opened: opened(state, conversation, now_ms).await?,
            spent: spent(state, conversation, now_ms).await?,
        }))
    }

    /// How many messages may still leave; `None` where only the platform knows.
    ///
    /// What leaves is counted in every open window, since nobody says in which the platform counts it.
    pub(super) fn messages(&self, now_ms: i64) -> Option<u32> {
        let open = self.opened.0.iter().filter(|open| now_ms < open.until_ms);
        open.map(|open| open.messages.saturating_sub(self.count(&open.by)))
            .max()
    }

    pub(super) fn opened(&self) -> &Opened {
        &self.opened
    }

    fn count(&self, by: &str) -> u32 {
        let mut counts = self.spent.counts.iter();
        counts.find(|(of, _)| of == by).map_or(0, |(_, n)| *n)
    }

    /// One message has left.
    pub(super) fn spend(&mut self) {
        self.spent.waits = false;
        self.set(|count| count.saturating_add(1));
    }

    /// The platform says that nothing more may leave, whatever was counted here; what is left waits for the customer.
    pub(super) fn close(&mut self, is_refused: bool) {
        self.spent.waits = true;
        if is_refused {
            self.set(|_| u32::MAX);
        }
    }

    fn set(&mut self, to: impl Fn(u32) -> u32) {
        for open in &self.opened.0 {
            let count = to(self.count(&open.by));
            self.spent.counts.retain(|(by, _)| *by != open.by);
            self.spent.counts.push((open.by.clone(), count));
        }
        let many = self.spent.counts.len().saturating_sub(COUNTS_MAX);
        self.spent.counts.drain(..many);
    }

    pub(super) async fn keep(
        &self,
        state: &dyn StateStore,
        conversation: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(&self.spent).unwrap_or_default();
        let waits = now_ms.saturating_add_unsigned(WAITS_MS);
        let ends = self.opened.0.iter().map(|open| open.until_ms).max();
        let until_ms = match self.spent.waits {
            true => waits,
            false => ends.unwrap_or(waits),
        };
        state
            .remember(&spent_key(conversation), &text, until_ms)
            .await
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::store::embedded::State;
    use adapters::wechat::{Account, WeChat};

    const T0: i64 = 1_800_000_000_000;
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;

    pub(in crate::mailbox) fn channel() -> WeChat {
        let account = Account {
            app_id: "wx1".to_owned(),
            token: "t".into(),
            aes_keys: Vec::new(),
            app_secret: Some("s".into()),
            answer_in_time: true,
            api_url: url::Url::parse(adapters::wechat::API_URL).unwrap(),
        };
        let http = crate::model::http_client(std::time::Duration::from_secs(1)).unwrap();
        WeChat::new(
            &account,
            http,
            std::sync::Arc::new(adapters::KeptHere::default()),
        )
    }

    fn inbound(event_id: &str, at_ms: i64, body: InboundBody) -> Inbound {
        Inbound {
            address: "wechat:oA".parse().unwrap(),
            event_id: event_id.to_owned(),
            sent_at_ms: at_ms,
            body,
        }
    }

    #[tokio::test]
    async fn words_open_five_in_two_days_a_touch_three_in_a_minute_and_the_new_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path()).unwrap();
        let channel = channel();
        let left = async |now_ms| {
            let left = Left::of(&state, &channel, "wechat:oA", now_ms).await;
            left.unwrap().unwrap()
        };
        let opens = async |event_id: &str, at_ms, body| {
            let inbound = inbound(event_id, at_ms, body);
            open(&state, &channel, &inbound, at_ms).await.unwrap();
        };
        let words = || InboundBody::Text("你好".to_owned());
        let touch = || InboundBody::Choice("more".to_owned());
        assert_eq!(left(T0).await.messages(T0), None, "only WeChat knows");
        opens("1", T0, words()).await;
        let mut now = left(T0).await;
        assert_eq!(now.messages(T0), Some(5));
        for _ in 0..4 {
            now.spend();
        }
        now.keep(&state, "wechat:oA", T0).await.unwrap();
        // A repetition opens nothing, a touch its own.
        opens("1", T0, words()).await;
        assert_eq!(left(T0).await.messages(T0), Some(1));
        opens("2", T0 + 1, touch()).await;
        assert_eq!(left(T0).await.messages(T0 + 1), Some(3));
        assert_eq!(left(T0).await.messages(T0 + 60_001), Some(1));
        // What the platform refused is over, until the customer writes.
        let mut now = left(T0).await;
        now.close(true);
        now.keep(&state, "wechat:oA", T0).await.unwrap();
        assert_eq!(left(T0).await.messages(T0 + 1), Some(0));
        let before = left(T0).await;
        assert!(!is_reopened(&state, "wechat:oA", before.opened(), T0).await);
        opens("0", T0 - 5_000, words()).await;
        assert_eq!(left(T0).await.messages(T0 + 1), Some(0), "it was overtaken");
        opens("3", T0 + 2, words()).await;
        assert_eq!(left(T0).await.messages(T0 + 2), Some(5));
        assert!(is_reopened(&state, "wechat:oA", before.opened(), T0).await);
        assert_eq!(left(T0).await.messages(T0 + 3 * DAY_MS), None);
    }
}
