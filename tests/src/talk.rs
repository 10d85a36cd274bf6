//! Conversations with a shop in memory, told as lines.

use bot::mail::RepAction;
use bot::shop::{Folder, Shop};
use bot::talk::{Talk, Word};
use bot::turn::Outcome;
use dialogs::event::Event;
use std::sync::{Arc, OnceLock};

/// A Tuesday at ten in the morning, Shanghai.
pub const TUESDAY_MS: i64 = 1_795_485_600_000;

/// The demo shop, compiled once.
pub fn demo() -> Arc<Shop> {
    static DEMO: OnceLock<Arc<Shop>> = OnceLock::new();
    Arc::clone(DEMO.get_or_init(|| {
        let checked = Shop::compile(Folder::Demo.read().unwrap()).unwrap();
        let told: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, Vec::<String>::new(), "the demo shop has problems");
        Arc::new(checked.shop)
    }))
}

/// One conversation whose clock goes on by twenty seconds a turn.
pub struct Chat {
    talk: Talk,
    at_ms: i64,
}

impl Chat {
    pub fn with(shop: Arc<Shop>) -> Self {
        Self {
            talk: Talk::new(shop, None),
            at_ms: TUESDAY_MS,
        }
    }

    pub fn demo() -> Self {
        Self::with(demo())
    }

    pub async fn say(&mut self, text: &str) -> Outcome {
        self.turn(Word::Text(text.to_owned())).await
    }

    pub async fn choose(&mut self, id: &str) -> Outcome {
        self.turn(Word::Choice(id.to_owned())).await
    }

    pub async fn rep(&mut self, action: RepAction) -> Outcome {
        self.turn(Word::Rep {
            rep: "lin".to_owned(),
            action,
        })
        .await
    }

    pub async fn turn(&mut self, word: Word) -> Outcome {
        self.at_ms += 20_000;
        self.talk.turn("test", word, self.at_ms).await.unwrap()
    }
}

/// All texts of the turn's reply, joined.
pub fn text(outcome: &Outcome) -> String {
    let mut text = String::new();
    for event in &outcome.events {
        if let Event::Replied { reply, .. } = event {
            for part in bot::convert::body(reply, &outcome.conversation).parts {
                if let adapters::Part::Text { text: said } = part {
                    text.push_str(&said);
                    text.push('\n');
                }
            }
        }
    }
    text
}

/// The products on the turn's cards.
pub fn cards(outcome: &Outcome) -> Vec<adapters::Card> {
    let mut cards = Vec::new();
    for event in &outcome.events {
        if let Event::Replied { reply, .. } = event {
            for part in bot::convert::body(reply, &outcome.conversation).parts {
                if let adapters::Part::Products { products } = part {
                    cards.extend(products);
                }
            }
        }
    }
    cards
}
