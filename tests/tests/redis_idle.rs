//! Conversations that nobody writes in leave Redis and come back as they were; what all replicas share is counted once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use bot::config::state::State as Settings;
use bot::store::records::Records;
use bot::store::redis::State;
use bot::store::whole::{Whole, mark_of, mark_text};
use bot::store::{
    Accepted, Commit, NewFeedItem, NewMail, NewOut, Rate, RecordStore, Settle, Spent, StateStore,
    StoreError, TurnClaim,
};
use std::sync::Arc;
use tests::redis_server::{Cluster, Redis};

const LEASE_MS: u64 = 1_000;
const T0: i64 = 1_800_000_000_000;
/// Later than any change in these tests, whatever clock it was told in.
const LATER: i64 = T0 * 2;
const ID: &str = "web:00112233445566778899aabbccddeeff";

struct Place {
    records: Arc<Records>,
    settings: Settings,
    _dir: tempfile::TempDir,
}

impl Place {
    async fn new(url: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::of_url(url).unwrap();
        // Only when the test says so.
        settings.idle_ms = 0;
        Self {
            records: Arc::new(Records::in_folder(dir.path()).await.unwrap()),
            settings,
            _dir: dir,
        }
    }

    fn replica(&self) -> State {
        let records: Arc<dyn RecordStore> = self.records.clone();
        State::open_with(&self.settings, Some(records))
    }
}

fn mail(id: &str, event_id: &str) -> NewMail {
    NewMail {
        conversation: id.to_owned(),
        event_id: event_id.to_owned(),
        at_ms: T0,
        quiet_ms: 0,
        quiet_max_ms: 0,
        body: format!("{{\"letter\":\"{event_id}\"}}"),
    }
}

async fn claim(store: &State) -> TurnClaim {
    let claimed = store.claim_turns(T0, LEASE_MS, 10).await.unwrap();
    claimed.claims.into_iter().next().expect("a turn is due")
}

async fn commit(store: &State, claim: &TurnClaim, state: &str) {
    let commit = Commit {
        conversation: claim.conversation.clone(),
        token: claim.token,
        read_to: claim.letters.last().map_or(0, |letter| letter.seq),
        state: state.to_owned(),
        epoch: claim.epoch + 1,
        events: vec!["{\"e\":1}".to_owned()],
        out: vec![NewOut {
            id: "m".to_owned(),
            epoch: claim.epoch + 1,
            bot: true,
            body: "\"m\"".to_owned(),
        }],
        wake_at_ms: None,
        now_ms: T0,
    };
    store.commit(commit).await.unwrap();
}

async fn send(store: &State) {
    for claim in store.claim_sends(T0, LEASE_MS, 10).await.unwrap().claims {
        let settle = Settle {
            conversation: claim.conversation,
            token: claim.token,
            done_to: claim.outbounds.last().unwrap().seq,
            newest: claim.newest,
            feed: vec![NewFeedItem {
                epoch: claim.epoch,
                bot: true,
                event: "message".to_owned(),
                data: format!("{{\"n\":{}}}", claim.token),
            }],
            retry_at_ms: None,
            refused: false,
            now_ms: T0,
        };
        store.settle(settle).await.unwrap();
    }
}

/// One message, its turn, its answer.
async fn turn(store: &State, id: &str, event_id: &str) {
    store.accept(mail(id, event_id)).await.unwrap();
    let claim = claim(store).await;
    commit(store, &claim, &format!("{{\"rev\":{}}}", claim.rev + 1)).await;
    send(store).await;
}

async fn a_quiet_conversation_leaves_and_comes_back(place: &Place, keys: impl Fn() -> u64) {
    let store = place.replica();
    for n in 0..20 {
        turn(&store, ID, &format!("e{n}")).await;
    }
    let before = store.whole(ID).await.unwrap().unwrap();
    assert_eq!(store.put_away(T0 - 1).await, Ok(0), "not quiet yet");
    store.trim_journal_all().await;
    assert_eq!(store.put_away(LATER).await, Ok(1));
    assert_eq!(store.whole(ID).await, Ok(None));
    // The layout, an emptied journal, and the mark of who is away.
    assert!(keys() <= 3, "{} keys are left", keys());
    assert_eq!(store.put_away(LATER).await, Ok(0));

    // Another replica serves the page, the take-over and the letter as if it had never left.
    let other = place.replica();
    let feed = other.feed(ID, 18, 10).await.unwrap();
    assert_eq!(
        feed.iter().map(|item| item.seq).collect::<Vec<_>>(),
        [19, 20]
    );
    assert_eq!(store.whole(ID).await.unwrap().unwrap(), before);
    assert_eq!(store.put_away(LATER).await, Ok(1));
    assert_eq!(other.epoch(ID).await, Ok(20));
    assert_eq!(store.put_away(LATER).await, Ok(1));
    assert_eq!(other.snapshot(ID).await.unwrap().unwrap().rev, 20);
    assert_eq!(store.put_away(LATER).await, Ok(1));
    assert_eq!(
        other.accept(mail(ID, "e7")).await,
        Ok(Accepted::Repeated),
        "what was accepted before it left is known"
    );
    assert_eq!(store.put_away(LATER).await, Ok(1));
    assert_eq!(
        other.accept(mail(ID, "new")).await,
        Ok(Accepted::New { seq: 21 })
    );
    let claim = claim(&other).await;
    assert_eq!(
        (claim.rev, claim.state.as_deref(), claim.letters.len()),
        (20, Some("{\"rev\":20}"), 1)
    );
    assert!(claim.token > before.counters.turn_token);
    assert_eq!(store.put_away(LATER).await, Ok(0), "a turn is running");
    commit(&other, &claim, "{\"rev\":21}").await;
    assert_eq!(store.put_away(LATER).await, Ok(0), "a message waits");
    send(&other).await;
    assert_eq!(store.put_away(LATER).await, Ok(1));
    assert_eq!(store.snapshot("web:unknown").await, Ok(None));
}

trait Journals {
    async fn trim_journal_all(&self);
}

impl Journals for State {
    async fn trim_journal_all(&self) {
        for journal in 0..self.journals() {
            self.trim_journal(journal, u64::MAX >> 1).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_conversation_leaves_a_redis_and_comes_back() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let keys = || redis.ask(&["DBSIZE"]).trim().parse().unwrap();
    a_quiet_conversation_leaves_and_comes_back(&place, keys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_conversation_leaves_a_cluster_and_comes_back() {
    let cluster = Cluster::start();
    let place = Place::new(&cluster.url()).await;
    let keys = || {
        let sizes = cluster.nodes.iter().map(|node| node.ask(&["DBSIZE"]));
        sizes.map(|size| size.trim().parse::<u64>().unwrap()).sum()
    };
    a_quiet_conversation_leaves_and_comes_back(&place, keys).await;
}

/// Many replicas put away and bring back at once, with letters in between: each letter is there once and in order.
#[tokio::test(flavor = "multi_thread")]
async fn leaving_and_returning_at_once_loses_and_doubles_nothing() {
    const CONVERSATIONS: u64 = 12;
    const LETTERS: u64 = 40;
    let redis = Redis::start();
    let place = Arc::new(Place::new(&redis.url()).await);
    let leaving: Vec<_> = (0..2)
        .map(|_| {
            let store = place.replica();
            tokio::spawn(async move {
                loop {
                    store.put_away(LATER).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..CONVERSATIONS)
        .map(|n| {
            let store = place.replica();
            tokio::spawn(async move {
                let id = format!("web:{n:032x}");
                for letter in 0..LETTERS {
                    for again in 0..2 {
                        let accepted = loop {
                            match store.accept(mail(&id, &format!("e{letter}"))).await {
                                Ok(accepted) => break accepted,
                                // It left at every try; a caller comes again.
                                Err(StoreError::Unavailable { .. }) => {}
                                Err(error) => panic!("{error}"),
                            }
                        };
                        assert!(again == 0 || accepted == Accepted::Repeated, "{accepted:?}");
                    }
                    let claimed = store.claim_turns(T0, LEASE_MS, 64).await.unwrap();
                    for claim in claimed.claims {
                        commit(&store, &claim, &format!("{{\"rev\":{}}}", claim.rev + 1)).await;
                    }
                    send(&store).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    leaving.iter().for_each(tokio::task::JoinHandle::abort);
    let store = place.replica();
    let mut now_ms = T0;
    for _ in 0..100 {
        now_ms += LEASE_MS as i64;
        for claim in store
            .claim_turns(now_ms, LEASE_MS, 64)
            .await
            .unwrap()
            .claims
        {
            commit(&store, &claim, &format!("{{\"rev\":{}}}", claim.rev + 1)).await;
        }
    }
    for n in 0..CONVERSATIONS {
        let id = format!("web:{n:032x}");
        let state = store.snapshot(&id).await.unwrap().unwrap();
        let whole = store.whole(&id).await.unwrap().unwrap();
        assert_eq!(whole.counters.last_letter, LETTERS);
        assert_eq!(whole.counters.read_to, LETTERS);
        assert_eq!(state.rev, whole.counters.rev);
        assert_eq!(state.state, format!("{{\"rev\":{}}}", state.rev));
        assert_eq!(whole.seen.len() as u64, LETTERS);
    }
    // The storm was one: some have left in the middle of it.
    let away = place.records.put_away_of(&format!("web:{:032x}", 0)).await;
    assert!(away.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_from_another_store_is_put_there_once() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let store = place.replica();
    turn(&store, ID, "e1").await;
    store.accept(mail(ID, "e2")).await.unwrap();
    let first = claim(&store).await;
    commit(&store, &first, "{}").await;
    store.accept(mail(ID, "e3")).await.unwrap();
    let whole = store.whole(ID).await.unwrap().unwrap();
    assert_eq!((whole.letters.len(), whole.out.len()), (1, 1));
    let copy = Whole::from_json(&whole.to_json().unwrap()).unwrap();
    assert_eq!(store.restore(&copy, T0).await, Ok(false), "it is there");

    let empty = Redis::start();
    let elsewhere = Place::new(&empty.url()).await.replica();
    assert_eq!(elsewhere.restore(&copy, T0).await, Ok(true));
    assert_eq!(elsewhere.restore(&copy, T0).await, Ok(false));
    assert_eq!(elsewhere.whole(ID).await.unwrap().unwrap(), whole);
    let claimed = claim(&elsewhere).await;
    assert_eq!(claimed.letters[0].event_id, "e3");
    let sends = elsewhere.claim_sends(T0, LEASE_MS, 9).await.unwrap();
    assert_eq!(sends.claims[0].outbounds.len(), 1);
}

/// Marks of event ids lie one after the other; the oldest goes when there are too many, and none is found between two others.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_event_ids_are_remembered() {
    const REMEMBERED: usize = 2_000;
    let redis = Redis::start();
    let store = Place::new(&redis.url()).await.replica();
    turn(&store, ID, "first").await;
    let mut whole = store.whole(ID).await.unwrap().unwrap();
    let other = "web:00112233445566778899aabbccddee00";
    whole.conversation = other.to_owned();
    whole.seen = (0..REMEMBERED)
        .map(|n| mark_text(&mark_of(&format!("e{n}"))))
        .collect();
    // A mark that stands across two others is nobody's.
    let across = mark_of("across");
    let (end, begin) = across.split_at(3);
    whole.seen[500] = mark_text(&[&[0; 5], end].concat());
    whole.seen[501] = mark_text(&[begin, &[0; 3]].concat());
    assert_eq!(store.restore(&whole, T0).await, Ok(true));
    let accept = async |event_id: &str| store.accept(mail(other, event_id)).await.unwrap();
    assert_eq!(accept("e0").await, Accepted::Repeated);
    assert_eq!(accept("across").await, Accepted::New { seq: 2 });
    assert_eq!(accept("across").await, Accepted::Repeated);
    assert_eq!(accept("e1").await, Accepted::Repeated);
    assert_eq!(accept("e0").await, Accepted::New { seq: 3 }, "too long ago");
    let kept = store.whole(other).await.unwrap().unwrap();
    assert_eq!(kept.seen.len(), REMEMBERED);
    assert_eq!(kept.state, whole.state);
    assert_eq!(kept.feed, whole.feed);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_do_not_fit_are_told_and_nobody_begins_anew() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let store = place.replica();
    turn(&store, ID, "e1").await;
    assert_eq!(store.put_away(LATER).await, Ok(1));
    let without = State::open(&place.settings);
    let told = without
        .accept(mail(ID, "e2"))
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("records.url"), "{told}");
    let mut wrong = Place::new(&redis.url()).await;
    wrong.settings = place.settings.clone();
    let told = wrong.replica().accept(mail(ID, "e2")).await;
    let told = told.unwrap_err().to_string();
    assert!(told.contains("restored from a backup"), "{told}");
    // The right ones still have it.
    assert_eq!(store.accept(mail(ID, "e1")).await, Ok(Accepted::Repeated));

    // A Redis that was set back to before the conversation left: it stays there, and nothing is overwritten.
    turn(&store, ID, "e2").await;
    let newer = store.whole(ID).await.unwrap().unwrap().counters.age() + 10;
    let kept = place.records.put_away(ID, newer, "{}", T0).await;
    assert_eq!(kept, Ok(true));
    assert_eq!(store.put_away(LATER).await, Ok(0));
    assert_eq!(store.snapshot(ID).await.unwrap().unwrap().rev, 2);
}

/// A failover may lose that a conversation came back, went on and left again: its newest document is as it left last.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_set_back_gives_the_newest_document() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let store = place.replica();
    turn(&store, ID, "e1").await;
    assert_eq!(store.put_away(LATER).await, Ok(1));
    let away = redis.ask(&["--scan", "--pattern", "*away:*"]);
    let away = away.trim();
    let before = redis.ask(&["HVALS", away]);
    turn(&store, ID, "e2").await;
    let newest = store.whole(ID).await.unwrap().unwrap();
    assert_eq!(store.put_away(LATER).await, Ok(1));
    // The mark is the conversation's hash, which no line of text can name.
    let script = "redis.call('HSET', KEYS[1], redis.call('HKEYS', KEYS[1])[1], ARGV[1])";
    redis.ask(&["EVAL", script, "1", away, before.trim()]);
    assert_eq!(store.accept(mail(ID, "e2")).await, Ok(Accepted::Repeated));
    assert_eq!(store.whole(ID).await.unwrap().unwrap(), newest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_cannot_be_read_keeps_no_other_from_leaving() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let store = place.replica();
    turn(&store, ID, "e1").await;
    let feed = redis.ask(&["--scan", "--pattern", "*feed:*"]);
    redis.ask(&["SET", feed.trim(), "broken"]);
    let others = ["web:1", "web:2", "web:3"];
    for id in others {
        turn(&store, id, "e1").await;
    }
    assert_eq!(store.put_away(LATER).await, Ok(others.len()));
    // It is looked at again when it has been quiet for as long once more, not at every look.
    let quiet = redis.ask(&["--scan", "--pattern", "*quiet:*"]);
    let scored = redis.ask(&["ZSCORE", quiet.trim(), ID]);
    assert!(scored.trim().parse::<i64>().unwrap() != T0, "{scored}");
}

/// A machine without a battery begins in 1970, and a rule may want to wake a conversation in a million years.
#[tokio::test(flavor = "multi_thread")]
async fn times_that_have_no_place_in_the_head_stand_for_none_or_never() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let store = place.replica();
    let mut letter = mail(ID, "e1");
    letter.at_ms = -5;
    assert_eq!(store.accept(letter).await, Ok(Accepted::New { seq: 1 }));
    let whole = store.whole(ID).await.unwrap().unwrap();
    assert_eq!(whole.unread_since_ms, None);
    for wake_at_ms in [Some(i64::MAX), Some(-1)] {
        store
            .accept(mail(ID, &format!("{wake_at_ms:?}")))
            .await
            .unwrap();
        let claim = claim(&store).await;
        let commit = Commit {
            conversation: ID.to_owned(),
            token: claim.token,
            read_to: claim.letters.last().unwrap().seq,
            state: "{}".to_owned(),
            epoch: 0,
            events: Vec::new(),
            out: Vec::new(),
            wake_at_ms,
            now_ms: T0,
        };
        store.commit(commit).await.unwrap();
        let woken = store.whole(ID).await.unwrap().unwrap().wake_at_ms;
        assert_eq!(
            woken,
            wake_at_ms.filter(|at| *at > 0).map(|_| (1 << 48) - 1)
        );
        assert!(
            store
                .claim_turns(LATER, LEASE_MS, 1)
                .await
                .unwrap()
                .claims
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_counted_over_all_replicas() {
    let redis = Redis::start();
    let place = Place::new(&redis.url()).await;
    let (one, two) = (place.replica(), place.replica());
    let rate = Rate {
        every_ms: 1_000.0,
        burst: 3,
    };
    let spend = async |store: &State, at: i64| store.spend("k", rate, T0 + at).await.unwrap();
    assert_eq!(spend(&one, 0).await, Spent::Allowed);
    assert_eq!(spend(&two, 0).await, Spent::Allowed);
    assert_eq!(spend(&one, 0).await, Spent::Allowed);
    assert_eq!(spend(&two, 0).await, Spent::Wait { ms: 1_000 });
    assert_eq!(spend(&one, 400).await, Spent::Wait { ms: 600 });
    assert_eq!(spend(&two, 1_000).await, Spent::Allowed);
    assert_eq!(spend(&one, 1_000).await, Spent::Wait { ms: 1_000 });
    assert_eq!(
        two.spend("other", rate, T0).await,
        Ok(Spent::Allowed),
        "keys are apart"
    );
}
