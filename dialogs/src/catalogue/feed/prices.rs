//! Reads prices of a feed, and says how one that cannot be read would be right.

use crate::money::{Currency, Money};

/// What a price is written like, where nothing better can be said.
const FORM: &str = "write the amount with a point, a space and the currency: `1299.00 CNY`";

/// Signs that stand for one currency, or most often for it.
const SIGNS: [(&str, &str); 8] = [
    ("€", "EUR"),
    ("£", "GBP"),
    ("¥", "CNY"),
    ("￥", "CNY"),
    ("RMB", "CNY"),
    ("元", "CNY"),
    ("US$", "USD"),
    ("$", "USD"),
];

/// `1299.00 CNY`, or a bare amount where the shop's currency is known; else what is wrong and what would be right.
pub(super) fn read(written: &str, currency: Option<Currency>) -> Result<Money, (String, String)> {
    let error = match Money::parse(written) {
        Ok(money) => return Ok(money),
        Err(error) => error,
    };
    if let Some(currency) = currency
        && let Ok(money) = Money::parse_amount(written.trim(), currency)
    {
        return Ok(money);
    }
    let what = if written.trim_start().starts_with(['-', '−']) {
        format!("`{written}` is below zero")
    } else {
        error.to_string()
    };
    Err((what, right(written, currency)))
}

/// The same price in the feed's form, where there is only one way to read it.
fn right(written: &str, currency: Option<Currency>) -> String {
    let Some(amount) = amount(written) else {
        return FORM.to_owned();
    };
    let code = code(written).or(currency.map(|own| own.code().to_owned()));
    match code {
        Some(code) => format!("write `{amount} {code}`"),
        None => format!("add the currency, as in `{amount} USD`; or name it for the whole feed"),
    }
}

fn code(written: &str) -> Option<String> {
    let letters: String = written.chars().filter(char::is_ascii_alphabetic).collect();
    let upper = letters.to_ascii_uppercase();
    if upper != "RMB" && Currency::new(&upper).is_ok() {
        return Some(upper);
    }
    SIGNS
        .iter()
        .find(|(sign, _)| written.to_ascii_uppercase().contains(sign))
        .map(|(_, code)| (*code).to_owned())
}

/// `1.299,00`, `1,299.00` and `12,5` in digits with a point; the last sign before one or two digits is the point.
fn amount(written: &str) -> Option<String> {
    let number: String = written
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '−'))
        .collect();
    let number = number.trim_matches(['.', ',']);
    if number.is_empty() || number.contains(['-', '−']) {
        return None;
    }
    let point = number
        .rfind(['.', ','])
        .filter(|at| (2..=3).contains(&(number.len() - at)));
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    Some(match point.and_then(|at| number.split_at_checked(at)) {
        Some((whole, fraction)) => format!("{}.{:0<2}", digits(whole), digits(fraction)),
        None => format!("{}.00", digits(number)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, currency: Option<Currency>, expected: Result<&str, (&str, &str)>) {
        let read = read(written, currency);
        let shown = read.as_ref().map(Money::amount);
        match (shown, expected) {
            (Ok(amount), Ok(expected)) => assert_eq!(amount, expected, "{written}"),
            (Err((what, help)), Err((expected, right))) => {
                assert!(what.contains(expected), "{written}: {what}");
                assert!(help.contains(right), "{written}: {help}");
            }
            (read, expected) => assert_eq!(format!("{read:?}"), format!("{expected:?}")),
        }
    }

    #[test]
    fn a_price_is_read_or_told_how_it_would_be_right() {
        check("1299.00 EUR", None, Ok("1299.00"));
        check("1299.00", Some(Currency::USD), Ok("1299.00"));
        for (written, right) in [
            ("1.299,00 EUR", "write `1299.00 EUR`"),
            ("1,299.00 EUR", "write `1299.00 EUR`"),
            ("1,299 USD", "write `1299.00 USD`"),
            ("€12,5", "write `12.50 EUR`"),
            ("$12", "write `12.00 USD`"),
            ("EUR 12", "write `12.00 EUR`"),
            ("12eur", "write `12.00 EUR`"),
            ("¥ 99 起", "write `99.00 CNY`"),
            ("12.99", "add the currency, as in `12.99 USD`"),
            ("on request", "`1299.00 CNY`"),
            ("", "`1299.00 CNY`"),
        ] {
            check(written, None, Err(("", right)));
        }
        check("-3 EUR", None, Err(("is below zero", "`1299.00 CNY`")));
        check("12,99", Some(Currency::USD), Err(("", "write `12.99 USD`")));
    }
}
