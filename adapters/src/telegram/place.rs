//! Where on Telegram a conversation is: a chat, in a group the customer too, and the topic where it has topics.

use super::NAME;
use crate::Address;

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

    /// The same customer in another chat: a group has moved.
    pub(super) fn in_chat(self, chat: i64) -> Self {
        Self { chat, ..self }
    }
}
