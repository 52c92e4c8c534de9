//! Values of secrets: how one is set, and where which version is. No value is ever read back.

#[cfg(feature = "aws")]
mod aws;

use std::fmt;

use jiff::Timestamp;
use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(feature = "aws")]
pub use aws::{put_secret, secret_in, wait_for_version};

use crate::graph::{Region, Tags};

/// A secret's value on its way to AWS. It shows itself nowhere, and is wiped when it is dropped.
#[derive(Clone)]
pub struct SecretValue(Zeroizing<String>);

/// Why a text cannot be a secret's value.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ValueError {
    /// There is nothing in it.
    #[error("the value is empty")]
    Empty,
    /// Secrets Manager would not take it.
    #[error("the value has more than {} bytes", SecretValue::LARGEST)]
    TooLarge,
    /// It is not UTF-8.
    #[error("the value is not text")]
    NotText,
}

impl SecretValue {
    /// The most bytes that Secrets Manager keeps.
    pub const LARGEST: usize = 65_536;

    /// Takes what was read. One line break at the end is not part of the value: `echo` and editors add it.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, ValueError> {
        let text = std::str::from_utf8(&bytes).map_err(|_| ValueError::NotText)?;
        let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
        match text.len() {
            0 => Err(ValueError::Empty),
            length if length > Self::LARGEST => Err(ValueError::TooLarge),
            _ => Ok(Self(Zeroizing::new(text.to_owned()))),
        }
    }

    /// The value, for the one call that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A text in which the value does not show, whoever wrote it.
    pub fn hidden_in(&self, text: &str) -> String {
        text.replace(&*self.0, "(secret)")
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A secret as one region has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretStatus {
    /// Where it is primary: here, or in another region that this one copies.
    pub home: Region,
    /// The versions with their stages, the current one first.
    pub versions: Vec<(String, Vec<String>)>,
    /// How far the replicas are, as the home region tells: region, status, and why it failed.
    pub replicas: Vec<(Region, String, Option<String>)>,
    /// When anything about it last changed.
    pub changed: Option<Timestamp>,
    /// When it will be gone, if it is scheduled for deletion.
    pub deletion: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

impl SecretStatus {
    /// The stage of the version that everybody gets who asks for the secret.
    pub const CURRENT: &'static str = "AWSCURRENT";

    /// The id of the current version.
    pub fn current(&self) -> Option<&str> {
        let current = self.versions.iter().find(|(_, stages)| stages.iter().any(|stage| stage == Self::CURRENT));
        current.map(|(version, _)| version.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<SecretValue, ValueError> {
        SecretValue::new(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_value_shows_itself_nowhere() {
        let value = value("s3cret").unwrap();
        assert_eq!(format!("{value} {value:?} {value:#?}"), "(secret) (secret) (secret)");
        assert_eq!(value.hidden_in("'s3cret' at 'secretString' is no good"), "'(secret)' at 'secretString' is no good");
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_a_value() {
        for (text, kept) in
            [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\nb\n", "a\nb"), (" a ", " a ")]
        {
            assert_eq!(*value(text).unwrap().0, *kept, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_told_apart() {
        assert_eq!(value("").unwrap_err(), ValueError::Empty);
        assert_eq!(value("\n").unwrap_err(), ValueError::Empty);
        assert_eq!(value(&"x".repeat(65_537)).unwrap_err(), ValueError::TooLarge);
        assert!(value(&"x".repeat(65_536)).is_ok());
        assert_eq!(SecretValue::new(Zeroizing::new(vec![0xff])).unwrap_err(), ValueError::NotText);
    }
}
