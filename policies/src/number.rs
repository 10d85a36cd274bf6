//! Payment cards and resident identity numbers in running text, by their checksums.

/// Fewest and most digits of a payment card number (ISO/IEC 7812).
const CARD_DIGITS: (usize, usize) = (13, 19);
/// Digits of a resident identity number (GB 11643-1999), the last of which may be an X.
const ID_DIGITS: usize = 18;
/// Digits left readable by a redaction.
const DIGITS_KEPT: usize = 4;
/// Characters that may part two groups of one number: " - ".
const GAP_CHARS_MAX: usize = 3;

/// One digit of a run: its value (10 for X) and its bytes in the text.
#[derive(Clone, Copy)]
struct Digit {
    value: u8,
    start: usize,
    end: usize,
    /// Whether a group of digits begins or ends here.
    first: bool,
    last: bool,
}

/// Bytes of every card number: a known issuer's prefix, a right length and a right Luhn sum.
pub fn cards(text: &str) -> Vec<(usize, usize)> {
    windows(text, CARD_DIGITS.0, CARD_DIGITS.1, |digits| {
        digits.iter().all(|d| *d < 10) && issued(digits) && luhn(digits)
    })
}

/// Bytes of every resident identity number: region, date of birth and check digit are right.
pub fn resident_ids(text: &str) -> Vec<(usize, usize)> {
    windows(text, ID_DIGITS, ID_DIGITS, resident_id)
}

/// Each digit becomes a dot but the last four; groups stay as they were written.
pub fn dotted(text: &str) -> String {
    let digits = text.chars().filter(|c| is_digit(*c)).count();
    let mut seen = 0;
    text.chars()
        .map(|c| {
            if !is_digit(c) {
                return c;
            }
            seen += 1;
            if seen + DIGITS_KEPT > digits {
                c
            } else {
                '•'
            }
        })
        .collect()
}

fn is_digit(c: char) -> bool {
    c.is_numeric() || matches!(c, 'x' | 'X' | 'ｘ' | 'Ｘ')
}

/// The spans of whole groups of digits, `least..=most` digits in all, that pass the check; longest first, not overlapping.
fn windows(
    text: &str,
    least: usize,
    most: usize,
    check: impl Fn(&[u8]) -> bool,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for run in runs(text, least) {
        let values: Vec<u8> = run.iter().map(|digit| digit.value).collect();
        let mut from = 0;
        while let Some(first) = run.get(from) {
            let longest = (least..=most).rev().find(|length| {
                let last = run.get(from + length - 1);
                first.first
                    && last.is_some_and(|last| last.last)
                    && values.get(from..from + length).is_some_and(&check)
            });
            match longest.and_then(|length| Some((length, run.get(from + length - 1)?))) {
                Some((length, last)) => {
                    found.push((first.start, last.end));
                    from += length;
                }
                None => from += 1,
            }
        }
    }
    found
}

/// Runs of digits whose groups are parted by a few spaces, dots, commas or hyphens at most.
fn runs(text: &str, least: usize) -> Vec<Vec<Digit>> {
    let mut runs: Vec<Vec<Digit>> = Vec::new();
    let mut run: Vec<Digit> = Vec::new();
    let mut parted = 0;
    let mut close = |run: &mut Vec<Digit>| {
        if run.len() >= least {
            if let Some(last) = run.last_mut() {
                last.last = true;
            }
            runs.push(std::mem::take(run));
        } else {
            run.clear();
        }
    };
    for (start, c) in text.char_indices() {
        let value = match c {
            'x' | 'X' if run.len() >= ID_DIGITS - 1 && parted == 0 => Some(10),
            _ => c.to_digit(10).and_then(|value| u8::try_from(value).ok()),
        };
        match value {
            Some(value) => {
                let first = run.is_empty() || parted > 0;
                // A card number may end where an X follows.
                if (parted > 0 || value > 9)
                    && let Some(last) = run.last_mut()
                {
                    last.last = true;
                }
                run.push(Digit {
                    value,
                    start,
                    end: start + c.len_utf8(),
                    first,
                    last: false,
                });
                parted = 0;
            }
            None if " -.,·_/\n".contains(c) && parted < GAP_CHARS_MAX => parted += 1,
            None => {
                close(&mut run);
                parted = 0;
            }
        }
    }
    close(&mut run);
    runs
}

/// Whether the prefix and the length are those of a card scheme in use.
fn issued(digits: &[u8]) -> bool {
    let prefix = |length: usize| {
        digits
            .iter()
            .take(length)
            .fold(0u32, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let length = digits.len();
    match (prefix(1), prefix(2), prefix(4)) {
        (4, _, _) => matches!(length, 13 | 16 | 19),
        (_, _, 2221..=2720) => length == 16,
        (_, 51..=55, _) => length == 16,
        (_, 34 | 37, _) => length == 15,
        (_, 36 | 38 | 39, _) => (14..=19).contains(&length),
        (_, _, 3000..=3059) => length == 14,
        (_, _, 3528..=3589) => (16..=19).contains(&length),
        (_, _, 9558) => (16..=19).contains(&length),
        (6, _, _) | (_, 50 | 56..=58, _) => (16..=19).contains(&length),
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit);
            match (at % 2, digit * 2) {
                (0, _) => digit,
                (_, twice) if twice > 9 => twice - 9,
                (_, twice) => twice,
            }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

fn resident_id(digits: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    if body.iter().any(|digit| *digit > 9) {
        return false;
    }
    let number = |from: usize, length: usize| {
        body.iter()
            .skip(from)
            .take(length)
            .fold(0u32, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let sum: u32 = body
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    (11..=82).contains(&number(0, 2))
        && (1800..=2200).contains(&number(6, 4))
        && (1..=12).contains(&number(10, 2))
        && (1..=31).contains(&number(12, 2))
        && (12 - sum % 11) % 11 == u32::from(*check)
}
