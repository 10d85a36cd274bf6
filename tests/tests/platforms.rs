//! One suite over every channel, each on its platform: the same people with the same wishes, the same faults, and nothing lost, doubled or said too late anywhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::mail::RepAction;
use bot::store::StateStore as _;
use std::path::Path;
use tests::binary::{Server, free_port};
use tests::front::Front;
use tests::peer::until;
use tests::platform::{
    OnDiscord, OnTelegram, OnTheWeb, OnWeChat, OnWeChatInAnswers, OnWeCom, Platform, ask, press,
    told,
};
use tests::redis_server::Redis;
use tests::served::{Desk, QUIET, metrics};

/// In a series of the messages that are durable: they were not had before.
const NEW: &str = "duplicate=\"false\"";

/// One test per name and platform; the tests stand below.
macro_rules! on_platforms {
    ($tests:tt: $($module:ident: $start:expr),* $(,)?) => { $(
        on_platforms! { @one $module, $start, $tests }
    )* };
    (@one $module:ident, $start:expr, [$($test:ident),* $(,)?]) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test(&$start).await;
                }
            )*
        }
    };
}

on_platforms! {
    [
        a_sale_in_chinese,
        a_sale_in_english,
        what_is_brought_again_is_answered_once,
        what_was_taken_is_answered_after_a_kill,
        two_replicas_answer_everybody_once_and_one_of_them_goes_on,
        a_refused_send_is_sent_later_and_once,
        the_longest_text_is_one_message_and_a_longer_one_is_cut_between_characters,
        a_rep_takes_over_and_the_bot_is_silent_until_it_is_handed_back,
    ]:
    web: OnTheWeb::default(),
    telegram: OnTelegram::start(),
    discord: OnDiscord::start(),
    wechat: OnWeChat::over_the_api(),
    wechat_in_answers: OnWeChatInAnswers::start(),
    wecom: OnWeCom::start(),
}

// The same platforms where it is brought or answered in another way, which changes nothing of what is sent.
on_platforms! {
    [
        what_is_brought_again_is_answered_once,
        what_was_taken_is_answered_after_a_kill,
        two_replicas_answer_everybody_once_and_one_of_them_goes_on,
    ]:
    telegram_by_polling: OnTelegram::polled(),
    discord_by_signed_deliveries: OnDiscord::signed(),
    wechat_in_time: OnWeChat::start(),
}

/// A server on the platform; `more` overrides its settings.
fn serve(platform: &dyn Platform, data: &Path, port: u16, more: &[(&str, &str)]) -> Server {
    let settings = platform.settings();
    let mut environment = vec![
        ("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "50"),
        ("TIANSHENG_WEB__DRAIN_MS", "0"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    environment.extend(settings.iter().map(|(name, value)| (*name, value.as_str())));
    environment.extend(more);
    Server::start(data, port, &environment)
}

async fn on(platform: &dyn Platform, data: &Path, more: &[(&str, &str)]) -> Server {
    let server = serve(platform, data, free_port(), more);
    platform.connect(&server.url).await;
    server
}

async fn a_sale_in_chinese(platform: &dyn Platform) {
    let data = tempfile::tempdir().unwrap();
    let _server = on(platform, data.path(), &[]).await;
    ask(platform, 1, "你好", "AI").await;
    ask(platform, 1, "意式咖啡机有推荐吗？", "2,480").await;
    let before = platform.sent(1).await.len();
    press(platform, 1, "比较前两款").await;
    told(platform, 1, before, "价").await;
    // A number means what the list before it counts.
    ask(platform, 1, "2", "山岚 Uno").await;
    ask(
        platform,
        1,
        "要 20 台，给公司用，两周内到，电话 13800138000",
        "同事",
    )
    .await;
}

async fn a_sale_in_english(platform: &dyn Platform) {
    let data = tempfile::tempdir().unwrap();
    let _server = on(platform, data.path(), &[]).await;
    ask(platform, 2, "hello, are you there?", "AI").await;
    ask(
        platform,
        2,
        "can you recommend an espresso machine?",
        "2,480",
    )
    .await;
    let before = platform.sent(2).await.len();
    press(platform, 2, "Compare the first two").await;
    told(platform, 2, before, "rice").await;
    ask(platform, 2, "can I talk to a person", "passed you on").await;
}

async fn what_is_brought_again_is_answered_once(platform: &dyn Platform) {
    let data = tempfile::tempdir().unwrap();
    let _server = on(platform, data.path(), &[]).await;
    let first = platform.say(3, "你好").await;
    platform.repeat(3, &first).await;
    told(platform, 3, 0, "AI").await;
    let second = platform.say(3, "意式咖啡机有推荐吗？").await;
    told(platform, 3, 1, "2,480").await;
    tokio::time::sleep(QUIET).await;
    let before = platform.sent(3).await;
    // Late, and in another order.
    platform.repeat(3, &second).await;
    platform.repeat(3, &first).await;
    platform.repeat(3, &second).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(platform.sent(3).await, before);
}

async fn what_was_taken_is_answered_after_a_kill(platform: &dyn Platform) {
    let data = tempfile::tempdir().unwrap();
    let port = free_port();
    let slow = [("TIANSHENG_MAILBOX__BURST_WINDOW_MS", "3000")];
    let server = serve(platform, data.path(), port, &slow);
    platform.connect(&server.url).await;
    let killed = async {
        until("it is taken", async || {
            let figures = metrics(&server).await;
            let taken = |line: &str| line.contains(NEW) && !line.ends_with(" 0");
            figures.lines().any(taken).then_some(())
        })
        .await;
        server.kill();
        let so_far = platform.sent(4).await;
        assert_eq!(so_far, Vec::<String>::new(), "it was answered before");
        serve(platform, data.path(), port, &slow)
    };
    let (said, _server) = tokio::join!(platform.say(4, "你好"), killed);
    if !said.sure {
        // The platform has told the customer so, who asks again.
        platform.say(4, "在吗").await;
    }
    told(platform, 4, 0, "AI").await;
    tokio::time::sleep(QUIET).await;
    let sent = platform.sent(4).await.join("\n");
    assert_eq!(sent.matches("AI").count(), 1, "{sent}");
}

async fn two_replicas_answer_everybody_once_and_one_of_them_goes_on(platform: &dyn Platform) {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let redis = Redis::start();
    let state = redis.url();
    let shared = [("TIANSHENG_STATE__URL", state.as_str())];
    let first = serve(platform, one.path(), free_port(), &shared);
    let second = serve(platform, two.path(), free_port(), &shared);
    let front = Front::before(vec![first.url.clone(), second.url.clone()]).await;
    until("two replicas in service", async || {
        (front.trusts(0) && front.trusts(1)).then_some(())
    })
    .await;
    platform.connect(&front.url).await;
    let greeted = async |people: std::ops::Range<usize>| {
        let all = people.map(|person| async move {
            let said = platform.say(person, "你好").await;
            platform.repeat(person, &said).await;
        });
        futures_util::future::join_all(all).await;
    };
    greeted(10..18).await;
    for person in 10..18 {
        told(platform, person, 0, "AI").await;
    }
    first.kill();
    greeted(18..24).await;
    for person in 18..24 {
        told(platform, person, 0, "AI").await;
    }
    tokio::time::sleep(QUIET).await;
    for person in 10..24 {
        let sent = platform.sent(person).await;
        assert_eq!(sent.len(), 1, "{person}: {sent:#?}");
    }
}

async fn a_refused_send_is_sent_later_and_once(platform: &dyn Platform) {
    let data = tempfile::tempdir().unwrap();
    let _server = on(platform, data.path(), &[]).await;
    if !platform.refuse(2).await {
        // What goes into the feed cannot be refused by anybody.
        return;
    }
    ask(platform, 5, "你好", "AI").await;
    ask(platform, 5, "转人工", "同事").await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(platform.sent(5).await.len(), 2);
    assert_eq!(platform.refusals_left().await, 0, "nothing was refused");
}

async fn a_rep_takes_over_and_the_bot_is_silent_until_it_is_handed_back(platform: &dyn Platform) {
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::open();
    let _server = on(platform, data.path(), &desk.settings()).await;
    ask(platform, 6, "你好", "AI").await;
    let conversation = platform.conversation(6);
    let rep = async |number, action| does(&desk, &conversation, number, action).await;
    rep(1, RepAction::Take).await;
    let before = platform.sent(6).await.len();
    platform.say(6, "意式咖啡机有推荐吗？").await;
    let text = "我是小林，我来为您介绍".to_owned();
    rep(2, RepAction::Say { text }).await;
    if platform.writes_unasked() {
        told(platform, 6, before, "小林").await;
    } else {
        // Shown with the next thing that is said.
        ask(platform, 6, "好的", "小林").await;
    }
    tokio::time::sleep(QUIET).await;
    let sent = platform.sent(6).await;
    let new = sent[before..].join("\n");
    assert!(!new.contains("2,480"), "the bot spoke: {new}");
    rep(3, RepAction::HandBack).await;
    ask(platform, 6, "意式咖啡机有推荐吗？", "2,480").await;
}

/// A rep does something, and the turn that reads it is over.
async fn does(desk: &Desk, conversation: &str, number: usize, action: RepAction) {
    let rev = async || {
        let snapshot = desk.state.snapshot(conversation).await.unwrap();
        snapshot.unwrap().rev
    };
    let before = rev().await;
    desk.rep(conversation, number, action).await;
    until("the turn", async || (rev().await > before).then_some(())).await;
}

async fn the_longest_text_is_one_message_and_a_longer_one_is_cut_between_characters(
    platform: &dyn Platform,
) {
    let Some(longest) = platform.longest() else {
        // The page shows what it gets.
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let desk = Desk::open();
    let _server = on(platform, data.path(), &desk.settings()).await;
    let filled = |length: usize| {
        let han = platform.length("字");
        format!("{}{}", "字".repeat(length / han), "a".repeat(length % han))
    };
    let (face, family) = ("😀", "👨\u{200d}👩\u{200d}👧\u{200d}👦");
    // The border falls into what is one character to a reader.
    let across = |what: &str| format!("{}{what}。", filled(longest - platform.length(what) + 1));
    let texts = [
        (filled(longest), 1),
        (format!("{}b", filled(longest)), 2),
        (across(face), 2),
        (across(family), 2),
    ];
    for (number, (text, messages)) in texts.iter().enumerate() {
        let person = 30 + number;
        ask(platform, person, "你好", "AI").await;
        let before = platform.sent(person).await.len();
        let conversation = platform.conversation(person);
        does(&desk, &conversation, 1, RepAction::Take).await;
        let say = RepAction::Say { text: text.clone() };
        does(&desk, &conversation, 2, say).await;
        let pieces = until("all of it", async || {
            let sent = platform.sent(person).await.split_off(before);
            (sent.concat().chars().count() >= text.chars().count()).then_some(sent)
        })
        .await;
        assert_eq!(pieces.concat(), *text, "{}", platform.name());
        assert_eq!(pieces.len(), *messages, "{}", platform.name());
        for piece in &pieces {
            assert!(platform.length(piece) <= longest);
        }
        for whole in [face, family].iter().filter(|whole| text.contains(**whole)) {
            assert!(pieces.iter().any(|piece| piece.contains(whole)));
        }
    }
}
