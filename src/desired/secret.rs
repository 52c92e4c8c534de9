//! `[secret.NAME]`: a secret in the primary with a replica in the secondary. Its value is never in a spec.

use super::{Scope, Spec, scope::suffixed};
use crate::graph::{Address, Resource};
use crate::kinds::secret::Secret;
use crate::spec::{At, Problem, Problems, TableReader};

/// `[secret.NAME]`
#[derive(Debug)]
pub struct SecretSection {
    description: Option<String>,
    at: At,
}

/// Secrets Manager's bounds, in characters.
const LONGEST_NAME: usize = 512;
const LONGEST_DESCRIPTION: usize = 2048;

impl SecretSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Option<Self> {
        let at = reader.at();
        let description = reader.optional::<String>("description");
        if let Some(text) = description.as_ref().filter(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            let message = format!("`description` has {} characters", text.chars().count());
            let problem = Problem::new("length", text.at, message);
            reader.problems().push(problem.help(format!("Secrets Manager takes {LONGEST_DESCRIPTION}")));
        }
        reader.finish();
        Some(Self { description: description.map(|text| text.value), at })
    }

    pub(super) fn check(&self, name: &str, spec: &Spec, problems: &mut Problems) {
        let aws_name = suffixed(spec, name);
        if aws_name.len() > LONGEST_NAME {
            let message =
                format!("the secret would be called `{aws_name}`: Secrets Manager takes {LONGEST_NAME} characters");
            problems.push(Problem::new("length", self.at, message).help("choose a shorter name or suffix"));
        }
        if Secret::ends_like_an_arn(&aws_name) {
            let message = format!(
                "the secret would be called `{aws_name}`, and a name that ends in a hyphen and six characters can be \
                 taken for the ARN of another secret"
            );
            let help = "choose a suffix whose last part has more or fewer than six characters, such as \"prod-001\"";
            problems.push(Problem::new("name", self.at, message).help(help));
        }
    }

    pub(super) fn emit(&self, name: &str, scope: &mut Scope<'_>) {
        let address = Address::global(Secret::KIND, name);
        let secret = Secret {
            name: scope.suffixed(name),
            description: self.description.clone().unwrap_or_default(),
            home: scope.spec.region.primary.clone(),
            regions: scope.regions().into(),
            encryption: scope.keys(),
            tags: scope.tags(&address),
        };
        let users = scope.key_users(Secret::KIND, name, &scope.regions());
        scope.add(address, &secret, users, self.at);
    }
}
