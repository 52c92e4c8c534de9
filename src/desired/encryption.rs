//! `[encryption]`: with whose key what is stored is encrypted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Scope, Spec, function, scope::capital};
use crate::graph::{Address, Input, Region, Tags};
use crate::kinds::key::{Key, Member};
use crate::spec::{At, Problem, Problems, TableReader};

/// `[encryption]`
#[derive(Debug)]
pub struct EncryptionSection {
    key: Keys,
    at: At,
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Each service's own, and none for topics: alarms cannot publish through `alias/aws/sns`.
    Aws,
    /// One key of the system's own.
    Customer,
    /// Each service's own, while the system's key stays for what is still encrypted with it.
    Retired,
}

/// KMS's bound, in characters.
const LONGEST_ALIAS: usize = 256;

impl EncryptionSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let at = reader.at();
        let choices = [("aws", Keys::Aws), ("customer", Keys::Customer), ("retired", Keys::Retired)];
        let key = reader.choice("key", &choices).map_or(Keys::Aws, |key| key.value);
        reader.finish();
        Self { key, at }
    }

    pub(super) fn check(&self, spec: &Spec, problems: &mut Problems) {
        let alias = alias(spec);
        if self.has_key() && alias.len() > LONGEST_ALIAS {
            let message = format!("the key would be called `{alias}`: KMS takes {LONGEST_ALIAS} characters");
            problems.push(Problem::new("length", self.at, message).help("choose a shorter system name or suffix"));
        }
    }

    pub(super) fn emit(&self, scope: &mut Scope<'_>) {
        if !self.has_key() {
            return;
        }
        let (spec, address) = (scope.spec, Key::address());
        let (regions, tags) = (scope.regions(), scope.tags(&address));
        let member = Member {
            enabled: true,
            aliased: true,
            description: format!("Encrypts what {} {} stores", spec.system.name.as_str(), spec.system.suffix.as_str()),
            tags: Tags::new(),
        };
        let policy = |region: &Region| Key::policy(region, scope.account, spec.system.suffix.as_str());
        let key = Key {
            id: None,
            alias: alias(spec),
            rotation: true,
            home: spec.region.primary.clone(),
            members: regions.iter().map(|region| (region.clone(), member.clone())).collect(),
            policies: regions.iter().map(|region| (region.clone(), policy(region))).collect(),
            tags,
        };
        scope.add(address, &key, [], self.at);
    }

    pub(super) fn has_key(&self) -> bool {
        self.key != Keys::Aws
    }
}

impl Scope<'_> {
    /// The ARN of the key that encrypts what is stored in a region, if it is the system's own.
    pub(super) fn key_in(&self, region: &Region) -> Option<Input> {
        self.key_there(region).filter(|_| self.encrypts())
    }

    /// The ARN of the system's own key in a region while there is one: also with a retired one something is encrypted.
    pub(super) fn key_there(&self, region: &Region) -> Option<Input> {
        let encryption = self.spec.encryption.as_ref().filter(|encryption| encryption.has_key());
        encryption.map(|_| self.refer::<Key>(&Key::address(), &Key::arn_in(region)))
    }

    /// Whether what is stored is encrypted with a key of the system's own.
    fn encrypts(&self) -> bool {
        self.spec.encryption.as_ref().is_some_and(|encryption| encryption.key == Keys::Customer)
    }

    /// The roles of the functions in these regions that work on something: where it is encrypted with a key of the
    /// system's own, they have to be allowed to use that first.
    pub(super) fn key_users(&self, kind: &str, name: &str, regions: &[Region]) -> Vec<Address> {
        let functions =
            self.spec.functions.iter().filter(|(_, function)| self.encrypts() && function.opens(kind, name));
        functions.flat_map(|(name, _)| regions.iter().map(|region| function::role_address(name, region))).collect()
    }

    /// Lets a role use the key of a region through some services there: if there are any, and the system has a key.
    pub(super) fn key_statement(
        &self,
        region: &Region,
        actions: &[&str],
        services: impl IntoIterator<Item = &'static str>,
    ) -> Option<Value> {
        let services: BTreeSet<_> = services.into_iter().map(|name| format!("{name}.{region}.amazonaws.com")).collect();
        let key = self.key_there(region).filter(|_| !services.is_empty())?;
        let action = actions.first()?.trim_start_matches("kms:");
        let place: String = region.as_str().split('-').map(capital).collect();
        Some(json!({
            "Sid": format!("{action}{place}"),
            "Effect": "Allow",
            "Action": actions,
            "Resource": key,
            "Condition": { "StringEquals": { "kms:ViaService": services } },
        }))
    }

    /// The same for all regions; none of them if keys are AWS's.
    pub(super) fn keys(&self) -> BTreeMap<Region, Input> {
        self.regions().into_iter().filter_map(|region| Some((region.clone(), self.key_in(&region)?))).collect()
    }
}

fn alias(spec: &Spec) -> String {
    Key::alias(spec.system.name.as_str(), spec.system.suffix.as_str())
}
