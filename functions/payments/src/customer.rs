//! Who pays.

use std::fmt;

/// A customer's id: 1 to 64 of the characters `A–Z a–z 0–9 . _ -`, safe in keys, logs and file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerId(String);

impl CustomerId {
    const LONGEST: usize = 64;

    /// Takes the id as it is; `None` if it is too long, empty, or has another character.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let fits = !text.is_empty() && text.len() <= Self::LONGEST && text.bytes().all(allowed);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_and_bounded() {
        for good in ["CUST-12345", "a", "A.b_c-9", &"x".repeat(64)] {
            assert!(CustomerId::parse(good).is_some(), "{good:?}");
        }
        for bad in ["", " CUST", "CUST 1", "a/b", "a\0b", "Zoë", &"x".repeat(65)] {
            assert!(CustomerId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
