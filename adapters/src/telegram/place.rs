//! Where on Telegram a conversation is: a chat, in a group the customer too, and the topic where it has topics.

use super::NAME;
use crate::{Address, Inbound, Keep, Unkept};
use std::sync::Arc;

/// How long it is known where a group has moved, milliseconds: it never moves back, and the note is a few bytes.
pub(super) const MOVED_KEPT_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whereabouts {
    pub chat: i64,
    /// `None` in a private chat.
    pub customer: Option<i64>,
    pub topic: Option<i32>,
}

impl Whereabouts {
    pub(super) fn of(address: &Address) -> Option<Self> {
        let mut numbers = address.place().split('.');
        let chat = numbers.next()?.parse().ok()?;
        let customer = numbers.next().map(str::parse).transpose().ok()?;
        let topic = numbers.next().map(str::parse).transpose().ok()?;
        numbers.next().is_none().then_some(Self {
            chat,
            customer,
            topic,
        })
    }

    pub(super) fn address(&self) -> Option<Address> {
        let mut place = self.chat.to_string();
        if let Some(customer) = self.customer {
            place.push_str(&format!(".{customer}"));
            if let Some(topic) = self.topic {
                place.push_str(&format!(".{topic}"));
            }
        }
        Address::new(NAME, &place).ok()
    }

    fn is_group(&self) -> bool {
        self.customer.is_some()
    }

    /// The same customer in another chat: a group has moved.
    pub(super) fn in_chat(self, chat: i64) -> Self {
        Self { chat, ..self }
    }
}

/// Groups that have moved. Their conversations keep the address that they began with.
pub(super) struct Moves {
    keep: Arc<dyn Keep>,
}

/// What is kept of a move: where the old chat is now, and which chat the new one was.
pub(super) fn move_facts(from: i64, to: i64) -> [(String, String); 2] {
    [
        (moved_to(from), to.to_string()),
        (moved_from(to), from.to_string()),
    ]
}

fn moved_to(chat: i64) -> String {
    format!("{NAME}:moved_to:{chat}")
}

fn moved_from(chat: i64) -> String {
    format!("{NAME}:moved_from:{chat}")
}

impl Moves {
    pub(super) fn new(keep: Arc<dyn Keep>) -> Self {
        Self { keep }
    }

    /// What came from a chat, at the address that its conversation began with.
    pub(super) async fn home(&self, mut inbound: Inbound) -> Result<Inbound, Unkept> {
        let Some(at) = Whereabouts::of(&inbound.address).filter(Whereabouts::is_group) else {
            return Ok(inbound);
        };
        if let Some(from) = self.found(&moved_from(at.chat)).await?
            && let Some(address) = at.in_chat(from).address()
        {
            inbound.address = address;
        }
        Ok(inbound)
    }

    /// Where the chat is now. What nobody can look up is sent to the old one, which says where it has moved.
    pub(super) async fn now(&self, at: Whereabouts) -> Whereabouts {
        if !at.is_group() {
            return at;
        }
        match self.found(&moved_to(at.chat)).await {
            Ok(Some(to)) => at.in_chat(to),
            Ok(None) | Err(Unkept) => at,
        }
    }

    /// Learned from a refusal; where it cannot be kept, the next one tells it again.
    pub(super) async fn note(&self, from: i64, to: i64) {
        let until_ms = self.keep.now_ms().saturating_add_unsigned(MOVED_KEPT_MS);
        for (key, chat) in move_facts(from, to) {
            let _ = self.keep.remember(&key, &chat, until_ms).await;
        }
    }

    async fn found(&self, key: &str) -> Result<Option<i64>, Unkept> {
        let found = self.keep.recall(key).await?;
        Ok(found.and_then(|chat| chat.parse().ok()))
    }
}
