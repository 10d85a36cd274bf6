//! Discord's gateway: what is told once is answered once, whoever listens, dies or is cut off.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use tests::discord_peer::{DiscordPeer, words};
use tests::redis_server::Redis;
use tests::served::discord::{ask, listening, on_gateway, serve};
use tests::served::{QUIET, accepted, logged, until_counted};

/// The intents that are not asked for unless a setting wants them.
const MESSAGE_CONTENT: u64 = 1 << 15;

async fn count(peer: &DiscordPeer, what: &str) -> usize {
    peer.state().await[what].as_array().unwrap().len()
}

/// Everybody has one answer and no second.
async fn answered_once(peer: &DiscordPeer, customers: &[(String, String)]) {
    for (_, channel) in customers {
        peer.sent_at_least(channel, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    for (_, channel) in customers {
        assert_eq!(peer.sent(channel).await.len(), 1);
    }
}

async fn crowd(peer: &DiscordPeer, count: usize) -> Vec<(String, String)> {
    let mut crowd = Vec::new();
    for _ in 0..count {
        crowd.push(peer.customer().await);
    }
    crowd
}

async fn all_say(peer: &DiscordPeer, customers: &[(String, String)], text: &str) {
    for (user, channel) in customers {
        peer.say(channel, user, text).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_resumed_and_what_was_said_meanwhile_is_answered() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    ask(&peer, &customer, "你好", 1).await;
    let meanwhile = crowd(&peer, 3).await;
    assert_eq!(peer.sim("drop", json!({})).await["cut"], 1);
    all_say(&peer, &meanwhile, "你好").await;
    answered_once(&peer, &meanwhile).await;
    // Asked to connect elsewhere, to resume again, and closed with a number of Discord's own.
    for act in [
        json!({"op": 7}),
        json!({"op": 9, "d": true}),
        json!({"code": 4000}),
    ] {
        let before = count(&peer, "resumed").await;
        let name = if act["op"].is_null() { "drop" } else { "tell" };
        peer.sim(name, act.clone()).await;
        let again = crowd(&peer, 2).await;
        all_say(&peer, &again, "你好").await;
        answered_once(&peer, &again).await;
        assert!(count(&peer, "resumed").await > before, "{act}");
    }
    assert_eq!(count(&peer, "identified").await, 1);
    // Not more than that is asked for.
    let asked = peer.state().await["identified"][0]["intents"].as_u64();
    assert_eq!(asked.unwrap() & MESSAGE_CONTENT, 0);
    assert!(!logged(data.path()).contains("secret-of_the_bot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_keep_a_connection_and_one_that_does_not_answer_them_is_left() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&["--heartbeat", "3000"]);
    let _server = listening(&peer, data.path(), &[]).await;
    let beats = async |more: u64| {
        let before = peer.state().await["heartbeats"].as_u64().unwrap();
        peer.until("heartbeats", async || {
            let beats = peer.state().await["heartbeats"].as_u64().unwrap();
            (beats >= before + more).then_some(())
        })
        .await;
    };
    // An answer that takes as long as until the next beat would be none.
    beats(3).await;
    assert_eq!(count(&peer, "resumed").await, 0);
    peer.sim("set", json!({"is_deaf": true})).await;
    peer.until("a resumption", async || {
        (count(&peer, "resumed").await > 0).then_some(())
    })
    .await;
    peer.sim("set", json!({"is_deaf": false})).await;
    let customer = peer.customer().await;
    ask(&peer, &customer, "你好", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_is_followed_by_another_that_asks_for_what_was_missed() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_gateway(data.path(), &[]).await;
    let known = crowd(&peer, 12).await;
    all_say(&peer, &known, "你好").await;
    answered_once(&peer, &known).await;
    // Nobody listens, and nothing can be resumed.
    server.kill();
    peer.sim("forget", json!({})).await;
    for (at, (user, channel)) in known.iter().enumerate() {
        let text = if at == 0 { "转人工" } else { "你好" };
        peer.say(channel, user, text).await;
    }
    // More than one answer of the history holds.
    let (user, channel) = &known[1];
    for at in 0..120 {
        peer.say(channel, user, &format!("第 {at} 句")).await;
    }
    peer.say(channel, user, "转人工").await;
    let _server = serve(&peer, data.path(), &[]);
    for (_, channel) in &known {
        peer.sent_at_least(channel, 2).await;
    }
    let late = peer.customer().await;
    ask(&peer, &late, "你好", 1).await;
    peer.until("the last words", async || {
        let sent = peer.sent(channel).await;
        words(sent.last().unwrap()).contains("同事").then_some(())
    })
    .await;
    tokio::time::sleep(QUIET).await;
    assert!(words(&peer.sent(&known[0].1).await[1]).contains("同事"));
    for (_, channel) in known.iter().skip(2) {
        assert_eq!(peer.sent(channel).await.len(), 2, "{channel}");
    }
    assert_eq!(count(&peer, "identified").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_discord_ends_while_listening_begins_anew_without_haste() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let known = peer.customer().await;
    ask(&peer, &known, "你好", 1).await;
    peer.sim("tell", json!({"op": 9, "d": false})).await;
    peer.say(&known.1, &known.0, "转人工").await;
    let sent = peer.sent_at_least(&known.1, 2).await;
    assert!(words(&sent[1]).contains("同事"), "{sent:?}");
    let state = peer.state().await;
    let at = |n: usize| state["identified"][n]["at"].as_f64().unwrap();
    // Discord takes one in five seconds; the peer may see the first a little late.
    assert!(at(1) - at(0) >= 4.0, "{state:#}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&known.1).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_left_or_leave_it_says_what_to_do_and_tries_nothing_in_vain() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&["--no-content"]);
    let wants = [("TIANSHENG_CHANNELS__DISCORD__MESSAGE_CONTENT", "true")];
    let server = serve(&peer, data.path(), &wants);
    let told = async |what: &str| {
        peer.until(what, async || {
            logged(data.path()).contains(what).then_some(())
        })
        .await;
    };
    told("4014: the Message Content intent is not allowed").await;
    let tried = count(&peer, "identified").await;
    assert_eq!(tried, 1);
    let asked = peer.state().await["identified"][0]["intents"].as_u64();
    assert_ne!(asked.unwrap() & MESSAGE_CONTENT, 0);
    tokio::time::sleep(QUIET).await;
    assert_eq!(count(&peer, "identified").await, tried);
    server.kill();
    peer.sim("set", json!({"starts_left": 0})).await;
    let server = serve(&peer, data.path(), &[]);
    told("sessions of the day are used up").await;
    assert_eq!(count(&peer, "identified").await, tried);
    drop(server);
    let strange = [("TIANSHENG_CHANNELS__DISCORD__TOKEN", "a.b.c")];
    let _server = serve(&peer, data.path(), &strange);
    told("Discord does not know the token; reset it").await;
    assert_eq!(count(&peer, "identified").await, tried);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_answered_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "3000")];
    let (peer, server) = on_gateway(data.path(), &settings).await;
    let customers = crowd(&peer, 5).await;
    peer.commanded().await;
    all_say(&peer, &customers, "你好").await;
    until_counted(&server, &accepted("discord"), 5).await;
    server.kill();
    let server = serve(&peer, data.path(), &settings);
    answered_once(&peer, &customers).await;
    // A stop leaves a session that can be resumed.
    assert!(server.stop().success());
    let later = crowd(&peer, 2).await;
    all_say(&peer, &later, "你好").await;
    let _server = serve(&peer, data.path(), &settings);
    answered_once(&peer, &later).await;
    assert_eq!(count(&peer, "identified").await, 1);
    // The command was registered by the first and found by the others.
    peer.until("the last look at the command", async || {
        (peer.requests("GET", "/commands").await.len() == 3).then_some(())
    })
    .await;
    assert_eq!(peer.requests("POST", "/commands").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_replicas_listens_and_the_other_goes_on_where_it_was_killed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let (peer, first) = on_gateway(one.path(), &settings).await;
    let second = serve(&peer, two.path(), &settings);
    let before = crowd(&peer, 10).await;
    all_say(&peer, &before, "你好").await;
    answered_once(&peer, &before).await;
    let during = crowd(&peer, 20).await;
    all_say(&peer, &during[..10], "你好").await;
    first.kill();
    all_say(&peer, &during[10..], "你好").await;
    answered_once(&peer, &during).await;
    assert_eq!(count(&peer, "identified").await, 1);
    assert!(count(&peer, "resumed").await >= 1);
    // And once more where no session can be resumed: a third takes over from the second.
    let three = tempfile::tempdir().unwrap();
    let _third = serve(&peer, three.path(), &settings);
    second.kill();
    peer.sim("forget", json!({})).await;
    all_say(&peer, &before, "转人工").await;
    for (_, channel) in &before {
        let sent = peer.sent_at_least(channel, 2).await;
        assert!(words(&sent[1]).contains("同事"), "{sent:?}");
    }
    tokio::time::sleep(QUIET).await;
    for (_, channel) in &before {
        assert_eq!(peer.sent(channel).await.len(), 2);
    }
    for data in [&one, &two, &three] {
        assert!(!logged(data.path()).contains("secret-of_the_bot"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_store_is_away() {
    let data = tempfile::tempdir().unwrap();
    let mut redis = Redis::start();
    let url = redis.url();
    let settings = [("TIANSHENG_STATE__URL", url.as_str())];
    let (peer, _server) = on_gateway(data.path(), &settings).await;
    let customers = crowd(&peer, 6).await;
    all_say(&peer, &customers[..1], "你好").await;
    peer.sent_at_least(&customers[0].1, 1).await;
    redis.kill();
    all_say(&peer, &customers[1..], "你好").await;
    tokio::time::sleep(QUIET).await;
    redis.up();
    answered_once(&peer, &customers).await;
    let asked: Vec<Value> = peer.requests("POST", "/messages").await;
    assert_eq!(asked.len(), customers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_asked_for_until_discord_tells_it() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_gateway(data.path(), &[]).await;
    let (user, channel) = peer.customer().await;
    ask(&peer, &(user.clone(), channel.clone()), "你好", 1).await;
    server.kill();
    peer.sim("forget", json!({})).await;
    peer.say(&channel, &user, "转人工").await;
    // More often than one session asks.
    let path = format!("/channels/{channel}/messages");
    let away = json!({"method": "GET", "path": path, "status": 503, "times": 12});
    peer.sim("fault", away).await;
    let _server = serve(&peer, data.path(), &[]);
    let sent = peer.sent_at_least(&channel, 2).await;
    assert!(words(&sent[1]).contains("同事"), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_signed_deliveries_is_asked_for_what_was_missed_too() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let key = peer.state().await["key"].as_str().unwrap().to_owned();
    let keyed = [("TIANSHENG_CHANNELS__DISCORD__PUBLIC_KEY", key.as_str())];
    let server = listening(&peer, data.path(), &keyed).await;
    peer.commanded().await;
    ask(&peer, &peer.customer().await, "你好", 1).await;
    let (user, channel) = peer.customer().await;
    let slash = json!({"user": user, "channel": channel, "text": "你好", "server": server.url});
    peer.sim("slash", slash).await;
    peer.sent_at_least(&channel, 1).await;
    server.kill();
    peer.sim("forget", json!({})).await;
    peer.say(&channel, &user, "转人工").await;
    let _server = serve(&peer, data.path(), &keyed);
    let sent = peer.sent_at_least(&channel, 2).await;
    assert!(words(&sent[1]).contains("同事"), "{sent:?}");
}
