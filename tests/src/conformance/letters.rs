//! The promises about letters: each is accepted once, and a turn is due when its burst is over.

use super::{LEASE_MS, T0, claim, commit, mail, one};
use bot::store::{Accepted, Commit, LETTERS_MAX, StateStore};
use std::sync::Arc;

pub(super) async fn a_letter_is_accepted_once(store: &impl StateStore) {
    assert_eq!(
        store.accept(mail("a:1", "e1", T0, 0)).await,
        Ok(Accepted::New { seq: 1 })
    );
    assert_eq!(
        store.accept(mail("a:1", "e1", T0 + 5, 0)).await,
        Ok(Accepted::Repeated)
    );
    assert_eq!(
        store.accept(mail("a:2", "e1", T0, 0)).await,
        Ok(Accepted::New { seq: 1 }),
        "ids are of one conversation"
    );
    let claims = claim(store, T0).await;
    assert_eq!(
        claims.iter().map(|c| c.letters.len()).collect::<Vec<_>>(),
        [1, 1]
    );
    let first = &claims[0];
    store.commit(commit(first, T0)).await.unwrap();
    assert_eq!(
        store
            .accept(mail(&first.conversation, "e1", T0 + 9, 0))
            .await,
        Ok(Accepted::Repeated),
        "also after it was read"
    );
}

pub(super) async fn concurrent_repeats_are_one_letter<S: StateStore>(store: Arc<S>) {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.accept(mail("a:1", "same", T0, 0)).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += usize::from(matches!(task.await.unwrap(), Accepted::New { .. }));
    }
    assert_eq!(new, 1);
    assert_eq!(one(&*store, T0).await.letters.len(), 1);
}

pub(super) async fn a_burst_is_one_turn_in_order(store: &impl StateStore) {
    for (at, id) in ["e1", "e2", "e3"].iter().enumerate() {
        store
            .accept(mail("a:1", id, T0 + at as i64, 100))
            .await
            .unwrap();
    }
    assert!(claim(store, T0 + 50).await.is_empty());
    let claim = one(store, T0 + 102).await;
    let ids: Vec<&str> = claim.letters.iter().map(|l| l.event_id.as_str()).collect();
    assert_eq!(ids, ["e1", "e2", "e3"]);
    assert_eq!((claim.rev, claim.state), (0, None));
}

pub(super) async fn a_long_burst_is_several_turns(store: &impl StateStore) {
    for n in 0..LETTERS_MAX + 2 {
        store
            .accept(mail("a:1", &format!("e{n}"), T0, 0))
            .await
            .unwrap();
    }
    let first = one(store, T0).await;
    assert_eq!(first.letters.len(), LETTERS_MAX);
    assert!(store.commit(commit(&first, T0)).await.unwrap().more);
    let second = one(store, T0).await;
    assert_eq!(second.letters.len(), 2);
    assert!(!store.commit(commit(&second, T0)).await.unwrap().more);
    assert!(claim(store, T0 + 1_000_000).await.is_empty());
}

pub(super) async fn quiet_starts_anew_with_each_arrival_up_to_its_end(store: &impl StateStore) {
    store.accept(mail("a:1", "e0", T0, 100)).await.unwrap();
    store.accept(mail("a:1", "e1", T0 + 90, 100)).await.unwrap();
    assert!(
        claim(store, T0 + 150).await.is_empty(),
        "the second letter starts the quiet anew"
    );
    for n in 2..5 {
        store
            .accept(mail("a:1", &format!("e{n}"), T0 + n * 90, 100))
            .await
            .unwrap();
    }
    assert_eq!(
        one(store, T0 + 400).await.letters.len(),
        5,
        "a burst puts its turn off at most four times the quiet"
    );
    let store_time = store
        .claim_turns(T0 + 400, LEASE_MS, 10)
        .await
        .unwrap()
        .next_due_ms;
    assert_eq!(
        store_time,
        Some(T0 + 400 + LEASE_MS as i64),
        "the end of the lease is what is due next"
    );
}

pub(super) async fn mail_during_a_turn_is_due_after_it(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store.accept(mail("a:1", "e2", T0 + 1, 0)).await.unwrap();
    assert!(
        claim(store, T0 + 2).await.is_empty(),
        "never two turns at once"
    );
    assert!(store.commit(commit(&first, T0 + 3)).await.unwrap().more);
    let second = one(store, T0 + 3).await;
    assert_eq!(second.letters[0].event_id, "e2");
}

pub(super) async fn a_wake_time_is_an_empty_claim(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store
        .commit(Commit {
            wake_at_ms: Some(T0 + 5_000),
            ..commit(&first, T0)
        })
        .await
        .unwrap();
    assert!(claim(store, T0 + 4_999).await.is_empty());
    let woken = one(store, T0 + 5_000).await;
    assert!(woken.letters.is_empty());
    store.commit(commit(&woken, T0 + 5_000)).await.unwrap();
    assert!(claim(store, T0 + 1_000_000).await.is_empty());
}
