//! Which of several copies of the index counts.

use std::fmt;

use crate::state::Index;

/// Why no copy counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// They are not versions of one index.
    Lineages([String; 2]),
    /// They were written apart from each other: both have this serial, and they say different things.
    Serial(u64),
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lineages([one, other]) => write!(f, "they are of different lineages, {one} and {other}"),
            Self::Serial(serial) => write!(f, "both have serial {serial}, and were written apart from each other"),
        }
    }
}

/// The copy that was written last; `None` if there is none. A copy that missed some writes has a lower serial.
pub(super) fn newest<'a>(copies: impl IntoIterator<Item = &'a Index>) -> Result<Option<&'a Index>, Split> {
    let mut newest: Option<&Index> = None;
    for copy in copies {
        match newest {
            Some(other) if other.lineage != copy.lineage => {
                return Err(Split::Lineages([other.lineage.clone(), copy.lineage.clone()]));
            }
            Some(other) if other.serial == copy.serial && other != copy => return Err(Split::Serial(copy.serial)),
            Some(other) if other.serial >= copy.serial => {}
            _ => newest = Some(copy),
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Address;
    use crate::state::tests::{owner, record};

    fn index(lineage: &str, serial: u64) -> Index {
        Index { serial, ..Index::empty(&owner(), lineage.into()) }
    }

    #[test]
    fn the_higher_serial_counts_wherever_it_is() {
        let (old, new) = (index("a", 3), index("a", 4));
        for copies in [[&old, &new], [&new, &old]] {
            assert_eq!(newest(copies), Ok(Some(&new)));
        }
        assert_eq!(newest([&new, &new.clone()]), Ok(Some(&new)));
        assert_eq!(newest([]), Ok(None));
    }

    #[test]
    fn copies_of_different_lineages_are_no_copies() {
        assert_eq!(newest([&index("a", 3), &index("b", 9)]), Err(Split::Lineages(["a".to_owned(), "b".to_owned()])));
    }

    #[test]
    fn one_serial_with_two_contents_was_written_apart() {
        let (one, mut other) = (index("a", 3), index("a", 3));
        other.resources.insert(Address::global("role", "pay"), record());
        assert_eq!(newest([&one, &other]), Err(Split::Serial(3)));
    }
}
