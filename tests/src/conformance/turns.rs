//! The promises about turns: one at a time under a lease, each committed once, whole and in the journal.

use super::{LEASE_MS, Opens, T0, claim, claim_sends, commit, fed, journal, mail, one, settle};
use bot::store::{Accepted, Queue, Settle, StateStore, StoreError, TurnClaim};

pub(super) async fn a_lease_keeps_others_away_and_runs_out(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    assert!(claim(store, T0 + 999).await.is_empty());
    store
        .extend(Queue::Turn, "a:1", first.token, T0 + 1_500)
        .await
        .unwrap();
    assert!(claim(store, T0 + 1_400).await.is_empty());
    let second = one(store, T0 + 1_500).await;
    assert!(second.token > first.token);
    assert_eq!(second.letters, first.letters, "the same letters");
}

pub(super) async fn an_old_token_changes_nothing(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let old = one(store, T0).await;
    let new = one(store, T0 + 2_000).await;
    assert_eq!(
        store.commit(commit(&old, T0)).await,
        Err(StoreError::Fenced)
    );
    assert_eq!(
        store
            .extend(Queue::Turn, "a:1", old.token, T0 + 9_000)
            .await,
        Err(StoreError::Fenced)
    );
    assert_eq!(store.snapshot("a:1").await.unwrap(), None);
    assert!(store.log("a:1", 0, 10).await.unwrap().is_empty());
    assert!(journal(store).await.is_empty());
    assert_eq!(store.commit(commit(&new, T0)).await.unwrap().rev, 1);
    assert_eq!(
        store.commit(commit(&old, T0)).await,
        Err(StoreError::Fenced)
    );
    let sends = claim_sends(store, T0).await;
    let again = claim_sends(store, T0 + 2_000).await;
    assert!(again[0].token > sends[0].token);
    let settle = |token| Settle {
        feed: vec![fed(0, true, "x")],
        ..settle(token, 1)
    };
    assert_eq!(
        store.settle(settle(sends[0].token)).await,
        Err(StoreError::Fenced)
    );
    assert!(store.feed("a:1", 0, 10).await.unwrap().is_empty());
    store.settle(settle(again[0].token)).await.unwrap();
    assert_eq!(
        store
            .commit(commit(
                &TurnClaim {
                    conversation: "never".to_owned(),
                    ..new
                },
                T0
            ))
            .await,
        Err(StoreError::Fenced)
    );
}

pub(super) async fn a_commit_is_all_of_it(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let claim = one(store, T0).await;
    let committed = store.commit(commit(&claim, T0 + 1)).await.unwrap();
    assert_eq!((committed.rev, committed.more), (1, false));
    let snapshot = store.snapshot("a:1").await.unwrap().unwrap();
    assert_eq!((snapshot.rev, snapshot.state.as_str()), (1, "{\"turn\":1}"));
    let log = store.log("a:1", 0, 10).await.unwrap();
    assert_eq!((log.len(), log[0].rev, log[0].events.len()), (1, 1, 1));
    let (_, entry) = journal(store).await.remove(0);
    assert_eq!(
        (entry.conversation.as_str(), entry.rev, entry.at_ms),
        ("a:1", 1, T0 + 1)
    );
    assert_eq!(entry.events, ["{\"letter\":\"e1\"}"]);
    let sends = claim_sends(store, T0 + 1).await;
    assert_eq!(sends[0].outbounds[0].id, "m");
    store.accept(mail("a:1", "e2", T0 + 2, 0)).await.unwrap();
    assert_eq!(
        one(store, T0 + 2).await.state.as_deref(),
        Some("{\"turn\":1}")
    );
}

/// The answer of a step may be lost; whoever sends it again must not do it twice.
pub(super) async fn a_repeated_step_is_done_once(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let claim = one(store, T0).await;
    let first = store.commit(commit(&claim, T0)).await.unwrap();
    assert_eq!(store.commit(commit(&claim, T0)).await, Ok(first));
    assert_eq!(journal(store).await.len(), 1);
    let round = claim_sends(store, T0).await;
    assert_eq!(round[0].outbounds.len(), 1);
    let settle = Settle {
        feed: vec![fed(0, true, "x")],
        ..settle(round[0].token, round[0].outbounds[0].seq)
    };
    let first = store.settle(settle.clone()).await.unwrap();
    assert_eq!(store.settle(settle).await, Ok(first));
    assert_eq!(store.feed("a:1", 0, 10).await.unwrap().len(), 1);
}

pub(super) async fn many_conversations_are_each_claimed_once(store: &impl StateStore) {
    const MANY: usize = 60;
    for n in 0..MANY {
        let id = format!("a:{n}");
        store.accept(mail(&id, "e1", T0, 0)).await.unwrap();
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..MANY {
        let claimed = store.claim_turns(T0, LEASE_MS, 7).await.unwrap();
        assert!(claimed.claims.len() <= 7);
        for claim in claimed.claims {
            assert!(seen.insert(claim.conversation.clone()), "claimed twice");
            store.commit(commit(&claim, T0)).await.unwrap();
        }
    }
    assert_eq!(seen.len(), MANY);
    assert_eq!(store.depth().await.unwrap().sends, MANY as u64);
    let mut sent = 0;
    for _ in 0..MANY {
        sent += store
            .claim_sends(T0, LEASE_MS, 7)
            .await
            .unwrap()
            .claims
            .len();
    }
    assert_eq!(sent, MANY);
}

pub(super) async fn the_journal_is_in_order_and_trimmed(store: &impl StateStore) {
    for n in 0..6 {
        store
            .accept(mail("a:1", &format!("e{n}"), T0, 0))
            .await
            .unwrap();
        let claim = one(store, T0).await;
        store.commit(commit(&claim, T0)).await.unwrap();
    }
    let all = journal(store).await;
    let revs: Vec<u64> = all.iter().map(|(_, entry)| entry.rev).collect();
    assert_eq!(revs, [1, 2, 3, 4, 5, 6]);
    assert!(all.windows(2).all(|pair| pair[0].1.seq < pair[1].1.seq));
    let own = all[0].0;
    assert!(
        all.iter().all(|(journal, _)| *journal == own),
        "a conversation's entries are in one journal"
    );
    store.trim_journal(own, all[3].1.seq).await.unwrap();
    assert_eq!(journal(store).await[0].1.rev, 5);
    let last = all[5].1.seq;
    store.trim_journal(own, last).await.unwrap();
    store.accept(mail("a:1", "more", T0, 0)).await.unwrap();
    let claim = one(store, T0).await;
    store.commit(commit(&claim, T0)).await.unwrap();
    let (_, next) = journal(store).await.pop().unwrap();
    assert!(next.seq > last, "numbers never start again");
}

pub(super) async fn what_was_acknowledged_is_there_after_reopening<O: Opens>(place: &O) {
    let store = place.open();
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let claim = one(&*store, T0).await;
    store.commit(commit(&claim, T0)).await.unwrap();
    store.accept(mail("a:1", "e2", T0 + 1, 0)).await.unwrap();
    store.remember("k", "v", T0 + 100).await.unwrap();
    drop(store);
    let store = place.open();
    assert_eq!(
        store.accept(mail("a:1", "e2", T0 + 2, 0)).await,
        Ok(Accepted::Repeated)
    );
    assert_eq!(store.snapshot("a:1").await.unwrap().unwrap().rev, 1);
    assert_eq!(store.recall("k", T0).await.unwrap().as_deref(), Some("v"));
    assert_eq!(one(&*store, T0 + 1_000_000).await.letters[0].event_id, "e2");
    assert_eq!(claim_sends(&*store, T0 + 1_000_000).await.len(), 1);
}
