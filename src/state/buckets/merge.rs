//! Which of several copies of the index counts.

use std::fmt;

use crate::state::{Index, Written};

/// Why no copy counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// They are not versions of one index.
    Lineages([String; 2]),
    /// They were written apart from each other: both have this serial, and they say different things.
    Serial(u64),
    /// They were written apart from each other: the higher one does not go on from the lower one.
    Apart([u64; 2]),
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lineages([one, other]) => write!(f, "they are of different lineages, {one} and {other}"),
            Self::Serial(serial) => write!(f, "both have serial {serial}, and were written apart from each other"),
            Self::Apart([lower, higher]) => {
                write!(f, "serial {higher} does not go on from serial {lower}: they were written apart from each other")
            }
        }
    }
}

/// The copy that was written last; `None` if there is none. A copy that missed some writes has a lower serial, and the
/// other one goes on from it.
pub(super) fn newest<'a>(copies: impl IntoIterator<Item = &'a Index>) -> Result<Option<&'a Index>, Split> {
    let mut newest: Option<&Index> = None;
    for copy in copies {
        newest = Some(match newest {
            Some(other) => newer(other, copy)?,
            None => copy,
        });
    }
    Ok(newest)
}

fn newer<'a>(one: &'a Index, other: &'a Index) -> Result<&'a Index, Split> {
    if one.lineage != other.lineage {
        return Err(Split::Lineages([one.lineage.clone(), other.lineage.clone()]));
    }
    let (lower, higher) = if one.serial < other.serial { (one, other) } else { (other, one) };
    match higher.serial - lower.serial {
        0 if lower != higher => Err(Split::Serial(higher.serial)),
        0 => Ok(higher),
        _ if higher.goes_on_from(lower) => Ok(higher),
        _ => Err(Split::Apart([lower.serial, higher.serial])),
    }
}

/// All that is known of who wrote the copies, so that what goes on from them all is newer than each.
pub(super) fn histories<'a>(copies: impl IntoIterator<Item = &'a Index>) -> Vec<Written> {
    let mut all: Vec<Written> = Vec::new();
    for written in copies.into_iter().flat_map(|copy| &copy.history) {
        match all.iter_mut().find(|known| known.by == written.by) {
            Some(known) => known.serial = known.serial.max(written.serial),
            None => all.push(written.clone()),
        }
    }
    all.sort_by_key(|written| written.serial);
    all
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

    /// An index that these runs have written, one after the other, so many times each.
    fn written(runs: &[(&str, usize)]) -> Index {
        let mut index = index("a", 0);
        for (run, writes) in runs {
            (0..*writes).for_each(|_| index.write_by(run));
        }
        index
    }

    #[test]
    fn a_copy_that_missed_writes_is_behind_and_one_that_was_written_apart_is_not() {
        let east = written(&[("one", 10), ("two", 8)]);
        for behind in [&[("one", 10)][..], &[("one", 7)], &[("one", 10), ("two", 3)]] {
            let behind = written(behind);
            for copies in [[&behind, &east], [&east, &behind]] {
                assert_eq!(newest(copies), Ok(Some(&east)), "{behind:?}");
            }
        }
        for apart in [&[("one", 10), ("three", 4)][..], &[("three", 4)], &[("one", 11)]] {
            let apart = written(apart);
            assert_eq!(newest([&apart, &east]), Err(Split::Apart([apart.serial, 18])), "{apart:?}");
        }
    }

    #[test]
    fn a_copy_without_a_history_is_taken_at_its_serial() {
        let (before, after) = (index("a", 3), written(&[("one", 10)]));
        assert_eq!(newest([&before, &after]), Ok(Some(&after)));
        assert_eq!(newest([&written(&[("two", 2)]), &before]), Ok(Some(&before)));
    }

    #[test]
    fn what_is_written_anew_goes_on_from_both_of_what_was_written_apart() {
        let (one, other) = (written(&[("one", 10), ("two", 8)]), written(&[("one", 10), ("three", 4)]));
        let mut anew = Index { serial: 18, history: histories([&one, &other]), ..index("a", 0) };
        anew.write_by("four");
        assert_eq!(newest([&one, &anew]), Ok(Some(&anew)));
        assert_eq!(newest([&other, &anew]), Ok(Some(&anew)));
    }

    #[test]
    fn a_history_does_not_grow_for_ever() {
        let mut long = index("a", 0);
        (0..1_000).for_each(|run| long.write_by(&run.to_string()));
        assert_eq!(long.history.len(), 64);
    }
}
