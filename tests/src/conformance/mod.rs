//! The promises of the stores as cases that any implementation must pass.

mod letters;
mod records;
mod sends;
mod shared;
mod turns;

pub use records::records;

use bot::store::{
    Commit, JournalEntry, NewFeedItem, NewMail, NewOut, SendClaim, Settle, StateStore, TurnClaim,
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

/// What is to be sent and nobody else has.
async fn claim_sends(store: &impl StateStore, now_ms: i64) -> Vec<SendClaim> {
    let claimed = store.claim_sends(now_ms, LEASE_MS, 10).await.unwrap();
    claimed.claims
}

/// Messages of `a:1` up to this one are done with, and none of them is shown.
fn settle(token: u64, done_to: u64) -> Settle {
    Settle {
        conversation: "a:1".to_owned(),
        token,
        done_to,
        newest: u64::MAX,
        feed: vec![],
        retry_at_ms: None,
        refused: false,
        now_ms: T0,
    }
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
    letters::a_letter_is_accepted_once(&*fresh().open()).await;
    letters::a_burst_is_one_turn_in_order(&*fresh().open()).await;
    letters::a_long_burst_is_several_turns(&*fresh().open()).await;
    letters::quiet_starts_anew_with_each_arrival_up_to_its_end(&*fresh().open()).await;
    turns::a_lease_keeps_others_away_and_runs_out(&*fresh().open()).await;
    turns::an_old_token_changes_nothing(&*fresh().open()).await;
    turns::a_commit_is_all_of_it(&*fresh().open()).await;
    letters::mail_during_a_turn_is_due_after_it(&*fresh().open()).await;
    letters::a_wake_time_is_an_empty_claim(&*fresh().open()).await;
    sends::a_take_over_silences_the_bot(&*fresh().open()).await;
    sends::sending_settles_in_parts(&*fresh().open()).await;
    sends::what_waits_can_be_made_due(&*fresh().open()).await;
    sends::what_is_new_is_not_put_aside_with_what_waits(&*fresh().open()).await;
    sends::the_feed_resumes(&*fresh().open()).await;
    turns::the_journal_is_in_order_and_trimmed(&*fresh().open()).await;
    turns::a_repeated_step_is_done_once(&*fresh().open()).await;
    turns::many_conversations_are_each_claimed_once(&*fresh().open()).await;
    shared::facts_end(&*fresh().open()).await;
    shared::a_job_has_one_holder(&*fresh().open()).await;
    shared::a_pointer_is_moved_by_who_saw_it_last(&fresh()).await;
    letters::concurrent_repeats_are_one_letter(fresh().open()).await;
    turns::what_was_acknowledged_is_there_after_reopening(&fresh()).await;
}
