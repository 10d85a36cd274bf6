//! The promises about what replicas have in common: jobs of one holder, pointers, and facts that end.

use super::{Opens, T0};
use bot::store::{Hint, Pointer, StateStore};

pub(super) async fn a_job_has_one_holder(store: &impl StateStore) {
    let hold = async |holder: &str, now_ms: i64| {
        store
            .hold("archive", holder, now_ms, now_ms + 100)
            .await
            .unwrap()
    };
    let first = hold("a", T0).await.expect("nobody has it");
    assert_eq!(hold("b", T0 + 50).await, None);
    assert_eq!(hold("a", T0 + 60).await, Some(first), "kept by its holder");
    assert_eq!(hold("b", T0 + 120).await, None, "and for longer");
    let second = hold("b", T0 + 160).await.expect("its time is over");
    assert!(second > first, "the token rises with each holder");
    store.release("archive", "a").await.unwrap();
    assert_eq!(
        hold("a", T0 + 170).await,
        None,
        "only its holder lets it go"
    );
    store.release("archive", "b").await.unwrap();
    let third = hold("a", T0 + 180).await.expect("it was let go");
    assert!(third > second);
    assert!(
        store
            .hold("other", "b", T0, T0 + 1)
            .await
            .unwrap()
            .is_some(),
        "jobs are apart"
    );
}

pub(super) async fn a_pointer_is_moved_by_who_saw_it_last<O: Opens>(place: &O) {
    let store = place.open();
    let mut hints = store.hints();
    assert_eq!(store.pointer("policy").await, Ok(None));
    assert_eq!(store.point("policy", 0, "v1").await, Ok(Some(1)));
    assert_eq!(
        store.point("policy", 0, "v2").await,
        Ok(None),
        "seen too early"
    );
    assert_eq!(store.point("policy", 1, "v3").await, Ok(Some(2)));
    while hints.recv().await.unwrap() != Hint::Pointer {}
    let at = Some(Pointer {
        number: 2,
        to: "v3".to_owned(),
    });
    assert_eq!(store.pointer("policy").await, Ok(at.clone()));
    assert_eq!(store.pointer("other").await, Ok(None));
    drop(store);
    assert_eq!(place.open().pointer("policy").await, Ok(at));
}

pub(super) async fn facts_end(store: &impl StateStore) {
    store.remember("session:x", "one", T0 + 10).await.unwrap();
    assert_eq!(
        store.recall("session:x", T0).await.unwrap().as_deref(),
        Some("one")
    );
    store.remember("session:x", "two", T0 + 20).await.unwrap();
    assert_eq!(
        store.recall("session:x", T0 + 15).await.unwrap().as_deref(),
        Some("two")
    );
    assert_eq!(store.recall("session:x", T0 + 20).await.unwrap(), None);
    assert_eq!(store.recall("session:y", T0).await.unwrap(), None);
    // The first is kept, and is the first whenever it asks.
    let first = async |value: &str, now_ms| {
        let kept = store.keep_first("take:m", value, now_ms, T0 + 60_000);
        kept.await.unwrap()
    };
    assert!(first("one", T0).await);
    assert!(!first("two", T0).await);
    assert!(first("one", T0 + 1).await);
    assert_eq!(
        store.recall("take:m", T0).await.unwrap().as_deref(),
        Some("one")
    );
    // One that is over counts no more.
    assert!(first("two", T0 + 60_000).await);
    // What was seen is replaced by one of those who saw it, whenever that one asks.
    let replace = async |seen: Option<&str>, value: &str, now_ms| {
        let kept = store.replace("press:b", seen, value, now_ms, T0 + 60_000);
        kept.await.unwrap()
    };
    assert!(!replace(Some("one"), "two", T0).await, "nothing is there");
    assert!(replace(None, "one\ntwo", T0).await);
    assert!(!replace(None, "three", T0).await);
    assert!(replace(Some("one\ntwo"), "three", T0).await);
    assert!(!replace(Some("one\ntwo"), "four", T0).await);
    assert!(replace(Some("one\ntwo"), "three", T0 + 1).await);
    assert_eq!(
        store.recall("press:b", T0).await.unwrap().as_deref(),
        Some("three")
    );
    assert!(
        !replace(Some("three"), "four", T0 + 60_000).await,
        "it is over"
    );
    let both = tokio::join!(
        replace(Some("three"), "four", T0),
        replace(Some("three"), "five", T0)
    );
    assert!(both.0 != both.1, "{both:?}");
}
