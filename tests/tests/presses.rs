//! A button that is pressed twice is answered once: whatever times its platform tells, however late they are told, and to whichever replicas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use adapters::{Arrival, Inbound, InboundBody, Receipt};
use bot::mailbox::{Burst, take};
use bot::store::{StateStore, embedded, redis};
use serde_json::{Value, json};
use std::time::Duration;
use tests::discord_peer::{DiscordPeer, button};
use tests::outbox::Scripted;
use tests::redis_server::Redis;
use tests::served::{QUIET, discord, now_ms, telegram, wechat, wecom};
use tests::telegram_peer::{self, TelegramPeer};
use tests::wechat_peer::{self, WeChatPeer};
use tests::wecom_peer;

const T0: i64 = 1_800_000_000_000;
const LEASE_MS: u64 = 60_000;
const CLAIMED_MAX: usize = 64;

/// Two replicas' stores, with what they live in.
struct Stores {
    one: Box<dyn StateStore>,
    two: Option<Box<dyn StateStore>>,
    _redis: Option<Redis>,
    _data: tempfile::TempDir,
}

impl Stores {
    /// One process with its files, and two replicas with a Redis.
    fn all() -> [Self; 2] {
        let redis = Redis::start();
        let settings = bot::config::state::State::of_url(&redis.url()).unwrap();
        let replica = || Box::new(redis::State::open(&settings)) as Box<dyn StateStore>;
        let (one, two) = (replica(), replica());
        let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let files = embedded::State::open(data[0].path()).unwrap();
        let [of_files, of_redis] = data;
        [
            Self {
                one: Box::new(files),
                two: None,
                _redis: None,
                _data: of_files,
            },
            Self {
                one,
                two: Some(two),
                _redis: Some(redis),
                _data: of_redis,
            },
        ]
    }

    fn other(&self) -> &dyn StateStore {
        self.two.as_deref().unwrap_or(self.one.as_ref())
    }

    /// How many letters each conversation has to read.
    async fn letters(&self) -> Vec<usize> {
        let mut letters = Vec::new();
        loop {
            let claimed = self
                .one
                .claim_turns(T0 + 600_000, LEASE_MS, CLAIMED_MAX)
                .await;
            let claims = claimed.unwrap().claims;
            if claims.is_empty() {
                return letters;
            }
            letters.extend(claims.iter().map(|claim| claim.letters.len()));
        }
    }
}

/// An event, when it was and when it is told, milliseconds.
type Told = (&'static str, i64, i64);

/// One press: its customer, its event, and when it was and is told, milliseconds.
async fn press(store: &dyn StateStore, customer: &str, event: &str, at_ms: i64, told_ms: i64) {
    let pressed = Arrival::Said(Inbound {
        address: format!("scripted:{customer}").parse().unwrap(),
        event_id: event.to_owned(),
        sent_at_ms: T0 + at_ms,
        body: InboundBody::Choice("more".to_owned()),
    });
    let sent = Receipt::Sent {
        provider_id: String::new(),
    };
    let platform = Scripted::new([], sent);
    let taken = take(store, &platform, pressed, Burst::default(), T0 + told_ms);
    taken.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_times_tell_a_second_click_from_a_second_press() {
    // What is told in order, and how many presses it is.
    let cases: [(&str, &[Told], usize); 9] = [
        ("at once", &[("a", 0, 50), ("b", 200, 250)], 1),
        (
            "over the border of a second",
            &[("a", 0, 900), ("b", 1_000, 1_100)],
            1,
        ),
        ("told late", &[("a", 0, 0), ("b", 200, 40_000)], 1),
        ("in the wrong order", &[("b", 200, 300), ("a", 0, 2_500)], 1),
        ("the same press again", &[("a", 0, 0), ("a", 0, 5_000)], 1),
        ("seconds later", &[("a", 0, 0), ("b", 2_000, 2_000)], 2),
        (
            "both told late",
            &[("a", 0, 30_000), ("b", 3_000, 30_001)],
            2,
        ),
        (
            "two presses in the wrong order, and a second click of the earlier",
            &[("c", 5_000, 5_000), ("a", 0, 5_001), ("b", 200, 5_002)],
            2,
        ),
        (
            "twice seconds later, between them the first once more",
            &[
                ("a", 0, 0),
                ("b", 5_000, 5_000),
                ("a", 0, 5_100),
                ("c", 5_200, 5_200),
            ],
            2,
        ),
    ];
    for stores in Stores::all() {
        for (customer, (name, presses, counted)) in cases.iter().enumerate() {
            for (event, at_ms, told_ms) in *presses {
                let customer = customer.to_string();
                press(stores.one.as_ref(), &customer, event, *at_ms, *told_ms).await;
            }
            assert_eq!(stores.letters().await, [*counted], "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_that_are_told_at_the_same_time_are_one_press_on_one_replica_and_on_two() {
    for stores in Stores::all() {
        let (one, two) = (stores.one.as_ref(), stores.other());
        // For the second pair something is known already, which both replace.
        for (pair, at_ms) in [("first", 0), ("second", 5_000)] {
            let clicks = (0..20).map(|customer| async move {
                let customer = customer.to_string();
                let events = [format!("{pair}-a"), format!("{pair}-b")];
                tokio::join!(
                    press(one, &customer, &events[0], at_ms, at_ms),
                    press(two, &customer, &events[1], at_ms + 200, at_ms)
                );
            });
            futures_util::future::join_all(clicks).await;
        }
        assert_eq!(stores.letters().await, [2; 20]);
    }
}

/// What only a store that failed has: a second click is known by the first, which was not taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_counts_where_the_first_could_not_be_taken() {
    let stores = Stores::all();
    for stores in &stores {
        let noted = serde_json::to_string(&[("a", T0)]).unwrap();
        let key = "pressed:scripted:1:more";
        let kept = stores.one.remember(key, &noted, T0 + 60_000);
        kept.await.unwrap();
        press(stores.one.as_ref(), "1", "b", 200, 200).await;
        press(stores.one.as_ref(), "1", "a", 0, 900).await;
        assert_eq!(stores.letters().await, [1]);
    }
}

/// Their times are whole seconds, so two clicks may be a second apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_double_press_over_the_border_of_a_second_is_answered_once_on_wechat_and_wecom() {
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let peer = WeChatPeer::start(&[]);
    let server = wechat::serve(&peer, data[0].path(), &[]);
    let offer = wechat::ask(&peer, &server, "oA", "意式咖啡机有推荐吗？", 2).await;
    let compare = wechat_peer::line(&offer[1], "比较前两款").unwrap();
    let created = now_ms() / 1_000;
    for click in 0..2 {
        let act = json!({
            "url": wechat::hook(&server), "from": "oA", "text": "比较前两款", "safe": true,
            "created": created + click, "fields": {"bizmsgmenuid": compare},
        });
        peer.sim("text", act).await;
        // Where it would not wait, both might be read by one turn.
        peer.sent_at_least("oA", 3).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oA").await.len(), 3);

    let (peer, server) = wecom::on_callbacks(data[1].path(), &[]);
    let offer = wecom::ask(&peer, &server, "wmA", "意式咖啡机有推荐吗？", 1).await;
    let compare = wecom_peer::line(&offer[0], "比较前两款").unwrap();
    let sent = now_ms() / 1_000;
    for click in 0..2 {
        let act = json!({
            "text": "比较前两款", "sent": sent + click, "fields": {"menu_id": compare},
        });
        wecom::act(&peer, &server, "say", "wmA", act).await;
        peer.sent_at_least("wmA", 2).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmA").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_on_discord_that_is_told_late_to_another_replica_is_no_second_press() {
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let redis = Redis::start();
    let state = redis.url();
    let peer = DiscordPeer::start(&[]);
    let key = peer.state().await["key"].as_str().unwrap().to_owned();
    let settings = [
        ("TIANSHENG_STATE__URL", state.as_str()),
        ("TIANSHENG_CHANNELS__DISCORD__PUBLIC_KEY", key.as_str()),
    ];
    let first = discord::listening(&peer, data[0].path(), &settings).await;
    let second = discord::serve(&peer, data[1].path(), &settings);
    let customer = peer.customer().await;
    let offer = discord::ask(&peer, &customer, "意式咖啡机有推荐吗？", 2).await;
    let compare = button(&offer[1], "比较前两款").unwrap();
    let press = |server: &str, late_s: f64| {
        let press = json!({
            "user": customer.0, "channel": customer.1, "message": offer[1]["id"],
            "id": compare, "server": server, "late": late_s,
        });
        peer.sim("press", press)
    };
    let (one, two): (Value, Value) = tokio::join!(press(&first.url, 0.0), press(&second.url, 2.0));
    assert_eq!((&one["status"], &two["status"]), (&json!(200), &json!(200)));
    assert_ne!(one["id"], two["id"]);
    peer.sent_at_least(&customer.1, 3).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&customer.1).await.len(), 3);
    // One that is made so much later counts.
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    press(&second.url, 0.0).await;
    peer.sent_at_least(&customer.1, 4).await;
}

/// Telegram tells no time of a press, and a call that asks for updates waits for one.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_press_seconds_later_counts_where_updates_are_polled_for() {
    let data = tempfile::tempdir().unwrap();
    let peer = TelegramPeer::start(&[]);
    let _server = telegram::serve(&peer, data.path(), "polling", &[]);
    let offer = telegram::ask(&peer, 5, "意式咖啡机有推荐吗？", 1).await;
    let (message, compare) = (
        &offer[0]["message_id"],
        telegram_peer::button(&offer[0], "比较前两款").unwrap(),
    );
    let press = json!({"from": 5, "message_id": message, "data": compare});
    for answers in [2, 3] {
        peer.sim("press", press.clone()).await;
        peer.sent_at_least(5, answers).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
}
