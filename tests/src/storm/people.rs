//! People who write on the platforms while everything breaks; they repeat themselves as the platforms do.

use super::visitor::{Pace, SAYINGS, rest};
use super::{Dice, Told};
use crate::platform::{Platform, Said};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Messages of one burst.
const BURST_MAX: u64 = 2;
/// A choice that stands under many offers.
const OFFERED: &str = "比较前两款";
/// Messages that everybody says, however short the storm.
const MESSAGES_MIN: usize = 2;

/// Everybody on one platform.
pub struct People {
    platform: Arc<dyn Platform>,
    living: Vec<JoinHandle<Person>>,
    over: Arc<AtomicBool>,
}

/// What one of them knows.
pub struct Person {
    pub conversation: String,
    /// Ids in the order in which the platform brought them.
    pub said: Vec<String>,
    /// Those that the platform gave up; the shop may have them or not.
    pub unsure: Vec<String>,
    pub repeated: usize,
    /// Choices that were there and were pressed.
    pub pressed: usize,
    /// What the shop sent, once all is over.
    pub sent: Vec<String>,
}

impl People {
    pub fn enter(platform: &Arc<dyn Platform>, count: usize, pace: Pace, dice: &mut Dice) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let living = (0..count)
            .map(|person| {
                let (platform, over) = (Arc::clone(platform), Arc::clone(&over));
                tokio::spawn(live(platform, person, pace, Dice(dice.roll()), over))
            })
            .collect();
        Self {
            platform: Arc::clone(platform),
            living,
            over,
        }
    }

    pub fn name(&self) -> &'static str {
        self.platform.name()
    }

    /// Nobody says anything more.
    pub async fn leave(self) -> Left {
        self.over.store(true, Ordering::Relaxed);
        let mut people = Vec::new();
        for person in self.living {
            people.push(person.await.unwrap());
        }
        Left {
            platform: self.platform,
            people,
        }
    }
}

/// Those who have said everything; the shop may still be writing to them.
pub struct Left {
    platform: Arc<dyn Platform>,
    pub people: Vec<Person>,
}

impl Left {
    pub fn name(&self) -> &'static str {
        self.platform.name()
    }

    /// Looks at what the shop has sent; when all queues are empty, that is all.
    pub async fn look(&mut self) {
        for (at, person) in self.people.iter_mut().enumerate() {
            person.sent = self.platform.sent(at).await;
        }
    }

    pub fn told(&self) -> Vec<Told<'_>> {
        let people = self.people.iter();
        people
            .map(|person| Told {
                conversation: &person.conversation,
                acknowledged: &person.said,
                unsure: &person.unsure,
                sent_again: person.repeated,
                // What is only shown in answers stands in the feed.
                sent: self
                    .platform
                    .writes_unasked()
                    .then_some(person.sent.as_slice()),
            })
            .collect()
    }
}

async fn live(
    platform: Arc<dyn Platform>,
    person: usize,
    pace: Pace,
    mut dice: Dice,
    over: Arc<AtomicBool>,
) -> Person {
    tokio::time::sleep(Duration::from_millis(dice.below(pace.rest_ms))).await;
    let (mut all, mut said, mut unsure): (Vec<Said>, Vec<String>, Vec<String>) = Default::default();
    let (mut repeated, mut pressed) = (0, 0);
    while !over.load(Ordering::Relaxed) || said.len() < MESSAGES_MIN {
        for _ in 0..=dice.below(BURST_MAX) {
            let text = SAYINGS[dice.below(SAYINGS.len() as u64) as usize];
            let now = platform.say(person, text).await;
            match now.sure {
                true => said.push(now.event_id.clone()),
                false => unsure.push(now.event_id.clone()),
            }
            if now.sure {
                all.push(now);
            }
            if dice.below(3) == 0 && !all.is_empty() {
                let old = dice.below(all.len() as u64) as usize;
                platform.repeat(person, &all[old]).await;
                repeated += 1;
            }
        }
        // Where nothing can be pressed, the choice would be one more message.
        if platform.writes_unasked() && dice.below(2) == 0 {
            pressed += usize::from(platform.press(person, OFFERED).await);
        }
        rest(pace.rest_ms / 2 + dice.below(pace.rest_ms / 2), &over).await;
    }
    Person {
        conversation: platform.conversation(person),
        said,
        unsure,
        repeated,
        pressed,
        sent: Vec::new(),
    }
}
