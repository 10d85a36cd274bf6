//! How rates are counted together in one process.
#![allow(clippy::unwrap_used)]

use super::{Counted, Uses};
use crate::store::Rate;

fn counted(key: &str, every_ms: f64, burst: u32) -> Counted {
    Counted {
        key: key.to_owned(),
        rate: Rate { every_ms, burst },
    }
}

fn message(lane: &str) -> [Counted; 3] {
    let shared = format!("{lane}:shared");
    [
        counted("all", 500.0, 1),
        counted(lane, 1_000.0, 2),
        counted(&shared, 5_000.0, 8),
    ]
}

#[test]
fn a_channel_that_says_wait_uses_up_no_lane() {
    let mut uses = Uses::default();
    assert_eq!(uses.spend(&message("a"), 0.0), None);
    for _ in 0..10 {
        assert_eq!(uses.spend(&message("b"), 0.0), Some(500));
    }
    // The lane has both of its uses yet.
    assert_eq!(uses.spend(&message("b"), 500.0), None);
    assert_eq!(uses.spend(&message("b"), 1_000.0), None);
}

#[test]
fn a_lane_that_says_wait_uses_up_nothing_of_the_channel() {
    let mut uses = Uses::default();
    assert_eq!(uses.spend(&message("a"), 0.0), None);
    assert_eq!(uses.spend(&message("a"), 500.0), None);
    assert_eq!(uses.spend(&message("a"), 1_000.0), None);
    assert_eq!(uses.spend(&message("a"), 1_500.0), Some(500));
    assert_eq!(uses.spend(&message("b"), 1_500.0), None);
}

#[test]
fn a_shared_lane_gets_at_most_twenty_in_any_minute() {
    let mut uses = Uses::default();
    let mut sent = Vec::new();
    for now_ms in (0..300_000).step_by(100) {
        let now_ms = f64::from(now_ms);
        if uses.spend(&message("a"), now_ms).is_none() {
            sent.push(now_ms);
        }
    }
    assert!(sent.len() > 60, "{}", sent.len());
    for (number, begun) in sent.iter().enumerate() {
        let minute = sent.iter().skip(number);
        let minute = minute.take_while(|at| **at < begun + 60_000.0).count();
        assert!(minute <= 20, "{minute} from {begun}");
    }
}

#[test]
fn what_the_replicas_have_used_up_is_given_back_here_and_waited_for() {
    let mut uses = Uses::default();
    let rates = message("a");
    assert_eq!(uses.spend(&rates, 0.0), None);
    let [_, lane, _] = &rates;
    uses.give_back(&rates, lane, 700, 0.0);
    assert_eq!(uses.spend(&rates, 0.0), Some(700));
    assert_eq!(uses.spend(&message("b"), 0.0), None, "the channel is free");
    assert_eq!(uses.spend(&rates, 700.0), None);
}
