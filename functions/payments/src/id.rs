//! How a payment is named, so that the same payment has the same name in every region.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::{CustomerId, FieldError};

/// A payment's id: a UUID, random (version 4) or derived from customer and idempotency key (version 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionId(String);

impl TransactionId {
    /// The id of what this customer sent under this key. It needs no look-up, so both regions find the same one.
    pub fn derived(customer: &CustomerId, key: &IdempotencyKey) -> Self {
        // Neither part can hold a zero byte, so different pairs never make the same input.
        let hash = Sha256::new()
            .chain_update("drctl payment 1\0")
            .chain_update(customer.as_str())
            .chain_update("\0")
            .chain_update(key.as_str())
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self(Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }

    /// A new id that nobody else has.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// An id that was stored earlier.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a client sends in `Idempotency-Key` to be able to repeat a payment: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The header that carries it.
    pub const HEADER: &'static str = "Idempotency-Key";
    const LONGEST: usize = 255;

    /// Takes the key as it is, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if text.is_empty() || text.len() > Self::LONGEST || !printable {
            let problem = format!("must be 1 to {} printable ASCII characters", Self::LONGEST);
            return Err(FieldError::new(Self::HEADER, problem));
        }
        Ok(Self(text.to_owned()))
    }

    /// The key as text. It lets whoever knows it ask about the payment: logs get [`IdempotencyKey::hash`] instead.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of the key's SHA-256 to find the requests that share it in a log.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(&self.0)[..8])
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn derived(customer: &str, key: &str) -> String {
        let customer = CustomerId::parse(customer).expect("a good customer id");
        let key = IdempotencyKey::parse(key).expect("a good key");
        TransactionId::derived(&customer, &key).to_string()
    }

    /// Changing this value would make a payment that is repeated during a deployment a second payment.
    #[test]
    fn the_derived_id_is_the_same_in_every_region_and_version() {
        assert_eq!(derived("CUST-12345", "order-1"), "f74e6285-22c4-8546-bbd4-afd2be572dfb");
    }

    #[test]
    fn another_customer_or_key_is_another_payment() {
        assert_ne!(derived("a", "key"), derived("b", "key"));
        assert_ne!(derived("a", "key"), derived("a", "Key"));
        assert_ne!(derived("ab", "c"), derived("a", "bc"));
    }

    #[test]
    fn random_ids_differ_and_can_be_told_from_derived_ones() {
        let (one, two) = (TransactionId::random(), TransactionId::random());
        assert_ne!(one, two);
        assert_eq!((one.as_str().len(), &one.as_str()[14..15], &derived("a", "b")[14..15]), (36, "4", "8"));
    }

    #[test]
    fn keys_are_printable_and_bounded() {
        for good in ["k", "order 1 / retry", &"x".repeat(255)] {
            assert!(IdempotencyKey::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", "a\nb", "a\0", "schlüssel", &"x".repeat(256)] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
