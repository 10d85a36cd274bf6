//! Money: integer minor units with their currency, never a float.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 4217 code, three upper-case ASCII letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Cents, fen; whole units for currencies without a minor unit.
    pub minor: i64,
    pub currency: Currency,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("`{0}` is not an ISO 4217 currency code such as CNY")]
    Currency(String),
    #[error("`{0}` is not an amount such as 1299.00")]
    Amount(String),
    #[error("a price is written `1299.00 CNY`, not `{0}`")]
    Form(String),
}

impl Currency {
    pub const CNY: Currency = Currency(*b"CNY");
    pub const USD: Currency = Currency(*b"USD");

    pub fn new(code: &str) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(MoneyError::Currency(code.to_owned())),
        }
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits after the point: 0 for JPY, KRW, VND and the like, else 2 (three-digit dinars are taken as 3).
    pub fn digits(&self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"UGX" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    fn unit(&self) -> i64 {
        10_i64.pow(self.digits())
    }

    /// The sign a customer of this currency reads, or its code.
    pub fn sign(&self) -> &str {
        match &self.0 {
            b"CNY" | b"JPY" => "¥",
            b"USD" => "$",
            b"EUR" => "€",
            b"GBP" => "£",
            _ => self.code(),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl Money {
    pub fn from_major(major: i64, currency: Currency) -> Self {
        Self {
            minor: major.saturating_mul(currency.unit()),
            currency,
        }
    }

    /// `1299`, `1299.5`, `1299.00`; more digits than the currency has are an error.
    pub fn parse_amount(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::Amount(amount.to_owned());
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        let digits = currency.digits() as usize;
        if whole.is_empty()
            || whole.len() > 12
            || fraction.len() > digits.max(2)
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|b| b.is_ascii_digit())
        {
            return Err(wrong());
        }
        let (kept, rest) = fraction.split_at(fraction.len().min(digits));
        if rest.bytes().any(|b| b != b'0') {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let minor: i64 = format!("{kept:0<digits$}").parse().unwrap_or_default();
        Ok(Self {
            minor: whole * currency.unit() + if digits == 0 { 0 } else { minor },
            currency,
        })
    }

    /// The feed's form, `1299.00 CNY`.
    pub fn parse(written: &str) -> Result<Self, MoneyError> {
        let (amount, code) = written
            .trim()
            .split_once(' ')
            .ok_or_else(|| MoneyError::Form(written.to_owned()))?;
        Self::parse_amount(amount, Currency::new(code.trim())?)
    }

    /// The amount with all of the currency's digits, `2680.00`.
    pub fn amount(&self) -> String {
        let digits = self.currency.digits() as usize;
        let unit = self.currency.unit();
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        let (whole, rest) = (minor / unit as u64, minor % unit as u64);
        if digits == 0 {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{rest:0digits$}")
        }
    }

    /// The amount as people write it, `2,680` or `2,680.50`, without sign or code.
    pub fn plain(&self) -> String {
        let amount = self.amount();
        let (whole, rest) = amount.split_once('.').unwrap_or((&amount, ""));
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) && !grouped.ends_with('-') {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if rest.bytes().all(|b| b == b'0') {
            grouped
        } else {
            format!("{grouped}.{rest}")
        }
    }
}

/// `¥2,680`: how a customer reads it.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.currency.sign(), self.plain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn check(written: &str, amount: &str, read: &str) {
        let money = Money::parse(written).unwrap();
        assert_eq!(
            (money.amount().as_str(), money.to_string().as_str()),
            (amount, read)
        );
    }

    #[test]
    fn prices_are_read_and_written_in_the_currency_s_own_digits() {
        check("2680.00 CNY", "2680.00", "¥2,680");
        check("2680 CNY", "2680.00", "¥2,680");
        check("1234567.5 USD", "1234567.50", "$1,234,567.50");
        check("5400 JPY", "5400", "¥5,400");
        check("5400.00 JPY", "5400", "¥5,400");
        check("0.005 KWD", "0.005", "KWD0.005");
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for written in [
            "",
            "12",
            "CNY 12",
            "12,50 EUR",
            "-3 CNY",
            "1.234 CNY",
            "5.50 JPY",
            "９ CNY",
        ] {
            assert!(Money::parse(written).is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in any::<String>(), minor in 0..1_000_000_000_000_i64) {
            let _ = Money::parse(&text);
            let money = Money { minor, currency: Currency::CNY };
            assert_eq!(Money::parse(&format!("{} CNY", money.amount())), Ok(money));
        }
    }
}
