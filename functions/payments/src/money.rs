//! An amount in a currency, exact to the last digit.

use std::fmt;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::Currency;

/// The first amount that is too much, in whole units. Twelve digits hold any real payment in any currency of the list,
/// and leave a wide margin to what `Decimal` and DynamoDB can hold exactly.
const TOO_MUCH: i64 = 1_000_000_000_000;

/// A positive amount below 10¹², not yet of any currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(Decimal);

impl Amount {
    /// Reads an amount from the text of a JSON number, which never passes through a float. `Err` says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let amount = number(text)?.normalize();
        if amount <= Decimal::ZERO {
            return Err("must be greater than 0".into());
        }
        if amount >= Decimal::from(TOO_MUCH) {
            return Err(format!("must be less than {TOO_MUCH}"));
        }
        Ok(Self(amount))
    }

    /// Makes it an amount of this currency, unless it has digits that the currency does not have.
    ///
    /// Digits count by value: `100.00` is a good amount of yen, `100.50` is not.
    pub fn of(self, currency: Currency) -> Result<Money, String> {
        match currency.digits() {
            digits if self.0.scale() <= digits => Ok(Money { amount: self.0, currency }),
            0 => Err(format!("has decimal digits, and {currency} has none")),
            digits => Err(format!("has more decimal digits than {currency}, which has {digits}")),
        }
    }
}

/// An amount that can be paid in its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount with all digits of its currency: `99.9` dollars are `99.90`, however they were written.
    pub fn amount(&self) -> String {
        let mut amount = self.amount;
        amount.rescale(self.currency.digits());
        amount.to_string()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

/// Reads the text of a JSON number exactly, or refuses it. An exponent is fine: some languages write `1.0E7`.
fn number(text: &str) -> Result<Decimal, String> {
    if !is_json_number(text) {
        return Err("must be a decimal number, such as 99.99".into());
    }
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let too_long = || "has more digits than can be kept exactly".to_owned();
    let number = Decimal::from_str_exact(digits).map_err(|_| too_long())?;
    let exponent: i32 = exponent.parse().map_err(|_| too_long())?;
    shift(number, exponent).ok_or_else(too_long)
}

/// Whether the text is exactly one number of JSON's grammar: no blanks, no `+`, no `_`, no `.5`.
fn is_json_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Moves the decimal point to the right, or to the left; `None` if a digit would be lost.
fn shift(number: Decimal, places: i32) -> Option<Decimal> {
    let scale = i64::from(number.scale()) - i64::from(places);
    if let Ok(scale) = u32::try_from(scale) {
        return Decimal::try_from_i128_with_scale(number.mantissa(), scale).ok();
    }
    let factor = 10i128.checked_pow(u32::try_from(-scale).ok()?)?;
    Decimal::try_from_i128_with_scale(number.mantissa().checked_mul(factor)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn money(text: &str, currency: &str) -> Result<String, String> {
        let currency = Currency::from_code(currency).expect("a known currency");
        Amount::parse(text)?.of(currency).map(|money| money.amount())
    }

    #[test]
    fn amounts_stay_exact() {
        for (text, currency, amount) in [
            ("99.99", "USD", "99.99"),
            ("99.9", "USD", "99.90"),
            ("0.01", "USD", "0.01"),
            ("999999999999.99", "USD", "999999999999.99"),
            ("0.1e1", "USD", "1.00"),
            ("1.0E7", "USD", "10000000.00"),
            ("1999e-2", "USD", "19.99"),
            ("100.00", "JPY", "100"),
            ("1.234", "KWD", "1.234"),
            ("0.0001", "CLF", "0.0001"),
        ] {
            assert_eq!(money(text, currency).as_deref(), Ok(amount), "{text} {currency}");
        }
    }

    #[test]
    fn digits_beyond_the_minor_unit_are_refused_and_never_rounded() {
        assert_eq!(money("99.999", "USD").unwrap_err(), "has more decimal digits than USD, which has 2");
        assert_eq!(money("1.5", "JPY").unwrap_err(), "has decimal digits, and JPY has none");
        assert_eq!(
            money("0.99999999999999999999999999999999999", "USD").unwrap_err(),
            "has more digits than can be kept exactly"
        );
    }

    #[test]
    fn amounts_are_positive_and_bounded() {
        for nothing in ["0", "0.00", "-0", "-5", "-0.01", "0e9"] {
            assert_eq!(money(nothing, "USD").unwrap_err(), "must be greater than 0", "{nothing}");
        }
        for much in ["1000000000000", "1e12", "99999999999999999999"] {
            assert_eq!(money(much, "USD").unwrap_err(), "must be less than 1000000000000", "{much}");
        }
        for long in ["1e400", "1e-400", "1e99999999999", "1e-2147483648", "9".repeat(60).as_str()] {
            assert_eq!(money(long, "USD").unwrap_err(), "has more digits than can be kept exactly", "{long}");
        }
    }

    #[test]
    fn only_json_numbers_are_amounts() {
        for text in [
            "", " 1", "1 ", "+1", "1_000", "1,5", ".5", "5.", "01", "NaN", "Infinity", "0x10", "--1", "1e", "true", "-",
        ] {
            assert_eq!(money(text, "USD").unwrap_err(), "must be a decimal number, such as 99.99", "{text:?}");
        }
    }
}
