//! How letters, outgoing messages and heads are written in Redis.

use crate::store::whole::{Counters, Whole};
use crate::store::{Letter, NewOut, Outgoing, StoreError};

const LETTER_VERSION: &str = "1";
const HEAD_VERSION: u8 = 2;
/// Of the head, at the beginning of a conversation's string.
pub(super) const HEAD_BYTES: usize = 55;

/// A conversation's counters and fences, as the scripts write them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub counters: Counters,
    pub unread_since_ms: Option<i64>,
    pub send_attempts: u32,
    pub wake_at_ms: Option<i64>,
    /// Of the packed snapshot behind it.
    pub state_bytes: usize,
}

impl Head {
    /// At rest: nothing is leased.
    pub(super) fn of(whole: &Whole, state_bytes: usize) -> Self {
        Self {
            counters: whole.counters,
            unread_since_ms: whole.unread_since_ms,
            send_attempts: 0,
            wake_at_ms: whole.wake_at_ms,
            state_bytes,
        }
    }

    /// As the scripts write it; `None` for a number that is too large for its place.
    pub(super) fn line(&self) -> Option<Vec<u8>> {
        let mut line = vec![HEAD_VERSION];
        let mut put = |number: u64, bytes: usize| {
            let all = number.to_be_bytes();
            let (zeros, rest) = all.split_at_checked(all.len() - bytes)?;
            line.extend(rest);
            zeros.iter().all(|byte| *byte == 0).then_some(())
        };
        let time = |at: Option<i64>| u64::try_from(at.unwrap_or(0)).ok();
        let mut counters = self.counters;
        for counter in in_order(&mut counters) {
            put(*counter, 4)?;
        }
        put(time(self.unread_since_ms)?, 6)?;
        // Neither a turn nor a round of sending is leased.
        put(0, 2)?;
        put(u64::from(self.send_attempts), 4)?;
        put(time(self.wake_at_ms)?, 6)?;
        put(u64::try_from(self.state_bytes).ok()?, 4)?;
        Some(line)
    }

    pub(super) fn read(line: &[u8]) -> Result<Self, StoreError> {
        let read = || {
            let (version, rest) = line.split_first()?;
            (line.len() == HEAD_BYTES && *version == HEAD_VERSION).then_some(())?;
            let mut rest = rest;
            let mut take = |bytes: usize| {
                let (number, after) = rest.split_at_checked(bytes)?;
                rest = after;
                Some(
                    number
                        .iter()
                        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)),
                )
            };
            let mut head = Self::default();
            for counter in in_order(&mut head.counters) {
                *counter = take(4)?;
            }
            head.unread_since_ms = time(take(6)?);
            let _leased = take(2)?;
            head.send_attempts = u32::try_from(take(4)?).ok()?;
            head.wake_at_ms = time(take(6)?);
            head.state_bytes = usize::try_from(take(4)?).ok()?;
            Some(head)
        };
        read().ok_or_else(|| broken("head"))
    }
}

/// As they stand in a head's line.
fn in_order(counters: &mut Counters) -> [&mut u64; 8] {
    [
        &mut counters.rev,
        &mut counters.epoch,
        &mut counters.turn_token,
        &mut counters.send_token,
        &mut counters.last_letter,
        &mut counters.read_to,
        &mut counters.last_out,
        &mut counters.last_feed,
    ]
}

/// A conversation's string: its head, its packed snapshot, its marks.
pub(super) fn parts(bytes: &[u8]) -> Result<(Head, &[u8], &[u8]), StoreError> {
    let read = || {
        let (line, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let head = Head::read(line).ok()?;
        let (state, marks) = rest.split_at_checked(head.state_bytes)?;
        Some((head, state, marks))
    };
    read().ok_or_else(|| broken("conversation"))
}

/// 0 is none.
fn time(at: u64) -> Option<i64> {
    i64::try_from(at).ok().filter(|at| *at > 0)
}

pub(super) fn letter(event_id: &str, at_ms: i64, body: &str) -> Vec<u8> {
    format!(
        "{LETTER_VERSION} {at_ms} {}\n{event_id}{body}",
        event_id.len()
    )
    .into_bytes()
}

pub(super) fn read_letter(seq: u64, bytes: Vec<u8>) -> Result<Letter, StoreError> {
    let text = String::from_utf8(bytes).map_err(|_| broken("letter"))?;
    let read = || {
        let (head, rest) = text.split_once('\n')?;
        let mut head = head.split(' ');
        let version = head.next()?;
        let at_ms = head.next()?.parse().ok()?;
        let (event_id, body) = rest.split_at_checked(head.next()?.parse().ok()?)?;
        (version == LETTER_VERSION).then(|| Letter {
            seq,
            event_id: event_id.to_owned(),
            at_ms,
            body: body.to_owned(),
        })
    };
    read().ok_or_else(|| broken("letter"))
}

/// The script puts the sequence number and a space before it.
pub(super) fn outgoing(out: &NewOut) -> Vec<u8> {
    let NewOut {
        id,
        epoch,
        bot,
        body,
    } = out;
    format!("{} {epoch} {}\n{id}{body}", u8::from(*bot), id.len()).into_bytes()
}

pub(super) fn read_outgoing(bytes: Vec<u8>) -> Result<Outgoing, StoreError> {
    let text = String::from_utf8(bytes).map_err(|_| broken("message"))?;
    let read = || {
        let (head, rest) = text.split_once('\n')?;
        let mut head = head.split(' ');
        let seq = head.next()?.parse().ok()?;
        let bot = head.next()? == "1";
        let epoch = head.next()?.parse().ok()?;
        let (id, body) = rest.split_at_checked(head.next()?.parse().ok()?)?;
        Some(Outgoing {
            seq,
            id: id.to_owned(),
            epoch,
            bot,
            body: body.to_owned(),
        })
    };
    read().ok_or_else(|| broken("message"))
}

pub(super) fn broken(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: format!(
            "a {what} in Redis is not in a form of this version; run the version that wrote it or restore a backup"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_messages_come_back_whatever_is_in_them() {
        for (id, body) in [("e1", "{\"a\":1}"), ("", ""), ("é\n 1 2\n", "\n 二\u{0}")] {
            let read = read_letter(7, letter(id, -5, body)).unwrap();
            assert_eq!((read.seq, read.at_ms), (7, -5));
            assert_eq!((read.event_id.as_str(), read.body.as_str()), (id, body));
            let out = NewOut {
                id: id.to_owned(),
                epoch: 3,
                bot: true,
                body: body.to_owned(),
            };
            let stored = [b"12 ".as_slice(), &outgoing(&out)].concat();
            let read = read_outgoing(stored).unwrap();
            assert_eq!((read.seq, read.epoch, read.bot), (12, 3, true));
            assert_eq!((read.id.as_str(), read.body.as_str()), (id, body));
        }
    }

    #[test]
    fn a_head_comes_back_as_it_was_written() {
        let counters = Counters {
            rev: 1,
            epoch: 2,
            turn_token: 3,
            send_token: 4,
            last_letter: 5,
            read_to: 6,
            last_out: 7,
            last_feed: 8,
        };
        let head = Head {
            counters,
            unread_since_ms: Some(1_800_000_000_000),
            send_attempts: 10,
            wake_at_ms: None,
            state_bytes: 12,
        };
        let line = head.line().unwrap();
        assert_eq!(line.len(), HEAD_BYTES);
        assert_eq!(Head::read(&line), Ok(head));
        let counters = Counters {
            rev: 1 << 32,
            ..counters
        };
        let large = Head { counters, ..head };
        assert_eq!(large.line(), None);
    }

    #[test]
    fn what_is_not_in_this_form_is_told() {
        for bytes in ["", "2 0 0\n", "1 0 9\nab", "1 x 0\n", "1 0 0"] {
            assert!(read_letter(1, bytes.into()).is_err(), "{bytes}");
        }
        for line in [vec![], vec![2; 54], vec![1; 55]] {
            assert!(Head::read(&line).is_err(), "{line:?}");
        }
    }
}
