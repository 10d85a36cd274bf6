//! The promises of the stores as cases that any implementation must pass.

mod records;
mod shared;

pub use records::records;

use bot::store::{
    Accepted, Commit, JournalEntry, LETTERS_MAX, NewFeedItem, NewMail, NewOut, Queue, Settle,
    StateStore, StoreError, TurnClaim,
};
use std::sync::Arc;

const LEASE_MS: u64 = 1_000;
const T0: i64 = 1_800_000_000_000;

/// A store that can be closed and opened again on the same data.
pub trait Opens {
    type Store: StateStore;
    fn open(&self) -> Arc<Self::Store>;
}

fn mail(conversation: &str, event_id: &str, at_ms: i64, quiet_ms: u64) -> NewMail {
    NewMail {
        conversation: conversation.to_owned(),
        event_id: event_id.to_owned(),
        at_ms,
        quiet_ms,
        quiet_max_ms: 4 * quiet_ms,
        body: format!("{{\"letter\":\"{event_id}\"}}"),
    }
}

fn commit(claim: &TurnClaim, now_ms: i64) -> Commit {
    Commit {
        conversation: claim.conversation.clone(),
        token: claim.token,
        read_to: claim.letters.last().map_or(0, |letter| letter.seq),
        state: format!("{{\"turn\":{}}}", claim.rev + 1),
        epoch: claim.epoch,
        events: claim.letters.iter().map(|l| l.body.clone()).collect(),
        out: vec![out("m", claim.epoch, true)],
        wake_at_ms: None,
        now_ms,
    }
}

fn out(id: &str, epoch: u64, bot: bool) -> NewOut {
    NewOut {
        id: id.to_owned(),
        epoch,
        bot,
        body: format!("\"{id}\""),
    }
}

fn fed(epoch: u64, bot: bool, data: &str) -> NewFeedItem {
    NewFeedItem {
        epoch,
        bot,
        event: "message".to_owned(),
        data: data.to_owned(),
    }
}

async fn claim(store: &impl StateStore, now_ms: i64) -> Vec<TurnClaim> {
    store
        .claim_turns(now_ms, LEASE_MS, 10)
        .await
        .unwrap()
        .claims
}

/// All that is in the journals, with the journal it is in.
async fn journal(store: &impl StateStore) -> Vec<(u32, JournalEntry)> {
    let mut found = Vec::new();
    for journal in 0..store.journals() {
        let entries = store.journal(journal, 100).await.unwrap();
        found.extend(entries.into_iter().map(|entry| (journal, entry)));
    }
    found
}

/// The only claim there is.
async fn one(store: &impl StateStore, now_ms: i64) -> TurnClaim {
    let mut claims = claim(store, now_ms).await;
    assert_eq!(claims.len(), 1, "one conversation is due");
    claims.remove(0)
}

/// Every promise of `StateStore`; `fresh` gives an empty store each time.
pub async fn state<O: Opens>(fresh: impl Fn() -> O) {
    a_letter_is_accepted_once(&*fresh().open()).await;
    a_burst_is_one_turn_in_order(&*fresh().open()).await;
    a_long_burst_is_several_turns(&*fresh().open()).await;
    quiet_starts_anew_with_each_arrival_up_to_its_end(&*fresh().open()).await;
    a_lease_keeps_others_away_and_runs_out(&*fresh().open()).await;
    an_old_token_changes_nothing(&*fresh().open()).await;
    a_commit_is_all_of_it(&*fresh().open()).await;
    mail_during_a_turn_is_due_after_it(&*fresh().open()).await;
    a_wake_time_is_an_empty_claim(&*fresh().open()).await;
    a_take_over_silences_the_bot(&*fresh().open()).await;
    sending_settles_in_parts(&*fresh().open()).await;
    what_waits_can_be_made_due(&*fresh().open()).await;
    the_feed_resumes(&*fresh().open()).await;
    the_journal_is_in_order_and_trimmed(&*fresh().open()).await;
    a_repeated_step_is_done_once(&*fresh().open()).await;
    many_conversations_are_each_claimed_once(&*fresh().open()).await;
    facts_end(&*fresh().open()).await;
    shared::a_job_has_one_holder(&*fresh().open()).await;
    shared::a_pointer_is_moved_by_who_saw_it_last(&fresh()).await;
    concurrent_repeats_are_one_letter(fresh().open()).await;
    what_was_acknowledged_is_there_after_reopening(&fresh()).await;
}

async fn a_letter_is_accepted_once(store: &impl StateStore) {
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

async fn a_burst_is_one_turn_in_order(store: &impl StateStore) {
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

async fn a_long_burst_is_several_turns(store: &impl StateStore) {
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

async fn quiet_starts_anew_with_each_arrival_up_to_its_end(store: &impl StateStore) {
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

async fn a_lease_keeps_others_away_and_runs_out(store: &impl StateStore) {
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

async fn an_old_token_changes_nothing(store: &impl StateStore) {
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
    let sends = store.claim_sends(T0, LEASE_MS, 10).await.unwrap().claims;
    let again = store
        .claim_sends(T0 + 2_000, LEASE_MS, 10)
        .await
        .unwrap()
        .claims;
    assert!(again[0].token > sends[0].token);
    let settle = |token| Settle {
        conversation: "a:1".to_owned(),
        token,
        done_to: 1,
        feed: vec![fed(0, true, "x")],
        retry_at_ms: None,
        refused: false,
        now_ms: T0,
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

async fn a_commit_is_all_of_it(store: &impl StateStore) {
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
    let sends = store
        .claim_sends(T0 + 1, LEASE_MS, 10)
        .await
        .unwrap()
        .claims;
    assert_eq!(sends[0].outbounds[0].id, "m");
    store.accept(mail("a:1", "e2", T0 + 2, 0)).await.unwrap();
    assert_eq!(
        one(store, T0 + 2).await.state.as_deref(),
        Some("{\"turn\":1}")
    );
}

async fn mail_during_a_turn_is_due_after_it(store: &impl StateStore) {
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

async fn a_wake_time_is_an_empty_claim(store: &impl StateStore) {
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

async fn a_take_over_silences_the_bot(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store
        .commit(Commit {
            out: vec![out("bot", 0, true), out("rep", 0, false)],
            ..commit(&first, T0)
        })
        .await
        .unwrap();
    let sending = store
        .claim_sends(T0, LEASE_MS, 10)
        .await
        .unwrap()
        .claims
        .remove(0);
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
            conversation: "a:1".to_owned(),
            token: sending.token,
            done_to: 2,
            feed: vec![fed(0, true, "bot"), fed(0, false, "rep")],
            retry_at_ms: None,
            refused: false,
            now_ms: T0 + 2,
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
    let left = store
        .claim_sends(T0 + 3, LEASE_MS, 10)
        .await
        .unwrap()
        .claims
        .remove(0);
    assert_eq!(
        left.outbounds
            .iter()
            .map(|o| o.id.as_str())
            .collect::<Vec<_>>(),
        ["mode"]
    );
}

async fn sending_settles_in_parts(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store
        .commit(Commit {
            out: vec![out("m1", 0, true), out("m2", 0, true)],
            ..commit(&first, T0)
        })
        .await
        .unwrap();
    let round = store
        .claim_sends(T0, LEASE_MS, 10)
        .await
        .unwrap()
        .claims
        .remove(0);
    assert_eq!(round.outbounds.len(), 2);
    let settle = |token, done_to, retry| Settle {
        conversation: "a:1".to_owned(),
        token,
        done_to,
        feed: vec![],
        retry_at_ms: retry,
        refused: done_to == 0,
        now_ms: T0,
    };
    let settled = store
        .settle(settle(round.token, 1, Some(T0 + 500)))
        .await
        .unwrap();
    assert!(settled.more);
    assert!(
        store
            .claim_sends(T0 + 499, LEASE_MS, 10)
            .await
            .unwrap()
            .claims
            .is_empty()
    );
    let mut round = store
        .claim_sends(T0 + 500, LEASE_MS, 10)
        .await
        .unwrap()
        .claims
        .remove(0);
    assert_eq!((round.attempts, round.outbounds[0].id.as_str()), (0, "m2"));
    // A round that only waited is no attempt, one that was refused is.
    for (done_to, at_ms, attempts) in [(1, T0 + 600, 0), (0, T0 + 700, 1), (0, T0 + 800, 2)] {
        store
            .settle(settle(round.token, done_to, Some(at_ms)))
            .await
            .unwrap();
        let next = store.claim_sends(at_ms, LEASE_MS, 10).await.unwrap();
        assert_eq!(next.claims[0].attempts, attempts);
        round = next.claims.into_iter().next().unwrap();
    }
    assert!(
        !store
            .settle(settle(round.token, 2, None))
            .await
            .unwrap()
            .more
    );
    assert!(
        store
            .claim_sends(T0 + 1_000_000, LEASE_MS, 10)
            .await
            .unwrap()
            .claims
            .is_empty()
    );
}

async fn what_waits_can_be_made_due(store: &impl StateStore) {
    let claims = async |now_ms| {
        let claimed = store.claim_sends(now_ms, LEASE_MS, 10).await.unwrap();
        claimed.claims
    };
    store.hasten("a:1", T0).await.unwrap();
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let turn = one(store, T0).await;
    store.commit(commit(&turn, T0)).await.unwrap();
    let round = claims(T0).await.remove(0);
    // What is being sent is left alone.
    store.hasten("a:1", T0 + 10).await.unwrap();
    assert!(claims(T0 + 10).await.is_empty());
    let settle = |token, done_to, retry_at_ms| Settle {
        conversation: "a:1".to_owned(),
        token,
        done_to,
        feed: vec![],
        retry_at_ms,
        refused: false,
        now_ms: T0,
    };
    let late = settle(round.token, 0, Some(T0 + 9_000_000));
    store.settle(late).await.unwrap();
    assert!(claims(T0 + 20).await.is_empty());
    store.hasten("a:1", T0 + 20).await.unwrap();
    let round = claims(T0 + 20).await.remove(0);
    assert_eq!(round.outbounds[0].id, "m");
    store.settle(settle(round.token, 1, None)).await.unwrap();
    // Nothing waits any more.
    store.hasten("a:1", T0 + 30).await.unwrap();
    assert!(claims(T0 + 9_000_000).await.is_empty());
}

async fn the_feed_resumes(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let first = one(store, T0).await;
    store.commit(commit(&first, T0)).await.unwrap();
    let round = store
        .claim_sends(T0, LEASE_MS, 10)
        .await
        .unwrap()
        .claims
        .remove(0);
    let feed = (0..5).map(|n| fed(0, true, &n.to_string())).collect();
    store
        .settle(Settle {
            conversation: "a:1".to_owned(),
            token: round.token,
            done_to: 9,
            feed,
            retry_at_ms: None,
            refused: false,
            now_ms: T0,
        })
        .await
        .unwrap();
    let data = |items: Vec<bot::store::FeedItem>| {
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

async fn the_journal_is_in_order_and_trimmed(store: &impl StateStore) {
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

/// The answer of a step may be lost; whoever sends it again must not do it twice.
async fn a_repeated_step_is_done_once(store: &impl StateStore) {
    store.accept(mail("a:1", "e1", T0, 0)).await.unwrap();
    let claim = one(store, T0).await;
    let first = store.commit(commit(&claim, T0)).await.unwrap();
    assert_eq!(store.commit(commit(&claim, T0)).await, Ok(first));
    assert_eq!(journal(store).await.len(), 1);
    let round = store.claim_sends(T0, LEASE_MS, 10).await.unwrap().claims;
    assert_eq!(round[0].outbounds.len(), 1);
    let settle = Settle {
        conversation: "a:1".to_owned(),
        token: round[0].token,
        done_to: round[0].outbounds[0].seq,
        feed: vec![fed(0, true, "x")],
        retry_at_ms: None,
        refused: false,
        now_ms: T0,
    };
    let first = store.settle(settle.clone()).await.unwrap();
    assert_eq!(store.settle(settle).await, Ok(first));
    assert_eq!(store.feed("a:1", 0, 10).await.unwrap().len(), 1);
}

async fn many_conversations_are_each_claimed_once(store: &impl StateStore) {
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

async fn facts_end(store: &impl StateStore) {
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
}

async fn concurrent_repeats_are_one_letter<S: StateStore>(store: Arc<S>) {
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

async fn what_was_acknowledged_is_there_after_reopening<O: Opens>(place: &O) {
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
    assert_eq!(
        store
            .claim_sends(T0 + 1_000_000, LEASE_MS, 10)
            .await
            .unwrap()
            .claims
            .len(),
        1
    );
}
