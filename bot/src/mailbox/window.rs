//! How often a platform still lets the shop write to a customer: opened by what the customer does, spent by what leaves.
//!
//! Three facts a conversation: what words opened, what a touch or coming in opened (both written by whoever takes an arrival, each alone, so that neither overwrites the other), and what was spent (by the sender that has the lease). A window is named by the event that opened it, so a new one begins to count by itself.

use crate::store::{StateStore, StoreError};
use adapters::{Channel, Inbound, InboundBody};
use serde::{Deserialize, Serialize};

/// Messages of a window that the bot's replies leave to a handoff or to a person.
const KEPT_BACK: u32 = 1;
/// Where a window has an end and no count.
const UNCOUNTED: u32 = u32::MAX;
/// How long what was said waits for the customer to write again, milliseconds; after that it stands in the transcript alone.
pub(super) const WAITS_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Counts that are kept of each kind: late repetitions of a delivery may name a window before.
const COUNTS_MAX: usize = 2 * Kind::ALL.len();

/// What opens a window of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Words,
    /// A touch on a menu or a button, or coming in.
    Touch,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Words, Self::Touch];

    fn key(self, conversation: &str) -> String {
        match self {
            Self::Words => format!("window:{conversation}"),
            Self::Touch => format!("window:touch:{conversation}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    by: String,
    at_ms: i64,
    until_ms: i64,
    messages: u32,
}

impl Open {
    /// What the bot's replies leave to a person; where there is one message in all, nothing.
    fn kept_back(&self) -> u32 {
        KEPT_BACK.min(self.messages.saturating_sub(1))
    }
}

/// What the customer has opened, the last of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    let Some(window) = channel.capabilities().window else {
        return Ok(());
    };
    let (kind, short) = match &inbound.body {
        typed if typed.is_typed() => (Kind::Words, None),
        InboundBody::Choice(_) => (Kind::Touch, window.after_touch),
        InboundBody::Came { .. } => (Kind::Touch, window.after_coming),
        InboundBody::Text(_) | InboundBody::File(_) => (Kind::Words, None),
    };
    let (kind, open_ms, messages) = match short {
        Some(short) => (kind, short.open_ms, short.messages_max),
        None => (
            Kind::Words,
            window.open_ms,
            window.messages_max.unwrap_or(UNCOUNTED),
        ),
    };
    let at_ms = inbound.sent_at_ms.min(now_ms);
    let new = Open {
        by: inbound.event_id.clone(),
        at_ms,
        until_ms: at_ms.saturating_add_unsigned(open_ms),
        messages,
    };
    let conversation = inbound.address.as_str();
    let before = opened_by(state, conversation, kind, now_ms).await?;
    // A repetition, or one that was overtaken, opens nothing.
    match before {
        Some(open) if open.by == new.by || open.at_ms > new.at_ms => Ok(()),
        _ => keep_opened(state, conversation, kind, &new).await,
    }
}

/// What was open at a time takes nothing more: the platform told so afterwards.
pub(super) async fn close(
    state: &dyn StateStore,
    channel: &dyn Channel,
    conversation: &str,
    at_ms: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    if channel.capabilities().window.is_none() {
        return Ok(());
    }
    for kind in Kind::ALL {
        let open = opened_by(state, conversation, kind, now_ms).await?;
        if let Some(mut open) = open.filter(|open| open.at_ms < at_ms) {
            open.messages = 0;
            keep_opened(state, conversation, kind, &open).await?;
        }
    }
    Ok(())
}

/// Known for as long as something may wait for the next one, so that nothing is tried in between.
async fn keep_opened(
    state: &dyn StateStore,
    conversation: &str,
    kind: Kind,
    open: &Open,
) -> Result<(), StoreError> {
    let until_ms = open.until_ms.saturating_add_unsigned(WAITS_MS);
    let text = serde_json::to_string(open).unwrap_or_default();
    let key = kind.key(conversation);
    state.remember(&key, &text, until_ms).await
}

/// What waited for the customer leaves now; asked after their message was accepted.
pub(super) async fn release(
    state: &dyn StateStore,
    channel: &dyn Channel,
    conversation: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let has_window = channel.capabilities().window.is_some();
    if has_window && spent(state, conversation, now_ms).await?.waits {
        state.hasten(conversation, now_ms).await?;
    }
    Ok(())
}

async fn opened(
    state: &dyn StateStore,
    conversation: &str,
    now_ms: i64,
) -> Result<Opened, StoreError> {
    let by = |kind| opened_by(state, conversation, kind, now_ms);
    let (words, touch) = tokio::try_join!(by(Kind::Words), by(Kind::Touch))?;
    Ok(Opened(words.into_iter().chain(touch).collect()))
}

async fn opened_by(
    state: &dyn StateStore,
    conversation: &str,
    kind: Kind,
    now_ms: i64,
) -> Result<Option<Open>, StoreError> {
    let kept = state.recall(&kind.key(conversation), now_ms).await?;
    Ok(read(kept))
}

async fn spent(
    state: &dyn StateStore,
    conversation: &str,
    now_ms: i64,
) -> Result<Spent, StoreError> {
    let kept = state.recall(&spent_key(conversation), now_ms).await?;
    Ok(read(kept).unwrap_or_default())
}

/// What another version wrote counts as nothing: the platform counts too.
fn read<T: for<'a> Deserialize<'a>>(kept: Option<String>) -> Option<T> {
    kept.and_then(|kept| serde_json::from_str(&kept).ok())
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
    /// `None` on a channel that may write at any time.
    pub(super) async fn of(
        state: &dyn StateStore,
        channel: &dyn Channel,
        conversation: &str,
        now_ms: i64,
    ) -> Result<Option<Self>, StoreError> {
        if channel.capabilities().window.is_none() {
            return Ok(None);
        }
        let (opened, spent) = tokio::try_join!(
            opened(state, conversation, now_ms),
            spent(state, conversation, now_ms)
        )?;
        Ok(Some(Self { opened, spent }))
    }

    /// How many messages may still leave, of all or of those that are not kept for a person; `None` where only the platform knows.
    ///
    /// What leaves is counted in every open window, since nobody says in which the platform counts it.
    pub(super) fn messages(&self, now_ms: i64, takes_all: bool) -> Option<u32> {
        let left = self.opened.0.iter().map(|open| {
            let kept = if takes_all { 0 } else { open.kept_back() };
            match now_ms < open.until_ms {
                true => open
                    .messages
                    .saturating_sub(kept.saturating_add(self.count(&open.by))),
                false => 0,
            }
        });
        left.max()
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
        let until_ms = now_ms.saturating_add_unsigned(WAITS_MS);
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
        assert_eq!(left(T0).await.messages(T0, true), None, "only WeChat knows");
        opens("1", T0, words()).await;
        let mut now = left(T0).await;
        assert_eq!(now.messages(T0, true), Some(5));
        for _ in 0..4 {
            now.spend();
        }
        now.keep(&state, "wechat:oA", T0).await.unwrap();
        // A repetition opens nothing, a touch its own.
        opens("1", T0, words()).await;
        assert_eq!(left(T0).await.messages(T0, true), Some(1));
        opens("2", T0 + 1, touch()).await;
        assert_eq!(left(T0).await.messages(T0 + 1, true), Some(3));
        assert_eq!(left(T0).await.messages(T0 + 60_001, true), Some(1));
        // What the platform refused is over, until the customer writes.
        let mut now = left(T0).await;
        now.close(true);
        now.keep(&state, "wechat:oA", T0).await.unwrap();
        assert_eq!(left(T0).await.messages(T0 + 1, true), Some(0));
        let before = left(T0).await;
        assert!(!is_reopened(&state, "wechat:oA", before.opened(), T0).await);
        opens("0", T0 - 5_000, words()).await;
        assert_eq!(
            left(T0).await.messages(T0 + 1, true),
            Some(0),
            "it was overtaken"
        );
        opens("3", T0 + 2, words()).await;
        assert_eq!(left(T0).await.messages(T0 + 2, true), Some(5));
        assert!(is_reopened(&state, "wechat:oA", before.opened(), T0).await);
        assert_eq!(left(T0).await.messages(T0 + 2, false), Some(4));
        let later = T0 + 3 * DAY_MS;
        assert_eq!(left(later).await.messages(later, true), Some(0));
    }
}
