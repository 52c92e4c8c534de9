//! `[state]`: where drctl keeps what it remembers.

use std::collections::BTreeMap;

use super::Spec;
use super::bucket::{LONGEST_NAME, cleanup, is_reserved};
use crate::graph::{Region, Tags};
use crate::kinds::bucket::{Bucket, Encryption, PublicAccessBlock};
use crate::spec::{Name, Problem, Problems, Spanned, TableReader};

/// `[state]`
#[derive(Debug, Default)]
pub struct StateSection {
    /// What the names of the buckets begin with that hold the state; without it, it lies on this machine.
    bucket: Option<Spanned<Name>>,
}

impl StateSection {
    /// The tag by which drctl knows the buckets that it made: its value is `bucket`. They may hold the state of
    /// several systems, so they carry no system's marks.
    pub const MARK: &'static str = "drctl:state";

    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let bucket = reader.optional::<Name>("bucket");
        reader.finish();
        Self { bucket }
    }

    pub(super) fn check(&self, spec: &Spec, problems: &mut Problems) {
        let Some(bucket) = &self.bucket else { return };
        for region in spec.region.names() {
            let name = format!("{}-{region}", bucket.as_str());
            if name.len() > LONGEST_NAME {
                let message = format!(
                    "the bucket would be called `{name}`: {} characters, and S3 takes {LONGEST_NAME}",
                    name.len()
                );
                problems.push(Problem::new("length", bucket.at, message).help("choose a shorter name"));
                return;
            }
            if is_reserved(&name) {
                let message = format!("the bucket would be called `{name}`, and S3 keeps names like this for itself");
                problems.push(Problem::new("name", bucket.at, message).help("choose another name"));
                return;
            }
        }
    }

    /// Whether the state is in S3.
    pub fn is_shared(&self) -> bool {
        self.bucket.is_some()
    }

    /// The bucket of each region of the spec, the primary's first; none if the state lies on this machine.
    pub fn buckets(&self, spec: &Spec) -> Vec<(Region, Bucket)> {
        let Some(prefix) = self.bucket.as_ref().map(|bucket| bucket.as_str()) else { return Vec::new() };
        spec.regions().into_iter().map(|region| (region.clone(), bucket(prefix, &region))).collect()
    }
}

/// A bucket that holds states. What is overwritten stays for a while as an older version.
fn bucket(prefix: &str, region: &Region) -> Bucket {
    let name = format!("{prefix}-{region}");
    Bucket {
        versioning: Bucket::VERSIONED.into(),
        encryption: Encryption { algorithm: "AES256".into(), key: None, bucket_key: false },
        public_access_block: PublicAccessBlock::ALL,
        ownership: Bucket::OWNER_ENFORCED.into(),
        policy: Some(Bucket::tls_only(&name)),
        lifecycle: BTreeMap::from([cleanup()]),
        tags: Tags::from([(StateSection::MARK.to_owned(), prefix.to_owned())]),
        name,
    }
}
