//! What Discord refuses, in direct channels and in threads, and how the customer is answered all the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use tests::discord_peer::{DiscordPeer, TOKEN, id, words};
use tests::served::discord::{ask, on_gateway, serve};
use tests::served::{QUIET, doctor, logged, sends, until_counted};

/// A server whose bot may open threads and write nothing into them, with one member: its id, its channel, and the member with their direct channel.
async fn mute_in_threads(peer: &DiscordPeer) -> (String, String, (String, String)) {
    let customer = peer.customer().await;
    let guild = json!({"members": [customer.0], "without": ["send_messages_in_threads"]});
    let guild = peer.sim("guild", guild).await;
    let general = guild["general"].as_str().unwrap().to_owned();
    (id(&guild), general, customer)
}

async fn mention(peer: &DiscordPeer, channel: &str, user: &str, text: &str) {
    let bot = peer.state().await["bot"].as_str().unwrap().to_owned();
    peer.say(channel, user, &format!("<@{bot}> {text}")).await;
}

async fn threads(peer: &DiscordPeer, channel: &str) -> Vec<Value> {
    let threads = peer.sim("threads", json!({"channel": channel})).await;
    threads.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bot_may_not_write_into_its_threads_customers_are_answered_in_private() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (guild, general, customer) = mute_in_threads(&peer).await;
    let server = serve(&peer, data.path(), &[]);
    peer.listened_to().await;
    mention(&peer, &general, &customer.0, "意式咖啡机有推荐吗？").await;
    let offer = peer.sent_at_least(&customer.1, 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let second = ask(&peer, &customer, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    // The operator is told in the log and by doctor.
    assert!(logged(data.path()).contains("Send Messages in Threads"));
    drop(server);
    let told = || {
        let url = &peer.url;
        let settings = format!("[channels.discord]\napi_url = \"{url}\"\ntoken = \"{TOKEN}\"\n");
        doctor(data.path(), &settings)
    };
    let lacking = told();
    assert!(
        lacking.contains("the bot lacks: Send Messages in Threads"),
        "{lacking}"
    );
    let what = ["send_messages_in_threads", "create_private_threads"];
    peer.sim("allow", json!({"guild": guild, "what": what}))
        .await;
    let allowed = told();
    assert!(
        allowed.contains("has the permissions that it needs"),
        "{allowed}"
    );
}

/// The customer is in the thread already and looks at it.
#[tokio::test(flavor = "multi_thread")]
async fn whose_thread_takes_nothing_any_more_is_answered_in_private_and_may_go_on_writing_there() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let customer = peer.customer().await;
    let guild = peer.sim("guild", json!({"members": [customer.0]})).await;
    let general = guild["general"].as_str().unwrap();
    let _server = serve(&peer, data.path(), &[]);
    peer.listened_to().await;
    mention(&peer, general, &customer.0, "你好").await;
    let first = async || threads(&peer, general).await.first().map(id);
    let thread = peer.until("a thread", first).await;
    peer.sent_at_least(&thread, 1).await;
    let forbid = json!({"guild": guild["id"], "what": ["send_messages_in_threads"]});
    peer.sim("forbid", forbid).await;
    mention(&peer, &thread, &customer.0, "意式咖啡机有推荐吗？").await;
    let offer = peer.sent_at_least(&customer.1, 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    // It is the same conversation in both.
    let second = ask(&peer, &customer, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    mention(&peer, &thread, &customer.0, "转人工").await;
    let person = peer.sent_at_least(&customer.1, 4).await;
    assert!(words(&person[3]).contains("同事"), "{person:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&customer.1).await.len(), 4);
    assert_eq!(peer.sent(&thread).await.len(), 1);
    assert_eq!(threads(&peer, general).await.len(), 1);
    assert!(logged(data.path()).contains("Send Messages in Threads"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_be_reached_nowhere_is_answered_once_the_bot_may_write_into_their_thread() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&[]);
    let (guild, general, customer) = mute_in_threads(&peer).await;
    peer.sim("shut", json!({"user": customer.0})).await;
    let server = serve(&peer, data.path(), &[]);
    peer.listened_to().await;
    mention(&peer, &general, &customer.0, "转人工").await;
    until_counted(&server, &sends("discord", "retry"), 2).await;
    let allow = json!({"guild": guild, "what": ["send_messages_in_threads"]});
    peer.sim("allow", allow).await;
    let opened = threads(&peer, &general).await;
    let person = peer.sent_at_least(&id(&opened[0]), 1).await;
    assert!(words(&person[0]).contains("同事"), "{person:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&id(&opened[0])).await.len(), 1);
    assert_eq!(threads(&peer, &general).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_gateway(data.path(), &[]).await;
    let refuse = async |channel: &str, more: Value| {
        let mut fault = json!({"method": "POST", "path": format!("/channels/{channel}/messages")});
        let members = fault.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        peer.sim("fault", fault).await;
    };
    // The token is none for a time: the message waits for whoever mends it.
    let waits = peer.customer().await;
    refuse(&waits.1, json!({"status": 401})).await;
    ask(&peer, &waits, "你好", 1).await;
    // No access: nothing more, and nobody else is kept waiting.
    let gone = peer.customer().await;
    refuse(&gone.1, json!({"status": 403, "code": 50001})).await;
    peer.say(&gone.1, &gone.0, "你好").await;
    until_counted(&server, &sends("discord", "blocked"), 1).await;
    // Not allowed: this message never, what follows is tried.
    let mute = peer.customer().await;
    refuse(&mute.1, json!({"status": 403, "code": 50013})).await;
    peer.say(&mute.1, &mute.0, "你好").await;
    until_counted(&server, &sends("discord", "permanent"), 1).await;
    ask(&peer, &mute, "转人工", 1).await;
    tokio::time::sleep(QUIET).await;
    for (channel, count) in [(&waits.1, 1), (&gone.1, 0), (&mute.1, 1)] {
        assert_eq!(peer.sent(channel).await.len(), count);
    }
    assert!(!logged(data.path()).contains("secret-of_the_bot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_refusals_in_a_row_is_waited_out_and_the_message_is_there_once() {
    const REFUSALS: usize = 5;
    const WAIT: f64 = 0.4;
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let path = format!("/channels/{}/messages", customer.1);
    let fault = json!({
        "method": "POST", "path": path, "status": 429, "retry_after": WAIT, "times": REFUSALS,
    });
    peer.sim("fault", fault).await;
    ask(&peer, &customer, "你好", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&customer.1).await.len(), 1);
    let calls = peer.requests("POST", &path).await;
    let statuses: Vec<&Value> = calls.iter().map(|call| &call["status"]).collect();
    // The peer's own limit, which counts also what was refused, may refuse once more.
    let (last, refused) = statuses.split_last().unwrap();
    assert_eq!(*last, 200);
    assert!(refused.len() >= REFUSALS && refused.iter().all(|status| **status == 429));
    let at: Vec<f64> = calls
        .iter()
        .map(|call| call["at"].as_f64().unwrap())
        .collect();
    for pair in at.windows(2) {
        assert!(pair[1] - pair[0] >= WAIT, "{at:?}");
    }
}
