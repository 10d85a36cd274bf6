//! The product as a WeChat official account: whole conversations by the customer-service API and inside answers, and everything that can go wrong between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::time::Duration;
use tests::binary::run;
use tests::official::{
    PASSIVE, QUIET, ask, hook, is_secret, logged, say, seen, serve, until_counted,
};
use tests::redis_server::Redis;
use tests::wechat_peer::{AES_KEY, APP_ID, SECRET, TOKEN, WeChatPeer, line, shown, words};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese_over_the_customer_service_api() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let verified = peer.sim("verify", json!({"url": hook(&server)})).await;
    assert_eq!(verified, json!({"status": 200, "echoed": true}));
    let follow = json!({"url": hook(&server), "from": "oA", "event": "subscribe", "safe": true,
        "fields": {"EventKey": "qrscene_12", "Ticket": "t"}});
    assert_eq!(shown(&peer.sim("event", follow).await), None);
    let greeting = peer.sent_at_least("oA", 1).await;
    assert!(words(&greeting[0]).contains("AI"), "{greeting:?}");
    let offer = ask(&peer, &server, "oA", "意式咖啡机有推荐吗？", 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    assert_eq!(words(&offer[0]).matches("<a href=").count(), 3, "{offer:?}");
    let compare = line(&offer[1], "比较前两款").unwrap();
    let before = peer.sent("oA").await.len();
    let press = json!({"url": hook(&server), "from": "oA", "text": "比较前两款", "safe": true,
        "fields": {"bizmsgmenuid": compare}});
    assert_eq!(shown(&peer.sim("text", press).await), None);
    let compared = peer.sent_at_least("oA", before + 1).await;
    assert!(words(&compared[before]).contains("价"), "{compared:?}");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, &server, "oA", wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_both_languages_inside_the_answers() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let follow = json!({"url": hook(&server), "from": "oB", "event": "subscribe", "safe": true});
    let greeting = shown(&peer.sim("event", follow).await).unwrap();
    assert!(greeting.contains("AI"), "{greeting}");
    let offer = seen(&peer, &server, "oB", "意式咖啡机有推荐吗？").await;
    assert!(
        offer.contains("¥2,480") && offer.contains("<a href="),
        "{offer}"
    );
    assert!(offer.contains("比较前两款"), "{offer}");
    let compared = seen(&peer, &server, "oB", "比较前两款").await;
    assert!(compared.contains("价"), "{compared}");
    // A number means what the list before it counts.
    let second = seen(&peer, &server, "oB", "2").await;
    assert!(second.contains("山岚 Uno"), "{second}");
    let person = seen(&peer, &server, "oB", "转人工").await;
    assert!(person.contains("同事"), "{person}");
    let offer = seen(
        &peer,
        &server,
        "oC",
        "an espresso machine under 3000 yuan please",
    )
    .await;
    assert!(offer.contains("¥2,480"), "{offer}");
    let person = seen(&peer, &server, "oC", "can I talk to a person").await;
    assert!(person.contains("colleague"), "{person}");
    assert_eq!(
        peer.state().await["calls"],
        json!([]),
        "nothing is asked of the API"
    );
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_deliveries_are_answered_once_and_forged_ones_never() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let url = hook(&server);
    let same = json!({"url": url, "from": "oD", "text": "你好", "safe": true, "id": 42});
    let (a, b, c) = tokio::join!(
        peer.sim("text", same.clone()),
        peer.sim("text", same.clone()),
        peer.sim("text", same.clone())
    );
    assert_eq!((shown(&a), shown(&b), shown(&c)), (None, None, None));
    let scan = json!({"url": url, "from": "oE", "event": "SCAN", "safe": true,
        "created": 0, "fields": {"EventKey": "12"}});
    peer.sim("event", scan.clone()).await;
    peer.sim("event", scan).await;
    peer.sent_at_least("oD", 1).await;
    peer.sent_at_least("oE", 1).await;
    let forged = json!({"url": url, "from": "oF", "text": "你好", "safe": true, "tampered": true});
    let plain = json!({"url": url, "from": "oF", "text": "你好"});
    for wrong in [forged, plain] {
        let delivery = peer.sim("text", wrong).await;
        assert_eq!(delivery[0]["status"], 401, "{delivery}");
    }
    let old = json!({"url": url, "forged": true});
    let refused = peer.sim("verify", old).await;
    assert_eq!(refused, json!({"status": 401, "echoed": false}));
    // A recording is worth nothing five minutes later.
    peer.sim("clock", json!({"advance": -400})).await;
    let late = say(&peer, &server, "oF", "你好").await;
    assert_eq!(late[0]["status"], 401, "{late}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oD").await.len(), 1);
    assert_eq!(peer.sent("oE").await.len(), 1);
    assert_eq!(peer.sent("oF").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_turn_whose_answer_is_shown_once() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [PASSIVE, ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "1500")];
    let server = serve(&peer, data.path(), &settings);
    let (a, b, c) = tokio::join!(
        say(&peer, &server, "oG", "你好"),
        say(&peer, &server, "oG", "我想买意式咖啡机"),
        say(&peer, &server, "oG", "预算三千以内")
    );
    let seen: Vec<String> = [a, b, c].iter().filter_map(shown).collect();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains('¥'), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_shown_at_the_next_message() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [
        PASSIVE,
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "6000"),
        ("TIANSHENG_MAILBOX__BURST_MAX_MS", "6000"),
    ];
    let server = serve(&peer, data.path(), &settings);
    let first = say(&peer, &server, "oH", "意式咖啡机有推荐吗？").await;
    assert_eq!(first.as_array().unwrap().len(), 1, "one attempt: {first}");
    let first = shown(&first).unwrap();
    assert!(first.contains("请稍候"), "{first}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let second = seen(&peer, &server, "oH", "好了吗").await;
    assert!(second.contains("¥2,480"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_again_gets_the_answer_it_got() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let act = json!({"url": hook(&server), "from": "oI", "text": "你好", "safe": true, "id": 7});
    let first = shown(&peer.sim("text", act.clone()).await).unwrap();
    let again = shown(&peer.sim("text", act).await).unwrap();
    assert_eq!(first, again);
    let other = seen(&peer, &server, "oI", "转人工").await;
    assert!(other.contains("同事") && !other.contains(&first), "{other}");
    // A person has it now: there is nothing to show, and nothing to wait for.
    let silent = say(&peer, &server, "oI", "在吗").await;
    assert!(
        shown(&silent).is_none_or(|text| !text.contains(&first)),
        "{silent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_new_token_serves_all_sends_when_the_old_one_ends() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    ask(&peer, &server, "oJ", "你好", 1).await;
    assert_eq!(peer.calls("stable_token").await, 1);
    peer.sim("expire", json!({})).await;
    let people: Vec<String> = (0..20).map(|n| format!("oJ{n}")).collect();
    let said = people.iter().map(|who| say(&peer, &server, who, "你好"));
    futures_util::future::join_all(said).await;
    for who in &people {
        peer.sent_at_least(who, 1).await;
    }
    assert_eq!(peer.calls("stable_token").await, 2);
    tokio::time::sleep(QUIET).await;
    for who in &people {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_wechat_to_a_send_has_its_consequence() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let fault = async |mut fault: Value| {
        fault["name"] = json!("message/custom/send");
        peer.sim("fault", fault).await;
    };
    // Busy, or broken on the way in: again, once.
    fault(json!({"code": -1, "reason": "system error"})).await;
    assert_eq!(ask(&peer, &server, "oK", "你好", 1).await.len(), 1);
    fault(json!({"status": 502})).await;
    assert_eq!(ask(&peer, &server, "oL", "你好", 1).await.len(), 1);
    // Out of time, and not following: given up, and the next one is served.
    fault(json!({"code": 45015, "reason": "response out of time limit"})).await;
    say(&peer, &server, "oM", "你好").await;
    until_counted(
        &peer,
        &server,
        "channel=\"wechat\",outcome=\"window_closed\"} 1",
    )
    .await;
    fault(json!({"code": 43004, "reason": "require subscribe"})).await;
    say(&peer, &server, "oN", "你好").await;
    until_counted(&peer, &server, "channel=\"wechat\",outcome=\"blocked\"} 1").await;
    assert_eq!(ask(&peer, &server, "oM", "转人工", 1).await.len(), 1);
    // Cut off after WeChat acted: nobody can tell, so it is not said again.
    fault(json!({"cut": true, "after": true})).await;
    say(&peer, &server, "oO", "你好").await;
    until_counted(&peer, &server, "channel=\"wechat\",outcome=\"unknown\"} 1").await;
    tokio::time::sleep(QUIET).await;
    for who in ["oK", "oL", "oO"] {
        assert_eq!(peer.sent(who).await.len(), 1, "{who}");
    }
    assert_eq!(peer.sent("oN").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_answered_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "3000")];
    let server = serve(&peer, data.path(), &settings);
    assert_eq!(shown(&say(&peer, &server, "oP", "你好").await), None);
    server.kill();
    assert_eq!(peer.sent("oP").await.len(), 0);
    let _server = serve(&peer, data.path(), &settings);
    peer.sent_at_least("oP", 1).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("oP").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_two_replicas_answers_whichever_ran_the_turn() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [PASSIVE, ("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let first = serve(&peer, one.path(), &settings);
    let second = serve(&peer, two.path(), &settings);
    for customer in 0..12 {
        let from = format!("oQ{customer}");
        let (here, there) = match customer % 2 {
            0 => (&first, &second),
            _ => (&second, &first),
        };
        let greeting = seen(&peer, here, &from, "你好").await;
        assert!(
            !greeting.is_empty() && !greeting.contains("请稍候"),
            "{greeting}"
        );
        let person = seen(&peer, there, &from, "转人工").await;
        assert!(
            person.contains("同事") && !person.contains(&greeting),
            "{person}"
        );
    }
    // A burst over both is shown once.
    let (a, b) = tokio::join!(
        say(&peer, &first, "oR", "意式咖啡机有推荐吗？"),
        say(&peer, &second, "oR", "预算三千以内")
    );
    let offers: Vec<String> = [a, b].iter().filter_map(shown).collect();
    let texts: std::collections::BTreeSet<&String> = offers.iter().collect();
    assert_eq!(
        texts.len(),
        offers.len(),
        "nothing is shown twice: {offers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_see_or_hear_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let send = async |kind: &str, fields: Value| {
        let act = json!({"url": hook(&server), "from": "oS", "safe": true, "fields": fields});
        shown(&peer.sim(kind, act).await).unwrap_or_default()
    };
    assert!(send("image", json!({})).await.contains("照片"));
    assert!(send("voice", json!({})).await.contains("语音"));
    let heard = send("voice", json!({"Recognition": "意式咖啡机有推荐吗？"})).await;
    assert!(heard.contains("¥2,480"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_wechat_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let check = |settings: &str| {
        let file = data.path().join("tiansheng.toml");
        let settings = format!(
            "[channels.wechat]\napi_url = \"{}\"\ntoken = \"{TOKEN}\"\n{settings}",
            peer.url
        );
        std::fs::write(&file, settings).unwrap();
        let (_, told, _) = run(
            &[
                "doctor",
                "--json",
                "--config",
                file.to_str().unwrap(),
                "--data",
                data.path().to_str().unwrap(),
            ],
            b"",
        );
        assert!(!told.contains(SECRET), "{told}");
        told
    };
    let id = format!("app_id = \"{APP_ID}\"\n");
    let secret = format!("app_secret = \"{SECRET}\"\n");
    assert!(check(&id).contains("needs `channels.wechat.app_secret`"));
    let right = check(&format!("{id}{secret}"));
    assert!(
        right.contains("gives a token") && right.contains("安全模式"),
        "{right}"
    );
    let wrong = check(&format!("{id}app_secret = \"other\"\n"));
    assert!(wrong.contains("40125"), "{wrong}");
    let strange = check(&format!("app_id = \"wx0\"\n{secret}"));
    assert!(
        strange.contains("check channels.wechat.app_id"),
        "{strange}"
    );
    let passive = check(&format!(
        "{id}customer_service = false\naes_key = \"{AES_KEY}\"\n"
    ));
    assert!(passive.contains("inside deliveries") && passive.contains("encrypted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_one_token_and_its_one_successor() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let settings = [("TIANSHENG_STATE__URL", state.as_str())];
    let peer = WeChatPeer::start(&[]);
    let servers = [
        serve(&peer, one.path(), &settings),
        serve(&peer, two.path(), &settings),
    ];
    for expiry in 0..2 {
        let people: Vec<String> = (0..20).map(|n| format!("oS{expiry}{n}")).collect();
        let said = people.iter().enumerate().map(|(n, who)| {
            let server = &servers[n % servers.len()];
            say(&peer, server, who, "你好")
        });
        futures_util::future::join_all(said).await;
        for who in &people {
            peer.sent_at_least(who, 1).await;
        }
        assert_eq!(peer.calls("stable_token").await, 1 + expiry);
        peer.sim("expire", json!({})).await;
    }
    for server in [one.path(), two.path()] {
        assert!(!is_secret(&logged(server)));
    }
}
