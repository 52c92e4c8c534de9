//! What a kind of resource says about itself.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Address, AnsweredBy, Properties};

/// Tags by key; `aws:` keys are AWS's own and are never among them.
pub type Tags = BTreeMap<String, String>;

/// One struct that serves as both *wanted* and *found*, so that `==` is the difference.
pub trait Resource: Serialize + DeserializeOwned + Clone + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// The kind's name in addresses.
    const KIND: &'static str;
    /// Properties that AWS cannot change: a new value means a new resource.
    const FIXED: &'static [&'static str] = &[];
    /// Properties that only the creating request uses; later another kind manages them, or nobody.
    const AT_CREATION: &'static [&'static str] = &[];
    /// Properties that are JSON documents, shown as a line difference.
    const DOCUMENTS: &'static [&'static str] = &[];
    /// Properties that come of building code, which only commands do that may change it.
    const BUILT: &'static [&'static str] = &[];
    /// Whether a replacement is made first and the former object deleted once nothing uses it any more.
    /// The two need ids of their own for that.
    const CREATE_FIRST: bool = false;
    /// Whether deleting it deletes data.
    const HOLDS_DATA: bool = false;
    /// What stays as it was when a property is changed in place, by the property: worth a warning.
    const LEFT_BEHIND: &'static [(&'static str, &'static str)] = &[];
    /// What comes of deleting it, beyond that it is gone: worth a warning.
    const ON_DELETE: Option<&'static str> = None;
    /// What to do before it is deleted, if there is something that stays and still uses it: such a deletion is refused.
    const LET_GO_FIRST: Option<&'static str> = None;
    /// What is not in force yet when AWS says that it is done. What comes after a change of that waits for it.
    const LAG: Option<Lag> = None;
    /// The kind whose ownership marks also mark this one while it has none of its own.
    const PART_OF: Option<&'static str> = None;

    /// Who has to answer before it can be read and changed.
    const ANSWERED_BY: AnsweredBy = AnsweredBy::ItsRegion;

    /// What AWS knows the resource by, if that can be told from its properties.
    fn id(&self) -> Option<String>;

    /// Whose mutation lock a change takes: AWS rejects overlapping writes to one object,
    /// and some of our kinds are parts of the same object.
    fn locks(address: &Address) -> Address {
        address.clone()
    }

    /// Whether a change in place of these properties comes after the changes of the parts, which otherwise come after it.
    fn follows_its_parts(_changed: &[&str]) -> bool {
        false
    }
}

/// How long AWS may act on what was before a change.
#[derive(Clone, Copy, Debug)]
pub struct Lag {
    /// The properties that this is so for.
    pub of: &'static [&'static str],
    /// How long it takes.
    pub time: Duration,
}

/// What the planner and the executor need to know of a kind.
#[derive(Clone, Copy)]
pub struct Meta {
    /// [`Resource::KIND`]
    pub kind: &'static str,
    /// [`Resource::FIXED`]
    pub fixed: &'static [&'static str],
    /// [`Resource::AT_CREATION`]
    pub at_creation: &'static [&'static str],
    /// [`Resource::DOCUMENTS`]
    pub documents: &'static [&'static str],
    /// [`Resource::BUILT`]
    pub built: &'static [&'static str],
    /// [`Resource::CREATE_FIRST`]
    pub create_first: bool,
    /// [`Resource::HOLDS_DATA`]
    pub holds_data: bool,
    /// [`Resource::LEFT_BEHIND`]
    pub left_behind: &'static [(&'static str, &'static str)],
    /// [`Resource::ON_DELETE`]
    pub on_delete: Option<&'static str>,
    /// [`Resource::LET_GO_FIRST`]
    pub let_go_first: Option<&'static str>,
    /// [`Resource::LAG`]
    pub lag: Option<Lag>,
    /// [`Resource::PART_OF`]
    pub part_of: Option<&'static str>,
    /// [`Resource::ANSWERED_BY`]
    pub answered_by: AnsweredBy,
    /// [`Resource::locks`]
    pub locks: fn(&Address) -> Address,
    /// [`Resource::follows_its_parts`]
    pub follows_its_parts: fn(&[&str]) -> bool,
}

impl Meta {
    /// The kind of a resource, if it is among `kinds`.
    pub fn find<'a>(kinds: &'a [Self], address: &Address) -> Option<&'a Self> {
        kinds.iter().find(|meta| meta.kind == address.kind)
    }

    /// What is compared and remembered of a resource; of a kind that is not among `kinds`, all of it.
    pub fn managed_of(kinds: &[Self], address: &Address, properties: &Properties) -> Properties {
        Self::find(kinds, address).map_or_else(|| properties.clone(), |meta| meta.managed(properties))
    }

    /// What is compared and remembered of a resource of this kind.
    pub fn managed(&self, properties: &Properties) -> Properties {
        properties.without(self.at_creation)
    }

    /// The fingerprint of what comes of building code, for kinds that have some.
    pub fn built_of(kinds: &[Self], address: &Address, properties: &Properties) -> Option<String> {
        let built = Self::find(kinds, address)?.built;
        (!built.is_empty()).then(|| properties.only(built).fingerprint())
    }

    /// What `T` says about itself.
    pub const fn of<T: Resource>() -> Self {
        Self {
            kind: T::KIND,
            fixed: T::FIXED,
            at_creation: T::AT_CREATION,
            documents: T::DOCUMENTS,
            built: T::BUILT,
            create_first: T::CREATE_FIRST,
            holds_data: T::HOLDS_DATA,
            left_behind: T::LEFT_BEHIND,
            on_delete: T::ON_DELETE,
            let_go_first: T::LET_GO_FIRST,
            lag: T::LAG,
            part_of: T::PART_OF,
            answered_by: T::ANSWERED_BY,
            locks: T::locks,
            follows_its_parts: T::follows_its_parts,
        }
    }
}

/// Which system a resource belongs to, as its tags say. Never shared between two specs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `[system] name`
    pub system: String,
    /// `[system] environment`
    pub environment: String,
    /// `[system] suffix`
    pub suffix: String,
}

impl Owner {
    /// The tag that names the system.
    pub const SYSTEM: &'static str = "drctl:system";
    /// The tag that names the environment.
    pub const ENVIRONMENT: &'static str = "drctl:environment";
    /// The tag that names the suffix.
    pub const SUFFIX: &'static str = "drctl:suffix";
    /// The tag that names the resource's address.
    pub const ADDRESS: &'static str = "drctl:address";

    /// What all caller references of drctl begin with.
    const REFERENCES: &'static str = "drctl/";

    /// The ownership marks of one resource.
    pub fn marks(&self, address: &Address) -> Tags {
        [
            (Self::SYSTEM, &self.system),
            (Self::ENVIRONMENT, &self.environment),
            (Self::SUFFIX, &self.suffix),
            (Self::ADDRESS, &address.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
    }

    /// Whether a tag is one of the marks.
    pub fn is_mark(key: &str) -> bool {
        [Self::SYSTEM, Self::ENVIRONMENT, Self::SUFFIX, Self::ADDRESS].contains(&key)
    }

    /// What the caller reference of a resource begins with, for what takes no tags while it is made.
    ///
    /// Route 53 never takes a reference twice, so a generation follows: see [`Owner::generation`].
    pub fn reference(&self, address: &Address) -> String {
        format!("{}{}.{}", self.references(), address.kind, address.name)
    }

    /// The `generation`th caller reference of a resource. Health checks take 64 characters.
    pub fn generation(reference: &str, generation: u32) -> String {
        format!("{reference}/{generation}")
    }

    /// What a caller reference begins with, without its generation.
    pub fn ungenerated(reference: &str) -> &str {
        reference.rsplit_once('/').map_or(reference, |(start, _)| start)
    }

    /// The address that a caller reference of this system's names, if it is one.
    pub fn referred(&self, reference: &str) -> Option<Address> {
        let (kind, name) = Self::ungenerated(reference).strip_prefix(&self.references())?.split_once('.')?;
        Some(Address::global(kind, name))
    }

    /// Whether a caller reference is of a system of drctl's, this or another.
    pub fn refers(reference: &str) -> bool {
        reference.starts_with(Self::REFERENCES)
    }

    fn references(&self) -> String {
        let hash = Sha256::digest(format!("{}/{}", self.system, self.suffix));
        let hash: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}{hash}/", Self::REFERENCES)
    }

    /// Whether these tags say that the resource is this system's.
    pub fn owns(&self, tags: &Tags) -> bool {
        tags.get(Self::SYSTEM) == Some(&self.system) && tags.get(Self::SUFFIX) == Some(&self.suffix)
    }

    /// The system that these tags name, for a person to read.
    pub fn named_in(tags: &Tags) -> Option<String> {
        let system = tags.get(Self::SYSTEM)?;
        Some(tags.get(Self::SUFFIX).map_or_else(|| system.clone(), |suffix| format!("{system}, suffix {suffix}")))
    }
}
