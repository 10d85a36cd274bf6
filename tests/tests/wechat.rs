//! The product as a WeChat official account: whole conversations by the customer-service API and inside answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use serde_json::{Value, json};
use std::time::Duration;
use tests::binary::run;
use tests::served::wechat::{PASSIVE, ask, hook, is_secret, say, seen, serve};
use tests::served::{QUIET, doctor, logged, shop, slow_model};
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
    assert!(person.contains("passed you on"), "{person}");
    assert_eq!(
        peer.state().await["calls"],
        json!([]),
        "nothing is asked of the API"
    );
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_stands_only_where_typing_it_means_what_it_stands_before() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    let said = async |who: &str, text: &str| {
        let delivery = say(&peer, &server, who, text).await;
        shown(&delivery).unwrap()
    };
    // Kinds to choose from are counted, and their number chooses.
    let kinds = said("oN", "帮我推荐一下").await;
    let first = kinds.lines().find_map(|line| line.strip_prefix("1. "));
    let first = first.unwrap_or_else(|| panic!("{kinds}")).to_owned();
    let list = said("oN", "1").await;
    assert!(
        list.contains(&first) && list.contains('¥'),
        "{first}: {list}"
    );
    // Where products were listed a number means one of them, also when something else was said since.
    let list = said("oL", "意式咖啡机有推荐吗？").await;
    let second = list.split("<a href=").nth(2).unwrap();
    let second = second.split(['>', '<']).nth(1).unwrap();
    let image = json!({"url": hook(&server), "from": "oL", "safe": true});
    let cannot = shown(&peer.sim("image", image).await).unwrap();
    assert!(
        cannot.contains("• 转人工") && !cannot.contains("1."),
        "{cannot}"
    );
    let about = said("oL", "2").await;
    assert!(about.contains(second), "{second}: {about}");
    assert!(said("oL", "转人工").await.contains("同事"));
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
async fn an_emoticon_s_name_does_not_change_the_language() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[PASSIVE]);
    for only in ["[Smile][ThumbsUp]", "/:rose", "🌹"] {
        let customer = format!("oE{}", only.len());
        let send = async |text: &str| {
            let act = json!({"url": hook(&server), "from": customer, "text": text, "safe": true});
            shown(&peer.sim("text", act).await).unwrap_or_default()
        };
        send("你好").await;
        let answer = send(only).await;
        let is_chinese = answer.chars().any(|c| ('一'..='龥').contains(&c));
        assert!(is_chinese, "{only}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_wechat_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let check = |settings: &str| {
        let url = &peer.url;
        let account = format!("[channels.wechat]\napi_url = \"{url}\"\ntoken = \"{TOKEN}\"");
        let told = doctor(data.path(), &format!("{account}\n{settings}"));
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
    assert!(right.contains("0 of 100000 used today"), "{right}");
    let fault = json!({"name": "openapi/quota/get", "code": 48001, "reason": "api unauthorized"});
    peer.sim("fault", fault).await;
    let unauthorized = check(&format!("{id}{secret}"));
    assert!(
        unauthorized.contains("customer_service to false"),
        "{unauthorized}"
    );
    let fault = json!({"name": "stable_token", "code": 40164, "reason": "not in whitelist"});
    peer.sim("fault", fault).await;
    let unlisted = check(&format!("{id}{secret}"));
    assert!(unlisted.contains("IP whitelist"), "{unlisted}");
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
    // The README says it in words: fourteen seconds.
    assert!(passive.contains("within 14 s;"), "{passive}");
    for told in [&right, &wrong, &passive] {
        assert!(told.contains("/webhooks/wechat"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english_over_the_customer_service_api() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let wish = "which espresso machine do you recommend?";
    let offer = ask(&peer, &server, "oEn", wish, 2).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let compare = line(&offer[1], "Compare the first two").unwrap();
    let before = peer.sent("oEn").await.len();
    let press = json!({"url": hook(&server), "from": "oEn", "text": "-", "safe": true,
        "fields": {"bizmsgmenuid": compare}});
    assert_eq!(shown(&peer.sim("text", press).await), None);
    let compared = peer.sent_at_least("oEn", before + 1).await;
    assert!(words(&compared[before]).contains("rice"), "{compared:?}");
    let wish = "20 of them for our office within two weeks, my phone is 13800138000";
    let lead = ask(&peer, &server, "oEn", wish, 1).await;
    assert!(words(&lead[0]).contains("passed you on"), "{lead:?}");
    assert!(!is_secret(&logged(data.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brief_says_which_code_brought_the_customer_and_the_turns_replay() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeChatPeer::start(&[]);
    let server = serve(&peer, data.path(), &[]);
    let event = async |who: &str, event: &str, fields: Value, more: usize| {
        let before = peer.sent(who).await.len();
        let act = json!({"url": hook(&server), "from": who, "event": event, "safe": true,
            "created": 0, "fields": fields});
        peer.sim("event", act).await;
        peer.sent_at_least(who, before + more).await;
    };
    let line = "意式咖啡机有推荐吗？";
    let scene = json!({"EventKey": "qrscene_spring-fair", "Ticket": "t"});
    event("oCa", "subscribe", scene, 1).await;
    event("oCb", "subscribe", json!({}), 1).await;
    // A line of the menu says what it stands for, and is the source where nothing else is.
    for who in ["oCa", "oCb"] {
        event(who, "CLICK", json!({"EventKey": line}), 2).await;
        let person = ask(&peer, &server, who, "转人工", 1).await;
        assert!(words(&person[0]).contains("同事"), "{person:?}");
    }
    server.stop();
    let records = bot::store::records::Records::in_folder(data.path());
    let records = records.await.unwrap();
    for (who, door, source) in [
        ("wechat:oCa", "scan", "spring-fair"),
        ("wechat:oCb", "menu", line),
    ] {
        let handoffs = bot::store::RecordStore::handoffs(&records, who).await;
        let brief: Value = serde_json::from_str(&handoffs.unwrap()[0].brief_json).unwrap();
        let first = &brief["lines"][0];
        assert_eq!(
            (&first["what"], &first["value"], &first["quote"]),
            (&json!("source"), &json!(door), &json!(source)),
            "{brief:#}"
        );
    }
    drop(records);
    let dir = data.path().to_str().unwrap();
    let (code, told, error) = run(&["replay", "wechat:oCa", "--data", dir], b"");
    assert_eq!(code, 0, "{told}{error}");
    assert!(told.contains(" 0 differences"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_s_name_is_a_name_whatever_is_in_it() {
    let hostile = "]]> &lt;a href='https://evil.example'&gt;赠品&lt;/a&gt; _*`{}\u{202e}";
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path(), |products| {
        products.replace("山岚 Uno", &format!("山岚 Uno {hostile}"))
    });
    let at = dir.path().display().to_string();
    let peer = WeChatPeer::start(&[]);
    for settings in [vec![], vec![PASSIVE]] {
        let is_passive = !settings.is_empty();
        let data = tempfile::tempdir().unwrap();
        let mut all = vec![("TIANSHENG_SHOP__DIR", at.as_str())];
        all.extend(settings);
        let server = serve(&peer, data.path(), &all);
        let question = "山岚 Uno 多少钱";
        let text = match is_passive {
            true => seen(&peer, &server, "oHp", question).await,
            false => words(&ask(&peer, &server, "oHa", question, 1).await[0]),
        };
        assert!(text.contains("山岚 Uno ]]>"), "{text}");
        for tag in ["<a href='https://evil", "href=\"https://evil"] {
            assert!(!text.contains(tag), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_of_six_seconds_and_more_gives_one_reply() {
    let model = slow_model(Duration::from_secs(6)).await;
    let slow = [
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
        ("TIANSHENG_MODEL__TIMEOUT_MS", "20000"),
    ];
    let peer = WeChatPeer::start(&[]);
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let api = serve(&peer, here.path(), &slow);
    let mut settings = slow.to_vec();
    settings.push(PASSIVE);
    let passive = serve(&peer, there.path(), &settings);
    let question = "意式咖啡机有推荐吗？";
    let (_, first) = tokio::join!(
        ask(&peer, &api, "oSa", question, 2),
        say(&peer, &passive, "oSp", question)
    );
    // Over the API it comes when it is there.
    tokio::time::sleep(QUIET).await;
    let sent = peer.sent("oSa").await;
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(words(&sent[0]).contains("¥2,480"), "{sent:?}");
    // Inside answers WeChat has to ask more than once.
    assert!(first.as_array().unwrap().len() > 1, "{first}");
    let mut offers = shown(&first).unwrap().matches("¥2,480").count();
    // Where the machine was too slow for all three, the customer asks whether it is there.
    for _ in 0..6 {
        if offers > 0 {
            break;
        }
        let text = seen(&peer, &passive, "oSp", "好了吗").await;
        offers += text.matches("¥2,480").count();
    }
    assert_eq!(offers, 1, "once");
}
