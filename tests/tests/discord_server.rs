//! Discord's servers: mentions and the command lead into a private thread, buttons are answered in time, and signed deliveries are taken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::time::Duration;
use tests::discord_peer::{DiscordPeer, button, id, words};
use tests::redis_server::Redis;
use tests::served::discord::{ask, listening, on_gateway, serve};
use tests::served::{QUIET, counted, logged, metrics, sends, slow_model};

/// A private thread.
const PRIVATE: u64 = 12;
/// A second press of the same choice so much later is no double click.
const LATER: Duration = Duration::from_millis(1_200);
/// How long Discord waits for the answer to an interaction, in seconds.
const ANSWER_MAX: f64 = 3.0;
/// How long a turn takes whose model is slow.
const TURN: Duration = Duration::from_secs(9);

/// No answer waits for its turn, also on a machine that is busy; and the quickest is as quick as Discord wants it.
fn in_time(took: &[f64]) {
    let quickest = took.iter().copied().fold(f64::MAX, f64::min);
    let slowest = took.iter().copied().fold(0.0, f64::max);
    assert!(
        quickest < ANSWER_MAX && slowest < TURN.as_secs_f64(),
        "{took:?}"
    );
}

/// A server with two members and its channel.
async fn server_of(peer: &DiscordPeer) -> (String, String, String) {
    let one = id(&peer.sim("user", json!({"name": "Li"})).await);
    let two = id(&peer.sim("user", json!({"name": "Wang"})).await);
    let guild = peer.sim("guild", json!({"members": [one, two]})).await;
    (one, two, guild["general"].as_str().unwrap().to_owned())
}

/// A customer with their direct channel, and a server with its channel where no thread can be opened.
async fn without_threads(peer: &DiscordPeer) -> ((String, String), String, String) {
    let customer = peer.customer().await;
    let guild = json!({"members": [customer.0], "without": ["create_private_threads"]});
    let guild = peer.sim("guild", guild).await;
    let general = guild["general"].as_str().unwrap().to_owned();
    (customer, id(&guild), general)
}

async fn mention(peer: &DiscordPeer, channel: &str, user: &str, text: &str) {
    let bot = peer.state().await["bot"].as_str().unwrap().to_owned();
    peer.say(channel, user, &format!("<@{bot}> {text}")).await;
}

/// The threads of a channel, once there are so many.
async fn threads(peer: &DiscordPeer, channel: &str, count: usize) -> Vec<Value> {
    peer.until("a thread", async || {
        let threads = peer.sim("threads", json!({"channel": channel})).await;
        let threads = threads.as_array().unwrap().clone();
        (threads.len() >= count).then_some(threads)
    })
    .await
}

/// When the answer to the last interaction left, by the peer's clock.
async fn answered_at(peer: &DiscordPeer, count: usize) -> f64 {
    peer.until("the answer to an interaction", async || {
        let calls = peer.requests("POST", "/interactions/callback").await;
        let call = calls.get(count - 1)?;
        call["at"].as_f64()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_leads_into_a_thread_of_the_customers_own() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (li, wang, general) = server_of(&peer).await;
    let wants = [("TIANSHENG_CHANNELS__DISCORD__MESSAGE_CONTENT", "true")];
    let _server = listening(&peer, data.path(), &wants).await;
    peer.say(&general, &li, "大家好").await;
    let away = json!({"method": "PUT", "path": format!("thread-members/{li}"), "status": 502});
    peer.sim("fault", away).await;
    mention(&peer, &general, &li, "意式咖啡机有推荐吗？").await;
    let first = threads(&peer, &general, 1).await[0].clone();
    assert_eq!(first["type"], PRIVATE);
    let thread = id(&first);
    let offer = peer.sent_at_least(&thread, 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let members = peer.sim("members", json!({"channel": thread})).await;
    let members = members.as_array().unwrap();
    assert!(members.contains(&json!(li)) && !members.contains(&json!(wang)));
    // The conversation goes on there, without a mention; what others say in it is not the customer's.
    let second = ask(&peer, &(li.clone(), thread.clone()), "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    peer.say(&thread, &wang, "转人工").await;
    let compare = button(&offer[1], "比较前两款").unwrap();
    let press = json!({"user": li, "channel": thread, "message": offer[1]["id"], "id": compare});
    peer.sim("press", press).await;
    let compared = peer.sent_at_least(&thread, 4).await;
    assert!(words(&compared[3]).contains("价"), "{compared:?}");
    // Another customer has another, and a second mention leads into the same.
    mention(&peer, &general, &wang, "你好").await;
    let both = threads(&peer, &general, 2).await;
    let other = both.iter().map(id).find(|id| *id != thread).unwrap();
    peer.sent_at_least(&other, 1).await;
    mention(&peer, &general, &li, "转人工").await;
    let person = peer.sent_at_least(&thread, 5).await;
    assert!(words(&person[4]).contains("同事"), "{person:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&general).await.len(), 0);
    assert_eq!(threads(&peer, &general, 2).await.len(), 2);
    assert_eq!(peer.sent(&thread).await.len(), 5);
    // Somebody removes the thread: the next answer opens another.
    peer.sim("remove", json!({"channel": other})).await;
    mention(&peer, &general, &wang, "转人工").await;
    peer.until("the answer in a new thread", async || {
        for thread in threads(&peer, &general, 2).await {
            let sent = peer.sent(&id(&thread)).await;
            let is_old = id(&thread) == other || id(&thread) == *first["id"].as_str().unwrap();
            if !is_old && sent.iter().any(|m| words(m).contains("同事")) {
                return Some(());
            }
        }
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_content_intent_a_thread_says_once_how_to_go_on() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&["--no-content"]);
    let (li, _, general) = server_of(&peer).await;
    let _server = listening(&peer, data.path(), &[]).await;
    peer.commanded().await;
    mention(&peer, &general, &li, "你好").await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    peer.sent_at_least(&thread, 1).await;
    peer.say(&thread, &li, "意式咖啡机有推荐吗？").await;
    let told = peer.sent_at_least(&thread, 2).await;
    assert!(words(&told[1]).contains("/shop"), "{told:?}");
    peer.say(&thread, &li, "意式咖啡机有推荐吗？").await;
    mention(&peer, &thread, &li, "意式咖啡机有推荐吗？").await;
    let offer = peer.sent_at_least(&thread, 4).await;
    assert!(words(&offer[2]).contains("¥2,480"), "{offer:?}");
    let slash = json!({"user": li, "channel": thread, "text": "转人工", "locale": "zh-CN"});
    peer.sim("slash", slash).await;
    let person = peer.sent_at_least(&thread, 5).await;
    assert!(words(&person[4]).contains("同事"), "{person:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&thread).await.len(), 5);
    assert_eq!(threads(&peer, &general, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_and_a_button_are_answered_within_three_seconds_under_a_slow_model() {
    let data = tempfile::tempdir().unwrap();
    let model = slow_model(TURN).await;
    let settings = [
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
        ("TIANSHENG_MODEL__TIMEOUT_MS", "30000"),
    ];
    let (peer, _server) = on_gateway(data.path(), &settings).await;
    peer.commanded().await;
    let (user, channel) = peer.customer().await;
    let mut took = Vec::new();
    let slash = json!({
        "user": user, "channel": channel, "text": "意式咖啡机有推荐吗？", "locale": "zh-CN",
    });
    let asked = peer.sim("slash", slash).await;
    took.push(answered_at(&peer, 1).await - asked["at"].as_f64().unwrap());
    let answered = peer.sim("answered", json!({"id": asked["id"]})).await;
    assert!(answered["content"].as_str().unwrap().contains("收到"));
    let offer = peer.sent_at_least(&channel, 2).await;
    assert!(words(&offer[0]).contains('¥'), "{offer:?}");
    let compare = button(&offer[1], "比较前两款").unwrap();
    // The same press told twice is one, and answered already is as good as answered.
    let press = json!({
        "user": user, "channel": channel, "message": offer[1]["id"], "id": compare, "times": 2,
    });
    let pressed = peer.sim("press", press).await;
    took.push(answered_at(&peer, 3).await - pressed["at"].as_f64().unwrap());
    let compared = peer.sent_at_least(&channel, 3).await;
    assert!(words(&compared[2]).contains('价'), "{compared:?}");
    // What is picked from a menu is answered in time too; it is told beside the menu's own name.
    let pick = json!({
        "user": user, "channel": channel, "message": offer[1]["id"], "id": "choices",
        "values": [compare],
    });
    tokio::time::sleep(LATER).await;
    let picked = peer.sim("press", pick).await;
    took.push(answered_at(&peer, 4).await - picked["at"].as_f64().unwrap());
    in_time(&took);
    let compared = peer.sent_at_least(&channel, 4).await;
    assert!(words(&compared[3]).contains('价'), "{compared:?}");
    let statuses: Vec<Value> = peer.requests("POST", "/interactions/callback").await;
    let refused = statuses.iter().filter(|call| call["status"] == 400);
    assert_eq!(refused.count(), 1, "40060: {statuses:#?}");
    // Without words it greets, in the language of the customer's Discord.
    let other = peer.customer().await;
    let slash = json!({"user": other.0, "channel": other.1, "locale": "en-US"});
    peer.sim("slash", slash).await;
    let greeting = peer.sent_at_least(&other.1, 1).await;
    assert!(words(&greeting[0]).contains("I'm"), "{greeting:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&channel).await.len(), 4);
    assert!(!logged(data.path()).contains("secret-of_the_bot"));
}

/// The second click is a press of its own to Discord.
#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_is_answered_once_and_a_later_press_again() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let offer = ask(&peer, &customer, "意式咖啡机有推荐吗？", 2).await;
    let compare = button(&offer[1], "比较前两款").unwrap();
    let mut press = json!({
        "user": customer.0, "channel": customer.1, "message": offer[1]["id"], "id": compare,
    });
    press["clicks"] = json!(2);
    let clicked = peer.sim("press", press.clone()).await;
    assert_ne!(clicked["clicks"][0]["id"], clicked["clicks"][1]["id"]);
    let compared = peer.sent_at_least(&customer.1, 3).await;
    assert!(words(&compared[2]).contains('价'), "{compared:?}");
    tokio::time::sleep(QUIET.max(LATER)).await;
    assert_eq!(peer.sent(&customer.1).await.len(), 3);
    press["clicks"] = json!(1);
    peer.sim("press", press).await;
    let again = peer.sent_at_least(&customer.1, 4).await;
    assert!(words(&again[3]).contains('价'), "{again:?}");
    // No click waits.
    let calls = peer.requests("POST", "/interactions/callback").await;
    let statuses: Vec<&Value> = calls.iter().map(|call| &call["status"]).collect();
    assert_eq!(statuses, [204, 204, 204]);
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_deliveries_are_taken_and_all_others_refused() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (li, _, general) = server_of(&peer).await;
    let key = peer.state().await["key"].as_str().unwrap().to_owned();
    let keyed = [("TIANSHENG_CHANNELS__DISCORD__PUBLIC_KEY", key.as_str())];
    let server = listening(&peer, data.path(), &keyed).await;
    peer.commanded().await;
    let url = &server.url;
    let pong = peer.sim("ping", json!({"server": url})).await;
    assert_eq!(pong["status"], 200, "{pong}");
    assert_eq!(pong["answer"], "{\"type\":1}");
    let (user, channel) = peer.customer().await;
    for wrong in ["body", "signature", "old", "none"] {
        let forged = peer
            .sim("ping", json!({"server": url, "wrong": wrong}))
            .await;
        assert_eq!(forged["status"], 401, "{wrong}: {forged}");
        let slash = json!({
            "user": user, "channel": channel, "text": "你好", "server": url, "wrong": wrong,
        });
        let forged = peer.sim("slash", slash).await;
        assert_eq!(forged["status"], 401, "{wrong}: {forged}");
    }
    let slash = json!({"user": user, "channel": channel, "text": "转人工", "server": url});
    let taken = peer.sim("slash", slash).await;
    assert_eq!(taken["status"], 200, "{taken}");
    let told: Value = serde_json::from_str(taken["answer"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&told["type"], &told["data"]["flags"]),
        (&json!(4), &json!(64))
    );
    let person = peer.sent_at_least(&channel, 1).await;
    assert!(words(&person[0]).contains("同事"), "{person:?}");
    // In a server it leads into the customer's thread, and so do the buttons there.
    let slash = json!({
        "user": li, "channel": general, "text": "意式咖啡机有推荐吗？", "server": url,
    });
    peer.sim("slash", slash).await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    let offer = peer.sent_at_least(&thread, 2).await;
    let compare = button(&offer[1], "比较前两款").unwrap();
    let press = json!({
        "user": li, "channel": thread, "message": offer[1]["id"], "id": compare, "server": url,
    });
    let pressed = peer.sim("press", press).await;
    assert_eq!(pressed["answer"], "{\"type\":6}");
    let compared = peer.sent_at_least(&thread, 3).await;
    assert!(words(&compared[2]).contains('价'), "{compared:?}");
    let pick = json!({
        "user": li, "channel": thread, "message": offer[1]["id"], "id": "choices",
        "values": [compare], "server": url,
    });
    tokio::time::sleep(LATER).await;
    let picked = peer.sim("press", pick).await;
    assert_eq!(picked["answer"], "{\"type\":6}");
    in_time(&[taken, pressed, picked].map(|answer| answer["took"].as_f64().unwrap()));
    let again = peer.sent_at_least(&thread, 4).await;
    assert!(words(&again[3]).contains('价'), "{again:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&channel).await.len(), 1);
    // Without the key nothing is taken there.
    let other = tempfile::tempdir().unwrap();
    let unkeyed = serve(&peer, other.path(), &[]);
    let pong = peer.sim("ping", json!({"server": unkeyed.url})).await;
    assert_eq!(pong["status"], 404, "{pong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_answered_only_when_it_is_durable() {
    let data = tempfile::tempdir().unwrap();
    let mut redis = Redis::start();
    let state = redis.url();
    let peer = DiscordPeer::start(&[]);
    let key = peer.state().await["key"].as_str().unwrap().to_owned();
    let settings = [
        ("TIANSHENG_CHANNELS__DISCORD__PUBLIC_KEY", key.as_str()),
        ("TIANSHENG_STATE__URL", state.as_str()),
    ];
    let server = listening(&peer, data.path(), &settings).await;
    peer.commanded().await;
    let (user, channel) = peer.customer().await;
    let slash = json!({"user": user, "channel": channel, "text": "你好", "server": server.url});
    redis.kill();
    let refused = peer.sim("slash", slash.clone()).await;
    assert_eq!(refused["status"], 503, "{refused}");
    redis.up();
    peer.until("a store that takes it", async || {
        let taken = peer.sim("slash", slash.clone()).await;
        (taken["status"] == 200).then_some(())
    })
    .await;
    peer.sent_at_least(&channel, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_thread_can_be_opened_the_customer_is_answered_in_private_all_the_same() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let ((user, direct), _, general) = without_threads(&peer).await;
    let _server = listening(&peer, data.path(), &[]).await;
    mention(&peer, &general, &user, "意式咖啡机有推荐吗？").await;
    let offer = peer.sent_at_least(&direct, 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    // It is the same conversation there.
    let second = ask(&peer, &(user, direct), "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    assert_eq!(peer.sent(&general).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_direct_messages_is_answered_in_the_thread_where_there_is_one() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (li, _, general) = server_of(&peer).await;
    let direct = id(&peer.sim("direct", json!({"user": li})).await);
    let server = listening(&peer, data.path(), &[]).await;
    ask(&peer, &(li.clone(), direct.clone()), "你好", 1).await;
    mention(&peer, &general, &li, "你好").await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    peer.sent_at_least(&thread, 1).await;
    peer.sim("shut", json!({"user": li})).await;
    peer.say(&direct, &li, "转人工").await;
    let moved = peer.sent_at_least(&thread, 2).await;
    assert!(words(&moved[1]).contains("同事"), "{moved:?}");
    assert_eq!(peer.sent(&direct).await.len(), 1);
    assert_eq!(counted(&server, &sends("discord", "blocked")).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_customers_of_one_channel_have_a_thread_each_on_two_replicas() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = DiscordPeer::start(&[]);
    let mut customers = Vec::new();
    for _ in 0..8 {
        customers.push(id(&peer.sim("user", json!({})).await));
    }
    let guild = peer.sim("guild", json!({"members": customers})).await;
    let general = guild["general"].as_str().unwrap();
    let _first = serve(&peer, one.path(), &settings);
    let _second = serve(&peer, two.path(), &settings);
    peer.listened_to().await;
    peer.commanded().await;
    for user in &customers {
        mention(&peer, general, user, "你好").await;
        let slash = json!({"user": user, "channel": general, "text": "你好"});
        peer.sim("slash", slash).await;
    }
    let opened = threads(&peer, general, 8).await;
    for thread in &opened {
        peer.sent_at_least(&id(thread), 1).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(threads(&peer, general, 8).await.len(), 8);
    // Registered by both, there once.
    assert_eq!(peer.state().await["commands"], 1);
}

/// What is said in threads and direct channels is shown without a mention.
const READS_ALL: (&str, &str) = ("TIANSHENG_CHANNELS__DISCORD__MESSAGE_CONTENT", "true");

#[tokio::test(flavor = "multi_thread")]
async fn who_is_answered_in_the_thread_goes_on_there_with_the_same_conversation() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (li, _, general) = server_of(&peer).await;
    let direct = id(&peer.sim("direct", json!({"user": li})).await);
    let _server = listening(&peer, data.path(), &[READS_ALL]).await;
    ask(&peer, &(li.clone(), direct.clone()), "你好", 1).await;
    mention(&peer, &general, &li, "你好").await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    peer.sent_at_least(&thread, 1).await;
    peer.sim("shut", json!({"user": li})).await;
    peer.say(&direct, &li, "意式咖啡机有推荐吗？").await;
    let offer = peer.sent_at_least(&thread, 3).await;
    assert!(words(&offer[1]).contains("¥2,480"), "{offer:?}");
    // A number means what the list before it counts.
    let second = ask(&peer, &(li, thread), "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_in_private_stays_its_own_where_no_thread_can_be_opened() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let ((user, direct), _, general) = without_threads(&peer).await;
    let _server = listening(&peer, data.path(), &[READS_ALL]).await;
    let customer = (user.clone(), direct.clone());
    ask(&peer, &customer, "意式咖啡机有推荐吗？", 2).await;
    mention(&peer, &general, &user, "你好").await;
    peer.sent_at_least(&direct, 3).await;
    let second = ask(&peer, &customer, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_belongs_to_the_conversation_that_goes_on_there() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let ((user, direct), _, general) = without_threads(&peer).await;
    let key = peer.state().await["key"].as_str().unwrap().to_owned();
    let keyed = ("TIANSHENG_CHANNELS__DISCORD__PUBLIC_KEY", key.as_str());
    let server = listening(&peer, data.path(), &[keyed]).await;
    peer.commanded().await;
    mention(&peer, &general, &user, "意式咖啡机有推荐吗？").await;
    peer.sent_at_least(&direct, 2).await;
    let slash = json!({"user": user, "channel": direct, "text": "2", "server": server.url});
    peer.sim("slash", slash).await;
    let second = peer.sent_at_least(&direct, 3).await;
    assert!(words(&second[2]).contains("山岚 Uno"), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_direct_messages_any_more_has_a_thread_as_soon_as_one_can_be_opened() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let ((user, direct), guild, general) = without_threads(&peer).await;
    let _server = listening(&peer, data.path(), &[]).await;
    mention(&peer, &general, &user, "你好").await;
    peer.sent_at_least(&direct, 1).await;
    peer.sim("allow", json!({"guild": guild})).await;
    peer.sim("shut", json!({"user": user})).await;
    mention(&peer, &general, &user, "转人工").await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    let person = peer.sent_at_least(&thread, 1).await;
    assert!(words(&person[0]).contains("同事"), "{person:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_whose_customer_could_not_be_added_is_gone_on_with() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (li, _, general) = server_of(&peer).await;
    let _server = listening(&peer, data.path(), &[]).await;
    let away = json!({
        "method": "PUT", "path": format!("thread-members/{li}"), "status": 502, "times": 4,
    });
    peer.sim("fault", away).await;
    mention(&peer, &general, &li, "你好").await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    peer.sent_at_least(&thread, 1).await;
    let members = peer.sim("members", json!({"channel": thread})).await;
    assert!(members.as_array().unwrap().contains(&json!(li)));
    assert_eq!(threads(&peer, &general, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_a_person_has_is_told_nothing_by_the_bot() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&["--no-content"]);
    let (li, _, general) = server_of(&peer).await;
    let server = listening(&peer, data.path(), &[]).await;
    mention(&peer, &general, &li, "转人工").await;
    let thread = id(&threads(&peer, &general, 1).await[0]);
    peer.sent_at_least(&thread, 1).await;
    peer.until("the change of hands", async || {
        let metrics = metrics(&server).await;
        let asked = metrics.lines().find(|line| line.contains("\"asked\""));
        asked.map(|_| ())
    })
    .await;
    let before = peer.sent(&thread).await.len();
    peer.say(&thread, &li, "在吗？").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&thread).await.len(), before);
}
