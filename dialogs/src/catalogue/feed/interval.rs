//! The ISO 8601 intervals of `sale_price_effective_date`, read by hand.

use crate::calendar::Day;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const YEARS: std::ops::RangeInclusive<i64> = 1970..=9999;

/// Why an interval cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Form,
    Backwards,
}

/// `2026-11-20T00:00+0800/2026-11-30T23:59+0800` as milliseconds since 1970: from inclusive, until exclusive.
/// Without a zone the time is UTC, as Google takes it.
pub(super) fn parse(text: &str) -> Result<(i64, i64), Unread> {
    let (from, until) = text.trim().split_once('/').ok_or(Unread::Form)?;
    let from = instant(from.trim()).ok_or(Unread::Form)?;
    let until = instant(until.trim()).ok_or(Unread::Form)?;
    if from < until {
        Ok((from, until))
    } else {
        Err(Unread::Backwards)
    }
}

fn instant(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let zone_at = rest.find(['+', '-', 'Z', 'z']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4)?;
    let month = u32::try_from(digits(parts.next()?, 2)?).ok()?;
    let day = u32::try_from(digits(parts.next()?, 2)?).ok()?;
    let mut parts = clock.splitn(3, ':');
    let hour = below(digits(parts.next()?, 2)?, 24)?;
    let minute = below(digits(parts.next()?, 2)?, 60)?;
    let second = parts
        .next()
        .map_or(Some(0), |second| below(digits(second, 2)?, 60))?;
    let days = YEARS
        .contains(&year)
        .then(|| Day::new(year, month, day))??
        .0;
    Some(days * DAY_MS + (hour * 60 + minute) * MINUTE_MS + second * 1_000 - offset(zone)?)
}

/// `+0800`, `+08:00`, `+08`, `Z` or nothing, in milliseconds.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let plain = rest.replacen(':', "", 1);
    let (hours, minutes) = match plain.len() {
        2 => (digits(&plain, 2)?, 0),
        4 => {
            let (hours, minutes) = plain.split_at_checked(2)?;
            (digits(hours, 2)?, digits(minutes, 2)?)
        }
        _ => return None,
    };
    Some(sign * (below(hours, 15)? * 60 + below(minutes, 60)?) * MINUTE_MS)
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn below(value: i64, limit: i64) -> Option<i64> {
    (value < limit).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(i64, i64), Unread>) {
        assert_eq!(parse(text), expected, "{text}");
    }

    #[test]
    fn intervals_are_read_with_their_zone() {
        let singles_day = (1_763_568_000_000, 1_764_518_340_000);
        check(
            "2025-11-20T00:00+0800/2025-11-30T23:59+0800",
            Ok(singles_day),
        );
        check(
            "2025-11-19T16:00Z/2025-11-30T15:59:00+00:00",
            Ok(singles_day),
        );
        check("2025-11-19T16:00 / 2025-11-30T15:59", Ok(singles_day));
        check(
            "1970-01-01T00:00-0100/1970-01-01T00:01-0100",
            Ok((3_600_000, 3_660_000)),
        );
    }

    #[test]
    fn what_is_no_interval_is_refused() {
        for text in [
            "",
            "/",
            "2025-11-20",
            "2025-11-20T00:00+0800",
            "2025-11-20/2025-11-30",
            "2025-02-29T00:00Z/2025-11-30T00:00Z",
            "2025-13-01T00:00Z/2026-11-30T00:00Z",
            "2025-11-20T24:00Z/2025-11-30T00:00Z",
            "2025-11-20T00:00+8/2025-11-30T00:00Z",
            "二〇二五/2025-11-30T00:00Z",
        ] {
            check(text, Err(Unread::Form));
        }
        check(
            "2025-11-30T00:00Z/2025-11-20T00:00Z",
            Err(Unread::Backwards),
        );
    }
}
