//! The promises about what is sent: it settles in parts, waits, is silenced by a take-over, and stands in the feed.

use super::{T0, claim_sends, commit, fed, mail, one, out, settle};
use bot::store::{Commit, FeedItem, Settle, StateStore};

pub(super) async fn sending_settles_in_parts(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store
        .commit(Commit {
            out: vec![out("m1", 0, true), out("m2", 0, true)],
            ..commit(&first, T0)
        })
        .await
        .unwrap();
    let round = claim_sends(store, T0).await.remove(0);
    assert_eq!(round.outbounds.len(), 2);
    let later = |token, done_to, at_ms| Settle {
        retry_at_ms: Some(at_ms),
        refused: done_to == 0,
        ..settle(token, done_to)
    };
    let settled = store.settle(later(round.token, 1, T0 + 500)).await.unwrap();
    assert!(settled.more);
    assert!(claim_sends(store, T0 + 499).await.is_empty());
    let mut round = claim_sends(store, T0 + 500).await.remove(0);
    assert_eq!((round.attempts, round.outbounds[0].id.as_str()), (0, "m2"));
    // A round that only waited is no attempt, one that was refused is.
    for (done_to, at_ms, attempts) in [(1, T0 + 600, 0), (0, T0 + 700, 1), (0, T0 + 800, 2)] {
        store
            .settle(later(round.token, done_to, at_ms))
            .await
            .unwrap();
        round = claim_sends(store, at_ms).await.remove(0);
        assert_eq!(round.attempts, attempts);
    }
    let settled = store.settle(settle(round.token, 2)).await.unwrap();
    assert!(!settled.more);
    assert!(claim_sends(store, T0 + 1_000_000).await.is_empty());
}

pub(super) async fn what_waits_can_be_made_due(store: &impl StateStore) {
    store.hasten("a:1", T0).await.unwrap();
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let turn = one(store, T0).await;
    store.commit(commit(&turn, T0)).await.unwrap();
    let round = claim_sends(store, T0).await.remove(0);
    // What is being sent is left alone.
    store.hasten("a:1", T0 + 10).await.unwrap();
    assert!(claim_sends(store, T0 + 10).await.is_empty());
    let late = Settle {
        retry_at_ms: Some(T0 + 9_000_000),
        ..settle(round.token, 0)
    };
    store.settle(late).await.unwrap();
    assert!(claim_sends(store, T0 + 20).await.is_empty());
    store.hasten("a:1", T0 + 20).await.unwrap();
    let round = claim_sends(store, T0 + 20).await.remove(0);
    assert_eq!(round.outbounds[0].id, "m");
    store.settle(settle(round.token, 1)).await.unwrap();
    // Nothing waits any more.
    store.hasten("a:1", T0 + 30).await.unwrap();
    assert!(claim_sends(store, T0 + 9_000_000).await.is_empty());
}

/// What of the one conversation has yet to leave.
async fn outgoing(store: &impl StateStore, max: usize) -> Vec<String> {
    let outgoing = store.outgoing("a:1", max).await.unwrap();
    outgoing.into_iter().map(|message| message.id).collect()
}

pub(super) async fn a_take_over_silences_the_bot(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store
        .commit(Commit {
            out: vec![out("bot", 0, true), out("rep", 0, false)],
            ..commit(&first, T0)
        })
        .await
        .unwrap();
    assert_eq!(outgoing(store, 10).await, ["bot", "rep"]);
    assert_eq!(outgoing(store, 1).await, ["bot"]);
    assert!(outgoing(store, 0).await.is_empty());
    let sending = claim_sends(store, T0).await.remove(0);
    assert_eq!(
        outgoing(store, 10).await,
        ["bot", "rep"],
        "claimed is not sent"
    );
    store.accept(mail("a:1", "take", T0 + 1, 0)).await.unwrap();
    let taking = one(store, T0 + 1).await;
    store
        .commit(Commit {
            epoch: 1,
            out: vec![out("mode", 1, false)],
            ..commit(&taking, T0 + 1)
        })
        .await
        .unwrap();
    assert_eq!(store.epoch("a:1").await.unwrap(), 1);
    // What was claimed before the take-over is compared again when it is settled.
    let settled = store
        .settle(Settle {
            feed: vec![fed(0, true, "bot"), fed(0, false, "rep")],
            now_ms: T0 + 2,
            ..settle(sending.token, 2)
        })
        .await
        .unwrap();
    assert_eq!(settled.dropped, 1);
    let feed: Vec<String> = store
        .feed("a:1", 0, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|i| i.data)
        .collect();
    assert_eq!(feed, ["rep"]);
    assert_eq!(outgoing(store, 10).await, ["mode"]);
    let left = claim_sends(store, T0 + 3).await.remove(0);
    assert_eq!(
        left.outbounds
            .iter()
            .map(|o| o.id.as_str())
            .collect::<Vec<_>>(),
        ["mode"]
    );
}

pub(super) async fn the_feed_resumes(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store.commit(commit(&first, T0)).await.unwrap();
    let round = claim_sends(store, T0).await.remove(0);
    let feed = (0..5).map(|n| fed(0, true, &n.to_string())).collect();
    store
        .settle(Settle {
            feed,
            ..settle(round.token, 9)
        })
        .await
        .unwrap();
    let data = |items: Vec<FeedItem>| {
        items
            .into_iter()
            .map(|i| (i.seq, i.data))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        data(store.feed("a:1", 3, 10).await.unwrap()),
        [(4, "3".to_owned()), (5, "4".to_owned())]
    );
    assert_eq!(store.feed("a:1", 0, 2).await.unwrap().len(), 2);
    assert!(store.feed("a:2", 0, 10).await.unwrap().is_empty());
}

/// A message that waits for weeks would keep what a rep writes while it is being sent.
pub(super) async fn what_is_new_is_not_put_aside_with_what_waits(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let turn = one(store, T0).await;
    store.commit(commit(&turn, T0)).await.unwrap();
    let round = claim_sends(store, T0).await.remove(0);
    store.accept(mail("a:1", "e2", T0, 0)).await.unwrap();
    let turn = one(store, T0).await;
    let new = Commit {
        out: vec![out("new", 0, false)],
        ..commit(&turn, T0)
    };
    store.commit(new).await.unwrap();
    let aside = |token, newest| Settle {
        newest,
        retry_at_ms: Some(T0 + 9_000_000),
        now_ms: T0 + 10,
        ..settle(token, 0)
    };
    assert!(claim_sends(store, T0 + 9).await.is_empty(), "it is leased");
    let settled = store.settle(aside(round.token, round.newest)).await;
    assert!(settled.unwrap().more);
    let round = claim_sends(store, T0 + 10).await.remove(0);
    let ids: Vec<&str> = round.outbounds.iter().map(|out| out.id.as_str()).collect();
    assert_eq!(ids, ["m", "new"]);
    // Nothing is new by now.
    store
        .settle(aside(round.token, round.newest))
        .await
        .unwrap();
    assert!(claim_sends(store, T0 + 8_999_999).await.is_empty());
    assert_eq!(claim_sends(store, T0 + 9_000_000).await.len(), 1);
}
