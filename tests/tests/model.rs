//! The model's client against a real model server and against servers that misbehave: always a value, in time, and the same turn goes on without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bot::model::{LanguageModel, OpenAi};
use bot::talk::{Talk, Word};
use dialogs::event::Event;
use dialogs::model::{Completion, Failure, Prompt};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::served::slow_model;
use tests::talk::{TUESDAY_MS, demo};
use tests::watched::Shop;

/// The budget of a completion that is to come, however busy the machine is.
const BUDGET: Duration = Duration::from_secs(20);
/// The budget of one that nobody is to wait for.
const SHORT: Duration = Duration::from_millis(400);
/// The budget of a real model that shares the machine with everything else.
const SLOW: Duration = Duration::from_secs(300);

/// A server of one answer, and how often it was asked.
async fn serving<F, R>(answer: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().route(
        "/v1/chat/completions",
        post(move || {
            count.fetch_add(1, Ordering::Relaxed);
            answer()
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, asked)
}

fn said(text: &str) -> Response {
    axum::Json(json!({"choices": [{"message": {"role": "assistant", "content": text}}]}))
        .into_response()
}

fn model(url: &str) -> OpenAi {
    OpenAi::new(url, "test", None, BUDGET).unwrap()
}

fn prompt() -> Prompt {
    Prompt {
        step: "understand",
        system: "Label.".to_owned(),
        user: "hello".to_owned(),
        schema: json!({"type": "object"}),
        answer_tokens_max: 10,
    }
}

async fn check(url: &str, expected: Failure) {
    let completion = model(url).complete(&prompt()).await;
    assert_eq!(completion, Completion::Failed { reason: expected });
}

#[tokio::test]
async fn every_misbehaviour_is_a_value_within_the_budget() {
    let (url, _) = serving(async || {
        tokio::time::sleep(Duration::from_secs(30)).await;
        said("late")
    })
    .await;
    let begun = Instant::now();
    let hasty = OpenAi::new(&url, "test", None, SHORT).unwrap();
    let completion = hasty.complete(&prompt()).await;
    let reason = Failure::TimedOut;
    assert_eq!(completion, Completion::Failed { reason });
    assert!(begun.elapsed() < BUDGET, "{:?}", begun.elapsed());

    let (url, asked) = serving(async || {
        (
            StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "600")],
            "slow down",
        )
            .into_response()
    })
    .await;
    check(&url, Failure::Refused { status: 429 }).await;
    assert_eq!(
        asked.load(Ordering::Relaxed),
        1,
        "asked once, never again behind our back"
    );

    let (url, _) = serving(async || StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
    check(&url, Failure::Refused { status: 500 }).await;

    let (url, _) = serving(async || "<html>not json</html>".into_response()).await;
    check(&url, Failure::Unreadable).await;

    let (url, _) = serving(async || axum::Json(json!({"choices": []})).into_response()).await;
    check(&url, Failure::Unreadable).await;

    let (url, _) = serving(async || said(&"x".repeat(100_000))).await;
    check(&url, Failure::TooLong).await;

    let (url, _) = serving(async || {
        let endless =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
        Response::new(Body::from_stream(endless))
    })
    .await;
    check(&url, Failure::TooLong).await;

    check("http://127.0.0.1:1/v1", Failure::Unreachable).await;
}

#[tokio::test]
async fn a_server_that_knows_no_schemas_is_asked_without() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (url, _) = serving(move || {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            if first {
                StatusCode::BAD_REQUEST.into_response()
            } else {
                said("{}")
            }
        }
    })
    .await;
    let model = model(&url);
    for _ in 0..2 {
        assert_eq!(
            model.complete(&prompt()).await,
            Completion::Answer {
                text: "{}".to_owned()
            }
        );
    }
    assert_eq!(
        asked.load(Ordering::Relaxed),
        3,
        "the refusal is remembered"
    );
}

#[tokio::test]
async fn a_model_that_keeps_failing_is_left_alone_for_a_while() {
    let (url, asked) = serving(async || StatusCode::BAD_GATEWAY.into_response()).await;
    let model = model(&url);
    for _ in 0..20 {
        model.complete(&prompt()).await;
    }
    assert!(asked.load(Ordering::Relaxed) <= 5, "{asked:?}");
}

#[tokio::test]
async fn a_model_that_gives_no_answer_keeps_one_customer_waiting_once() {
    let (url, asked) = serving(async || {
        tokio::time::sleep(Duration::from_secs(30)).await;
        said("late")
    })
    .await;
    let model = model(&url);
    let failed = |reason| Completion::Failed { reason };
    let first = model.complete(&prompt()).await;
    assert_eq!(first, failed(Failure::TimedOut));
    // The second step of the same turn, and what others say.
    for _ in 0..20 {
        assert_eq!(model.complete(&prompt()).await, failed(Failure::Resting));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// One turn with a model that gives these answers, and without one.
async fn both(answer: &'static str, text: &str) -> (bot::turn::Outcome, bot::turn::Outcome) {
    let (url, _) = serving(async move || said(answer)).await;
    let mut with = Talk::new(demo(), Some(Arc::new(model(&url))));
    let mut without = Talk::new(demo(), None);
    let word = || Word::Text(text.to_owned());
    (
        with.turn("t", word(), TUESDAY_MS).await.unwrap(),
        without.turn("t", word(), TUESDAY_MS).await.unwrap(),
    )
}

#[tokio::test]
async fn rubbish_from_a_model_changes_no_word_of_the_reply() {
    for rubbish in [
        "",
        "no json at all",
        "{\"commands\":[]}",
        "{\"commands\":[{\"do\":\"sell\",\"price\":1}]}",
        "{\"commands\":[{\"do\":\"set\",\"slot\":\"people\",\"value\":9,\"quote\":\"nine of us\"}]}",
        "{\"lines\":[\"It costs ¥1 today only!\"]}",
        "{\"commands\":",
        "[[[[[[[[",
    ] {
        let (with, without) = both(rubbish, "预算三千以内的意式咖啡机有推荐吗？").await;
        assert_eq!(
            tests::talk::text(&with),
            tests::talk::text(&without),
            "{rubbish}"
        );
        assert_eq!(
            tests::talk::cards(&with),
            tests::talk::cards(&without),
            "{rubbish}"
        );
        assert!(
            with.events
                .iter()
                .any(|e| matches!(e, Event::FellBack { .. })),
            "the log says so"
        );
        assert!(
            with.events
                .iter()
                .any(|e| matches!(e, Event::Completed { .. })),
            "the tape has it"
        );
    }
}

#[tokio::test]
async fn a_model_may_name_an_intent_the_plain_form_missed() {
    let answer = "Sure! ```json\n{\"commands\":[{\"do\":\"intent\",\"name\":\"ask_human\"}]}\n```";
    let (with, without) = both(answer, "zzz qqq xxx").await;
    assert_eq!(with.conversation.mode.word(), "waiting");
    assert_eq!(without.conversation.mode.word(), "bot");
}

#[tokio::test]
async fn a_turn_with_a_model_replays_from_its_tape() {
    for answer in [
        "{\"commands\":[{\"do\":\"intent\",\"name\":\"ask_human\"}]}",
        "rubbish",
    ] {
        let (with, _) = both(answer, "are you open on sunday?").await;
        let logged: Vec<String> = with
            .events
            .iter()
            .map(|e| serde_json::to_string(e).unwrap())
            .collect();
        let before = dialogs::conversation::Conversation::new(dialogs::Language::Zh);
        let replayed =
            bot::replay::again("terminal:t", &before, &with.events, TUESDAY_MS, &demo()).await;
        assert_eq!(replayed, logged);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_server_is_spoken_to() {
    let server = tests::model_server::start();
    let model = OpenAi::new(&server.url, "smollm2", None, SLOW).unwrap();
    assert_eq!(model.probe().await, Ok(()));
    let mut talk = Talk::new(demo(), Some(Arc::new(model)));
    let outcome = talk
        .turn(
            "t",
            Word::Text("which grinder under ¥2000 would you suggest?".to_owned()),
            TUESDAY_MS,
        )
        .await
        .unwrap();
    // Whatever a tiny model says: it was asked, what it said is on the tape, and the customer has an answer.
    let completed = outcome
        .events
        .iter()
        .filter(|e| {
            matches!(
                e,
                Event::Completed {
                    completion: Completion::Answer { .. },
                    ..
                }
            )
        })
        .count();
    assert!(completed >= 1);
    assert!(!tests::talk::cards(&outcome).is_empty());

    let hurried = OpenAi::new(&server.url, "smollm2", None, Duration::from_millis(30)).unwrap();
    let long = Prompt {
        answer_tokens_max: 400,
        user: "Tell a long story.".to_owned(),
        ..prompt()
    };
    assert_eq!(
        hurried.complete(&long).await,
        Completion::Failed {
            reason: Failure::TimedOut
        }
    );
}

/// The letters of a turn are leased for fifteen seconds, and the model may take longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_takes_longer_than_its_lease_is_run_once() {
    // Asked twice in a turn like this one.
    let model = slow_model(Duration::from_secs(9)).await;
    let shop = Shop::start(&[
        ("TIANSHENG_MODEL__URL", model.as_str()),
        ("TIANSHENG_MODEL__NAME", "slow"),
    ]);
    let session = shop.session().await;
    shop.say(&session, "你们的豆子是在哪里烘焙的，可以去看看吗", None)
        .await;
    assert_eq!(shop.figure("turns_total{outcome=\"fenced\"}").await, 0.0);
    assert_eq!(shop.figure("turns_total{outcome=\"committed\"}").await, 1.0);
}
