//! The storm in one readable table: the faults, when they came and what was seen of them, and the books.

use super::Books;
use super::bringer::{Brought, Mark};
use super::crowd::Sums;
use super::faults::Planned;
use super::people::{Left, Person};
use super::visitor::Visitor;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Prints a report, and leaves it in a folder beside the build.
pub fn publish(folder: &str, name: &str, report: &str) {
    println!("{report}");
    std::fs::write(Path::new(folder).join(format!("{name}.md")), report).unwrap();
}

/// The longest time that conversations of a killed replica waited, from the kill.
#[derive(Debug, Default)]
pub struct Recovery {
    pub conversations: usize,
    pub longest: Duration,
}

/// Until the last message was answered that was waiting when its replica was killed.
pub fn recovery(visitors: &[Visitor], killed_at: Instant, orphans: &[String]) -> Recovery {
    let orphans: BTreeSet<&String> = orphans.iter().collect();
    let mut recovery = Recovery::default();
    for visitor in visitors {
        if !orphans.contains(&visitor.conversation) {
            continue;
        }
        recovery.conversations += 1;
        let seen = visitor.seen();
        let waits = seen
            .acknowledged_at
            .iter()
            .filter(|(_, at)| **at <= killed_at)
            .filter_map(|(id, _)| seen.read_at.get(id)?.checked_duration_since(killed_at));
        recovery.longest = recovery.longest.max(waits.max().unwrap_or_default());
    }
    recovery
}

pub fn told(
    seed: u64,
    brought: &[Brought],
    visitors: &[Visitor],
    platforms: &[Left],
    sums: &Sums,
    books: &Books,
    away: usize,
) -> String {
    let mut text = String::new();
    let mut line = |written: String| writeln!(text, "{written}").unwrap();
    line(format!(
        "## Fault storm, seed {seed} (another: STORM_SEED=n cargo test --workspace --test fault_storm -- --nocapture storm)\n"
    ));
    line("| at, s | lasting, s | fault | seen |\n| ---: | ---: | --- | --- |".to_owned());
    for Brought { planned, mark } in brought {
        let Planned {
            at_ms,
            lasting_ms,
            fault,
        } = planned;
        let (at, lasting) = (*at_ms as f64 / 1e3, *lasting_ms as f64 / 1e3);
        let seen = seen_of(mark, visitors);
        line(format!("| {at:.1} | {lasting:.1} | {fault} | {seen} |"));
    }
    line("\n| books | |\n| --- | ---: |".to_owned());
    let seconds = |share| format!("{:.1} s", sums.silence(share).as_secs_f64());
    for (name, value) in [
        ("conversations", books.conversations.to_string()),
        ("messages acknowledged", books.messages.to_string()),
        ("of them sent again", books.sent_again.to_string()),
        ("choices pressed", books.pressed.to_string()),
        ("turns", books.turns.to_string()),
        ("away in the records at the end", away.to_string()),
        ("refused with 503", sums.refused.to_string()),
        ("refused without Retry-After", sums.without_wait.to_string()),
        ("requests without an answer", sums.failed.to_string()),
        ("streams that broke", sums.broken.to_string()),
        ("silence, middle", seconds(0.5)),
        ("silence, 99 of 100", seconds(0.99)),
        ("silence, longest", seconds(1.0)),
        ("lost", books.lost.to_string()),
        (
            "out of order (conversations)",
            books.out_of_order.to_string(),
        ),
        ("turned twice", books.run_twice.to_string()),
        (
            "answered twice",
            (books.answered_twice + sums.doubled).to_string(),
        ),
        ("not answered", (books.unanswered + sums.unread).to_string()),
        ("fold(log) != snapshot", books.fold_differs.to_string()),
        ("records != log", books.records_differ.to_string()),
    ] {
        line(format!("| {name} | {value} |"));
    }
    line("\n| platform | people | said | pressed | given up by the platform | brought again | sent to them | of that twice |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |".to_owned());
    for left in platforms {
        let sum = |of: fn(&Person) -> usize| left.people.iter().map(of).sum::<usize>();
        let twice = |person: &Person| books.sent_twice.get(&person.conversation).copied();
        let twice: usize = left.people.iter().filter_map(twice).sum();
        line(format!(
            "| {} | {} | {} | {} | {} | {} | {} | {twice} |",
            left.name(),
            left.people.len(),
            sum(|person| person.said.len()),
            sum(|person| person.pressed),
            sum(|person| person.unsure.len()),
            sum(|person| person.repeated),
            sum(|person| person.sent.len()),
        ));
    }
    text
}

fn seen_of(mark: &Mark, visitors: &[Visitor]) -> String {
    match mark {
        Mark::Nothing => String::new(),
        Mark::Forged { answered, taken } => format!("{answered} answered, {taken} taken"),
        Mark::Orphans { at, turns, sends } => {
            let told = |what: &str, orphans: &[String]| {
                let recovery = recovery(visitors, *at, orphans);
                match recovery.conversations {
                    0 => format!("no {what} leased to it"),
                    n => format!(
                        "{n} {what}s leased to it, all answered {:.1} s after the kill",
                        recovery.longest.as_secs_f64()
                    ),
                }
            };
            format!("{}; {}", told("turn", turns), told("send", sends))
        }
        Mark::Refusals {
            asked,
            refused,
            unready,
            back,
        } => {
            let ready = if *unready { "503" } else { "200" };
            let back = match back {
                Some(back) => format!("back {:.1} s after", back.as_secs_f64()),
                None => "never back".to_owned(),
            };
            format!("{refused} of {asked} asked got 503 with Retry-After, /readyz {ready}; {back}")
        }
    }
}
