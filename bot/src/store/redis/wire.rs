//! How letters, outgoing messages and heads are written in Redis.

use crate::store::whole::Whole;
use crate::store::{Letter, NewOut, Outgoing, StoreError};

const LETTER_VERSION: &str = "1";
const HEAD_VERSION: u64 = 1;

/// A conversation's counters and fences, as the scripts write them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub rev: u64,
    pub epoch: u64,
    pub turn_token: u64,
    pub send_token: u64,
    pub last_letter: u64,
    pub read_to: u64,
    pub last_out: u64,
    pub last_feed: u64,
    pub unread_since_ms: Option<i64>,
    pub send_attempts: u32,
    pub wake_at_ms: Option<i64>,
}

impl Head {
    /// At rest: nothing is leased.
    pub(super) fn of(whole: &Whole) -> Self {
        let counters = &whole.counters;
        Self {
            rev: counters.rev,
            epoch: counters.epoch,
            turn_token: counters.turn_token,
            send_token: counters.send_token,
            last_letter: counters.last_letter,
            read_to: counters.read_to,
            last_out: counters.last_out,
            last_feed: counters.last_feed,
            unread_since_ms: whole.unread_since_ms,
            send_attempts: 0,
            wake_at_ms: whole.wake_at_ms,
        }
    }

    /// As the scripts write it.
    pub(super) fn line(&self) -> String {
        let time = |at: Option<i64>| at.unwrap_or(0);
        format!(
            "{HEAD_VERSION} {} {} {} {} {} {} {} {} {} 0 0 {} {}",
            self.rev,
            self.epoch,
            self.turn_token,
            self.send_token,
            self.last_letter,
            self.read_to,
            self.last_out,
            self.last_feed,
            time(self.unread_since_ms),
            self.send_attempts,
            time(self.wake_at_ms),
        )
    }

    pub(super) fn read(line: &[u8]) -> Result<Self, StoreError> {
        let text = String::from_utf8_lossy(line);
        let numbers: Vec<u64> = text.split(' ').filter_map(|n| n.parse().ok()).collect();
        match numbers.as_slice() {
            [
                HEAD_VERSION,
                rev,
                epoch,
                turn_token,
                send_token,
                last_letter,
                read_to,
                last_out,
                last_feed,
                unread_since,
                _turn_leased,
                _send_leased,
                send_attempts,
                wake_at,
            ] => Ok(Self {
                rev: *rev,
                epoch: *epoch,
                turn_token: *turn_token,
                send_token: *send_token,
                last_letter: *last_letter,
                read_to: *read_to,
                last_out: *last_out,
                last_feed: *last_feed,
                unread_since_ms: time(*unread_since),
                wake_at_ms: time(*wake_at),
                send_attempts: u32::try_from(*send_attempts).unwrap_or(u32::MAX),
            }),
            _ => Err(broken("head")),
        }
    }
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
        let head = Head {
            rev: 1,
            epoch: 2,
            turn_token: 3,
            send_token: 4,
            last_letter: 5,
            read_to: 6,
            last_out: 7,
            last_feed: 8,
            unread_since_ms: Some(9),
            send_attempts: 10,
            wake_at_ms: None,
        };
        assert_eq!(Head::read(head.line().as_bytes()), Ok(head));
    }

    #[test]
    fn what_is_not_in_this_form_is_told() {
        for bytes in ["", "2 0 0\n", "1 0 9\nab", "1 x 0\n", "1 0 0"] {
            assert!(read_letter(1, bytes.into()).is_err(), "{bytes}");
        }
        for line in ["", "2 0 0 0 0 0 0 0 0 0 0 0 0 0", "1 0 0"] {
            assert!(Head::read(line.as_bytes()).is_err(), "{line}");
        }
    }
}
