//! The product on Telegram: whole conversations over the Bot API, with one customer and with many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::store::RecordStore as _;
use bot::store::records::Records;
use serde_json::{Value, json};
use std::time::Duration;
use tests::binary::{free_port, run};
use tests::served::telegram::{ask, on_webhook};
use tests::served::{QUIET, doctor, logged, slow_model};
use tests::telegram_peer::{SECRET, TOKEN, TelegramPeer, button, words};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    let greeting = ask(&peer, 5, "/start", 1).await;
    assert!(words(&greeting[0]).contains("AI"), "{greeting:?}");
    assert!(words(&greeting[0]).contains('您'), "{greeting:?}");
    let offer = ask(&peer, 5, "意式咖啡机有推荐吗？", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let links = offer[0]["entities"].as_array().unwrap();
    let links = links.iter().filter(|entity| entity["type"] == "text_link");
    assert_eq!(links.count(), 3, "{offer:?}");
    let compare = button(&offer[0], "比较前两款").unwrap();
    let before = peer.sent(5).await.len();
    let message = offer[0]["message_id"].clone();
    let press = json!({"from": 5, "message_id": message, "data": compare});
    peer.sim("press", press).await;
    let compared = peer.sent_at_least(5, before + 1).await;
    assert!(words(&compared[before]).contains("价"), "{compared:?}");
    assert_eq!(peer.state().await["presses"], json!([]), "the button waits");
    // A number means what the list before it counts.
    let second = ask(&peer, 5, "2", 1).await;
    assert!(words(&second[0]).contains("山岚 Uno"), "{second:?}");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, 5, wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    assert!(!logged(data.path()).contains("ABC-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    let start = json!({"from": 6, "text": "/start", "language": "en"});
    peer.sim("message", start).await;
    let greeting = peer.sent_at_least(6, 1).await;
    assert!(words(&greeting[0]).is_ascii() || words(&greeting[0]).contains("I'm"));
    assert!(!words(&greeting[0]).contains('您'), "{greeting:?}");
    let offer = ask(&peer, 6, "an espresso machine under 3000 yuan please", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let details = ask(&peer, 6, "is the second one in stock?", 1).await;
    assert!(!words(&details[0]).is_empty());
    let help = ask(&peer, 6, "/help", 1).await;
    assert!(!words(&help[0]).is_empty());
    let person = ask(&peer, 6, "can I talk to a person", 1).await;
    assert!(words(&person[0]).contains("passed you on"), "{person:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_turn_and_many_customers_are_served_side_by_side() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "5000")];
    let (peer, _server) = on_webhook(data.path(), &settings).await;
    for text in ["你好", "我想买咖啡机", "预算三千以内"] {
        peer.say(9, text).await;
    }
    for customer in 100..120 {
        peer.say(customer, "你好").await;
    }
    let sent = peer.sent_at_least(9, 1).await;
    assert!(words(&sent[0]).contains("¥"), "{sent:?}");
    for customer in 100..120 {
        peer.sent_at_least(customer, 1).await;
    }
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(9).await.len(), 1);
    for customer in 100..120 {
        assert_eq!(peer.sent(customer).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_see_or_hear_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_webhook(data.path(), &[]).await;
    let send = async |from: i64, what: Value| {
        let before = peer.sent(from).await.len();
        peer.sim("message", json!({"from": from, "with": what}))
            .await;
        let sent = peer.sent_at_least(from, before + 1).await;
        words(&sent[before]).to_owned()
    };
    let content = json!({"file_id": "f1", "file_unique_id": "u1"});
    let with = |more: Value| {
        let mut content = content.clone();
        content
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        content
    };
    let size = json!({"width": 9, "height": 9});
    let photo = json!({"photo": [with(size)]});
    assert!(send(81, photo.clone()).await.contains("照片"));
    let mut asked = photo;
    asked["caption"] = json!("预算三千以内的意式咖啡机有推荐吗？");
    let reply = send(81, asked).await;
    assert!(reply.contains("照片") && reply.contains('¥'), "{reply}");
    let voice = json!({"voice": with(json!({"duration": 3}))});
    assert!(send(81, voice).await.contains("语音"));
    let mut video = with(json!({"duration": 3, "width": 9, "height": 9}));
    video["file_name"] = json!("door.mp4");
    assert!(!send(81, json!({"video": video})).await.is_empty());
    let document = json!({"document": with(json!({"file_name": "plan.pdf"}))});
    assert!(!send(81, document).await.is_empty());
    let edited = json!({"from": 81, "text": "转人工", "edited": true});
    let before = peer.sent(81).await.len();
    peer.sim("message", edited).await;
    let sent = peer.sent_at_least(81, before + 1).await;
    assert!(words(&sent[before]).contains("同事"), "{sent:?}");
    let start = json!({"from": 82, "text": "/start", "language": "en"});
    peer.sim("message", start).await;
    peer.sent_at_least(82, 1).await;
    assert!(server.stop().success());
    // Each file stands in the transcript with its kind, its name and how Telegram names it.
    let records = Records::in_folder(data.path()).await.unwrap();
    let entries = records.events("telegram:81", 0, 1_000).await.unwrap();
    let events = entries.iter().flat_map(|entry| &entry.events);
    let files: Vec<Value> = events
        .map(|event| serde_json::from_str::<Value>(event).unwrap())
        .filter_map(|event| Some(event["said"].get("file")?.clone()))
        .collect();
    let kinds: Vec<&Value> = files.iter().map(|file| &file["kind"]).collect();
    assert_eq!(
        kinds,
        ["photo", "photo", "voice", "video", "document"],
        "{files:#?}"
    );
    assert_eq!(files[1]["caption"], "预算三千以内的意式咖啡机有推荐吗？");
    assert_eq!(
        (&files[3]["name"], &files[4]["name"]),
        (&json!("door.mp4"), &json!("plan.pdf"))
    );
    assert!(
        files.iter().all(|file| file["provider_id"] == "f1"),
        "{files:#?}"
    );
    // Files and commands are in the log as they came, so each turn runs again to the same bytes.
    let at = data.path().to_str().unwrap();
    for conversation in ["telegram:81", "telegram:82"] {
        let replayed = run(&["replay", conversation, "--json", "--data", at], b"");
        assert_eq!(replayed.0, 0, "{replayed:?}");
        let told: Value = serde_json::from_str(&replayed.1).unwrap();
        assert!(told["turns"].as_u64() >= Some(1), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_answered_when_it_asks_and_followed_when_it_moves() {
    let data = tempfile::tempdir().unwrap();
    let (peer, _server) = on_webhook(data.path(), &[]).await;
    let say = async |text: &str, with: Value| {
        let message = json!({"from": 91, "chat": -1001, "text": text, "with": with});
        peer.sim("message", message).await;
    };
    say("大家好", json!({})).await;
    let mention = json!({"entities": [{"type": "mention", "offset": 0, "length": 15}]});
    say("@sales_test_bot 你好", mention.clone()).await;
    peer.sent_at_least(-1001, 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent(-1001).await.len(), 1);
    // What is asked in a topic is answered there, and is a conversation of its own.
    let mut in_topic = mention.clone();
    in_topic["message_thread_id"] = json!(7);
    in_topic["is_topic_message"] = json!(true);
    say("@sales_test_bot 意式咖啡机有推荐吗？", in_topic).await;
    let sent = peer.sent_at_least(-1001, 2).await;
    assert!(words(&sent[1]).contains("AI"), "{sent:?}");
    let topics: Vec<&Value> = sent.iter().map(|m| &m["message_thread_id"]).collect();
    assert_eq!(topics, [&Value::Null, &json!(7)]);
    peer.sim("migrate", json!({"chat": -1001, "to": -1002}))
        .await;
    say("@sales_test_bot 转人工", mention).await;
    let moved = peer.sent_at_least(-1002, 1).await;
    assert!(words(&moved[0]).contains("同事"), "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_telegram_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = TelegramPeer::start(&[]);
    let check = |settings: &str| {
        let url = &peer.url;
        let settings = format!("[channels.telegram]\napi_url = \"{url}\"\n{settings}");
        let told = doctor(data.path(), &settings);
        assert!(!told.contains("ABC-secret"), "{told}");
        told
    };
    let token = format!("token = \"{TOKEN}\"\n");
    let webhook = format!("{token}secret = \"{SECRET}\"\n");
    assert!(check(&token).contains("needs `channels.telegram.secret`"));
    assert!(check(&webhook).contains("no webhook is set"));
    assert!(check(&format!("{token}mode = \"polling\"\n")).contains("as polling needs it"));
    peer.hook("http://127.0.0.1:9").await;
    assert!(check(&format!("{token}mode = \"polling\"\n")).contains("polling is refused"));
    assert!(check(&webhook).contains("the token is that of @sales_test_bot"));
    peer.say(5, "你好").await;
    let failing = async || check(&webhook).contains("Connection error").then_some(());
    peer.until("the delivery's failure", failing).await;
    let strange = check("token = \"999:XYZ\"\nmode = \"polling\"\n");
    assert!(strange.contains("does not know the token"), "{strange}");
    assert!(
        strange.contains("@BotFather") && !strange.contains("api_url"),
        "{strange}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_host_that_it_cannot_reach() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let settings = format!(
        "[channels.telegram]\napi_url = \"http://127.0.0.1:{port}\"\ntoken = \"{TOKEN}\"\nmode = \"polling\"\n"
    );
    let told = doctor(data.path(), &settings);
    assert!(!told.contains("ABC-secret"), "{told}");
    assert!(
        told.contains(&format!("no connection to 127.0.0.1:{port}")),
        "{told}"
    );
    assert!(
        told.contains("channels.telegram.api_url") && !told.contains("@BotFather"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_the_updates_that_a_webhook_is_not_sent() {
    let data = tempfile::tempdir().unwrap();
    let peer = TelegramPeer::start(&[]);
    let settings = format!(
        "[channels.telegram]\napi_url = \"{}\"\ntoken = \"{TOKEN}\"\nsecret = \"{SECRET}\"\n",
        peer.url
    );
    let set = async |kinds: Value| {
        let hook = json!({"url": "http://127.0.0.1:9/webhooks/telegram", "secret_token": SECRET,
            "allowed_updates": kinds});
        peer.post(&format!("/bot{TOKEN}/setWebhook"), hook).await;
        doctor(data.path(), &settings)
    };
    let few = set(json!(["message"])).await;
    assert!(
        few.contains("is not sent edited_message, callback_query"),
        "{few}"
    );
    // A kind that is newer than this build is no reason to complain.
    for enough in [
        json!([]),
        json!(["message", "edited_message", "callback_query", "of_tomorrow"]),
    ] {
        let told = set(enough).await;
        assert!(
            told.contains("the webhook is at") && !told.contains("is not sent"),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_slow_answer_sees_that_it_is_being_written() {
    let data = tempfile::tempdir().unwrap();
    let model = slow_model(Duration::from_secs(6)).await;
    let settings = [
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
    ];
    let (peer, _server) = on_webhook(data.path(), &settings).await;
    ask(&peer, 99, "意式咖啡机有推荐吗？", 1).await;
    // Telegram shows it for five seconds.
    assert!(peer.calls("sendchataction").await >= 2);
}
