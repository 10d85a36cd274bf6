//! What the sender does with what a platform answers, whichever platform it is.
#![allow(clippy::unwrap_used)]

use adapters::{Channel, Receipt, Window};
use bot::mailbox::{Clock, Typist};
use bot::store::embedded::State;
use bot::store::{Hint, StateStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tests::outbox::{Outbox, Scripted};
use tests::peer::until;
use tests::served::QUIET;
use tokio_util::sync::CancellationToken;

const HOUR_MS: i64 = 60 * 60 * 1000;

fn sent() -> Receipt {
    Receipt::Sent {
        provider_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_tell_is_sent_again_only_while_the_platform_knows_it() {
    // Known for two minutes: again, and no more when they are almost over.
    let outbox = Outbox::open(Scripted::new([], Receipt::Unknown).knowing(120_000));
    outbox.answered("1", &["m"]).await;
    outbox.platform.sends_at_least(3).await;
    outbox.forward_ms(110_000);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = outbox.platform.sends().len();
    outbox.is_settled().await;
    assert!(outbox.platform.sends().len() <= before + 1);
    // Never known: once.
    let outbox = Outbox::open(Scripted::new([], Receipt::Unknown));
    outbox.answered("1", &["m"]).await;
    outbox.platform.sends_at_least(1).await;
    outbox.is_settled().await;
    assert_eq!(outbox.platform.sends(), ["m"]);
}

/// As a day on WhatsApp or Messenger: any number of messages, then none.
fn a_day() -> Window {
    Window {
        open_ms: 24 * 60 * 60 * 1000,
        messages_max: None,
        after_touch: None,
        after_coming: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_without_a_count_takes_all_and_what_it_refuses_waits_for_the_customer() {
    let outbox = Outbox::open(
        Scripted::new([sent(), sent(), sent(), Receipt::WindowClosed], sent()).within(a_day()),
    );
    outbox.answered("1", &["a", "b", "c", "d", "e"]).await;
    outbox.platform.sends_at_least(4).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(outbox.platform.sends(), ["a", "b", "c", "d"]);
    outbox.answered("2", &["f"]).await;
    let all = outbox.platform.sends_at_least(7).await;
    assert_eq!(
        all,
        ["a", "b", "c", "d", "d", "e", "f"],
        "none is lost, and in order"
    );
    outbox.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tried_after_the_window_has_ended() {
    for messages_max in [None, Some(5)] {
        let window = Window {
            messages_max,
            ..a_day()
        };
        let platform = Scripted::new([Receipt::TryAgain], sent());
        let outbox = Outbox::open(platform.within(window));
        // Refused at first, it is due again when a day has passed.
        outbox.answered("1", &["a"]).await;
        outbox.platform.sends_at_least(1).await;
        outbox.forward_ms(25 * HOUR_MS);
        tokio::time::sleep(QUIET).await;
        assert_eq!(outbox.platform.sends(), ["a"], "{messages_max:?}");
        outbox.answered("2", &["b"]).await;
        let all = outbox.platform.sends_at_least(3).await;
        assert_eq!(all, ["a", "a", "b"], "{messages_max:?}");
    }
}

/// Each is a call of the platform's quota; the store of one process counts none.
#[tokio::test]
async fn typing_is_shown_anew_only_when_it_is_about_to_end() {
    let data = tempfile::tempdir().unwrap();
    let state = Arc::new(State::open(data.path()).unwrap());
    let platform = Arc::new(Scripted::new([], sent()).showing_typing(15_000));
    let now_ms = Arc::new(AtomicI64::new(1_800_000_000_000));
    let clock: Clock = {
        let now_ms = Arc::clone(&now_ms);
        Arc::new(move || now_ms.load(Ordering::SeqCst))
    };
    let channel = Arc::clone(&platform) as Arc<dyn Channel>;
    let typist = Typist {
        state: Arc::clone(&state) as Arc<dyn StateStore>,
        channels: [("scripted".to_owned(), channel)].into(),
        clock,
    };
    let stop = CancellationToken::new();
    let run = tokio::spawn(typist.run(stop.clone()));
    // Whom it is shown to last tells that all hints before were heard; the first is told until somebody listens.
    let mut others = 0;
    let mut heard = async || {
        others += 1;
        let last = format!("scripted:other-{others}");
        until("a hint that is heard", async || {
            state.hint(Hint::Typing(last.clone()));
            platform.typed().contains(&last).then_some(())
        })
        .await;
    };
    heard().await;
    let begins_to_type = || state.hint(Hint::Typing("scripted:1".to_owned()));
    let shown = || {
        let typed = platform.typed();
        typed.iter().filter(|to| *to == "scripted:1").count()
    };
    for (at_ms, count) in [(0, 1), (2_000, 1), (10_000, 1), (10_600, 2), (20_000, 2)] {
        now_ms.store(1_800_000_000_000 + at_ms, Ordering::SeqCst);
        begins_to_type();
        heard().await;
        assert_eq!(shown(), count, "after {at_ms} ms");
    }
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_a_message_is_being_refused_is_not_put_aside_with_it() {
    let wait_ms = 2 * HOUR_MS.unsigned_abs();
    let platform = Scripted::new([Receipt::RetryAfter { wait_ms }], sent()).held();
    let outbox = Outbox::open(platform);
    outbox.answered("1", &["a"]).await;
    outbox.platform.sends_at_least(1).await;
    outbox.reminded("2", &["b"]).await;
    outbox.platform.let_answer(3);
    let all = outbox.platform.sends_at_least(3).await;
    assert_eq!(all, ["a", "a", "b"]);
}
