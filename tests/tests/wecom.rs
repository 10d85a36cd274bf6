//! The product as a company's customer service on WeCom: sales from the welcome on, and the desk that WeCom has itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use serde_json::json;
use tests::served::wecom::{
    act, ask, assert_nothing_secret, hook, on_callbacks, say, serve, transcript, until_counted,
    until_in_pool,
};
use tests::served::{self, Desk, QUIET, counted, doctor, sends, shop, until_logged};
use tests::wechat_peer::WeChatPeer;
use tests::wecom_peer::{
    ACCOUNT, AES_KEY, CORP_ID, OTHER_ACCOUNT, SECRET, TOKEN, WeComPeer, line, words,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_chinese_from_the_welcome_to_the_desk() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    let verified = peer.sim("verify", json!({"url": hook(&server)})).await;
    assert_eq!(verified, json!({"status": 200, "echoed": true}));
    act(&peer, &server, "enter", "wmA", json!({"scene": "poster"})).await;
    let welcome = async || peer.welcomes().await.into_iter().next();
    let welcome = peer.until("a welcome", welcome).await;
    assert!(words(&welcome).contains("AI"), "{welcome:?}");
    let offer = ask(&peer, &server, "wmA", "意式咖啡机有推荐吗？", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    let page = &offer[0]["msgmenu"]["list"][0]["view"]["url"];
    assert!(page.as_str().unwrap().starts_with("https://"), "{offer:?}");
    let compare = line(&offer[0], "比较前两款").unwrap();
    let press = json!({"text": "比较前两款", "fields": {"menu_id": compare}});
    act(&peer, &server, "say", "wmA", press).await;
    let compared = peer.sent_at_least("wmA", 2).await;
    assert!(words(&compared[1]).contains("价"), "{compared:?}");
    assert_eq!(peer.session("wmA").await, json!(1), "it is the agent's");
    let wish = "要 20 台，给公司用，两周内到，电话 13800138000";
    let lead = ask(&peer, &server, "wmA", wish, 1).await;
    assert!(words(&lead[0]).contains("同事"), "{lead:?}");
    until_in_pool(&peer, "wmA").await;
    assert!(
        peer.sent("wmA").await.iter().all(|sent| sent["state"] == 1),
        "nothing left before the agent had it"
    );
    assert_nothing_secret(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_english_on_the_second_account() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    let say = async |text: &str, count: usize| {
        let what = json!({"text": text, "account": OTHER_ACCOUNT});
        act(&peer, &server, "say", "wmB", what).await;
        peer.sent_at_least("wmB", count).await
    };
    let offer = say("an espresso machine under 3000 yuan please", 1).await;
    assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
    assert_eq!(offer[0]["open_kfid"], OTHER_ACCOUNT);
    let silver = line(&offer[0], "silver").unwrap();
    let press = json!({"text": "silver", "account": OTHER_ACCOUNT, "fields": {"menu_id": silver}});
    act(&peer, &server, "say", "wmB", press).await;
    let narrowed = peer.sent_at_least("wmB", 2).await;
    assert!(words(&narrowed[1]).contains("silver"), "{narrowed:?}");
    let person = say("can I talk to a person", 3).await;
    assert!(words(&person[2]).contains("passed you on"), "{person:?}");
    assert_nothing_secret(data.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_see_or_hear_it_says_so() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    for (at, (kind, fields, answer)) in [
        ("image", json!({"media_id": "m"}), "照片"),
        ("voice", json!({"media_id": "m"}), "语音"),
        ("channels_shop_order", json!({"order_id": "o"}), ""),
        ("of_a_later_year", json!({}), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let what = json!({"kind": kind, "fields": fields});
        act(&peer, &server, "say", "wmQ", what).await;
        let sent = peer.sent_at_least("wmQ", at + 1).await;
        assert!(words(&sent[at]).contains(answer), "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_products_name_reaches_the_customer_as_it_is_whatever_is_in_it() {
    let (data, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hostile = "_*[] ()~`>#+-=|{}.!]]>";
    shop(dir.path(), |products| {
        products.replace("山岚 Duo", &format!("山岚 Duo {hostile}"))
    });
    let peer = WeComPeer::start(&[]);
    let at = dir.path().to_str().unwrap();
    let server = serve(&peer, data.path(), &[("TIANSHENG_SHOP__DIR", at)]);
    let offer = ask(&peer, &server, "wmR", "意式咖啡机有推荐吗？", 1).await;
    let words = words(&offer[0]);
    assert!(words.contains(hostile), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_keeps_wecom_from_working() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    let check = |settings: &str| {
        let url = &peer.url;
        let account = format!(
            "[channels.wecom]\napi_url = \"{url}\"\ntoken = \"{TOKEN}\"\naes_key = \"{AES_KEY}\""
        );
        let told = doctor(data.path(), &format!("{account}\n{settings}"));
        assert!(!told.contains(SECRET), "{told}");
        told
    };
    let id = format!("corp_id = \"{CORP_ID}\"\n");
    let secret = format!("secret = \"{SECRET}\"\n");
    assert!(check(&id).contains("needs `channels.wecom.secret`"));
    let right = check(&format!("{id}{secret}"));
    assert!(
        right.contains("gives a token") && right.contains("山岚客服"),
        "{right}"
    );
    peer.sim("unmanaged", json!({"accounts": [OTHER_ACCOUNT]}))
        .await;
    let unmanaged = check(&format!("{id}{secret}"));
    assert!(
        unmanaged.contains("Ridge Office") && unmanaged.contains("通过API管理微信客服账号"),
        "{unmanaged}"
    );
    peer.sim("unmanaged", json!({"accounts": []})).await;
    let wrong = check(&format!("{id}secret = \"other\"\n"));
    assert!(
        wrong.contains("40001") && wrong.contains("check channels.wecom.secret"),
        "{wrong}"
    );
    let strange = check(&format!("corp_id = \"ww0\"\n{secret}"));
    assert!(
        strange.contains("check channels.wecom.corp_id"),
        "{strange}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_the_desk_silences_the_agent_at_once_and_its_end_brings_it_back() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "4000")];
    let (peer, server) = on_callbacks(data.path(), &settings);
    ask(&peer, &server, "wmK", "你好", 1).await;
    // Taken while the answer to this is on its way.
    say(&peer, &server, "wmK", "意式咖啡机有推荐吗？").await;
    act(&peer, &server, "take", "wmK", json!({})).await;
    act(
        &peer,
        &server,
        "desk_say",
        "wmK",
        json!({"text": "我来帮您看"}),
    )
    .await;
    say(&peer, &server, "wmK", "好的，谢谢").await;
    // Longer than a burst.
    tokio::time::sleep(QUIET * 5).await;
    assert_eq!(peer.sent("wmK").await.len(), 1, "the agent is silent");
    // The person's words are not even tried to be said again.
    assert_eq!(counted(&server, &sends("wecom", "silenced")).await, 0);
    act(&peer, &server, "end", "wmK", json!({})).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmK").await.len(), 1, "until the customer writes");
    ask(&peer, &server, "wmK", "意式咖啡机有推荐吗？", 1).await;
    assert_eq!(
        peer.session("wmK").await,
        json!(1),
        "it is the agent's again"
    );
    let told = transcript(data.path(), server, "wmK").await;
    let what = [
        "\"event\":\"taken\",\"rep\":\"zhang\"",
        "我来帮您看",
        "handed_back",
    ];
    let places = what.map(|what| told.find(what).unwrap_or_else(|| panic!("{what}: {told}")));
    assert!(places.is_sorted(), "{told}");
    assert_eq!(told.matches("\"event\":\"taken\"").count(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_desk_take_the_conversation_though_no_event_told() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    ask(&peer, &server, "wmS", "你好", 1).await;
    let take = json!({"from": "wmS", "silent": true, "servicer": "li"});
    peer.sim("take", take).await;
    act(
        &peer,
        &server,
        "desk_say",
        "wmS",
        json!({"text": "我是小李"}),
    )
    .await;
    say(&peer, &server, "wmS", "意式咖啡机有推荐吗？").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmS").await.len(), 1);
    let told = transcript(data.path(), server, "wmS").await;
    let what = [
        "\"event\":\"taken\",\"rep\":\"li\"",
        "我是小李",
        "意式咖啡机",
    ];
    let places = what.map(|what| told.find(what).unwrap_or_else(|| panic!("{what}: {told}")));
    assert!(places.is_sorted(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_in_the_pool_is_not_answered_here_and_comes_back_when_it_ends() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    ask(&peer, &server, "wmN", "转人工", 1).await;
    until_in_pool(&peer, "wmN").await;
    say(&peer, &server, "wmN", "在吗").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmN").await.len(), 1);
    act(&peer, &server, "take", "wmN", json!({})).await;
    act(&peer, &server, "end", "wmN", json!({})).await;
    ask(&peer, &server, "wmN", "意式咖啡机有推荐吗？", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_brings_the_agent_back_though_nobody_here_knew_that_it_lay_in_the_pool() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    // It is done all the same, so that what is known here is not so.
    let wrong = json!({"name": "kf/service_state/trans", "code": 95014, "after": true});
    ask(&peer, &server, "wmU", "你好", 1).await;
    peer.sim("fault", wrong).await;
    ask(&peer, &server, "wmU", "转人工", 1).await;
    until_in_pool(&peer, "wmU").await;
    act(&peer, &server, "end", "wmU", json!({})).await;
    ask(&peer, &server, "wmU", "意式咖啡机有推荐吗？", 1).await;
    // Of what nobody of the desk has, an end changes nothing.
    act(&peer, &server, "end", "wmU", json!({})).await;
    ask(&peer, &server, "wmU", "在吗", 1).await;
    let told = transcript(data.path(), server, "wmU").await;
    assert_eq!(told.matches("handed_back").count(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_of_which_nobody_can_tell_is_asked_for_again() {
    let data = tempfile::tempdir().unwrap();
    let (peer, server) = on_callbacks(data.path(), &[]);
    ask(&peer, &server, "wmY", "你好", 1).await;
    let taken = peer.calls("kf/service_state/trans").await;
    let cut = json!({"name": "kf/service_state/trans", "cut": true, "after": true});
    peer.sim("fault", cut).await;
    let looks = peer.calls("kf/service_state/get").await;
    ask(&peer, &server, "wmY", "转人工", 1).await;
    // The second time WeCom is asked first, and has it already.
    peer.called("kf/service_state/get", looks + 2).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.session("wmY").await, json!(2));
    assert_eq!(peer.calls("kf/service_state/trans").await, taken + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_is_not_asked_for_once_a_rep_has_the_conversation() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeComPeer::start(&[]), Desk::open());
    let server = serve(&peer, data.path(), &desk.settings());
    ask(&peer, &server, "wmZ", "你好", 1).await;
    let busy = json!({"name": "kf/service_state/trans", "times": 4});
    peer.sim("fault", busy).await;
    ask(&peer, &server, "wmZ", "转人工", 1).await;
    peer.called("kf/service_state/trans", 2).await;
    let conversation = format!("wecom:{ACCOUNT}.wmZ");
    desk.rep(&conversation, 1, RepAction::Take).await;
    until_counted(&server, "silenced", 1).await;
    assert_eq!(peer.session("wmZ").await, json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_receives_the_agent_goes_on_and_whoever_comes_has_what_waits() {
    let data = tempfile::tempdir().unwrap();
    let (peer, desk) = (WeComPeer::start(&[]), Desk::open());
    peer.sim("desk", json!({"resting": true})).await;
    let server = serve(&peer, data.path(), &desk.settings());
    for customer in ["wmV", "wmW"] {
        let person = ask(&peer, &server, customer, "转人工", 1).await;
        assert!(words(&person[0]).contains("同事"), "{person:?}");
        let offer = ask(&peer, &server, customer, "意式咖啡机有推荐吗？", 1).await;
        assert!(words(&offer[0]).contains("¥2,480"), "{offer:?}");
        assert_eq!(peer.session(customer).await, json!(1), "nobody is there");
    }
    // One is taken by a rep of the shop, so that nobody at WeCom has to.
    let taken = format!("wecom:{ACCOUNT}.wmW");
    desk.rep(&taken, 0, RepAction::Take).await;
    until_counted(&server, "asked", 3).await;
    peer.sim("desk", json!({"resting": false})).await;
    act(&peer, &server, "nudge", "wmV", json!({})).await;
    until_in_pool(&peer, "wmV").await;
    assert_eq!(peer.session("wmW").await, json!(1));
    say(&peer, &server, "wmV", "在吗").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(peer.sent("wmV").await.len(), 2, "the person answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_invites_to_ask_on_only_where_the_agent_may_answer() {
    let (at_wecom, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let peer = WeComPeer::start(&[]);
    let server = serve(&peer, at_wecom.path(), &[]);
    let said = ask(&peer, &server, "wmX", "转人工", 1).await;
    assert!(!words(&said[0]).contains("等的时候"), "{said:?}");
    let peer = WeChatPeer::start(&[]);
    let server = served::wechat::serve(&peer, here.path(), &[]);
    let said = served::wechat::ask(&peer, &server, "oX", "转人工", 1).await;
    let said = tests::wechat_peer::words(&said[0]);
    assert!(said.contains("等的时候"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_without_a_desk_keeps_the_conversation_here_after_a_handoff() {
    let data = tempfile::tempdir().unwrap();
    let peer = WeComPeer::start(&[]);
    peer.sim("desk", json!({"servicers": []})).await;
    let server = serve(&peer, data.path(), &[]);
    let person = ask(&peer, &server, "wmM", "转人工", 1).await;
    assert!(words(&person[0]).contains("同事"), "{person:?}");
    until_logged(data.path(), "95014").await;
    assert_eq!(peer.session("wmM").await, json!(1));
    ask(&peer, &server, "wmM", "在吗", 1).await;
}
