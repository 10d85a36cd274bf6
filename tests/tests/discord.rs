//! The product on Discord in direct messages: whole conversations, and everything that can go wrong with a send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::time::Duration;
use tests::binary::run;
use tests::discord_peer::{DiscordPeer, TOKEN, button, words};
use tests::redis_server::Redis;
use tests::served::discord::{ask, on_gateway, serve};
use tests::served::{QUIET, doctor, logged, metrics, sends, shop, slow_model, until_counted};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let greeting = ask(&peer, &customer, "你好", 1).await;
    assert!(words(&greeting[0]).contains("AI"), "{greeting:?}");
    let offer = ask(&peer, &customer, "意式咖啡机有推荐吗？", 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    assert_eq!(offer[0]["embeds"].as_array().unwrap().len(), 3, "{offer:?}");
    assert!(offer[0]["embeds"][0]["url"].is_string(), "{offer:?}");
    let compare = button(&offer[1], "比较前两款").unwrap();
    let before = peer.sent(&customer.1).await.len();
    let press = json!({
        "user": customer.0, "channel": customer.1, "message": offer[1]["id"], "id": compare,
    });
    let pressed = peer.sim("press", press).await;
    let compared = peer.sent_at_least(&customer.1, before + 1).await;
    assert!(words(&compared[before]).contains("价"), "{compared:?}");
    let answered = peer.sim("answered", json!({"id": pressed["id"]})).await;
    assert_eq!(answered["responded"], true, "the button waits");
    // A number means what the list before it counts.
    let second = ask(&peer, &customer, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, &customer, wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    assert!(!logged(data.path()).contains("secret-of_the_bot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let greeting = ask(&peer, &customer, "hello", 1).await;
    assert!(!words(&greeting[0]).contains('您'), "{greeting:?}");
    let wish = "an espresso machine under 3000 yuan please";
    let offer = ask(&peer, &customer, wish, 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let details = ask(&peer, &customer, "is the second one in stock?", 1).await;
    assert!(!words(&details[0]).is_empty());
    let person = ask(&peer, &customer, "can I talk to a person", 1).await;
    assert!(words(&person[0]).contains("passed you on"), "{person:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_and_reordered_events_are_answered_once_and_what_is_nobodys_words_never() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let first = ask(&peer, &customer, "你好", 1).await;
    ask(&peer, &customer, "转人工", 1).await;
    assert_eq!(first.len(), 1);
    // All of it once more, the last first.
    peer.sim("again", json!({})).await;
    // Somebody has pinned a message.
    let (user, channel) = &customer;
    let pinned = json!({"channel": channel, "user": user, "content": "你好", "type": 6});
    peer.sim("say", pinned).await;
    let other = peer.customer().await;
    ask(&peer, &other, "你好", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(channel).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_turn_and_many_customers_are_served_side_by_side() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let (peer, _server) = on_gateway(data.path(), &settings).await;
    let hasty = peer.customer().await;
    for text in ["你好", "我想买意式咖啡机", "预算三千以内"] {
        peer.say(&hasty.1, &hasty.0, text).await;
    }
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let customer = peer.customer().await;
        peer.say(&customer.1, &customer.0, "你好").await;
        crowd.push(customer);
    }
    let sent = peer.sent_at_least(&hasty.1, 1).await;
    assert!(words(&sent[0]).contains('¥'), "{sent:?}");
    for (_, channel) in &crowd {
        peer.sent_at_least(channel, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    let greetings = peer.sent(&hasty.1).await;
    let greetings = greetings.iter().filter(|m| words(m).contains("AI"));
    assert_eq!(greetings.count(), 1);
    for (_, channel) in &crowd {
        assert_eq!(peer.sent(channel).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_discord_to_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_gateway(data.path(), &[]).await;
    let fault = async |channel: &str, more: Value| {
        let mut fault = json!({"method": "POST", "path": format!("/channels/{channel}/messages")});
        fault
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        peer.sim("fault", fault).await;
    };
    // Too many: again after the wait, once.
    let limited = peer.customer().await;
    fault(&limited.1, json!({"status": 429, "retry_after": 2.25})).await;
    ask(&peer, &limited, "你好", 1).await;
    let calls = peer
        .requests("POST", &format!("{}/messages", limited.1))
        .await;
    let waited = calls[1]["at"].as_f64().unwrap() - calls[0]["at"].as_f64().unwrap();
    assert!(waited >= 2.25, "{waited}");
    // Refused for ever: given up, and what follows leaves.
    let refused = peer.customer().await;
    let told = json!({"status": 400, "code": 50_035, "message": "Invalid Form Body"});
    fault(&refused.1, told).await;
    peer.say(&refused.1, &refused.0, "你好").await;
    until_counted(&server, &sends("discord", "permanent"), 1).await;
    assert_eq!(ask(&peer, &refused, "转人工", 1).await.len(), 1);
    // Cut off before or after Discord acted, or a fault of its own: sent again, and known by its nonce.
    let mut unknown = Vec::new();
    for more in [
        json!({"cut": true}),
        json!({"cut": true, "after": true}),
        json!({"status": 502}),
        json!({"status": 500, "after": true}),
        json!({"hang": 12, "after": true}),
    ] {
        let customer = peer.customer().await;
        fault(&customer.1, more).await;
        ask(&peer, &customer, "你好", 1).await;
        unknown.push(customer);
    }
    // Takes no direct messages: nothing more, and nobody else is kept waiting.
    let shut = peer.customer().await;
    peer.sim("shut", json!({"user": shut.0})).await;
    peer.say(&shut.1, &shut.0, "你好").await;
    let open = peer.customer().await;
    ask(&peer, &open, "你好", 1).await;
    until_counted(&server, &sends("discord", "blocked"), 1).await;
    for (_, channel) in &unknown {
        peer.until("the repetition", async || {
            let calls = peer.requests("POST", &format!("{channel}/messages")).await;
            (!calls.is_empty()).then_some(())
        })
        .await;
    }
    tokio::time::sleep(Duration::from_secs(12)).await;
    for (_, channel) in &unknown {
        assert_eq!(peer.sent(channel).await.len(), 1);
    }
    assert_eq!(peer.sent(&limited.1).await.len(), 1);
    assert_eq!(peer.sent(&shut.1).await.len(), 0);
    let log = logged(data.path());
    assert!(!log.contains("secret-of_the_bot"));
    assert!(!metrics(&server).await.contains("outcome=\"unknown\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_kept_by_two_replicas_together() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let (peer, first) = on_gateway(one.path(), &settings).await;
    let second = serve(&peer, two.path(), &settings);
    let customer = peer.customer().await;
    for _ in 0..9 {
        ask(&peer, &customer, "你好", 1).await;
    }
    let calls = peer
        .requests("POST", &format!("{}/messages", customer.1))
        .await;
    let refused = calls.iter().filter(|call| call["status"] == 429);
    assert_eq!(refused.count(), 0, "{calls:#?}");
    // A wait of the whole bot holds for all channels.
    let global = json!({
        "method": "POST", "path": "/messages", "status": 429, "retry_after": 3, "global": true,
    });
    peer.sim("fault", global).await;
    let waiting = peer.customer().await;
    peer.say(&waiting.1, &waiting.0, "你好").await;
    let refused_at = peer
        .until("the refusal", async || {
            peer.state().await["faults"][0]["at"].as_f64()
        })
        .await;
    peer.until("the note of the wait", async || {
        let noted = redis.ask(&["KEYS", "*discord:wait:all*"]);
        noted.contains("all").then_some(())
    })
    .await;
    let mut others = Vec::new();
    for _ in 0..6 {
        let other = peer.customer().await;
        peer.say(&other.1, &other.0, "你好").await;
        others.push(other);
    }
    for other in &others {
        peer.sent_at_least(&other.1, 1).await;
    }
    let calls = peer.requests("POST", "/messages").await;
    let before = |call: &&Value| call["at"].as_f64().unwrap() < refused_at;
    let refused = calls.iter().filter(|call| call["status"] == 429);
    assert_eq!(refused.count(), 1, "{calls:#?}");
    for call in calls
        .iter()
        .skip_while(before)
        .filter(|c| c["status"] != 429)
    {
        let after = call["at"].as_f64().unwrap() - refused_at;
        assert!(after >= 3.0, "{after} s after the refusal");
    }
    drop((first, second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_while_discord_cannot_be_reached() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_gateway(data.path(), &[]).await;
    let customer = peer.customer().await;
    let down = json!({
        "method": "POST", "path": "/messages", "status": 503, "times": 3,
    });
    peer.sim("fault", down).await;
    ask(&peer, &customer, "你好", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&customer.1).await.len(), 1);
    assert!(!logged(data.path()).contains("secret-of_the_bot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_shown_as_they_are_and_pictures_that_discord_refuses_are_left_out() {
    let data = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let hostile = "_*~`|>#[a](https://evil.example) @everyone <@1>";
    shop(dir.path(), |products| {
        products
            .replace("\timages/", "\thttps://cdn.example/images/")
            .replace(
                "半自动意式咖啡机\t",
                &format!("半自动意式咖啡机 {hostile}\t"),
            )
    });
    let at = dir.path().display().to_string();
    let (peer, _server) = on_gateway(data.path(), &[("TIANSHENG_SHOP__DIR", &at)]).await;
    let customer = peer.customer().await;
    let offer = ask(&peer, &customer, "意式咖啡机有推荐吗？", 2).await;
    let embeds = offer[0]["embeds"].as_array().unwrap();
    let pictures = embeds
        .iter()
        .filter(|embed| embed["image"]["url"].is_string());
    assert_eq!(pictures.count(), 3, "{offer:#?}");
    let title = embeds[0]["title"].as_str().unwrap();
    let escaped = r"\_\*\~\`\|>#\[a\] (https://evil.example)";
    assert!(title.contains(escaped), "{title}");
    assert!(
        !title.contains("@everyone") && title.contains(r"\<@1>"),
        "{title}"
    );
    for sent in &offer {
        assert_eq!(sent["mention_everyone"], false);
        assert_eq!(sent["mentions"], json!([]));
        let text = sent["content"].as_str().unwrap();
        assert!(!text.contains("@everyone"), "{text}");
    }
    let other = peer.customer().await;
    let refused = json!({
        "method": "POST", "path": format!("{}/messages", other.1),
        "status": 400, "code": 50_035, "message": "Invalid Form Body",
    });
    peer.sim("fault", refused).await;
    let offer = ask(&peer, &other, "意式咖啡机有推荐吗？", 2).await;
    let embeds = offer[0]["embeds"].as_array().unwrap();
    assert_eq!(embeds.len(), 3);
    assert!(embeds.iter().all(|embed| embed["image"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_see_or_hear_it_says_so_and_what_is_edited_is_read_again() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_gateway(data.path(), &[]).await;
    let (user, channel) = peer.customer().await;
    let send = async |files: &[&str], text: &str| {
        let before = peer.sent(&channel).await.len();
        let said = json!({"channel": channel, "user": user, "content": text, "files": files});
        peer.sim("say", said).await;
        let sent = peer.sent_at_least(&channel, before + 1).await;
        words(&sent[before])
    };
    assert!(send(&["a.jpg"], "").await.contains("照片"));
    let asked = send(&["a.jpg"], "预算三千以内的意式咖啡机有推荐吗？").await;
    assert!(asked.contains("照片"), "{asked}");
    peer.sent_at_least(&channel, 2).await;
    tokio::time::sleep(QUIET).await;
    assert!(send(&["a.ogg"], "").await.contains("语音"));
    let before = peer.sent(&channel).await.len();
    let said = peer.say(&channel, &user, "你好").await;
    peer.sent_at_least(&channel, before + 1).await;
    // A preview is no edit.
    let preview = json!({"channel": channel, "message": said["id"]});
    peer.sim("react", preview).await;
    let edit = json!({"channel": channel, "message": said["id"], "content": "转人工"});
    peer.sim("edit", edit).await;
    let sent = peer.sent_at_least(&channel, before + 2).await;
    assert!(words(&sent[before + 1]).contains("同事"), "{sent:?}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(&channel).await.len(), before + 2);
    // Files are in the log as they came, so each turn runs again to the same bytes.
    assert!(server.stop().success());
    let at = data.path().to_str().unwrap();
    let conversation = format!("discord:{channel}");
    let replayed = run(&["replay", &conversation, "--json", "--data", at], b"");
    assert_eq!(replayed.0, 0, "{replayed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_slow_answer_sees_that_it_is_being_written() {
    let data = tempfile::tempdir().unwrap();
    let model = slow_model(Duration::from_secs(6)).await;
    let settings = [
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
    ];
    let (peer, _server) = on_gateway(data.path(), &settings).await;
    let customer = peer.customer().await;
    ask(&peer, &customer, "意式咖啡机有推荐吗？", 1).await;
    assert!(!peer.requests("POST", "/typing").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_discord_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = DiscordPeer::start(&["--no-content"]);
    let check = |settings: &str| {
        let url = &peer.url;
        let settings = format!("[channels.discord]\napi_url = \"{url}\"\n{settings}");
        let told = doctor(data.path(), &settings);
        assert!(!told.contains("secret-of_the_bot"), "{told}");
        told
    };
    let token = format!("token = \"{TOKEN}\"\n");
    let plain = check(&token);
    assert!(plain.contains("the token is that of"), "{plain}");
    assert!(plain.contains("1000 of 1000 sessions are left"), "{plain}");
    assert!(plain.contains("no public key is set"), "{plain}");
    let content = check(&format!("{token}message_content = true\n"));
    assert!(content.contains("Privileged Gateway Intents"), "{content}");
    let key = peer.state().await["key"].as_str().unwrap().to_owned();
    let ours = format!("{token}public_key = \"{key}\"\n");
    assert!(check(&ours).contains("come over the gateway"));
    let set = json!({"endpoint": "https://chat.shop.example/webhooks/discord", "starts_left": 7});
    peer.sim("set", set).await;
    let signed = check(&ours);
    assert!(signed.contains("come signed over HTTP"), "{signed}");
    assert!(
        signed.contains("see in the log why sessions end"),
        "{signed}"
    );
    assert!(check(&token).contains("remove the Interactions Endpoint URL"));
    let other = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    let others = check(&format!("{token}public_key = \"{other}\"\n"));
    assert!(others.contains("is not this application's"), "{others}");
    let strange = check("token = \"a.b.c\"\n");
    assert!(strange.contains("does not know the token"), "{strange}");
}
