//! A platform of a few lines, the sender that writes to it, and a clock that a test may put forward.

use adapters::{
    Address, Asking, Body, Capabilities, Channel, Delivery, Idempotency, Inbound, InboundBody,
    Outbound, OutboundBody, Part, Receipt, Sending, Speaker, Typing, Window,
};
use bot::mailbox::{Burst, Clock, Sender, take};
use bot::store::embedded::State;
use bot::store::{Commit, NewMail, NewOut, StateStore};
use std::collections::VecDeque;
use std::future::ready;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const BEGUN_MS: i64 = 1_800_000_000_000;
/// The one customer.
const CUSTOMER: &str = "scripted:1";
const TURN_MS: u64 = 60_000;
/// Looks at what has happened, one each 50 ms.
const LOOKS: usize = 600;

/// A platform that answers each send as a test says, and takes what is beyond that.
pub struct Scripted {
    idempotency: Idempotency,
    window: Option<Window>,
    typing: Typing,
    answers: Mutex<VecDeque<Receipt>>,
    last: Receipt,
    sent: Mutex<Vec<String>>,
    typed: Mutex<Vec<String>>,
    /// Where there is one, each answer needs a permit of it.
    held: Option<Semaphore>,
}

impl Scripted {
    /// Gives these answers, then always the last.
    pub fn new(answers: impl IntoIterator<Item = Receipt>, last: Receipt) -> Self {
        Self {
            idempotency: Idempotency::None,
            window: None,
            typing: Typing::None,
            answers: Mutex::new(answers.into_iter().collect()),
            last,
            sent: Mutex::default(),
            typed: Mutex::default(),
            held: None,
        }
    }

    /// It shows for so long that somebody is typing.
    pub fn showing_typing(self, lasts_ms: u64) -> Self {
        Self {
            typing: Typing::Action { lasts_ms },
            ..self
        }
    }

    /// It knows a message again for so long.
    pub fn knowing(self, for_ms: u64) -> Self {
        Self {
            idempotency: Idempotency::Key { for_ms },
            ..self
        }
    }

    /// It takes messages only for a time after the customer's.
    pub fn within(self, window: Window) -> Self {
        Self {
            window: Some(window),
            ..self
        }
    }

    /// It answers only as often as it is let.
    pub fn held(self) -> Self {
        Self {
            held: Some(Semaphore::new(0)),
            ..self
        }
    }

    pub fn let_answer(&self, times: usize) {
        if let Some(held) = &self.held {
            held.add_permits(times);
        }
    }

    /// The ids of what it was asked to send.
    pub fn sends(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    /// To whom it was asked to show that somebody is typing.
    pub fn typed(&self) -> Vec<String> {
        self.typed.lock().unwrap().clone()
    }

    pub async fn sends_at_least(&self, count: usize) -> Vec<String> {
        for _ in 0..LOOKS {
            let sends = self.sends();
            if sends.len() >= count {
                return sends;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{count} sends never came: {:?}", self.sends());
    }
}

impl Channel for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            pace: None,
            idempotency: self.idempotency,
            window: self.window,
            typing: self.typing,
            ..adapters::web::Web.capabilities()
        }
    }

    fn deliver(&self, _message: &Outbound) -> Delivery {
        Delivery::Push {
            pieces: 1,
            tokens: Vec::new(),
        }
    }

    fn send<'a>(&'a self, message: &'a Outbound, _piece: usize) -> Sending<'a> {
        self.sent.lock().unwrap().push(message.id.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| self.last.clone());
        Box::pin(async move {
            if let Some(held) = &self.held {
                held.acquire().await.unwrap().forget();
            }
            answer
        })
    }

    fn typing<'a>(&'a self, address: &'a Address) -> Asking<'a, ()> {
        let to = address.as_str().to_owned();
        self.typed.lock().unwrap().push(to);
        Box::pin(ready(()))
    }
}

/// One conversation on such a platform.
pub struct Outbox {
    pub platform: Arc<Scripted>,
    state: Arc<State>,
    clock: Clock,
    ahead_ms: Arc<AtomicI64>,
    stop: CancellationToken,
    _data: tempfile::TempDir,
}

impl Outbox {
    pub fn open(platform: Scripted) -> Self {
        let data = tempfile::tempdir().unwrap();
        let state = Arc::new(State::open(data.path()).unwrap());
        let platform = Arc::new(platform);
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let clock: Clock = {
            let (ahead_ms, begun) = (Arc::clone(&ahead_ms), Instant::now());
            Arc::new(move || {
                let passed = i64::try_from(begun.elapsed().as_millis()).unwrap();
                BEGUN_MS + passed + ahead_ms.load(Ordering::SeqCst)
            })
        };
        let mut channels = bot::channels::Channels::new();
        let channel = Arc::clone(&platform) as Arc<dyn Channel>;
        channels.insert("scripted".to_owned(), channel);
        let stop = CancellationToken::new();
        let store = Arc::clone(&state) as Arc<dyn StateStore>;
        let sender = Sender::new(store, channels, Arc::clone(&clock));
        tokio::spawn(sender.run(stop.clone()));
        Self {
            platform,
            state,
            clock,
            ahead_ms,
            stop,
            _data: data,
        }
    }

    pub fn forward_ms(&self, ms: i64) {
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// The customer says something, and a turn that replies with these messages is committed.
    pub async fn answered(&self, event_id: &str, replies: &[&str]) {
        let now_ms = (self.clock)();
        let said = adapters::Arrival::Said(Inbound {
            address: CUSTOMER.parse().unwrap(),
            event_id: event_id.to_owned(),
            sent_at_ms: now_ms,
            body: InboundBody::Text("你好".to_owned()),
        });
        let burst = Burst {
            quiet_ms: 0,
            quiet_max_ms: 0,
        };
        let (state, platform) = (self.state.as_ref(), self.platform.as_ref());
        take(state, platform, said, burst, now_ms).await.unwrap();
        self.committed(replies).await;
    }

    /// A turn without a word of the customer's, such as a reminder's, with these messages.
    pub async fn reminded(&self, event_id: &str, replies: &[&str]) {
        let mail = NewMail {
            conversation: CUSTOMER.to_owned(),
            event_id: event_id.to_owned(),
            at_ms: (self.clock)(),
            quiet_ms: 0,
            quiet_max_ms: 0,
            body: "{}".to_owned(),
        };
        self.state.accept(mail).await.unwrap();
        self.committed(replies).await;
    }

    async fn committed(&self, replies: &[&str]) {
        let claimed = self.state.claim_turns((self.clock)(), TURN_MS, 1);
        let claimed = claimed.await.unwrap();
        let claim = &claimed.claims[0];
        let commit = Commit {
            conversation: claim.conversation.clone(),
            token: claim.token,
            read_to: claim.letters.last().unwrap().seq,
            state: "{}".to_owned(),
            epoch: 0,
            events: vec!["{}".to_owned()],
            out: replies.iter().map(|id| reply(id)).collect(),
            wake_at_ms: None,
            now_ms: (self.clock)(),
        };
        self.state.commit(commit).await.unwrap();
    }

    /// Nothing waits to be sent any more.
    pub async fn is_settled(&self) {
        for _ in 0..LOOKS {
            if self.state.depth().await.unwrap().sends == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("a message is never settled");
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn reply(id: &str) -> NewOut {
    let body = Body {
        parts: vec![Part::Text {
            text: "您好".to_owned(),
        }],
    };
    let message = Outbound {
        id: id.to_owned(),
        address: CUSTOMER.parse().unwrap(),
        turn: 1,
        epoch: 0,
        from: Speaker::Bot,
        body: OutboundBody::Reply(body),
    };
    NewOut {
        id: id.to_owned(),
        epoch: 0,
        bot: true,
        body: serde_json::to_string(&message).unwrap(),
    }
}
