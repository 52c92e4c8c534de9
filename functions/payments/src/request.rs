//! A request to take a payment, from the bytes of its body.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::id::hex;
use crate::{Amount, Currency, CustomerId, FieldError, Money};

/// A request that can be accepted as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Who pays.
    pub customer: CustomerId,
    /// How much, in what.
    pub money: Money,
}

impl PaymentRequest {
    /// Reads `{"customerId", "amount", "currency"}`, or says everything that is wrong with it at once.
    ///
    /// The amount is a number or a string that holds one. Unknown fields are refused: a payment that asks for
    /// something that would be ignored is better not taken. A field given twice is refused for the same reason.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<FieldError>> {
        let fields = Fields::read(body).map_err(|problem| vec![problem])?;
        let mut problems = fields.not_expected(&["customerId", "amount", "currency"]);

        let customer = fields.text("customerId").and_then(|text| {
            let rule = "must be 1 to 64 letters, digits, `.`, `_` or `-`, all of them ASCII";
            CustomerId::parse(&text).ok_or_else(|| FieldError::new("customerId", rule))
        });
        let amount = fields
            .number("amount")
            .and_then(|text| Amount::parse(&text).map_err(|problem| FieldError::new("amount", problem)));
        let currency = fields.text("currency").and_then(|text| {
            let rule = "must be the ISO 4217 code of a currency with a minor unit, such as USD";
            Currency::from_code(&text).ok_or_else(|| FieldError::new("currency", rule))
        });
        let money = match (amount, currency) {
            (Ok(amount), Ok(currency)) => {
                amount.of(currency).map_err(|problem| vec![FieldError::new("amount", problem)])
            }
            (amount, currency) => Err(amount.err().into_iter().chain(currency.err()).collect()),
        };

        match (customer, money) {
            (Ok(customer), Ok(money)) if problems.is_empty() => Ok(Self { customer, money }),
            (customer, money) => {
                problems.extend(customer.err());
                problems.extend(money.err().unwrap_or_default());
                Err(problems)
            }
        }
    }

    /// What tells this request from another one under the same idempotency key.
    pub fn fingerprint(&self) -> Fingerprint {
        let canonical = format!("1\n{}\n{}\n{}\n", self.customer, self.money.amount(), self.money.currency());
        Fingerprint(hex(&Sha256::digest(canonical)))
    }
}

/// The hash of a request in canonical form: spelling, field order and trailing zeros make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// A fingerprint that was stored earlier.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The hash in hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fields of a JSON object in the order they were written, their values still text.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn read(body: &'a [u8]) -> Result<Self, FieldError> {
        let mut json = serde_json::Deserializer::from_slice(body);
        json.deserialize_map(FieldsVisitor)
            .and_then(|fields| json.end().map(|()| fields))
            .map_err(|_| FieldError::new("body", "must be one JSON object"))
    }

    /// A problem for every field that is not in `expected`, or is there twice.
    fn not_expected(&self, expected: &[&str]) -> Vec<FieldError> {
        let mut problems = Vec::new();
        for (place, (name, _)) in self.0.iter().enumerate() {
            if !expected.contains(&name.as_str()) {
                problems.push(FieldError::new(name, "is not known"));
            } else if self.0[..place].iter().any(|(earlier, _)| earlier == name) {
                problems.push(FieldError::new(name, "is given more than once"));
            }
        }
        problems
    }

    fn value(&self, name: &str) -> Result<&'a str, FieldError> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.get()).ok_or_else(|| FieldError::new(name, "is missing"))
    }

    fn text(&self, name: &str) -> Result<String, FieldError> {
        serde_json::from_str(self.value(name)?).map_err(|_| FieldError::new(name, "must be a string"))
    }

    /// The text of a number, or of the string that holds it.
    fn number(&self, name: &str) -> Result<String, FieldError> {
        let value = self.value(name)?;
        if value.starts_with('"') { self.text(name) } else { Ok(value.to_owned()) }
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn accepted(body: &str) -> PaymentRequest {
        PaymentRequest::parse(body.as_bytes()).expect("a good request")
    }

    #[track_caller]
    fn problems(body: &str) -> Vec<String> {
        let problems = PaymentRequest::parse(body.as_bytes()).expect_err("a bad request");
        problems.into_iter().map(|problem| format!("{} {}", problem.field, problem.problem)).collect()
    }

    #[test]
    fn the_payment_of_the_runbook_is_accepted_to_the_cent() {
        let request = accepted(r#"{ "customerId": "CUST-12345", "amount": 99.99, "currency": "USD" }"#);
        assert_eq!(request.customer.as_str(), "CUST-12345");
        assert_eq!(request.money.to_string(), "99.99 USD");
    }

    #[test]
    fn an_amount_can_be_a_number_or_a_string() {
        let number = accepted(r#"{"customerId":"c","amount":123456789.01,"currency":"USD"}"#);
        let string = accepted(r#"{"customerId":"c","amount":"123456789.01","currency":"USD"}"#);
        assert_eq!(number, string);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        assert_eq!(
            problems(r#"{"customerId":"a b","amount":-1,"currency":"usd","note":1}"#),
            [
                "note is not known",
                "customerId must be 1 to 64 letters, digits, `.`, `_` or `-`, all of them ASCII",
                "amount must be greater than 0",
                "currency must be the ISO 4217 code of a currency with a minor unit, such as USD",
            ]
        );
        assert_eq!(problems("{}"), ["customerId is missing", "amount is missing", "currency is missing"]);
        assert_eq!(
            problems(r#"{"customerId":7,"amount":true,"currency":null}"#),
            [
                "customerId must be a string",
                "amount must be a decimal number, such as 99.99",
                "currency must be a string",
            ]
        );
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let body = r#"{"customerId":"c","amount":1,"amount":1000,"currency":"USD"}"#;
        assert_eq!(problems(body), ["amount is given more than once"]);
    }

    #[test]
    fn a_body_that_is_not_one_object_is_refused() {
        for body in ["", "[]", "null", "1", "{", r#"{"amount":1}x"#, "{'amount':1}"] {
            assert_eq!(problems(body), ["body must be one JSON object"], "{body:?}");
        }
        assert!(PaymentRequest::parse(b"{\"customerId\":\"\xff\"}").is_err());
    }

    #[test]
    fn spelling_does_not_change_the_fingerprint_and_meaning_does() {
        let one = accepted(r#"{"customerId":"c","amount":99.9,"currency":"USD"}"#).fingerprint();
        let same = accepted(r#"{"currency":"USD", "amount":"99.90", "customerId":"c"}"#).fingerprint();
        assert_eq!(one, same);
        for other in [
            r#"{"customerId":"d","amount":99.9,"currency":"USD"}"#,
            r#"{"customerId":"c","amount":99.91,"currency":"USD"}"#,
            r#"{"customerId":"c","amount":99.9,"currency":"EUR"}"#,
        ] {
            assert_ne!(accepted(other).fingerprint(), one, "{other}");
        }
    }
}
