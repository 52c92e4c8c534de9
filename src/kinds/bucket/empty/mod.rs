//! Deleting a bucket with everything in it: all versions, delete markers and unfinished uploads.

mod aws;
mod pace;

use std::fmt;
use std::time::Instant;

pub use aws::content;
pub(super) use aws::delete;

/// What is in a bucket, counted up to a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Current objects.
    pub objects: u64,
    /// Versions that are no longer current, and delete markers.
    pub history: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Unfinished uploads.
    pub uploads: u64,
    /// Whether there is more than was counted.
    pub more: bool,
    /// Whether Object Lock is on, with which S3 may refuse to delete versions.
    pub object_lock: bool,
}

impl Content {
    /// Whether there is anything to lose.
    pub fn is_empty(&self) -> bool {
        self.objects + self.history + self.uploads == 0
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { objects, history, bytes, uploads, .. } = self;
        let more = if self.more { "more than " } else { "" };
        write!(
            f,
            "{more}{objects} objects, {history} older versions and delete markers, {bytes} bytes, {uploads} unfinished uploads"
        )
    }
}

/// How far the emptying of a bucket is.
struct Tally {
    begun: Instant,
    deleted: u64,
    /// How many there are, once the listing is through.
    total: Option<u64>,
}

impl Tally {
    fn new() -> Self {
        Self { begun: Instant::now(), deleted: 0, total: None }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.deleted as f64 / self.begun.elapsed().as_secs_f64().max(0.001);
        write!(f, "emptying: {} versions and delete markers deleted, {rate:.0} a second", self.deleted)?;
        match self.total {
            Some(total) => write!(f, ", {} left", total.saturating_sub(self.deleted)),
            None => Ok(()),
        }
    }
}

/// What S3 would not delete.
#[derive(Debug, Default)]
struct Undeleted {
    count: u64,
    /// The first few, in words.
    examples: Vec<String>,
}

/// As many as a person reads.
const EXAMPLES: usize = 3;

impl Undeleted {
    fn add(&mut self, entry: String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(entry);
        }
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }
}

impl fmt::Display for Undeleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} versions could not be deleted, such as {}", self.count, self.examples.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_once_all_is_listed() {
        let tally = Tally { begun: Instant::now(), deleted: 4_000, total: None };
        let text = tally.to_string();
        assert!(text.starts_with("emptying: 4000 versions and delete markers deleted, "), "{text}");
        assert!(!text.contains("left"), "{text}");
        let text = Tally { total: Some(5_500), ..tally }.to_string();
        assert!(text.ends_with(", 1500 left"), "{text}");
    }

    #[test]
    fn what_cannot_be_deleted_is_counted_with_a_few_examples() {
        let mut undeleted = Undeleted::default();
        for number in 1..=3 {
            let mut page = Undeleted::default();
            page.add(format!("a/{number} (AccessDenied)"));
            page.add(format!("b/{number} (AccessDenied)"));
            undeleted.join(page);
        }
        let text =
            "6 versions could not be deleted, such as a/1 (AccessDenied); b/1 (AccessDenied); a/2 (AccessDenied)";
        assert_eq!(undeleted.to_string(), text);
    }

    #[test]
    fn a_bucket_with_nothing_but_an_unfinished_upload_is_not_empty() {
        assert!(Content { object_lock: true, ..Content::default() }.is_empty());
        let upload = Content { uploads: 1, more: true, ..Content::default() };
        assert!(!upload.is_empty());
        let text = "more than 0 objects, 0 older versions and delete markers, 0 bytes, 1 unfinished uploads";
        assert_eq!(upload.to_string(), text);
    }
}
